//! Weeks of the synthetic year in a real log: nights are run over it, and the report counts what the rules and the plan make of the same looks (rule F4).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../review/tests/played/mod.rs"]
mod played;
mod rig;
mod staff;

use contactpoint_audit::{Entry, Operation};
use contactpoint_directory::{Directory, Reviewing, StatisticsRequest};
use contactpoint_domain::{Capability, Day, Instant, OrganisationId, OrganisationKind, Role};
use contactpoint_review::{findings, About, Drawable, Finding, Look, Plan, Rules, Seed};
use contactpoint_store::{NewOrganisation, Store};
use contactpoint_synthesise::Played;
use rig::{create, entry};
use serde_json::{json, Value};
use std::collections::BTreeMap;

const DAY: u64 = 86_400_000;
const MINUTE: u64 = 60_000;
/// A year in whose weeks before Christmas four of the rules find something, one of them of many people.
const SEED: u64 = 11;
const PEOPLE: u32 = 400;
/// From a Monday on, in winter: no day of the wall is another than UTC's. A month and a quarter are over with the last of them.
const FROM: &str = "2025-12-08";
const TO: &str = "2025-12-31";
/// Far enough for everything that is made until then to be due.
const REPORT_TO: &str = "2026-02-28";
/// The day of the report: of what was made some is overdue, and some not.
const REPORTED: &str = "2026-01-02";

