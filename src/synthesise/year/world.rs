//! Who there is: areas in a ring, their organisations, children in families, people who look, and what ties them.

use super::person::{Job, Person};
use super::{Fact, Tie, YearRequest, DAYS};
use crate::area::{worker, Area, AreaPlan, Sizes};
use crate::family::Families;
use crate::names::{without_accents, Names};
use crate::place;
use crate::random::Random;
use crate::SynthesisError;
use contactpoint_domain::{ChildNumber, OrganisationId, OrganisationKind, PersonId, Role};
use std::collections::BTreeMap;
use std::ops::Range;

/// People of an area, and children for each of them: about as in the first directory, where 330,000 were to look up 11 million.
const PEOPLE_OF_AN_AREA: u64 = 333;
const CHILDREN_FOR_EACH: u64 = 33;
/// Fewer areas have none that is far from another.
const LEAST_AREAS: u64 = 5;
/// Voluntary services of an area.
const SERVICES: u64 = 2;

pub(crate) struct Organisation {
    pub(crate) id: OrganisationId,
    pub(crate) kind: OrganisationKind,
    pub(crate) area: u64,
    /// The children it works with.
    pub(crate) roster: Vec<usize>,
}

pub(crate) struct Kid {
    pub(crate) area: u64,
    pub(crate) household: usize,
    /// The names of the child and its carers.
    names: Vec<u32>,
    home: u32,
    /// Organisations that work with it.
    with: Vec<usize>,
}

pub(crate) struct World {
    pub(crate) areas: u64,
    pub(crate) organisations: Vec<Organisation>,
    pub(crate) people: Vec<Person>,
    pub(crate) children: Vec<Kid>,
    households: Vec<Range<usize>>,
    /// The children of each area.
    pub(crate) of_area: Vec<Range<usize>>,
    councils: Vec<usize>,
    /// Where the children's numbers begin.
    offset: u64,
}

/// Texts by number: names and homes are compared as directories compare them, without accents and capitals.
#[derive(Default)]
struct Numbered(BTreeMap<String, u32>);

impl Numbered {
    fn of(&mut self, text: &str) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(without_accents(text).to_lowercase()).or_insert(next)
    }
}

impl World {
    pub(crate) fn of(request: &YearRequest, names: &Names) -> Result<Self, SynthesisError> {
        let areas = (request.people / PEOPLE_OF_AN_AREA).max(LEAST_AREAS);
        let offset = Random::at(&[request.seed, 30]).below(1_000_000_000);
        let (organisations, people, children) = (Vec::new(), Vec::new(), Vec::new());
        let (households, of_area, councils) = (Vec::new(), Vec::new(), Vec::new());
        let mut world = Self { areas, organisations, people, children, households, of_area, councils, offset };
        let mut texts = Numbered::default();
        for index in 0..areas {
            world.people_area(request, names, index, &mut texts)?;
        }
        for index in 0..areas {
            let people = request.people / areas + u64::from(index < request.people % areas);
            world.staff(request.seed, names, (index, people), &mut texts);
        }
        Ok(world)
    }

    fn people_area(&mut self, request: &YearRequest, names: &Names, index: u64, texts: &mut Numbered) -> Result<(), SynthesisError> {
        let children = request.people * CHILDREN_FOR_EACH / self.areas;
        let (seed, today, first_ordinal, sizes) = (request.seed, request.from, children * index, Sizes::realistic(children));
        let prefix = format!("a{index:03}-");
        let area = Area::of(AreaPlan { seed, index, children, first_ordinal, today, sizes, prefix: &prefix }, names)?;
        let first = self.organisations.len();
        self.councils.push(first);
        for kind in area.suppliers.iter().map(|supplier| supplier.kind).chain((0..SERVICES).map(|_| OrganisationKind::Voluntary)) {
            let id = OrganisationId(self.organisations.len() as u32 + 1);
            self.organisations.push(Organisation { id, kind, area: index, roster: Vec::new() });
        }
        let (team, police) = (first + area.suppliers.len() - 2, first + area.suppliers.len() - 1);
        let start = self.children.len();
        for family in Families::of(&area, names) {
            let household = self.households.len();
            self.households.push(self.children.len()..self.children.len() + family.len());
            for child in family {
                let mut random = Random::at(&[seed, 31, index, child.ordinal]);
                let service = random.chance(60).then(|| police + 1 + random.below(SERVICES) as usize);
                let with = [child.social_care.then_some(first), child.school.map(|at| first + at), Some(first + child.surgery)];
                let also = [child.youth_offending.then_some(team), child.police.then_some(police), service];
                let carers = child.carers.iter().map(|carer| texts.of(&carer.family)).collect::<Vec<_>>();
                let names = [vec![texts.of(&child.family)], carers].concat();
                let home = texts.of(&format!("{}, {}, {}", child.home.house, child.home.street, child.home.postcode));
                let kid = Kid { area: index, household, names, home, with: Vec::new() };
                self.children.push(kid);
                for organisation in with.into_iter().chain(also).flatten() {
                    self.involve(organisation, self.children.len() - 1);
                }
            }
        }
        self.of_area.push(start..self.children.len());
        Ok(())
    }

    /// From now on the organisation works with the child.
    pub(crate) fn involve(&mut self, organisation: usize, child: usize) {
        if !self.children[child].with.contains(&organisation) {
            self.children[child].with.push(organisation);
            self.organisations[organisation].roster.push(child);
        }
    }

