//! The service itself: what it holds, and the questions asked of it at every request.

use crate::again::usable;
use crate::caller::{Caller, Channel, Qualifications};
use crate::certificates::Certificates;
use crate::clock::{Clock, Now};
use crate::delay::UnknownNames;
use crate::error::IdentityError;
use crate::password::Pepper;
use crate::queue::Queue;
use crate::refusal::{IdentityRefusal, TurnedAway};
use crate::request::RequestSeen;
use crate::session::{Sessions, Standing};
use contactpoint_audit::{Entry, Operation, Outcome};
use contactpoint_domain::{Organisation, OrganisationKind, PersonId};
use contactpoint_store::{Account, Committed, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Password checks at the same time: each takes 19 MiB and a processor for 20 ms, and look-ups must not starve.
const CHECKS_AT_ONCE: usize = 2;

/// Log-ins, sessions, and who is asking. One for the process; shared by reference.
pub struct Identity {
    pub(crate) store: Store,
    pub(crate) pepper: Arc<dyn Pepper>,
    pub(crate) sessions: Sessions,
    pub(crate) unknown: UnknownNames,
    pub(crate) checks: Arc<Semaphore>,
    pub(crate) queue: Queue,
    certificates: Certificates,
    clock: Clock,
}

impl Identity {
    /// Over an open store and the HSM's pepper. Sessions end after `idle` without a request, and after 15 minutes whatever it is.
    #[must_use]
    pub fn new(store: Store, pepper: Arc<dyn Pepper>, clock: Clock, idle: Duration) -> Self {
        Self {
            store,
            pepper,
            sessions: Sessions::ending_after(idle),
            unknown: UnknownNames::default(),
            checks: Arc::new(Semaphore::new(CHECKS_AT_ONCE)),
            queue: Queue::default(),
            certificates: Certificates::default(),
            clock,
        }
    }

    /// Reads the clock: once a request, and handed on from there.
    #[must_use]
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// Who sends this request, proved afresh: the token names a live session, begun on this very channel; the channel's organisation
    /// is enrolled and not suspended (rules B1, B4); the person is not suspended and belongs to it. Counts as use of the session.
    pub fn caller(&self, channel: &Channel, token: &str, now: Now) -> Result<Caller, IdentityRefusal> {
        let alive = self.sessions.find(channel, token, now)?;
        let standing = self.fresh(channel, alive.person, alive.standing, |standing| self.sessions.remember(alive.id, standing));
        let (organisation, qualifications) = standing.verdict?;
        Ok(Caller::proved(alive.person, organisation, qualifications, alive.id, standing.resets))
    }

    /// Who sends a request for this operation. One whom [`Self::caller`] refuses is in the log before being told (rule F1: every attempt).
    pub async fn caller_for(&self, operation: Operation, channel: &Channel, token: &str, now: Now) -> Result<Caller, TurnedAway> {
        let refusal = match self.caller(channel, token, now) {
            Ok(caller) => return Ok(caller),
            Err(refusal) => refusal,
        };
        let Some(code) = refusal.in_the_log() else { return Err(refusal.into()) };
        let organisation = match channel {
            Channel::Certificate { key } => self.enrolled(key).ok().map(|organisation| organisation.id),
            Channel::Local { .. } => None,
        };
        let attempt = Entry {
            at: now.wall,
            person: self.sessions.person_of(token),
            organisation,
            role: None,
            operation,
            reason: None,
            children: Vec::new(),
            shown: Vec::new(),
            outcome: Outcome::Refused(code),
            changes: Vec::new(),
            on_behalf_of: None,
            facts: Vec::new(),
        };
        let attempted = self.store.look(move |_| Ok(((), attempt))).await.map_err(unavailable)?;
        Err(TurnedAway { refusal, entry: Some(attempted.logged()) })
    }

    /// The organisation of a channel, without a person: enough for the public parts of the log, and for nothing else.
    pub fn organisation(&self, channel: &Channel) -> Result<Arc<Organisation>, IdentityRefusal> {
        match channel {
            Channel::Certificate { key } => not_suspended(self.enrolled(key)?),
            Channel::Local { .. } => Err(IdentityRefusal::OrganisationNotEnrolled),
        }
    }

    /// Notes the id that a caller gave this request. `body` is the SHA-256 of what the request says.
    pub fn note_request(&self, caller: &Caller, request: &str, body: &[u8; 32]) -> RequestSeen {
        self.sessions.note_request(caller.session(), request, body)
    }

    /// Ends the caller's session, and then says so in the log.
    pub async fn log_out(&self, caller: &Caller, now: Now) -> Result<Committed<()>, IdentityError> {
        self.sessions.end(caller.session());
        let entry = Entry {
            at: now.wall,
            person: Some(caller.person()),
            organisation: Some(caller.organisation_id()),
            role: caller.role(),
            operation: Operation::LogOut,
            reason: None,
            children: Vec::new(),
            shown: Vec::new(),
            outcome: Outcome::Answered,
            changes: Vec::new(),
            on_behalf_of: None,
            facts: Vec::new(),
        };
        Ok(self.store.change(move |_| Ok(((), entry))).await?)
    }

    /// What the registry says of person and channel now; asked only when it has changed since `known`.
    fn fresh(&self, channel: &Channel, person: PersonId, known: Standing, remember: impl FnOnce(&Standing)) -> Standing {
        if known.generation == self.store.registry_generation() {
            return known;
        }
        let standing = self.standing(channel, person, known.resets);
        remember(&standing);
        standing
    }

    pub(crate) fn standing(&self, channel: &Channel, person: PersonId, resets: u32) -> Standing {
        // the generation is read first: a change in between is then asked for again, never missed
        let generation = self.store.registry_generation();
        Standing { generation, resets, verdict: self.verdict(channel, person, resets) }
    }

    fn verdict(
        &self,
        channel: &Channel,
        person: PersonId,
        resets: u32,
    ) -> Result<(Arc<Organisation>, Arc<Qualifications>), IdentityRefusal> {
        let account = self.store.registry(|registry| registry.account(person)).map_err(unavailable)?;
        let account = account.ok_or(IdentityRefusal::PersonSuspended)?;
        let organisation = self.organisation_of(&account, channel)?;
        usable(account.state)?;
        // whoever had the factor that was made anew has no session any more (rule C5)
        if account.resets != resets {
            return Err(IdentityRefusal::SessionEnded);
        }
        let qualifications = self.store.registry(|registry| Qualifications::of(registry, account)).map_err(unavailable)?;
        Ok((organisation, Arc::new(qualifications)))
    }

    /// The organisation of a person on a channel: the certificate's, which must be theirs; on the control socket their own, which must
    /// be the data centre.
    pub(crate) fn organisation_of(&self, account: &Account, channel: &Channel) -> Result<Arc<Organisation>, IdentityRefusal> {
        let organisation = match channel {
            Channel::Certificate { .. } => self.organisation(channel)?,
            Channel::Local { .. } => self.data_centre(account)?,
        };
        if organisation.id == account.organisation {
            Ok(organisation)
        } else {
            Err(IdentityRefusal::PersonSuspended)
        }
    }

    fn data_centre(&self, person: &Account) -> Result<Arc<Organisation>, IdentityRefusal> {
        let found = self.store.registry(|registry| registry.organisation(person.organisation)).map_err(unavailable)?;
        let organisation = found.ok_or(IdentityRefusal::OrganisationNotEnrolled)?;
        if organisation.kind == OrganisationKind::DataCentre {
            not_suspended(Arc::new(organisation))
        } else {
            Err(IdentityRefusal::PersonSuspended)
        }
    }

    /// The organisation on record for a key; read again whenever the registry has changed.
    pub(crate) fn enrolled(&self, key: &[u8; 32]) -> Result<Arc<Organisation>, IdentityRefusal> {
        let generation = self.store.registry_generation();
        if let Some(known) = self.certificates.known(generation, key) {
            return Ok(known);
        }
        let found = self.store.registry(|registry| registry.organisation_by_certificate(key)).map_err(unavailable)?;
        let organisation = Arc::new(found.ok_or(IdentityRefusal::OrganisationNotEnrolled)?);
        self.certificates.remember(generation, *key, &organisation);
        Ok(organisation)
    }
}

fn unavailable(error: StoreError) -> IdentityRefusal {
    log::error!("the registry cannot be read: {error}");
    IdentityRefusal::Unavailable
}

fn not_suspended(organisation: Arc<Organisation>) -> Result<Arc<Organisation>, IdentityRefusal> {
    if organisation.suspended {
        Err(IdentityRefusal::OrganisationSuspended)
    } else {
        Ok(organisation)
    }
}
