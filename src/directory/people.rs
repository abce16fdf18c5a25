//! Accounts after they are made (rules C1 to C5): checks, roles and supervisor amended, locked, suspended, closed, the agreement signed.
//!
//! Nobody does any of it to themselves but sign. What is decided is decided on the account as the transaction finds it, so that two
//! changes at the same moment cannot together bring about what neither of them may.

use crate::connect::{again, Accept, Stop};
use crate::entries::{acting, with_outcome};
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation};
use contactpoint_domain::{AccountState, Address, Checks, Day, Instant, LoginName, Name, PersonId, Role, Verified};
use contactpoint_identity::{Caller, Confirmed};
use contactpoint_policy::{self as policy, Candidate, Moment, Subject, LONGEST_CHAIN};
use contactpoint_store::{Account, Registry, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When the checks of a person were made (rule C1). The agreement is not here: everybody signs for themselves.
#[derive(Deserialize, ToSchema, Clone, Copy, Default)]
#[serde(deny_unknown_fields)]
pub struct ChecksMade {
    /// The enhanced vetting check.
    pub vetted: Option<Day>,
    /// The registration with the barring scheme.
    pub barring: Option<Day>,
    /// The training.
    pub trained: Option<Day>,
}

impl ChecksMade {
    /// These, and the agreement as it was signed.
    pub(crate) fn with(self, signed: &Checks) -> Checks {
        Checks { vetted: self.vetted, barring: self.barring, trained: self.trained, agreement: signed.agreement }
    }
}

/// What of an account is to be changed; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"checks": {"vetted": "2029-09-03", "barring": "2026-09-14", "trained": "2029-09-20"}, "supervisor": 12}))]
pub struct AmendPerson {
    /// All the checks anew.
    pub checks: Option<ChecksMade>,
    /// All the roles anew.
    pub roles: Option<Vec<Role>>,
    /// The supervisor, by number.
    pub supervisor: Option<PersonId>,
    /// Where they live, by the vetting record.
    pub home: Option<Address>,
    /// At the data centre: the six digits that the administrator's authenticator shows now.
    pub code: Option<String>,
}

/// The state that an account is to have.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"state": "suspended"}))]
pub struct SetState {
    /// active, locked, suspended, closed.
    pub state: AccountState,
    /// The scripted questions that were answered, where the helpdesk unlocks or suspends: at least three different ones (rule C5).
    #[serde(default)]
    pub verified: Vec<Verified>,
}

/// An account as its organisation's administrator sees it: no factor, and no address.
#[derive(Serialize, ToSchema)]
pub struct PersonStanding {
    id: PersonId,
    login: LoginName,
    name: Name,
    roles: Vec<Role>,
    state: AccountState,
    #[serde(skip_serializing_if = "Option::is_none")]
    supervisor: Option<PersonId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vetted: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    barring: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trained: Option<Day>,
    /// When the agreement was signed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<Day>,
}

impl PersonStanding {
    fn of(account: &Account) -> Self {
        let Checks { vetted, barring, trained, agreement } = account.checks;
        Self {
            id: account.id,
            login: account.login.clone(),
            name: account.name.clone(),
            roles: account.roles.clone(),
            state: account.state,
            supervisor: account.supervisor,
            vetted,
            barring,
            trained,
            signed: agreement.map(|(_, day)| day),
        }
    }
}

impl Directory {
    /// Changes what is on record of a person of the caller's organisation (rules C1, C3, C4).
    pub async fn amend_person(
        &self,
        caller: &Caller,
        person: PersonId,
        request: AmendPerson,
        proof: Option<Confirmed>,
        now: Instant,
    ) -> Answered<PersonStanding> {
        self.change_person(caller, Operation::AmendPerson, person, now, move |transaction, by, account, _| {
            let AmendPerson { checks, roles, supervisor, home, code: _ } = request;
            let roles = roles.unwrap_or_else(|| account.roles.clone());
            let permit = policy::amend_person(by, Moment::of(now), &subject(account), &roles, proof)?;
            if let Some(supervisor) = supervisor {
                let candidate = candidate(transaction, supervisor)?;
                account.supervisor = Some(policy::supervisor(Some(permit.person()), account.organisation, &candidate)?);
            }
            account.roles = roles;
            account.checks = checks.map_or(account.checks, |made| made.with(&account.checks));
            account.home = home.or(account.home.take());
            Ok(())
        })
        .await
    }

    /// Locks, unlocks, suspends, resumes or closes an account of the caller's organisation (rules C4, C5).
    pub async fn set_account_state(
        &self,
        caller: &Caller,
        person: PersonId,
        SetState { state, verified }: SetState,
        now: Instant,
    ) -> Answered<PersonStanding> {
        let unlocks = policy::admit(caller, Operation::UnlockPerson, Moment::of(now)).is_ok();
        let operation = match state {
            AccountState::Active if unlocks => Operation::UnlockPerson,
            AccountState::Active => Operation::ResumePerson,
            AccountState::Locked => Operation::LockPerson,
            AccountState::Suspended => Operation::SuspendPerson,
            AccountState::Closed => Operation::ClosePerson,
        };
        self.change_person(caller, operation, person, now, move |_, by, account, entry| {
            // the state that is found says whether it is unlocked or resumed
            let operation = policy::account_act(account.state, state).unwrap_or(entry.operation);
            *entry = acting(by, operation, now);
            let permit = policy::account_state(by, Moment::of(now), &subject(account), state, &verified)?;
            account.state = permit.state();
            if account.state == AccountState::Active {
                // whoever lets somebody in again does not leave them waiting for failures that were perhaps another's (rules C5, C6)
                account.failures = 0;
                account.delayed_until = Instant::default();
            }
            Ok(())
        })
        .await
    }

    /// Signs the user agreement for the caller (rules C1, J5).
    pub async fn accept_agreement(&self, caller: &Caller, request: &Accept, now: Instant) -> Answered<PersonStanding> {
        let version = request.version;
        self.change_person(caller, Operation::AcceptAgreement, caller.person(), now, move |_, by, account, _| {
            let permit = policy::accept_agreement(by, Moment::of(now), version)?;
            account.checks.agreement = Some((permit.version(), now.day()));
            Ok(())
        })
        .await
    }

    /// One account, changed in one transaction by `change`, which is given the caller as they are then, and may say more exactly what the entry
    /// is of.
    async fn change_person(
        &self,
        caller: &Caller,
        operation: Operation,
        person: PersonId,
        now: Instant,
        change: impl FnOnce(&mut Transaction<'_>, &Caller, &mut Account, &mut Entry) -> Result<(), Stop> + Send + 'static,
    ) -> Answered<PersonStanding> {
        let (mut entry, caller) = (acting(caller, operation, now), caller.clone());
        // who may not ask at all is told so before anything is looked for
        if let Err(refusal) = policy::admit(&caller, operation, Moment::of(now)) {
            return self.refuse(entry, refusal.into()).await;
        }
        self.store
            .change(move |transaction| {
                let result =
                    match changed(transaction, &caller, person, |transaction, by, account| change(transaction, by, account, &mut entry)) {
                        Ok(standing) => Ok(standing),
                        Err(Stop::Refused(refused)) => Err(refused),
                        Err(Stop::Store(fault)) => return Err(fault),
                    };
                let entry = with_outcome(entry, &result);
                Ok((result, entry))
            })
            .await
    }
}

/// The account as `change` leaves it. Another organisation's is not there.
fn changed(
    transaction: &mut Transaction<'_>,
    caller: &Caller,
    person: PersonId,
    change: impl FnOnce(&mut Transaction<'_>, &Caller, &mut Account) -> Result<(), Stop>,
) -> Result<PersonStanding, Stop> {
    let by = again(transaction, caller)?;
    let found = transaction.account(person)?.filter(|account| account.organisation == by.organisation_id());
    let mut account = found.ok_or(Refused::Unknown("person"))?;
    change(transaction, &by, &mut account)?;
    transaction.put_account(&account)?;
    Ok(PersonStanding::of(&account))
}

pub(crate) fn subject(account: &Account) -> Subject {
    Subject { person: account.id, organisation: account.organisation, state: account.state }
}

/// A possible supervisor, with everybody above them.
pub(crate) fn candidate(registry: &Registry<'_>, id: PersonId) -> Result<Candidate, Stop> {
    let Account { organisation, roles, state, supervisor, .. } = registry.account(id)?.ok_or(Refused::Unknown("supervisor"))?;
    Ok(Candidate { person: id, organisation, roles, state, chain: chain(registry, supervisor)? })
}

/// From one supervisor up, to whoever has none or to the longest chain that is followed.
pub(crate) fn chain(registry: &Registry<'_>, above: Option<PersonId>) -> Result<Vec<PersonId>, StoreError> {
    chain_by(above, |id| Ok(registry.account(id)?.and_then(|account| account.supervisor)))
}

/// The same, where `supervisor` knows who supervises whom.
pub(crate) fn chain_by(
    mut above: Option<PersonId>,
    mut supervisor: impl FnMut(PersonId) -> Result<Option<PersonId>, StoreError>,
) -> Result<Vec<PersonId>, StoreError> {
    let mut chain = Vec::new();
    while let Some(id) = above.filter(|_| chain.len() < LONGEST_CHAIN) {
        chain.push(id);
        above = supervisor(id)?;
    }
    Ok(chain)
}
