//! What is inside a sealed row: private mirrors of the domain's types, in postcard.
//!
//! The domain's records have no serialiser (rule E7); these mirrors have one and never leave the crate. A field added to the domain
//! does not compile here until somebody decides how it is stored.

use crate::error::StoreError;
use contactpoint_domain::{
    Address, Audience, Carer, ChildRecord, DateOfBirth, Day, Gender, HeldFor, Instant, InvalidValue, Involvement, Name, OrganisationId,
    PersonId, Provenance, Quarantine, Relationship, SensitiveBasis, Shield, ShieldReason, Statement,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// In which form a row was written. The second begins with two bytes, 0 and 2; the first had none, and began with the length of a name or
/// with a number from 1 on: never with 0.
pub(crate) enum Form<'a> {
    /// By 0.2 and before.
    First(&'a [u8]),
    /// From 0.3 on.
    Second(&'a [u8]),
}

const SECOND: [u8; 2] = [0, 2];

impl<'a> Form<'a> {
    pub(crate) fn of(plain: &'a [u8]) -> Result<Self, Undecodable> {
        match plain {
            [0, 2, bytes @ ..] => Ok(Self::Second(bytes)),
            [] | [0, ..] => Err(Undecodable::Form),
            bytes => Ok(Self::First(bytes)),
        }
    }
}

/// The bytes of a row, in the form in which rows are written now.
pub(crate) fn encode(stored: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let bytes = postcard::to_extend(stored, SECOND.to_vec());
    bytes.map(Zeroizing::new).map_err(|_| StoreError::Form { table: "(new)", row: 0 })
}

/// Why the bytes of a row are not what they should be.
#[derive(Debug)]
pub(crate) enum Undecodable {
    /// Of no known form, or too short or too long for it.
    Form,
    /// A value that its type refuses.
    Value(InvalidValue),
}

impl Undecodable {
    /// The store's error for a row.
    pub(crate) fn at(self, table: &'static str, row: i64) -> StoreError {
        match self {
            Self::Form => StoreError::Form { table, row },
            Self::Value(value) => value.into(),
        }
    }
}

impl From<InvalidValue> for Undecodable {
    fn from(value: InvalidValue) -> Self {
        Self::Value(value)
    }
}

/// A child's record out of the bytes of its row.
pub(crate) fn record(plain: &[u8]) -> Result<ChildRecord, Undecodable> {
    match Form::of(plain)? {
        Form::First(bytes) => decode::<FirstRecord<'_>>(bytes)?.open(),
        Form::Second(bytes) => decode::<StoredRecord<'_>>(bytes)?.open(),
    }
}

/// All of the bytes as one value.
pub(crate) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Undecodable> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(Undecodable::Form),
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredRecord<'a> {
    number: &'a str,
    authority: u32,
    #[serde(borrow)]
    statements: Vec<StoredStatement<'a>>,
    /// What the first form did not have, one for each statement: when the work ended, and the basis of a sensitive service.
    work: Vec<(Option<u64>, Option<u8>)>,
    /// Reason, day of review, by whom, when.
    shield: Option<(u8, i32, u32, u64)>,
    /// Who, by whom, when.
    audience: Option<(Vec<u32>, u32, u64)>,
    /// Since when it waits for its authority, and why.
    quarantined: Option<(u64, u8)>,
}

/// A record as 0.2 and before wrote it.
#[derive(Serialize, Deserialize)]
struct FirstRecord<'a> {
    number: &'a str,
    authority: u32,
    #[serde(borrow)]
    statements: Vec<StoredStatement<'a>>,
}

#[derive(Serialize, Deserialize)]
struct StoredStatement<'a> {
    source: u32,
    author: u32,
    at: u64,
    #[serde(borrow)]
    name: StoredName<'a>,
    #[serde(borrow)]
    former_names: Vec<StoredName<'a>>,
    born: i32,
    gender: u8,
    #[serde(borrow)]
    address: Option<StoredAddress<'a>>,
    nhs_number: Option<&'a str>,
    unique_pupil_number: Option<&'a str>,
    #[serde(borrow)]
    carers: Vec<StoredCarer<'a>>,
    #[serde(borrow)]
    involvement: StoredInvolvement<'a>,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
