//! The one type of what may be shown of a child (rules A1, A5, E7). Made out of a permit and a record, here alone.
//!
//! A record and its statements are taken apart below by the name of every field, so that one that is added does not compile until somebody
//! decides whether it is shown.

use crate::look::{Breadth, Grant};
use crate::permit::{breadth_for, By, SearchPermit, ViewPermit};
use contactpoint_audit::Field;
use contactpoint_domain::{
    Address, AddressLine, Carer, ChildNumber, ChildRecord, DateOfBirth, EmailAddress, Gender, Involvement, Name, NhsNumber, Organisation,
    OrganisationId, OrganisationKind, OrganisationName, PhoneNumber, Postcode, Relationship, Role, Statement, UniquePupilNumber,
};
use contactpoint_identity::Caller;
use serde::Serialize;
use std::borrow::{Borrow, Cow};
use std::convert::Infallible;
use utoipa::ToSchema;

/// What stays visible of a shielded child beside name, date of birth and number (rule E2): a setting, nothing by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visible {
    /// Gender, as the regulations would show it.
    pub gender: bool,
    /// The carers' names, as the regulations would show them.
    pub carer_names: bool,
}

/// One line of a search's answer.
#[derive(Serialize, ToSchema)]
pub struct ChildHit {
    child_number: ChildNumber,
    name: Name,
    date_of_birth: DateOfBirth,
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<Gender>,
    /// The child is shielded: no more is shown of it (rule E2).
    #[serde(skip_serializing_if = "is_false")]
    shielded: bool,
}

/// A child's record as a permitted caller sees it: rule A1's content and nothing else, or what rule E2 leaves of it.
#[derive(Serialize, ToSchema)]
pub struct ChildView {
    child_number: ChildNumber,
    name: Name,
    date_of_birth: DateOfBirth,
    /// The child is shielded: no more is shown of it (rule E2), unless it is to somebody who may see all of it.
    #[serde(skip_serializing_if = "is_false")]
    shielded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<Gender>,
    /// Names of carers of a shielded child, where the setting shows them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    carer_names: Vec<Name>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    open: Option<OpenView>,
}

/// What of a record is shown of a child who is not shielded.
#[derive(Serialize, ToSchema)]
pub(crate) struct OpenView {
    former_names: Vec<Name>,
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
    /// A sensitive service works with the child: which one is not told, it is reached by asking the authority (rules E6, E8).
    #[serde(skip_serializing_if = "is_false")]
    sensitive_service: bool,
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls it with")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl SearchPermit {
    /// What a search shows the caller of one child: the newest name, date of birth and gender; of a shielded one what rule E2 leaves. `None`
    /// for one who is not the caller's to find.
    #[must_use]
    pub fn show(&self, caller: &Caller, record: &ChildRecord, visible: Visible) -> Option<ChildHit> {
        let breadth = breadth_for(caller, self.by, Some(record), Grant::None).ok()?;
        let record = &*seen_as(record, self.by);
        let record = &*record.as_known_to(self.by.organisation);
        let Always { child_number, name, date_of_birth, shielded } = always(record)?;
        let newest = record.newest_first().next()?;
        let gender = match breadth {
            Breadth::Full => Some(newest.gender),
            Breadth::Narrow => visible.gender.then_some(newest.gender),
        };
        Some(ChildHit { child_number, name, date_of_birth, gender, shielded })
    }

    /// The fields that [`Self::show`] shows at most, for the log.
    pub const SHOWN: &'static [Field] = &[Field::Number, Field::Name, Field::DateOfBirth, Field::Gender];
}

impl ViewPermit {
    /// What a view shows. `organisation` finds who stands behind a statement; one that is no longer enrolled is left out.
    /// `None` for a record without statements.
    #[must_use]
    pub fn show<O: Borrow<Organisation>>(
        &self,
        record: &ChildRecord,
        visible: Visible,
        organisation: impl Fn(OrganisationId) -> Option<O>,
    ) -> Option<ChildView> {
        let is_sensitive = |source| organisation(source).is_some_and(|behind| behind.borrow().is_sensitive_service());
        let mut record = seen_as(record, self.by());
        // a copy only where a mark is missing
        if record.statements.iter().any(|said| said.involvement.basis.is_none() && is_sensitive(said.provenance.source)) {
            let Ok(()) =
                record.to_mut().mark_sensitive(|source| Ok::<_, Infallible>(is_sensitive(source)), self.breadth() == Breadth::Narrow);
        }
        let record = &*record.as_known_to(self.by().organisation);
        let Always { child_number, name, date_of_birth, shielded } = always(record)?;
        let current = name.clone();
        let view = ChildView { child_number, name, date_of_birth, shielded, gender: None, carer_names: Vec::new(), open: None };
        Some(match self.breadth() {
            Breadth::Full => ChildView { gender: Some(gender(record)), open: Some(self.open(record, &current, organisation)), ..view },
            Breadth::Narrow => ChildView {
                gender: visible.gender.then(|| gender(record)),
                carer_names: if visible.carer_names { carers(record).into_iter().map(|carer| carer.name).collect() } else { Vec::new() },
                ..view
            },
        })
    }

