//! One attack on a log, one test.

use super::*;
use crate::testing::{leaves, signer, write, write_log, InMemory};
use crate::Signer;
use std::fs;
use tempfile::TempDir;

/// Two full bundles and a partial one, tiles of two levels.
const SIZE: u32 = 600;

fn log_of(leaves: &[Vec<u8>]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_log(dir.path(), leaves, &signer());
    dir
}

fn verdict(dir: &TempDir) -> Result<Verified, Fault> {
    directory(dir.path(), signer().verifier_key())
}

fn fault(dir: &TempDir) -> Fault {
    verdict(dir).unwrap_err()
}

fn flip(dir: &TempDir, path: &str, at: usize) {
    let mut bytes = fs::read(dir.path().join(path)).unwrap();
    bytes[at] ^= 1;
    write(dir.path(), path, &bytes);
}

fn without_tiles(dir: &TempDir, levels: &[u8]) {
    levels.iter().for_each(|level| fs::remove_dir_all(dir.path().join(format!("tile/{level}"))).unwrap());
}

#[test]
fn a_whole_log_verifies_at_every_kind_of_size() {
    // F2: anyone with the public key can verify
    for size in [1, 2, 255, 256, 257, 511, 512, 600, 66_000] {
        let verified = verdict(&log_of(&leaves(size))).unwrap();
        assert_eq!((verified.size, verified.checkpoint.size, verified.root), (u64::from(size), u64::from(size), verified.checkpoint.root));
    }
}

#[test]
fn an_empty_log_verifies() {
    // F2: also before anything was written
    let verified = verdict(&log_of(&[])).unwrap();
    assert_eq!((verified.size, verified.root), (0, crate::empty_root()));
}

#[test]
fn a_log_without_hash_tiles_verifies() {
    // F2: the entries and the signed head are all it takes
    let dir = log_of(&leaves(SIZE));
    without_tiles(&dir, &[0, 1]);
    assert_eq!(verdict(&dir).unwrap().size, u64::from(SIZE));
}

#[test]
fn a_log_that_has_grown_past_its_checkpoint_verifies_up_to_it() {
    // F2: the head may be older than the newest tiles; a full file then stands where the partial one was
    let dir = log_of(&leaves(SIZE));
    let grown = log_of(&leaves(800));
    write(grown.path(), "checkpoint", &fs::read(dir.path().join("checkpoint")).unwrap());
    assert_eq!(verdict(&grown).unwrap().size, u64::from(SIZE));
    flip(&grown, "tile/entries/002", 2);
    assert!(matches!(fault(&grown), Fault::Leaf { index: 512, bundle, tile, .. } if bundle == "tile/entries/002" && tile == "tile/0/002"));
}

#[test]
fn a_changed_byte_names_its_file_and_its_entry() {
    // F2: nothing was altered
    let dir = log_of(&leaves(SIZE));
    // the leaves have 3 bytes, and 2 for their length: this is the last byte of entry 256 + 40
    flip(&dir, "tile/entries/001", 40 * 5 + 4);
    let fault = fault(&dir);
    assert!(matches!(&fault, Fault::Leaf { index: 296, bundle, tile, .. } if bundle == "tile/entries/001" && tile == "tile/0/001"));
    assert!(fault.to_string().starts_with("entry 296 in tile/entries/001 was altered, or its hash in tile/0/001 was: "));
}

#[test]
fn every_changed_byte_of_a_small_log_is_caught() {
    // F2: nothing was altered, not one byte in any file
    let dir = log_of(&leaves(5));
    for path in ["checkpoint", "tile/entries/000.p/5", "tile/0/000.p/5"] {
        for at in 0..fs::read(dir.path().join(path)).unwrap().len() {
            flip(&dir, path, at);
            fault(&dir);
            flip(&dir, path, at);
        }
    }
    assert_eq!(verdict(&dir).unwrap().size, 5);
}

