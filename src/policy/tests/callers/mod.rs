//! Callers whom nobody proved, with every gate open, to enumerate decisions.

#![allow(dead_code, reason = "each test program takes what it needs")]

use contactpoint_domain::{
    Acceptance, Accreditation, Capability, Checks, Day, Instant, Organisation, OrganisationId, OrganisationKind, PersonId, Role,
    Sponsorship, Texts,
};
use contactpoint_identity::{Caller, Qualifications};
use contactpoint_policy::Moment;

pub(crate) const ME: PersonId = PersonId(5);
pub(crate) const SPONSOR: PersonId = PersonId(41);
pub(crate) const OFFICER: PersonId = PersonId(42);
pub(crate) const HERE: OrganisationId = OrganisationId(7);

pub(crate) fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// A Sunday in 2026 on which everything below holds.
pub(crate) fn moment() -> Moment {
    let now = Instant::of_millis(1_795_341_600_000);
    Moment { now, today: day("2026-11-22"), texts: Texts { responsibilities: 3, agreement: 2 } }
}

pub(crate) fn accredited(capability: Capability) -> Accreditation {
    Accreditation { capability, by: OFFICER, expires: day("2027-03-31") }
}

/// An organisation with every gate open, accredited for these capabilities.
pub(crate) fn organisation(kind: OrganisationKind, capabilities: &[Capability]) -> Organisation {
    let at = Instant::of_millis(1_760_000_000_000);
    Organisation {
        id: HERE,
        name: "Test".try_into().unwrap(),
        kind,
        authority: Some(OrganisationId(3)),
        telephone: None,
        email: None,
        postcode: None,
        heads: Vec::new(),
        sponsorship: Some(Sponsorship { by: SPONSOR, at }),
        accreditations: capabilities.iter().copied().map(accredited).collect(),
        responsibilities: Some(Acceptance { version: 3, by: PersonId(43), at }),
        suspended: false,
        holds_new: false,
    }
}

/// Somebody whose checks hold, and who has a supervisor.
pub(crate) fn qualified(roles: &[Role]) -> Qualifications {
    let made = Some(day("2026-06-01"));
    let checks = Checks { vetted: made, barring: made, trained: made, agreement: Some((2, day("2026-06-01"))) };
    let family = "Okafor".try_into().unwrap();
    Qualifications { roles: roles.to_vec(), checks, supervisor: Some(PersonId(6)), family, home: None }
}

/// A caller with every gate open, of an organisation that is accredited for everything.
pub(crate) fn caller(kind: OrganisationKind, roles: &[Role]) -> Caller {
    Caller::dangerous_new(ME, organisation(kind, Capability::ALL), qualified(roles))
}
