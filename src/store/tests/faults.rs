//! A look that fails for a fault of ours, seen from the directory above: it is an attempt all the same.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::{Operation, Outcome, RefusalCode};
use contactpoint_directory::{Directory, SearchRequest, ViewRequest};
use contactpoint_domain::{Capability, Instant, Organisation, OrganisationId, OrganisationKind, PersonId, Role};
use contactpoint_identity::Caller;
use contactpoint_store::StoreError;
use rig::{child, create, entry, raw};
use std::collections::BTreeMap;

fn teacher() -> Caller {
    let school = Organisation {
        id: OrganisationId(1),
        name: "School".try_into().unwrap(),
        kind: OrganisationKind::School,
        authority: None,
        capabilities: vec![Capability::Query],
        telephone: None,
        email: None,
        postcode: None,
        suspended: false,
    };
    Caller::dangerous_new(PersonId(1), school, &[Role::Practitioner])
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
    let now = Instant::of_millis(1_700_000_001_000);
    let number = child(1).number;
    let asked = serde_json::json!({"child_number": number, "reason": "concern"});
    let request: ViewRequest = serde_json::from_value(asked).unwrap();
    assert!(matches!(directory.view(&teacher(), &request, now).await, Err(StoreError::Damaged { table: "child", row: 1 })));
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
