//! Twenty misuses of a year, after what directories of this kind have seen (docs/attacks.md; rules D6 to D8). What is done follows from the
//! story alone; no rule was asked.

use super::calendar::Calendar;
use super::person::Job;
use super::work::{break_glass, of_area, Doing};
use super::world::World;
use super::{Act, Tie, DAYS};
use crate::random::Random;
use contactpoint_audit::{Operation, Outcome, RefusalCode};
use contactpoint_domain::{PersonId, Purpose};

const HOUR: u32 = 3600;
/// Nothing is planted before: a log that begins today has no habits yet.
const FIRST_DAY: i32 = 42;
const LAST_DAY: i32 = DAYS - 50;

/// The kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Misuse {
    /// Somebody looks up their own family.
    OwnFamily,
    /// Somebody copies a list.
    Copying,
    /// Somebody, perhaps another than whose account it is, looks at night or on a holiday.
    AtNight,
    /// Many look at the child of somebody well known.
    WellKnownChild,
    /// Somebody tries numbers or names.
    Fishing,
    /// A police officer looks at a child far away.
    FarAway,
}

impl Misuse {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::OwnFamily, Self::Copying, Self::AtNight, Self::WellKnownChild, Self::Fishing, Self::FarAway];

    /// The code in the files.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::OwnFamily => "own-family",
            Self::Copying => "copying",
            Self::AtNight => "at-night",
            Self::WellKnownChild => "well-known-child",
            Self::Fishing => "fishing",
            Self::FarAway => "far-away",
        }
    }
}

/// A misuse that is in the year.
#[derive(Debug, Clone)]
pub struct Plant {
    /// What kind.
    pub kind: Misuse,
    /// What happened.
    pub story: &'static str,
    /// Who did it.
    pub people: Vec<PersonId>,
}

/// A story: its kind, its words, whose job it is, and how it goes.
type Story = (Misuse, &'static str, Job, fn(&mut Telling<'_>));

const STORIES: [Story; 20] = [
    (Misuse::OwnFamily, "a social worker, parted from the mother, looks where their child lives now", Job::SocialWorker, |t| {
        t.own_family(true, 4)
    }),
    (Misuse::OwnFamily, "at a surgery, somebody reads the record of their own child", Job::Surgery, |t| t.own_family(true, 3)),
    (Misuse::OwnFamily, "an officer breaks the glass to a child of their brother's", Job::Protection, |t| t.own_family(false, 3)),
    (Misuse::OwnFamily, "a social worker follows a niece whom nobody works with", Job::SocialWorker, |t| t.own_family(false, 4)),
    (Misuse::Copying, "a teacher takes the roll with them", Job::Pastoral, |t| t.copying(2, (60, 110))),
    (Misuse::Copying, "a social worker copies cases for a new employer", Job::SocialWorker, |t| t.copying(3, (80, 140))),
    (Misuse::Copying, "at a surgery, somebody sells addresses of new parents", Job::Surgery, |t| t.copying(5, (40, 70))),
    (Misuse::Copying, "a social worker copies a little every day", Job::SocialWorker, |t| t.copying(12, (25, 45))),
    (Misuse::AtNight, "a teacher's password is with their teenage son", Job::Pastoral, |t| t.at_night(3, (1, 3))),
    (Misuse::AtNight, "a social worker looks about after the pub", Job::SocialWorker, |t| t.at_night(4, (22, 2))),
    (Misuse::AtNight, "at a surgery, the cleaner finds a session open", Job::Surgery, |t| t.at_night(2, (20, 3))),
    (Misuse::AtNight, "a stolen token is used before the day begins", Job::Volunteer, |t| t.at_night(2, (3, 2))),
    (Misuse::WellKnownChild, "the child of a footballer moves into the area", Job::SocialWorker, |t| t.well_known()),
    (Misuse::WellKnownChild, "the child of a minister is in the news", Job::SocialWorker, |t| t.well_known()),
    (Misuse::Fishing, "at a surgery, somebody counts through child numbers", Job::Surgery, |t| t.fishing(Operation::View, (25, 60))),
    (Misuse::Fishing, "a teacher tries to find a child who was moved to safety", Job::Pastoral, |t| t.fishing(Operation::Search, (12, 25))),
    (Misuse::Fishing, "a volunteer tries names from a street", Job::Volunteer, |t| t.fishing(Operation::Search, (15, 30))),
    (Misuse::FarAway, "an officer follows an ex-partner's child across the country", Job::Response, |t| t.far_away(5, 1)),
    (Misuse::FarAway, "an officer looks children up for an enquiry agent", Job::Protection, |t| t.far_away(2, 4)),
    (Misuse::FarAway, "an officer looks for the family of a witness", Job::Response, |t| t.far_away(4, 2)),
];

