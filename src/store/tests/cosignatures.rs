//! Witnesses' cosignatures in the store (rule F2, C2SP tlog-cosignature and tlog-policy), on real SQLCipher files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "cosignatures/meeting.rs"]
mod meeting;
mod rig;

use contactpoint_audit::{Checkpoint, LogPolicy, Operation, SignError, SignedCheckpoint, Signer, VerifierKey, WitnessKey};
use contactpoint_domain::Instant;
use contactpoint_store::{CosignatureRefused, Receipts, Store, Witnesses, WitnessesRefused};
use ed25519_dalek::Signer as _;
use rig::{create, entry, open, FileSigner};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// When the rig's entries are written, in seconds.
const WRITTEN: u64 = 1_700_000_000;

struct Witness(ed25519_dalek::SigningKey, VerifierKey);

impl Witness {
    fn number(number: u8) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&[100 + number; 32]);
        let verifier = VerifierKey::ed25519(&format!("witness.example/w{number}"), key.verifying_key().as_bytes()).unwrap();
        Self(key, verifier)
    }

    /// The note with this witness's line below.
    fn cosigned(&self, note: &str, at: u64) -> String {
        let line = SignedCheckpoint::open(note, FileSigner::new().verifier_key()).unwrap().cosign(at, self).unwrap();
        format!("{note}{line}")
    }
}

impl Signer for Witness {
    fn verifier_key(&self) -> &VerifierKey {
        &self.1
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}

fn policy_of(log: &VerifierKey) -> LogPolicy {
    let witness = |number| format!("witness w{number} {}\n", WitnessKey::of(&Witness::number(number)).unwrap());
    let text = format!("log {log}\n{}{}{}group two 2 w1 w2 w3\nquorum two\n", witness(1), witness(2), witness(3));
    LogPolicy::parse(text.as_bytes()).unwrap()
}

fn over(store: &Store) -> Arc<Witnesses> {
    begun_at(store, after(0))
}

fn begun_at(store: &Store, begun: Instant) -> Arc<Witnesses> {
    let policy = policy_of(FileSigner::new().verifier_key());
    Arc::new(Witnesses::over(store.clone(), policy, Duration::from_secs(60), begun).unwrap())
}

/// Commits that changed the store's file, counted from outside it.
struct Commits(rusqlite::Connection, i64);

impl Commits {
    async fn of(store: &Store, dir: &Path) -> Self {
        store.index_looks().await.unwrap();
        let connection = rig::raw(dir);
        let version = Self::version(&connection);
        Self(connection, version)
    }

    fn version(connection: &rusqlite::Connection) -> i64 {
        connection.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap()
    }

    /// Whether there was one since this was asked last.
    fn was_one(&mut self) -> bool {
        let before = std::mem::replace(&mut self.1, Self::version(&self.0));
        before != self.1
    }

