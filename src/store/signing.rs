//! Asking the HSM to sign a head of the log, by way of a thread that nobody waits for longer than he can.
//!
//! For: that an HSM which takes a call and never comes back from it stops neither the answers that need no signature, nor the stop. What was asked
//! is asked once: whoever comes next waits for the same answer. Leaves to others: what becomes of an answer (`writer`). Does not promise: to end
//! the call, which nothing can; the thread ends with the process.

use crate::error::StoreError;
use contactpoint_audit::{Checkpoint, Signer};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, Mutex};
use tokio::time::timeout;

/// How long a signature may take before the HSM is told to hang; on a real one it takes some milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// The one signature that is under way.
#[derive(Default)]
pub(crate) struct Signing(Mutex<Option<Asked>>);

struct Asked {
    since: Instant,
    answer: oneshot::Receiver<Option<(u64, String)>>,
}

impl Signing {
    /// A head with its signature, and its size: of this head, or of the one that was asked for before and was not answered until now.
    pub(crate) async fn signed(&self, head: Checkpoint, signer: &Arc<dyn Signer>) -> Result<(u64, String), StoreError> {
        let mut under_way = self.0.lock().await;
        // INVARIANT: it stays under way until it is answered, also where whoever waits here is dropped: the HSM is asked once
        let asked = match under_way.as_mut() {
            Some(asked) => asked,
            None => under_way.insert(asked(head, Arc::clone(signer))?),
        };
        let Ok(answer) = timeout(PATIENCE, &mut asked.answer).await else {
            return Err(StoreError::SignerHangs { seconds: asked.since.elapsed().as_secs() });
        };
        *under_way = None;
        answer.ok().flatten().ok_or(StoreError::Unsigned)
    }
}

fn asked(head: Checkpoint, signer: Arc<dyn Signer>) -> Result<Asked, StoreError> {
    let (tell, answer) = oneshot::channel();
    let sign = move || {
        let signed = head.signed(signer.as_ref()).ok().map(|note| (head.size, note));
        // nobody waits for it where the store was closed meanwhile
        let _ = tell.send(signed);
    };
    // a thread of our own: the runtime's end waits for those that it lends
    let thread = std::thread::Builder::new().name("head-signer".into()).spawn(sign);
    thread.map(|_| Asked { since: Instant::now(), answer }).map_err(|_| StoreError::Unsigned)
}