/// The truth, and the acts of each day.
pub(crate) fn planted(seed: u64, world: &mut World, calendar: &Calendar) -> (Vec<Plant>, Vec<Vec<Act>>) {
    let mut by_day: Vec<Vec<Act>> = (0..DAYS).map(|_| Vec::new()).collect();
    let mut plants = Vec::new();
    let mut taken = Vec::new();
    for (at, (kind, story, job, tell)) in STORIES.into_iter().enumerate() {
        let mut random = Random::at(&[seed, 35, at as u64]);
        let first = FIRST_DAY + random.below((LAST_DAY - FIRST_DAY).unsigned_abs().into()) as i32;
        let Some(person) = somebody(world, job, first, &taken, &mut random) else { continue };
        taken.push(person);
        let mut telling = Telling { world, calendar, by_day: &mut by_day, random, person, first, at, people: vec![person] };
        tell(&mut telling);
        let people = telling.people.iter().map(|person| telling.world.people[*person].id).collect();
        plants.push(Plant { kind, story, people });
    }
    (plants, by_day)
}

/// Somebody of the job who has been there for a month, stays, and did nothing yet.
fn somebody(world: &World, job: Job, first: i32, taken: &[usize], random: &mut Random) -> Option<usize> {
    let fits = |person: &usize| {
        let who = &world.people[*person];
        let is_there = who.employed.0 + 30 <= first && who.employed.1 > first + 50;
        who.job == job
            && who.moves.is_none()
            && is_there
            && !taken.contains(person)
            && !world.organisations[who.organisation].roster.is_empty()
    };
    let fitting: Vec<usize> = (0..world.people.len()).filter(fits).collect();
    (!fitting.is_empty()).then(|| *random.any(&fitting))
}

struct Telling<'a> {
    world: &'a mut World,
    calendar: &'a Calendar,
    by_day: &'a mut Vec<Vec<Act>>,
    random: Random,
    person: usize,
    first: i32,
    at: usize,
    people: Vec<usize>,
}

