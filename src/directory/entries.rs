//! The entries that operations write: who, what, why, and what came of it (rule F1).

use crate::refused::Refused;
use contactpoint_audit::{Entry, Operation, Outcome};
use contactpoint_domain::{ChildNumber, Facts, Instant, Role};
use contactpoint_identity::Caller;
use contactpoint_policy::{self as policy, Moment};

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
        on_behalf_of: None,
        facts: Vec::new(),
    }
}

/// An entry of the caller's act in whichever role the policy's table has for it.
pub(crate) fn acting(caller: &Caller, operation: Operation, at: Instant) -> Entry {
    let role = policy::admit(caller, operation, Moment::of(at)).ok().map(|by| by.role);
    let Some(role) = role.or(caller.role()) else { return Entry { role: None, ..entry(caller, Role::Practitioner, operation, at) } };
    entry(caller, role, operation, at)
}

/// The entry with what was known of its children at the time; of whom nothing was found there was no record.
pub(crate) fn with_facts(entry: Entry, known: &[(ChildNumber, Facts)]) -> Entry {
    let of = |child: &ChildNumber| known.iter().find(|(number, _)| number == child).map_or(Facts::OF_NOBODY, |(_, facts)| *facts);
    Entry { facts: entry.children.iter().map(|child| of(child).number()).collect(), ..entry }
}

/// The entry with the outcome of a result.
pub(crate) fn with_outcome<T>(entry: Entry, result: &Result<T, Refused>) -> Entry {
    Entry { outcome: result.as_ref().map_or_else(Refused::outcome, |_| Outcome::Answered), ..entry }
}
