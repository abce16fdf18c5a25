//! The verifier over mutual TLS, against a directory whose log is whole, grows meanwhile, was tampered with, or is not answered any more.

use crate::fake_directory::{FakeDirectory, Reaction};
use crate::log_fetch_tests::{leaves, log, Files, Key};
use crate::log_source::{LogSource, ServedLog, ServedLogError};
use contactpoint_audit::verify::{against, note, Source, Verified};
use contactpoint_audit::{Checkpoint, Fault};
use std::path::Path;
use std::sync::{Arc, Mutex};

const SIZE: u32 = 600;

fn whole(size: u32) -> Files {
    log(&leaves(size, u32::MAX), &Key::ours())
}

fn served(folder: &Path) -> Result<LogSource, ServedLogError> {
    let profile = std::fs::read_to_string(folder.join("profile.toml")).unwrap();
    let server = profile.split('"').nth(1).unwrap();
    let [authority, certificate, key] = ["ca", "cert", "key"].map(|name| folder.join(name));
    LogSource::of(&ServedLog { server, authority: &authority, certificate: &certificate, key: &key })
}

fn verdict(source: &mut dyn Source, since: Option<&Checkpoint>) -> Result<Verified, Fault> {
    let checkpoint = Checkpoint::open(&note(source)?, &Key::ours().1)?;
    against(source, checkpoint, since, None)
}

/// The verdict over a directory that answers by the script: path below the log, and how many were asked before.
async fn over(script: impl Fn(&str, usize) -> Reaction + Send + 'static, since: Option<Checkpoint>) -> (Result<Verified, Fault>, usize) {
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let directory = FakeDirectory::answering(move |request| {
        let mut count = count.lock().unwrap();
        *count += 1;
        script(request.path.strip_prefix("/log/").unwrap(), *count - 1)
    })
    .await;
    let folder = directory.folder().to_owned();
    let judged = tokio::task::spawn_blocking(move || verdict(&mut served(&folder).unwrap(), since.as_ref())).await.unwrap();
    let asked = *asked.lock().unwrap();
    (judged, asked)
}

fn given(files: &Files, path: &str) -> Reaction {
    let missing = || Reaction::Answer(404, serde_json::json!({"title": "No.", "code": "no_such_route"}));
    files.get(path).cloned().map_or_else(missing, Reaction::Bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_log_verifies_over_tls_and_each_file_is_asked_for_once() {
    // F2: anyone with the public key can verify; nothing is kept of what was read
    let files = whole(SIZE);
    let (judged, asked) = over(move |path, _| given(&files, path), None).await;
    assert_eq!((judged.unwrap().size, asked), (600, 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checkpoint_fetched_first_is_verified_though_the_log_grows_and_drops_outgrown_tiles() {
    // F2, tlog-tiles: a partial tile may be gone once the full one is there; the full one is cut
    let (before, mut after) = (whole(SIZE), whole(800));
    // it may not be gone before
    after.insert("tile/1/000.p/2".to_owned(), before["tile/1/000.p/2"].clone());
    let (judged, asked) = over(move |path, asked| given(if asked < 3 { &before } else { &after }, path), None).await;
    assert_eq!(judged.unwrap().size, u64::from(SIZE));
    assert_eq!(asked, 8 + 2, "the outgrown bundle and its tile: asked for as they were, then the full ones");
}

#[tokio::test(flavor = "multi_thread")]
async fn going_on_from_a_trusted_checkpoint_asks_for_no_older_bundle() {
    // F2: only what is new is read
    let since = Checkpoint::open(std::str::from_utf8(&whole(512)["checkpoint"]).unwrap(), &Key::ours().1).unwrap();
    let files = whole(SIZE);
    let script = move |path: &str, _| {
        assert!(!["tile/entries/000", "tile/entries/001"].contains(&path), "{path}");
        given(&files, path)
    };
    let (judged, _) = over(script, Some(since)).await;
    assert_eq!(judged.unwrap().skipped, 512);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_answer_is_named_by_its_tile_and_its_entry() {
    // F2: nothing was altered, removed or reordered
    let mut files = whole(SIZE);
    // leaves of 5 bytes, and 2 for their length: the last byte of entry 256 + 40
    files.get_mut("tile/entries/001").unwrap()[40 * 7 + 6] ^= 1;
    let (judged, _) = over(move |path, _| given(&files, path), None).await;
    let Err(Fault::Leaf { index: 296, bundle, tile, .. }) = judged else { panic!("{judged:?}") };
    assert_eq!((bundle.as_str(), tile.as_str()), ("tile/entries/001", "tile/0/001"));

    let mut files = whole(SIZE);
    files.remove("tile/entries/001");
    let (judged, _) = over(move |path, _| given(&files, path), None).await;
    assert_eq!(judged, Err(Fault::Missing { file: "tile/entries/001".to_owned(), size: 600, first: 256 }));

    let fork = log(&leaves(SIZE, 40), &Key::ours());
    let since = Checkpoint::open(std::str::from_utf8(&whole(512)["checkpoint"]).unwrap(), &Key::ours().1).unwrap();
    let (judged, _) = over(move |path, _| given(&fork, path), Some(since)).await;
    assert!(matches!(judged, Err(Fault::NotABeginning { size: 512, .. })), "{judged:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_and_a_refusal_are_no_verdict_and_nothing_is_asked_for_twice() {
    // F2: what was not read is neither whole nor altered
    for wait in [false, true] {
        let files = whole(SIZE);
        let script = move |path: &str, _| match (path, wait) {
            ("tile/entries/001", false) => Reaction::HangUp,
            ("tile/entries/001", true) => Reaction::Wait(3),
            _ => given(&files, path),
        };
        let (judged, asked) = over(script, None).await;
        let Err(Fault::NotFetched { file, reached: 256, why }) = judged else { panic!("{judged:?}") };
        assert_eq!((file.as_str(), asked), ("tile/entries/001", 4), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_directory_says_instead_of_a_tile_rewrites_no_terminal() {
    // F2: whoever verifies trusts nobody here; a refusal that clears the screen could write a verdict of its own
    let files = whole(SIZE);
    let title = "\u{1b}[2J\u{1b}[H  verdict  consistent with its signed checkpoint\u{9b}8m\u{202e}";
    let script = move |path: &str, _| match path {
        "tile/entries/001" => Reaction::Answer(403, serde_json::json!({"title": title, "code": "\u{1b}[8m"})),
        _ => given(&files, path),
    };
    let told = over(script, None).await.0.unwrap_err().to_string();
    assert!(told.contains("verdict  consistent") && !told.chars().any(|c| c.is_control() || c == '\u{202e}'), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_and_files_that_are_no_identity_get_no_verdict() {
    // B1: every connection is mutual TLS
    let directory = FakeDirectory::trusting(|_| Reaction::Bytes(Vec::new()), "others").await;
    let folder = directory.folder().to_owned();
    let refused = {
        let folder = folder.clone();
        tokio::task::spawn_blocking(move || verdict(&mut served(&folder).unwrap(), None)).await.unwrap()
    };
    assert!(matches!(&refused, Err(Fault::NotFetched { file, .. }) if file == "checkpoint"), "{refused:?}");
    std::fs::write(folder.join("cert"), "no certificate").unwrap();
    assert!(matches!(served(&folder), Err(ServedLogError::Tls(_))));
    std::fs::remove_file(folder.join("cert")).unwrap();
    assert!(matches!(served(&folder), Err(ServedLogError::Unreadable { path, .. }) if path.ends_with("cert")));
}
