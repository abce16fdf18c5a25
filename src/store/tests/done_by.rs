//! By which plan, rules and holidays the daemon made tasks of review: its entries say so, and the report shows it (rule F4).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;
mod staff;

use contactpoint_audit::{Change, Entry, Operation};
use contactpoint_directory::{Directory, Reviewing, StatisticsRequest};
use contactpoint_domain::{Capability, Day, Instant, OrganisationKind, Role};
use contactpoint_review::{digest_of_holidays, Plan, Rules};
use contactpoint_store::Store;
use rig::{create, entry, open};
use serde_json::{json, Value};
use staff::{on_record, somebody, NOW};
use std::collections::BTreeMap;

const DAY: u64 = 86_400_000;
const PLAN: &str = "[[line]]\nwhy = \"w\"\nper_mille = 10\nevery = \"week\"\nworking_days = 5\n";
const RULES: &str =
    "time_zone = \"GMT0\"\nadjoining = [[2, 5]]\n[[rule]]\nname = \"n\"\nwhy = \"w\"\nfind.refused = { looks = 3, percent = 60 }\n";

fn plan() -> Plan {
    Plan::parse(PLAN).unwrap()
}

fn rules(adjoining: &str) -> Rules {
    Rules::parse(&RULES.replace("[2, 5]", adjoining)).unwrap()
}

fn days(holidays: &[&str]) -> Vec<Day> {
    holidays.iter().map(|day| day.parse().unwrap()).collect()
}

/// The daemon's night after so many days.
async fn night(store: &Store, rules: Rules, holidays: &[Day], after: u64) {
    let reviewing = Reviewing::over(store.clone(), plan(), holidays).detecting(Some(rules));
    for _ in 0..2 {
        store.checkpoint().await.unwrap();
        while reviewing.go_on(Instant::of_millis(NOW.millis() + after * DAY)).await.unwrap() {}
    }
}

/// What the entries of one kind were done by, in the order of the log.
fn done_by(store: &Store, operation: Operation) -> Vec<(u64, Vec<Change>)> {
    let all = store.entries_between_for_upkeep(0, store.log_size()).unwrap();
    all.into_iter().filter(|look| look.entry.operation == operation).map(|look| (look.index, look.entry.changes)).collect()
}

fn row(table: u8, digest: [u8; 16]) -> Change {
    Change { table, row: 0, version: 1, digest }
}

/// Without those in which the daemon began by other rules.
fn nights_among(runs: Vec<(u64, Vec<Change>)>) -> Vec<(u64, Vec<Change>)> {
    runs.into_iter().filter(|(_, changes)| changes[0].row == 0).collect()
}

fn hex(digest: [u8; 16]) -> String {
    digest.map(|byte| format!("{byte:02x}")).concat()
}

async fn reported(store: &Store, member: &str) -> Value {
    let auditor = somebody(21, Role::Auditor, (OrganisationKind::Auditor, 9), Capability::Audit);
    on_record(store, &[&auditor]).await;
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let request = StatisticsRequest { from: "2026-01-01".parse().unwrap(), to: "2026-01-31".parse().unwrap() };
    let report = directory.review_report(&auditor, request, NOW).await.unwrap().into_inner().unwrap();
    serde_json::to_value(&report).unwrap()[member].clone()
}

