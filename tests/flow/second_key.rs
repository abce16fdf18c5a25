//! A session, and another certificate of the same organisation (rules B1, C2).

use crate::borough::{borough, searched};
use crate::children::AMELIA;
use crate::office::Desk;
use contactpoint_support::{new_person, Enrolment, Person};
use serde_json::json;

#[tokio::test]
async fn a_session_is_worth_nothing_on_the_second_key_of_the_same_organisation() {
    // C2: a session is bound to the client certificate it began on; an attack: swap the certificate in mid-session
    let borough = borough().await;
    let (rig, name) = (&borough.rig, "Two Keys School");
    let [one, other] = [rig.clients.client(name), rig.clients.client(name)];
    let enrolment = Enrolment { name, kind: "school", authority: Some(borough.council.organisation.id), capabilities: &["query"] };
    let mut body = enrolment.body(&one, "two-keys-admin");
    body["certificates"] = json!([one.certificate, other.certificate]);
    let organisation = rig.let_in(one.clone(), &body, enrolment.capabilities).await;
    let administrator = Desk::in_session(rig, &one, &organisation.administrator, organisation.session.clone());
    let new = new_person(&organisation, "two-keys-teacher", &["practitioner"]);
    let person = Person::of(&administrator.post("/v1/people", new).await.expect_status(201).json());
    let here = Desk::of(rig, &one, &person).await;
    let there = Desk::in_session(rig, &other, &person, here.token.clone());
    let look = || searched(AMELIA.0, AMELIA.1);
    drop(here.post("/v1/children/search", look()).await.expect_status(200));
    assert_eq!(there.post("/v1/children/search", look()).await.expect_status(401).code(), "not_authenticated");
    drop(here.post("/v1/children/search", look()).await.expect_status(200));
    // the key is good: a session of its own begins on it
    let token = rig.log_in(&mut rig.connection(&other), &person).await;
    drop(Desk::in_session(rig, &other, &person, token).post("/v1/children/search", look()).await.expect_status(200));
}
