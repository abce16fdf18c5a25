//! The glass broken to one child, from the teacher's code to the supervisor's judgement (rules D4, D5, E5), with days in between.

use crate::answers::assert_cannot_be_told_apart;
use crate::borough::viewed;
use crate::children::AMELIA;
use crate::glasshouse::{acts, judge, queue, Glasshouse, DAY, MINUTE};
use crate::office::Desk;
use http::Method;
use serde_json::{json, Value};

async fn sees(desk: &Desk, number: &str) -> bool {
    let answer = desk.post("/v1/children/view", viewed(number)).await;
    match answer.status.as_u16() {
        200 => true,
        404 => false,
        other => panic!("{other}: {}", String::from_utf8_lossy(&answer.body)),
    }
}

#[tokio::test]
async fn the_glass_is_broken_to_one_child_for_half_an_hour_and_the_supervisor_is_told_of_the_event_alone() {
    // D4: break-glass reaches one child outside the scope: typed reason, fresh token, one record, ends when left or after 30 minutes. The
    // supervisor is alerted in the same transaction; the alert carries the event and the child number, not the record
    let house = Glasshouse::built().await;
    let (teacher, amelia, other) = (&house.teacher, house.amelia.as_str(), house.other.as_str());
    assert!(!sees(teacher, amelia).await && queue(&house.supervisor).await == json!([]));

    let opened = house.break_glass(teacher, amelia).await.expect_status(200).json();
    assert_eq!(opened["child_number"], amelia);
    assert!(opened["until"].is_string() && opened["entry"].is_u64(), "{opened}");
    assert!(sees(teacher, amelia).await && !sees(teacher, other).await, "one record");
    let another = house.another_session(teacher).await;
    assert!(!sees(&another, amelia).await, "it is of the session in which it was asked for");
    assert!(!sees(&house.colleague, amelia).await);

    // the supervisor reads of the event; nothing in the answer is of the record
    let waiting = house.supervisor.post("/v1/alerts/queue", json!({})).await.expect_status(200);
    let told = String::from_utf8(waiting.body.to_vec()).unwrap();
    assert!(!["Thornbury", "Amelia", "2014-03-09", "ZZ99", "Lantern"].iter().any(|of_the_record| told.contains(of_the_record)), "{told}");
    let alert = waiting.json()["alerts"][0].clone();
    assert_eq!((&alert["kind"], &alert["child_number"], &alert["reason"]), (&json!("break-glass"), &json!(amelia), &json!("missing")));
    assert_eq!((&alert["person"]["id"], &alert["overdue"]), (&json!(teacher.person.id), &json!(false)));
    assert_eq!(house.supervisor.post("/v1/children/view", viewed(amelia)).await.expect_status(403).code(), "forbidden");
    assert_eq!(queue(&house.council.people()[0]).await, json!([]));

    // a second child takes the place of the first
    house.clock.move_on(2 * MINUTE);
    drop(house.break_glass(teacher, other).await.expect_status(200));
    assert!(sees(teacher, other).await && !sees(teacher, amelia).await);

    // D4: one record for a person, not for each of their sessions: what another session opens ends what this one had
    house.clock.move_on(2 * MINUTE);
    drop(house.break_glass(&another, amelia).await.expect_status(200));
    assert!(sees(&another, amelia).await && !sees(&another, other).await, "and it does not have the first one's");
    assert!(!sees(teacher, amelia).await && !sees(teacher, other).await, "ended");
    assert_eq!(teacher.post("/v1/break-glass/leave", json!({})).await.expect_status(200).json()["child_number"], Value::Null);
    assert!(sees(&another, amelia).await, "nobody leaves for another session");
    drop(house.break_glass(teacher, other).await.expect_status(200));

    // left, and left again
    let left = teacher.post("/v1/break-glass/leave", json!({})).await.expect_status(200).json();
    assert_eq!(left["child_number"], other);
    assert!(!sees(teacher, other).await);
    assert_eq!(teacher.post("/v1/break-glass/leave", json!({})).await.expect_status(200).json()["child_number"], Value::Null);

    // after half an hour it ends by itself, in a session that goes on
    house.clock.move_on(2 * MINUTE);
    let exact = json!({"family_name": "THORNBURY", "given_name": "Amelia Rose", "date_of_birth": AMELIA.1, "postcode": "zz991aa",
        "reason": "concern", "code": house.code(teacher).await});
    assert_eq!(teacher.post("/v1/break-glass", exact).await.expect_status(200).json()["child_number"], amelia);
    house.clock.move_on(29 * MINUTE);
    assert!(sees(teacher, amelia).await);
    house.clock.move_on(MINUTE);
    assert!(!sees(teacher, amelia).await);

    // with the log-out it is gone as well, and the next session does not have it
    drop(house.break_glass(teacher, amelia).await.expect_status(200));
    drop(teacher.send(contactpoint_support::request(Method::DELETE, "/v1/session", Some(&teacher.token), None)).await.expect_status(204));
    house.clock.move_on(2 * MINUTE);
    assert!(!sees(&house.another_session(teacher).await, amelia).await);
    let waiting = queue(&house.supervisor).await;
    let told = |kind: &str| waiting.as_array().unwrap().iter().filter(|alert| alert["kind"] == kind).count();
    // D7: five looks for nothing within ten minutes are told as well
    assert_eq!((told("break-glass"), told("near-misses")), (6, 1), "{waiting}");
}

