//! An HSM that does not come back from a signature, and heads that were signed and not kept (rule F2).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::{Operation, SignError, Signer, VerifierKey};
use contactpoint_store::{Committed, Store, StoreError};
use rig::{child, entry, keys, options, raw, FileSigner, PAGE_KEY};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A signer that can be held up, and can be away.
struct Held {
    by: FileSigner,
    holds: Mutex<()>,
    asked: AtomicU32,
    refuses: AtomicU32,
}

impl Signer for Held {
    fn verifier_key(&self) -> &VerifierKey {
        self.by.verifier_key()
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        drop(self.holds.lock().unwrap_or_else(PoisonError::into_inner));
        if self.refuses.load(Ordering::SeqCst) > 0 {
            return Err(SignError::Refused("no token".into()));
        }
        self.by.sign(message)
    }
}

fn signer() -> Arc<Held> {
    Arc::new(Held { by: FileSigner::new(), holds: Mutex::new(()), asked: AtomicU32::new(0), refuses: AtomicU32::new(0) })
}

fn created(directory: &Path, signer: &Arc<Held>) -> Store {
    let signer = Arc::clone(signer) as Arc<dyn Signer>;
    Store::create(directory, keys(PAGE_KEY), options(), signer).unwrap().begin_unlocked().unwrap()
}

async fn look(store: &Store) -> Result<(), StoreError> {
    let looked = store.look(|snapshot| Ok((snapshot.child(&child(1).number)?.is_some(), entry(Operation::View, Vec::new()))));
    looked.await.map(Committed::into_inner).map(drop)
}

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "the lock is what holds the signer up, on a thread of its own")]
async fn an_hsm_that_hangs_holds_up_nobody_but_what_it_signs_and_is_told_of_with_its_seconds() {
    // F2: heads are signed in the HSM; what hangs is noticed, and is not asked again and again
    let dir = tempfile::tempdir().unwrap();
    let signer = signer();
    let store = created(dir.path(), &signer);
    look(&store).await.unwrap();
    store.checkpoint().await.unwrap();
    let asked = signer.asked.load(Ordering::SeqCst);
    look(&store).await.unwrap();
    let held = signer.holds.lock().unwrap();
    let begun = Instant::now();
    // on one thread, as the arms of the daemon's upkeep are
    let (hung, answered) = tokio::join!(store.checkpoint(), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        look(&store).await.unwrap();
        begun.elapsed()
    });
    assert!(answered < Duration::from_secs(2), "{answered:?}");
    assert!(matches!(hung, Err(StoreError::SignerHangs { seconds: 3.. })), "{hung:?}");
    assert!(matches!(look(&store).await, Err(StoreError::Unsigned)), "nothing is answered that no head would cover");
    assert!(matches!(store.checkpoint().await, Err(StoreError::SignerHangs { seconds: 6.. })), "told with its seconds");
    assert_eq!(signer.asked.load(Ordering::SeqCst), asked + 1, "asked once");
    drop(held);
    store.checkpoint().await.unwrap();
    look(&store).await.unwrap();
    assert_eq!(store.newest_head().unwrap().0, store.log_size() - 1, "the head covers what came while it was waited for");
    store.close().await.unwrap();
}

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "the lock is what holds the signer up, on a thread of its own")]
async fn whoever_comes_after_one_that_was_dropped_waits_for_the_same_signature() {
    // F2: the daemon's stop drops the arm that waits for the HSM, and asks one that hangs no second time
    let dir = tempfile::tempdir().unwrap();
    let signer = signer();
    let store = created(dir.path(), &signer);
    look(&store).await.unwrap();
    let asked = signer.asked.load(Ordering::SeqCst);
    let held = signer.holds.lock().unwrap();
    tokio::time::timeout(Duration::from_millis(200), store.checkpoint()).await.unwrap_err();
    let (stop, ()) = tokio::join!(store.checkpoint(), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(signer.asked.load(Ordering::SeqCst), asked + 1, "asked once");
        drop(held);
    });
    stop.unwrap();
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_head_that_was_signed_and_not_kept_does_not_count_as_signed() {
    // F2: the head that covers an answer is one that is in the store
    let dir = tempfile::tempdir().unwrap();
    let signer = signer();
    let store = created(dir.path(), &signer);
    look(&store).await.unwrap();
    signer.refuses.store(1, Ordering::SeqCst);
    for _ in 0..3 {
        assert!(matches!(store.checkpoint().await, Err(StoreError::Unsigned)));
    }
    signer.refuses.store(0, Ordering::SeqCst);
    raw(dir.path()).execute_batch("CREATE TRIGGER none BEFORE INSERT ON checkpoint BEGIN SELECT RAISE(FAIL, 'not kept'); END").unwrap();
    store.checkpoint().await.unwrap_err();
    assert!(matches!(look(&store).await, Err(StoreError::Unsigned)));
    raw(dir.path()).execute_batch("DROP TRIGGER none").unwrap();
    store.checkpoint().await.unwrap();
    look(&store).await.unwrap();
    store.close().await.unwrap();
}
