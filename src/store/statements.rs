//! What statements and evidence are made of (rules F3, F5): entries opened with their leaves, keys and audit paths, below one signed head.
//!
//! A child's looks are found by their index. A person's are found by a scan: an index of people would be one more pair for each look-up, on the
//! path of every answer, for something that is asked a few times a year. The scan begins at the first day asked for and goes in slices, between which
//! the reader is given back and others are answered; in each life of the daemon anew, since a clock that was ahead is set back when it starts. Within a
//! life entries are in the order of time, but for what the decisions of one moment are apart.

use crate::erased::ErasedEntries;
use crate::error::StoreError;
use crate::receipts::Receipts;
use crate::snapshot::{Look, Snapshot};
use crate::transaction::Transaction;
use crate::writer::Store;
use contactpoint_audit::{leaf_hash, sign_statement, Entry, Hash};
use contactpoint_domain::Instant;
use contactpoint_sealing::{EntryKey, SealError};
use rusqlite::OptionalExtension;
use std::ops::Range;

/// Entries opened between two breaths: a few milliseconds.
const SLICE: u64 = 512;

/// What clocks of one machine are off at most, before and after they were set.
const CLOCKS_OFF: u64 = 60 * 60;

/// An entry with what proves it to a stranger.
pub struct Proved {
    /// Its index.
    pub index: u64,
    /// What it says.
    pub entry: Entry,
    /// Its leaf.
    pub leaf: Vec<u8>,
    /// What opens the leaf.
    pub key: EntryKey,
    /// The leaf's hash.
    pub hash: Hash,
    /// From there to the head.
    pub path: Vec<Hash>,
}

/// What was read for an answer whose entry is not written yet. It comes out in a transaction alone, so that it leaves with its entry (rule F1):
///
/// ```compile_fail,E0423
/// let early = contactpoint_store::Prepared("an answer");
/// ```
#[must_use = "what was prepared was looked at for an answer"]
pub struct Prepared<T>(T);

impl Transaction<'_> {
    /// What was prepared: it leaves with this change's entry, or not at all.
    pub fn release<T>(&self, prepared: Prepared<T>) -> T {
        prepared.0
    }
}

