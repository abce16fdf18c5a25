//! The store held against rules F1, G1, G3 and H5, on real SQLCipher files.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::{tiles, verify, Entry, Operation, Outcome, RefusalCode, Signer};
use contactpoint_domain::{OrganisationId, Statement};
use contactpoint_matching::{verdict, Verdict};
use contactpoint_store::{OpenError, Store, StoreError};
use rig::{child, create, entry, keys, open, options, raw, school, FileSigner, PAGE_KEY};
use std::path::Path;
use std::sync::Arc;

async fn add(store: &Store, n: u32) {
    let added = store.change(move |tx| {
        tx.add_child(&child(n))?;
        Ok(((), entry(Operation::Feed, Vec::new())))
    });
    added.await.unwrap().into_inner();
}

async fn look(store: &Store, n: u32) -> Result<bool, StoreError> {
    let number = child(n).number;
    let found = store.look(move |snapshot| Ok((snapshot.child(&number)?.is_some(), entry(Operation::View, vec![number]))));
    found.await.map(contactpoint_store::Committed::into_inner)
}

/// Writes the log into a directory as the client fetches it.
fn fetch(store: &Store, to: &Path) {
    let note = store.log_checkpoint().unwrap();
    let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
    std::fs::write(to.join("checkpoint"), note).unwrap();
    let bundles = (0..size.div_ceil(256)).map(|index| tiles::bundle_path(index, tiles::width_at(size, 0, index)));
    let levels = (0..2).flat_map(|level| {
        let nodes = size >> (8 * u32::from(level));
        (0..nodes.div_ceil(256)).map(move |index| tiles::tile_path(level, index, tiles::width_at(size, level, index)))
    });
    for path in bundles.chain(levels) {
        let bytes = store.log_tile(&path).unwrap().unwrap_or_else(|| panic!("{path} is missing"));
        let file = to.join(&path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
}

#[tokio::test]
async fn nothing_readable_lies_in_the_files() {
    // G1: no way to read child data; G3: the store opens only with the HSM
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    store.change(|tx| Ok((tx.add_organisation(&school())?, entry(Operation::EnrolOrganisation, Vec::new())))).await.unwrap().into_inner();
    for n in 0..50 {
        add(&store, n).await;
        look(&store, n).await.unwrap();
    }
    let mut needles: Vec<String> =
        ["Wintergreen", "Oldmeadow", "Tamsin", "Ottoline", "Larkspur", "ZZ99 3WZ", "07700900123", "Quillhaven", "CREATE TABLE", "SQLite"]
            .map(str::to_owned)
            .into();
    needles.extend((0..50).map(|n| child(n).number.as_str().to_owned()));
    let mut files = 0;
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        files += usize::from(!bytes.is_empty());
        for needle in &needles {
            let seen = bytes.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle.as_bytes()));
            // the WAL index (-shm) has no page content, but is searched all the same
            assert!(!seen, "{needle} can be read in {}", path.display());
        }
    }
    assert!(files >= 2, "the database and its WAL were looked at");
    // the check can fail: the same needles are there once the page key is used
    let rows: i64 =
        raw(dir.path()).query_row("SELECT count(*) FROM sqlite_schema WHERE sql LIKE 'CREATE TABLE%'", [], |row| row.get(0)).unwrap();
    assert!(rows > 5);
}

#[tokio::test]
async fn opening_with_a_wrong_or_missing_key_says_so() {
    // G3: the store opens only with the HSM
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Missing(_))));
    let store = create(dir.path());
    add(&store, 1).await;
    store.close().await.unwrap();
    let wrong = Store::open(dir.path(), keys(PAGE_KEY + 1), options(), Arc::new(FileSigner::new()));
    assert!(matches!(wrong, Err(OpenError::WrongKey)));
    let without = rusqlite::Connection::open(dir.path().join("store.db")).unwrap();
    let refused = without.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).unwrap_err();
    assert_eq!(refused.sqlite_error_code(), Some(rusqlite::ErrorCode::NotADatabase));
    assert!(matches!(Store::create(dir.path(), keys(PAGE_KEY), options(), Arc::new(FileSigner::new())), Err(OpenError::Exists(_))));
}

