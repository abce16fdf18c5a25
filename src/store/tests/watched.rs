//! What looks raise without the looker's noticing, seen in the store beneath: places of the day's budget, flags, near misses (rules D6 to D8).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::{Operation, Outcome, RefusalCode};
use contactpoint_directory::{Ceilings, Directory, Refused, SearchRequest, ViewRequest};
use contactpoint_domain::{
    Acceptance, Accreditation, Addressee, Alert, AlertKind, Audience, Capability, Checks, ChildNumber, ChildRecord, Instant, Name,
    Organisation, OrganisationId, OrganisationKind, PersonId, Role, Sponsorship, Texts,
};
use contactpoint_identity::{Caller, Qualifications};
use contactpoint_policy::Refusal;
use contactpoint_store::Store;
use rig::{child, create, entry, open};
use std::collections::BTreeMap;
use std::path::Path;

/// Five minutes before midnight.
const NOW: Instant = Instant::of_millis(1_767_657_300_000);

/// Somebody with every gate open at that moment.
fn teacher(person: u32, family: &str) -> Caller {
    let school = Organisation {
        id: OrganisationId(1),
        name: "School".try_into().unwrap(),
        kind: OrganisationKind::School,
        authority: None,
        telephone: None,
        email: None,
        postcode: None,
        heads: Vec::new(),
        sponsorship: Some(Sponsorship { by: PersonId(2), at: NOW }),
        accreditations: vec![Accreditation { capability: Capability::Query, by: PersonId(3), expires: NOW.day().plus_years(1) }],
        responsibilities: Some(Acceptance { version: Texts::IN_FORCE.responsibilities, by: PersonId(4), at: NOW }),
        suspended: false,
        holds_new: false,
    };
    let made = "2026-01-01".parse().unwrap();
    let checks =
        Checks { vetted: Some(made), barring: Some(made), trained: Some(made), agreement: Some((Texts::IN_FORCE.agreement, made)) };
    let (roles, supervisor) = (vec![Role::Practitioner], Some(PersonId(4)));
    let qualifications = Qualifications { roles, checks, supervisor, family: family.try_into().unwrap(), home: None };
    Caller::dangerous_new(PersonId(person), school, qualifications)
}

async fn add(store: &Store, record: ChildRecord) {
    let added = store.change(move |tx| Ok((tx.add_child(&record)?, entry(Operation::Feed, Vec::new()))));
    added.await.unwrap().into_inner();
}

/// A store with ten children of the teachers' school.
async fn filled(folder: &Path) -> Store {
    let store = create(folder);
    for n in 0..10 {
        add(&store, child(n)).await;
    }
    store
}

fn over(store: &Store, practitioner: usize) -> Directory {
    let ceilings = Ceilings { practitioner, ..Ceilings::default() };
    Directory::new(store.clone(), BTreeMap::new()).limited(ceilings, NOW).unwrap()
}

async fn view(directory: &Directory, caller: &Caller, number: &ChildNumber, now: Instant) -> Result<(), Refused> {
    let request: ViewRequest = serde_json::from_value(serde_json::json!({"child_number": number, "reason": "concern"})).unwrap();
    directory.view(caller, &request, now).await.unwrap().into_inner().map(drop)
}

/// A search by name and date of birth; the number of hits is in its answer.
async fn search(directory: &Directory, caller: &Caller, family: &str, born: &str, now: Instant) -> Result<usize, Refused> {
    let asked = serde_json::json!({"family_name": family, "date_of_birth": born, "reason": "concern"});
    let request: SearchRequest = serde_json::from_value(asked).unwrap();
    let found = directory.search(caller, &request, now).await.unwrap().into_inner()?;
    Ok(serde_json::to_value(found).unwrap()["hits"].as_array().unwrap().len())
}

/// Those that nobody has judged.
async fn alerts_about(store: &Store, person: u32) -> Vec<Alert> {
    let found = store.look(move |snapshot| {
        Ok((snapshot.overdue_acts_of(PersonId(person), NOW.day().plus_years(1))?, entry(Operation::ReadAlerts, Vec::new())))
    });
    found.await.unwrap().into_inner()
}

