//! The index by which children are found: token and row, nothing else.
//!
//! Tokens are random, so each one put down by itself dirties a page of its own, and a feed would write a page a token. So new pairs wait:
//! in memory, where everybody finds them at once, and in a queue table, a blob a change, from which they come back after a crash. When
//! enough wait they are put down in token order, a slice beside each group commit, so that neighbours share a page. What waits is bounded
//! (two generations), what is put down twice is one. A token whose value a record no longer has stays: every candidate is
//! opened and held against what was asked, so that a stale token costs a look and tells nothing.

use crate::error::{OpenError, StoreError};
use rusqlite::{params, Connection};
use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A token and the row of a child that stands under it.
pub(crate) type Pair = (u64, i64);

/// Pairs that make a generation: from so many on they are put down. 16 bytes each.
const GENERATION: usize = 1 << 19;

/// Pairs put down at a time when nothing else is to do.
const IDLE_SLICE: usize = 1 << 13;

/// What waits; the writer changes it, everybody reads it.
#[derive(Default)]
pub(crate) struct Index(RwLock<Waiting>);

#[derive(Default)]
struct Waiting {
    /// New pairs.
    filling: BTreeSet<Pair>,
    /// The generation that is being put down, in order. It is found here until the next one takes its place, so that a reader whose
    /// transaction began before the last slice was put down misses nothing.
    draining: Vec<Pair>,
    /// How far it has come.
    drained: usize,
    /// The last queue row that the draining generation came from.
    through: i64,
}

/// What one group put down, to be taken back if its commit fails.
#[derive(Clone, Copy, Default)]
pub(crate) struct Progress {
    slice: usize,
}

impl Index {
    /// What waited when the store was last open.
    pub(crate) fn resume(connection: &Connection) -> Result<Self, OpenError> {
        let mut waiting = Waiting::default();
        let mut select = connection.prepare("SELECT pairs FROM child_waiting")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            waiting.filling.extend(unpack(&row.get::<_, Vec<u8>>(0)?));
        }
        Ok(Self(RwLock::new(waiting)))
    }

    /// The rows under a token, each once, in order.
    pub(crate) fn rows(&self, connection: &Connection, token: u64) -> Result<Vec<i64>, StoreError> {
        let mut rows = self.read().rows(token);
        let mut select = connection.prepare_cached("SELECT row FROM child_index WHERE token = ?1")?;
        for row in select.query_map([token.cast_signed()], |row| row.get(0))? {
            rows.push(row?);
        }
        rows.sort_unstable();
        rows.dedup();
        Ok(rows)
    }

    /// Lets pairs be found from now on. Returns those that were not waiting already, for [`Index::forget`].
    pub(crate) fn add(&self, pairs: impl IntoIterator<Item = Pair>) -> Vec<Pair> {
        let mut waiting = self.write();
        pairs.into_iter().filter(|pair| waiting.filling.insert(*pair)).collect()
    }

    /// Takes back pairs whose change came to nothing.
    pub(crate) fn forget(&self, pairs: &[Pair]) {
        let mut waiting = self.write();
        for pair in pairs {
            waiting.filling.remove(pair);
        }
    }

    /// Keeps a change's pairs in the queue, in its transaction.
    pub(crate) fn enqueue(connection: &Connection, pairs: &[Pair]) -> Result<(), StoreError> {
        if pairs.is_empty() {
            return Ok(());
        }
        connection.prepare_cached("INSERT INTO child_waiting (pairs) VALUES (?1)")?.execute([pack(pairs)])?;
        Ok(())
    }

    /// Begins a new generation if enough pairs wait and the last one is down. Called between groups, when the queue holds what is committed.
    pub(crate) fn turn(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut waiting = self.write();
        if waiting.filling.len() < GENERATION || waiting.drained < waiting.draining.len() {
            return Ok(());
        }
        let last = "SELECT coalesce(max(seq), 0) FROM child_waiting";
        waiting.through = connection.prepare_cached(last)?.query_row([], |row| row.get(0))?;
        waiting.draining = std::mem::take(&mut waiting.filling).into_iter().collect();
        waiting.drained = 0;
        Ok(())
    }

    /// How many to put down beside a group that brings `coming`: so many that a generation is down before the next is full.
    pub(crate) fn slice_beside(&self, coming: usize) -> usize {
        if self.is_draining() {
            2 * coming
        } else {
            0
        }
    }

    /// True while a generation is being put down.
    pub(crate) fn is_draining(&self) -> bool {
        let waiting = self.read();
        waiting.drained < waiting.draining.len()
    }

    /// Puts down the next `most` pairs of the draining generation, and with its last ones empties its part of the queue.
    pub(crate) fn put_down(&self, connection: &Connection, most: usize) -> Result<Progress, StoreError> {
        let waiting = self.read();
        let rest = waiting.draining.get(waiting.drained..).unwrap_or_default();
        let slice = &rest[..most.min(rest.len())];
        let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO child_index (token, row) VALUES (?1, ?2)")?;
        for (token, row) in slice {
            insert.execute(params![token.cast_signed(), row])?;
        }
        if !slice.is_empty() && slice.len() == rest.len() {
            connection.prepare_cached("DELETE FROM child_waiting WHERE seq <= ?1")?.execute([waiting.through])?;
        }
        Ok(Progress { slice: slice.len() })
    }

    /// The slice is durable.
    pub(crate) fn settle(&self, progress: Progress) {
        self.write().drained += progress.slice;
    }

    /// A slice for a moment in which nothing else is to do.
    pub(crate) const fn idle_slice() -> usize {
        IDLE_SLICE
    }

    fn read(&self) -> RwLockReadGuard<'_, Waiting> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Waiting> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn rows(&self, token: u64) -> Vec<i64> {
        let from = self.draining.partition_point(|(known, _)| *known < token);
        let drained = self.draining[from..].iter().take_while(|(known, _)| *known == token);
        self.filling.range((token, i64::MIN)..=(token, i64::MAX)).chain(drained).map(|(_, row)| *row).collect()
    }
}

