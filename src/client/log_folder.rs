//! The folder of a fetched log: what was checked, beside it what was not yet (`unchecked/`), and what was refused (`refused-.../`).
//!
//! For: never writing over what was kept. New files wait in `unchecked/`, each whole or not at all, and are moved in once they were found
//! to go on from the kept log; the checkpoint comes last, and only then are outgrown partial tiles dropped. What was refused is kept as
//! evidence. Leaves to others: the finding (`log_fetch`).

use crate::error::ClientError;
use contactpoint_audit::tiles::{width_at, TilePath, FULL};
use contactpoint_audit::Checkpoint;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const CHECKPOINT: &str = "checkpoint";

/// See the module.
pub(crate) struct LogFolder {
    kept: PathBuf,
    unchecked: PathBuf,
}

impl LogFolder {
    /// In a directory that need not be there yet.
    pub(crate) fn at(directory: &Path) -> Self {
        Self { kept: directory.to_owned(), unchecked: directory.join("unchecked") }
    }

    /// The two places in which files lie, what was checked first.
    pub(crate) fn places(&self) -> [&Path; 2] {
        [&self.kept, &self.unchecked]
    }

    /// The checkpoint kept from an earlier time, as it was shown.
    pub(crate) fn kept_checkpoint(&self) -> Result<Option<Vec<u8>>, ClientError> {
        let path = self.kept.join(CHECKPOINT);
        match fs::read(&path) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ClientError::file(&path)(error)),
        }
    }

    /// True where the tile, or the full one in its place, is there.
    pub(crate) fn has(&self, tile: TilePath) -> bool {
        let names = [tile.to_string(), full(tile).to_string()];
        self.places().iter().any(|place| names.iter().any(|name| place.join(name).is_file()))
    }

    /// The folder, made where it is not there, held (flock(2)) for as long as what is returned lives: two runs would take each other's files for what a
    /// broken-off one left. Another run does not wait for it: a fetch takes minutes.
    pub(crate) fn locked(&self) -> Result<File, ClientError> {
        fs::create_dir_all(&self.kept).map_err(ClientError::file(&self.kept))?;
        let folder = File::open(&self.kept).map_err(ClientError::file(&self.kept))?;
        match folder.try_lock() {
            Err(TryLockError::WouldBlock) => Err(ClientError::InUse(self.kept.clone())),
            Err(TryLockError::Error(cause)) => Err(ClientError::file(&self.kept)(cause)),
            Ok(()) => Ok(folder),
        }
    }

    /// The checkpoint that a run which was broken off was shown, empty where it is not there; none where such a run has left nothing.
    pub(crate) fn left_over(&self) -> Option<Vec<u8>> {
        let is_there = !files_below(&self.unchecked).is_empty();
        is_there.then(|| fs::read(self.unchecked.join(CHECKPOINT)).unwrap_or_default())
    }

    /// What such a run left is not of the log that is shown now: it is set aside with both checkpoints, as evidence. Returns where.
    pub(crate) fn set_aside(&self, left: (&Checkpoint, &[u8]), shown_now: &[u8]) -> Result<PathBuf, ClientError> {
        write_whole(&self.unchecked.join("checkpoint-shown-later"), shown_now)?;
        self.refuse(left.0, left.1)
    }

    /// What was refused once or set aside, and lies there still, if anything does.
    pub(crate) fn evidence(&self) -> Result<Option<PathBuf>, ClientError> {
        let entries =
            fs::read_dir(&self.kept).and_then(Iterator::collect::<std::io::Result<Vec<_>>>).map_err(ClientError::file(&self.kept))?;
        let refused = entries.into_iter().filter(|entry| entry.file_name().to_string_lossy().starts_with("refused-"));
        Ok(refused.map(|entry| entry.path()).min())
    }

    /// Keeps the checkpoint under which a run fetches, for whoever finds what it leaves.
    pub(crate) fn begin(&self, note: &[u8]) -> Result<(), ClientError> {
        write_whole(&self.unchecked.join(CHECKPOINT), note)
    }

    /// Keeps what was fetched, unchecked.
    pub(crate) fn keep_unchecked(&self, tile: TilePath, bytes: &[u8]) -> Result<(), ClientError> {
        write_whole(&self.unchecked.join(tile.to_string()), bytes)
    }

    /// What was fetched has been checked: it becomes the kept log. The kept checkpoint stays where the new one says the same.
    pub(crate) fn accept(&self, size: u64, new_checkpoint: Option<&[u8]>) -> Result<(), ClientError> {
        for path in files_below(&self.unchecked.join("tile")) {
            let name = path.strip_prefix(&self.unchecked).unwrap_or(&path);
            if name.to_str().and_then(TilePath::parse).is_some() {
                move_in(&path, &self.kept.join(name))?;
            }
        }
        if let Some(note) = new_checkpoint {
            write_whole(&self.kept.join(CHECKPOINT), note)?;
        }
        self.drop_outgrown(size)?;
        remove_all(&self.unchecked)
    }

    /// What was fetched does not go on from the kept log: it is set aside as evidence, under its size and the beginning of its root.
    /// Returns where. What was set aside before is not written over.
    pub(crate) fn refuse(&self, shown: &Checkpoint, note: &[u8]) -> Result<PathBuf, ClientError> {
        let root = data_encoding::HEXLOWER.encode(&shown.root[..8]);
        let aside = self.kept.join(format!("refused-{}-{root}", shown.size));
        if aside.exists() {
            remove_all(&self.unchecked)?;
        } else {
            write_whole(&self.unchecked.join(CHECKPOINT), note)?;
            fs::rename(&self.unchecked, &aside).map_err(ClientError::file(&aside))?;
        }
        Ok(aside)
    }

    /// Removes the partial tiles of a smaller log, and files that a broken-off run left half written.
    fn drop_outgrown(&self, size: u64) -> Result<(), ClientError> {
        for path in files_below(&self.kept.join("tile")) {
            let name = path.strip_prefix(&self.kept).unwrap_or(&path);
            let outgrown = name.to_str().and_then(TilePath::parse).is_some_and(|tile| width(tile) < FULL && width(tile) != due(tile, size));
            if outgrown || path.extension().is_some_and(|extension| extension == "part") {
                fs::remove_file(&path).map_err(ClientError::file(&path))?;
                if let Some(folder) = path.parent() {
                    let _ = fs::remove_dir(folder); // only where nothing is left in it
                }
            }
        }
        Ok(())
    }
}

