//! Sessions: in memory only, so that a restart ends them all. A token is 32 random bytes; what is kept is its SHA-256.
//!
//! Bound to the channel it began on (rule C2), ends after 15 idle minutes and after 12 hours, both on the monotonic clock. A person
//! has at most eight; the oldest goes. Does not ask the registry anything: `Identity::caller` does, at each request.

use crate::caller::{Channel, Qualifications};
use crate::clock::Now;
use crate::delay::Failures;
use crate::refusal::IdentityRefusal;
use crate::request::{RequestIds, RequestSeen};
use contactpoint_domain::{Instant, Name, Organisation, PersonId, Role};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zeroize::{Zeroize, Zeroizing};

/// No session lives longer than this without a request (rule C2: 15 idle minutes); a setting may make it shorter.
pub(crate) const LONGEST_IDLE: Duration = Duration::from_secs(15 * 60);
/// No session is older than this, however busy: one working day.
pub(crate) const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions a person may have side by side; with one more, the oldest ends.
pub(crate) const PER_PERSON: usize = 8;

/// The name of a session inside the process: the token's SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 32]);

impl SessionId {
    #[cfg(feature = "dangerous-callers")]
    pub(crate) fn dangerous_none() -> Self {
        Self([0; 32])
    }

    /// The name itself: for what is bound to one session.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The session a bearer token names; `None` where the text cannot be a token.
    fn of_token(token: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0u8; 33]);
        // 43 characters of base64url are 32 bytes
        (token.len() == 43).then_some(())?;
        let length = BASE64URL_NOPAD.decode_mut(token.as_bytes(), &mut bytes[..32]).ok()?;
        Some(Self(Sha256::digest(&bytes[..length]).into()))
    }
}

/// What a person gets for two good factors. Shown to them once.
pub struct SessionTicket {
    token: Zeroizing<String>,
    /// The person.
    pub person: PersonId,
    /// Their name.
    pub name: Name,
    /// Their roles.
    pub roles: Vec<Role>,
    /// Their organisation.
    pub organisation: Arc<Organisation>,
    /// How long the session lives without a request.
    pub idle: Duration,
}

impl SessionTicket {
    /// The bearer token, 43 characters of base64url (RFC 4648): for the answer to the log-in, and nowhere else.
    #[must_use]
    pub fn expose_token(&self) -> &str {
        &self.token
    }

    pub(crate) fn new(
        token: Zeroizing<String>,
        person: PersonId,
        name: Name,
        roles: Vec<Role>,
        organisation: Arc<Organisation>,
        idle: Duration,
    ) -> Self {
        Self { token, person, name, roles, organisation, idle }
    }
}

impl std::fmt::Debug for SessionTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionTicket").field("person", &self.person).finish_non_exhaustive()
    }
}

/// What the registry said of a session's person and channel, and at which of its generations.
#[derive(Clone)]
pub(crate) struct Standing {
    pub(crate) generation: u64,
    /// How often a factor had been made anew when the session began (rule C5).
    pub(crate) resets: u32,
    pub(crate) verdict: Result<(Arc<Organisation>, Arc<Qualifications>), IdentityRefusal>,
}

/// A session found alive.
pub(crate) struct Alive {
    pub(crate) id: SessionId,
    pub(crate) person: PersonId,
    pub(crate) standing: Standing,
}

struct Session {
    person: PersonId,
    channel: Channel,
    began: Duration,
    last_used: Duration,
    standing: Standing,
    requests: RequestIds,
    /// Codes in a row that were not good (rule C2).
    codes: Failures,
}

/// Why no code of a session is looked at.
pub(crate) enum Unlooked {
    /// Those before it failed (rule C6).
    TooEarly(Duration),
    /// The session has ended meanwhile.
    Ended,
}

impl Session {
    fn has_ended(&self, now: Duration, idle: Duration) -> bool {
        now.saturating_sub(self.last_used) >= idle || now.saturating_sub(self.began) >= LONGEST
    }
}

/// Every live session.
pub(crate) struct Sessions {
    idle: Duration,
    table: Mutex<HashMap<SessionId, Session>>,
}

