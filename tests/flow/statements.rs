//! Statements and evidence, from real looks through the client program to a stranger's desk: made by auditors who cannot read them, opened by their
//! recipient, verified by our command and by a script that has nothing of ours (rules F3, F5, G8).

use crate::feeding_bad_files::Program;
use crate::glasshouse::{Glasshouse, DAY, MINUTE};
use crate::office::Desk;
use contactpoint_support::day;
use serde_json::{json, Value};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A pair that age-keygen made for this test.
const RECIPIENT: &str = "age1j7jlf6v9cec0e0dmu6s3fd4usn0gfca46n8crv6884a53zu7qq7qmp7gfs";
const IDENTITY: &str = "AGE-SECRET-KEY-17049JAFN7AWJXD6QLS334385AA5F25W6C8YZ44PPPHLR04R8F5NQLVSTDR";
const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flow/statements/check.py");

/// Looks of every kind at one child, by a teacher of another school and by the council.
async fn looked_at() -> Glasshouse {
    let house = Glasshouse::built().await;
    let view = json!({"child_number": house.amelia, "reason": "concern"});
    drop(house.teacher.post("/v1/children/view", view.clone()).await.expect_status(404));
    drop(house.break_glass(&house.teacher, &house.amelia).await.expect_status(200));
    drop(house.teacher.post("/v1/children/view", view.clone()).await.expect_status(200));
    drop(house.colleague.post("/v1/children/view", view.clone()).await.expect_status(404));
    drop(house.oak.practitioner().post("/v1/children/view", view).await.expect_status(200));
    house
}

/// A second auditor of the same office.
async fn another_auditor(house: &Glasshouse) -> Desk {
    let person = house.auditor.employ("second-auditor", &["auditor"]).await;
    Desk::of(&house.rig, &house.auditor.organisation.certificate, &person).await
}

fn in_folder(house: &Glasshouse, name: &str) -> PathBuf {
    house.rig.folder().join(name)
}

/// Waits for a signed head over what was done before: each answer's receipt is asked for.
async fn covered(desk: &Desk, entry: u64) {
    crate::wire::until("a head over the entry", || async {
        let answer = desk.get(&format!("/log/receipt/{entry}")).await;
        (answer.status == 200).then_some(())
    })
    .await;
}

/// The verdict of contactpointctl on a file.
fn verdict(house: &Glasshouse, file: &Path, more: &[&str]) -> Output {
    let key = house.rig.verifier_key.to_string();
    let arguments = [&["verify-evidence", file.to_str().unwrap(), "--key", &key], more].concat();
    house.rig.operator(&arguments)
}

