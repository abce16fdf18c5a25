//! A caller looked at again, inside the transaction that does what they ask (rules B4, C4).
//!
//! Between the proof at the door and the turn of a transaction others have theirs: whoever was suspended, or lost a role, by one of them is not
//! who was proved any more. Leaves to others: what the caller may do as they stand now (`policy`).

use crate::caller::{Caller, Qualifications};
use crate::refusal::IdentityRefusal;
use contactpoint_domain::{AccountState, Organisation, PersonId};
use contactpoint_store::{Account, Registry, StoreError};
use std::sync::Arc;

impl Caller {
    /// The caller as this registry has them: every role, check and supervisor as they are now, or why they may not come in any more.
    pub fn again(&self, registry: &Registry<'_>) -> Result<Result<Self, IdentityRefusal>, StoreError> {
        let (account, organisation) = (registry.account(self.person())?, registry.organisation(self.organisation_id())?);
        let (Some(account), Some(organisation)) = (account, organisation) else { return Ok(Err(IdentityRefusal::PersonSuspended)) };
        if let Err(refusal) = self.still(&account, &organisation) {
            return Ok(Err(refusal));
        }
        let qualifications = Qualifications::of(registry, account)?;
        Ok(Ok(Self::proved(self.person(), Arc::new(organisation), Arc::new(qualifications), self.session(), self.resets())))
    }

    fn still(&self, account: &Account, organisation: &Organisation) -> Result<(), IdentityRefusal> {
        if organisation.suspended {
            return Err(IdentityRefusal::OrganisationSuspended);
        }
        if account.organisation != organisation.id {
            return Err(IdentityRefusal::PersonSuspended);
        }
        usable(account.state)?;
        if account.resets == self.resets() {
            Ok(())
        } else {
            Err(IdentityRefusal::SessionEnded)
        }
    }
}

impl Qualifications {
    /// What the registry says of the holder of an account.
    pub(crate) fn of(registry: &Registry<'_>, account: Account) -> Result<Self, StoreError> {
        let Account { roles, checks, supervisor, name, home, .. } = account;
        Ok(Self { roles, checks, supervisor: in_office(registry, supervisor)?, family: name.family, home })
    }
}

/// Only an active account is used. The caller is not told why another is not: whoever unlocks or resumes it knows.
pub(crate) fn usable(state: AccountState) -> Result<(), IdentityRefusal> {
    match state {
        AccountState::Active => Ok(()),
        AccountState::Locked => Err(IdentityRefusal::PersonLocked),
        AccountState::Suspended => Err(IdentityRefusal::PersonSuspended),
        AccountState::Closed => Err(IdentityRefusal::PersonClosed),
    }
}

/// The supervisor, if they still are one: somebody whose account was closed, or who lost the role, judges nothing (rule C3). One who is
/// locked or suspended comes back.
fn in_office(registry: &Registry<'_>, supervisor: Option<PersonId>) -> Result<Option<PersonId>, StoreError> {
    let Some(id) = supervisor else { return Ok(None) };
    let holds = |account: &Account| account.state != AccountState::Closed && account.roles.iter().any(|role| role.may_supervise());
    Ok(registry.account(id)?.filter(holds).map(|account| account.id))
}
