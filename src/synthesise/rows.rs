//! A child as a row of a supplier's file, in that kind of supplier's own columns, order, codes and date format (config/layouts, which reads
//! these files, says the same from the other side).

use crate::area::{Area, Supplier, Worker};
use crate::difference::Seen;
use crate::family::{Carer, Child, Holder};
use crate::random::Random;
use contactpoint_domain::{Gender, OrganisationKind, Relationship};

/// The shape of one kind of supplier's file.
pub(crate) struct Format {
    pub(crate) layout: &'static str,
    pub(crate) delimiter: u8,
    /// Carriage return and line feed, as most suppliers' systems end lines.
    pub(crate) crlf: bool,
    pub(crate) header: &'static [&'static str],
    row: fn(&Told<'_>) -> Vec<String>,
}

/// All that a row is made of.
pub(crate) struct Told<'a> {
    pub(crate) area: &'a Area,
    pub(crate) supplier: &'a Supplier,
    pub(crate) child: &'a Child,
    pub(crate) seen: Seen<'a>,
    /// Who works with the child there.
    pub(crate) worker: &'a Worker,
}

impl Format {
    /// The format of a kind of supplier; `None` for bodies that do not feed.
    pub(crate) fn of(kind: OrganisationKind) -> Option<&'static Self> {
        match kind {
            OrganisationKind::School => Some(&SCHOOL),
            OrganisationKind::Surgery => Some(&SURGERY),
            OrganisationKind::Council => Some(&COUNCIL),
            OrganisationKind::YouthOffendingTeam => Some(&YOUTH_OFFENDING),
            OrganisationKind::Police => Some(&POLICE),
            OrganisationKind::Voluntary | OrganisationKind::DataCentre | OrganisationKind::Auditor => None,
        }
    }

    pub(crate) fn row(&self, told: &Told<'_>) -> Vec<String> {
        (self.row)(told)
    }
}

