//! What can go wrong with the store, and what the operator does next.

use contactpoint_audit::{AuditError, Logged};
use contactpoint_domain::InvalidValue;
use contactpoint_hardening::HardeningError;
use contactpoint_sealing::SealError;
use rusqlite::{ffi, ErrorCode};

/// Why the store did not open. The daemon stops with the sentence; with exit code 69 where trying again may help, with one of its
/// own for each way of being at the files (docs/operations.md), else with 78.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No database file: the key ceremony has not been held, or the state directory is not the one it was held in.
    #[error("there is no store at {0}: hold the key ceremony first (contactpoint-at-hsm ceremony), or check the state directory")]
    Missing(std::path::PathBuf),
    /// The daemon ended because this store was overwritten while it was open, and nobody has judged that yet.
    #[error(
        "the store was overwritten in place while it was open, and what is there is evidence: call the accreditor; once it is judged, and a \
         backup is in its place where that is called for, take {0} away and start"
    )]
    WasOverwritten(std::path::PathBuf),
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
    /// The newest entries were sealed under an epoch that data-keys.toml does not know.
    #[error("data-keys.toml is older than the store: bring its newest copy back, the one made after the last new epoch")]
    KeysOlder,
    /// The log in the store is not whole.
    #[error("the log in the store is not whole: {0}; keep the files as they are and call the accreditor")]
    Log(String),
    /// The store has fewer entries than the head on the token: an older copy was put in its place, or its end was cut off.
    #[error(
        "the store was set back: its log has {held} entries, and the HSM's token keeps a signed head over {kept}; keep the files as they \
         are and call the accreditor"
    )]
    SetBack {
        /// Entries under the head on the token.
        kept: u64,
        /// Entries in the store.
        held: u64,
    },
    /// The store's first entries are not those under the head on the token.
    #[error(
        "the store is another than the HSM's token knows: its first {size} entries are not those under the signed head there; keep the files \
         as they are and call the accreditor"
    )]
    OtherHistory {
        /// Entries under the head on the token.
        size: u64,
    },
    /// A head of this log was once kept on the token, and is not there.
    #[error(
        "the HSM's token keeps no head of this log, and once did: it was emptied, or is an older copy; bring the token back from its newest \
         backup, or call the accreditor"
    )]
    HeadMissing,
    /// None of the heads on the token is a head of this log, signed by its key.
    #[error("what the HSM's token keeps as the log's head was not signed by the log's key ({0}); call the accreditor")]
    HeadForged(String),
    /// A page of the file is not what was written there, or is not there.
    #[error("the store's file is not what was written there ({0}): it was altered or cut off, or the disk gives back other bytes; keep the files as they are and call the accreditor")]
    Altered(#[source] rusqlite::Error),
    /// Anything else the engine says.
    #[error("the store does not open: {0}")]
    Engine(#[source] rusqlite::Error),
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

/// What is to be done about a store that does not open; the exit statuses of whoever opens it follow from this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFault {
    /// Disk or memory is away; trying again may mend it.
    Away,
    /// A person mends it: another file, key, version or setting.
    Mend,
    /// The log, or the file that it is in, is not whole.
    NotWhole,
    /// An older store than the head on the HSM's token, or one whose end was cut off.
    SetBack,
    /// Another store than the one whose head is on the token.
    OtherHistory,
    /// The heads on the token are gone or forged.
    Heads,
    /// It was overwritten while it was open.
    Overwritten,
}

impl OpenError {
    /// Which of these it is.
    #[must_use]
    pub const fn fault(&self) -> OpenFault {
        match self {
            Self::Engine(_) | Self::Migration(_) | Self::Io(_) | Self::Memory(_) => OpenFault::Away,
            Self::Missing(_) | Self::Exists(_) | Self::WrongKey | Self::Newer | Self::KeysOlder | Self::Cipher(_) => OpenFault::Mend,
            Self::Log(_) | Self::Altered(_) => OpenFault::NotWhole,
            Self::SetBack { .. } => OpenFault::SetBack,
            Self::OtherHistory { .. } => OpenFault::OtherHistory,
            Self::HeadMissing | Self::HeadForged(_) => OpenFault::Heads,
            Self::WasOverwritten(_) => OpenFault::Overwritten,
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        if is_altered(&error) {
            Self::Altered(error)
        } else {
            Self::Engine(error)
        }
    }
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
    /// A write, a sync or a read of the store's files failed. After a failed sync nobody knows what is on the disk, and asking once more would
    /// be told that all is well: the process ends, and the next start verifies.
    #[error("the disk failed under the store: {0}; see to the disk, and start again: the store is verified then")]
    Disk(String),
    /// The database or its write-ahead log is no longer the file that was opened. What is there now was put there by somebody.
    #[error("the store's file was removed or replaced while it was open: keep what is there as it is and call the accreditor")]
    Gone,
    /// The store's file was written to by somebody else while it was open: a page of it is not what was written there. What is there now was put
    /// there by somebody.
    #[error("the store was overwritten in place while it was open: keep what is there as it is and call the accreditor")]
    Overwritten,
    /// A head over as many entries is signed already, and it is another.
    #[error("the log has a signed head over {size} entries already, and it says something else: keep the files as they are and call the accreditor")]
    OtherHead {
        /// Entries under both.
        size: u64,
    },
    /// The HSM was asked for the signature of a head, and has not answered. Nothing is answered until it does: see to the HSM.
    #[error("the HSM has not answered for {seconds} s, since it was asked to sign the log's head; see to the HSM")]
    SignerHangs {
        /// For how long.
        seconds: u64,
    },
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
        // a file that cannot grow for want of room is an I/O error to the engine where it is the write-ahead log's index
        match error.sqlite_error().map(|failure| (failure.code, failure.extended_code)) {
            Some((ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE)) => Self::Full,
            Some((_, ffi::SQLITE_READONLY_DBMOVED)) => Self::Gone,
            Some((ErrorCode::SystemIoFailure, _)) => Self::Disk(error.to_string()),
            _ if is_altered(&error) => Self::Overwritten,
            _ => Self::Engine(error),
        }
    }
}

/// The engine's own writes leave no page that does not open.
fn is_altered(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) || is_of_cipher(error)
}

