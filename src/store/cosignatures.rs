//! The rows of cosignatures: what witnesses said of which signed head. Public data: names, times and signatures of witnesses.
//!
//! For: keeping them over a restart, bounded, and so that a line that is brought again costs no write: whoever is enrolled may bring any line that
//! was ever shown. Leaves to others: verifying them before they are kept, and judging a quorum (`witnesses`).

use crate::error::StoreError;
use contactpoint_audit::Cosignature;
use rusqlite::{params, Connection, OptionalExtension};
use std::collections::BTreeMap;

/// Rows of one witness that are kept; beyond, those of the smallest heads go. One is enough while quorums are met; the rest is for heads that
/// wait for others.
const KEPT_OF_ONE: u32 = 64;

/// The newest line of a witness, whatever head it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Last {
    /// Entries of the head.
    pub(crate) size: u64,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(crate) at: u64,
}

/// The heads whose lines stay, however many newer ones a witness has cosigned. Neither ever becomes smaller while the process runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    /// The one that the witnesses are asked about.
    pub(crate) asked: Option<u64>,
    /// The newest with the quorum.
    pub(crate) quorum: Option<u64>,
}

impl Held {
    fn has(self, size: u64) -> bool {
        [self.asked, self.quorum].contains(&Some(size))
    }
}

/// Which of the lines that were verified over the head of this size are news: none where a newer head has the quorum already, nor one that is no
/// later than what is kept of its witness there, nor one of a head that is older than all that are kept of it.
///
/// INVARIANT: what was kept once and is not any more is no news, since what is kept of a witness begins at a head that never becomes smaller. So
/// lines that are brought again cause no write, in whatever order and however often.
pub(crate) fn news(connection: &Connection, size: u64, held: Held, lines: Vec<Cosignature>) -> Result<Vec<Cosignature>, StoreError> {
    if held.quorum.is_some_and(|quorum| size < quorum) {
        return Ok(Vec::new());
    }
    let mut kept = connection.prepare_cached("SELECT at FROM cosignature WHERE witness = ?1 AND size = ?2")?;
    let mut first =
        connection.prepare_cached("SELECT size FROM cosignature WHERE witness = ?1 ORDER BY size DESC LIMIT 1 OFFSET ?2 - 1")?;
    let mut news = Vec::with_capacity(lines.len());
    for line in lines {
        let witness = line.key.to_string();
        let number = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0).map(i64::cast_unsigned);
        let known = kept.query_row(params![witness, size.cast_signed()], number).optional()?;
        let first = first.query_row(params![witness, KEPT_OF_ONE], number).optional()?;
        let is_old = first.is_some_and(|first| size < first) && !held.has(size);
        if !is_old && known.is_none_or(|at| at < line.at) {
            news.push(line);
        }
    }
    Ok(news)
}

/// Keeps lines that are [`news`] over the head of this size. A later one of a witness takes the place of its earlier one.
pub(crate) fn keep(connection: &Connection, size: u64, held: Held, lines: &[Cosignature]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO cosignature (witness, size, at, line) VALUES (?1, ?2, ?3, ?4)")?;
    let mut prune = connection.prepare_cached(
        "DELETE FROM cosignature WHERE witness = ?1 AND size NOT IN (?2, ?3)
         AND size NOT IN (SELECT size FROM cosignature WHERE witness = ?1 ORDER BY size DESC LIMIT ?4)",
    )?;
    let [asked, quorum] = [held.asked, held.quorum].map(|size| size.map_or(-1, u64::cast_signed));
    for Cosignature { key, at, line, .. } in lines {
        let witness = key.to_string();
        insert.execute(params![witness, size.cast_signed(), at.cast_signed(), line])?;
        prune.execute(params![witness, asked, quorum, KEPT_OF_ONE])?;
    }
    Ok(())
}

/// The lines under the head of a size, by the witness's key.
pub(crate) fn of_head(connection: &Connection, size: u64) -> Result<BTreeMap<String, String>, StoreError> {
    let mut select = connection.prepare_cached("SELECT witness, line FROM cosignature WHERE size = ?1")?;
    let lines = select.query_map([size.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(lines.collect::<Result<_, _>>()?)
}

/// The heads that have lines, the newest first.
pub(crate) fn heads(connection: &Connection) -> Result<Vec<u64>, StoreError> {
    let mut select = connection.prepare_cached("SELECT DISTINCT size FROM cosignature ORDER BY size DESC")?;
    let sizes = select.query_map([], |row| row.get::<_, i64>(0).map(i64::cast_unsigned))?;
    Ok(sizes.collect::<Result<_, _>>()?)
}

/// When the witness of this key last cosigned, and what.
pub(crate) fn last_of(connection: &Connection, witness: &str) -> Result<Option<Last>, StoreError> {
    let mut select =
        connection.prepare_cached("SELECT size, at FROM cosignature WHERE witness = ?1 ORDER BY at DESC, size DESC LIMIT 1")?;
    let last = select
        .query_row([witness], |row| Ok(Last { size: row.get::<_, i64>(0)?.cast_unsigned(), at: row.get::<_, i64>(1)?.cast_unsigned() }));
    Ok(last.optional()?)
}

/// The newest head that each witness cosigned, by its key: it cosigns no smaller one any more.
pub(crate) fn newest_of_each(connection: &Connection) -> Result<BTreeMap<String, u64>, StoreError> {
    let mut select = connection.prepare_cached("SELECT witness, MAX(size) FROM cosignature GROUP BY witness")?;
    let sizes = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
    Ok(sizes.collect::<Result<_, _>>()?)
}
