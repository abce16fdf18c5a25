//! The decisions about children, enumerated: every role, kind of organisation, relation and reason.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;

use callers::{caller, moment, organisation, qualified, HERE, ME};
use contactpoint_domain::{Capability, Organisation, OrganisationKind, Purpose, Role};
use contactpoint_identity::Caller;
use contactpoint_policy::{feed, search, view, who_saw, Refusal, Relation};

const RELATIONS: [Relation; 5] = [Relation::OnRoll, Relation::OnList, Relation::InArea, Relation::Involved, Relation::None];

/// The bodies that work with children.
fn works(kind: OrganisationKind) -> bool {
    !matches!(kind, OrganisationKind::DataCentre | OrganisationKind::Auditor)
}

#[test]
fn only_a_practitioner_with_a_relation_and_a_reason_views() {
    // D1: scope comes from relationships; D2: every view states a coded reason; C4: roles
    for kind in OrganisationKind::ALL {
        for role in Role::ALL {
            for relation in RELATIONS {
                for reason in Purpose::ALL {
                    let verdict = view(&caller(*kind, &[*role]), moment(), *reason, relation);
                    let expected = *role == Role::Practitioner
                        && works(*kind)
                        && relation != Relation::None
                        && !matches!(reason, Purpose::Audit | Purpose::SubjectAccess);
                    assert_eq!(verdict.is_ok(), expected, "{kind:?} {role:?} {relation:?} {reason:?}");
                }
            }
        }
    }
}

#[test]
fn a_caller_outside_the_scope_is_refused_for_that_reason_alone() {
    // D1: ... anyone the children their service is involved with
    let teacher = caller(OrganisationKind::School, &[Role::Practitioner]);
    assert!(matches!(view(&teacher, moment(), Purpose::Concern, Relation::None), Err(Refusal::OutsideScope)));
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
    for role in Role::ALL {
        let theirs = caller(OrganisationKind::DataCentre, &[*role]);
        for relation in RELATIONS {
            assert!(view(&theirs, moment(), Purpose::Concern, relation).is_err(), "{role}");
        }
        assert!(search(&theirs, moment(), Purpose::Concern).is_err(), "{role}");
    }
}
