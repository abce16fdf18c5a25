//! Enrolling organisations (the security officer, at the data centre) and people (their organisation's administrator).

use crate::connect::{again, Stop};
use crate::entries::{entry, with_outcome};
use crate::people::{candidate, ChecksMade};
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::Operation;
use contactpoint_domain::{
    Address, Checks, EmailAddress, FamilyName, GivenName, Instant, LoginName, Name, OrganisationId, OrganisationKind, OrganisationName,
    PersonId, PhoneNumber, Postcode, Role,
};
use contactpoint_identity::{credentials, Caller, Confirmed, NewPerson, OneTimeSecrets, Pepper};
use contactpoint_policy::{self as policy, EnrolOrganisationPermit, Moment};
use contactpoint_store::{Account, NewAccount, NewOrganisation, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// An organisation to be enrolled, with its first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolOrganisation {
    /// Its name.
    pub name: OrganisationName,
    /// What it is.
    pub kind: OrganisationKind,
    /// The local authority in whose area it works.
    pub authority: Option<OrganisationId>,
    /// Switchboard.
    pub telephone: Option<PhoneNumber>,
    /// Duty mailbox.
    pub email: Option<EmailAddress>,
    /// Where it is.
    pub postcode: Option<Postcode>,
    /// Its client certificates, PEM. Their keys go on record, not their names.
    pub certificates: Vec<String>,
    /// Who makes its people's accounts.
    pub administrator: NewHead,
    /// Who judges what its people do, until there are more. Not the administrator.
    pub supervisor: NewHead,
}

/// One of an organisation's first two people. The sponsor supervises both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHead {
    /// Log-in name.
    pub login: LoginName,
    /// Given names.
    pub given_name: GivenName,
    /// Family name.
    pub family_name: FamilyName,
    /// When their checks were made (rule C1).
    #[serde(default)]
    pub checks: ChecksMade,
}

/// A person to be given an account in the caller's organisation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"login": "i.sato", "given_name": "Ines", "family_name": "Sato", "roles": ["practitioner"], "supervisor": 12,
    "checks": {"vetted": "2026-09-14", "barring": "2026-09-14", "trained": "2026-10-02"}}))]
pub struct EnrolPerson {
    /// Log-in name.
    pub login: LoginName,
    /// Given names.
    pub given_name: GivenName,
    /// Family name.
    pub family_name: FamilyName,
    /// What they may be.
    pub roles: Vec<Role>,
    /// Who judges what they do, by number (rule C3).
    pub supervisor: PersonId,
    /// When their checks were made (rule C1).
    #[serde(default)]
    pub checks: ChecksMade,
    /// Where they live, by the vetting record (rule D7).
    pub home: Option<Address>,
    /// At the data centre: the six digits that the administrator's authenticator shows now.
    pub code: Option<String>,
}

/// The organisation's number and its first people's credentials.
#[derive(Serialize, ToSchema)]
pub struct EnrolledOrganisation {
    id: OrganisationId,
    administrator: EnrolledPerson,
    supervisor: EnrolledPerson,
}

/// A new account. The secrets are shown here and never again.
#[derive(Serialize, ToSchema)]
pub struct EnrolledPerson {
    id: PersonId,
    login: LoginName,
    password: String,
    /// The secret of the time-based code in base32 (RFC 4648).
    code_secret: String,
    /// The same as an address that authenticator applications read.
    otpauth: String,
}

impl EnrolledPerson {
    fn new(id: PersonId, login: LoginName, secrets: &OneTimeSecrets) -> Self {
        Self {
            id,
            login,
            password: secrets.expose_password().to_owned(),
            code_secret: secrets.expose_code_secret().to_owned(),
            otpauth: secrets.expose_otpauth().to_owned(),
        }
    }
}