#[tokio::test]
async fn a_row_moved_swapped_or_rolled_back_does_not_open() {
    // G3: moved, swapped or rolled-back rows are noticed
    let attacks = [
        (
            "swapped",
            "UPDATE child SET key = (SELECT key FROM child WHERE row = 2), sealed = (SELECT sealed FROM child WHERE row = 2) WHERE row = 1",
        ),
        ("body alone", "UPDATE child SET sealed = (SELECT sealed FROM child WHERE row = 2) WHERE row = 1"),
        ("moved", "DELETE FROM child WHERE row = 1; INSERT INTO child SELECT 1, version, key, sealed FROM child WHERE row = 2"),
        ("rolled back", "UPDATE child SET sealed = (SELECT sealed FROM child_history WHERE row = 1 AND version = 1) WHERE row = 1"),
        ("renumbered", "UPDATE child SET version = 1 WHERE row = 1"),
    ];
    for (name, attack) in attacks {
        let dir = tempfile::tempdir().unwrap();
        let store = create(dir.path());
        add(&store, 1).await;
        add(&store, 2).await;
        let changed = store.change(|tx| {
            let held = tx.child(&child(1).number)?.ok_or(StoreError::Unknown("child"))?;
            tx.put_child(&held, &child(1))?;
            Ok(((), entry(Operation::Feed, Vec::new())))
        });
        changed.await.unwrap().into_inner();
        assert!(look(&store, 1).await.unwrap(), "{name}: opens before the attack");
        raw(dir.path()).execute_batch(attack).unwrap();
        // readers keep their transaction until something is written that they may ask for
        store.probe().await.unwrap();
        let refused = look(&store, 1).await;
        assert!(matches!(refused, Err(StoreError::Damaged { table: "child", .. })), "{name}: {refused:?}");
        assert!(look(&store, 2).await.unwrap(), "{name}: the other row is as it was");
    }
}

#[tokio::test]
async fn the_entry_of_a_look_is_durable_before_the_value_is_handed_out() {
    // F1: every access is written durably before any answer leaves
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    add(&store, 1).await;
    let number = child(1).number;
    let seen = store.look(move |snapshot| Ok((snapshot.child(&number)?.is_some(), entry(Operation::View, vec![number])))).await.unwrap();
    assert_eq!(seen.entry_index(), 1, "behind the entry of the child's own");
    // another connection, which sees only what is committed, has the leaf
    let index = seen.entry_index() as i64;
    let leaves: i64 = raw(dir.path()).query_row("SELECT count(*) FROM leaf WHERE entry = ?1", [index], |row| row.get(0)).unwrap();
    assert_eq!(leaves, 1);
}

#[tokio::test]
async fn without_an_entry_nothing_is_handed_out() {
    // F1: if the entry cannot be written, nothing is answered
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    add(&store, 1).await;
    raw(dir.path()).execute_batch("CREATE TRIGGER no_more BEFORE INSERT ON leaf BEGIN SELECT raise(ABORT, 'no'); END").unwrap();
    assert!(look(&store, 1).await.is_err());
    let written = store.change(|tx| {
        tx.add_child(&child(2))?;
        Ok(((), entry(Operation::Feed, Vec::new())))
    });
    assert!(written.await.is_err());
    let children: i64 = raw(dir.path()).query_row("SELECT count(*) FROM child", [], |row| row.get(0)).unwrap();
    assert_eq!(children, 1, "a change without its entry is not in the store");
}

