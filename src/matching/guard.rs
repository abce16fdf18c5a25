//! By which keys a statement may be of a child whose record is guarded (rule E4): wider than joining, since a record made in error beside a
//! shielded one shows what the shield hides, and one that is held in error waits a few days for an officer.
//!
//! Two words of what identifies a child are enough where the third is spelt or typed differently: the family name's sound and the day, the day
//! and the postcode, the sounds of both names and the postcode. There a number that differs speaks against it, since twins share them all, but not
//! where the first given names may be one name (Jim for James): any valid number would do. By a number alone nothing speaks against it. What
//! neither number, postcode nor day have in common is not met.

use crate::forms::are_forms_of_one;
use crate::normal::{folded, phonetic};
use contactpoint_domain::{ChildRecord, Name, Statement};
use std::collections::BTreeSet;

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
    /// The same day and a family name that sounds alike, whatever the given name.
    Born {
        /// Phonetic code of the family name, or of one part of a double one.
        family: String,
        /// Days since 1970-01-01.
        born: i32,
    },
    /// The same day and postcode, whatever the names.
    Housed {
        /// Days since 1970-01-01.
        born: i32,
        /// Normalised postcode.
        postcode: String,
    },
    /// Names that sound alike and the same postcode, whatever the day.
    Neighbour {
        /// Phonetic code of the family name, or of one part of a double one.
        family: String,
        /// Phonetic code of the first of the given names.
        given: String,
        /// Normalised postcode.
        postcode: String,
    },
}

impl GuardKey {
    /// True where brothers and sisters may share it: then two different numbers of one kind speak against its being one child.
    const fn is_of_a_family(&self) -> bool {
        match self {
            Self::Nhs(_) | Self::Pupil(_) | Self::Named { .. } | Self::Lives { .. } => false,
            Self::Born { .. } | Self::Housed { .. } | Self::Neighbour { .. } => true,
        }
    }
}

/// Every guard key of a statement, each once.
#[must_use]
pub fn guard_keys(statement: &Statement) -> BTreeSet<GuardKey> {
    let born = statement.date_of_birth.day_number();
    let mut keys = BTreeSet::new();
    keys.extend(statement.nhs_number.as_ref().map(|number| GuardKey::Nhs(number.as_str().to_owned())));
    keys.extend(statement.unique_pupil_number.as_ref().map(|number| GuardKey::Pupil(number.as_str().to_owned())));
    let postcode = statement.address.as_ref().and_then(|address| address.postcode.as_ref()).map(|postcode| postcode.as_str().to_owned());
    keys.extend(postcode.clone().map(|postcode| GuardKey::Housed { born, postcode }));
    for name in std::iter::once(&statement.name).chain(&statement.former_names) {
        let first = first_given(name);
        let given = folded(first);
        for family in family_sounds(name) {
            keys.insert(GuardKey::Born { family: family.clone(), born });
            keys.extend(postcode.clone().map(|postcode| GuardKey::Neighbour { family, given: phonetic(first), postcode }));
        }
        keys.extend(postcode.clone().map(|postcode| GuardKey::Lives { given: given.clone(), born, postcode }));
        keys.insert(GuardKey::Named { family: phonetic(name.family.as_str()), given, born });
    }
    keys
}

/// May a statement be of the child of this record? (rule E4)
#[must_use]
pub fn may_be_of(record: &ChildRecord, statement: &Statement) -> bool {
    let stated = guard_keys(statement);
    let known: BTreeSet<GuardKey> = record.statements.iter().flat_map(guard_keys).collect();
    let are_others = numbers_differ(record, statement) && !has_alike_given(record, statement);
    stated.intersection(&known).any(|key| !(are_others && key.is_of_a_family()))
}

/// Both give a number of one kind, and never the same one.
fn numbers_differ(record: &ChildRecord, statement: &Statement) -> bool {
    let differ = |known: Vec<&str>, stated: Option<&str>| stated.is_some_and(|stated| !known.is_empty() && !known.contains(&stated));
    let held = || record.statements.iter();
    differ(
        held().filter_map(|said| said.nhs_number.as_ref().map(|number| number.as_str())).collect(),
        statement.nhs_number.as_ref().map(|number| number.as_str()),
    ) || differ(
        held().filter_map(|said| said.unique_pupil_number.as_ref().map(|number| number.as_str())).collect(),
        statement.unique_pupil_number.as_ref().map(|number| number.as_str()),
    )
}

/// A first given name of the statement may be one of the record's, in another form.
fn has_alike_given(record: &ChildRecord, statement: &Statement) -> bool {
    let names = |said: &Statement| -> Vec<String> {
        std::iter::once(&said.name).chain(&said.former_names).map(|name| folded(first_given(name))).collect()
    };
    let stated = names(statement);
    record.statements.iter().flat_map(names).any(|known| stated.iter().any(|stated| are_forms_of_one(&known, stated)))
}

