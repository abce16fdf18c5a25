//! What a feed says of a guarded child, seen from the directory above: held back, its authority asked, and settled (rule E4).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;
mod staff;

use contactpoint_audit::{Operation, Outcome, RefusalCode};
use contactpoint_directory::{
    AskContact, AudienceWanted, BeginFeed, BreakGlassRequest, Ceilings, Directory, QueueRequest, Refused, SettleRecord, ShieldChild,
};
use contactpoint_domain::{
    Acceptance, Accreditation, Addressee, Alert, AlertId, AlertKind, Capability, Checks, ChildNumber, ChildRecord, Disposition, Instant,
    NewAlert, Organisation, OrganisationId, OrganisationKind, PersonId, Role, Sponsorship, Texts,
};
use contactpoint_identity::{Caller, Confirmed, IdentityRefusal, Qualifications};
use contactpoint_intake::Layout;
use contactpoint_matching::Sought;
use contactpoint_policy::{Refusal, CONTACTS};
use contactpoint_store::{FeedId, NewOrganisation, Store};
use rig::{child, create, entry, raw};
use staff::{on_record, suspend};
use std::collections::BTreeMap;

/// A Monday.
const NOW: Instant = Instant::of_millis(1_767_603_600_000);

const LAYOUT: &str = r#"
name = "small"
title = "A small layout for tests"
date_format = "%Y-%m-%d"
column = [
    { name = "family", field = "family-name", required = true },
    { name = "given", field = "given-name", required = true },
    { name = "born", field = "date-of-birth", required = true },
    { name = "line", field = "address-line-1" },
    { name = "postcode", field = "postcode" },
    { name = "nhs", field = "nhs-number" },
]
"#;

async fn enrolled(store: &Store, name: &str, kind: OrganisationKind, authority: Option<OrganisationId>) -> Organisation {
    let new = NewOrganisation { name: name.try_into().unwrap(), kind, authority, telephone: None, email: None, postcode: None };
    let added = store.change(move |tx| Ok((tx.add_organisation(&new)?, entry(Operation::EnrolOrganisation, vec![]))));
    let accredited = |capability: &Capability| Accreditation { capability: *capability, by: PersonId(3), expires: NOW.day() };
    Organisation {
        sponsorship: Some(Sponsorship { by: PersonId(2), at: NOW }),
        accreditations: Capability::ALL.iter().filter(|held| **held != Capability::SensitiveServices).map(accredited).collect(),
        responsibilities: Some(Acceptance { version: Texts::IN_FORCE.responsibilities, by: PersonId(4), at: NOW }),
        ..added.await.unwrap().into_inner()
    }
}

/// Somebody with every gate open at that moment.
fn person(id: u32, of: &Organisation, role: Role) -> Caller {
    let made = Some(NOW.day());
    let checks = Checks { vetted: made, barring: made, trained: made, agreement: Some((Texts::IN_FORCE.agreement, NOW.day())) };
    let family = "Okafor".try_into().unwrap();
    let qualifications = Qualifications { roles: vec![role], checks, supervisor: Some(PersonId(4)), family, home: None };
    Caller::dangerous_new(PersonId(id), of.clone(), qualifications)
}

/// Feeds one line and says what became of it: created, joined, unchanged, refused.
async fn fed(directory: &Directory, by: &Caller, line: impl Into<String>) -> [u64; 4] {
    let line = line.into();
    let mut digest = [0; 32];
    digest.iter_mut().zip(line.bytes()).for_each(|(to, from)| *to = from);
    let request = BeginFeed { layout: "small".to_owned(), digest, header: "family,given,born,line,postcode,nhs".to_owned() };
    let begun = serde_json::to_value(directory.begin_feed(by, request, NOW).await.unwrap().into_inner().unwrap()).unwrap();
    let feed = FeedId(begun["feed"].as_i64().unwrap());
    let taken = directory.feed_lines(by, feed, 2, line.into_bytes().into(), NOW).await.unwrap().into_inner().unwrap();
    let taken = serde_json::to_value(taken).unwrap();
    let counts = ["created", "joined", "unchanged"].map(|count| taken[count].as_u64().unwrap());
    [counts[0], counts[1], counts[2], taken["rejected"].as_array().unwrap().len() as u64]
}

