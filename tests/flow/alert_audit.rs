//! What auditors ask of alerts over real TLS: the sample, the finding, the counts, the flags; and places in lists that are somebody's own (rules D5, D7).

use crate::glasshouse::{judge, queue, Glasshouse, DAY, MINUTE};
use crate::office::Desk;
use contactpoint_support::day;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};

/// The numbers in the order in which they are drawn, by the documented rule and without our code.
fn redrawn(checkpoint: &str, numbers: &[u64]) -> Vec<u64> {
    let seed = Sha256::digest(checkpoint);
    let mut order = numbers.to_vec();
    order.sort_by_key(|number| -> [u8; 32] { Sha256::new().chain_update(seed).chain_update(number.to_be_bytes()).finalize().into() });
    order
}

fn numbers(list: &Value) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|item| item.as_u64().or(item["id"].as_u64()).unwrap()).collect()
}

async fn sample(auditor: &Desk, month: &str, size: u64) -> Value {
    auditor.post("/v1/audit/alerts/sample", json!({"month": month, "size": size})).await.expect_status(200).json()
}

/// The same once the daemon has noted the month's end and signed a head over that, of its own accord: a second's work.
pub(crate) async fn first_sample(auditor: &Desk, month: &str, size: u64) -> Value {
    for _ in 0..1000 {
        let answer = auditor.post("/v1/audit/alerts/sample", json!({"month": month, "size": size})).await;
        if answer.status == 200 {
            return answer.json();
        }
        assert_eq!(answer.expect_status(409).code(), "seed_not_fixed");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the end of the month was not noted");
}

#[tokio::test]
async fn a_finished_month_is_sampled_by_a_seed_that_nobody_chooses_and_the_counts_show_who_judges_how() {
    // D5: dispositions are sampled by an auditor; statistics per user, role and user-supervisor pair show rubber-stamping
    let house = Glasshouse::built().await;
    let month = day(0)[..7].to_owned();
    for number in [&house.amelia, &house.other, &house.amelia, &house.other] {
        drop(house.break_glass(&house.teacher, number).await.expect_status(200));
        house.clock.move_on(2 * MINUTE);
    }
    drop(house.break_glass(&house.colleague, &house.amelia).await.expect_status(200));
    let waiting = queue(&house.supervisor).await;
    for (alert, disposition) in waiting.as_array().unwrap().iter().zip(["justified", "justified", "justified", "not-justified"]) {
        drop(judge(&house.supervisor, alert, disposition).await.expect_status(200));
    }
    let auditor = &house.auditor.people()[0];
    let asked = |month: &str, size: u64| json!({"month": month, "size": size});
    let early = auditor.post("/v1/audit/alerts/sample", asked(&month, 2)).await.expect_status(422);
    assert_eq!(early.code(), "invalid_value", "the month is not over");

    house.clock.move_on(32 * DAY);
    let auditor = &house.another_session(auditor).await;
    let supervisor = &house.another_session(&house.supervisor).await;
    let two = first_sample(auditor, &month, 2).await;
    let (mut judged, mut of_four) = (numbers(&two["judged"]), numbers(&waiting)[..4].to_vec());
    judged.sort_unstable();
    of_four.sort_unstable();
    assert_eq!(judged, of_four);
    // the seed is the first head over the entry in which the daemon noted the end: no request made it, and asking changes nothing
    let size = |checkpoint: &Value| checkpoint.as_str().unwrap().lines().nth(1).unwrap().parse::<u64>().unwrap();
    let (ended, covered) = (two["ended"].as_u64().unwrap(), size(&two["checkpoint"]));
    assert!(ended < covered && covered <= two["entry"].as_u64().unwrap(), "{two}");
    let order = redrawn(two["checkpoint"].as_str().unwrap(), &numbers(&two["judged"]));
    assert_eq!(numbers(&two["alerts"]), order[..2]);
    let again = sample(auditor, &month, 2).await;
    assert_eq!((&again["checkpoint"], &again["alerts"]), (&two["checkpoint"], &two["alerts"]), "each later ask gives the same sample");
    let nobody_judged = sample(auditor, "2026-01", 2).await;
    assert_eq!((&nobody_judged["judged"], &nobody_judged["checkpoint"]), (&json!([]), &Value::Null));

    // only what was drawn is reviewed, and once
    let finding = |id: u64, finding: &'static str| {
        let path = format!("/v1/audit/alerts/{id}/review");
        async move { auditor.post(&path, json!({"finding": finding})).await }
    };
    assert_eq!(finding(order[2], "upheld").await.expect_status(404).code(), "not_found_or_not_yours");
    assert_eq!(finding(numbers(&waiting)[4], "upheld").await.expect_status(404).code(), "not_found_or_not_yours", "nobody has judged it");
    assert_eq!(finding(order[0], "questioned").await.expect_status(200).json()["judged"]["finding"], "questioned");
    assert_eq!(finding(order[0], "upheld").await.expect_status(409).code(), "already_judged");
    let four = sample(auditor, &month, 4).await;
    assert_eq!((numbers(&four["alerts"]), &four["checkpoint"]), (order.clone(), &two["checkpoint"]));
    drop(finding(order[3], "upheld").await.expect_status(200));

    let days = json!({"from": day(-1), "to": day(1)});
    let counts = auditor.post("/v1/audit/alerts/statistics", days.clone()).await.expect_status(200).json();
    let questioned = json!({"alerts": 4, "justified": 3, "not_justified": 1, "open": 0, "overdue": 0, "questioned": 1});
    let overdue = json!({"alerts": 1, "justified": 0, "not_justified": 0, "open": 0, "overdue": 1, "questioned": 0});
    let with = |counts: &Value, more: Value| {
        let mut row = counts.clone();
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let (teacher, colleague, above) = (house.teacher.person.id, house.colleague.person.id, house.supervisor.person.id);
    let of = |person: u64| json!({"person": person});
    assert_eq!(counts["by_user"], json!([with(&questioned, of(teacher)), with(&overdue, of(colleague))]));
    let pair = |person: u64| json!({"person": person, "supervisor": above});
    assert_eq!(counts["by_pair"], json!([with(&questioned, pair(teacher)), with(&overdue, pair(colleague))]));
    let all = json!({"alerts": 5, "justified": 3, "not_justified": 1, "open": 0, "overdue": 1, "questioned": 1});
    assert_eq!((&counts["by_turns"], &counts["by_authority"]), (&json!([]), &json!([])));
    assert_eq!(counts["by_role"], json!([with(&all, json!({"role": "practitioner", "kind": "school"}))]));
    assert_eq!(auditor.post("/v1/audit/flags", days.clone()).await.expect_status(200).json()["alerts"], json!([]));
    for (path, body) in
        [("/v1/audit/alerts/sample", asked(&month, 2)), ("/v1/audit/alerts/statistics", days.clone()), ("/v1/audit/flags", days)]
    {
        assert_eq!(supervisor.post(path, body).await.expect_status(403).code(), "forbidden", "{path}");
    }
    for body in [json!({"from": day(1), "to": day(0)}), json!({"from": day(0), "to": day(400)})] {
        assert_eq!(auditor.post("/v1/audit/alerts/statistics", body).await.expect_status(422).code(), "invalid_value");
    }
}

#[tokio::test]
async fn a_place_in_a_queue_is_of_the_session_and_the_question_that_it_was_given_to() {
    // D5: a queue of more than a page; a forged place, another session's and another question's are one refusal
    let house = Glasshouse::built().await;
    for _ in 0..51 {
        drop(house.break_glass(&house.teacher, &house.amelia).await.expect_status(200));
        house.clock.move_on(MINUTE);
    }
    let supervisor = &house.supervisor;
    let first = supervisor.post("/v1/alerts/queue", json!({})).await.expect_status(200).json();
    let cursor = first["cursor"].as_str().unwrap().to_owned();
    let second = supervisor.post("/v1/alerts/queue", json!({"cursor": cursor})).await.expect_status(200).json();
    let (mut all, rest) = (numbers(&first["alerts"]), numbers(&second["alerts"]));
    assert_eq!((all.len(), rest.len(), &second["cursor"]), (50, 1, &Value::Null));
    all.extend(rest);
    let at = |page: &Value| page["alerts"].as_array().unwrap().iter().map(|alert| alert["at"].as_str().unwrap().to_owned()).collect();
    let (mut times, last): (Vec<String>, Vec<String>) = (at(&first), at(&second));
    times.extend(last);
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "oldest first: {times:?}");
    // D7: from the numbers nobody learns what lies between
    assert!(!all.windows(2).all(|pair| pair[0] < pair[1]), "{all:?}");
    all.sort_unstable();
    assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "each once");

    let another = house.another_session(supervisor).await;
    let auditor = &house.auditor.people()[0];
    let mut forged = cursor.clone().into_bytes();
    forged[20] = if forged[20] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    for (desk, path, body) in [
        (supervisor, "/v1/alerts/queue", json!({"cursor": forged})),
        (supervisor, "/v1/alerts/queue", json!({"cursor": ""})),
        (supervisor, "/v1/alerts/queue", json!({"cursor": "50"})),
        (&another, "/v1/alerts/queue", json!({"cursor": cursor})),
        (auditor, "/v1/alerts/queue", json!({"cursor": cursor})),
        (auditor, "/v1/audit/flags", json!({"from": day(0), "to": day(1), "cursor": cursor})),
        (auditor, "/v1/audit/who-saw", json!({"child_number": house.amelia, "reason": "audit", "cursor": cursor})),
    ] {
        assert_eq!(desk.post(path, body).await.expect_status(422).code(), "invalid_value", "{path}");
    }
}

