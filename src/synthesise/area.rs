//! One local authority's area and the bodies in it: a council, schools, surgeries, a youth offending team, a police force.

use crate::names::{without_accents, Names};
use crate::place;
use crate::random::Random;
use crate::SynthesisError;
use contactpoint_domain::OrganisationKind;
use jiff::civil::Date;
use jiff::ToSpan;
use std::ops::Range;

/// Nobody turns 18 within so many days of `--today`, so that a feed made today still loads next week.
const DAYS_BEFORE_EIGHTEEN: i64 = 30;

/// A named person who works somewhere.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    pub(crate) given: String,
    pub(crate) family: String,
    pub(crate) email: String,
    pub(crate) telephone: String,
}

/// A body that feeds.
#[derive(Debug, Clone)]
pub(crate) struct Supplier {
    /// Unique, fit for a file name and a certificate: `school-1`.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) kind: OrganisationKind,
    /// The first two have log-ins.
    pub(crate) workers: Vec<Worker>,
    pub(crate) telephone: String,
    pub(crate) postcode: String,
}

/// How many schools and surgeries an area has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    primaries: u64,
    secondaries: u64,
    surgeries: u64,
}

impl Sizes {
    /// The demo's borough: 6 schools, 4 surgeries.
    pub(crate) const BOROUGH: Self = Self { primaries: 4, secondaries: 2, surgeries: 4 };
    /// One school for all ages and one surgery: few feeds, for benches.
    pub(crate) const MERGED: Self = Self { primaries: 1, secondaries: 0, surgeries: 1 };

    /// Primaries of about 300, secondaries of about 1,000, surgeries with about 2,000 children.
    pub(crate) fn realistic(children: u64) -> Self {
        let bodies = |share: u64, size: u64| (children * share / 100 / size).max(1);
        Self { primaries: bodies(36, 300), secondaries: bodies(34, 1000), surgeries: bodies(100, 2000) }
    }
}

/// An area to be peopled.
#[derive(Debug, Clone)]
pub(crate) struct Area {
    pub(crate) seed: u64,
    pub(crate) index: u64,
    pub(crate) children: u64,
    /// Ordinal of its first child in the whole country.
    pub(crate) first_ordinal: u64,
    pub(crate) today: Date,
    /// Nobody is born before.
    pub(crate) eldest: Date,
    /// The council first.
    pub(crate) suppliers: Vec<Supplier>,
    primaries: Range<usize>,
    secondaries: Range<usize>,
    surgeries: Range<usize>,
}

/// What is asked of an area.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AreaPlan<'a> {
    pub(crate) seed: u64,
    pub(crate) index: u64,
    pub(crate) children: u64,
    pub(crate) first_ordinal: u64,
    pub(crate) today: Date,
    pub(crate) sizes: Sizes,
    /// Put before every key: empty, or the authority's.
    pub(crate) prefix: &'a str,
}

impl Area {
    pub(crate) fn of(plan: AreaPlan<'_>, names: &Names) -> Result<Self, SynthesisError> {
        let eldest = plan.today.checked_sub(18.years())?.checked_add(DAYS_BEFORE_EIGHTEEN.days())?;
        let mut bodies = Bodies { plan, names, suppliers: Vec::new() };
        let town = place::town(plan.index);
        bodies.add("council", &format!("{town} Borough Council"), OrganisationKind::Council, 40);
        let primaries = bodies.add_several("school", plan.sizes.primaries, 1, 10, |at| format!("{} Primary School", school(&town, at)));
        let next = plan.sizes.primaries + 1;
        let secondaries = bodies.add_several("school", plan.sizes.secondaries, next, 30, |at| format!("{} High School", school(&town, at)));
        let surgeries = bodies.add_several("surgery", plan.sizes.surgeries, 1, 4, |at| format!("{} Surgery", school(&town, at)));
        bodies.add("youth-offending", &format!("{town} Youth Offending Team"), OrganisationKind::YouthOffendingTeam, 4);
        bodies.add("police", &format!("{town} Police"), OrganisationKind::Police, 4);
        let (seed, index, today) = (plan.seed, plan.index, plan.today);
        let (children, first_ordinal, suppliers) = (plan.children, plan.first_ordinal, bodies.suppliers);
        Ok(Self { seed, index, children, first_ordinal, today, eldest, suppliers, primaries, secondaries, surgeries })
    }

