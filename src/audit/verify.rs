//! Verifies a whole log with the public key alone: the one module of this crate that reads files.
//!
//! For: rule F2. The files come from a [`Source`]: folders of this machine, or what another crate has. [`directory`] reads `checkpoint` and every entry bundle that its size demands, recomputes each leaf hash and the root, and compares
//! `tile/<level>/...` where such files are present, which lets a fault be named by its entry. Streams: memory is one bundle and the
//! tree's edge, whatever the size. [`extension`] also tells whether a log shown earlier is a beginning of this one, and [`against`] goes on from a
//! checkpoint that is trusted, without the entries below it. Leaves to others: fetching the files, opening the entries, whether witnesses
//! cosigned (`log_policy`). Does not look at what lies beyond the checkpoint's size, nor promise that there is no newer checkpoint.

use crate::tiles::{next_leaf, width_at, TilePath, FULL};
use crate::tree::{leaf_hash, root_of, FullTile, Hash, Tree};
use crate::{Checkpoint, Fault, VerifierKey};
use std::io::ErrorKind;
use std::path::Path;

mod source;

pub use source::{Folders, ReadFault, Source};

/// A log that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Verified {
    /// Entries that the checkpoint covers.
    pub size: u64,
    /// How many of them, from the first on, were believed because a trusted checkpoint covers them; their files were not read.
    pub skipped: u64,
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
    let dirs = [dir];
    let mut log = Folders(&dirs);
    let checkpoint = Checkpoint::open(&note(&mut log)?, key)?;
    against(&mut log, checkpoint, None, None)
}

/// The signed note of a log, not verified.
pub fn note(log: &mut dyn Source) -> Result<String, Fault> {
    let file = "checkpoint".to_owned();
    let mut bytes = Vec::new();
    match log.read(&file, &mut bytes).map_err(|fault| not_read(fault, &file, 0))? {
        true => String::from_utf8(bytes).map_err(|_| Fault::Note { why: "it is UTF-8" }),
        false => Err(Fault::Unreadable { file, kind: ErrorKind::NotFound }),
    }
}

/// Verifies a log against a checkpoint whose signature the caller has verified. With `since`, an earlier one that is
/// trusted, only what came after it is hashed: the edge of the tree as it was then is read from the tiles, which must give the trusted
/// root, and the newer entries on top of it the new one. Where a tile is not there, what lies below it is hashed instead.
/// A log that does not begin so is read from its first entry, for the fault to be named. With `before`, one that was shown earlier and is no
/// smaller than the trusted one, the log must also go on from that.
///
/// The checkpoint is the one given, though the log grow meanwhile: what came later is not looked at.
pub fn against(
    log: &mut dyn Source,
    checkpoint: Checkpoint,
    since: Option<&Checkpoint>,
    before: Option<&Checkpoint>,
) -> Result<Verified, Fault> {
    [since, before].into_iter().flatten().try_for_each(|earlier| checkpoint.may_follow(earlier))?;
    let mut reader = Reader::new(log, checkpoint.size, before);
    if let Some(since) = since {
        match reader.resume(since) {
            Ok(()) => {}
            Err(away @ Fault::NotFetched { .. }) => return Err(away),
            Err(fault) => return Err(named(fault, hold(log, &checkpoint, Some(since)))),
        }
    }
    reader.compare_beginning()?;
    reader.finish(&checkpoint)?;
    Ok(Verified { size: checkpoint.size, skipped: since.map_or(0, |since| since.size), root: checkpoint.root, checkpoint })
}

/// The fault of a log that does not go on from a trusted checkpoint, as a reading from the first entry tells it. Whoever kept the newer
/// files alone cannot read from there.
fn named(fault: Fault, from_the_first: Result<(), Fault>) -> Fault {
    match from_the_first {
        Ok(()) | Err(Fault::Missing { .. } | Fault::NotFetched { .. }) => fault,
        Err(told) => told,
    }
}

