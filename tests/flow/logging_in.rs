//! Logging in: two factors, one answer for every failure, growing delays, codes that work once, sessions bound to a certificate (C2, C6).
//!
//! Each test has an organisation of its own, because failures delay a person and a telephone shows three codes a minute.

use crate::answers::{assert_cannot_be_told_apart, examined};
use crate::borough::{borough, searched, Borough};
use crate::children::AMELIA;
use crate::office::{Desk, Office};
use crate::wire::until;
use contactpoint_support::{call, request, Answer, Authenticator, ClientCertificate, Enrolment, Person};
use http::Method;
use serde_json::{json, Value};
use std::time::Duration;

/// Tries to log in with a certificate.
async fn tried(borough: &Borough, certificate: &ClientCertificate, body: Value) -> Answer {
    let asked = request(Method::POST, "/v1/session", None, Some(&body));
    examined(call(&mut borough.rig.connection(certificate), asked).await.unwrap())
}

/// An organisation and people who are not logged in yet.
async fn newcomers<const N: usize>(borough: &Borough, name: &str) -> (Office, [Person; N]) {
    let enrolment = Enrolment { name, kind: "voluntary", authority: None, capabilities: &["query"] };
    let office = Office::opened(&borough.rig, &enrolment, &[]).await;
    let slug = name.to_ascii_lowercase().replace(' ', "-");
    let mut people = Vec::new();
    for at in 0..N {
        people.push(office.employ(&format!("{slug}-{at}"), &["practitioner"]).await);
    }
    (office, people.try_into().unwrap_or_else(|_| unreachable!("as many as asked for")))
}

fn credentials(login: &str, password: &str, code: &str) -> Value {
    json!({"login": login, "password": password, "code": code})
}

/// Six digits that are not this person's code at any moment near this one.
fn wrong_code(person: &Person) -> String {
    let near: Vec<String> = (0..8).map(|ahead| person.authenticator.code_of(Authenticator::step_now() + ahead - 3)).collect();
    (0..10).map(|n| format!("{n:06}")).find(|code| !near.contains(code)).unwrap()
}

#[tokio::test]
async fn a_log_in_tells_the_person_who_they_are_and_what_their_duties_are() {
    // J5: everybody is reminded of their duties at log-in; C2: ends after 15 idle minutes
    let borough = borough().await;
    let (office, [person]) = newcomers(borough, "Greeted Charity").await;
    let answer = tried(borough, &office.organisation.certificate, person.log_in_body().await).await.expect_status(201).json();
    assert_eq!(answer["idle_seconds"], 900);
    let name = json!({"given": "Robin", "family": "Tester"});
    assert_eq!(answer["person"], json!({"id": person.id, "name": name, "roles": ["practitioner"]}));
    assert_eq!(answer["organisation"], json!({"id": office.organisation.id, "name": "Greeted Charity", "kind": "voluntary"}));
    assert!(answer["duties"].as_str().unwrap().contains("recorded"));
    assert!(answer["token"].as_str().unwrap().len() >= 43);
}

#[tokio::test]
async fn every_kind_of_failed_log_in_gets_one_and_the_same_answer() {
    // C6: the answer never tells which factor or whether the account exists
    let borough = borough().await;
    let (office, [one, other]) = newcomers(borough, "Mistyping Charity").await;
    let (elsewhere, []) = newcomers(borough, "Another Charity").await;
    let here = &office.organisation.certificate;
    let wrong_password = tried(borough, here, credentials(&one.login, "not the password", &one.authenticator.code().await)).await;
    assert_eq!((wrong_password.status.as_u16(), wrong_password.code().as_str()), (401, "log_in_failed"));
    let wrong_code = tried(borough, here, credentials(&one.login, &one.password, &wrong_code(&one))).await;
    let nobody = tried(borough, here, credentials("nobody-of-this-name", &one.password, "123456")).await;
    let no_name_at_all = tried(borough, here, credentials("NO NAME; --", "", "")).await;
    let from_elsewhere = tried(borough, &elsewhere.organisation.certificate, other.log_in_body().await).await;
    let code = other.authenticator.code().await;
    let first = tried(borough, here, credentials(&other.login, &other.password, &code)).await;
    drop(first.expect_status(201));
    let code_again = tried(borough, here, credentials(&other.login, &other.password, &code)).await;
    for answer in [wrong_code, nobody, no_name_at_all, from_elsewhere, code_again] {
        assert_cannot_be_told_apart(&answer, &wrong_password);
    }
}

