//! The store held against the heads that the HSM's token keeps of its log (rules F2, G3).
//!
//! For: that an older copy of the whole store, one with its end cut off, and one with another history do not open: each is consistent with itself
//! and signed. A store that has more than the token knows of is as it must be: a head is put there after it is in the store, and not each.
//! Leaves to others: keeping heads on the token (`keys`), which are newer than which of ours (`audit`). Does not promise: to notice a store that
//! was set back no further than the token's head.

use crate::error::{OpenError, StoreError};
use crate::log;
use crate::writer::{Resting, Store};
use contactpoint_audit::{Checkpoint, VerifierKey};
use rusqlite::Connection;

impl Resting {
    /// Refuses a store that is not the one, or a later state of the one, whose heads these are: notes as they were read from the token. The
    /// newest that the log's key signed counts. None at all is right for a store that was never told of one ([`Store::note_head_kept`]).
    ///
    /// # Errors
    /// [`OpenError::SetBack`], [`OpenError::OtherHistory`], [`OpenError::HeadMissing`], [`OpenError::HeadForged`].
    pub fn hold_against(&self, kept: &[Vec<u8>]) -> Result<(), OpenError> {
        let (connection, held) = (&self.connection, self.tree.size());
        let Some(head) = newest(kept, self.signer.verifier_key())? else {
            return if was_kept(connection)? { Err(OpenError::HeadMissing) } else { Ok(()) };
        };
        if head.size > held {
            return Err(OpenError::SetBack { kept: head.size, held });
        }
        if log::resume_at(connection, head.size)?.root() != head.root {
            return Err(OpenError::OtherHistory { size: head.size });
        }
        Ok(())
    }
}

impl Store {
    /// Notes, for good, that a head of this log is on the token: from now on the store does not open beside a token without one.
    pub async fn note_head_kept(&self) -> Result<(), StoreError> {
        self.run(|group| group.note_head_kept()).await
    }
}

/// The newest of these heads that the key signed; `None` where there is none at all.
fn newest(kept: &[Vec<u8>], key: &VerifierKey) -> Result<Option<Checkpoint>, OpenError> {
    let opened = kept.iter().map(|note| opened(note, key));
    let (signed, faults): (Vec<_>, Vec<_>) = opened.partition(Result::is_ok);
    match (signed.into_iter().flatten().max_by_key(|head| head.size), faults.into_iter().find_map(Result::err)) {
        (Some(head), _) => Ok(Some(head)),
        (None, Some(fault)) => Err(OpenError::HeadForged(fault)),
        (None, None) => Ok(None),
    }
}

fn opened(note: &[u8], key: &VerifierKey) -> Result<Checkpoint, String> {
    let note = std::str::from_utf8(note).map_err(|fault| fault.to_string())?;
    Checkpoint::open(note, key).map_err(|fault| fault.to_string())
}

/// A store of before 0.4 has no such table: it is held against the token before its schema is brought up to date.
fn was_kept(connection: &Connection) -> rusqlite::Result<bool> {
    if !connection.table_exists(None, "head_kept")? {
        return Ok(false);
    }
    connection.query_row("SELECT EXISTS (SELECT 1 FROM head_kept)", [], |row| row.get(0))
}
