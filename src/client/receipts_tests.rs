//! Receipts against a directory whose log goes on, was rolled back or forked, or that gives other proofs than it should.

use crate::api::Api;
use crate::error::ClientError;
use crate::fake_directory::{FakeDirectory, Reaction};
use crate::log_fetch_tests::{leaves, log, Files, Key};
use crate::receipt_folder::ReceiptFolder;
use crate::receipts::{check_beside, receipts};
use contactpoint_audit::{inclusion_proof, leaf_hash, Checkpoint, Hash, Logged, Receipt, SignedCheckpoint, WitnessKey};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// A log with a receipt of each entry; from `fork` on its leaves are others.
fn shown(size: u32, fork: u32, key: &Key) -> Files {
    let leaves = leaves(size, fork);
    let mut files = log(&leaves, key);
    let checkpoint = String::from_utf8(files["checkpoint"].clone()).unwrap();
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    for index in (0..size).step_by(7) {
        let path = inclusion_proof(&hashes, index as usize).unwrap();
        let receipt = Receipt { index: index.into(), path, checkpoint: checkpoint.clone() };
        files.insert(format!("receipt/{index}"), receipt.to_string().into_bytes());
    }
    files
}

/// The entry of the honest log.
fn entry(index: u32) -> Logged {
    Logged { index: index.into(), leaf: leaf_hash(&leaves(index + 1, u32::MAX)[index as usize]) }
}

/// What happens once, between the question for the newest head and its answer.
type Meanwhile = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

struct Rig {
    directory: FakeDirectory,
    shown: Arc<Mutex<Files>>,
    meanwhile: Meanwhile,
    folder: ReceiptFolder,
}

impl Rig {
    /// A directory with a log of 600 entries, and a profile with its key.
    async fn new() -> Self {
        let shown = Arc::new(Mutex::new(shown(600, 600, &Key::ours())));
        let (served, meanwhile) = (Arc::clone(&shown), Meanwhile::default());
        let happens = Arc::clone(&meanwhile);
        let directory = FakeDirectory::answering(move |request| match request.path.as_str() {
            "/log/checkpoint" => {
                happens.lock().unwrap().take().into_iter().for_each(|happens| happens());
                Reaction::Bytes(served.lock().unwrap()["checkpoint"].clone())
            }
            "/v1/entered" => Reaction::Entered(json!({}), entry(14)),
            "/v1/unentered" | "/v1/texts" => Reaction::Answer(200, json!({})),
            path => match served.lock().unwrap().get(path.trim_start_matches("/log/")) {
                Some(file) => Reaction::Bytes(file.clone()),
                None => Reaction::Answer(404, json!({"title": "No.", "code": "not_yet_covered"})),
            },
        })
        .await;
        let profile = directory.folder().join("profile.toml");
        let text = format!("{}log_key = \"{}\"\n", std::fs::read_to_string(&profile).unwrap(), Key::ours().1);
        std::fs::write(&profile, text).unwrap();
        let folder = ReceiptFolder::beside(&profile);
        Self { directory, shown, meanwhile, folder }
    }

    /// The same, whose head was seen.
    async fn seen() -> Self {
        let rig = Self::new().await;
        rig.folder.wait_for(&entry(0)).unwrap();
        rig.check().await.unwrap();
        rig
    }

    fn shows(&self, files: Files) {
        *self.shown.lock().unwrap() = files;
    }

    /// What another command does while this one has asked for the newest head.
    fn meanwhile(&self, happens: impl FnOnce(&ReceiptFolder) + Send + 'static) {
        let folder = self.folder.clone();
        *self.meanwhile.lock().unwrap() = Some(Box::new(move || happens(&folder)));
    }

    /// The accreditor has the evidence: the folders are moved away.
    fn hands_over(&self) {
        while let Some(evidence) = self.folder.evidence().unwrap() {
            std::fs::remove_dir_all(evidence).unwrap();
        }
    }

    fn kept_size(&self) -> u64 {
        Checkpoint::open(&self.folder.kept().unwrap().unwrap(), &Key::ours().1).unwrap().size
    }

    async fn check(&self) -> Result<(), ClientError> {
        check_beside(&self.directory.place()).await
    }

