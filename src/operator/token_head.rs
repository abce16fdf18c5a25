//! The newest signed head of this appliance's log, on the HSM's token (rules F2, G3).
//!
//! For: the one place that knows under which name a log's head is on the token: the id of its key, as the verifier key's text has it. Leaves to
//! others: when a head is kept (the daemon), how (`keys`), and what a store is refused for (`store`).

use contactpoint_audit::{Checkpoint, VerifierKey};
use contactpoint_keys::{Custody, KeyError};
use std::sync::{Arc, Mutex, PoisonError};

/// Reads and keeps it.
#[derive(Clone)]
pub struct TokenHead {
    custody: Arc<Custody>,
    log: String,
    /// Entries under the last one kept.
    covered: Arc<Mutex<u64>>,
}

impl TokenHead {
    /// Of the log that this key verifies.
    #[must_use]
    pub fn of(custody: Arc<Custody>, key: &VerifierKey) -> Self {
        Self { custody, log: key.id().to_string(), covered: Arc::default() }
    }

    /// What the token keeps, unverified; none where no head was ever kept.
    ///
    /// # Errors
    /// Those of [`Custody::kept_heads`].
    pub fn kept(&self) -> Result<Vec<Vec<u8>>, KeyError> {
        self.custody.kept_heads(&self.log)
    }

    /// Keeps a signed head, unless a newer one was kept meanwhile. Blocks for the HSM.
    ///
    /// # Errors
    /// Those of [`Custody::keep_head`].
    pub fn keep(&self, note: &str) -> Result<(), KeyError> {
        let mut covered = self.covered.lock().unwrap_or_else(PoisonError::into_inner);
        let size = Checkpoint::read_unverified(note).map_or(0, |head| head.size);
        if size >= *covered {
            self.custody.keep_head(&self.log, note.as_bytes())?;
            *covered = size;
        }
        Ok(())
    }
}
