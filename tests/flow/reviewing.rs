//! Regular review over real TLS: looks drawn by the plan, tasks, outcomes, the report, and the same draw made again without our code (rule F4).

use crate::borough::{first_number, programs, searched, viewed};
use crate::children::{oak_lane_roll, sheet, AMELIA};
use crate::feeding_bad_files::Program;
use crate::glasshouse::DAY;
use crate::office::{Desk, Office, USUAL};
use crate::wire::until;
use contactpoint_support::{day, feed, request, Enrolment, MovedClock, Rig};
use http::Method;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};

/// Every look of schools, and half of a council's.
const PLAN: &str = "\
[[line]]
why = \"every look of a school, so that a test knows which\"
kinds = [\"school\"]
per_mille = 1000
every = \"week\"
working_days = 5

[[line]]
why = \"half of a council's\"
kinds = [\"council\"]
per_mille = 500
every = \"week\"
working_days = 5
";

/// A school whose roll is fed, its council, and the auditors, under a calendar that moves.
pub(crate) struct House {
    pub(crate) clock: MovedClock,
    pub(crate) rig: Rig,
    pub(crate) school: Office,
    pub(crate) council: Office,
    pub(crate) auditor: Office,
    pub(crate) supervisor: Desk,
    council_supervisor: Desk,
    pub(crate) amelia: String,
}

impl House {
    async fn built() -> Self {
        Self::with(None, &[("review-plan.toml", PLAN)]).await
    }

    /// Under these settings and files beside them.
    pub(crate) async fn with(settings: Option<&str>, files: &[(&str, &str)]) -> Self {
        let clock = MovedClock::made();
        let mut rig = Rig::prepared(clock.with_daemon_of(programs()), settings);
        files.iter().for_each(|(file, text)| std::fs::write(rig.place.configuration().join(file), text).unwrap());
        rig.start();
        let council = Enrolment { name: "Sandford Council", kind: "council", authority: None, capabilities: &["query", "shield"] };
        let council = Office::opened(&rig, &council, &[&["practitioner"]]).await;
        let area = Some(council.organisation.id);
        let school = Enrolment { name: "Oak Lane School", kind: "school", authority: area, capabilities: &["query", "feed"] };
        let school = Office::opened(&rig, &school, USUAL).await;
        let auditor = Enrolment { name: "Directory Audit Office", kind: "auditor", authority: None, capabilities: &["audit"] };
        let auditor = Office::opened(&rig, &auditor, &[&["auditor"]]).await;
        let steward = school.steward();
        let roll = sheet("school-roll", &oak_lane_roll());
        assert_eq!(feed(&mut steward.connection(), &steward.token, "school-roll", &roll).await["rejected_count"], 0);
        let amelia = first_number(council.practitioner(), AMELIA.0, AMELIA.1).await.unwrap();
        let supervisor = Desk::of(&rig, &school.organisation.certificate, &school.organisation.supervisor).await;
        let council_supervisor = Desk::of(&rig, &council.organisation.certificate, &council.organisation.supervisor).await;
        Self { clock, rig, school, council, auditor, supervisor, council_supervisor, amelia }
    }

    pub(crate) async fn code(&self, desk: &Desk) -> String {
        desk.person.authenticator.code_ahead(self.clock.ahead()).await
    }

    /// A new session of the same person.
    pub(crate) async fn again(&self, desk: &Desk) -> Desk {
        let body = json!({"login": desk.person.login, "password": desk.person.password, "code": self.code(desk).await});
        let answer = desk.send(request(Method::POST, "/v1/session", None, Some(&body))).await.expect_status(201).json();
        Desk { token: answer["token"].as_str().unwrap().to_owned(), ..desk.clone() }
    }

    pub(crate) async fn status(&self) -> Value {
        self.rig.control(request(Method::GET, "/v1/status", None, None)).await.expect_status(200).json()
    }

    pub(crate) async fn overdue(&self) -> u64 {
        self.status().await["overdue_reviews"].as_u64().unwrap()
    }
}

/// Every task that waits for somebody, page by page.
pub(crate) async fn waiting(desk: &Desk) -> Vec<Value> {
    let (mut all, mut body) = (Vec::new(), json!({}));
    loop {
        let page = desk.post("/v1/reviews/queue", body).await.expect_status(200).json();
        let reviews = page["reviews"].as_array().unwrap();
        assert!(reviews.len() <= 20);
        all.extend(reviews.iter().cloned());
        match page["cursor"].as_str() {
            Some(cursor) => body = json!({"cursor": cursor}),
            None => return all,
        }
    }
}

/// The same once there are so many.
pub(crate) async fn waiting_for(desk: &Desk, count: usize) -> Vec<Value> {
    until("the tasks are drawn", || async { Some(waiting(desk).await).filter(|all| all.len() >= count) }).await
}

fn entries(reviews: &[Value]) -> Vec<u64> {
    let mut entries: Vec<u64> = reviews.iter().map(|review| review["entries"][0].as_u64().unwrap()).collect();
    entries.sort_unstable();
    entries
}

/// The documented rule, without our code: docs/review.md.
fn redrawn(checkpoint: &str, among: &[u64], per_mille: u128) -> Vec<u64> {
    let (text, _signatures) = checkpoint.split_once("\n\n").unwrap();
    let seed = Sha256::digest(format!("{text}\n"));
    let start = |index: u64| -> u128 {
        let rank = Sha256::new().chain_update(seed).chain_update(index.to_be_bytes()).finalize();
        rank[..8].iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte))
    };
    among.iter().copied().filter(|index| start(*index) * 1000 < per_mille << 64).collect()
}