/// Holds a log's files against the checkpoint that came with them and against the one shown `before`, whose log must be a beginning of
/// this one. A file is taken from the first of the directories that has it. Signatures are not looked at.
pub fn extension(dirs: &[&Path], before: Option<&Checkpoint>, now: &Checkpoint) -> Result<(), Fault> {
    before.map_or(Ok(()), |before| now.may_follow(before))?;
    hold(&mut Folders(dirs), now, before)
}

/// Recomputes the root, and on the way that of the checkpoint `before`.
fn hold(log: &mut dyn Source, checkpoint: &Checkpoint, before: Option<&Checkpoint>) -> Result<(), Fault> {
    let mut log = Reader::new(log, checkpoint.size, before);
    log.compare_beginning()?;
    log.finish(checkpoint)
}

fn not_read(fault: ReadFault, file: &str, reached: u64) -> Fault {
    let file = file.to_owned();
    match fault {
        ReadFault::Unreadable(kind) => Fault::Unreadable { file, kind },
        ReadFault::NotFetched(why) => Fault::NotFetched { file, reached, why },
    }
}

struct Reader<'a> {
    log: &'a mut dyn Source,
    size: u64,
    before: Option<&'a Checkpoint>,
    tree: Tree,
    /// The path of the bundle read last, for naming a fault.
    bundle: String,
    /// Its bytes, kept so that one allocation serves all.
    bytes: Vec<u8>,
}

impl<'a> Reader<'a> {
    const fn new(log: &'a mut dyn Source, size: u64, before: Option<&'a Checkpoint>) -> Self {
        Self { log, size, before, tree: Tree::new(), bundle: String::new(), bytes: Vec::new() }
    }

    /// Appends all leaves that are not in yet, and holds the root against the checkpoint's.
    fn finish(&mut self, checkpoint: &Checkpoint) -> Result<(), Fault> {
        while self.tree.size() < self.size {
            self.take_bundle(self.tree.size() / u64::from(FULL))?;
        }
        self.compare_edge()?;
        let found = self.tree.root();
        if found == checkpoint.root {
            Ok(())
        } else {
            Err(Fault::Root { size: checkpoint.size, expected: checkpoint.root, found })
        }
    }

    /// Takes the tree of a trusted checkpoint, if the files give its root.
    fn resume(&mut self, since: &Checkpoint) -> Result<(), Fault> {
        let mut edge = Vec::new();
        for level in 0..8 {
            let hashes = since.size >> (8 * u32::from(level));
            edge.push(self.hashes(level, hashes / u64::from(FULL), hashes as usize % usize::from(FULL))?);
        }
        let tree = Tree::with_edge(since.size, edge);
        let found = tree.root();
        if found != since.root {
            return Err(Fault::NotABeginning { size: since.size, expected: since.root, found });
        }
        self.tree = tree;
        Ok(())
    }

