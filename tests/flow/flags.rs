//! What is told of a look without the looker's noticing, and a look for somebody else (rules D7, C2; mediated access).

use crate::borough::{borough, searched, viewed, Borough};
use crate::children::{AMELIA, IDRIS};
use crate::feeding_bad_files::Program;
use crate::office::{Desk, Office};
use contactpoint_support::{new_person, today, Person};
use serde_json::{json, Value};

/// A practitioner of Oak Lane School with this family name, logged in.
async fn teacher(borough: &Borough, login: &str, change: impl FnOnce(&mut Value)) -> Desk {
    let mut new = new_person(&borough.oak.organisation, login, &["practitioner"]);
    change(&mut new);
    let person = Person::of(&borough.oak.administrator.post("/v1/people", new).await.expect_status(201).json());
    Desk::of(&borough.rig, &borough.oak.organisation.certificate, &person).await
}

/// The alerts about one person in their supervisor's queue: kinds and child numbers.
async fn told(borough: &Borough, office: &Office, person: u64) -> Vec<(String, Value)> {
    let rig = &borough.rig;
    let token = rig.log_in_first(&mut rig.connection(&office.organisation.certificate), &office.organisation.supervisor).await;
    let desk = Desk::in_session(rig, &office.organisation.certificate, &office.organisation.supervisor, token);
    let mut found = Vec::new();
    let mut asked = json!({});
    loop {
        let page = desk.post("/v1/alerts/queue", asked).await.expect_status(200).json();
        let about = page["alerts"].as_array().unwrap().iter().filter(|alert| alert["person"]["id"] == person);
        found.extend(about.map(|alert| (alert["kind"].as_str().unwrap().to_owned(), alert["child_number"].clone())));
        match page["cursor"].as_str() {
            Some(cursor) => asked = json!({"cursor": cursor}),
            None => return found,
        }
    }
}

#[tokio::test]
async fn looks_at_the_own_family_and_near_misses_reach_the_supervisor_and_the_answers_are_as_ever() {
    // D7: look-ups of one's own family (same surname or address as the user), repeated near-misses ... are flagged for review
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let by_name = teacher(borough, "amelias-aunt", |new| new["family_name"] = "THORNBURY".into()).await;
    let home = json!({"lines": ["12 lantern row"], "postcode": "zz99 1aa"});
    let by_address = teacher(borough, "amelias-lodger", |new| new["home"] = home).await;
    let other = teacher(borough, "amelias-teacher", |_| {}).await;
    let mut answers = Vec::new();
    for desk in [&by_name, &by_address, &other] {
        let mut answer = desk.post("/v1/children/view", viewed(&number)).await.expect_status(200).json();
        answer.as_object_mut().unwrap().remove("entry");
        answers.push(answer);
    }
    assert!(answers[0] == answers[2] && answers[1] == answers[2], "nothing tells the looker");
    for _ in 0..5 {
        let answer = other.post("/v1/children/search", searched("Nobody-At-All", "2014-03-09")).await.expect_status(200).json();
        assert_eq!(answer["hits"], json!([]));
    }
    let told = |desk: &Desk| told(borough, &borough.oak, desk.person.id);
    assert_eq!(told(&by_name).await, [("own-family".to_owned(), json!(number))]);
    assert_eq!(told(&by_address).await, [("own-family".to_owned(), json!(number))]);
    assert_eq!(told(&other).await, [("near-misses".to_owned(), Value::Null)]);
}

#[tokio::test]
async fn a_search_that_lists_the_own_family_reaches_the_supervisor_once_and_tells_the_looker_nothing() {
    // D7: look-ups of one's own family; F1: every child listed in a search result counts
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let kin = teacher(borough, "amelias-uncle", |new| new["family_name"] = "Thornbury".into()).await;
    let other = teacher(borough, "amelias-other-teacher", |_| {}).await;
    let mut answers = Vec::new();
    for desk in [&kin, &kin, &other] {
        let mut answer = desk.post("/v1/children/search", searched("Thornbury", "2014-03-09")).await.expect_status(200).json();
        answer.as_object_mut().unwrap().remove("entry");
        answers.push(answer);
    }
    assert!(answers[0] == answers[2] && answers[1] == answers[2], "nothing tells the looker: {answers:?}");
    assert_eq!(answers[0]["hits"][0]["child_number"], json!(number));
    assert_eq!(told(borough, &borough.oak, kin.person.id).await, [("own-family".to_owned(), json!(number))]);
    assert_eq!(told(borough, &borough.oak, other.person.id).await, []);
}