async fn alerts(store: &Store, authority: OrganisationId) -> Vec<Alert> {
    alerts_of(store, authority, 100).await
}

async fn alerts_of(store: &Store, authority: OrganisationId, most: u32) -> Vec<Alert> {
    let asked = store.look(move |snapshot| {
        Ok((snapshot.alerts_for_authority(authority, None, AlertId(0), most)?, entry(Operation::ReadAlerts, vec![])))
    });
    asked.await.unwrap().into_inner()
}

async fn shielded(directory: &Directory, officer: &Caller, number: &ChildNumber) {
    let review = NOW.day().plus_years(1);
    let request: ShieldChild =
        serde_json::from_value(serde_json::json!({"child_number": number, "reason": "adoption", "review": review})).unwrap();
    assert!(directory.shield(officer, request, NOW).await.unwrap().into_inner().is_ok());
}

/// The number of a child of the school's, by names and day.
async fn number_of(store: &Store, family: &str, given: &'static str, born: &str) -> ChildNumber {
    let (family, born) = (family.try_into().unwrap(), born.try_into().unwrap());
    let key = Sought { family: Some(&family), given: None, date_of_birth: Some(born), postcode: None }.key().unwrap();
    let found = store.look(move |snapshot| Ok((snapshot.children_in_scope(OrganisationId(2), &key, 9)?, entry(Operation::Search, vec![]))));
    let mut found = found.await.unwrap().into_inner().into_iter();
    found.find(|held| held.record.statements[0].name.given.as_str() == given).unwrap().record.number
}

