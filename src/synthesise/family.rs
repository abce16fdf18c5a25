//! Households with their children, one after the other. Each comes out of its own stream of numbers, so nothing is remembered from one
//! household to the next and any number of them takes the same memory.

use crate::area::{email, Area};
use crate::names::{Names, Origin};
use crate::numbers::{nhs_number, unique_pupil_number};
use crate::place::{self, Home};
use crate::random::Random;
use contactpoint_domain::{Gender, Relationship};
use jiff::civil::Date;
use jiff::ToSpan;

/// Who holds the child's common assessment, or is its lead professional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    School,
    Council,
    YouthOffendingTeam,
}

/// A parent or carer as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Carer {
    pub(crate) given: String,
    pub(crate) family: String,
    pub(crate) relationship: Relationship,
    pub(crate) telephone: Option<String>,
    pub(crate) email: Option<String>,
}

/// A child as it is; what a supplier has of it is in [`crate::difference`].
#[derive(Debug, Clone)]
pub(crate) struct Child {
    /// Ordinal in its area, from 0.
    pub(crate) ordinal: u64,
    pub(crate) household: u64,
    pub(crate) given: String,
    pub(crate) middle: String,
    pub(crate) family: String,
    pub(crate) former_family: Option<String>,
    pub(crate) gender: Gender,
    pub(crate) born: Date,
    pub(crate) home: Home,
    /// Where the family lived before; some suppliers have not heard.
    pub(crate) former_home: Home,
    pub(crate) nhs_number: String,
    pub(crate) unique_pupil_number: String,
    pub(crate) carers: Vec<Carer>,
    /// Positions among the area's suppliers.
    pub(crate) school: Option<usize>,
    pub(crate) surgery: usize,
    pub(crate) social_care: bool,
    pub(crate) youth_offending: bool,
    pub(crate) police: bool,
    pub(crate) assessment: Option<Holder>,
    pub(crate) lead: Option<Holder>,
    /// Every supplier has it right: the child of the demo.
    pub(crate) told_alike: bool,
}

/// The households of an area, until it has its number of children.
pub(crate) struct Families<'a> {
    area: &'a Area,
    names: &'a Names,
    household: u64,
    made: u64,
}

impl<'a> Families<'a> {
    pub(crate) fn of(area: &'a Area, names: &'a Names) -> Self {
        Self { area, names, household: 0, made: 0 }
    }
}

impl Iterator for Families<'_> {
    type Item = Vec<Child>;
    fn next(&mut self) -> Option<Vec<Child>> {
        let left = self.area.children.saturating_sub(self.made);
        if left == 0 {
            return None;
        }
        let mut children = Household::at(self.area, self.names, self.household, self.made).children();
        children.truncate(left as usize);
        self.household += 1;
        self.made += children.len() as u64;
        Some(children)
    }
}

struct Household<'a> {
    area: &'a Area,
    number: u64,
    first_ordinal: u64,
    origin: &'a Origin,
    random: Random,
    home: Home,
    former_home: Home,
    carers: Vec<Carer>,
}

impl<'a> Household<'a> {
    fn at(area: &'a Area, names: &'a Names, number: u64, first_ordinal: u64) -> Self {
        let mut random = Random::at(&[area.seed, 2, area.index, number]);
        let origin = names.origin(&mut random);
        let home = place::home(area.index, area.children, &mut random);
        let former_home = place::home(area.index, area.children, &mut random);
        let carers = carers(origin, &mut random);
        Self { area, number, first_ordinal, origin, random, home, former_home, carers }
    }

    fn children(mut self) -> Vec<Child> {
        let family = self.family_name();
        let mut children: Vec<Child> = Vec::new();
        for born in self.births() {
            let ordinal = self.first_ordinal + children.len() as u64;
            let female = self.random.chance(488);
            let given = self.given_name(female, &children);
            children.push(self.child(ordinal, given, female, &family, born));
        }
        children
    }

    /// Dates of birth, youngest first: one child in 43 homes of 100, two in 38; gaps of one to four and a half years; twins at 15 of
    /// 1,000 births, about the rate in England.
    fn births(&mut self) -> Vec<Date> {
        let span = u64::try_from((self.area.today - self.area.eldest).get_days()).unwrap_or(0);
        let size = self.random.below(1000);
        let wanted = 1 + [430, 810, 940, 985].iter().filter(|threshold| size >= **threshold).count();
        let mut births = Vec::new();
        let mut days_ago = self.random.below(span + 1);
        while births.len() < wanted && days_ago <= span {
            let born = self.area.today.checked_sub(i64::try_from(days_ago).unwrap_or(0).days()).unwrap_or(self.area.today);
            births.push(born);
            if self.random.chance(15) {
                births.push(born);
            }
            days_ago += 365 + self.random.below(1280);
        }
        births
    }

    /// The father's name, the mother's, or both.
    fn family_name(&mut self) -> String {
        let last = self.carers.last().map(|carer| carer.family.clone()).unwrap_or_default();
        let first = self.carers.first().map(|carer| carer.family.clone()).unwrap_or_default();
        if first != last && !first.contains('-') && !last.contains('-') && self.random.chance(200) {
            format!("{first}-{last}")
        } else {
            last
        }
    }

    /// No two children of a home have the same given name.
    fn given_name(&mut self, female: bool, siblings: &[Child]) -> String {
        let list = if female { &self.origin.female } else { &self.origin.male };
        let mut given = self.random.front(list);
        while siblings.iter().any(|sibling| sibling.given == *given) {
            given = self.random.any(list);
        }
        given.clone()
    }

