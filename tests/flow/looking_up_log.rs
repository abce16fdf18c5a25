//! The log in strangers' hands: fetched by the client program, verified offline with the public key alone, every change caught (rule F2).

use crate::borough::{borough, searched, Borough};
use crate::children::IDRIS;
use crate::wire::until;
use contactpoint_audit::verify;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

fn client(borough: &Borough, arguments: &[&str]) -> Output {
    static READERS: AtomicUsize = AtomicUsize::new(0);
    let reader = format!("log-reader-{}", READERS.fetch_add(1, Relaxed));
    let profile = borough.rig.profile(&reader, &borough.police.organisation.certificate);
    let mut command = Command::new(&borough.rig.programs.client);
    command.env_clear().arg("--profile").arg(profile).args(arguments);
    command.output().unwrap()
}

/// A copy of the log that holds at least this entry.
async fn fetched(borough: &Borough, folder: &Path, entry: u64) {
    until("a checkpoint over the entry", || async {
        let note = borough.police.practitioner().get("/log/checkpoint").await.expect_status(200);
        let size: u64 = std::str::from_utf8(&note.body).unwrap().lines().nth(1)?.parse().ok()?;
        (size > entry).then_some(())
    })
    .await;
    let output = client(borough, &["log", "fetch", folder.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Every file of a fetched log.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// A look of a teacher; its index in the log.
async fn look(borough: &Borough) -> u64 {
    let answer = borough.river.practitioner().post("/v1/children/search", searched(IDRIS.0, IDRIS.1)).await;
    answer.expect_status(200).json()["entry"].as_u64().unwrap()
}

#[tokio::test]
async fn the_log_is_verified_offline_with_the_public_key_and_one_changed_byte_is_caught_anywhere() {
    // F2: anyone with the public key can verify that nothing was altered, removed or reordered - without reading a name
    let borough = borough().await;
    let entry = look(borough).await;
    let folder = tempfile::tempdir().unwrap();
    fetched(borough, folder.path(), entry).await;
    let key = &borough.rig.verifier_key;
    let verified = verify::directory(folder.path(), key).unwrap();
    assert!(verified.size > entry);

    for path in files(folder.path()) {
        let whole = std::fs::read(&path).unwrap();
        for at in [0, 1, whole.len() / 3, whole.len() / 2, whole.len() - 2] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            assert!(verify::directory(folder.path(), key).is_err(), "byte {at} of {}", path.display());
        }
        std::fs::write(&path, &whole).unwrap();
    }
    assert_eq!(verify::directory(folder.path(), key).unwrap().root, verified.root);
}

#[tokio::test]
async fn both_programs_say_what_they_verified_and_fail_on_a_changed_copy() {
    // two commands: the log is verified offline with the public key alone, and a copy with one byte changed is caught
    let borough = borough().await;
    let entry = look(borough).await;
    let folder = tempfile::tempdir().unwrap();
    fetched(borough, folder.path(), entry).await;
    let (place, key) = (folder.path().to_str().unwrap(), borough.rig.verifier_key.to_string());
    let verdicts = || {
        let client = client(borough, &["log", "verify", place, "--key", &key]);
        let operator = borough.rig.operator(&["verify-log", place, "--key", &key]);
        (client.status.code(), operator.status.code())
    };
    assert_eq!(verdicts(), (Some(0), Some(0)));
    let bundle = files(&folder.path().join("tile/entries")).remove(0);
    let mut bytes = std::fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&bundle, bytes).unwrap();
    assert_eq!(verdicts(), (Some(4), Some(1)));
}

#[tokio::test]
async fn an_entry_removed_or_two_swapped_are_caught() {
    // F2: nothing was altered, removed or reordered
    let borough = borough().await;
    let entry = look(borough).await;
    let folder = tempfile::tempdir().unwrap();
    fetched(borough, folder.path(), entry).await;
    let bundle = files(&folder.path().join("tile/entries")).remove(0);
    let whole = std::fs::read(&bundle).unwrap();
    let leaves = leaves(&whole);
    let (first, second) = (leaves[0].clone(), leaves[1].clone());
    let swapped: Vec<u8> = [second.clone(), first].into_iter().chain(leaves[2..].iter().cloned()).flatten().collect();
    let removed: Vec<u8> = leaves[1..].concat();
    let doubled: Vec<u8> = [second].into_iter().chain(leaves[1..].iter().cloned()).flatten().collect();
    for wrong in [swapped, removed, doubled] {
        std::fs::write(&bundle, wrong).unwrap();
        assert!(verify::directory(folder.path(), &borough.rig.verifier_key).is_err());
    }
    std::fs::write(&bundle, whole).unwrap();
    assert!(verify::directory(folder.path(), &borough.rig.verifier_key).is_ok());
}

/// The entries of a bundle with their length prefixes (C2SP tlog-tiles).
fn leaves(bundle: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = bundle;
    let mut found = Vec::new();
    while let [high, low, ..] = *rest {
        let (leaf, after) = rest.split_at(2 + usize::from(u16::from_be_bytes([high, low])));
        found.push(leaf.to_vec());
        rest = after;
    }
    found
}

#[tokio::test]
async fn a_log_of_another_directory_does_not_verify_with_this_key() {
    // F2: heads are signed in the HSM
    let borough = borough().await;
    let entry = look(borough).await;
    let folder = tempfile::tempdir().unwrap();
    fetched(borough, folder.path(), entry).await;
    let note = std::fs::read_to_string(folder.path().join("checkpoint")).unwrap();
    let mut lines: Vec<&str> = note.lines().collect();
    lines[0] = "another.example/log";
    std::fs::write(folder.path().join("checkpoint"), lines.join("\n") + "\n").unwrap();
    assert!(verify::directory(folder.path(), &borough.rig.verifier_key).is_err());
}

#[tokio::test]
async fn the_log_shows_no_name_number_or_date_to_those_who_fetch_it() {
    // F2: without reading a name
    let borough = borough().await;
    let entry = look(borough).await;
    let folder = tempfile::tempdir().unwrap();
    fetched(borough, folder.path(), entry).await;
    let number = borough.number_of(IDRIS.0, IDRIS.1).await;
    let all: Vec<u8> = files(folder.path()).iter().flat_map(|path| std::fs::read(path).unwrap()).collect();
    let mut hidden = crate::children::said_of_people();
    hidden.extend([number, "Robin".to_owned(), "Tester".to_owned(), "2012-11-30".to_owned()]);
    for text in hidden {
        assert!(!all.windows(text.len()).any(|window| window == text.as_bytes()), "{text}");
    }
}
