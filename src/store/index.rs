//! The index by which children are found: token and row, nothing else.
//!
//! Tokens are random, so each one put down by itself dirties a page of its own, and a feed would write a page a token. So new pairs wait:
//! in memory, where everybody finds them at once, and in a queue table, a blob a change, from which they come back after a crash. When
//! enough wait they are put down in token order, a slice beside each group commit, so that neighbours share a page. What waits is bounded
//! (two generations), what is put down twice is one. A token whose value a record no longer has stays: every candidate is
//! opened and held against what was asked, so that a stale token costs a look and tells nothing. Where even the look would tell, as it would
//! of what a shield hides, the pair is withdrawn: it does not count any more, wherever it still lies.

use crate::error::{OpenError, StoreError};
use rusqlite::{params, Connection};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A token and the row of a child that stands under it.
pub(crate) type Pair = (u64, i64);

/// Pairs that make a generation: from so many on they are put down. 16 bytes each.
const GENERATION: usize = 1 << 19;

/// Pairs put down at a time when nothing else is to do.
const IDLE_SLICE: usize = 1 << 13;

/// What waits; the writer changes it, everybody reads it.
#[derive(Default)]
pub(crate) struct Index {
    waiting: RwLock<Waiting>,
    /// Rows of children opened since the start.
    opened: AtomicU64,
}

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
    /// Pairs that do not count, wherever they still lie.
    withdrawn: BTreeSet<Pair>,
}

/// What one group put down, to be taken back if its commit fails.
#[derive(Clone, Copy, Default)]
pub(crate) struct Progress {
    slice: usize,
}

/// Withdrawn and restored pairs of changes, in order: taken back from the last to the first.
#[derive(Default)]
pub(crate) struct Turned(Vec<Turn>);

enum Turn {
    Withdrawn(Vec<Pair>),
    Restored(Vec<Pair>),
}

impl Turned {
    pub(crate) fn withdrawn(&mut self, pairs: Vec<Pair>) {
        self.0.push(Turn::Withdrawn(pairs));
    }

    pub(crate) fn restored(&mut self, pairs: Vec<Pair>) {
        self.0.push(Turn::Restored(pairs));
    }

    pub(crate) fn append(&mut self, later: &mut Self) {
        self.0.append(&mut later.0);
    }

