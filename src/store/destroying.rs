//! The end of a child's record: its key is destroyed, and with it every copy of the record (rule I2).
//!
//! In the store that is in use the wrapped key goes at once, and so do the record, its history and every token that it was found by. A copy of the
//! store that somebody kept has all of them still, wrapped under the epoch of that time: so the keys of all that stay are moved to a new epoch, in
//! slices that a crash may cut off anywhere, and the key of the former one is destroyed in the HSM, which `keys` does and `operator` orders. What
//! stays of a child is what the log says, which has epochs of its own, the index of looks with it, and alerts, which name a number. Does not promise: that a copy's search
//! tokens mean nothing; who has the copy, the HSM and its PIN can still ask there whether a name that they know was on record.

use crate::children;
use crate::error::StoreError;
use crate::group::Group;
use crate::sealed::{SealedRow, Table, ACCOUNT, ALERT, CHILD, EVIDENCE, ORGANISATION, REVIEW};
use crate::transaction::Transaction;
use crate::writer::Store;
use contactpoint_domain::ChildNumber;
use contactpoint_sealing::{Place, WrappedKey};
use rusqlite::{params, Connection, OptionalExtension, Row};
use std::collections::BTreeSet;

/// Every table of sealed rows: what is not named here would not be moved, and [`Store::unmoved`] would say so.
const TABLES: [Table; 6] = [ORGANISATION, ACCOUNT, CHILD, ALERT, EVIDENCE, REVIEW];

/// Rows of a table whose key is under a former epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmoved {
    /// The table.
    pub table: String,
    /// How many.
    pub rows: u64,
}

/// How far the keys of rows were moved: through the tables in order, and through each by its rows, so that none is looked at twice.
#[derive(Debug, Clone, Copy)]
pub struct KeyMove {
    table: usize,
    /// The last row that was moved.
    after: i64,
}

impl KeyMove {
    const fn of(table: usize) -> Self {
        Self { table, after: i64::MIN }
    }
}

impl Default for KeyMove {
    fn default() -> Self {
        Self::of(0)
    }
}

