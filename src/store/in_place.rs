//! Whether the store's files are still where they were opened, and what was written there.
//!
//! A file that is removed or replaced stays open, and commits go on into what nobody will find again: answers would leave whose entries
//! are lost (rule F1). So each commit asks once more before its answers go, and so does a writer with nothing to do. The database is written when the
//! write-ahead log is copied into it and at no other time, so that its time of change tells who wrote to it besides. Does not promise: to notice a
//! file that was put back, a write-ahead log that was overwritten and is as long as before, or a database that was written to between our last look and the end of
//! our own copying, which counts as ours; nor one that was overwritten by somebody who set its time back: that is told by the first page that does not open.

use crate::error::StoreError;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Beside the store, once it was found overwritten: it is not opened again before somebody has judged that, and taken the file away.
const MARK: &str = "store-overwritten";

/// Device and inode.
type Identity = (u64, u64);

/// When a file was last written to (seconds, nanoseconds), and its length.
type Written = (i64, i64, u64);

/// The database and its write-ahead log, as they were first seen, or left by our own copying.
pub(crate) struct InPlace {
    files: [(PathBuf, Option<Identity>); 2],
    database: Option<Written>,
    log_bytes: u64,
}

impl InPlace {
    /// Of an open database; a write-ahead log that is not there yet is taken as it is first found.
    pub(crate) fn of(database: &Path) -> Result<Self, StoreError> {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let log = PathBuf::from(log);
        let [database_is, log_is] = [seen(database)?, seen(&log)?].map(|found| found.map(|(identity, _)| identity));
        let files = [(database.to_owned(), database_is), (log, log_is)];
        let mut place = Self { files, database: None, log_bytes: 0 };
        place.copied()?;
        Ok(place)
    }

    /// Length of the write-ahead log at the last check.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.log_bytes
    }

    /// Called whenever the write-ahead log was copied into the database, whole or not: what is there now was written by us.
    pub(crate) fn copied(&mut self) -> Result<(), StoreError> {
        let [(database, _), (log, _)] = &self.files;
        self.database = seen(database)?.map(|(_, written)| written);
        self.log_bytes = seen(log)?.map_or(0, |(_, (.., bytes))| bytes);
        Ok(())
    }

    /// Errors where one of them is no longer the file that was opened, or was written to by somebody else.
    pub(crate) fn check(&mut self) -> Result<(), StoreError> {
        let mut now = [None; 2];
        for ((path, known), now) in self.files.iter_mut().zip(&mut now) {
            let (found, written) = seen(path)?.unzip();
            if known.is_some() && found != *known {
                return Err(StoreError::Gone);
            }
            (*known, *now) = (found, written);
        }
        let [database, log] = now;
        let log_bytes = log.map_or(0, |(.., bytes)| bytes);
        // the write-ahead log grows, and starts over when it is copied
        if database != self.database || log_bytes < self.log_bytes {
            return Err(StoreError::Overwritten);
        }
        self.log_bytes = log_bytes;
        Ok(())
    }
}

impl InPlace {
    /// Says beside the database that it was overwritten, so that a restart forgets it no more than the journal does.
    pub(crate) fn mark_overwritten(&self) -> io::Result<()> {
        let [(database, _), _] = &self.files;
        let mark = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(database.with_file_name(MARK));
        match mark.and_then(|mark| mark.sync_all()) {
            // its time is the first one's
            Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            marked => marked,
        }
    }
}

/// The mark beside a database, where there is one.
pub(crate) fn overwritten_mark(database: &Path) -> Option<PathBuf> {
    Some(database.with_file_name(MARK)).filter(|mark| mark.exists())
}

/// Which file it is, and what was last written; `None` where there is none.
fn seen(path: &Path) -> Result<Option<(Identity, Written)>, StoreError> {
    told(std::fs::metadata(path))
}

/// Only a file that is not there is gone: a disk that cannot be asked accuses nobody, and the process may start again.
fn told(asked: io::Result<Metadata>) -> Result<Option<(Identity, Written)>, StoreError> {
    match asked {
        Ok(found) => Ok(Some(((found.dev(), found.ino()), (found.mtime(), found.mtime_nsec(), found.len())))),
        Err(fault) if matches!(fault.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(fault) => Err(StoreError::Disk(fault.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_cannot_be_asked_is_told_as_a_disk_and_not_as_a_file_that_somebody_took() {
        // G3: nobody is accused of what a disk did; 74 starts again, 66 does not
        let told = |errno| told(Err(io::Error::from_raw_os_error(errno)));
        // ENOENT, ENOTDIR
        assert!([2, 20].map(told).iter().all(|told| matches!(told, Ok(None))));
        // EIO, EMFILE, EACCES, ESTALE
        assert!([5, 24, 13, 116].map(told).iter().all(|told| matches!(told, Err(StoreError::Disk(_)))));
    }

    #[test]
    fn a_file_that_was_removed_or_replaced_is_noticed() {
        // F1: if the entry cannot be written, nothing is answered
        let folder = tempfile::tempdir().unwrap();
        let [database, log, other] = ["store.db", "store.db-wal", "other"].map(|name| folder.path().join(name));
        for name in ["store.db", "store.db-wal"] {
            std::fs::write(&database, "x").unwrap();
            std::fs::write(&log, "x").unwrap();
            let mut place = InPlace::of(&database).unwrap();
            assert!(place.check().is_ok());
            std::fs::write(&other, "x").unwrap();
            std::fs::rename(&other, folder.path().join(name)).unwrap();
            assert!(place.check().is_err(), "replaced");
            let mut place = InPlace::of(&database).unwrap();
            std::fs::remove_file(folder.path().join(name)).unwrap();
            assert!(place.check().is_err(), "removed");
        }
    }

    #[test]
    fn a_file_that_somebody_else_wrote_to_is_noticed_and_our_own_copying_is_not() {
        // G3: an altered store is noticed, also while it is open
        let folder = tempfile::tempdir().unwrap();
        let [database, log] = ["store.db", "store.db-wal"].map(|name| folder.path().join(name));
        std::fs::write(&database, "as it was").unwrap();
        std::fs::write(&log, "a commit").unwrap();
        let mut place = InPlace::of(&database).unwrap();
        std::fs::write(&log, "a commit and another").unwrap();
        assert!(place.check().is_ok() && place.log_bytes() == 20);
        std::fs::write(&database, "as we left it").unwrap();
        std::fs::write(&log, "").unwrap();
        place.copied().unwrap();
        assert!(place.check().is_ok());
        std::fs::write(&log, "a commit").unwrap();
        assert!(place.check().is_ok());
        std::fs::write(&log, "cut").unwrap();
        assert!(matches!(place.check(), Err(StoreError::Overwritten)), "the log cannot become shorter by itself");
        let mut place = InPlace::of(&database).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::write(&database, "as THEY want").unwrap();
        assert!(matches!(place.check(), Err(StoreError::Overwritten)));
    }
}
