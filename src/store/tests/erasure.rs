//! What was erased, in the store that is in use and in copies of it that somebody kept; and that the log stays whole over it (rules F2, I2).
//!
//! The HSM is played by which epochs' keys a store is given; that a real one gives no other is `keys`' own test.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::{verify, Logged, Operation, Receipt, Signer};
use contactpoint_domain::{ChildNumber, ChildRecord};
use contactpoint_store::{ErasedEntries, KeyMove, OpenError, Receipts, Store, StoreError, Unmoved};
use rig::{child, create, entry, keys_of, open_with, raw, school, FileSigner};
use std::ops::ControlFlow;
use std::path::Path;
use tempfile::TempDir;

async fn add(store: &Store, record: &ChildRecord) {
    let (record, number) = (record.clone(), record.number.clone());
    let added = store.change(move |tx| {
        tx.add_child(&record)?;
        Ok(((), entry(Operation::Feed, vec![number])))
    });
    added.await.unwrap().into_inner();
}

async fn view(store: &Store, number: &ChildNumber) -> (Result<bool, StoreError>, Logged) {
    let looked =
        store.look(|snapshot| Ok((snapshot.child(number).map(|held| held.is_some()), entry(Operation::View, vec![number.clone()]))));
    let looked = looked.await.unwrap();
    let logged = looked.logged();
    (looked.into_inner(), logged)
}

/// Who saw a child, by entry, and what was erased.
async fn seen(store: &Store, number: &ChildNumber) -> (Vec<u64>, Vec<ErasedEntries>) {
    store.index_looks().await.unwrap();
    let asked = store.look(|snapshot| {
        let looks = snapshot.looks_at(number, None, 100)?;
        Ok(((looks.iter().map(|look| look.index).collect(), snapshot.erased()?), entry(Operation::WhoSaw, Vec::new())))
    });
    asked.await.unwrap().into_inner()
}

/// A copy as somebody keeps one: of the closed store's file.
fn copied(directory: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(directory.join("store.db"), copy.path().join("store.db")).unwrap();
    copy
}

/// Verifies the log from its tiles and its signed head alone, as anybody can who has the public key.
fn verified(store: &Store) -> u64 {
    let (tiles, size) = (tempfile::tempdir().unwrap(), store.log_size());
    let partial = size % 256;
    assert!(size < 256);
    for path in [format!("tile/0/000.p/{partial}"), format!("tile/entries/000.p/{partial}")] {
        let file = tiles.path().join(&path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, store.log_tile(&path).unwrap().unwrap()).unwrap();
    }
    std::fs::write(tiles.path().join("checkpoint"), store.log_checkpoint().unwrap()).unwrap();
    verify::directory(tiles.path(), FileSigner::new().verifier_key()).unwrap().size
}

/// A store with five entries of epoch 1 about a child, closed; and the receipt of the view among them.
async fn of_epoch_one(directory: &Path) -> (ChildRecord, Logged, Receipt) {
    let (store, record) = (create(directory), child(1));
    add(&store, &record).await;
    let (_, logged) = view(&store, &record.number).await;
    for n in 2..5 {
        add(&store, &child(n)).await;
    }
    store.checkpoint().await.unwrap();
    let receipt = Receipts::of(store.clone()).receipt(logged.index).unwrap().unwrap();
    store.close().await.unwrap();
    (record, logged, receipt)
}