impl Transaction<'_> {
    /// True where there was such a child and its record is destroyed.
    pub fn is_destroyed(&self, number: &ChildNumber) -> Result<bool, StoreError> {
        let rows = self.index.rows(self.connection, children::number_token(self.keys, number))?;
        let mut empty = self.connection.prepare_cached("SELECT length(key) = 0 FROM child WHERE row = ?1")?;
        for row in rows {
            if empty.query_row([row], |found| found.get(0)).optional()? == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Destroys a child's record: its key, its content, its history, and what it is found by. Its row stays, empty, under
    /// its number, which is given to nobody else, and the log is told. [`StoreError::Unknown`] where there is no such child.
    pub fn destroy_child(&mut self, number: &ChildNumber) -> Result<(), StoreError> {
        let held = self.child(number)?.ok_or(StoreError::Unknown("child"))?;
        let row = held.sealed.row;
        let mut tokens = children::all_tokens(self.keys, &held.record);
        tokens.extend(self.tokens_of_history(&held.sealed)?);
        tokens.sort_unstable();
        tokens.dedup();
        // what the log and its index say of this number must never be said of another child (rule A4)
        let number_token = children::number_token(self.keys, number);
        tokens.retain(|token| *token != number_token);
        // put down now: what waits for the index is forgotten as a whole
        crate::index::keep_pair(self.connection, (number_token, row))?;
        self.withdraw(row, &tokens)?;
        self.connection.prepare_cached("DELETE FROM child_history WHERE row = ?1")?.execute([row])?;
        let empty = SealedRow { row, version: held.sealed.version + 1, key: WrappedKey(Vec::new()), sealed: Vec::new() };
        let mut update = self.connection.prepare_cached("UPDATE child SET version = ?2, key = x'', sealed = x'' WHERE row = ?1")?;
        update.execute(params![row, empty.version])?;
        drop(update);
        self.note(CHILD, &empty);
        self.hidden.push(children::looked_token(self.keys, number));
        Ok(())
    }
}

impl Store {
    /// These numbers, and those of the records that were settled to be one of these children's, each once: their former versions are the children's
    /// data, under keys of their own (rule I2). Brings the index of looks up to date; what was erased of the log links nothing any more.
    pub async fn with_settled(&self, children: &[ChildNumber]) -> Result<Vec<ChildNumber>, StoreError> {
        self.index_looks().await?;
        self.read(|snapshot| {
            let mut all = BTreeSet::new();
            for number in children {
                all.extend(snapshot.numbers_of(number)?);
            }
            Ok(all.into_iter().collect())
        })
    }

    /// Moves the keys of up to `most` rows to the epoch in use, durably, from where `at` stands on, and moves that. Returns how many there were:
    /// none where all are moved. One that begins anew passes over what was moved.
    pub async fn move_keys(&self, at: &mut KeyMove, most: u32) -> Result<usize, StoreError> {
        let mut next = *at;
        let (next, moved) = self.run(move |group| group.move_keys(&mut next, most).map(|moved| (next, moved))).await?;
        *at = next;
        Ok(moved)
    }

    /// What is still under a former epoch, of whatever table has sealed rows: before a key in the HSM is destroyed, there is nothing.
    pub async fn unmoved(&self) -> Result<Vec<Unmoved>, StoreError> {
        self.run(|group| unmoved(group.connection(), group.keys().records.epoch())).await
    }

    /// Removes from the tables what destroyed records were found by and what still waits for the index. For a store that is closed afterwards:
    /// that they do not count is kept in memory alone from here on.
    pub async fn forget_destroyed(&self) -> Result<(), StoreError> {
        self.run(|group| forget_destroyed(group.connection())).await
    }
}

impl Group<'_> {
    fn move_keys(&mut self, at: &mut KeyMove, most: u32) -> Result<usize, StoreError> {
        let mut moved = 0;
        while let Some(table) = TABLES.get(at.table) {
            let left = most.saturating_sub(u32::try_from(moved).unwrap_or(u32::MAX));
            if left == 0 {
                break;
            }
            match self.move_keys_of(*table, at.after, left)? {
                Some((rows, last)) => {
                    moved += rows;
                    at.after = last;
                }
                None => *at = KeyMove::of(at.table + 1),
            }
        }
        Ok(moved)
    }

    /// How many were moved, and the last of them; `None` where there is nothing behind `after`.
    fn move_keys_of(&mut self, table: Table, after: i64, most: u32) -> Result<Option<(usize, i64)>, StoreError> {
        let (connection, keys) = (self.connection(), self.keys());
        let epoch = keys.records.epoch().to_be_bytes();
        let former = format!(
            "SELECT row, version, key FROM {} WHERE row > ?3 AND length(key) > 0 AND substr(key, 1, 4) <> ?1 ORDER BY row LIMIT ?2",
            table.name
        );
        let mut select = connection.prepare_cached(&former)?;
        let found = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, WrappedKey(row.get(2)?)));
        let rows = select.query_map(params![epoch.as_slice(), most, after], found)?;
        let rows: Vec<(i64, u32, WrappedKey)> = rows.collect::<Result<_, _>>()?;
        let mut update = connection.prepare_cached(&format!("UPDATE {} SET key = ?2 WHERE row = ?1", table.name))?;
        for (row, version, key) in &rows {
            let place = Place { table: table.name, row: *row, version: *version };
            // a row whose key does not open was altered: it must be seen to before the epoch that it was under is gone
            let moved = keys.records.moved(&place, key).map_err(|_| StoreError::Damaged { table: table.name, row: *row })?;
            update.execute(params![row, moved.0])?;
        }
        Ok(rows.last().map(|(last, ..)| (rows.len(), *last)))
    }
}

fn unmoved(connection: &Connection, epoch: u32) -> Result<Vec<Unmoved>, StoreError> {
    let sealed =
        "SELECT m.name FROM sqlite_schema m WHERE m.type = 'table' AND 'key' IN (SELECT name FROM pragma_table_info(m.name)) ORDER BY 1";
    let mut select = connection.prepare(sealed)?;
    let tables: Vec<String> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for table in tables {
        let count = format!("SELECT count(*) FROM {table} WHERE length(key) > 0 AND substr(key, 1, 4) <> ?1");
        let rows: i64 = connection.query_row(&count, [epoch.to_be_bytes().as_slice()], |row| row.get(0))?;
        if rows > 0 {
            found.push(Unmoved { table, rows: rows.unsigned_abs() });
        }
    }
    Ok(found)
}

fn forget_destroyed(connection: &Connection) -> Result<(), StoreError> {
    let mut select = connection.prepare("SELECT row FROM child WHERE length(key) = 0")?;
    let destroyed: BTreeSet<i64> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    connection.execute("DELETE FROM child_withdrawn WHERE row IN (SELECT row FROM child WHERE length(key) = 0)", [])?;
    crate::index::forget_waiting(connection, &destroyed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_sealed_rows_is_moved() {
        // I2: what stays behind under a destroyed key is lost
        let mut connection = Connection::open_in_memory().unwrap();
        crate::schema::migrations().to_latest(&mut connection).unwrap();
        let sealed =
            "SELECT m.name FROM sqlite_schema m WHERE m.type = 'table' AND 'sealed' IN (SELECT name FROM pragma_table_info(m.name))
                      AND 'key' IN (SELECT name FROM pragma_table_info(m.name))";
        let mut select = connection.prepare(sealed).unwrap();
        let tables: BTreeSet<String> = select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(tables, TABLES.iter().map(|table| table.name.to_owned()).collect());
    }
}
