//! What a look at one child shows, enumerated: capacity x relation x state x grant, against the rules as they are written and not against the
//! table; and who decides over shields, audiences and quarantine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;

use callers::{caller, day, moment, organisation, qualified, HERE, ME};
use contactpoint_domain::{
    Audience, Capability, ChildNumber, ChildRecord, DateOfBirth, Day, Gender, HeldFor, Instant, Involvement, Name, OrganisationId,
    OrganisationKind, PersonId, Provenance, Purpose, Quarantine, Role, Shield, ShieldReason, Statement,
};
use contactpoint_identity::{Caller, Confirmed};
use contactpoint_policy::{
    breadth, end_involvement, hold_new, search, set_audience, settle, shield, unshield, Breadth, Grant, Keepers, Looking, Refusal,
    Relation, State, Visible,
};

const RELATIONS: [Relation; 5] = [Relation::OnRoll, Relation::OnList, Relation::InArea, Relation::Involved, Relation::None];

/// The rules, one after the other.
fn by_the_rules(looking: Looking, relation: Relation, state: State, grant: Grant) -> Result<Breadth, Refusal> {
    let is_related = relation != Relation::None;
    match (state, looking) {
        // D1: a child that is not on record is like one outside the scope
        (State::NotOnRecord, _) => Err(Refusal::OutsideScope),
        // D8: refuses all but named users
        (State::ForOthers, _) => Err(Refusal::NotOfAudience),
        // E1: the owning local authority's shielding officer decides, and so sees what is to be decided on
        (State::Unseen | State::Quarantined | State::Shielded | State::Plain, Looking::OwnOfficer) => Ok(Breadth::Full),
        (State::Unseen | State::Quarantined | State::Shielded | State::Plain, Looking::OtherOfficer) => Err(Refusal::OutsideScope),
        // E1: before any practitioner can see a new record if asked
        (State::Unseen, Looking::Practitioner) => Err(Refusal::OutsideScope),
        // E4: quarantined for the authority; its own source knows what it said
        (State::Quarantined, Looking::Practitioner) if is_related => Ok(Breadth::Full),
        (State::Quarantined, Looking::Practitioner) => Err(Refusal::OutsideScope),
        // E5: override is a right of its own; E2: a caller in scope sees name, date of birth and number; D4: break-glass brings one child into scope
        (State::Shielded, Looking::Practitioner) => match grant {
            Grant::Override => Ok(Breadth::Full),
            Grant::BreakGlass => Ok(Breadth::Narrow),
            Grant::None if is_related => Ok(Breadth::Narrow),
            Grant::None => Err(Refusal::OutsideScope),
        },
        // D1, D4
        (State::Plain, Looking::Practitioner) => {
            if is_related || grant != Grant::None {
                Ok(Breadth::Full)
            } else {
                Err(Refusal::OutsideScope)
            }
        }
    }
}

#[test]
fn each_look_shows_what_the_rules_say() {
    // D1, D4, D8, E1, E2, E4, E5: enumerated
    for looking in Looking::ALL {
        for relation in RELATIONS {
            for state in State::ALL {
                for grant in Grant::ALL {
                    let (decided, expected) =
                        (breadth(*looking, relation, *state, *grant), by_the_rules(*looking, relation, *state, *grant));
                    assert_eq!(decided, expected, "{looking:?} {relation:?} {state:?} {grant:?}");
                }
            }
        }
    }
}

/// A child of this authority, of whom these organisations spoke.
fn child(authority: OrganisationId, sources: &[OrganisationId]) -> ChildRecord {
    let said_by = |source: &OrganisationId| Statement {
        provenance: Provenance { source: *source, author: PersonId(9), at: Instant::of_millis(1000) },
        name: Name { given: "Asha".try_into().unwrap(), family: "Patel".try_into().unwrap() },
        former_names: Vec::new(),
        date_of_birth: DateOfBirth::of(2014, 3, 9).unwrap(),
        gender: Gender::Female,
        address: None,
        nhs_number: None,
        unique_pupil_number: None,
        carers: Vec::new(),
        involvement: Involvement::default(),
    };
    ChildRecord {
        statements: sources.iter().map(said_by).collect(),
        ..ChildRecord::new(ChildNumber::with_body(123_456_789), authority, said_by(&HERE))
    }
}

fn shielded(record: ChildRecord) -> ChildRecord {
    let shield = Shield { reason: ShieldReason::Adoption, review: day("2027-01-31"), by: PersonId(8), at: moment().now };
    ChildRecord { shield: Some(shield), ..record }
}

fn for_named(record: ChildRecord, people: &[PersonId]) -> ChildRecord {
    ChildRecord { audience: Some(Audience { people: people.to_vec(), by: PersonId(8), at: moment().now }), ..record }
}

fn held(record: ChildRecord) -> ChildRecord {
    ChildRecord { quarantined: Some(Quarantine { since: moment().now, why: HeldFor::Likeness }), ..record }
}

fn officer() -> Caller {
    caller(OrganisationKind::Council, &[Role::ShieldingOfficer])
}

