//! An account that is closed, and what its holder did (rules C1, F3).

use crate::borough::{borough, viewed};
use crate::children::AMELIA;
use crate::office::Desk;
use contactpoint_support::{new_person, Person};
use serde_json::json;

#[tokio::test]
async fn whoever_saw_a_child_is_still_named_after_their_account_is_closed() {
    // C1: lock, unlock, suspend, close: closing keeps the audit; F3: who saw this child is one query
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let (school, administrator) = (&borough.oak.organisation, &borough.oak.administrator);
    let mut new = new_person(school, "leaver", &["practitioner"]);
    new["given_name"] = "Perpetua".into();
    new["family_name"] = "Leavenworth".into();
    let person = Person::of(&administrator.post("/v1/people", new).await.expect_status(201).json());
    let desk = Desk::of(&borough.rig, &school.certificate, &person).await;
    let seen = desk.post("/v1/children/view", viewed(&number)).await.expect_status(200).json();
    drop(administrator.post(&format!("/v1/people/{}/state", person.id), json!({"state": "closed"})).await.expect_status(200));
    assert_eq!(desk.post("/v1/children/view", viewed(&number)).await.expect_status(403).code(), "forbidden");

    let asked = json!({"child_number": number, "reason": "audit"});
    let looks = borough.auditor.people()[0].post("/v1/audit/who-saw", asked).await.expect_status(200).json();
    let look = looks["looks"].as_array().unwrap().iter().find(|look| look["entry"] == seen["entry"]).expect("the view is listed");
    assert_eq!(look["person"], json!({"id": person.id, "name": {"given": "Perpetua", "family": "Leavenworth"}}));
    assert_eq!((&look["organisation"]["name"], &look["outcome"]), (&json!("Oak Lane School"), &json!("answered")));
}