    /// The check fails with the exit code of its own; what was kept stays. Returns the sentence and the evidence.
    async fn noticed(&self) -> (String, PathBuf) {
        let (kept, waiting) = (self.folder.kept().unwrap(), self.folder.waiting());
        let error = self.check().await.unwrap_err();
        assert_eq!(error.exit_code(), 5, "{error}");
        let told = error.to_string();
        let ClientError::Log { evidence, .. } = error else { panic!("{told}") };
        assert_eq!((self.folder.kept().unwrap(), self.folder.waiting()), (kept.clone(), waiting));
        assert_eq!(file(&evidence, "before"), kept);
        (told, evidence)
    }
}

fn checkpoint(size: u32, fork: u32) -> String {
    String::from_utf8(shown(size, fork, &Key::ours())["checkpoint"].clone()).unwrap()
}

fn file(folder: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(folder.join(name)).ok()
}

#[tokio::test]
async fn what_waits_is_verified_once_it_is_covered_and_the_head_is_kept() {
    // F2: anyone with the public key can verify
    let rig = Rig::new().await;
    for index in [0, 7, 595, 602] {
        rig.folder.wait_for(&entry(index)).unwrap();
    }
    rig.check().await.unwrap();
    assert_eq!(rig.folder.waiting(), [entry(602)], "no head covers it yet");
    for size in [601, 700, 1100] {
        let files = shown(size, size, &Key::ours());
        rig.shows(files.clone());
        rig.folder.wait_for(&entry(7)).unwrap();
        rig.check().await.unwrap();
        assert_eq!(rig.folder.kept().unwrap().unwrap().as_bytes(), files["checkpoint"], "{size}");
    }
    assert!(rig.folder.waiting().is_empty());
    // and the verb, with nothing that waits
    receipts(&rig.directory.place()).await.unwrap();
}

#[tokio::test]
async fn nothing_is_asked_while_nothing_waits() {
    // a command costs no more than it must
    let rig = Rig::new().await;
    rig.check().await.unwrap();
    assert!(rig.directory.seen().is_empty());
}

#[tokio::test]
async fn a_receipt_that_was_tampered_with_in_any_part_is_refused_and_kept() {
    // F2: nothing was altered, removed or reordered; F5: evidence
    let rig = Rig::seen().await;
    rig.folder.wait_for(&entry(7)).unwrap();
    let honest = shown(600, 600, &Key::ours());
    let good = String::from_utf8(honest["receipt/7"].clone()).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let other = Receipt::parse(&good).unwrap();
    let root = lines.iter().position(|line| *line == "600").unwrap() + 1;
    let forged = [
        good.replace("index 7", "index 8"),
        good.replacen(lines[2], &entry(3).leaf_text(), 1),
        good.replacen(&format!("{}\n", lines[2]), "", 1),
        good.replace(lines[root], &entry(3).leaf_text()),
        good.replace("\n600\n", "\n601\n"),
        good.replace("directory.example/log\n", "directory.example/lag\n"),
        good.replacen(&lines[root + 2][..40], &lines[root + 2][..39], 1),
        Receipt { checkpoint: String::from_utf8(shown(600, 3, &Key::ours())["checkpoint"].clone()).unwrap(), ..other }.to_string(),
        String::from_utf8(honest["receipt/14"].clone()).unwrap(),
        String::new(),
        "<html>".to_owned(),
    ];
    for wrong in forged {
        assert_ne!(wrong, good);
        let mut files = honest.clone();
        files.insert("receipt/7".to_owned(), wrong.clone().into_bytes());
        rig.shows(files);
        let (_, evidence) = rig.noticed().await;
        assert_eq!(file(&evidence, "receipt.tlog-proof"), Some(wrong));
        assert_eq!(file(&evidence, "answer"), Some(format!("7 {}\n", entry(7).leaf_text())));
        std::fs::remove_dir_all(evidence).unwrap();
    }
    // refusing it is no way out
    let mut files = honest.clone();
    files.remove("receipt/7");
    rig.shows(files);
    assert!(rig.noticed().await.0.contains("its receipt is refused"));
    rig.shows(honest);
    rig.hands_over();
    rig.check().await.unwrap();
}

