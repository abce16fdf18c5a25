//! A look that fails for a fault of ours, seen from the directory above: it is an attempt all the same.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::{Operation, Outcome, RefusalCode};
use contactpoint_directory::{Directory, SearchRequest, ViewRequest};
use contactpoint_domain::{
    Acceptance, Accreditation, Capability, Checks, Instant, Organisation, OrganisationId, OrganisationKind, PersonId, Role, Sponsorship,
    Texts,
};
use contactpoint_identity::{Caller, Qualifications};
use contactpoint_store::StoreError;
use rig::{child, create, entry, raw};
use std::collections::BTreeMap;

/// When the looks below happen.
const NOW: Instant = Instant::of_millis(1_767_603_600_000);

/// Somebody with every gate open at that moment.
fn teacher() -> Caller {
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
        accreditations: vec![Accreditation { capability: Capability::Query, by: PersonId(3), expires: NOW.day() }],
        responsibilities: Some(Acceptance { version: Texts::IN_FORCE.responsibilities, by: PersonId(4), at: NOW }),
        suspended: false,
        holds_new: false,
    };
    let made = Some(NOW.day());
    let checks = Checks { vetted: made, barring: made, trained: made, agreement: Some((Texts::IN_FORCE.agreement, NOW.day())) };
    let qualifications = Qualifications {
        roles: vec![Role::Practitioner],
        checks,
        supervisor: Some(PersonId(4)),
        family: "Okafor".try_into().unwrap(),
        home: None,
    };
    Caller::dangerous_new(PersonId(1), school, qualifications)
}

#[tokio::test]
async fn a_look_at_a_damaged_row_is_in_the_log_though_it_shows_nothing() {
    // F1: every access and every attempt is written durably before any answer leaves
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    for n in [1, 2] {
        let added = store.change(move |tx| Ok((tx.add_child(&child(n))?, entry(Operation::Feed, Vec::new()))));
        added.await.unwrap().into_inner();
    }
    raw(dir.path()).execute_batch("UPDATE child SET sealed = (SELECT sealed FROM child WHERE row = 2) WHERE row = 1").unwrap();
    store.probe().await.unwrap();
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let now = NOW;
    let number = child(1).number;
    let asked = serde_json::json!({"child_number": number, "reason": "concern"});
    let request: ViewRequest = serde_json::from_value(asked).unwrap();
    let refused = directory.view(&teacher(), &request, now).await;
    let Err(StoreError::Attempted { fault, entry: attempted }) = refused else { panic!("the attempt is in the log") };
    assert!(matches!(*fault, StoreError::Damaged { table: "child", row: 1 }));
    assert_eq!(attempted.index + 1, store.log_size(), "the answer names the attempt's entry");
    let asked = serde_json::json!({"child_number": number, "date_of_birth": "2011-02-02", "reason": "concern"});
    let request: SearchRequest = serde_json::from_value(asked).unwrap();
    assert!(directory.search(&teacher(), &request, now).await.is_err());

    store.index_looks().await.unwrap();
    let sought = number.clone();
    let looks = store.look(move |snapshot| Ok((snapshot.looks_at(&sought, None, 10)?, entry(Operation::WhoSaw, Vec::new()))));
    let looks = looks.await.unwrap().into_inner();
    let told: Vec<_> = looks.iter().map(|look| (look.entry.operation, look.entry.outcome)).collect();
    let fault = Outcome::Refused(RefusalCode::Fault);
    assert_eq!(told, [(Operation::Search, fault), (Operation::View, fault)]);

    // older looks are reached page by page, however many newer ones there are
    let newest = looks[0].index;
    let older = store.look(move |snapshot| Ok((snapshot.looks_at(&number, Some(newest), 10)?.len(), entry(Operation::WhoSaw, Vec::new()))));
    assert_eq!(older.await.unwrap().into_inner(), 1);
}

#[tokio::test]
async fn what_comes_after_a_job_that_made_the_engine_roll_everything_back_is_not_written() {
    // F1: an entry whose group was rolled back is gone, and none stands in a place behind it: the log would not be whole for good
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let roll_back = "CREATE TRIGGER back BEFORE UPDATE ON probe BEGIN SELECT RAISE(ROLLBACK, 'as an I/O error does'); END";
    raw(dir.path()).execute_batch(roll_back).unwrap();
    let before = store.log_size();
    let look = || store.look(|_| Ok(((), entry(Operation::View, Vec::new()))));
    // what comes while the first is written is one group with it
    let slow = store.change(|_| {
        std::thread::sleep(std::time::Duration::from_millis(500));
        Ok(((), entry(Operation::Feed, Vec::new())))
    });
    let (slow, first, probe, second) = tokio::join!(slow, look(), store.probe(), look());
    assert!(slow.is_err() && first.is_err() && probe.is_err() && second.is_err(), "none of the group is answered");
    drop(store.close().await);
    drop(store);
    raw(dir.path()).execute_batch("DROP TRIGGER back").unwrap();
    let store = rig::open(dir.path()).unwrap();
    assert_eq!(store.log_size(), before, "and none is in the store");
    store.close().await.unwrap();
}
