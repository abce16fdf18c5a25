//! The index "who looked at this child" (rule F3), kept a little behind the log and made up for before it is asked.
//!
//! Tokens are random, so each insert dirties a page of its own. What is pending is therefore kept sorted in memory and put down in
//! slices of neighbouring tokens, which share pages. Nothing is lost by a crash: the index is made again from the log, from the mark on.

use crate::children;
use crate::error::{OpenError, StoreError};
use crate::sealed::SealKeys;
use contactpoint_audit::{Entry, Operation, Outcome};
use contactpoint_domain::ChildNumber;
use contactpoint_sealing::SealError;
use rusqlite::{params, Connection};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

/// A look that is in the log and not yet in the index.
pub(crate) type Pair = ([u8; 16], u64);

/// From here on, slices are put down while the store is busy. The more wait, the more of a slice's neighbours share a page; each takes some
/// 60 bytes here, and a microsecond at the start after a crash.
const BUSY_ENOUGH: usize = 1 << 17;

/// The looks that wait for the index.
#[derive(Default)]
pub(crate) struct Pending {
    pairs: BTreeSet<Pair>,
    /// How many pairs of each entry wait: its first key is the mark.
    entries: BTreeMap<u64, u32>,
    cursor: Option<Pair>,
}

/// The tokens under which an entry is indexed: one for each child that it names, whatever was done, and one more for a child whose record
/// another was settled to be of.
pub(crate) fn tokens_of(keys: &SealKeys, entry: &Entry) -> Vec<[u8; 16]> {
    tokens_under(keys, keys.entries.in_use().epoch(), entry)
}

fn tokens_under(keys: &SealKeys, epoch: u32, entry: &Entry) -> Vec<[u8; 16]> {
    let mut tokens: Vec<[u8; 16]> = entry.children.iter().map(|number| children::looked_token_of(keys, epoch, number)).collect();
    tokens.extend(settled(entry).map(|(_, child)| children::settled_token_of(keys, epoch, child)));
    tokens
}

/// The tokens under which the index has what concerns a child, of each epoch.
pub(crate) fn all_tokens_of(keys: &SealKeys, number: &ChildNumber) -> Vec<[u8; 16]> {
    let of = |epoch| [children::looked_token_of(keys, epoch, number), children::settled_token_of(keys, epoch, number)];
    keys.entries.epochs().flat_map(of).collect()
}

/// The record that an entry settled, and the child that it was settled to be: the looks at the one are looks at the other (rule F3).
pub(crate) fn settled(entry: &Entry) -> Option<(&ChildNumber, &ChildNumber)> {
    match (entry.operation, entry.outcome, entry.children.as_slice()) {
        (Operation::SettleRecord, Outcome::Answered, [held, child, ..]) => Some((held, child)),
        _ => None,
    }
}

impl Pending {
    /// The looks that the log has beyond the mark.
    pub(crate) fn resume(connection: &Connection, keys: &SealKeys) -> Result<Self, OpenError> {
        let mut pending = Self::default();
        let mark: i64 = connection.query_row("SELECT entry FROM looked_mark", [], |row| row.get(0))?;
        let mut select = connection.prepare("SELECT entry, leaf FROM leaf WHERE entry >= ?1")?;
        let mut rows = select.query([mark])?;
        while let Some(row) = rows.next()? {
            let (index, leaf): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let damaged = || OpenError::Log(format!("entry {index} does not open"));
            let opened = match keys.entries.open(&leaf) {
                // nobody can say any more whom it tells of
                Err(SealError::Erased { .. }) => continue,
                opened => opened.map_err(|_| damaged())?,
            };
            let entry = Entry::decode(&opened.plain).map_err(|_| damaged())?;
            pending
                .add(tokens_under(keys, opened.epoch, &entry).into_iter().map(|token| (token, u64::try_from(index).unwrap_or_default())));
        }
        Ok(pending)
    }

    /// Looks that have been committed.
    pub(crate) fn add(&mut self, pairs: impl IntoIterator<Item = Pair>) {
        for pair in pairs {
            if self.pairs.insert(pair) {
                *self.entries.entry(pair.1).or_default() += 1;
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// How many to put down beside a group that brings `coming` more: none while few wait, else more than come.
    pub(crate) fn slice_beside(&self, coming: usize) -> usize {
        if self.pairs.len() < BUSY_ENOUGH {
            0
        } else {
            2 * coming + 64
        }
    }

    /// Puts down up to `most` neighbours, going round through all tokens, and moves the mark. `size`: entries of the log
    /// of which none waits but here. Returns what was put down, to be given back by [`Pending::add`] if the commit fails.
    pub(crate) fn put_down(&mut self, connection: &Connection, most: usize, size: u64) -> Result<Vec<Pair>, StoreError> {
        let slice = self.take(most);
        self.put_or_give_back(connection, slice, size)
    }

    /// The same of all that waits under these tokens, and of nothing else.
    pub(crate) fn put_down_under(&mut self, connection: &Connection, tokens: &[[u8; 16]], size: u64) -> Result<Vec<Pair>, StoreError> {
        let of = |token: &[u8; 16]| self.pairs.range((*token, 0)..=(*token, u64::MAX));
        let pairs: Vec<Pair> = tokens.iter().flat_map(of).copied().collect();
        pairs.iter().for_each(|pair| self.remove(pair));
        self.put_or_give_back(connection, pairs, size)
    }

    fn put_or_give_back(&mut self, connection: &Connection, slice: Vec<Pair>, size: u64) -> Result<Vec<Pair>, StoreError> {
        let put = Self::insert(connection, &slice, self.mark(size));
        if put.is_err() {
            self.add(slice.iter().copied());
        }
        put.map(|()| slice)
    }

    fn mark(&self, size: u64) -> u64 {
        self.entries.keys().next().copied().unwrap_or(size)
    }

    fn insert(connection: &Connection, slice: &[Pair], mark: u64) -> Result<(), StoreError> {
        let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO looked (child, entry) VALUES (?1, ?2)")?;
        for (token, entry) in slice {
            insert.execute(params![token.as_slice(), entry.cast_signed()])?;
        }
        connection.prepare_cached("UPDATE looked_mark SET entry = ?1")?.execute([mark.cast_signed()])?;
        Ok(())
    }

    fn take(&mut self, most: usize) -> Vec<Pair> {
        let from = self.cursor.map_or(Unbounded, Excluded);
        let mut slice: Vec<Pair> = self.pairs.range((from, Unbounded)).take(most).copied().collect();
        slice.iter().for_each(|pair| self.remove(pair));
        let wrapped: Vec<Pair> = self.pairs.iter().take(most - slice.len()).copied().collect();
        wrapped.iter().for_each(|pair| self.remove(pair));
        slice.extend(wrapped);
        self.cursor = slice.last().copied();
        slice
    }

    fn remove(&mut self, pair: &Pair) {
        self.pairs.remove(pair);
        if let Some(count) = self.entries.get_mut(&pair.1) {
            *count -= 1;
            if *count == 0 {
                self.entries.remove(&pair.1);
            }
        }
    }
}
