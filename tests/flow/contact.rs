//! The request for contact: one answer whatever there is, and an entry in the authority's queue where there is a child (rule E6).

use crate::borough::borough;
use crate::children::{AMELIA, IDRIS};
use crate::office::Desk;
use contactpoint_domain::ChildNumber;
use serde_json::{json, Value};

#[tokio::test]
async fn a_request_for_contact_teaches_nothing_and_reaches_the_child_s_authority() {
    // E6: the caller can ask the authority to broker contact without learning anything
    let borough = borough().await;
    let officer = borough.council.employ("contact-officer", &["shielding-officer"]).await;
    let officer = Desk::of(&borough.rig, &borough.council.organisation.certificate, &officer).await;
    let own = borough.number_of(IDRIS.0, IDRIS.1).await;
    let others = borough.number_of(AMELIA.0, AMELIA.1).await;
    let nobody = ChildNumber::with_body(555_000_111).as_str().to_owned();
    let teacher = borough.river.practitioner();
    let mut answers = Vec::new();
    for number in [&own, &others, &nobody] {
        let answer = teacher.post("/v1/children/contact", json!({"child_number": number, "reason": "concern"})).await.expect_status(200);
        assert_eq!(answer.json().as_object().unwrap().keys().collect::<Vec<_>>(), ["entry"]);
        answers.push(answer);
    }
    assert!(answers.windows(2).all(|pair| pair[0].headers.keys().eq(pair[1].headers.keys())));

    let queue = officer.post("/v1/alerts/queue", json!({})).await.expect_status(200).json();
    let contacts: Vec<&Value> = queue["alerts"].as_array().unwrap().iter().filter(|alert| alert["kind"] == "contact").collect();
    let numbers: Vec<&str> = contacts.iter().map(|alert| alert["child_number"].as_str().unwrap()).collect();
    assert_eq!(numbers, [own.as_str(), others.as_str()], "and none of a child whom there is not");
    assert!(contacts.iter().all(|alert| alert["person"]["id"] == teacher.person.id && alert["reason"] == "concern"));
    for alert in contacts {
        let path = format!("/v1/alerts/{}/judge", alert["id"]);
        drop(officer.post(&path, json!({"disposition": "settled"})).await.expect_status(200));
    }
    let left = officer.post("/v1/alerts/queue", json!({})).await.expect_status(200).json();
    assert!(left["alerts"].as_array().unwrap().iter().all(|alert| alert["kind"] != "contact"));
}

#[tokio::test]
async fn a_request_for_contact_takes_a_reason_and_the_right_to_look() {
    // D2: every view states a coded reason; C4: roles
    let borough = borough().await;
    let nobody = ChildNumber::with_body(555_000_112).as_str().to_owned();
    let teacher = borough.river.practitioner();
    let without = teacher.post("/v1/children/contact", json!({"child_number": nobody})).await;
    assert_eq!(without.expect_status(400).code(), "malformed_request");
    let audit = teacher.post("/v1/children/contact", json!({"child_number": nobody, "reason": "audit"})).await;
    assert_eq!(audit.expect_status(403).code(), "forbidden");
    for desk in [borough.river.steward(), &borough.river.administrator, &borough.auditor.people()[0]] {
        let answer = desk.post("/v1/children/contact", json!({"child_number": nobody, "reason": "concern"})).await;
        assert_eq!(answer.expect_status(403).code(), "forbidden");
    }
}
