//! The one type of what may be shown of a child (rules A1, A5, E7). Made out of a permit and a record, here alone.
//!
//! Every field of a statement is taken apart by name below, so that a field added to the record does not compile until somebody
//! decides whether it is shown.

use crate::permit::{SearchPermit, ViewPermit};
use contactpoint_audit::Field;
use contactpoint_domain::{
    Address, AddressLine, Carer, ChildNumber, ChildRecord, DateOfBirth, EmailAddress, Gender, Involvement, Name, NhsNumber, Organisation,
    OrganisationId, OrganisationKind, OrganisationName, PhoneNumber, Postcode, Relationship, Statement, UniquePupilNumber,
};
use serde::Serialize;
use utoipa::ToSchema;

/// One line of a search's answer.
#[derive(Serialize, ToSchema)]
pub struct ChildHit {
    child_number: ChildNumber,
    name: Name,
    date_of_birth: DateOfBirth,
    gender: Gender,
}

/// A child's record as a permitted caller sees it: rule A1's content and nothing else.
#[derive(Serialize, ToSchema)]
pub struct ChildView {
    child_number: ChildNumber,
    name: Name,
    former_names: Vec<Name>,
    date_of_birth: DateOfBirth,
    gender: Gender,
    address: AddressView,
    carers: Vec<CarerView>,
    /// Education setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    school: Option<Contact>,
    /// General practice.
    #[serde(skip_serializing_if = "Option::is_none")]
    surgery: Option<Contact>,
    /// Other services and practitioners involved.
    services: Vec<Contact>,
    /// Shown to health bodies and local authorities only (rule A5).
    #[serde(skip_serializing_if = "Option::is_none")]
    nhs_number: Option<NhsNumber>,
    /// Shown to schools and local authorities only (rule A5).
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_pupil_number: Option<UniquePupilNumber>,
}

/// How far the address is known (rule A1).
#[derive(Serialize, ToSchema, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum AddressKnown {
    /// The newest source gives it.
    Current,
    /// An older source gave it; the newest gives none.
    LastKnown,
    /// No known address.
    NoKnownAddress,
}

/// An address, or that there is none.
#[derive(Serialize, ToSchema)]
pub struct AddressView {
    known: AddressKnown,
    lines: Vec<AddressLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postcode: Option<Postcode>,
}

/// A parent or carer.
#[derive(Serialize, ToSchema)]
pub struct CarerView {
    name: Name,
    relationship: Relationship,
    #[serde(skip_serializing_if = "Option::is_none")]
    telephone: Option<PhoneNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<EmailAddress>,
}

/// An organisation that works with the child, and how to reach it.
#[derive(Serialize, ToSchema)]
pub struct Contact {
    organisation: OrganisationName,
    kind: OrganisationKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    telephone: Option<PhoneNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<EmailAddress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    practitioner: Option<ContactPerson>,
    /// Holds a common assessment (rule A2).
    common_assessment: bool,
    /// Is the lead professional (rule A2).
    lead_professional: bool,
}

/// The practitioner to reach.
#[derive(Serialize, ToSchema)]
pub struct ContactPerson {
    name: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    telephone: Option<PhoneNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<EmailAddress>,
}

impl SearchPermit {
    /// What a search shows of one child of its scope: the newest name, date of birth and gender. `None` for a record without statements.
    #[must_use]
    pub fn show(&self, record: &ChildRecord) -> Option<ChildHit> {
        let newest = record.newest_first().next()?;
        Some(ChildHit {
            child_number: record.number.clone(),
            name: newest.name.clone(),
            date_of_birth: newest.date_of_birth,
            gender: newest.gender,
        })
    }

    /// The fields that [`Self::show`] shows, for the log.
    pub const SHOWN: &'static [Field] = &[Field::Number, Field::Name, Field::DateOfBirth, Field::Gender];
}

impl ViewPermit {
    /// What a view shows. `organisation` finds who stands behind a statement; one that is no longer enrolled is left out.
    /// `None` for a record without statements.
    #[must_use]
    pub fn show(&self, record: &ChildRecord, organisation: impl Fn(OrganisationId) -> Option<Organisation>) -> Option<ChildView> {
        let newest = record.newest_first().next()?;
        let mut view = ChildView {
            child_number: record.number.clone(),
            name: newest.name.clone(),
            former_names: former_names(record, &newest.name),
            date_of_birth: newest.date_of_birth,
            gender: gender(record),
            address: address(record),
            carers: carers(record),
            school: None,
            surgery: None,
            services: Vec::new(),
            nhs_number: self.first(record, sees_nhs_number, |statement| statement.nhs_number.clone()),
            unique_pupil_number: self.first(record, sees_pupil_number, |statement| statement.unique_pupil_number.clone()),
        };
        // whose work ended is no contact any more; what they said of the child stays
        for statement in record.newest_first().filter(|statement| statement.involvement.ended.is_none()) {
            if let Some(contact) = organisation(statement.provenance.source).map(|behind| contact(&behind, statement)) {
                view.place(contact);
            }
        }
        Some(view)
    }

