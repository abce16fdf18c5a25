//! The ways in which identity says no. `edge` maps each to an answer, one by one.

use contactpoint_audit::{Logged, RefusalCode};
use std::time::Duration;

/// Why a request has no `Caller`. Closed on purpose: a new one forces a decision in every map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityRefusal {
    /// No usable session token, or a session begun on another channel. The person logs in.
    #[error("not logged in")]
    NotAuthenticated,
    /// The session was ended: 15 idle minutes, 12 hours, a log-out, or newer sessions of the same person. The person logs in again.
    #[error("the session has ended")]
    SessionEnded,
    /// No enrolled organisation has this key (rule B1). The security officer enrols the certificate.
    #[error("no organisation is enrolled with this certificate")]
    OrganisationNotEnrolled,
    /// The organisation is suspended (rule B4). Its sponsor speaks to the security officer.
    #[error("the organisation is suspended")]
    OrganisationSuspended,
    /// The person is suspended, or belongs to another organisation than the certificate. Their administrator knows why.
    #[error("the person is suspended")]
    PersonSuspended,
    /// The account is locked (rule C5). The helpdesk unlocks it after verifying its holder.
    #[error("the account is locked")]
    PersonLocked,
    /// The account is closed for good. Its holder's administrator makes another where one is due.
    #[error("the account is closed")]
    PersonClosed,
    /// The registry could not be read, so nobody can be let in. The store's own report, in the log, says why.
    #[error("the registry cannot be read")]
    Unavailable,
}

impl IdentityRefusal {
    /// What the log says of it; `None` where nothing can be written, because the store is away.
    #[must_use]
    pub fn in_the_log(self) -> Option<RefusalCode> {
        match self {
            Self::NotAuthenticated => Some(RefusalCode::NotAuthenticated),
            Self::SessionEnded => Some(RefusalCode::SessionEnded),
            Self::OrganisationNotEnrolled => Some(RefusalCode::OrganisationNotEnrolled),
            Self::OrganisationSuspended => Some(RefusalCode::OrganisationSuspended),
            Self::PersonSuspended => Some(RefusalCode::PersonSuspended),
            Self::PersonLocked => Some(RefusalCode::PersonLocked),
            Self::PersonClosed => Some(RefusalCode::PersonClosed),
            Self::Unavailable => None,
        }
    }
}

/// Nobody, or somebody who may not come in, and the entry that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{refusal}")]
pub struct TurnedAway {
    /// Why.
    pub refusal: IdentityRefusal,
    /// What is in the log of it (rule F1); `None` where nothing could be written.
    pub entry: Option<Logged>,
}

impl From<IdentityRefusal> for TurnedAway {
    fn from(refusal: IdentityRefusal) -> Self {
        Self { refusal, entry: None }
    }
}

/// Why a log-in failed, as far as the one who tried may know (rule C6: never which factor, nor whether the account exists).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginRefused {
    /// Log-in name, password or code: one of them, not said which.
    #[error("log-in failed")]
    Failed {
        /// Set where the attempt came too early and was not looked at: how long to wait, in whole seconds, at least 1.
        retry_after: Option<Duration>,
    },
    /// The channel is not one on which anybody may log in.
    #[error(transparent)]
    Channel(IdentityRefusal),
}
