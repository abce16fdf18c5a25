//! The log as strangers verify it (rule F2): our checkpoints and our proofs before four verifiers that nobody here wrote, and what was tampered with as well.
//!
//! Go's sumdb packages (from Debian, compiled by judge.go), sigstore and aics-tlog (from PyPI, asked by judge.py), and the crates signed_note and
//! tlog_tiles. Each says what it can: sigstore knows ECDSA and no consistency, the others Ed25519; aics-tlog knows cosignatures, and judge.go has
//! them by the standard's text. The keys are software, through the trait that the HSM's signer has; `real_log` shows Go and sigstore what the HSM
//! signs, `real_witness` Go and aics-tlog what the witness's program cosigns.

use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;
use contactpoint_audit::{
    consistency_proof, inclusion_proof, leaf_hash, Checkpoint, Hash, SignError, SignedCheckpoint, Signer, Tree, VerifierKey, WitnessKey,
};
use p256::pkcs8::EncodePublicKey as _;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use tlog_tiles::tlog;

const ORIGIN: &str = "directory.example/log";
/// Size before, size now, an entry: complete trees, incomplete ones, the first entry, the last.
const TREES: [(usize, usize, usize); 5] = [(1, 2, 1), (6, 8, 5), (256, 600, 0), (300, 600, 299), (999, 1000, 999)];

/// What a judge is shown, bytes in base64.
#[derive(Clone, Serialize)]
pub(super) struct Case {
    pub(super) key: String,
    pub(super) witness: String,
    pub(super) note: String,
    pub(super) old_note: String,
    pub(super) leaf: String,
    pub(super) index: usize,
    pub(super) inclusion: Vec<String>,
    pub(super) consistency: Vec<String>,
}

/// What a judge believes; `None` where it does not know such a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Verdict {
    pub(super) note: bool,
    pub(super) inclusion: bool,
    pub(super) consistency: Option<bool>,
    pub(super) cosigned: Option<bool>,
}

/// What must be believed of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Due {
    note: bool,
    inclusion: bool,
    consistency: bool,
    cosigned: bool,
}

const ALL: Due = Due { note: true, inclusion: true, consistency: true, cosigned: true };
const NOTHING: Due = Due { note: false, inclusion: false, consistency: false, cosigned: false };

/// What a judge knows beside checkpoints and inclusion.
#[derive(Clone, Copy)]
struct Knows {
    consistency: bool,
    cosignatures: bool,
}

#[test]
fn gos_sumdb_believes_our_log_and_nothing_tampered_with() {
    // F2: anyone with the public key can verify, with tools that we did not write
    let judge = |cases: &[Case]| verdicts(Command::new(go_judge()), cases, "the Go judge");
    hold(judge, &Ed25519::new(ORIGIN, 1), Knows { consistency: true, cosignatures: true });
}

#[test]
fn sigstore_believes_our_log_with_an_ecdsa_key_and_nothing_tampered_with() {
    // F2: also the log of an HSM that has no EdDSA
    let judge = |cases: &[Case]| verdicts(python_judge("sigstore"), cases, "sigstore");
    hold(judge, &EcdsaP256::new(), Knows { consistency: false, cosignatures: false });
}

#[test]
fn aics_tlog_believes_our_log_and_our_cosignatures_and_nothing_tampered_with() {
    // F2: anyone with the public key can verify; independent witnesses may cosign
    let judge = |cases: &[Case]| verdicts(python_judge("aics-tlog"), cases, "aics-tlog");
    hold(judge, &Ed25519::new(ORIGIN, 1), Knows { consistency: true, cosignatures: true });
}

#[test]
fn the_crates_signed_note_and_tlog_tiles_believe_our_log_and_nothing_tampered_with() {
    // F2: anyone with the public key can verify, with tools that we did not write
    let judge = |cases: &[Case]| cases.iter().map(crates_verdict).collect::<Vec<Verdict>>();
    hold(judge, &Ed25519::new(ORIGIN, 1), Knows { consistency: true, cosignatures: false });
}

/// Shows a judge a good case of each tree and each case that was made bad, and compares all it said with what is due.
fn hold(judge: impl Fn(&[Case]) -> Vec<Verdict>, log: &dyn Signer, knows: Knows) {
    let mut shown: Vec<(String, Case, Due)> = Vec::new();
    for (old, new, index) in TREES {
        let good = Log::of(log, old, new, index);
        let named = |what: &str| format!("{what}, entry {index} of {new}, grown from {old}");
        shown.push((named("untouched"), good.case(), ALL));
        shown.extend(good.tampered().into_iter().map(|(what, case, due)| (named(what), case, due)));
    }
    let cases: Vec<Case> = shown.iter().map(|(_, case, _)| case.clone()).collect();
    let said = judge(&cases);
    assert_eq!(said.len(), shown.len());
    for ((what, _, due), said) in shown.iter().zip(said) {
        let due = Verdict {
            note: due.note,
            inclusion: due.inclusion,
            consistency: knows.consistency.then_some(due.consistency),
            cosigned: knows.cosignatures.then_some(due.cosigned),
        };
        assert_eq!(said, due, "{what}");
    }
}