#[tokio::test]
async fn the_authority_is_asked_and_the_supplier_is_not_told() {
    // E4: an incoming record that may match a shielded child is quarantined for the authority, never created unshielded beside it
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let council = enrolled(&store, "Council", OrganisationKind::Council, None).await;
    let school = enrolled(&store, "School", OrganisationKind::School, Some(council.id)).await;
    let surgery = enrolled(&store, "Surgery", OrganisationKind::Surgery, Some(council.id)).await;
    let elsewhere = enrolled(&store, "Elsewhere", OrganisationKind::Council, None).await;
    let layouts = BTreeMap::from([("small".to_owned(), Layout::parse(LAYOUT).unwrap())]);
    let directory = Directory::new(store.clone(), layouts);
    let steward = |of: &Organisation| person(30 + of.id.0, of, Role::DataSteward);
    let officer = person(20, &council, Role::ShieldingOfficer);
    on_record(&store, &[&officer, &steward(&school), &steward(&surgery), &steward(&elsewhere)]).await;

    assert_eq!(fed(&directory, &steward(&school), "Winter,Ann,2015-03-04,7 High Street,ZZ1 1AA,9990000417\n").await, [1, 0, 0, 0]);
    // a twin, who has a number of her own, is on record beside her and in nobody's way
    assert_eq!(fed(&directory, &steward(&school), "Winter,Bea,2015-03-04,7 High Street,ZZ1 1AA,9990000506\n").await, [1, 0, 0, 0]);
    assert!(alerts(&store, council.id).await.is_empty());
    let number = number_of(&store, "Winter", "Ann", "2015-03-04").await;
    shielded(&directory, &officer, &number).await;

    // by number, by number alone, by name and day, by first name and postcode, by authority of another; with another form of the given name, a
    // family name of two parts, a day typed wrongly: each is a new child to its supplier
    let lines = [
        (&surgery, "Winter,Ann,2015-03-04,,,9990000417\n"),
        (&elsewhere, "Summer,Zoe,2016-01-01,,,9990000417\n"),
        (&surgery, "Wynter,Ann,2015-03-04,1 New Start,ZZ2 2AA,\n"),
        (&elsewhere, "Spring,Ann,2015-03-04,7 High Street,ZZ1 1AA,\n"),
        (&surgery, "Winter-Spring,Nancy,2015-03-04,,,\n"),
        (&surgery, "Wynter,Anne,2015-03-14,7 High Street,ZZ1 1AA,\n"),
    ];
    for (at, (source, line)) in lines.into_iter().enumerate() {
        assert_eq!(fed(&directory, &steward(source), line).await, [1, 0, 0, 0], "{line}");
        let asked = alerts(&store, council.id).await;
        let alert = &asked[at];
        assert_eq!((alert.kind, alert.to, alert.reason), (AlertKind::Quarantine, Some(Addressee::Authority(council.id)), None));
        assert_eq!((alert.organisation, alert.person, asked.len()), (source.id, steward(source).person(), at + 1));
        assert_eq!(alert.due, NOW.day().plus_working_days(5, &[]));
        assert_ne!(alert.child.as_ref(), Some(&number), "it names the record that waits");
    }
    assert!(alerts(&store, elsewhere.id).await.is_empty());
    // a number that the supplier itself gave another child before is refused, as it is of any two children of its own
    assert_eq!(fed(&directory, &steward(&surgery), "Weaver,Una,2014-01-01,,,9990000417\n").await, [0, 0, 0, 1]);
    // her school goes on speaking of her
    assert_eq!(fed(&directory, &steward(&school), "Winter,Ann,2015-03-04,8 High Street,ZZ1 1AB,9990000417\n").await, [0, 1, 0, 0]);
    // and a child who has nothing to do with her is taken in like any other
    assert_eq!(fed(&directory, &steward(&surgery), "Autumn,Ann,2015-03-05,7 High Street,ZZ1 1AA,\n").await, [1, 0, 0, 0]);

    let waits = alerts(&store, council.id).await;
    assert_eq!(waits.len(), 6);
    for (at, alert) in waits.iter().enumerate() {
        let child = (at % 2 == 0).then_some(&number);
        let request = serde_json::json!({"child_number": alert.child, "child": child});
        let request: SettleRecord = serde_json::from_value(request).unwrap();
        assert!(directory.settle(&officer, request, NOW).await.unwrap().into_inner().is_ok(), "{at}");
        assert_eq!(alerts(&store, council.id).await.len(), 5 - at);
    }
    let (first, last) = (waits[0].id, waits[3].child.clone().unwrap());
    let settled = store.look(move |snapshot| {
        let told = (snapshot.alert(first)?, snapshot.child(&last)?.map(|held| held.record.authority));
        Ok((told, entry(Operation::ReadAlerts, vec![])))
    });
    let (alert, authority) = settled.await.unwrap().into_inner();
    let judgement = alert.unwrap().judgement.unwrap();
    assert_eq!((judgement.disposition, judgement.by), (Disposition::Settled, officer.person()));
    // A7: each record belongs to one authority: what the other council said, and is of nobody here, is its own
    assert_eq!(authority, Some(elsewhere.id));
}

