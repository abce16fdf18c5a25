//! What an inspection saw: one check, what it should be, what is there, and from where that was read.

use crate::CheckId;
use serde::{Deserialize, Serialize};

/// What an observation says of its check. In order: the worst of several counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// What is there is what should be.
    Holds,
    /// It could not be looked at: no right to read it, not installed, the daemon is down. Never counted as holding.
    Unseen,
    /// What is there is not what should be.
    Fails,
}

impl Verdict {
    /// In a word, for people: "holds".
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Unseen => "unseen",
            Self::Fails => "fails",
        }
    }
}

/// Where something was read, and what was read there, raw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// A path, a command, a request: "/proc/812/status", "GET /v1/evidence hsm.keys".
    pub source: String,
    /// What stood there, as it stood: "Seccomp: 2". No child's and no person's data, no secret.
    pub value: String,
}

impl Evidence {
    /// What was read, `value`, and where, `source`.
    pub fn new(source: impl Into<String>, value: impl Into<String>) -> Self {
        Self { source: source.into(), value: value.into() }
    }
}

/// One look at one check. A check may be looked at several times (each file, each key); the worst verdict counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// Which check of the catalogue.
    pub check: CheckId,
    /// What it came to.
    pub verdict: Verdict,
    /// What should be, in a few words: "Seccomp: 2 (filter) in every thread".
    pub expected: String,
    /// What was read.
    pub evidence: Vec<Evidence>,
}

impl Observation {
    /// The look at `check` came to `verdict`; `expected` is what should be, `evidence` what was read.
    pub fn new(check: impl Into<CheckId>, verdict: Verdict, expected: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        Self { check: check.into(), verdict, expected: expected.into(), evidence }
    }
}