fn kinds(alerts: &[Alert]) -> Vec<AlertKind> {
    alerts.iter().map(|alert| alert.kind).collect()
}

const OVER: Result<(), Refused> = Err(Refused::Policy(Refusal::OverBudget));
const NOBODY: Result<(), Refused> = Err(Refused::NotFoundOrNotYours);

#[tokio::test]
async fn the_day_s_ceiling_refuses_a_child_more_and_tells_the_supervisor_once() {
    // D6: each person has a daily ceiling of records seen, by role. Over it: refused and alerted
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let (directory, one, other) = (over(&store, 3), teacher(1, "Okafor"), teacher(9, "Okafor"));
    for n in [0, 0, 1, 2] {
        assert_eq!(view(&directory, &one, &child(n).number, NOW).await, Ok(()), "the same child again is free");
    }
    assert!(alerts_about(&store, 1).await.is_empty());

    let before = store.log_size();
    assert_eq!(view(&directory, &one, &child(3).number, NOW).await, OVER);
    assert_eq!(store.log_size(), before + 1, "one entry, and the alert with it");
    assert_eq!(view(&directory, &one, &child(2).number, NOW).await, Ok(()), "those already seen stay within reach");
    let alerts = alerts_about(&store, 1).await;
    assert_eq!(kinds(&alerts), [AlertKind::OverBudget]);
    assert_eq!((alerts[0].to, alerts[0].due), (Some(Addressee::Supervisor(PersonId(4))), NOW.day().plus_working_days(5, &[])));
    assert_eq!(view(&directory, &other, &child(3).number, NOW).await, Ok(()), "each has their own");

    // what was refused was not seen
    store.index_looks().await.unwrap();
    let looks = store.look(|snapshot| Ok((snapshot.looks_at(&child(3).number, None, 9)?, entry(Operation::WhoSaw, Vec::new()))));
    let told: Vec<_> =
        looks.await.unwrap().into_inner().into_iter().map(|look| (look.entry.outcome, look.entry.shown.is_empty())).collect();
    assert_eq!(told, [(Outcome::Answered, false), (Outcome::Refused(RefusalCode::OverBudget), true)]);

    let tomorrow = NOW.plus_seconds(600);
    assert_eq!(view(&directory, &one, &child(3).number, tomorrow).await, Ok(()), "the next day of UTC begins with nothing");
}

#[tokio::test]
async fn at_the_ceiling_the_refusal_is_the_same_whatever_there_is_and_nothing_is_looked_at() {
    // D6, D1: over it: refused - and the refusal is no way to find out who is on record
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    add(&store, ChildRecord { statements: vec![elsewhere()], ..child(21) }).await;
    let one = teacher(1, "Okafor");
    let directory = over(&store, 21);
    let in_scope = || search(&directory, &one, "Wintergreen-b", "2011-02-02", NOW);
    let nobody = || search(&directory, &one, "Wintergreen-b", "1999-02-02", NOW);
    assert_eq!((nobody().await, in_scope().await), (Ok(0), Ok(1)), "a page fits, and what it does not show costs nothing");
    assert_eq!((nobody().await, in_scope().await), (Ok(0), Ok(1)), "a page fits still");
    assert_eq!(view(&directory, &one, &child(0).number, NOW).await, Ok(()));
    let refused = Err(Refused::Policy(Refusal::OverBudget));
    let opened = store.child_rows_opened();
    assert_eq!((nobody().await, in_scope().await), (refused.clone(), refused), "no page fits any more, whatever would be on it");
    // one by number does, where a child fits at all
    assert_eq!(view(&directory, &one, &child(3).number, NOW).await, Ok(()));
    assert_eq!(store.child_rows_opened(), opened + 1, "of the refused searches none opened a row");

    let (full, other) = (over(&store, 1), teacher(9, "Okafor"));
    assert_eq!(view(&full, &other, &child(0).number, NOW).await, Ok(()));
    let opened = store.child_rows_opened();
    for number in [child(4).number, child(21).number, ChildNumber::with_body(5)] {
        assert_eq!(view(&full, &other, &number, NOW).await, OVER, "in scope, out of it, and not on record");
    }
    assert_eq!(store.child_rows_opened(), opened);
    for person in [1, 9] {
        assert_eq!(kinds(&alerts_about(&store, person).await), [AlertKind::OverBudget]);
    }
}

