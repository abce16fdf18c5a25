//! What may be shown of a child: rule A1's content, rule A5's identifiers, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;

use callers::{caller, moment};
use contactpoint_domain::{
    Accreditation, Address, Capability, Carer, ChildNumber, ChildRecord, DateOfBirth, Gender, Instant, Involvement, Name, Organisation,
    OrganisationId, OrganisationKind, PersonId, Provenance, Purpose, Relationship, Role, SensitiveBasis, Statement,
};
use contactpoint_identity::Caller;
use contactpoint_policy::{basis, feed, search, view, BasisFault, Grant, Refusal, Relation, Sight, Visible};
use serde_json::{json, Value};

fn name(given: &str, family: &str) -> Name {
    Name { given: given.try_into().unwrap(), family: family.try_into().unwrap() }
}

fn organisation(id: u32, kind: OrganisationKind) -> Organisation {
    Organisation {
        id: OrganisationId(id),
        name: format!("{} {id}", kind.code()).as_str().try_into().unwrap(),
        telephone: Some("01632 960001".try_into().unwrap()),
        postcode: Some("ZZ9 9ZZ".try_into().unwrap()),
        ..callers::organisation(kind, &[])
    }
}

const KINDS: [(u32, OrganisationKind); 4] = [
    (1, OrganisationKind::Council),
    (2, OrganisationKind::School),
    (3, OrganisationKind::Surgery),
    (4, OrganisationKind::YouthOffendingTeam),
];

fn behind(id: OrganisationId) -> Option<Organisation> {
    KINDS.iter().find(|(known, _)| *known == id.0).map(|(id, kind)| organisation(*id, *kind))
}

fn statement(source: u32, family: &str, address: Option<&str>) -> Statement {
    Statement {
        provenance: Provenance { source: OrganisationId(source), author: PersonId(9), at: Instant::of_millis(1000) },
        name: name("Asha", family),
        former_names: Vec::new(),
        date_of_birth: DateOfBirth::of(2014, 3, 9).unwrap(),
        gender: Gender::Unspecified,
        address: address.map(|line| Address { lines: vec![line.try_into().unwrap()], postcode: Some("ZZ9 9ZZ".try_into().unwrap()) }),
        nhs_number: Some("9434765919".try_into().unwrap()),
        unique_pupil_number: None,
        carers: vec![Carer { name: name("Ravi", "Patel"), relationship: Relationship::Father, telephone: None, email: None }],
        involvement: Involvement { practitioner: Some(name("Jo", "Okafor")), common_assessment: true, ..Involvement::default() },
    }
}

fn record() -> ChildRecord {
    ChildRecord {
        number: ChildNumber::with_body(123_456_789),
        authority: OrganisationId(1),
        statements: vec![statement(2, "Shah", Some("1 Elm Road")), statement(3, "Patel", None), statement(4, "Patel", None)],
        shield: None,
        audience: None,
        quarantined: None,
    }
}

fn shown(kind: OrganisationKind, record: &ChildRecord) -> Value {
    // organisation 7, which has nothing to do with the child, after breaking the glass: what a whole view shows
    let sight = Sight { reason: Purpose::Concern, record: Some(record), grant: Grant::BreakGlass, is_mediated: false };
    let permit = view(&caller(kind, &[Role::Practitioner]), moment(), &sight).unwrap();
    serde_json::to_value(permit.show(record, Visible::default(), behind).unwrap()).unwrap()
}

#[test]
fn a_view_has_exactly_the_content_of_the_rule() {
    // A1: a child's record holds only ...; E7: one type carries what may be shown
    let view = shown(OrganisationKind::School, &record());
    let contact = |organisation: &str, kind: &str| {
        json!({
            "organisation": organisation, "kind": kind, "telephone": "01632960001",
            "practitioner": { "name": { "given": "Jo", "family": "Okafor" } },
            "common_assessment": true, "lead_professional": false,
        })
    };
    let expected = json!({
        "child_number": record().number.as_str(),
        "name": { "given": "Asha", "family": "Patel" },
        "former_names": [{ "given": "Asha", "family": "Shah" }],
        "date_of_birth": "2014-03-09",
        "gender": "unspecified",
        "address": { "known": "last-known", "lines": ["1 Elm Road"], "postcode": "ZZ9 9ZZ" },
        "carers": [{ "name": { "given": "Ravi", "family": "Patel" }, "relationship": "father" }],
        "school": contact("school 2", "school"),
        "surgery": contact("surgery 3", "surgery"),
        "services": [contact("youth-offending-team 4", "youth-offending-team")],
    });
    assert_eq!(view, expected);
}

