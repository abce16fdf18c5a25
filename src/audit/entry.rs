//! What is written of each access and each attempt (rule F1), and its bytes: a format number, then postcard
//! (<https://postcard.jamesmunns.com/wire-format>) of plain numbers. The usual look-up takes about 50 bytes, so that its leaf is of the
//! smallest class. Sealing is not done here.

use crate::codes::{Field, Operation, RefusalCode};
use crate::AuditError;
use contactpoint_domain::{ChildNumber, Ending, Instant, Name, OrganisationId, PersonId, Purpose, Role};
use serde::{Deserialize, Serialize};

/// An entry as it is most of the time.
const FORMAT: u8 = 1;
/// The same, and after it the name of whom it was done for.
const FORMAT_FOR: u8 = 2;
/// An entry with facts of the children: the same, then the name where there is one, then the facts.
const FORMAT_FACTS: u8 = 3;

/// One access or attempt: who, organisation, role, reason, operation, children, fields shown, outcome (rule F1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When the request was decided.
    pub at: Instant,
    /// Who; `None` where nobody is known (a log-in under an unknown name, the daemon itself).
    pub person: Option<PersonId>,
    /// The organisation that the connection proved.
    pub organisation: Option<OrganisationId>,
    /// The role acted in.
    pub role: Option<Role>,
    /// What was done or tried.
    pub operation: Operation,
    /// The stated reason (rule D2).
    pub reason: Option<Purpose>,
    /// Every child concerned; every one listed in a search result counts.
    pub children: Vec<ChildNumber>,
    /// The fields shown of them.
    pub shown: Vec<Field>,
    /// What came of it.
    pub outcome: Outcome,
    /// What the stored rows became, for holding the store against the log.
    pub changes: Vec<Change>,
    /// A person without an account, for whom it was done (mediated access).
    pub on_behalf_of: Option<Name>,
    /// What was known of the children at the time of a look, a byte for each in their order (the number of `domain`'s `Facts`); empty: nothing.
    /// Where the entry is in the log they are veiled, so that no more is in what is handed out of it: any byte may stand there.
    pub facts: Vec<u8>,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Answered, or done.
    Answered,
    /// Nothing matched.
    NotFound,
    /// More than twenty matched; nothing was shown (rule D3).
    TooMany,
    /// Refused.
    Refused(RefusalCode),
}

impl Outcome {
    /// The code as written in answers and reports; a refusal gives its reason's.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NotFound => "not-found",
            Self::TooMany => "too-many",
            Self::Refused(why) => why.code(),
        }
    }
}

/// What a stored row became: enough to notice a row set back to an older state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The table, by the store's number.
    pub table: u8,
    /// The row.
    pub row: i64,
    /// The version that the row now has.
    pub version: u32,
    /// The first 16 bytes of SHA-256 over the row as stored (sealed).
    pub digest: [u8; 16],
}

