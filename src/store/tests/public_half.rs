//! What a reader of the whole log learns: how many entries there were under each head, and nothing else (rule F2, "without reading a name").

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::{tiles, Entry, Field, Operation, Outcome, RefusalCode};
use contactpoint_domain::{ChildNumber, Instant, OrganisationId, PersonId, Purpose, Role};
use contactpoint_store::Store;
use rig::{child, create, entry};
use std::collections::BTreeMap;

/// Looks under one head, and heads: more than a bundle in all, so that full and partial tiles are there.
const UNDER_EACH_HEAD: [u32; 3] = [40, 220, 41];

/// The public half: every file that is served, at the end; and each head's size, as it was signed.
struct Shown {
    files: BTreeMap<String, Vec<u8>>,
    sizes: Vec<u64>,
}

async fn day(look: impl Fn(u32) -> Entry) -> Shown {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let (mut sizes, mut done) = (Vec::new(), 0);
    for count in UNDER_EACH_HEAD {
        for n in done..done + count {
            let entry = look(n);
            store.look(move |_| Ok(((), entry))).await.unwrap().into_inner();
        }
        done += count;
        store.checkpoint().await.unwrap();
        sizes.push(store.log_checkpoint().unwrap().lines().nth(1).unwrap().parse().unwrap());
    }
    Shown { files: served(&store), sizes }
}

fn served(store: &Store) -> BTreeMap<String, Vec<u8>> {
    let size = store.log_size();
    let bundles = (0..size.div_ceil(256)).map(|index| tiles::bundle_path(index, tiles::width_at(size, 0, index)));
    let levels = (0..2).flat_map(|level| {
        let nodes = size >> (8 * u32::from(level));
        (0..nodes.div_ceil(256)).map(move |index| tiles::tile_path(level, index, tiles::width_at(size, level, index)))
    });
    let read = |path: String| {
        let bytes = store.log_tile(&path).unwrap().unwrap_or_else(|| panic!("{path} is missing"));
        (path, bytes)
    };
    bundles.chain(levels).map(read).collect()
}

fn leaves(shown: &Shown) -> Vec<&[u8]> {
    let bundles = shown.files.iter().filter(|(path, _)| path.starts_with("tile/entries/"));
    bundles.flat_map(|(_, bytes)| tiles::decode_bundle(bytes).unwrap()).collect()
}

fn numbers(from: u32, count: u32) -> Vec<ChildNumber> {
    (from..from + count).map(|n| child(n).number).collect()
}

/// A quiet day: one person, one child, always seen.
fn quiet(_: u32) -> Entry {
    Entry { reason: Some(Purpose::ALL[0]), ..entry(Operation::View, numbers(1, 1)) }
}

/// The other kind: everybody, other children each time, lists, refusals, attempts that found nothing, by other roles, with every field shown.
fn busy(n: u32) -> Entry {
    let by = Entry {
        at: Instant::of_millis(1_795_000_000_000 + u64::from(n) * 977),
        person: Some(PersonId(u32::MAX - n)),
        organisation: Some(OrganisationId(70_000 + n)),
        role: Some(Role::ALL[n as usize % Role::ALL.len()]),
        reason: Some(Purpose::ALL[n as usize % Purpose::ALL.len()]),
        ..entry(Operation::Search, Vec::new())
    };
    match n % 5 {
        0 => Entry { children: numbers(n, 12), shown: Field::ALL[..4].to_vec(), ..by },
        1 => Entry { outcome: Outcome::NotFound, ..by },
        2 => Entry { operation: Operation::View, children: numbers(n, 1), shown: Field::ALL.to_vec(), ..by },
        3 => Entry { operation: Operation::View, children: numbers(n, 1), outcome: Outcome::Refused(RefusalCode::OutsideScope), ..by },
        _ => Entry { operation: Operation::WhoSaw, children: numbers(n, 1), outcome: Outcome::TooMany, ..by },
    }
}

#[tokio::test]
async fn two_days_of_other_work_with_the_same_counts_look_the_same_to_a_reader_of_the_whole_log() {
    // F2: without reading a name. The same files, of the same lengths, under heads of the same sizes; and every leaf of one length
    let (quiet, busy) = (day(quiet).await, day(busy).await);
    let lengths = |shown: &Shown| shown.files.iter().map(|(path, bytes)| (path.clone(), bytes.len())).collect::<Vec<_>>();
    assert_eq!(lengths(&quiet), lengths(&busy));
    assert_eq!((&quiet.sizes, &quiet.sizes), (&busy.sizes, &vec![40, 260, 301]));
    assert!(lengths(&quiet).iter().any(|(path, _)| path == "tile/entries/000") && quiet.files.contains_key("tile/entries/001.p/45"));
    for shown in [&quiet, &busy] {
        assert!(leaves(shown).iter().all(|leaf| leaf.len() == 256), "looks are of one size class");
    }

    // the same look a hundred times is a hundred leaves that share format and epoch, 5 bytes, and no run of others
    let all: Vec<&[u8]> = [leaves(&quiet), leaves(&busy)].concat();
    assert!(all.iter().all(|leaf| leaf[..5] == all[0][..5]));
    let mut runs: Vec<&[u8]> = all.iter().flat_map(|leaf| leaf[5..].chunks_exact(8)).collect();
    let (count, _) = (runs.len(), runs.sort_unstable());
    runs.dedup();
    assert_eq!(runs.len(), count, "no eight bytes come twice: neither a child nor a person can be followed");
}

#[tokio::test]
async fn a_day_with_longer_entries_is_told_apart_which_is_why_looks_are_padded() {
    // the comparison above can fail: what is not a look of a person may be of a larger class (docs/log-format.md names them)
    let long = |n: u32| if n == 7 { entry(Operation::Feed, numbers(0, 200)) } else { quiet(n) };
    let (quiet, long) = (day(quiet).await, day(long).await);
    let lengths = |shown: &Shown| shown.files.values().map(Vec::len).collect::<Vec<_>>();
    assert_ne!(lengths(&quiet), lengths(&long));
}
