//! What the rules look for, one file each.

mod child_by_many;
mod far_away;
mod hours;
mod own_family;
mod refused;
mod volume;

use crate::calendar::Local;
use crate::look::{Child, Look};
use crate::rules::Find;
use crate::watch::About;

/// What a rule found on a day.
pub(crate) struct Hit {
    pub(crate) about: About,
    /// Which child it is of, where what a person did about each is a matter of its own.
    pub(crate) matter: Option<Child>,
    pub(crate) evidence: Vec<u64>,
    pub(crate) score: u32,
    /// Days before this one on which the same is not told twice.
    pub(crate) quiet_days: i32,
}

/// A rule at work, which keeps no note of what it told: the daemon begins it from nothing each night. `take` is called for each look that the rule is about, `day_ends` once after the last of each local day that had any look.
pub(crate) trait Finds {
    fn take(&mut self, look: &Look, local: Local);
    fn day_ends(&mut self, day: i32) -> Vec<Hit>;
}

pub(crate) fn finder(find: &Find) -> Box<dyn Finds + Send> {
    match find.clone() {
        Find::OwnFamily(rule) => Box::new(own_family::Finder::of(rule)),
        Find::Volume(rule) => Box::new(volume::Finder::of(rule)),
        Find::Hours(rule) => Box::new(hours::Finder::of(rule)),
        Find::ChildByMany(rule) => Box::new(child_by_many::Finder::of(rule)),
        Find::Refused(rule) => Box::new(refused::Finder::of(rule)),
        Find::FarAway(rule) => Box::new(far_away::Finder::of(rule)),
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::look::{Ending, Peers, Seen};
    use contactpoint_domain::{ChildNumber, Instant, Kin, OrganisationKind, PersonId, Place, Role, Tie};

    pub(crate) const TEACHERS: Peers = Peers { kind: OrganisationKind::School, role: Role::Practitioner };

    pub(crate) const NOBODY: [u32; 0] = [];

    pub(crate) fn seen(child: u32) -> Seen {
        let child = Child::from(&ChildNumber::with_body(child));
        Seen { child, relation: Tie::Involved, kin: Kin::None, place: Place::Own }
    }

    pub(crate) fn look(index: u64, person: u32, ended: Ending, children: &[Seen]) -> Look {
        let at = Instant::of_millis(0);
        Look { index, at, person: PersonId(person), peers: TEACHERS, ended, children: children.to_vec() }
    }

    pub(crate) fn noon(day: i32) -> Local {
        Local { day, hour: 12, is_free: false }
    }

    pub(crate) fn persons(hits: &[Hit]) -> Vec<u32> {
        let number = |hit: &Hit| match hit.about {
            About::Person(person) => person.0,
            About::Child(_) => 0,
        };
        hits.iter().map(number).collect()
    }
}