#[tokio::test]
async fn another_record_of_a_child_waits_for_the_authority_from_the_moment_it_is_shielded() {
    // E4: the shield belongs to the person, not the row
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let council = enrolled(&store, "Council", OrganisationKind::Council, None).await;
    let school = enrolled(&store, "School", OrganisationKind::School, Some(council.id)).await;
    let elsewhere = enrolled(&store, "Elsewhere", OrganisationKind::Council, None).await;
    let abroad = enrolled(&store, "Abroad", OrganisationKind::Surgery, Some(elsewhere.id)).await;
    let layouts = BTreeMap::from([("small".to_owned(), Layout::parse(LAYOUT).unwrap())]);
    let directory = Directory::new(store.clone(), layouts);
    let steward = |of: &Organisation| person(30 + of.id.0, of, Role::DataSteward);
    let officer = person(20, &council, Role::ShieldingOfficer);
    on_record(&store, &[&officer, &steward(&school), &steward(&elsewhere), &steward(&abroad)]).await;
    for (source, line) in [
        (&school, "Winter,James,2015-03-04,7 High Street,ZZ1 1AA,\n"),
        (&school, "Wynter,Jim,2015-03-04,1 New Start,ZZ2 2AA,\n"),
        (&abroad, "Wynter,Jim,2015-03-04,9 Hidden Row,ZZ2 2AA,\n"),
        (&school, "Wynter,Jim,2015-03-04,2 New Start,ZZ2 2AA,\n"),
        (&school, "Winter,Bea,2012-03-04,7 High Street,ZZ1 1AA,\n"),
        (&elsewhere, "Winter,Jamie,2015-03-04,,,\n"),
    ] {
        let is_second = line.starts_with("Wynter") && !line.contains("1 New Start");
        let counts = if is_second { [0, 1, 0, 0] } else { [1, 0, 0, 0] };
        assert_eq!(fed(&directory, &steward(source), line).await, counts, "{line}");
    }
    let number = number_of(&store, "Winter", "James", "2015-03-04").await;
    let twice = number_of(&store, "Winter", "Jim", "2015-03-04").await;
    shielded(&directory, &officer, &number).await;
    let waits = alerts(&store, council.id).await;
    assert_eq!(waits.iter().map(|alert| (alert.kind, alert.child.as_ref())).collect::<Vec<_>>(), [(AlertKind::Quarantine, Some(&twice))]);
    assert_eq!(waits[0].person, steward(&school).person(), "about who said it, so that the officer may settle it");
    assert!(alerts(&store, elsewhere.id).await.is_empty(), "another authority's is its own affair");
    let settle: SettleRecord = serde_json::from_value(serde_json::json!({"child_number": twice})).unwrap();
    assert!(directory.settle(&officer, settle, NOW).await.unwrap().into_inner().is_ok());
    // A7: it moves only when the new authority accepts: whose word is the oldest of a record that was there does not matter
    let moved = store.look(move |snapshot| Ok((snapshot.child(&twice)?, entry(Operation::ReadAlerts, vec![]))));
    let moved = moved.await.unwrap().into_inner().unwrap().record;
    assert_eq!((moved.authority, moved.statements[0].provenance.source), (council.id, abroad.id));
    // a shield that is renewed asks nothing anew
    shielded(&directory, &officer, &number).await;
    assert!(alerts(&store, council.id).await.is_empty());
}

#[tokio::test]
async fn the_two_hundredth_line_that_is_held_back_takes_the_writer_no_longer_than_the_second() {
    // E4: held back for the authority, however many they are; rows that are opened are counted
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let council = enrolled(&store, "Council", OrganisationKind::Council, None).await;
    let school = enrolled(&store, "School", OrganisationKind::School, Some(council.id)).await;
    let surgery = enrolled(&store, "Surgery", OrganisationKind::Surgery, Some(council.id)).await;
    let directory = Directory::new(store.clone(), BTreeMap::from([("small".to_owned(), Layout::parse(LAYOUT).unwrap())]));
    let (steward, other) = (person(31, &school, Role::DataSteward), person(32, &surgery, Role::DataSteward));
    on_record(&store, &[&steward, &other, &person(20, &council, Role::ShieldingOfficer)]).await;
    assert_eq!(fed(&directory, &steward, "Winter,James,2015-03-04,7 High Street,ZZ1 1AA,\n").await, [1, 0, 0, 0]);
    let number = number_of(&store, "Winter", "James", "2015-03-04").await;
    shielded(&directory, &person(20, &council, Role::ShieldingOfficer), &number).await;
    let line = |n: u32| format!("Winter,Ann,2015-03-04,{n} High Street,,\n");
    let mut opened = Vec::new();
    for (lines, count) in [(line(1), 1), (line(2), 1), ((3..200).map(line).collect(), 197), (line(200), 1)] {
        let before = store.child_rows_opened();
        assert_eq!(fed(&directory, &other, lines).await, [count, 0, 0, 0]);
        opened.push(store.child_rows_opened() - before);
    }
    assert_eq!((opened[3], alerts_of(&store, council.id, 300).await.len()), (opened[1], 200));
}

