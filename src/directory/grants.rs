//! What was granted for one child and a time (rules D4, E5): in memory only, each bound to the session it was granted in.
//!
//! One at a time for a person, however many sessions they have: a grant takes the place of the one before it, which is thereby left, whichever
//! session had it. A restart ends all of them, as it ends the sessions; the alerts that they raised stay.

use contactpoint_domain::{ChildNumber, Instant, PersonId};
use contactpoint_identity::{Caller, SessionId};
use contactpoint_policy::Grant;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Every grant under way.
#[derive(Default)]
pub(crate) struct Grants(Mutex<HashMap<PersonId, Held>>);

struct Held {
    session: SessionId,
    child: ChildNumber,
    grant: Grant,
    until: Instant,
}

impl Grants {
    /// What this caller was granted for this child, if the time is not over.
    pub(crate) fn of(&self, caller: &Caller, child: &ChildNumber, now: Instant) -> Grant {
        let held = self.lock();
        let is_for = |held: &&Held| held.session == caller.session() && held.child == *child && now < held.until;
        held.get(&caller.person()).filter(is_for).map_or(Grant::None, |held| held.grant)
    }

    /// Grants one, in the place of any other of the person.
    pub(crate) fn give(&self, caller: &Caller, child: ChildNumber, grant: Grant, until: Instant, now: Instant) {
        let mut held = self.lock();
        held.retain(|_, held| now < held.until);
        held.insert(caller.person(), Held { session: caller.session(), child, grant, until });
    }

    /// Takes back what the session has. The child that it was for, if the time was not over.
    pub(crate) fn leave(&self, caller: &Caller, now: Instant) -> Option<ChildNumber> {
        let mut all = self.lock();
        if all.get(&caller.person()).is_none_or(|held| held.session != caller.session()) {
            return None;
        }
        all.remove(&caller.person()).filter(|held| now < held.until).map(|held| held.child)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PersonId, Held>> {
        // a poisoned table is whole: every change to it is one call
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