impl Entry {
    /// The entry's bytes. Whoever appends them to the log seals them first.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "postcard fails only for sequences of unknown length and full buffers; the wire form has neither"
    )]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96 + 32 * self.changes.len());
        let whom = self.on_behalf_of.as_ref().map(|name| (name.given.as_str(), name.family.as_str()));
        match whom {
            _ if !self.facts.is_empty() => {
                bytes.push(FORMAT_FACTS);
                postcard::to_extend(&(Wire::from(self), whom, &self.facts), bytes).expect("numbers, vectors and texts always encode")
            }
            None => {
                bytes.push(FORMAT);
                postcard::to_extend(&Wire::from(self), bytes).expect("numbers and vectors always encode")
            }
            Some((given, family)) => {
                bytes.push(FORMAT_FOR);
                postcard::to_extend(&(Wire::from(self), given, family), bytes).expect("numbers, vectors and texts always encode")
            }
        }
    }

    /// The entry in the bytes. Another format, an unknown number or one byte too many is refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, AuditError> {
        let (format, rest) = bytes.split_first().ok_or(AuditError::Malformed)?;
        match *format {
            FORMAT => Self::try_from(whole::<Wire>(rest)?),
            FORMAT_FOR => {
                let (wire, given, family) = whole::<(Wire, String, String)>(rest)?;
                Ok(Self { on_behalf_of: Some(named((given, family))?), ..Self::try_from(wire)? })
            }
            FORMAT_FACTS => {
                let (wire, whom, facts) = whole::<(Wire, Option<(String, String)>, Vec<u8>)>(rest)?;
                // one form for each entry: a byte for each child, and none without a child
                if facts.is_empty() || facts.len() != wire.children.len() {
                    return Err(AuditError::Malformed);
                }
                Ok(Self { on_behalf_of: whom.map(named).transpose()?, facts, ..Self::try_from(wire)? })
            }
            other => Err(AuditError::UnknownFormat(other)),
        }
    }

    /// How a look ended, for the detection rules (rule F4).
    #[must_use]
    pub fn ended(&self) -> Ending {
        match self.outcome {
            // asking for contact shows nothing and hides nothing
            _ if self.operation == Operation::AskContact || !self.operation.is_look() => Ending::Standing,
            Outcome::Answered if self.shown.is_empty() => Ending::NoHit,
            Outcome::Answered => Ending::Shown,
            Outcome::NotFound | Outcome::TooMany => Ending::NoHit,
            Outcome::Refused(RefusalCode::OutsideScope | RefusalCode::NotOfAudience | RefusalCode::OverBudget) => Ending::Refused,
            Outcome::Refused(_) => Ending::Standing,
        }
    }
}

fn named((given, family): (String, String)) -> Result<Name, AuditError> {
    let malformed = |_| AuditError::Malformed;
    Ok(Name { given: given.try_into().map_err(malformed)?, family: family.try_into().map_err(malformed)? })
}

/// All of the bytes as one value.
fn whole<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<T, AuditError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(AuditError::Malformed),
    }
}

/// The entry in numbers, in the order in which they are written.
#[derive(Serialize, Deserialize)]
struct Wire {
    at: u64,
    person: Option<u32>,
    organisation: Option<u32>,
    role: Option<u8>,
    operation: u8,
    reason: Option<u8>,
    /// The first nine digits; the check digit follows from them.
    children: Vec<u32>,
    shown: Vec<u8>,
    outcome: u8,
    refusal: Option<u8>,
    changes: Vec<Change>,
}

const ANSWERED: u8 = 1;
const NOT_FOUND: u8 = 2;
const TOO_MANY: u8 = 3;
const REFUSED: u8 = 4;

impl From<&Entry> for Wire {
    fn from(entry: &Entry) -> Self {
        let (outcome, refusal) = match entry.outcome {
            Outcome::Answered => (ANSWERED, None),
            Outcome::NotFound => (NOT_FOUND, None),
            Outcome::TooMany => (TOO_MANY, None),
            Outcome::Refused(why) => (REFUSED, Some(why.number())),
        };
        Self {
            at: entry.at.millis(),
            person: entry.person.map(|id| id.0),
            organisation: entry.organisation.map(|id| id.0),
            role: entry.role.map(Role::number),
            operation: entry.operation.number(),
            reason: entry.reason.map(Purpose::number),
            children: entry.children.iter().map(ChildNumber::body).collect(),
            shown: entry.shown.iter().map(|field| field.number()).collect(),
            outcome,
            refusal,
            changes: entry.changes.clone(),
        }
    }
}