impl<'a> Told<'a> {
    /// The worker for a child: the demo's child has the first, who can log in; the others are shared out.
    pub(crate) fn worker(supplier: &'a Supplier, child: &Child) -> &'a Worker {
        if child.told_alike {
            return &supplier.workers[0];
        }
        Random::at(&[5, child.household, child.ordinal]).any(&supplier.workers)
    }

    fn date(&self, format: &str) -> String {
        self.seen.born.strftime(format).to_string()
    }

    fn nhs_number(&self) -> String {
        self.seen.nhs_number.unwrap_or_default().to_owned()
    }

    fn unique_pupil_number(&self) -> String {
        self.seen.unique_pupil_number.unwrap_or_default().to_owned()
    }

    fn former_family(&self) -> String {
        self.child.former_family.clone().unwrap_or_default()
    }

    fn carer(&self, at: usize) -> Option<&Carer> {
        self.child.carers.get(at)
    }

    fn gender(&self, female: &str, male: &str, unspecified: &str) -> String {
        match self.child.gender {
            Gender::Female => female,
            Gender::Male => male,
            Gender::Unspecified => unspecified,
        }
        .to_owned()
    }

    fn house_and_street(&self) -> String {
        format!("{} {}", self.seen.home.house, self.seen.home.street)
    }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn telephone(carer: Option<&Carer>) -> String {
    carer.and_then(|carer| carer.telephone.clone()).unwrap_or_default()
}

fn email(carer: Option<&Carer>) -> String {
    carer.and_then(|carer| carer.email.clone()).unwrap_or_default()
}

/// Family name, given name, and what they are to the child in the words of this supplier.
fn carer_columns(carer: Option<&Carer>, relationship: fn(Relationship) -> &'static str) -> Vec<String> {
    carer.map_or_else(
        || words(&["", "", ""]),
        |carer| vec![carer.family.clone(), carer.given.clone(), relationship(carer.relationship).to_owned()],
    )
}

const SCHOOL: Format = Format {
    layout: "school-roll",
    delimiter: b',',
    crlf: true,
    header: &[
        "Admission Number",
        "UPN",
        "Legal Surname",
        "Legal Forename",
        "Former Surname",
        "DOB",
        "Gender",
        "Year Group",
        "Address Line 1",
        "Address Line 2",
        "Town",
        "Postcode",
        "NHS Number",
        "Contact 1 Surname",
        "Contact 1 Forename",
        "Contact 1 Relationship",
        "Contact 1 Telephone",
        "Contact 1 Email",
        "Contact 2 Surname",
        "Contact 2 Forename",
        "Contact 2 Relationship",
        "Contact 2 Telephone",
        "Tutor Surname",
        "Tutor Forename",
        "Tutor Email",
        "CAF",
        "Lead Professional",
    ],
    row: school_row,
};

fn school_row(told: &Told<'_>) -> Vec<String> {
    let (child, home) = (told.child, told.seen.home);
    let flag = |holder| if holder == Some(Holder::School) { "Y" } else { "N" };
    let year = (told.area.age(child.born) - 4).max(0).to_string();
    // a flat stands in a line of its own, before the street
    let (first, second) = match home.house.rsplit_once(", ") {
        Some((flat, number)) => (flat.to_owned(), format!("{number} {}", home.street)),
        None => (told.house_and_street(), String::new()),
    };
    let mut row = vec![format!("{:06}", child.ordinal), told.unique_pupil_number(), told.seen.family.clone(), told.seen.given.clone()];
    row.extend([told.former_family(), told.date("%d/%m/%Y"), told.gender("F", "M", "U"), year]);
    row.extend([first, second, home.town.clone(), home.postcode.clone(), told.nhs_number()]);
    for at in 0..2 {
        row.extend(carer_columns(told.carer(at), school_relationship));
        row.push(telephone(told.carer(at)));
        row.extend((at == 0).then(|| email(told.carer(at))));
    }
    row.extend([told.worker.family.clone(), told.worker.given.clone(), told.worker.email.clone()]);
    row.extend(words(&[flag(child.assessment), flag(child.lead)]));
    row
}

fn school_relationship(relationship: Relationship) -> &'static str {
    match relationship {
        Relationship::Mother => "Mother",
        Relationship::Father => "Father",
        Relationship::Parent => "Parent",
        Relationship::StepParent => "Step-parent",
        Relationship::Grandparent => "Grandparent",
        Relationship::FosterCarer => "Foster carer",
        Relationship::Guardian => "Guardian",
        Relationship::Carer => "Other",
    }
}

const SURGERY: Format = Format {
    layout: "surgery-list",
    delimiter: b',',
    crlf: false,
    header: &[
        "NHS_NUMBER",
        "FAMILY_NAME",
        "GIVEN_NAMES",
        "PREVIOUS_FAMILY_NAME",
        "DATE_OF_BIRTH",
        "SEX",
        "ADDRESS_1",
        "ADDRESS_2",
        "ADDRESS_3",
        "POSTCODE",
        "GUARDIAN_FAMILY_NAME",
        "GUARDIAN_GIVEN_NAME",
        "GUARDIAN_ROLE",
        "GUARDIAN_PHONE",
        "GP_FAMILY_NAME",
        "GP_GIVEN_NAME",
        "PRACTICE_PHONE",
        "REGISTERED_ON",
    ],
    row: surgery_row,
};

fn surgery_row(told: &Told<'_>) -> Vec<String> {
    let (home, carer) = (told.seen.home, told.carer(0));
    let spaced = |number: String| match (number.get(..3), number.get(3..6), number.get(6..)) {
        (Some(first), Some(second), Some(third)) => format!("{first} {second} {third}"),
        _ => number,
    };
    let mut row = vec![spaced(told.nhs_number()), told.seen.family.clone(), told.seen.given.clone(), told.former_family()];
    row.extend([told.date("%Y%m%d"), told.gender("2", "1", "X"), told.house_and_street(), home.town.clone(), String::new()]);
    row.push(home.postcode.clone());
    row.extend(carer_columns(carer, surgery_relationship));
    row.push(carer.map_or(String::new(), |carer| carer.telephone.clone().unwrap_or_else(|| "NOT KNOWN".to_owned())));
    row.extend([told.worker.family.clone(), told.worker.given.clone(), told.supplier.telephone.clone(), told.date("%Y%m%d")]);
    row
}

fn surgery_relationship(relationship: Relationship) -> &'static str {
    match relationship {
        Relationship::Mother => "MOTHER",
        Relationship::Father => "FATHER",
        Relationship::Parent => "PARENT",
        Relationship::StepParent => "STEPPARENT",
        Relationship::Grandparent => "GRANDPARENT",
        Relationship::FosterCarer => "FOSTER",
        Relationship::Guardian => "GUARDIAN",
        Relationship::Carer => "OTHER",
    }
}