/// Suppliers differ in how many given names they keep, and seldom in the first.
fn first_given(name: &Name) -> &str {
    name.given.as_str().split(' ').next().unwrap_or_default()
}

/// The sound of a family name, and of each part of a double one: some suppliers keep one part, with a hyphen or without.
fn family_sounds(name: &Name) -> BTreeSet<String> {
    let whole = name.family.as_str();
    let parts = whole.split([' ', '-']).filter(|part| part.chars().count() > LONGEST_PARTICLE);
    std::iter::once(whole).chain(parts).map(phonetic).collect()
}

/// "de", "van", "von", "bin": parts that say nothing by themselves.
const LONGEST_PARTICLE: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use contactpoint_domain::{Address, ChildNumber, DateOfBirth, Gender, Instant, Involvement, OrganisationId, PersonId, Provenance};

    fn said(given: &str, family: &str, born: (i16, i8, i8), postcode: &str, nhs: &str) -> Statement {
        let postcode = (!postcode.is_empty()).then(|| postcode.try_into().unwrap());
        Statement {
            provenance: Provenance { source: OrganisationId(1), author: PersonId(1), at: Instant::of_millis(1) },
            name: Name { given: given.try_into().unwrap(), family: family.try_into().unwrap() },
            former_names: Vec::new(),
            date_of_birth: DateOfBirth::of(born.0, born.1, born.2).unwrap(),
            gender: Gender::Unspecified,
            address: postcode.map(|postcode| Address { lines: vec!["1 Row".try_into().unwrap()], postcode: Some(postcode) }),
            nhs_number: (!nhs.is_empty()).then(|| nhs.try_into().unwrap()),
            unique_pupil_number: None,
            carers: Vec::new(),
            involvement: Involvement::default(),
        }
    }

    const BORN: (i16, i8, i8) = (2015, 3, 4);

    fn meets(incoming: &Statement) -> bool {
        let known = said("James Paul", "Smith-Rowe", BORN, "ZZ1 1AA", "9990000417");
        may_be_of(&ChildRecord::new(ChildNumber::with_body(123_456_789), OrganisationId(3), known), incoming)
    }

    #[test]
    fn one_word_that_differs_lets_nobody_stand_beside_a_shielded_child() {
        // E4: an incoming record that may match a shielded child is quarantined for the authority, never created unshielded beside it
        for incoming in [
            said("Jim", "Smith-Rowe", BORN, "", ""),
            said("Jamie", "Smyth Rowe", BORN, "ZZ9 9ZZ", ""),
            said("James", "Rowe", BORN, "", ""),
            said("James", "SMITHROWE", BORN, "", ""),
            said("Jim", "Farrow", BORN, "ZZ1 1AA", ""),
            said("James", "Smith-Rowe", (2015, 4, 3), "ZZ1 1AA", ""),
            said("Somebody", "Else", (2011, 1, 1), "", "9990000417"),
        ] {
            assert!(meets(&incoming), "{} {}", incoming.name.given.as_str(), incoming.name.family.as_str());
        }
    }

    #[test]
    fn a_number_of_its_own_lets_no_form_of_the_name_stand_beside_a_shielded_child() {
        // E4: any valid number would do, if it alone spoke against what may match
        for incoming in [
            said("James", "Smith-Rowe", BORN, "", "9434765919"),
            said("Jim", "Smith-Rowe", BORN, "ZZ1 1AA", "9434765919"),
            said("Seamus", "Rowe", BORN, "", "9434765919"),
            said("Jim", "Farrow", BORN, "ZZ1 1AA", "9434765919"),
            said("James", "Smith", (2015, 4, 3), "ZZ1 1AA", "9434765919"),
        ] {
            assert!(meets(&incoming), "{} {}", incoming.name.given.as_str(), incoming.name.family.as_str());
        }
    }

    #[test]
    fn who_shares_one_word_alone_is_another_child() {
        // E4 holds back what may be the child, and a family's twins are told apart by their numbers
        for incoming in [
            said("James", "Smith-Rowe", (2015, 4, 3), "ZZ9 9ZZ", ""),
            said("Ann", "Farrow", BORN, "ZZ9 9ZZ", ""),
            said("Ann", "Smith-Rowe", (2012, 1, 9), "ZZ1 1AA", ""),
            said("Ann", "Smith-Rowe", BORN, "ZZ1 1AA", "9434765919"),
        ] {
            assert!(!meets(&incoming), "{} {}", incoming.name.given.as_str(), incoming.name.family.as_str());
        }
        assert!(meets(&said("Ann", "Smith-Rowe", BORN, "ZZ1 1AA", "")), "a twin without a number is asked about");
    }
}