impl TryFrom<Wire> for Entry {
    type Error = AuditError;
    fn try_from(wire: Wire) -> Result<Self, AuditError> {
        Ok(Self {
            at: Instant::of_millis(wire.at),
            person: wire.person.map(PersonId),
            organisation: wire.organisation.map(OrganisationId),
            role: wire.role.map(|number| known("role", number, Role::of_number)).transpose()?,
            operation: known("operation", wire.operation, Operation::of_number)?,
            reason: wire.reason.map(|number| known("reason", number, Purpose::of_number)).transpose()?,
            children: wire.children.into_iter().map(child_with_body).collect::<Result<_, _>>()?,
            shown: wire.shown.into_iter().map(|number| known("field", number, Field::of_number)).collect::<Result<_, _>>()?,
            outcome: outcome(wire.outcome, wire.refusal)?,
            changes: wire.changes,
            on_behalf_of: None,
            facts: Vec::new(),
        })
    }
}

fn known<T>(what: &'static str, number: u8, of_number: fn(u8) -> Option<T>) -> Result<T, AuditError> {
    of_number(number).ok_or(AuditError::UnknownNumber { what, number })
}

fn outcome(number: u8, refusal: Option<u8>) -> Result<Outcome, AuditError> {
    match (number, refusal) {
        (ANSWERED, None) => Ok(Outcome::Answered),
        (NOT_FOUND, None) => Ok(Outcome::NotFound),
        (TOO_MANY, None) => Ok(Outcome::TooMany),
        (REFUSED, Some(why)) => Ok(Outcome::Refused(known("refusal", why, RefusalCode::of_number)?)),
        (ANSWERED | NOT_FOUND | TOO_MANY | REFUSED, _) => Err(AuditError::Malformed),
        (number, _) => Err(AuditError::UnknownNumber { what: "outcome", number }),
    }
}

