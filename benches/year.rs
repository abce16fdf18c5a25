//! What review costs: the detection rules over the synthetic year and over the sixty days of one night, and the draw of the shipped plan.
//! `cargo run --release -p contactpoint-review --example year -- [PEOPLE] [SEED]`; 2,000 people and seed 2, where nothing is said.
//!
//! For: the figures in docs/performance.md. Leaves to others: reading looks out of a store, which takes the daemon longer than judging them. One
//! thread, so seconds of processor time are seconds of one core.

#![expect(clippy::unwrap_used, reason = "a measurement that fails ends")]

#[path = "../src/review/tests/played/mod.rs"]
mod played;

use contactpoint_domain::{Day, OrganisationId};
use contactpoint_review::{findings, Drawable, Every, Look, Plan, Rules, Seed, Watch};
use contactpoint_synthesise::Year;
use std::time::Duration;

/// Days of looks that the daemon goes through each night.
const WINDOW: i32 = 60;
/// A night whose sixty days are all term: of the end of November.
const NIGHT: &str = "2025-11-28";

fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<u64>().unwrap());
    let (people, seed) = (arguments.next().unwrap_or(2000), arguments.next().unwrap_or(2));
    let rules = Rules::parse(include_str!("../config/detection.toml")).unwrap();
    let plan = Plan::parse(include_str!("../config/review-plan.toml")).unwrap();
    println!("{people} people, seed {seed}");

    let mut year = played::year(seed, people);
    let holidays = year.holidays();
    let (took, looks) = timed(|| looks(&mut year));
    said("a year played", looks.len(), took);

    let all: Vec<Look> = looks.iter().map(|(look, _)| look.clone()).collect();
    let (took, found) = timed(|| findings(&rules, &holidays, all.iter().cloned()).len());
    said("the six rules over it", all.len(), took);
    println!("  {found} found");
    for name in rules.names().collect::<Vec<_>>() {
        let others = rules.names().filter(|other| *other != name).fold(rules.clone(), |rules, other| rules.without(other));
        let (took, _) = timed(|| findings(&others, &holidays, all.iter().cloned()).len());
        said(&format!("  {name} alone"), all.len(), took);
    }

    let night = NIGHT.parse::<Day>().unwrap().number();
    let of_night: Vec<&Look> = all.iter().filter(|look| (night - WINDOW..=night).contains(&rules.day_of(look.at))).collect();
    let (took, _) = timed(|| one_night(&rules, &holidays, &of_night));
    said("the rules of one night, over sixty days", of_night.len(), took);

    let (took, drawn) = timed(|| drawn(&plan, &holidays, &looks));
    said("the plan's draws of it, each look asked of", looks.len(), took);
    println!("  {drawn} drawn");
}

/// Every look of a year, and whose it was.
fn looks(year: &mut Year) -> Vec<(Look, OrganisationId)> {
    let looks = year.filter(|played| played.entry.operation.is_look());
    looks.map(|played| (played::look(&played), played.entry.organisation.unwrap())).collect()
}

fn one_night(rules: &Rules, holidays: &[Day], looks: &[&Look]) -> usize {
    let mut watch = Watch::new(rules, holidays);
    let found: usize = looks.iter().map(|look| watch.take(look).len()).sum();
    found + watch.finish().len()
}

/// As somebody draws who draws again: each look in the draws of each kind of period. A draw of the daemon asks the plan about those alone whom the seed draws.
fn drawn(plan: &Plan, holidays: &[Day], looks: &[(Look, OrganisationId)]) -> usize {
    let seeds = Every::ALL.map(|every| (every, Seed::of_checkpoint(every.code())));
    let is_drawn = |(look, organisation): &(Look, OrganisationId), (every, seed): &(Every, Seed)| {
        let (index, day, organisation) = (look.index, every.end(look.at.day()), *organisation);
        let drawable = Drawable { index, day, organisation, kind: look.peers.kind, role: look.peers.role };
        plan.task(seed, holidays, &drawable).is_some_and(|task| task.every == *every)
    };
    looks.iter().map(|look| seeds.iter().filter(|seed| is_drawn(look, seed)).count()).sum()
}

fn said(what: &str, looks: usize, took: Duration) {
    let each = took.as_secs_f64() / looks as f64;
    println!(
        "{what}: {looks} looks, {:.3} s of processor time, {:.0} looks a second, {:.0} ns each",
        took.as_secs_f64(),
        1.0 / each,
        each * 1e9
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let before = processor_time();
    let done = work();
    (processor_time() - before, done)
}

/// Time that this thread, the only one, was on a processor: proc(5), the first field of schedstat, in nanoseconds.
fn processor_time() -> Duration {
    let times = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    Duration::from_nanos(times.split_whitespace().next().unwrap().parse().unwrap())
}