#[tokio::test]
async fn an_answer_whose_leaf_is_not_in_the_log_is_noticed() {
    // F1, F2: what was answered was written, and is there
    let rig = Rig::seen().await;
    rig.folder.wait_for(&Logged { leaf: [7; 32], ..entry(7) }).unwrap();
    let (told, _) = rig.noticed().await;
    assert!(told.contains("entry 7 is not what the answer said"), "{told}");
}

#[tokio::test]
async fn a_log_that_was_rolled_back_or_forked_is_noticed_and_both_heads_are_kept() {
    // F2: nothing was altered or removed; two heads that one key signed and that contradict each other are proof of it
    let rig = Rig::seen().await;
    rig.folder.wait_for(&entry(1099)).unwrap();
    let cases = [
        (415, 415, "600 entries were shown before, 415 are shown now"),
        (600, 3, "has forked"),
        (601, 599, "is not a beginning"),
        (1100, 520, "is not a beginning"),
        (1100, 3, "is not a beginning"),
    ];
    for (size, fork, said) in cases {
        let files = shown(size, fork, &Key::ours());
        rig.shows(files.clone());
        let (told, evidence) = rig.noticed().await;
        assert!(told.contains(said), "{told}");
        assert_eq!(file(&evidence, "checkpoint").unwrap().as_bytes(), files["checkpoint"]);
    }
    // honest tiles under a forked head, and tiles that are refused
    let mut mixed = shown(700, 700, &Key::ours());
    mixed.insert("checkpoint".to_owned(), shown(700, 5, &Key::ours())["checkpoint"].clone());
    rig.shows(mixed);
    rig.noticed().await;
    let mut bare = shown(701, 701, &Key::ours());
    bare.retain(|name, _| !name.starts_with("tile/"));
    rig.shows(bare);
    assert!(rig.noticed().await.0.contains("is refused"));
    // the verb says the same, and the honest log is taken again
    assert_eq!(receipts(&rig.directory.place()).await.unwrap_err().exit_code(), 5);
    rig.shows(shown(1100, 1100, &Key::ours()));
    rig.hands_over();
    rig.check().await.unwrap();
}

#[tokio::test]
async fn what_was_refused_is_said_after_every_command_until_the_evidence_is_moved_away() {
    // F2: a log that was forked for an hour was forked, whatever it shows by now
    let rig = Rig::seen().await;
    rig.folder.wait_for(&entry(7)).unwrap();
    rig.shows(shown(700, 3, &Key::ours()));
    let (_, evidence) = rig.noticed().await;
    rig.shows(shown(700, 700, &Key::ours()));
    for _ in 0..2 {
        for again in [rig.check().await, receipts(&rig.directory.place()).await] {
            let error = again.unwrap_err();
            assert!(error.exit_code() == 5 && error.to_string().contains("was refused before"), "{error}");
            assert!(matches!(&error, ClientError::Log { evidence: named, .. } if *named == evidence), "{error}");
        }
    }
    assert!(rig.folder.waiting().is_empty(), "the honest log is verified all the same");
    // nor is a directory that does not answer a way out
    rig.shows(Files::from([("checkpoint".to_owned(), b"<html>".to_vec())]));
    rig.folder.wait_for(&entry(14)).unwrap();
    let told = [rig.check().await, receipts(&rig.directory.place()).await].map(|again| again.unwrap_err().exit_code());
    assert_eq!(told, [4, 4], "what is noticed now is said first");
    let unused = FakeDirectory::answering(|_| Reaction::HangUp).await;
    let profile = std::fs::read_to_string(unused.folder().join("profile.toml")).unwrap();
    let text = format!("{profile}log_key = \"{}\"\n", Key::ours().1);
    std::fs::write(unused.folder().join("profile.toml"), text).unwrap();
    let folder = ReceiptFolder::beside(&unused.folder().join("profile.toml"));
    folder.wait_for(&entry(7)).unwrap();
    folder.refuse("refused-7-aa", &[("checkpoint", "shown\n")]).unwrap();
    for again in [check_beside(&unused.place()).await, receipts(&unused.place()).await] {
        assert_eq!(again.unwrap_err().exit_code(), 5);
    }
    std::fs::remove_dir_all(evidence).unwrap();
    rig.shows(shown(700, 700, &Key::ours()));
    rig.check().await.unwrap();
    receipts(&rig.directory.place()).await.unwrap();
}

