//! The witness against a log that goes on, was set back or forked, and against its own death at every step.

use crate::arguments::{Place, RunWitness};
use crate::error::ClientError;
use crate::fake_directory::{FakeDirectory, Reaction};
use crate::log_fetch_tests::{leaves, log, Files, Key};
use crate::witness::{init, run};
use crate::witness_folder::WitnessFolder;
use contactpoint_audit::{Checkpoint, SignedCheckpoint, WitnessKey};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

const NAME: &str = "witness.school.example/w1";

/// What the directory cannot show now.
const BUSY: &[u8] = b"503";

struct Rig {
    directory: FakeDirectory,
    shown: Arc<Mutex<Files>>,
}

impl Rig {
    /// A directory that asks for cosignatures of a log of 600 entries and takes them, and a profile with the log's key.
    async fn new() -> Self {
        let shown = Arc::new(Mutex::new(shown(600, 600)));
        let served = Arc::clone(&shown);
        let directory = FakeDirectory::answering(move |request| match request.path.as_str() {
            "/log/cosignatures" => {
                Reaction::Bytes(served.lock().unwrap().get("cosignatures").cloned().unwrap_or_else(|| request.body.to_vec()))
            }
            path => match served.lock().unwrap().get(path.trim_start_matches("/log/")) {
                Some(file) if file == BUSY => Reaction::Answer(503, json!({"title": "Not now.", "code": "unavailable"})),
                Some(file) => Reaction::Bytes(file.clone()),
                None => Reaction::Answer(404, json!({"title": "No.", "code": "not_witnessed"})),
            },
        })
        .await;
        let profile = directory.folder().join("profile.toml");
        let text = format!("{}log_key = \"{}\"\n", fs::read_to_string(&profile).unwrap(), Key::ours().1);
        fs::write(&profile, text).unwrap();
        Self { directory, shown }
    }

    fn shows(&self, files: Files) {
        *self.shown.lock().unwrap() = files;
    }

    /// A new witness.
    fn witness(&self, name: &str) -> PathBuf {
        let folder = self.directory.folder().join(name);
        init(&self.directory.place(), &folder, NAME).unwrap();
        folder
    }

    async fn visit(&self, folder: &Path) -> Result<(), ClientError> {
        run(&self.directory.place(), &once(folder)).await
    }

    /// The heads that were cosigned and brought by the witness of a folder, each line verified: size and root.
    fn cosigned(&self, folder: &Path) -> BTreeSet<(u64, [u8; 32])> {
        let key = WitnessKey::parse(&fs::read_to_string(folder.join("verifier-key.txt")).unwrap()).unwrap();
        let brought = self.directory.seen().into_iter().filter(|request| request.path == "/log/cosignatures");
        let notes = brought.map(|request| String::from_utf8(request.body.to_vec()).unwrap());
        let of_witness = notes.filter_map(|note| {
            let signed = SignedCheckpoint::open(&note, &Key::ours().1).unwrap();
            let head = signed.checkpoint();
            signed.cosigned_at(&key).unwrap().map(|at| {
                assert!(at > 1_600_000_000, "a witness tells the time");
                (head.size, head.root)
            })
        });
        of_witness.collect()
    }
}

fn shown(size: u32, fork: u32) -> Files {
    asking(log(&leaves(size, fork), &Key::ours()))
}

/// The same log, whose newest head is the one that witnesses are asked about.
fn asking(mut files: Files) -> Files {
    let checkpoint = files["checkpoint"].clone();
    files.insert("checkpoint/asked".to_owned(), checkpoint);
    files
}

fn head(files: &Files) -> (u64, [u8; 32]) {
    let head = Checkpoint::read_unverified(std::str::from_utf8(&files["checkpoint"]).unwrap()).unwrap();
    (head.size, head.root)
}

