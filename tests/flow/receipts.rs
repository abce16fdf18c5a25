//! Receipts: each answer names its entry, whoever was answered can prove that it is in the log, and a log that is set back is noticed by those
//! who were answered (rules F1, F2).

use crate::borough::{borough, programs, searched, viewed, Borough};
use crate::children::{AMELIA, IDRIS};
use crate::office::{Desk, Office, USUAL};
use crate::wire::until;
use contactpoint_audit::{Fault, Logged, ProofFault, Receipt, ReceiptFault};
use contactpoint_support::{request, Answer, Enrolment, Rig};
use http::Method;
use serde_json::{json, Value};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The entry that an answer names in its headers.
pub(crate) fn entry_of(answer: &Answer) -> Option<Logged> {
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
    Logged::read(header("log-index")?, header("log-leaf")?)
}

/// Its receipt, as soon as a signed head covers it.
async fn receipt_of(desk: &Desk, entry: &Logged) -> String {
    let path = format!("/log/receipt/{}", entry.index);
    let answer = until("a head over the entry", || async {
        let answer = desk.send(request(Method::GET, &path, None, None)).await;
        let later = (answer.code(), answer.headers.get("retry-after").map(|value| value.to_str().unwrap().to_owned()));
        assert!(answer.status == 200 || later == ("not_yet_covered".to_owned(), Some("1".to_owned())), "{later:?}");
        (answer.status == 200).then_some(answer)
    })
    .await;
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert!(entry_of(&answer).is_none(), "a receipt is fetched without an entry of its own");
    String::from_utf8(answer.body.to_vec()).unwrap()
}

fn verified(borough: &Borough, text: &str, entry: &Logged) -> Result<u64, ReceiptFault> {
    let head = Receipt::parse(text)?.verify(entry, &borough.rig.verifier_key)?;
    Ok(head.size)
}

#[tokio::test]
async fn every_answer_that_has_an_entry_names_it_and_its_receipt_proves_that_leaf() {
    // F1: every access and every attempt is written before any answer leaves; F2: anyone with the public key can verify
    let borough = borough().await;
    let desk = borough.oak.practitioner();
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let other = borough.number_of(IDRIS.0, IDRIS.1).await;
    let person = &borough.oak.employ("wrong-again", &["practitioner"]).await;
    let wrong = json!({"login": person.login, "password": "no", "code": "000000"});
    let without_session = |body: Value| request(Method::POST, "/v1/children/search", None, Some(&body));
    let answers = [
        (desk.post("/v1/children/search", searched(AMELIA.0, AMELIA.1)).await, 200),
        (desk.post("/v1/children/view", viewed(&number)).await, 200),
        (desk.post("/v1/children/view", viewed(&other)).await, 404),
        (desk.post("/v1/children/search", json!({"family_name": "Thornbury", "reason": "concern"})).await, 422),
        (desk.post("/v1/audit/who-saw", json!({"child_number": number, "reason": "audit"})).await, 403),
        (desk.post("/v1/break-glass", json!({"child_number": other, "reason": "missing", "code": "000000"})).await, 403),
        (desk.send(without_session(searched(AMELIA.0, AMELIA.1))).await, 401),
        (desk.send(request(Method::POST, "/v1/session", None, Some(&wrong))).await, 401),
        (borough.oak.administrator.post("/v1/people/1", json!({"roles": ["practitioner"], "code": "000000"})).await, 403),
    ];
    let mut last = 0;
    for (answer, status) in answers {
        assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&answer.body));
        let entry = entry_of(&answer).unwrap_or_else(|| panic!("no entry: {}", String::from_utf8_lossy(&answer.body)));
        assert!(entry.index > last, "each its own");
        last = entry.index;
        if status == 200 {
            assert_eq!(answer.json()["entry"], entry.index, "the body says the same");
        }
        let receipt = receipt_of(desk, &entry).await;
        assert!(verified(borough, &receipt, &entry).unwrap() > entry.index);
    }
    let texts = desk.get("/v1/texts").await.expect_status(200);
    assert!(entry_of(&texts).is_none(), "what is the same for everybody has none");
}