/// Nine decimal digits as a number; a child number holds nothing else.
fn child_with_body(body: u32) -> Result<ChildNumber, AuditError> {
    if body < 1_000_000_000 {
        Ok(ChildNumber::with_body(body))
    } else {
        Err(AuditError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn look_up() -> Entry {
        Entry {
            at: Instant::of_millis(1_795_000_000_000),
            person: Some(PersonId(400_000)),
            organisation: Some(OrganisationId(40_000)),
            role: Some(Role::Practitioner),
            operation: Operation::View,
            reason: Some(Purpose::Concern),
            children: vec![ChildNumber::with_body(987_654_321)],
            shown: Field::ALL.to_vec(),
            outcome: Outcome::Answered,
            changes: Vec::new(),
            on_behalf_of: None,
            facts: Vec::new(),
        }
    }

    #[test]
    fn the_usual_look_up_is_short_enough_for_the_smallest_leaf() {
        // F1: every access is written; 177 bytes fit a leaf of 256 (docs/log-format.md)
        assert!(look_up().encode().len() < 100);
        let search = Entry {
            operation: Operation::Search,
            children: (0..20).map(|at| ChildNumber::with_body(999_999_999 - at)).collect(),
            shown: vec![Field::Number, Field::Name, Field::DateOfBirth, Field::Gender],
            facts: vec![36; 20],
            ..look_up()
        };
        assert!(search.encode().len() <= 177);
    }

    #[test]
    fn the_bytes_of_an_entry_are_stable() {
        // F3: "Who saw this child?" is answered from entries of every age
        let entry = Entry {
            at: Instant::of_millis(1),
            person: Some(PersonId(2)),
            organisation: None,
            outcome: Outcome::Refused(RefusalCode::OutsideScope),
            children: vec![ChildNumber::with_body(3)],
            shown: vec![Field::Name],
            changes: vec![Change { table: 4, row: -1, version: 5, digest: [6; 16] }],
            ..look_up()
        };
        let expected = [&[1, 1, 1, 2, 0, 1, 1, 4, 1, 2, 1, 3, 1, 2, 4, 1, 1, 1, 4, 1, 5][..], &[6; 16]].concat();
        assert_eq!(entry.encode(), expected);
        // and with facts, with and without somebody it was done for
        let with = |name: &[u8]| [&[3][..], &expected[1..], name, &[1, 23]].concat();
        let known = Entry { facts: vec![23], ..entry };
        assert_eq!((known.encode(), Entry::decode(&with(&[0])).unwrap()), (with(&[0]), known.clone()));
        let name = Name { given: "A".try_into().unwrap(), family: "B".try_into().unwrap() };
        assert_eq!(Entry { on_behalf_of: Some(name), ..known }.encode(), with(&[1, 1, b'A', 1, b'B']));
    }

    #[test]
    fn an_entry_of_before_facts_done_for_somebody_is_read_as_ever() {
        // F3: "Who saw this child?" is answered from entries of every age
        let of_before = [&[2, 1, 1, 2, 0, 1, 1, 4, 1, 2, 1, 3, 1, 2, 4, 1, 1, 1, 4, 1, 5][..], &[6; 16], &[1, b'A', 1, b'B']].concat();
        let name = Name { given: "A".try_into().unwrap(), family: "B".try_into().unwrap() };
        let expected = Entry {
            at: Instant::of_millis(1),
            person: Some(PersonId(2)),
            organisation: None,
            outcome: Outcome::Refused(RefusalCode::OutsideScope),
            children: vec![ChildNumber::with_body(3)],
            shown: vec![Field::Name],
            changes: vec![Change { table: 4, row: -1, version: 5, digest: [6; 16] }],
            on_behalf_of: Some(name),
            ..look_up()
        };
        assert_eq!((Entry::decode(&of_before), expected.encode()), (Ok(expected), of_before));
    }

    #[test]
    fn how_a_look_ended_is_a_matter_of_what_was_shown_and_of_why_it_was_refused() {
        // F4: what the rules count; a refusal for somebody's standing says nothing of the child that they asked for
        let of = |operation, outcome, shown: &[Field]| Entry { operation, outcome, shown: shown.to_vec(), ..look_up() }.ended();
        for operation in [Operation::Search, Operation::View, Operation::BreakGlass, Operation::OverrideShield] {
            let ended = |outcome| of(operation, outcome, &[]);
            assert_eq!(of(operation, Outcome::Answered, &[Field::Number]), Ending::Shown);
            assert_eq!([Outcome::Answered, Outcome::NotFound, Outcome::TooMany].map(ended), [Ending::NoHit; 3]);
            let of_the_child = [RefusalCode::OutsideScope, RefusalCode::NotOfAudience, RefusalCode::OverBudget];
            for why in RefusalCode::ALL {
                let expected = if of_the_child.contains(why) { Ending::Refused } else { Ending::Standing };
                assert_eq!(ended(Outcome::Refused(*why)), expected, "{operation:?} {why:?}");
            }
        }
        // neither is a look at anybody
        for operation in [Operation::AskContact, Operation::LeaveGlass] {
            for outcome in [Outcome::Answered, Outcome::NotFound, Outcome::Refused(RefusalCode::OverBudget)] {
                assert_eq!(of(operation, outcome, &[Field::Number]), Ending::Standing, "{operation:?} {outcome:?}");
            }
        }
    }

    #[test]
    fn facts_are_one_for_each_child_or_none_at_all() {
        // F2: one entry, one form
        let known = Entry { facts: vec![1, 2], ..look_up() };
        assert_eq!(Entry::decode(&known.encode()), Err(AuditError::Malformed));
        let nobody = Entry { children: Vec::new(), ..look_up() };
        let mut empty = [&[3][..], &nobody.encode()[1..], &[0, 0]].concat();
        assert_eq!(Entry::decode(&empty), Err(AuditError::Malformed));
        empty[0] = FORMAT;
        assert_eq!(Entry::decode(&empty), Err(AuditError::Malformed));
    }

    #[test]
    fn unknown_formats_and_numbers_are_refused() {
        // refusing is what everything unknown falls into
        let good = look_up().encode();
        let mut newer = good.clone();
        newer[0] = 4;
        assert_eq!(Entry::decode(&newer), Err(AuditError::UnknownFormat(4)));
        let mut wire = Wire::from(&look_up());
        wire.operation = 200;
        assert_eq!(Entry::try_from(wire), Err(AuditError::UnknownNumber { what: "operation", number: 200 }));
        let mut wire = Wire::from(&look_up());
        wire.shown.push(0);
        assert_eq!(Entry::try_from(wire), Err(AuditError::UnknownNumber { what: "field", number: 0 }));
        let mut wire = Wire::from(&look_up());
        wire.outcome = 5;
        assert_eq!(Entry::try_from(wire), Err(AuditError::UnknownNumber { what: "outcome", number: 5 }));
        let mut wire = Wire::from(&look_up());
        wire.refusal = Some(1);
        assert_eq!(Entry::try_from(wire), Err(AuditError::Malformed));
        let mut wire = Wire::from(&look_up());
        wire.children.push(1_000_000_000);
        assert_eq!(Entry::try_from(wire), Err(AuditError::Malformed));
    }

    #[test]
    fn an_entry_cut_off_or_too_long_is_refused() {
        // F2: nothing was altered
        let good = look_up().encode();
        for length in 1..good.len() {
            assert_eq!(Entry::decode(&good[..length]), Err(AuditError::Malformed));
        }
        assert_eq!(Entry::decode(&[]), Err(AuditError::Malformed));
        assert_eq!(Entry::decode(&[&good[..], &[0]].concat()), Err(AuditError::Malformed));
    }

    #[test]
    fn an_entry_prints_no_child_number() {
        // G1: no log line with a name or a number
        assert!(!format!("{:?}", look_up()).contains("987654321"));
    }

    fn member<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
        proptest::sample::select(all)
    }

    fn outcomes() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            Just(Outcome::Answered),
            Just(Outcome::NotFound),
            Just(Outcome::TooMany),
            member(RefusalCode::ALL).prop_map(Outcome::Refused)
        ]
    }

    prop_compose! {
        fn changes()(table: u8, row: i64, version: u32, digest: [u8; 16]) -> Change {
            Change { table, row, version, digest }
        }
    }

    prop_compose! {
        fn entries()(
            at: u64,
            who in (any::<Option<u32>>(), any::<Option<u32>>(), proptest::option::of(member(Role::ALL))),
            operation in member(Operation::ALL),
            reason in proptest::option::of(member(Purpose::ALL)),
            children in proptest::collection::vec(0u32..1_000_000_000, 0..25),
            shown in proptest::collection::vec(member(Field::ALL), 0..12),
            outcome in outcomes(),
            changes in proptest::collection::vec(changes(), 0..5),
            mediated: bool,
            are_known: bool,
            fact: u8,
        ) -> Entry {
            let facts = if are_known { vec![fact; children.len()] } else { Vec::new() };
            Entry {
                at: Instant::of_millis(at),
                person: who.0.map(PersonId),
                organisation: who.1.map(OrganisationId),
                role: who.2,
                operation,
                reason,
                children: children.into_iter().map(ChildNumber::with_body).collect(),
                shown,
                outcome,
                changes,
                on_behalf_of: mediated.then(|| Name { given: "Ada".try_into().unwrap(), family: "Quill".try_into().unwrap() }),
                facts,
            }
        }
    }

    proptest! {
        #[test]
        fn every_entry_decodes_as_it_was(entry in entries()) {
            // F1, F3: what was written is what is read
            prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
        }

        #[test]
        fn no_bytes_whatever_make_decoding_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            // F2: a foreign entry is an error, not the end of the reader
            let _ = Entry::decode(&bytes);
            let _ = Entry::decode(&[&[FORMAT], &bytes[..]].concat());
            let _ = Entry::decode(&[&[FORMAT_FOR], &bytes[..]].concat());
            let _ = Entry::decode(&[&[FORMAT_FACTS], &bytes[..]].concat());
        }
    }
}
