//! Evidence of much, in parts, as the directory makes it over a real SQLCipher file (rule F5); and the entries of fetching it, which the log's public
//! half does not tell from looks (rule F2).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;
mod staff;

use contactpoint_audit::{tiles, Change, Entry, Field, Operation, Signer as _};
use contactpoint_directory::{Directory, EvidencePart, FetchedEvidence};
use contactpoint_domain::{
    Capability, ChildNumber, EvidenceAsked, EvidenceCase, EvidenceId, OrganisationId, OrganisationKind, PersonId, Purpose, Role,
};
use contactpoint_identity::Caller;
use contactpoint_sealing::Identity;
use contactpoint_statement::verify;
use contactpoint_store::Store;
use rig::{child, create, entry, open, FileSigner};
use staff::{on_record, somebody, NOW};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Whose looks.
const LOOKER: PersonId = PersonId(7);
/// A pair that age-keygen made for this test.
const RECIPIENT: &str = "age1j7jlf6v9cec0e0dmu6s3fd4usn0gfca46n8crv6884a53zu7qq7qmp7gfs";
const IDENTITY: &str = "AGE-SECRET-KEY-17049JAFN7AWJXD6QLS334385AA5F25W6C8YZ44PPPHLR04R8F5NQLVSTDR";

fn auditor(person: u32) -> Caller {
    somebody(person, Role::Auditor, (OrganisationKind::Auditor, 3), Capability::Audit)
}

/// A store in which both auditors have said yes to evidence of the looker's day.
async fn approved(directory: &Path) -> (Store, EvidenceId) {
    let store = create(directory);
    on_record(&store, &[&auditor(5), &auditor(6)]).await;
    let recipient: contactpoint_sealing::Recipient = RECIPIENT.parse().unwrap();
    let (from, to) = (NOW.day(), NOW.day());
    let asked = EvidenceAsked { person: LOOKER, from, to, reason: Purpose::Audit, recipient: recipient.bytes() };
    let kept = store.change(move |transaction| {
        let case = transaction.add_evidence(&asked, PersonId(5), NOW)?;
        transaction.put_evidence(&EvidenceCase { approved: Some((PersonId(6), NOW)), ..case })?;
        Ok((case.id, entry(Operation::ApproveEvidence, Vec::new())))
    });
    let id = kept.await.unwrap().into_inner();
    (store, id)
}

/// The looker's, now.
fn act(operation: Operation, children: Vec<ChildNumber>) -> Entry {
    Entry { at: NOW, person: Some(LOOKER), ..entry(operation, children) }
}

async fn write(store: &Store, entries: impl Iterator<Item = Entry>) -> BTreeSet<u64> {
    let written = entries.map(|entry| {
        let store = store.clone();
        tokio::spawn(async move { store.look(|_| Ok(((), entry))).await.unwrap().entry_index() })
    });
    let mut indices = BTreeSet::new();
    for written in written.collect::<Vec<_>>() {
        indices.insert(written.await.unwrap());
    }
    indices
}

struct Fetched {
    part: FetchedEvidence,
    /// The entry that the answer is given with.
    entry: u64,
}

async fn fetched(directory: &Directory, id: EvidenceId, from_entry: u64) -> Fetched {
    let committed = directory.fetch_evidence(&auditor(5), id, EvidencePart { from_entry }, NOW).await.unwrap();
    let entry = committed.entry_index();
    Fetched { part: committed.into_inner().unwrap(), entry }
}

/// A part as its recipient reads it, and the entries in it; it must verify.
fn read(part: FetchedEvidence) -> (String, Vec<u64>) {
    let identity: Identity = IDENTITY.parse().unwrap();
    let text = String::from_utf8(identity.open(&part.document.into_bytes()).unwrap()).unwrap();
    let signer = FileSigner::new();
    let verified = verify(&text, signer.verifier_key(), None).unwrap();
    let (_, looks) = text.split_once("==== entries ====").unwrap();
    let (looks, _) = looks.split_once("==== proofs ====").unwrap();
    let entries: Vec<u64> = looks.lines().filter_map(|line| line.strip_prefix("Entry ")?.parse().ok()).collect();
    assert_eq!(verified.entries, entries.len() as u64);
    (text, entries)
}

