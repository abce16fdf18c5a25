//! The second factor anew (rule C2: sensitive acts ask for the token again), within a session that lives.
//!
//! Decided inside the transaction that records it, like the log-in: a code that was good once is good never again. The delays grow as the
//! log-in's do, and are the session's own: a session that was left open is no way to try codes, and neither does failing to log in under
//! somebody's name keep them from what needs a fresh code, nor failing at codes keep them from logging in.

use crate::caller::Caller;
use crate::clock::Now;
use crate::code;
use crate::error::IdentityError;
use crate::identity::Identity;
use crate::refusal::{IdentityRefusal, LoginRefused};
use crate::session::{SessionId, Unlooked};
use contactpoint_audit::{Entry, Operation, Outcome, RefusalCode};
use contactpoint_domain::PersonId;
use contactpoint_store::{Account, Committed, StoreError};
use std::time::Duration;

/// The proof that a caller showed their second factor for the request under way. Used up by the decision it is for:
///
/// ```compile_fail,E0382
/// fn twice(proof: contactpoint_identity::Confirmed, caller: &contactpoint_identity::Caller) {
///     let first = proof;
///     proof.is_of(caller);
/// }
/// ```
#[must_use = "a code was used up for this"]
pub struct Confirmed {
    person: PersonId,
    session: SessionId,
}

impl Confirmed {
    /// True where it was this caller, in this session.
    #[must_use]
    pub fn is_of(&self, caller: &Caller) -> bool {
        self.person == caller.person() && self.session == caller.session()
    }

    /// A proof that nobody gave, for tests of what comes after identity.
    #[cfg(feature = "dangerous-callers")]
    pub fn dangerous_of(caller: &Caller) -> Self {
        Self { person: caller.person(), session: caller.session() }
    }
}

impl Identity {
    /// Proves the caller's second factor anew. The attempt is in the log, good or not, when this returns.
    ///
    /// # Errors
    /// [`LoginRefused::Failed`] where the code is not good, was used, or comes before the session's delay is over.
    pub async fn confirm(
        &self,
        caller: &Caller,
        code: &str,
        now: Now,
    ) -> Result<Committed<Result<Confirmed, LoginRefused>>, IdentityError> {
        let person = caller.person();
        let account = self.store.registry(|registry| registry.account(person))?.ok_or(StoreError::Unknown("account"))?;
        let looked = match self.sessions.try_code(caller.session(), now.wall) {
            Err(Unlooked::TooEarly(wait)) => Err(Failure::TooEarly(wait)),
            Err(Unlooked::Ended) => Err(Failure::Ended),
            Ok(()) => Ok(code::matching_step(&account.code_secret, code, now.wall)?),
        };
        let (organisation, role, resets) = (caller.organisation_id(), caller.role(), account.resets);
        let committed = self
            .store
            .change(move |transaction| {
                let mut account = transaction.account(person)?.ok_or(StoreError::Unknown("account"))?;
                // a code of a secret that was made anew meanwhile is none (rule C5)
                let verdict = looked.and_then(|step| weigh(&account, step.filter(|_| account.resets == resets)));
                if let Ok(step) = verdict {
                    account.last_code_step = step;
                    transaction.put_account(&account)?;
                }
                let entry = Entry {
                    at: now.wall,
                    person: Some(person),
                    organisation: Some(organisation),
                    role,
                    operation: Operation::Confirm,
                    reason: None,
                    children: Vec::new(),
                    shown: Vec::new(),
                    outcome: verdict.map_or_else(|failure| Outcome::Refused(failure.code()), |_| Outcome::Answered),
                    changes: Vec::new(),
                    on_behalf_of: None,
                    facts: Vec::new(),
                };
                Ok((verdict, entry))
            })
            .await?;
        Ok(committed.map(|verdict| match verdict {
            Ok(_) => {
                self.sessions.code_was_good(caller.session());
                Ok(Confirmed { person, session: caller.session() })
            }
            Err(Failure::TooEarly(wait)) => Err(LoginRefused::Failed { retry_after: Some(wait) }),
            Err(Failure::Wrong | Failure::Replayed) => Err(LoginRefused::Failed { retry_after: None }),
            Err(Failure::Ended) => Err(LoginRefused::Channel(IdentityRefusal::SessionEnded)),
        }))
    }
}

#[derive(Clone, Copy)]
enum Failure {
    Wrong,
    Replayed,
    TooEarly(Duration),
    Ended,
}

impl Failure {
    fn code(self) -> RefusalCode {
        match self {
            Self::Wrong => RefusalCode::NotConfirmed,
            Self::Replayed => RefusalCode::CodeReplayed,
            Self::TooEarly(_) => RefusalCode::Delayed,
            Self::Ended => RefusalCode::SessionEnded,
        }
    }
}

/// What the code is worth: its step, if none of that step or a later one was good before (RFC 6238, section 5.2).
fn weigh(account: &Account, step: Option<u64>) -> Result<u64, Failure> {
    match step {
        Some(step) if step > account.last_code_step => Ok(step),
        Some(_) => Err(Failure::Replayed),
        None => Err(Failure::Wrong),
    }
}