#[tokio::test]
async fn a_child_is_shielded_however_many_others_it_may_be_and_each_of_them_waits() {
    // E1, E4: no supplier keeps a child from being shielded by saying much that may be of it
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let council = enrolled(&store, "Council", OrganisationKind::Council, None).await;
    let school = enrolled(&store, "School", OrganisationKind::School, Some(council.id)).await;
    let directory = Directory::new(store.clone(), BTreeMap::from([("small".to_owned(), Layout::parse(LAYOUT).unwrap())]));
    let steward = person(31, &school, Role::DataSteward);
    on_record(&store, &[&steward, &person(20, &council, Role::ShieldingOfficer)]).await;
    assert_eq!(fed(&directory, &steward, "Winter,James,2015-03-04,7 High Street,ZZ1 1AA,\n").await, [1, 0, 0, 0]);
    let number = number_of(&store, "Winter", "James", "2015-03-04").await;
    for from in (0..1300).step_by(100) {
        let others: String = (from..from + 100).map(|n| format!("Winter,Ann,2015-03-04,{n} High Street,,\n")).collect();
        assert_eq!(fed(&directory, &steward, others).await, [100, 0, 0, 0]);
    }
    let before = store.log_size();
    shielded(&directory, &person(20, &council, Role::ShieldingOfficer), &number).await;
    assert_eq!(alerts_of(&store, council.id, 2000).await.len(), 1300);
    assert_eq!(store.log_size() - before, 7 + 1, "an entry for each two hundred, and one for this look");
}

#[tokio::test]
async fn a_request_for_contact_leaves_as_much_behind_whether_or_not_there_is_such_a_child() {
    // E6: ask the authority to broker contact without learning anything; E2: no count or timing: what is read and written is counted
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let council = enrolled(&store, "Council", OrganisationKind::Council, None).await;
    let school = enrolled(&store, "School", OrganisationKind::School, Some(council.id)).await;
    let layouts = BTreeMap::from([("small".to_owned(), Layout::parse(LAYOUT).unwrap())]);
    let directory = Directory::new(store.clone(), layouts);
    let (steward, teacher) = (person(31, &school, Role::DataSteward), person(32, &school, Role::Practitioner));
    on_record(&store, &[&person(20, &council, Role::ShieldingOfficer), &steward, &teacher]).await;
    assert_eq!(fed(&directory, &steward, "Winter,Ann,2015-03-04,7 High Street,ZZ1 1AA,\n").await, [1, 0, 0, 0]);
    let number = number_of(&store, "Winter", "Ann", "2015-03-04").await;
    let mut left = Vec::new();
    for child in [number, ChildNumber::with_body(555_000_111)] {
        let request: AskContact = serde_json::from_value(serde_json::json!({"child_number": child, "reason": "concern"})).unwrap();
        let before = (store.child_rows_opened(), store.log_size());
        assert!(directory.ask_contact(&teacher, &request, NOW).await.unwrap().into_inner().is_ok());
        let (opened, entries) = (store.child_rows_opened() - before.0, store.log_size() - before.1);
        store.index_looks().await.unwrap();
        let looks = store.look(move |snapshot| Ok((snapshot.looks_at(&child, None, 1)?, entry(Operation::WhoSaw, vec![]))));
        left.push((opened, entries, looks.await.unwrap().into_inner()[0].entry.changes.len()));
    }
    assert_eq!(left[0], left[1]);
    assert_eq!(left[0], (1, 1, 1), "a row opened, an entry, a request that is kept");
    assert_eq!(alerts(&store, council.id).await.len(), 1, "and one of them reaches the authority");
}

