//! The keys that sign the log's heads, as the settings ask for them: Ed25519, ECDSA on P-256 where an HSM has no EdDSA, or both (rules F2, G2).
//! Ed25519 alone is what every other test here has.

use crate::borough::{programs, settings};
use crate::wire::until;
use contactpoint_audit::{Algorithm, Checkpoint, Logged, Receipt, VerifierKey};
use contactpoint_support::{call, request, Enrolment, Organisation, Rig};
use http::Method;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A daemon whose log is signed so, and somebody who may ask for it.
struct Signed {
    rig: Rig,
    inspector: Organisation,
    published: Vec<VerifierKey>,
}

impl Signed {
    async fn with(signatures: &str) -> Self {
        let rig = Rig::started(programs(), Some(&settings(&[("signatures", &format!("\"{signatures}\""))])));
        let inspector = rig.enrol(&Enrolment { name: "Inspectorate", kind: "council", authority: None, capabilities: &["query"] }).await;
        let published = fs::read_to_string(rig.place.state().join("log-verifier-key.txt")).unwrap();
        let published = VerifierKey::parse_each(&published).unwrap();
        Self { rig, inspector, published }
    }

    async fn get(&self, path: &str) -> contactpoint_support::Answer {
        call(&mut self.rig.connection(&self.inspector.certificate), request(Method::GET, path, None, None)).await.unwrap()
    }

    async fn note(&self) -> String {
        String::from_utf8(self.get("/log/checkpoint").await.expect_status(200).body.to_vec()).unwrap()
    }

    /// An answer's entry and its receipt.
    async fn receipt(&self) -> (Logged, String) {
        let wrong = serde_json::json!({"login": "nobody", "password": "no", "code": "000000"});
        let asked = request(Method::POST, "/v1/session", None, Some(&wrong));
        let answer = call(&mut self.rig.connection(&self.inspector.certificate), asked).await.unwrap().expect_status(401);
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        let entry = Logged::read(&header("log-index"), &header("log-leaf")).unwrap();
        let receipt = until("a head over the entry", || async {
            let answer = self.get(&format!("/log/receipt/{}", entry.index)).await;
            (answer.status == 200).then(|| String::from_utf8(answer.body.to_vec()).unwrap())
        })
        .await;
        (entry, receipt)
    }

    /// The exit status of the operators' verdict, over TLS, with this key or file of keys.
    fn verdict(&self, profile: &Path, key: &str) -> Option<i32> {
        let mut command = Command::new(&self.rig.programs.operator);
        command.env_clear().arg("verify-log").arg(format!("https://{}", self.rig.server())).args(["--key", key]);
        command.arg("--certificate").arg(profile.with_extension("pem")).arg("--client-key").arg(profile.with_extension("key"));
        command.arg("--ca").arg(profile.with_extension("ca.pem")).output().unwrap().status.code()
    }

    /// The exit status of the client's, over a copy that it fetched with the key in hand.
    fn client_verdict(&self, profile: &Path, key: &str, copy: &Path) -> Option<i32> {
        let run = |arguments: &[&str]| {
            let mut command = Command::new(&self.rig.programs.client);
            command.env_clear().arg("--profile").arg(profile).args(arguments).args(["--key", key]).output().unwrap().status.code()
        };
        let copy = copy.to_str().unwrap();
        run(&["log", "fetch", copy]).filter(|status| *status != 0).or_else(|| run(&["log", "verify", copy]))
    }

    fn profile(&self) -> PathBuf {
        self.rig.profile("inspector", &self.inspector.certificate)
    }
}

