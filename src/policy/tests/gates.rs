//! The gates that every request passes, and who may ask for what (rules B2, B3, C1, C3, C4).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;

use callers::{accredited, caller, day, moment, organisation, qualified, ME};
use contactpoint_audit::Operation;
use contactpoint_domain::{Accreditation, Capability, Checks, Organisation, OrganisationKind, Role, Texts};
use contactpoint_identity::{Caller, Qualifications};
use contactpoint_policy::{admit, Moment, Refusal, TABLE};

fn teacher(organisation: Organisation, qualifications: Qualifications) -> Caller {
    Caller::dangerous_new(ME, organisation, qualifications)
}

fn school() -> Organisation {
    organisation(OrganisationKind::School, Capability::ALL)
}

/// Callers with one gate shut each, and the refusal that names it, in the order of the gates.
fn shut() -> Vec<(Caller, Refusal)> {
    let whole = qualified(&[Role::Practitioner]);
    let checks = |checks| Qualifications { checks, ..whole.clone() };
    let good = whole.checks;
    vec![
        (teacher(Organisation { suspended: true, ..school() }, whole.clone()), Refusal::OrganisationSuspended),
        (teacher(Organisation { sponsorship: None, ..school() }, whole.clone()), Refusal::NotSponsored),
        (teacher(Organisation { accreditations: vec![], ..school() }, whole.clone()), Refusal::NotAccredited),
        (teacher(Organisation { responsibilities: None, ..school() }, whole.clone()), Refusal::ResponsibilitiesPending),
        (teacher(school(), checks(Checks { vetted: Some(day("2023-11-21")), ..good })), Refusal::VettingLapsed),
        (teacher(school(), checks(Checks { barring: None, ..good })), Refusal::BarringLapsed),
        (teacher(school(), checks(Checks { trained: None, ..good })), Refusal::TrainingLapsed),
        (teacher(school(), checks(Checks { agreement: Some((1, day("2026-11-01"))), ..good })), Refusal::AgreementPending),
        (teacher(school(), Qualifications { supervisor: None, ..whole.clone() }), Refusal::NoSupervisor),
    ]
}

#[test]
fn each_gate_refuses_every_operation_by_its_own_name_but_those_that_mend_it() {
    // B2, B3, C1, C3: any of them refuses the next request, with the reason
    for (caller, refusal) in shut() {
        for row in TABLE {
            let verdict = admit(&caller, row.operation, moment());
            if row.passes.contains(&refusal) {
                assert_ne!(verdict.err(), Some(refusal), "{}", row.operation);
            } else {
                assert_eq!(verdict.err(), Some(refusal), "{}", row.operation);
            }
        }
    }
}

#[test]
fn of_several_shut_gates_the_first_is_named() {
    // B2, C1: so that an honest organisation knows what to renew first
    let nothing = Qualifications { checks: Checks::default(), supervisor: None, ..qualified(&[]) };
    let applied = Organisation { sponsorship: None, accreditations: vec![], responsibilities: None, ..school() };
    assert_eq!(admit(&teacher(applied, nothing.clone()), Operation::View, moment()).err(), Some(Refusal::NotSponsored));
    assert_eq!(admit(&teacher(school(), nothing), Operation::View, moment()).err(), Some(Refusal::VettingLapsed));
}

#[test]
fn an_administrator_can_sign_and_then_accept_for_the_organisation_and_nothing_else() {
    // B3: until then it is refused with that reason; a gate that nobody could open would be a wall
    let fresh = Qualifications { checks: Checks { agreement: None, ..qualified(&[]).checks }, ..qualified(&[Role::Administrator]) };
    let accredited = Organisation { responsibilities: None, ..school() };
    let administrator = teacher(accredited.clone(), fresh);
    let open = |caller: &Caller| -> Vec<Operation> {
        TABLE.iter().map(|row| row.operation).filter(|operation| admit(caller, *operation, moment()).is_ok()).collect()
    };
    assert_eq!(open(&administrator), [Operation::AcceptAgreement]);
    let signed = teacher(accredited, qualified(&[Role::Administrator]));
    assert_eq!(open(&signed), [Operation::AcceptResponsibilities, Operation::AcceptAgreement]);
}

#[test]
fn a_new_version_of_a_text_asks_everybody_again() {
    // B3: again whenever the text changes; J5: asked to accept again
    let teacher = teacher(school(), qualified(&[Role::Practitioner]));
    let texts = moment().texts;
    let later = |texts| admit(&teacher, Operation::View, Moment { texts, ..moment() }).err();
    assert_eq!(later(texts), None);
    assert_eq!(later(Texts { responsibilities: 4, ..texts }), Some(Refusal::ResponsibilitiesPending));
    assert_eq!(later(Texts { agreement: 3, ..texts }), Some(Refusal::AgreementPending));
}

#[test]
fn an_accreditation_counts_for_its_own_capability_to_its_last_day() {
    // B2: accreditation is per capability and expires
    let only = |held: Accreditation| Organisation { accreditations: vec![held], ..school() };
    let view = |organisation, today| {
        let moment = Moment { today: day(today), ..moment() };
        admit(&teacher(organisation, qualified(&[Role::Practitioner])), Operation::View, moment).err()
    };
    assert_eq!(view(only(accredited(Capability::Query)), "2027-03-31"), None);
    assert_eq!(view(only(accredited(Capability::Feed)), "2026-11-22"), Some(Refusal::CapabilityMissing));
    let both = Organisation {
        accreditations: vec![Accreditation { expires: day("2026-11-21"), ..accredited(Capability::Query) }, accredited(Capability::Feed)],
        ..school()
    };
    assert_eq!(view(both, "2026-11-22"), Some(Refusal::AccreditationExpired));
    assert_eq!(view(only(accredited(Capability::Query)), "2027-04-01"), Some(Refusal::NotAccredited));
}

#[test]
fn only_the_risk_owner_has_nobody_above() {
    // C3: every person has a supervisor; a chain without a ring must end somewhere
    for kind in OrganisationKind::ALL {
        for role in Role::ALL {
            let alone = Qualifications { supervisor: None, ..qualified(&[*role]) };
            let verdict = admit(&teacher(organisation(*kind, Capability::ALL), alone), Operation::Sponsor, moment());
            let is_root = *kind == OrganisationKind::DataCentre && *role == Role::RiskOwner;
            assert_eq!(verdict.err() != Some(Refusal::NoSupervisor), is_root, "{kind} {role}");
        }
    }
}

#[test]
fn each_operation_has_one_row_and_one_without_a_row_is_refused_to_everybody() {
    // C4; style: refusing is what everything unknown falls into
    for (at, row) in TABLE.iter().enumerate() {
        assert!(TABLE[at + 1..].iter().all(|other| other.operation != row.operation), "{} has two rows", row.operation);
        assert!(row.who.iter().all(|(role, kinds)| !kinds.is_empty() && kinds.iter().any(|kind| role.is_of(*kind))), "{}", row.operation);
    }
    for role in Role::ALL {
        assert_eq!(admit(&caller(OrganisationKind::Council, &[*role]), Operation::Start, moment()).err(), Some(Refusal::RoleForbids));
    }
}
