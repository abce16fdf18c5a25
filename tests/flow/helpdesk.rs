//! The helpdesk over the wire: the script, a factor that takes two people, and no way to a child (rule C5).

use crate::borough::{borough, searched, viewed, Borough};
use crate::children::AMELIA;
use crate::office::{Desk, Office};
use contactpoint_support::{call, request, Authenticator, Person};
use http::Method;
use serde_json::{json, Value};
use std::sync::Arc;

const SCRIPT: [&str; 3] = ["employee-number", "line-manager", "vetting-month"];

/// A school of the test's own, with a practitioner, a data steward, and two of the helpdesk.
async fn school(borough: &Borough, name: &str) -> (Office, Desk, Desk) {
    let office = borough.open(name, "school", &["query", "feed"]).await;
    let slug = name.to_ascii_lowercase().replace(' ', "-");
    let mut desks = Vec::new();
    for at in ["one", "two"] {
        let person = office.employ(&format!("{slug}-help-{at}"), &["helpdesk"]).await;
        desks.push(Desk::of(&borough.rig, &office.organisation.certificate, &person).await);
    }
    let two = desks.remove(1);
    (office, desks.remove(0), two)
}

async fn set_state(desk: &Desk, person: u64, body: Value) -> (u16, String) {
    let answer = desk.post(&format!("/v1/people/{person}/state"), body).await;
    (answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn the_helpdesk_unlocks_whom_it_verified_and_a_lock_bites_at_once() {
    // C5: helpdesk can unlock and suspend after verifying the caller by the scripted questions
    let borough = borough().await;
    let (office, helpdesk, _) = school(borough, "Locked School").await;
    let teacher = office.practitioner();
    let id = teacher.person.id;
    let mut open = teacher.connection();
    let look = || request(Method::POST, "/v1/children/search", Some(&teacher.token), Some(&searched("Nobody", "2014-01-01")));
    drop(call(&mut open, look()).await.unwrap().expect_status(200));
    assert_eq!(set_state(&helpdesk, id, json!({"state": "locked"})).await, (200, String::new()), "to lock is always safe");
    assert_eq!(call(&mut open, look()).await.unwrap().expect_status(403).code(), "forbidden", "on the connection that is open");
    let refused = (422, "not_verified".to_owned());
    for verified in [json!([]), json!(SCRIPT[..2]), json!(["line-manager", "line-manager", "line-manager"])] {
        assert_eq!(set_state(&helpdesk, id, json!({"state": "active", "verified": verified})).await, refused);
    }
    assert_eq!(set_state(&helpdesk, id, json!({"state": "active"})).await, refused);
    assert_eq!(set_state(&helpdesk, id, json!({"state": "active", "verified": ["shoe-size"]})).await.1, "invalid_value", "no free text");
    assert_eq!(set_state(&helpdesk, id, json!({"state": "active", "verified": SCRIPT})).await, (200, String::new()));
    drop(call(&mut open, look()).await.unwrap().expect_status(200));
    assert_eq!(set_state(&helpdesk, id, json!({"state": "suspended"})).await, refused);
    assert_eq!(set_state(&helpdesk, id, json!({"state": "suspended", "verified": SCRIPT})).await, (200, String::new()));
    assert_eq!(set_state(&helpdesk, id, json!({"state": "active", "verified": SCRIPT})).await.0, 403, "the administrator resumes");
    assert_eq!(set_state(&office.administrator, id, json!({"state": "active"})).await, (200, String::new()));
}

#[tokio::test]
async fn a_lost_factor_takes_two_people_and_ends_every_session_that_began_with_the_old_one() {
    // C5: resetting a factor takes a second person
    let borough = borough().await;
    let (office, one, two) = school(borough, "Forgetful School").await;
    let teacher = office.practitioner();
    let id = teacher.person.id;
    let (begin, complete) = (format!("/v1/people/{id}/reset"), format!("/v1/people/{id}/reset/complete"));
    let code = |desk: &Desk| {
        let authenticator = desk.person.authenticator.clone();
        async move { json!({"code": authenticator.code().await}) }
    };
    let body = |factor: &str| json!({"factor": factor, "verified": SCRIPT});
    assert_eq!(two.post(&complete, code(&two).await).await.expect_status(404).code(), "not_found_or_not_yours", "nobody began one");
    assert_eq!(one.post(&begin, json!({"factor": "code", "verified": []})).await.expect_status(422).code(), "not_verified");
    assert_eq!(office.administrator.post(&begin, body("code")).await.expect_status(403).code(), "forbidden");
    assert_eq!(teacher.post(&begin, body("code")).await.expect_status(403).code(), "forbidden");
    let begun = one.post(&begin, body("password")).await.expect_status(200).json();
    assert_eq!((&begun["factor"], &begun["login"]), (&json!("password"), &json!(teacher.person.login)));
    drop(teacher.post("/v1/children/search", searched("Nobody", "2014-01-01")).await.expect_status(200));

    assert_eq!(one.post(&complete, code(&one).await).await.expect_status(403).code(), "same_person");
    assert_eq!(two.post(&complete, json!({"code": "000000"})).await.expect_status(403).code(), "not_confirmed");
    let done = office.administrator.post(&complete, code(&office.administrator).await).await.expect_status(200).json();
    assert_eq!(done.as_object().unwrap().keys().collect::<Vec<_>>(), ["factor", "id", "login", "password"]);
    let ended = teacher.post("/v1/children/search", searched("Nobody", "2014-01-01")).await;
    assert_eq!(ended.expect_status(401).code(), "session_ended", "whoever had the old password is out");
    let mut connection = borough.rig.connection(&office.organisation.certificate);
    let old = request(Method::POST, "/v1/session", None, Some(&teacher.person.log_in_body().await));
    assert_eq!(call(&mut connection, old).await.unwrap().code(), "log_in_failed");
}

#[tokio::test]
async fn a_lost_authenticator_is_replaced_and_its_old_codes_are_worth_nothing() {
    // C5: resetting a factor takes a second person; C2: two factors
    let borough = borough().await;
    let (office, one, two) = school(borough, "Absent School").await;
    let teacher = office.practitioner();
    let id = teacher.person.id;
    let begin = json!({"factor": "code", "verified": SCRIPT});
    drop(one.post(&format!("/v1/people/{id}/reset"), begin.clone()).await.expect_status(200));
    let elsewhere = borough.oak.administrator.post(&format!("/v1/people/{id}/reset"), begin).await;
    assert_eq!(elsewhere.expect_status(403).code(), "forbidden");
    let code = json!({"code": two.person.authenticator.code().await});
    let done = two.post(&format!("/v1/people/{id}/reset/complete"), code).await.expect_status(200).json();
    let secret = done["code_secret"].as_str().unwrap();
    assert!(done["otpauth"].as_str().unwrap().contains(secret) && done.get("password").is_none());
    let mut connection = borough.rig.connection(&office.organisation.certificate);
    let renewed = Person { authenticator: Arc::new(Authenticator::of(secret)), ..teacher.person.clone() };
    let token = borough.rig.log_in(&mut connection, &renewed).await;
    let back = Desk::in_session(&borough.rig, &office.organisation.certificate, &renewed, token);
    drop(back.post("/v1/children/search", searched("Nobody", "2014-01-01")).await.expect_status(200));
    let old = request(Method::POST, "/v1/session", None, Some(&teacher.person.log_in_body().await));
    assert_eq!(call(&mut connection, old).await.unwrap().code(), "log_in_failed");
}

#[tokio::test]
async fn the_helpdesk_never_sees_a_child() {
    // C5: helpdesk never sees a child
    let borough = borough().await;
    let person = borough.oak.employ("oak-helpdesk", &["helpdesk"]).await;
    let helpdesk = Desk::of(&borough.rig, &borough.oak.organisation.certificate, &person).await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    for (path, body) in [
        ("/v1/children/search", searched(AMELIA.0, AMELIA.1)),
        ("/v1/children/view", viewed(&number)),
        ("/v1/children/contact", viewed(&number)),
        ("/v1/audit/who-saw", json!({"child_number": number, "reason": "audit"})),
        ("/v1/alerts/queue", json!({})),
    ] {
        assert_eq!(helpdesk.post(path, body).await.expect_status(403).code(), "forbidden", "{path}");
    }
}
