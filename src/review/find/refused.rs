//! Many refused: a day on which so many of a person's looks found nobody or were refused, and most of them did. Slips of the keyboard are few beside
//! what is found; refusals for somebody's standing are none of it.

use super::{Finds, Hit};
use crate::calendar::Local;
use crate::look::{Ending, Look};
use crate::rules::Refused;
use crate::watch::{keep, score, About};
use contactpoint_domain::PersonId;
use std::collections::BTreeMap;

pub(super) struct Finder {
    rule: Refused,
    today: BTreeMap<PersonId, Today>,
}

#[derive(Default)]
struct Today {
    all: u64,
    in_vain: u64,
    evidence: Vec<u64>,
}

impl Finder {
    pub(super) fn of(rule: Refused) -> Self {
        Self { rule, today: BTreeMap::new() }
    }
}

impl Finds for Finder {
    fn take(&mut self, look: &Look, _local: Local) {
        let today = self.today.entry(look.person).or_default();
        match look.ended {
            Ending::Shown => today.all += 1,
            Ending::NoHit | Ending::Refused => {
                today.all += 1;
                today.in_vain += 1;
                keep(&mut today.evidence, look.index);
            }
            Ending::Standing => {}
        }
    }

    fn day_ends(&mut self, _day: i32) -> Vec<Hit> {
        let Refused { looks, percent } = &self.rule;
        let is_hit = |today: &Today| today.in_vain >= looks.get() && today.in_vain * 100 >= today.all * percent.get();
        let hit = |(person, today): (PersonId, Today)| Hit {
            matter: None,
            quiet_days: 0,
            about: About::Person(person),
            score: score(today.in_vain, looks.get()),
            evidence: today.evidence,
        };
        std::mem::take(&mut self.today).into_iter().filter(|(_, today)| is_hit(today)).map(hit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{look, noon, persons, NOBODY};
    use super::*;

    #[test]
    fn a_day_of_misses_is_told_and_a_busy_day_with_some_or_one_of_a_lapsed_agreement_is_not() {
        // D7: repeated near-misses
        let mut finder = Finder::of(Refused { looks: 8.try_into().unwrap(), percent: 60.try_into().unwrap() });
        let mut looks = |person, ended, times| (0..times).for_each(|index| finder.take(&look(index, person, ended, &[]), noon(1)));
        looks(1, Ending::NoHit, 5);
        looks(1, Ending::Refused, 3);
        looks(1, Ending::Shown, 5);
        looks(2, Ending::NoHit, 7);
        looks(3, Ending::NoHit, 8);
        looks(3, Ending::Shown, 6);
        looks(4, Ending::Standing, 20);
        assert_eq!(persons(&finder.day_ends(1)), [1]);
        assert_eq!(persons(&finder.day_ends(2)), NOBODY);
    }
}
