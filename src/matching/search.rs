//! Searching (rule D3): under which keys a record is found within a scope, and whether it answers to what was asked.

use crate::normal::{folded, phonetic};
use contactpoint_domain::{ChildRecord, DateOfBirth, FamilyName, GivenName, Name, Postcode, Statement};

/// A key under which a record is indexed within each of its scopes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SearchKey {
    /// Phonetic family name and year of birth.
    Born {
        /// Phonetic code of a current or former family name.
        family: String,
        /// Year of birth.
        year: i16,
    },
    /// Phonetic family name and postcode.
    Lives {
        /// Phonetic code of a current or former family name.
        family: String,
        /// Normalised postcode.
        postcode: String,
    },
}

/// What a caller asks for, beside the child number (rule D3: a family name with date of birth or postcode).
pub struct Sought<'a> {
    /// Family name, compared by sound.
    pub family: Option<&'a FamilyName>,
    /// One given name, compared folded.
    pub given: Option<&'a GivenName>,
    /// Date of birth, compared exactly.
    pub date_of_birth: Option<DateOfBirth>,
    /// Postcode, compared exactly.
    pub postcode: Option<&'a Postcode>,
}

impl Sought<'_> {
    /// The narrowest key that finds what is sought; `None` where no family name comes with a date of birth or a postcode.
    #[must_use]
    pub fn key(&self) -> Option<SearchKey> {
        let family = phonetic(self.family?.as_str());
        match (self.date_of_birth, self.postcode) {
            (Some(born), _) => Some(SearchKey::Born { family, year: born.year() }),
            (None, Some(postcode)) => Some(SearchKey::Lives { family, postcode: postcode.as_str().to_owned() }),
            (None, None) => None,
        }
    }
}

/// Every key of a record, each once.
#[must_use]
pub fn search_keys(record: &ChildRecord) -> Vec<SearchKey> {
    let mut keys: Vec<SearchKey> = record.statements.iter().flat_map(keys_of_statement).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn keys_of_statement(statement: &Statement) -> Vec<SearchKey> {
    let postcode = statement.address.as_ref().and_then(|address| address.postcode.as_ref());
    let mut keys = Vec::with_capacity(2);
    for name in names(statement) {
        let family = phonetic(name.family.as_str());
        keys.extend(postcode.map(|postcode| SearchKey::Lives { family: family.clone(), postcode: postcode.as_str().to_owned() }));
        keys.push(SearchKey::Born { family, year: statement.date_of_birth.year() });
    }
    keys
}

fn names(statement: &Statement) -> impl Iterator<Item = &Name> {
    std::iter::once(&statement.name).chain(&statement.former_names)
}

/// True where some statement of the record answers to each thing that was asked.
#[must_use]
pub fn answers_to(record: &ChildRecord, sought: &Sought<'_>) -> bool {
    let statements = || record.statements.iter();
    let family = |asked: &FamilyName| {
        let code = phonetic(asked.as_str());
        statements().flat_map(names).any(|name| phonetic(name.family.as_str()) == code)
    };
    let given = |asked: &GivenName| statements().flat_map(names).any(|name| has_given(name, asked));
    let postcode =
        |asked: &Postcode| statements().filter_map(|s| s.address.as_ref()).any(|address| address.postcode.as_ref() == Some(asked));
    sought.family.is_none_or(family)
        && sought.given.is_none_or(given)
        && sought.date_of_birth.is_none_or(|asked| statements().any(|s| s.date_of_birth == asked))
        && sought.postcode.is_none_or(postcode)
}

/// One of the person's given names, or all of them together; never a part of one (rule D3: no wildcards).
fn has_given(name: &Name, asked: &GivenName) -> bool {
    let asked = folded(asked.as_str());
    folded(name.given.as_str()) == asked || name.given.as_str().split(' ').any(|one| folded(one) == asked)
}