#[tokio::test]
async fn every_run_of_the_rules_says_in_the_log_by_which_file_and_which_holidays_and_the_report_shows_each_change() {
    // F4: detection rules over the log. Whoever takes a rule out for a night, or a day of the calendar, leaves it in the log
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let (none, one) = (days(&[]), days(&["2026-01-07"]));
    let nights = [("[2, 5]", &none), ("[2, 5]", &none), ("[2, 6]", &none), ("[2, 6]", &one), ("[2, 5]", &none)];
    for (after, (adjoining, holidays)) in [0, 2, 3, 4, 5].into_iter().zip(nights) {
        night(&store, rules(adjoining), holidays, after).await;
    }
    let runs = nights_among(done_by(&store, Operation::DetectReviews));
    let expected = nights.map(|(adjoining, holidays)| vec![row(83, rules(adjoining).digest()), row(84, digest_of_holidays(holidays))]);
    assert_eq!(runs.iter().map(|(_, changes)| changes.clone()).collect::<Vec<_>>(), expected, "also where nothing was found");
    // after a restart, too: it is in the log and not in memory
    store.close().await.unwrap();
    let store = open(dir.path()).unwrap();
    let shown = |from: &str, to: &str, (first, last): (usize, usize), (adjoining, holidays): (&str, &[Day])| {
        // since the second stretch each begins with the entry of the daemon's start, right before
        let (nights, first, last) = (last + 1 - first, runs[first].0 - u64::from(first > 0), runs[last].0);
        let (rules, holidays) = (hex(rules(adjoining).digest()), hex(digest_of_holidays(holidays)));
        json!({"from": from, "to": to, "nights": nights, "first": first, "last": last, "rules": rules, "holidays": holidays})
    };
    let expected = [
        shown("2026-01-04", "2026-01-06", (0, 1), ("[2, 5]", &none)),
        shown("2026-01-07", "2026-01-07", (2, 2), ("[2, 6]", &none)),
        shown("2026-01-08", "2026-01-08", (3, 3), ("[2, 6]", &one)),
        shown("2026-01-09", "2026-01-09", (4, 4), ("[2, 5]", &none)),
    ];
    assert_eq!(reported(&store, "detection").await, json!(expected));
}

#[tokio::test]
async fn a_period_s_end_and_its_draw_say_in_the_log_by_which_holidays_days_are_due() {
    // F4: tasks with due dates; a list of holidays that makes them later is in the log
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let before = Entry { at: Instant::of_millis(NOW.millis() - 2 * DAY), ..entry(Operation::LogIn, Vec::new()) };
    store.look(|_| Ok(((), before))).await.unwrap().into_inner();
    let (holidays, in_disorder) = (days(&["2026-04-03", "2026-12-25"]), days(&["2026-12-25", "2026-04-03"]));
    night(&store, rules("[2, 5]"), &in_disorder, 0).await;
    let kept = row(84, digest_of_holidays(&holidays));
    let changes = |operation| done_by(&store, operation).into_iter().map(|(_, changes)| changes).collect::<Vec<_>>();
    assert_eq!(changes(Operation::EndPeriod), [vec![row(82, plan().digest()), kept]]);
    assert_eq!(changes(Operation::DrawReviews), [vec![kept]]);
    let periods = reported(&store, "periods").await;
    assert_eq!((&periods[0]["plan"], &periods[0]["holidays"]), (&json!(hex(plan().digest())), &json!(hex(kept.digest))));
}

#[tokio::test]
async fn rules_that_were_others_from_a_morning_to_an_evening_are_in_the_log_and_in_the_report() {
    // F4: which areas adjoin is known of a look when it is made, so a file that no night saw played a part
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    night(&store, rules("[2, 5]"), &[], 0).await;
    let at = |hours: u64| Instant::of_millis(NOW.millis() + hours * 3_600_000);
    for (hours, adjoining) in [(1, Some("[2, 6]")), (2, Some("[2, 6]")), (3, None), (4, None), (5, Some("[2, 5]")), (6, Some("[2, 5]"))] {
        let reviewing = Reviewing::over(store.clone(), plan(), &[]).detecting(adjoining.map(rules));
        while reviewing.go_on(at(hours)).await.unwrap() {}
    }
    night(&store, rules("[2, 5]"), &[], 1).await;
    let runs = done_by(&store, Operation::DetectReviews);
    let by: Vec<(i64, [u8; 16])> = runs.iter().map(|(_, changes)| (changes[0].row, changes[0].digest)).collect();
    let [own, other] = ["[2, 5]", "[2, 6]"].map(|adjoining| rules(adjoining).digest());
    let none = digest_of_holidays(&[]);
    assert_eq!(by, [(0, own), (1, other), (1, none), (1, own), (0, own)], "each once, and not at every start");
    let detection = reported(&store, "detection").await;
    let shown: Vec<Value> = detection.as_array().unwrap().iter().map(|stretch| json!([stretch["rules"], stretch["nights"]])).collect();
    assert_eq!(shown, [json!([hex(own), 1]), json!([hex(other), 0]), json!([hex(none), 0]), json!([hex(own), 1])]);
}