#[tokio::test]
async fn whoever_was_suspended_meanwhile_changes_nothing_with_the_proof_they_came_with() {
    // B4: suspension takes effect on the next request; here it comes between the proof at the door and the turn of the transaction
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let council = enrolled(&store, "Council", OrganisationKind::Council, None).await;
    let school = enrolled(&store, "School", OrganisationKind::School, Some(council.id)).await;
    let layouts = BTreeMap::from([("small".to_owned(), Layout::parse(LAYOUT).unwrap())]);
    let directory = Directory::new(store.clone(), layouts);
    let (officer, steward) = (person(20, &council, Role::ShieldingOfficer), person(31, &school, Role::DataSteward));
    let teacher = person(32, &school, Role::Practitioner);
    on_record(&store, &[&officer, &steward, &teacher]).await;
    assert_eq!(fed(&directory, &steward, "Winter,Ann,2015-03-04,7 High Street,ZZ1 1AA,\n").await, [1, 0, 0, 0]);
    let number = number_of(&store, "Winter", "Ann", "2015-03-04").await;
    let begin = |digest| BeginFeed { layout: "small".to_owned(), digest, header: "family,given,born,line,postcode,nhs".to_owned() };
    let begun = serde_json::to_value(directory.begin_feed(&steward, begin([7; 32]), NOW).await.unwrap().into_inner().unwrap()).unwrap();
    let feed = FeedId(begun["feed"].as_i64().unwrap());

    // B2: an accreditation that is taken back holds no more either
    let without = Organisation { accreditations: Vec::new(), ..school.clone() };
    let put = |organisation: Organisation| {
        let put = store.change(move |tx| Ok((tx.put_organisation(&organisation)?, entry(Operation::Accredit, vec![]))));
        async { put.await.unwrap().into_inner() }
    };
    put(without).await;
    let line = "Winter,Una,2015-03-05,7 High Street,ZZ1 1AA,\n";
    let taken = directory.feed_lines(&steward, feed, 2, line.into(), NOW).await.unwrap().into_inner().map(drop);
    assert_eq!(taken, Err(Refused::Policy(Refusal::NotAccredited)));
    put(school.clone()).await;

    suspend(&store, council.id).await;
    suspend(&store, school.id).await;
    let suspended = Err(Refused::Caller(IdentityRefusal::OrganisationSuspended));
    let before = store.log_size();
    assert_eq!(directory.feed_lines(&steward, feed, 2, line.into(), NOW).await.unwrap().into_inner().map(drop), suspended);
    assert_eq!(directory.finish_feed(&steward, feed, 1, NOW).await.unwrap().into_inner().map(drop), suspended);
    assert_eq!(directory.begin_feed(&steward, begin([8; 32]), NOW).await.unwrap().into_inner().map(drop), suspended);
    let review = NOW.day().plus_years(1);
    let shield = serde_json::json!({"child_number": number, "reason": "adoption", "review": review});
    assert_eq!(directory.shield(&officer, serde_json::from_value(shield).unwrap(), NOW).await.unwrap().into_inner().map(drop), suspended);
    let ask: AskContact = serde_json::from_value(serde_json::json!({"child_number": number, "reason": "concern"})).unwrap();
    assert_eq!(directory.ask_contact(&teacher, &ask, NOW).await.unwrap().into_inner().map(drop), suspended);
    // F1: every attempt is written
    assert_eq!(store.log_size(), before + 5);

    put(school).await;
    let report = directory.feed_report(&steward, feed, NOW).await.unwrap().into_inner().unwrap();
    let report = serde_json::to_value(report).unwrap();
    assert_eq!((&report["next_line"], &report["complete"]), (&2.into(), &false.into()), "nothing was taken in");
    let held = store.look(move |snapshot| Ok((snapshot.child(&number)?.unwrap().record, entry(Operation::View, vec![]))));
    assert_eq!(held.await.unwrap().into_inner().shield, None);
    assert!(alerts(&store, council.id).await.is_empty());
}

