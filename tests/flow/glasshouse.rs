//! Two schools, their council and the auditors, under a calendar that a test can move: for what takes half an hour, a week, a month.

use crate::borough::{first_number, programs};
use crate::children::{oak_lane_roll, sheet, AMELIA};
use crate::office::{Desk, Office, USUAL};
use contactpoint_support::{feed, request, Answer, Enrolment, MovedClock, Rig};
use http::Method;
use serde_json::{json, Value};
use std::time::Duration;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) struct Glasshouse {
    pub(crate) clock: MovedClock,
    pub(crate) rig: Rig,
    pub(crate) council: Office,
    /// Its roll is fed; the children below are on it.
    pub(crate) oak: Office,
    /// Knows no child.
    pub(crate) river: Office,
    pub(crate) auditor: Office,
    /// Of River Road: may see nobody of Oak Lane.
    pub(crate) teacher: Desk,
    pub(crate) colleague: Desk,
    /// Who judges both.
    pub(crate) supervisor: Desk,
    /// Amelia's number, and another child's.
    pub(crate) amelia: String,
    pub(crate) other: String,
}

impl Glasshouse {
    pub(crate) async fn built() -> Self {
        let clock = MovedClock::made();
        let rig = Rig::started(clock.with_daemon_of(programs()), None);
        let council = Enrolment { name: "Sandford Council", kind: "council", authority: None, capabilities: &["query", "shield"] };
        let council = Office::opened(&rig, &council, &[&["shielding-officer"]]).await;
        let area = Some(council.organisation.id);
        let school = |name, capabilities| Enrolment { name, kind: "school", authority: area, capabilities };
        let oak = Office::opened(&rig, &school("Oak Lane School", &["query", "feed"]), USUAL).await;
        let practitioners: &[&[&str]] = &[&["practitioner"], &["practitioner"]];
        let river = Office::opened(&rig, &school("River Road Academy", &["query", "shield-override"]), practitioners).await;
        let auditor = Enrolment { name: "Directory Audit Office", kind: "auditor", authority: None, capabilities: &["audit"] };
        let auditor = Office::opened(&rig, &auditor, &[&["auditor"]]).await;
        let roll = sheet("school-roll", &oak_lane_roll());
        let steward = oak.steward();
        assert_eq!(feed(&mut steward.connection(), &steward.token, "school-roll", &roll).await["rejected_count"], 0);
        let amelia = first_number(oak.practitioner(), AMELIA.0, AMELIA.1).await.unwrap();
        let other = first_number(oak.practitioner(), "Wetherall", "2013-07-21").await.unwrap();
        let (teacher, colleague) = (river.people()[0].clone(), river.people()[1].clone());
        let supervisor = Desk::of(&rig, &river.organisation.certificate, &river.organisation.supervisor).await;
        Self { clock, rig, council, oak, river, auditor, teacher, colleague, supervisor, amelia, other }
    }

    /// A code of this person's that works now.
    pub(crate) async fn code(&self, desk: &Desk) -> String {
        desk.person.authenticator.code_ahead(self.clock.ahead()).await
    }

    /// Breaks the glass to a child by number.
    pub(crate) async fn break_glass(&self, desk: &Desk, number: &str) -> Answer {
        let code = self.code(desk).await;
        desk.post("/v1/break-glass", json!({"child_number": number, "reason": "missing", "code": code})).await
    }

    /// Another session of the same person.
    pub(crate) async fn another_session(&self, desk: &Desk) -> Desk {
        let person = &desk.person;
        let body = json!({"login": person.login, "password": person.password, "code": self.code(desk).await});
        let answer = desk.send(request(Method::POST, "/v1/session", None, Some(&body))).await.expect_status(201).json();
        Desk { token: answer["token"].as_str().unwrap().to_owned(), ..desk.clone() }
    }
}

/// What waits for somebody.
pub(crate) async fn queue(desk: &Desk) -> Value {
    desk.post("/v1/alerts/queue", json!({})).await.expect_status(200).json()["alerts"].clone()
}

/// The same without what looks raise by themselves (rule D7).
pub(crate) async fn acts(desk: &Desk) -> Vec<Value> {
    let of_an_act = |alert: &Value| ["break-glass", "shield-override"].iter().any(|kind| alert["kind"] == *kind);
    queue(desk).await.as_array().unwrap().iter().filter(|alert| of_an_act(alert)).cloned().collect()
}

/// A judgement.
pub(crate) async fn judge(desk: &Desk, alert: &Value, disposition: &str) -> Answer {
    desk.post(&format!("/v1/alerts/{}/judge", alert["id"]), json!({"disposition": disposition})).await
}