#[tokio::test]
async fn a_change_that_fails_leaves_nothing_behind_and_its_group_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let bad = store.change(|tx| -> Result<((), _), StoreError> {
        tx.add_child(&child(1))?;
        Err(StoreError::Unknown("thing"))
    });
    let good = store.change(|tx| {
        tx.add_child(&child(2))?;
        Ok(((), entry(Operation::Feed, Vec::new())))
    });
    let (bad, good) = tokio::join!(bad, good);
    assert!(matches!(bad, Err(StoreError::Unknown("thing"))));
    assert_eq!(good.unwrap().entry_index(), 0, "the failed change has no entry");
    assert!(!look(&store, 1).await.unwrap());
    assert!(look(&store, 2).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_many_at_once_verifies_and_goes_on_after_a_restart() {
    // F2: a Merkle tree whose heads are signed; anyone with the public key can verify
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    add(&store, 1).await;
    for _round in 0..2 {
        let lookers = (0..350).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { look(&store, 1).await.unwrap() })
        });
        for looker in lookers.collect::<Vec<_>>() {
            assert!(looker.await.unwrap());
        }
    }
    store.close().await.unwrap();
    drop(store);
    let store = open(dir.path()).unwrap();
    assert_eq!(store.log_size(), 701);
    look(&store, 1).await.unwrap();
    store.checkpoint().await.unwrap();
    let fetched = tempfile::tempdir().unwrap();
    fetch(&store, fetched.path());
    let verified = verify::directory(fetched.path(), FileSigner::new().verifier_key()).unwrap();
    assert_eq!(verified.size, 702);
    let bundle = fetched.path().join(tiles::bundle_path(1, 256));
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[5000] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    assert!(verify::directory(fetched.path(), FileSigner::new().verifier_key()).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_saw_a_child_survives_a_crash_before_the_index_was_written() {
    // F3: "who saw this child?" is one query
    let dir = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    add(&store, 1).await;
    for _ in 0..20 {
        look(&store, 1).await.unwrap();
    }
    // the files as a power cut leaves them: no close, no last checkpoint of the WAL
    for name in ["store.db", "store.db-wal"] {
        std::fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    let store = open(copy.path()).unwrap();
    store.index_looks().await.unwrap();
    let number = child(1).number;
    let looks = store.look(move |snapshot| Ok((snapshot.looks_at(&number, None, 100)?.len(), entry(Operation::WhoSaw, vec![number]))));
    assert_eq!(looks.await.unwrap().into_inner(), 20);
}

#[tokio::test]
async fn looks_at_a_record_that_was_settled_to_be_a_childs_are_looks_at_that_child() {
    // F3: every look at a child by anybody
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    for n in [1, 2, 3, 4] {
        add(&store, n).await;
    }
    let settle = async |held: u32, of: u32, outcome| {
        let children = vec![child(held).number, child(of).number];
        let entry = Entry { outcome, ..entry(Operation::SettleRecord, children) };
        store.change(move |_| Ok(((), entry))).await.unwrap().into_inner();
    };
    let seen = async |n: u32, before: Option<u64>, most: u32| -> Vec<u64> {
        let number = child(n).number;
        store.index_looks_at(&number).await.unwrap();
        let read = store.look(move |snapshot| Ok((snapshot.looks_at(&number, before, most)?, entry(Operation::WhoSaw, Vec::new()))));
        read.await.unwrap().into_inner().into_iter().map(|look| look.index).collect()
    };
    let first = store.log_size();
    for n in [1, 2, 3, 4] {
        look(&store, n).await.unwrap();
    }
    settle(3, 2, Outcome::Answered).await;
    settle(2, 1, Outcome::Answered).await;
    settle(4, 1, Outcome::Refused(RefusalCode::OutsideScope)).await;
    look(&store, 1).await.unwrap();
    let at = |offsets: &[u64]| offsets.iter().map(|offset| first + offset).collect::<Vec<_>>();
    assert_eq!(seen(1, None, 100).await, at(&[7, 6, 5, 4, 2, 1, 0]), "child 4 is another, for that was refused");
    assert_eq!(seen(2, None, 100).await, at(&[5, 4, 2, 1]), "what was seen of the record, and not of the child");
    assert_eq!([seen(1, None, 3).await, seen(1, Some(first + 5), 3).await], [at(&[7, 6, 5]), at(&[4, 2, 1])], "by pages");
    store.close().await.unwrap();
    raw(dir.path()).execute_batch("DELETE FROM looked; UPDATE looked_mark SET entry = 0").unwrap();
    let store = open(dir.path()).unwrap();
    let number = child(1).number;
    store.index_looks_at(&number).await.unwrap();
    let read = store.look(move |snapshot| Ok((snapshot.looks_at(&number, None, 100)?.len(), entry(Operation::WhoSaw, Vec::new()))));
    assert_eq!(read.await.unwrap().into_inner(), 7, "the index is made again of the log");
}

#[tokio::test]
async fn a_log_with_a_missing_leaf_does_not_open() {
    // F2: nothing was removed
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    for n in 0..5 {
        add(&store, n).await;
    }
    store.close().await.unwrap();
    raw(dir.path()).execute_batch("DELETE FROM leaf WHERE entry = 3").unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Log(_))));
    raw(dir.path()).execute_batch("DELETE FROM leaf WHERE entry > 2").unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Log(_))), "a truncated tail is older than its checkpoint");
}

