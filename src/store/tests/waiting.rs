//! Looks that wait for their index while somebody asks who saw one child (rule F3).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;
mod staff;

use contactpoint_audit::Operation;
use contactpoint_directory::Directory;
use contactpoint_domain::{Capability, ChildNumber, OrganisationKind, Role};
use contactpoint_store::Store;
use rig::{create, entry, raw};
use serde_json::{json, Value};
use staff::{somebody, NOW};
use std::collections::BTreeMap;

/// Fewer than are put down beside other work, and more than an idle moment puts down.
const OTHERS: u32 = 40_000;

fn number(n: u32) -> ChildNumber {
    ChildNumber::with_body(n)
}

/// Views of others, so many at a time that the store is never idle.
async fn others_are_viewed(store: &Store) {
    for begin in (1..=OTHERS).step_by(500) {
        let looks = (begin..begin + 500).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.look(|_| Ok(((), entry(Operation::View, vec![number(n)])))).await.map(drop).unwrap() })
        });
        for look in looks.collect::<Vec<_>>() {
            look.await.unwrap();
        }
    }
}

#[tokio::test]
async fn who_asks_about_one_child_does_not_keep_every_answer_waiting_until_all_others_are_in_the_index() {
    // F3: fast, also on a busy day; what the answer says is complete all the same
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let auditor = somebody(1, Role::Auditor, (OrganisationKind::Auditor, 3), Capability::Audit);
    let view = || async { store.look(|_| Ok(((), entry(Operation::View, vec![number(0)])))).await.map(drop).unwrap() };
    view().await;
    others_are_viewed(&store).await;
    view().await;
    let question = serde_json::from_value(json!({"child_number": number(0), "reason": "audit"})).unwrap();
    let answer = directory.who_saw(&auditor, &question, NOW).await.unwrap().into_inner().unwrap();
    let answer: Value = serde_json::to_value(answer).unwrap();
    let indexed: u32 = raw(dir.path()).query_row("SELECT count(*) FROM looked", [], |row| row.get(0)).unwrap();
    let told: Vec<_> = answer["looks"].as_array().unwrap().iter().map(|look| look["entry"].as_u64().unwrap()).collect();
    assert_eq!(told, [u64::from(OTHERS) + 1, 0]);
    assert!(indexed < OTHERS / 2, "{indexed} of the others were put down for it");
    // what was put down before its turn is not put down twice, and the rest is not lost
    store.index_looks().await.unwrap();
    let indexed: u32 = raw(dir.path()).query_row("SELECT count(*) FROM looked", [], |row| row.get(0)).unwrap();
    assert_eq!(indexed, OTHERS + 3, "each of the others, the two, and the question");
}