#[test]
fn a_changed_byte_is_narrowed_to_its_bundle_by_the_next_level() {
    // F2: nothing was altered
    let dir = log_of(&leaves(SIZE));
    without_tiles(&dir, &[0]);
    flip(&dir, "tile/entries/001", 4);
    assert!(matches!(fault(&dir), Fault::Node { first: 256, last: 511, tile, .. } if tile == "tile/1/000.p/2"));
}

#[test]
fn a_changed_byte_without_any_hash_tile_breaks_the_root() {
    // F2: nothing was altered
    let dir = log_of(&leaves(SIZE));
    without_tiles(&dir, &[0, 1]);
    flip(&dir, "tile/entries/001", 4);
    assert!(matches!(fault(&dir), Fault::Root { size: 600, .. }));
}

#[test]
fn a_changed_entry_with_its_hash_changed_to_match_breaks_what_lies_above() {
    // F2: nothing was altered, by somebody who knows the format
    let mut altered = leaves(SIZE);
    altered[300] = b"forged".to_vec();
    let forged = log_of(&altered);
    let dir = log_of(&leaves(SIZE));
    for path in ["tile/entries/001", "tile/0/001"] {
        write(dir.path(), path, &fs::read(forged.path().join(path)).unwrap());
    }
    assert!(matches!(fault(&dir), Fault::Node { first: 256, last: 511, .. }));
    write(dir.path(), "tile/1/000.p/2", &fs::read(forged.path().join("tile/1/000.p/2")).unwrap());
    assert!(matches!(fault(&dir), Fault::Root { size: 600, .. }));
}

#[test]
fn reordered_entries_are_noticed_and_the_first_is_named() {
    // F2: nothing was reordered
    let mut swapped = leaves(SIZE);
    swapped.swap(300, 301);
    let dir = log_of(&leaves(SIZE));
    write(dir.path(), "tile/entries/001", &fs::read(log_of(&swapped).path().join("tile/entries/001")).unwrap());
    assert!(matches!(fault(&dir), Fault::Leaf { index: 300, .. }));
    without_tiles(&dir, &[0, 1]);
    assert!(matches!(fault(&dir), Fault::Root { .. }));
}

#[test]
fn exchanged_bundles_are_noticed() {
    // F2: nothing was reordered
    let dir = log_of(&leaves(SIZE));
    without_tiles(&dir, &[0, 1]);
    let [a, b] = ["tile/entries/000", "tile/entries/001"].map(|path| fs::read(dir.path().join(path)).unwrap());
    write(dir.path(), "tile/entries/000", &b);
    write(dir.path(), "tile/entries/001", &a);
    assert!(matches!(fault(&dir), Fault::Root { .. }));
}

#[test]
fn a_missing_bundle_is_named_with_what_it_held() {
    // F2: nothing was removed
    let dir = log_of(&leaves(SIZE));
    fs::remove_file(dir.path().join("tile/entries/001")).unwrap();
    assert_eq!(fault(&dir), Fault::Missing { file: "tile/entries/001".to_owned(), size: 600, first: 256 });
    assert_eq!(
        fault(&dir).to_string(),
        "tile/entries/001 is missing: the checkpoint covers 600 entries, and this file holds entries from 256 on"
    );
}

#[test]
fn a_checkpoint_larger_than_its_tiles_is_refused() {
    // F2: nothing was removed from the end
    let dir = log_of(&leaves(SIZE));
    let longer = log_of(&leaves(700));
    write(dir.path(), "checkpoint", &fs::read(longer.path().join("checkpoint")).unwrap());
    assert_eq!(fault(&dir), Fault::Missing { file: "tile/entries/002.p/188".to_owned(), size: 700, first: 512 });
    let vast = Checkpoint { origin: "directory.example/log".to_owned(), size: i64::MAX.unsigned_abs(), root: [0; 32] };
    write(dir.path(), "checkpoint", vast.signed(&signer()).unwrap().as_bytes());
    assert!(matches!(fault(&dir), Fault::Missing { first: 512, .. }));
}