    fn staff(&mut self, seed: u64, names: &Names, (area, people): (u64, u64), texts: &mut Numbered) {
        let mut jobs: Vec<Job> = Vec::new();
        for job in Job::ALL {
            jobs.extend((0..(people * job.habits().share / 1000).max(1)).map(|_| job));
        }
        jobs.resize(people as usize, Job::SocialWorker);
        for (at, job) in jobs.into_iter().enumerate() {
            let of_kind = self.organisations.iter().enumerate().filter(|(_, one)| one.area == area && one.kind == job.habits().kind);
            let of_kind: Vec<usize> = of_kind.map(|(place, _)| place).collect();
            let mut random = Random::at(&[seed, 32, area, at as u64]);
            let organisation = of_kind[at % of_kind.len()];
            let person = self.person(names, job, organisation, &mut random, texts);
            self.people.push(person);
        }
    }

    fn person(&self, names: &Names, job: Job, organisation: usize, random: &mut Random, texts: &mut Numbered) -> Person {
        let area = self.organisations[organisation].area;
        let named = worker(names, "", random);
        let lives = place::home(area, 10_000, random);
        // 45 of 100 have children of their own in the area or the next, and are one of their carers
        let lives_in = if random.chance(700) { area } else { (area + 1) % self.areas };
        let own = random.chance(450).then(|| {
            let range = &self.of_area[lives_in as usize];
            range.start + random.below(range.len() as u64) as usize
        });
        let family = own.map_or_else(|| texts.of(&named.family), |child| self.children[child].names.last().copied().unwrap_or_default());
        let alone = format!("{}, {}, {}", lives.house, lives.street, lives.postcode);
        let home = own.map_or_else(|| texts.of(&alone), |child| self.children[child].home);
        let starts = if random.chance(150) { random.below(DAYS.unsigned_abs().into()) as i32 } else { 0 };
        let ends = if random.chance(100) { starts + 30 + random.below(330) as i32 } else { DAYS };
        let off = if random.chance(250) { (1 << random.below(5)) | (1 << random.below(5)) } else { 0 };
        let becomes = job == Job::SocialWorker && random.chance(20);
        Person {
            id: PersonId(self.people.len() as u32 + 1),
            organisation,
            area,
            role: if job == Job::Officer { Role::ShieldingOfficer } else { Role::Practitioner },
            job,
            moves: becomes.then(|| (60 + random.below(200) as i32, Job::FrontDoor)),
            family,
            home,
            activity: activity(random),
            off,
            employed: (starts, ends),
            rota: random.below(24) as i32,
            is_on_call: random.chance(300),
            lapses: random.chance(80).then(|| random.below(DAYS.unsigned_abs().into()) as i32),
            cases: self.cases(job, organisation, random),
        }
    }

    fn cases(&self, job: Job, organisation: usize, random: &mut Random) -> Vec<usize> {
        let roster = &self.organisations[organisation].roster;
        if roster.is_empty() {
            return Vec::new();
        }
        (0..job.habits().cases).map(|_| *random.any(roster)).collect()
    }

    pub(crate) fn number(&self, child: usize) -> ChildNumber {
        // has no factor in common with 10^9, so that each child has a number of its own
        const SCATTER: u64 = 387_420_489;
        ChildNumber::with_body(((child as u64 * SCATTER + self.offset) % 1_000_000_000) as u32)
    }

    pub(crate) fn tie(&self, organisation: usize, child: usize) -> Tie {
        let (of, kid) = (&self.organisations[organisation], &self.children[child]);
        if kid.with.contains(&organisation) {
            Tie::Involved
        } else if of.kind == OrganisationKind::Council && of.area == kid.area {
            Tie::Area
        } else {
            Tie::None
        }
    }

    pub(crate) fn siblings(&self, child: usize) -> impl Iterator<Item = usize> + '_ {
        self.households[self.children[child].household].clone().filter(move |other| *other != child)
    }

    pub(crate) fn is_home_of(&self, person: &Person, child: usize) -> bool {
        self.children[child].home == person.home
    }

    pub(crate) fn has_name_of(&self, person: &Person, child: usize) -> bool {
        self.children[child].names.contains(&person.family)
    }

    /// How many areas lie between two in the ring, and one more.
    pub(crate) fn apart(&self, one: u64, other: u64) -> u64 {
        let way = one.abs_diff(other);
        way.min(self.areas - way)
    }

    /// From now on the person has the name of this child's family, and its home too where they live together.
    pub(crate) fn make_family(&mut self, person: usize, child: usize, lives_there: bool) {
        self.people[person].family = self.children[child].names[0];
        if lives_there {
            self.people[person].home = self.children[child].home;
        }
    }

    pub(crate) fn fact(&self, person: &Person, child: usize) -> Fact {
        let kid = &self.children[child];
        Fact {
            child: self.number(child),
            tie: self.tie(person.organisation, child),
            same_name: self.has_name_of(person, child),
            same_home: self.is_home_of(person, child),
            area: self.organisations[self.councils[kid.area as usize]].id,
            areas_apart: self.apart(person.area, kid.area),
        }
    }
}

/// Of a thousand: half looks less than 0.7 times as much as is usual, one in a hundred five times (Pareto's law with exponent 2).
fn activity(random: &mut Random) -> u64 {
    // the root of a whole number, and one division: the same on every machine
    let rest = 1000 - random.below(990);
    (500.0 / (rest as f64 / 1000.0).sqrt()) as u64
}
