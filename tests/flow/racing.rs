//! Two things at the same moment, and many one after the other: what comes of rights that change under way, and of guessing numbers.

use crate::answers::assert_cannot_be_told_apart;
use crate::borough::{borough, searched, viewed};
use crate::children::AMELIA;
use crate::office::{Desk, Office};
use crate::wire::{kept, promised};
use contactpoint_domain::ChildNumber;
use contactpoint_support::{call, request, Enrolment};
use http::Method;
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::Arc;

/// What a stream of look-ups met.
#[derive(Default)]
struct Met {
    is_suspended: AtomicBool,
    answered: AtomicU32,
    refused: AtomicU32,
    /// Answered although it was begun after the suspension had been confirmed.
    late: AtomicU32,
}

/// Looks children up on one connection until it has been refused ten times.
async fn look_on(desk: Desk, met: Arc<Met>) {
    let mut open = desk.connection();
    let mut refused = 0;
    while refused < 10 {
        let begun_late = met.is_suspended.load(Ordering::SeqCst);
        let look = request(Method::POST, "/v1/children/search", Some(&desk.token), Some(&searched(AMELIA.0, AMELIA.1)));
        let answer = call(&mut open, look).await.unwrap();
        match answer.status.as_u16() {
            200 => {
                met.answered.fetch_add(1, Ordering::SeqCst);
                met.late.fetch_add(u32::from(begun_late), Ordering::SeqCst);
            }
            _ => {
                assert_eq!(answer.expect_status(403).code(), "organisation_suspended");
                refused += 1;
                met.refused.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

#[tokio::test]
async fn a_suspension_among_running_requests_lets_none_through_that_begins_after_it() {
    // B4: suspension takes effect on the next request, also on connections that are open
    let borough = borough().await;
    let office = borough.open("Racing School", "school", &["query"]).await;
    let met = Arc::new(Met::default());
    let streams: Vec<_> = (0..8).map(|_| tokio::spawn(look_on(office.practitioner().clone(), Arc::clone(&met)))).collect();
    while met.answered.load(Ordering::SeqCst) < 50 {
        tokio::task::yield_now().await;
    }
    let suspend = format!("/v1/organisations/{}/suspend", office.organisation.id);
    drop(borough.rig.as_officer(Method::POST, &suspend, Some(&json!({}))).await.expect_status(200));
    met.is_suspended.store(true, Ordering::SeqCst);
    for stream in streams {
        stream.await.unwrap();
    }
    assert_eq!(met.late.load(Ordering::SeqCst), 0, "begun after the suspension, and answered");
    assert_eq!(met.refused.load(Ordering::SeqCst), 80);
}

#[tokio::test]
async fn what_changes_before_the_last_byte_has_come_is_met_by_the_request() {
    // B4: suspension takes effect on the next request, also on connections that are open - and on what is still on its way; C4: roles
    let borough = borough().await;
    let office = borough.open("Dawdling School", "school", &["query"]).await;
    let desk = office.practitioner();
    let body = searched(AMELIA.0, AMELIA.1);
    let begun = || async {
        let length = body.to_string().len();
        promised(&desk.server, &desk.tls, "/v1/children/search", &desk.token, length).await.unwrap_or_else(|raw| panic!("{}", raw.head))
    };
    assert_eq!(kept(begun().await, &body).await.status, 200);
    let waiting = begun().await;
    let path = format!("/v1/people/{}", desk.person.id);
    drop(office.administrator.post(&path, json!({"roles": ["data-steward"]})).await.expect_status(200));
    let answer = kept(waiting, &body).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"));
    let waiting = begun().await;
    let suspend = format!("/v1/organisations/{}/suspend", office.organisation.id);
    drop(borough.rig.as_officer(Method::POST, &suspend, Some(&json!({}))).await.expect_status(200));
    let answer = kept(waiting, &body).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "organisation_suspended"));
}

#[tokio::test]
async fn of_two_who_suspend_each_other_at_the_same_moment_one_is_too_late() {
    // B4, C4: what a person may is what they may when their turn has come, not when they asked
    let borough = borough().await;
    let name = "Quarrelling School";
    let enrolment = Enrolment { name, kind: "school", authority: Some(borough.council.organisation.id), capabilities: &["query"] };
    let office = Office::opened(&borough.rig, &enrolment, &[&["administrator"], &["administrator"]]).await;
    let [one, other] = [&office.people()[0], &office.people()[1]];
    let set = |by: &Desk, person: u64, state: &'static str| {
        let (by, path) = (by.clone(), format!("/v1/people/{person}/state"));
        async move { by.post(&path, json!({ "state": state })).await.status.as_u16() }
    };
    for _ in 0..10 {
        let (here, there) = tokio::join!(set(one, other.person.id, "suspended"), set(other, one.person.id, "suspended"));
        let mut statuses = [here, there];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403], "one of the two, and never both");
        let suspended = if here == 200 { other } else { one };
        assert_eq!(set(&office.administrator, suspended.person.id, "active").await, 200);
    }
}

#[tokio::test]
async fn two_changes_at_the_same_moment_do_not_bring_about_what_neither_may() {
    // C3: no two supervise each other, also where both are set at once
    let borough = borough().await;
    let name = "Merging School";
    let enrolment = Enrolment { name, kind: "school", authority: Some(borough.council.organisation.id), capabilities: &["query"] };
    let both: &[&str] = &["practitioner", "supervisor"];
    let office = Office::opened(&borough.rig, &enrolment, &[both, both]).await;
    let [one, other] = [office.people()[0].person.id, office.people()[1].person.id];
    let first = office.organisation.supervisor.id;
    let under = |person: u64, supervisor: u64| {
        let (administrator, path) = (office.administrator.clone(), format!("/v1/people/{person}"));
        async move { administrator.post(&path, json!({ "supervisor": supervisor })).await }
    };
    for _ in 0..10 {
        let (here, there) = tokio::join!(under(one, other), under(other, one));
        let mut statuses = [here.status.as_u16(), there.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "one of the two, and never both");
        for person in [one, other] {
            drop(under(person, first).await.expect_status(200));
        }
    }
}

#[tokio::test]
async fn counting_through_the_child_numbers_finds_nobody_and_tells_nothing() {
    // D1, J3: a child of others and one that is not there get one answer; A4: the number means nothing
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let office = borough.open("Counting School", "school", &["query"]).await;
    let desk = office.practitioner();
    let body: u32 = number[..9].parse().unwrap();
    let known = desk.post("/v1/children/view", viewed(&number)).await.expect_status(404);
    for guess in (1..=25).flat_map(|step| [body.saturating_sub(step), (body + step) % 1_000_000_000]) {
        let guess = ChildNumber::with_body(guess);
        let answer = desk.post("/v1/children/view", viewed(guess.as_str())).await;
        assert_cannot_be_told_apart(&answer, &known);
    }
}