/// Twelve bytes a pair would do; sixteen keep it plain.
fn pack(pairs: &[Pair]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(16 * pairs.len());
    for (token, row) in pairs {
        bytes.extend_from_slice(&token.to_be_bytes());
        bytes.extend_from_slice(&row.to_be_bytes());
    }
    bytes
}

fn unpack(bytes: &[u8]) -> impl Iterator<Item = Pair> + '_ {
    bytes.as_chunks::<16>().0.iter().map(|pair| {
        let (token, row) = pair.split_at(8);
        (number(token), number(row).cast_signed())
    })
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_survive_the_queue() {
        let pairs = [(0, 1), (u64::MAX, i64::MAX), (0x0102_0304_0506_0708, 42)];
        assert_eq!(unpack(&pack(&pairs)).collect::<Vec<_>>(), pairs);
    }

    #[test]
    fn a_pair_is_found_while_it_waits_while_it_is_put_down_and_after() {
        let connection = Connection::open_in_memory().unwrap();
        crate::schema::migrations().to_latest(&mut Connection::open_in_memory().unwrap()).unwrap();
        connection.execute_batch(crate::schema::FIRST).unwrap();
        let index = Index::default();
        let pairs: Vec<Pair> = (0..GENERATION as i64).map(|row| (row.cast_unsigned() * 7919, row)).collect();
        Index::enqueue(&connection, &pairs).unwrap();
        assert_eq!(index.add(pairs.iter().copied()).len(), GENERATION);
        assert_eq!(index.rows(&connection, 7919).unwrap(), [1]);
        index.turn(&connection).unwrap();
        assert!(index.is_draining());
        // a slice whose commit fails is put down again
        let lost = index.put_down(&connection, 10).unwrap();
        assert_eq!(lost.slice, 10);
        while index.is_draining() {
            assert_eq!(index.rows(&connection, 7919).unwrap(), [1]);
            let progress = index.put_down(&connection, 100_000).unwrap();
            index.settle(progress);
        }
        assert_eq!(index.rows(&connection, 7919).unwrap(), [1]);
        let (down, queued): (i64, i64) = connection
            .query_row("SELECT (SELECT count(*) FROM child_index), (SELECT count(*) FROM child_waiting)", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!((down, queued), (GENERATION as i64, 0));
    }

    #[test]
    fn what_waited_is_found_after_a_restart_and_what_was_taken_back_is_not() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(crate::schema::FIRST).unwrap();
        let index = Index::default();
        Index::enqueue(&connection, &[(5, 1), (6, 1)]).unwrap();
        let new = index.add([(5, 1), (7, 9)]);
        index.forget(&new);
        assert!(index.rows(&connection, 5).unwrap().is_empty());
        let again = Index::resume(&connection).unwrap();
        assert_eq!(again.rows(&connection, 5).unwrap(), [1]);
        assert!(again.rows(&connection, 7).unwrap().is_empty());
    }
}
