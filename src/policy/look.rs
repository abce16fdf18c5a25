//! What a look at one child shows: relation, state of the record and grant become a breadth or a refusal (rules D1, D4, D8, E2, E4, E5).
//!
//! [`LOOKS`] is the whole of it: the first line that fits decides. docs/access.md is made of it.

use crate::refusal::Refusal;
use crate::relation::Relation;
use contactpoint_domain::{ChildRecord, HeldFor, PersonId};

/// In what capacity somebody looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Looking {
    /// As a practitioner.
    Practitioner,
    /// As a shielding officer of the authority that the record belongs to.
    OwnOfficer,
    /// As a shielding officer of another authority.
    OtherOfficer,
}

/// What the state of a record, or that there is none, means for one caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// There is no record.
    NotOnRecord,
    /// There is one, and only named people may know of it; the caller is none of them (rule D8).
    ForOthers,
    /// It is new, and waits until its authority has seen it, which asked for that (rule E1).
    Unseen,
    /// It waits for its authority to say which child it is of (rule E4).
    Quarantined,
    /// It is shielded (rule E1).
    Shielded,
    /// It is a record like most.
    Plain,
}

impl State {
    /// The state of what was found, for this person.
    #[must_use]
    pub fn of(record: Option<&ChildRecord>, person: PersonId) -> Self {
        let Some(ChildRecord { shield, audience, quarantined, number: _, authority: _, statements: _ }) = record else {
            return Self::NotOnRecord;
        };
        if audience.as_ref().is_some_and(|audience| !audience.people.contains(&person)) {
            Self::ForOthers
        } else if quarantined.as_ref().is_some_and(|quarantine| quarantine.why == HeldFor::FirstLook) {
            Self::Unseen
        } else if shield.is_some() {
            // also where it waits: a shield that was set stands at once
            Self::Shielded
        } else if quarantined.is_some() {
            Self::Quarantined
        } else {
            Self::Plain
        }
    }

    /// Every state.
    pub const ALL: &'static [Self] = &[Self::NotOnRecord, Self::ForOthers, Self::Unseen, Self::Quarantined, Self::Shielded, Self::Plain];
}

/// What the caller was granted for this one child, for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grant {
    /// Nothing.
    None,
    /// The glass was broken (rule D4).
    BreakGlass,
    /// The shield was overridden (rule E5).
    Override,
}

impl Grant {
    /// Every grant.
    pub const ALL: &'static [Self] = &[Self::None, Self::BreakGlass, Self::Override];
}

impl Looking {
    /// Every capacity.
    pub const ALL: &'static [Self] = &[Self::Practitioner, Self::OwnOfficer, Self::OtherOfficer];
}

/// How much of a record is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breadth {
    /// All that rule A1 lists and the caller's body may see.
    Full,
    /// What rule E2 leaves of a shielded record.
    Narrow,
}

/// One line: what it asks for (nothing: anything fits), and what it decides.
pub struct Line {
    /// In one of these capacities; empty: in any.
    pub looking: &'static [Looking],
    /// In this state.
    pub state: &'static [State],
    /// True: with a relation. False: without. `None`: either.
    pub related: Option<bool>,
    /// With one of these grants; empty: with any or none.
    pub grant: &'static [Grant],
    /// Then.
    pub then: Result<Breadth, Refusal>,
}

const ANY: Line = Line { looking: &[], state: &[], related: None, grant: &[], then: Err(Refusal::OutsideScope) };

/// The lines, in the order in which they are asked.
pub const LOOKS: &[Line] = &[
    Line { state: &[State::NotOnRecord], ..ANY },
    // named people and nobody else, whatever they are and whatever was granted
    Line { state: &[State::ForOthers], then: Err(Refusal::NotOfAudience), ..ANY },
    Line { looking: &[Looking::OwnOfficer], then: Ok(Breadth::Full), ..ANY },
    Line { looking: &[Looking::OtherOfficer], ..ANY },
    // nobody but the officer, not even whoever said it
    Line { state: &[State::Unseen], ..ANY },
    // only its own source knows of it, and a grant does not reach it
    Line { state: &[State::Quarantined], related: Some(true), then: Ok(Breadth::Full), ..ANY },
    Line { state: &[State::Quarantined], related: Some(false), ..ANY },
    Line { state: &[State::Shielded], grant: &[Grant::Override], then: Ok(Breadth::Full), ..ANY },
    Line { state: &[State::Shielded], grant: &[Grant::BreakGlass], then: Ok(Breadth::Narrow), ..ANY },
    Line { state: &[State::Shielded], related: Some(true), then: Ok(Breadth::Narrow), ..ANY },
    Line { state: &[State::Plain], grant: &[Grant::BreakGlass, Grant::Override], then: Ok(Breadth::Full), ..ANY },
    Line { state: &[State::Plain], related: Some(true), then: Ok(Breadth::Full), ..ANY },
    ANY,
];

/// What a look shows, or why it shows nothing.
pub fn breadth(looking: Looking, relation: Relation, state: State, grant: Grant) -> Result<Breadth, Refusal> {
    let is_related = relation != Relation::None;
    let fits = |line: &&Line| {
        (line.looking.is_empty() || line.looking.contains(&looking))
            && (line.state.is_empty() || line.state.contains(&state))
            && line.related.is_none_or(|asked| asked == is_related)
            && (line.grant.is_empty() || line.grant.contains(&grant))
    };
    // the last line fits everything
    LOOKS.iter().find(fits).map_or(Err(Refusal::OutsideScope), |line| line.then)
}
