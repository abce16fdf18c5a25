//! The decisions about statements and evidence: an auditor, a fresh code, and two of them for evidence (rules C2, F3, F5).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;

use callers::{caller, day, moment, organisation, qualified, ME};
use contactpoint_domain::{Capability, EvidenceAsked, EvidenceCase, EvidenceId, OrganisationKind, PersonId, Purpose, Role};
use contactpoint_identity::{Caller, Confirmed};
use contactpoint_policy::{approve_evidence, fetch_evidence, request_evidence, statement, Moment, Refusal};

const OTHER: PersonId = PersonId(21);
const LOOKER: PersonId = PersonId(17);

fn auditor() -> Caller {
    caller(OrganisationKind::Auditor, &[Role::Auditor])
}

/// Another auditor of the same body.
fn second() -> Caller {
    Caller::dangerous_new(OTHER, organisation(OrganisationKind::Auditor, Capability::ALL), qualified(&[Role::Auditor]))
}

fn fresh(by: &Caller) -> Result<Confirmed, Refusal> {
    Ok(Confirmed::dangerous_of(by))
}

fn asked() -> EvidenceAsked {
    EvidenceAsked { person: LOOKER, from: day("2026-10-01"), to: day("2026-10-31"), reason: Purpose::Audit, recipient: [7; 32] }
}

fn case(approved: Option<PersonId>) -> EvidenceCase {
    let at = moment().now;
    EvidenceCase { id: EvidenceId(1), asked: asked(), by: ME, at, approved: approved.map(|by| (by, at)), fetched: 0 }
}

fn later(days: u64) -> Moment {
    Moment { now: moment().now.plus_seconds(days * 86_400), ..moment() }
}

#[test]
fn nobody_makes_evidence_without_a_second_auditor_in_time_and_never_about_themselves() {
    // F5: evidence of misuse can be handed over; two auditors, each with a fresh second factor (C2)
    let (first, second) = (auditor(), second());
    assert!(request_evidence(&first, moment(), &asked(), fresh(&first)).is_ok());
    let own = EvidenceAsked { person: ME, ..asked() };
    assert_eq!(request_evidence(&first, moment(), &own, fresh(&first)).err(), Some(Refusal::OwnAct));
    let curious = EvidenceAsked { reason: Purpose::SubjectAccess, ..asked() };
    assert_eq!(request_evidence(&first, moment(), &curious, fresh(&first)).err(), Some(Refusal::ReasonForbids));

    let approve = |by: &Caller, case: &EvidenceCase, says: &EvidenceAsked, at| approve_evidence(by, at, case, says, fresh(by)).err();
    assert_eq!(approve(&second, &case(None), &asked(), moment()), None);
    assert_eq!(approve(&first, &case(None), &asked(), moment()), Some(Refusal::OwnAct), "their own request");
    let about_them = EvidenceAsked { person: OTHER, ..asked() };
    assert_eq!(approve(&second, &EvidenceCase { asked: about_them, ..case(None) }, &about_them, moment()), Some(Refusal::OwnAct));
    for says in [
        EvidenceAsked { person: PersonId(18), ..asked() },
        EvidenceAsked { from: day("2026-09-30"), ..asked() },
        EvidenceAsked { to: day("2026-11-01"), ..asked() },
        EvidenceAsked { recipient: [8; 32], ..asked() },
        EvidenceAsked { reason: Purpose::SubjectAccess, ..asked() },
    ] {
        assert_eq!(approve(&second, &case(None), &says, moment()), Some(Refusal::OtherRequest));
    }
    assert_eq!(approve(&second, &case(Some(OTHER)), &asked(), moment()), Some(Refusal::OtherRequest), "once");
    assert_eq!(approve(&second, &case(None), &asked(), later(7)), None);
    assert_eq!(approve(&second, &case(None), &asked(), later(8)), Some(Refusal::EvidenceExpired));

    let fetch = |by: &Caller, case: &EvidenceCase, at| fetch_evidence(by, at, case).err();
    assert_eq!(fetch(&first, &case(Some(OTHER)), later(7)), None);
    assert_eq!(fetch(&first, &case(Some(OTHER)), later(8)), Some(Refusal::EvidenceExpired));
    assert_eq!(fetch(&first, &case(None), moment()), Some(Refusal::NotApproved));
    assert_eq!(fetch(&first, &case(Some(ME)), moment()), Some(Refusal::NotApproved), "whatever the row says");
    assert_eq!(fetch(&second, &case(Some(OTHER)), moment()), Some(Refusal::OutsideScope), "whoever asked fetches it");
}

#[test]
fn a_statement_or_evidence_takes_an_auditor_and_a_fresh_code() {
    // C2: sensitive acts ask for the token again; F3: for the auditor
    let (first, second) = (auditor(), second());
    assert!(statement(&first, moment(), fresh(&first)).is_ok());
    for proof in [Err(Refusal::NotConfirmed), fresh(&second)] {
        assert_eq!(statement(&first, moment(), proof).err(), Some(Refusal::NotConfirmed));
    }
    assert_eq!(request_evidence(&first, moment(), &asked(), Err(Refusal::NotConfirmed)).err(), Some(Refusal::NotConfirmed));
    assert_eq!(approve_evidence(&second, moment(), &case(None), &asked(), fresh(&first)).err(), Some(Refusal::NotConfirmed));
    for other in [caller(OrganisationKind::School, &[Role::Practitioner]), caller(OrganisationKind::Auditor, &[Role::Supervisor])] {
        assert_eq!(statement(&other, moment(), fresh(&other)).err(), Some(Refusal::RoleForbids));
        assert_eq!(request_evidence(&other, moment(), &asked(), fresh(&other)).err(), Some(Refusal::RoleForbids));
        assert_eq!(fetch_evidence(&other, moment(), &case(Some(OTHER))).err(), Some(Refusal::RoleForbids));
    }
}
