//! Searching (rule D3): under which keys a record is found within a scope, and whether it answers to what was asked.

use crate::normal::{folded, phonetic};
use contactpoint_domain::{ChildRecord, DateOfBirth, FamilyName, GivenName, Name, OrganisationId, Postcode, Statement};

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

/// Every key of a record within one scope, each once. A shielded one has the key of what is shown of it, and no other (rule E3); what a sensitive
/// service says is a key for that service alone (rule E8).
#[must_use]
pub fn search_keys(record: &ChildRecord, scope: OrganisationId) -> Vec<SearchKey> {
    let record = &*record.as_known_to(scope);
    if record.shield.is_some() {
        return record.newest_first().take(1).map(|shown| born(&shown.name, shown)).collect();
    }
    let mut keys: Vec<SearchKey> = record.statements.iter().flat_map(keys_of_statement).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn keys_of_statement(statement: &Statement) -> Vec<SearchKey> {
    let postcode = statement.address.as_ref().and_then(|address| address.postcode.as_ref());
    let mut keys = Vec::with_capacity(2);
    for name in names(statement) {
        keys.extend(
            postcode.map(|postcode| SearchKey::Lives { family: phonetic(name.family.as_str()), postcode: postcode.as_str().to_owned() }),
        );
        keys.push(born(name, statement));
    }
    keys
}

fn born(name: &Name, statement: &Statement) -> SearchKey {
    SearchKey::Born { family: phonetic(name.family.as_str()), year: statement.date_of_birth.year() }
}

fn names(statement: &Statement) -> impl Iterator<Item = &Name> {
    std::iter::once(&statement.name).chain(&statement.former_names)
}

/// True where some statement of the record answers to each thing that was asked. A shielded record answers to what is shown of it, and to
/// nothing that uses anything else (rule E3); any record to nothing that a sensitive service alone says (rule E8).
#[must_use]
pub fn answers_to(record: &ChildRecord, scope: OrganisationId, sought: &Sought<'_>) -> bool {
    let record = &*record.as_known_to(scope);
    if record.shield.is_some() {
        return record.newest_first().next().is_some_and(|shown| shown_answers_to(shown, sought));
    }
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

/// Name and date of birth are shown of a shielded child; where it lives is not, so that whoever asks for a postcode does not find it.
fn shown_answers_to(shown: &Statement, Sought { family, given, date_of_birth, postcode }: &Sought<'_>) -> bool {
    family.is_none_or(|asked| phonetic(shown.name.family.as_str()) == phonetic(asked.as_str()))
        && given.is_none_or(|asked| has_given(&shown.name, asked))
        && date_of_birth.is_none_or(|asked| shown.date_of_birth == asked)
        && postcode.is_none()
}

/// One of the person's given names, or all of them together; never a part of one (rule D3: no wildcards).
fn has_given(name: &Name, asked: &GivenName) -> bool {
    let asked = folded(asked.as_str());
    folded(name.given.as_str()) == asked || name.given.as_str().split(' ').any(|one| folded(one) == asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contactpoint_domain::{
        Address, ChildNumber, Day, Gender, Instant, Involvement, PersonId, Provenance, SensitiveBasis, Shield, ShieldReason,
    };
    use proptest::prelude::*;

    const FAMILIES: [&str; 4] = ["Fernsby", "Aldwyn", "Brackwell", "Fernsbee"];
    const GIVEN: [&str; 3] = ["Willa", "Willa Mae", "Bram"];
    const SCHOOL: OrganisationId = OrganisationId(1);
    const CLINIC: OrganisationId = OrganisationId(9);
    const POSTCODES: [&str; 3] = ["ZZ99 5AA", "ZZ99 5BD", "ZZ99 6AA"];

    fn name(family: usize, given: usize) -> Name {
        Name { given: GIVEN[given].try_into().unwrap(), family: FAMILIES[family].try_into().unwrap() }
    }

    fn born(day: i8) -> DateOfBirth {
        DateOfBirth::of(2014 + i16::from(day % 2), 5, 6 + day).unwrap()
    }

    /// Names, day and postcode of a statement by their places in the lists; a postcode beyond the list is none.
    type Said = (usize, usize, i8, usize, Option<usize>);

    fn said() -> impl Strategy<Value = Said> {
        (0..4usize, 0..3usize, 0..3i8, 0..4usize, proptest::option::of(0..4usize))
    }

    fn statement((family, given, day, postcode, former): Said) -> Statement {
        let postcode = POSTCODES.get(postcode).map(|text| (*text).try_into().unwrap());
        Statement {
            provenance: Provenance { source: OrganisationId(1), author: PersonId(1), at: Instant::of_millis(1) },
            name: name(family, given),
            former_names: former.map(|family| name(family, given)).into_iter().collect(),
            date_of_birth: born(day),
            gender: Gender::Unspecified,
            address: postcode.map(|postcode| Address { lines: vec!["1 Row".try_into().unwrap()], postcode: Some(postcode) }),
            nhs_number: None,
            unique_pupil_number: None,
            carers: Vec::new(),
            involvement: Involvement::default(),
        }
    }

    /// A shielded record of which this name and day are shown, whatever else was said of the child by whomever.
    fn shielded(hidden: Vec<Said>, newest: Said, shown: (usize, usize, i8)) -> ChildRecord {
        let (family, given, day) = shown;
        let newest = statement((family, given, day, newest.3, newest.4));
        let statements = hidden.into_iter().map(statement).chain([newest.clone()]).collect();
        let review: Day = "2027-01-31".parse().unwrap();
        let shield = Shield { reason: ShieldReason::Adoption, review, by: PersonId(8), at: Instant::of_millis(1) };
        let record = ChildRecord::new(ChildNumber::with_body(123_456_789), OrganisationId(3), newest);
        ChildRecord { statements, shield: Some(shield), ..record }
    }

    proptest! {
        #[test]
        fn what_is_hidden_of_a_shielded_record_plays_no_part_in_finding_it(
            shown in (0..4usize, 0..3usize, 0..3i8),
            (one, newest) in (proptest::collection::vec(said(), 0..3), said()),
            (other, newest_there) in (proptest::collection::vec(said(), 0..3), said()),
            (family, given) in (proptest::option::of(0..4usize), proptest::option::of(0..3usize)),
            (day, postcode) in (proptest::option::of(0..3i8), proptest::option::of(0..3usize)),
        ) {
            // E3: a query that uses any hidden field of a shielded record does not find it
            let (one, other) = (shielded(one, newest, shown), shielded(other, newest_there, shown));
            prop_assert!(search_keys(&one, SCHOOL) == search_keys(&other, SCHOOL));
            prop_assert_eq!(search_keys(&one, SCHOOL).len(), 1);
            let family: Option<FamilyName> = family.map(|at| FAMILIES[at].try_into().unwrap());
            let given: Option<GivenName> = given.map(|at| GIVEN[at].try_into().unwrap());
            let postcode: Option<Postcode> = postcode.map(|at| POSTCODES[at].try_into().unwrap());
            let sought = Sought { family: family.as_ref(), given: given.as_ref(), date_of_birth: day.map(born), postcode: postcode.as_ref() };
            prop_assert_eq!(answers_to(&one, SCHOOL, &sought), answers_to(&other, SCHOOL, &sought));
            prop_assert!(postcode.is_none() || !answers_to(&one, SCHOOL, &sought));
        }

        #[test]
        fn what_a_sensitive_service_says_finds_the_child_for_that_service_alone(
            (open, clinic) in (said(), said()),
            is_newest: bool,
            (family, given) in (proptest::option::of(0..4usize), proptest::option::of(0..3usize)),
            (day, postcode) in (proptest::option::of(0..3i8), proptest::option::of(0..3usize)),
        ) {
            // E8: shown to others only as "a sensitive service"
            let mut hidden = statement(clinic);
            hidden.provenance.source = CLINIC;
            hidden.involvement.basis = Some(SensitiveBasis::Consent);
            let without = ChildRecord::new(ChildNumber::with_body(123_456_789), OrganisationId(3), statement(open));
            let mut with = without.clone();
            with.statements.insert(usize::from(is_newest), hidden.clone());
            prop_assert!(search_keys(&with, SCHOOL) == search_keys(&without, SCHOOL));
            prop_assert!(keys_of_statement(&hidden).iter().all(|key| search_keys(&with, CLINIC).contains(key)));
            let family: Option<FamilyName> = family.map(|at| FAMILIES[at].try_into().unwrap());
            let given: Option<GivenName> = given.map(|at| GIVEN[at].try_into().unwrap());
            let postcode: Option<Postcode> = postcode.map(|at| POSTCODES[at].try_into().unwrap());
            let sought = Sought { family: family.as_ref(), given: given.as_ref(), date_of_birth: day.map(born), postcode: postcode.as_ref() };
            prop_assert_eq!(answers_to(&with, SCHOOL, &sought), answers_to(&without, SCHOOL, &sought));
        }
    }
}
