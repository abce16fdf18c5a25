//! Verifies a whole log, offline, with the public key alone: the one module of this crate that reads files.
//!
//! For: rule F2. [`directory`] reads `checkpoint` and every entry bundle that its size demands, recomputes each leaf hash and the root, and compares
//! `tile/<level>/...` where such files are present, which lets a fault be named by its entry. Streams: memory is one bundle and the
//! tree's edge, whatever the size. [`extension`] also tells whether a log shown earlier is a beginning of this one. Leaves to others: fetching the files, opening the entries. Does not look at what lies beyond the
//! checkpoint's size, nor promise that there is no newer checkpoint.

use crate::tiles::{next_leaf, width_at, TilePath, FULL, LARGEST_BUNDLE};
use crate::tree::{leaf_hash, FullTile, Hash, Tree};
use crate::{Checkpoint, Fault, VerifierKey};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// A log that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Verified {
    /// Entries verified.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The signed checkpoint they were held against.
    pub checkpoint: Checkpoint,
}

/// What a log of `size` entries that verified may be said to be, for people.
#[must_use]
pub fn unharmed(size: u64) -> String {
    match size.checked_sub(1) {
        Some(last) => format!("nothing altered, removed or reordered up to entry {last}"),
        None => "it has no entries".to_owned(),
    }
}

/// Verifies the log in a directory; the first fault met is the answer.
pub fn directory(dir: &Path, key: &VerifierKey) -> Result<Verified, Fault> {
    let checkpoint = Checkpoint::open(&read_checkpoint(dir)?, key)?;
    hold(&[dir], &checkpoint, None)?;
    Ok(Verified { size: checkpoint.size, root: checkpoint.root, checkpoint })
}

/// Holds a log's files against the checkpoint that came with them and against the one shown `before`, whose log must be a beginning of
/// this one. A file is taken from the first of the directories that has it. Signatures are not looked at.
pub fn extension(dirs: &[&Path], before: Option<&Checkpoint>, now: &Checkpoint) -> Result<(), Fault> {
    before.map_or(Ok(()), |before| now.may_follow(before))?;
    hold(dirs, now, before)
}

/// Recomputes the root, and on the way that of the checkpoint `before`.
fn hold(dirs: &[&Path], checkpoint: &Checkpoint, before: Option<&Checkpoint>) -> Result<(), Fault> {
    let mut log = Reader { dirs, size: checkpoint.size, before, tree: Tree::new(), bundle: String::new(), bytes: Vec::new() };
    log.compare_beginning()?;
    for index in 0..checkpoint.size.div_ceil(u64::from(FULL)) {
        log.take_bundle(index)?;
    }
    log.compare_edge()?;
    let found = log.tree.root();
    if found == checkpoint.root {
        Ok(())
    } else {
        Err(Fault::Root { size: checkpoint.size, expected: checkpoint.root, found })
    }
}

fn read_checkpoint(dir: &Path) -> Result<String, Fault> {
    let file = "checkpoint".to_owned();
    let mut bytes = Vec::new();
    match read(&[dir], &file, &mut bytes)? {
        true => String::from_utf8(bytes).map_err(|_| Fault::Note { why: "it is UTF-8" }),
        false => Err(Fault::Unreadable { file, kind: ErrorKind::NotFound }),
    }
}

/// Reads a file below the first directory that has it into the buffer; false where none has.
fn read(dirs: &[&Path], file: &str, buffer: &mut Vec<u8>) -> Result<bool, Fault> {
    let unreadable = |error: std::io::Error| Fault::Unreadable { file: file.to_owned(), kind: error.kind() };
    buffer.clear();
    for dir in dirs {
        match File::open(dir.join(file)) {
            Ok(opened) => return opened.take(LARGEST_BUNDLE as u64 + 1).read_to_end(buffer).map(|_| true).map_err(unreadable),
            // a file where a directory should be: the path leads nowhere
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    Ok(false)
}

struct Reader<'a> {
    dirs: &'a [&'a Path],
    size: u64,
    before: Option<&'a Checkpoint>,
    tree: Tree,
    /// The path of the bundle read last, for naming a fault.
    bundle: String,
    /// Its bytes, kept so that one allocation serves all.
    bytes: Vec<u8>,
}

