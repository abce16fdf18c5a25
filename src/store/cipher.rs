//! What SQLCipher says of the connection that writes: evidence that the file is encrypted, authenticated and durable.
//!
//! Asked of the open connection each time, never remembered. Leaves to others: setting it (`connection`, which also reads it back at the start).

use crate::error::StoreError;
use crate::group::Group;
use crate::writer::Store;
use rusqlite::types::Value;
use rusqlite::Connection;
use serde::Serialize;

/// The settings in force, as the engine words them. Holds nothing of what the store holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CipherReport {
    /// "4.10.0 community".
    pub cipher_version: String,
    /// The library that encrypts, and its version.
    pub cipher_provider: String,
    /// True where the connection encrypts what it writes.
    pub cipher_status: bool,
    /// Bytes of a page; -1 where the engine tells none, here and below.
    pub page_size: i64,
    /// "HMAC_SHA256": what authenticates each page.
    pub hmac_algorithm: String,
    /// True where pages are authenticated.
    pub hmac: bool,
    /// "wal".
    pub journal_mode: String,
    /// 2 is FULL: a commit that returns is on the disk.
    pub synchronous: i64,
    /// Freed pages are overwritten.
    pub secure_delete: bool,
    /// False where the schema may name no function by itself.
    pub trusted_schema: bool,
    /// Cells are checked when a page is read.
    pub cell_size_check: bool,
    /// References between tables are enforced.
    pub foreign_keys: bool,
    /// 2 is MEMORY: nothing temporary is in a file.
    pub temp_store: i64,
}

impl Store {
    /// What SQLCipher says of the connection that writes, between two commits.
    pub async fn cipher(&self) -> Result<CipherReport, StoreError> {
        self.run(|group: &mut Group<'_>| report(group.connection())).await
    }
}

fn report(connection: &Connection) -> Result<CipherReport, StoreError> {
    let told = |pragma| told(connection, pragma);
    let number = |pragma| told(pragma).map(|text| text.parse().unwrap_or(-1));
    let on = |pragma| told(pragma).map(|text| text != "0");
    Ok(CipherReport {
        cipher_version: told("cipher_version")?,
        cipher_provider: format!("{} {}", told("cipher_provider")?, told("cipher_provider_version")?),
        cipher_status: told("cipher_status")? == "1",
        page_size: number("page_size")?,
        hmac_algorithm: told("cipher_hmac_algorithm")?,
        hmac: told("cipher_use_hmac")? == "1",
        journal_mode: told("journal_mode")?,
        synchronous: number("synchronous")?,
        secure_delete: on("secure_delete")?,
        trusted_schema: on("trusted_schema")?,
        cell_size_check: on("cell_size_check")?,
        foreign_keys: on("foreign_keys")?,
        temp_store: number("temp_store")?,
    })
}

/// What a pragma answers; SQLCipher words numbers as text, SQLite as numbers.
fn told(connection: &Connection, pragma: &str) -> Result<String, StoreError> {
    let value: Value = connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?;
    Ok(match value {
        Value::Text(text) => text,
        Value::Integer(number) => number.to_string(),
        Value::Null | Value::Real(_) | Value::Blob(_) => String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{open, Purpose};
    use contactpoint_hardening::{HardeningError, LockedBytes};

    fn connection(directory: &std::path::Path) -> Connection {
        let key = LockedBytes::filled_by::<HardeningError>(|bytes| {
            bytes.fill(7);
            Ok(())
        });
        open(&directory.join("store.db"), &key.unwrap(), Purpose::Create, 2048).unwrap()
    }

    #[test]
    fn the_connection_that_writes_encrypts_authenticates_and_waits_for_the_disk() {
        // G3: the store opens only with the HSM; F1: an entry is durable before any answer
        let directory = tempfile::tempdir().unwrap();
        let told = report(&connection(directory.path())).unwrap();
        assert!(told.cipher_version.starts_with('4') && told.cipher_provider.starts_with("openssl"), "{told:?}");
        assert!(told.cipher_status && told.hmac && told.secure_delete && told.foreign_keys && !told.trusted_schema, "{told:?}");
        assert_eq!((told.page_size, told.hmac_algorithm.as_str()), (4096, "HMAC_SHA256"));
        assert_eq!((told.journal_mode.as_str(), told.synchronous, told.temp_store), ("wal", 2, 2));
    }

    #[test]
    fn a_setting_that_was_weakened_is_told_as_it_is() {
        // evidence that cannot show a fault is none
        let directory = tempfile::tempdir().unwrap();
        let connection = connection(directory.path());
        connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA secure_delete = OFF; PRAGMA trusted_schema = ON;").unwrap();
        let told = report(&connection).unwrap();
        assert!(told.synchronous == 0 && !told.secure_delete && told.trusted_schema, "{told:?}");
        let open = Connection::open_in_memory().unwrap();
        assert!(report(&open).map_or(true, |told| !told.cipher_status));
    }
}
