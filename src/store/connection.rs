//! One connection: its key, its cipher settings, its cache.

use crate::error::OpenError;
use contactpoint_hardening::LockedBytes;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Once;
use zeroize::Zeroizing;

/// The cipher settings that every connection sets and that are read back.
const CIPHER_SETTINGS: &[(&str, &str)] = &[("cipher_hmac_algorithm", "HMAC_SHA256"), ("cipher_page_size", "4096")];

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Makes the file.
    Create,
    /// The one writer.
    Write,
    /// A reader, which can write nothing.
    Read,
}

/// Opens a connection under the raw page key, with `cache_kib` of page cache.
pub(crate) fn open(file: &Path, key: &LockedBytes<32>, purpose: Purpose, cache_kib: u32) -> Result<Connection, OpenError> {
    let flags = match purpose {
        Purpose::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Purpose::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    // the engine calls itself ready before the cipher is: a second thread's first connection would have none (sqlite3_initialize, SQLITE_EXTRA_INIT)
    static READY: Once = Once::new();
    READY.call_once(|| drop(Connection::open_in_memory()));
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    if purpose != Purpose::Create {
        // INVARIANT: before anything is read: a file that is refused, by its key already, stays as it was found, and its write-ahead log is evidence
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    }
    unlock(&connection, key)?;
    connection.execute_batch(&format!(
        "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{cache_kib}; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA busy_timeout = 5000;"
    ))?;
    if purpose != Purpose::Read {
        // the engine keeps to itself what becomes of a checkpoint that it begins by itself, a failed sync too: the writer begins them
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 0;",
        )?;
    }
    if purpose != Purpose::Read {
        durable(&connection)?;
    }
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// A commit that returns is on the disk: WAL and synchronous=FULL (2), read back like the cipher's settings.
fn durable(connection: &Connection) -> Result<(), OpenError> {
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    if mode == "wal" && synchronous == 2 {
        Ok(())
    } else {
        Err(OpenError::Cipher("synchronous"))
    }
}

/// Gives the connection its key and proves that the first page reads.
fn unlock(connection: &Connection, key: &LockedBytes<32>) -> Result<(), OpenError> {
    let mut pragma = Zeroizing::new(String::with_capacity(96));
    pragma.push_str("PRAGMA key = \"x'");
    for byte in key.expose_secret() {
        let _ = write!(pragma, "{byte:02x}");
    }
    pragma.push_str("'\";");
    // SQLCipher writes to stderr by itself otherwise; what matters comes back as an error
    connection.execute_batch("PRAGMA cipher_log_level = NONE;")?;
    connection.execute_batch(&pragma)?;
    for (name, value) in CIPHER_SETTINGS {
        connection.execute_batch(&format!("PRAGMA {name} = {value};"))?;
        let set: String = connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).map_err(|_| OpenError::Cipher(name))?;
        if set != *value {
            return Err(OpenError::Cipher(name));
        }
    }
    match connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)) {
        Ok(_) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => Err(OpenError::WrongKey),
        Err(error) => Err(error.into()),
    }
}
