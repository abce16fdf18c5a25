//! One's own act, judged by oneself (rules C4, D5).

use crate::borough::borough;
use crate::children::IDRIS;
use crate::office::{Desk, Office};
use contactpoint_support::Enrolment;
use serde_json::{json, Value};

#[tokio::test]
async fn somebody_who_looks_and_supervises_does_not_judge_the_glass_that_they_broke() {
    // D5: the supervisor must judge each alert; C4: roles that would let one person both act and judge the act; an attack: judge one's own alert
    let borough = borough().await;
    let number = borough.number_of(IDRIS.0, IDRIS.1).await;
    let name = "Self Judging School";
    let enrolment = Enrolment { name, kind: "school", authority: Some(borough.council.organisation.id), capabilities: &["query"] };
    let office = Office::opened(&borough.rig, &enrolment, &[&["practitioner", "supervisor"]]).await;
    let desk = office.practitioner();
    let above = Desk::of(&borough.rig, &office.organisation.certificate, &office.organisation.supervisor).await;
    let code = desk.person.authenticator.code().await;
    let broken = desk.post("/v1/break-glass", json!({"child_number": number, "reason": "missing", "code": code})).await;
    drop(broken.expect_status(200));

    let waiting = |queue: &Value| -> Vec<Value> {
        let is_theirs = |alert: &&Value| alert["kind"] == "break-glass" && alert["person"]["id"] == desk.person.id;
        queue["alerts"].as_array().unwrap().iter().filter(is_theirs).cloned().collect()
    };
    let own = desk.post("/v1/alerts/queue", json!({})).await.expect_status(200).json();
    assert_eq!(waiting(&own), Vec::<Value>::new(), "nor does their queue show it");
    let queue = above.post("/v1/alerts/queue", json!({})).await.expect_status(200).json();
    let [alert] = &waiting(&queue)[..] else { panic!("one alert: {queue}") };
    let path = format!("/v1/alerts/{}/judge", alert["id"].to_string().trim_matches('"'));
    for disposition in ["justified", "not-justified"] {
        assert_eq!(desk.post(&path, json!({ "disposition": disposition })).await.expect_status(403).code(), "own_act");
    }
    drop(above.post(&path, json!({"disposition": "justified"})).await.expect_status(200));
}