#[tokio::test]
async fn entries_of_a_destroyed_epoch_are_unreadable_in_every_copy_and_the_log_stays_whole() {
    // F2: destroying an epoch's key makes its entries unreadable; the tree and every proof verify all the same
    let dir = tempfile::tempdir().unwrap();
    let (record, logged, receipt) = of_epoch_one(dir.path()).await;
    let store = open_with(dir.path(), keys_of(&[1, 2], &[1])).unwrap();
    view(&store, &record.number).await.0.unwrap();
    assert_eq!(seen(&store, &record.number).await, (vec![5, 1, 0], Vec::new()), "both epochs open");
    store.close().await.unwrap();
    let copy = copied(dir.path());

    let erased = vec![ErasedEntries { first: 0, last: 4 }];
    for directory in [dir.path(), copy.path()] {
        let store = open_with(directory, keys_of(&[2], &[1])).unwrap();
        assert_eq!(seen(&store, &record.number).await, (vec![5], erased.clone()));
        let mut newest = Vec::new();
        store
            .newest_entries(100, |entry| {
                newest.push(entry.operation);
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(newest.last(), Some(&Operation::View), "reading backwards ends where the erased begin");
        store.checkpoint().await.unwrap();
        assert_eq!(verified(&store), store.log_size());
        let signer = FileSigner::new();
        receipt.verify(&logged, signer.verifier_key()).unwrap();
        Receipts::of(store.clone()).receipt(logged.index).unwrap().unwrap().verify(&logged, signer.verifier_key()).unwrap();
        store.close().await.unwrap();
    }
    // without the destroying the same copy opens: the test above can fail
    let store = open_with(copy.path(), keys_of(&[1, 2], &[1])).unwrap();
    assert_eq!(seen(&store, &record.number).await.0, [5, 1, 0]);
}

#[tokio::test]
async fn a_crash_before_the_index_was_whole_does_not_keep_a_store_with_an_erased_epoch_down() {
    // F2, F3: what cannot be indexed any more is passed over, and what can be is not lost
    let dir = tempfile::tempdir().unwrap();
    let (record, ..) = of_epoch_one(dir.path()).await;
    let store = open_with(dir.path(), keys_of(&[1, 2], &[1])).unwrap();
    view(&store, &record.number).await.0.unwrap();
    store.close().await.unwrap();
    raw(dir.path()).execute_batch("DELETE FROM looked; UPDATE looked_mark SET entry = 0").unwrap();
    let store = open_with(dir.path(), keys_of(&[2], &[1])).unwrap();
    assert_eq!(seen(&store, &record.number).await.0, [5]);
}

#[tokio::test]
async fn a_store_does_not_open_beside_keys_that_are_older_than_its_newest_entry() {
    // F2: nothing is sealed under an epoch that is about to be destroyed
    let dir = tempfile::tempdir().unwrap();
    let (record, ..) = of_epoch_one(dir.path()).await;
    let store = open_with(dir.path(), keys_of(&[1, 2], &[1])).unwrap();
    view(&store, &record.number).await.0.unwrap();
    store.close().await.unwrap();
    assert!(matches!(open_with(dir.path(), keys_of(&[1], &[1])), Err(OpenError::KeysOlder)));
}

async fn destroy(store: &Store, number: &ChildNumber) -> Result<(), StoreError> {
    let number = number.clone();
    let destroyed = store.change(move |tx| Ok((tx.destroy_child(&number)?, entry(Operation::DestroyRecord, vec![number]))));
    destroyed.await.map(|done| done.into_inner())
}

/// Moves every key in slices of `slice`; how many slices it took.
async fn move_all(store: &Store, slice: u32) -> usize {
    let (mut slices, mut at) = (0, KeyMove::default());
    while store.move_keys(&mut at, slice).await.unwrap() > 0 {
        slices += 1;
    }
    slices
}

/// A store with an organisation and children 1 to 4, of which the first has a history; closed.
async fn of_four_children(directory: &Path) {
    let store = create(directory);
    let made = store.change(|tx| Ok((drop(tx.add_organisation(&school())?), entry(Operation::EnrolOrganisation, Vec::new()))));
    made.await.unwrap().into_inner();
    for n in 1..5 {
        add(&store, &child(n)).await;
    }
    let changed = store.change(|tx| {
        let number = child(1).number;
        let held = tx.child(&number)?.ok_or(StoreError::Unknown("child"))?;
        let mut record = held.record.clone();
        record.statements[0].address = None;
        tx.put_child(&held, &record)?;
        Ok(((), entry(Operation::Feed, vec![number])))
    });
    changed.await.unwrap().into_inner();
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_destroyed_record_is_unreadable_in_every_copy_once_its_epoch_ends_and_the_others_are_not() {
    // I2: destroyed, by destroying its key
    let dir = tempfile::tempdir().unwrap();
    of_four_children(dir.path()).await;
    let copy = copied(dir.path());
    let (gone, stays) = (child(1).number, child(2).number);

    let store = open_with(dir.path(), keys_of(&[1], &[1, 2])).unwrap();
    destroy(&store, &gone).await.unwrap();
    assert!(!view(&store, &gone).await.0.unwrap() && view(&store, &stays).await.0.unwrap());
    assert!(matches!(destroy(&store, &gone).await, Err(StoreError::Unknown("child"))), "once is enough");
    let left = store.unmoved().await.unwrap();
    let of = |table: &str, rows| Unmoved { table: table.to_owned(), rows };
    assert_eq!(left, [of("child", 3), of("organisation", 1)]);
    assert_eq!(move_all(&store, 2).await, 2);
    assert!(store.unmoved().await.unwrap().is_empty());
    store.forget_destroyed().await.unwrap();
    store.close().await.unwrap();

    // the former epoch's key is gone from the HSM
    let store = open_with(dir.path(), keys_of(&[1], &[2])).unwrap();
    assert!(!view(&store, &gone).await.0.unwrap());
    for n in 2..5 {
        assert!(view(&store, &child(n).number).await.0.unwrap(), "{n}");
    }
    assert!(store.registry(|registry| registry.organisation(contactpoint_domain::OrganisationId(1))).unwrap().is_some());
    store.checkpoint().await.unwrap();
    assert_eq!(verified(&store), store.log_size());
    store.close().await.unwrap();

    // the old copy: neither the record nor its history, nor anybody else's, and not by trying either
    let old = open_with(copy.path(), keys_of(&[1], &[2])).unwrap();
    assert!(matches!(view(&old, &gone).await.0, Err(StoreError::Damaged { table: "child", .. })));
    old.checkpoint().await.unwrap();
    assert_eq!(verified(&old), old.log_size());
    old.close().await.unwrap();
    let old = open_with(copy.path(), keys_of(&[1], &[1])).unwrap();
    assert!(view(&old, &gone).await.0.unwrap(), "without the destroying the same copy opens: the test can fail");
}

#[tokio::test]
async fn nothing_that_a_destroyed_record_was_found_by_stays_in_the_store_but_its_number() {
    // I2: destroyed; A4: and its number is never another child's
    let dir = tempfile::tempdir().unwrap();
    of_four_children(dir.path()).await;
    let count = |sql: &str| -> i64 { raw(dir.path()).query_row(sql, [], |row| row.get(0)).unwrap() };
    let waiting = "SELECT coalesce(sum(length(pairs)) / 16, 0) FROM child_waiting";
    let all = count(waiting);
    let store = open_with(dir.path(), keys_of(&[1], &[1, 2])).unwrap();
    destroy(&store, &child(1).number).await.unwrap();
    store.forget_destroyed().await.unwrap();
    store.close().await.unwrap();
    assert_eq!(count("SELECT count(*) FROM child_history"), 0);
    assert_eq!(count("SELECT length(key) + length(sealed) FROM child WHERE row = 1"), 0);
    assert_eq!(count("SELECT count(*) FROM child_withdrawn"), 0);
    assert_eq!(count("SELECT count(*) FROM child_index"), 1, "they were still waiting, and the number alone stays taken");
    assert!(count(waiting) < all && count(waiting) > 0);
    let store = open_with(dir.path(), keys_of(&[1], &[1, 2])).unwrap();
    let said = child(1).statements[0].clone();
    let found = store.look(move |snapshot| Ok((snapshot.candidates_for(&said)?.len(), entry(Operation::Search, Vec::new()))));
    assert_eq!(found.await.unwrap().into_inner(), 0);
    assert!(!view(&store, &child(1).number).await.0.unwrap(), "nobody has that number");
    let again = ChildRecord { number: child(9).number, ..child(1) };
    add(&store, &again).await;
    let rows = store.look(|snapshot| Ok((snapshot.child(&child(9).number)?.is_some(), entry(Operation::View, Vec::new()))));
    assert!(rows.await.unwrap().into_inner(), "a feed that brings the child again makes a record of its own");
}

#[tokio::test]
async fn a_move_goes_through_the_rows_once_and_one_that_begins_anew_finds_what_was_left() {
    // I2: in proportion to the store; what is left behind is told before the former epoch's key is destroyed
    let dir = tempfile::tempdir().unwrap();
    of_four_children(dir.path()).await;
    let former: Vec<u8> = raw(dir.path()).query_row("SELECT key FROM child WHERE row = 1", [], |row| row.get(0)).unwrap();
    let store = open_with(dir.path(), keys_of(&[1], &[1, 2])).unwrap();
    let mut at = KeyMove::default();
    assert_eq!(store.move_keys(&mut at, 3).await.unwrap(), 3, "the organisation and two children");
    raw(dir.path()).execute("UPDATE child SET key = ?1 WHERE row = 1", [&former]).unwrap();
    assert_eq!(store.move_keys(&mut at, 3).await.unwrap(), 2, "no row is looked at again");
    assert_eq!(store.move_keys(&mut at, 3).await.unwrap(), 0);
    assert_eq!(store.unmoved().await.unwrap(), [Unmoved { table: "child".to_owned(), rows: 1 }]);
    assert_eq!(move_all(&store, 3).await, 1);
    assert!(store.unmoved().await.unwrap().is_empty() && view(&store, &child(1).number).await.0.unwrap());
}

#[tokio::test]
#[ignore = "a measurement: cargo test --release -p contactpoint-store --test erasure -- --ignored --nocapture"]
async fn moving_the_keys_of_a_large_store_takes_as_long_as_it_is_large() {
    for (rows, anew) in [(10_000, false), (20_000, false), (40_000, false), (10_000, true), (20_000, true), (40_000, true)] {
        let dir = tempfile::tempdir().unwrap();
        let store = create(dir.path());
        for from in (0..rows).step_by(1000) {
            let added = store.change(move |tx| {
                (from..from + 1000).try_for_each(|n| tx.add_child(&child(n)))?;
                Ok(((), entry(Operation::Feed, Vec::new())))
            });
            added.await.unwrap().into_inner();
        }
        store.close().await.unwrap();
        let store = open_with(dir.path(), keys_of(&[1], &[1, 2])).unwrap();
        let (begun, mut at) = (std::time::Instant::now(), KeyMove::default());
        while store.move_keys(&mut at, 1000).await.unwrap() > 0 {
            at = if anew { KeyMove::default() } else { at };
        }
        println!("{rows} rows, {}: {:?}", if anew { "from the first on in each slice" } else { "from the last on" }, begun.elapsed());
    }
}

#[tokio::test]
async fn a_row_that_does_not_open_stops_the_move_before_anything_is_lost() {
    // G3: altered rows are noticed; I2: and no key is destroyed under them
    let dir = tempfile::tempdir().unwrap();
    of_four_children(dir.path()).await;
    raw(dir.path()).execute_batch("UPDATE child SET key = (SELECT key FROM child WHERE row = 2) WHERE row = 3").unwrap();
    let store = open_with(dir.path(), keys_of(&[1], &[1, 2])).unwrap();
    assert!(matches!(store.move_keys(&mut KeyMove::default(), 100).await, Err(StoreError::Damaged { table: "child", row: 3 })));
    assert_eq!(store.unmoved().await.unwrap(), [Unmoved { table: "child".to_owned(), rows: 2 }], "it and what comes behind it are left");
    for n in [1, 2, 4] {
        assert!(view(&store, &child(n).number).await.0.unwrap(), "{n}");
    }
}
