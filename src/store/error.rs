//! What can go wrong with the store, and what the operator does next.

use contactpoint_audit::{AuditError, Logged};
use contactpoint_domain::InvalidValue;
use contactpoint_hardening::HardeningError;
use contactpoint_sealing::SealError;

/// Why the store did not open. The daemon stops with the sentence; with exit code 69 where trying again may help, else with 78.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No database file: the key ceremony has not been held, or the state directory is not the one it was held in.
    #[error("there is no store at {0}: hold the key ceremony first (contactpoint-at-hsm ceremony), or check the state directory")]
    Missing(std::path::PathBuf),
    /// A database file where a new one was to be made.
    #[error("there is a store at {0} already: nothing was changed")]
    Exists(std::path::PathBuf),
    /// SQLCipher cannot read the first page: another key, or not our file.
    #[error(
        "the store does not open with this page key: the HSM token or data-keys.toml belongs to another store, or the file is damaged"
    )]
    WrongKey,
    /// The schema is of a newer version than this program.
    #[error("the store was written by a newer version: install that version again")]
    Newer,
    /// A setting did not take.
    #[error("the store's setting {0} did not take: this build lacks SQLCipher, or the file system cannot keep a write-ahead log")]
    Cipher(&'static str),
    /// The log in the store is not whole.
    #[error("the log in the store is not whole: {0}")]
    Log(String),
    /// Anything else the engine says.
    #[error("the store does not open: {0}")]
    Engine(#[from] rusqlite::Error),
    /// A migration failed.
    #[error("the store's schema could not be brought up to date: {0}")]
    Migration(#[from] rusqlite_migration::Error),
    /// A thread, a directory, a file mode.
    #[error("the store does not open: {0}")]
    Io(#[from] std::io::Error),
    /// Keys could not be held in locked memory.
    #[error(transparent)]
    Memory(#[from] HardeningError),
}

/// Why a transaction did not come about. Nothing was answered and nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row does not open in its place: it was moved, swapped or altered (rule G3). Stop, keep the file, call the accreditor.
    #[error("row {row} of {table} does not open in its place")]
    Damaged {
        /// Table.
        table: &'static str,
        /// Row number.
        row: i64,
    },
    /// A row opened but does not hold what this version writes.
    #[error("row {row} of {table} is not in a known form")]
    Form {
        /// Table.
        table: &'static str,
        /// Row number.
        row: i64,
    },
    /// A value that must be unique exists already (a log-in name, a certificate).
    #[error("{0} exists already")]
    Exists(&'static str),
    /// Something named by its number does not exist.
    #[error("no such {0}")]
    Unknown(&'static str),
    /// The disk is full: make room; nothing was lost.
    #[error("the disk is full")]
    Full,
    /// The commit was not made durable, or the writer has stopped. Restart after mending the disk.
    #[error("the store has stopped writing")]
    Stopped,
    /// The HSM has signed no head for some seconds: see to the HSM. Nothing is answered until it signs again (architecture, keys).
    #[error("the log's head cannot be signed: the HSM is away")]
    Unsigned,
    /// Too many transactions wait.
    #[error("the store is overloaded")]
    Overloaded,
    /// A child that was looked at was hidden before the look came into the log: whoever asks again is answered by what holds now.
    #[error("what was looked at was hidden meanwhile")]
    Overtaken,
    /// One of these, and the attempt is in the log (rule F1).
    #[error("{fault}")]
    Attempted {
        /// Which.
        #[source]
        fault: Box<StoreError>,
        /// The attempt's entry.
        entry: Logged,
    },
    /// The engine refused; the text has no values in it.
    #[error("the store's engine refused: {0}")]
    Engine(#[source] rusqlite::Error),
    /// Sealing failed, which randomness or memory alone can cause.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// An entry could not be written down or read back.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A value read back is not one this version knows.
    #[error(transparent)]
    Value(#[from] InvalidValue),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(rusqlite::ErrorCode::SystemIoFailure | rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Self::Stopped
            }
            _ => Self::Engine(error),
        }
    }
}

impl StoreError {
    /// The same failure for each transaction of a group that failed as a whole.
    pub(crate) fn alike(&self) -> Self {
        if matches!(self, Self::Full) {
            Self::Full
        } else {
            Self::Stopped
        }
    }
}
