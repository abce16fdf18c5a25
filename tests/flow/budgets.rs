//! The day's ceiling of records seen, over the wire and across a restart (rule D6).

use crate::answers::assert_cannot_be_told_apart;
use crate::borough::{first_number, programs, searched, settings, viewed};
use crate::children::{self, sheet, AMELIA, MARGIT};
use crate::office::{Desk, Office, USUAL};
use contactpoint_support::{Enrolment, Rig};
use serde_json::json;

/// A council with a school in its area, whose roll is fed, and where a practitioner may be shown twenty-one children a day: a page and one.
async fn small_borough() -> (Rig, Office, Vec<String>) {
    let rig = Rig::started(programs(), Some(&settings(&[("practitioner", "21")])));
    let both: &[&str] = &["query", "feed"];
    let council = Enrolment { name: "Sandford Council", kind: "council", authority: None, capabilities: both };
    let council = Office::opened(&rig, &council, &[]).await;
    let school = Enrolment { name: "Oak Lane School", kind: "school", authority: Some(council.organisation.id), capabilities: both };
    let school = Office::opened(&rig, &school, &[USUAL[0], USUAL[1], &["practitioner"]]).await;
    let steward = school.steward();
    let roll = sheet("school-roll", &children::oak_lane_roll());
    let report = contactpoint_support::feed(&mut steward.connection(), &steward.token, "school-roll", &roll).await;
    assert_eq!(report["rejected_count"], 0, "{report}");
    let scout = &school.people()[2];
    let mut numbers = Vec::new();
    for (family, born) in [AMELIA, MARGIT] {
        numbers.push(first_number(scout, family, born).await.unwrap());
    }
    // of the scout's places nineteen are left: no page fits, whether or not there is anybody on it
    for family in ["Brackenbury", "Nobody"] {
        assert_eq!(scout.post("/v1/children/search", searched(family, "2015-05-01")).await.expect_status(403).code(), "over_budget");
    }
    (rig, school, numbers)
}

/// The supervisor of the school's people, logged in.
async fn supervisor(rig: &Rig, school: &Office) -> Desk {
    Desk::of(rig, &school.organisation.certificate, &school.organisation.supervisor).await
}

async fn again(rig: &Rig, school: &Office, desk: &Desk) -> Desk {
    let token = rig.log_in(&mut rig.connection(&school.organisation.certificate), &desk.person).await;
    Desk::in_session(rig, &school.organisation.certificate, &desk.person, token)
}

#[tokio::test]
async fn nobody_is_shown_more_children_in_a_day_than_the_ceiling_not_even_by_way_of_a_restart() {
    // D6: each person has a daily ceiling of records seen, by role. Over it: refused and alerted
    let (mut rig, school, numbers) = small_borough().await;
    let teacher = school.practitioner().clone();
    for number in [&numbers[0], &numbers[0], &numbers[1]] {
        drop(teacher.post("/v1/children/view", viewed(number)).await.expect_status(200));
    }
    let over = |desk: Desk| async move { desk.post("/v1/children/search", searched("Brackenbury", "2015-05-01")).await };
    let refused = over(teacher.clone()).await.expect_status(403);
    assert_eq!(refused.code(), "over_budget");
    // D1: a search that would list somebody and one that would not are refused alike
    let nobody = teacher.post("/v1/children/search", searched("Nobody", "2015-05-01")).await;
    assert_cannot_be_told_apart(&nobody, &refused);

    rig.kill();
    rig.start();
    let teacher = again(&rig, &school, &teacher).await;
    assert_eq!(over(teacher.clone()).await.expect_status(403).code(), "over_budget", "counted again from the log");
    drop(teacher.post("/v1/children/view", viewed(&numbers[1])).await.expect_status(200));

    let queue = supervisor(&rig, &school).await.post("/v1/alerts/queue", json!({})).await.expect_status(200).json();
    let told: Vec<_> = queue["alerts"].as_array().unwrap().iter().map(|alert| (&alert["kind"], &alert["person"]["id"])).collect();
    let (scout, teacher) = (json!(school.people()[2].person.id), json!(teacher.person.id));
    assert_eq!(told, [(&json!("over-budget"), &scout), (&json!("over-budget"), &teacher)], "once a person and day");
}

#[tokio::test]
async fn of_many_looks_at_once_only_as_many_are_answered_as_there_are_places() {
    // D6: two looks at once cannot both have the last place
    let (_rig, school, numbers) = small_borough().await;
    let teacher = school.practitioner();
    drop(teacher.post("/v1/children/view", viewed(&numbers[0])).await.expect_status(200));
    let asked: Vec<_> = (1..=21)
        .map(|day| {
            let teacher = teacher.clone();
            tokio::spawn(async move { teacher.post("/v1/children/search", searched("Brackenbury", &format!("2015-05-{day:02}"))).await })
        })
        .collect();
    let mut answered = 0;
    for asked in asked {
        let answer = asked.await.unwrap();
        match answer.status.as_u16() {
            200 => answered += answer.json()["hits"].as_array().unwrap().len(),
            _ => assert_eq!(answer.expect_status(403).code(), "over_budget"),
        }
    }
    assert!(answered <= 1, "after one of them no page fits: {answered}");
    // what the refused ones would have needed is given back: the places that are left are there, one by one
    for number in numbers.iter().skip(1) {
        drop(teacher.post("/v1/children/view", viewed(number)).await.expect_status(200));
    }
}
