//! Verdicts on a small catalogue, so that each standing has its rule.

use super::*;
use crate::Evidence;

const SMALL: &str = r#"
changed = "2026-11-21T00:00:00Z"
part = [{ letter = "G", title = "Operators and keys" }]
check = [{ id = "process.seccomp", text = "a filter" }, { id = "hsm.keys", text = "in the HSM" }]

[[rule]]
id = "G2"
text = "Master keys live in the HSM."
nist = ["SC-12"]
iso27001 = ["A.8.24"]
code = ["src/keys"]
tests = ["a_key_that_may_leave_is_refused"]
checks = ["hsm.keys"]

[[rule]]
id = "G4"
text = "Maintenance is a two-person session."
nist = ["MA-2"]
iso27001 = ["A.5.3"]
open = "Not built."

[[rule]]
id = "G5"
text = "There is no way to physical media."
nist = ["MP-7"]
iso27001 = ["A.7.10"]
code = ["src/hardening"]
tests = ["writing_outside_the_state_directory_is_refused"]
checks = ["process.seccomp", "hsm.keys"]

[[rule]]
id = "G8"
text = "Nothing stays on the caller's machine."
nist = ["AC-4"]
iso27001 = ["A.8.1"]
code = ["src/client"]
tests = ["every_answer_but_a_tile_forbids_caching_and_all_forbid_guessing"]
"#;

fn small() -> Catalogue {
    Catalogue::of_toml(SMALL).unwrap()
}

fn facts() -> Facts {
    Facts { at: "2026-11-21T09:00:00Z".parse().unwrap(), host: "appliance".to_owned(), version: "0.2.0".to_owned() }
}

fn looked(check: &str, verdict: Verdict) -> Observation {
    Observation::new(check, verdict, "Seccomp: 2", vec![Evidence::new("/proc/812/status", "Seccomp:\t0")])
}

fn report(observations: Vec<Observation>) -> Report {
    Report::new(small(), facts(), observations).unwrap()
}

fn standings(observations: Vec<Observation>) -> Vec<Standing> {
    report(observations).judgements().iter().map(|judgement| judgement.standing).collect()
}

#[test]
fn a_rule_holds_only_where_each_of_its_checks_was_seen_to_hold() {
    // J1: `inspect` reports the running system's evidence for each
    use Standing::{Fails, Holds, Open, TestedOnly, Unseen};
    let both = |seccomp, keys| standings(vec![looked("process.seccomp", seccomp), looked("hsm.keys", keys)]);
    assert_eq!(both(Verdict::Holds, Verdict::Holds), [Holds, Open, Holds, TestedOnly]);
    assert_eq!(both(Verdict::Fails, Verdict::Holds), [Holds, Open, Fails, TestedOnly]);
    assert_eq!(both(Verdict::Unseen, Verdict::Holds), [Holds, Open, Unseen, TestedOnly]);
    assert_eq!(both(Verdict::Unseen, Verdict::Fails), [Fails, Open, Fails, TestedOnly]);
    assert_eq!(standings(vec![]), [Unseen, Open, Unseen, TestedOnly]);
}

#[test]
fn of_several_looks_at_one_check_the_worst_counts_and_what_was_not_seen_never_holds() {
    // J1: `inspect` reports the running system's evidence for each
    let twice = |first, second| standings(vec![looked("hsm.keys", first), looked("hsm.keys", second)])[0];
    assert_eq!(twice(Verdict::Holds, Verdict::Fails), Standing::Fails);
    assert_eq!(twice(Verdict::Unseen, Verdict::Holds), Standing::Unseen);
    assert_eq!(twice(Verdict::Holds, Verdict::Holds), Standing::Holds);
}

#[test]
fn a_check_that_fails_counts_though_its_rule_is_open() {
    // J1: `inspect` reports the running system's evidence for each
    let open = SMALL.replace("checks = [\"hsm.keys\"]", "checks = [\"hsm.keys\"]\nopen = \"No restore.\"");
    let report = Report::new(Catalogue::of_toml(&open).unwrap(), facts(), vec![looked("hsm.keys", Verdict::Fails)]).unwrap();
    assert_eq!(report.judgements()[0].standing, Standing::Fails);
    assert_eq!(report.worst(), Some(Verdict::Fails));
}