pub(crate) async fn look(desk: &Desk, path: &str, body: Value) -> u64 {
    let answer = desk.post(path, body).await;
    answer.headers["log-index"].to_str().unwrap().parse().unwrap()
}

pub(crate) async fn settle(desk: &Desk, id: &Value, outcome: &str) -> contactpoint_support::Answer {
    desk.post(&format!("/v1/reviews/{id}/settle"), json!({"outcome": outcome})).await
}

#[tokio::test]
async fn a_week_s_looks_are_drawn_reviewed_once_by_the_looker_s_supervisor_and_reported_while_they_are_overdue() {
    // F4: regular review is a task with a due date and a recorded outcome; overdue reviews are reported
    let house = House::built().await;
    let (teacher, worker) = (house.school.practitioner(), house.council.practitioner());
    let mut of_school = vec![look(teacher, "/v1/children/view", viewed(&house.amelia)).await];
    of_school.push(look(teacher, "/v1/children/search", searched("Nobody-At-All", "2014-03-09")).await);
    of_school.push(look(teacher, "/v1/children/view", viewed("4182736451")).await);
    let mut of_council = Vec::new();
    for _ in 0..30 {
        of_council.push(look(worker, "/v1/children/view", viewed(&house.amelia)).await);
    }
    assert_eq!(waiting(&house.supervisor).await, Vec::<Value>::new(), "the week is not over");
    house.clock.move_on(8 * DAY);
    let (teacher, supervisor) = (&house.again(teacher).await, &house.again(&house.supervisor).await);
    let reviews = waiting_for(supervisor, 3).await;
    assert_eq!(entries(&reviews), of_school, "each look and nothing else");

    // who, when, role, organisation, operation, reason, outcome, the number: the event, never the record (D4)
    let seen = &reviews.iter().find(|review| review["entries"][0] == of_school[0]).unwrap()["looks"][0];
    let expected = json!({"entry": of_school[0], "at": seen["at"], "person": teacher.person.id, "organisation": house.school.organisation.id,
        "role": "practitioner", "operation": "view", "reason": "coordination", "outcome": "answered", "child_numbers": [house.amelia]});
    assert_eq!(*seen, expected);

    // anybody can draw again: F4, a reproducible random draw
    let auditor = &house.again(&house.auditor.people()[0]).await;
    let wide = json!({"from": day(-30), "to": day(60)});
    // the draw goes on in pieces: what is asked of it is asked once it is over
    let report = until("the draw comes to its end", || async {
        let report = auditor.post("/v1/reviews/report", wide.clone()).await.expect_status(200).json();
        (report["periods"][0]["is_drawn"] == true).then_some(report)
    })
    .await;
    let period = &report["periods"][0];
    let plan: String = Sha256::digest(PLAN).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(period["plan"], plan, "it stood in the log before the seed was known");
    let redrawn_here = redrawn(period["checkpoint"].as_str().unwrap(), &of_council, 500);
    let (first, ended) = (period["from"].as_u64().unwrap(), period["ended"].as_u64().unwrap());
    let of_week: Vec<u64> = redrawn_here.iter().copied().filter(|index| (first..ended).contains(index)).collect();
    assert!((4..=26).contains(&redrawn_here.len()), "about half of 30");
    let council = waiting(&house.again(&house.council_supervisor).await).await;
    let of_looks: Vec<u64> = entries(&council).into_iter().filter(|entry| of_council.contains(entry)).collect();
    assert_eq!((of_looks, of_week.len() == redrawn_here.len()), (redrawn_here, true), "{report}");

    // nobody reviews their own looks, nor what waits for somebody else; one outcome, of the list
    let (task, others) = (&reviews[0]["id"], &council[0]["id"]);
    assert_eq!(settle(teacher, task, "justified").await.expect_status(403).code(), "forbidden");
    assert_eq!(settle(supervisor, others, "justified").await.expect_status(404).code(), "not_found_or_not_yours");
    assert_eq!(settle(auditor, task, "justified").await.expect_status(404).code(), "not_found_or_not_yours", "it is not overdue");
    assert_eq!(settle(supervisor, task, "all is well").await.expect_status(422).code(), "invalid_value");
    assert_eq!(settle(supervisor, task, "justified").await.expect_status(200).json()["reviewed"]["outcome"], "justified");
    assert_eq!(settle(supervisor, task, "not-justified").await.expect_status(409).code(), "already_judged");
    assert_eq!(waiting(supervisor).await.len(), 2);
    let seen_by = json!({"child_number": house.amelia, "reason": "audit"});
    let who = auditor.post("/v1/audit/who-saw", seen_by).await.expect_status(200).json();
    let reviewers = who["looks"].as_array().unwrap().iter().filter(|look| look["operation"] == "settle-review").count();
    assert!(reviewers <= 1 && who.to_string().contains("read-reviews"), "F1: who was told a number is in the log: {who}");

    // overdue ones are counted, in the status too, and wait for the auditors as well
    assert_eq!(house.overdue().await, 0);
    house.clock.move_on(14 * DAY);
    let auditor = &house.again(auditor).await;
    let open = waiting(auditor).await.len() as u64;
    assert!(open >= council.len() as u64 + 2);
    assert_eq!(house.overdue().await, open);
    let report = auditor.post("/v1/reviews/report", wide).await.expect_status(200).json();
    let row = report["by_organisation"].as_array().unwrap().iter().find(|row| row["organisation"] == house.school.organisation.id).unwrap();
    let expected = json!({"organisation": house.school.organisation.id, "role": "practitioner", "tasks": 3, "drawn": 3, "in_time": 1, "late": 0,
        "open": 0, "overdue": 2, "justified": 1, "not_justified": 0, "needs_enquiry": 0});
    assert_eq!((row, &report["overdue_today"]), (&expected, &json!(open)));

    // at the terminals
    let program = Program::logged_in(&house.rig, &supervisor.certificate, &supervisor.person, &house.code(supervisor).await);
    let said = |program: &Program, arguments: &[&str]| {
        let output = program.run(arguments, "");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let table = said(&program, &["reviews"]);
    assert!(table.contains("the draw") && table.contains("(overdue)"), "{table}");
    let task = waiting(&house.again(supervisor).await).await[0]["id"].to_string();
    assert!(said(&program, &["review-look", &task, "--outcome", "needs-enquiry"]).contains("needs-enquiry by person"));
    assert!(!program.run(&["review-look", &task, "--outcome", "justified"], "").status.success(), "no second outcome");
    let program = Program::logged_in(&house.rig, &auditor.certificate, &auditor.person, &house.code(auditor).await);
    let table = said(&program, &["review-report", "--from", &day(-30), "--to", &day(60)]);
    assert!(table.contains("needs enquiry") && table.contains("Overdue today"), "{table}");
}

#[tokio::test]
async fn a_draw_that_kill_9_cuts_off_goes_on_with_no_task_twice_and_none_lost() {
    // F4, and F1: what is half done when the process is killed
    let mut house = House::built().await;
    let mut looks = Vec::new();
    for _ in 0..60 {
        looks.push(look(house.school.practitioner(), "/v1/children/view", viewed(&house.amelia)).await);
    }
    house.clock.move_on(8 * DAY);
    let supervisor = house.again(&house.supervisor).await;
    drop(waiting_for(&supervisor, 1).await);
    house.rig.kill();
    house.rig.start();
    let supervisor = house.again(&supervisor).await;
    drop(waiting_for(&supervisor, looks.len()).await);
    // a week's draw that is over makes no more
    let before = house.status().await["entries"].as_u64().unwrap();
    house.rig.kill();
    house.rig.start();
    let supervisor = house.again(&supervisor).await;
    assert_eq!(entries(&waiting(&supervisor).await), looks);
    let after = house.status().await["entries"].as_u64().unwrap();
    assert!(after < before + 12, "a log-in, pages of a queue: {before}, {after}");
}
