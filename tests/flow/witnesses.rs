//! Witnesses: two of three make a quorum over one head, a receipt shows it, a quorum that is late is told and may stop the answers, and a log that was
//! set back is cosigned by nobody who saw more of it (rule F2).

use crate::borough::{programs, settings};
use crate::office::{Desk, Office, USUAL};
use crate::receipts::{entry_of, put_back, said, searched_for, Checking};
use crate::wire::until;
use contactpoint_audit::{Checkpoint, LogPolicy, Logged, Receipt};
use contactpoint_support::{request, Answer, Enrolment, Rig};
use http::Method;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A rig whose policy asks for two of three witnesses, each a folder of its own.
struct Watched {
    rig: Rig,
    policy: LogPolicy,
}

impl Watched {
    /// Ready to start. An entry may wait for a second.
    fn prepared() -> Self {
        let own = settings(&[("policy", "\"log.policy\""), ("late_seconds", "1")]);
        let rig = Rig::prepared(programs(), Some(&own));
        let mut text = format!("log {}\n", rig.verifier_key);
        for name in ["w1", "w2", "w3"] {
            let folder = rig.folder().join(name);
            let named = format!("witness.example/{name}");
            let mut init = Command::new(&rig.programs.client);
            let made = init.env_clear().args(["witness", "init"]).arg(folder).args(["--name", &named]).output().unwrap();
            assert!(made.status.success(), "{}", said(&made));
            text += &format!("witness {name} {}\n", String::from_utf8(made.stdout).unwrap().trim());
        }
        text += "group two 2 w1 w2 w3\nquorum two\n";
        fs::write(rig.place.configuration().join("log.policy"), &text).unwrap();
        Self { policy: LogPolicy::parse(text.as_bytes()).unwrap(), rig }
    }

    fn folder(&self, witness: &str) -> PathBuf {
        self.rig.folder().join(witness)
    }