impl Reader<'_> {
    fn take_bundle(&mut self, index: u64) -> Result<(), Fault> {
        let width = width_at(self.size, 0, index);
        let mut bytes = std::mem::take(&mut self.bytes);
        let (path, held) = self.read_tile(TilePath::Entries { index, width }, &mut bytes)?.ok_or_else(|| Fault::Missing {
            file: TilePath::Entries { index, width }.to_string(),
            size: self.size,
            first: index * u64::from(FULL),
        })?;
        self.bundle = path;
        self.take_leaves(held, width, &bytes)?;
        self.bytes = bytes;
        Ok(())
    }

    /// Reads a tile of this width, or in its place the full one, which a log that has grown may keep alone. Returns the path read and
    /// the width that the file has.
    fn read_tile(&self, wanted: TilePath, bytes: &mut Vec<u8>) -> Result<Option<(String, u16)>, Fault> {
        let (width, grown) = match wanted {
            TilePath::Hashes { level, index, width } => (width, TilePath::Hashes { level, index, width: FULL }),
            TilePath::Entries { index, width } => (width, TilePath::Entries { index, width: FULL }),
        };
        for (path, width) in [(wanted.to_string(), width), (grown.to_string(), FULL)] {
            if read(self.dirs, &path, bytes)? {
                return Ok(Some((path, width)));
            }
        }
        Ok(None)
    }

    /// Appends the first `wanted` leaves of a bundle that must hold exactly `held`.
    fn take_leaves(&mut self, held: u16, wanted: u16, mut bytes: &[u8]) -> Result<(), Fault> {
        let first = self.tree.size();
        for at in 0..held {
            let index = first + u64::from(at);
            let (leaf, rest) = next_leaf(bytes).ok_or_else(|| Fault::Truncated { file: self.bundle.clone(), index, width: held })?;
            bytes = rest;
            if at < wanted {
                let full = self.tree.append_hash(leaf_hash(leaf));
                full.iter().try_for_each(|tile| self.compare(tile))?;
                self.compare_beginning()?;
            }
        }
        if bytes.is_empty() {
            Ok(())
        } else {
            Err(Fault::Trailing { file: self.bundle.clone(), width: held, last: first + u64::from(held) - 1, extra: bytes.len() })
        }
    }

    /// Once as many leaves are in as were shown before: is it the log that was shown?
    fn compare_beginning(&self) -> Result<(), Fault> {
        let Some(before) = self.before.filter(|before| before.size == self.tree.size()) else { return Ok(()) };
        let found = self.tree.root();
        if found == before.root {
            Ok(())
        } else {
            Err(Fault::NotABeginning { size: before.size, expected: before.root, found })
        }
    }

    /// Compares the partial tiles, once all leaves are in.
    fn compare_edge(&self) -> Result<(), Fault> {
        for (level, hashes) in self.tree.edge().iter().enumerate().filter(|(_, hashes)| !hashes.is_empty()) {
            let index = (self.size >> (8 * level)) / u64::from(FULL);
            self.compare(&FullTile { level: level as u8, index, hashes: hashes.concat() })?;
        }
        Ok(())
    }

    /// Holds computed hashes against the file of their tile, if there is one.
    fn compare(&self, computed: &FullTile) -> Result<(), Fault> {
        let FullTile { level, index, ref hashes } = *computed;
        let width = (hashes.len() / 32) as u16;
        let mut bytes = Vec::new();
        let Some((tile, held)) = self.read_tile(TilePath::Hashes { level, index, width }, &mut bytes)? else {
            return Ok(());
        };
        if bytes.len() != usize::from(held) * 32 {
            return Err(Fault::TileLength { file: tile, expected: usize::from(held) * 32, found: bytes.len() });
        }
        let differing = hashes.chunks_exact(32).zip(bytes.chunks_exact(32)).position(|(found, expected)| found != expected);
        match differing {
            None => Ok(()),
            Some(at) => Err(self.difference(computed, tile, &bytes, at)),
        }
    }

    fn difference(&self, computed: &FullTile, tile: String, bytes: &[u8], at: usize) -> Fault {
        let expected = hash_at(bytes, at);
        let found = hash_at(&computed.hashes, at);
        let place = computed.index * u64::from(FULL) + at as u64;
        if computed.level == 0 {
            // a tile of level 0 is compared as soon as its bundle is in
            let bundle = self.bundle.clone();
            Fault::Leaf { index: place, bundle, tile, expected, found }
        } else {
            let leaves = 1u64 << (8 * computed.level);
            Fault::Node { first: place * leaves, last: (place + 1) * leaves - 1, tile, expected, found }
        }
    }
}

fn hash_at(hashes: &[u8], at: usize) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(&hashes[32 * at..32 * (at + 1)]);
    hash
}

#[cfg(test)]
mod tests;
