//! Rows that are sealed for their own place: table, row, version (rule G3).

use crate::error::StoreError;
use contactpoint_audit::Change;
use contactpoint_sealing::{EntrySealers, Place, RecordSealers, TokenKey, WrappedKey};
use rusqlite::{params, Connection, Row};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The keys that rows are sealed and found with.
pub(crate) struct SealKeys {
    pub(crate) records: RecordSealers,
    pub(crate) tokens: TokenKey,
    pub(crate) entries: EntrySealers,
}

/// A table of sealed rows and its number in the log's entries.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) number: u8,
}

pub(crate) const ORGANISATION: Table = Table { name: "organisation", number: 1 };
pub(crate) const ACCOUNT: Table = Table { name: "account", number: 2 };
pub(crate) const CHILD: Table = Table { name: "child", number: 3 };
pub(crate) const EVIDENCE: Table = Table { name: "evidence", number: 15 };
pub(crate) const ALERT: Table = Table { name: "alert", number: 4 };
pub(crate) const REVIEW: Table = Table { name: "review", number: 10 };

/// A row as it lies in the store.
pub(crate) struct SealedRow {
    pub(crate) row: i64,
    pub(crate) version: u32,
    pub(crate) key: WrappedKey,
    pub(crate) sealed: Vec<u8>,
}

impl SealedRow {
    /// From the columns row, version, key, sealed, in this order, first in the selection.
    pub(crate) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { row: row.get(0)?, version: row.get(1)?, key: WrappedKey(row.get(2)?), sealed: row.get(3)? })
    }

    /// Opens the row in its place; elsewhere it does not open.
    pub(crate) fn open(&self, table: Table, keys: &SealKeys) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let place = Place { table: table.name, row: self.row, version: self.version };
        keys.records.open(&place, &self.key, &self.sealed).map_err(|_| StoreError::Damaged { table: table.name, row: self.row })
    }

    /// What the log says of this row's state.
    pub(crate) fn change(&self, table: Table) -> Change {
        change(table, self.row, self.version, &self.sealed)
    }
}

/// The log's word on a row's state: version and digest (SHA-256 of the sealed content, cut to 16 bytes).
fn change(table: Table, row: i64, version: u32, sealed: &[u8]) -> Change {
    let mut digest = [0; 16];
    digest.copy_from_slice(&Sha256::digest(sealed)[..16]);
    Change { table: table.number, row, version, digest }
}

/// Seals the first version of a row under a key of its own.
pub(crate) fn seal_new(keys: &SealKeys, table: Table, row: i64, plain: &[u8]) -> Result<SealedRow, StoreError> {
    let (key, sealed) = keys.records.seal_new(&Place { table: table.name, row, version: 1 }, plain)?;
    Ok(SealedRow { row, version: 1, key, sealed })
}

/// Seals the next version of a row under the key it has.
pub(crate) fn seal_next(keys: &SealKeys, table: Table, former: &SealedRow, plain: &[u8]) -> Result<SealedRow, StoreError> {
    let version = former.version + 1;
    let sealed = keys.records.seal_again(&Place { table: table.name, row: former.row, version }, &former.key, plain)?;
    Ok(SealedRow { row: former.row, version, key: WrappedKey(former.key.0.clone()), sealed })
}

/// Writes the next version of a row over the former one.
pub(crate) fn replace(connection: &Connection, table: Table, row: &SealedRow) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached(&format!("UPDATE {} SET version = ?2, sealed = ?3 WHERE row = ?1", table.name))?;
    update.execute(params![row.row, row.version, row.sealed])?;
    Ok(())
}

/// The number that the next row of a table gets; numbers are never used again within a table that deletes nothing.
pub(crate) fn next_row(connection: &Connection, table: Table) -> Result<i64, StoreError> {
    let highest: i64 =
        connection.prepare_cached(&format!("SELECT coalesce(max(row), 0) FROM {}", table.name))?.query_row([], |row| row.get(0))?;
    Ok(highest + 1)
}
