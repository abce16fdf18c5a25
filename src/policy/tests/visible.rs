//! What stays visible of a shielded child: a setting of two flags, every combination, to the last member of the answer (rule E2).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;

use callers::{caller, day, moment, HERE};
use contactpoint_domain::{
    Address, Carer, ChildNumber, ChildRecord, DateOfBirth, Gender, Instant, Involvement, Name, OrganisationId, OrganisationKind, PersonId,
    Provenance, Purpose, Relationship, Role, Shield, ShieldReason, Statement,
};
use contactpoint_policy::{search, view, Grant, Sight, Visible};
use serde_json::{json, Value};

fn name(given: &str, family: &str) -> Name {
    Name { given: given.try_into().unwrap(), family: family.try_into().unwrap() }
}

/// A shielded child of whom everything is known.
fn shielded() -> ChildRecord {
    let carer = Carer {
        name: name("Ravi", "Shah"),
        relationship: Relationship::Father,
        telephone: Some("01632 960111".try_into().unwrap()),
        email: Some("ravi@mail.example".try_into().unwrap()),
    };
    let said = Statement {
        provenance: Provenance { source: HERE, author: PersonId(9), at: Instant::of_millis(1000) },
        name: name("Asha", "Patel"),
        former_names: vec![name("Asha", "Shah")],
        date_of_birth: DateOfBirth::of(2014, 3, 9).unwrap(),
        gender: Gender::Female,
        address: Some(Address { lines: vec!["1 Elm Road".try_into().unwrap()], postcode: Some("ZZ9 9ZZ".try_into().unwrap()) }),
        nhs_number: Some("9434765919".try_into().unwrap()),
        unique_pupil_number: None,
        carers: vec![carer],
        involvement: Involvement::default(),
    };
    let shield = Shield { reason: ShieldReason::Adoption, review: day("2027-01-31"), by: PersonId(8), at: moment().now };
    ChildRecord { shield: Some(shield), ..ChildRecord::new(ChildNumber::with_body(123_456_789), OrganisationId(3), said) }
}

fn with(mut value: Value, more: Value) -> Value {
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

#[test]
fn of_a_shielded_child_a_view_and_a_search_show_what_the_setting_adds_and_nothing_else() {
    // E2: name, date of birth and child number and the fact that the record is shielded; gender and the carer's name are a setting
    let (teacher, record) = (caller(OrganisationKind::School, &[Role::Practitioner]), shielded());
    let sight = Sight { reason: Purpose::Concern, record: Some(&record), grant: Grant::None, is_mediated: false };
    let (viewing, searching) = (view(&teacher, moment(), &sight).unwrap(), search(&teacher, moment(), Purpose::Concern).unwrap());
    let narrow = json!({
        "child_number": record.number,
        "name": {"given": "Asha", "family": "Patel"},
        "date_of_birth": "2014-03-09",
        "shielded": true,
    });
    let (gender, carers) = (json!({"gender": "female"}), json!({"carer_names": [{"given": "Ravi", "family": "Shah"}]}));
    let nothing = json!({});
    for (visible, in_view, in_search) in [
        (Visible::default(), nothing.clone(), &nothing),
        (Visible { gender: true, carer_names: false }, gender.clone(), &gender),
        (Visible { gender: false, carer_names: true }, carers.clone(), &nothing),
        (Visible { gender: true, carer_names: true }, with(gender.clone(), carers), &gender),
    ] {
        let seen = serde_json::to_value(viewing.show(&record, visible, |_| None::<contactpoint_domain::Organisation>).unwrap()).unwrap();
        assert_eq!(seen, with(narrow.clone(), in_view), "{visible:?}");
        let hit = serde_json::to_value(searching.show(&teacher, &record, visible).unwrap()).unwrap();
        assert_eq!(hit, with(narrow.clone(), in_search.clone()), "{visible:?}");
    }
}