    fn child(&mut self, ordinal: u64, given: String, female: bool, family: &str, born: Date) -> Child {
        let (area, random) = (self.area, &mut self.random);
        let age = area.age(born);
        let own_name = self.carers.first().filter(|_| random.chance(50)).map(|mother| mother.family.clone());
        let family = own_name.unwrap_or_else(|| family.to_owned());
        let middle = random.front(if female { &self.origin.female } else { &self.origin.male }).clone();
        let former_family = random.chance(25).then(|| random.front(&self.origin.family).clone()).filter(|former| *former != family);
        let gender = match (random.chance(3), female) {
            (true, _) => Gender::Unspecified,
            (false, true) => Gender::Female,
            (false, false) => Gender::Male,
        };
        // 93 of 100 go to the school of their neighbourhood; the others are taught elsewhere or at home
        let school = area.school_of(age, self.home.neighbourhood).filter(|_| random.chance(930));
        let nearest = self.home.neighbourhood + u64::from(random.chance(60)) * 3;
        let mut child = Child {
            ordinal,
            household: self.number,
            given,
            middle,
            family,
            former_family,
            gender,
            born,
            home: self.home.clone(),
            former_home: self.former_home.clone(),
            nhs_number: nhs_number(area.seed, area.first_ordinal + ordinal),
            unique_pupil_number: unique_pupil_number(area.index, ordinal, born.year()),
            carers: self.carers.clone(),
            school,
            surgery: area.surgery_of(nearest),
            social_care: random.chance(40),
            youth_offending: age >= 10 && random.chance(9),
            police: random.chance(if age >= 10 { 15 } else { 5 }),
            assessment: None,
            lead: None,
            told_alike: false,
        };
        child.settle_holders(random);
        child
    }
}

impl Child {
    fn settle_holders(&mut self, random: &mut Random) {
        self.assessment = match (self.social_care, self.school) {
            (true, _) => random.chance(400).then_some(Holder::Council),
            (false, Some(_)) => random.chance(15).then_some(Holder::School),
            (false, None) => None,
        };
        self.lead = if self.social_care && random.chance(700) {
            Some(Holder::Council)
        } else if self.youth_offending {
            random.chance(500).then_some(Holder::YouthOffendingTeam)
        } else {
            self.assessment
        };
    }
}

/// A mother, a father, both, or now and then somebody else.
fn carers(origin: &Origin, random: &mut Random) -> Vec<Carer> {
    if random.chance(25) {
        let others = [Relationship::Grandparent, Relationship::FosterCarer, Relationship::Guardian, Relationship::Carer];
        let family = random.front(&origin.family).clone();
        let relationship = *random.any(&others);
        let female = random.chance(700);
        return vec![carer(origin, female, family, relationship, random)];
    }
    let family = random.front(&origin.family).clone();
    let hers = if random.chance(640) { family.clone() } else { random.front(&origin.family).clone() };
    let (mother, father) = match random.below(100) {
        0..70 => (true, true),
        70..96 => (true, false),
        _ => (false, true),
    };
    let mother = mother.then(|| carer(origin, true, hers, Relationship::Mother, random));
    let father = father.then(|| carer(origin, false, family, Relationship::Father, random));
    mother.into_iter().chain(father).collect()
}

fn carer(origin: &Origin, female: bool, family: String, relationship: Relationship, random: &mut Random) -> Carer {
    let given = random.front(if female { &origin.female } else { &origin.male }).clone();
    let telephone = random.chance(920).then(|| place::mobile(random));
    let email = random.chance(600).then(|| email(&given, &family, "mail.example"));
    Carer { given, family, relationship, telephone, email }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::area::{AreaPlan, Sizes};
    use jiff::civil::date;
    use std::collections::BTreeSet;

    fn families(children: u64) -> Vec<Vec<Child>> {
        let names = Names::load().unwrap();
        let today = date(2026, 11, 21);
        let plan = AreaPlan { seed: 1, index: 0, children, first_ordinal: 0, today, sizes: Sizes::BOROUGH, prefix: "" };
        Families::of(&Area::of(plan, &names).unwrap(), &names).collect()
    }

    #[test]
    fn siblings_and_twins_are_as_common_as_in_england() {
        // H2: families are what matching fails on, so they must be there
        let families = families(20_000);
        let share = |count: usize, of: usize| count as f64 / of as f64;
        let several = families.iter().filter(|family| family.len() > 1).count();
        assert!((0.40..0.62).contains(&share(several, families.len())), "{several} of {}", families.len());
        let twins = families.iter().filter(|family| family.windows(2).any(|pair| pair[0].born == pair[1].born)).count();
        assert!((0.008..0.035).contains(&share(twins, families.len())), "{twins} of {}", families.len());
    }

    #[test]
    fn a_family_shares_its_address_and_no_given_name() {
        for family in families(3000) {
            let given: BTreeSet<&str> = family.iter().map(|child| child.given.as_str()).collect();
            assert_eq!(given.len(), family.len());
            assert!(family.iter().all(|child| child.home == family[0].home && child.carers == family[0].carers));
        }
    }

    #[test]
    fn there_are_as_many_children_as_were_asked_for() {
        for count in [1, 2, 999, 5000] {
            assert_eq!(families(count).iter().map(Vec::len).sum::<usize>() as u64, count);
        }
    }
}
