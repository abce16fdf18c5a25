//! Which looks are told to somebody else, and how many children a day shows: every combination (rules D6 to D8).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;

use callers::{caller, moment, organisation, qualified, HERE, ME};
use contactpoint_domain::{
    Address, Addressee, AlertKind, Areas, Audience, Capability, Carer, ChildNumber, ChildRecord, DateOfBirth, Facts, Gender, Instant,
    Involvement, Kin, Name, OrganisationId, OrganisationKind, PersonId, Place, Provenance, Relationship, Role, Shield, ShieldReason,
    Statement, Tie,
};
use contactpoint_identity::{Caller, Qualifications};
use contactpoint_policy::{alert, facts, flags, misses_to_tell, About, Breadth, Ceilings, Refusal, MISSES};

fn name(family: &str) -> Name {
    Name { given: "Asha".try_into().unwrap(), family: family.try_into().unwrap() }
}

fn address(line: &str, postcode: Option<&str>) -> Address {
    Address {
        lines: vec![line.try_into().unwrap(), "Sandford".try_into().unwrap()],
        postcode: postcode.map(|postcode| postcode.try_into().unwrap()),
    }
}

fn statement(family: &str) -> Statement {
    Statement {
        provenance: Provenance { source: HERE, author: PersonId(9), at: Instant::of_millis(1000) },
        name: name(family),
        former_names: Vec::new(),
        date_of_birth: DateOfBirth::of(2014, 3, 9).unwrap(),
        gender: Gender::Unspecified,
        address: None,
        nhs_number: None,
        unique_pupil_number: None,
        carers: Vec::new(),
        involvement: Involvement::default(),
    }
}

/// Called Shah by an older source, which knows more, and Newer by a newer one.
fn record() -> ChildRecord {
    let older = Statement {
        former_names: vec![name("Before")],
        address: Some(address("1 Elm Road", Some("ZZ9 9ZZ"))),
        carers: vec![Carer { name: name("Łukasz-Patel"), relationship: Relationship::Father, telephone: None, email: None }],
        ..statement("Shah")
    };
    let mut record = ChildRecord::new(ChildNumber::with_body(7), HERE, older);
    record.statements.push(statement("Newer"));
    record
}

fn looker(family: &str, home: Option<Address>) -> Caller {
    let qualifications = Qualifications { family: family.try_into().unwrap(), home, ..qualified(&[Role::Practitioner]) };
    Caller::dangerous_new(ME, organisation(OrganisationKind::School, Capability::ALL), qualifications)
}

#[test]
fn a_name_of_the_child_or_a_carer_is_the_looker_s_however_it_is_written() {
    // D7: look-ups of one's own family (same surname or address as the user, by the vetting record)
    let own = |family| flags(&looker(family, None), Some(&record()), Ok(Breadth::Full)) == [AlertKind::OwnFamily];
    for family in ["Shah", "SHAH", "Newer", "before", "Lukasz Patel", "ŁUKASZ-PATEL"] {
        assert!(own(family), "{family}");
    }
    for family in ["Patel", "Shahi", "Okafor"] {
        assert!(!own(family), "{family}");
    }
}

#[test]
fn the_same_address_is_first_line_and_postcode_and_nothing_less() {
    // D7: same surname or address as the user, by the vetting record
    let own = |home| flags(&looker("Okafor", Some(home)), Some(&record()), Ok(Breadth::Full)) == [AlertKind::OwnFamily];
    assert!(own(address("1 Elm Road", Some("ZZ9 9ZZ"))));
    assert!(own(address("1, ELM ROAD", Some("zz99zz"))));
    assert!(!own(address("2 Elm Road", Some("ZZ9 9ZZ"))));
    assert!(!own(address("1 Elm Road", Some("ZZ9 9ZY"))));
    assert!(!own(address("1 Elm Road", None)), "without a postcode a line is no place");
}

#[test]
fn a_hidden_field_of_a_shielded_record_raises_nothing_that_would_tell_it() {
    // E2, E3: nothing else of a shielded record, not even to whoever reads the alert
    let by = |family, home| flags(&looker(family, home), Some(&record()), Ok(Breadth::Narrow));
    assert_eq!(by("Newer", None), [AlertKind::OwnFamily], "the name that is shown");
    for hidden in ["Shah", "Before", "Łukasz-Patel"] {
        assert_eq!(by(hidden, None), [], "{hidden}");
    }
    assert_eq!(by("Okafor", Some(address("1 Elm Road", Some("ZZ9 9ZZ")))), []);
}

