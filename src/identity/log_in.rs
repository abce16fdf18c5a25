//! The log-in (rules C2, C6): both factors always looked at, one answer for every failure, every attempt in the log.
//!
//! What the factors are worth is decided inside the transaction that records it, on the account as it is there: two attempts at the same
//! moment can neither use a code twice nor guess past the delay. A name that this channel's organisation does not have costs the same
//! work, waits the same delays and gets the same answer as one that it has. An attempt that finds its organisation's line full
//! (`queue`) is refused unlooked, as one that came too early: no organisation makes another one wait.

use crate::caller::Channel;
use crate::clock::Now;
use crate::code::{self, SECRET_BYTES};
use crate::delay;
use crate::error::IdentityError;
use crate::identity::Identity;
use crate::password;
use crate::refusal::{IdentityRefusal, LoginRefused, TurnedAway};
use crate::session::SessionTicket;
use contactpoint_audit::{Entry, Operation, Outcome, RefusalCode};
use contactpoint_domain::{AccountState, Instant, LoginName, Organisation, OrganisationId, PersonId, Role};
use contactpoint_store::{Account, Committed, StoreError};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// For an attempt that found its organisation's line full.
const LINE_FULL: Duration = Duration::from_secs(1);

/// What the two factors are worth, account or not.
#[derive(Clone, Copy)]
struct Evidence {
    password: bool,
    step: Option<u64>,
}

/// What an attempt came to.
#[derive(Clone, Copy)]
enum Verdict {
    Good,
    Failed(RefusalCode),
    TooEarly(Duration),
}

/// Whom the log-in name means on this channel.
enum Subject {
    Known(Box<Account>, Arc<Organisation>),
    /// No account here; what the log is to say of it.
    Unknown(Unknown),
    /// Nobody may log in on this channel.
    Barred(IdentityRefusal, Option<OrganisationId>),
}

#[derive(Clone, Copy)]
struct Unknown {
    person: Option<PersonId>,
    organisation: Option<OrganisationId>,
    code: RefusalCode,
}

impl Identity {
    /// Tries to log a person in. Takes about 25 ms for any attempt that is looked at.
    ///
    /// `login` and `code` as they were typed, `password` in bytes. An attempt before the account's delay has passed is refused
    /// unlooked. Whatever comes out is in the log before this returns.
    pub async fn log_in(
        &self,
        channel: &Channel,
        login: &str,
        password: &[u8],
        code: &str,
        now: Now,
    ) -> Result<Committed<Result<SessionTicket, LoginRefused>>, IdentityError> {
        match self.subject(channel, login)? {
            Subject::Known(account, organisation) => self.known(channel, *account, organisation, password, code, now).await,
            Subject::Unknown(unknown) => self.unknown(channel, login, unknown, password, code, now).await,
            Subject::Barred(refusal, organisation) => self.barred(refusal, organisation, now).await,
        }
    }

    /// May anybody log in on this channel? To be asked before anything is read of an attempt (rules B1, B4); a refusal is in the log.
    pub async fn may_try(&self, channel: &Channel, now: Now) -> Result<Result<(), TurnedAway>, IdentityError> {
        match self.here(channel) {
            Ok(_) => Ok(Ok(())),
            Err((refusal, organisation)) => {
                let entry = self.barred(refusal, organisation, now).await?.logged();
                Ok(Err(TurnedAway { refusal, entry: Some(entry) }))
            }
        }
    }

    /// The organisation of a channel, `None` on the control socket; or why nobody may log in there, and whose it is.
    fn here(&self, channel: &Channel) -> Result<Option<OrganisationId>, (IdentityRefusal, Option<OrganisationId>)> {
        match channel {
            Channel::Local { .. } => Ok(None),
            Channel::Certificate { key } => match self.organisation(channel) {
                Ok(organisation) => Ok(Some(organisation.id)),
                Err(refusal) => Err((refusal, self.enrolled(key).ok().map(|organisation| organisation.id))),
            },
        }
    }

    fn subject(&self, channel: &Channel, login: &str) -> Result<Subject, StoreError> {
        let here = match self.here(channel) {
            Ok(here) => here,
            Err((refusal, organisation)) => return Ok(Subject::Barred(refusal, organisation)),
        };
        let found = match LoginName::try_from(login) {
            Ok(login) => self.store.registry(|registry| registry.account_by_login(&login))?,
            Err(_) => None,
        };
        let Some(account) = found else {
            return Ok(Subject::Unknown(Unknown { person: None, organisation: here, code: RefusalCode::UnknownAccount }));
        };
        Ok(match self.organisation_of(&account, channel) {
            Ok(organisation) => Subject::Known(Box::new(account), organisation),
            Err(_) => Subject::Unknown(Unknown { person: Some(account.id), organisation: here, code: elsewhere(channel) }),
        })
    }

