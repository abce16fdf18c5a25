//! The glass broken over this store: entry, alert and grant are there together, or none of them is (rules D4, F1).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;
mod staff;

use contactpoint_audit::{Change, Entry, Operation, Outcome, RefusalCode};
use contactpoint_directory::{BreakGlassRequest, Directory, Refused, ViewRequest};
use contactpoint_domain::{Addressee, Capability, OrganisationKind, PersonId, Role};
use contactpoint_identity::{Caller, Confirmed, IdentityRefusal};
use contactpoint_store::Store;
use rig::{child, create, entry, open, raw};
use serde_json::json;
use sha2::{Digest, Sha256};
use staff::{on_record, somebody, suspend, NOW};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Of a school that does not work with the child.
fn teacher() -> Caller {
    somebody(1, Role::Practitioner, (OrganisationKind::School, 2), Capability::Query)
}

async fn sees(directory: &Directory) -> Result<(), Refused> {
    let asked: ViewRequest = serde_json::from_value(json!({"child_number": child(1).number, "reason": "concern"})).unwrap();
    directory.view(&teacher(), &asked, NOW).await.unwrap().into_inner().map(drop)
}

fn newest(store: &Store) -> Entry {
    let mut newest = None;
    let keep = |entry: &Entry| {
        newest = Some(entry.clone());
        ControlFlow::Break(())
    };
    store.newest_entries(1, keep).unwrap();
    newest.unwrap()
}

#[tokio::test]
async fn a_broken_glass_its_alert_and_its_entry_are_one_transaction() {
    // D4: the supervisor is alerted in the same transaction; F1: if the entry cannot be written, nothing is answered
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let added = store.change(|tx| Ok((tx.add_child(&child(1))?, entry(Operation::Feed, Vec::new()))));
    added.await.unwrap().into_inner();
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let by = teacher();
    on_record(&store, &[&by]).await;
    let breaks = || {
        let asked = json!({"child_number": child(1).number, "reason": "missing", "code": "000000"});
        let asked: BreakGlassRequest = serde_json::from_value(asked).unwrap();
        directory.break_glass(&by, asked, Ok(Confirmed::dangerous_of(&by)), NOW)
    };
    let raised = || -> i64 { raw(dir.path()).query_row("SELECT count(*) FROM alert", [], |row| row.get(0)).unwrap() };

    raw(dir.path()).execute_batch("CREATE TRIGGER no_more BEFORE INSERT ON alert BEGIN SELECT raise(ABORT, 'no'); END").unwrap();
    let before = store.log_size();
    assert!(breaks().await.is_err(), "its alert cannot be raised");
    raw(dir.path()).execute_batch("DROP TRIGGER no_more").unwrap();
    assert_eq!((raised(), store.log_size()), (0, before), "no entry of an act that did not come about");
    assert_eq!(sees(&directory).await, Err(Refused::NotFoundOrNotYours));

    let before = store.log_size();
    assert!(breaks().await.unwrap().into_inner().is_ok());
    assert_eq!((raised(), store.log_size()), (1, before + 1), "one entry for both");
    let kept: Vec<u8> = raw(dir.path()).query_row("SELECT sealed FROM alert", [], |row| row.get(0)).unwrap();
    let Entry { operation, changes, .. } = newest(&store);
    let digests: Vec<[u8; 16]> = changes.iter().map(|Change { digest, .. }| *digest).collect();
    assert_eq!((operation, &digests[..]), (Operation::BreakGlass, &[Sha256::digest(&kept)[..16].try_into().unwrap()][..]));
    assert_eq!(sees(&directory).await, Ok(()));
    let alerts = store
        .look(|snapshot| Ok((snapshot.overdue_acts_of(PersonId(1), NOW.day().plus_years(1))?, entry(Operation::ReadAlerts, Vec::new()))));
    assert_eq!(alerts.await.unwrap().into_inner()[0].to, Some(Addressee::Supervisor(PersonId(4))));

    // without its entry: the store stops there, and what it had before is what it opens with
    let before = store.log_size();
    raw(dir.path()).execute_batch("CREATE TRIGGER no_more BEFORE INSERT ON leaf BEGIN SELECT raise(ABORT, 'no'); END").unwrap();
    assert!(breaks().await.is_err(), "its entry cannot be written");
    raw(dir.path()).execute_batch("DROP TRIGGER no_more").unwrap();
    drop(directory);
    drop(store);
    assert_eq!((raised(), open(dir.path()).unwrap().log_size()), (1, before), "no second alert");
}

#[tokio::test]
async fn whoever_was_suspended_meanwhile_breaks_no_glass() {
    // B4: suspension takes effect on the next request; here it comes between the proof at the door and the turn of the transaction
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let added = store.change(|tx| Ok((tx.add_child(&child(1))?, entry(Operation::Feed, Vec::new()))));
    added.await.unwrap().into_inner();
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let by = teacher();
    on_record(&store, &[&by]).await;
    suspend(&store, by.organisation_id()).await;
    let asked = json!({"child_number": child(1).number, "reason": "missing", "code": "000000"});
    let asked: BreakGlassRequest = serde_json::from_value(asked).unwrap();
    let broken = directory.break_glass(&by, asked, Ok(Confirmed::dangerous_of(&by)), NOW).await.unwrap();
    assert_eq!(broken.into_inner().map(drop), Err(Refused::Caller(IdentityRefusal::OrganisationSuspended)));
    let Entry { operation, children, outcome, .. } = newest(&store);
    assert_eq!(
        (operation, children, outcome),
        (Operation::BreakGlass, vec![child(1).number], Outcome::Refused(RefusalCode::OrganisationSuspended))
    );
    let alerts = store.look(|snapshot| {
        Ok((snapshot.overdue_acts_of(PersonId(1), NOW.day().plus_years(1))?.len(), entry(Operation::ReadAlerts, Vec::new())))
    });
    assert_eq!(alerts.await.unwrap().into_inner(), 0);
    assert_eq!(sees(&directory).await, Err(Refused::NotFoundOrNotYours), "and nothing was opened");
}
