//! Own family (rule D7): a child of the looker's own home, each time; or a namesake whom the organisation does not work with, on several days.
//! One look at a namesake says nothing where a name is common. Keeps namesakes for `within_days`, and tells of each child by itself: who has one of
//! their own on the roll hides behind it nothing that they do besides.

use super::{Finds, Hit};
use crate::calendar::Local;
use crate::look::{Child, Look};
use crate::rules::{quiet, OwnFamily};
use crate::watch::{keep, keep_few, score, About};
use contactpoint_domain::{Kin, PersonId, Tie};
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Finder {
    rule: OwnFamily,
    at_home: BTreeMap<PersonId, Vec<u64>>,
    /// Some of the looks at a namesake, by day.
    namesakes: BTreeMap<(PersonId, Child), BTreeMap<i32, Vec<u64>>>,
    today: BTreeSet<(PersonId, Child)>,
}

impl Finder {
    pub(super) fn of(rule: OwnFamily) -> Self {
        Self { rule, at_home: BTreeMap::new(), namesakes: BTreeMap::new(), today: BTreeSet::new() }
    }

    /// The looks at one namesake, where they were on enough days.
    fn hit(&self, pair: (PersonId, Child)) -> Option<Hit> {
        let looks = self.namesakes.get(&pair)?;
        let days = looks.len() as u64;
        if days < self.rule.days_by_name.get() {
            return None;
        }
        let evidence = looks.values().flatten().copied().collect();
        let score = score(days, self.rule.days_by_name.get());
        Some(Hit { about: About::Person(pair.0), matter: Some(pair.1), evidence, score, quiet_days: quiet(self.rule.within_days) })
    }
}

impl Finds for Finder {
    fn take(&mut self, look: &Look, local: Local) {
        for seen in &look.children {
            match seen.kin {
                Kin::Home => keep(self.at_home.entry(look.person).or_default(), look.index),
                Kin::Name if seen.relation != Tie::Involved => {
                    let looks = self.namesakes.entry((look.person, seen.child)).or_default();
                    keep_few(looks.entry(local.day).or_default(), look.index);
                    self.today.insert((look.person, seen.child));
                }
                Kin::Name | Kin::None => {}
            }
        }
    }

    fn day_ends(&mut self, day: i32) -> Vec<Hit> {
        let at_home = std::mem::take(&mut self.at_home).into_iter();
        let of_home = |(person, evidence): (_, Vec<u64>)| {
            let score = score(evidence.len() as u64, 1);
            Hit { about: About::Person(person), matter: None, evidence, score, quiet_days: 0 }
        };
        let mut hits: Vec<Hit> = at_home.map(of_home).collect();
        let oldest = i64::from(day) - self.rule.within_days.get() as i64;
        self.namesakes.retain(|_, looks| {
            looks.retain(|day, _| i64::from(*day) > oldest);
            !looks.is_empty()
        });
        let today = std::mem::take(&mut self.today);
        hits.extend(today.into_iter().filter_map(|pair| self.hit(pair)));
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{look, noon, persons, seen, NOBODY};
    use super::*;
    use crate::look::{Ending, Seen};

    fn finder() -> Finder {
        Finder::of(OwnFamily { days_by_name: 2.try_into().unwrap(), within_days: 30.try_into().unwrap() })
    }

    fn on(finder: &mut Finder, day: i32, person: u32, kin: Kin, relation: Tie) -> Vec<u32> {
        let child = Seen { kin, relation, ..seen(7) };
        finder.take(&look(u64::from(day.unsigned_abs()), person, Ending::Shown, &[child]), noon(day));
        persons(&finder.day_ends(day))
    }

    #[test]
    fn a_child_of_the_own_home_is_told_at_once_and_a_namesake_on_the_second_day() {
        // D7: look-ups of one's own family
        let mut finder = finder();
        assert_eq!(on(&mut finder, 1, 5, Kin::Home, Tie::Involved), [5]);
        assert_eq!(on(&mut finder, 1, 6, Kin::Name, Tie::Area), NOBODY);
        assert_eq!(on(&mut finder, 9, 6, Kin::Name, Tie::Area), [6]);
        assert_eq!(on(&mut finder, 38, 6, Kin::Name, Tie::Area), [6], "each day on which it holds over thirty");
        assert_eq!(on(&mut finder, 68, 6, Kin::Name, Tie::Area), NOBODY);
    }

    #[test]
    fn however_often_a_namesake_is_looked_at_on_one_day_the_next_day_is_counted() {
        // D7: nobody hides a second day behind many looks on the first
        let mut finder = finder();
        let child = Seen { kin: Kin::Name, relation: Tie::Area, ..seen(7) };
        for index in 0..600 {
            finder.take(&look(index, 6, Ending::Shown, &[child]), noon(1));
        }
        assert_eq!(persons(&finder.day_ends(1)), NOBODY);
        assert_eq!(on(&mut finder, 2, 6, Kin::Name, Tie::Area), [6]);
    }

    #[test]
    fn a_namesake_among_the_own_pupils_or_long_ago_is_nothing() {
        // D7, and what would drown it: teachers called Khan have pupils called Khan
        let mut finder = finder();
        assert_eq!(on(&mut finder, 1, 5, Kin::Name, Tie::Involved), NOBODY);
        assert_eq!(on(&mut finder, 2, 5, Kin::Name, Tie::Involved), NOBODY);
        assert_eq!(on(&mut finder, 3, 6, Kin::Name, Tie::None), NOBODY);
        assert_eq!(on(&mut finder, 33, 6, Kin::Name, Tie::None), NOBODY);
        assert!(finder.namesakes.len() == 1 && finder.today.is_empty());
    }
}