    /// How many of these notes the store wrote something for.
    async fn for_each(&mut self, witnesses: &Witnesses, notes: impl IntoIterator<Item = &String>) -> usize {
        let mut writes = 0;
        for note in notes {
            witnesses.bring(note, after(0)).await.unwrap();
            writes += usize::from(self.was_one());
        }
        writes
    }
}

/// So many heads, each one entry larger than the one before.
async fn heads(store: &Store, count: u32) -> Vec<String> {
    let mut heads = Vec::new();
    for _ in 0..count {
        grow(store, 1).await;
        heads.push(store.log_checkpoint().unwrap());
    }
    heads
}

fn rows_of(dir: &Path, witness: u8) -> Vec<(u64, u64)> {
    let connection = rig::raw(dir);
    let mut select = connection.prepare("SELECT size, at FROM cosignature WHERE witness = ?1 ORDER BY size").unwrap();
    let key = WitnessKey::of(&Witness::number(witness)).unwrap().to_string();
    let rows = select.query_map([key], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, i64>(1)?.cast_unsigned()))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn after(seconds: u64) -> Instant {
    Instant::of_millis((WRITTEN + seconds) * 1000)
}

async fn grow(store: &Store, entries: u32) -> Vec<contactpoint_audit::Logged> {
    let mut logged = Vec::new();
    for _ in 0..entries {
        let looked = store.look(|_| Ok(((), entry(Operation::Search, Vec::new())))).await.unwrap();
        logged.push(looked.logged());
        looked.into_inner();
    }
    store.checkpoint().await.unwrap();
    logged
}

fn size(note: &str) -> u64 {
    Checkpoint::open(note, FileSigner::new().verifier_key()).unwrap().size
}

#[tokio::test]
async fn one_head_is_held_out_to_all_until_it_has_the_quorum_and_then_the_newest() {
    // F2: independent witnesses may cosign; each comes at its own time, and they have to meet over one head
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    assert!(witnesses.asked(after(0)).unwrap().is_none() && witnesses.cosigned().is_none());
    grow(&store, 3).await;
    let first = witnesses.asked(after(0)).unwrap().unwrap();
    grow(&store, 2).await;
    let told = witnesses.bring(&Witness::number(1).cosigned(&first, WRITTEN), after(1)).await.unwrap();
    assert!(told.contains("witness.example/w1 "), "{told}");
    assert!(witnesses.cosigned().is_none(), "one of two");
    let again = witnesses.asked(after(0)).unwrap().unwrap();
    assert_eq!((size(&again), again), (3, told), "the same head, with the line that it has");
    witnesses.bring(&Witness::number(3).cosigned(&first, WRITTEN), after(1)).await.unwrap();
    let (cosigned, note) = witnesses.cosigned().unwrap();
    let accepted = policy_of(FileSigner::new().verifier_key()).accept(&note, None).unwrap();
    assert_eq!((cosigned, accepted.cosigned.len()), (3, 2));
    assert_eq!(size(&witnesses.asked(after(0)).unwrap().unwrap()), 5, "and now the newest");
    let standing = witnesses.standing(after(1)).unwrap();
    assert_eq!((standing.signed, standing.cosigned, standing.asked, standing.late_since), (5, 3, 5, None));
    let names: Vec<_> = standing.witnesses.iter().map(|(name, last)| (name.as_str(), *last)).collect();
    assert_eq!(names, [("w1", Some((3, WRITTEN))), ("w2", None), ("w3", Some((3, WRITTEN)))]);
}

#[tokio::test]
async fn what_was_brought_is_kept_over_a_restart_and_brought_again_is_the_same() {
    // F2: a cosignature that was taken counts for good
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    grow(&store, 4).await;
    let head = witnesses.asked(after(0)).unwrap().unwrap();
    let one = Witness::number(1).cosigned(&head, WRITTEN);
    let told = witnesses.bring(&one, after(0)).await.unwrap();
    assert_eq!(witnesses.bring(&one, after(0)).await.unwrap(), told);
    let later = witnesses.bring(&Witness::number(1).cosigned(&head, WRITTEN + 9), after(9)).await.unwrap();
    assert_eq!(later.matches("witness.example/w1 ").count(), 1, "the later line takes the place of the earlier: {later}");
    let earlier = witnesses.bring(&one, after(9)).await.unwrap();
    assert_eq!(earlier, later, "and an earlier one does not take it back");
    witnesses.bring(&Witness::number(2).cosigned(&head, WRITTEN), after(9)).await.unwrap();
    let cosigned = witnesses.cosigned().unwrap();
    drop(witnesses);
    grow(&store, 1).await;
    store.close().await.unwrap();
    let store = open(dir.path()).unwrap();
    let witnesses = over(&store);
    assert_eq!(witnesses.cosigned().unwrap(), cosigned);
    assert_eq!(size(&witnesses.asked(after(0)).unwrap().unwrap()), 5);
    assert_eq!(witnesses.standing(after(9)).unwrap().witnesses[0].1, Some((4, WRITTEN + 9)));
}

#[tokio::test]
async fn what_is_no_line_of_a_known_witness_under_a_head_of_this_log_is_refused() {
    // F2: the signature is what counts, whoever brings it; bad input gets a typed error
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    grow(&store, 4).await;
    let head = witnesses.asked(after(0)).unwrap().unwrap();
    let good = Witness::number(1).cosigned(&head, WRITTEN);
    let refused = |note: String| {
        let witnesses = Arc::clone(&witnesses);
        async move { witnesses.bring(&note, after(0)).await.unwrap_err() }
    };
    // signed by this log's key, and not one of its heads: a fork shows itself here too
    let root = [9; 32];
    for other in [4, 3, 99] {
        let forged = Checkpoint { origin: rig::ORIGIN.to_owned(), size: other, root }.signed(&FileSigner::new()).unwrap();
        assert!(matches!(refused(Witness::number(1).cosigned(&forged, WRITTEN)).await, CosignatureRefused::NotOurs), "{other}");
    }
    let unsigned = good.split_once("\n\n").map(|(body, lines)| format!("{body}\n\n{}", lines.split_once('\n').unwrap().1)).unwrap();
    assert!(matches!(refused(unsigned).await, CosignatureRefused::NotOurs));
    assert!(matches!(refused(head.clone()).await, CosignatureRefused::NoWitness));
    assert!(matches!(refused(Witness::number(7).cosigned(&head, WRITTEN)).await, CosignatureRefused::NoWitness));
    let mut spoilt = good.clone().into_bytes();
    let at = spoilt.len() - 10;
    spoilt[at] = if spoilt[at] == b'A' { b'B' } else { b'A' };
    assert!(matches!(refused(String::from_utf8(spoilt).unwrap()).await, CosignatureRefused::Wrong));
    assert!(matches!(refused(Witness::number(1).cosigned(&head, WRITTEN + 301)).await, CosignatureRefused::Wrong));
    for no_note in [String::new(), "old 0\n\n".to_owned(), good.replace("\n\n", "\n"), good.replace('\u{2014}', "-")] {
        assert!(matches!(refused(no_note.clone()).await, CosignatureRefused::Form(_)), "{no_note:?}");
    }
    assert!(witnesses.cosigned().is_none());
    assert_eq!(witnesses.asked(after(0)).unwrap().unwrap(), head, "nothing of it was kept");
    assert!(witnesses.bring(&good, after(0)).await.is_ok());
}

#[tokio::test]
async fn the_quorum_is_late_once_an_entry_has_waited_too_long_and_no_longer_when_it_is_covered() {
    // F2: a log whose quorum is late says so
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    assert_eq!(witnesses.late_since(after(9999)).unwrap(), None, "there is nothing to cosign");
    grow(&store, 3).await;
    assert_eq!(witnesses.late_since(after(59)).unwrap(), None);
    assert_eq!(witnesses.late_since(after(60)).unwrap(), Some(after(60)));
    let head = witnesses.asked(after(0)).unwrap().unwrap();
    for number in [1, 2] {
        assert!(witnesses.late_since(after(60)).unwrap().is_some());
        witnesses.bring(&Witness::number(number).cosigned(&head, WRITTEN), after(60)).await.unwrap();
    }
    assert_eq!(witnesses.late_since(after(9999)).unwrap(), None, "a log that does not grow is never late again");
    store.look(|_| Ok(((), entry(Operation::View, Vec::new())))).await.unwrap().into_inner();
    assert_eq!(witnesses.late_since(after(59)).unwrap(), None, "nor by a look that nothing was changed after");
    grow(&store, 1).await;
    assert_eq!(witnesses.late_since(after(100)).unwrap(), Some(after(60)), "the rig's entries are all of one time");
}

#[tokio::test]
async fn a_daemon_that_is_started_again_and_again_is_late_all_the_same() {
    // F2: a log whose quorum is late says so; nobody could come while the daemon was away, and a restart gives no more than that
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    grow(&store, 3).await;
    let late = |begun: u64, now: u64| begun_at(&store, after(begun)).late_since(after(now)).unwrap();
    // away for ten seconds: so much longer the witnesses have
    assert_eq!([late(10, 69), late(10, 70)], [None, Some(after(70))]);
    // started anew every 59 seconds, and nothing is written in between
    assert_eq!([59, 118, 177].map(|begun| late(begun, begun + 58)), [None, Some(after(120)), Some(after(120))]);
    // away for a day: twice as long is the most, so that it is late until the witnesses have come
    assert_eq!(late(86_400, 86_400), Some(after(120)));
    // and what is written after the start is waited for from then on; so is what a clock that was set back finds
    assert_eq!(Some(after(60)), begun_at(&store, Instant::of_millis(0)).late_since(after(60)).unwrap());
}

#[tokio::test]
async fn a_receipt_stands_under_the_cosigned_head_that_covers_it_and_else_under_the_newest() {
    // F2: whoever was answered can show that witnesses saw the entry; tiles that were full and those that became so since
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    let receipts = Receipts::of(store.clone()).cosigned_by(Some(Arc::clone(&witnesses)));
    let policy = policy_of(FileSigner::new().verifier_key());
    let mut entries = grow(&store, 200).await;
    let head = witnesses.asked(after(0)).unwrap().unwrap();
    for number in [2, 3] {
        witnesses.bring(&Witness::number(number).cosigned(&head, WRITTEN), after(0)).await.unwrap();
    }
    for more in [30, 100, 400] {
        entries.extend(grow(&store, more).await);
        for logged in entries.iter().rev().step_by(7) {
            let receipt = receipts.receipt(logged.index).unwrap().unwrap();
            let size = receipt.verify(logged, FileSigner::new().verifier_key()).unwrap().size;
            let is_cosigned = policy.accept(&receipt.checkpoint, None).is_ok();
            let expected = if logged.index < 200 { (200, true) } else { (entries.len() as u64, false) };
            assert_eq!((size, is_cosigned), expected, "entry {}", logged.index);
        }
    }
}

#[tokio::test]
async fn a_part_of_a_document_goes_on_though_the_first_was_below_a_newer_head_than_the_cosigned_one() {
    // F5: a first part while the quorum is late; then the daemon is started anew, and it is late no more
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    grow(&store, 3).await;
    let head = store.log_checkpoint().unwrap();
    for number in [1, 2] {
        over(&store).bring(&Witness::number(number).cosigned(&head, WRITTEN), after(0)).await.unwrap();
    }
    grow(&store, 4).await;
    let below = |begun: u64, least: u64| {
        let receipts = Receipts::of(store.clone()).cosigned_by(Some(begun_at(&store, after(begun))));
        receipts.head(least, after(100)).unwrap().unwrap().0
    };
    assert_eq!(below(0, 0), 7, "late");
    assert_eq!([0, 3, 4, 7, u64::MAX].map(|least| below(100, least)), [3, 3, 7, 7, 7], "from an entry on that the cosigned head has not");
}

#[tokio::test]
async fn a_witness_that_cosigns_without_end_fills_no_disk_and_takes_no_quorum_away() {
    // F2: what is kept of anybody is bounded; the lines under the cosigned head stay
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    grow(&store, 1).await;
    let head = witnesses.asked(after(0)).unwrap().unwrap();
    for number in [1, 2] {
        witnesses.bring(&Witness::number(number).cosigned(&head, WRITTEN), after(0)).await.unwrap();
    }
    for _ in 0..70 {
        grow(&store, 1).await;
        let newest = store.log_checkpoint().unwrap();
        assert_eq!(size(&witnesses.asked(after(0)).unwrap().unwrap()), 2);
        witnesses.bring(&Witness::number(1).cosigned(&newest, WRITTEN), after(0)).await.unwrap();
    }
    store.close().await.unwrap();
    let rows: u32 = rig::raw(dir.path()).query_row("SELECT count(*) FROM cosignature", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 64 + 2 + 1, "of the first those under the cosigned head and the asked one too, of the second one");
    assert_eq!(over(&open(dir.path()).unwrap()).cosigned().unwrap().0, 1);
}

#[tokio::test]
async fn lines_that_are_brought_again_in_whatever_order_cause_no_write() {
    // F2: whoever is enrolled may bring any line that was ever shown; replay of N lines that were taken once costs 0 writes
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    let heads = heads(&store, 100).await;
    let one = Witness::number(1);
    let recorded: Vec<String> = heads.iter().flat_map(|head| [WRITTEN, WRITTEN + 9].map(|at| one.cosigned(head, at))).collect();
    let mut commits = Commits::of(&store, dir.path()).await;
    assert_eq!(commits.for_each(&witnesses, &recorded).await, 200, "a line that is news is a write, and this counts them");
    assert_eq!(rows_of(dir.path(), 1), (37..=100).map(|size| (size, WRITTEN + 9)).collect::<Vec<_>>());
    for _ in 0..2 {
        assert_eq!(commits.for_each(&witnesses, &recorded).await, 0);
        assert_eq!(commits.for_each(&witnesses, recorded.iter().rev()).await, 0);
    }
    assert_eq!(rows_of(dir.path(), 1), (37..=100).map(|size| (size, WRITTEN + 9)).collect::<Vec<_>>(), "nothing went");
}

#[tokio::test]
async fn lines_that_were_never_brought_are_at_most_a_write_each_and_none_below_a_head_that_has_the_quorum() {
    // F2: replay of N recorded lines costs N writes at most, whatever their order, and none once a newer head has the quorum
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    let heads = heads(&store, 150).await;
    let of = |number, at| heads.iter().map(|head| Witness::number(number).cosigned(head, at)).collect::<Vec<_>>();
    let (one, three) = (of(1, WRITTEN), of(3, WRITTEN));
    let mut commits = Commits::of(&store, dir.path()).await;
    // the newest first: what is older than the 64 that are kept is no news
    assert_eq!(commits.for_each(&witnesses, one.iter().rev()).await, 64);
    for _ in 0..3 {
        assert_eq!(commits.for_each(&witnesses, &one).await, 0);
    }
    // the quorum over head 140, and then what a third witness said of the heads before
    witnesses.bring(&Witness::number(2).cosigned(&heads[139], WRITTEN), after(0)).await.unwrap();
    assert_eq!(witnesses.cosigned().unwrap().0, 140);
    assert!(commits.was_one());
    assert_eq!(commits.for_each(&witnesses, &three[..139]).await, 0);
    assert_eq!(commits.for_each(&witnesses, &three[139..]).await, 11, "of the head with the quorum, and of newer ones");
    assert_eq!(rows_of(dir.path(), 3).len(), 11);
}

#[tokio::test]
async fn what_was_kept_and_not_judged_is_judged_when_it_is_brought_again() {
    // F2: who brings a line may go before it is judged; a quorum that is there counts
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let (witnesses, gone) = (over(&store), over(&store));
    let head = heads(&store, 1).await.remove(0);
    for number in [1, 2] {
        gone.bring(&Witness::number(number).cosigned(&head, WRITTEN), after(0)).await.unwrap();
    }
    assert!(witnesses.cosigned().is_none());
    let mut commits = Commits::of(&store, dir.path()).await;
    assert_eq!(commits.for_each(&witnesses, [&Witness::number(2).cosigned(&head, WRITTEN)]).await, 0);
    assert_eq!(witnesses.cosigned().unwrap().0, 1);
    // what is judged already is not judged again for a line that is no news
    gone.bring(&Witness::number(3).cosigned(&head, WRITTEN), after(0)).await.unwrap();
    let judged = witnesses.cosigned();
    witnesses.bring(&Witness::number(2).cosigned(&head, WRITTEN), after(0)).await.unwrap();
    assert_eq!(witnesses.cosigned(), judged);
    assert!(!judged.unwrap().1.contains("witness.example/w3 "));
    witnesses.bring(&Witness::number(2).cosigned(&head, WRITTEN + 1), after(1)).await.unwrap();
    assert!(witnesses.cosigned().unwrap().1.contains("witness.example/w3 "), "and for news it is");
}

#[tokio::test]
async fn of_a_witness_whose_lines_are_brought_many_in_one_note_the_latest_is_taken() {
    // F2: one line of a witness at a time
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    let head = heads(&store, 1).await.remove(0);
    let lines = |number: u8| (1..=20).map(move |at| (number, WRITTEN + at));
    let many = lines(1)
        .chain(lines(2))
        .fold(head.clone(), |note, (number, at)| note + Witness::number(number).cosigned(&head, at).strip_prefix(&head).unwrap());
    let mut commits = Commits::of(&store, dir.path()).await;
    assert_eq!(commits.for_each(&witnesses, [&many]).await, 1);
    assert_eq!([rows_of(dir.path(), 1), rows_of(dir.path(), 2)], [[(1, WRITTEN + 20)], [(1, WRITTEN + 20)]]);
    assert_eq!(commits.for_each(&witnesses, [&many]).await, 0);
}

#[tokio::test]
async fn the_line_under_the_head_that_is_asked_about_stays_however_many_newer_ones_are_brought() {
    // F2: the others meet over it; without that line the quorum would be late until a restart
    for is_first in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let store = create(dir.path());
        let witnesses = over(&store);
        grow(&store, 1).await;
        let asked = witnesses.asked(after(0)).unwrap().unwrap();
        let mut lines: Vec<String> = heads(&store, 100).await.iter().map(|head| Witness::number(1).cosigned(head, WRITTEN)).collect();
        lines.insert(if is_first { 0 } else { 100 }, Witness::number(1).cosigned(&asked, WRITTEN));
        for line in &lines {
            witnesses.bring(line, after(0)).await.unwrap();
        }
        assert_eq!(rows_of(dir.path(), 1).len(), 64 + 1);
        witnesses.bring(&Witness::number(3).cosigned(&asked, WRITTEN), after(0)).await.unwrap();
        assert_eq!(witnesses.cosigned().map(|(size, _)| size), Some(1), "first {is_first}");
    }
}

#[tokio::test]
async fn a_policy_that_does_not_list_this_log_under_its_own_key_is_refused() {
    // F2: a policy of another log, or of this one's name under another key, would count nothing of ours
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let stranger = ed25519_dalek::SigningKey::from_bytes(&[3; 32]);
    let stranger = VerifierKey::ed25519(rig::ORIGIN, stranger.verifying_key().as_bytes()).unwrap();
    let refused = Witnesses::over(store, policy_of(&stranger), Duration::from_secs(60), after(0)).map(drop).unwrap_err();
    assert!(matches!(refused, WitnessesRefused::OtherLog { .. }) && refused.to_string().contains(FileSigner::new().verifier_key().name()));
}