#[test]
fn a_bundle_cut_off_names_the_entry_that_is_not_whole() {
    // F2: nothing was removed
    let dir = log_of(&leaves(SIZE));
    let whole = fs::read(dir.path().join("tile/entries/002.p/88")).unwrap();
    for (kept, index) in [(whole.len() - 1, 599), (whole.len() - 5, 599), (whole.len() - 9, 598), (1, 512), (0, 512)] {
        write(dir.path(), "tile/entries/002.p/88", &whole[..kept]);
        assert_eq!(fault(&dir), Fault::Truncated { file: "tile/entries/002.p/88".to_owned(), index, width: 88 });
    }
}

#[test]
fn bytes_after_the_last_entry_are_refused() {
    // F2: nothing was altered, nor added
    let dir = log_of(&leaves(SIZE));
    let whole = fs::read(dir.path().join("tile/entries/000")).unwrap();
    write(dir.path(), "tile/entries/000", &[&whole[..], &[0, 1, 7]].concat());
    assert_eq!(fault(&dir), Fault::Trailing { file: "tile/entries/000".to_owned(), width: 256, last: 255, extra: 3 });
}

#[test]
fn a_hash_tile_of_the_wrong_length_is_refused() {
    // F2: nothing was altered
    let dir = log_of(&leaves(SIZE));
    write(dir.path(), "tile/1/000.p/2", &[0; 63]);
    assert_eq!(fault(&dir), Fault::TileLength { file: "tile/1/000.p/2".to_owned(), expected: 64, found: 63 });
}

#[test]
fn a_checkpoint_of_another_key_or_another_log_is_refused() {
    // F2: signed in the HSM, by this log's key
    let dir = log_of(&leaves(SIZE));
    let (other_key, other_log) = (InMemory::new("directory.example/log", 2), InMemory::new("other.example/log", 1));
    for other in [&other_key, &other_log] {
        assert_eq!(directory(dir.path(), other.verifier_key()).unwrap_err(), Fault::NotSigned { key: other.verifier_key().to_string() });
    }
    let root = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    write(dir.path(), "checkpoint", crate::note::sign(&format!("other.example/log\n600\n{root}\n"), &signer()).unwrap().as_bytes());
    assert!(matches!(fault(&dir), Fault::OtherOrigin { found, .. } if found == "other.example/log"));
}

#[test]
fn a_checkpoint_with_a_bad_signature_is_refused() {
    // F2: nobody sets the head's size back without the key
    let dir = log_of(&leaves(SIZE));
    let note = fs::read_to_string(dir.path().join("checkpoint")).unwrap();
    write(dir.path(), "checkpoint", note.replace("\n600\n", "\n512\n").as_bytes());
    assert_eq!(fault(&dir), Fault::WrongSignature { key: signer().verifier_key().to_string() });
}

#[test]
fn a_missing_or_unreadable_checkpoint_says_so() {
    // F2: an empty directory is no log
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(fault(&dir), Fault::Unreadable { file: "checkpoint".to_owned(), kind: ErrorKind::NotFound });
    write(dir.path(), "checkpoint", &[0xff, 0xfe]);
    assert!(matches!(fault(&dir), Fault::Note { .. }));
}

/// The checkpoint of the first entries of the log that all tests here verify.
fn trusted(size: u32) -> Checkpoint {
    let mut tree = Tree::new();
    leaves(size).iter().for_each(|leaf| drop(tree.append(leaf)));
    Checkpoint { origin: "directory.example/log".to_owned(), size: size.into(), root: tree.root() }
}

fn verdict_since(dir: &TempDir, since: &Checkpoint) -> Result<Verified, Fault> {
    verdict_of(dir, Some(since), None)
}

fn verdict_of(dir: &TempDir, since: Option<&Checkpoint>, before: Option<&Checkpoint>) -> Result<Verified, Fault> {
    let dirs = [dir.path()];
    let mut log = Folders(&dirs);
    let checkpoint = Checkpoint::open(&note(&mut log)?, signer().verifier_key())?;
    against(&mut log, checkpoint, since, before)
}