#[test]
fn identifiers_are_shown_only_to_bodies_whose_functions_use_them() {
    // A5: shown only to staff of a body whose functions use that identifier
    for kind in OrganisationKind::ALL.iter().filter(|kind| Role::Practitioner.is_of(**kind)) {
        let sees = shown(*kind, &record()).get("nhs_number").is_some();
        assert_eq!(sees, matches!(kind, OrganisationKind::Surgery | OrganisationKind::Council), "{kind:?}");
    }
}

#[test]
fn a_child_without_an_address_has_no_known_address() {
    // A1: address (current, else last known, else "no known address")
    let mut none = record();
    none.statements.iter_mut().for_each(|statement| statement.address = None);
    assert_eq!(shown(OrganisationKind::School, &none)["address"], json!({ "known": "no-known-address", "lines": [] }));
    let mut current = record();
    current.statements.reverse();
    assert_eq!(shown(OrganisationKind::School, &current)["address"]["known"], "current");
}

#[test]
fn at_most_one_is_the_lead_professional() {
    // A2: at most one lead professional at a time
    let mut record = record();
    for source in [2, 3, 4] {
        let mut claims = statement(source, "Patel", None);
        claims.involvement.lead_professional = true;
        drop(record.accept(claims));
    }
    let view = shown(OrganisationKind::School, &record);
    let leads = [&view["school"], &view["surgery"], &view["services"][0]].map(|contact| contact["lead_professional"] == json!(true));
    assert_eq!(leads, [false, false, true]);
}

#[test]
fn the_relation_is_worked_out_of_the_record() {
    // D1: a GP sees the practice's list, a teacher the school's roll, social care the authority's area, anyone those they are involved with
    let record = record();
    let relation = |id, kind| Relation::between(&organisation(id, kind), Some(&record));
    assert_eq!(relation(1, OrganisationKind::Council), Relation::InArea);
    assert_eq!(relation(8, OrganisationKind::Council), Relation::None);
    assert_eq!(relation(2, OrganisationKind::School), Relation::OnRoll);
    assert_eq!(relation(8, OrganisationKind::School), Relation::None);
    assert_eq!(relation(3, OrganisationKind::Surgery), Relation::OnList);
    assert_eq!(relation(8, OrganisationKind::Surgery), Relation::None);
    assert_eq!(relation(4, OrganisationKind::YouthOffendingTeam), Relation::Involved);
    assert_eq!(relation(8, OrganisationKind::Police), Relation::None);
    for kind in [OrganisationKind::DataCentre, OrganisationKind::Auditor] {
        for id in [1, 2, 3, 4] {
            assert_eq!(relation(id, kind), Relation::None, "never any child data");
        }
    }
    assert_eq!(Relation::between(&organisation(2, OrganisationKind::School), None), Relation::None);
}

/// The record with what a sensitive service, organisation 7, says of the child: newest, and with all that could be shown.
fn with_a_sensitive_service() -> ChildRecord {
    let mut record = record();
    let mut statement = statement(7, "Hidden-Name", Some("9 Hidden Walk"));
    statement.nhs_number = Some("9434765870".try_into().unwrap());
    statement.former_names = vec![name("Asha", "Hidden-Former")];
    statement.gender = Gender::Male;
    statement.carers = vec![Carer { name: name("Ida", "Hidden-Carer"), relationship: Relationship::Carer, telephone: None, email: None }];
    statement.involvement.practitioner = Some(name("Jo", "Hidden-Worker"));
    statement.involvement.telephone = Some("01632 960999".try_into().unwrap());
    statement.involvement.basis = Some(SensitiveBasis::Consent);
    record.statements.push(statement);
    record
}

/// Every organisation behind the record, the sensitive service among them.
fn behind_all(id: OrganisationId) -> Option<Organisation> {
    let service = || Organisation { name: "Hidden Clinic".try_into().unwrap(), ..organisation(7, OrganisationKind::Voluntary) };
    behind(id).or_else(|| (id.0 == 7).then(service))
}

fn shown_to(from: u32, kind: OrganisationKind, record: &ChildRecord) -> Value {
    let looker = Organisation { id: OrganisationId(from), ..callers::organisation(kind, Capability::ALL) };
    let caller = Caller::dangerous_new(callers::ME, looker, callers::qualified(&[Role::Practitioner]));
    let sight = Sight { reason: Purpose::Concern, record: Some(record), grant: Grant::BreakGlass, is_mediated: false };
    let permit = view(&caller, moment(), &sight).unwrap();
    serde_json::to_value(permit.show(record, Visible::default(), behind_all).unwrap()).unwrap()
}