/// The leaf's length of each entry from one on, by what is served.
fn lengths(store: &Store, from: u64) -> Vec<usize> {
    let size = store.log_size();
    let bundle = |index: u64| store.log_tile(&tiles::bundle_path(index, tiles::width_at(size, 0, index))).unwrap().unwrap();
    let bundles = (0..size.div_ceil(256)).map(bundle);
    let of = |bundle: Vec<u8>| tiles::decode_bundle(&bundle).unwrap().iter().map(|leaf| leaf.len()).collect::<Vec<_>>();
    let all: Vec<usize> = bundles.flat_map(of).collect();
    all[from.try_into().unwrap()..].to_vec()
}

/// The entries of one kind that name a child.
async fn naming(store: &Store, number: &ChildNumber, operation: Operation) -> Vec<u64> {
    let looked = store.look(|snapshot| {
        let found = snapshot.looks_at(number, None, 100)?.into_iter().filter(|look| look.entry.operation == operation);
        Ok((found.map(|look| look.index).collect(), entry(Operation::WhoSaw, Vec::new())))
    });
    looked.await.unwrap().into_inner()
}

#[tokio::test]
async fn nobody_floods_their_own_looks_out_of_evidence() {
    // F5: evidence of misuse can be handed over, of more entries than one document holds too; F1: none is left out
    let dir = tempfile::tempdir().unwrap();
    let (store, id) = approved(dir.path()).await;
    // searches that find nobody cost nothing; what matters is among them
    let vain = |count: usize| (0..count).map(|_| act(Operation::Search, Vec::new()));
    let mut written = write(&store, vain(5_100)).await;
    written.extend(write(&store, std::iter::once(act(Operation::View, vec![child(1).number]))).await);
    store.checkpoint().await.unwrap();
    let directory = Directory::new(store.clone(), BTreeMap::new());

    let first = fetched(&directory, id, 0).await;
    let next = first.part.next.unwrap();
    // what is done between two parts is in neither, or in the later one
    written.extend(write(&store, vain(7)).await);
    store.checkpoint().await.unwrap();
    let last = fetched(&directory, id, next).await;
    assert_eq!(last.part.next, None);
    let ((one, first), (two, last)) = (read(first.part), read(last.part));
    assert_eq!(first.len(), 5_000);
    assert!(one.contains(&format!("It is a part: what was done since stands in the next, which is fetched from entry {next} on.\n")));
    assert!(two.contains(&format!("holds it from entry {next} on and before entry ")) && two.contains("It is the last part;"), "{two}");
    assert!(two.contains("  Did           view\n"));
    let all: Vec<u64> = first.into_iter().chain(last).collect();
    assert_eq!(all, written.into_iter().collect::<Vec<_>>(), "each once");
    let beyond = fetched(&directory, id, u64::MAX).await;
    assert_eq!((beyond.part.next, read(beyond.part).1), (None, Vec::new()));
}

#[tokio::test]
async fn evidence_about_an_auditor_has_what_they_made_of_children_for_others() {
    // F5: whoever has documents made learns nothing of them, and their accomplice all: statements and evidence are looks alike
    let dir = tempfile::tempdir().unwrap();
    let (store, id) = approved(dir.path()).await;
    let children: Vec<ChildNumber> = (0..20).map(|n| child(n).number).collect();
    let made = [(Operation::WhoSaw, 1), (Operation::MakeStatement, 1), (Operation::FetchEvidence, 20)];
    write(&store, made.into_iter().map(|(operation, count)| act(operation, children[..count].to_vec()))).await;
    store.checkpoint().await.unwrap();
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let (text, entries) = read(fetched(&directory, id, 0).await.part);
    assert_eq!(entries.len(), 2 + 3, "of twenty children there are three entries");
    let told = text.matches("  Did           fetch-evidence\n").count();
    assert_eq!((told, children.iter().all(|number| text.contains(number.as_str()))), (3, true));
}

