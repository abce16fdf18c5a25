//! The decisions about people: who makes, amends, locks and closes which account (rules C1 to C5).

use crate::admission::admit;
use crate::gate::Moment;
use crate::helpdesk::verified;
use crate::organisations::confirmed;
use crate::permit::{permit, By};
use crate::refusal::Refusal;
use contactpoint_audit::Operation;
use contactpoint_domain::{role, AccountState, OrganisationId, OrganisationKind, PersonId, Role, Verified};
use contactpoint_identity::{Caller, Confirmed};

/// The longest chain of supervisors that is followed; a longer one is refused like a ring.
pub const LONGEST_CHAIN: usize = 32;

permit!(
    /// May make accounts in the own organisation (rule C4: its administrator).
    EnrolPersonPermit {
        /// The only organisation whose people they are.
        organisation: OrganisationId,
    }
);
permit!(
    /// May change a person's checks, roles and supervisor (rules C1, C3, C4).
    AmendPersonPermit {
        /// Whose.
        person: PersonId,
    }
);
permit!(
    /// May bring a person's account into this state.
    AccountStatePermit {
        /// Whose.
        person: PersonId,
        /// Which.
        state: AccountState,
    }
);
permit!(
    /// May sign the user agreement for themselves (rules C1, J5).
    AcceptAgreementPermit {
        /// The version signed.
        version: u16,
    }
);

/// The account that is to be changed, as the store has it.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Who.
    pub person: PersonId,
    /// Of which organisation.
    pub organisation: OrganisationId,
    /// In which state.
    pub state: AccountState,
}

/// Somebody who may be made a supervisor, as the store has them.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Who.
    pub person: PersonId,
    /// Of which organisation.
    pub organisation: OrganisationId,
    /// What they may be.
    pub roles: Vec<Role>,
    /// Whether their account can be used.
    pub state: AccountState,
    /// Who supervises them, who these, and so on, to the one whom nobody supervises or to [`LONGEST_CHAIN`].
    pub chain: Vec<PersonId>,
}

/// May the caller give an account with these roles in their own organisation? (rules C2, C4)
pub fn enrol_person(caller: &Caller, moment: Moment, roles: &[Role], proof: Option<Confirmed>) -> Result<EnrolPersonPermit, Refusal> {
    let by = admit(caller, Operation::EnrolPerson, moment)?;
    may_be_given(roles, caller.organisation().kind)?;
    confirmed_at_the_data_centre(caller, proof)?;
    Ok(EnrolPersonPermit { by, organisation: caller.organisation_id() })
}

/// May the caller amend this account so that it has these roles? Nobody amends their own. (rules C1 to C4)
pub fn amend_person(
    caller: &Caller,
    moment: Moment,
    subject: &Subject,
    roles: &[Role],
    proof: Option<Confirmed>,
) -> Result<AmendPersonPermit, Refusal> {
    let by = admit(caller, Operation::AmendPerson, moment)?;
    somebody_else_here(by, subject)?;
    may_be_given(roles, caller.organisation().kind)?;
    confirmed_at_the_data_centre(caller, proof)?;
    Ok(AmendPersonPermit { by, person: subject.person })
}

/// What bringing an account from one state into another is called; `None` where nobody may. A closed account stays closed, and a suspended
/// one is not locked: unlocking it would undo what the administrator did. (rules C4, C5)
#[must_use]
pub const fn account_act(from: AccountState, to: AccountState) -> Option<Operation> {
    use AccountState::{Active, Closed, Locked, Suspended};
    match (from, to) {
        (Closed, Active | Locked | Suspended | Closed) | (Suspended, Locked) => None,
        (Active | Locked, Locked) => Some(Operation::LockPerson),
        // of one that is not locked: the delay after failed log-ins ends (rule C6)
        (Active | Locked, Active) => Some(Operation::UnlockPerson),
        (Active | Locked | Suspended, Suspended) => Some(Operation::SuspendPerson),
        (Suspended, Active) => Some(Operation::ResumePerson),
        (Active | Locked | Suspended, Closed) => Some(Operation::ClosePerson),
    }
}

/// May the caller bring this account into this state? The helpdesk locks, unlocks and suspends, the administrator suspends, resumes and closes.
/// `answered`: the scripted questions by which the helpdesk knows whom it hears. (rules C4, C5)
pub fn account_state(
    caller: &Caller,
    moment: Moment,
    subject: &Subject,
    state: AccountState,
    answered: &[Verified],
) -> Result<AccountStatePermit, Refusal> {
    let operation = account_act(subject.state, state).ok_or(Refusal::RoleForbids)?;
    let by = admit(caller, operation, moment)?;
    somebody_else_here(by, subject)?;
    // to lock is safe; to unlock, or to suspend for longer, the helpdesk knows whom it hears
    if by.role == Role::Helpdesk && operation != Operation::LockPerson {
        verified(answered)?;
    }
    Ok(AccountStatePermit { by, person: subject.person, state })
}

/// May the caller sign this version of the user agreement? Everybody signs for themselves. (rules C1, J5)
pub fn accept_agreement(caller: &Caller, moment: Moment, version: u16) -> Result<AcceptAgreementPermit, Refusal> {
    let by = admit(caller, Operation::AcceptAgreement, moment)?;
    if version == moment.texts.agreement {
        Ok(AcceptAgreementPermit { by, version })
    } else {
        Err(Refusal::OtherText)
    }
}

/// May this candidate supervise this person? Not themselves, nobody whom the person supervises, however far down (no two each other, no
/// ring), only who may supervise and is in the same organisation, with an account that can be used. (rule C3)
pub fn supervisor(person: Option<PersonId>, organisation: OrganisationId, candidate: &Candidate) -> Result<PersonId, Refusal> {
    let Candidate { person: theirs, organisation: of, roles, state, chain } = candidate;
    let is_ring = person.is_some_and(|person| *theirs == person || chain.contains(&person));
    let may = roles.iter().any(|role| role.may_supervise()) && *state == AccountState::Active && *of == organisation;
    if may && !is_ring && chain.len() < LONGEST_CHAIN {
        Ok(*theirs)
    } else {
        Err(Refusal::SupervisorForbidden)
    }
}

/// Nobody acts on their own account, nor on another organisation's, which is as if it were not there.
pub(crate) fn somebody_else_here(by: By, subject: &Subject) -> Result<(), Refusal> {
    if subject.organisation != by.organisation {
        Err(Refusal::OutsideScope)
    } else if subject.person == by.person {
        Err(Refusal::OwnAccount)
    } else {
        Ok(())
    }
}

/// The data centre's people share a machine, and whoever makes an account there can make one for either gate: so the second factor is proved anew
/// (rules B2, C2). A proof that is given counts anywhere.
fn confirmed_at_the_data_centre(caller: &Caller, proof: Option<Confirmed>) -> Result<(), Refusal> {
    match proof {
        Some(proof) => confirmed(caller, proof),
        None if caller.organisation().kind == OrganisationKind::DataCentre => Err(Refusal::NotConfirmed),
        None => Ok(()),
    }
}

/// At least one role, each of this kind of organisation, and no two that one person must not hold (rule C4).
fn may_be_given(roles: &[Role], kind: OrganisationKind) -> Result<(), Refusal> {
    if roles.is_empty() || !roles.iter().all(|role| role.is_of(kind)) || role::clash(roles).is_some() {
        Err(Refusal::RolesClash)
    } else {
        Ok(())
    }
}