/// Descriptors of this process that lead into a directory.
fn open_files(directory: &Path) -> usize {
    let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten().map(|entry| std::fs::read_link(entry.path()));
    links.filter(|link| link.as_ref().is_ok_and(|link| link.starts_with(directory))).count()
}

#[tokio::test]
async fn no_file_is_open_once_a_store_is_closed_or_dropped() {
    // Keys: destroyed at the end; an engine that closes its file while the process ends would crash it
    for is_closed in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let store = create(dir.path());
        add(&store, 1).await;
        assert!(look(&store, 1).await.unwrap() && open_files(dir.path()) > 0);
        if is_closed {
            store.close().await.unwrap();
            // the last connection takes the write-ahead log with it, and a reader's may not write
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "the database, and no log beside it");
        } else {
            drop(store);
        }
        assert_eq!(open_files(dir.path()), 0);
    }
}

#[tokio::test]
async fn nobody_else_may_read_the_files() {
    // G1: no way to read child data, not even its ciphertext
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    add(&store, 1).await;
    let files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 3, "database, WAL, index of the WAL");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.path().display());
    }
}

#[tokio::test]
async fn a_newer_store_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    create(dir.path()).close().await.unwrap();
    raw(dir.path()).execute_batch("PRAGMA user_version = 99").unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Newer)));
}

#[tokio::test]
async fn a_record_s_former_state_is_kept_and_its_old_keys_no_longer_find_it() {
    // A6: history is kept; nothing is overwritten without trace
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    add(&store, 1).await;
    let changed = store.change(|tx| {
        let held = tx.child(&child(1).number)?.ok_or(StoreError::Unknown("child"))?;
        let mut record = held.record.clone();
        let mut statement = child(2).statements.remove(0);
        statement.provenance.source = OrganisationId(1);
        drop(record.accept(statement));
        tx.put_child(&held, &record)?;
        let same = |statement: &Statement| -> Result<usize, StoreError> {
            let candidates = tx.candidates_for(statement)?;
            Ok(candidates.iter().filter(|held| verdict(&held.record, statement) == Verdict::Same).count())
        };
        let found = (same(&child(1).statements[0])?, same(&child(2).statements[0])?);
        Ok((found, entry(Operation::Feed, Vec::new())))
    });
    // a token that no longer fits may still lead there, but the record no longer answers to it
    assert_eq!(changed.await.unwrap().into_inner(), (0, 1));
    let kept: i64 = raw(dir.path()).query_row("SELECT count(*) FROM child_history", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_told_of_a_change_finds_it_at_once() {
    // D1: worked out afresh for every request; readers keep their transactions open, and must not see yesterday
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let lookers: Vec<_> = (0..4u32)
        .map(|lane| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in (0..50).map(|at| lane * 1000 + at) {
                    assert!(!look(&store, n).await.unwrap());
                    add(&store, n).await;
                    assert!(look(&store, n).await.unwrap(), "child {n} was added");
                }
            })
        })
        .collect();
    for looker in lookers {
        looker.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_write_ahead_log_stays_short_while_looks_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    add(&store, 1).await;
    let mut longest = 0;
    for _ in 0..12 {
        let lookers = (0..100).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { assert!(look(&store, 1).await.unwrap()) })
        });
        for looker in lookers.collect::<Vec<_>>() {
            looker.await.unwrap();
        }
        // each round writes far more than its entries: a change as large as a piece of a feed
        for n in 0..20 {
            let large = store.change(move |tx| {
                (0..100).try_for_each(|at| tx.add_child(&child(10_000 + n * 100 + at)))?;
                Ok(((), entry(Operation::Feed, Vec::new())))
            });
            large.await.unwrap().into_inner();
        }
        longest = longest.max(std::fs::metadata(dir.path().join("store.db-wal")).unwrap().len());
    }
    assert!(longest < 24 << 20, "{longest} bytes");
}