#[test]
fn a_sensitive_service_is_shown_to_others_as_that_and_nothing_of_it_appears() {
    // E8: shown to others only as "a sensitive service"
    for (from, kind) in [(1, OrganisationKind::Council), (2, OrganisationKind::School), (3, OrganisationKind::Surgery)] {
        let mut with = shown_to(from, kind, &with_a_sensitive_service());
        assert!(!with.to_string().contains("Hidden") && !with.to_string().contains("960999") && !with.to_string().contains("9434765870"));
        assert_eq!(with.as_object_mut().unwrap().remove("sensitive_service"), Some(json!(true)), "{kind}");
        assert_eq!(with, shown_to(from, kind, &record()), "as if it had said nothing, but for that it is there");
    }
    let council = Caller::dangerous_new(
        callers::ME,
        Organisation { id: OrganisationId(1), ..callers::organisation(OrganisationKind::Council, Capability::ALL) },
        callers::qualified(&[Role::Practitioner]),
    );
    let permit = search(&council, moment(), Purpose::Concern).unwrap();
    let hit = serde_json::to_value(permit.show(&council, &with_a_sensitive_service(), Visible::default()).unwrap()).unwrap();
    assert_eq!((&hit["name"]["family"], &hit["gender"]), (&json!("Patel"), &json!("unspecified")));
}

#[test]
fn the_sensitive_service_s_own_people_see_it_as_a_contact() {
    // E8: shown to others only ...: to its own people it is a service like any
    let own = shown_to(7, OrganisationKind::Voluntary, &with_a_sensitive_service());
    assert_eq!(own["services"][0]["organisation"], "Hidden Clinic");
    assert_eq!(own["services"][0]["practitioner"]["name"]["family"], "Hidden-Worker");
    assert!(own.get("sensitive_service").is_none() && own["name"]["family"] == "Hidden-Name");
}

#[test]
fn a_service_that_fed_before_it_was_sensitive_or_whose_accreditation_ran_out_is_hidden_as_well() {
    // E8: what makes a service sensitive is what it is, not the day on which it fed
    let mut record = with_a_sensitive_service();
    record.statements[3].involvement.basis = None;
    record.statements[3].provenance.source = OrganisationId(9);
    let behind = |id: OrganisationId| {
        let expired = Accreditation { expires: callers::day("2020-01-01"), ..callers::accredited(Capability::SensitiveServices) };
        let clinic = Organisation { accreditations: vec![expired], ..organisation(9, OrganisationKind::Voluntary) };
        behind(id).or_else(|| (id.0 == 9).then_some(clinic))
    };
    let sight = Sight { reason: Purpose::Concern, record: Some(&record), grant: Grant::BreakGlass, is_mediated: false };
    let permit = view(&caller(OrganisationKind::School, &[Role::Practitioner]), moment(), &sight).unwrap();
    let shown = serde_json::to_value(permit.show(&record, Visible::default(), behind).unwrap()).unwrap();
    assert_eq!(shown["sensitive_service"], true);
    assert!(!shown.to_string().contains("voluntary") && !shown.to_string().contains("Hidden"), "nothing that it said: {shown}");
}

#[test]
fn a_sensitive_service_needs_a_basis_and_nobody_else_gives_one() {
    // E8: recorded only with consent or a recorded safeguarding basis. Enumerated: accreditation x basis
    let held = |expires: &str| {
        vec![
            Accreditation { expires: callers::day(expires), ..callers::accredited(Capability::SensitiveServices) },
            callers::accredited(Capability::Feed),
        ]
    };
    let clinic = |accreditations| {
        let organisation = Organisation { accreditations, ..callers::organisation(OrganisationKind::Voluntary, &[]) };
        Caller::dangerous_new(callers::ME, organisation, callers::qualified(&[Role::DataSteward]))
    };
    assert_eq!(feed(&clinic(held("2026-11-21")), moment()).err(), Some(Refusal::AccreditationExpired), "no feeding once it ran out");
    let sensitive = feed(&clinic(held("2026-11-22")), moment()).unwrap();
    let plain = feed(&clinic(vec![callers::accredited(Capability::Feed)]), moment()).unwrap();
    assert_eq!(basis(&sensitive, None), Err(BasisFault::Missing));
    assert_eq!(basis(&plain, None), Ok(()));
    for given in SensitiveBasis::ALL {
        let expected = if *given == SensitiveBasis::Unstated { Err(BasisFault::Missing) } else { Ok(()) };
        assert_eq!(basis(&sensitive, Some(*given)), expected, "{given}");
        assert_eq!(basis(&plain, Some(*given)), Err(BasisFault::NotExpected), "{given}");
    }
}

#[test]
fn a_field_that_is_added_does_not_compile_until_somebody_decides_who_may_see_it() {
    // E7: one type carries what may be shown; a new field appears nowhere until somebody decides
    let source = include_str!("../shown.rs");
    for taken_apart in ["let ChildRecord {", "let Statement {"] {
        let (_, rest) = source.split_once(taken_apart).expect(taken_apart);
        let (fields, _) = rest.split_once("} = ").expect(taken_apart);
        let code: Vec<&str> = fields.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        assert!(!code.concat().contains(".."), "{taken_apart} leaves a field out: {code:?}");
    }
}