#[test]
fn a_log_goes_on_from_what_was_shown_after_the_trusted_checkpoint_too() {
    // F2: whoever kept a head notices the fork after it, wherever the reading begins
    let mut other = leaves(SIZE);
    other[400] = b"forged".to_vec();
    let (log, fork) = (log_of(&leaves(SIZE)), log_of(&other));
    for since in [None, Some(trusted(1)), Some(trusted(300)), Some(trusted(401))] {
        for before in [401, 512, SIZE] {
            assert!(verdict_of(&log, since.as_ref(), Some(&trusted(before))).is_ok());
        }
    }
    for since in [None, Some(trusted(1)), Some(trusted(300))] {
        assert!(verdict_of(&fork, since.as_ref(), Some(&trusted(400))).is_ok());
        assert!(matches!(verdict_of(&fork, since.as_ref(), Some(&trusted(401))), Err(Fault::NotABeginning { size: 401, .. })));
        assert!(matches!(verdict_of(&fork, since.as_ref(), Some(&trusted(SIZE))), Err(Fault::Forked { .. })));
        assert!(matches!(verdict_of(&fork, since.as_ref(), Some(&trusted(SIZE + 1))), Err(Fault::Shorter { .. })));
    }
}

#[test]
fn a_log_verifies_from_every_trusted_checkpoint_on_with_and_without_tiles() {
    // F2: nothing was altered, removed or reordered since we last looked
    for size in [1u32, 255, 256, 257, 600, 66_000] {
        let dir = log_of(&leaves(size));
        for since in [0, 1, 2, 200, 255, 256, 257, 300, 511, 512, 599, 600, 65_535, 65_536, 65_537, 65_999, 66_000] {
            if since <= size {
                let verified = verdict_since(&dir, &trusted(since)).unwrap();
                assert_eq!((verified.size, verified.skipped), (u64::from(size), u64::from(since)), "{since} of {size}");
            }
        }
    }
    for levels in [&[0][..], &[1], &[0, 1]] {
        let dir = log_of(&leaves(SIZE));
        without_tiles(&dir, levels);
        for since in [0, 1, 255, 256, 300, 512, 599, 600] {
            assert_eq!(verdict_since(&dir, &trusted(since)).unwrap().skipped, u64::from(since), "{since} without {levels:?}");
        }
    }
}

#[test]
fn the_files_below_a_trusted_checkpoint_are_not_read_but_for_the_edge() {
    // F2, at the speed that lets everybody look: only what is new is hashed; of 66,000 entries, 65,536 + 200 are trusted
    let dir = log_of(&leaves(66_000));
    fs::remove_dir_all(dir.path().join("tile/entries")).unwrap();
    let whole = log_of(&leaves(66_000));
    for bundle in [256u64, 257] {
        let path = crate::tiles::bundle_path(bundle, width_at(66_000, 0, bundle));
        write(dir.path(), &path, &fs::read(whole.path().join(&path)).unwrap());
    }
    for index in 0..256u64 {
        fs::remove_file(dir.path().join(crate::tiles::tile_path(0, index, FULL))).unwrap();
    }
    assert_eq!(verdict_since(&dir, &trusted(65_736)).unwrap().skipped, 65_736);
    assert!(matches!(fault(&dir), Fault::Missing { first: 0, .. }), "they are not there");
}

#[test]
fn a_log_that_does_not_begin_with_the_trusted_one_is_refused() {
    // F2: a fork verifies by itself; only somebody who kept an earlier checkpoint notices
    let mut other = leaves(SIZE);
    other[40] = b"forged".to_vec();
    let fork = log_of(&other);
    assert_eq!(verdict(&fork).unwrap().size, u64::from(SIZE), "by itself it is whole");
    for since in [41, 256, 300, 512] {
        assert!(matches!(verdict_since(&fork, &trusted(since)), Err(Fault::NotABeginning { size, .. }) if size == u64::from(since)));
    }
    assert_eq!(verdict_since(&fork, &trusted(40)).unwrap().skipped, 40);
    assert!(matches!(verdict_since(&fork, &trusted(SIZE)), Err(Fault::Forked { .. })));
    assert!(matches!(verdict_since(&fork, &trusted(SIZE + 1)), Err(Fault::Shorter { .. })));
    let elsewhere = Checkpoint { origin: "other.example/log".to_owned(), ..trusted(256) };
    assert!(matches!(verdict_since(&fork, &elsewhere), Err(Fault::OtherOrigin { .. })));
}

