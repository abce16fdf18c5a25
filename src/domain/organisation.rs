//! Connecting organisations (rules B1 to B4).

use crate::checked::{checked_text, coded, plain_text};
use crate::{Day, EmailAddress, Instant, PersonId, PhoneNumber, Postcode, Texts};
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
    /// What an organisation may be accredited for (rule B2), each by itself and for a time.
    Capability, "capability" {
        /// Look-ups by its practitioners.
        Query = "query" / 1,
        /// Feeding records.
        Feed = "feed" / 2,
        /// Shielding children of its own area (rule E1).
        Shield = "shield" / 3,
        /// Recording that a sensitive service works with a child (rule E8).
        SensitiveServices = "sensitive-services" / 4,
        /// Overriding a shield, record by record (rule E5).
        ShieldOverride = "shield-override" / 5,
        /// Looking up on behalf of somebody without an account.
        MediatedAccess = "mediated-access" / 6,
        /// Handing a doubtful match or a request for contact to the child's authority.
        Referrals = "referrals" / 7,
        /// Auditing the directory (rules F3, F4).
        Audit = "audit" / 8,
    }
);

/// Who vouches for an organisation, and since when (rule B2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sponsorship {
    /// The sponsor: never the person who accredits.
    pub by: PersonId,
    /// When.
    pub at: Instant,
}

/// An accreditation for one capability (rule B2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accreditation {
    /// What for.
    pub capability: Capability,
    /// The officer who accredited: never the sponsor.
    pub by: PersonId,
    /// The last day on which it holds.
    pub expires: Day,
}

/// The acceptance of the statement of responsibilities (rule B3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acceptance {
    /// Which version of the text.
    pub version: u16,
    /// The officer who accepted for the organisation.
    pub by: PersonId,
    /// When.
    pub at: Instant,
}

coded!(
    /// How far an organisation has come on its way in (rules B2 to B4).
    Stage, "stage" {
        /// It has asked to connect.
        Applied = "applied" / 1,
        /// A sponsor vouches for it.
        Sponsored = "sponsored" / 2,
        /// It is accredited for something, and has not accepted the statement in force.
        Accredited = "accredited" / 3,
        /// Every gate is open.
        Connected = "connected" / 4,
        /// Suspended, whatever else it is.
        Suspended = "suspended" / 5,
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
    /// Switchboard.
    pub telephone: Option<PhoneNumber>,
    /// Duty mailbox.
    pub email: Option<EmailAddress>,
    /// Where it is.
    pub postcode: Option<Postcode>,
    /// Its first administrator and its first supervisor, whom the sponsor supervises (rule C3).
    pub heads: Vec<PersonId>,
    /// Who vouches for it (rule B2).
    pub sponsorship: Option<Sponsorship>,
    /// What it is accredited for, each capability at most once (rule B2).
    pub accreditations: Vec<Accreditation>,
    /// The statement it accepted last (rule B3).
    pub responsibilities: Option<Acceptance>,
    /// Suspended organisations are refused at the next request (rule B4).
    pub suspended: bool,
    /// A council's: new records of its area wait for its shielding officer before anybody but their source sees them (rule E4).
    pub holds_new: bool,
}

impl Organisation {
    /// True for a sensitive service: one that is or ever was accredited as such (rule E8). An accreditation that ran out lets nobody feed, and
    /// makes nobody a service like any other.
    #[must_use]
    pub fn is_sensitive_service(&self) -> bool {
        self.accreditations.iter().any(|held| held.capability == Capability::SensitiveServices)
    }

    /// True where it is accredited for this on this day, the last day of the accreditation included (rule B2).
    #[must_use]
    pub fn may(&self, capability: Capability, today: Day) -> bool {
        self.accreditations.iter().any(|held| held.capability == capability && today <= held.expires)
    }

    /// True where it accepted the statement in force (rule B3).
    #[must_use]
    pub fn has_accepted(&self, texts: Texts) -> bool {
        self.responsibilities.is_some_and(|accepted| accepted.version == texts.responsibilities)
    }

    /// How far it has come. The data centre is its own, and is connected from the ceremony on.
    #[must_use]
    pub fn stage(&self, today: Day, texts: Texts) -> Stage {
        if self.suspended {
            Stage::Suspended
        } else if self.kind == OrganisationKind::DataCentre {
            Stage::Connected
        } else if self.sponsorship.is_none() {
            Stage::Applied
        } else if !self.accreditations.iter().any(|held| today <= held.expires) {
            Stage::Sponsored
        } else if !self.has_accepted(texts) {
            Stage::Accredited
        } else {
            Stage::Connected
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: Texts = Texts { responsibilities: 2, agreement: 1 };

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn connected() -> Organisation {
        let at = Instant::of_millis(1_760_000_000_000);
        Organisation {
            id: OrganisationId(3),
            name: "Oak School".try_into().unwrap(),
            kind: OrganisationKind::School,
            authority: Some(OrganisationId(2)),
            telephone: None,
            email: None,
            postcode: None,
            heads: vec![PersonId(9)],
            sponsorship: Some(Sponsorship { by: PersonId(1), at }),
            accreditations: vec![Accreditation { capability: Capability::Query, by: PersonId(2), expires: day("2027-03-31") }],
            responsibilities: Some(Acceptance { version: 2, by: PersonId(9), at }),
            suspended: false,
            holds_new: false,
        }
    }

    #[test]
    fn an_organisation_comes_in_by_one_gate_after_the_other() {
        // B2: two separate gates; B3: accepts the current statement; B4: suspended
        let today = day("2026-11-22");
        let whole = connected();
        assert_eq!(whole.stage(today, TEXTS), Stage::Connected);
        for (organisation, stage) in [
            (Organisation { sponsorship: None, ..whole.clone() }, Stage::Applied),
            (Organisation { accreditations: vec![], ..whole.clone() }, Stage::Sponsored),
            (Organisation { responsibilities: None, ..whole.clone() }, Stage::Accredited),
            (Organisation { suspended: true, ..whole.clone() }, Stage::Suspended),
        ] {
            assert_eq!(organisation.stage(today, TEXTS), stage);
        }
        assert_eq!(whole.stage(today, Texts { responsibilities: 3, ..TEXTS }), Stage::Accredited, "a new version asks again");
        assert_eq!(whole.stage(day("2027-04-01"), TEXTS), Stage::Sponsored, "expired");
    }

    #[test]
    fn an_accreditation_is_for_one_capability_and_to_its_last_day() {
        // B2: accredited per capability, and it expires
        let whole = connected();
        assert!(whole.may(Capability::Query, day("2027-03-31")));
        assert!(!whole.may(Capability::Query, day("2027-04-01")));
        assert!(!whole.may(Capability::Feed, day("2026-11-22")));
    }
}
