//! Tasks of regular review: a look that somebody has to ask about by a day, and what came of it (rule F4). What was looked at is in the log's
//! entry; a task says which.

use crate::checked::coded;
use crate::{Day, Instant, InvalidValue, OrganisationId, PersonId, Role};
use serde::{Deserialize, Serialize};

/// The directory's number for a task: allocated at random, so that nobody learns from a gap that there was another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct ReviewId(pub u64);

impl ReviewId {
    /// A number of at most 53 bits, which every reader of JSON takes as it is. Whether it is free is the store's question.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn at_random() -> Result<Self, getrandom::Error> {
        Ok(Self((getrandom::u64()? >> 11).max(1)))
    }
}

coded!(
    /// What a reviewer found of a look (rule F4: a recorded outcome).
    ReviewOutcome, "outcome" {
        /// There was a reason for it.
        Justified = "justified" / 1,
        /// There was none.
        NotJustified = "not-justified" / 2,
        /// It cannot be said without an enquiry, which goes on elsewhere.
        NeedsEnquiry = "needs-enquiry" / 3,
    }
);

/// How a look ended, as the detection rules count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// Something was shown.
    Shown,
    /// Nothing matched, or too many did.
    NoHit,
    /// Refused for the child that was asked for: out of scope, for named people, over the day's ceiling.
    Refused,
    /// Refused for the standing of whoever asked, whatever they asked for: an agreement not signed, a session that ended. And what shows nothing and
    /// hides nothing.
    Standing,
}

/// The name of a detection rule: letters, digits and dashes, at most 40.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "own-family")]
pub struct RuleName(String);

impl RuleName {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RuleName {
    type Error = InvalidValue;
    fn try_from(text: String) -> Result<Self, InvalidValue> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let why = "is not 1 to 40 letters, digits and dashes";
        (is_plain && (1..=40).contains(&text.len())).then_some(Self(text)).ok_or(InvalidValue { what: "rule", why })
    }
}
impl From<RuleName> for String {
    fn from(name: RuleName) -> Self {
        name.0
    }
}

/// What a reviewer said, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reviewed {
    /// What.
    pub outcome: ReviewOutcome,
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Instant,
}

/// A task as it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReview {
    /// What found it: a rule, or the draw.
    pub rule: Option<RuleName>,
    /// The indexes of the log's entries that it is about, rising; one where it was drawn.
    pub entries: Vec<u64>,
    /// Whose looks; `None` where those of many, at one child.
    pub person: Option<PersonId>,
    /// For which organisation.
    pub organisation: Option<OrganisationId>,
    /// In which role.
    pub role: Option<Role>,
    /// Who reviews it: the looker's supervisor at the time; `None` for auditors.
    pub reviewer: Option<PersonId>,
    /// When it was made.
    pub at: Instant,
    /// The last day on which it is not overdue.
    pub due: Day,
}

/// A task as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Its number.
    pub id: ReviewId,
    /// What it was made of.
    pub task: NewReview,
    /// What came of it.
    pub reviewed: Option<Reviewed>,
}

impl Review {
    /// True where it waits for longer than it may (rule F4).
    #[must_use]
    pub fn is_overdue(&self, today: Day) -> bool {
        self.reviewed.is_none() && today > self.task.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_outcomes_are_stable_and_a_rule_s_name_is_plain() {
        // A6, F4: what is stored keeps its meaning; A3: no free text
        assert_eq!(ReviewOutcome::ALL.iter().map(|outcome| outcome.number()).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(RuleName::try_from("own-family".to_owned()).is_ok());
        for wrong in ["", "own family", "x".repeat(41).as_str(), "Élan"] {
            assert!(RuleName::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