    async fn known(
        &self,
        channel: &Channel,
        account: Account,
        organisation: Arc<Organisation>,
        password: &[u8],
        code: &str,
        now: Now,
    ) -> Result<Committed<Result<SessionTicket, LoginRefused>>, IdentityError> {
        let (person, name, roles, resets) = (account.id, account.name.clone(), account.roles.clone(), account.resets);
        let evidence = match delay::remaining(account.delayed_until, now.wall) {
            Some(_) => None,
            None => self.evidence(channel, (account.password, account.code_secret), password, code, now.wall).await?,
        };
        let entry = entry(now.wall, Some(person), Some(organisation.id), roles.first().copied());
        let committed = self
            .store
            .change(move |tx| {
                let mut account = tx.account(person)?.ok_or(StoreError::Unknown("account"))?;
                // what was looked at is worth nothing once a factor was made anew (rule C5)
                let evidence = evidence.filter(|_| account.resets == resets);
                let verdict = judge(&mut account, evidence, now.wall);
                if !matches!(verdict, Verdict::TooEarly(_)) {
                    tx.put_account(&account)?;
                }
                Ok((verdict, entry(outcome(verdict))))
            })
            .await?;
        let result = match *committed.get() {
            Verdict::Good => {
                let token = self.sessions.begin(person, *channel, self.standing(channel, person, resets), now)?;
                Ok(SessionTicket::new(token, person, name, roles, organisation, self.sessions.idle()))
            }
            Verdict::Failed(_) => Err(LoginRefused::Failed { retry_after: None }),
            Verdict::TooEarly(wait) => Err(LoginRefused::Failed { retry_after: Some(wait) }),
        };
        Ok(committed.map(|_| result))
    }

    async fn unknown(
        &self,
        channel: &Channel,
        login: &str,
        unknown: Unknown,
        password: &[u8],
        code: &str,
        now: Now,
    ) -> Result<Committed<Result<SessionTicket, LoginRefused>>, IdentityError> {
        let at = unknown.organisation;
        let mut retry_after = self.unknown.remaining(at, login, now.wall);
        if retry_after.is_none() {
            let record = Zeroizing::new(password::NOBODYS_RECORD.as_bytes().to_vec());
            let kept = (record, Zeroizing::new(vec![0; SECRET_BYTES]));
            retry_after = match self.evidence(channel, kept, password, code, now.wall).await? {
                // again afterwards, as an account's delay is looked at again when the verdict is written
                Some(_) => self.unknown.failed(at, login, now.wall),
                None => Some(LINE_FULL),
            };
        }
        let code = if retry_after.is_some() { RefusalCode::Delayed } else { unknown.code };
        let entry = entry(now.wall, unknown.person, unknown.organisation, None)(Outcome::Refused(code));
        let committed = self.store.change(move |_| Ok(((), entry))).await?;
        Ok(committed.map(|()| Err(LoginRefused::Failed { retry_after })))
    }

    async fn barred(
        &self,
        refusal: IdentityRefusal,
        organisation: Option<OrganisationId>,
        now: Now,
    ) -> Result<Committed<Result<SessionTicket, LoginRefused>>, IdentityError> {
        let entry = entry(now.wall, None, organisation, None)(Outcome::Refused(barred_code(refusal)));
        let committed = self.store.change(move |_| Ok(((), entry))).await?;
        Ok(committed.map(|()| Err(LoginRefused::Channel(refusal))))
    }

    /// Looks at both factors, against the password record and code secret that are kept, away from the threads that answer look-ups, and
    /// never more than two at once. `None`, unlooked, where the line of the channel's organisation is full.
    async fn evidence(
        &self,
        channel: &Channel,
        (record, secret): (Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>),
        password: &[u8],
        code: &str,
        now: Instant,
    ) -> Result<Option<Evidence>, IdentityError> {
        let Some(in_line) = self.queue.enter(self.line_of(channel)) else { return Ok(None) };
        let permit = Arc::clone(&self.checks).acquire_owned().await.map_err(|_| IdentityError::Stopping)?;
        let (pepper, password, code) = (Arc::clone(&self.pepper), Zeroizing::new(password.to_vec()), Zeroizing::new(code.to_owned()));
        let looked = tokio::task::spawn_blocking(move || {
            let _held = (permit, in_line);
            let password = password::matches(pepper.as_ref(), &record, &password)?;
            let step = code::matching_step(&secret, &code, now)?;
            Ok(Some(Evidence { password, step }))
        });
        looked.await.map_err(|_| IdentityError::Stopping)?
    }

