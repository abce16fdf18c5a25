//! The rules over a stream of looks: day by day in local time, with memory that does not grow with the log.
//!
//! Memory: what is kept of today's looks (at most [`EVIDENCE`] indexes for each person and rule), one habit for each person who ever looked and each rule that
//! compares with it (under 300 bytes), and, for the rules with `within_days`, the looks of so many days that concern them alone. Nothing else is kept.

use crate::calendar::Calendar;
use crate::find::{finder, Finds, Hit};
use crate::look::{Child, Look};
use crate::rules::{Rule, Rules};
use contactpoint_domain::{Day, PersonId, RuleName};
use std::collections::BTreeMap;

/// The most entry indexes that a finding carries.
pub const EVIDENCE: usize = 512;

/// The most looks of one kind that are kept of a day, where what counts is days, people or children: more of the same add nothing, and hide nothing.
pub(crate) const FEW: usize = 16;

/// Whom or what a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// What one person did.
    Person(PersonId),
    /// What many did about one child.
    Child(Child),
}

/// Something that somebody should ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: RuleName,
    /// Whom or what it is about.
    pub about: About,
    /// The local day at whose end it was found, in days since 1970-01-01.
    pub day: i32,
    /// How far past what the rule asks for, in hundredths of it: 100 is just so much.
    pub score: u32,
    /// Indexes of the entries that it rests on, rising; the first [`EVIDENCE`] of them.
    pub evidence: Vec<u64>,
    /// The child that it is of, where the rule tells what a person did about each by itself.
    pub matter: Option<Child>,
    /// On so many days before its own the same is not told twice ([`Told`]): what it rests on is told.
    pub quiet_days: i32,
}

/// The most doublings that are told apart: sixteen times what a rule asks for is the last.
pub const MOST_DOUBLINGS: u32 = 4;

impl Finding {
    /// How often what the rule asks for was there doubled. The same is told again within the quiet days where it has doubled since; where there are no quiet days, 0.
    #[must_use]
    pub fn doublings(&self) -> u32 {
        if self.quiet_days == 0 {
            return 0;
        }
        (self.score / 100).checked_ilog2().unwrap_or_default().min(MOST_DOUBLINGS)
    }
}

/// What was told, in memory: of the findings of whole years. The daemon has its tasks for that. Grows with what was found.
#[derive(Default)]
pub struct Told(BTreeMap<Matter, Vec<(i32, u32)>>);

/// What is told once: the rule, whom it is about, and the child that it is of.
type Matter = (RuleName, About, Option<Child>);

impl Told {
    /// Whether the same, or more of it, was not told on the day or on one of the quiet days before. Then it is told.
    pub fn is_news(&mut self, finding: &Finding) -> bool {
        let (day, doublings) = (finding.day, finding.doublings());
        let told = self.0.entry((finding.rule.clone(), finding.about, finding.matter)).or_default();
        let is_quiet = told.iter().any(|(at, of)| (day - finding.quiet_days..=day).contains(at) && *of >= doublings);
        if !is_quiet {
            told.push((day, doublings));
        }
        !is_quiet
    }
}

/// The rules at work.
pub struct Watch {
    calendar: Calendar,
    finders: Vec<(Rule, Box<dyn Finds + Send>)>,
    today: Option<i32>,
}

impl Watch {
    /// Nothing looked at yet. `holidays`: days from Monday to Friday on which nobody works.
    #[must_use]
    pub fn new(rules: &Rules, holidays: &[Day]) -> Self {
        let finders = rules.rule.iter().map(|rule| (rule.clone(), finder(&rule.find))).collect();
        Self { calendar: Calendar::of(&rules.time_zone, holidays), finders, today: None }
    }

    /// The next look, in the order of the log. Returns what was found on the days that ended before it, told before or not ([`Told`]). A look that seems to be of a day
    /// before, because a clock was set back, counts for the day that it comes in.
    pub fn take(&mut self, look: &Look) -> Vec<Finding> {
        let mut local = self.calendar.local(look.at);
        let found = self.begin_day(local.day);
        local.day = self.today.map_or(local.day, |today| local.day.max(today));
        for (rule, finder) in &mut self.finders {
            if rule.is_about(look.peers.kind) {
                finder.take(look, local);
            }
        }
        found
    }

