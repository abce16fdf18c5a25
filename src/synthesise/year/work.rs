//! An ordinary day of somebody who looks: whom they look up, in how many steps, and what goes wrong.

use super::calendar::Calendar;
use super::person::{some_second, Job, Person};
use super::world::World;
use super::{Act, Tie};
use crate::random::Random;
use contactpoint_audit::{Operation, Outcome, RefusalCode};
use contactpoint_domain::Purpose;

/// One person's acts, as they write them down.
pub(crate) struct Doing<'a> {
    pub(crate) acts: &'a mut Vec<Act>,
    pub(crate) person: usize,
    pub(crate) reason: Purpose,
    pub(crate) second: u32,
    pub(crate) planted: Option<usize>,
}

impl Doing<'_> {
    pub(crate) fn act(&mut self, operation: Operation, children: Vec<usize>, outcome: Outcome) {
        let (second, person, planted) = (self.second, self.person, self.planted);
        self.acts.push(Act { second, person, operation, reason: Some(self.reason), children, outcome, planted });
    }

    fn later(&mut self, random: &mut Random, most: u64) {
        self.second += 3 + random.below(most) as u32;
    }
}

pub(crate) fn day(world: &World, calendar: &Calendar, person: usize, day: i32, random: &mut Random, acts: &mut Vec<Act>) {
    let who = &world.people[person];
    let pieces = when(who, calendar, day, random);
    if pieces.is_empty() {
        return;
    }
    if who.lapses == Some(day) {
        lapsed(person, &pieces, random, acts);
        return;
    }
    for _ in 0..how_many(who, day, &pieces, random) {
        let Some(second) = some_second(&pieces, random) else { continue };
        let child = whom(world, who, day, random);
        // one's own children are a colleague's matter; now and then there is no colleague
        if world.is_home_of(who, child) && !random.chance(10) {
            continue;
        }
        let reason = *random.any(who.job_on(day).habits().reasons);
        consult(world, &mut Doing { acts, person, reason, second, planted: None }, child, random);
    }
    if who.job == Job::Pastoral && calendar.is_start_of_school(day) && random.chance(15) {
        new_pupils(world, person, &pieces, random, acts);
    }
}

/// At work as ever; sometimes late; rarely on a day off; called at night.
fn when(who: &Person, calendar: &Calendar, day: i32, random: &mut Random) -> Vec<(u32, u32)> {
    const HOUR: u32 = 3600;
    let mut pieces = who.at_work(calendar, day);
    if !(who.employed.0..who.employed.1).contains(&day) {
        return pieces;
    }
    if who.is_called_on(day) && random.chance(300) {
        pieces.push((19 * HOUR, 24 * HOUR));
        pieces.push((0, 7 * HOUR));
    }
    let is_by_day = !matches!(who.job, Job::Emergency | Job::Response);
    if is_by_day && !pieces.is_empty() && random.chance(15) {
        pieces.push((17 * HOUR, 20 * HOUR + HOUR / 2));
    }
    if matches!(who.job, Job::SocialWorker | Job::FrontDoor) && pieces.is_empty() && random.chance(4) {
        pieces.push((9 * HOUR, 13 * HOUR));
    }
    if who.job == Job::Pastoral && pieces.is_empty() && !calendar.is_free(day) && random.chance(8) {
        pieces.push((9 * HOUR, 15 * HOUR));
    }
    pieces
}

/// Children looked up: by the job, by what kind of person it is, by what kind of day.
fn how_many(who: &Person, day: i32, pieces: &[(u32, u32)], random: &mut Random) -> u64 {
    let usual = who.job_on(day).habits().per_day * who.activity / 1000;
    let of_the_day = usual * (400 + random.below(1200)) / 1000;
    // who has only the end of a night to work has less of it
    let seconds: u32 = pieces.iter().map(|(from, to)| to - from).sum();
    let of_the_day = if seconds < 5 * 3600 { of_the_day / 2 } else { of_the_day };
    let trials = of_the_day / 25 + 4;
    (0..trials).filter(|_| random.below(trials * 100) < of_the_day).count() as u64
}