#[tokio::test]
async fn a_code_works_once_and_no_older_one_after_it() {
    // C2: a time-based code; identity: a code works once
    let borough = borough().await;
    let (office, [person]) = newcomers(borough, "Replaying Charity").await;
    let here = &office.organisation.certificate;
    let (older, newer) = (person.authenticator.code().await, person.authenticator.code().await);
    drop(tried(borough, here, credentials(&person.login, &person.password, &newer)).await.expect_status(201));
    for replayed in [&newer, &older] {
        drop(tried(borough, here, credentials(&person.login, &person.password, replayed)).await.expect_status(401));
    }
}

/// The waits that are told after each of so many attempts, 0 where none.
async fn waits(borough: &Borough, certificate: &ClientCertificate, login: &str, attempts: usize) -> Vec<u64> {
    let mut told = Vec::new();
    for _ in 0..attempts {
        let answer = tried(borough, certificate, credentials(login, "not the password", "123456")).await.expect_status(401);
        assert_eq!(answer.code(), "log_in_failed");
        told.push(answer.json()["retry_after"].as_u64().unwrap_or(0));
    }
    told
}

#[tokio::test]
async fn failures_delay_longer_and_longer_whether_the_account_exists_or_not() {
    // C6: log-in failures lock with growing delay; the answer never tells whether the account exists
    let borough = borough().await;
    let (office, [person]) = newcomers(borough, "Guessing Charity").await;
    let here = &office.organisation.certificate;
    for login in [person.login.as_str(), "nobody-at-all"] {
        let first = waits(borough, here, login, 4).await;
        assert_eq!(&first[..3], [0, 0, 0], "{login}");
        assert!((1..=2).contains(&first[3]), "{login}: {first:?}");
        // once the delay is over one more attempt is looked at, and the next delay is longer
        until("the end of the delay", || async { (waits(borough, here, login, 1).await == [0]).then_some(()) }).await;
        let second = waits(borough, here, login, 1).await;
        assert!((3..=4).contains(&second[0]), "{login}: {second:?}");
    }
    // the right factors do not help while the delay lasts
    let right = tried(borough, here, person.log_in_body().await).await.expect_status(401);
    assert_eq!((right.code().as_str(), right.headers.contains_key("retry-after")), ("log_in_failed", true));
}

#[tokio::test]
async fn two_certificates_do_not_tell_which_names_exist() {
    // C6: the answer never tells whether the account exists - on whichever of an organisation's certificates, nor on another's
    let borough = borough().await;
    let (office, [person]) = newcomers(borough, "Doubled Charity").await;
    let (elsewhere, []) = newcomers(borough, "Listening Charity").await;
    let second = borough.rig.clients.client("Doubled Charity");
    borough.rig.add_certificate(office.organisation.id, &second).await;
    let (first, third) = (&office.organisation.certificate, &elsewhere.organisation.certificate);
    let mut told = Vec::new();
    for login in [person.login.as_str(), "nobody-at-either"] {
        let mut waited = Vec::new();
        for certificate in [first, &second, first, &second, first, third] {
            waited.push(waits(borough, certificate, login, 1).await[0] > 0);
        }
        told.push(waited);
    }
    assert_eq!(told[0], [false, false, false, true, true, false], "counted for the organisation, and for no other");
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn failed_log_ins_keep_nobody_from_a_fresh_code_and_the_helpdesk_ends_their_delay() {
    // C6: log-in failures delay the log-in; C2: sensitive acts ask for the token again; C5: helpdesk can unlock
    let borough = borough().await;
    let office = borough.open("Jostled School", "school", &["query"]).await;
    let helpdesk = office.employ("jostled-helpdesk", &["helpdesk"]).await;
    let helpdesk = Desk::of(&borough.rig, &office.organisation.certificate, &helpdesk).await;
    let (desk, here) = (office.practitioner(), &office.organisation.certificate);
    let fresh = |code: String| desk.post("/v1/break-glass", json!({"child_number": "4182736451", "reason": "missing", "code": code}));
    assert!(waits(borough, here, &desk.person.login, 4).await[3] > 0);
    assert_eq!(fresh(desk.person.authenticator.code().await).await.code(), "not_found_or_not_yours", "the code was good");

    // the other way round: wrong codes delay the next code of the session, and no log-in
    let wrong = wrong_code(&desk.person);
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(fresh(wrong.clone()).await.expect_status(403).json()["retry_after"].as_u64().unwrap_or(0));
    }
    assert!(told[..3] == [0, 0, 0] && told[3] > 0, "{told:?}");
    assert!(waits(borough, here, &desk.person.login, 8).await.iter().any(|wait| *wait > 1), "the log-in waits for its own failures");
    let verified = ["employee-number", "line-manager", "vetting-month"];
    let path = format!("/v1/people/{}/state", desk.person.id);
    let unlocked = helpdesk.post(&path, json!({"state": "active", "verified": verified})).await;
    drop(unlocked.expect_status(200));
    assert_eq!(waits(borough, here, &desk.person.login, 1).await, [0], "looked at, and not told to wait");
    drop(tried(borough, here, desk.person.log_in_body().await).await.expect_status(201));
}

