//! A look as the rules need it: the log's entry, and beside it facts that stand in no entry. Whoever fills it works the facts out at the time of
//! the look, because they change: a child moves, work begins and ends.

pub use contactpoint_domain::Ending;
use contactpoint_domain::{ChildNumber, Facts, Instant, Kin, OrganisationKind, PersonId, Place, Role, Tie};

/// A child, by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Child(u64);

impl From<&ChildNumber> for Child {
    fn from(number: &ChildNumber) -> Self {
        Self(number.as_str().bytes().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
    }
}

impl Child {
    /// No number is before it.
    pub(crate) const FIRST: Self = Self(0);

    /// The ten digits of the number.
    #[must_use]
    pub fn digits(self) -> String {
        format!("{:010}", self.0)
    }
}

impl std::fmt::Debug for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Child(..)")
    }
}

/// Whose looks are compared with whose: the same role in the same kind of organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peers {
    /// The kind of the organisation.
    pub kind: OrganisationKind,
    /// The role acted in.
    pub role: Role,
}

/// A child that a look is about, with the facts of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub child: Child,
    /// What the organisation has to do with it.
    pub relation: Tie,
    /// What the person has in common with it.
    pub kin: Kin,
    /// Where it lives.
    pub place: Place,
}

impl Seen {
    /// A child with what was known of it. Where nothing was known it is as one whom nobody asks about: no finding rests on that.
    #[must_use]
    pub fn of(child: Child, facts: Option<Facts>) -> Self {
        let innocent = Facts { tie: Tie::Involved, kin: Kin::None, place: Place::Unknown };
        let Facts { tie, kin, place } = facts.unwrap_or(innocent);
        Self { child, relation: tie, kin, place }
    }
}

/// A look or an attempt at one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The index of its entry in the log.
    pub index: u64,
    /// When.
    pub at: Instant,
    /// Whose.
    pub person: PersonId,
    /// With whom they are compared.
    pub peers: Peers,
    /// What came of it.
    pub ended: Ending,
    /// The children concerned; every one listed in a search result counts (rule F1).
    pub children: Vec<Seen>,
}
