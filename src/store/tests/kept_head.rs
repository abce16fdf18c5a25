//! The store held against the heads that a token keeps (rules F2, G3), as somebody with the page key could have left it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::{Checkpoint, Operation, SignError, Signer, VerifierKey};
use contactpoint_store::{OpenError, Options, Resting, Store};
use rig::{create, entry, keys, options, raw, FileSigner, ORIGIN, PAGE_KEY};
use std::path::Path;
use std::sync::Arc;

fn rested(directory: &Path) -> Resting {
    let options: Options = options();
    Store::open(directory, keys(PAGE_KEY), options, Arc::new(FileSigner::new())).unwrap()
}

async fn grown(store: &Store, entries: usize) -> Vec<u8> {
    for _ in 0..entries {
        store.change(|_| Ok(((), entry(Operation::Feed, Vec::new())))).await.unwrap().into_inner();
    }
    store.checkpoint().await.unwrap();
    store.log_checkpoint().unwrap().into_bytes()
}

/// A store of 400 entries, and the heads that were signed over the first 300 and over all.
async fn of_400(directory: &Path) -> (Vec<u8>, Vec<u8>) {
    let store = create(directory);
    let (first, all) = (grown(&store, 300).await, grown(&store, 100).await);
    store.close().await.unwrap();
    (first, all)
}

fn forged(size: u64, signer: &dyn Signer) -> Vec<u8> {
    Checkpoint { origin: ORIGIN.to_owned(), size, root: [7; 32] }.signed(signer).unwrap().into_bytes()
}

#[tokio::test]
async fn a_store_passes_before_the_heads_of_its_own_and_before_no_other() {
    // G3: held against the head on the token; F2: nothing was altered or removed
    let dir = tempfile::tempdir().unwrap();
    let (first, all) = of_400(dir.path()).await;
    let resting = rested(dir.path());
    for kept in [vec![first.clone()], vec![all.clone()], vec![all.clone(), first.clone()], vec![Vec::new(), first.clone()]] {
        resting.hold_against(&kept).unwrap();
    }
    for size in [1, 255, 256, 257, 300, 400] {
        let other = resting.hold_against(&[forged(size, &FileSigner::new()), first[..9].to_vec()]);
        assert!(matches!(other, Err(OpenError::OtherHistory { size: told }) if told == size), "{size}");
    }
    let longer = resting.hold_against(&[first, forged(401, &FileSigner::new())]);
    assert!(matches!(longer, Err(OpenError::SetBack { kept: 401, held: 400 })));
}

#[tokio::test]
async fn a_store_whose_end_was_cut_off_cleanly_is_told_by_the_token_alone() {
    // F2: nothing was removed; the thief has the page key, and takes the newest heads along with the entries
    let dir = tempfile::tempdir().unwrap();
    let (first, all) = of_400(dir.path()).await;
    let cut = "DELETE FROM leaf WHERE entry >= 300; DELETE FROM checkpoint WHERE size > 300; UPDATE looked_mark SET entry = 0;";
    raw(dir.path()).execute_batch(cut).unwrap();
    let resting = rested(dir.path());
    resting.hold_against(&[first]).unwrap();
    assert!(matches!(resting.hold_against(&[all]), Err(OpenError::SetBack { kept: 400, held: 300 })));
}

#[tokio::test]
async fn a_token_without_a_head_is_right_before_the_first_and_never_after_it() {
    // G3: a store of 0.3 never had one; whoever empties the token afterwards is told
    let dir = tempfile::tempdir().unwrap();
    let (_, all) = of_400(dir.path()).await;
    rested(dir.path()).hold_against(&[]).unwrap();
    let store = rested(dir.path()).begin_unlocked().unwrap();
    store.note_head_kept().await.unwrap();
    store.note_head_kept().await.unwrap();
    assert_eq!(store.log_size(), 400, "the note is no entry");
    store.close().await.unwrap();
    let resting = rested(dir.path());
    assert!(matches!(resting.hold_against(&[]), Err(OpenError::HeadMissing)));
    resting.hold_against(&[all]).unwrap();
}

#[tokio::test]
async fn what_the_logs_key_did_not_sign_is_no_head() {
    // F2: heads are signed in the HSM
    struct Stranger(VerifierKey, ed25519_dalek::SigningKey);
    impl Signer for Stranger {
        fn verifier_key(&self) -> &VerifierKey {
            &self.0
        }
        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
            Ok(ed25519_dalek::Signer::sign(&self.1, message).to_bytes().to_vec())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    drop(of_400(dir.path()).await);
    let key = ed25519_dalek::SigningKey::from_bytes(&[8; 32]);
    let stranger = Stranger(VerifierKey::ed25519(ORIGIN, key.verifying_key().as_bytes()).unwrap(), key);
    let resting = rested(dir.path());
    for kept in [forged(400, &stranger), Vec::new(), b"\xff\xfe".to_vec()] {
        assert!(matches!(resting.hold_against(&[kept]), Err(OpenError::HeadForged(_))));
    }
}

/// What 0.3 had, and nothing that came later.
const OF_0_3: [&str; 18] = [
    "organisation",
    "certificate",
    "account",
    "child",
    "child_history",
    "child_index",
    "child_waiting",
    "feed",
    "feed_fault",
    "leaf",
    "tile",
    "checkpoint",
    "looked",
    "looked_mark",
    "alert",
    "child_withdrawn",
    "alert_sample",
    "sqlite_sequence",
];

/// Makes the store one of 0.3, as that left it.
fn made_older(directory: &Path) {
    let connection = raw(directory);
    let mut select = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables: Vec<String> = select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    drop(select);
    for table in tables.iter().filter(|table| !OF_0_3.contains(&table.as_str())) {
        connection.execute_batch(&format!("DROP TABLE {table}")).unwrap();
    }
    connection.execute_batch("PRAGMA user_version = 2").unwrap();
}

#[tokio::test]
async fn a_store_of_an_older_version_that_is_refused_stays_byte_for_byte_what_it_was() {
    // G3: rolled-back is noticed; F2: what is refused is evidence, and is not brought up to date before it is
    let dir = tempfile::tempdir().unwrap();
    let (first, _) = of_400(dir.path()).await;
    made_older(dir.path());
    let file = dir.path().join("store.db");
    let before = std::fs::read(&file).unwrap();
    for _ in 0..2 {
        let resting = rested(dir.path());
        let set_back = resting.hold_against(&[first.clone(), forged(401, &FileSigner::new())]);
        assert!(matches!(set_back, Err(OpenError::SetBack { kept: 401, held: 400 })));
    }
    assert!(std::fs::read(&file).unwrap() == before, "the file is as it was");
    assert_eq!(std::fs::metadata(dir.path().join("store.db-wal")).map_or(0, |log| log.len()), 0, "and nothing waits to be written into it");
    // what is right is brought up to date, and opens
    let resting = rested(dir.path());
    resting.hold_against(&[first]).unwrap();
    let store = resting.begin_unlocked().unwrap();
    store.note_head_kept().await.unwrap();
    store.probe().await.unwrap();
    assert_eq!(store.log_size(), 400);
    store.close().await.unwrap();
    assert!(matches!(rested(dir.path()).hold_against(&[]), Err(OpenError::HeadMissing)));
}