const REVIEW: &str = "2027-05-22";

/// Every decision of a shielding officer over a record.
fn decisions(by: &Caller, record: Option<&ChildRecord>) -> [Result<(), Refusal>; 4] {
    let proof = || Confirmed::dangerous_of(by);
    let waiting = record.cloned().map(held);
    [
        shield(by, moment(), record, ShieldReason::CourtOrder, day(REVIEW)).map(drop),
        unshield(by, moment(), record, proof()).map(drop),
        set_audience(by, moment(), record, Keepers::Some, proof()).map(drop),
        settle(by, moment(), waiting.as_ref(), record).map(drop),
    ]
}

#[test]
fn a_shielding_officer_decides_over_the_records_of_the_own_authority_and_nobody_else_does() {
    // E1: the owning local authority's shielding officer; C4: roles, enumerated
    let (own, others) = (child(HERE, &[HERE]), child(OrganisationId(3), &[HERE]));
    for kind in OrganisationKind::ALL {
        for role in Role::ALL {
            let by = caller(*kind, &[*role]);
            let is_officer = *kind == OrganisationKind::Council && *role == Role::ShieldingOfficer;
            let expected = if is_officer { Ok(()) } else { Err(Refusal::RoleForbids) };
            assert_eq!(decisions(&by, Some(&own)), [expected; 4], "{kind} {role}");
            assert_eq!(hold_new(&by, moment(), true).map(drop), expected, "{kind} {role}");
        }
    }
    // not theirs and not there are one refusal
    for record in [Some(&others), None] {
        assert_eq!(decisions(&officer(), record), [Err(Refusal::OutsideScope); 4]);
    }
}

#[test]
fn an_authority_that_is_not_accredited_for_shielding_decides_nothing() {
    // B2: accreditation is per capability
    let without: Vec<Capability> = Capability::ALL.iter().copied().filter(|held| *held != Capability::Shield).collect();
    let by = Caller::dangerous_new(ME, organisation(OrganisationKind::Council, &without), qualified(&[Role::ShieldingOfficer]));
    assert_eq!(decisions(&by, Some(&child(HERE, &[HERE]))), [Err(Refusal::CapabilityMissing); 4]);
}

#[test]
fn a_shield_has_a_day_of_review_after_today_and_within_a_year() {
    // E1: with a coded reason and a review date
    let record = child(HERE, &[HERE]);
    let on = |review: Day| shield(&officer(), moment(), Some(&record), ShieldReason::CourtOrder, review).map(|permit| permit.review());
    assert_eq!(on(day("2026-11-23")), Ok(day("2026-11-23")));
    assert_eq!(on(day("2027-11-22")), Ok(day("2027-11-22")));
    for review in ["2026-11-22", "2026-01-01", "2027-11-23"] {
        assert_eq!(on(day(review)), Err(Refusal::TermForbidden), "{review}");
    }
}

#[test]
fn another_persons_code_lifts_no_shield() {
    // C2: sensitive acts ask for the token again
    let other =
        Caller::dangerous_new(PersonId(77), organisation(OrganisationKind::Council, Capability::ALL), qualified(&[Role::ShieldingOfficer]));
    let record = child(HERE, &[HERE]);
    assert_eq!(unshield(&officer(), moment(), Some(&record), Confirmed::dangerous_of(&other)).map(drop), Err(Refusal::NotConfirmed));
    let by_another = |keepers| set_audience(&officer(), moment(), Some(&record), keepers, Confirmed::dangerous_of(&other)).map(drop);
    assert_eq!([by_another(Keepers::Some), by_another(Keepers::None)], [Err(Refusal::NotConfirmed); 2]);
}

#[test]
fn only_a_record_in_quarantine_is_settled_and_only_with_one_that_is_not() {
    // E4
    let (open, waiting) = (child(HERE, &[HERE]), held(child(HERE, &[HERE])));
    let decided = |one: Option<&ChildRecord>, other: Option<&ChildRecord>| settle(&officer(), moment(), one, other).map(drop);
    assert_eq!(decided(Some(&waiting), None), Ok(()));
    assert_eq!(decided(Some(&waiting), Some(&shielded(open.clone()))), Ok(()));
    for (one, other) in
        [(&open, None), (&open, Some(&open)), (&waiting, Some(&waiting)), (&waiting, Some(&child(OrganisationId(3), &[HERE])))]
    {
        assert_eq!(decided(Some(one), other), Err(Refusal::OutsideScope));
    }
}

#[test]
fn a_data_steward_ends_the_work_of_the_own_organisation_once() {
    // D1, C4
    let steward = caller(OrganisationKind::School, &[Role::DataSteward]);
    let mut record = child(OrganisationId(3), &[HERE, OrganisationId(8)]);
    let decided = |by: &Caller, record: Option<&ChildRecord>| end_involvement(by, moment(), record).map(drop);
    assert_eq!(decided(&steward, Some(&record)), Ok(()));
    assert_eq!(decided(&caller(OrganisationKind::School, &[Role::Practitioner]), Some(&record)), Err(Refusal::RoleForbids));
    assert_eq!(decided(&steward, Some(&child(OrganisationId(3), &[OrganisationId(8)]))), Err(Refusal::OutsideScope));
    assert_eq!(decided(&steward, None), Err(Refusal::OutsideScope));
    record.statements[0].involvement.ended = Some(moment().now);
    assert_eq!(decided(&steward, Some(&record)), Err(Refusal::OutsideScope));
}

