//! Receipts out of the store, held against the leaves that were committed (rule F2), on real SQLCipher files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::{Logged, Operation, ReceiptFault, Signer};
use contactpoint_store::{Receipts, Store};
use rig::{create, entry, open, FileSigner};

async fn looks(store: &Store, count: usize) -> Vec<Logged> {
    let mut logged = Vec::new();
    for _ in 0..count {
        let looked = store.look(|_| Ok(((), entry(Operation::Search, Vec::new())))).await.unwrap();
        logged.push(looked.logged());
        looked.into_inner();
    }
    logged
}

/// The size of the head under which each of these entries is proved to be in the log.
fn assert_proved(receipts: &Receipts, entries: &[Logged]) -> u64 {
    let signer = FileSigner::new();
    let sizes: Vec<u64> = entries
        .iter()
        .map(|logged| receipts.receipt(logged.index).unwrap().unwrap().verify(logged, signer.verifier_key()).unwrap().size)
        .collect();
    assert!(sizes.windows(2).all(|pair| pair[0] == pair[1]));
    sizes[0]
}

#[tokio::test]
async fn each_entry_has_a_receipt_once_a_signed_head_covers_it_and_none_before() {
    // F2: the log is a Merkle tree whose heads are signed; F1: each answer names the entry that was written before it left
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let receipts = Receipts::of(store.clone());
    let mut entries = looks(&store, 3).await;
    assert_eq!(entries.iter().map(|logged| logged.index).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(receipts.receipt(0).unwrap().is_none(), "no head is signed yet");
    // tiles that fill, that begin, and that grow between two heads
    for more in [0, 2, 250, 1, 1, 260, 300] {
        entries.extend(looks(&store, more).await);
        store.checkpoint().await.unwrap();
        assert_eq!(assert_proved(&receipts, &entries), entries.len() as u64);
        let uncovered = looks(&store, 1).await;
        for beyond in [uncovered[0].index, uncovered[0].index + 1, u64::MAX] {
            assert!(receipts.receipt(beyond).unwrap().is_none(), "{beyond}");
        }
        entries.extend(uncovered);
    }
    store.close().await.unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(assert_proved(&Receipts::of(store), &entries), entries.len() as u64);
}

#[tokio::test]
async fn a_receipt_is_of_its_own_leaf_alone() {
    // F2: a leaf that another entry's answer named is not proved
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let entries = looks(&store, 20).await;
    store.checkpoint().await.unwrap();
    let receipt = Receipts::of(store).receipt(7).unwrap().unwrap();
    let signer = FileSigner::new();
    let forged = Logged { index: 7, leaf: entries[8].leaf };
    assert!(matches!(receipt.verify(&forged, signer.verifier_key()), Err(ReceiptFault::Proof { index: 7, .. })));
    assert!(matches!(receipt.verify(&entries[8], signer.verifier_key()), Err(ReceiptFault::OtherEntry { expected: 8, found: 7 })));
}