pub(crate) struct StoredName<'a>(&'a str, &'a str);

/// Lines and postcode.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredAddress<'a>(#[serde(borrow)] Vec<&'a str>, Option<&'a str>);

#[derive(Serialize, Deserialize)]
struct StoredCarer<'a> {
    #[serde(borrow)]
    name: StoredName<'a>,
    relationship: u8,
    telephone: Option<&'a str>,
    email: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
struct StoredInvolvement<'a> {
    #[serde(borrow)]
    practitioner: Option<StoredName<'a>>,
    telephone: Option<&'a str>,
    email: Option<&'a str>,
    common_assessment: bool,
    lead_professional: bool,
}

/// A code number that this version does not know.
pub(crate) fn unknown(what: &'static str) -> InvalidValue {
    InvalidValue { what, why: "is a number that this version does not know" }
}

impl<'a> StoredName<'a> {
    pub(crate) fn of(Name { given, family }: &'a Name) -> Self {
        Self(given.as_str(), family.as_str())
    }

    pub(crate) fn open(self) -> Result<Name, InvalidValue> {
        Ok(Name { given: self.0.try_into()?, family: self.1.try_into()? })
    }
}

impl<'a> StoredRecord<'a> {
    pub(crate) fn of(ChildRecord { number, authority, statements, shield, audience, quarantined }: &'a ChildRecord) -> Self {
        let work = |statement: &Statement| {
            let Involvement { ended, basis, .. } = &statement.involvement;
            (ended.map(Instant::millis), basis.map(SensitiveBasis::number))
        };
        let shield = shield.as_ref().map(|Shield { reason, review, by, at }| (reason.number(), review.number(), by.0, at.millis()));
        let audience = audience.as_ref().map(|Audience { people, by, at }| (people.iter().map(|id| id.0).collect(), by.0, at.millis()));
        Self {
            number: number.as_str(),
            authority: authority.0,
            statements: statements.iter().map(StoredStatement::of).collect(),
            work: statements.iter().map(work).collect(),
            shield,
            audience,
            quarantined: quarantined.map(|quarantine| (quarantine.since.millis(), quarantine.why.number())),
        }
    }

    fn open(self) -> Result<ChildRecord, Undecodable> {
        let Self { number, authority, statements, work, shield, audience, quarantined } = self;
        if work.len() != statements.len() {
            return Err(Undecodable::Form);
        }
        let mut record = FirstRecord { number, authority, statements }.open()?;
        for (statement, (ended, basis)) in record.statements.iter_mut().zip(work) {
            statement.involvement.ended = ended.map(Instant::of_millis);
            statement.involvement.basis = basis.map(|number| SensitiveBasis::of_number(number).ok_or(unknown("basis"))).transpose()?;
        }
        record.shield = shield.map(open_shield).transpose()?;
        record.audience = audience.map(|(people, by, at)| Audience {
            people: people.into_iter().map(PersonId).collect(),
            by: PersonId(by),
            at: Instant::of_millis(at),
        });
        record.quarantined = quarantined.map(open_quarantine).transpose()?;
        Ok(record)
    }
}

fn open_quarantine((since, why): (u64, u8)) -> Result<Quarantine, InvalidValue> {
    Ok(Quarantine { since: Instant::of_millis(since), why: HeldFor::of_number(why).ok_or(unknown("reason of being held"))? })
}

fn open_shield((reason, review, by, at): (u8, i32, u32, u64)) -> Result<Shield, InvalidValue> {
    let reason = ShieldReason::of_number(reason).ok_or(unknown("shield reason"))?;
    Ok(Shield { reason, review: Day::of_number(review)?, by: PersonId(by), at: Instant::of_millis(at) })
}

impl FirstRecord<'_> {
    fn open(self) -> Result<ChildRecord, Undecodable> {
        let statements = self.statements.into_iter().map(StoredStatement::open).collect::<Result<_, _>>()?;
        let (number, authority) = (self.number.try_into()?, OrganisationId(self.authority));
        Ok(ChildRecord { number, authority, statements, shield: None, audience: None, quarantined: None })
    }
}