#[test]
fn what_is_known_of_a_look_is_tie_family_and_place_and_of_a_shielded_child_no_more_than_its_name() {
    // F4: facts at the time of the look; E2, E3: whoever reads what is found by them learns no hidden field
    let areas = Areas::adjoining([(OrganisationId(3), HERE)]);
    let home = Some(address("1 Elm Road", Some("ZZ9 9ZZ")));
    let known = |looker: &Caller, record: &ChildRecord, shown| facts(looker, &areas, Some(record), shown);
    let of = |tie, kin, place| Facts { tie, kin, place };
    // a school of area 3, of whose pupil area 7 is the authority
    for shown in [Some(Breadth::Full), None] {
        assert_eq!(known(&looker("Shah", None), &record(), shown), of(Tie::Involved, Kin::Name, Place::Adjoining));
        assert_eq!(known(&looker("Shah", home.clone()), &record(), shown), of(Tie::Involved, Kin::Home, Place::Adjoining));
        assert_eq!(known(&looker("Okafor", None), &record(), shown), of(Tie::Involved, Kin::None, Place::Adjoining));
    }
    let shield = Shield { reason: ShieldReason::Adoption, review: moment().today, by: PersonId(3), at: Instant::of_millis(1) };
    let shielded = ChildRecord { shield: Some(shield), ..record() };
    for shown in [Some(Breadth::Narrow), None] {
        assert_eq!(known(&looker("Shah", home.clone()), &shielded, shown), of(Tie::Involved, Kin::None, Place::Unknown));
        assert_eq!(known(&looker("Newer", home.clone()), &shielded, shown), of(Tie::Involved, Kin::Name, Place::Unknown));
    }
    let overridden = known(&looker("Okafor", home.clone()), &shielded, Some(Breadth::Full));
    assert_eq!(overridden, of(Tie::Involved, Kin::Home, Place::Adjoining), "it was shown");

    // somebody else's child, and a council's own area
    let mut others = record();
    others.statements.iter_mut().for_each(|said| said.provenance.source = OrganisationId(99));
    assert_eq!(known(&looker("Okafor", None), &others, None).tie, Tie::None);
    let worker = caller(OrganisationKind::Council, &[Role::Practitioner]);
    assert_eq!(known(&worker, &others, Some(Breadth::Full)), of(Tie::Area, Kin::None, Place::Own));
    assert_eq!(known(&worker, &record(), Some(Breadth::Full)).tie, Tie::Involved, "it works with the child");
    let far = ChildRecord { authority: OrganisationId(8), ..others };
    assert_eq!(known(&looker("Okafor", None), &far, None).place, Place::Far);
    assert_eq!(facts(&worker, &areas, None, None), Facts::OF_NOBODY);
}

#[test]
fn every_outcome_of_a_view_raises_what_it_should_and_no_more() {
    // D7, D8: any look-up of a small-audience record, and every attempt at one. Enumerated: record x audience x shield x outcome x family
    let small = Audience { people: vec![ME], by: PersonId(3), at: Instant::of_millis(1) };
    let shield = Shield { reason: ShieldReason::Adoption, review: moment().today, by: PersonId(3), at: Instant::of_millis(1) };
    let outcomes: Vec<Result<Breadth, Refusal>> =
        [Ok(Breadth::Full), Ok(Breadth::Narrow)].into_iter().chain(Refusal::ALL.iter().map(|refusal| Err(*refusal))).collect();
    for shown in outcomes {
        for is_own in [true, false] {
            let looker = looker(if is_own { "Newer" } else { "Okafor" }, None);
            assert_eq!(flags(&looker, None, shown), [], "nobody of this number");
            for is_small in [true, false] {
                for is_shielded in [true, false] {
                    let record =
                        ChildRecord { audience: is_small.then(|| small.clone()), shield: is_shielded.then(|| shield.clone()), ..record() };
                    let mut expected = Vec::new();
                    if is_small && (shown.is_ok() || shown == Err(Refusal::NotOfAudience)) {
                        expected.push(AlertKind::SmallAudience);
                    }
                    if is_own && shown.is_ok() {
                        expected.push(AlertKind::OwnFamily);
                    }
                    assert_eq!(flags(&looker, Some(&record), shown), expected, "{shown:?} {is_own} {is_small} {is_shielded}");
                }
            }
        }
    }
}

#[test]
fn an_alert_says_who_and_which_child_and_goes_to_the_supervisor_of_that_moment() {
    // D7: flagged for review; D4: the event and the child number, not the record
    let by = caller(OrganisationKind::School, &[Role::Practitioner]);
    let number = ChildNumber::with_body(7);
    let about = || About { kind: AlertKind::OwnFamily, child: Some(number.clone()), reason: None };
    let raised = alert(&by, moment(), about(), moment().today);
    assert_eq!((raised.person, raised.organisation, raised.child), (ME, HERE, Some(number.clone())));
    assert_eq!((raised.at, raised.due, raised.to), (moment().now, moment().today, Some(Addressee::Supervisor(PersonId(6)))));
    let alone = Qualifications { supervisor: None, ..qualified(&[Role::Practitioner]) };
    let alone = Caller::dangerous_new(ME, organisation(OrganisationKind::School, &[]), alone);
    assert_eq!(alert(&alone, moment(), about(), moment().today).to, None);
}

#[test]
fn each_role_has_its_ceiling_and_the_others_have_none_to_spend() {
    // D6: each person has a daily ceiling of records seen, by role. Enumerated: role x seen x fresh
    let ceilings = Ceilings { practitioner: 3, shielding_officer: 2 };
    for role in Role::ALL {
        let ceiling =
            [(Role::Practitioner, 3), (Role::ShieldingOfficer, 2)].into_iter().find(|(with, _)| with == role).map_or(0, |(_, most)| most);
        for seen in 0..5 {
            for fresh in 0..5 {
                let expected = if fresh == 0 || seen + fresh <= ceiling { Ok(()) } else { Err(Refusal::OverBudget) };
                assert_eq!(ceilings.allow(*role, seen, fresh), expected, "{role} {seen} {fresh}");
            }
        }
    }
    assert!(ceilings.allow(Role::Practitioner, usize::MAX, 1).is_err());
}

#[test]
fn near_misses_are_told_of_again_each_time_after_twice_as_many() {
    // D7: repeated near-misses are flagged for review - not once a day and never again
    let after: Vec<usize> = (0..5).map(misses_to_tell).collect();
    assert_eq!(after, [5, 10, 20, 40, 80]);
    assert_eq!((misses_to_tell(0), misses_to_tell(usize::MAX)), (MISSES, usize::MAX), "bounded");
}
