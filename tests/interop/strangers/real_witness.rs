//! What `contactpoint witness` cosigned, with the key that it made, of a real daemon's log, before strangers (rule F2, C2SP tlog-cosignature):
//! aics-tlog, which was written to the standard by others, and Go's sumdb/note, to which judge.go gives the standard's text with Go's own Ed25519.

use super::log::{go_judge, python_judge, verdicts, Case, Ed25519, Verdict};
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;
use contactpoint_audit::{Checkpoint, SignedCheckpoint, Signer as _, WitnessKey};
use contactpoint_support::{call, request, Enrolment, Organisation, Programs, Rig};
use http::Method;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const NAME: &str = "witness.example/w1";

/// A running directory, the one witness of whose policy visits it in the organisation of a school.
struct Witnessed {
    rig: Rig,
    school: Organisation,
    profile: PathBuf,
    folder: String,
    /// The witness's verifier key.
    witness: String,
}

impl Witnessed {
    async fn started() -> Self {
        let shipped = include_str!("../../../config/contactpointd.toml");
        let settings = shipped.replace("\npolicy = \"\"\n", "\npolicy = \"log.policy\"\n");
        assert_ne!(settings, shipped);
        let mut rig = Rig::prepared(Programs::beside(env!("CARGO_BIN_EXE_contactpointd")), Some(&settings));
        let folder = rig.folder().join("w1").to_str().expect("a folder's name").to_owned();
        let witness = client(&rig, None, &["witness", "init", &folder, "--name", NAME]);
        let policy = format!("log {}\nwitness w1 {witness}\nquorum w1\n", rig.verifier_key);
        std::fs::write(rig.place.configuration().join("log.policy"), policy).expect("a policy of the rig's own");
        rig.start();
        let school = rig.enrol(&Enrolment { name: "First School", kind: "school", authority: None, capabilities: &["query"] }).await;
        let profile = rig.profile("witness", &school.certificate);
        std::fs::write(profile.with_extension("vkey"), format!("{}\n", rig.verifier_key)).expect("a file of the rig's own");
        let text = std::fs::read_to_string(&profile).expect("the rig's") + "log_key = \"witness.vkey\"\n";
        std::fs::write(&profile, text).expect("a file of the rig's own");
        Self { rig, school, profile, folder, witness }
    }

    /// The newest head that the witness cosigned, which is the quorum, once there is one over more entries than `covered`.
    async fn cosigned(&self, covered: u64) -> String {
        for _ in 0..100 {
            client(&self.rig, Some(&self.profile), &["witness", "run", "--once", &self.folder]);
            let asked = request(Method::GET, "/log/checkpoint/cosigned", None, None);
            let answer = call(&mut self.rig.connection(&self.school.certificate), asked).await.expect("an answer").expect_status(200);
            let note = String::from_utf8(answer.body.to_vec()).expect("UTF-8");
            if self.size(&note) > covered {
                return note;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no cosigned head over more than {covered} entries");
    }

    fn size(&self, note: &str) -> u64 {
        Checkpoint::open(note, &self.rig.verifier_key).expect("our own").size
    }

    fn case(&self, note: String, witness: &str) -> Case {
        Case {
            key: self.rig.verifier_key.to_string(),
            witness: witness.to_owned(),
            old_note: note.clone(),
            note,
            leaf: String::new(),
            index: 0,
            inclusion: Vec::new(),
            consistency: Vec::new(),
        }
    }
}

/// What the client's program printed, by itself or in the organisation of a profile.
fn client(rig: &Rig, profile: Option<&Path>, arguments: &[&str]) -> String {
    let mut command = Command::new(&rig.programs.client);
    let named = profile.into_iter().flat_map(|profile| [Path::new("--profile"), profile]);
    let Output { status, stdout, stderr } =
        command.env_clear().args(named).args(arguments).stdin(Stdio::null()).output().expect("contactpoint runs");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("UTF-8").trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn aics_tlog_and_go_believe_what_the_witness_cosigned_and_nothing_tampered_with() {
    // F2: independent witnesses may cosign, and anyone with their public keys can verify it, with tools that we did not write
    let witnessed = Witnessed::started().await;
    let before = witnessed.cosigned(0).await;
    let another = Enrolment { name: "Second School", kind: "school", authority: None, capabilities: &["query"] };
    drop(witnessed.rig.enrol(&another).await);
    let note = witnessed.cosigned(witnessed.size(&before)).await;
    let shown = shown(&witnessed, &before, &note);
    let cases: Vec<Case> = shown.iter().map(|(_, case, _)| case.clone()).collect();
    for (judge, said) in [
        ("aics-tlog", verdicts(python_judge("aics-tlog"), &cases, "aics-tlog")),
        ("Go", verdicts(Command::new(go_judge()), &cases, "the Go judge")),
    ] {
        assert_eq!(said.len(), shown.len());
        for ((what, _, due), Verdict { note, cosigned, .. }) in shown.iter().zip(said) {
            assert_eq!((note, cosigned), (true, Some(*due)), "{judge}: {what}");
        }
    }
}

/// Notes that the log signed, two of which the witness cosigned, and whether each shows a witness's cosignature.
fn shown(witnessed: &Witnessed, before: &str, note: &str) -> Vec<(&'static str, Case, bool)> {
    let (signed, line) = split(note);
    let own = bytes_of(&line);
    let with = |bytes: &[u8]| format!("{signed}\u{2014} {NAME} {}\n", BASE64.encode(bytes));
    let flipped = |at: usize| {
        let mut bytes = own.clone();
        bytes[at] ^= 1;
        with(&bytes)
    };
    assert_eq!(with(&own), note);
    // another key that signs the same words at the same time, under its own id and under the witness's
    let other = Ed25519::new(NAME, 9);
    let at = u64::from_be_bytes(own[4..12].try_into().expect("eight bytes"));
    let by_other = SignedCheckpoint::open(&signed, &witnessed.rig.verifier_key).expect("our own").cosign(at, &other).expect("a line");
    let under_this_id = |signature: &[u8]| with(&[&own[..4], signature].concat());
    let other_key = WitnessKey::of(&other).expect("a witness's key").to_string();
    let case = |note: String| witnessed.case(note, &witnessed.witness);
    vec![
        ("as the witness brought it", case(note.to_owned()), true),
        ("an older one", case(before.to_owned()), true),
        ("another second", case(flipped(11)), false),
        ("a time of long ago", case(with(&[&own[..4], &[0; 8], &own[12..]].concat())), false),
        ("another signature", case(flipped(40)), false),
        ("a signature cut short", case(with(&own[..75])), false),
        ("the line of another size", case(split(before).0 + &line), false),
        ("no line", case(signed.clone()), false),
        ("another key's line", case(signed.clone() + &by_other), false),
        ("another key's line under this one's id", case(under_this_id(&bytes_of(&by_other)[4..])), false),
        ("a log's kind of signature under this one's id", case(under_this_id(&other.sign(signed.as_bytes()).expect("64 bytes"))), false),
        ("judged by another key", witnessed.case(note.to_owned(), &other_key), false),
        ("another key's line, judged by that key", witnessed.case(signed.clone() + &by_other, &other_key), true),
    ]
}

/// The note with the log's own line, and the witness's line below it.
fn split(note: &str) -> (String, String) {
    let at = note.rfind('\u{2014}').expect("two lines");
    (note[..at].to_owned(), note[at..].to_owned())
}

/// Key id, time and signature of a line.
fn bytes_of(line: &str) -> Vec<u8> {
    BASE64.decode(line.trim_end().rsplit_once(' ').expect("a line").1).expect("base64")
}
