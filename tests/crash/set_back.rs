//! The store of a stopped appliance exchanged for one that was once true, cut off, or of another history. Each is consistent with itself, and
//! each was signed; the head on the HSM's token is what tells (rules F2, G3).

use contactpoint_support::token::{LABEL, MODULE, PIN};
use contactpoint_support::{request, Programs, Rig};
use http::Method;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

fn programs() -> Programs {
    Programs::beside(env!("CARGO_BIN_EXE_contactpointd"))
}

/// So many who are nobody try to come in: each attempt is an entry.
async fn grow(rig: &Rig, entries: usize) {
    for at in 0..entries {
        let credentials = json!({"login": format!("nobody.{at}"), "password": "none at all", "code": "000000"});
        drop(rig.control(request(Method::POST, "/v1/session", None, Some(&credentials))).await.expect_status(401));
    }
}

/// The log grows by so many, and the daemon stops well.
async fn lived_on(rig: &mut Rig, entries: usize) {
    rig.start();
    grow(rig, entries).await;
    assert!(rig.stop().success());
}

fn copied(from: &Path, to: &Path) {
    drop(fs::remove_dir_all(to));
    let ended = Command::new("cp").arg("-a").args([from, to]).output().expect("cp");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

fn tokens(rig: &Rig) -> PathBuf {
    rig.folder().join("tokens")
}

/// The state and the token as they are now, by a name.
fn keep(rig: &Rig, name: &str) {
    copied(&rig.place.state(), &rig.folder().join(format!("state-{name}")));
    copied(&tokens(rig), &rig.folder().join(format!("tokens-{name}")));
}

fn put_state(rig: &Rig, name: &str) {
    copied(&rig.folder().join(format!("state-{name}")), &rig.place.state());
}

fn put_token(rig: &Rig, name: &str) {
    copied(&rig.folder().join(format!("tokens-{name}")), &tokens(rig));
}

/// It does not start, with the exit status of what was done to it, and says so in its last line.
fn is_refused(rig: &mut Rig, status: i32, sentence: &str) {
    let fault = rig.try_start().expect_err("it does not start");
    let said = fault.log.lines().last().unwrap_or("");
    assert_eq!(fault.status.and_then(|status| status.code()), Some(status), "{said}");
    assert!(said.contains(sentence) && said.contains("call the accreditor"), "{said}");
}

#[tokio::test]
async fn a_store_that_was_set_back_or_has_another_history_does_not_start() {
    // G3: rolled-back is noticed, also where all of it was; F2: nothing was removed
    let mut rig = Rig::prepared(programs(), None);
    lived_on(&mut rig, 1).await;
    keep(&rig, "old");
    lived_on(&mut rig, 2).await;
    keep(&rig, "new");
    put_state(&rig, "old");
    is_refused(&mut rig, 80, "the store was set back");
    // what it was refused for is still refused, and what is right still starts
    is_refused(&mut rig, 80, "the store was set back");
    put_state(&rig, "new");
    rig.start();
    assert!(rig.stop().success());

    // the other way: a token that knows less is an older backup of it, and no harm
    put_token(&rig, "old");
    rig.start();
    assert!(rig.stop().success());

    // a longer log, lived by a thief with a copy of the token, that says something else
    put_state(&rig, "old");
    put_token(&rig, "old");
    lived_on(&mut rig, 3).await;
    put_token(&rig, "new");
    is_refused(&mut rig, 81, "the store is another than the HSM's token knows");
}

#[tokio::test]
async fn a_log_whose_end_was_cut_off_after_a_kill_does_not_start() {
    // F2: nothing was removed. Whatever is behind the last whole page of the write-ahead log, the engine takes for never written
    let settings = include_str!("../../config/contactpointd.toml").replace("\ntoken_seconds = 60\n", "\ntoken_seconds = 1\n");
    let mut rig = Rig::started(programs(), Some(&settings));
    let before = contents(&tokens(&rig));
    grow(&rig, 2).await;
    let begun = Instant::now();
    while contents(&tokens(&rig)) == before {
        assert!(begun.elapsed() < Duration::from_secs(30), "a head is kept on the token while the log grows");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // the write that was seen may still be under way; a whole one is there once the next has begun
    grow(&rig, 2).await;
    let seen = contents(&tokens(&rig));
    while contents(&tokens(&rig)) == seen {
        assert!(begun.elapsed() < Duration::from_secs(60), "and another");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    rig.kill();
    let log = rig.place.state().join("store.db-wal");
    let whole = fs::read(&log).unwrap();
    assert!(whole.len() > 8192);
    fs::write(&log, &whole[..8192]).unwrap();
    drop(fs::remove_file(rig.place.state().join("store.db-shm")));
    is_refused(&mut rig, 80, "the store was set back");
    assert_eq!(fs::read(&log).unwrap(), whole[..8192], "what was refused stays as it was found");
    fs::write(&log, whole).unwrap();
    // as SQLite makes it; it would put another mode right, for which the locked daemon has no call
    fs::set_permissions(&log, fs::Permissions::from_mode(0o600)).unwrap();
    drop(fs::remove_file(rig.place.state().join("store.db-shm")));
    rig.start();
    assert!(rig.stop().success());
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in fs::read_dir(folder).expect("the folder is read").flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(contents(&path));
        } else if path.extension().is_some_and(|ending| ending == "object") {
            found.insert(path.clone(), fs::read(&path).unwrap_or_default());
        }
    }
    found
}

#[tokio::test]
async fn a_token_whose_heads_were_taken_away_does_not_let_the_store_start() {
    // G3: from the ceremony on there is a head on the token; without it an older store could not be told
    let mut rig = Rig::started(programs(), None);
    assert!(rig.stop().success());
    let id = rig.verifier_key.id().to_string();
    let label = format!("contactpoint-head-{id}");
    let mut tool = Command::new("pkcs11-tool");
    tool.env("SOFTHSM2_CONF", rig.token.configuration()).args(["--module", MODULE, "--token-label", LABEL, "--login", "--pin", PIN]);
    let ended = tool.args(["--delete-object", "--type", "data", "--label", &label]).output().expect("pkcs11-tool: run `make deps`");
    assert!(ended.status.success(), "{label}: {}", String::from_utf8_lossy(&ended.stderr));
    is_refused(&mut rig, 82, "keeps no head of this log");
}
