//! Far from the area: looks at children beyond the adjoining areas, on several days or at several children. One child who ran away and was found
//! elsewhere is a day's matter. Keeps such looks for `within_days`.

use super::{Finds, Hit};
use crate::calendar::Local;
use crate::look::{Child, Look};
use crate::rules::{quiet, FarAway};
use crate::watch::{keep_few, score, About, EVIDENCE};
use contactpoint_domain::{PersonId, Place};
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Finder {
    rule: FarAway,
    /// Some of the looks at far children, by day and child.
    looks: BTreeMap<PersonId, BTreeMap<(i32, Child), Vec<u64>>>,
    today: BTreeSet<PersonId>,
}

impl Finder {
    pub(super) fn of(rule: FarAway) -> Self {
        Self { rule, looks: BTreeMap::new(), today: BTreeSet::new() }
    }

    fn hit(&self, person: PersonId) -> Option<Hit> {
        let looks = self.looks.get(&person)?;
        let days: BTreeSet<i32> = looks.keys().map(|(day, _)| *day).collect();
        let children: BTreeSet<Child> = looks.keys().map(|(_, child)| *child).collect();
        let by_days = score(days.len() as u64, self.rule.on_days.get());
        let by_children = score(children.len() as u64, self.rule.children.get());
        let evidence = looks.values().flatten().copied().collect();
        let (score, quiet_days) = (by_days.max(by_children), quiet(self.rule.within_days));
        (score >= 100).then_some(Hit { about: About::Person(person), matter: None, evidence, score, quiet_days })
    }
}

impl Finds for Finder {
    fn take(&mut self, look: &Look, local: Local) {
        for seen in look.children.iter().filter(|seen| seen.place == Place::Far) {
            let looks = self.looks.entry(look.person).or_default();
            // so many children in a day are a finding in any case
            let most = EVIDENCE.max(usize::try_from(self.rule.children.get()).unwrap_or(usize::MAX));
            let of_today = looks.range((local.day, Child::FIRST)..).count();
            if of_today < most || looks.contains_key(&(local.day, seen.child)) {
                keep_few(looks.entry((local.day, seen.child)).or_default(), look.index);
            }
            self.today.insert(look.person);
        }
    }

    fn day_ends(&mut self, day: i32) -> Vec<Hit> {
        let oldest = i64::from(day) - self.rule.within_days.get() as i64;
        self.looks.retain(|_, looks| {
            looks.retain(|(day, _), _| i64::from(*day) > oldest);
            !looks.is_empty()
        });
        let today = std::mem::take(&mut self.today);
        today.into_iter().filter_map(|person| self.hit(person)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{look, noon, persons, seen, NOBODY};
    use super::*;
    use crate::look::{Ending, Seen};

    fn on(finder: &mut Finder, day: i32, person: u32, children: &[u32], place: Place) -> Vec<u32> {
        let children: Vec<Seen> = children.iter().map(|child| Seen { place, ..seen(*child) }).collect();
        finder.take(&look(1, person, Ending::Shown, &children), noon(day));
        persons(&finder.day_ends(day))
    }

    #[test]
    fn far_children_on_several_days_or_several_of_them_are_told_and_one_day_s_matter_is_not() {
        // F4: a police force far from the child's area
        let rule = FarAway { on_days: 3.try_into().unwrap(), children: 5.try_into().unwrap(), within_days: 60.try_into().unwrap() };
        let mut finder = Finder::of(rule);
        assert_eq!(on(&mut finder, 1, 1, &[1, 2, 3], Place::Far), NOBODY);
        assert_eq!(on(&mut finder, 1, 2, &[1, 2, 3, 4, 5], Place::Far), [2]);
        assert_eq!(on(&mut finder, 1, 3, &[1, 2, 3, 4, 5], Place::Adjoining), NOBODY);
        assert_eq!(on(&mut finder, 20, 1, &[1], Place::Far), NOBODY);
        assert_eq!(on(&mut finder, 40, 1, &[1], Place::Far), [1]);
        assert_eq!(on(&mut finder, 41, 1, &[1], Place::Far), [1], "each day on which it holds over sixty");
        assert_eq!(on(&mut finder, 100, 1, &[1], Place::Far), NOBODY);
    }

    #[test]
    fn however_often_one_far_child_is_looked_at_the_others_and_the_next_days_are_counted() {
        // F4: nobody hides what follows behind many looks at the first
        let rule = FarAway { on_days: 3.try_into().unwrap(), children: 5.try_into().unwrap(), within_days: 60.try_into().unwrap() };
        let mut finder = Finder::of(rule);
        for person in [1, 2] {
            for _ in 0..600 {
                finder.take(&look(1, person, Ending::Shown, &[Seen { place: Place::Far, ..seen(9) }]), noon(1));
            }
        }
        assert_eq!(on(&mut finder, 1, 2, &[1, 2, 3, 4], Place::Far), [2]);
        assert_eq!(on(&mut finder, 2, 1, &[9], Place::Far), NOBODY);
        assert_eq!(on(&mut finder, 3, 1, &[9], Place::Far), [1]);
    }

    #[test]
    fn of_a_days_far_children_only_as_many_are_kept_as_a_finding_has_room_for_and_the_next_days_count() {
        // F4: whoever looks at very many far children fills no memory with them, is told of, and hides no later day
        let of = |on_days: i64, children: i64| FarAway {
            on_days: on_days.try_into().unwrap(),
            children: children.try_into().unwrap(),
            within_days: 60.try_into().unwrap(),
        };
        let kept = |finder: &Finder| finder.looks[&PersonId(1)].len();
        let many: Vec<u32> = (0..2 * EVIDENCE as u32).collect();
        let mut finder = Finder::of(of(3, 5));
        assert_eq!(on(&mut finder, 1, 1, &many, Place::Far), [1]);
        assert_eq!(kept(&finder), EVIDENCE);
        assert_eq!((on(&mut finder, 2, 1, &many, Place::Far), kept(&finder)), (vec![1], 2 * EVIDENCE), "each day by itself");
        // a rule that asks for more children than a finding carries is met all the same
        let asked = EVIDENCE as u32 + 8;
        let mut finder = Finder::of(of(60, asked.into()));
        assert_eq!(on(&mut finder, 1, 1, &many[..asked as usize - 1], Place::Far), NOBODY);
        assert_eq!((on(&mut finder, 1, 1, &many, Place::Far), kept(&finder)), (vec![1], asked as usize));
    }
}