#[tokio::test]
async fn a_receipt_is_of_one_leaf_and_altered_in_any_part_it_is_none() {
    // F2: nothing was altered, removed or reordered
    let borough = borough().await;
    let desk = borough.river.practitioner();
    let entry = entry_of(&desk.post("/v1/children/search", searched(IDRIS.0, IDRIS.1)).await).unwrap();
    let text = receipt_of(desk, &entry).await;
    let size = verified(borough, &text, &entry).unwrap();
    // the leaf that stands there is the one that the log gives to everybody
    let bundle = contactpoint_audit::tiles::bundle_path(entry.index / 256, contactpoint_audit::tiles::width_at(size, 0, entry.index / 256));
    let bundle = desk.get(&format!("/log/{bundle}")).await.expect_status(200).body;
    let leaves = contactpoint_audit::tiles::decode_bundle(&bundle).unwrap();
    assert_eq!(contactpoint_audit::leaf_hash(leaves[(entry.index % 256) as usize]), entry.leaf);

    let lines: Vec<&str> = text.lines().collect();
    let end = lines.iter().position(|line| line.is_empty()).unwrap();
    for at in 0..lines.len() {
        // each line with one character exchanged, left out, or twice
        let exchanged = lines[at].replacen(|c: char| c.is_ascii_alphanumeric(), "Z", 1);
        let variants = [vec![exchanged.as_str()], vec![], vec![lines[at]; 2]];
        // signed twice is signed
        let is_signed_twice = |variant: &[&str]| at + 1 == lines.len() && variant.len() == 2;
        for variant in variants.iter().filter(|variant| **variant != [lines[at]] && !is_signed_twice(variant)) {
            let wrong = [&lines[..at], variant, &lines[at + 1..]].concat().join("\n") + "\n";
            assert!(verified(borough, &wrong, &entry).is_err(), "line {at} of {end}: {wrong}");
        }
    }
    let another = Logged { leaf: [7; 32], ..entry };
    assert_eq!(verified(borough, &text, &another), Err(ReceiptFault::Proof { index: entry.index, why: ProofFault::Root }));
    let stranger = contactpoint_audit::VerifierKey::ed25519(
        "contactpoint.example/log",
        &[
            0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda,
            0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
        ],
    );
    let by_another = Receipt::parse(&text).unwrap().verify(&entry, &stranger.unwrap());
    assert!(matches!(by_another, Err(ReceiptFault::Checkpoint(Fault::NotSigned { .. }))));
}

#[tokio::test]
async fn a_receipt_is_for_any_enrolled_organisation_and_beyond_the_head_there_is_none() {
    // F2: anyone with the public key can verify, without reading a name; B1: no request is read from anybody unknown
    let borough = borough().await;
    let entry = entry_of(&borough.oak.practitioner().post("/v1/children/search", searched(AMELIA.0, AMELIA.1)).await).unwrap();
    let other = borough.police.practitioner();
    let text = receipt_of(other, &entry).await;
    assert!(verified(borough, &text, &entry).is_ok());
    for hidden in crate::children::said_of_people() {
        assert!(!text.contains(&hidden), "{hidden}");
    }
    for beyond in ["9999999999", "18446744073709551615", "99999999999999999999999"] {
        let refused = other.get(&format!("/log/receipt/{beyond}")).await.expect_status(404);
        assert_eq!((refused.code(), refused.json()["retry_after"].as_u64()), ("not_yet_covered".to_owned(), Some(1)), "{beyond}");
    }
    for wrong in ["", "x", "-1", "1/", "0x1", "%31"] {
        assert_eq!(other.get(&format!("/log/receipt/{wrong}")).await.expect_status(404).code(), "no_such_route", "{wrong}");
    }
    let mut nobody = borough.rig.connection_without_certificate();
    let asked = request(Method::GET, "/log/receipt/0", None, None);
    assert!(contactpoint_support::call(&mut nobody, asked).await.is_err());
}