#[test]
fn who_is_not_named_decides_nothing_about_a_record_for_named_people_in_whatever_office() {
    // D8: refuses all but named users; the attempt fails like a search with no hit
    let of_others = for_named(child(HERE, &[HERE]), &[PersonId(77)]);
    let own = for_named(child(HERE, &[HERE]), &[PersonId(77), ME]);
    assert_eq!(decisions(&officer(), Some(&of_others)), [Err(Refusal::NotOfAudience); 4]);
    assert_eq!(decisions(&officer(), Some(&own)), [Ok(()); 4]);
    let steward = caller(OrganisationKind::School, &[Role::DataSteward]);
    assert_eq!(end_involvement(&steward, moment(), Some(&of_others)).map(drop), Err(Refusal::NotOfAudience));
    assert_eq!(end_involvement(&steward, moment(), Some(&own)).map(drop), Ok(()));
    // where no officer is named any more, another of the same authority sets it anew; nothing else, and nobody else
    let proof = || Confirmed::dangerous_of(&officer());
    let anew = |record: &ChildRecord| set_audience(&officer(), moment(), Some(record), Keepers::None, proof()).map(drop);
    assert_eq!(anew(&of_others), Ok(()));
    assert_eq!(anew(&for_named(child(OrganisationId(3), &[HERE]), &[PersonId(77)])), Err(Refusal::OutsideScope));
}

#[test]
fn a_search_lists_no_record_that_its_caller_may_not_know_of() {
    // D8, E4: the attempt fails like a search with no hit; E2: of a shielded one no gender, unless the setting shows it
    let teacher = caller(OrganisationKind::School, &[Role::Practitioner]);
    let permit = search(&teacher, moment(), Purpose::Concern).unwrap();
    let here = child(OrganisationId(3), &[HERE]);
    let shows = |record: &ChildRecord, visible| permit.show(&teacher, record, visible).map(|hit| serde_json::to_value(hit).unwrap());
    let narrow = Visible::default();
    assert_eq!(shows(&here, narrow).unwrap()["gender"], "female");
    let hit = shows(&shielded(here.clone()), narrow).unwrap();
    assert_eq!((&hit["shielded"], hit.get("gender")), (&true.into(), None));
    assert_eq!(shows(&shielded(here.clone()), Visible { gender: true, carer_names: false }).unwrap()["gender"], "female");
    assert!(shows(&for_named(here.clone(), &[PersonId(77)]), narrow).is_none());
    assert!(shows(&for_named(here.clone(), &[ME]), narrow).is_some());
    let elsewhere = child(OrganisationId(3), &[OrganisationId(8)]);
    for record in [elsewhere.clone(), held(elsewhere.clone()), shielded(elsewhere)] {
        assert!(shows(&record, narrow).is_none());
    }
    // what a source said is its own while it waits, and not yet its area's
    assert!(shows(&held(here), narrow).is_some());
    let worker = caller(OrganisationKind::Council, &[Role::Practitioner]);
    let permit = search(&worker, moment(), Purpose::Concern).unwrap();
    let in_area = child(HERE, &[OrganisationId(8)]);
    assert!(permit.show(&worker, &in_area, narrow).is_some() && permit.show(&worker, &held(in_area), narrow).is_none());
}

#[test]
fn a_record_that_waits_is_its_sources_own_words_to_each_of_them_and_a_shield_on_it_stands_at_once() {
    // E4: quarantined for the authority; E2: of a shielded child nothing else; E1: before any practitioner can see a new record if asked
    let waits = |why, shield: bool| {
        let record = child(HERE, &[HERE, OrganisationId(8)]);
        let record = ChildRecord { quarantined: Some(Quarantine { since: moment().now, why }), ..record };
        if shield {
            shielded(record)
        } else {
            record
        }
    };
    let state = |why, shield| State::of(Some(&waits(why, shield)), ME);
    for why in HeldFor::ALL {
        let (open, closed) = match why {
            HeldFor::Likeness | HeldFor::Beside => (State::Quarantined, State::Shielded),
            HeldFor::FirstLook => (State::Unseen, State::Unseen),
        };
        assert_eq!((state(*why, false), state(*why, true)), (open, closed), "{why:?}");
        let said = |organisation| {
            waits(*why, false).as_known_to(organisation).statements.iter().map(|said| said.provenance.source).collect::<Vec<_>>()
        };
        assert_eq!(said(OrganisationId(8)), [OrganisationId(8)]);
        assert_eq!(said(OrganisationId(9)), [HERE, OrganisationId(8)], "to the officer who settles it");
    }
}
