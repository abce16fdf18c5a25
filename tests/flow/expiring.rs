//! What runs out by itself: an accreditation, a vetting check. The calendar goes on, the connection and the session stay (rules B2, B4, C1).

use crate::borough::{programs, searched};
use crate::children::AMELIA;
use crate::office::{Desk, Office, USUAL};
use contactpoint_client::Connection;
use contactpoint_support::{call, checks, day, request, Enrolment, MovedClock, Rig};
use http::Method;
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Somebody's open connection, and their session.
struct Open<'a> {
    desk: &'a Desk,
    connection: Connection,
}

impl<'a> Open<'a> {
    fn of(desk: &'a Desk) -> Self {
        Self { desk, connection: desk.connection() }
    }

    /// A search on it: "" where it is answered, else the refusal's code.
    async fn knock(&mut self) -> String {
        let look = request(Method::POST, "/v1/children/search", Some(&self.desk.token), Some(&searched(AMELIA.0, AMELIA.1)));
        let answer = call(&mut self.connection, look).await.unwrap();
        let expected = if answer.code().is_empty() { 200 } else { 403 };
        answer.expect_status(expected).code()
    }
}

#[tokio::test]
async fn what_runs_out_at_midnight_refuses_the_next_request_of_an_open_connection() {
    // B2: accreditation is per capability and expires; B4: on the next request, also on connections that are open; C1: renewed every three years
    let clock = MovedClock::made();
    let rig = Rig::started(clock.with_daemon_of(programs()), None);
    let school = |name| Enrolment { name, kind: "school", authority: None, capabilities: &["query", "feed"] };
    let expiring = Office::opened(&rig, &school("Expiring School"), USUAL).await;
    let lapsing = Office::opened(&rig, &school("Lapsing School"), USUAL).await;
    let until_tomorrow = json!({"capabilities": ["query"], "expires": day(1)});
    let path = format!("/v1/organisations/{}/accreditations", expiring.organisation.id);
    drop(rig.as_officer(Method::POST, &path, Some(&until_tomorrow)).await.expect_status(200));
    // three years are 1,095 days or one more: it lapses within the next week
    let mut old = checks();
    old["vetted"] = json!(day(-1090));
    let person = format!("/v1/people/{}", lapsing.practitioner().person.id);
    drop(lapsing.administrator.post(&person, json!({ "checks": old })).await.expect_status(200));

    let [mut expiring, mut lapsing] = [Open::of(expiring.practitioner()), Open::of(lapsing.practitioner())];
    for _ in ["today", "on its last day"] {
        assert_eq!([expiring.knock().await, lapsing.knock().await], ["", ""]);
        clock.move_on(DAY);
    }
    assert_eq!([expiring.knock().await.as_str(), lapsing.knock().await.as_str()], ["accreditation_expired", ""]);
    clock.move_on(5 * DAY);
    assert_eq!([expiring.knock().await.as_str(), lapsing.knock().await.as_str()], ["accreditation_expired", "vetting_lapsed"]);
}