async fn each_key_verifies_everything(signed: &mut Signed, algorithms: &[Algorithm]) {
    let found: Vec<Algorithm> = signed.published.iter().map(VerifierKey::algorithm).collect();
    assert_eq!(found, algorithms);
    let written: Vec<String> = signed.published.iter().map(ToString::to_string).collect();
    let shown = signed.rig.operator(&["verifier-key"]);
    assert_eq!(String::from_utf8(shown.stdout).unwrap().trim_end(), written.join("\n"), "read from the HSM again");
    let evidence = signed.rig.control(request(Method::GET, "/v1/evidence", None, None)).await.expect_status(200).json();
    assert_eq!(evidence["log"]["verifier_key"], written.join("\n"));

    let note = signed.note().await;
    let lines = note.split_once("\n\n").unwrap().1.lines().count();
    assert_eq!(lines, algorithms.len(), "{note}");
    let (entry, receipt) = signed.receipt().await;
    let profile = signed.profile();
    let copies = tempfile::tempdir().unwrap();
    for (nth, key) in signed.published.iter().enumerate() {
        assert!(Checkpoint::open(&note, key).is_ok());
        assert!(Receipt::parse(&receipt).unwrap().verify(&entry, key).is_ok());
        assert_eq!(signed.verdict(&profile, &key.to_string()), Some(0));
        assert_eq!(signed.client_verdict(&profile, &key.to_string(), &copies.path().join(nth.to_string())), Some(0));
    }
    let file = signed.rig.place.state().join("log-verifier-key.txt");
    assert_eq!(signed.verdict(&profile, file.to_str().unwrap()), Some(0), "the file of the ceremony, as it is");
    assert_eq!(signed.client_verdict(&profile, file.to_str().unwrap(), &copies.path().join("file")), Some(0));

    // the store is held against its own head and the token's, at the next start
    let before = Checkpoint::open(&signed.note().await, &signed.published[0]).unwrap();
    assert!(signed.rig.stop().success());
    signed.rig.start();
    let after = Checkpoint::open(&signed.note().await, &signed.published[0]).unwrap();
    assert!(after.size >= before.size);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_an_hsm_without_eddsa_is_signed_with_ecdsa_and_verifies_everywhere() {
    // F2: heads are signed in the HSM; anyone with the public key can verify
    let mut signed = Signed::with("ecdsa").await;
    each_key_verifies_everything(&mut signed, &[Algorithm::EcdsaP256]).await;
    let keys = signed.rig.control(request(Method::GET, "/v1/evidence", None, None)).await.expect_status(200).json();
    let labels: Vec<&str> = keys["hsm"]["keys"].as_array().unwrap().iter().map(|key| key["label"].as_str().unwrap()).collect();
    assert_eq!(
        labels,
        [
            "contactpoint-store",
            "contactpoint-audit-p256",
            "contactpoint-tls",
            "contactpoint-pepper",
            "contactpoint-entries-1",
            "contactpoint-records-1"
        ],
        "and no other is there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_two_keys_has_two_lines_and_either_key_verifies_it() {
    // F2: heads are signed in the HSM; a setting may ask for both
    let mut signed = Signed::with("both").await;
    each_key_verifies_everything(&mut signed, &[Algorithm::Ed25519, Algorithm::EcdsaP256]).await;
    let keys = signed.rig.control(request(Method::GET, "/v1/evidence", None, None)).await.expect_status(200).json();
    for key in keys["hsm"]["keys"].as_array().unwrap() {
        // G2: not extractable, and checked for it
        assert!(key["never_extractable"] == true && key["always_sensitive"] == true && key["extractable"] == false, "{key}");
    }
    assert_eq!(keys["hsm"]["keys"].as_array().unwrap().len(), 7);

    // the log is known by its first key: the other alone does not open it, and the first alone does
    assert!(signed.rig.stop().success());
    let file = signed.rig.place.configuration().join("contactpointd.toml");
    let both = fs::read_to_string(&file).unwrap();
    fs::write(&file, both.replace("signatures = \"both\"", "signatures = \"ecdsa\"")).unwrap();
    let ended = signed.rig.try_start().unwrap_err();
    assert_eq!(ended.status.and_then(|status| status.code()), Some(82), "{}", ended.log);
    fs::write(&file, both.replace("signatures = \"both\"", "signatures = \"ed25519\"")).unwrap();
    signed.rig.start();
    let (_, receipt) = signed.receipt().await;
    assert_eq!(receipt.rsplit_once("\n\n").unwrap().1.lines().count(), 1, "{receipt}");
}

#[tokio::test]
async fn a_key_that_the_settings_ask_for_and_the_ceremony_did_not_make_is_named_and_nothing_starts() {
    // F2, G2: the keys that sign heads are checked at every start
    let mut rig = Rig::prepared(programs(), None);
    let file = rig.place.configuration().join("contactpointd.toml");
    let shipped = fs::read_to_string(&file).unwrap();
    for other in ["both", "ecdsa"] {
        let asked = shipped.replace("signatures = \"ed25519\"", &format!("signatures = \"{other}\""));
        assert_ne!(asked, shipped);
        fs::write(&file, asked).unwrap();
        let ended = rig.try_start().unwrap_err();
        assert_eq!(ended.status.and_then(|status| status.code()), Some(78), "{}", ended.log);
        assert!(ended.log.contains("contactpoint-audit-p256"), "{}", ended.log);
    }
    fs::write(&file, shipped).unwrap();
    rig.start();
}