#[tokio::test]
async fn a_head_that_another_key_signed_is_refused() {
    // F2: heads are signed in the HSM
    let rig = Rig::new().await;
    rig.folder.wait_for(&entry(0)).unwrap();
    rig.shows(shown(600, 600, &Key::of("directory.example/log", 2)));
    assert_eq!(rig.check().await.unwrap_err().exit_code(), 4);
}

#[tokio::test]
async fn an_answer_names_its_entry_or_is_not_shown() {
    // F1: every access is written durably before any answer leaves
    let rig = Rig::new().await;
    let mut api = Api::in_session(&rig.directory.place()).unwrap();
    api.post("/v1/entered", &json!({})).await.unwrap();
    assert_eq!(rig.folder.waiting(), [entry(14)]);
    let unentered = api.post("/v1/unentered", &json!({})).await.unwrap_err();
    assert!(matches!(unentered, ClientError::NoEntry) && unentered.exit_code() == 5);
    api.get("/v1/texts").await.unwrap();
    assert_eq!(rig.folder.waiting(), [entry(14)]);
    rig.check().await.unwrap();
    assert!(rig.folder.waiting().is_empty());
}

#[tokio::test]
async fn whatever_has_waited_for_too_long_is_asked_for_however_much_it_is() {
    // F2: what was fed in thousands is shown to be in the log, and nobody is alarmed by what was only not asked for
    let rig = Rig::new().await;
    (0..40).for_each(|at| rig.folder.wait_for(&entry(7 * at)).unwrap());
    rig.check().await.unwrap();
    assert_eq!(rig.folder.waiting().len(), 24, "of what came just now some is left for the next command");
    for file in std::fs::read_dir(rig.directory.folder().join("profile.receipts/waiting")).unwrap().flatten() {
        std::fs::File::options().write(true).open(file.path()).unwrap().set_modified(crate::clock::at(0)).unwrap();
    }
    rig.check().await.unwrap();
    assert!(rig.folder.waiting().is_empty());
}

#[tokio::test]
async fn an_answer_that_names_an_entry_which_was_there_before_it_was_asked_for_is_not_shown() {
    // F1: an entry for each answer; one good receipt, shown again with each, would prove nothing of the others
    let rig = Rig::new().await;
    let place = rig.directory.place();
    Api::in_session(&place).unwrap().post("/v1/entered", &json!({})).await.unwrap();
    rig.check().await.unwrap();
    assert!(rig.folder.waiting().is_empty() && rig.kept_size() == 600);
    let again = Api::in_session(&place).unwrap().post("/v1/entered", &json!({})).await.unwrap_err();
    assert!(again.exit_code() == 5 && again.to_string().contains("entry 14, which was one of the 600 seen"), "{again}");
    let ClientError::Log { evidence, .. } = again else { panic!("{again}") };
    assert_eq!(file(&evidence, "answer"), Some(format!("14 {}\n", entry(14).leaf_text())));
    assert_eq!(rig.folder.waiting(), [entry(14)], "and is held against the log as it is shown now");
}

#[tokio::test]
async fn two_answers_that_name_one_entry_are_told_before_its_receipt_has_come() {
    // F1: an entry for each answer
    let rig = Rig::new().await;
    let mut api = Api::in_session(&rig.directory.place()).unwrap();
    api.post("/v1/entered", &json!({})).await.unwrap();
    let again = api.post("/v1/entered", &json!({})).await.unwrap_err();
    assert!(again.exit_code() == 5 && again.to_string().contains("entry 14, which another answer has named"), "{again}");
}

#[tokio::test]
async fn without_the_logs_key_nothing_is_kept_and_the_verb_says_what_is_missing() {
    // the key comes from the accreditor, not from the machine that is checked
    let directory = FakeDirectory::answering(|_| Reaction::Entered(json!({}), entry(14))).await;
    Api::in_session(&directory.place()).unwrap().post("/v1/entered", &json!({})).await.unwrap();
    let folder = ReceiptFolder::beside(&directory.folder().join("profile.toml"));
    assert!(folder.waiting().is_empty());
    let error = receipts(&directory.place()).await.unwrap_err();
    assert!(error.exit_code() == 2 && error.to_string().contains("log_key"), "{error}");
}

