//! How long "who saw this child?" takes, and the statement of it, for a child with 10,000 entries among 100,000 (rule F3): a real SQLCipher store, keys
//! and signatures in software. `cargo run -p contactpoint-store --example who_saw`, in the profile of tests: a release build
//! refuses what the crate's tests need.

#![expect(clippy::unwrap_used, reason = "a measurement that fails ends")]

#[path = "../src/store/tests/rig/mod.rs"]
mod rig;

use contactpoint_audit::{Operation, Signer as _};
use contactpoint_domain::{ChildNumber, Instant};
use contactpoint_sealing::Recipient;
use contactpoint_statement::{Did, Look, SubjectAccess};
use contactpoint_store::{Receipts, Snapshot, Store};
use std::time::{Duration, Instant as Clock};

const LOOKS: u32 = 10_000;
const OTHERS: u32 = 9;
const AT_ONCE: u32 = 500;
const RECIPIENT: &str = "age1j7jlf6v9cec0e0dmu6s3fd4usn0gfca46n8crv6884a53zu7qq7qmp7gfs";

fn child(n: u32) -> ChildNumber {
    ChildNumber::with_body(n)
}

/// A tenth of all views are of the one child.
async fn looks(store: &Store) {
    for begin in (0..LOOKS * (OTHERS + 1)).step_by(AT_ONCE as usize) {
        let tasks = (begin..begin + AT_ONCE).map(|n| {
            let store = store.clone();
            let number = if n % (OTHERS + 1) == 0 { child(0) } else { child(1 + n % 50_000) };
            tokio::spawn(async move { drop(store.look(|_| Ok(((), rig::entry(Operation::View, vec![number])))).await.unwrap()) })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    }
    store.index_looks().await.unwrap();
    store.checkpoint().await.unwrap();
}

/// The median of seven runs.
fn median(mut run: impl FnMut()) -> Duration {
    let mut took: Vec<Duration> = (0..7)
        .map(|_| {
            let begun = Clock::now();
            run();
            begun.elapsed()
        })
        .collect();
    took.sort();
    took[3]
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
    let store = rig::create(folder.path());
    looks(&store).await;
    let receipts = Receipts::of(store.clone());
    let (size, note) = store.newest_head().unwrap();
    let page = |most: u32| {
        median(|| {
            let read = store.prepare(|snapshot| {
                assert_eq!(snapshot.looks_at(&child(0), None, most)?.len(), most as usize);
                Ok(())
            });
            drop(read.unwrap());
        })
    };
    println!("{LOOKS} looks of one child among {size} entries, medians of seven");
    println!("newest page of 1,000   {:?}", page(1000));
    println!("all {LOOKS}             {:?}", page(LOOKS));
    let statement = || {
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
    println!("the whole statement    {:?}", median(statement));
    let begun = Clock::now();
    let wanted = store.entries_between((Instant::of_millis(0), Instant::of_millis(u64::MAX / 2)), 0..size, LOOKS as usize, |entry| {
        entry.children.contains(&child(0))
    });
    assert_eq!(wanted.await.unwrap().len(), LOOKS as usize);
    println!("a scan of every entry  {:?}", begun.elapsed());
    assert_eq!(store.log_key().name(), rig::FileSigner::new().verifier_key().name());
}
