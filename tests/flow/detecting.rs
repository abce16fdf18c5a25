//! The detection rules over real TLS: what they find of a day becomes a task in the night after, once, with an outcome that is counted (rule F4).

use crate::borough::{searched, settings, viewed};
use crate::feeding_bad_files::Program;
use crate::glasshouse::DAY;
use crate::reviewing::{look, settle, waiting, waiting_for, House};
use contactpoint_support::day;
use serde_json::{json, Value};

/// Nothing is drawn.
const PLAN: &str = "[[line]]\nwhy = \"a test of rules\"\nper_mille = 0\nevery = \"quarter\"\nworking_days = 5\n";

const RULES: &str = "\
time_zone = \"GMT0\"

[[rule]]
name = \"in-vain\"
why = \"a day of three misses\"
find.refused = { looks = 3, percent = 60 }

[[rule]]
name = \"no-business\"
why = \"one who does not work with the child\"
find.child-by-many = { people = 1, within_days = 14 }
";

fn rules_of(reviews: &[Value]) -> Vec<&str> {
    reviews.iter().filter_map(|review| review["rule"].as_str()).collect()
}

#[tokio::test]
async fn what_a_rule_finds_of_a_day_waits_for_the_supervisor_the_night_after_and_its_outcome_is_counted() {
    // F4: detection rules run over the log and feed regular review: a task with a due date and a recorded outcome
    let own = settings(&[("detection", "\"rules.toml\"")]);
    let mut house = House::with(Some(&own), &[("review-plan.toml", PLAN), ("rules.toml", RULES)]).await;
    let (teacher, worker) = (house.school.practitioner().clone(), house.council.practitioner().clone());
    let mut in_vain = Vec::new();
    for name in ["Nobody-At-All", "Neither", "Nor-This-One"] {
        in_vain.push(look(&teacher, "/v1/children/search", searched(name, "2014-03-09")).await);
    }
    // it works with the child; the council has it in its area alone
    look(&teacher, "/v1/children/view", viewed(&house.amelia)).await;
    let by_area = look(&worker, "/v1/children/view", viewed(&house.amelia)).await;
    assert_eq!(waiting(&house.supervisor).await, Vec::<Value>::new(), "the day is not over");
    house.clock.move_on(2 * DAY);

    let supervisor = house.again(&house.supervisor).await;
    let reviews = waiting_for(&supervisor, 1).await;
    let [review] = reviews.as_slice() else { panic!("{reviews:?}") };
    assert_eq!((&review["rule"], &review["entries"], &review["overdue"]), (&json!("in-vain"), &json!(in_vain), &json!(false)));
    assert_eq!((&review["person"]["id"], review["looks"].as_array().unwrap().len()), (&json!(teacher.person.id), 3));
    // nobody in particular did it: the auditors' task, with the look of whoever had the child in the area alone
    let auditor = house.again(&house.auditor.people()[0]).await;
    let theirs = waiting_for(&auditor, 1).await;
    assert_eq!(rules_of(&theirs), ["no-business"]);
    let entries: Vec<u64> = theirs[0]["entries"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    assert!(entries.contains(&by_area) && theirs[0]["person"].is_null(), "{theirs:?}");
    let who: Vec<&Value> = theirs[0]["looks"].as_array().unwrap().iter().map(|look| &look["person"]).collect();
    assert!(who.iter().all(|person| **person == json!(worker.person.id)), "the teacher's look is of a child of the school: {theirs:?}");
    let asked = json!({"child_number": house.amelia, "reason": "audit"});
    let seen = auditor.post("/v1/audit/who-saw", asked).await.expect_status(200).json();
    assert!(seen["looks"].as_array().unwrap().iter().any(|look| look["entry"] == json!(by_area)), "{seen}");
    let told = serde_json::to_string(&json!([reviews, theirs, seen])).unwrap();
    assert!(!["facts", "kin", "tie", "place"].iter().any(|word| told.contains(&format!("\"{word}\""))), "{told}");

    // whoever looked neither sees nor settles it
    let teacher = house.again(&teacher).await;
    let id = &review["id"];
    assert_eq!(teacher.post("/v1/reviews/queue", json!({})).await.expect_status(403).code(), "forbidden");
    assert_eq!(settle(&teacher, id, "justified").await.expect_status(403).code(), "forbidden");
    assert_eq!(settle(&auditor, id, "justified").await.expect_status(404).code(), "not_found_or_not_yours");

    // a second life of the daemon makes no second one, and writes no second note of the day
    house.rig.kill();
    house.rig.start();
    let supervisor = house.again(&supervisor).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(waiting(&supervisor).await, reviews);
    assert_eq!(house.overdue().await, 0);
    house.clock.move_on(30 * DAY);
    assert_eq!(house.overdue().await, 2, "both, by the status");

    // false alarms can be counted
    let supervisor = house.again(&supervisor).await;
    assert_eq!(settle(&supervisor, id, "justified").await.expect_status(200).json()["reviewed"]["outcome"], "justified");
    let auditor = house.again(&auditor).await;
    let report = auditor.post("/v1/reviews/report", json!({"from": day(-30), "to": day(60)})).await.expect_status(200).json();
    let counts = |rule: &str| report["by_rule"].as_array().unwrap().iter().find(|row| row["rule"] == rule).unwrap().clone();
    let expected = json!({"rule": "in-vain", "tasks": 1, "drawn": 0, "in_time": 0, "late": 1, "open": 0, "overdue": 0, "justified": 1,
        "not_justified": 0, "needs_enquiry": 0});
    assert_eq!((counts("in-vain"), &counts("no-business")["overdue"]), (expected, &json!(1)));
    let program = Program::logged_in(&house.rig, &auditor.certificate, &auditor.person, &house.code(&auditor).await);
    let output = program.run(&["review-report", "--from", &day(-30), "--to", &day(60)], "");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("in-vain") && table.contains("no-business"), "{table}");
}