#[test]
fn the_worst_of_all_counts_what_nobody_looked_at_as_unseen() {
    // J1: `inspect` reports the running system's evidence for each
    let worst = |observations| report(observations).worst();
    assert_eq!(worst(vec![looked("hsm.keys", Verdict::Holds), looked("process.seccomp", Verdict::Holds)]), Some(Verdict::Holds));
    assert_eq!(worst(vec![looked("hsm.keys", Verdict::Holds)]), Some(Verdict::Unseen));
    assert_eq!(worst(vec![looked("hsm.keys", Verdict::Fails)]), Some(Verdict::Fails));
    let of_client = Report::new(small().only(&["G8".to_owned()]).unwrap(), facts(), vec![]).unwrap();
    assert_eq!((of_client.worst(), of_client.text(false).contains("\n1 rule: ")), (None, true));
}

#[test]
fn what_is_said_to_hold_without_evidence_is_refused() {
    // J1: `inspect` reports the running system's evidence for each
    let bare = |verdict| Report::new(small(), facts(), vec![Observation::new("hsm.keys", verdict, "in the HSM", vec![])]);
    assert_eq!(bare(Verdict::Holds).unwrap_err(), ReportError::NoEvidence("hsm.keys".into()));
    assert!(bare(Verdict::Unseen).is_ok() && bare(Verdict::Fails).is_ok());
}

#[test]
fn an_observation_of_an_unknown_check_is_refused_and_never_dropped() {
    // J1: `inspect` reports the running system's evidence for each
    let stray = Report::new(small(), facts(), vec![looked("process.sekkomp", Verdict::Holds)]);
    assert_eq!(stray.unwrap_err(), ReportError::NoSuchCheck("process.sekkomp".into()));
}

#[test]
fn equal_input_gives_equal_bytes_and_another_host_or_moment_other_identifiers() {
    // J1: machine-readable; an identifier that two runs share would make one run of them
    let made = || report(vec![looked("hsm.keys", Verdict::Holds)]);
    assert_eq!(made().oscal(), made().oscal());
    let report = made();
    let elsewhere = Report::new(small(), Facts { host: "standby".to_owned(), ..facts() }, report.observations().to_vec()).unwrap();
    let identifier = |report: &Report| {
        let document: serde_json::Value = serde_json::from_str(&report.oscal().unwrap()).unwrap();
        document["assessment-results"]["uuid"].as_str().unwrap().to_owned()
    };
    let later = Facts { at: "2026-11-21T09:00:01Z".parse().unwrap(), ..facts() };
    let later = Report::new(small(), later, report.observations().to_vec()).unwrap();
    assert_ne!(identifier(&report), identifier(&elsewhere));
    assert_ne!(identifier(&report), identifier(&later));
    // the same host and moment, and something else was seen
    let seen = |verdict| identifier(&Report::new(small(), facts(), vec![looked("hsm.keys", verdict)]).unwrap());
    assert_ne!(seen(Verdict::Holds), seen(Verdict::Fails));
}

#[test]
fn a_document_of_another_catalogue_has_another_identifier_though_it_is_of_the_same_day() {
    // J1: machine-readable; two documents with one identifier would be taken for one
    let other = Catalogue::of_toml(&SMALL.replace("a filter", "two filters")).unwrap();
    let identifier = |document: &str| document.lines().find(|line| line.contains("\"uuid\"")).unwrap().to_owned();
    let of_both = |of: &Catalogue| [of.oscal_rule_book(), of.oscal_component_definition()].map(|document| identifier(&document.unwrap()));
    let (here, there) = (of_both(&small()), of_both(&other));
    assert!(here[0] != there[0] && here[1] != there[1], "{here:?}");
    assert_eq!(here, of_both(&small()));
}

#[test]
fn oscal_of_one_rule_reviews_that_rule_alone() {
    // J1: what was not looked at was not reviewed
    let only = Report::new(small().only(&["G2".to_owned()]).unwrap(), facts(), vec![looked("hsm.keys", Verdict::Holds)]).unwrap();
    let document: serde_json::Value = serde_json::from_str(&only.oscal().unwrap()).unwrap();
    let selection = &document["assessment-results"]["results"][0]["reviewed-controls"]["control-selections"][0];
    assert_eq!(selection["include-controls"], serde_json::json!([{"control-id": "g2"}]));
    assert!(!selection["description"].as_str().unwrap().contains("Every rule"), "{selection}");
}

