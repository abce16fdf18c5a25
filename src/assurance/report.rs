//! What an inspection says of each rule.

use crate::{Catalogue, CheckId, Observation, ReportError, Rule, RuleId, Verdict};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// Of what, and when, a report speaks. All of it is handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// When the inspection began, UTC.
    #[serde(serialize_with = "rfc3339")]
    pub at: Timestamp,
    /// The machine's name.
    pub host: String,
    /// The version of the programs: "0.2.0".
    pub version: String,
}

/// What is said of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A check failed. Counts also for a rule that is open.
    Fails,
    /// The catalogue says that it is not enforced, or not as a whole.
    Open,
    /// A check of it was not, or could not be, looked at.
    Unseen,
    /// Enforced and tested; nothing of a running system shows it.
    TestedOnly,
    /// Enforced, tested, and each of its checks holds.
    Holds,
}

impl Standing {
    /// Each of them, the worst first.
    pub const ALL: &'static [Self] = &[Self::Fails, Self::Open, Self::Unseen, Self::TestedOnly, Self::Holds];

    /// In words, for people: "tested only".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Fails => "fails",
            Self::Open => "open",
            Self::Unseen => "unseen",
            Self::TestedOnly => "tested only",
            Self::Holds => "holds",
        }
    }
}

/// One rule and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// The rule's number.
    pub rule: RuleId,
    /// What is said of it.
    pub standing: Standing,
}

/// An inspection put beside the catalogue: equal input, equal report. [`Report::text`], [`Report::json`] and [`Report::oscal`] write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    facts: Facts,
    judgements: Vec<Judgement>,
    observations: Vec<Observation>,
    catalogue: Catalogue,
}

impl Report {
    /// Judges each rule of `catalogue` by `observations`. A check that was not observed is unseen.
    ///
    /// # Errors
    /// [`ReportError::NoSuchCheck`] for an observation of a check that the catalogue does not have; [`ReportError::NoEvidence`] for one that
    /// holds and shows nothing.
    pub fn new(catalogue: Catalogue, facts: Facts, observations: Vec<Observation>) -> Result<Self, ReportError> {
        if let Some(stray) = observations.iter().find(|observation| catalogue.check(&observation.check).is_none()) {
            return Err(ReportError::NoSuchCheck(stray.check.clone()));
        }
        if let Some(bare) = observations.iter().find(|observation| observation.verdict == Verdict::Holds && observation.evidence.is_empty())
        {
            return Err(ReportError::NoEvidence(bare.check.clone()));
        }
        let judge = |rule: &Rule| Judgement { rule: rule.id.clone(), standing: standing(rule, &observations) };
        let judgements = catalogue.rules().iter().map(judge).collect();
        Ok(Self { facts, judgements, observations, catalogue })
    }

    /// Each rule and what is said of it, in the rule book's order.
    #[must_use]
    pub fn judgements(&self) -> &[Judgement] {
        &self.judgements
    }

    /// Of what, and when, it speaks.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What was seen.
    #[must_use]
    pub fn observations(&self) -> &[Observation] {
        &self.observations
    }

    /// The rules and checks that it judges by.
    #[must_use]
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The worst that was seen of a check; unseen where nobody looked.
    #[must_use]
    pub fn verdict(&self, check: &CheckId) -> Verdict {
        seen(check, &self.observations)
    }

    /// How many rules have that standing.
    #[must_use]
    pub fn count(&self, standing: Standing) -> usize {
        self.judgements.iter().filter(|judgement| judgement.standing == standing).count()
    }

    /// The worst of all checks of the catalogue, those that nobody looked at included; `None` where its rules have none.
    #[must_use]
    pub fn worst(&self) -> Option<Verdict> {
        self.catalogue.checks().iter().map(|check| self.verdict(&check.id)).max()
    }
}

/// The worst of the rule's checks, and what the catalogue says of it.
fn standing(rule: &Rule, observations: &[Observation]) -> Standing {
    let worst = rule.checks.iter().map(|check| seen(check, observations)).max();
    match (worst, &rule.open) {
        (Some(Verdict::Fails), _) => Standing::Fails,
        (_, Some(_)) => Standing::Open,
        (Some(Verdict::Unseen), None) => Standing::Unseen,
        (Some(Verdict::Holds), None) => Standing::Holds,
        (None, None) => Standing::TestedOnly,
    }
}

/// The worst that was seen of a check.
fn seen(check: &CheckId, observations: &[Observation]) -> Verdict {
    let of_check = observations.iter().filter(|observation| observation.check == *check);
    of_check.map(|observation| observation.verdict).max().unwrap_or(Verdict::Unseen)
}

fn rfc3339<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