/// A case of one's own, the front ones more often; another of the organisation; one of the area; anybody.
fn whom(world: &World, who: &Person, day: i32, random: &mut Random) -> usize {
    let (cases, others, area) = who.job_on(day).habits().of;
    let roster = &world.organisations[who.organisation].roster;
    let draw = random.below(1000);
    if draw < cases && !who.cases.is_empty() {
        *random.front(&who.cases)
    } else if draw < cases + others && !roster.is_empty() {
        *random.any(roster)
    } else if draw < cases + others + area {
        of_area(world, who.area, random)
    } else {
        // most who are none of one's own live near, few far away
        let far = match random.below(1000) {
            0..850 => 0,
            850..980 => 1,
            _ => random.below(world.areas),
        };
        let area = if random.chance(500) { who.area + far } else { who.area + world.areas - far };
        of_area(world, area % world.areas, random)
    }
}

pub(crate) fn of_area(world: &World, area: u64, random: &mut Random) -> usize {
    let range = &world.of_area[area as usize];
    range.start + random.below(range.len() as u64) as usize
}

/// One child, and whoever belongs to it.
pub(crate) fn consult(world: &World, doing: &mut Doing<'_>, child: usize, random: &mut Random) {
    let organisation = world.people[doing.person].organisation;
    if world.tie(organisation, child) == Tie::None {
        out_of_scope(world, doing, child, random);
        return;
    }
    let is_in_scope = |other: &usize| world.tie(organisation, *other) != Tie::None;
    let siblings: Vec<usize> = world.siblings(child).filter(is_in_scope).collect();
    if random.chance(600) {
        if random.chance(60) {
            doing.act(Operation::Search, Vec::new(), Outcome::NotFound);
            doing.later(random, 50);
        }
        let listed = if random.chance(80) { siblings.as_slice() } else { &[] };
        doing.act(Operation::Search, [&[child], listed].concat(), Outcome::Answered);
        doing.later(random, 40);
    }
    doing.act(Operation::View, vec![child], Outcome::Answered);
    if random.chance(250) {
        for sibling in siblings {
            doing.later(random, 90);
            doing.act(Operation::View, vec![sibling], Outcome::Answered);
        }
    }
}

/// A child who moved, an incident, a wrong number: nothing is found, and where it cannot wait the glass is broken.
fn out_of_scope(world: &World, doing: &mut Doing<'_>, child: usize, random: &mut Random) {
    let (operation, children, outcome) = match random.below(10) {
        0..7 => (Operation::Search, Vec::new(), Outcome::NotFound),
        _ => (Operation::View, vec![child], Outcome::Refused(RefusalCode::OutsideScope)),
    };
    doing.act(operation, children, outcome);
    doing.later(random, 120);
    if !random.chance(world.people[doing.person].job.habits().urgent) {
        if random.chance(300) {
            doing.act(Operation::Search, Vec::new(), Outcome::NotFound);
        }
        return;
    }
    let siblings: Vec<usize> = if random.chance(300) { world.siblings(child).collect() } else { Vec::new() };
    for child in std::iter::once(child).chain(siblings) {
        break_glass(doing, child, random);
    }
}

pub(crate) fn break_glass(doing: &mut Doing<'_>, child: usize, random: &mut Random) {
    doing.act(Operation::BreakGlass, vec![child], Outcome::Answered);
    doing.later(random, 20);
    doing.act(Operation::View, vec![child], Outcome::Answered);
    doing.later(random, 600);
    if random.chance(600) {
        doing.act(Operation::LeaveGlass, vec![child], Outcome::Answered);
        doing.later(random, 60);
    }
}

/// The agreement ran out: refused once or a few times, until it is signed.
fn lapsed(person: usize, pieces: &[(u32, u32)], random: &mut Random, acts: &mut Vec<Act>) {
    let Some(second) = some_second(pieces, random) else { return };
    let mut doing = Doing { acts, person, reason: Purpose::Coordination, second, planted: None };
    for _ in 0..1 + random.below(4) {
        doing.act(Operation::Search, Vec::new(), Outcome::Refused(RefusalCode::AgreementPending));
        doing.later(random, 60);
    }
}

/// September: the new ones on the roll are gone through, one after the other.
fn new_pupils(world: &World, person: usize, pieces: &[(u32, u32)], random: &mut Random, acts: &mut Vec<Act>) {
    let roster = &world.organisations[world.people[person].organisation].roster;
    let Some(second) = some_second(pieces, random).filter(|_| !roster.is_empty()) else { return };
    let mut doing = Doing { acts, person, reason: Purpose::Transfer, second: second.min(12 * 3600), planted: None };
    for _ in 0..12 + random.below(24) {
        doing.act(Operation::View, vec![*random.any(roster)], Outcome::Answered);
        doing.later(random, 200);
    }
}
