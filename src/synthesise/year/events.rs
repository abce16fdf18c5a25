//! What makes many people look at one child, and rightly: conferences about a child, children who are missing, now and then an incident that
//! everybody works on.

use super::calendar::Calendar;
use super::person::{some_second, Job};
use super::work::{consult, of_area, Doing};
use super::world::World;
use super::{Act, DAYS};
use crate::random::Random;
use contactpoint_domain::{OrganisationKind, Purpose};

/// Of a thousand children that social care works with: so many have a conference in the year.
const CONFERENCES: u64 = 80;
/// For each area, in a year.
const MISSING: u64 = 14;
/// In all areas together: incidents.
const INCIDENTS: u64 = 2;

/// Who is to look at whom because of what happened, by day.
pub(crate) struct Events {
    seed: u64,
    by_day: Vec<Vec<Called>>,
}

struct Called {
    person: usize,
    child: usize,
    reason: Purpose,
}

impl Events {
    pub(crate) fn of(seed: u64, world: &mut World, calendar: &Calendar) -> Self {
        let by_day = (0..DAYS).map(|_| Vec::new()).collect();
        let mut events = Self { seed, by_day };
        let mut random = Random::at(&[seed, 33]);
        for area in 0..world.areas {
            events.conferences(world, calendar, area, &mut random);
            for _ in 0..MISSING {
                let child = of_area(world, area, &mut random);
                events.missing(world, child, (2, 7), &mut random);
            }
        }
        for _ in 0..INCIDENTS {
            let area = random.below(world.areas);
            let child = of_area(world, area, &mut random);
            events.missing(world, child, (9, 18), &mut random);
        }
        events
    }

    /// Whoever is at work looks.
    pub(crate) fn on(&self, world: &World, calendar: &Calendar, day: i32, acts: &mut Vec<Act>) {
        let mut random = Random::at(&[self.seed, 34, day.unsigned_abs().into()]);
        for called in self.by_day.get(day.unsigned_abs() as usize).into_iter().flatten() {
            let pieces = world.people[called.person].at_work(calendar, day);
            let Some(second) = some_second(&pieces, &mut random) else { continue };
            let mut doing = Doing { acts, person: called.person, reason: called.reason, second, planted: None };
            consult(world, &mut doing, called.child, &mut random);
        }
    }

    fn call(&mut self, day: i32, called: Called) {
        if let Some(day) = usize::try_from(day).ok().and_then(|day| self.by_day.get_mut(day)) {
            day.push(called);
        }
    }

    /// A case of social care about which eight to twenty people of all services meet; police are told of it, and look in the fortnight before.
    fn conferences(&mut self, world: &mut World, calendar: &Calendar, area: u64, random: &mut Random) {
        let of = |world: &World, kind| world.organisations.iter().position(|one| one.area == area && one.kind == kind);
        let (Some(council), Some(police)) = (of(world, OrganisationKind::Council), of(world, OrganisationKind::Police)) else { return };
        for child in world.organisations[council].roster.clone() {
            if !random.chance(CONFERENCES) {
                continue;
            }
            world.involve(police, child);
            let day = 14 + random.below(350) as i32;
            if calendar.is_free(day) {
                continue;
            }
            let tied =
                (0..world.people.len()).filter(|person| world.tie(world.people[*person].organisation, child) == super::Tie::Involved);
            let tied: Vec<usize> = tied.collect();
            for _ in 0..8 + random.below(13) {
                let (person, before) = (*random.any(&tied), random.below(14) as i32);
                self.call(day - before, Called { person, child, reason: Purpose::Assessment });
            }
        }
    }

    /// Police and council of the area look for two or three days, and sometimes those next to it.
    fn missing(&mut self, world: &World, child: usize, (least, more): (u64, u64), random: &mut Random) {
        let (day, area) = (random.below(360) as i32, world.children[child].area);
        let is_asked = |person: &usize| {
            let who = &world.people[*person];
            matches!(who.job, Job::Response | Job::Protection | Job::FrontDoor | Job::Emergency) && who.area == area
        };
        let asked: Vec<usize> = (0..world.people.len()).filter(is_asked).collect();
        let others: Vec<usize> = (0..world.people.len()).filter(|person| world.people[*person].job == Job::Response).collect();
        for _ in 0..least + random.below(more) {
            let person = if random.chance(900) { *random.any(&asked) } else { *random.any(&others) };
            for _ in 0..1 + random.below(2) {
                self.call(day + random.below(3) as i32, Called { person, child, reason: Purpose::Missing });
            }
        }
    }
}