#[tokio::test]
async fn the_larger_head_stays_where_another_command_kept_one_meanwhile_that_goes_together_with_ours() {
    // F2: two commands at once: neither takes the log for rolled back, and nothing is kept unchecked
    for (theirs, seen) in [(650, false), (650, true), (700, true), (701, false), (701, true)] {
        let rig = if seen { Rig::seen().await } else { Rig::new().await };
        rig.folder.wait_for(&entry(7)).unwrap();
        let mut files = shown(701, 701, &Key::ours());
        files.extend(shown(700, 700, &Key::ours()));
        rig.shows(files);
        rig.meanwhile(move |folder| folder.keep(&checkpoint(theirs, theirs)).unwrap());
        rig.check().await.unwrap();
        assert_eq!(rig.kept_size(), u64::from(theirs.max(700)), "{theirs} {seen}");
        assert!(rig.folder.waiting().is_empty());
    }
}

#[tokio::test]
async fn a_fork_that_another_command_was_shown_meanwhile_is_noticed_and_both_heads_are_kept() {
    // F2: two commands of one profile that are shown two logs; each goes on from what was kept before
    for (theirs, fork) in [(650, 620), (700, 620), (800, 620)] {
        let rig = Rig::seen().await;
        rig.folder.wait_for(&entry(7)).unwrap();
        let ours = shown(700, 700, &Key::ours());
        let mut files = shown(800, 800, &Key::ours());
        files.extend(ours.clone());
        rig.shows(files);
        let forked = checkpoint(theirs, fork);
        let head = forked.clone();
        rig.meanwhile(move |folder| folder.keep(&head).unwrap());
        let error = rig.check().await.unwrap_err();
        let ClientError::Log { evidence, .. } = error else { panic!("{theirs}: {error}") };
        assert_eq!(file(&evidence, "before"), Some(forked.clone()));
        assert_eq!(file(&evidence, "checkpoint").unwrap().as_bytes(), ours["checkpoint"]);
        assert_eq!(rig.folder.kept().unwrap(), Some(forked), "{theirs}: nothing replaced it");
        assert_eq!(rig.folder.waiting(), [entry(7)]);
    }
}

#[tokio::test]
async fn what_is_kept_is_read_again_only_once_no_other_command_is_about_to_keep_another() {
    // F2: checking what is kept and replacing it are one step
    let rig = Rig::seen().await;
    rig.folder.wait_for(&entry(7)).unwrap();
    rig.shows(shown(700, 700, &Key::ours()));
    let (forked, writer) = (checkpoint(650, 620), Arc::new(Mutex::new(None)));
    let (head, started) = (forked.clone(), Arc::clone(&writer));
    rig.meanwhile(move |folder| {
        let (held, folder) = (folder.locked().unwrap(), folder.clone());
        *started.lock().unwrap() = Some(std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(700));
            folder.keep(&head).unwrap();
            drop(held);
        }));
    });
    let checked = rig.check().await;
    writer.lock().unwrap().take().unwrap().join().unwrap();
    assert!(checked.is_err_and(|error| error.exit_code() == 5));
    assert_eq!(rig.folder.kept().unwrap(), Some(forked));
}

/// The same log, seen by our witness: the head of so many entries is cosigned, and the receipts of what it covers are below it.
fn witnessed(size: u32, cosigned: u32, fork: u32) -> Files {
    let older = shown(cosigned, fork, &Key::ours());
    let note = String::from_utf8(older["checkpoint"].clone()).unwrap();
    let line = SignedCheckpoint::open(&note, &Key::ours().1).unwrap().cosign(1_700_000_000, &witness()).unwrap();
    let mut files = shown(size, size, &Key::ours());
    files.insert("checkpoint/cosigned".to_owned(), format!("{note}{line}").into_bytes());
    for (name, text) in older.iter().filter(|(name, _)| name.starts_with("receipt/")) {
        let receipt = Receipt::parse(std::str::from_utf8(text).unwrap()).unwrap();
        let receipt = Receipt { checkpoint: format!("{note}{line}"), ..receipt };
        files.insert(name.clone(), receipt.to_string().into_bytes());
    }
    files
}

