//! What statements and evidence are made of, out of real SQLCipher files (rules F3, F5).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::{leaf_hash, verify_inclusion, Checkpoint, Entry, Operation, Signer as _};
use contactpoint_domain::{EvidenceAsked, EvidenceCase, Instant, PersonId, Purpose};
use contactpoint_store::{Receipts, Store};
use rig::{create, entry, open, FileSigner};

const BEGIN: u64 = 1_700_000_000_000;

async fn look(store: &Store, at: u64, person: u32) {
    let entry = Entry { at: Instant::of_millis(at), person: Some(PersonId(person)), ..entry(Operation::View, Vec::new()) };
    drop(store.look(move |_| Ok(((), entry))).await.unwrap());
}

/// The entries of person 7 between two instants, by the scan.
async fn scanned(store: &Store, from: u64, to: u64, most: usize) -> Vec<u64> {
    let times = (Instant::of_millis(from), Instant::of_millis(to));
    store.entries_between(times, 0..store.newest_head().unwrap().0, most, |entry| entry.person == Some(PersonId(7))).await.unwrap()
}

#[tokio::test]
async fn a_scan_finds_every_entry_of_a_person_in_its_time_over_many_slices_and_no_other() {
    // F5: a bundle about a person's looks, all of them
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    for n in 0..1300_u64 {
        // each a minute later; now and then a clock that was a little off
        let late = if n.is_multiple_of(97) { 30 * 60_000 } else { 0 };
        look(&store, BEGIN + n * 60_000 - late, 5 + (n % 5) as u32).await;
    }
    store.checkpoint().await.unwrap();
    look(&store, BEGIN + 100 * 60_000, 7).await;
    let (from, to) = (100, 1250);
    let at = |n: u64| (n * 60_000 + BEGIN) - if n.is_multiple_of(97) { 30 * 60_000 } else { 0 };
    let of_seven = |n: &u64| n % 5 == 2 && (BEGIN + from * 60_000..BEGIN + to * 60_000).contains(&at(*n));
    let expected: Vec<u64> = (0..1300).filter(of_seven).collect();
    let found = scanned(&store, BEGIN + from * 60_000, BEGIN + to * 60_000, 5000).await;
    assert_eq!(found, expected, "what no head covers is in none");
    assert!(found.len() > 200);
    assert_eq!(scanned(&store, BEGIN + from * 60_000, BEGIN + to * 60_000, 10).await, expected[..10]);
    assert!(scanned(&store, 0, BEGIN - 60 * 60_000, 5000).await.is_empty());
}

#[tokio::test]
async fn a_scan_finds_every_entry_though_a_clock_had_been_ahead_until_a_start() {
    // F5: a bundle about a person's looks, all of them
    const DAY: u64 = 86_400_000;
    for (of_which, ahead) in [(0, 200), (2, 700)] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = create(dir.path());
        let lives = [(0, 400, 7), (10, ahead, 6), (2, 400, 7), (0, 100, 7)];
        for (day, looks, person) in lives {
            for n in 0..looks {
                look(&store, BEGIN + day * DAY + n * 1000, person).await;
            }
            store.close().await.unwrap();
            store = open(dir.path()).unwrap();
        }
        store.checkpoint().await.unwrap();
        let size = store.log_size();
        let expected: Vec<u64> =
            if of_which == 2 { (400 + ahead..800 + ahead).collect() } else { (0..400).chain(size - 100..size).collect() };
        assert_eq!(scanned(&store, BEGIN + of_which * DAY, BEGIN + (of_which + 1) * DAY, 5000).await, expected);
        // nor does the detection's window lose its beginning
        let since = store.lives_since(Instant::of_millis(BEGIN + 2 * DAY), u64::MAX).unwrap();
        let (ahead, last) = (400 + ahead, store.log_size() - 100);
        assert_eq!(since, [400..ahead, ahead..last], "each life by itself; the ones dated ahead are read too, and no older one");
        let since = store.lives_since(Instant::of_millis(BEGIN + 2 * DAY), last + 50).unwrap();
        assert_eq!(since, [400..ahead, ahead..last, last + 50..last + 100], "what is wanted in any case");
    }
}

