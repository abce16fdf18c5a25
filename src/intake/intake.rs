//! What a record says, as the domain's types: rule A1's content without the provenance, which the daemon adds.

use crate::fault::{LineFault, Reason};
use crate::field::{CarerFields, Field, CARERS};
use crate::header::Columns;
use crate::record::Values;
use contactpoint_domain::{
    Address, AddressLine, Carer, DateOfBirth, EmailAddress, FamilyName, Gender, GivenName, Instant, InvalidValue, Involvement, Name,
    NhsNumber, PhoneNumber, Postcode, Provenance, Statement, UniquePupilNumber,
};
use jiff::civil::Date;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A record that was taken: all that a [`Statement`] holds but its provenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// Current name.
    pub name: Name,
    /// Former names, newest first; a layout has columns for one.
    pub former_names: Vec<Name>,
    /// Date of birth, of somebody under 18 (rule I1).
    pub date_of_birth: DateOfBirth,
    /// Gender.
    pub gender: Gender,
    /// Address; `None` is "no known address".
    pub address: Option<Address>,
    /// NHS number.
    pub nhs_number: Option<NhsNumber>,
    /// Unique pupil number.
    pub unique_pupil_number: Option<UniquePupilNumber>,
    /// Parents and carers, at most two.
    pub carers: Vec<Carer>,
    /// How the supplier works with the child.
    pub involvement: Involvement,
}

impl Intake {
    /// The statement that this record makes once it is known who made it.
    #[must_use]
    pub fn into_statement(self, provenance: Provenance) -> Statement {
        Statement {
            provenance,
            name: self.name,
            former_names: self.former_names,
            date_of_birth: self.date_of_birth,
            gender: self.gender,
            address: self.address,
            nhs_number: self.nhs_number,
            unique_pupil_number: self.unique_pupil_number,
            carers: self.carers,
            involvement: self.involvement,
        }
    }

    pub(crate) fn read(columns: &Columns, values: &Values<'_>, now: Instant) -> Result<Self, LineFault> {
        let record = Record { columns, values };
        let name = record.name(Field::FamilyName, Field::GivenName)?;
        let former_names = record.former_name(&name)?.into_iter().collect();
        Ok(Self {
            former_names,
            name,
            date_of_birth: record.date_of_birth(now)?,
            gender: record.gender()?,
            address: record.address()?,
            nhs_number: record.optional::<NhsNumber>(Field::NhsNumber, number_reason)?,
            unique_pupil_number: record.optional::<UniquePupilNumber>(Field::UniquePupilNumber, number_reason)?,
            carers: record.carers()?,
            involvement: record.involvement(now)?,
        })
    }
}

struct Record<'a> {
    columns: &'a Columns,
    values: &'a Values<'a>,
}