    /// One visit of a witness, in the organisation of this profile.
    fn visit(&self, client: &Checking, witness: &str) -> Output {
        let mut command = Command::new(&self.rig.programs.client);
        command.env_clear().arg("--profile").arg(&client.profile).args(["witness", "run", "--once"]).arg(self.folder(witness));
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// What the operator sees.
    fn status(&self) -> Value {
        serde_json::from_str(&self.told(&[])).unwrap()
    }

    fn told(&self, more: &[&str]) -> String {
        let socket = self.rig.sockets.control_path().to_str().unwrap().to_owned();
        let output = self.rig.operator(&[&["status", "--socket", &socket], more].concat());
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Two witnesses visit until what they were asked about covers the log as it is.
    async fn seen_by_two(&self, client: &Checking) -> u64 {
        until("a quorum over the whole log", || async {
            for witness in ["w1", "w2"] {
                let visited = self.visit(client, witness);
                assert!(visited.status.success(), "{}", said(&visited));
            }
            let status = self.status();
            let told = &status["witnesses"];
            (told["cosigned"] == status["entries"]).then(|| told["cosigned"].as_u64().unwrap())
        })
        .await
    }
}

async fn asked(desk: &Desk, path: &str) -> Answer {
    desk.send(request(Method::GET, path, None, None)).await
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}

fn size(note: &str) -> u64 {
    Checkpoint::read_unverified(note).unwrap().size
}

/// Entries of the log after a look-up that was answered.
async fn looked(desk: &Desk) -> Logged {
    entry_of(&desk.post("/v1/children/search", searched_for()).await.expect_status(200)).unwrap()
}

#[tokio::test]
async fn two_of_three_witnesses_make_a_quorum_that_receipts_show_and_answers_may_wait_for() {
    // F2: independent witnesses may cosign
    let mut watched = Watched::prepared();
    watched.rig.start();
    let school = Enrolment { name: "Watched School", kind: "school", authority: None, capabilities: &["query"] };
    let office = Office::opened(&watched.rig, &school, USUAL).await;
    let desk = office.practitioner();
    let client = Checking::of(&watched.rig, desk);
    let profile = fs::read_to_string(&client.profile).unwrap();
    let policy = watched.rig.place.configuration().join("log.policy");
    fs::write(&client.profile, format!("{profile}log_policy = \"{}\"\n", policy.display())).unwrap();
    let places = [watched.rig.place.state(), watched.rig.folder().join("tokens")];
    let copies = [watched.rig.folder().join("state.copy"), watched.rig.folder().join("tokens.copy")];
    watched.rig.kill();
    places.iter().zip(&copies).for_each(|(place, copy)| put_back(place, copy));
    watched.rig.start();
    let desk = &again(&watched.rig, desk).await;

    // nobody has come: the log says so, and answers all the same
    let entry = looked(desk).await;
    until("a late quorum", || async { (watched.status()["witnesses"]["quorum_late"] == true).then_some(()) }).await;
    assert!(watched.told(&["--metrics"]).contains("\ncontactpoint_log_quorum_late 1\n"));
    assert_eq!(asked(desk, "/log/checkpoint/cosigned").await.expect_status(404).code(), "not_cosigned");
    let alone = watched.visit(&client, "w1");
    assert!(alone.status.success(), "{}", said(&alone));
    let told = watched.status()["witnesses"].clone();
    assert!(told["quorum_late"] == true && told["cosigned"] == 0, "{told}");
    assert!(told["witnesses"][0]["last"].is_string() && told["witnesses"][1].get("last").is_none(), "{told}");
    assert!(looked(desk).await.index > entry.index);
    until("the journal that says so", || async { watched.rig.log().contains("the quorum of the log's witnesses is late").then_some(()) })
        .await;

    // a receipt proves nothing to a client that asks for the quorum
    assert!(client.in_session(&desk.token).search().status.success());
    assert!(client.search().status.success());
    let waiting = |client: &Checking| client.kept().iter().filter(|(name, _)| name.starts_with("waiting/")).count();
    assert_eq!(waiting(&client), 2);
    let covered = watched.seen_by_two(&client).await;
    assert!(covered > entry.index);
    let told = watched.status()["witnesses"].clone();
    assert!(told["quorum_late"] == false && told.get("late_since").is_none(), "{told}");
    let note = text(&asked(desk, "/log/checkpoint/cosigned").await.expect_status(200));
    let accepted = watched.policy.accept(&note, None).unwrap();
    assert_eq!((accepted.checkpoint.size, accepted.cosigned.len()), (covered, 2));
    let receipts = client.receipts();
    assert!(receipts["verified"] == 2 && receipts["waiting"] == 0, "{receipts}");
    let receipt = Receipt::parse(&text(&asked(desk, &format!("/log/receipt/{}", entry.index)).await.expect_status(200))).unwrap();
    assert!(receipt.verify(&entry, &watched.rig.verifier_key).is_ok() && watched.policy.accept(&receipt.checkpoint, None).is_ok());

    // an independent check of the whole log, by the policy
    let copy = watched.rig.folder().join("fetched");
    let fetched = client.run(&["log", "fetch", copy.to_str().unwrap()]);
    assert!(fetched.status.success(), "{}", said(&fetched));
    let three = watched.rig.folder().join("three.policy");
    fs::write(&three, fs::read_to_string(&policy).unwrap().replace("group two 2", "group two 3")).unwrap();
    for (policy, status) in [(&policy, 0), (&three, 1)] {
        let verified = watched.rig.operator(&["verify-log", copy.to_str().unwrap(), "--policy", policy.to_str().unwrap()]);
        assert_eq!(verified.status.code(), Some(status), "{}", said(&verified));
    }

    bad_lines_are_refused(&watched, desk, &note).await;
    answers_wait(&mut watched, desk, &client).await;

    // the store and the HSM's notes as they were before anybody had come
    watched.rig.kill();
    places.iter().zip(&copies).for_each(|(place, copy)| put_back(copy, place));
    watched.rig.start();
    let kept = fs::read_to_string(watched.folder("w1").join("checkpoint")).unwrap();
    let set_back = watched.visit(&client, "w1");
    assert_eq!(set_back.status.code(), Some(5), "{}", said(&set_back));
    assert!(said(&set_back).contains("the log has become shorter"), "{}", said(&set_back));
    assert_eq!(fs::read_to_string(watched.folder("w1").join("checkpoint")).unwrap(), kept);
    assert_eq!(watched.status()["witnesses"]["witnesses"][0].get("last"), None, "nothing was signed of it");
}

/// What is no line of a known witness below one of the log's heads is refused, whoever brings it, with a code of its own.
async fn bad_lines_are_refused(watched: &Watched, desk: &Desk, note: &str) {
    let (head, lines) = note.split_once("\n\n").unwrap();
    let own = lines.lines().next().unwrap();
    let last = lines.trim_end().rsplit_once(' ').unwrap().1;
    let exchanged = format!("{}{}", if last.starts_with('A') { "B" } else { "A" }, &last[1..]);
    let spoilt = format!("{}{}{}", &last[..20], if &last[20..21] == "B" { "C" } else { "B" }, &last[21..]);
    let bring = |body: String, media: &'static str| async move {
        let asked = http::Request::post("/log/cosignatures").header("content-type", media);
        desk.send(asked.body(http_body_util::Full::new(body.into())).unwrap()).await
    };
    for (body, media, code) in [
        (format!("{head}\n\n{own}\n"), "text/plain", "not_a_witness"),
        (note.replace(last, &exchanged), "text/plain", "ok"),
        (note.replace(last, &spoilt), "text/plain", "invalid_value"),
        (note.replace(&format!("\n{}\n", size(note)), "\n99999\n"), "text/plain", "invalid_value"),
        (lines.to_owned(), "text/plain", "malformed_request"),
        (String::new(), "text/plain", "malformed_request"),
        ("\u{2014}".repeat(8000), "text/plain", "body_too_large"),
        (note.to_owned(), "application/json", "unsupported_media_type"),
        (note.to_owned(), "text/plain", "ok"),
    ] {
        let answer = bring(body.clone(), media).await;
        let found = if answer.status == 200 { "ok".to_owned() } else { answer.code() };
        assert_eq!(found, code, "{body}");
    }
    assert_eq!(asked(desk, "/log/cosignatures").await.expect_status(405).code(), "method_not_allowed");
    assert_eq!(text(&asked(desk, "/log/checkpoint/cosigned").await), note, "and nothing of it was taken");
    assert_eq!(watched.status()["entries"].as_u64(), Some(size(note)), "a cosignature that is brought has no entry");
}

/// With `answers_wait` nothing but the log and the status is answered while the quorum is late, and everything once it is there.
async fn answers_wait(watched: &mut Watched, desk: &Desk, client: &Checking) {
    let file = watched.rig.place.configuration().join("contactpointd.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("answers_wait = false"));
    watched.rig.stop();
    fs::write(&file, text.replace("answers_wait = false", "answers_wait = true")).unwrap();
    watched.rig.start();
    watched.seen_by_two(client).await;
    let desk = &again(&watched.rig, desk).await;
    let refused = until("an answer that waits", || async {
        let answer = desk.post("/v1/children/search", searched_for()).await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert_eq!((refused.status.as_u16(), refused.code()), (503, "quorum_late".to_owned()));
    assert!(refused.headers.contains_key("retry-after") && entry_of(&refused).is_none());
    let entries = watched.status()["entries"].clone();
    let wrong = serde_json::json!({"login": desk.person.login, "password": "no", "code": "000000"});
    let log_in = desk.send(request(Method::POST, "/v1/session", None, Some(&wrong))).await;
    assert_eq!(log_in.code(), "quorum_late");
    assert_eq!(watched.status()["entries"], entries, "nothing was looked at, and nothing written");
    for path in ["/log/checkpoint", "/log/checkpoint/asked", "/log/receipt/0", "/v1/texts", "/openapi.json"] {
        drop(asked(desk, path).await.expect_status(200));
    }
    watched.seen_by_two(client).await;
    looked(desk).await;
}

#[tokio::test]
async fn a_policy_of_another_key_keeps_the_daemon_from_starting_and_without_one_there_is_nothing_to_bring() {
    // F2: a policy that counts nothing of ours is found at the start, not when somebody asks for the quorum
    let mut watched = Watched::prepared();
    let file = watched.rig.place.configuration().join("log.policy");
    let good = fs::read_to_string(&file).unwrap();
    let stranger = contactpoint_audit::VerifierKey::ed25519(
        "contactpoint.example/log",
        &[
            0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda,
            0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
        ],
    );
    let lines: Vec<&str> = good.lines().skip(1).collect();
    for (text, said) in [
        (format!("log {}\n{}\n", stranger.unwrap(), lines.join("\n")), "does not list this log under its own key"),
        (format!("{}\n", lines.join("\n")), "does not list the log contactpoint.example/log"),
        (good.replace("quorum two", "quorum three"), "three is not defined above it"),
    ] {
        fs::write(&file, text).unwrap();
        let refused = watched.rig.try_start().unwrap_err();
        assert_eq!(refused.status.and_then(|status| status.code()), Some(78), "{}", refused.log);
        assert!(refused.log.contains(said), "{}", refused.log);
    }
    let bare = crate::borough::borough().await;
    let desk = bare.oak.practitioner();
    for path in ["/log/checkpoint/asked", "/log/checkpoint/cosigned"] {
        assert_eq!(asked(desk, path).await.expect_status(404).code(), "not_witnessed", "{path}");
    }
    let brought = http::Request::post("/log/cosignatures").header("content-type", "text/plain");
    let brought = desk.send(brought.body(http_body_util::Full::default()).unwrap()).await;
    assert_eq!(brought.expect_status(404).code(), "not_witnessed");
}

/// The same person in a new session: sessions ended with the daemon.
async fn again(rig: &Rig, desk: &Desk) -> Desk {
    let token = rig.log_in(&mut rig.connection(&desk.certificate), &desk.person).await;
    Desk { token, ..desk.clone() }
}
