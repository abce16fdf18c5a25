//! What is told of a look without the looker's noticing, and a look for somebody else (rules D7, C2; mediated access).

use crate::borough::{borough, searched, viewed, Borough};
use crate::children::{AMELIA, IDRIS};
use crate::office::{Desk, Office};
use contactpoint_support::{new_person, Person};
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
