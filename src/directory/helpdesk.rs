//! A factor made anew by two people (rule C5): begun by the helpdesk, which asked the scripted questions, completed by somebody else.

use crate::connect::{again, Stop};
use crate::entries::{acting, with_outcome};
use crate::people::subject;
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation};
use contactpoint_domain::{Factor, Instant, LoginName, OrganisationId, PersonId, Verified};
use contactpoint_identity::{Caller, Confirmed, NewFactor, Pepper};
use contactpoint_policy::{self as policy, Moment, Refusal};
use contactpoint_store::{Account, Registry, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Which factor is lost, and how its holder was verified.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"factor": "code", "verified": ["employee-number", "line-manager", "vetting-month"]}))]
pub struct BeginReset {
    /// password or code.
    pub factor: Factor,
    /// The scripted questions that were answered: at least three different ones.
    pub verified: Vec<Verified>,
}

/// The second factor of whoever completes a reset.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "492817"}))]
pub struct CompleteReset {
    /// The six digits that the authenticator of the second person shows now.
    pub code: String,
}

/// A reset that waits for its second person.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"id": 17, "login": "b.lindqvist", "factor": "code", "until": "2026-11-23T09:41:00Z"}))]
pub struct ResetBegun {
    id: PersonId,
    login: LoginName,
    factor: Factor,
    /// From then on it is none.
    #[schema(value_type = String, format = DateTime)]
    until: Instant,
}

/// The factor made anew. It is shown here and never again; every session of the account has ended.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"id": 17, "login": "b.lindqvist", "factor": "password", "password": "Qm7vKx2RbT9wLcHd5NzA"}))]
pub struct ResetDone {
    id: PersonId,
    login: LoginName,
    factor: Factor,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// The secret of the time-based code in base32 (RFC 4648).
    #[serde(skip_serializing_if = "Option::is_none")]
    code_secret: Option<String>,
    /// The same as an address that authenticator applications read.
    #[serde(skip_serializing_if = "Option::is_none")]
    otpauth: Option<String>,
}

impl ResetDone {
    fn of(account: &Account, factor: Factor, made: &NewFactor) -> Self {
        let told = Some(made.expose_told().to_owned());
        let (password, code_secret) = match factor {
            Factor::Password => (told, None),
            Factor::Code => (None, told),
        };
        let otpauth = made.expose_otpauth().map(str::to_owned);
        Self { id: account.id, login: account.login.clone(), factor, password, code_secret, otpauth }
    }
}

impl Directory {
    /// Begins to reset a factor of a person of the caller's organisation.
    pub async fn begin_reset(&self, caller: &Caller, person: PersonId, request: BeginReset, now: Instant) -> Answered<ResetBegun> {
        let by = caller.clone();
        self.alter(acting(caller, Operation::BeginReset, now), move |transaction, blank| {
            written(blank, begun(transaction, &by, person, &request, now))
        })
        .await
    }

    /// Completes a reset as its second person, who is proved anew. The new factor is in the answer and nowhere else.
    pub async fn complete_reset(
        &self,
        caller: &Caller,
        person: PersonId,
        proof: Confirmed,
        pepper: Arc<dyn Pepper>,
        now: Instant,
    ) -> Answered<ResetDone> {
        let blank = acting(caller, Operation::CompleteReset, now);
        if !proof.is_of(caller) {
            return self.refuse(blank, Refusal::NotConfirmed.into()).await;
        }
        // decided here so that nothing is made for whoever is refused, and again where it is written
        let found = self.store.registry(|registry| settled(completable(registry, caller, person, now)))?;
        let (login, factor) = match found {
            Ok((account, factor)) => (account.login, factor),
            Err(refused) => return self.refuse(blank, refused).await,
        };
        let made = tokio::task::spawn_blocking(move || NewFactor::made(pepper.as_ref(), &login, factor)).await;
        let made = made.ok().and_then(Result::ok).ok_or(StoreError::Stopped)?;
        let by = caller.clone();
        self.alter(blank, move |transaction, blank| written(blank, completed(transaction, &by, person, factor, &made, now))).await
    }
}

fn begun(
    transaction: &mut Transaction<'_>,
    by: &Caller,
    person: PersonId,
    BeginReset { factor, verified }: &BeginReset,
    now: Instant,
) -> Result<ResetBegun, Stop> {
    let by = &again(transaction, by)?;
    policy::admit(by, Operation::BeginReset, Moment::of(now))?;
    let mut account = own(transaction, by.organisation_id(), person)?;
    let reset = policy::begin_reset(by, Moment::of(now), &subject(&account), *factor, verified)?.reset();
    account.reset = Some(reset);
    transaction.put_account(&account)?;
    Ok(ResetBegun { id: account.id, login: account.login, factor: reset.factor, until: reset.until })
}

/// The account whose reset the caller may complete, and which factor it is.
fn completable(registry: &Registry<'_>, by: &Caller, person: PersonId, now: Instant) -> Result<(Account, Factor), Stop> {
    policy::admit(by, Operation::CompleteReset, Moment::of(now))?;
    let account = own(registry, by.organisation_id(), person)?;
    let permit = policy::complete_reset(by, Moment::of(now), &subject(&account), account.reset.as_ref())?;
    Ok((account, permit.factor()))
}

fn completed(
    transaction: &mut Transaction<'_>,
    by: &Caller,
    person: PersonId,
    factor: Factor,
    made: &NewFactor,
    now: Instant,
) -> Result<ResetDone, Stop> {
    let (mut account, wanted) = completable(transaction, &again(transaction, by)?, person, now)?;
    if wanted != factor {
        // begun anew for the other factor meanwhile: what was made is for nobody
        return Err(Refusal::OutsideScope.into());
    }
    made.renew(&mut account);
    transaction.put_account(&account)?;
    Ok(ResetDone::of(&account, factor, made))
}

/// An account of this organisation. Another one's is not there.
fn own(registry: &Registry<'_>, organisation: OrganisationId, person: PersonId) -> Result<Account, Stop> {
    let found = registry.account(person)?.filter(|account| account.organisation == organisation);
    Ok(found.ok_or(Refused::Unknown("person"))?)
}

/// A refusal is an answer; a fault of the store is not.
fn settled<T>(result: Result<T, Stop>) -> Result<Result<T, Refused>, StoreError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(Stop::Refused(refused)) => Ok(Err(refused)),
        Err(Stop::Store(fault)) => Err(fault),
    }
}

fn written<T>(blank: Entry, result: Result<T, Stop>) -> Result<(Result<T, Refused>, Entry), StoreError> {
    let result = settled(result)?;
    let entry = with_outcome(blank, &result);
    Ok((result, entry))
}