    /// The first hashes of a tile: from its file, or hashed anew from what lies below it.
    fn hashes(&mut self, level: u8, index: u64, count: usize) -> Result<Vec<Hash>, Fault> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let width = width_at(self.size, level, index);
        let mut bytes = Vec::new();
        if let Some((tile, held)) = self.read_tile(TilePath::Hashes { level, index, width }, &mut bytes)? {
            check_length(tile, held, &bytes)?;
            return Ok((0..count).map(|at| hash_at(&bytes, at)).collect());
        }
        let below = |at: usize| index * u64::from(FULL) + at as u64;
        match level.checked_sub(1) {
            Some(lower) => (0..count).map(|at| Ok(root_of(&self.hashes(lower, below(at), usize::from(FULL))?))).collect(),
            None => self.leaf_hashes(index, count),
        }
    }

    fn leaf_hashes(&mut self, index: u64, count: usize) -> Result<Vec<Hash>, Fault> {
        let held = self.read_bundle(index)?;
        let mut bytes = self.bytes.as_slice();
        let mut hashes = Vec::with_capacity(count);
        for at in 0..count as u64 {
            let (leaf, rest) = next_leaf(bytes).ok_or_else(|| self.truncated(index * u64::from(FULL) + at, held))?;
            hashes.push(leaf_hash(leaf));
            bytes = rest;
        }
        Ok(hashes)
    }

    fn take_bundle(&mut self, index: u64) -> Result<(), Fault> {
        let held = self.read_bundle(index)?;
        let bytes = std::mem::take(&mut self.bytes);
        self.take_leaves(index * u64::from(FULL), held, &bytes)?;
        self.bytes = bytes;
        Ok(())
    }

    /// Reads a bundle into the buffer; the entries that the file holds.
    fn read_bundle(&mut self, index: u64) -> Result<u16, Fault> {
        let wanted = TilePath::Entries { index, width: width_at(self.size, 0, index) };
        let mut bytes = std::mem::take(&mut self.bytes);
        let first = index * u64::from(FULL);
        let (path, held) =
            self.read_tile(wanted, &mut bytes)?.ok_or_else(|| Fault::Missing { file: wanted.to_string(), size: self.size, first })?;
        (self.bundle, self.bytes) = (path, bytes);
        Ok(held)
    }

    fn truncated(&self, index: u64, held: u16) -> Fault {
        Fault::Truncated { file: self.bundle.clone(), index, width: held }
    }

    /// Reads a tile of this width, or in its place the full one, which a log that has grown may keep alone. Returns the path read and
    /// the width that the file has.
    fn read_tile(&mut self, wanted: TilePath, bytes: &mut Vec<u8>) -> Result<Option<(String, u16)>, Fault> {
        let (width, grown) = match wanted {
            TilePath::Hashes { level, index, width } => (width, TilePath::Hashes { level, index, width: FULL }),
            TilePath::Entries { index, width } => (width, TilePath::Entries { index, width: FULL }),
        };
        for (path, width) in [(wanted.to_string(), width), (grown.to_string(), FULL)] {
            if self.log.read(&path, bytes).map_err(|fault| not_read(fault, &path, self.tree.size()))? {
                return Ok(Some((path, width)));
            }
        }
        Ok(None)
    }

    /// Appends those leaves of a bundle that are within the size and not in yet. The bundle must hold exactly `held`, of which the first
    /// is the log's `first`.
    fn take_leaves(&mut self, first: u64, held: u16, mut bytes: &[u8]) -> Result<(), Fault> {
        for index in first..first + u64::from(held) {
            let (leaf, rest) = next_leaf(bytes).ok_or_else(|| self.truncated(index, held))?;
            bytes = rest;
            if index == self.tree.size() && index < self.size {
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
    fn compare_edge(&mut self) -> Result<(), Fault> {
        let size = self.size;
        let partial = |(level, hashes): (usize, &Vec<Hash>)| {
            let index = (size >> (8 * level)) / u64::from(FULL);
            (!hashes.is_empty()).then(|| FullTile { level: level as u8, index, hashes: hashes.concat() })
        };
        let edge: Vec<FullTile> = self.tree.edge().iter().enumerate().filter_map(partial).collect();
        edge.iter().try_for_each(|tile| self.compare(tile))
    }

    /// Holds computed hashes against the file of their tile, if there is one.
    fn compare(&mut self, computed: &FullTile) -> Result<(), Fault> {
        let FullTile { level, index, ref hashes } = *computed;
        let width = (hashes.len() / 32) as u16;
        let mut bytes = Vec::new();
        let Some((tile, held)) = self.read_tile(TilePath::Hashes { level, index, width }, &mut bytes)? else {
            return Ok(());
        };
        let tile = check_length(tile, held, &bytes)?;
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

/// The tile's name again, where its file has the length of as many hashes.
fn check_length(tile: String, held: u16, bytes: &[u8]) -> Result<String, Fault> {
    let expected = usize::from(held) * 32;
    if bytes.len() == expected {
        Ok(tile)
    } else {
        Err(Fault::TileLength { file: tile, expected, found: bytes.len() })
    }
}

fn hash_at(hashes: &[u8], at: usize) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(&hashes[32 * at..32 * (at + 1)]);
    hash
}

#[cfg(test)]
mod tests;