#[tokio::test]
async fn a_restart_counts_again_what_the_log_says_was_shown_today() {
    // D6: a daily ceiling; no single person can take everything, not even by way of a restart
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let directory = over(&store, 30);
    let one = teacher(1, "Okafor");
    let yesterday = Instant::of_millis(NOW.millis() - 86_400_000);
    let before = Directory::new(store.clone(), BTreeMap::new()).limited(Ceilings::default(), yesterday).unwrap();
    for n in 4..7 {
        assert_eq!(view(&before, &one, &child(n).number, yesterday).await, Ok(()));
    }
    assert_eq!(view(&directory, &one, &child(0).number, NOW).await, Ok(()));
    assert_eq!(search(&directory, &one, "Wintergreen-b", "2011-02-02", NOW).await, Ok(1));
    assert_eq!(view(&directory, &one, &ChildNumber::with_body(5), NOW).await, NOBODY, "named in the log, and not shown");
    drop(directory);
    store.close().await.unwrap();
    drop(store);
    let store = open(dir.path()).unwrap();
    let directory = over(&store, 3);
    assert_eq!(view(&directory, &one, &child(1).number, NOW).await, Ok(()), "seen in a list before");
    assert_eq!(view(&directory, &one, &child(2).number, NOW).await, Ok(()), "the last place");
    assert_eq!(view(&directory, &one, &child(3).number, NOW).await, OVER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_looks_at_once_cannot_both_have_the_last_place() {
    // D6: a ceiling; raced
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    for round in 0..20 {
        let directory = std::sync::Arc::new(over(&store, 1));
        let person = 100 + round;
        let looks: Vec<_> = (0..8)
            .map(|n| {
                let directory = directory.clone();
                tokio::spawn(async move { view(&directory, &teacher(person, "Okafor"), &child(n).number, NOW).await })
            })
            .collect();
        let mut seen = 0;
        for look in looks {
            seen += usize::from(look.await.unwrap().is_ok());
        }
        assert_eq!(seen, 1, "round {round}");
        assert_eq!(kinds(&alerts_about(&store, person).await), [AlertKind::OverBudget], "once a person and day");
    }
}

#[tokio::test]
async fn a_look_at_the_own_family_is_flagged_once_a_day_and_nothing_tells_the_looker() {
    // D7: look-ups of one's own family are flagged for review
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let (directory, own) = (over(&store, 200), teacher(1, "WINTERGREEN"));
    let before = store.log_size();
    assert_eq!(view(&directory, &own, &child(0).number, NOW).await, Ok(()), "by the mother's name");
    assert_eq!(store.log_size(), before + 1, "no second entry that would show in the log's size");
    assert_eq!(view(&directory, &own, &child(0).number, NOW).await, Ok(()));
    assert_eq!(view(&directory, &own, &child(1).number, NOW).await, Ok(()));
    assert_eq!(view(&directory, &teacher(9, "Okafor"), &child(0).number, NOW).await, Ok(()));
    let alerts = alerts_about(&store, 1).await;
    let told: Vec<_> = alerts.iter().map(|alert| (alert.kind, alert.child.clone())).collect();
    assert_eq!(told, [0, 1].map(|n| (AlertKind::OwnFamily, Some(child(n).number))));
    assert!(alerts_about(&store, 9).await.is_empty());

    // what was raised is known after a restart too
    let again = over(&store, 200);
    assert_eq!(view(&again, &own, &child(0).number, NOW).await, Ok(()));
    assert_eq!(alerts_about(&store, 1).await.len(), 2);
    assert_eq!(view(&again, &own, &child(0).number, NOW.plus_seconds(600)).await, Ok(()), "another day");
    assert_eq!(alerts_about(&store, 1).await.len(), 3);
}

#[tokio::test]
async fn five_looks_without_a_hit_within_ten_minutes_are_told() {
    // D7: repeated near-misses are flagged for review
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let (directory, one) = (over(&store, 200), teacher(1, "Okafor"));
    let noon = Instant::of_millis(NOW.millis() - 12 * 3_600_000);
    for minute in [0, 3, 6, 9, 12, 15] {
        let at = noon.plus_seconds(minute * 60);
        assert_eq!(search(&directory, &one, "Nobody", "2011-02-02", at).await, Ok(0));
    }
    assert!(alerts_about(&store, 1).await.is_empty(), "never five of them in ten minutes");
    assert_eq!(view(&directory, &one, &ChildNumber::with_body(5), noon.plus_seconds(15 * 60 + 30)).await, NOBODY);
    assert_eq!(kinds(&alerts_about(&store, 1).await), [AlertKind::NearMisses]);
    for second in 0..5 {
        assert_eq!(view(&directory, &one, &ChildNumber::with_body(5), noon.plus_seconds(17 * 60 + second)).await, NOBODY);
    }
    assert_eq!(alerts_about(&store, 1).await.len(), 1, "not at every fifth");
    // whoever goes on is told of again, after twice as many, however slowly
    let mut told = Vec::new();
    for hour in 5..30 {
        let at = noon.plus_seconds(20 * 60 + hour * 20 * 60);
        assert_eq!(view(&directory, &one, &ChildNumber::with_body(5), at).await, NOBODY);
        told.push(alerts_about(&store, 1).await.len());
    }
    assert_eq!(told.iter().filter(|count| **count == 1).count(), 4, "five of ten were made before: {told:?}");
    assert_eq!(told.last(), Some(&3), "and after twenty more: {told:?}");
}

#[tokio::test]
async fn a_small_audience_record_is_like_none_for_everybody_else_down_to_what_is_written() {
    // D8: refuses all but named users; the attempt fails like a search with no hit, is audited and alerts
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let named = Audience { people: vec![PersonId(8)], by: PersonId(3), at: NOW };
    add(&store, ChildRecord { audience: Some(named), ..child(20) }).await;
    add(&store, ChildRecord { statements: vec![elsewhere()], ..child(21) }).await;
    let directory = over(&store, 200);
    let mut grown = Vec::new();
    for number in [child(20).number, child(21).number, ChildNumber::with_body(5)] {
        let before = store.log_size();
        assert_eq!(view(&directory, &teacher(1, "Okafor"), &number, NOW).await, NOBODY);
        grown.push(store.log_size() - before);
    }
    assert_eq!(grown, [1, 1, 1], "one entry each, and none that only the hidden record has");
    assert_eq!(view(&directory, &teacher(8, "Okafor"), &child(20).number, NOW).await, Ok(()));
    // a search by its name is an attempt like any
    let before = store.log_size();
    assert_eq!(search(&directory, &teacher(9, "Okafor"), "Wintergreen-ca", "2010-09-21", NOW).await, Ok(0));
    assert_eq!(store.log_size(), before + 1);
    for person in [1, 8, 9] {
        let alerts = alerts_about(&store, person).await;
        assert_eq!(kinds(&alerts), [AlertKind::SmallAudience], "{person}");
        assert_eq!(alerts[0].child, Some(child(20).number));
    }
}

/// Of another organisation alone.
fn elsewhere() -> contactpoint_domain::Statement {
    let mut statement = child(21).statements.remove(0);
    statement.provenance.source = OrganisationId(2);
    statement.name = Name { given: "Ada".try_into().unwrap(), family: "Quill".try_into().unwrap() };
    statement
}