/// A look where it stands in the log.
struct Logged {
    index: u64,
    played: Played,
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn begin(day: Day) -> Instant {
    Instant::of_millis(u64::try_from(day.number()).unwrap() * DAY)
}

/// The looks of some weeks of the year by their days, and the bank holidays.
fn weeks(seed: u64) -> (BTreeMap<Day, Vec<Played>>, Vec<Day>) {
    let mut year = played::year(seed, PEOPLE.into());
    let holidays = year.holidays();
    let mut days: BTreeMap<Day, Vec<Played>> = BTreeMap::new();
    let until = (&mut year).take_while(|played| played.entry.at.day() <= day(TO));
    for played in until.filter(|played| played.entry.at.day() >= day(FROM)) {
        days.entry(played.entry.at.day()).or_default().push(played);
    }
    (days, holidays)
}

/// The organisations of these looks, with an auditor's behind them.
async fn enrolled(store: &Store, days: &BTreeMap<Day, Vec<Played>>) -> contactpoint_identity::Caller {
    let kinds: BTreeMap<OrganisationId, OrganisationKind> =
        days.values().flatten().map(|played| (played.entry.organisation.unwrap(), played.kind)).collect();
    let last = kinds.keys().last().unwrap().0;
    let made = store.change(move |transaction| {
        for id in (1..=last).map(OrganisationId) {
            let (name, kind) = ("Body".try_into().unwrap(), kinds.get(&id).copied().unwrap_or(OrganisationKind::School));
            let new = NewOrganisation { name, kind, authority: None, telephone: None, email: None, postcode: None };
            assert_eq!(transaction.add_organisation(&new)?.id, id);
        }
        Ok(((), entry(Operation::EnrolOrganisation, Vec::new())))
    });
    made.await.unwrap().into_inner();
    let auditor = staff::somebody(PEOPLE + 1, Role::Auditor, (OrganisationKind::Auditor, last + 1), Capability::Audit);
    staff::on_record(store, &[&auditor]).await;
    auditor
}

/// Writes the entries of a day as the daemon would, and returns those that are looks where they stand.
async fn write(store: &Store, day: Vec<Played>) -> Vec<Logged> {
    let writing = day.into_iter().map(|played| {
        let store = store.clone();
        tokio::spawn(async move {
            let facts = played.facts.iter().map(|fact| played::facts(fact).number()).collect();
            let entry = Entry { facts, ..played::entry(&played) };
            let index = store.look(|_| Ok(((), entry))).await.unwrap().entry_index();
            Logged { index, played }
        })
    });
    let mut written = Vec::new();
    for one in writing.collect::<Vec<_>>() {
        written.push(one.await.unwrap());
    }
    written.retain(|look| look.played.entry.operation.is_look());
    written.sort_by_key(|look| look.index);
    written
}

/// What is to be done at a time: what is noted is drawn once a head covers it.
async fn night(store: &Store, reviewing: &Reviewing, now: Instant) {
    for _ in 0..2 {
        store.checkpoint().await.unwrap();
        while reviewing.go_on(now).await.unwrap() {}
    }
}

/// A task as the report should count it: whose, found by which rule, and due when.
type Expected = (Option<(OrganisationId, Role)>, Option<String>, Day);

/// What the rules find of these looks, all at once.
fn found(rules: &Rules, holidays: &[Day], looks: &[Logged]) -> Vec<Expected> {
    let by_index: BTreeMap<u64, &Played> = looks.iter().map(|look| (look.index, &look.played)).collect();
    let all = looks.iter().map(|look| Look { index: look.index, ..played::look(&look.played) });
    let task = |Finding { rule, about, day, evidence, .. }: Finding| {
        let last = &by_index[evidence.last().unwrap()].entry;
        let whose = matches!(about, About::Person(_)).then(|| (last.organisation.unwrap(), last.role.unwrap()));
        // made in the night after the day
        let made = Day::of_number(day + 1).unwrap();
        (whose, Some(rule.as_str().to_owned()), rules.due(made, holidays))
    };
    findings(rules, holidays, all).into_iter().map(task).collect()
}

/// What the plan draws of these looks, by the checkpoints that the report has.
fn drawn(plan: &Plan, holidays: &[Day], looks: &[Logged], periods: &Value) -> Vec<Expected> {
    let mut tasks = Vec::new();
    for period in periods.as_array().unwrap() {
        let note = period["checkpoint"].as_str().unwrap();
        let seed = Seed::of_checkpoint(&(note.split("\n\n").next().unwrap().to_owned() + "\n"));
        let (last, of_period) =
            (day(period["last"].as_str().unwrap()), period["from"].as_u64().unwrap()..period["ended"].as_u64().unwrap());
        for Logged { index, played } in looks.iter().filter(|look| of_period.contains(&look.index)) {
            let (organisation, role) = (played.entry.organisation.unwrap(), played.entry.role.unwrap());
            let drawable = Drawable { index: *index, day: last, organisation, kind: played.kind, role };
            let task = plan.task(&seed, holidays, &drawable).filter(|task| task.every.code() == period["every"]);
            tasks.extend(task.map(|task| (Some((organisation, role)), None, task.due)));
        }
    }
    tasks
}

/// All, drawn, open and overdue, of each of what a task is counted by.
fn counted<K: Ord>(tasks: &[Expected], key: impl Fn(&Expected) -> Option<K>) -> BTreeMap<K, [u64; 4]> {
    let mut counts: BTreeMap<K, [u64; 4]> = BTreeMap::new();
    for task in tasks {
        let Some(key) = key(task) else { continue };
        let is_overdue = task.2 < day(REPORTED);
        let [all, drawn, open, overdue] = counts.entry(key).or_default();
        *all += 1;
        *drawn += u64::from(task.1.is_none());
        *(if is_overdue { overdue } else { open }) += 1;
    }
    counts
}

fn reported<K: Ord>(rows: &Value, key: impl Fn(&Value) -> K) -> BTreeMap<K, [u64; 4]> {
    let counts = |row: &Value| ["tasks", "drawn", "open", "overdue"].map(|count| row[count].as_u64().unwrap());
    rows.as_array().unwrap().iter().map(|row| (key(row), counts(row))).collect()
}

#[tokio::test]
async fn the_report_counts_what_the_rules_find_and_the_plan_draws_of_weeks_of_the_synthetic_year() {
    // F4: detection rules over the log feed regular review; tasks with due dates by organisation and role; overdue reviews are reported
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let (plan, rules) = (include_str!("../../../config/review-plan.toml"), include_str!("../../../config/detection.toml"));
    let (plan, rules) = (Plan::parse(plan).unwrap(), Rules::parse(rules).unwrap());
    let (days, holidays) = weeks(SEED);
    let auditor = enrolled(&store, &days).await;
    let reviewing = Reviewing::over(store.clone(), plan.clone(), &holidays).detecting(Some(rules.clone()));
    // what was before the weeks is of periods of before
    night(&store, &reviewing, Instant::of_millis(begin(day(FROM)).millis())).await;
    let mut looks = Vec::new();
    for (day, of_day) in days {
        looks.extend(write(&store, of_day).await);
        night(&store, &reviewing, Instant::of_millis(begin(day).millis() + DAY + 20 * MINUTE)).await;
    }
    let directory = Directory::new(store.clone(), BTreeMap::new());
    let request = StatisticsRequest { from: day(FROM), to: day(REPORT_TO) };
    let now = Instant::of_millis(begin(day(REPORTED)).millis() + 720 * MINUTE);
    let report = directory.review_report(&auditor, request, now).await.unwrap().into_inner().unwrap();
    let report = serde_json::to_value(&report).unwrap();

    let of_rules = found(&rules, &holidays, &looks);
    let of_plan = drawn(&plan, &holidays, &looks, &report["periods"]);
    assert!(looks.len() > 5000 && of_plan.len() > 30, "{} looks, {} drawn", looks.len(), of_plan.len());
    let tasks = [of_rules, of_plan].concat();
    let by_rule = counted(&tasks, |(_, rule, _)| rule.clone());
    assert_eq!(by_rule.keys().collect::<Vec<_>>(), ["child-by-many", "hours", "police-far", "volume"], "something is to be counted");
    assert_eq!(reported(&report["by_rule"], |row| row["rule"].as_str().unwrap().to_owned()), by_rule);
    let whose = |row: &Value| (row["organisation"].to_string(), row["role"].to_string());
    let of_task = |task: &Expected| match task.0 {
        Some((organisation, role)) => (json!(organisation).to_string(), json!(role).to_string()),
        None => (Value::Null.to_string(), Value::Null.to_string()),
    };
    assert_eq!(reported(&report["by_organisation"], whose), counted(&tasks, |task| Some(of_task(task))));
    // of all days: what was before the weeks made no task
    let overdue = tasks.iter().filter(|task| task.2 < day(REPORTED)).count();
    assert_eq!(report["overdue_today"], overdue);
}