impl Telling<'_> {
    /// The next day from this one on which the person is at work.
    fn working_day(&self, from: i32) -> i32 {
        let who = &self.world.people[self.person];
        (from..from + 60).find(|day| !who.at_work(self.calendar, *day).is_empty()).unwrap_or(from).min(DAYS - 1)
    }

    /// A second of their working day.
    fn at_work(&mut self, day: i32) -> u32 {
        let pieces = self.world.people[self.person].at_work(self.calendar, day);
        super::person::some_second(&pieces, &mut self.random).unwrap_or(12 * HOUR)
    }

    fn with(&mut self, day: i32, second: u32, tell: impl FnOnce(&mut Doing<'_>, &mut Random, &World)) {
        let acts = &mut self.by_day[day.clamp(0, DAYS - 1).unsigned_abs() as usize];
        let mut doing = Doing { acts, person: self.person, reason: Purpose::Concern, second, planted: Some(self.at) };
        tell(&mut doing, &mut self.random, self.world);
    }

    fn between(&mut self, (least, most): (u64, u64)) -> u64 {
        least + self.random.below(most - least + 1)
    }

    fn roster(&self) -> Vec<usize> {
        self.world.organisations[self.world.people[self.person].organisation].roster.clone()
    }

    /// A child of the area that the organisation does not work with.
    fn stranger(&mut self) -> usize {
        let who = &self.world.people[self.person];
        let (organisation, area) = (who.organisation, who.area);
        loop {
            let child = of_area(self.world, area, &mut self.random);
            if self.world.tie(organisation, child) != Tie::Involved {
                return child;
            }
        }
    }

    /// One child of the own home or of the same name, on some days of a month.
    fn own_family(&mut self, lives_there: bool, days: u64) {
        let is_patient = self.world.people[self.person].job == Job::Surgery;
        let roster = self.roster();
        let child = if is_patient { *self.random.any(&roster) } else { self.stranger() };
        self.world.make_family(self.person, child, lives_there);
        let mut day = self.first;
        for _ in 0..days {
            day = self.working_day(day);
            let second = self.at_work(day);
            self.with(day, second, |doing, random, world| {
                if world.tie(world.people[doing.person].organisation, child) == Tie::None {
                    break_glass(doing, child, random);
                } else {
                    doing.act(Operation::Search, vec![child], Outcome::Answered);
                    doing.second += 20;
                    doing.act(Operation::View, vec![child], Outcome::Answered);
                }
            });
            day += 1 + self.random.below(7) as i32;
        }
    }

    /// So many children a day, one screen after the other, in working hours.
    fn copying(&mut self, days: u64, children: (u64, u64)) {
        let roster = self.roster();
        let mut day = self.first;
        for _ in 0..days {
            day = self.working_day(day);
            let (second, count) = (self.at_work(day).min(14 * HOUR), self.between(children));
            let from = self.random.below(roster.len() as u64) as usize;
            self.with(day, second, |doing, random, _| {
                for at in 0..count as usize {
                    doing.act(Operation::View, vec![roster[(from + at) % roster.len()]], Outcome::Answered);
                    doing.second += 8 + random.below(60) as u32;
                }
            });
            day += 1;
        }
    }

    /// From this hour for some hours, on some nights.
    fn at_night(&mut self, nights: u64, (hour, hours): (u32, u32)) {
        let roster = self.roster();
        let mut day = self.first;
        for _ in 0..nights {
            let second = hour * HOUR + self.random.below(u64::from(hours * HOUR) / 3) as u32;
            let count = self.between((4, 9));
            self.with(day, second, |doing, random, _| {
                for _ in 0..count {
                    doing.act(Operation::View, vec![*random.any(&roster)], Outcome::Answered);
                    doing.second += 30 + random.below(500) as u32;
                }
            });
            day += 1 + self.random.below(6) as i32;
        }
    }

    /// Twenty or thirty of the council and the police within a week: none of them works with the child.
    fn well_known(&mut self) {
        let child = self.stranger();
        let area = self.world.children[child].area;
        let is_near = |person: &usize| {
            let who = &self.world.people[*person];
            let is_job = matches!(who.job, Job::SocialWorker | Job::FrontDoor | Job::Response | Job::Protection | Job::Pastoral);
            is_job && who.area == area && self.world.tie(who.organisation, child) != Tie::Involved
        };
        let near: Vec<usize> = (0..self.world.people.len()).filter(is_near).collect();
        self.people.clear();
        for _ in 0..self.between((22, 35)) {
            self.person = *self.random.any(&near);
            let from = self.first + self.random.below(7) as i32;
            let day = self.working_day(from);
            if self.people.contains(&self.person) || day > self.first + 9 {
                continue;
            }
            self.people.push(self.person);
            let second = self.at_work(day);
            self.with(day, second, |doing, random, world| {
                let organisation = world.people[doing.person].organisation;
                match (world.tie(organisation, child), random.below(10)) {
                    (Tie::Involved | Tie::Area, _) => doing.act(Operation::View, vec![child], Outcome::Answered),
                    (Tie::None, 0..4) => break_glass(doing, child, random),
                    (Tie::None, _) => doing.act(Operation::View, vec![child], Outcome::Refused(RefusalCode::OutsideScope)),
                }
            });
        }
    }

    /// So many tries within an hour or two, and now and then a hit.
    fn fishing(&mut self, operation: Operation, tries: (u64, u64)) {
        let (roster, day) = (self.roster(), self.working_day(self.first));
        let (second, count) = (self.at_work(day), self.between(tries));
        self.with(day, second, |doing, random, _| {
            for _ in 0..count {
                if operation == Operation::Search && random.chance(120) {
                    doing.act(operation, vec![*random.any(&roster)], Outcome::Answered);
                } else {
                    doing.act(operation, Vec::new(), Outcome::NotFound);
                }
                doing.second += 15 + random.below(120) as u32;
            }
        });
    }

    /// So many children far away, on some days of two months.
    fn far_away(&mut self, days: u64, children: u64) {
        let own = self.world.people[self.person].area;
        let far = (own + 2 + self.random.below(self.world.areas - 3)) % self.world.areas;
        let mut day = self.first;
        let one = of_area(self.world, far, &mut self.random);
        for _ in 0..days {
            day = self.working_day(day);
            let second = self.at_work(day).min(21 * HOUR);
            // one and the same, or others every day
            let others: Vec<usize> = (1..children).map(|_| of_area(self.world, far, &mut self.random)).collect();
            self.with(day, second, |doing, random, _| {
                for child in std::iter::once(one).chain(others) {
                    break_glass(doing, child, random);
                }
            });
            day += 1 + self.random.below(12) as i32;
        }
    }
}
