//! `log fetch` against a directory whose log went on, was rolled back, or forked since we last looked.

use crate::error::ClientError;
use crate::fake_directory::{FakeDirectory, Reaction};
use crate::log_fetch::fetch;
use crate::log_folder::LogFolder;
use contactpoint_audit::tiles::{bundle_path, encode_bundle, tile_path, width_at};
use contactpoint_audit::{verify, Checkpoint, SignError, Signer, Tree, VerifierKey};
use ed25519_dalek::{Signer as _, SigningKey};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) struct Key(SigningKey, pub(crate) VerifierKey);

impl Key {
    pub(crate) fn of(name: &str, seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let public = VerifierKey::ed25519(name, key.verifying_key().as_bytes()).unwrap();
        Self(key, public)
    }

    pub(crate) fn ours() -> Self {
        Self::of("directory.example/log", 1)
    }
}

impl Signer for Key {
    fn verifier_key(&self) -> &VerifierKey {
        &self.1
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}

/// So many entries; from `fork` on they are others.
pub(crate) fn leaves(count: u32, fork: u32) -> Vec<Vec<u8>> {
    (0..count).map(|at| [&at.to_be_bytes()[..], &[u8::from(at >= fork)]].concat()).collect()
}

/// What a directory shows below `/log/`.
pub(crate) fn log(leaves: &[Vec<u8>], key: &Key) -> Files {
    let (mut tree, mut files) = (Tree::new(), Files::new());
    for leaf in leaves {
        files.extend(tree.append(leaf).into_iter().map(|full| (tile_path(full.level, full.index, 256), full.hashes)));
    }
    for (level, hashes) in tree.edge().iter().enumerate().filter(|(_, hashes)| !hashes.is_empty()) {
        let index = (tree.size() >> (8 * level)) / 256;
        files.insert(tile_path(level as u8, index, hashes.len() as u16), hashes.concat());
    }
    for (index, bundle) in (0u64..).zip(leaves.chunks(256)) {
        files.insert(bundle_path(index, width_at(tree.size(), 0, index)), encode_bundle(bundle).unwrap());
    }
    let checkpoint = Checkpoint { origin: key.1.name().to_owned(), size: tree.size(), root: tree.root() };
    files.insert("checkpoint".to_owned(), checkpoint.signed(key).unwrap().into_bytes());
    files
}

/// A directory whose log can be exchanged, and our copy of it.
struct Rig {
    directory: FakeDirectory,
    shown: Arc<Mutex<Files>>,
    copy: PathBuf,
}

impl Rig {
    /// A log of 600 entries, fetched.
    async fn fetched() -> Self {
        let shown = Arc::new(Mutex::new(log(&leaves(600, 600), &Key::ours())));
        let served = Arc::clone(&shown);
        let answer = move |path: &str| served.lock().unwrap().get(path.trim_start_matches("/log/")).cloned();
        let missing = || Reaction::Answer(404, serde_json::json!({"title": "No.", "code": "no_such_route"}));
        let directory = FakeDirectory::answering(move |request| answer(&request.path).map_or_else(missing, Reaction::Bytes)).await;
        let copy = directory.folder().join("copy");
        let rig = Self { directory, shown, copy };
        rig.fetch(None).await.unwrap();
        rig
    }

    fn shows(&self, files: Files) {
        *self.shown.lock().unwrap() = files;
    }

    async fn fetch(&self, key: Option<&str>) -> Result<(), ClientError> {
        fetch(&self.directory.place(), &self.copy, key).await
    }

    /// The copy as it lies there, without what was refused.
    fn kept(&self) -> Files {
        let mut found = Files::new();
        gather(&self.copy, &self.copy, &mut found);
        found.retain(|name, _| !name.starts_with("refused-"));
        found
    }

    fn refused_names(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.copy).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("refused-")).collect()
    }

    /// The honest log is taken, and what was refused is said as long as it lies there.
    async fn takes(&self, honest: &Files) {
        assert_eq!(self.fetch(None).await.unwrap_err().exit_code(), 4);
        assert!(self.kept() == *honest);
        self.refused_names().iter().for_each(|name| std::fs::remove_dir_all(self.copy.join(name)).unwrap());
        self.fetch(None).await.unwrap();
    }

    /// A file of the one thing that was set aside.
    fn aside(&self, file: &str) -> Option<Vec<u8>> {
        let names = self.refused_names();
        assert_eq!(names.len(), 1, "{names:?}");
        std::fs::read(self.copy.join(&names[0]).join(file)).ok()
    }

    /// Shows another log: refused with exit 4, the old files byte for byte as they were. Returns the sentence.
    async fn refused(&self, files: Files) -> String {
        let before = self.kept();
        let checkpoint = files["checkpoint"].clone();
        self.shows(files);
        let error = self.fetch(None).await.unwrap_err();
        assert_eq!(error.exit_code(), 4, "{error}");
        assert!(self.kept() == before, "{error}");
        let mut all = Files::new();
        gather(&self.copy, &self.copy, &mut all);
        assert!(all.iter().any(|(name, held)| name.starts_with("refused-") && name.ends_with("/checkpoint") && *held == checkpoint));
        assert!(verify::directory(&self.copy, &Key::ours().1).is_ok());
        error.to_string()
    }
}