const COUNCIL: Format = Format {
    layout: "council-services",
    delimiter: b';',
    crlf: false,
    header: &[
        "person_id",
        "surname",
        "forenames",
        "previous_surname",
        "date_of_birth",
        "gender",
        "house",
        "street",
        "town",
        "postcode",
        "nhs_number",
        "upn",
        "carer_surname",
        "carer_forename",
        "carer_is",
        "carer_phone",
        "carer_email",
        "team",
        "worker_surname",
        "worker_forename",
        "worker_phone",
        "worker_email",
        "caf",
        "lead_professional",
    ],
    row: council_row,
};

fn council_row(told: &Told<'_>) -> Vec<String> {
    let (child, home, carer) = (told.child, told.seen.home, told.carer(0));
    let flag = |holder| (holder == Some(Holder::Council)).to_string();
    let mut row = vec![format!("P{:07}", child.ordinal), told.seen.family.clone(), told.seen.given.clone(), told.former_family()];
    row.extend([told.date("%Y-%m-%d"), told.gender("female", "male", "not stated"), home.house.clone(), home.street.to_owned()]);
    row.extend([home.town.clone(), home.postcode.clone(), told.nhs_number(), told.unique_pupil_number()]);
    row.extend(carer_columns(carer, council_relationship));
    row.extend([telephone(carer), email(carer), "Family support".to_owned()]);
    row.extend([told.worker.family.clone(), told.worker.given.clone(), told.worker.telephone.clone(), told.worker.email.clone()]);
    row.extend([flag(child.assessment), flag(child.lead)]);
    row
}

fn council_relationship(relationship: Relationship) -> &'static str {
    match relationship {
        Relationship::Mother => "mother",
        Relationship::Father => "father",
        Relationship::Parent => "parent",
        Relationship::StepParent => "step parent",
        Relationship::Grandparent => "grandparent",
        Relationship::FosterCarer => "foster carer",
        Relationship::Guardian => "guardian",
        Relationship::Carer => "other",
    }
}

const YOUTH_OFFENDING: Format = Format {
    layout: "youth-offending",
    delimiter: b'\t',
    crlf: true,
    header: &[
        "Case Ref",
        "Forename",
        "Surname",
        "Born",
        "Sex",
        "Home Address",
        "Home Town",
        "Home Postcode",
        "UPN",
        "Parent Surname",
        "Parent Forename",
        "Parent Phone",
        "Officer Surname",
        "Officer Forename",
        "Officer Phone",
        "CAF Held",
        "Lead",
    ],
    row: youth_offending_row,
};

fn youth_offending_row(told: &Told<'_>) -> Vec<String> {
    let (child, home, carer) = (told.child, told.seen.home, told.carer(0));
    let flag = |holder| if holder == Some(Holder::YouthOffendingTeam) { "Yes" } else { "No" };
    let mut row = vec![format!("YOT{:05}", child.ordinal), told.seen.given.clone(), told.seen.family.clone(), told.date("%d %b %Y")];
    row.extend([told.gender("Girl", "Boy", "Unknown"), told.house_and_street(), home.town.clone(), home.postcode.clone()]);
    row.push(told.unique_pupil_number());
    row.extend(carer_columns(carer, council_relationship).into_iter().take(2));
    row.push(telephone(carer));
    row.extend([told.worker.family.clone(), told.worker.given.clone(), told.worker.telephone.clone()]);
    row.extend(words(&[flag(child.assessment), flag(child.lead)]));
    row
}

const POLICE: Format = Format {
    layout: "police",
    delimiter: b',',
    crlf: true,
    header: &[
        "SURNAME",
        "FORENAMES",
        "DATE OF BIRTH",
        "SEX",
        "HOUSE NO",
        "STREET",
        "POST TOWN",
        "POST CODE",
        "STATION",
        "OFFICER SURNAME",
        "OFFICER FORENAME",
        "OFFICER PHONE",
    ],
    row: police_row,
};

fn police_row(told: &Told<'_>) -> Vec<String> {
    let home = told.seen.home;
    let mut row = vec![told.seen.family.clone(), told.seen.given.clone(), told.date("%d-%m-%Y"), told.gender("FEMALE", "MALE", "UNKNOWN")];
    row.extend([home.house.as_str(), home.street, &home.town, &home.postcode].map(str::to_uppercase));
    row.extend([home.town.to_uppercase(), told.worker.family.to_uppercase(), told.worker.given.to_uppercase()]);
    row.push(told.worker.telephone.clone());
    row
}