/// The full tile in a partial one's place.
pub(crate) fn full(tile: TilePath) -> TilePath {
    match tile {
        TilePath::Hashes { level, index, .. } => TilePath::Hashes { level, index, width: FULL },
        TilePath::Entries { index, .. } => TilePath::Entries { index, width: FULL },
    }
}

fn width(tile: TilePath) -> u16 {
    match tile {
        TilePath::Hashes { width, .. } | TilePath::Entries { width, .. } => width,
    }
}

/// The width that the tile should have in a log of `size` entries.
fn due(tile: TilePath, size: u64) -> u16 {
    match tile {
        TilePath::Hashes { level, index, .. } => width_at(size, level, index),
        TilePath::Entries { index, .. } => width_at(size, 0, index),
    }
}

/// Never over a file that is there.
fn move_in(from: &Path, to: &Path) -> Result<(), ClientError> {
    if to.is_file() {
        return Ok(());
    }
    let folder = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(ClientError::file(folder))?;
    fs::rename(from, to).map_err(ClientError::file(to))
}

/// Writes beside, makes durable, puts in place.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ClientError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(ClientError::file(folder))?;
    let beside = aside_of(path, "part")?;
    let mut file = File::create_new(&beside).map_err(ClientError::file(&beside))?;
    file.write_all(bytes).and_then(|()| file.sync_data()).map_err(ClientError::file(&beside))?;
    fs::rename(&beside, path).map_err(ClientError::file(path))
}

/// A name beside a path that no other writer has, so that two commands never write into each other's: `name.HEX.extension`.
pub(crate) fn aside_of(path: &Path, extension: &str) -> Result<PathBuf, ClientError> {
    let mut own = [0u8; 8];
    getrandom::fill(&mut own).map_err(|_| ClientError::Request("the kernel gives no randomness".to_owned()))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.{extension}", data_encoding::HEXLOWER.encode(&own)));
    Ok(path.with_file_name(name))
}

pub(crate) fn remove_all(folder: &Path) -> Result<(), ClientError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(ClientError::file(folder)(error)),
        _ => Ok(()),
    }
}

/// Every file below a folder; none where it is not there.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outgrown_partial_tiles_and_halves_are_removed_and_the_rest_is_kept() {
        let place = tempfile::tempdir().unwrap();
        for tile in ["tile/0/000.p/3", "tile/0/000.p/5", "tile/entries/000", "tile/entries/001.p/7", "tile/entries/001.part"] {
            write_whole(&place.path().join(tile), b"x").unwrap();
        }
        LogFolder::at(place.path()).drop_outgrown(5).unwrap();
        assert!(place.path().join("tile/0/000.p/5").exists() && place.path().join("tile/entries/000").exists());
        for gone in ["tile/0/000.p/3", "tile/entries/001.p", "tile/entries/001.part"] {
            assert!(!place.path().join(gone).exists(), "{gone}");
        }
    }
}