#[tokio::test]
async fn evidence_of_many_children_comes_in_parts_whose_entries_are_as_long_as_those_of_looks() {
    // F3: who opens it reads of each child in it; F2: a reader of the log's public half learns of no evidence
    let dir = tempfile::tempdir().unwrap();
    let (store, id) = approved(dir.path()).await;
    let numbers = |search: u32| (20 * search..20 * search + 20).map(|n| child(n).number).collect::<Vec<_>>();
    let written = write(&store, (0..110).map(|n| act(Operation::Search, numbers(n)))).await;
    store.checkpoint().await.unwrap();
    let directory = Directory::new(store.clone(), BTreeMap::new());

    let first = fetched(&directory, id, 0).await;
    let size = store.log_size();
    let next = first.part.next.unwrap();
    let second = fetched(&directory, id, next).await;
    assert_eq!((first.entry + 250, second.entry + 25), (size, store.log_size()), "eight children in each entry");
    store.checkpoint().await.unwrap();
    assert_eq!(lengths(&store, first.entry), vec![256; 275], "as long as the leaf of a view");
    let (one, two) = (read(first.part).1, read(second.part).1);
    assert_eq!((one.len(), two.len()), (100, 10));
    assert_eq!(one.into_iter().chain(two).collect::<BTreeSet<_>>(), written);
    store.index_looks().await.unwrap();
    for search in [0, 57, 99, 109] {
        for number in numbers(search) {
            assert_eq!(naming(&store, &number, Operation::FetchEvidence).await.len(), 1, "{number:?}");
        }
    }
    // the entries are the log's as any others are: a start verifies them, and finds them again
    store.close().await.unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(naming(&store, &child(3).number, Operation::FetchEvidence).await, [first.entry]);
}

#[tokio::test]
async fn whatever_tells_of_many_children_leaves_entries_as_long_as_those_of_views() {
    // F2: a reader of the whole log learns counts per second, and not that a queue of reviews or alerts was read
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let whole = |operation: &Operation| {
        let decides = [Operation::Shield, Operation::Unshield, Operation::SetAudience, Operation::SettleRecord];
        // these have room for the tasks that they make, and name no child
        let by_night = [Operation::DrawReviews, Operation::DetectReviews];
        let destroys = [Operation::DestroyRecords, Operation::DestroyRecord].contains(operation);
        destroys || operation.is_look() || *operation == Operation::Feed || decides.contains(operation) || by_night.contains(operation)
    };
    // an operation that is new tomorrow is among these
    let telling = Operation::ALL.iter().copied().filter(|operation| !whole(operation));
    for operation in telling {
        for count in [0, 1, 8, 9, 16, 17, 210] {
            let from = store.log_size();
            let children = (0..count).map(|n| ChildNumber::with_body(999_999_999 - n)).collect();
            let changes = vec![Change { table: 255, row: i64::MIN, version: u32::MAX, digest: [7; 16] }];
            let by = (Some(PersonId(u32::MAX)), Some(OrganisationId(u32::MAX)), Some(Role::Supervisor), Some(Purpose::Audit));
            let shown = vec![Field::Number];
            let told = Entry { person: by.0, organisation: by.1, role: by.2, reason: by.3, shown, changes, ..act(operation, children) };
            let entry = store.look(|_| Ok(((), told.clone()))).await.unwrap().entry_index();
            store.checkpoint().await.unwrap();
            assert_eq!(lengths(&store, from), vec![256; (count as usize).div_ceil(8).max(1)], "{operation:?} of {count}");
            // together they say what the one would
            let size = store.log_size();
            let parts = store.entries_for_upkeep(from..size).unwrap();
            assert_eq!((entry, parts[0].entry.changes.len()), (from, 1));
            assert!(parts[1..].iter().all(|part| part.entry.changes.is_empty()));
            let named: Vec<ChildNumber> = parts.iter().flat_map(|part| part.entry.children.clone()).collect();
            assert_eq!(named, told.children);
            let same = |part: &Entry| Entry { children: Vec::new(), changes: Vec::new(), ..part.clone() };
            assert!(parts.iter().all(|part| same(&part.entry) == same(&told)));
        }
    }
}
