//! The rules on the synthetic year: what they find of what is planted, and how often they are wrong. Numbers of the rules were settled on seed 1;
//! the bounds hold for others. `cargo test -p contactpoint-review --test year -- --nocapture` prints the table of docs/review.md.

#![expect(clippy::unwrap_used, reason = "what cannot be made fails the test")]

mod played;

use contactpoint_domain::Day;
use contactpoint_review::{findings, About, Finding, Look, Rules, Told, Watch};
use contactpoint_synthesise::{Misuse, Plant};
use played::{look, year};
use std::collections::{BTreeMap, BTreeSet};

/// Of seeds that no number of the rules was settled on.
const SEEDS: [u64; 3] = [2, 3, 4];
/// Days of looks that the daemon goes through each night.
const WINDOW: i32 = 60;
/// Of a thousand looks, so many findings of each rule may be wrong on the worst of the seeds: about twice what was measured.
const BOUNDS: [(&str, f64); 6] =
    [("own-family", 0.11), ("volume", 0.12), ("hours", 0.45), ("child-by-many", 0.01), ("refused", 0.01), ("police-far", 0.03)];
/// The same of the daemon's nights.
const NIGHTLY_BOUNDS: [(&str, f64); 6] =
    [("own-family", 0.11), ("volume", 0.12), ("hours", 0.62), ("child-by-many", 0.01), ("refused", 0.01), ("police-far", 0.03)];
/// Of the twenty that are planted, so many may be missed on the worst of the seeds: one look at an empty surgery in the evening was.
const MOST_MISSED: usize = 1;

/// A year as the rules see it, and the truth beside it.
struct Case {
    looks: Vec<Look>,
    holidays: Vec<Day>,
    plants: Vec<Plant>,
    /// Which plant an entry is of.
    planted: BTreeMap<u64, usize>,
}

impl Case {
    fn of(seed: u64) -> Self {
        Self::with(seed, 2000)
    }

    fn with(seed: u64, people: u64) -> Self {
        let mut year = year(seed, people);
        let (mut looks, mut planted) = (Vec::new(), BTreeMap::new());
        // as the daemon: what is no look is not given to the rules
        for played in (&mut year).filter(|played| played.entry.operation.is_look()) {
            planted.extend(played.planted.map(|plant| (played.index, plant)));
            looks.push(look(&played));
        }
        Self { looks, holidays: year.holidays(), plants: year.plants().to_vec(), planted }
    }

    fn findings(&self, rules: &Rules) -> Vec<Finding> {
        findings(rules, &self.holidays, self.looks.iter().cloned())
    }

    /// What the daemon finds, which begins from nothing each night over the looks of the last sixty days: of each night what is of its day and was not told.
    fn night_by_night(&self, rules: &Rules) -> Vec<Finding> {
        let days: Vec<i32> = self.looks.iter().map(|look| rules.day_of(look.at)).collect();
        let nights = days.first().copied().unwrap_or_default()..=days.last().copied().unwrap_or_default();
        let found = nights.flat_map(|night| {
            let within = days.partition_point(|day| *day < night - WINDOW)..days.partition_point(|day| *day <= night);
            let mut watch = Watch::new(rules, &self.holidays);
            let mut found: Vec<Finding> = self.looks[within].iter().flat_map(|look| watch.take(look)).collect();
            found.extend(watch.finish());
            found.into_iter().filter(move |finding| finding.day == night)
        });
        let mut told = Told::default();
        found.filter(|finding| told.is_news(finding)).collect()
    }

    /// The plant that a finding is of: more than half of what it rests on, and whom it is about.
    fn plant_of(&self, finding: &Finding) -> Option<usize> {
        let mut plants: BTreeMap<usize, usize> = BTreeMap::new();
        for plant in finding.evidence.iter().filter_map(|index| self.planted.get(index)) {
            *plants.entry(*plant).or_default() += 1;
        }
        let (plant, entries) = plants.into_iter().max_by_key(|(_, entries)| *entries)?;
        let is_theirs = match finding.about {
            About::Person(person) => self.plants[plant].people.contains(&person),
            About::Child(_) => self.plants[plant].kind == Misuse::WellKnownChild,
        };
        (is_theirs && entries * 2 > finding.evidence.len()).then_some(plant)
    }

    fn found(&self, findings: &[Finding]) -> BTreeSet<usize> {
        findings.iter().filter_map(|finding| self.plant_of(finding)).collect()
    }
}

fn rules() -> Rules {
    Rules::parse(include_str!("../../../config/detection.toml")).unwrap()
}

