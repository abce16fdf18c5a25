//! The synthetic year as the rules, the plan and the log have it.

use contactpoint_audit::{Entry, Field, Outcome};
use contactpoint_domain::{Facts, Kin, Place, Tie};
use contactpoint_review::{Child, Look, Peers, Seen};
use contactpoint_synthesise::{Fact, Played, Tie as PlayedTie, Year, YearRequest};

/// A year from 1 September 2025 on.
pub(crate) fn year(seed: u64, people: u64) -> Year {
    Year::of(&YearRequest { seed, people, from: "2025-09-01".parse().unwrap() }).unwrap()
}

/// The entry as the daemon writes it, but for its facts. The simulator says of no entry what was shown: something, where it was answered.
pub(crate) fn entry(played: &Played) -> Entry {
    let is_answered = played.entry.outcome == Outcome::Answered;
    Entry { shown: is_answered.then_some(Field::Name).into_iter().collect(), ..played.entry.clone() }
}

/// What the daemon fills from the log's entry.
pub(crate) fn look(played: &Played) -> Look {
    let entry = entry(played);
    Look {
        index: played.index,
        at: entry.at,
        person: entry.person.unwrap(),
        peers: Peers { kind: played.kind, role: entry.role.unwrap() },
        ended: entry.ended(),
        children: played.facts.iter().map(|fact| Seen::of(Child::from(&fact.child), Some(facts(fact)))).collect(),
    }
}

/// What the daemon works out of a record, as the simulator says it.
pub(crate) fn facts(fact: &Fact) -> Facts {
    let tie = match fact.tie {
        PlayedTie::Involved => Tie::Involved,
        PlayedTie::Area => Tie::Area,
        PlayedTie::None => Tie::None,
    };
    let kin = match (fact.same_home, fact.same_name) {
        (true, _) => Kin::Home,
        (false, true) => Kin::Name,
        (false, false) => Kin::None,
    };
    let place = match fact.areas_apart {
        0 => Place::Own,
        1 => Place::Adjoining,
        2.. => Place::Far,
    };
    Facts { tie, kin, place }
}