    fn first<T>(&self, record: &ChildRecord, sees: fn(OrganisationKind) -> bool, value: fn(&Statement) -> Option<T>) -> Option<T> {
        if sees(self.kind()) {
            record.newest_first().find_map(value)
        } else {
            None
        }
    }
}

/// Bodies whose functions use the NHS number (rule A5).
fn sees_nhs_number(kind: OrganisationKind) -> bool {
    matches!(kind, OrganisationKind::Surgery | OrganisationKind::Council)
}

/// Bodies whose functions use the unique pupil number (rule A5).
fn sees_pupil_number(kind: OrganisationKind) -> bool {
    matches!(kind, OrganisationKind::School | OrganisationKind::Council)
}

impl ChildView {
    /// The fields that this view shows, for the log.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let always = [Field::Number, Field::Name, Field::DateOfBirth, Field::Gender, Field::Address];
        let sometimes = [
            (!self.former_names.is_empty(), Field::FormerNames),
            (!self.carers.is_empty(), Field::Carers),
            (self.school.is_some(), Field::School),
            (self.surgery.is_some(), Field::Surgery),
            (!self.services.is_empty(), Field::Services),
            (self.nhs_number.is_some(), Field::NhsNumber),
            (self.unique_pupil_number.is_some(), Field::UniquePupilNumber),
        ];
        always.into_iter().chain(sometimes.into_iter().filter(|(shown, _)| *shown).map(|(_, field)| field)).collect()
    }

    /// Puts a contact where it belongs: the newest school and surgery in their places, everything else among the services.
    fn place(&mut self, contact: Contact) {
        match contact.kind {
            OrganisationKind::School if self.school.is_none() => self.school = Some(contact),
            OrganisationKind::Surgery if self.surgery.is_none() => self.surgery = Some(contact),
            OrganisationKind::School
            | OrganisationKind::Surgery
            | OrganisationKind::Council
            | OrganisationKind::YouthOffendingTeam
            | OrganisationKind::Police
            | OrganisationKind::Voluntary
            | OrganisationKind::DataCentre
            | OrganisationKind::Auditor => self.services.push(contact),
        }
    }
}

/// The letters of a name without case, blanks and punctuation: "PATEL, Asha" of one supplier is no former name of "Asha Patel".
fn letters(name: &Name) -> (String, String) {
    let of = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    (of(name.given.as_str()), of(name.family.as_str()))
}

/// Every name that is not the current one, each once, newest first.
fn former_names(record: &ChildRecord, current: &Name) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for name in record.newest_first().flat_map(|statement| std::iter::once(&statement.name).chain(&statement.former_names)) {
        if letters(name) != letters(current) && names.iter().all(|known| letters(known) != letters(name)) {
            names.push(name.clone());
        }
    }
    names
}

/// The newest that somebody states.
fn gender(record: &ChildRecord) -> Gender {
    record.newest_first().map(|statement| statement.gender).find(|gender| *gender != Gender::Unspecified).unwrap_or(Gender::Unspecified)
}

fn address(record: &ChildRecord) -> AddressView {
    let found = record.newest_first().enumerate().find_map(|(age, statement)| statement.address.as_ref().map(|address| (age, address)));
    match found {
        Some((age, Address { lines, postcode })) => AddressView {
            known: if age == 0 { AddressKnown::Current } else { AddressKnown::LastKnown },
            lines: lines.clone(),
            postcode: postcode.clone(),
        },
        None => AddressView { known: AddressKnown::NoKnownAddress, lines: Vec::new(), postcode: None },
    }
}

/// The carers that the sources name, each once, the newest word on each.
fn carers(record: &ChildRecord) -> Vec<CarerView> {
    let mut carers: Vec<CarerView> = Vec::new();
    for Carer { name, relationship, telephone, email } in record.newest_first().flat_map(|statement| &statement.carers) {
        if carers.iter().all(|known| known.name != *name) {
            carers.push(CarerView { name: name.clone(), relationship: *relationship, telephone: telephone.clone(), email: email.clone() });
        }
    }
    carers
}

fn contact(behind: &Organisation, statement: &Statement) -> Contact {
    let Statement {
        // who says so is the contact itself; when, and under whose session, is for the history (rule A6)
        provenance: _,
        // shown once for the child, not for each source
        name: _,
        former_names: _,
        date_of_birth: _,
        gender: _,
        address: _,
        nhs_number: _,
        unique_pupil_number: _,
        carers: _,
        involvement: Involvement { practitioner, telephone, email, common_assessment, lead_professional, ended: _, basis: _ },
    } = statement;
    Contact {
        organisation: behind.name.clone(),
        kind: behind.kind,
        telephone: behind.telephone.clone(),
        email: behind.email.clone(),
        practitioner: practitioner.as_ref().map(|name| ContactPerson {
            name: name.clone(),
            telephone: telephone.clone(),
            email: email.clone(),
        }),
        common_assessment: *common_assessment,
        lead_professional: *lead_professional,
    }
}
