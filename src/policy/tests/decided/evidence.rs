//! Who asks for evidence, approves it and fetches it.

use super::{answer, auditor, table};
use crate::callers::{day, moment, organisation, qualified, ME};
use contactpoint_domain::{Capability, EvidenceAsked, EvidenceCase, EvidenceId, OrganisationKind, PersonId, Purpose, Role};
use contactpoint_identity::{Caller, Confirmed};
use contactpoint_policy::{approve_evidence, fetch_evidence, request_evidence, Moment, Refusal};

const OTHER: PersonId = PersonId(21);

fn second() -> Caller {
    Caller::dangerous_new(OTHER, organisation(OrganisationKind::Auditor, Capability::ALL), qualified(&[Role::Auditor]))
}

fn asked(person: PersonId) -> EvidenceAsked {
    EvidenceAsked { person, from: day("2026-10-01"), to: day("2026-10-31"), reason: Purpose::Audit, recipient: [7; 32] }
}

fn case(approved: bool) -> EvidenceCase {
    let at = moment().now;
    EvidenceCase { id: EvidenceId(1), asked: asked(PersonId(17)), by: ME, at, approved: approved.then_some((OTHER, at)), fetched: 0 }
}

fn approved(by: &Caller, says: PersonId, days: u64) -> Result<(), Refusal> {
    let at = Moment { now: moment().now.plus_seconds(days * 86_400), ..moment() };
    approve_evidence(by, at, &case(false), &asked(says), Ok(Confirmed::dangerous_of(by))).map(drop)
}

/// The table.
pub(crate) fn drawn() -> String {
    let (first, second, looker) = (auditor(), second(), PersonId(17));
    let own = request_evidence(&first, moment(), &asked(ME), Ok(Confirmed::dangerous_of(&first))).map(drop);
    let fetched = |by: &Caller, is_approved| fetch_evidence(by, moment(), &case(is_approved)).map(drop);
    let lines = [
        ("asked for about oneself", own),
        ("approved by whoever asked", approved(&first, looker, 0)),
        ("approved by another auditor", approved(&second, looker, 0)),
        ("approved by another auditor, who says something else", approved(&second, PersonId(18), 0)),
        ("approved by another auditor, after eight days", approved(&second, looker, 8)),
        ("fetched before it is approved", fetched(&first, false)),
        ("fetched by whoever asked, approved by another", fetched(&first, true)),
        ("fetched by whoever approved", fetched(&second, true)),
    ];
    let lines = lines.into_iter().map(|(what, verdict)| vec![what.to_owned(), answer(verdict)]);
    "\n".to_owned() + &table("| evidence | answer |", lines)
}
