//! The client program's verbs of the helpdesk, of contact and of looks for somebody else, as people type them (rules C5, E6).

use crate::borough::{borough, first_number};
use crate::children::IDRIS;
use crate::feeding_bad_files::Program;
use serde_json::{json, Value};

/// What a run says; it must succeed.
fn said(program: &Program, arguments: &[&str]) -> String {
    let output = program.run(arguments, "");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_lost_telephone_is_replaced_by_two_people_at_their_terminals() {
    // C5: helpdesk can unlock after verifying the caller; resetting a factor takes a second person
    let borough = borough().await;
    let office = borough.open("Terminal School", "school", &["query"]).await;
    let script = "employee-number,line-manager,vetting-month";
    let [one, two] = [office.employ("terminal-one", &["helpdesk"]).await, office.employ("terminal-two", &["helpdesk"]).await];
    let [first, second] = [Program::of(borough, &office, &one).await, Program::of(borough, &office, &two).await];
    let id = office.practitioner().person.id.to_string();
    assert!(said(&first, &["set-person-state", &id, "locked"]).contains("locked"));
    let unverified = first.run(&["set-person-state", &id, "active"], "");
    assert_eq!(unverified.status.code(), Some(1), "refused by the directory");
    assert!(said(&first, &["set-person-state", &id, "active", "--verified", script]).contains("active"));
    assert!(said(&first, &["reset", &id, "code", "--verified", script]).contains("complete-reset"));
    let code = two.authenticator.code().await;
    let told = said(&second, &["complete-reset", &id, "--code", &code]);
    assert!(told.contains("code secret") && told.contains("otpauth://totp/") && !told.contains("password"), "{told}");
}

#[tokio::test]
async fn contact_is_asked_for_and_a_look_is_made_for_a_colleague_at_the_terminal() {
    // E6: the caller can ask the authority to broker contact; mediated access: both names are in the entry
    let borough = borough().await;
    let office = borough.open("Mediating School", "school", &["query", "mediated-access"]).await;
    let person = office.employ("mediator", &["practitioner"]).await;
    let program = Program::of(borough, &office, &person).await;
    let number = first_number(borough.river.practitioner(), IDRIS.0, IDRIS.1).await.unwrap();
    let asked = said(&program, &["ask-contact", &number, "--reason", "concern"]);
    assert!(asked.contains("If there is such a child, its authority gets in touch."), "{asked}");
    let looked = program.run(&["view", &number, "--reason", "concern", "--for", "Farrow, Ottilie"], "");
    assert_eq!(looked.status.code(), Some(1), "the child is none of this school's");
    let path = "/v1/audit/who-saw";
    let looks = borough.auditor.people()[0].post(path, json!({"child_number": number, "reason": "audit"})).await.expect_status(200).json();
    let theirs: Vec<&Value> = looks["looks"].as_array().unwrap().iter().filter(|look| look["person"]["id"] == person.id).collect();
    let told: Vec<_> = theirs.iter().map(|look| (look["operation"].as_str().unwrap(), &look["on_behalf_of"])).collect();
    assert_eq!(told, [("view", &json!({"given": "Ottilie", "family": "Farrow"})), ("ask-contact", &Value::Null)]);
}
