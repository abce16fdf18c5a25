//! The glass and what is held back: a shield that break-glass does not open and an override does, a record for named people that neither
//! reaches (rules D4, D8, E3, E5).

use crate::answers::assert_cannot_be_told_apart;
use crate::borough::viewed;
use crate::children::AMELIA;
use crate::glasshouse::{acts, judge, queue, Glasshouse, MINUTE};
use crate::office::Desk;
use contactpoint_support::day;
use serde_json::{json, Value};

async fn view(desk: &Desk, number: &str) -> Value {
    desk.post("/v1/children/view", viewed(number)).await.expect_status(200).json()
}

/// Everything that a shielded child's view may say.
fn is_narrow(view: &Value) -> bool {
    let members: Vec<&str> = view.as_object().unwrap().keys().map(String::as_str).collect();
    members.iter().all(|member| ["child_number", "name", "date_of_birth", "shielded", "entry"].contains(member)) && view["shielded"] == true
}

#[tokio::test]
async fn a_shield_stands_when_the_glass_is_broken_and_an_override_of_it_starts_an_investigation() {
    // E5: override is a right of its own, per record and time-boxed like break-glass, and starts an investigation
    let house = Glasshouse::built().await;
    let (teacher, officer, amelia) = (&house.teacher, &house.council.people()[0], house.amelia.as_str());
    let shield = json!({"child_number": amelia, "reason": "risk-of-harm", "review": day(90)});
    drop(officer.post("/v1/children/shield", shield).await.expect_status(200));

    // E3: her postcode is hidden, so she is not found by it; the answer is that of somebody who is not there
    let identity = |family: &str, code: String| json!({"family_name": family, "given_name": "Amelia Rose", "date_of_birth": AMELIA.1, "postcode": "ZZ99 1AA", "reason": "missing", "code": code});
    let found = teacher.post("/v1/break-glass", identity("Thornbury", house.code(teacher).await)).await.expect_status(404);
    let nobody = teacher.post("/v1/break-glass", identity("Nobody", house.code(teacher).await)).await;
    assert_cannot_be_told_apart(&found, &nobody);
    assert_eq!(queue(&house.supervisor).await, json!([]));
    house.clock.move_on(2 * MINUTE);

    // by number the glass breaks and the shield stands
    drop(house.break_glass(teacher, amelia).await.expect_status(200));
    assert!(is_narrow(&view(teacher, amelia).await));

    // overridden, all of it is shown: to this session, for this child, for half an hour
    let asked = |number: &str, code: String| json!({"child_number": number, "reason": "section-47", "code": code});
    drop(teacher.post("/v1/shield-override", asked(amelia, house.code(teacher).await)).await.expect_status(200));
    let whole = view(teacher, amelia).await;
    assert!(whole["shielded"] == true && whole["address"]["postcode"] == "ZZ99 1AA", "{whole}");
    let kinds: Vec<Value> = acts(&house.supervisor).await.iter().map(|alert| alert["kind"].clone()).collect();
    assert_eq!(kinds, ["break-glass", "shield-override"]);
    let told = officer.post("/v1/alerts/queue", json!({})).await.expect_status(200);
    let waiting = told.json()["alerts"].clone();
    let investigation = waiting.as_array().unwrap().iter().find(|alert| alert["kind"] == "investigation").unwrap();
    assert_eq!((&investigation["child_number"], &investigation["reason"]), (&json!(amelia), &json!("section-47")));
    assert_eq!(judge(&house.supervisor, investigation, "settled").await.expect_status(404).code(), "not_found_or_not_yours");
    drop(judge(officer, investigation, "settled").await.expect_status(200));
    house.clock.move_on(30 * MINUTE);
    assert_eq!(teacher.post("/v1/children/view", viewed(amelia)).await.expect_status(404).code(), "not_found_or_not_yours");

    // whether there is a shield is not told: the answers for a child with one and without have the same members
    let plain = teacher.post("/v1/shield-override", asked(&house.other, house.code(teacher).await)).await.expect_status(200).json();
    let members: Vec<&String> = plain.as_object().unwrap().keys().collect();
    assert_eq!(members, ["child_number", "entry", "until"]);
}

/// What waits for somebody about records for named people; near-misses are told beside them (rule D7).
async fn of_named(desk: &Desk) -> Vec<Value> {
    queue(desk).await.as_array().unwrap().iter().filter(|alert| alert["kind"] == "small-audience").cloned().collect()
}

#[tokio::test]
async fn neither_reaches_a_record_for_named_people_and_the_attempt_is_told_to_the_supervisor_alone() {
    // D8: refuses all but named users; the attempt fails like a search with no hit, is audited and alerts
    let house = Glasshouse::built().await;
    let (teacher, officer, amelia) = (&house.teacher, &house.council.people()[0], house.amelia.as_str());
    let people = [house.oak.practitioner().person.id, officer.person.id];
    let named = json!({"child_number": amelia, "audience": {"people": people}, "code": house.code(officer).await});
    drop(officer.post("/v1/children/audience", named).await.expect_status(200));
    let nobody = contactpoint_domain::ChildNumber::with_body(123_456_789).as_str().to_owned();
    for path in ["/v1/break-glass", "/v1/shield-override"] {
        let asked = |number: &str, code: String| json!({"child_number": number, "reason": "missing", "code": code});
        let before = of_named(&house.supervisor).await.len();
        let refused = teacher.post(path, asked(amelia, house.code(teacher).await)).await.expect_status(404);
        let not_there = teacher.post(path, asked(&nobody, house.code(teacher).await)).await;
        assert_cannot_be_told_apart(&refused, &not_there);
        let waiting = of_named(&house.supervisor).await;
        assert_eq!(waiting.len(), before + 1, "{waiting:?}");
        assert_eq!(waiting[before]["child_number"], json!(amelia));
        assert_eq!(teacher.post("/v1/children/view", viewed(amelia)).await.expect_status(404).code(), "not_found_or_not_yours");
        house.clock.move_on(2 * MINUTE);
    }
    let identity = json!({"family_name": "Thornbury", "given_name": "Amelia Rose", "date_of_birth": AMELIA.1, "postcode": "ZZ99 1AA",
        "reason": "missing", "code": house.code(teacher).await});
    assert_eq!(teacher.post("/v1/break-glass", identity).await.expect_status(404).code(), "not_found_or_not_yours");

    // D7: the auditor has them among the flags; whoever is named is no news to anybody
    let auditor = &house.auditor.people()[0];
    let days = json!({"from": day(-1), "to": day(1)});
    let flags = auditor.post("/v1/audit/flags", days).await.expect_status(200).json();
    let small = flags["alerts"].as_array().unwrap().iter().filter(|alert| alert["kind"] == "small-audience");
    assert!(small.filter(|alert| alert["child_number"] == amelia).count() >= 3, "{flags}");
    assert_eq!(view(house.oak.practitioner(), amelia).await["name"]["family"], "Thornbury");
}