#[tokio::test]
async fn a_leaf_exchanged_behind_its_checkpoint_keeps_the_store_from_opening() {
    // F2: nothing was altered - not by somebody with the page key either, who mends the tiles as well
    let copied = "UPDATE leaf SET leaf = (SELECT leaf FROM leaf WHERE entry = 4) WHERE entry = 3";
    let tile = "UPDATE tile SET hashes = zeroblob(8192) WHERE level = 0 AND number = 0";
    let forged = "UPDATE checkpoint SET note = replace(note, '=', 'A')";
    for (entries, attack) in [(5, copied), (300, copied), (300, tile), (5, forged)] {
        let dir = tempfile::tempdir().unwrap();
        let store = create(dir.path());
        for n in 0..entries {
            look(&store, n).await.unwrap();
        }
        store.close().await.unwrap();
        open(dir.path()).unwrap().close().await.unwrap();
        raw(dir.path()).execute_batch(attack).unwrap();
        assert!(matches!(open(dir.path()), Err(OpenError::Log(_))), "{entries} {attack}");
    }
}

#[tokio::test]
async fn a_certificate_written_into_the_table_opens_no_door() {
    // G3: every record is sealed; B1: a key must be on record, and the record is the organisation's own sealed row
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let enrolled = store.change(|tx| {
        let id = tx.add_organisation(&school())?.id;
        tx.add_certificate(id, &[1; 32])?;
        tx.add_certificate(id, &[2; 32])?;
        Ok(((), entry(Operation::EnrolOrganisation, Vec::new())))
    });
    enrolled.await.unwrap().into_inner();
    raw(dir.path()).execute_batch(&format!("INSERT INTO certificate VALUES (x'{}', 1)", "03".repeat(32))).unwrap();
    store.probe().await.unwrap();
    let found = |key: u8| store.registry(move |registry| registry.organisation_by_certificate(&[key; 32]));
    assert!(found(1).unwrap().is_some() && found(2).unwrap().is_some() && found(4).unwrap().is_none());
    assert!(matches!(found(3), Err(StoreError::Damaged { table: "certificate", .. })));
}

/// A signer whose HSM can be pulled out.
struct Removable(FileSigner, std::sync::atomic::AtomicBool);

impl Signer for Removable {
    fn verifier_key(&self) -> &contactpoint_audit::VerifierKey {
        self.0.verifier_key()
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, contactpoint_audit::SignError> {
        if self.1.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(contactpoint_audit::SignError::Refused("no token".into()));
        }
        self.0.sign(message)
    }
}

#[tokio::test]
async fn while_nobody_signs_nothing_is_answered() {
    // F2: heads are signed in the HSM; while it is away there is nothing that would cover an answer
    use std::sync::atomic::Ordering;
    let dir = tempfile::tempdir().unwrap();
    let signer = Arc::new(Removable(FileSigner::new(), false.into()));
    let store =
        Store::create(dir.path(), keys(PAGE_KEY), options(), Arc::clone(&signer) as Arc<dyn Signer>).unwrap().begin_unlocked().unwrap();
    add(&store, 1).await;
    store.checkpoint().await.unwrap();
    signer.1.store(true, Ordering::SeqCst);
    assert!(look(&store, 1).await.unwrap(), "a head that is a second late is no fault yet");
    for _ in 0..3 {
        assert!(matches!(store.checkpoint().await, Err(StoreError::Unsigned)));
    }
    assert!(matches!(look(&store, 1).await, Err(StoreError::Unsigned)));
    signer.1.store(false, Ordering::SeqCst);
    store.checkpoint().await.unwrap();
    assert!(look(&store, 1).await.unwrap());
}
