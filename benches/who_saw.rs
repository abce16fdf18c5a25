//! How long "who saw this child?" takes, and the statement of it, for a child with 10,000 entries among 100,000 (rule F3): a real SQLCipher store with
//! the cache and the readers that are shipped, 200 people who look, keys and signatures in software. In the profile of tests:
//! `cargo run -p contactpoint-store --example who_saw`. A release build refuses what the crate's tests need; optimised as one, with their checks:
//! `cargo run --release --config profile.release.debug-assertions=true -p contactpoint-store --example who_saw`.

#![expect(clippy::unwrap_used, reason = "a measurement that fails ends")]

#[path = "../src/store/tests/rig/mod.rs"]
mod rig;
#[path = "../src/store/tests/staff/mod.rs"]
mod staff;

use contactpoint_audit::{Entry, Operation, Signer as _};
use contactpoint_directory::{Directory, MOST_LOOKS};
use contactpoint_domain::{Capability, ChildNumber, Instant, OrganisationId, OrganisationKind, PersonId, Role};
use contactpoint_identity::Caller;
use contactpoint_sealing::Recipient;
use contactpoint_statement::{Did, Look, SubjectAccess};
use contactpoint_store::{Options, Receipts, Snapshot, Store};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

/// As `[store]` in config/contactpointd.toml.
const SHIPPED: Options = Options { page_cache_mib: 256, readers: 4, group_commit_max: 64 };
const PEOPLE: u32 = 200;
const ORGANISATIONS: u32 = 20;
const LOOKS: u32 = 10_000;
const OTHERS: u32 = 9;
const AT_ONCE: u32 = 500;
const RECIPIENT: &str = "age1j7jlf6v9cec0e0dmu6s3fd4usn0gfca46n8crv6884a53zu7qq7qmp7gfs";

fn child(n: u32) -> ChildNumber {
    ChildNumber::with_body(n)
}

fn create(folder: &Path) -> Store {
    let created = Store::create(folder, rig::keys(rig::PAGE_KEY), SHIPPED, Arc::new(rig::FileSigner::new()));
    created.unwrap().begin_unlocked().unwrap()
}

/// The n-th of the people who look.
fn looker(n: u32) -> (PersonId, OrganisationId) {
    (PersonId(5 + n % PEOPLE), OrganisationId(1 + n % ORGANISATIONS))
}

async fn people(store: &Store) {
    let body = |n| (OrganisationKind::School, looker(n).1 .0);
    let people: Vec<Caller> =
        (0..PEOPLE).map(|n| staff::somebody(looker(n).0 .0, Role::Practitioner, body(n), Capability::Query)).collect();
    staff::on_record(store, &people.iter().collect::<Vec<_>>()).await;
}