#[tokio::test]
async fn a_child_who_is_not_there_a_guess_and_a_caller_who_may_not_are_refused_and_nobody_is_let_in_without_a_fresh_code() {
    // D4: typed reason, fresh token, one record; C2: sensitive acts ask for the token again; C6: growing delay
    let house = Glasshouse::built().await;
    let (teacher, amelia) = (&house.teacher, house.amelia.as_str());
    let asked = |code: &str| json!({"child_number": amelia, "reason": "missing", "code": code});
    let code = house.code(teacher).await;
    drop(teacher.post("/v1/break-glass", asked(&code)).await.expect_status(200));
    drop(teacher.post("/v1/break-glass/leave", json!({})).await.expect_status(200));
    // the code again; somebody else's; the third failure makes everybody wait, good code or not
    assert_eq!(teacher.post("/v1/break-glass", asked(&code)).await.expect_status(403).code(), "not_confirmed");
    for wrong in [house.code(&house.colleague).await, String::new()] {
        assert_eq!(teacher.post("/v1/break-glass", asked(&wrong)).await.expect_status(403).code(), "not_confirmed");
    }
    let early = teacher.post("/v1/break-glass", asked(&house.code(teacher).await)).await.expect_status(403).json();
    assert!(early["code"] == "not_confirmed" && early["retry_after"].as_u64().is_some(), "{early}");
    assert!(!sees(teacher, amelia).await);
    assert_eq!(acts(&house.supervisor).await.len(), 1, "what was refused raises no alert");
    house.clock.move_on(2 * MINUTE);

    // a number that nobody has, an identity of which one value is another's: one answer
    let nobody = house.break_glass(teacher, "0000000000").await;
    assert_eq!(nobody.code(), "invalid_value", "the check digit");
    let nobody = house.break_glass(teacher, &free_number(amelia)).await.expect_status(404);
    let identity = |family: &str, postcode: &str, code: String| json!({"family_name": family, "given_name": "Amelia Rose", "date_of_birth": AMELIA.1, "postcode": postcode, "reason": "missing", "code": code});
    house.clock.move_on(2 * MINUTE);
    for (family, postcode) in [("Thornbury", "ZZ99 1AD"), ("Thornberry", "ZZ99 1AA")] {
        let guess = teacher.post("/v1/break-glass", identity(family, postcode, house.code(teacher).await)).await;
        assert_cannot_be_told_apart(&guess, &nobody);
    }
    house.clock.move_on(2 * MINUTE);
    // less than all of it, or more than the number, is no way to name a child
    for body in [
        json!({"family_name": "Thornbury", "date_of_birth": AMELIA.1, "reason": "missing", "code": house.code(teacher).await}),
        json!({"child_number": amelia, "postcode": "ZZ99 1AA", "reason": "missing", "code": house.code(teacher).await}),
    ] {
        assert_eq!(teacher.post("/v1/break-glass", body).await.expect_status(422).code(), "search_too_wide");
    }
    house.clock.move_on(2 * MINUTE);
    let everyday = json!({"child_number": amelia, "reason": "coordination", "code": house.code(teacher).await});
    assert_eq!(teacher.post("/v1/break-glass", everyday).await.expect_status(403).code(), "forbidden");
    for desk in [&house.supervisor, &house.auditor.people()[0], &house.council.people()[0], &house.river.administrator] {
        assert_eq!(house.break_glass(desk, amelia).await.expect_status(403).code(), "forbidden");
    }
    assert!(!sees(teacher, amelia).await);

    // F3: who had the glass broken, and who tried, is in the answer to who saw this child
    let asked = json!({"child_number": amelia, "reason": "audit"});
    let looks = house.auditor.people()[0].post("/v1/audit/who-saw", asked).await.expect_status(200).json();
    let tries: Vec<&Value> = looks["looks"].as_array().unwrap().iter().filter(|look| look["operation"] == "break-glass").collect();
    let outcomes: Vec<&str> = tries.iter().map(|look| look["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "answered").count(), 1, "{outcomes:?}");
    // F1: every attempt, with child and reason: the code again, somebody else's, none, and one that came too early
    let without_a_code: Vec<_> = tries.iter().filter(|look| look["outcome"] == "not-confirmed").collect();
    assert_eq!(without_a_code.len(), 4, "{outcomes:?}");
    assert!(without_a_code.iter().all(|look| look["reason"] == "missing" && look["person"]["id"] == teacher.person.id), "{looks}");
    assert!(outcomes.contains(&"reason-forbids") && outcomes.contains(&"role-forbids"), "{outcomes:?}");
}

/// A number with a good check digit that is not this one.
fn free_number(taken: &str) -> String {
    let number = contactpoint_domain::ChildNumber::with_body(123_456_789).as_str().to_owned();
    assert_ne!(number, taken);
    number
}

#[tokio::test]
async fn a_supervisor_judges_once_and_nobody_judges_their_own_act_or_what_was_sent_to_others() {
    // D5: the supervisor must judge each alert justified or not; C3: a supervisor may have no access to any child's record
    let house = Glasshouse::built().await;
    drop(house.break_glass(&house.teacher, &house.amelia).await.expect_status(200));
    let alert = acts(&house.supervisor).await[0].clone();
    for desk in [&house.teacher, &house.auditor.people()[0], &house.river.administrator] {
        let refused = judge(desk, &alert, "justified").await.expect_status(403);
        assert_eq!(refused.code(), "forbidden");
        // D7: whether there is such an alert is not told to whoever judges none
        assert_cannot_be_told_apart(&refused, &judge(desk, &json!({"id": 999_999}), "justified").await);
    }
    let elsewhere = Desk::of(&house.rig, &house.oak.organisation.certificate, &house.oak.organisation.supervisor).await;
    let others = judge(&elsewhere, &alert, "justified").await.expect_status(404);
    assert_cannot_be_told_apart(&others, &judge(&elsewhere, &json!({"id": 999_999}), "justified").await);
    assert_eq!(judge(&house.council.people()[0], &alert, "settled").await.expect_status(404).code(), "not_found_or_not_yours");
    assert_eq!(judge(&house.supervisor, &alert, "settled").await.expect_status(409).code(), "already_judged");
    assert_eq!(judge(&house.supervisor, &alert, "because").await.expect_status(422).code(), "invalid_value");

    // two at once: one wins
    let (one, two) = tokio::join!(judge(&house.supervisor, &alert, "justified"), judge(&house.supervisor, &alert, "not-justified"));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(judge(&house.supervisor, &alert, "justified").await.expect_status(409).code(), "already_judged");
    assert_eq!(queue(&house.supervisor).await, json!([]));
    assert_cannot_be_told_apart(&judge(&elsewhere, &alert, "justified").await, &others);
}

#[tokio::test]
async fn what_is_overdue_stops_the_next_break_glass_and_goes_to_whoever_is_above_until_it_is_judged() {
    // D5: within five working days; overdue ones escalate and stop the user's break-glass
    let house = Glasshouse::built().await;
    drop(house.break_glass(&house.teacher, &house.amelia).await.expect_status(200));
    let alert = acts(&house.supervisor).await[0].clone();

    let (path, body) = ("/v1/alerts/queue", json!({}));
    assert_eq!(house.rig.as_owner(Method::POST, path, Some(&body)).await.expect_status(200).json()["alerts"], json!([]));

    // nine days are at least five working days and one more
    house.clock.move_on(9 * DAY);
    let (teacher, colleague, supervisor) = (
        house.another_session(&house.teacher).await,
        house.another_session(&house.colleague).await,
        house.another_session(&house.supervisor).await,
    );
    assert_eq!(house.break_glass(&teacher, &house.other).await.expect_status(403).code(), "alerts_overdue");
    assert!(!sees(&teacher, &house.other).await);
    drop(house.break_glass(&colleague, &house.other).await.expect_status(200));

    // the risk owner supervises the school's supervisor, who did not judge
    let above = house.rig.as_owner(Method::POST, path, Some(&body)).await.expect_status(200).json();
    assert_eq!(above["alerts"].as_array().unwrap().len(), 1, "the colleague's is not overdue: {above}");
    assert_eq!((&above["alerts"][0]["id"], &above["alerts"][0]["overdue"]), (&alert["id"], &json!(true)));
    assert_eq!(acts(&supervisor).await.len(), 2);
    let (path, body) = (format!("/v1/alerts/{}/judge", alert["id"]), json!({"disposition": "not-justified"}));
    let judged = house.rig.as_owner(Method::POST, &path, Some(&body));
    assert_eq!(judged.await.expect_status(200).json()["judged"]["disposition"], "not-justified");
    assert_eq!(acts(&supervisor).await.len(), 1);
    house.clock.move_on(2 * MINUTE);
    drop(house.break_glass(&teacher, &house.other).await.expect_status(200));
    assert!(sees(&teacher, &house.other).await);
}

#[tokio::test]
async fn overriding_is_a_right_of_its_own_and_the_authority_looks_into_it() {
    // E5: override is a right of its own, per record and time-boxed like break-glass, and starts an investigation
    let house = Glasshouse::built().await;
    let asked = |code: String| json!({"child_number": house.amelia, "reason": "section-47", "code": code});
    let oak = house.oak.practitioner();
    let without = oak.post("/v1/shield-override", asked(house.code(oak).await)).await.expect_status(403);
    assert_eq!(without.code(), "capability_missing");
    let teacher = &house.teacher;
    // it does not tell whether there is a shield: here there is none
    drop(teacher.post("/v1/shield-override", asked(house.code(teacher).await)).await.expect_status(200));
    assert!(sees(teacher, &house.amelia).await && !sees(teacher, &house.other).await);
    assert_eq!(acts(&house.supervisor).await[0]["kind"], "shield-override");
    let officer = &house.council.people()[0];
    let investigation = queue(officer).await[0].clone();
    assert_eq!((&investigation["kind"], &investigation["child_number"]), (&json!("investigation"), &json!(house.amelia)));
    assert_eq!(judge(&house.supervisor, &investigation, "settled").await.expect_status(404).code(), "not_found_or_not_yours");
    assert_eq!(judge(officer, &investigation, "settled").await.expect_status(200).json()["judged"]["disposition"], "settled");
    house.clock.move_on(30 * MINUTE);
    assert!(!sees(teacher, &house.amelia).await);
}

#[tokio::test]
async fn what_waits_for_a_supervisor_who_cannot_come_in_goes_to_those_above_at_once() {
    // D4: the supervisor is alerted; D5: must judge each alert; C3: a supervisor may have no access to any child's record
    let house = Glasshouse::built().await;
    drop(house.break_glass(&house.teacher, &house.amelia).await.expect_status(200));
    let alert = acts(&house.supervisor).await[0].clone();
    let (path, body) = ("/v1/alerts/queue", json!({}));
    let above = || async { house.rig.as_owner(Method::POST, path, Some(&body)).await.expect_status(200).json()["alerts"].clone() };
    let state = |state: &'static str| {
        let path = format!("/v1/people/{}/state", house.supervisor.person.id);
        let administrator = &house.river.administrator;
        async move { drop(administrator.post(&path, json!({"state": state})).await.expect_status(200)) }
    };
    assert_eq!(above().await, json!([]), "it is the supervisor's");
    state("suspended").await;
    let waiting = above().await;
    assert_eq!((waiting.as_array().unwrap().len(), &waiting[0]["id"], &waiting[0]["overdue"]), (1, &alert["id"], &json!(false)));
    state("active").await;
    assert_eq!(above().await, json!([]), "and theirs again");
    state("suspended").await;
    let (path, body) = (format!("/v1/alerts/{}/judge", alert["id"]), json!({"disposition": "justified"}));
    let judged = house.rig.as_owner(Method::POST, &path, Some(&body)).await.expect_status(200).json();
    assert_eq!(judged["judged"]["disposition"], "justified");
}

#[tokio::test]
async fn what_an_authority_lets_wait_is_told_to_its_supervisor_and_counted_for_the_auditor() {
    // D5: overdue ones escalate; E5: starts an investigation, and no answer of any kind lists shielded children
    let house = Glasshouse::built().await;
    let teacher = &house.teacher;
    let asked = json!({"child_number": house.amelia, "reason": "section-47", "code": house.code(teacher).await});
    drop(teacher.post("/v1/shield-override", asked).await.expect_status(200));
    let head = Desk::of(&house.rig, &house.council.organisation.certificate, &house.council.organisation.supervisor).await;
    assert_eq!(queue(&head).await, json!([]), "it is the officers'");
    let investigation = queue(&house.council.people()[0]).await[0].clone();
    house.clock.move_on(9 * DAY);
    let (head, officer) = (house.another_session(&head).await, house.another_session(&house.council.people()[0]).await);
    let waiting = queue(&head).await;
    assert_eq!((waiting.as_array().unwrap().len(), &waiting[0]["id"], &waiting[0]["overdue"]), (1, &investigation["id"], &json!(true)));
    assert_eq!(waiting[0]["child_number"], Value::Null, "of the event, and not of the child");
    assert_eq!(judge(&head, &investigation, "settled").await.expect_status(409).code(), "already_judged", "an officer settles it");

    let auditor = house.another_session(&house.auditor.people()[0]).await;
    let (before, after) = (contactpoint_support::day(-1), contactpoint_support::day(1));
    let counts = auditor.post("/v1/audit/alerts/statistics", json!({"from": before, "to": after})).await.expect_status(200).json();
    let authority = json!({"authority": house.council.organisation.id, "alerts": 1, "settled": 0, "open": 0, "overdue": 1});
    assert_eq!(counts["by_authority"], json!([authority]));
    drop(judge(&officer, &investigation, "settled").await.expect_status(200));
    assert_eq!(queue(&head).await, json!([]));
}