#[tokio::test]
async fn a_shield_that_was_not_lifted_for_a_bad_code_is_an_attempt_with_its_child() {
    // F1: every attempt is written: who, operation, child, outcome
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let council = enrolled(&store, "Council", OrganisationKind::Council, None).await;
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let officer = person(20, &council, Role::ShieldingOfficer);
    on_record(&store, &[&officer]).await;
    let added =
        store.change(|tx| Ok((tx.add_child(&ChildRecord { authority: OrganisationId(1), ..child(1) })?, entry(Operation::Feed, vec![]))));
    added.await.unwrap().into_inner();
    let number = child(1).number;
    shielded(&directory, &officer, &number).await;
    let refused = Err(Refused::Policy(Refusal::NotConfirmed));
    // the same of a child that is not on record
    for number in [number.clone(), ChildNumber::with_body(555_000_111)] {
        let lifted = directory.unshield(&officer, number.clone(), Err(Refusal::NotConfirmed), NOW).await.unwrap().into_inner();
        assert_eq!(lifted.map(drop), refused);
        let everybody = AudienceWanted::Everybody;
        let named =
            directory.set_audience(&officer, number.clone(), everybody, Err(Refusal::NotConfirmed), NOW).await.unwrap().into_inner();
        assert_eq!(named.map(drop), refused);
        store.index_looks().await.unwrap();
        let looks = store.look(move |snapshot| Ok((snapshot.looks_at(&number, None, 2)?, entry(Operation::WhoSaw, vec![]))));
        let told: Vec<_> = looks.await.unwrap().into_inner().iter().map(|look| (look.entry.operation, look.entry.outcome)).collect();
        let outcome = Outcome::Refused(RefusalCode::NotConfirmed);
        assert_eq!(told, [(Operation::SetAudience, outcome), (Operation::Unshield, outcome)]);
    }
    let held = store.look(move |snapshot| Ok((snapshot.child(&number)?.unwrap().record, entry(Operation::View, vec![]))));
    assert!(held.await.unwrap().into_inner().shield.is_some());
}

async fn contact(directory: &Directory, by: &Caller, child: &ChildNumber, now: Instant) -> Result<(), Refused> {
    let request: AskContact = serde_json::from_value(serde_json::json!({"child_number": child, "reason": "concern"})).unwrap();
    directory.ask_contact(by, &request, now).await.unwrap().into_inner().map(drop)
}

#[tokio::test]
async fn the_day_s_requests_for_contact_end_alike_for_a_child_on_record_and_for_none() {
    // E6: ask the authority to broker contact without learning anything; D6: over the ceiling: refused and alerted
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let council = enrolled(&store, "Council", OrganisationKind::Council, None).await;
    let school = enrolled(&store, "School", OrganisationKind::School, Some(council.id)).await;
    let layouts = || BTreeMap::from([("small".to_owned(), Layout::parse(LAYOUT).unwrap())]);
    let directory = Directory::new(store.clone(), layouts());
    let steward = person(31, &school, Role::DataSteward);
    on_record(&store, &[&steward, &person(32, &school, Role::Practitioner), &person(33, &school, Role::Practitioner)]).await;
    assert_eq!(fed(&directory, &steward, "Winter,Ann,2015-03-04,7 High Street,ZZ1 1AA,\n").await, [1, 0, 0, 0]);
    let number = number_of(&store, "Winter", "Ann", "2015-03-04").await;
    let teacher = person(32, &school, Role::Practitioner);
    let nobody = |n: usize| ChildNumber::with_body(555_000_111 + u32::try_from(n).unwrap());
    assert_eq!(contact(&directory, &teacher, &number, NOW).await, Ok(()));
    for n in 1..CONTACTS {
        assert_eq!(contact(&directory, &teacher, &nobody(n), NOW).await, Ok(()));
    }

    // counted again from the log after a restart
    let again = Directory::new(store.clone(), layouts()).limited(Ceilings::default(), NOW).unwrap();
    for directory in [&directory, &again] {
        for child in [&number, &nobody(1), &nobody(99)] {
            let before = (store.child_rows_opened(), store.log_size());
            let refused = contact(directory, &teacher, child, NOW).await;
            assert_eq!(refused, Err(Refused::Policy(Refusal::OverBudget)));
            assert_eq!((store.child_rows_opened(), store.log_size()), (before.0, before.1 + 1), "in the log, and nothing was looked for");
            store.index_looks().await.unwrap();
            let child = child.clone();
            let looks = store.look(move |snapshot| Ok((snapshot.looks_at(&child, None, 1)?, entry(Operation::WhoSaw, vec![]))));
            assert_eq!(looks.await.unwrap().into_inner()[0].entry.outcome, Outcome::Refused(RefusalCode::OverBudget));
        }
    }
    let told =
        store.look(|snapshot| Ok((snapshot.alerts_for_supervisor(PersonId(4), AlertId(0), 9)?, entry(Operation::ReadAlerts, vec![]))));
    let told: Vec<_> = told.await.unwrap().into_inner().into_iter().map(|alert| (alert.kind, alert.child)).collect();
    assert_eq!(told, [(AlertKind::OverBudget, None)], "the supervisor, once");
    assert_eq!(contact(&directory, &person(33, &school, Role::Practitioner), &number, NOW).await, Ok(()), "each has their own");
}