    /// From now on no look counts for a day before this one. Returns what was found on the days that ended with that.
    pub fn begin_day(&mut self, day: i32) -> Vec<Finding> {
        let ended = self.today.filter(|today| *today < day);
        self.today = Some(self.today.map_or(day, |today| today.max(day)));
        ended.map_or_else(Vec::new, |today| self.day_ends(today))
    }

    /// No more looks: what was found on the last day.
    #[must_use]
    pub fn finish(mut self) -> Vec<Finding> {
        self.today.map_or_else(Vec::new, |today| self.day_ends(today))
    }

    fn day_ends(&mut self, day: i32) -> Vec<Finding> {
        let mut found = Vec::new();
        for (rule, finder) in &mut self.finders {
            found.extend(finder.day_ends(day).into_iter().map(|hit| finding(rule, day, hit)));
        }
        found
    }
}

fn finding(rule: &Rule, day: i32, hit: Hit) -> Finding {
    let Hit { about, matter, mut evidence, score, quiet_days } = hit;
    evidence.sort_unstable();
    evidence.dedup();
    evidence.truncate(EVIDENCE);
    Finding { rule: rule.name.clone(), about, day, score, evidence, matter, quiet_days }
}

/// What the rules find in these looks, which come in the order of the log, each thing once within its quiet days.
pub fn findings(rules: &Rules, holidays: &[Day], looks: impl Iterator<Item = Look>) -> Vec<Finding> {
    let mut watch = Watch::new(rules, holidays);
    let mut found: Vec<Finding> = looks.flat_map(|look| watch.take(&look)).collect();
    found.extend(watch.finish());
    let mut told = Told::default();
    found.retain(|finding| told.is_news(finding));
    found
}

/// Hundredths of `asked` that `there` is.
pub(crate) fn score(there: u64, asked: u64) -> u32 {
    u32::try_from(there.saturating_mul(100) / asked.max(1)).unwrap_or(u32::MAX)
}

/// One more index, where there are fewer than [`FEW`].
pub(crate) fn keep_few(evidence: &mut Vec<u64>, index: u64) {
    if evidence.len() < FEW {
        evidence.push(index);
    }
}

/// One more index, where there is a place.
pub(crate) fn keep(evidence: &mut Vec<u64>, index: u64) {
    if evidence.len() < EVIDENCE {
        evidence.push(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::testing::{look, seen};
    use crate::look::{Ending, Seen};
    use contactpoint_domain::{Instant, Kin, Tie};

    #[test]
    fn what_is_found_of_a_child_of_the_own_home_hides_no_namesake_and_no_namesake_another() {
        // D7, F4: whoever has a child of their own on the roll hides behind it nothing that they do besides
        let rules = Rules::parse(include_str!("../../config/detection.toml")).unwrap();
        let at_home = Seen { kin: Kin::Home, ..seen(1) };
        let namesake = |child| Seen { kin: Kin::Name, relation: Tie::Area, ..seen(child) };
        let looks = (1..=2u64).flat_map(|day| {
            let children = [at_home, namesake(2), namesake(3)];
            (0..3u64).zip(children).map(move |(at, child)| {
                let noon = Instant::of_millis(day * 86_400_000 + 43_200_000);
                crate::Look { at: noon, ..look(10 * day + at, 5, Ending::Shown, &[child]) }
            })
        });
        let found: Vec<Finding> =
            findings(&rules, &[], looks).into_iter().filter(|finding| finding.rule.as_str() == "own-family").collect();
        let told: Vec<(i32, &[u64])> = found.iter().map(|finding| (finding.day, finding.evidence.as_slice())).collect();
        assert_eq!(told, [(1, &[10][..]), (2, &[20][..]), (2, &[11, 21][..]), (2, &[12, 22][..])]);
    }
}
