//! What is inside a sealed row: private mirrors of the domain's types, in postcard.
//!
//! The domain's records have no serialiser (rule E7); these mirrors have one and never leave the crate. A field added to the domain
//! does not compile here until somebody decides how it is stored.

use contactpoint_domain::{
    Address, Carer, ChildRecord, DateOfBirth, Gender, Instant, InvalidValue, Involvement, Name, OrganisationId, PersonId, Provenance,
    Relationship, Statement,
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredRecord<'a> {
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
    address: Option<(Vec<&'a str>, Option<&'a str>)>,
    nhs_number: Option<&'a str>,
    unique_pupil_number: Option<&'a str>,
    #[serde(borrow)]
    carers: Vec<StoredCarer<'a>>,
    #[serde(borrow)]
    involvement: StoredInvolvement<'a>,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
pub(crate) struct StoredName<'a>(&'a str, &'a str);

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
fn unknown(what: &'static str) -> InvalidValue {
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
    pub(crate) fn of(ChildRecord { number, authority, statements }: &'a ChildRecord) -> Self {
        Self { number: number.as_str(), authority: authority.0, statements: statements.iter().map(StoredStatement::of).collect() }
    }

    pub(crate) fn open(self) -> Result<ChildRecord, InvalidValue> {
        Ok(ChildRecord {
            number: self.number.try_into()?,
            authority: OrganisationId(self.authority),
            statements: self.statements.into_iter().map(StoredStatement::open).collect::<Result<_, _>>()?,
        })
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
            address: address.as_ref().map(|Address { lines, postcode }| {
                (lines.iter().map(|line| line.as_str()).collect(), postcode.as_ref().map(|postcode| postcode.as_str()))
            }),
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
            address: self.address.map(open_address).transpose()?,
            nhs_number: self.nhs_number.map(TryInto::try_into).transpose()?,
            unique_pupil_number: self.unique_pupil_number.map(TryInto::try_into).transpose()?,
            carers: self.carers.into_iter().map(StoredCarer::open).collect::<Result<_, _>>()?,
            involvement: self.involvement.open()?,
        })
    }
}

fn open_address((lines, postcode): (Vec<&str>, Option<&str>)) -> Result<Address, InvalidValue> {
    Ok(Address {
        lines: lines.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        postcode: postcode.map(TryInto::try_into).transpose()?,
    })
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
    fn of(involvement: &'a Involvement) -> Self {
        let Involvement { practitioner, telephone, email, common_assessment, lead_professional } = involvement;
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
        })
    }
}