    fn open<O: Borrow<Organisation>>(
        &self,
        record: &ChildRecord,
        current: &Name,
        organisation: impl Fn(OrganisationId) -> Option<O>,
    ) -> OpenView {
        let mut view = OpenView {
            former_names: former_names(record, current),
            address: address(record),
            carers: carers(record),
            school: None,
            surgery: None,
            services: Vec::new(),
            sensitive_service: false,
            nhs_number: self.first(record, sees_nhs_number, |statement| statement.nhs_number.clone()),
            unique_pupil_number: self.first(record, sees_pupil_number, |statement| statement.unique_pupil_number.clone()),
        };
        let lead = record.lead();
        // whose work ended is no contact any more; what they said of the child stays
        for statement in record.newest_first().filter(|statement| statement.involvement.ended.is_none()) {
            let behind = organisation(statement.provenance.source);
            let behind = behind.as_ref().map(Borrow::borrow);
            let is_sensitive = statement.involvement.basis.is_some() || behind.is_some_and(Organisation::is_sensitive_service);
            if is_sensitive && statement.provenance.source != self.by().organisation {
                view.sensitive_service = true;
            } else if let Some(behind) = behind {
                view.place(contact(behind, statement, lead == Some(statement.provenance.source)));
            }
        }
        view
    }

    fn first<T>(&self, record: &ChildRecord, sees: fn(OrganisationKind) -> bool, value: fn(&Statement) -> Option<T>) -> Option<T> {
        if sees(self.kind()) {
            record.newest_first().find_map(value)
        } else {
            None
        }
    }
}

/// Whoever settles a record that waits sees what each of its sources says (rule E4); these see their own words (`as_known_to`).
fn seen_as(record: &ChildRecord, by: By) -> Cow<'_, ChildRecord> {
    if by.role == Role::ShieldingOfficer && record.quarantined.is_some() {
        Cow::Owned(ChildRecord { quarantined: None, ..record.clone() })
    } else {
        Cow::Borrowed(record)
    }
}

/// What is shown of every record that is shown at all (rule E2).
struct Always {
    child_number: ChildNumber,
    name: Name,
    date_of_birth: DateOfBirth,
    shielded: bool,
}

/// `None` for a record without statements.
fn always(record: &ChildRecord) -> Option<Always> {
    // INVARIANT: every field stands here by its name (rule E7): who adds one decides here who may see it. What the statements say is chosen from
    // below; authority, audience and quarantine are shown to nobody
    let ChildRecord { number, authority: _, statements, shield, audience: _, quarantined: _ } = record;
    let newest = statements.last()?;
    Some(Always {
        child_number: number.clone(),
        name: newest.name.clone(),
        date_of_birth: newest.date_of_birth,
        shielded: shield.is_some(),
    })
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
        let mut fields = vec![Field::Number, Field::Name, Field::DateOfBirth];
        fields.extend(self.gender.map(|_| Field::Gender));
        if !self.carer_names.is_empty() {
            fields.push(Field::Carers);
        }
        fields.extend(self.open.iter().flat_map(OpenView::fields));
        fields
    }
}

impl OpenView {
    fn fields(&self) -> impl Iterator<Item = Field> {
        let fields = [
            (true, Field::Address),
            (!self.former_names.is_empty(), Field::FormerNames),
            (!self.carers.is_empty(), Field::Carers),
            (self.school.is_some(), Field::School),
            (self.surgery.is_some(), Field::Surgery),
            (!self.services.is_empty() || self.sensitive_service, Field::Services),
            (self.nhs_number.is_some(), Field::NhsNumber),
            (self.unique_pupil_number.is_some(), Field::UniquePupilNumber),
        ];
        fields.into_iter().filter(|(shown, _)| *shown).map(|(_, field)| field)
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
        // most sources write it alike: the letters are taken out only where they do not
        if name != current && letters(name) != letters(current) && names.iter().all(|known| letters(known) != letters(name)) {
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

fn contact(behind: &Organisation, statement: &Statement, leads: bool) -> Contact {
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
        // who leads is worked out of all that say so (rule A2)
        involvement: Involvement { practitioner, telephone, email, common_assessment, lead_professional: _, ended: _, basis: _ },
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
        lead_professional: leads,
    }
}