fn once(folder: &Path) -> RunWitness {
    RunWitness { folder: folder.to_owned(), once: true, every: 60 }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_witness_is_made_once_and_its_key_is_for_nobody_else() {
    // F2: independent witnesses may cosign; whoever has the key is the witness
    let rig = Rig::new().await;
    let folder = rig.witness("w1");
    assert_eq!((mode(&folder), mode(&folder.join("key"))), (0o700, 0o600));
    let public = WitnessKey::parse(&fs::read_to_string(folder.join("verifier-key.txt")).unwrap()).unwrap();
    assert_eq!(public.name(), NAME);
    let private = fs::read_to_string(folder.join("key")).unwrap();
    assert!(private.starts_with(&format!("PRIVATE+KEY+{NAME}+{}+", public.id())));
    let again = init(&rig.directory.place(), &folder, NAME).unwrap_err();
    assert!(again.exit_code() == 2 && again.to_string().contains("a witness here already"), "{again}");
    assert_eq!(fs::read_to_string(folder.join("key")).unwrap(), private);
    assert_eq!(init(&rig.directory.place(), &folder.join("w2"), "a name").unwrap_err().exit_code(), 2);
    for (path, open) in [(folder.join("key"), 0o640), (folder.clone(), 0o770)] {
        let before = mode(&path);
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
        let refused = rig.visit(&folder).await.unwrap_err();
        assert!(refused.exit_code() == 2 && refused.to_string().contains("open to others"), "{refused}");
        fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
    }
    for spoilt in [private.replace("PRIVATE", "PUBLIC"), private.replace(NAME, "witness.other.example"), String::new()] {
        fs::write(folder.join("key"), spoilt).unwrap();
        assert_eq!(rig.visit(&folder).await.unwrap_err().exit_code(), 2);
    }
    fs::write(folder.join("key"), private).unwrap();
    rig.visit(&folder).await.unwrap();
    assert_eq!(rig.cosigned(&folder).len(), 1);
}

#[tokio::test]
async fn a_log_that_only_grows_is_cosigned_at_each_visit() {
    // F2: a cosignature says that the log has only grown
    let rig = Rig::new().await;
    let folder = rig.witness("w1");
    let mut heads = BTreeSet::new();
    for size in [1, 600, 600, 601, 1100] {
        let files = shown(size, size);
        rig.shows(files.clone());
        rig.visit(&folder).await.unwrap();
        heads.insert(head(&files));
        assert_eq!(fs::read(folder.join("checkpoint")).unwrap(), files["checkpoint"]);
        assert_eq!(rig.cosigned(&folder), heads);
    }
    assert_eq!(rig.directory.seen().iter().filter(|request| request.path == "/log/cosignatures").count(), 5, "and the same head again");
}

#[tokio::test]
async fn a_log_that_was_shortened_or_forked_is_never_cosigned_and_both_heads_are_kept() {
    // F2: two heads that one key signed and that contradict each other are proof, whoever shows them
    let rig = Rig::new().await;
    let folder = rig.witness("w1");
    rig.visit(&folder).await.unwrap();
    let kept = fs::read_to_string(folder.join("checkpoint")).unwrap();
    let mut mixed = shown(700, 700);
    mixed.insert("checkpoint/asked".to_owned(), shown(700, 5)["checkpoint"].clone());
    let mut bare = shown(701, 701);
    bare.retain(|name, _| !name.starts_with("tile/"));
    let other_origin = {
        // the log's own key speaks for another log
        let head = Checkpoint { origin: "directory.example/log".to_owned(), size: 800, root: [8; 32] }.signed(&Key::ours()).unwrap();
        assert!(Checkpoint::open(&head, &Key::ours().1).is_ok());
        let text = "other.example/log\n800\nCAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=\n";
        use contactpoint_audit::Signer as _;
        let signature = [&Key::ours().1.id().0[..], &Key::ours().sign(text.as_bytes()).unwrap()].concat();
        format!("{text}\n\u{2014} directory.example/log {}\n", data_encoding::BASE64.encode(&signature))
    };
    let mut of_other = shown(600, 600);
    of_other.insert("checkpoint/asked".to_owned(), other_origin.into_bytes());
    for (files, said) in [
        (shown(415, 415), "600 entries were shown before, 415 are shown now"),
        (shown(600, 3), "has forked"),
        (shown(601, 599), "is not a beginning"),
        (shown(1100, 3), "is not a beginning"),
        (mixed, "is not a beginning"),
        (bare, "is refused"),
        (of_other, "other.example/log"),
    ] {
        rig.shows(files.clone());
        let error = rig.visit(&folder).await.unwrap_err();
        assert_eq!(error.exit_code(), 5, "{error}");
        let told = error.to_string();
        assert!(told.contains(said), "{told}");
        let ClientError::Log { evidence, .. } = error else { panic!("{told}") };
        assert_eq!(fs::read(evidence.join("checkpoint")).unwrap(), files["checkpoint/asked"]);
        assert_eq!(fs::read_to_string(evidence.join("before")).unwrap(), kept);
        assert_eq!(fs::read_to_string(folder.join("checkpoint")).unwrap(), kept);
        // not even the honest log is cosigned while the evidence lies there: a timer starts it again, and nobody has looked yet
        rig.shows(shown(700, 700));
        let error = rig.visit(&folder).await.unwrap_err();
        assert!(error.exit_code() == 5 && error.to_string().contains("was refused before"), "{error}");
        fs::remove_dir_all(evidence).unwrap();
    }
    // and one that another key signed
    rig.shows(asking(log(&leaves(700, 700), &Key::of("directory.example/log", 2))));
    assert_eq!(rig.visit(&folder).await.unwrap_err().exit_code(), 4);
    assert_eq!(rig.cosigned(&folder), BTreeSet::from([head(&shown(600, 600))]));
    // the honest log is cosigned again
    rig.shows(shown(701, 701));
    rig.visit(&folder).await.unwrap();
}

#[tokio::test]
async fn a_witness_brings_the_logs_own_lines_and_its_own_however_many_others_have_cosigned() {
    // F2: independent witnesses may cosign, as many as a policy lists; what the log takes at a time is bounded
    let rig = Rig::new().await;
    let folder = rig.witness("w1");
    let mut files = shown(600, 600);
    let bare = String::from_utf8(files["checkpoint"].clone()).unwrap();
    let line = |number: u16| {
        format!("\u{2014} witness.example/w{number} {}\n", data_encoding::BASE64.encode(&[&number.to_be_bytes()[..], &[5; 74]].concat()))
    };
    let many = bare.clone() + &(1..=300).map(line).collect::<String>();
    files.insert("checkpoint/asked".to_owned(), many.clone().into_bytes());
    rig.shows(files);
    rig.visit(&folder).await.unwrap();
    let seen = rig.directory.seen();
    let brought = seen.iter().find(|request| request.path == "/log/cosignatures").unwrap();
    let brought = std::str::from_utf8(&brought.body).unwrap();
    let own = brought.strip_prefix(&bare).unwrap();
    assert!(own.starts_with(&format!("\u{2014} {NAME} ")) && own.lines().count() == 1, "{own}");
    assert_eq!(fs::read_to_string(folder.join("checkpoint")).unwrap(), many, "what was shown is kept whole");
}

fn other_witness() -> Key {
    Key::of("witness.other.example/w2", 9)
}

/// The log's head of this size, with the other witness's line.
fn with_the_quorum(size: u32, log: &Key) -> Vec<u8> {
    forked_with_the_quorum(size, size, log)
}

fn forked_with_the_quorum(size: u32, fork: u32, log: &Key) -> Vec<u8> {
    let note = String::from_utf8(self::log(&leaves(size, fork), log)["checkpoint"].clone()).unwrap();
    let line = SignedCheckpoint::open(&note, &log.1).unwrap().cosign(1_700_000_000, &other_witness()).unwrap();
    format!("{note}{line}").into_bytes()
}

impl Rig {
    /// The profile names a policy of the other witness, with this quorum.
    fn with_quorum(&self, quorum: &str) {
        let policy = format!("witness w2 {}\nquorum {quorum}\n", WitnessKey::of(&other_witness()).unwrap());
        fs::write(self.directory.folder().join("log.policy"), policy).unwrap();
        let profile = self.directory.folder().join("profile.toml");
        let text = fs::read_to_string(&profile).unwrap();
        if !text.contains("log_policy") {
            fs::write(&profile, format!("{text}log_policy = \"log.policy\"\n")).unwrap();
        }
    }

    /// The log of 600 entries does not show our line, and this as the head with the quorum; its tiles are those of a log of 700.
    fn loses_our_line(&self, newest: Option<Vec<u8>>) {
        let mut files = log(&leaves(700, 700), &Key::ours());
        files.extend(log(&leaves(601, 601), &Key::ours()));
        files.extend(shown(600, 600));
        files.insert("cosignatures".to_owned(), files["checkpoint"].clone());
        files.extend(newest.map(|note| ("checkpoint/cosigned".to_owned(), note)));
        self.shows(files);
    }

    /// Whether a visit finds its line lost.
    async fn finds_its_line_lost(&self, folder: &Path, newest: Option<Vec<u8>>) -> bool {
        self.loses_our_line(newest);
        match self.visit(folder).await {
            Ok(()) => false,
            Err(error) if error.to_string().contains("does not show it") => true,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_line_that_the_log_does_not_show_ends_the_witness_unless_a_newer_head_has_the_quorum() {
    // F2: a log that loses lines is found by who brought them; one that went on in the meantime has lost none
    let rig = Rig::new().await;
    let folder = rig.witness("w1");
    rig.with_quorum("w2");
    let ours = Key::ours();
    assert!(rig.finds_its_line_lost(&folder, None).await);
    for (size, is_lost) in [(599, true), (600, true), (601, false)] {
        assert_eq!(rig.finds_its_line_lost(&folder, Some(with_the_quorum(size, &ours))).await, is_lost, "{size}");
    }
    let bare = shown(601, 601)["checkpoint"].clone();
    assert!(rig.finds_its_line_lost(&folder, Some(bare)).await, "any newer head of its own is not enough");
    let other = with_the_quorum(601, &Key::of("directory.example/log", 2));
    assert!(rig.finds_its_line_lost(&folder, Some(other)).await, "and whoever says so has to be the log");
}

#[tokio::test]
async fn a_directory_that_cannot_show_the_quorum_now_has_lost_no_line() {
    // F2: what could not be asked is asked again by the next visit, and nobody is alarmed by it
    let rig = Rig::new().await;
    let folder = rig.witness("w1");
    rig.with_quorum("w2");
    rig.loses_our_line(Some(BUSY.to_vec()));
    let error = rig.visit(&folder).await.unwrap_err();
    assert!(matches!(&error, ClientError::Refused(problem) if problem.status == 503), "{error}");
    assert!(!rig.finds_its_line_lost(&folder, Some(with_the_quorum(601, &Key::ours()))).await);
}

#[tokio::test]
async fn the_line_under_an_earlier_head_does_not_show_that_the_log_took_the_one_under_this() {
    // F2: a log that loses lines is found by who brought them
    let rig = Rig::new().await;
    let folder = rig.witness("w1");
    rig.visit(&folder).await.unwrap();
    let seen = rig.directory.seen();
    let earlier = seen.iter().find(|request| request.path == "/log/cosignatures").unwrap().body.to_vec();
    let mut files = shown(700, 700);
    files.insert("cosignatures".to_owned(), earlier);
    rig.shows(files);
    let error = rig.visit(&folder).await.unwrap_err();
    assert!(error.to_string().contains("does not show it"), "{error}");
}

#[tokio::test]
async fn a_head_with_the_quorum_that_does_not_go_together_with_ours_is_a_fork_and_no_excuse() {
    // F2: never two heads that contradict each other, whoever has cosigned the other
    let rig = Rig::new().await;
    rig.with_quorum("w2");
    for (number, (size, fork)) in [(700, 3), (601, 599), (600, 3), (415, 3)].into_iter().enumerate() {
        let folder = rig.witness(&format!("w{number}"));
        let forked = forked_with_the_quorum(size, fork, &Key::ours());
        rig.loses_our_line(Some(forked.clone()));
        let error = rig.visit(&folder).await.unwrap_err();
        assert_eq!(error.exit_code(), 5, "{size}: {error}");
        let ClientError::Log { evidence, .. } = error else { panic!("{size}: {error}") };
        assert_eq!(fs::read(evidence.join("checkpoint")).unwrap(), forked);
        assert_eq!(fs::read(evidence.join("before")).unwrap(), shown(600, 600)["checkpoint"]);
        assert!(rig.visit(&folder).await.unwrap_err().to_string().contains("was refused before"));
    }
}

#[tokio::test]
async fn a_log_of_two_keys_is_overtaken_by_its_newer_head_whichever_of_them_the_policy_names_first() {
    // F2: a log's head has a line of each of its keys
    let rig = Rig::new().await;
    let folder = rig.witness("w1");
    rig.with_quorum("w2");
    let (ours, second) = (Key::ours(), Key::of("directory.example/log", 2));
    let policy = rig.directory.folder().join("log.policy");
    let text = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, format!("log {}\nlog {}\n{text}", second.1, ours.1)).unwrap();
    let bare = log(&leaves(601, 601), &second)["checkpoint"].clone();
    let line = String::from_utf8(bare).unwrap().lines().last().unwrap().to_owned();
    let both = format!("{}{line}\n", String::from_utf8(with_the_quorum(601, &ours)).unwrap());
    assert!(!rig.finds_its_line_lost(&folder, Some(both.into_bytes())).await);
    let second_alone = with_the_quorum(601, &second);
    assert!(rig.finds_its_line_lost(&folder, Some(second_alone)).await, "what the key of our profile did not sign is not the log's");
}

#[tokio::test]
async fn without_a_policy_that_asks_for_a_quorum_a_line_that_the_log_does_not_show_is_lost() {
    // F2: what cannot be checked is not believed
    let rig = Rig::new().await;
    let folder = rig.witness("w1");
    let newest = with_the_quorum(601, &Key::ours());
    assert!(rig.finds_its_line_lost(&folder, Some(newest.clone())).await);
    rig.with_quorum("none");
    assert!(rig.finds_its_line_lost(&folder, Some(newest.clone())).await);
    rig.with_quorum("w2");
    assert!(!rig.finds_its_line_lost(&folder, Some(newest)).await);
}

#[tokio::test]
async fn a_witness_that_lost_what_it_cosigned_cosigns_nothing_any_more() {
    // F2: a partial restore is a witness that would sign anything
    let rig = Rig::new().await;
    let folder = rig.witness("w1");
    rig.visit(&folder).await.unwrap();
    fs::remove_file(folder.join("checkpoint")).unwrap();
    rig.shows(shown(3, 1));
    let error = rig.visit(&folder).await.unwrap_err();
    assert!(error.to_string().contains("forgot what it cosigned"), "{error}");
    assert_eq!(rig.cosigned(&folder), BTreeSet::from([head(&shown(600, 600))]));
}

#[tokio::test]
async fn two_processes_are_never_one_witness() {
    // C2SP tlog-witness: checking the last head and keeping the new one are one step
    let rig = Rig::new().await;
    let folder = rig.witness("w1");
    let open = WitnessFolder::open(&folder).unwrap();
    let refused = rig.visit(&folder).await.unwrap_err();
    assert!(refused.exit_code() == 2 && refused.to_string().contains("another process is this witness"), "{refused}");
    assert!(rig.cosigned(&folder).is_empty());
    drop(open);
    rig.visit(&folder).await.unwrap();
}

#[tokio::test]
async fn without_the_logs_key_nothing_is_cosigned() {
    // F2: a witness speaks of the log that it was told to watch
    let rig = Rig::new().await;
    let folder = rig.witness("w1");
    let profile = rig.directory.folder().join("profile.toml");
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, text.lines().filter(|line| !line.starts_with("log_key")).collect::<Vec<_>>().join("\n")).unwrap();
    assert!(rig.visit(&folder).await.unwrap_err().to_string().contains("log_key"));
    assert!(rig.cosigned(&folder).is_empty());
}

const KILLED: &str = "CONTACTPOINT_TEST_KILLED_WITNESS";

/// What the test below starts as a process of its own: one visit. By itself it does nothing.
#[test]
fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(KILLED).map(PathBuf::from) else { return };
    let profile = folder.with_file_name("profile.toml");
    let place = Place { profile: Some(profile), session_file: None, json: true };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(&place, &once(&folder))).unwrap();
}

