//! The fields that a supplier's column can be mapped to: rule A1's content and nothing else.

use serde::Deserialize;

/// A field of an [`crate::Intake`], as layouts name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// Family name; every layout has it.
    FamilyName,
    /// Given names; every layout has it.
    GivenName,
    /// Former family name.
    FormerFamilyName,
    /// Former given names; empty means the current ones.
    FormerGivenName,
    /// Date of birth; every layout has it.
    DateOfBirth,
    /// Gender, by the table `codes.gender`.
    Gender,
    /// First line of the address.
    #[serde(rename = "address-line-1")]
    AddressLine1,
    /// Second line.
    #[serde(rename = "address-line-2")]
    AddressLine2,
    /// Third line.
    #[serde(rename = "address-line-3")]
    AddressLine3,
    /// Fourth line.
    #[serde(rename = "address-line-4")]
    AddressLine4,
    /// Postcode.
    Postcode,
    /// NHS number.
    NhsNumber,
    /// Unique pupil number.
    UniquePupilNumber,
    /// First carer's family name.
    #[serde(rename = "carer-1-family-name")]
    Carer1FamilyName,
    /// First carer's given names.
    #[serde(rename = "carer-1-given-name")]
    Carer1GivenName,
    /// First carer's relationship, by the table `codes.relationship`.
    #[serde(rename = "carer-1-relationship")]
    Carer1Relationship,
    /// First carer's telephone.
    #[serde(rename = "carer-1-telephone")]
    Carer1Telephone,
    /// First carer's e-mail.
    #[serde(rename = "carer-1-email")]
    Carer1Email,
    /// Second carer's family name.
    #[serde(rename = "carer-2-family-name")]
    Carer2FamilyName,
    /// Second carer's given names.
    #[serde(rename = "carer-2-given-name")]
    Carer2GivenName,
    /// Second carer's relationship.
    #[serde(rename = "carer-2-relationship")]
    Carer2Relationship,
    /// Second carer's telephone.
    #[serde(rename = "carer-2-telephone")]
    Carer2Telephone,
    /// Second carer's e-mail.
    #[serde(rename = "carer-2-email")]
    Carer2Email,
    /// Involved practitioner's family name.
    PractitionerFamilyName,
    /// Involved practitioner's given names.
    PractitionerGivenName,
    /// Involved practitioner's telephone.
    PractitionerTelephone,
    /// Involved practitioner's e-mail.
    PractitionerEmail,
    /// Holds a common assessment (rule A2), by the table `codes.flag`; empty means no.
    CommonAssessment,
    /// Is the lead professional (rule A2), by the table `codes.flag`; empty means no.
    LeadProfessional,
    /// The work with the child ended (rule D1), by the table `codes.flag`; empty means no.
    Left,
    /// On what basis a sensitive service is recorded (rule E8), by the table `codes.basis`.
    Basis,
}

impl Field {
    /// How many fields there are.
    pub(crate) const COUNT: usize = Self::Basis as usize + 1;
    /// Without these there is no record.
    pub(crate) const OF_EVERY_LAYOUT: [Self; 3] = [Self::FamilyName, Self::GivenName, Self::DateOfBirth];

    /// True where several columns make up one value, joined by a blank: given names in parts, house number and street.
    pub(crate) fn may_be_joined(self) -> bool {
        matches!(
            self,
            Self::GivenName | Self::AddressLine1 | Self::AddressLine2 | Self::AddressLine3 | Self::AddressLine4 | Self::FormerGivenName
        )
    }
}

/// The five columns of a carer.
pub(crate) struct CarerFields {
    pub(crate) family: Field,
    pub(crate) given: Field,
    pub(crate) relationship: Field,
    pub(crate) telephone: Field,
    pub(crate) email: Field,
}

/// The carers a record can name, in order.
pub(crate) const CARERS: [CarerFields; 2] = [
    CarerFields {
        family: Field::Carer1FamilyName,
        given: Field::Carer1GivenName,
        relationship: Field::Carer1Relationship,
        telephone: Field::Carer1Telephone,
        email: Field::Carer1Email,
    },
    CarerFields {
        family: Field::Carer2FamilyName,
        given: Field::Carer2GivenName,
        relationship: Field::Carer2Relationship,
        telephone: Field::Carer2Telephone,
        email: Field::Carer2Email,
    },
];
