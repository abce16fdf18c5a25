//! What of the log was erased: entries of epochs whose key was destroyed (rule F2). Their leaves stay, and so do the tree and every proof.
//!
//! An entry of an erased epoch is found by nobody, since the tokens that it stood under ended with its key; what can be told is which entries of
//! the log these are. Leaves say their epoch in the clear, and an epoch's leaves stand together, so the ends are looked up and kept nowhere.
//! Leaves to others: what an epoch is (`sealing`), and how one ends (`keys`).

use crate::error::{OpenError, StoreError};
use crate::sealed::SealKeys;
use crate::snapshot::Snapshot;
use contactpoint_sealing::{EntrySealers, SealError};
use rusqlite::{Connection, OptionalExtension};

/// Entries of the log that stand together and were erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasedEntries {
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
}

impl Snapshot<'_> {
    /// The entries that were erased, in order.
    pub fn erased(&self) -> Result<Vec<ErasedEntries>, StoreError> {
        let kept: Vec<u32> = self.keys.entries.epochs().collect();
        let newest = self.keys.entries.in_use().epoch();
        let mut select = self.connection.prepare_cached("SELECT coalesce(max(entry), -1) + 1 FROM leaf")?;
        let size = select.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs();
        let mut found: Vec<ErasedEntries> = Vec::new();
        for epoch in (1..newest).filter(|epoch| !kept.contains(epoch)) {
            let (from, to) = (self.first_of(epoch, size)?, self.first_of(epoch + 1, size)?);
            match found.last_mut() {
                _ if from == to => {}
                Some(before) if before.last + 1 == from => before.last = to - 1,
                Some(_) | None => found.push(ErasedEntries { first: from, last: to - 1 }),
            }
        }
        Ok(found)
    }

    /// The first entry of an epoch or of a later one; the log's size where there is none.
    fn first_of(&self, epoch: u32, size: u64) -> Result<u64, StoreError> {
        let (mut from, mut to) = (0, size);
        while from < to {
            let middle = from + (to - from) / 2;
            if epoch_at(self.connection, middle)?.is_some_and(|found| found < epoch) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        Ok(from)
    }
}

fn epoch_at(connection: &Connection, entry: u64) -> Result<Option<u32>, StoreError> {
    let mut select = connection.prepare_cached("SELECT leaf FROM leaf WHERE entry = ?1")?;
    let leaf: Option<Vec<u8>> = select.query_row([entry.cast_signed()], |row| row.get(0)).optional()?;
    Ok(leaf.as_deref().and_then(EntrySealers::epoch_of))
}

/// Refuses to write under an epoch that is older than the log's newest entry: data-keys.toml was set back, and its epoch may be one that is about
/// to be destroyed.
pub(crate) fn refuse_older_keys(connection: &Connection, keys: &SealKeys) -> Result<(), OpenError> {
    let select = "SELECT leaf FROM leaf ORDER BY entry DESC LIMIT 1";
    let leaf: Option<Vec<u8>> = connection.query_row(select, [], |row| row.get(0)).optional()?;
    match leaf.map(|leaf| keys.entries.open(&leaf)) {
        Some(Err(SealError::OtherEpoch { .. })) => Err(OpenError::KeysOlder),
        Some(Ok(_) | Err(_)) | None => Ok(()),
    }
}
