//! A year of look-ups, told in the words of the log's entries, with misuse planted in it and the truth beside it.
//!
//! For: measuring the rules of review, and for reports and benches that need a log with a life in it. Deterministic: the same seed, number of
//! people and first day give the same year. Knows nothing of any rule or threshold: what people do follows from their jobs, and what the planted
//! ones do from how directories have been misused (docs/attacks.md). docs/synthetic-people.md has the figures. Memory: the world, and one day.

mod calendar;
mod events;
mod misuse;
mod person;
mod work;
mod world;
mod write;

pub use misuse::{Misuse, Plant};
pub use write::write_year;

use crate::names::Names;
use crate::random::Random;
use crate::SynthesisError;
use calendar::Calendar;
use contactpoint_audit::{Entry, Operation, Outcome};
use contactpoint_domain::{ChildNumber, Day, OrganisationId, OrganisationKind, Purpose};
use events::Events;
use jiff::civil::Date;
use std::collections::VecDeque;
use world::World;

/// People there can be: with fewer some job has nobody, with more there are too many areas.
const PEOPLE: std::ops::RangeInclusive<u64> = 400..=66_000;
/// Days of the year that is played.
const DAYS: i32 = 365;

/// Which year.
#[derive(Debug, Clone, Copy)]
pub struct YearRequest {
    /// Same seed, people and first day: same year.
    pub seed: u64,
    /// People who look, 400 to 66,000.
    pub people: u64,
    /// The first of 365 days.
    pub from: Date,
}

/// What an organisation has to do with a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    /// It works with the child.
    Involved,
    /// It is social care, and the child lives in its area.
    Area,
    /// Nothing.
    None,
}

impl Tie {
    /// The code in the files.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Involved => "involved",
            Self::Area => "area",
            Self::None => "none",
        }
    }
}

/// What is known of a child beside the entry, at the time of the look.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Which child.
    pub child: ChildNumber,
    /// What the looker's organisation has to do with it.
    pub tie: Tie,
    /// The looker has the family name of the child or of a carer.
    pub same_name: bool,
    /// The looker lives where the child does.
    pub same_home: bool,
    /// The council in whose area the child lives.
    pub area: OrganisationId,
    /// How many areas away from the looker's that is; 1: they adjoin.
    pub areas_apart: u64,
}

/// A look as it was played.
#[derive(Debug, Clone)]
pub struct Played {
    /// The index of its entry.
    pub index: u64,
    /// The entry.
    pub entry: Entry,
    /// The kind of the looker's organisation.
    pub kind: OrganisationKind,
    /// One for each child of the entry, in its order.
    pub facts: Vec<Fact>,
    /// The truth: its place in [`Year::plants`], where it is misuse. No rule may see it.
    pub planted: Option<usize>,
}

/// Something that a person does on a day.
pub(crate) struct Act {
    /// Of the local day.
    second: u32,
    person: usize,
    operation: Operation,
    reason: Option<Purpose>,
    children: Vec<usize>,
    outcome: Outcome,
    planted: Option<usize>,
}

/// The year, look by look.
pub struct Year {
    seed: u64,
    world: World,
    calendar: Calendar,
    events: Events,
    plants: Vec<Plant>,
    /// Misuse by day, with its plant.
    planted: Vec<Vec<Act>>,
    /// The day that is told, and the one that comes after it.
    day: i32,
    coming: i32,
    today: VecDeque<Act>,
    next: u64,
}

impl Year {
    /// Peoples the areas and plants the misuse.
    ///
    /// # Errors
    /// [`SynthesisError::Option`] for a number of people out of range, and as the lists of names.
    pub fn of(request: &YearRequest) -> Result<Self, SynthesisError> {
        if !PEOPLE.contains(&request.people) {
            return Err(SynthesisError::Option("there can be 400 to 66,000 people"));
        }
        let names = Names::load()?;
        let calendar = Calendar::of(request.from)?;
        let mut world = World::of(request, &names)?;
        let events = Events::of(request.seed, &mut world, &calendar);
        let (plants, planted) = misuse::planted(request.seed, &mut world, &calendar);
        Ok(Self { seed: request.seed, world, calendar, events, plants, planted, day: 0, coming: 0, today: VecDeque::new(), next: 0 })
    }

    /// The truth: who misused what. The looks carry the place in this list.
    #[must_use]
    pub fn plants(&self) -> &[Plant] {
        &self.plants
    }

    /// England's bank holidays of the year, as far as they fall on Monday to Friday.
    #[must_use]
    pub fn holidays(&self) -> Vec<Day> {
        let holidays = self.calendar.holidays().iter();
        holidays.filter_map(|date| Day::of(date.year(), date.month(), date.day()).ok()).collect()
    }

    /// Everything that happens on a day, in the order in which it does.
    fn play(&mut self, day: i32) -> VecDeque<Act> {
        let mut acts: Vec<Act> = Vec::new();
        for person in 0..self.world.people.len() {
            let mut random = Random::at(&[self.seed, 40, person as u64, day.unsigned_abs().into()]);
            work::day(&self.world, &self.calendar, person, day, &mut random, &mut acts);
        }
        self.events.on(&self.world, &self.calendar, day, &mut acts);
        if let Some(planted) = self.planted.get_mut(day.unsigned_abs() as usize) {
            acts.append(planted);
        }
        acts.retain(|act| act.second < 86_400);
        acts.sort_by_key(|act| act.second);
        acts.into()
    }

    fn told(&mut self, act: Act) -> Played {
        let person = &self.world.people[act.person];
        let organisation = &self.world.organisations[person.organisation];
        let facts: Vec<Fact> = act.children.iter().map(|child| self.world.fact(person, *child)).collect();
        let index = self.next;
        self.next += 1;
        let entry = Entry {
            at: self.calendar.instant(self.day, act.second, index),
            person: Some(person.id),
            organisation: Some(organisation.id),
            role: Some(person.role),
            operation: act.operation,
            reason: act.reason,
            children: facts.iter().map(|fact| fact.child.clone()).collect(),
            shown: Vec::new(),
            outcome: act.outcome,
            changes: Vec::new(),
            on_behalf_of: None,
            facts: Vec::new(),
        };
        Played { index, entry, kind: organisation.kind, facts, planted: act.planted }
    }
}

impl Iterator for Year {
    type Item = Played;
    fn next(&mut self) -> Option<Played> {
        loop {
            if let Some(act) = self.today.pop_front() {
                return Some(self.told(act));
            }
            if self.coming >= DAYS {
                return None;
            }
            self.day = self.coming;
            self.coming += 1;
            self.today = self.play(self.day);
        }
    }
}
