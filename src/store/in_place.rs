//! Whether the store's files are still where they were opened.
//!
//! A file that is removed or replaced stays open, and commits go on into what nobody will find again: answers would leave whose entries
//! are lost (rule F1). So each commit asks once more before its answers go, and so does a writer with nothing to do. Does not promise: to notice a
//! file that was put back.

use crate::error::StoreError;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Device and inode.
type Identity = (u64, u64);

/// The database and its write-ahead log, as they were first seen.
pub(crate) struct InPlace {
    files: [(PathBuf, Option<Identity>); 2],
    log_bytes: u64,
}

impl InPlace {
    /// Of an open database; a write-ahead log that is not there yet is taken as it is first found.
    pub(crate) fn of(database: &Path) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let files = [database.to_owned(), PathBuf::from(log)].map(|path| {
            let found = seen(&path).map(|(identity, _)| identity);
            (path, found)
        });
        Self { files, log_bytes: 0 }
    }

    /// Length of the write-ahead log at the last check.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.log_bytes
    }

    /// Errors where one of them is no longer the file that was opened.
    pub(crate) fn check(&mut self) -> Result<(), StoreError> {
        for (path, known) in &mut self.files {
            let (found, bytes) = seen(path).unzip();
            self.log_bytes = bytes.unwrap_or(0);
            if known.is_some() && found != *known {
                return Err(StoreError::Gone);
            }
            *known = found;
        }
        Ok(())
    }
}

/// Which file it is, and its length.
fn seen(path: &Path) -> Option<(Identity, u64)> {
    std::fs::metadata(path).ok().map(|found| ((found.dev(), found.ino()), found.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_removed_or_replaced_is_noticed() {
        // F1: if the entry cannot be written, nothing is answered
        let folder = tempfile::tempdir().unwrap();
        let [database, log, other] = ["store.db", "store.db-wal", "other"].map(|name| folder.path().join(name));
        for name in ["store.db", "store.db-wal"] {
            std::fs::write(&database, "x").unwrap();
            std::fs::write(&log, "x").unwrap();
            let mut place = InPlace::of(&database);
            assert!(place.check().is_ok());
            std::fs::write(&other, "x").unwrap();
            std::fs::rename(&other, folder.path().join(name)).unwrap();
            assert!(place.check().is_err(), "replaced");
            let mut place = InPlace::of(&database);
            std::fs::remove_file(folder.path().join(name)).unwrap();
            assert!(place.check().is_err(), "removed");
        }
    }
}