    /// Every certificate of an organisation waits in the same line, and the control socket's officers in one of their own.
    fn line_of(&self, channel: &Channel) -> Option<OrganisationId> {
        match channel {
            Channel::Certificate { key } => self.enrolled(key).ok().map(|organisation| organisation.id),
            Channel::Local { .. } => None,
        }
    }
}

/// The verdict on an account, and the account as the verdict leaves it. `evidence` is `None` where nothing was looked at.
fn judge(account: &mut Account, evidence: Option<Evidence>, now: Instant) -> Verdict {
    if let Some(wait) = delay::remaining(account.delayed_until, now) {
        return Verdict::TooEarly(wait);
    }
    let Some(evidence) = evidence else {
        // the line was full, or the delay passed between the first look and this one: too early it was
        return Verdict::TooEarly(LINE_FULL);
    };
    let verdict = weigh(account, evidence);
    match (verdict, evidence.step) {
        (Verdict::Good, Some(step)) => {
            account.last_code_step = step;
            account.failures = 0;
            account.delayed_until = Instant::default();
        }
        // good without a step is not: it counts as a failure, like all that is not good
        (Verdict::Good, None) | (Verdict::Failed(_) | Verdict::TooEarly(_), _) => {
            account.failures = account.failures.saturating_add(1);
            account.delayed_until = delay::until(account.failures, now);
        }
    }
    verdict
}

fn weigh(account: &Account, evidence: Evidence) -> Verdict {
    match evidence {
        Evidence { password: true, step: Some(step) } if step > account.last_code_step => match account.state {
            AccountState::Active => Verdict::Good,
            AccountState::Locked => Verdict::Failed(RefusalCode::PersonLocked),
            AccountState::Suspended => Verdict::Failed(RefusalCode::PersonSuspended),
            AccountState::Closed => Verdict::Failed(RefusalCode::PersonClosed),
        },
        // a step works once (RFC 6238, section 5.2), and none before it ever again
        Evidence { password: true, step: Some(_) } => Verdict::Failed(RefusalCode::CodeReplayed),
        Evidence { password: true, step: None } | Evidence { password: false, .. } => Verdict::Failed(RefusalCode::BadCredentials),
    }
}

fn outcome(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Good => Outcome::Answered,
        Verdict::Failed(code) => Outcome::Refused(code),
        Verdict::TooEarly(_) => Outcome::Refused(RefusalCode::Delayed),
    }
}

fn barred_code(refusal: IdentityRefusal) -> RefusalCode {
    match refusal {
        IdentityRefusal::OrganisationSuspended => RefusalCode::OrganisationSuspended,
        IdentityRefusal::PersonSuspended => RefusalCode::PersonSuspended,
        IdentityRefusal::NotAuthenticated
        | IdentityRefusal::SessionEnded
        | IdentityRefusal::OrganisationNotEnrolled
        | IdentityRefusal::PersonLocked
        | IdentityRefusal::PersonClosed
        | IdentityRefusal::Unavailable => RefusalCode::OtherOrganisation,
    }
}

/// Why an account that exists cannot be used on this channel.
fn elsewhere(channel: &Channel) -> RefusalCode {
    match channel {
        Channel::Certificate { .. } => RefusalCode::OtherOrganisation,
        Channel::Local { .. } => RefusalCode::RoleForbids,
    }
}

/// The entry of an attempt, but for its outcome.
fn entry(
    at: Instant,
    person: Option<PersonId>,
    organisation: Option<OrganisationId>,
    role: Option<Role>,
) -> impl FnOnce(Outcome) -> Entry + Send + 'static {
    move |outcome| Entry {
        at,
        person,
        organisation,
        role,
        operation: Operation::LogIn,
        reason: None,
        children: Vec::new(),
        shown: Vec::new(),
        outcome,
        changes: Vec::new(),
        on_behalf_of: None,
        facts: Vec::new(),
    }
}
