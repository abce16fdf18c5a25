//! People whom nobody proved, with every gate open, for what the directory does over this store.

#![expect(clippy::unwrap_used, reason = "a test's rig fails by panicking")]

use contactpoint_domain::{
    Acceptance, Accreditation, Capability, Checks, Instant, Organisation, OrganisationId, OrganisationKind, PersonId, Role, Sponsorship,
    Texts,
};
use contactpoint_identity::{Caller, Qualifications};

/// A morning in January 2026.
pub(crate) const NOW: Instant = Instant::of_millis(1_767_603_600_000);

/// Somebody of this role, in an organisation of this kind and number that is accredited for one thing; under the supervisor 4.
pub(crate) fn somebody(person: u32, role: Role, (kind, organisation): (OrganisationKind, u32), capability: Capability) -> Caller {
    let organisation = Organisation {
        id: OrganisationId(organisation),
        name: "Body".try_into().unwrap(),
        kind,
        authority: None,
        telephone: None,
        email: None,
        postcode: None,
        heads: Vec::new(),
        sponsorship: Some(Sponsorship { by: PersonId(2), at: NOW }),
        accreditations: vec![Accreditation { capability, by: PersonId(3), expires: NOW.day().plus_years(1) }],
        responsibilities: Some(Acceptance { version: Texts::IN_FORCE.responsibilities, by: PersonId(4), at: NOW }),
        suspended: false,
        holds_new: false,
    };
    let made = "2026-01-01".parse().unwrap();
    let checks =
        Checks { vetted: Some(made), barring: Some(made), trained: Some(made), agreement: Some((Texts::IN_FORCE.agreement, made)) };
    let (roles, supervisor, family) = (vec![role], Some(PersonId(4)), "Okafor".try_into().unwrap());
    Caller::dangerous_new(PersonId(person), organisation, Qualifications { roles, checks, supervisor, family, home: None })
}
