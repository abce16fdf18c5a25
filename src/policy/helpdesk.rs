//! The decisions of the helpdesk (rule C5): whom it has verified, and that a factor takes two people.

use crate::admission::admit;
use crate::gate::Moment;
use crate::people::{somebody_else_here, Subject};
use crate::permit::{permit, By};
use crate::refusal::Refusal;
use contactpoint_audit::Operation;
use contactpoint_domain::helpdesk::QUESTIONS_NEEDED;
use contactpoint_domain::{AccountState, Factor, PendingReset, PersonId, Verified};
use contactpoint_identity::Caller;

permit!(
    /// May begin the reset of a factor (rule C5: the helpdesk).
    BeginResetPermit {
        /// Whose.
        person: PersonId,
        /// Which waits for the second person.
        reset: PendingReset,
    }
);
permit!(
    /// May complete the reset of a factor (rule C5: a second person).
    CompleteResetPermit {
        /// Whose.
        person: PersonId,
        /// Which factor.
        factor: Factor,
    }
);

/// May the caller begin to reset this factor of somebody whom they verified? (rules C4, C5)
pub fn begin_reset(
    caller: &Caller,
    moment: Moment,
    subject: &Subject,
    factor: Factor,
    answered: &[Verified],
) -> Result<BeginResetPermit, Refusal> {
    let by = admit(caller, Operation::BeginReset, moment)?;
    somebody_else_here(by, subject)?;
    usable(subject)?;
    verified(answered)?;
    Ok(BeginResetPermit { by, person: subject.person, reset: PendingReset::begun(factor, by.person, moment.now) })
}

/// May the caller complete this reset? Never who began it. One that has run out is not there. (rules C4, C5)
pub fn complete_reset(
    caller: &Caller,
    moment: Moment,
    subject: &Subject,
    pending: Option<&PendingReset>,
) -> Result<CompleteResetPermit, Refusal> {
    let by = admit(caller, Operation::CompleteReset, moment)?;
    somebody_else_here(by, subject)?;
    usable(subject)?;
    let pending = pending.filter(|reset| reset.holds(moment.now)).ok_or(Refusal::OutsideScope)?;
    if pending.by == by.person {
        return Err(Refusal::SamePerson);
    }
    Ok(CompleteResetPermit { by, person: subject.person, factor: pending.factor })
}

/// Rule C5: the scripted questions, enough different ones.
pub(crate) fn verified(answered: &[Verified]) -> Result<(), Refusal> {
    let different = Verified::ALL.iter().filter(|question| answered.contains(question)).count();
    if different >= QUESTIONS_NEEDED {
        Ok(())
    } else {
        Err(Refusal::NotVerified)
    }
}

/// A closed account has no factor that anybody needs.
fn usable(subject: &Subject) -> Result<(), Refusal> {
    match subject.state {
        AccountState::Active | AccountState::Locked | AccountState::Suspended => Ok(()),
        AccountState::Closed => Err(Refusal::RoleForbids),
    }
}