/// The document in clear, as its recipient opens it; it must be good.
fn opened(house: &Glasshouse, sealed: &Path) -> String {
    let identity = in_folder(house, "recipient.txt");
    std::fs::write(&identity, format!("# a recipient's key\n{IDENTITY}\n")).unwrap();
    let output = verdict(house, sealed, &["--identity", identity.to_str().unwrap(), "--show"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // the verdict stands behind the document, with a blank line between
    let end = text.rfind("\n\n").unwrap();
    text[..=end].to_owned()
}

/// What a stranger's script says of a document.
fn stranger(house: &Glasshouse, document: &str) -> (bool, String) {
    let file = in_folder(house, "evidence.txt");
    std::fs::write(&file, document).unwrap();
    let output = Command::new("python3").arg(CHECK).arg(&file).arg(house.rig.verifier_key.to_string()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

fn bytes_of(answer: &contactpoint_support::Answer) -> &[u8] {
    &answer.body
}

#[tokio::test]
async fn a_statement_of_who_saw_a_child_is_made_by_an_auditor_who_cannot_read_it_and_verifies_by_itself() {
    // F3: "Who saw this child?" for a subject-access request, including those who only had it in a list, refused and break-glass
    // G8: nothing stays on the caller's machine
    let house = looked_at().await;
    let auditor = &house.auditor.people()[0];
    let last = auditor.post("/v1/audit/who-saw", json!({"child_number": house.amelia, "reason": "audit"})).await.expect_status(200).json();
    covered(auditor, last["entry"].as_u64().unwrap()).await;
    let program = Program::logged_in(&house.rig, &auditor.certificate, &auditor.person, &house.code(auditor).await);
    house.clock.move_on(2 * MINUTE);
    let to = in_folder(&house, "statement.age");
    let ask = |code: String| {
        let words = ["statement", &house.amelia, "--recipient", RECIPIENT, "--to", to.to_str().unwrap(), "--code", &code];
        program.run(&words, "")
    };
    let wrong = ask("000000".to_owned());
    assert!(!wrong.status.success() && !to.exists(), "C2: sensitive acts ask for the token again");
    house.clock.move_on(2 * MINUTE);
    let made = ask(house.code(auditor).await);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let sealed = std::fs::read(&to).unwrap();
    assert_eq!(std::fs::metadata(&to).unwrap().mode() & 0o777, 0o600);
    assert!(sealed.starts_with(b"age-encryption.org/v1\n"));
    let readable = |word: &str| sealed.windows(word.len()).any(|bytes| bytes == word.as_bytes());
    assert!(!readable(&house.amelia) && !readable("WHO SAW") && !readable("Oak Lane"), "nobody but the recipient reads it");
    let said = String::from_utf8(made.stdout).unwrap();
    assert!(!said.contains("Oak Lane") && !said.contains("viewed"), "{said}");

    let document = opened(&house, &to);
    for words in
        ["listed: ", "viewed: ", "refused: ", "broken glass: ", "Oak Lane School", "River Road Academy", "Role          practitioner"]
    {
        assert!(document.contains(words), "{words}: {document}");
    }
    for hidden in ["outside-scope", "outside scope", &house.teacher.person.login, "date-of-birth", "\nkey "] {
        assert!(!document.contains(hidden), "{hidden}: {document}");
    }
    let clear = in_folder(&house, "statement.txt");
    std::fs::write(&clear, document.replacen("broken glass: ", "viewed: ", 1)).unwrap();
    let altered = verdict(&house, &clear, &[]);
    assert_eq!(altered.status.code(), Some(1), "{}", String::from_utf8_lossy(&altered.stderr));
    let again = ask(house.code(auditor).await);
    assert_eq!(again.status.code(), Some(2), "never over a file");
}

#[tokio::test]
async fn evidence_takes_two_auditors_and_is_verified_by_a_script_that_has_nothing_of_ours() {
    // F5: evidence of misuse can be handed over as a signed bundle that verifies by itself
    let house = looked_at().await;
    let (first, second) = (&house.auditor.people()[0], &another_auditor(&house).await);
    let teacher = person_number(&house, first).await;
    let asked = |person: &Value, code: String| json!({"person": person, "from": day(-1), "to": day(1), "reason": "audit", "recipient": RECIPIENT, "code": code});
    let standing = first.post("/v1/audit/evidence", asked(&teacher, house.code(first).await)).await.expect_status(200).json();
    assert_eq!(standing["approved"], false);
    let (approve, fetch) =
        (format!("/v1/audit/evidence/{}/approve", standing["id"]), format!("/v1/audit/evidence/{}/fetch", standing["id"]));
    // nobody fetches what only one auditor wants, and nobody approves their own request
    assert_eq!(first.post(&fetch, json!({})).await.expect_status(409).code(), "not_approved");
    house.clock.move_on(2 * MINUTE);
    let own = first.post(&approve, asked(&teacher, house.code(first).await)).await.expect_status(403);
    assert_eq!(own.code(), "own_act");
    // what is approved is what was asked for, said again
    let other = second.post(&approve, asked(&json!(1), house.code(second).await)).await.expect_status(409);
    assert_eq!(other.code(), "other_request");
    assert_eq!(first.post(&fetch, json!({})).await.expect_status(409).code(), "not_approved");
    house.clock.move_on(2 * MINUTE);
    let stale = second.post(&approve, asked(&teacher, "000000".to_owned())).await.expect_status(403);
    assert_eq!(stale.code(), "not_confirmed", "C2: sensitive acts ask for the token again");
    house.clock.move_on(2 * MINUTE);
    let approved = second.post(&approve, asked(&teacher, house.code(second).await)).await.expect_status(200).json();
    assert_eq!(approved["approved"], true);
    covered(first, approved["entry"].as_u64().unwrap()).await;
    assert_eq!(second.post(&fetch, json!({})).await.expect_status(404).code(), "not_found_or_not_yours", "whoever asked fetches it");
    let answer = first.post(&fetch, json!({})).await.expect_status(200);
    assert_eq!(answer.headers["content-type"], "application/vnd.contactpoint.sealed");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let to = in_folder(&house, "evidence.age");
    std::fs::write(&to, bytes_of(&answer)).unwrap();
    // F3: whoever opens it reads of the child, so the child's looks have it
    let looks = first.post("/v1/audit/who-saw", json!({"child_number": house.amelia, "reason": "audit"})).await.expect_status(200).json();
    let fetched = looks["looks"].as_array().unwrap().iter().filter(|look| look["operation"] == "fetch-evidence");
    assert_eq!(fetched.map(|look| look["outcome"].clone()).collect::<Vec<_>>(), ["answered"], "{looks}");

    let document = opened(&house, &to);
    assert!(document.contains("  Did           break-glass\n") && document.contains("  Outcome       outside-scope\n"), "{document}");
    let entries = document.matches("\n  When ").count();
    assert_eq!(stranger(&house, &document), (true, format!("good {entries}\n")));
    for (what, altered) in tampered(&document) {
        assert_ne!(altered, document, "{what}");
        let (believed, said) = stranger(&house, &altered);
        assert!(!believed, "{what}: {said}");
        let file = in_folder(&house, "tampered.txt");
        std::fs::write(&file, &altered).unwrap();
        assert_eq!(verdict(&house, &file, &[]).status.code(), Some(1), "{what}");
    }

    // seven days, and no longer
    house.clock.move_on(8 * DAY);
    let first = &house.another_session(first).await;
    assert_eq!(first.post(&fetch, json!({})).await.expect_status(409).code(), "evidence_expired");
    let looks = first
        .post(
            "/v1/audit/evidence",
            json!({"person": teacher, "from": day(-1), "to": day(1), "reason": "audit",
        "recipient": "age1nobody", "code": "000000"}),
        )
        .await;
    assert_eq!(looks.expect_status(422).code(), "invalid_value");
}

/// The teacher's number, out of who saw the child.
async fn person_number(house: &Glasshouse, auditor: &Desk) -> Value {
    let looks = auditor.post("/v1/audit/who-saw", json!({"child_number": house.amelia, "reason": "audit"})).await.expect_status(200).json();
    let glass = looks["looks"].as_array().unwrap().iter().find(|look| look["operation"] == "break-glass").unwrap();
    glass["person"]["id"].clone()
}

/// A word changed, an entry left out, another entry's proof, another key.
fn tampered(document: &str) -> Vec<(&'static str, String)> {
    let proofs = document.find("==== proofs ====").unwrap();
    let entries: Vec<&str> = document[proofs..].split("\n\n").filter(|part| part.starts_with("entry ")).collect();
    let line = |entry: &str, word: &str| entry.lines().find(|line| line.starts_with(word)).unwrap().to_owned();
    let (one, two) = (entries[0], entries[1]);
    let path_of_two = two.lines().filter(|line| line.starts_with("path ")).collect::<Vec<_>>().join("\n");
    let path_of_one = one.lines().filter(|line| line.starts_with("path ")).collect::<Vec<_>>().join("\n");
    vec![
        ("a word", document.replacen("Did           break-glass", "Did           view", 1)),
        ("an entry left out", document.replacen(&format!("{one}\n\n"), "", 1)),
        ("another entry's receipt", document.replacen(&path_of_one, &path_of_two, 1)),
        ("another key", document.replacen(&line(one, "key "), &line(two, "key "), 1)),
        ("another number of entries", document.replacen("\nentries ", "\nentries 1", 1)),
    ]
}