/// The client program of somebody whose profile has the log's key.
pub(crate) struct Checking {
    program: PathBuf,
    pub(crate) profile: PathBuf,
}

impl Checking {
    pub(crate) fn of(rig: &Rig, desk: &Desk) -> Self {
        let profile = rig.profile(&desk.person.login, &desk.certificate);
        fs::write(profile.with_extension("vkey"), format!("{}\n", rig.verifier_key)).unwrap();
        let named = profile.with_extension("vkey");
        let line = format!("log_key = \"{}\"\n", named.file_name().unwrap().to_str().unwrap());
        fs::write(&profile, fs::read_to_string(&profile).unwrap() + &line).unwrap();
        let checking = Self { program: rig.programs.client.clone(), profile };
        checking.in_session_of(&desk.token);
        checking
    }

    fn in_session_of(&self, token: &str) {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(self.session()).unwrap();
        file.write_all(token.as_bytes()).unwrap();
    }

    /// The same client, in another session.
    pub(crate) fn in_session(&self, token: &str) -> &Self {
        self.in_session_of(token);
        self
    }

    fn session(&self) -> PathBuf {
        self.profile.with_extension("session")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.env_clear().arg("--profile").arg(&self.profile).arg("--session-file").arg(self.session()).args(arguments);
        command.stdin(Stdio::null()).output().unwrap()
    }

    pub(crate) fn search(&self) -> Output {
        self.run(&["search", "--family-name", "Nobody", "--date-of-birth", "2014-03-09", "--reason", "concern"])
    }

    pub(crate) fn receipts(&self) -> Value {
        let output = self.run(&["--json", "receipts"]);
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn folder(&self) -> PathBuf {
        self.profile.with_extension("receipts")
    }

    /// Every file beside the profile, by its name there.
    pub(crate) fn kept(&self) -> Vec<(String, String)> {
        let mut folders = vec![self.folder()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.folder()).unwrap().to_str().unwrap().to_owned();
                    files.push((name, fs::read_to_string(path).unwrap()));
                }
            }
        }
        files.sort();
        files
    }
}

pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Copies a folder over another, which is emptied first: its files are those of the copy, and no others.
pub(crate) fn put_back(copy: &Path, place: &Path) {
    drop(fs::remove_dir_all(place));
    let status = Command::new("cp").arg("-a").args([copy, place]).status().unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn the_client_keeps_a_number_and_a_hash_until_its_receipt_came_and_nothing_else() {
    // G8: the client writes no record to a file; F2: anyone with the public key can verify
    let borough = borough().await;
    let desk = borough.oak.practitioner();
    let client = Checking::of(&borough.rig, desk);
    let found = client.run(&["search", "--family-name", AMELIA.0, "--date-of-birth", AMELIA.1, "--reason", "concern"]);
    assert!(found.status.success() && said(&found).contains(AMELIA.0), "{}", said(&found));
    let refused = client.run(&["view", "4182736451", "--reason", "concern"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    for (name, text) in client.kept() {
        let is_entry = name.starts_with("waiting/")
            && text
                .strip_suffix('\n')
                .and_then(|line| line.split_once(' '))
                .is_some_and(|(index, leaf)| Logged::read(index, leaf).is_some());
        assert!(is_entry || (name == "checkpoint" && text.starts_with("contactpoint.example/log\n")), "{name}: {text}");
        assert!(!crate::children::said_of_people().iter().any(|hidden| text.contains(hidden)), "{text}");
    }
    assert!(client.kept().iter().any(|(name, _)| name.starts_with("waiting/")));
    let told = client.receipts();
    assert!(told["verified"].as_u64() >= Some(1) && told["waiting"] == 0, "{told}");
    let names: Vec<String> = client.kept().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["checkpoint"]);
    assert!(client.run(&["receipts"]).status.success(), "and again, with nothing that waits");
}

#[tokio::test]
async fn a_store_that_was_set_back_is_noticed_by_those_who_were_answered_since() {
    // F2: nothing was removed - a copy of the store, and of the HSM's own notes, is put in the place of what went on since
    let mut rig = Rig::started(programs(), None);
    let school = Enrolment { name: "Set Back School", kind: "school", authority: None, capabilities: &["query"] };
    let office = Office::opened(&rig, &school, USUAL).await;
    let client = Checking::of(&rig, office.practitioner());
    assert!(client.search().status.success());
    let early = client.receipts()["size"].as_u64().unwrap();
    let places = [rig.place.state(), rig.folder().join("tokens")];
    let copies = [rig.folder().join("state.copy"), rig.folder().join("tokens.copy")];
    rig.kill();
    places.iter().zip(&copies).for_each(|(place, copy)| put_back(place, copy));
    rig.start();
    again_in_session(&rig, &office, &client).await;
    // a restart is no fork
    for _ in 0..3 {
        let searched = client.search();
        assert!(searched.status.success(), "{}", said(&searched));
    }
    let told = client.receipts();
    assert!(told["size"].as_u64() > Some(early) && told["continues"].as_u64() >= Some(early), "{told}");
    let seen = fs::read_to_string(client.folder().join("checkpoint")).unwrap();

    rig.kill();
    places.iter().zip(&copies).for_each(|(place, copy)| put_back(copy, place));
    rig.start();
    again_in_session(&rig, &office, &client).await;
    let searched = client.search();
    assert_eq!(searched.status.code(), Some(5), "{}", said(&searched));
    assert!(said(&searched).contains("THE LOG IS NOT WHAT IT WAS: the log has become shorter"), "{}", said(&searched));
    let evidence: Vec<(String, String)> = client.kept().into_iter().filter(|(name, _)| name.starts_with("refused-")).collect();
    let shown = evidence.iter().find(|(name, _)| name.ends_with("/checkpoint")).unwrap();
    let before = evidence.iter().find(|(name, _)| name.ends_with("/before")).unwrap();
    assert_eq!(before.1, seen);
    assert!(contactpoint_audit::Checkpoint::open(&shown.1, &rig.verifier_key).unwrap().size < told["size"].as_u64().unwrap());

    // grown past what was seen, it is another log all the same
    let desk = office.practitioner();
    let token = rig.log_in(&mut rig.connection(&desk.certificate), &desk.person).await;
    let desk = Desk { token, ..desk.clone() };
    let size = || async {
        let note = desk.send(request(Method::GET, "/log/checkpoint", None, None)).await;
        std::str::from_utf8(&note.body).ok()?.lines().nth(1)?.parse::<u64>().ok()
    };
    until("a log that is longer than the one that was seen", || async {
        drop(desk.post("/v1/children/search", searched_for()).await.expect_status(200));
        size().await.filter(|size| Some(*size) > told["size"].as_u64())
    })
    .await;
    let checked = client.run(&["receipts"]);
    assert_eq!(checked.status.code(), Some(5), "{}", said(&checked));
    assert!(said(&checked).contains("is not a beginning of this one"), "{}", said(&checked));
    assert_eq!(fs::read_to_string(client.folder().join("checkpoint")).unwrap(), seen, "what was seen stays");
}

pub(crate) fn searched_for() -> Value {
    json!({"family_name": "Nobody", "date_of_birth": "2014-03-09", "reason": "concern"})
}

/// Sessions ended with the daemon.
async fn again_in_session(rig: &Rig, office: &Office, client: &Checking) {
    let desk = office.practitioner();
    client.in_session_of(&rig.log_in(&mut rig.connection(&desk.certificate), &desk.person).await);
}