impl Store {
    /// Reads what an answer will say, ahead of the change that records it: a long document does not keep the writer waiting.
    pub fn prepare<T>(&self, read: impl FnOnce(&Snapshot<'_>) -> Result<T, StoreError>) -> Result<Prepared<T>, StoreError> {
        self.read(read).map(Prepared)
    }

    /// The log's key, under its name.
    #[must_use]
    pub fn log_key(&self) -> contactpoint_audit::VerifierKey {
        self.log_signer().verifier_key().clone()
    }

    /// A statement's text, signed by the log's key in the HSM under the name of its statements.
    pub fn sign_statement(&self, text: &str) -> Result<String, StoreError> {
        sign_statement(text, self.log_signer()).map_err(|_| StoreError::Unsigned)
    }

    /// The indices of those of some entries that were written from one instant to another and that are wanted; oldest first, at most `most`.
    /// Nothing of them is answered here: what is shown of an entry is read again, for an answer that has its own.
    pub async fn entries_between(
        &self,
        (from, to): (Instant, Instant),
        among: Range<u64>,
        most: usize,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Result<Vec<u64>, StoreError> {
        let early = Instant::of_millis(from.millis().saturating_sub(CLOCKS_OFF * 1000));
        let late = to.plus_seconds(CLOCKS_OFF);
        let erased = self.read(|snapshot| snapshot.erased())?;
        let mut found = Vec::new();
        for life in self.lives(among.end)?.into_iter().filter(|life| life.end > among.start) {
            let mut next = self.first_of_life(early, &life, &erased)?.max(among.start);
            while next < life.end && found.len() < most {
                let end = life.end.min(next + SLICE);
                let looks = self.looks_between(next, end)?;
                let is_over = looks.last().is_some_and(|look| look.entry.at > late);
                let is_one = |look: &Look| (from..to).contains(&look.entry.at) && wanted(&look.entry);
                found.extend(looks.iter().filter(|look| is_one(look)).map(|look| look.index));
                if is_over {
                    break;
                }
                next = end;
                tokio::task::yield_now().await;
            }
            tokio::task::yield_now().await;
        }
        found.truncate(most);
        Ok(found)
    }

    /// Entries from one index up to, and without, another, also the newest looks; those that were erased are passed over.
    pub(crate) fn looks_between(&self, from: u64, to: u64) -> Result<Vec<Look>, StoreError> {
        self.read_log(to, |snapshot| snapshot.looks_between(from, to))
    }

    /// The entries before `size` of each life of the daemon, the oldest first; what was written before lives were noted counts as one.
    pub(crate) fn lives(&self, size: u64) -> Result<Vec<Range<u64>>, StoreError> {
        let mut begins = self.read(|snapshot| {
            let mut select = snapshot.connection.prepare_cached("SELECT entry FROM life WHERE entry > 0 AND entry < ?1 ORDER BY entry")?;
            let rows = select.query_map([size.cast_signed()], |row| row.get(0))?;
            Ok(rows.collect::<Result<Vec<i64>, _>>()?)
        })?;
        begins.insert(0, 0);
        let ends = begins.iter().skip(1).map(|begin| begin.cast_unsigned()).chain(std::iter::once(size));
        Ok(begins.iter().map(|begin| begin.cast_unsigned()).zip(ends).map(|(begin, end)| begin..end).collect())
    }

    /// The first entry of a life that is not before an instant, by halving; its end where there is none. When an erased one was written is not known; the
    /// nearest before it tells.
    pub(crate) fn first_of_life(&self, instant: Instant, life: &Range<u64>, erased: &[ErasedEntries]) -> Result<u64, StoreError> {
        let (mut from, mut to) = (life.start, life.end);
        let last = self.looks_between(to.saturating_sub(1).max(from), to)?;
        if last.last().is_some_and(|look| look.entry.at.plus_seconds(CLOCKS_OFF) < instant) {
            return Ok(to);
        }
        while from < to {
            let mut middle = from + (to - from) / 2;
            if let Some(ErasedEntries { first, last }) = erased.iter().find(|erased| (erased.first..=erased.last).contains(&middle)) {
                if *first <= from {
                    from = last + 1;
                    continue;
                }
                middle = first - 1;
            }
            let looks = self.looks_between(middle, middle + 1)?;
            if looks.first().is_some_and(|look| look.entry.at < instant) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        Ok(from)
    }
}

impl Snapshot<'_> {
    /// Entries from one index up to, and without, another; those that were erased are passed over.
    pub(crate) fn looks_between(&self, from: u64, to: u64) -> Result<Vec<Look>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT entry, leaf FROM leaf WHERE entry >= ?1 AND entry < ?2 ORDER BY entry")?;
        let rows = select.query_map((from.cast_signed(), to.cast_signed()), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let opened = rows.map(|row| self.open_look(row?));
        opened.filter(|look| !matches!(look, Err(StoreError::Seal(SealError::Erased { .. })))).collect()
    }

    /// An entry with its leaf, the leaf's key and its path below the head of `size` entries; `None` where that does not cover it.
    pub fn proved(&self, receipts: &Receipts, index: u64, size: u64) -> Result<Option<Proved>, StoreError> {
        let damaged = || StoreError::Damaged { table: "leaf", row: index.cast_signed() };
        let Some(path) = receipts.path(self, index, size)? else { return Ok(None) };
        let mut select = self.connection.prepare_cached("SELECT leaf FROM leaf WHERE entry = ?1")?;
        let leaf: Vec<u8> = select.query_row([index.cast_signed()], |row| row.get(0)).optional()?.ok_or_else(damaged)?;
        let (plain, key) = self.keys.entries.disclose(&leaf).map_err(|_| damaged())?;
        let hash = leaf_hash(&leaf);
        Ok(Some(Proved { index, entry: Entry::decode(&plain)?, leaf, key, hash, path }))
    }
}