    /// As if none of it had been.
    pub(crate) fn take_back(&self, index: &Index) {
        for turn in self.0.iter().rev() {
            match turn {
                Turn::Withdrawn(pairs) => index.count_again(pairs),
                Turn::Restored(pairs) => index.count_no_more(pairs),
            }
        }
    }
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
        let mut select = connection.prepare("SELECT token, row FROM child_withdrawn")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            waiting.withdrawn.insert((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?));
        }
        Ok(Self { waiting: RwLock::new(waiting), opened: AtomicU64::new(0) })
    }

    /// A row of a child is opened.
    pub(crate) fn count_opened(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were opened since the start.
    pub(crate) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// The rows under a token, each once, in order.
    pub(crate) fn rows(&self, connection: &Connection, token: u64) -> Result<Vec<i64>, StoreError> {
        let (mut rows, withdrawn) = self.read().rows(token);
        let mut select = connection.prepare_cached("SELECT row FROM child_index WHERE token = ?1")?;
        for row in select.query_map([token.cast_signed()], |row| row.get(0))? {
            rows.push(row?);
        }
        rows.retain(|row| !withdrawn.contains(row));
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

    /// Lets pairs count no more, in their change's transaction. Returns those that counted until now, for [`Index::count_again`].
    pub(crate) fn withdraw(&self, connection: &Connection, pairs: &[Pair]) -> Result<Vec<Pair>, StoreError> {
        let mut delete = connection.prepare_cached("DELETE FROM child_index WHERE token = ?1 AND row = ?2")?;
        let mut keep = connection.prepare_cached("INSERT OR IGNORE INTO child_withdrawn (token, row) VALUES (?1, ?2)")?;
        for (token, row) in pairs {
            delete.execute(params![token.cast_signed(), row])?;
            keep.execute(params![token.cast_signed(), row])?;
        }
        let mut waiting = self.write();
        Ok(pairs.iter().copied().filter(|pair| waiting.withdrawn.insert(*pair)).collect())
    }

    /// Lets those of the pairs that were withdrawn count again, in their change's transaction. Returns them, for [`Index::count_no_more`].
    pub(crate) fn restore(&self, connection: &Connection, pairs: &[Pair]) -> Result<Vec<Pair>, StoreError> {
        let restored: Vec<Pair> = {
            let waiting = self.read();
            pairs.iter().copied().filter(|pair| waiting.withdrawn.contains(pair)).collect()
        };
        let mut delete = connection.prepare_cached("DELETE FROM child_withdrawn WHERE token = ?1 AND row = ?2")?;
        for (token, row) in &restored {
            delete.execute(params![token.cast_signed(), row])?;
        }
        self.count_again(&restored);
        Ok(restored)
    }

    /// Takes back a withdrawal whose change came to nothing.
    pub(crate) fn count_again(&self, pairs: &[Pair]) {
        let mut waiting = self.write();
        for pair in pairs {
            waiting.withdrawn.remove(pair);
        }
    }

    /// Takes back a restoring whose change came to nothing.
    pub(crate) fn count_no_more(&self, pairs: &[Pair]) {
        self.write().withdrawn.extend(pairs);
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
        for (token, row) in slice.iter().filter(|pair| !waiting.withdrawn.contains(pair)) {
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
        self.waiting.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Waiting> {
        self.waiting.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// The rows that wait under a token, and those that do not count under it.
    fn rows(&self, token: u64) -> (Vec<i64>, Vec<i64>) {
        let under = (token, i64::MIN)..=(token, i64::MAX);
        let withdrawn = self.withdrawn.range(under.clone()).map(|(_, row)| *row).collect();
        let from = self.draining.partition_point(|(known, _)| *known < token);
        let drained = self.draining[from..].iter().take_while(|(known, _)| *known == token);
        (self.filling.range(under).chain(drained).map(|(_, row)| *row).collect(), withdrawn)
    }
}

/// Puts one pair down, whether or not it waits as well.
pub(crate) fn keep_pair(connection: &Connection, (token, row): Pair) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO child_index (token, row) VALUES (?1, ?2)")?;
    insert.execute(params![token.cast_signed(), row])?;
    Ok(())
}

/// Takes the pairs of these rows out of the queue.
pub(crate) fn forget_waiting(connection: &Connection, rows: &BTreeSet<i64>) -> Result<(), StoreError> {
    let mut select = connection.prepare("SELECT seq, pairs FROM child_waiting")?;
    let queued = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let queued: Vec<(i64, Vec<u8>)> = queued.collect::<Result<_, _>>()?;
    for (seq, pairs) in queued {
        let left: Vec<Pair> = unpack(&pairs).filter(|(_, row)| !rows.contains(row)).collect();
        if 16 * left.len() < pairs.len() {
            connection.prepare_cached("UPDATE child_waiting SET pairs = ?2 WHERE seq = ?1")?.execute(params![seq, pack(&left)])?;
        }
    }
    Ok(())
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
impl Index {
    /// A generation however few pairs wait.
    fn turn_over(&self) {
        let mut waiting = self.write();
        waiting.draining = std::mem::take(&mut waiting.filling).into_iter().collect();
        waiting.drained = 0;
    }
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
        connection.execute_batch(crate::schema::SECOND).unwrap();
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
        connection.execute_batch(crate::schema::SECOND).unwrap();
        let index = Index::default();
        Index::enqueue(&connection, &[(5, 1), (6, 1)]).unwrap();
        let new = index.add([(5, 1), (7, 9)]);
        index.forget(&new);
        assert!(index.rows(&connection, 5).unwrap().is_empty());
        let again = Index::resume(&connection).unwrap();
        assert_eq!(again.rows(&connection, 5).unwrap(), [1]);
        assert!(again.rows(&connection, 7).unwrap().is_empty());
    }

    #[test]
    fn a_pair_that_was_withdrawn_counts_nowhere_until_it_is_restored() {
        // E3: a query that uses any hidden field of a shielded record does not find it
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(crate::schema::FIRST).unwrap();
        connection.execute_batch(crate::schema::SECOND).unwrap();
        let index = Index::default();
        let (waits, is_down) = ((5, 1), (6, 1));
        index.add([waits]);
        connection.execute("INSERT INTO child_index (token, row) VALUES (6, 1)", []).unwrap();
        let found = |index: &Index| (5..7).map(|token| index.rows(&connection, token).unwrap().len()).collect::<Vec<_>>();
        assert_eq!(found(&index), [1, 1]);

        let withdrawn = index.withdraw(&connection, &[waits, is_down]).unwrap();
        assert_eq!((withdrawn.as_slice(), found(&index)), ([waits, is_down].as_slice(), vec![0, 0]));
        assert_eq!(found(&Index::resume(&connection).unwrap()), [0, 0], "and after a restart");
        let left: i64 = connection.query_row("SELECT count(*) FROM child_index", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0);
        // what waited is put down without it
        index.turn_over();
        let _progress = index.put_down(&connection, 10).unwrap();
        let left: i64 = connection.query_row("SELECT count(*) FROM child_index", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0);

        assert_eq!(index.restore(&connection, &[waits, (9, 9)]).unwrap(), [waits]);
        assert_eq!(found(&index), [1, 0]);
        index.count_no_more(&[waits]);
        index.count_again(&[is_down]);
        assert_eq!(found(&index), [0, 0], "the row of the second is gone from the table, not from memory alone");
    }
}
