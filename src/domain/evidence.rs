//! Evidence of what a person did (rule F5): asked for by one auditor, approved by another, and fetched by the first.

use crate::{Day, Instant, PersonId, Purpose};
use serde::{Deserialize, Serialize};

/// Days in which what was asked for may be approved, and then those in which it may be fetched.
pub const EVIDENCE_DAYS: u64 = 7;

/// The directory's number for a request: allocated at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct EvidenceId(pub u64);

impl EvidenceId {
    /// A number of at most 53 bits, which every reader of JSON takes as it is. Whether it is free is the store's question.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn at_random() -> Result<Self, getrandom::Error> {
        Ok(Self((getrandom::u64()? >> 11).max(1)))
    }
}

/// What is asked for, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceAsked {
    /// Whose looks.
    pub person: PersonId,
    /// The first day.
    pub from: Day,
    /// The last day.
    pub to: Day,
    /// Why.
    pub reason: Purpose,
    /// Whom it is sealed for: an X25519 public key.
    pub recipient: [u8; 32],
}

/// A request as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceCase {
    /// Its number.
    pub id: EvidenceId,
    /// What was asked for.
    pub asked: EvidenceAsked,
    /// By whom.
    pub by: PersonId,
    /// When.
    pub at: Instant,
    /// Who approved it, and when.
    pub approved: Option<(PersonId, Instant)>,
    /// How often it was fetched.
    pub fetched: u32,
}

impl EvidenceCase {
    /// The last instant of the step that it waits for: to be approved, or to be fetched.
    #[must_use]
    pub fn until(&self) -> Instant {
        let since = self.approved.map_or(self.at, |(_, at)| at);
        since.plus_seconds(EVIDENCE_DAYS * 24 * 60 * 60)
    }
}
