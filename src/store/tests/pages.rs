//! Long lists, page by page to their end: who saw a child, and the flags (rules D7, F3). The queue of alerts is paged in tests/flow.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;
mod staff;

use contactpoint_audit::{Entry, Operation};
use contactpoint_directory::{Directory, Refused};
use contactpoint_domain::{Addressee, AlertKind, Capability, NewAlert, OrganisationId, OrganisationKind, PersonId, Role};
use contactpoint_identity::Caller;
use contactpoint_store::Store;
use rig::{child, create, entry, open};
use serde_json::{json, Value};
use staff::{somebody, NOW};
use std::collections::{BTreeMap, BTreeSet};

fn auditor(person: u32) -> Caller {
    somebody(person, Role::Auditor, (OrganisationKind::Auditor, 3), Capability::Audit)
}

/// One page of who saw a child, and where it goes on.
async fn who_saw(directory: &Directory, by: &Caller, asked: Value) -> Result<(Value, Option<String>), Refused> {
    let page = directory.who_saw(by, &serde_json::from_value(asked).unwrap(), NOW).await.unwrap().into_inner()?;
    let page = serde_json::to_value(page).unwrap();
    Ok((page["looks"].clone(), page["cursor"].as_str().map(str::to_owned)))
}

/// One page of flags, and where it goes on.
async fn flags(directory: &Directory, by: &Caller, asked: Value) -> Result<(Value, Option<String>), Refused> {
    let page = directory.flags(by, &serde_json::from_value(asked).unwrap(), NOW).await.unwrap().into_inner()?;
    let page = serde_json::to_value(page).unwrap();
    Ok((page["alerts"].clone(), page["cursor"].as_str().map(str::to_owned)))
}

/// A number of each, all of them different.
fn numbers(pages: &[&Value], member: &str) -> usize {
    let items: Vec<String> = pages.iter().flat_map(|page| page.as_array().unwrap()).map(|item| item[member].to_string()).collect();
    let different: BTreeSet<&String> = items.iter().collect();
    assert_eq!(different.len(), items.len(), "each once");
    items.len()
}

/// Raises alerts of this kind, each about another person.
async fn raised(store: &Store, kind: AlertKind, persons: u32) {
    for person in 100..100 + persons {
        let new = NewAlert {
            kind,
            person: PersonId(person),
            organisation: OrganisationId(1),
            child: Some(child(1).number),
            reason: None,
            at: NOW,
            to: Some(Addressee::Supervisor(PersonId(4))),
            due: NOW.day().plus_years(1),
        };
        let raised = store.change(move |tx| Ok((tx.raise_alert(&new)?, entry(Operation::View, Vec::new()))));
        raised.await.unwrap().into_inner();
    }
}

async fn looked(store: &Store, times: usize) {
    let look = || store.look(|_| Ok(((), entry(Operation::View, vec![child(1).number]))));
    for _ in 0..times {
        look().await.unwrap().into_inner();
    }
}

#[tokio::test]
async fn who_saw_a_child_goes_on_to_the_oldest_look_and_its_place_is_of_one_person_and_question() {
    // F3: who saw this child is one query; long lists page by opaque cursors that cannot be forged or carried to another caller
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    looked(&store, 1001).await;
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let asked = |n: u32, reason: &str| json!({"child_number": child(n).number, "reason": reason});
    let (first, cursor) = who_saw(&directory, &auditor(1), asked(1, "audit")).await.unwrap();
    let cursor = cursor.unwrap();
    let on = |asked: Value| {
        let mut asked = asked;
        asked["cursor"] = json!(cursor);
        asked
    };
    let (second, end) = who_saw(&directory, &auditor(1), on(asked(1, "audit"))).await.unwrap();
    assert_eq!((numbers(&[&first, &second], "entry"), second.as_array().unwrap().len(), end), (1001, 1, None));
    assert_eq!(second[0]["entry"], 0, "the oldest of all");

    let days = on(json!({"from": "2026-01-01", "to": "2026-01-31"}));
    assert_eq!(flags(&directory, &auditor(1), days).await.map(drop), Err(Refused::NoSuchPlace), "of another list");
    for (by, asked) in [(auditor(9), asked(1, "audit")), (auditor(1), asked(2, "audit")), (auditor(1), asked(1, "subject-access"))] {
        assert_eq!(who_saw(&directory, &by, on(asked)).await.map(drop), Err(Refused::NoSuchPlace));
    }
}