/// Once a page did not open under its key, SQLCipher answers everything with SQLITE_ERROR, and has no words for it; what is wrong with a statement, or
/// with a transaction that is over, the engine says in words of its own.
fn is_of_cipher(error: &rusqlite::Error) -> bool {
    if let rusqlite::Error::SqliteFailure(failure, said) = error {
        failure.extended_code == ffi::SQLITE_ERROR && said.as_deref().is_none_or(|said| said == "SQL logic error")
    } else {
        false
    }
}

impl StoreError {
    /// The store must not be written any more, whoever met this.
    pub(crate) const fn is_the_end(&self) -> bool {
        matches!(self, Self::Disk(_) | Self::Gone | Self::Overwritten | Self::OtherHead { .. })
    }

    /// The same failure for each transaction of a group that failed as a whole.
    pub(crate) fn alike(&self) -> Self {
        match self {
            Self::Full => Self::Full,
            Self::Disk(why) => Self::Disk(why.clone()),
            Self::Gone => Self::Gone,
            Self::Overwritten => Self::Overwritten,
            Self::OtherHead { size } => Self::OtherHead { size: *size },
            Self::Damaged { .. }
            | Self::Form { .. }
            | Self::Exists(_)
            | Self::Unknown(_)
            | Self::Stopped
            | Self::Unsigned
            | Self::SignerHangs { .. }
            | Self::Overloaded
            | Self::Overtaken
            | Self::Attempted { .. }
            | Self::Engine(_)
            | Self::Seal(_)
            | Self::Audit(_)
            | Self::Value(_) => Self::Stopped,
        }
    }
}