/// Findings of each rule, and those of them that are of no plant.
fn by_rule(case: &Case, found: &[Finding]) -> BTreeMap<String, (usize, usize)> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for finding in found {
        let (all, wrong) = counts.entry(finding.rule.as_str().to_owned()).or_default();
        *all += 1;
        *wrong += usize::from(case.plant_of(finding).is_none());
    }
    counts
}

fn per_thousand(count: usize, case: &Case) -> f64 {
    count as f64 * 1000.0 / case.looks.len() as f64
}

/// Prints a seed's lines of the table; returns the rate of false alarms of each rule, and what was not found.
fn measured(seed: u64, case: &Case, found: &[Finding]) -> (BTreeMap<String, f64>, Vec<&'static str>) {
    let counts = by_rule(case, found);
    let plants = case.found(found);
    println!("| seed {seed}: {} looks | findings | false | false per thousand looks |\n| --- | --- | --- | --- |", case.looks.len());
    for name in rules().names() {
        let (all, wrong) = counts.get(name).copied().unwrap_or_default();
        println!("| {name} | {all} | {wrong} | {:.4} |", per_thousand(wrong, case));
    }
    println!("| all: {} of {} planted found | {} | | |\n", plants.len(), case.plants.len(), found.len());
    let missed: Vec<&str> = case.plants.iter().enumerate().filter(|(at, _)| !plants.contains(at)).map(|(_, plant)| plant.story).collect();
    missed.iter().for_each(|story| println!("missed: {story}\n"));
    (counts.into_iter().map(|(name, (_, wrong))| (name, per_thousand(wrong, case))).collect(), missed)
}

#[test]
#[ignore = "prints the seed that the numbers were settled on; it proves nothing"]
fn the_seed_of_the_settling() {
    let case = Case::of(1);
    println!("{:?}", measured(1, &case, &case.findings(&rules())).1);
    for finding in case.findings(&rules()) {
        let plant = case.plant_of(&finding).map(|plant| case.plants[plant].story);
        let first = case.looks.iter().find(|look| look.index == finding.evidence[0]).unwrap();
        let (kind, at, day) = (first.peers.kind.code(), first.at, finding.day);
        println!(
            "{} {:?} {kind} {at} day {day} score {} of {} {plant:?}",
            finding.rule.as_str(),
            finding.about,
            finding.score,
            finding.evidence.len()
        );
    }
}

#[test]
#[ignore = "goes through two months for each night of three years: minutes. Prints the second table of docs/review.md"]
fn what_the_daemon_finds_night_by_night() {
    for seed in SEEDS {
        let case = Case::of(seed);
        let (rates, missed) = measured(seed, &case, &case.night_by_night(&rules()));
        assert!(missed.len() <= MOST_MISSED, "seed {seed}: {missed:?}");
        assert_bounds(seed, &rates, &NIGHTLY_BOUNDS);
    }
}

#[test]
fn what_is_planted_in_a_year_is_found_and_false_alarms_are_as_few_as_is_said() {
    // F4, D6 to D8: detection rules as data, each with a false-positive rate measured on the synthetic year
    for seed in SEEDS {
        let case = Case::of(seed);
        assert_eq!(case.plants.len(), 20);
        let (rates, missed) = measured(seed, &case, &case.findings(&rules()));
        assert!(missed.len() <= MOST_MISSED, "seed {seed}: {missed:?}");
        assert_bounds(seed, &rates, &BOUNDS);
    }
}

fn assert_bounds(seed: u64, rates: &BTreeMap<String, f64>, bounds: &[(&str, f64)]) {
    for (rule, bound) in bounds {
        let rate = rates.get(*rule).copied().unwrap_or_default();
        assert!(rate <= *bound, "seed {seed}: {rule}: {rate} false alarms per thousand looks, more than {bound}");
    }
}

#[test]
fn without_any_one_of_the_rules_something_planted_is_missed() {
    // F4: a rule that nothing needs is none
    let case = Case::of(SEEDS[0]);
    let all = case.findings(&rules());
    let without = |name: &str| all.iter().filter(|finding| finding.rule.as_str() != name).cloned().collect::<Vec<_>>();
    assert_eq!(case.findings(&rules().without("volume")), without("volume"), "no rule has a part in what another finds");
    for name in rules().names() {
        let found = case.found(&without(name));
        println!("without {name}: {} of {}", found.len(), case.plants.len());
        assert!(found.len() < case.found(&all).len(), "without {name} as many are found");
    }
}

#[test]
fn the_same_year_gives_the_same_findings() {
    // F4: what is found can be found again by anybody who has the log and the rules
    let (case, again) = (Case::with(9, 400), Case::with(9, 400));
    assert!(!case.findings(&rules()).is_empty());
    assert_eq!(case.findings(&rules()), again.findings(&rules()));
}
