//! Outside working hours: looks at an hour, of working days or of free ones, near which the person hardly ever looked before, and at which few of
//! the peers' looks are. Who is on call at night has the habit; a newcomer is compared with the peers alone. Habits fade: after 4,000 looks each
//! counts half.

use super::{Finds, Hit};
use crate::calendar::Local;
use crate::look::{Look, Peers};
use crate::rules::Hours;
use crate::watch::{keep, score, About};
use contactpoint_domain::PersonId;
use std::collections::BTreeMap;

const FADES_AT: u64 = 4000;
const PEERS_FADE_AT: u64 = 4_000_000;
/// Looks of peers after which they are known. Before that nothing is found.
const PEERS_KNOWN_AFTER: u64 = 1000;

pub(super) struct Finder {
    rule: Hours,
    own: BTreeMap<PersonId, Habit>,
    peers: BTreeMap<Peers, Habit>,
    today: BTreeMap<PersonId, Today>,
}

/// Looks by hour, of working days and of free ones.
#[derive(Default, Clone)]
struct Habit {
    hours: [[u32; 24]; 2],
}

impl Habit {
    fn all(&self) -> u64 {
        self.hours.iter().flatten().map(|looks| u64::from(*looks)).sum()
    }

    /// The share of looks within an hour of this one, in thousandths, of all there are.
    fn near(&self, local: Local) -> u64 {
        let hours = self.hours.get(usize::from(local.is_free));
        let at = |hour: usize| hours.and_then(|hours| hours.get(hour % 24)).map_or(0, |looks| u64::from(*looks));
        let near = at(local.hour + 23) + at(local.hour) + at(local.hour + 1);
        near * 1000 / self.all().max(1)
    }

    fn add(&mut self, today: &Self, fades_at: u64) {
        for (looks, more) in self.hours.iter_mut().flatten().zip(today.hours.iter().flatten()) {
            *looks = looks.saturating_add(*more);
        }
        if self.all() >= fades_at {
            self.hours.iter_mut().flatten().for_each(|looks| *looks /= 2);
        }
    }
}

struct Today {
    peers: Peers,
    looks: Habit,
    unusual: Vec<u64>,
}

impl Finder {
    pub(super) fn of(rule: Hours) -> Self {
        Self { rule, own: BTreeMap::new(), peers: BTreeMap::new(), today: BTreeMap::new() }
    }

    /// Against the habits of the days before.
    fn is_unusual(&self, look: &Look, local: Local) -> bool {
        let Some(peers) = self.peers.get(&look.peers).filter(|peers| peers.all() >= PEERS_KNOWN_AFTER) else { return false };
        let Hours { looks: _, own_per_mille, peers_per_mille, newcomers_per_mille, known_after } = &self.rule;
        match self.own.get(&look.person).filter(|own| own.all() >= known_after.get()) {
            Some(own) => own.near(local) <= own_per_mille.get() && peers.near(local) <= peers_per_mille.get(),
            None => peers.near(local) <= newcomers_per_mille.get(),
        }
    }
}

impl Finds for Finder {
    fn take(&mut self, look: &Look, local: Local) {
        let is_unusual = self.is_unusual(look, local);
        let new = || Today { peers: look.peers, looks: Habit::default(), unusual: Vec::new() };
        let today = self.today.entry(look.person).or_insert_with(new);
        if let Some(looks) = today.looks.hours.get_mut(usize::from(local.is_free)).and_then(|hours| hours.get_mut(local.hour)) {
            *looks = looks.saturating_add(1);
        }
        if is_unusual {
            keep(&mut today.unusual, look.index);
        }
    }

    fn day_ends(&mut self, _day: i32) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (person, today) in std::mem::take(&mut self.today) {
            self.own.entry(person).or_default().add(&today.looks, FADES_AT);
            self.peers.entry(today.peers).or_default().add(&today.looks, PEERS_FADE_AT);
            let there = today.unusual.len() as u64;
            if there >= self.rule.looks.get() {
                let (about, score) = (About::Person(person), score(there, self.rule.looks.get()));
                hits.push(Hit { about, matter: None, score, evidence: today.unusual, quiet_days: 0 });
            }
        }
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{look, noon, persons};
    use super::*;
    use crate::look::Ending;

    fn looks(finder: &mut Finder, person: u32, hour: usize, times: u64, day: i32) {
        for index in 0..times {
            finder.take(&look(index, person, Ending::Shown, &[]), Local { hour, ..noon(day) });
        }
    }

    /// Ten who look at ten in the morning, and one (7) who looks at two at night.
    fn after_twenty_days() -> Finder {
        let rule = Hours {
            looks: 2.try_into().unwrap(),
            own_per_mille: 3.try_into().unwrap(),
            peers_per_mille: 120.try_into().unwrap(),
            newcomers_per_mille: 100.try_into().unwrap(),
            known_after: 50.try_into().unwrap(),
        };
        let mut finder = Finder::of(rule);
        for day in 0..20 {
            (100..110).for_each(|person| looks(&mut finder, person, 10, 6, day));
            looks(&mut finder, 7, 2, 5, day);
            finder.day_ends(day);
        }
        finder
    }

    #[test]
    fn looks_at_night_are_told_of_whoever_never_works_then() {
        // F4: outside working hours, by each person's own habit
        let mut finder = after_twenty_days();
        looks(&mut finder, 100, 2, 2, 30);
        looks(&mut finder, 101, 2, 1, 30);
        looks(&mut finder, 102, 11, 9, 30);
        looks(&mut finder, 7, 3, 9, 30);
        looks(&mut finder, 500, 2, 2, 30);
        assert_eq!(persons(&finder.day_ends(30)), [100, 500], "101 looked once, 102 by day, 7 is on call, 500 is new");
        finder.rule.newcomers_per_mille = 10.try_into().unwrap();
        looks(&mut finder, 501, 2, 2, 31);
        looks(&mut finder, 502, 18, 2, 31);
        assert_eq!(persons(&finder.day_ends(31)), [502], "somebody is on call at two, nobody at six");
    }

    #[test]
    fn a_saturday_is_not_a_monday() {
        // F4: outside working hours
        let mut finder = after_twenty_days();
        for index in 0..3 {
            finder.take(&look(index, 100, Ending::Shown, &[]), Local { hour: 10, is_free: true, day: 30 });
        }
        assert_eq!(persons(&finder.day_ends(30)), [100]);
    }

    #[test]
    fn habits_fade_and_stay_small() {
        // stated bound: a habit is of one size however long somebody looks
        let mut finder = after_twenty_days();
        looks(&mut finder, 100, 10, 10_000, 31);
        finder.day_ends(31);
        assert!(finder.own[&contactpoint_domain::PersonId(100)].all() < 6000);
    }
}
