//! The decisions about children, enumerated: every role, kind of organisation, relation and reason.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;

use callers::{caller, moment, organisation, qualified, HERE, ME};
use contactpoint_domain::{
    Capability, ChildNumber, ChildRecord, DateOfBirth, Gender, Instant, Involvement, Name, Organisation, OrganisationId, OrganisationKind,
    PersonId, Provenance, Purpose, Role, Statement,
};
use contactpoint_identity::Caller;
use contactpoint_policy::{feed, search, view, who_saw, Grant, Refusal, Sight};

/// The bodies that work with children.
fn works(kind: OrganisationKind) -> bool {
    !matches!(kind, OrganisationKind::DataCentre | OrganisationKind::Auditor)
}

/// A child of the authority 3 with whom these organisations work.
fn child(sources: &[OrganisationId]) -> ChildRecord {
    let name = Name { given: "Asha".try_into().unwrap(), family: "Patel".try_into().unwrap() };
    let said_by = |source: &OrganisationId| Statement {
        provenance: Provenance { source: *source, author: PersonId(9), at: Instant::of_millis(1000) },
        name: name.clone(),
        former_names: Vec::new(),
        date_of_birth: DateOfBirth::of(2014, 3, 9).unwrap(),
        gender: Gender::Unspecified,
        address: None,
        nhs_number: None,
        unique_pupil_number: None,
        carers: Vec::new(),
        involvement: Involvement::default(),
    };
    let number = ChildNumber::with_body(123_456_789);
    ChildRecord { statements: sources.iter().map(said_by).collect(), ..ChildRecord::new(number, OrganisationId(3), said_by(&HERE)) }
}

fn sight(reason: Purpose, record: &ChildRecord) -> Sight<'_> {
    Sight { reason, record: Some(record), grant: Grant::None, is_mediated: false }
}

#[test]
fn only_a_practitioner_with_a_relation_and_a_reason_views() {
    // D1: scope comes from relationships; D2: every view states a coded reason; C4: roles
    let (theirs, others) = (child(&[HERE]), child(&[OrganisationId(8)]));
    for kind in OrganisationKind::ALL {
        for role in Role::ALL {
            for (record, is_related) in [(&theirs, true), (&others, false)] {
                for reason in Purpose::ALL {
                    let verdict = view(&caller(*kind, &[*role]), moment(), &sight(*reason, record));
                    let expected = *role == Role::Practitioner
                        && works(*kind)
                        && is_related
                        && !matches!(reason, Purpose::Audit | Purpose::SubjectAccess);
                    assert_eq!(verdict.is_ok(), expected, "{kind:?} {role:?} {is_related} {reason:?}");
                }
            }
        }
    }
}

#[test]
fn a_caller_outside_the_scope_is_refused_for_that_reason_alone() {
    // D1: ... anyone the children their service is involved with
    let teacher = caller(OrganisationKind::School, &[Role::Practitioner]);
    let verdict = view(&teacher, moment(), &sight(Purpose::Concern, &child(&[OrganisationId(8)])));
    assert!(matches!(verdict, Err(Refusal::OutsideScope)));
}

#[test]
fn work_that_ended_ends_the_scope() {
    // D1: worked out afresh for every request
    let teacher = caller(OrganisationKind::School, &[Role::Practitioner]);
    let mut record = child(&[HERE]);
    assert!(view(&teacher, moment(), &sight(Purpose::Concern, &record)).is_ok());
    record.statements[0].involvement.ended = Some(moment().now);
    assert!(matches!(view(&teacher, moment(), &sight(Purpose::Concern, &record)), Err(Refusal::OutsideScope)));
}

#[test]
fn looking_for_somebody_else_is_a_capability_of_its_own() {
    // B2: accredited per capability
    let record = child(&[HERE]);
    let mediated = Sight { is_mediated: true, ..sight(Purpose::Concern, &record) };
    let teacher = |capabilities: &[Capability]| {
        Caller::dangerous_new(ME, organisation(OrganisationKind::School, capabilities), qualified(&[Role::Practitioner]))
    };
    assert!(view(&teacher(&[Capability::Query, Capability::MediatedAccess]), moment(), &mediated).is_ok());
    assert!(matches!(view(&teacher(&[Capability::Query]), moment(), &mediated), Err(Refusal::CapabilityMissing)));
}

#[test]
fn a_search_covers_the_caller_s_own_scope() {
    // D3: a search without break-glass covers the caller's own scope only
    let teacher = caller(OrganisationKind::School, &[Role::Practitioner]);
    assert_eq!(search(&teacher, moment(), Purpose::Concern).unwrap().scope(), HERE);
    assert!(matches!(search(&teacher, moment(), Purpose::Audit), Err(Refusal::ReasonForbids)));
    let administrator = caller(OrganisationKind::School, &[Role::Administrator]);
    assert!(matches!(search(&administrator, moment(), Purpose::Concern), Err(Refusal::RoleForbids)));
}

#[test]
fn only_an_auditor_of_the_auditing_body_asks_who_saw_a_child() {
    // F3: one query for the auditor and for a subject-access request
    for kind in OrganisationKind::ALL {
        for role in Role::ALL {
            for reason in Purpose::ALL {
                let verdict = who_saw(&caller(*kind, &[*role]), moment(), *reason);
                let expected = *kind == OrganisationKind::Auditor
                    && *role == Role::Auditor
                    && matches!(reason, Purpose::Audit | Purpose::SubjectAccess);
                assert_eq!(verdict.is_ok(), expected, "{kind:?} {role:?} {reason:?}");
            }
        }
    }
}

#[test]
fn a_body_of_the_whole_country_feeds_nothing() {
    // A7: each record belongs to exactly one local authority
    let steward = |organisation| Caller::dangerous_new(ME, organisation, qualified(&[Role::DataSteward]));
    let local = organisation(OrganisationKind::Police, Capability::ALL);
    assert!(feed(&steward(local.clone()), moment()).is_ok());
    assert!(feed(&steward(Organisation { authority: None, ..local }), moment()).is_err());
}

#[test]
fn the_data_centre_s_people_see_no_child() {
    // C4: security officer and system operator (the data centre; never any child data)
    let record = child(&[HERE]);
    for role in Role::ALL {
        let theirs = caller(OrganisationKind::DataCentre, &[*role]);
        for grant in Grant::ALL {
            let sight = Sight { grant: *grant, ..sight(Purpose::Concern, &record) };
            assert!(view(&theirs, moment(), &sight).is_err(), "{role}");
        }
        assert!(search(&theirs, moment(), Purpose::Concern).is_err(), "{role}");
    }
}