    /// Position of the school whose catchment a home of this neighbourhood lies in; `None` below school age.
    pub(crate) fn school_of(&self, age: i16, neighbourhood: u64) -> Option<usize> {
        let schools = if age >= 11 && !self.secondaries.is_empty() { &self.secondaries } else { &self.primaries };
        (age >= 4).then(|| within(schools, neighbourhood))
    }

    /// Position of the surgery that a home of this neighbourhood is nearest to.
    pub(crate) fn surgery_of(&self, neighbourhood: u64) -> usize {
        within(&self.surgeries, neighbourhood / 3)
    }

    pub(crate) fn first_school(&self) -> usize {
        self.primaries.start
    }

    pub(crate) fn first_surgery(&self) -> usize {
        self.surgeries.start
    }

    /// Whole years lived on `today`.
    pub(crate) fn age(&self, born: Date) -> i16 {
        let birthday_to_come = (self.today.month(), self.today.day()) < (born.month(), born.day());
        self.today.year() - born.year() - i16::from(birthday_to_come)
    }
}

fn within(range: &Range<usize>, number: u64) -> usize {
    range.start + (number % range.len().max(1) as u64) as usize
}

fn school(town: &str, at: u64) -> String {
    const NAMES: &[&str] =
        &["Oakfield", "St. Anne's", "Riverside", "Hillcrest", "Beacon", "Meadowbank", "Parkside", "Northgate", "Elmwood", "Stanley"];
    let name = NAMES[(at % 10) as usize];
    match at / 10 {
        0 => name.to_owned(),
        round => format!("{town} {name} {round}"),
    }
}

struct Bodies<'a> {
    plan: AreaPlan<'a>,
    names: &'a Names,
    suppliers: Vec<Supplier>,
}

impl Bodies<'_> {
    fn add_several(&mut self, key: &str, count: u64, first: u64, workers: u64, name: impl Fn(u64) -> String) -> Range<usize> {
        let start = self.suppliers.len();
        let kind = if key == "school" { OrganisationKind::School } else { OrganisationKind::Surgery };
        for number in first..first + count {
            self.add(&format!("{key}-{number}"), &name(number - 1), kind, workers);
        }
        start..self.suppliers.len()
    }

    fn add(&mut self, key: &str, name: &str, kind: OrganisationKind, workers: u64) {
        let key = format!("{}{key}", self.plan.prefix);
        let mut random = Random::at(&[self.plan.seed, 1, self.plan.index, self.suppliers.len() as u64]);
        let workers = (0..workers).map(|_| worker(self.names, &key, &mut random)).collect();
        let telephone = place::landline(&mut random);
        let postcode = place::postcode(self.plan.index, random.below(20));
        self.suppliers.push(Supplier { key, name: name.to_owned(), kind, workers, telephone, postcode });
    }
}

/// Somebody who works at the body with this key.
pub(crate) fn worker(names: &Names, key: &str, random: &mut Random) -> Worker {
    let origin = names.origin(random);
    let list = if random.chance(620) { &origin.female } else { &origin.male };
    let given = random.front(list).clone();
    let family = random.front(&origin.family).clone();
    let email = email(&given, &family, &format!("{key}.example"));
    Worker { given, family, email, telephone: place::landline(random) }
}

/// An address below a domain that RFC 2606 keeps free.
pub(crate) fn email(given: &str, family: &str, domain: &str) -> String {
    let part = |name: &str| without_accents(name).chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    format!("{}.{}@{domain}", part(given), part(family))
}
