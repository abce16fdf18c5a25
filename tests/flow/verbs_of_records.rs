//! The verbs of a council's officer and supervisor, of a steward and of whoever overrides a shield, as people type them: as a line or a table,
//! and with `--json` (rules B2, D1, D8, E4, E5).

use crate::borough::{borough, first_number};
use crate::feeding_bad_files::Program;
use crate::ward::{fed, pupil, Ward};
use serde_json::{json, Value};

/// What a run says; it must succeed.
fn said(program: &Program, arguments: &[&str]) -> String {
    let output = program.run(arguments, "");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The same for machines.
fn told(program: &Program, arguments: &[&str]) -> Value {
    serde_json::from_str(&said(program, &[&["--json"], arguments].concat())).unwrap()
}

/// Feeds pupils of these family names to the ward's school; none shares a day with another.
async fn enrolled(ward: &Ward, families: &[(&str, u8)]) {
    let rows = families
        .iter()
        .map(|(family, born)| pupil(&[("Legal Surname", family), ("Legal Forename", "Zuleika"), ("DOB", &format!("{born:02}/06/2014"))]));
    assert_eq!(fed(&ward.school, "school-roll", &rows.collect::<Vec<_>>()).await["created"], families.len());
}

async fn number_of(ward: &Ward, family: &str, born: u8) -> String {
    first_number(ward.school.practitioner(), family, &format!("2014-06-{born:02}")).await.unwrap()
}

#[tokio::test]
async fn records_are_kept_by_their_officer_and_steward_at_the_terminal() {
    // D8: all but named users; D1: leaving ends the scope; E4: held back for the authority
    let borough = borough().await;
    let ward = Ward::opened(&borough.rig, "Verbley").await;
    enrolled(&ward, &[("Ackerley", 1), ("Bosanquet", 2)]).await;
    let [one, two] = [number_of(&ward, "Ackerley", 1).await, number_of(&ward, "Bosanquet", 2).await];
    let person = ward.council.employ("verbley-officer", &["shielding-officer"]).await;
    let officer = Program::of(borough, &ward.council, &person).await;

    let named = ward.school.practitioner().person.id.to_string();
    let own = person.id.to_string();
    let line = said(&officer, &["audience", &one, "--person", &named, "--person", &own, "--code", &person.authenticator.code().await]);
    assert!(line.contains(&format!("{one}: not shielded; only these people may know of it: ")), "{line}");
    assert!(line.contains(&named) && line.contains(&own), "{line}");
    let open = told(&officer, &["audience", &one, "--everybody", "--code", &person.authenticator.code().await]);
    assert_eq!((&open["child_number"], open.get("people")), (&json!(one), None), "{open}");

    assert_eq!(told(&officer, &["hold-new", "true"])["holds_new"], true);
    enrolled(&ward, &[("Cholmondeley", 3), ("Dalrymple", 4)]).await;
    let queue = told(&officer, &["alerts"]);
    let waits = |alert: &&Value| alert["kind"] == "quarantine";
    let waiting: Vec<String> =
        queue["alerts"].as_array().unwrap().iter().filter(waits).map(|alert| alert["child_number"].as_str().unwrap().to_owned()).collect();
    let [first, second] = &waiting[..] else { panic!("two records wait: {queue}") };
    assert!(said(&officer, &["settle", first]).contains(&format!("{first}: not shielded")));
    assert_eq!(told(&officer, &["settle", second])["child_number"], json!(second));
    let line = said(&officer, &["hold-new", "false"]);
    assert!(line.contains("New records of your area are seen by whoever works with the child"), "{line}");

    let person = ward.school.employ("verbley-steward", &["data-steward"]).await;
    let steward = Program::of(borough, &ward.school, &person).await;
    let line = said(&steward, &["end-involvement", &one]);
    assert!(line.contains("Ended on") && line.contains(&format!("{one} is out of your organisation's scope")), "{line}");
    assert_eq!(told(&steward, &["end-involvement", &two])["child_number"], json!(two));

    // B2: a sponsor vouches for it, and nobody takes that over
    let head = &ward.council.organisation.supervisor;
    let supervisor = Program::of(borough, &ward.council, head).await;
    let code = head.authenticator.code().await;
    let output = supervisor.run(&["sponsor", &ward.other.organisation.id.to_string(), "--code", &code], "");
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("already_sponsored"), "{output:?}");
}

#[tokio::test]
async fn a_shield_is_overridden_at_the_terminal() {
    // E5: override is a right of its own, per record and time-boxed
    let borough = borough().await;
    let ward = Ward::opened(&borough.rig, "Overley").await;
    enrolled(&ward, &[("Etheridge", 5)]).await;
    let number = number_of(&ward, "Etheridge", 5).await;
    drop(ward.shield(&number).await.expect_status(200));
    let office = borough.open("Overriding School", "school", &["query", "shield-override"]).await;
    let person = office.employ("overrider", &["practitioner"]).await;
    let program = Program::of(borough, &office, &person).await;
    let code = person.authenticator.code().await;
    let line = said(&program, &["override-shield", &number, "--reason", "section-47", "--code", &code]);
    assert!(line.contains(&number), "{line}");
    assert_eq!(told(&program, &["view", &number, "--reason", "section-47"])["name"]["family"], "Etheridge");
    let code = person.authenticator.code().await;
    let again = told(&program, &["override-shield", &number, "--reason", "missing", "--code", &code]);
    assert!(again["child_number"] == json!(number) && again["until"].is_string(), "{again}");
}
