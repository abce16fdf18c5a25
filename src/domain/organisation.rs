//! Connecting organisations (rules B1 to B4).

use crate::checked::{checked_text, coded, plain_text};
use crate::{EmailAddress, PhoneNumber, Postcode};
use serde::{Deserialize, Serialize};

checked_text!(
    /// The name of an organisation: 1 to 100 letters, digits and plain punctuation.
    OrganisationName, "organisation name", organisation_name
);

fn organisation_name(text: &str) -> Result<String, &'static str> {
    plain_text(text, 100, |c| c.is_alphanumeric() || matches!(c, '-' | '\'' | '’' | '.' | ',' | '&' | '(' | ')' | '/'))
}

/// The directory's number for an organisation; allocated in order, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct OrganisationId(pub u32);

coded!(
    /// What an organisation is; decides the relation it can have to a child (rule D1).
    OrganisationKind, "organisation kind" {
        /// A local authority and its children's services.
        Council = "council" / 1,
        /// A school, academy or nursery.
        School = "school" / 2,
        /// A general practice.
        Surgery = "surgery" / 3,
        /// A youth offending team.
        YouthOffendingTeam = "youth-offending-team" / 4,
        /// A police force.
        Police = "police" / 5,
        /// A charity that works with children.
        Voluntary = "voluntary" / 6,
        /// The data centre that runs the appliance.
        DataCentre = "data-centre" / 7,
        /// The body that audits the directory.
        Auditor = "auditor" / 8,
    }
);

coded!(
    /// What an organisation is accredited for (rule B2).
    Capability, "capability" {
        /// Look-ups by its practitioners.
        Query = "query" / 1,
        /// Feeding records.
        Feed = "feed" / 2,
    }
);

/// An enrolled organisation as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Its number.
    pub id: OrganisationId,
    /// Its name, shown to those who need to reach it.
    pub name: OrganisationName,
    /// What it is.
    pub kind: OrganisationKind,
    /// The local authority in whose area it works; a council is its own. `None` for bodies of the whole country.
    pub authority: Option<OrganisationId>,
    /// What it is accredited for.
    pub capabilities: Vec<Capability>,
    /// Switchboard.
    pub telephone: Option<PhoneNumber>,
    /// Duty mailbox.
    pub email: Option<EmailAddress>,
    /// Where it is.
    pub postcode: Option<Postcode>,
    /// Suspended organisations are refused at the next request (rule B4).
    pub suspended: bool,
}
