//! What must be true after every restart: the log verifies and has every answer that a client got; the store has every acknowledged line.

use crate::ledger::{search, view, Ledger};
use crate::roll::Roll;
use crate::world::{Session, World};
use contactpoint_audit::{tiles, verify, Checkpoint, Hash, Tree};
use rand::rngs::StdRng;
use rand::Rng;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a checkpoint over the newest entry may take: it comes every second.
const PATIENCE: Duration = Duration::from_secs(10);

/// The log as fetched; full tiles are kept from one run to the next, so that a log which was written anew does not verify.
pub(crate) struct LogCopy {
    directory: PathBuf,
    head: Option<(u64, Hash)>,
}

impl LogCopy {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self { directory: folder.join("log"), head: None }
    }

    /// Fetches the log with the organisations' client and verifies it offline, by the public key alone (rule F2). It covers the entry
    /// `newest`, and the head that was seen before is one of its own.
    pub(crate) async fn verifies(&mut self, world: &World, session: &mut Session, newest: u64) {
        let directory = self.directory.to_str().expect("a folder's name").to_owned();
        let begun = Instant::now();
        loop {
            let checkpoint = session.fetch("/log/checkpoint").await;
            let text = String::from_utf8(checkpoint.body.to_vec()).expect("a note is text");
            if Checkpoint::open(&text, &world.rig.verifier_key).expect("a signed checkpoint").size > newest {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "no checkpoint covers entry {newest}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let fetched = world.client(&["log", "fetch", &directory]);
        assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
        let verified = verify::directory(&self.directory, &world.rig.verifier_key).expect("the log verifies");
        assert!(verified.size > newest);
        if let Some((size, root)) = self.head {
            assert_eq!(
                root_at(&self.directory, verified.size, size),
                root,
                "the log of {size} entries that was signed before is its beginning"
            );
        }
        self.head = Some((verified.size, verified.root));
    }
}

/// The root over the first `wanted` leaves of a fetched log of `size` entries.
fn root_at(directory: &Path, size: u64, wanted: u64) -> Hash {
    let mut tree = Tree::new();
    for index in 0..wanted.div_ceil(u64::from(tiles::FULL)) {
        let bundle = directory.join(tiles::bundle_path(index, tiles::width_at(size, 0, index)));
        let bytes = std::fs::read(bundle).expect("a bundle that verified");
        for leaf in tiles::decode_bundle(&bytes).expect("whole leaves") {
            if tree.size() < wanted {
                drop(tree.append(leaf));
            }
        }
    }
    tree.root()
}

/// Rule F3: the auditor is told of every look that a client was answered, by its entry's index, with who it was and what they did. Returns how
/// many more looks are listed: those that were written and whose answers were cut off.
pub(crate) async fn every_answer_is_listed(reviewer: &mut Session, ledger: &mut Ledger, children: &[String]) -> usize {
    let mut unanswered = 0;
    for child in children {
        let answer = reviewer.post("/v1/audit/who-saw", &json!({"child_number": child, "reason": "audit"})).await.expect("an answer");
        let body = answer.expect_status(200).json();
        assert_eq!(body.get("cursor"), None, "all looks are listed");
        let listed: BTreeMap<u64, &Value> = body["looks"].as_array().expect("looks").iter().map(|look| (entry(look), look)).collect();
        assert_eq!(listed.len(), body["looks"].as_array().map_or(0, Vec::len), "an entry is listed once");
        for answered in ledger.at(child) {
            let look = listed.get(&answered.entry).unwrap_or_else(|| panic!("answered and not in the log: {answered:?}"));
            assert_eq!((&look["operation"], &look["person"]["id"]), (&json!(answered.operation), &json!(answered.person)));
            assert_eq!(look["outcome"], "answered");
            assert!(look["shown"].as_array().is_some_and(|shown| !shown.is_empty()));
        }
        let looks = listed.values().filter(|look| look["operation"] != "who-saw").count();
        unanswered += looks - ledger.at(child).len();
    }
    unanswered
}

fn entry(look: &Value) -> u64 {
    look["entry"].as_u64().expect("a look has its entry")
}

/// Rule H5: what was acknowledged is on record, once. Searches for the children of these lines and views the first.
pub(crate) async fn children_are_on_record(practitioner: &mut Session, ledger: &mut Ledger, roll: &Roll, lines: &[usize]) {
    for (nth, line) in lines.iter().enumerate() {
        let Some(pupil) = roll.lines[*line].pupil else { continue };
        let found = search(practitioner, &roll.pupils[pupil]).await;
        if nth == 0 {
            ledger.keep(view(practitioner, &found.child).await);
        }
        ledger.keep(found);
    }
}

/// A few of the first `acknowledged` lines.
pub(crate) fn some_of(acknowledged: usize, random: &mut StdRng) -> Vec<usize> {
    (0..12).map(|_| random.random_range(0..acknowledged)).collect()
}
