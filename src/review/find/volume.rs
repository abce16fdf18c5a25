//! Volume against peers (rule D6 beneath its ceiling): more children shown in a day than so many times the median day of the peers, and of the
//! person. Medians of days on which somebody looked at all. A newcomer, and a group of peers that is new, are compared with what there is.

use super::{Finds, Hit};
use crate::calendar::Local;
use crate::look::{Child, Ending, Look, Peers};
use crate::rules::Volume;
use crate::watch::{keep, score, About};
use contactpoint_domain::PersonId;
use std::collections::{BTreeMap, BTreeSet};

/// Days of a person that are remembered, and days after which they are known.
const OWN_DAYS: usize = 40;
const KNOWN_AFTER: usize = 8;
/// Days of people after which a group of peers is known. Before that nothing is found.
const PEERS_KNOWN_AFTER: u32 = 100;
/// Children in a day beyond which one more makes no difference.
const MOST: usize = 512;

pub(super) struct Finder {
    rule: Volume,
    today: BTreeMap<PersonId, Today>,
    own: BTreeMap<PersonId, Own>,
    peers: BTreeMap<Peers, Histogram>,
}

struct Today {
    peers: Peers,
    children: BTreeSet<Child>,
    evidence: Vec<u64>,
}

/// A person's last days on which they looked.
#[derive(Default)]
struct Own {
    days: Vec<u16>,
    next: usize,
}

impl Own {
    fn add(&mut self, children: usize) {
        let children = u16::try_from(children).unwrap_or(u16::MAX);
        match self.days.get_mut(self.next) {
            Some(oldest) => *oldest = children,
            None => self.days.push(children),
        }
        self.next = (self.next + 1) % OWN_DAYS;
    }

    fn median(&self) -> Option<u64> {
        let mut days = self.days.clone();
        days.sort_unstable();
        (days.len() >= KNOWN_AFTER).then(|| days.get(days.len() / 2).map_or(0, |days| u64::from(*days)))
    }
}

/// Days of peers by the number of children.
struct Histogram {
    days: Vec<u32>,
    all: u32,
}

impl Histogram {
    fn add(&mut self, children: usize) {
        if let Some(days) = self.days.get_mut(children) {
            *days = days.saturating_add(1);
            self.all = self.all.saturating_add(1);
        }
    }

    fn median(&self) -> Option<u64> {
        let mut left = self.all / 2;
        let middle = self.days.iter().position(|days| {
            let is_here = *days > left;
            left = left.saturating_sub(*days);
            is_here
        });
        middle.filter(|_| self.all >= PEERS_KNOWN_AFTER).map(|median| median as u64)
    }
}

impl Finder {
    pub(super) fn of(rule: Volume) -> Self {
        Self { rule, today: BTreeMap::new(), own: BTreeMap::new(), peers: BTreeMap::new() }
    }

    /// The number that this day would have had to reach; `None` where there is nothing to compare it with.
    fn asked(&self, person: PersonId, peers: Peers) -> Option<u64> {
        let of_peers = self.peers.get(&peers).and_then(Histogram::median)?;
        let own = self.own.get(&person).and_then(Own::median).unwrap_or_default();
        let Volume { at_least, times_peers, times_own } = &self.rule;
        Some(at_least.get().max(times_peers.get() * of_peers).max(times_own.get() * own))
    }
}

impl Finds for Finder {
    fn take(&mut self, look: &Look, _local: Local) {
        if look.ended != Ending::Shown || look.children.is_empty() {
            return;
        }
        let new = || Today { peers: look.peers, children: BTreeSet::new(), evidence: Vec::new() };
        let today = self.today.entry(look.person).or_insert_with(new);
        let before = today.children.len();
        for seen in &look.children {
            if today.children.len() < MOST {
                today.children.insert(seen.child);
            }
        }
        if today.children.len() > before {
            keep(&mut today.evidence, look.index);
        }
    }

    fn day_ends(&mut self, _day: i32) -> Vec<Hit> {
        let today = std::mem::take(&mut self.today);
        let mut hits = Vec::new();
        for (person, today) in &today {
            let there = today.children.len() as u64;
            if let Some(asked) = self.asked(*person, today.peers).filter(|asked| there >= *asked) {
                let (about, evidence) = (About::Person(*person), today.evidence.clone());
                hits.push(Hit { about, matter: None, evidence, score: score(there, asked), quiet_days: 0 });
            }
        }
        for (person, today) in today {
            self.own.entry(person).or_default().add(today.children.len());
            let new = || Histogram { days: vec![0; MOST + 1], all: 0 };
            self.peers.entry(today.peers).or_insert_with(new).add(today.children.len());
        }
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{look, noon, persons, seen, NOBODY};
    use super::*;
    use crate::look::Seen;

    fn day(finder: &mut Finder, day: i32, children_of: &[(u32, u32)]) -> Vec<u32> {
        for (person, children) in children_of {
            let children: Vec<Seen> = (0..*children).map(seen).collect();
            finder.take(&look(1, *person, Ending::Shown, &children), noon(day));
        }
        persons(&finder.day_ends(day))
    }

    /// Twenty who see four children a day, and one (7) who sees thirty, for twelve days.
    fn after_twelve_days() -> Finder {
        let rule = Volume { at_least: 25.try_into().unwrap(), times_peers: 5.try_into().unwrap(), times_own: 3.try_into().unwrap() };
        let mut finder = Finder::of(rule);
        let usual: Vec<(u32, u32)> = (100..120).map(|person| (person, 4)).chain([(7, 30)]).collect();
        for at in 0..12 {
            day(&mut finder, at, &usual);
        }
        finder
    }

    #[test]
    fn a_day_far_above_peers_and_above_ones_own_is_told() {
        // D6: volume against peers in role
        let mut finder = after_twelve_days();
        assert_eq!(day(&mut finder, 20, &[(100, 24), (101, 25), (7, 30), (9, 26)]), [9, 101], "7 always does; 9 is new");
        assert_eq!(day(&mut finder, 21, &[(7, 90)]), [7]);
    }

    #[test]
    fn nothing_is_told_before_there_is_anybody_to_compare_with() {
        // D6: peers whom nobody knows yet are no measure
        let rule = Volume { at_least: 25.try_into().unwrap(), times_peers: 5.try_into().unwrap(), times_own: 3.try_into().unwrap() };
        assert_eq!(day(&mut Finder::of(rule), 1, &[(1, 300), (2, 1)]), NOBODY);
    }

    #[test]
    fn the_same_child_again_and_refused_looks_count_nothing() {
        // D6: records seen
        let mut finder = after_twelve_days();
        for index in 0..60 {
            finder.take(&look(index, 100, Ending::Shown, &[seen(1)]), noon(30));
            finder.take(&look(index, 101, Ending::Refused, &[seen(index as u32)]), noon(30));
        }
        assert_eq!(persons(&finder.day_ends(30)), NOBODY);
    }
}