/// A tenth of all views are of the one child.
async fn looks(store: &Store) {
    for begin in (0..LOOKS * (OTHERS + 1)).step_by(AT_ONCE as usize) {
        let tasks = (begin..begin + AT_ONCE).map(|n| {
            let store = store.clone();
            let number = if n % (OTHERS + 1) == 0 { child(0) } else { child(1 + n % 50_000) };
            let (person, organisation) = looker(n / (OTHERS + 1));
            let (person, organisation, viewed) = (Some(person), Some(organisation), rig::entry(Operation::View, vec![number]));
            let look = Entry { person, organisation, role: Some(Role::Practitioner), ..viewed };
            tokio::spawn(async move { drop(store.look(|_| Ok(((), look))).await.unwrap()) })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    }
    store.index_looks().await.unwrap();
    store.checkpoint().await.unwrap();
}

/// The median of seven runs, before each of which something is made ready.
async fn median_after(mut ready: impl AsyncFnMut(), mut run: impl AsyncFnMut()) -> Duration {
    let mut took = Vec::new();
    for _ in 0..7 {
        ready().await;
        let begun = Clock::now();
        run().await;
        took.push(begun.elapsed());
    }
    took.sort();
    took[3]
}

async fn median(run: impl AsyncFnMut()) -> Duration {
    median_after(async || (), run).await
}

/// Something that readers ask for has changed: they begin anew, with an empty cache.
async fn changed(store: &Store) {
    drop(store.look(|_| Ok(((), rig::entry(Operation::View, vec![child(1)])))).await.unwrap());
    store.index_looks().await.unwrap();
}

/// So many questions' looks, read and opened: without who looked, and without an entry for the question.
fn read(store: &Store, questions: u32) {
    let mut before = None;
    for _ in 0..questions {
        let page = store.prepare(|snapshot| {
            let looks = snapshot.looks_at(&child(0), before, MOST_LOOKS)?;
            assert_eq!(looks.len(), MOST_LOOKS as usize);
            before = looks.last().map(|look| look.index);
            Ok(())
        });
        drop(page.unwrap());
    }
}

/// So many questions as they are answered.
async fn asked(directory: &Directory, auditor: &Caller, questions: u32) {
    let mut asked = json!({"child_number": child(0), "reason": "audit"});
    for _ in 0..questions {
        let question = serde_json::from_value(asked.clone()).unwrap();
        let answer = directory.who_saw(auditor, &question, staff::NOW).await.unwrap().into_inner().unwrap();
        let answer: Value = serde_json::to_value(answer).unwrap();
        assert_eq!(answer["looks"].as_array().unwrap().len(), MOST_LOOKS as usize);
        assert!(answer["looks"][999]["person"].is_object() && answer["looks"][999]["organisation"].is_object());
        asked["cursor"] = answer["cursor"].clone();
    }
}

fn stated(snapshot: &Snapshot<'_>, receipts: &Receipts, size: u64) -> Vec<Look> {
    let found = snapshot.looks_at(&child(0), Some(size), LOOKS + 1).unwrap();
    let one = |found: contactpoint_store::Look| {
        let proved = snapshot.proved(receipts, found.index, size).unwrap().unwrap();
        let (at, role, reason) = (found.entry.at, found.entry.role, found.entry.reason);
        Look { index: found.index, at, organisation: None, role, did: Did::Viewed, reason, leaf: proved.hash, path: proved.path }
    };
    found.into_iter().rev().map(one).collect()
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    people(&store).await;
    looks(&store).await;
    let receipts = Receipts::of(store.clone());
    let (size, note) = store.newest_head().unwrap();
    println!("{LOOKS} looks of one child among {size} entries, medians of seven");
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let auditor = staff::somebody(1, Role::Auditor, (OrganisationKind::Auditor, 3), Capability::Audit);
    for (what, questions) in [("the newest 1,000, one question", 1), ("all 10,000, ten questions", 10)] {
        println!("{what}");
        println!("  read                 {:?}", median_after(async || changed(&store).await, async || read(&store, questions)).await);
        println!("  read again           {:?}", median(async || read(&store, questions)).await);
        println!("  asked and answered   {:?}", median(async || asked(&directory, &auditor, questions).await).await);
    }
    let statement = async || {
        let read = store.prepare(|snapshot| {
            let looks = stated(snapshot, &receipts, size);
            let (log, child) = (rig::ORIGIN, &child(0));
            let statement = SubjectAccess {
                log,
                child,
                made: Instant::of_millis(1),
                size,
                among: 0..size,
                looks: &looks,
                erased: &[],
                checkpoint: &note,
            };
            let unsigned = statement.written();
            let signed = store.sign_statement(unsigned.text())?;
            let recipient: Recipient = RECIPIENT.parse().unwrap();
            let sealed = recipient.seal(unsigned.signed(&signed).as_bytes()).unwrap();
            assert!(sealed.len() > looks.len());
            Ok(())
        });
        drop(read.unwrap());
    };
    println!("the whole statement    {:?}", median(statement).await);
    let begun = Clock::now();
    let wanted = store.entries_between((Instant::of_millis(0), Instant::of_millis(u64::MAX / 2)), 0..size, LOOKS as usize, |entry| {
        entry.children.contains(&child(0))
    });
    assert_eq!(wanted.await.unwrap().len(), LOOKS as usize);
    println!("a scan of every entry  {:?}", begun.elapsed());
    assert_eq!(store.log_key().name(), rig::FileSigner::new().verifier_key().name());
}
