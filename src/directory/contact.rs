//! Asking a child's authority to bring the caller together with whoever works with the child (rule E6).
//!
//! The answer is one and the same whatever there is, and so is what it takes: one transaction, one entry, one request that is kept. The
//! authority's officers find it in their queue, where there is a record; nobody does, where there is none. A person has so many a day, and the refusal beyond
//! comes before anything is looked for.

use crate::connect::still;
use crate::entries::{acting, with_facts, with_outcome};
use crate::watch::{raise_once, Looked};
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation, Outcome};
use contactpoint_domain::{ChildNumber, Instant, Purpose};
use contactpoint_identity::Caller;
use contactpoint_policy::{self as policy, Moment};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// About which child, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"child_number": "4182736451", "reason": "concern"}))]
pub struct AskContact {
    /// The child's number, whether or not there is such a child.
    pub child_number: ChildNumber,
    /// Why (rule D2).
    pub reason: Purpose,
}

/// The request is noted: no more is told.
#[derive(Serialize, ToSchema)]
pub struct ContactAsked {}

impl Directory {
    /// Asks the authority of a child, if there is one, to broker contact.
    pub async fn ask_contact(&self, caller: &Caller, request: &AskContact, now: Instant) -> Answered<ContactAsked> {
        let (number, moment, due) = (request.child_number.clone(), Moment::of(now), self.due(now));
        let children = vec![number.clone()];
        let blank = Entry { reason: Some(request.reason), children, ..acting(caller, Operation::AskContact, now) };
        let (by, reason) = (caller.clone(), request.reason);
        if let Err(refusal) = policy::ask_contact(caller, moment, reason) {
            return self.refuse(blank, refusal.into()).await;
        }
        // INVARIANT: counted before anything is looked for, so that the refusal tells nothing; the supervisor is told as of any ceiling (rule D6)
        if let Err(refusal) = self.budgets.take_contact(caller.person(), now) {
            return self.watched(caller, blank, |_, blank| Ok(Looked::over_budget(refusal, blank))).await;
        }
        let areas = Arc::clone(&self.areas);
        self.alter(blank, move |transaction, blank| {
            let permit = still(transaction, &by)?.and_then(|by| Ok(policy::ask_contact(&by, moment, reason)?));
            let permit = match permit {
                Ok(permit) => permit,
                Err(refused) => return Ok((Err(refused.clone()), with_outcome(blank, &Err::<(), _>(refused)))),
            };
            let held = transaction.child(&number)?;
            let record = held.as_ref().map(|held| &held.record);
            raise_once(transaction, &policy::contact_wanted(&permit, moment, &number, record, due))?;
            // the log says what the answer does not
            let outcome = if held.is_some() { Outcome::Answered } else { Outcome::NotFound };
            let facts = policy::facts(&by, &areas, record, None);
            Ok((Ok(ContactAsked {}), with_facts(Entry { outcome, ..blank }, &[(number, facts)])))
        })
        .await
    }
}