#[tokio::test]
async fn where_a_person_lives_is_said_at_the_terminal_and_a_look_at_a_child_of_that_address_is_flagged() {
    // D7: same surname or address as the user, by the vetting record
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let office = &borough.oak;
    let program = Program::of(borough, office, &office.administrator.person).await;
    let supervisor = office.organisation.supervisor.id.to_string();
    let alone = program.run(&["amend-person", "1", "--home-postcode", "ZZ99 1AA"], "");
    assert_eq!(alone.status.code(), Some(2), "a postcode without a line is no address");
    let today = today();
    let who = [
        "--json",
        "enrol-person",
        "--login",
        "amelias-neighbour",
        "--given-name",
        "Una",
        "--family-name",
        "Okonjo",
        "--role",
        "practitioner",
    ];
    let checks = ["--supervisor", &supervisor, "--vetted", &today, "--barring", &today, "--trained", &today];
    let home = ["--home-line", "99 Far Row", "--home-postcode", "ZZ99 9ZZ"];
    let enrolled = program.run(&[&who[..], &checks, &home].concat(), "");
    assert!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
    let neighbour = Person::of(&serde_json::from_slice(&enrolled.stdout).unwrap());
    let desk = Desk::of(&borough.rig, &office.organisation.certificate, &neighbour).await;
    drop(desk.post("/v1/children/view", viewed(&number)).await.expect_status(200));
    assert_eq!(told(borough, office, neighbour.id).await, []);
    let moved =
        program.run(&["amend-person", &neighbour.id.to_string(), "--home-line", "12 Lantern Row", "--home-postcode", "ZZ99 1AA"], "");
    assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
    drop(desk.post("/v1/children/view", viewed(&number)).await.expect_status(200));
    assert_eq!(told(borough, office, neighbour.id).await, [("own-family".to_owned(), json!(number))]);
}

#[tokio::test]
async fn a_look_for_a_colleague_without_an_account_takes_a_right_of_its_own_and_leaves_both_names() {
    // B2: accreditation is per capability (mediated access); F3: who saw this child
    let borough = borough().await;
    let number = borough.number_of(IDRIS.0, IDRIS.1).await;
    let on_behalf = json!({"child_number": number, "reason": "concern", "on_behalf_of": {"given": "Ottilie", "family": "Farrow"}});
    let teacher = borough.river.practitioner();
    let refused = teacher.post("/v1/children/view", on_behalf.clone()).await;
    assert_eq!(refused.expect_status(403).code(), "capability_missing");
    let id = borough.river.organisation.id;
    let accredit = |body: Value| async move {
        let path = format!("/v1/organisations/{id}/accreditations");
        drop(borough.rig.as_officer(http::Method::POST, &path, Some(&body)).await.expect_status(200));
    };
    accredit(json!({"capabilities": ["mediated-access"], "expires": contactpoint_support::day(30)})).await;
    let seen = teacher.post("/v1/children/view", on_behalf.clone()).await.expect_status(200).json();
    accredit(json!({"capabilities": ["mediated-access"]})).await;
    let in_search = json!({"family_name": "Castellan", "date_of_birth": "2012-11-30", "reason": "concern", "on_behalf_of": {}});
    assert_eq!(teacher.post("/v1/children/search", in_search).await.code(), "unknown_member", "a list is for whoever asks");

    let asked = json!({"child_number": number, "reason": "audit"});
    let looks = borough.auditor.people()[0].post("/v1/audit/who-saw", asked).await.expect_status(200).json();
    let look = looks["looks"].as_array().unwrap().iter().find(|look| look["entry"] == seen["entry"]).unwrap().clone();
    assert_eq!(look["on_behalf_of"], json!({"given": "Ottilie", "family": "Farrow"}));
    assert_eq!(look["person"]["id"], teacher.person.id);
}