#[tokio::test]
async fn what_reads_the_log_sees_the_newest_looks_though_nothing_was_changed_since() {
    // F4, F5: no look is passed over because it came right before a run or a bundle; readers are told of changes alone
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let mut at = BEGIN;
    let mut more = async || {
        // from now on the readers see what there is now
        store.registry(|registry| registry.detected_to()).unwrap();
        // further than clocks are off
        at += 2 * 3_600_000;
        look(&store, at, 7).await;
        (store.log_size(), Instant::of_millis(at))
    };
    for _ in 0..3 {
        more().await;
    }
    let (size, _) = more().await;
    assert_eq!(store.entries_for_upkeep([size - 1]).unwrap().len(), 1);
    let (size, _) = more().await;
    assert_eq!(store.entries_between_for_upkeep(0, size).unwrap().len() as u64, size);
    let (size, newest) = more().await;
    assert_eq!(store.lives_since(newest, u64::MAX).unwrap().first(), Some(&(size - 1..size)));
    let (size, newest) = more().await;
    let found = store.entries_between((newest, newest.plus_seconds(1)), 0..size, 5, |_| true).await.unwrap();
    assert_eq!(found, [size - 1]);
}

#[tokio::test]
async fn an_entry_comes_with_its_leaf_its_key_and_its_path_below_the_newest_head() {
    // F5: entries in clear, their receipts, the checkpoint - for one who has the log's key alone
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    for n in 0..300 {
        look(&store, BEGIN + n, 7).await;
    }
    store.checkpoint().await.unwrap();
    let (size, note) = store.newest_head().unwrap();
    look(&store, BEGIN + 300, 7).await;
    let receipts = Receipts::of(store.clone());
    let head = Checkpoint::open(&note, FileSigner::new().verifier_key()).unwrap();
    let read = store.prepare(|snapshot| {
        for index in [0, 1, 255, 256, 299] {
            let proved = snapshot.proved(&receipts, index, size)?.unwrap();
            assert_eq!(proved.key.open(&proved.leaf).unwrap().entry.as_slice(), proved.entry.encode());
            assert_eq!((proved.hash, proved.entry.at), (leaf_hash(&proved.leaf), Instant::of_millis(BEGIN + index)));
            verify_inclusion(&proved.hash, index, size, &proved.path, &head.root).unwrap();
        }
        assert!(snapshot.proved(&receipts, 300, size)?.is_none(), "no head covers it");
        Ok(())
    });
    drop(read.unwrap());
}

#[tokio::test]
async fn a_request_for_evidence_is_kept_sealed_with_who_approved_it() {
    // F5: two auditors; G3: every record is sealed for its own row
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let (from, to) = ("2026-10-01".parse().unwrap(), "2026-10-31".parse().unwrap());
    let asked = EvidenceAsked { person: PersonId(7), from, to, reason: Purpose::Audit, recipient: [9; 32] };
    let blank = || entry(Operation::RequestEvidence, Vec::new());
    let kept = store.change(move |transaction| Ok((transaction.add_evidence(&asked, PersonId(21), Instant::of_millis(BEGIN))?, blank())));
    let case = kept.await.unwrap().into_inner();
    let approved = EvidenceCase { approved: Some((PersonId(22), Instant::of_millis(BEGIN + 1))), fetched: 2, ..case };
    drop(store.change(move |transaction| Ok((transaction.put_evidence(&approved)?, blank()))).await.unwrap());
    store.close().await.unwrap();
    let raw = rig::raw(dir.path());
    raw.execute("UPDATE evidence SET version = 1", []).unwrap();
    drop(raw);
    let store = open(dir.path()).unwrap();
    assert!(store.registry(|registry| registry.evidence(case.id)).is_err(), "set back to an older version");
    store.close().await.unwrap();
    rig::raw(dir.path()).execute("UPDATE evidence SET version = 2", []).unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(store.registry(|registry| registry.evidence(case.id)).unwrap(), Some(approved));
}