impl Directory {
    /// Enrols an organisation. `keys`: SHA-256 of the SubjectPublicKeyInfo of each of its certificates, which the caller has parsed.
    pub async fn enrol_organisation(
        &self,
        caller: &Caller,
        request: EnrolOrganisation,
        keys: Vec<[u8; 32]>,
        pepper: Arc<dyn Pepper>,
        now: Instant,
    ) -> Answered<EnrolledOrganisation> {
        let blank = entry(caller, Role::SecurityOfficer, Operation::EnrolOrganisation, now);
        // decided here so that nothing is made for whoever is refused, and again where it is written
        if let Err(refusal) = policy::enrol_organisation(caller, Moment::of(now)) {
            return self.refuse(blank, refusal.into()).await;
        }
        let by = caller.clone();
        let EnrolOrganisation { name, kind, authority, telephone, email, postcode, certificates: _, administrator, supervisor } = request;
        let organisation = NewOrganisation { name, kind, authority, telephone, email, postcode };
        let (administrator, administrators_secrets) = made(Arc::clone(&pepper), administrator.person(Role::Administrator)).await?;
        let (supervisor, supervisors_secrets) = made(pepper, supervisor.person(Role::Supervisor)).await?;
        self.store
            .change(move |transaction| {
                let result = settle(enrolled(transaction, &by, &organisation, &keys, [administrator, supervisor], now))?;
                let result = result.map(|(id, [administrator, supervisor])| EnrolledOrganisation {
                    id,
                    administrator: EnrolledPerson::new(administrator.id, administrator.login, &administrators_secrets),
                    supervisor: EnrolledPerson::new(supervisor.id, supervisor.login, &supervisors_secrets),
                });
                let entry = with_outcome(blank, &result);
                Ok((result, entry))
            })
            .await
    }

    /// Makes an account in the caller's own organisation.
    pub async fn enrol_person(
        &self,
        caller: &Caller,
        request: EnrolPerson,
        proof: Option<Confirmed>,
        pepper: Arc<dyn Pepper>,
        now: Instant,
    ) -> Answered<EnrolledPerson> {
        let blank = entry(caller, Role::Administrator, Operation::EnrolPerson, now);
        let EnrolPerson { login, given_name, family_name, roles, supervisor, checks, home, code: _ } = request;
        // decided here so that nothing is made for whoever may not ask, and wholly where it is written
        if let Err(refusal) = policy::admit(caller, Operation::EnrolPerson, Moment::of(now)) {
            return self.refuse(blank, refusal.into()).await;
        }
        let by = caller.clone();
        let name = Name { given: given_name, family: family_name };
        let checks = checks.with(&Checks::default());
        let new = NewPerson { organisation: caller.organisation_id(), login, name, roles, supervisor: Some(supervisor), checks, home };
        let (account, secrets) = made(pepper, new).await?;
        self.store
            .change(move |transaction| {
                let result = settle(add_person(transaction, &by, supervisor, account, proof, now))?;
                let result = result.map(|account| EnrolledPerson::new(account.id, account.login, &secrets));
                let entry = with_outcome(blank, &result);
                Ok((result, entry))
            })
            .await
    }

    /// Writes a refusal that was decided before anything was read.
    pub(crate) async fn refuse<T>(&self, blank: contactpoint_audit::Entry, refused: Refused) -> Answered<T> {
        let result = Err(refused);
        let entry = with_outcome(blank, &result);
        self.store.look(move |_| Ok((result, entry))).await
    }
}

/// Password hashing takes tens of milliseconds of a core: not on the threads that answer.
async fn made(pepper: Arc<dyn Pepper>, person: NewPerson) -> Result<(NewAccount, OneTimeSecrets), StoreError> {
    let made = tokio::task::spawn_blocking(move || credentials(pepper.as_ref(), person)).await;
    made.ok().and_then(Result::ok).ok_or(StoreError::Stopped)
}