impl<'a> StoredStatement<'a> {
    fn of(statement: &'a Statement) -> Self {
        let Statement {
            provenance: Provenance { source, author, at },
            name,
            former_names,
            date_of_birth,
            gender,
            address,
            nhs_number,
            unique_pupil_number,
            carers,
            involvement,
        } = statement;
        Self {
            source: source.0,
            author: author.0,
            at: at.millis(),
            name: StoredName::of(name),
            former_names: former_names.iter().map(StoredName::of).collect(),
            born: date_of_birth.day_number(),
            gender: gender.number(),
            address: address.as_ref().map(StoredAddress::of),
            nhs_number: nhs_number.as_ref().map(|number| number.as_str()),
            unique_pupil_number: unique_pupil_number.as_ref().map(|number| number.as_str()),
            carers: carers.iter().map(StoredCarer::of).collect(),
            involvement: StoredInvolvement::of(involvement),
        }
    }

    fn open(self) -> Result<Statement, InvalidValue> {
        Ok(Statement {
            provenance: Provenance { source: OrganisationId(self.source), author: PersonId(self.author), at: Instant::of_millis(self.at) },
            name: self.name.open()?,
            former_names: self.former_names.into_iter().map(StoredName::open).collect::<Result<_, _>>()?,
            date_of_birth: DateOfBirth::of_day_number(self.born)?,
            gender: Gender::of_number(self.gender).ok_or(unknown("gender"))?,
            address: self.address.map(StoredAddress::open).transpose()?,
            nhs_number: self.nhs_number.map(TryInto::try_into).transpose()?,
            unique_pupil_number: self.unique_pupil_number.map(TryInto::try_into).transpose()?,
            carers: self.carers.into_iter().map(StoredCarer::open).collect::<Result<_, _>>()?,
            involvement: self.involvement.open()?,
        })
    }
}

impl<'a> StoredAddress<'a> {
    pub(crate) fn of(Address { lines, postcode }: &'a Address) -> Self {
        Self(lines.iter().map(|line| line.as_str()).collect(), postcode.as_ref().map(|postcode| postcode.as_str()))
    }

    pub(crate) fn open(self) -> Result<Address, InvalidValue> {
        let Self(lines, postcode) = self;
        Ok(Address {
            lines: lines.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            postcode: postcode.map(TryInto::try_into).transpose()?,
        })
    }
}

impl<'a> StoredCarer<'a> {
    fn of(Carer { name, relationship, telephone, email }: &'a Carer) -> Self {
        Self {
            name: StoredName::of(name),
            relationship: relationship.number(),
            telephone: telephone.as_ref().map(|number| number.as_str()),
            email: email.as_ref().map(|address| address.as_str()),
        }
    }

    fn open(self) -> Result<Carer, InvalidValue> {
        Ok(Carer {
            name: self.name.open()?,
            relationship: Relationship::of_number(self.relationship).ok_or(unknown("relationship"))?,
            telephone: self.telephone.map(TryInto::try_into).transpose()?,
            email: self.email.map(TryInto::try_into).transpose()?,
        })
    }
}

impl<'a> StoredInvolvement<'a> {
    /// What the first form has; the rest is in the record's `work`.
    fn of(involvement: &'a Involvement) -> Self {
        let Involvement { practitioner, telephone, email, common_assessment, lead_professional, ended: _, basis: _ } = involvement;
        Self {
            practitioner: practitioner.as_ref().map(StoredName::of),
            telephone: telephone.as_ref().map(|number| number.as_str()),
            email: email.as_ref().map(|address| address.as_str()),
            common_assessment: *common_assessment,
            lead_professional: *lead_professional,
        }
    }

    fn open(self) -> Result<Involvement, InvalidValue> {
        Ok(Involvement {
            practitioner: self.practitioner.map(StoredName::open).transpose()?,
            telephone: self.telephone.map(TryInto::try_into).transpose()?,
            email: self.email.map(TryInto::try_into).transpose()?,
            common_assessment: self.common_assessment,
            lead_professional: self.lead_professional,
            ended: None,
            basis: None,
        })
    }
}
