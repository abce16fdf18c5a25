//! By which keys a statement may be of a child whose record is guarded (rule E4): wider than joining, since a record made in error beside a
//! shielded one shows what the shield hides, and one that is held in error waits a few days for an officer.

use crate::normal::{folded, phonetic};
use contactpoint_domain::{Name, Statement};

/// Something in common that is enough for holding a statement back.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuardKey {
    /// The same NHS number, whatever else is said.
    Nhs(String),
    /// The same unique pupil number.
    Pupil(String),
    /// The same day, a first name, and a family name that sounds alike, current or former.
    Named {
        /// Phonetic code of the family name.
        family: String,
        /// The first of the given names, folded.
        given: String,
        /// Days since 1970-01-01.
        born: i32,
    },
    /// The same day, a first name and a postcode, whatever the family name.
    Lives {
        /// The first of the given names, folded.
        given: String,
        /// Days since 1970-01-01.
        born: i32,
        /// Normalised postcode.
        postcode: String,
    },
}

/// Every guard key of a statement, each once.
#[must_use]
pub fn guard_keys(statement: &Statement) -> Vec<GuardKey> {
    let born = statement.date_of_birth.day_number();
    let mut keys = Vec::with_capacity(4);
    keys.extend(statement.nhs_number.as_ref().map(|number| GuardKey::Nhs(number.as_str().to_owned())));
    keys.extend(statement.unique_pupil_number.as_ref().map(|number| GuardKey::Pupil(number.as_str().to_owned())));
    let postcode = statement.address.as_ref().and_then(|address| address.postcode.as_ref());
    for name in std::iter::once(&statement.name).chain(&statement.former_names) {
        let (family, given) = (phonetic(name.family.as_str()), first_given(name));
        keys.extend(postcode.map(|postcode| GuardKey::Lives { given: given.clone(), born, postcode: postcode.as_str().to_owned() }));
        keys.push(GuardKey::Named { family, given, born });
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Suppliers differ in how many given names they keep, and seldom in the first.
fn first_given(name: &Name) -> String {
    folded(name.given.as_str().split(' ').next().unwrap_or_default())
}
