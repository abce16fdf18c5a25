//! The verbs of auditors and of the data centre about alerts, as people type them: as a table, and with `--json` (rules D5, D7).

use crate::alert_audit::first_sample;
use crate::borough::searched;
use crate::feeding_bad_files::Program;
use crate::glasshouse::{acts, judge, Glasshouse, DAY, MINUTE};
use contactpoint_support::{day, Person, Rig};
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};

/// What a run says; it must succeed.
fn said(program: &Program, arguments: &[&str]) -> String {
    let output = program.run(arguments, "");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The same for machines.
fn told(program: &Program, arguments: &[&str]) -> Value {
    serde_json::from_str(&said(program, &[&["--json"], arguments].concat())).unwrap()
}

/// A number or a name, as one types it.
fn word(value: &Value) -> String {
    value.to_string().trim_matches('"').to_owned()
}

/// contactpointctl at the control socket, in a session of its own.
struct Operator<'a> {
    rig: &'a Rig,
}

impl<'a> Operator<'a> {
    fn logged_in(rig: &'a Rig, person: &Person, code: &str) -> Self {
        let operator = Self { rig };
        let log_in = ["log-in", "--login", &person.login, "--password-stdin", "--code", code];
        assert!(operator.said(&log_in, &person.password).contains(&person.login));
        operator
    }

    fn said(&self, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new(&self.rig.programs.operator);
        command.env_clear().args(arguments).arg("--socket").arg(self.rig.sockets.control_path());
        command.arg("--session-file").arg(self.rig.folder().join("operator.session"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdin.take().unwrap().write_all(format!("{input}\n").as_bytes()));
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

#[tokio::test]
async fn an_auditor_samples_reviews_counts_and_reads_flags_and_the_risk_owner_judges_what_is_overdue_at_their_terminals() {
    // D5: judged, sampled, counted, overdue ones escalate; D7: flagged for review
    let house = Glasshouse::built().await;
    let month = day(0)[..7].to_owned();
    for number in [&house.amelia, &house.other, &house.amelia] {
        drop(house.break_glass(&house.teacher, number).await.expect_status(200));
        house.clock.move_on(2 * MINUTE);
    }
    for _ in 0..5 {
        drop(house.teacher.post("/v1/children/search", searched("Nobody-At-All", "2014-03-09")).await.expect_status(200));
    }
    for alert in &acts(&house.supervisor).await[..2] {
        drop(judge(&house.supervisor, alert, "justified").await.expect_status(200));
    }
    house.clock.move_on(32 * DAY);
    let auditor = &house.auditor.people()[0];
    drop(first_sample(&house.another_session(auditor).await, &month, 2).await);
    let program = Program::logged_in(&house.rig, &auditor.certificate, &auditor.person, &house.code(auditor).await);

    let sample = ["sample", &month, "--size", "2"];
    let [drawn, again] = [told(&program, &sample), told(&program, &sample)];
    assert_eq!(drawn["alerts"], again["alerts"]);
    let ids: Vec<String> = drawn["alerts"].as_array().unwrap().iter().map(|alert| word(&alert["id"])).collect();
    let table = said(&program, &sample);
    assert!(table.contains("Drawn from 2 judged") && ids.iter().all(|id| table.contains(id)), "{table}");
    let reviewed = said(&program, &["review", &ids[0], "questioned"]);
    assert!(reviewed.contains("break-glass") && reviewed.contains("questioned"), "{reviewed}");
    assert_eq!(told(&program, &["review", &ids[1], "upheld"])["judged"]["finding"], "upheld");

    let (from, to) = (day(-1), day(1));
    let statistics = ["statistics", "--from", &from, "--to", &to];
    // three broken glasses, and the near misses
    let counts = told(&program, &statistics)["by_user"][0].clone();
    assert_eq!((&counts["alerts"], &counts["justified"], &counts["questioned"]), (&4.into(), &2.into(), &1.into()), "{counts}");
    let table = said(&program, &statistics);
    for head in ["person / supervisor", "role / kind", "not justified", "practitioner / school"] {
        assert!(table.contains(head), "{table}");
    }
    let flags = ["flags", "--from", &from, "--to", &to];
    assert_eq!(told(&program, &flags)["alerts"][0]["kind"], "near-misses");
    assert!(said(&program, &flags).contains("near-misses"));

    let owner = &house.rig.owner;
    let operator = Operator::logged_in(&house.rig, owner, &owner.authenticator.code_ahead(house.clock.ahead()).await);
    let queue: Value = serde_json::from_str(&operator.said(&["alerts"], "")).unwrap();
    let overdue = queue["alerts"].as_array().unwrap().iter().find(|alert| alert["kind"] == "break-glass").unwrap();
    assert_eq!(overdue["overdue"], true);
    let judged: Value = serde_json::from_str(&operator.said(&["judge", &word(&overdue["id"]), "not-justified"], "")).unwrap();
    assert_eq!((&judged["judged"]["disposition"], &judged["judged"]["by"]), (&"not-justified".into(), &owner.id.into()));
}