impl Sessions {
    /// None yet. Each will end after `idle` without a request, and never later than rule C2 allows.
    pub(crate) fn ending_after(idle: Duration) -> Self {
        Self { idle: idle.min(LONGEST_IDLE), table: Mutex::default() }
    }

    /// How long a session lives without a request.
    pub(crate) fn idle(&self) -> Duration {
        self.idle
    }

    /// Begins one and hands back its token.
    pub(crate) fn begin(
        &self,
        person: PersonId,
        channel: Channel,
        standing: Standing,
        now: Now,
    ) -> Result<Zeroizing<String>, getrandom::Error> {
        let (token, id) = fresh_token()?;
        let at = now.monotonic;
        let mut all = self.lock();
        all.retain(|_, session| !session.has_ended(at, self.idle));
        make_room(&mut all, person);
        let (requests, codes) = (RequestIds::default(), Failures::default());
        all.insert(id, Session { person, channel, began: at, last_used: at, standing, requests, codes });
        Ok(token)
    }

    /// The session of a token, on the channel it began on; counts as use.
    pub(crate) fn find(&self, channel: &Channel, token: &str, now: Now) -> Result<Alive, IdentityRefusal> {
        let id = SessionId::of_token(token).ok_or(IdentityRefusal::NotAuthenticated)?;
        let mut all = self.lock();
        let session = all.get_mut(&id).ok_or(IdentityRefusal::SessionEnded)?;
        if session.channel != *channel {
            return Err(IdentityRefusal::NotAuthenticated);
        }
        if session.has_ended(now.monotonic, self.idle) {
            // swept when the next session begins; until then the log can say whose it was
            return Err(IdentityRefusal::SessionEnded);
        }
        session.last_used = session.last_used.max(now.monotonic);
        Ok(Alive { id, person: session.person, standing: session.standing.clone() })
    }

    /// Whose token this is or lately was, on whatever channel: for the log of a refusal, and for nothing else.
    pub(crate) fn person_of(&self, token: &str) -> Option<PersonId> {
        self.lock().get(&SessionId::of_token(token)?).map(|session| session.person)
    }

    /// Remembers what the registry said, so that the next request of the same generation need not ask.
    pub(crate) fn remember(&self, id: SessionId, standing: &Standing) {
        if let Some(session) = self.lock().get_mut(&id) {
            session.standing = standing.clone();
        }
    }

    /// Ends one.
    pub(crate) fn end(&self, id: SessionId) {
        self.lock().remove(&id);
    }

    /// Counts a code as failed before it is looked at, so that none at the same moment outruns the delay; [`Self::code_was_good`] takes it back.
    pub(crate) fn try_code(&self, id: SessionId, now: Instant) -> Result<(), Unlooked> {
        let mut all = self.lock();
        let session = all.get_mut(&id).ok_or(Unlooked::Ended)?;
        session.codes.add(now).map_or(Ok(()), |wait| Err(Unlooked::TooEarly(wait)))
    }

    /// Forgets the failures of a session.
    pub(crate) fn code_was_good(&self, id: SessionId) {
        if let Some(session) = self.lock().get_mut(&id) {
            session.codes = Failures::default();
        }
    }

    /// Notes a request id in its session.
    pub(crate) fn note_request(&self, id: SessionId, request: &str, body: &[u8; 32]) -> RequestSeen {
        self.lock().get_mut(&id).map_or(RequestSeen::Fresh, |session| session.requests.note(request, body))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Session>> {
        // a poisoned table is whole: every change to it is one call
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh_token() -> Result<(Zeroizing<String>, SessionId), getrandom::Error> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)?;
    let token = Zeroizing::new(BASE64URL_NOPAD.encode(&bytes));
    let id = SessionId(Sha256::digest(bytes).into());
    bytes.zeroize();
    Ok((token, id))
}

/// Ends the person's oldest sessions until there is room for one more.
fn make_room(all: &mut HashMap<SessionId, Session>, person: PersonId) {
    let mut theirs: Vec<(Duration, SessionId)> = all.iter().filter(|(_, s)| s.person == person).map(|(id, s)| (s.began, *id)).collect();
    theirs.sort_by_key(|(began, _)| *began);
    let surplus = (theirs.len() + 1).saturating_sub(PER_PERSON);
    for (_, id) in theirs.into_iter().take(surplus) {
        all.remove(&id);
    }
}