#[test]
fn an_altered_entry_after_the_trusted_ones_is_named() {
    // F2: nothing was altered
    let dir = log_of(&leaves(SIZE));
    flip(&dir, "tile/entries/001", 60 * 5 + 4);
    assert!(matches!(verdict_since(&dir, &trusted(300)), Err(Fault::Leaf { index: 316, .. })));
    without_tiles(&dir, &[0, 1]);
    assert!(matches!(verdict_since(&dir, &trusted(300)), Err(Fault::Root { .. })));
}

#[test]
fn an_altered_tile_of_the_edge_is_named_by_reading_from_the_first_entry() {
    // F2: the first fault is explained, also where going on from a trusted checkpoint finds no more than that something is wrong
    let dir = log_of(&leaves(SIZE));
    flip(&dir, "tile/1/000.p/2", 3);
    assert!(matches!(verdict_since(&dir, &trusted(300)), Err(Fault::Node { first: 0, last: 255, .. })));
    let dir = log_of(&leaves(SIZE));
    flip(&dir, "tile/0/001", 3);
    assert!(matches!(verdict_since(&dir, &trusted(300)), Err(Fault::Leaf { index: 256, .. })));
    write(dir.path(), "tile/0/001", &[0; 3]);
    assert_eq!(verdict_since(&dir, &trusted(300)), Err(Fault::TileLength { file: "tile/0/001".to_owned(), expected: 8192, found: 3 }));
    let dir = log_of(&leaves(SIZE));
    flip(&dir, "tile/1/000.p/2", 3);
    fs::remove_file(dir.path().join("tile/entries/000")).unwrap();
    assert!(matches!(verdict_since(&dir, &trusted(300)), Err(Fault::NotABeginning { size: 300, .. })), "what can be told is told");
}

/// A log that is served: what is asked for is kept, and after so many files nobody answers any more.
struct Served<'a> {
    folders: Folders<'a>,
    asked: Vec<String>,
    most: usize,
}

impl Source for Served<'_> {
    fn read(&mut self, file: &str, buffer: &mut Vec<u8>) -> Result<bool, ReadFault> {
        if self.asked.len() == self.most {
            return Err(ReadFault::NotFetched("the connection was lost".to_owned()));
        }
        self.asked.push(file.to_owned());
        self.folders.read(file, buffer)
    }
}

#[test]
fn a_log_that_is_served_no_longer_is_no_verdict_and_says_how_far_it_was_read() {
    // F2: a lost connection is neither a whole log nor an altered one
    let dir = log_of(&leaves(SIZE));
    let dirs = [dir.path()];
    let with = |most, since: Option<&Checkpoint>| {
        let mut log = Served { folders: Folders(&dirs), asked: Vec::new(), most };
        let verdict = note(&mut log).and_then(|note| against(&mut log, Checkpoint::open(&note, signer().verifier_key())?, since, None));
        (verdict, log.asked)
    };
    let (whole, asked) = with(usize::MAX, None);
    assert_eq!(whole.unwrap().size, u64::from(SIZE));
    // checkpoint, three bundles, each with its tile, and the tile above them
    assert_eq!(asked.len(), 8, "{asked:?}");
    for most in 0..asked.len() {
        let reached = [0, 0, 256, 256, 512, 512, 600, 600][most];
        let Err(Fault::NotFetched { file, reached: found, .. }) = with(most, None).0 else { panic!("{most}") };
        assert_eq!((file.as_str(), found), (asked[most].as_str(), reached), "{most}");
    }
    for most in 1..5 {
        let verdict = with(most, Some(&trusted(300))).0;
        assert!(matches!(verdict, Err(Fault::NotFetched { .. })), "{most}: {verdict:?}");
    }
}