#[tokio::test]
async fn looks_that_are_committed_with_an_indexing_are_in_the_index_after_a_crash() {
    // F3: every look at a child by anybody, though an auditor asked who saw a child while they were written, and the power went
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = create(dir.path());
    let (release, held) = std::sync::mpsc::channel();
    // keeps the writer in its group until the others stand behind it
    let first = store.change(move |_| {
        held.recv().unwrap();
        Ok(((), entry(Operation::Start, Vec::new())))
    });
    let look = store.look(|_| Ok(((), entry(Operation::View, vec![child(1).number]))));
    let (first, look, indexed, ()) = tokio::join!(first, look, store.index_looks(), async { release.send(()).unwrap() });
    first.unwrap().into_inner();
    let index = look.unwrap().entry_index();
    indexed.unwrap();
    for name in ["store.db", "store.db-wal"] {
        std::fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    let store = open(copy.path()).unwrap();
    store.index_looks().await.unwrap();
    let looks = store.look(|snapshot| Ok((snapshot.looks_at(&child(1).number, None, 9)?, entry(Operation::WhoSaw, Vec::new()))));
    assert_eq!(looks.await.unwrap().into_inner().iter().map(|look| look.index).collect::<Vec<_>>(), [index]);
}

#[tokio::test]
async fn each_look_names_its_own_person_and_organisation_however_often_they_looked() {
    // F3: who saw this child; the names of one answer are opened once each
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let somebody_of =
        |person, organisation| somebody(person, Role::Practitioner, (OrganisationKind::School, organisation), Capability::Query);
    staff::on_record(&store, &[&somebody_of(5, 1), &somebody_of(6, 2)]).await;
    let married = store.change(|tx| {
        let mut account = tx.account(PersonId(6))?.unwrap();
        account.name.family = "Penhaligon".try_into().unwrap();
        let mut body = tx.organisation(OrganisationId(2))?.unwrap();
        body.name = "Other body".try_into().unwrap();
        tx.put_account(&account)?;
        Ok((tx.put_organisation(&body)?, entry(Operation::AmendPerson, Vec::new())))
    });
    married.await.unwrap().into_inner();
    let looks = [(5, 1), (6, 2), (5, 1), (5, 2), (999, 999), (6, 1)];
    for (person, organisation) in looks {
        let (person, organisation) = (Some(PersonId(person)), Some(OrganisationId(organisation)));
        let look = Entry { person, organisation, ..entry(Operation::View, vec![child(1).number]) };
        store.look(|_| Ok(((), look))).await.unwrap().into_inner();
    }
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let asked = json!({"child_number": child(1).number, "reason": "audit"});
    let (page, _) = who_saw(&directory, &auditor(1), asked).await.unwrap();
    let named = |look: &Value| {
        let (person, organisation) = (&look["person"], &look["organisation"]);
        json!([person["id"], person["name"]["family"], organisation["id"], organisation["name"]])
    };
    let named: Vec<Value> = page.as_array().unwrap().iter().rev().map(named).collect();
    let (first, second) = (json!([5, "Okafor", 1, "Body"]), json!([6, "Penhaligon", 2, "Other body"]));
    let expected = [first.clone(), second, first, json!([5, "Okafor", 2, "Other body"]), json!([null, null, null, null])];
    assert_eq!(named[..5], expected);
    assert_eq!(named[5], json!([6, "Penhaligon", 1, "Body"]));
}

#[tokio::test]
async fn flags_go_on_to_the_last_and_their_place_is_of_one_person_and_of_these_days() {
    // D7: flagged for review; long lists page by opaque cursors that cannot be forged or carried to another caller
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    raised(&store, AlertKind::OwnFamily, 51).await;
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let days = |to: &str| json!({"from": "2026-01-01", "to": to});
    let (first, cursor) = flags(&directory, &auditor(1), days("2026-01-31")).await.unwrap();
    let cursor = cursor.unwrap();
    let on = |mut asked: Value| {
        asked["cursor"] = json!(cursor);
        asked
    };
    let (second, end) = flags(&directory, &auditor(1), on(days("2026-01-31"))).await.unwrap();
    assert_eq!((numbers(&[&first, &second], "id"), second.as_array().unwrap().len(), end), (51, 1, None));
    for (by, asked) in [(auditor(9), days("2026-01-31")), (auditor(1), days("2026-01-30"))] {
        assert_eq!(flags(&directory, &by, on(asked)).await.map(drop), Err(Refused::NoSuchPlace));
    }
}

#[tokio::test]
async fn counts_that_are_cut_off_say_so() {
    // D5: statistics per user, role and user-supervisor pair
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let counted = || async {
        let asked = serde_json::from_value(json!({"from": "2026-01-01", "to": "2026-01-31"})).unwrap();
        let counts = directory.alert_statistics(&auditor(1), asked, NOW).await.unwrap().into_inner().unwrap();
        let counts = serde_json::to_value(counts).unwrap();
        (["by_user", "by_pair"].map(|list| counts[list].as_array().unwrap().len()), counts["more"].as_bool().unwrap())
    };
    raised(&store, AlertKind::BreakGlass, 500).await;
    assert_eq!(counted().await, ([500, 500], false));
    raised(&store, AlertKind::BreakGlass, 501).await;
    assert_eq!(counted().await, ([500, 500], true));
}
