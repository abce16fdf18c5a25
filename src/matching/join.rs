//! Joining a statement to a record (rule H2, exact form).

use crate::normal::{folded, phonetic};
use contactpoint_domain::{ChildRecord, DateOfBirth, Name, Postcode, Statement};

/// A key that two statements of one child are expected to share.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum JoinKey {
    /// A valid NHS number.
    Nhs(String),
    /// A valid unique pupil number.
    Pupil(String),
    /// Folded given and family name, date of birth (day number), postcode.
    Identity {
        /// Folded given names.
        given: String,
        /// Folded family name.
        family: String,
        /// Days since 1970-01-01.
        born: i32,
        /// Normalised postcode.
        postcode: String,
    },
    /// For a statement with neither number nor postcode: the same words from the same source, so that a record sent twice is one (rule H5).
    Sent {
        /// The source's number.
        source: u32,
        /// Folded given and family name.
        name: String,
        /// Days since 1970-01-01.
        born: i32,
        /// Folded first line of the address; empty where there is none.
        line: String,
    },
}

/// What the matcher says of a record and a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// One child.
    Same,
    /// Two children, or not known to be one.
    Different,
    /// A number in common, and neither name nor date of birth: one of the two is wrong, and nobody here can tell which.
    Conflict,
}

/// The keys of a statement, strongest first.
#[must_use]
pub fn join_keys(statement: &Statement) -> Vec<JoinKey> {
    let mut keys = Vec::with_capacity(3);
    keys.extend(statement.nhs_number.as_ref().map(|number| JoinKey::Nhs(number.as_str().to_owned())));
    keys.extend(statement.unique_pupil_number.as_ref().map(|number| JoinKey::Pupil(number.as_str().to_owned())));
    if let Some(postcode) = statement.address.as_ref().and_then(|address| address.postcode.as_ref()) {
        keys.push(identity_key(&statement.name, statement.date_of_birth, postcode));
    }
    if keys.is_empty() {
        keys.push(sent(statement));
    }
    keys
}

/// The key of one exact identity: whole names however they are spelt, date of birth, postcode.
#[must_use]
pub fn identity_key(name: &Name, born: DateOfBirth, postcode: &Postcode) -> JoinKey {
    JoinKey::Identity {
        given: folded(name.given.as_str()),
        family: folded(name.family.as_str()),
        born: born.day_number(),
        postcode: postcode.as_str().to_owned(),
    }
}

fn sent(statement: &Statement) -> JoinKey {
    let line = statement.address.as_ref().and_then(|address| address.lines.first());
    JoinKey::Sent {
        source: statement.provenance.source.0,
        name: [folded(statement.name.given.as_str()), folded(statement.name.family.as_str())].join(" "),
        born: statement.date_of_birth.day_number(),
        line: line.map_or_else(String::new, |line| folded(line.as_str())),
    }
}

/// Does a statement speak of the child of a record? A number in common decides, unless nothing else agrees; two different numbers of one kind forbid the weaker rule,
/// since twins and namesakes share everything else.
pub fn verdict(record: &ChildRecord, statement: &Statement) -> Verdict {
    let others = || record.statements.iter();
    let nhs = compare(others().map(|held| held.nhs_number.as_ref()), statement.nhs_number.as_ref());
    let pupil = compare(others().map(|held| held.unique_pupil_number.as_ref()), statement.unique_pupil_number.as_ref());
    match (nhs, pupil) {
        (Comparison::Equal, _) => agreeing(record, statement),
        (Comparison::Conflict, _) => Verdict::Different,
        (Comparison::Unknown, Comparison::Equal) => agreeing(record, statement),
        (Comparison::Unknown, Comparison::Conflict) => Verdict::Different,
        (Comparison::Unknown, Comparison::Unknown) => same_identity(record, statement),
    }
}

/// A number is typed wrong easily, and by a dishonest supplier at will: the date of birth or a name must agree with what somebody said.
fn agreeing(record: &ChildRecord, statement: &Statement) -> Verdict {
    let agrees = |held: &Statement| {
        let given = |of: &Statement| folded(of.name.given.as_str());
        held.date_of_birth == statement.date_of_birth
            || phonetic(held.name.family.as_str()) == phonetic(statement.name.family.as_str())
            || given(held) == given(statement)
    };
    if record.statements.iter().any(agrees) {
        Verdict::Same
    } else {
        Verdict::Conflict
    }
}

enum Comparison {
    Equal,
    Conflict,
    Unknown,
}

fn compare<'a, N: PartialEq + 'a>(held: impl Iterator<Item = Option<&'a N>>, stated: Option<&N>) -> Comparison {
    let Some(stated) = stated else { return Comparison::Unknown };
    let mut verdict = Comparison::Unknown;
    for number in held.flatten() {
        if number == stated {
            return Comparison::Equal;
        }
        verdict = Comparison::Conflict;
    }
    verdict
}

/// Neither has a number that the other has too: the key without numbers decides.
fn same_identity(record: &ChildRecord, statement: &Statement) -> Verdict {
    let identity = |of: &Statement| join_keys(of).into_iter().find(|key| matches!(key, JoinKey::Identity { .. } | JoinKey::Sent { .. }));
    let stated = identity(statement);
    if stated.is_some() && record.statements.iter().any(|held| identity(held) == stated) {
        Verdict::Same
    } else {
        Verdict::Different
    }
}