impl<'a> Record<'a> {
    /// The text of a field; `None` where it is empty or one of the layout's words for nothing. Parts are joined by a blank.
    fn text(&self, field: Field) -> Result<Option<Cow<'a, str>>, LineFault> {
        let absent = &self.columns.rules.absent;
        let given = |position: &usize| {
            let value = self.values.at(*position);
            (!value.is_empty() && !absent.iter().any(|word| word == value)).then_some(value)
        };
        let text = match self.columns.positions(field) {
            [one] => given(one).map(Cow::Borrowed),
            several => Some(several.iter().filter_map(given).collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty()).map(Cow::Owned),
        };
        if text.is_none() && self.columns.is_required(field) {
            return Err(self.columns.fault(field, Reason::MissingValue));
        }
        Ok(text)
    }

    fn required_text(&self, field: Field) -> Result<Cow<'a, str>, LineFault> {
        self.text(field)?.ok_or_else(|| self.columns.fault(field, Reason::MissingValue))
    }

    fn is_given(&self, field: Field) -> Result<bool, LineFault> {
        self.text(field).map(|text| text.is_some())
    }

    fn optional<T: for<'t> TryFrom<&'t str, Error = InvalidValue>>(
        &self,
        field: Field,
        reason: fn(InvalidValue) -> Reason,
    ) -> Result<Option<T>, LineFault> {
        let parsed = self.text(field)?.map(|text| T::try_from(text.as_ref())).transpose();
        parsed.map_err(|fault| self.columns.fault(field, reason(fault)))
    }

    /// A name of which both halves must be there.
    fn name(&self, family: Field, given: Field) -> Result<Name, LineFault> {
        let invalid = |field| move |_| self.columns.fault(field, Reason::InvalidName);
        let family_name = FamilyName::try_from(self.required_text(family)?.as_ref()).map_err(invalid(family))?;
        let given_name = GivenName::try_from(self.required_text(given)?.as_ref()).map_err(invalid(given))?;
        Ok(Name { given: given_name, family: family_name })
    }

    /// Suppliers often keep only the half that changed.
    fn former_name(&self, current: &Name) -> Result<Option<Name>, LineFault> {
        let family = self.optional::<FamilyName>(Field::FormerFamilyName, |_| Reason::InvalidName)?;
        let given = self.optional::<GivenName>(Field::FormerGivenName, |_| Reason::InvalidName)?;
        if family.is_none() && given.is_none() {
            return Ok(None);
        }
        let former =
            Name { given: given.unwrap_or_else(|| current.given.clone()), family: family.unwrap_or_else(|| current.family.clone()) };
        Ok(Some(former).filter(|former| former != current))
    }

    fn date_of_birth(&self, now: Instant) -> Result<DateOfBirth, LineFault> {
        let fault = |reason| self.columns.fault(Field::DateOfBirth, reason);
        let rules = &self.columns.rules;
        let text = self.required_text(Field::DateOfBirth)?;
        let date = Date::strptime(&rules.date_format, text.as_ref()).map_err(|_| fault(Reason::InvalidDate))?;
        let year = rules.year_cycle.map_or(date.year(), |cycle| cycle.place(date.year()));
        let born = DateOfBirth::of(year, date.month(), date.day()).map_err(|_| fault(Reason::InvalidDate))?;
        if born.is_after(now) {
            return Err(fault(Reason::DateInFuture));
        }
        if born.age_at(now) >= 18 {
            return Err(fault(Reason::NotAChild));
        }
        Ok(born)
    }

    fn code<T: Copy>(&self, field: Field, table: &BTreeMap<String, T>) -> Result<Option<T>, LineFault> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let known = table.iter().find(|(code, _)| code.eq_ignore_ascii_case(&text));
        known.map(|(_, meaning)| Some(*meaning)).ok_or_else(|| self.columns.fault(field, Reason::InvalidCode))
    }

    fn gender(&self) -> Result<Gender, LineFault> {
        let rules = &self.columns.rules;
        Ok(self.code(Field::Gender, &rules.codes.gender)?.or(rules.defaults.gender).unwrap_or(Gender::Unspecified))
    }

    fn flag(&self, field: Field) -> Result<bool, LineFault> {
        Ok(self.code(field, &self.columns.rules.codes.flag)?.unwrap_or(false))
    }

    /// Lines that are empty are left out; a postcode without a line is half an address and refused.
    fn address(&self) -> Result<Option<Address>, LineFault> {
        let mut lines = Vec::new();
        for field in [Field::AddressLine1, Field::AddressLine2, Field::AddressLine3, Field::AddressLine4] {
            lines.extend(self.optional::<AddressLine>(field, |_| Reason::InvalidAddress)?);
        }
        let postcode = self.optional::<Postcode>(Field::Postcode, |_| Reason::InvalidPostcode)?;
        match (lines.is_empty(), postcode) {
            (true, None) => Ok(None),
            (true, Some(_)) => Err(self.columns.fault(Field::AddressLine1, Reason::MissingValue)),
            (false, postcode) => Ok(Some(Address { lines, postcode })),
        }
    }

    fn carers(&self) -> Result<Vec<Carer>, LineFault> {
        let mut carers = Vec::new();
        for fields in &CARERS {
            carers.extend(self.carer(fields)?);
        }
        Ok(carers)
    }

    fn carer(&self, fields: &CarerFields) -> Result<Option<Carer>, LineFault> {
        let rules = &self.columns.rules;
        let telephone = self.optional(fields.telephone, |_| Reason::InvalidTelephone)?;
        let email = self.optional(fields.email, |_| Reason::InvalidEmail)?;
        let relationship = self.code(fields.relationship, &rules.codes.relationship)?;
        let named = self.is_given(fields.family)? || self.is_given(fields.given)?;
        if !named && telephone.is_none() && email.is_none() && relationship.is_none() {
            return Ok(None);
        }
        let name = self.name(fields.family, fields.given)?;
        let relationship =
            relationship.or(rules.defaults.relationship).ok_or_else(|| self.columns.fault(fields.relationship, Reason::MissingValue))?;
        Ok(Some(Carer { name, relationship, telephone, email }))
    }

    fn involvement(&self, now: Instant) -> Result<Involvement, LineFault> {
        let (family, given) = (Field::PractitionerFamilyName, Field::PractitionerGivenName);
        let named = self.is_given(family)? || self.is_given(given)?;
        Ok(Involvement {
            practitioner: named.then(|| self.name(family, given)).transpose()?,
            telephone: self.optional::<PhoneNumber>(Field::PractitionerTelephone, |_| Reason::InvalidTelephone)?,
            email: self.optional::<EmailAddress>(Field::PractitionerEmail, |_| Reason::InvalidEmail)?,
            common_assessment: self.flag(Field::CommonAssessment)?,
            lead_professional: self.flag(Field::LeadProfessional)?,
            ended: self.flag(Field::Left)?.then_some(now),
            basis: self.code(Field::Basis, &self.columns.rules.codes.basis)?,
        })
    }
}

/// The domain says which half of an identifier is wrong; suppliers mend the two differently.
fn number_reason(fault: InvalidValue) -> Reason {
    if fault.why.contains("check") {
        Reason::WrongCheckDigit
    } else {
        Reason::InvalidNumber
    }
}
