//! What a directory knows at the time of a look about the looker and the child, beside what the look itself says (rule F4): the detection rules
//! rest on it, and afterwards nobody could work it out, because a child moves, and work begins and ends.
//!
//! For: the words and their one number each, in which they stand in the log's entry. Leaves to others: working them out (`policy`), keeping them
//! from whoever is handed an entry (`store`), what is found by them (`review`).

use crate::OrganisationId;
use std::collections::BTreeSet;

/// What the looker's organisation has to do with the child (rule D1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tie {
    /// It works with the child: on its roll, its list, or one of its cases.
    Involved,
    /// The child lives in its area, and that is all.
    Area,
    /// Nothing: the glass was broken, or the look was refused.
    None,
}

/// What the looker has in common with the child's family, by the vetting record (rule D7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kin {
    /// The address.
    Home,
    /// The family name alone.
    Name,
    /// Neither.
    None,
}

/// Where the child lives, seen from the looker's organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// In its area, or the organisation has none.
    Own,
    /// In an area that adjoins it.
    Adjoining,
    /// Farther away.
    Far,
    /// Elsewhere, how far is not known; or it is not to be known, as of a shielded child (rule E2).
    Unknown,
}

/// The facts of one child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What the organisation has to do with it.
    pub tie: Tie,
    /// What the person has in common with it.
    pub kin: Kin,
    /// Where it lives.
    pub place: Place,
}

const TIES: [Tie; 3] = [Tie::Involved, Tie::Area, Tie::None];
const KINS: [Kin; 3] = [Kin::Home, Kin::Name, Kin::None];
const PLACES: [Place; 4] = [Place::Own, Place::Adjoining, Place::Far, Place::Unknown];

impl Facts {
    /// What stands where nothing is known, as in entries that are older than facts.
    pub const UNKNOWN: u8 = 0;

    /// Of a number of which there is no record.
    pub const OF_NOBODY: Self = Self { tie: Tie::None, kin: Kin::None, place: Place::Unknown };

    /// The number that is stored, 1 to 36: one more than the tie's, three times the kin's and nine times the place's, each from 0 in the order
    /// above. It never changes its meaning.
    #[must_use]
    pub const fn number(self) -> u8 {
        1 + self.tie as u8 + 3 * self.kin as u8 + 9 * self.place as u8
    }

    /// The facts of a number; `None` where it is none, or stands for nothing known.
    #[must_use]
    pub fn of_number(number: u8) -> Option<Self> {
        let at = usize::from(number.checked_sub(1)?);
        let (tie, kin, place) = (TIES.get(at % 3)?, KINS.get(at / 3 % 3)?, PLACES.get(at / 9)?);
        Some(Self { tie: *tie, kin: *kin, place: *place })
    }
}

/// Which councils' areas adjoin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Areas(BTreeSet<(OrganisationId, OrganisationId)>);

impl Areas {
    /// Of pairs; the order within one means nothing.
    pub fn adjoining(pairs: impl IntoIterator<Item = (OrganisationId, OrganisationId)>) -> Self {
        Self(pairs.into_iter().map(|(one, other)| (one.min(other), one.max(other))).collect())
    }

    /// Where somebody of one area looks who looks at another. How far another is nobody knows of an area that is said to adjoin none.
    #[must_use]
    pub fn place(&self, own: OrganisationId, other: OrganisationId) -> Place {
        if own == other {
            Place::Own
        } else if self.0.contains(&(own.min(other), own.max(other))) {
            Place::Adjoining
        } else if !self.0.iter().any(|(one, two)| [*one, *two].contains(&own)) {
            Place::Unknown
        } else {
            Place::Far
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_of_facts_leads_back_and_nothing_else_does() {
        // F4: what was known at the time of the look, readable as long as the log is kept
        for number in 1..=36 {
            assert_eq!(Facts::of_number(number).map(Facts::number), Some(number));
        }
        assert!((37..=255).chain([Facts::UNKNOWN]).all(|number| Facts::of_number(number).is_none()));
        assert_eq!(Facts { tie: Tie::Involved, kin: Kin::Home, place: Place::Own }.number(), 1);
        assert_eq!(Facts { tie: Tie::Area, kin: Kin::Name, place: Place::Far }.number(), 23);
        assert_eq!(Facts::OF_NOBODY.number(), 36);
    }

    #[test]
    fn areas_adjoin_in_both_directions_and_nobody_is_far_where_nothing_is_said() {
        // F4: who forgot the list accuses nobody
        let [one, two, three] = [1, 2, 3].map(OrganisationId);
        let areas = Areas::adjoining([(two, one)]);
        assert_eq!([areas.place(one, two), areas.place(two, one)], [Place::Adjoining; 2]);
        assert_eq!((areas.place(one, one), areas.place(one, three)), (Place::Own, Place::Far));
        let four = OrganisationId(4);
        assert_eq!((areas.place(three, one), areas.place(three, four)), (Place::Unknown, Place::Unknown), "of whom nothing is said");
        assert_eq!((Areas::default().place(one, one), Areas::default().place(one, three)), (Place::Own, Place::Unknown));
    }
}
