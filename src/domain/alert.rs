//! Alerts: what somebody else has to judge or settle (rules D5 to D8, E4 to E6). An alert names the event and the child's number, never the
//! record.

use crate::checked::coded;
use crate::{ChildNumber, Day, Instant, OrganisationId, PersonId, Purpose};
use serde::{Deserialize, Serialize};

/// The directory's number for an alert: allocated at random, so that nobody learns from a gap that there was another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct AlertId(pub u64);

impl AlertId {
    /// A number of at most 53 bits, which every reader of JSON takes as it is. Whether it is free is the store's question.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn at_random() -> Result<Self, getrandom::Error> {
        Ok(Self((getrandom::u64()? >> 11).max(1)))
    }
}

coded!(
    /// What happened.
    AlertKind, "alert" {
        /// Somebody broke the glass to a child outside their scope (rule D4).
        BreakGlass = "break-glass" / 1,
        /// Somebody overrode a shield (rule E5).
        ShieldOverride = "shield-override" / 2,
        /// Somebody reached the day's ceiling of records seen (rule D6).
        OverBudget = "over-budget" / 3,
        /// Somebody looked at a child of their own name or address (rule D7).
        OwnFamily = "own-family" / 4,
        /// Somebody searched again and again and found nobody (rule D7).
        NearMisses = "near-misses" / 5,
        /// Somebody looked, or tried to, at a record that only named people may know of (rules D7, D8).
        SmallAudience = "small-audience" / 6,
        /// The authority looks into the overriding of a shield of its own (rule E5).
        Investigation = "investigation" / 7,
        /// Somebody asks the authority to bring them together with whoever works with a child (rule E6).
        Contact = "contact" / 8,
        /// A record may be of a child on record, and waits for the authority (rule E4).
        Quarantine = "quarantine" / 9,
    }
);

impl AlertKind {
    /// True for the acts whose alert stops further ones of the same person while it is overdue (rule D5).
    #[must_use]
    pub const fn stops_the_glass(self) -> bool {
        match self {
            Self::BreakGlass | Self::ShieldOverride => true,
            Self::OverBudget
            | Self::OwnFamily
            | Self::NearMisses
            | Self::SmallAudience
            | Self::Investigation
            | Self::Contact
            | Self::Quarantine => false,
        }
    }

    /// True where a supervisor says whether it was justified (rule D5); the rest is settled by the authority.
    #[must_use]
    pub const fn is_judged(self) -> bool {
        match self {
            Self::BreakGlass | Self::ShieldOverride | Self::OverBudget | Self::OwnFamily | Self::NearMisses | Self::SmallAudience => true,
            Self::Investigation | Self::Contact | Self::Quarantine => false,
        }
    }
}

/// Who has to look at an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Addressee {
    /// The supervisor, at the time, of whoever acted.
    Supervisor(PersonId),
    /// The shielding officers of an authority.
    Authority(OrganisationId),
}

coded!(
    /// What came of an alert.
    Disposition, "disposition" {
        /// The supervisor says that the act was justified (rule D5).
        Justified = "justified" / 1,
        /// The supervisor says that it was not (rule D5).
        NotJustified = "not-justified" / 2,
        /// The authority has done what was to do.
        Settled = "settled" / 3,
    }
);

/// Who said what of an alert, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// What.
    pub disposition: Disposition,
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Instant,
}

coded!(
    /// What an auditor says of a supervisor's judgement (rule D5: dispositions are sampled).
    Finding, "finding" {
        /// The judgement stands.
        Upheld = "upheld" / 1,
        /// The judgement does not stand, or cannot be followed.
        Questioned = "questioned" / 2,
    }
);

/// An auditor's word on a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleReview {
    /// What.
    pub finding: Finding,
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Instant,
}

/// Working days within which an alert is to be judged (rule D5).
pub const JUDGED_WITHIN_DAYS: u16 = 5;

/// An alert as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its number.
    pub id: AlertId,
    /// What happened.
    pub kind: AlertKind,
    /// Who acted.
    pub person: PersonId,
    /// For which organisation.
    pub organisation: OrganisationId,
    /// Which child: its number, whether or not there is a record of it.
    pub child: Option<ChildNumber>,
    /// The reason that was stated (rule D2).
    pub reason: Option<Purpose>,
    /// When.
    pub at: Instant,
    /// Who has to look at it; `None` for whom nobody supervises.
    pub to: Option<Addressee>,
    /// The last day on which it is not overdue.
    pub due: Day,
    /// What came of it.
    pub judgement: Option<Judgement>,
    /// What an auditor says of that.
    pub review: Option<SampleReview>,
    /// Its place in the order in which alerts were raised: for the order of a queue, and told to nobody.
    pub place: u64,
}

impl Alert {
    /// True where it waits for longer than it may (rule D5).
    #[must_use]
    pub fn is_overdue(&self, today: Day) -> bool {
        self.judgement.is_none() && today > self.due
    }
}

/// An alert to be raised: what [`Alert`] has at its birth.
#[derive(Debug, Clone)]
pub struct NewAlert {
    /// What happened.
    pub kind: AlertKind,
    /// Who acted.
    pub person: PersonId,
    /// For which organisation.
    pub organisation: OrganisationId,
    /// Which child.
    pub child: Option<ChildNumber>,
    /// The stated reason.
    pub reason: Option<Purpose>,
    /// When.
    pub at: Instant,
    /// Who has to look at it.
    pub to: Option<Addressee>,
    /// The last day on which it is not overdue.
    pub due: Day,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_alerts_are_stable() {
        // A6, D5: what is stored keeps its meaning
        assert_eq!(AlertKind::ALL.iter().map(|kind| kind.number()).collect::<Vec<_>>(), (1..=9).collect::<Vec<u8>>());
        assert_eq!((Disposition::Justified.number(), Disposition::NotJustified.number(), Disposition::Settled.number()), (1, 2, 3));
        assert_eq!((Finding::Upheld.number(), Finding::Questioned.number()), (1, 2));
    }

    #[test]
    fn the_numbers_of_alerts_are_spread_over_all_that_there_are_and_json_keeps_them() {
        // D5, D7: from their numbers nobody learns how many alerts there are
        let numbers: Vec<u64> = (0..2000).map(|_| AlertId::at_random().unwrap().0).collect();
        assert!(numbers.iter().all(|number| (1..1 << 53).contains(number)));
        let eighths: std::collections::BTreeSet<u64> = numbers.iter().map(|number| number >> 50).collect();
        assert_eq!(eighths.len(), 8, "no eighth is left out: by chance once in 10^115");
        let rising = numbers.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((800..1200).contains(&rising), "{rising} of 1999 follow a smaller one");
    }

    #[test]
    fn an_alert_is_overdue_from_the_day_after_its_last_one_until_it_is_judged() {
        // D5: must judge each alert within five working days; overdue ones escalate
        let at = Instant::of_millis(1_763_640_000_000);
        let due: Day = "2026-11-27".parse().unwrap();
        let mut alert = Alert {
            id: AlertId(1),
            kind: AlertKind::BreakGlass,
            person: PersonId(1),
            organisation: OrganisationId(1),
            child: None,
            reason: Some(Purpose::Concern),
            at,
            to: Some(Addressee::Supervisor(PersonId(2))),
            due,
            judgement: None,
            review: None,
            place: 1,
        };
        assert!(!alert.is_overdue(due) && alert.is_overdue("2026-11-28".parse().unwrap()));
        alert.judgement = Some(Judgement { disposition: Disposition::NotJustified, by: PersonId(2), at });
        assert!(!alert.is_overdue("2026-11-28".parse().unwrap()));
    }
}