#[tokio::test]
async fn a_request_for_contact_is_not_opened_when_the_glass_is_broken_and_one_to_nobody_does_not_wait() {
    // E6, D4: what somebody asked of authorities, whether or not there was such a child, is no burden of what is urgent
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let council = enrolled(&store, "Council", OrganisationKind::Council, None).await;
    let school = enrolled(&store, "School", OrganisationKind::School, Some(council.id)).await;
    let layouts = BTreeMap::from([("small".to_owned(), Layout::parse(LAYOUT).unwrap())]);
    let directory = Directory::new(store.clone(), layouts);
    let steward = person(31, &school, Role::DataSteward);
    on_record(&store, &[&steward, &person(32, &school, Role::Practitioner), &person(33, &school, Role::Practitioner)]).await;
    assert_eq!(fed(&directory, &steward, "Winter,Ann,2015-03-04,7 High Street,ZZ1 1AA,\n").await, [1, 0, 0, 0]);
    let number = number_of(&store, "Winter", "Ann", "2015-03-04").await;
    let teacher = person(32, &school, Role::Practitioner);
    assert_eq!(contact(&directory, &teacher, &number, NOW).await, Ok(()));
    for n in 1..20 {
        assert_eq!(contact(&directory, &teacher, &ChildNumber::with_body(555_000_111 + n), NOW).await, Ok(()));
    }
    let count = |condition: &str| -> i64 {
        raw(dir.path()).query_row(&format!("SELECT count(*) FROM alert WHERE {condition}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("true"), count("open = 1")), (20, 1));
    assert_eq!(alerts(&store, council.id).await.len(), 1);

    // none of them can be opened any more: whoever tried would fail
    raw(dir.path()).execute_batch("UPDATE alert SET sealed = zeroblob(length(sealed))").unwrap();
    for days in [0, 10] {
        let asked = serde_json::json!({"child_number": number, "reason": "missing", "code": "000000"});
        let asked: BreakGlassRequest = serde_json::from_value(asked).unwrap();
        let now = NOW.plus_seconds(days * 86_400);
        let broken = directory.break_glass(&teacher, asked, Ok(Confirmed::dangerous_of(&teacher)), now).await;
        assert!(broken.is_ok(), "{days}");
    }
}

#[tokio::test]
async fn a_page_of_ones_own_alerts_hides_nothing_that_waits_behind_them() {
    // D5: judge each alert; C4: nobody judges their own act - so one's own take no place in the queue
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let council = enrolled(&store, "Council", OrganisationKind::Council, None).await;
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let officer = person(20, &council, Role::ShieldingOfficer);
    on_record(&store, &[&officer]).await;
    for n in 0..61 {
        let person = if n < 60 { officer.person() } else { PersonId(21) };
        let (kind, to, organisation) = (AlertKind::Quarantine, Some(Addressee::Authority(council.id)), council.id);
        let child = Some(ChildNumber::with_body(555_000_111 + n));
        let new = NewAlert { kind, person, organisation, child, reason: None, at: NOW, to, due: NOW.day() };
        let raised = store.change(move |tx| Ok((tx.raise_alert(&new)?, entry(Operation::Feed, vec![]))));
        raised.await.unwrap().into_inner();
    }
    let asked: QueueRequest = serde_json::from_value(serde_json::json!({})).unwrap();
    let answer = directory.alerts(&officer, &asked, NOW).await.unwrap().into_inner().unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    let numbers: Vec<_> = answer["alerts"].as_array().unwrap().iter().map(|alert| alert["child_number"].clone()).collect();
    assert_eq!(numbers, [serde_json::json!(ChildNumber::with_body(555_000_111 + 60))]);
    assert!(answer.get("cursor").is_none());
}