#[tokio::test]
async fn two_who_judge_each_other_in_turns_show_and_the_pair_is_of_the_one_who_judged() {
    // D5: statistics per user, role and user-supervisor pair show rubber-stamping; C3: no two supervise each other - at one time
    let house = Glasshouse::built().await;
    let river = &house.river;
    let both = ["practitioner", "supervisor"];
    let (one, other) = (river.employ("turn-one", &both).await, river.employ("turn-other", &both).await);
    let certificate = &river.organisation.certificate;
    let (one, other) = (Desk::of(&house.rig, certificate, &one).await, Desk::of(&house.rig, certificate, &other).await);
    let head = river.organisation.supervisor.id;
    let under = |person: u64, supervisor: u64| {
        let path = format!("/v1/people/{person}");
        async move { drop(river.administrator.post(&path, json!({"supervisor": supervisor})).await.expect_status(200)) }
    };
    for (actor, judge_of_it) in [(&one, &other), (&other, &one)] {
        under(judge_of_it.person.id, head).await;
        under(actor.person.id, judge_of_it.person.id).await;
        drop(house.break_glass(actor, &house.amelia).await.expect_status(200));
        let alert = queue(judge_of_it).await[0].clone();
        drop(judge(judge_of_it, &alert, "justified").await.expect_status(200));
        under(actor.person.id, head).await;
        house.clock.move_on(2 * MINUTE);
    }
    let days = json!({"from": day(-1), "to": day(1)});
    let counts = house.auditor.people()[0].post("/v1/audit/alerts/statistics", days).await.expect_status(200).json();
    let turn = counts["by_turns"].as_array().unwrap().as_slice();
    assert_eq!(turn.len(), 1, "{counts}");
    let (low, high) = (one.person.id.min(other.person.id), one.person.id.max(other.person.id));
    assert_eq!((&turn[0]["one"], &turn[0]["other"]), (&json!(low), &json!(high)));
    for of in ["of_one", "of_other"] {
        assert_eq!((&turn[0][of]["alerts"], &turn[0][of]["justified"]), (&json!(1), &json!(1)), "{of}");
    }
    let pairs: Vec<_> = counts["by_pair"].as_array().unwrap().iter().map(|row| (&row["person"], &row["supervisor"])).collect();
    let (one, other) = (json!(one.person.id), json!(other.person.id));
    assert!(pairs.contains(&(&one, &other)) && pairs.contains(&(&other, &one)), "{counts}");
}
