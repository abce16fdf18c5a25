//! The decisions, enumerated: every role, kind of organisation, capability, relation and reason.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use contactpoint_domain::{Capability, Organisation, OrganisationId, OrganisationKind, PersonId, Purpose, Role};
use contactpoint_identity::Caller;
use contactpoint_policy::{enrol_organisation, enrol_person, feed, search, view, who_saw, Refusal, Relation};

fn organisation(kind: OrganisationKind, capabilities: &[Capability]) -> Organisation {
    Organisation {
        id: OrganisationId(7),
        name: "Test".try_into().unwrap(),
        kind,
        authority: Some(OrganisationId(3)),
        capabilities: capabilities.to_vec(),
        telephone: None,
        email: None,
        postcode: None,
        suspended: false,
    }
}

fn caller(kind: OrganisationKind, capabilities: &[Capability], roles: &[Role]) -> Caller {
    Caller::dangerous_new(PersonId(5), organisation(kind, capabilities), roles)
}

const RELATIONS: [Relation; 5] = [Relation::OnRoll, Relation::OnList, Relation::InArea, Relation::Involved, Relation::None];
const BOTH: &[Capability] = &[Capability::Query, Capability::Feed];

#[test]
fn only_a_practitioner_of_an_accredited_organisation_with_a_relation_and_a_reason_views() {
    // D1: scope comes from relationships; D2: every view states a coded reason; B2: accredited per capability; C4: roles
    for kind in OrganisationKind::ALL {
        for role in Role::ALL {
            for capabilities in [&[][..], &[Capability::Query], &[Capability::Feed], BOTH] {
                for relation in RELATIONS {
                    for reason in Purpose::ALL {
                        let verdict = view(&caller(*kind, capabilities, &[*role]), *reason, relation);
                        let expected = *role == Role::Practitioner
                            && capabilities.contains(&Capability::Query)
                            && relation != Relation::None
                            && !matches!(reason, Purpose::Audit | Purpose::SubjectAccess);
                        assert_eq!(verdict.is_ok(), expected, "{kind:?} {role:?} {capabilities:?} {relation:?} {reason:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_caller_outside_the_scope_is_refused_for_that_reason_alone() {
    // D1: ... anyone the children their service is involved with
    let teacher = caller(OrganisationKind::School, BOTH, &[Role::Practitioner]);
    assert!(matches!(view(&teacher, Purpose::Concern, Relation::None), Err(Refusal::OutsideScope)));
}

#[test]
fn a_search_covers_the_caller_s_own_scope() {
    // D3: a search without break-glass covers the caller's own scope only
    let teacher = caller(OrganisationKind::School, BOTH, &[Role::Practitioner]);
    assert_eq!(search(&teacher, Purpose::Concern).unwrap().scope(), OrganisationId(7));
    assert!(matches!(search(&teacher, Purpose::Audit), Err(Refusal::ReasonForbids)));
    let administrator = caller(OrganisationKind::School, BOTH, &[Role::Administrator]);
    assert!(matches!(search(&administrator, Purpose::Concern), Err(Refusal::RoleForbids)));
    let suspended_capability = caller(OrganisationKind::School, &[Capability::Feed], &[Role::Practitioner]);
    assert!(matches!(search(&suspended_capability, Purpose::Concern), Err(Refusal::CapabilityMissing)));
}

#[test]
fn only_an_auditor_of_the_auditing_body_asks_who_saw_a_child() {
    // F3: one query for the auditor and for a subject-access request
    for kind in OrganisationKind::ALL {
        for role in Role::ALL {
            for reason in Purpose::ALL {
                let verdict = who_saw(&caller(*kind, BOTH, &[*role]), *reason);
                let expected = *kind == OrganisationKind::Auditor
                    && *role == Role::Auditor
                    && matches!(reason, Purpose::Audit | Purpose::SubjectAccess);
                assert_eq!(verdict.is_ok(), expected, "{kind:?} {role:?} {reason:?}");
            }
        }
    }
}

#[test]
fn only_a_data_steward_of_an_accredited_organisation_in_an_area_feeds() {
    // H1, B2: accredited per capability; A7: each record belongs to exactly one local authority
    for role in Role::ALL {
        for capabilities in [&[][..], &[Capability::Query], &[Capability::Feed]] {
            let verdict = feed(&caller(OrganisationKind::School, capabilities, &[*role]));
            assert_eq!(verdict.is_ok(), *role == Role::DataSteward && capabilities.contains(&Capability::Feed));
        }
    }
    let nationwide = Organisation { authority: None, ..organisation(OrganisationKind::Police, BOTH) };
    assert!(feed(&Caller::dangerous_new(PersonId(5), nationwide, &[Role::DataSteward])).is_err());
}

#[test]
fn nobody_can_be_given_a_role_that_lets_one_person_act_and_judge() {
    // C4: roles that would let one person both act and judge the act cannot be combined
    for kind in OrganisationKind::ALL {
        let administrator = caller(*kind, BOTH, &[Role::Administrator]);
        for role in Role::ALL {
            let verdict = enrol_person(&administrator, &[*role]);
            let expected = match role {
                Role::Practitioner | Role::DataSteward => !matches!(kind, OrganisationKind::DataCentre | OrganisationKind::Auditor),
                Role::Auditor => *kind == OrganisationKind::Auditor,
                Role::Administrator | Role::SecurityOfficer => false,
            };
            assert_eq!(verdict.is_ok(), expected, "{kind:?} {role:?}");
            assert!(enrol_person(&administrator, &[Role::Practitioner, Role::Auditor]).is_err());
            assert!(enrol_person(&administrator, &[Role::DataSteward, Role::Practitioner]).is_err());
        }
        assert!(enrol_person(&administrator, &[]).is_err());
    }
    let teacher = caller(OrganisationKind::School, BOTH, &[Role::Practitioner]);
    assert!(matches!(enrol_person(&teacher, &[Role::Practitioner]), Err(Refusal::RoleForbids)));
}

#[test]
fn only_the_data_centre_s_security_officer_enrols_organisations() {
    // C4: security officer (the data centre; never any child data)
    for kind in OrganisationKind::ALL {
        for role in Role::ALL {
            let verdict = enrol_organisation(&caller(*kind, BOTH, &[*role]));
            assert_eq!(verdict.is_ok(), *kind == OrganisationKind::DataCentre && *role == Role::SecurityOfficer);
        }
    }
    let officer = caller(OrganisationKind::DataCentre, BOTH, &[Role::SecurityOfficer]);
    for relation in RELATIONS {
        assert!(view(&officer, Purpose::Concern, relation).is_err());
    }
}