#[test]
fn oscal_says_satisfied_for_what_holds_and_for_nothing_else() {
    // J1: a machine-readable controls catalogue; `inspect` reports the running system's evidence for each
    let report = report(vec![looked("process.seccomp", Verdict::Fails), looked("hsm.keys", Verdict::Holds)]);
    let document: serde_json::Value = serde_json::from_str(&report.oscal().unwrap()).unwrap();
    let result = &document["assessment-results"]["results"][0];
    let states: Vec<_> = result["findings"].as_array().unwrap().iter().map(|finding| finding["target"]["status"].clone()).collect();
    let not = |reason: &str| serde_json::json!({"state": "not-satisfied", "reason": reason});
    assert_eq!(states, [serde_json::json!({"state": "satisfied", "reason": "pass"}), not("fail"), not("fail"), not("other")]);
    let evidence = &result["observations"][0]["relevant-evidence"][0];
    assert_eq!(*evidence, serde_json::json!({"description": "/proc/812/status", "remarks": "Seccomp:\t0"}));
    let related = result["findings"][2]["related-observations"].as_array().unwrap();
    assert_eq!(related.len(), 2);
    assert_eq!(related[0]["observation-uuid"], result["observations"][0]["uuid"]);
}

#[test]
fn json_has_each_rule_with_its_checks_and_the_raw_evidence() {
    // J1: `inspect` reports the running system's evidence for each
    let report = report(vec![looked("process.seccomp", Verdict::Fails)]);
    let document: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
    assert_eq!(document["at"], "2026-11-21T09:00:00Z");
    assert_eq!(document["counts"], serde_json::json!({"fails": 1, "open": 1, "unseen": 1, "tested_only": 1, "holds": 0}));
    assert_eq!(document["rules"][2]["checks"], serde_json::json!({"hsm.keys": "unseen", "process.seccomp": "fails"}));
    assert_eq!(document["observations"][0]["evidence"][0]["value"], "Seccomp:\t0");
}

#[test]
fn text_tells_what_fails_why_and_moves_no_cursor() {
    // J1: evidence for each rule; what a process was named by a stranger does not steer the terminal of who reads it
    let evil = Observation::new("hsm.keys", Verdict::Holds, "in the HSM", vec![Evidence::new("label", "a\u{1b}[2Jb\nsecond line")]);
    let report = report(vec![looked("process.seccomp", Verdict::Fails), evil]);
    let text = report.text(false);
    assert!(
        text.starts_with(
            "contactpoint 0.2.0 on appliance at 2026-11-21T09:00:00Z\n4 rules: 1 fails, 1 open, 0 unseen, 1 tested only, 1 holds\n"
        ),
        "{text}"
    );
    assert!(text.contains("  G5  fails        There is no way to physical media.\n                   fails: process.seccomp\n"), "{text}");
    assert!(text.contains("              /proc/812/status: Seccomp: 0\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 140), "{text}");
    assert!(text.contains("                a\\u{1b}[2Jb\n                second line\n"), "{text}");
    assert!(!text.contains('\u{1b}') && report.text(true).contains("\u{1b}[31mfails"), "{text}");
}

#[test]
fn text_tells_what_of_an_open_rule_holds_in_lines_that_fit() {
    // J1: evidence for each rule, also for the part that is there of one that is open
    let open = "one two three ".repeat(20) + "end";
    let open = SMALL.replace("checks = [\"hsm.keys\"]", &format!("checks = [\"hsm.keys\"]\nopen = \"{open}\""));
    let report = Report::new(Catalogue::of_toml(&open).unwrap(), facts(), vec![looked("hsm.keys", Verdict::Holds)]).unwrap();
    let text = report.text(false);
    assert!(text.contains("\n                   holds: hsm.keys\n"), "{text}");
    assert!(text.contains("\n                   open: one two") && text.contains(" end\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
}
