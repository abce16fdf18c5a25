//! One child looked at by many people whose organisations do not work with it (rule D8: the children of the well known). A conference about a
//! child is not that: those who come work with it. Keeps such looks for `within_days`.

use super::{Finds, Hit};
use crate::calendar::Local;
use crate::look::{Child, Look};
use crate::rules::{quiet, ChildByMany};
use crate::watch::{score, About, EVIDENCE, FEW};
use contactpoint_domain::{PersonId, Tie};
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Finder {
    rule: ChildByMany,
    looks: BTreeMap<Child, Vec<Visit>>,
    /// Children looked at today.
    today: BTreeSet<Child>,
}

#[derive(Clone, Copy)]
struct Visit {
    day: i32,
    person: PersonId,
    index: u64,
}

impl Finder {
    pub(super) fn of(rule: ChildByMany) -> Self {
        Self { rule, looks: BTreeMap::new(), today: BTreeSet::new() }
    }

    fn forget(&mut self, day: i32) {
        let oldest = i64::from(day) - self.rule.within_days.get() as i64;
        self.looks.retain(|_, looks| {
            looks.retain(|visit| i64::from(visit.day) > oldest);
            !looks.is_empty()
        });
    }

    fn hit(&self, child: Child) -> Option<Hit> {
        let looks = self.looks.get(&child)?;
        let people: BTreeSet<PersonId> = looks.iter().map(|visit| visit.person).collect();
        if (people.len() as u64) < self.rule.people.get() {
            return None;
        }
        let evidence = looks.iter().map(|visit| visit.index).collect();
        let (score, quiet_days) = (score(people.len() as u64, self.rule.people.get()), quiet(self.rule.within_days));
        Some(Hit { about: About::Child(child), matter: None, evidence, score, quiet_days })
    }
}

impl Finds for Finder {
    fn take(&mut self, look: &Look, local: Local) {
        for seen in look.children.iter().filter(|seen| seen.relation != Tie::Involved) {
            let looks = self.looks.entry(seen.child).or_default();
            // so many people are one finding in any case, and of each of them a few looks
            let of_person = looks.iter().filter(|visit| visit.person == look.person && visit.day == local.day).count();
            if looks.len() < EVIDENCE * FEW && of_person < FEW {
                looks.push(Visit { day: local.day, person: look.person, index: look.index });
            }
            self.today.insert(seen.child);
        }
    }

    fn day_ends(&mut self, day: i32) -> Vec<Hit> {
        self.forget(day);
        let today = std::mem::take(&mut self.today);
        today.into_iter().filter_map(|child| self.hit(child)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{look, noon, seen, NOBODY};
    use super::*;
    use crate::look::{Ending, Seen};

    fn visited(finder: &mut Finder, day: i32, people: std::ops::Range<u32>, relation: Tie) -> Vec<u32> {
        for person in people {
            let child = Seen { relation, ..seen(9) };
            finder.take(&look(u64::from(person), person, Ending::Refused, &[child]), noon(day));
        }
        finder.day_ends(day).iter().map(|hit| hit.score).collect()
    }

    fn finder() -> Finder {
        Finder::of(ChildByMany { people: 10.try_into().unwrap(), within_days: 7.try_into().unwrap() })
    }

    #[test]
    fn a_child_whom_many_without_relation_look_at_is_told_on_each_day_on_which_it_holds() {
        // D8: the children of the well known
        let mut finder = finder();
        assert_eq!(visited(&mut finder, 1, 0..9, Tie::Area), NOBODY);
        assert_eq!(visited(&mut finder, 2, 8..10, Tie::None), [100]);
        assert_eq!(visited(&mut finder, 3, 10..19, Tie::None), [190]);
        assert_eq!(visited(&mut finder, 9, 19..20, Tie::None), [100], "those of the last seven days");
    }

    #[test]
    fn however_often_one_person_looks_at_a_child_the_others_are_counted() {
        // D8: nobody hides the others behind many looks of their own
        let mut finder = finder();
        for _ in 0..9000 {
            finder.take(&look(1, 0, Ending::Refused, &[Seen { relation: Tie::None, ..seen(9) }]), noon(1));
        }
        assert_eq!(visited(&mut finder, 1, 1..9, Tie::None), NOBODY);
        assert_eq!(visited(&mut finder, 2, 9..10, Tie::None), [100]);
    }

    #[test]
    fn a_conference_and_looks_spread_over_the_year_are_nothing() {
        // D8, and what would drown it
        let mut finder = finder();
        assert_eq!(visited(&mut finder, 1, 0..40, Tie::Involved), NOBODY);
        for week in 0..20 {
            assert_eq!(visited(&mut finder, 10 + week * 7, week as u32..week as u32 + 2, Tie::Area), NOBODY);
        }
        assert_eq!(finder.looks.values().map(Vec::len).sum::<usize>(), 2, "what is older than the window is forgotten");
    }
}