/// A log at two sizes.
struct Log<'a> {
    signer: &'a dyn Signer,
    leaves: Vec<Vec<u8>>,
    old: usize,
    index: usize,
}

impl<'a> Log<'a> {
    fn of(signer: &'a dyn Signer, old: usize, new: usize, index: usize) -> Self {
        let leaves = (0..new).map(|at| at.to_be_bytes().repeat(32)).collect();
        Self { signer, leaves, old, index }
    }

    fn checkpoint(&self, size: usize) -> Checkpoint {
        let mut tree = Tree::new();
        self.leaves[..size].iter().for_each(|leaf| drop(tree.append(leaf)));
        Checkpoint { origin: ORIGIN.to_owned(), size: tree.size(), root: tree.root() }
    }

    /// The log's note, with a line of its other key, as a setting may ask for both, and the witness's.
    fn note(&self, checkpoint: &Checkpoint) -> String {
        let signatures = |note: String| note.split_once("\n\n").expect("a note").1.to_owned();
        let other: Box<dyn Signer> = match self.signer.verifier_key().algorithm() {
            contactpoint_audit::Algorithm::Ed25519 => Box::new(EcdsaP256::new()),
            contactpoint_audit::Algorithm::EcdsaP256 => Box::new(Ed25519::new(ORIGIN, 1)),
        };
        let mut note = checkpoint.signed(self.signer).expect("a signature");
        let line = SignedCheckpoint::open(&note, self.signer.verifier_key()).expect("our own").cosign(1_679_315_147, &witness());
        note += &signatures(checkpoint.signed(other.as_ref()).expect("a signature"));
        note + &line.expect("a cosignature")
    }

    fn case(&self) -> Case {
        let hashes: Vec<Hash> = self.leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let encoded = |proof: Option<Vec<Hash>>| proof.expect("a proof").iter().map(|hash| BASE64.encode(hash)).collect();
        Case {
            key: self.signer.verifier_key().to_string(),
            witness: WitnessKey::of(&witness()).expect("a witness's key").to_string(),
            note: self.note(&self.checkpoint(self.leaves.len())),
            old_note: self.note(&self.checkpoint(self.old)),
            leaf: BASE64.encode(&self.leaves[self.index]),
            index: self.index,
            inclusion: encoded(inclusion_proof(&hashes, self.index)),
            consistency: encoded(consistency_proof(&hashes, self.old)),
        }
    }

    /// The case made bad, each time in one place, and what is still due then.
    fn tampered(&self) -> Vec<(&'static str, Case, Due)> {
        let good = self.case();
        let now = self.checkpoint(self.leaves.len());
        let lines: Vec<&str> = good.note.split('\n').collect();
        let (size, root, signature) = (lines[1], lines[2], lines[4]);
        let last = &signature[signature.len() - 12..];
        let note = |note: String| Case { note, ..good.clone() };
        let without_proofs = Due { inclusion: false, consistency: false, ..ALL };
        let other_root = Checkpoint { root: flipped(now.root), ..now.clone() };
        // twice as many: as deep a tree as before would take another root as well as this one
        let other_size = Checkpoint { size: 2 * now.size + 1, ..now.clone() };
        let old = self.checkpoint(self.old);
        let other_old = Checkpoint { root: flipped(old.root), ..old };
        let cosignature = lines[6];
        let spoilt = format!("{}{}", &cosignature[..cosignature.len() - 12], changed(&cosignature[cosignature.len() - 12..]));
        vec![
            ("another root", note(good.note.replacen(root, &changed(root), 1)), NOTHING),
            ("another size", note(good.note.replacen(size, &format!("{size}1"), 1)), NOTHING),
            ("another signature", note(good.note.replacen(last, &changed(last), 1)), NOTHING),
            ("another root, signed", note(self.note(&other_root)), without_proofs),
            ("another size, signed", note(self.note(&other_size)), without_proofs),
            ("another cosignature", note(good.note.replacen(cosignature, &spoilt, 1)), Due { cosigned: false, ..ALL }),
            ("another old root, signed", Case { old_note: self.note(&other_old), ..good.clone() }, Due { consistency: false, ..ALL }),
            (
                "another hash of the inclusion",
                Case { inclusion: one_changed(&good.inclusion), ..good.clone() },
                Due { inclusion: false, ..ALL },
            ),
            (
                "another hash of the consistency",
                Case { consistency: one_changed(&good.consistency), ..good.clone() },
                Due { consistency: false, ..ALL },
            ),
            (
                "a hash too few of the inclusion",
                Case { inclusion: one_less(&good.inclusion), ..good.clone() },
                Due { inclusion: false, ..ALL },
            ),
            (
                "a hash too few of the consistency",
                Case { consistency: one_less(&good.consistency), ..good.clone() },
                Due { consistency: false, ..ALL },
            ),
            ("another entry", Case { leaf: BASE64.encode(b"forged"), ..good.clone() }, Due { inclusion: false, ..ALL }),
            ("another index", Case { index: self.index ^ 1, ..good.clone() }, Due { inclusion: false, ..ALL }),
        ]
    }
}