fn witness() -> Key {
    Key::of("witness.example/w1", 9)
}

impl Rig {
    /// The profile asks for our witness.
    fn with_policy(&self) {
        let policy = format!("log {}\nwitness w1 {}\nquorum w1\n", Key::ours().1, WitnessKey::of(&witness()).unwrap());
        std::fs::write(self.directory.folder().join("log.policy"), policy).unwrap();
        let profile = self.directory.folder().join("profile.toml");
        let text = std::fs::read_to_string(&profile).unwrap();
        std::fs::write(&profile, format!("{text}log_policy = \"log.policy\"\n")).unwrap();
    }
}

#[tokio::test]
async fn a_receipt_below_an_older_head_counts_where_that_is_a_beginning_of_the_newest() {
    // F2: a head that witnesses have seen is older than the newest; one that contradicts it is proof of a fork
    let rig = Rig::seen().await;
    rig.folder.wait_for(&entry(7)).unwrap();
    rig.shows(witnessed(700, 500, 500));
    rig.check().await.unwrap();
    assert!(rig.folder.waiting().is_empty());
    assert_eq!(Checkpoint::read_unverified(&rig.folder.kept().unwrap().unwrap()).unwrap().size, 700, "the newest stays");
    rig.folder.wait_for(&entry(7)).unwrap();
    rig.shows(witnessed(700, 500, 400));
    assert!(rig.noticed().await.0.contains("is not a beginning"));
}

#[tokio::test]
async fn with_a_policy_a_receipt_proves_nothing_before_the_quorum_has_cosigned_its_head() {
    // F2: independent witnesses may cosign; whoever asks for them is not content with less
    let rig = Rig::seen().await;
    rig.with_policy();
    for index in [7, 560] {
        rig.folder.wait_for(&entry(index)).unwrap();
    }
    rig.check().await.unwrap();
    assert_eq!(rig.folder.waiting(), [entry(7), entry(560)], "no witness has seen anything");
    rig.shows(witnessed(600, 500, 500));
    rig.check().await.unwrap();
    assert_eq!(rig.folder.waiting(), [entry(560)]);
    // another witness's line is not ours, and a head without its line is none
    let mut bare = witnessed(600, 600, 600);
    let lines = bare["receipt/560"].clone();
    bare.insert("receipt/560".to_owned(), shown(600, 600, &Key::ours())["receipt/560"].clone());
    rig.shows(bare.clone());
    rig.check().await.unwrap();
    assert_eq!(rig.folder.waiting(), [entry(560)]);
    let spoilt = String::from_utf8(lines.clone()).unwrap();
    let at = spoilt.len() - 20;
    let other = if &spoilt[at..=at] == "A" { "B" } else { "A" };
    bare.insert("receipt/560".to_owned(), format!("{}{other}{}", &spoilt[..at], &spoilt[at + 1..]).into_bytes());
    rig.shows(bare.clone());
    assert!(rig.noticed().await.0.contains("does not verify"));
    bare.insert("receipt/560".to_owned(), lines);
    rig.shows(bare);
    rig.hands_over();
    rig.check().await.unwrap();
    assert!(rig.folder.waiting().is_empty());
}

#[tokio::test]
async fn a_policy_that_is_none_or_of_another_log_is_wrong_usage() {
    // bad input gets a typed error
    let rig = Rig::new().await;
    rig.with_policy();
    rig.folder.wait_for(&entry(7)).unwrap();
    let policy = rig.directory.folder().join("log.policy");
    for wrong in ["quorum w1\n".to_owned(), format!("log {}\nquorum none\n", Key::of("directory.example/log", 2).1)] {
        std::fs::write(&policy, wrong).unwrap();
        let error = receipts(&rig.directory.place()).await.unwrap_err();
        assert!(error.exit_code() == 2 && error.to_string().contains("log_policy"), "{error}");
    }
}