impl NewHead {
    /// The organisation's own number is not known yet, nor who will sponsor it: both are put in by the transactions that know.
    fn person(self, role: Role) -> NewPerson {
        let Self { login, given_name, family_name, checks } = self;
        NewPerson {
            organisation: OrganisationId(0),
            login,
            name: Name { given: given_name, family: family_name },
            roles: vec![role],
            supervisor: None,
            checks: checks.with(&Checks::default()),
            home: None,
        }
    }
}

fn enrolled(
    transaction: &mut Transaction<'_>,
    by: &Caller,
    new: &NewOrganisation,
    keys: &[[u8; 32]],
    heads: [NewAccount; 2],
    now: Instant,
) -> Result<(OrganisationId, [Account; 2]), Stop> {
    let permit = policy::enrol_organisation(&again(transaction, by)?, Moment::of(now))?;
    Ok(add_organisation(&permit, transaction, new, keys, heads)?)
}

fn add_organisation(
    _: &EnrolOrganisationPermit,
    transaction: &mut Transaction<'_>,
    new: &NewOrganisation,
    keys: &[[u8; 32]],
    heads: [NewAccount; 2],
) -> Result<(OrganisationId, [Account; 2]), StoreError> {
    // INVARIANT: all that can be refused is refused before the first write, since a refusal commits
    may_be_added(transaction, new, keys, &heads)?;
    let mut organisation = transaction.add_organisation(new)?;
    let id = organisation.id;
    keys.iter().try_for_each(|key| transaction.add_certificate(id, key))?;
    let [administrator, supervisor] = heads.map(|head| NewAccount { organisation: id, ..head });
    let heads = [transaction.add_account(administrator)?, transaction.add_account(supervisor)?];
    organisation.heads = heads.iter().map(|head| head.id).collect();
    transaction.put_organisation(&organisation)?;
    Ok((id, heads))
}

/// Adds an account to the one organisation that the permit is for, under a supervisor who may be one.
fn add_person(
    transaction: &mut Transaction<'_>,
    by: &Caller,
    supervisor: PersonId,
    account: NewAccount,
    proof: Option<Confirmed>,
    now: Instant,
) -> Result<Account, Stop> {
    let permit = policy::enrol_person(&again(transaction, by)?, Moment::of(now), &account.roles, proof)?;
    let candidate = candidate(transaction, supervisor)?;
    let supervisor = policy::supervisor(None, permit.organisation(), &candidate)?;
    Ok(transaction.add_account(NewAccount { organisation: permit.organisation(), supervisor: Some(supervisor), ..account })?)
}

fn may_be_added(
    transaction: &Transaction<'_>,
    new: &NewOrganisation,
    keys: &[[u8; 32]],
    heads: &[NewAccount; 2],
) -> Result<(), StoreError> {
    if let Some(authority) = new.authority {
        let known = transaction.organisation(authority)?.is_some_and(|found| found.kind == OrganisationKind::Council);
        if !known {
            return Err(StoreError::Unknown("authority"));
        }
    }
    for (at, key) in keys.iter().enumerate() {
        if keys[..at].contains(key) || transaction.organisation_by_certificate(key)?.is_some() {
            return Err(StoreError::Exists("certificate"));
        }
    }
    let [administrator, supervisor] = heads;
    let is_taken = |login| transaction.account_by_login(login).map(|found| found.is_some());
    if administrator.login == supervisor.login || is_taken(&administrator.login)? || is_taken(&supervisor.login)? {
        return Err(StoreError::Exists("log-in name"));
    }
    Ok(())
}

/// Tells a refusal from a failure of the store.
fn settle<T>(result: Result<T, Stop>) -> Result<Result<T, Refused>, StoreError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(Stop::Refused(refused)) => Ok(Err(refused)),
        Err(Stop::Store(StoreError::Exists(what))) => Ok(Err(Refused::Exists(what))),
        Err(Stop::Store(StoreError::Unknown(what))) => Ok(Err(Refused::Unknown(what))),
        Err(Stop::Store(other)) => Err(other),
    }
}
