//! The entries that operations write: who, what, why, and what came of it (rule F1).

use crate::refused::Refused;
use contactpoint_audit::{Entry, Operation, Outcome};
use contactpoint_domain::{Instant, Role};
use contactpoint_identity::Caller;

/// An entry of the caller's act, with nothing shown and nothing changed yet.
pub(crate) fn entry(caller: &Caller, role: Role, operation: Operation, at: Instant) -> Entry {
    Entry {
        at,
        person: Some(caller.person()),
        organisation: Some(caller.organisation_id()),
        role: caller.acting_role(&[role]).or(caller.role()),
        operation,
        reason: None,
        children: Vec::new(),
        shown: Vec::new(),
        outcome: Outcome::Answered,
        changes: Vec::new(),
    }
}

/// The entry with the outcome of a result.
pub(crate) fn with_outcome<T>(entry: Entry, result: &Result<T, Refused>) -> Entry {
    Entry { outcome: result.as_ref().map_or_else(Refused::outcome, |_| Outcome::Answered), ..entry }
}
