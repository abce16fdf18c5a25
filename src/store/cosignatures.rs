//! The rows of cosignatures: what witnesses said of which signed head. Public data: names, times and signatures of witnesses.
//!
//! For: keeping them over a restart, and bounded. Leaves to others: verifying them before they are kept, and judging a quorum (`witnesses`).

use crate::error::StoreError;
use contactpoint_audit::Cosignature;
use rusqlite::{params, Connection, OptionalExtension};
use std::collections::BTreeMap;

/// Rows of one witness that are kept; beyond, the oldest go. One is enough while quorums are met; the rest is for heads that wait for others.
const KEPT_OF_ONE: u32 = 64;

/// The newest line of a witness, whatever head it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Last {
    /// Entries of the head.
    pub(crate) size: u64,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(crate) at: u64,
}

/// Keeps lines that were verified over the head of this size. A later one of a witness takes the place of its earlier one. What stands under
/// the head that has the quorum stays, however old.
pub(crate) fn keep(connection: &Connection, size: u64, quorum: Option<u64>, lines: &[Cosignature]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO cosignature (witness, size, at, line) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (witness, size) DO UPDATE SET at = excluded.at, line = excluded.line WHERE excluded.at > at",
    )?;
    let mut prune = connection.prepare_cached(
        "DELETE FROM cosignature WHERE witness = ?1 AND size <> ?2
         AND size NOT IN (SELECT size FROM cosignature WHERE witness = ?1 ORDER BY size DESC LIMIT ?3)",
    )?;
    for Cosignature { key, at, line, .. } in lines {
        let witness = key.to_string();
        insert.execute(params![witness, size.cast_signed(), at.cast_signed(), line])?;
        prune.execute(params![witness, quorum.map_or(-1, u64::cast_signed), KEPT_OF_ONE])?;
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
