//! Who is asking: the proof that a connection, a session and the registry agreed a moment ago.
//!
//! A `Caller` is made in this crate alone (`Identity::caller`), for one request, and is not kept. What the caller may do is
//! `policy`'s question; this only says who it is.

use crate::session::SessionId;
use contactpoint_domain::{Address, Checks, FamilyName, Organisation, OrganisationId, PersonId, Role};
use std::sync::Arc;

/// What the connection itself proved, before a byte of the request was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Mutual TLS with a certificate over this key (rule B1).
    Certificate {
        /// SHA-256 of the certificate's DER SubjectPublicKeyInfo.
        key: [u8; 32],
    },
    /// The control socket (unix(7), SO_PEERCRED): for the data centre's officers only.
    Local {
        /// The peer's user id.
        uid: u32,
    },
}

/// What the registry says of a person at this request: what they may be, and what `policy` asks of everybody (rules C1, C3, C4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qualifications {
    /// Every role of theirs, in the order they were given.
    pub roles: Vec<Role>,
    /// Vetting, barring registration, training, agreement.
    pub checks: Checks,
    /// Who judges what they do.
    pub supervisor: Option<PersonId>,
    /// Their family name (rule D7).
    pub family: FamilyName,
    /// Where they live, by the vetting record (rule D7).
    pub home: Option<Address>,
}

/// A person of an organisation, both proved for this request. Nobody else can make one:
///
/// ```compile_fail,E0451
/// fn forge(organisation: std::sync::Arc<contactpoint_domain::Organisation>) -> contactpoint_identity::Caller {
///     contactpoint_identity::Caller { person: contactpoint_domain::PersonId(1), organisation, qualifications: todo!(), session: todo!(), resets: 0 }
/// }
/// ```
#[derive(Clone)]
pub struct Caller {
    person: PersonId,
    organisation: Arc<Organisation>,
    qualifications: Arc<Qualifications>,
    session: SessionId,
    /// How often a factor of theirs had been made anew when the session began (rule C5).
    resets: u32,
}

impl Caller {
    pub(crate) fn proved(
        person: PersonId,
        organisation: Arc<Organisation>,
        qualifications: Arc<Qualifications>,
        session: SessionId,
        resets: u32,
    ) -> Self {
        Self { person, organisation, qualifications, session, resets }
    }

    /// A caller nobody proved, for tests of what comes after identity.
    #[cfg(feature = "dangerous-callers")]
    #[must_use]
    pub fn dangerous_new(person: PersonId, organisation: Organisation, qualifications: Qualifications) -> Self {
        Self::proved(person, Arc::new(organisation), Arc::new(qualifications), SessionId::dangerous_none(), 0)
    }

    /// The person.
    #[must_use]
    pub fn person(&self) -> PersonId {
        self.person
    }

    /// Their organisation, as the registry had it at this request.
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// The number of their organisation.
    #[must_use]
    pub fn organisation_id(&self) -> OrganisationId {
        self.organisation.id
    }

    /// Every role of theirs, in the order they were given.
    #[must_use]
    pub fn roles(&self) -> &[Role] {
        &self.qualifications.roles
    }

    /// What the registry says of the person.
    #[must_use]
    pub fn qualifications(&self) -> &Qualifications {
        &self.qualifications
    }

    /// The role given first: what an entry names where no particular one was called for.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.roles().first().copied()
    }

    /// The first of `wanted` that they hold: the role in which they act.
    #[must_use]
    pub fn acting_role(&self, wanted: &[Role]) -> Option<Role> {
        wanted.iter().copied().find(|role| self.roles().contains(role))
    }

    pub(crate) fn resets(&self) -> u32 {
        self.resets
    }

    /// The session that this request belongs to: what is granted to it alone hangs on it.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("person", &self.person).field("organisation", &self.organisation.id).finish_non_exhaustive()
    }
}
