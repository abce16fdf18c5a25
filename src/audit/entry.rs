//! What is written of each access and each attempt (rule F1), and its bytes: a format number, then postcard
//! (<https://postcard.jamesmunns.com/wire-format>) of plain numbers. The usual look-up takes about 50 bytes, so that its leaf is of the
//! smallest class. Sealing is not done here.

use crate::codes::{Field, Operation, RefusalCode};
use crate::AuditError;
use contactpoint_domain::{ChildNumber, Instant, OrganisationId, PersonId, Purpose, Role};
use serde::{Deserialize, Serialize};

const FORMAT: u8 = 1;

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
        bytes.push(FORMAT);
        postcard::to_extend(&Wire::from(self), bytes).expect("numbers and vectors always encode")
    }

    /// The entry in the bytes. Another format, an unknown number or one byte too many is refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, AuditError> {
        let (format, rest) = bytes.split_first().ok_or(AuditError::Malformed)?;
        if *format != FORMAT {
            return Err(AuditError::UnknownFormat(*format));
        }
        let (wire, left) = postcard::take_from_bytes::<Wire>(rest).map_err(|_| AuditError::Malformed)?;
        if left.is_empty() {
            Self::try_from(wire)
        } else {
            Err(AuditError::Malformed)
        }
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
            children: entry.children.iter().map(body_of).collect(),
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
fn body_of(child: &ChildNumber) -> u32 {
    child.as_str().bytes().take(9).fold(0, |body, digit| body * 10 + u32::from(digit - b'0'))
}

fn child_with_body(body: u32) -> Result<ChildNumber, AuditError> {
    if body < 1_000_000_000 {
        Ok(ChildNumber::with_body(body))
    } else {
        Err(AuditError::Malformed)
    }
}