fn gather(root: &Path, folder: &Path, found: &mut Files) {
    for path in std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            gather(root, &path, found);
        } else {
            found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap());
        }
    }
}

#[tokio::test]
async fn a_log_that_went_on_is_taken_and_its_outgrown_tiles_are_dropped() {
    // F2: nothing was altered, removed or reordered
    let rig = Rig::fetched().await;
    let key = Key::ours().1.to_string();
    for size in [600, 601, 1100] {
        let files = log(&leaves(size, size), &Key::ours());
        rig.shows(files.clone());
        rig.fetch(Some(&key)).await.unwrap();
        assert!(rig.kept() == files, "{size}");
        assert_eq!(verify::directory(&rig.copy, &Key::ours().1).unwrap().size, u64::from(size));
    }
}

#[tokio::test]
async fn a_log_that_was_rolled_back_is_refused_and_the_evidence_kept() {
    // F2: nothing was removed
    let rig = Rig::fetched().await;
    let told = rig.refused(log(&leaves(415, 415), &Key::ours())).await;
    assert!(told.contains("600 entries were shown before, 415 are shown now"), "{told}");
    // and once more, and the honest log is taken again afterwards
    rig.refused(log(&leaves(415, 415), &Key::ours())).await;
    let honest = log(&leaves(700, 700), &Key::ours());
    rig.shows(honest.clone());
    rig.takes(&honest).await;
}

#[tokio::test]
async fn a_log_that_forked_at_the_same_size_is_refused() {
    // F2: nothing was altered
    let rig = Rig::fetched().await;
    for fork in [0, 300, 599] {
        let told = rig.refused(log(&leaves(600, fork), &Key::ours())).await;
        assert!(told.contains("has forked"), "{told}");
    }
}

#[tokio::test]
async fn a_log_that_was_rolled_back_and_grew_past_us_is_refused() {
    // F2: nothing was altered or removed, wherever the fork is: in full tiles that we have, or in the partial one
    let rig = Rig::fetched().await;
    for (size, fork) in [(601, 599), (650, 0), (768, 300), (1100, 520), (1100, 3)] {
        let told = rig.refused(log(&leaves(size, fork), &Key::ours())).await;
        assert!(told.contains("is not a beginning of this one"), "{told}");
    }
    // what was fetched of the forks is not mixed into the honest log
    let honest = log(&leaves(1100, 1100), &Key::ours());
    rig.shows(honest.clone());
    rig.takes(&honest).await;
}

#[tokio::test]
async fn honest_tiles_under_a_checkpoint_of_another_log_are_refused() {
    // F2: nothing was exchanged - the new checkpoint is held against what came with it, before the old one is given up
    let rig = Rig::fetched().await;
    let mut mixed = log(&leaves(700, 700), &Key::ours());
    mixed.insert("checkpoint".to_owned(), log(&leaves(700, 5), &Key::ours())["checkpoint"].clone());
    rig.refused(mixed).await;
    let told = rig.refused(log(&leaves(700, 700), &Key::of("other.example/log", 1))).await;
    assert!(told.contains("other.example/log"), "{told}");
}

#[tokio::test]
async fn a_checkpoint_that_the_key_did_not_sign_is_refused_where_a_key_is_given() {
    // F2: heads are signed in the HSM
    let rig = Rig::fetched().await;
    let before = rig.kept();
    rig.shows(log(&leaves(700, 700), &Key::of("directory.example/log", 2)));
    let error = rig.fetch(Some(&Key::ours().1.to_string())).await.unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(rig.kept() == before);
    // and the kept one likewise
    let error = rig.fetch(Some(&Key::of("directory.example/log", 2).1.to_string())).await.unwrap_err();
    assert!(error.exit_code() == 4 && error.to_string().contains("kept in"), "{error}");
}