fn flipped(mut hash: Hash) -> Hash {
    hash[31] ^= 1;
    hash
}

/// Base64 with its first letter exchanged.
fn changed(base64: &str) -> String {
    let other = if base64.starts_with('A') { 'B' } else { 'A' };
    format!("{other}{}", &base64[1..])
}

fn one_changed(proof: &[String]) -> Vec<String> {
    let (last, before) = proof.split_last().expect("a proof of one hash at least");
    [before, &[changed(last)]].concat()
}

fn one_less(proof: &[String]) -> Vec<String> {
    proof.split_last().expect("a proof of one hash at least").1.to_vec()
}

/// What the two crates say, whose logs are of Ed25519 alone.
fn crates_verdict(case: &Case) -> Verdict {
    let refused = Verdict { note: false, inclusion: false, consistency: Some(false), cosigned: None };
    let Some(now) = crates_opened(&case.note, &case.key) else { return refused };
    let proof = |hashes: &[String]| hashes.iter().map(|hash| tlog::Hash::parse_hash(hash).expect("a hash")).collect::<Vec<_>>();
    let leaf = tlog::record_hash(&BASE64.decode(&case.leaf).expect("base64"));
    let inclusion = tlog::check_record(&proof(&case.inclusion), now.size(), *now.hash(), case.index as u64, leaf).is_ok();
    let consistency = crates_opened(&case.old_note, &case.key)
        .is_some_and(|old| tlog::check_tree(&proof(&case.consistency), now.size(), *now.hash(), old.size(), *old.hash()).is_ok());
    Verdict { note: true, inclusion, consistency: Some(consistency), cosigned: None }
}

fn crates_opened(note: &str, key: &str) -> Option<tlog_tiles::Checkpoint> {
    let verifier = signed_note::StandardVerifier::new(key).expect("a verifier key");
    let note = signed_note::Note::from_bytes(note.as_bytes()).ok()?;
    note.verify(&signed_note::VerifierList::new(vec![Box::new(verifier)])).ok()?;
    tlog_tiles::Checkpoint::from_bytes(note.text()).ok().filter(|checkpoint| checkpoint.origin() == ORIGIN)
}

/// The program of judge.go, compiled anew as its cache sees fit.
pub(super) fn go_judge() -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("strangers");
    std::fs::create_dir_all(&folder).expect("a folder below target");
    let program = folder.join("judge");
    let mut command = Command::new("go");
    command.args(["build", "-o"]).arg(&program).arg(super::script("judge.go"));
    // Debian's packages are sources below GOPATH, without modules and without a network
    command.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOCACHE", folder.join("go-cache")).env("CGO_ENABLED", "0");
    let built = command.output().expect("go runs: run `make deps`");
    assert!(
        built.status.success(),
        "judge.go needs the packages golang-go and golang-golang-x-mod-dev (`make deps`). go build said:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    program
}

pub(super) fn python_judge(name: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg(super::script("judge.py")).arg(Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("strangers")).arg(name);
    command
}

pub(super) fn verdicts(mut judge: Command, cases: &[Case], name: &str) -> Vec<Verdict> {
    let piped = judge.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut running = piped.expect("the judge runs: run `make deps`");
    let written = serde_json::to_vec(cases).expect("JSON");
    let mut input = running.stdin.take().expect("its input");
    // a judge that gives up early says why on its own
    let _ = input.write_all(&written);
    drop(input);
    let ended = running.wait_with_output().expect("its output");
    assert!(
        ended.status.success(),
        "{name}: {}. The packages sigstore and aics-tlog are installed from PyPI when they are first asked for. Is PyPI within reach? It said:\n{}",
        ended.status,
        String::from_utf8_lossy(&ended.stderr)
    );
    serde_json::from_slice(&ended.stdout).expect("JSON")
}

pub(super) fn witness() -> Ed25519 {
    Ed25519::new("witness.example/w1", 9)
}

pub(super) struct Ed25519(ed25519_dalek::SigningKey, VerifierKey);

impl Ed25519 {
    pub(super) fn new(name: &str, seed: u8) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        let public = VerifierKey::ed25519(name, key.verifying_key().as_bytes()).expect("a public key");
        Self(key, public)
    }
}

impl Signer for Ed25519 {
    fn verifier_key(&self) -> &VerifierKey {
        &self.1
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(ed25519_dalek::Signer::sign(&self.0, message).to_bytes().to_vec())
    }
}

struct EcdsaP256(p256::ecdsa::SigningKey, VerifierKey);

impl EcdsaP256 {
    fn new() -> Self {
        let key = p256::ecdsa::SigningKey::from_slice(&[3; 32]).expect("a private key");
        let spki = key.verifying_key().to_public_key_der().expect("DER");
        let public = VerifierKey::ecdsa_p256(ORIGIN, spki.as_bytes()).expect("a public key");
        Self(key, public)
    }
}

impl Signer for EcdsaP256 {
    fn verifier_key(&self) -> &VerifierKey {
        &self.1
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signature: p256::ecdsa::Signature = p256::ecdsa::signature::Signer::sign(&self.0, message);
        Ok(signature.to_der().as_bytes().to_vec())
    }
}