#[tokio::test]
async fn a_delay_ends_and_the_right_factors_are_taken_again() {
    // C6: lock with growing delay - a delay, and not a way to lock somebody out for good
    let borough = borough().await;
    let (office, [person]) = newcomers(borough, "Patient Charity").await;
    let here = &office.organisation.certificate;
    assert_eq!(waits(borough, here, &person.login, 3).await, [0, 0, 0]);
    let begun = std::time::Instant::now();
    until("the end of the delay", || async {
        // a code that came too early was not looked at and is still good, but this telephone shows each once
        let code = person.authenticator.code_of(Authenticator::step_now());
        let answer = tried(borough, here, credentials(&person.login, &person.password, &code)).await;
        (answer.status == 201).then_some(())
    })
    .await;
    assert!(begun.elapsed() > Duration::from_secs(1), "the delay was there");
}

#[tokio::test]
async fn a_session_is_bound_to_the_certificate_it_began_on() {
    // C2: a session is bound to the client certificate it began on
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    for office in [&borough.river, &borough.council] {
        let thief = Desk { token: teacher.token.clone(), ..office.practitioner().clone() };
        let answer = thief.post("/v1/children/search", searched(AMELIA.0, AMELIA.1)).await.expect_status(401);
        assert_eq!(answer.code(), "not_authenticated", "as if there were no such session");
        drop(thief.send(request(Method::DELETE, "/v1/session", Some(&thief.token), None)).await.expect_status(401));
    }
    drop(teacher.post("/v1/children/search", searched(AMELIA.0, AMELIA.1)).await.expect_status(200));
}

#[tokio::test]
async fn logging_out_ends_the_session_and_no_other() {
    // C2: sessions end
    let borough = borough().await;
    let (office, [one, other]) = newcomers(borough, "Leaving Charity").await;
    let leaving = Desk::of(&borough.rig, &office.organisation.certificate, &one).await;
    let staying = Desk::of(&borough.rig, &office.organisation.certificate, &other).await;
    drop(leaving.post("/v1/children/search", searched("Nobody", "2014-01-01")).await.expect_status(200));
    let gone = leaving.send(request(Method::DELETE, "/v1/session", Some(&leaving.token), None)).await.expect_status(204);
    assert!(gone.body.is_empty());
    let answer = leaving.post("/v1/children/search", searched("Nobody", "2014-01-01")).await.expect_status(401);
    assert_eq!(answer.code(), "session_ended");
    drop(staying.post("/v1/children/search", searched("Nobody", "2014-01-01")).await.expect_status(200));
}

#[tokio::test]
async fn nothing_is_done_for_somebody_without_a_session() {
    // C2: log-in takes two factors; the certificate alone opens no record
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    let paths = ["/v1/children/search", "/v1/children/view", "/v1/audit/who-saw", "/v1/feeds", "/v1/people", "/v1/feeds/1/finish"];
    for path in paths {
        let answer = teacher.send(request(Method::POST, path, None, Some(&json!({})))).await.expect_status(401);
        assert_eq!(answer.code(), "not_authenticated", "{path}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    for token in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "../../../etc/passwd", &"a".repeat(5000)] {
        let guessing = Desk { token: token.to_owned(), ..teacher.clone() };
        let answer = guessing.post("/v1/children/search", searched(AMELIA.0, AMELIA.1)).await;
        assert_eq!(answer.status, 401, "{token}");
    }
}

#[tokio::test]
async fn a_password_that_was_never_set_is_no_way_in() {
    // C2: a password and a code, both always looked at
    let borough = borough().await;
    let (office, [person]) = newcomers(borough, "Empty Charity").await;
    for (password, code) in [("", ""), ("", "000000"), ("\u{0}", "123456")] {
        let answer = tried(borough, &office.organisation.certificate, credentials(&person.login, password, code)).await;
        assert_eq!(answer.status, 401);
    }
}