#[tokio::test]
async fn a_fetch_that_was_broken_off_goes_on_and_leaves_the_kept_log_whole_meanwhile() {
    // F2: anyone can verify, at any moment
    let rig = Rig::fetched().await;
    let before = rig.kept();
    let honest = log(&leaves(1100, 1100), &Key::ours());
    let mut half = honest.clone();
    half.remove("tile/entries/003");
    rig.shows(half);
    assert_eq!(rig.fetch(None).await.unwrap_err().exit_code(), 1);
    let mut kept = rig.kept();
    kept.retain(|name, _| !name.starts_with("unchecked/"));
    assert!(kept == before);
    rig.shows(honest.clone());
    rig.fetch(None).await.unwrap();
    assert!(rig.kept() == honest);
}

#[tokio::test]
async fn tiles_that_a_forked_log_gave_before_it_hung_up_are_not_taken_for_the_logs() {
    // F2: what was fetched from a fork is evidence of it, and no reason to refuse the log; it is said until the accreditor has it
    let rig = Rig::fetched().await;
    // honest bytes under an honest head but for one tile: only the roots tell
    let (honest, forked) = (log(&leaves(1200, 1200), &Key::ours()), log(&leaves(1100, 700), &Key::ours()));
    let mut mixed = log(&leaves(1100, 1100), &Key::ours());
    mixed.insert("tile/entries/002".to_owned(), forked["tile/entries/002"].clone());
    mixed.remove("tile/entries/003");
    rig.shows(mixed.clone());
    assert_eq!(rig.fetch(None).await.unwrap_err().exit_code(), 1);
    let mut half = honest.clone();
    half.remove("tile/entries/003");
    rig.shows(half);
    assert_eq!(rig.fetch(None).await.unwrap_err().exit_code(), 1, "it hangs up once more");
    rig.shows(honest.clone());
    let told = rig.fetch(None).await.unwrap_err();
    assert!(told.exit_code() == 4 && told.to_string().contains("something else was shown before"), "{told}");
    assert!(rig.kept() == honest, "the log is kept all the same");
    assert_eq!(rig.aside("tile/entries/002"), forked.get("tile/entries/002").cloned());
    assert_eq!(rig.fetch(None).await.unwrap_err().exit_code(), 4, "and it is said again");
}

#[tokio::test]
async fn a_forked_head_that_was_shown_before_the_log_hung_up_is_held_against_the_log() {
    // F2: two signed heads that contradict each other prove the fork, with tiles or without
    for (size, fork, tiles) in [(1100, 700, true), (1100, 700, false), (1300, 1300, false), (1200, 1199, false)] {
        let rig = Rig::fetched().await;
        let mut other = log(&leaves(size, fork), &Key::ours());
        let head = other["checkpoint"].clone();
        other.retain(|name, _| name == "checkpoint" || (tiles && name != "tile/entries/003"));
        rig.shows(other);
        assert_eq!(rig.fetch(None).await.unwrap_err().exit_code(), 1);
        let honest = log(&leaves(1200, 1200), &Key::ours());
        let mut half = honest.clone();
        half.remove("tile/entries/003");
        for shown in [half, honest.clone()] {
            rig.shows(shown);
            let _ = rig.fetch(None).await.unwrap_err(); // it hangs up again, and then is whole
        }
        assert!(rig.kept() == honest, "{size} {fork}");
        assert_eq!(rig.aside("checkpoint"), Some(head), "{size} {fork}");
        assert_eq!(rig.aside("checkpoint-shown-later"), honest.get("checkpoint").cloned(), "both signed heads are there");
        assert_eq!(rig.fetch(None).await.unwrap_err().exit_code(), 4);
        std::fs::remove_dir_all(rig.copy.join(rig.refused_names().pop().unwrap())).unwrap();
        rig.fetch(None).await.unwrap();
    }
}

#[tokio::test]
async fn two_fetches_into_one_folder_are_refused() {
    // F2: one would take the other's tiles for what a broken-off run has left of another log
    let rig = Rig::fetched().await;
    let held = LogFolder::at(&rig.copy).locked().unwrap();
    let refused = rig.fetch(None).await.unwrap_err();
    assert!(matches!(refused, ClientError::InUse(_)) && refused.exit_code() == 2, "{refused}");
    drop(held);
    rig.fetch(None).await.unwrap();
}

#[tokio::test]
async fn a_fork_is_refused_whatever_an_earlier_fetch_has_left() {
    // F2: nothing was altered, removed or reordered
    let rig = Rig::fetched().await;
    let before = rig.kept();
    let mut half = log(&leaves(1100, 1100), &Key::ours());
    half.remove("tile/entries/003");
    rig.shows(half);
    assert_eq!(rig.fetch(None).await.unwrap_err().exit_code(), 1);
    rig.shows(log(&leaves(1200, 300), &Key::ours()));
    let told = rig.fetch(None).await.unwrap_err();
    assert!(told.exit_code() == 4 && told.to_string().contains("is not a beginning of this one"), "{told}");
    assert!(rig.kept() == before, "{told}");
}