/// Runs one visit in a process of its own, killed (SIGKILL, by the tracer) as it begins the so-manieth of these system calls; whether it
/// came to its end before.
async fn visit_until(folder: &Path, call: &'static str, times: u32) -> bool {
    let folder = folder.to_owned();
    let traced = move || {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"]);
        command.arg(format!("inject={call}:signal=KILL:when={times}")).arg(std::env::current_exe().unwrap());
        command.args(["--exact", "witness_tests::the_process_that_is_killed", "--test-threads=1", "--nocapture"]);
        command.env(KILLED, folder).output().expect("strace: run `make deps`")
    };
    let output = tokio::task::spawn_blocking(traced).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked") && !said.contains("strace:"), "{said}");
    output.status.success()
}

#[tokio::test]
async fn a_witness_that_is_killed_at_any_step_never_cosigns_two_heads_that_contradict_each_other() {
    // F2: never two inconsistent heads - what is signed is kept first; each write, sync, rename and message is a place to die
    let rig = Rig::new().await;
    let (honest, forked) = (shown(600, 600), shown(700, 300));
    let (mut number, mut refused, mut taken, mut brought) = (0, 0, 0, 0);
    for call in ["fdatasync", "rename", "fsync", "writev", "sendto", "write"] {
        for times in 1..=40 {
            number += 1;
            let folder = rig.witness(&format!("w{number}"));
            rig.shows(honest.clone());
            let ended = visit_until(&folder, call, times).await;
            let is_kept = fs::read_to_string(folder.join("checkpoint")).unwrap() != "none\n";
            let was_brought = rig.cosigned(&folder).contains(&head(&honest));
            assert!(is_kept || !was_brought, "{call} {times}: signed before it was kept");
            rig.shows(forked.clone());
            let visited = rig.visit(&folder).await;
            let heads = rig.cosigned(&folder);
            assert!(heads.len() <= 1, "{call} {times}: it cosigned both");
            match visited {
                Err(error) => assert!(is_kept && error.exit_code() == 5, "{call} {times}: {error}"),
                Ok(()) => assert!(!is_kept && !was_brought, "{call} {times}"),
            }
            // the honest log goes on, and so does a witness that has not taken the other
            if is_kept {
                fs::read_dir(&folder)
                    .unwrap()
                    .flatten()
                    .filter(|entry| entry.path().is_dir())
                    .for_each(|entry| fs::remove_dir_all(entry.path()).unwrap());
                rig.shows(shown(650, 650));
                rig.visit(&folder).await.unwrap();
            }
            refused += u32::from(is_kept && !was_brought);
            taken += u32::from(!is_kept);
            brought += u32::from(was_brought);
            if ended {
                break;
            }
        }
    }
    assert!(refused > 0 && taken > 0 && brought > 0, "killed between keeping and bringing {refused}, before {taken}, after {brought}");
}
