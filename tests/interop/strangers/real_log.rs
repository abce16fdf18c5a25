//! The log of a real daemon, whose heads the HSM signs with Ed25519 and with ECDSA, before the same strangers (rule F2).

use super::log::{go_judge, python_judge, verdicts, witness, Case, Verdict};
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;
use contactpoint_audit::tiles::{bundle_path, decode_bundle};
use contactpoint_audit::{consistency_proof, inclusion_proof, leaf_hash, Algorithm, Checkpoint, Hash, VerifierKey, WitnessKey};
use contactpoint_support::{call, request, Answer, Enrolment, Organisation, Programs, Rig};
use http::Method;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a signed head may take on a busy machine; one is signed each second.
const PATIENCE: Duration = Duration::from_secs(30);

async fn get(rig: &Rig, organisation: &Organisation, path: &str) -> Answer {
    let asked = request(Method::GET, path, None, None);
    call(&mut rig.connection(&organisation.certificate), asked).await.expect("an answer").expect_status(200)
}

/// The newest note, once it covers more entries than `covered`.
async fn note(rig: &Rig, organisation: &Organisation, key: &VerifierKey, covered: u64) -> (String, u64) {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let note = String::from_utf8(get(rig, organisation, "/log/checkpoint").await.body.to_vec()).expect("UTF-8");
        let size = Checkpoint::open(&note, key).expect("our own").size;
        if size > covered {
            return (note, size);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no head over more than {covered} entries");
}

#[tokio::test(flavor = "multi_thread")]
async fn go_and_sigstore_believe_the_heads_that_the_hsm_signs_with_two_keys_and_nothing_tampered_with() {
    // F2: heads are signed in the HSM; anyone with the public key can verify, with tools that we did not write
    let shipped = include_str!("../../../config/contactpointd.toml");
    let settings = shipped.replace("signatures = \"ed25519\"", "signatures = \"both\"");
    assert_ne!(settings, shipped);
    let rig = Rig::started(Programs::beside(env!("CARGO_BIN_EXE_contactpointd")), Some(&settings));
    let published = std::fs::read_to_string(rig.place.state().join("log-verifier-key.txt")).expect("the ceremony's");
    let keys = VerifierKey::parse_each(&published).expect("two keys");
    let school = rig.enrol(&Enrolment { name: "First School", kind: "school", authority: None, capabilities: &["query"] }).await;
    let (old_note, old) = note(&rig, &school, &keys[0], 0).await;
    drop(rig.enrol(&Enrolment { name: "Second School", kind: "school", authority: None, capabilities: &["query"] }).await);
    let (new_note, new) = note(&rig, &school, &keys[0], old).await;
    assert!(new < 256, "one bundle has it all");
    let bundle = get(&rig, &school, &format!("/log/{}", bundle_path(0, new as u16))).await.body;
    let leaves = decode_bundle(&bundle).expect("a bundle");
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let index = old as usize - 1;
    let encoded = |proof: Option<Vec<Hash>>| proof.expect("a proof").iter().map(|hash| BASE64.encode(hash)).collect();
    let case = |key: &VerifierKey| Case {
        key: key.to_string(),
        witness: WitnessKey::of(&witness()).expect("a witness's key").to_string(),
        note: new_note.clone(),
        old_note: old_note.clone(),
        leaf: BASE64.encode(leaves[index]),
        index,
        inclusion: encoded(inclusion_proof(&hashes, index)),
        consistency: encoded(consistency_proof(&hashes, old as usize)),
    };
    for key in &keys {
        let good = case(key);
        // in each line below the text one letter, so that the line of the key that is asked for is among them
        let lines: Vec<&str> = new_note.split_once("\n\n").expect("a note").1.lines().collect();
        assert_eq!(lines.len(), 2);
        let spoilt = lines.iter().fold(new_note.clone(), |note, line| note.replacen(line, &changed(line), 1));
        let forged = Case { leaf: BASE64.encode(b"forged"), ..good.clone() };
        let cases = [good.clone(), Case { note: spoilt, ..good.clone() }, forged];
        let said = match key.algorithm() {
            Algorithm::Ed25519 => verdicts(Command::new(go_judge()), &cases, "the Go judge"),
            Algorithm::EcdsaP256 => verdicts(python_judge("sigstore"), &cases, "sigstore"),
        };
        let believed: Vec<(bool, bool)> = said.iter().map(|Verdict { note, inclusion, .. }| (*note, *inclusion)).collect();
        assert_eq!(believed, [(true, true), (false, false), (true, false)], "{key}");
        assert_ne!(said[0].consistency, Some(false), "{key}");
    }
}

/// A signature line with a letter of its middle exchanged, behind name and key id.
fn changed(line: &str) -> String {
    let at = line.len() - 30;
    let other = if line.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &line[..at], &line[at + 1..])
}
