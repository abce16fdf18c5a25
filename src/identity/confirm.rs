//! The second factor anew (rule C2: sensitive acts ask for the token again), within a session that lives.
//!
//! Decided inside the transaction that records it, like the log-in, with the same delays: a session that was left open is no way to try
//! codes, and a code that was good once is good never again.

use crate::caller::Caller;
use crate::clock::Now;
use crate::code;
use crate::delay;
use crate::error::IdentityError;
use crate::identity::Identity;
use crate::refusal::LoginRefused;
use crate::session::SessionId;
use contactpoint_audit::{Entry, Operation, Outcome, RefusalCode};
use contactpoint_domain::{Instant, PersonId};
use contactpoint_store::{Account, StoreError};
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
    /// [`LoginRefused::Failed`] where the code is not good, was used, or comes before the account's delay is over.
    pub async fn confirm(&self, caller: &Caller, code: &str, now: Now) -> Result<Result<Confirmed, LoginRefused>, IdentityError> {
        let person = caller.person();
        let account = self.store.registry(|registry| registry.account(person))?.ok_or(StoreError::Unknown("account"))?;
        let step = match delay::remaining(account.delayed_until, now.wall) {
            Some(_) => None,
            None => code::matching_step(&account.code_secret, code, now.wall)?,
        };
        let (organisation, role, resets) = (caller.organisation_id(), caller.role(), account.resets);
        let committed = self
            .store
            .change(move |transaction| {
                let mut account = transaction.account(person)?.ok_or(StoreError::Unknown("account"))?;
                // a code of a secret that was made anew meanwhile is none (rule C5)
                let step = step.filter(|_| account.resets == resets);
                let verdict = weigh(&mut account, step, now.wall);
                if !matches!(verdict, Err(Failure::TooEarly(_))) {
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
                    outcome: verdict.map_or_else(|failure| Outcome::Refused(failure.code()), |()| Outcome::Answered),
                    changes: Vec::new(),
                    on_behalf_of: None,
                };
                Ok((verdict, entry))
            })
            .await?;
        Ok(match committed.into_inner() {
            Ok(()) => Ok(Confirmed { person, session: caller.session() }),
            Err(Failure::TooEarly(wait)) => Err(LoginRefused::Failed { retry_after: Some(wait) }),
            Err(Failure::Wrong | Failure::Replayed) => Err(LoginRefused::Failed { retry_after: None }),
        })
    }
}

#[derive(Clone, Copy)]
enum Failure {
    Wrong,
    Replayed,
    TooEarly(Duration),
}

impl Failure {
    fn code(self) -> RefusalCode {
        match self {
            Self::Wrong => RefusalCode::NotConfirmed,
            Self::Replayed => RefusalCode::CodeReplayed,
            Self::TooEarly(_) => RefusalCode::Delayed,
        }
    }
}

/// What the code is worth, and the account as that leaves it.
fn weigh(account: &mut Account, step: Option<u64>, now: Instant) -> Result<(), Failure> {
    if let Some(wait) = delay::remaining(account.delayed_until, now) {
        return Err(Failure::TooEarly(wait));
    }
    match step {
        Some(step) if step > account.last_code_step => {
            account.last_code_step = step;
            account.failures = 0;
            account.delayed_until = Instant::default();
            Ok(())
        }
        Some(_) | None => {
            account.failures = account.failures.saturating_add(1);
            account.delayed_until = delay::until(account.failures, now);
            Err(if step.is_some() { Failure::Replayed } else { Failure::Wrong })
        }
    }
}
