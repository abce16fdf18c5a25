//! The decisions about shields, audiences, quarantine and the end of work with a child (rules D1, D8, E1, E4, E6).

use crate::admission::admit;
use crate::gate::Moment;
use crate::look::State;
use crate::permit::{one_of, permit, By, LOOKING};
use crate::refusal::Refusal;
use contactpoint_audit::Operation;
use contactpoint_domain::{ChildRecord, Day, Purpose, ShieldReason};
use contactpoint_identity::{Caller, Confirmed};

/// Years within which a shield is reviewed at the latest (rule E1).
pub const LONGEST_SHIELD_YEARS: i16 = 1;

permit!(
    /// May shield this child (rule E1).
    ShieldPermit {
        /// Why.
        reason: ShieldReason,
        /// By when the authority decides anew.
        review: Day,
    }
);
permit!(
    /// May lift the shield of this child (rule E1).
    UnshieldPermit {}
);
permit!(
    /// May name the only people who may know of this record, or let everybody know again (rule D8).
    AudiencePermit {}
);
permit!(
    /// May say which child a quarantined record is of (rule E4).
    SettlePermit {}
);
permit!(
    /// May have new records of the own area held back, or no longer (rule E4).
    HoldNewPermit {
        /// Held back.
        hold: bool,
    }
);
permit!(
    /// May say that the own organisation's work with this child ended (rule D1).
    EndInvolvementPermit {}
);
permit!(
    /// May ask the child's authority to broker contact (rule E6).
    AskContactPermit {
        /// The stated reason.
        reason: Purpose,
    }
);

/// May the caller shield this child, or set another reason and day of review? (rules B2, C4, E1)
pub fn shield(
    caller: &Caller,
    moment: Moment,
    record: Option<&ChildRecord>,
    reason: ShieldReason,
    review: Day,
) -> Result<ShieldPermit, Refusal> {
    let by = admit(caller, Operation::Shield, moment)?;
    of_own_authority(by, record)?;
    known_to(by, record)?;
    if review <= moment.today || review > moment.today.plus_years(LONGEST_SHIELD_YEARS) {
        return Err(Refusal::TermForbidden);
    }
    Ok(ShieldPermit { by, reason, review })
}

/// May the caller lift the shield of this child? The second factor is proved anew. (rules B2, C2, C4, E1)
pub fn unshield(caller: &Caller, moment: Moment, record: Option<&ChildRecord>, proof: Confirmed) -> Result<UnshieldPermit, Refusal> {
    let by = admit(caller, Operation::Unshield, moment)?;
    confirmed(caller, proof)?;
    of_own_authority(by, record)?;
    known_to(by, record)?;
    Ok(UnshieldPermit { by })
}

/// Who decides on a record for named people (rule D8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keepers {
    /// Somebody who is named is a shielding officer of the record's authority today: nobody else of them may know of it.
    Some,
    /// Nobody who is named is: the authority's other officers may set the audience anew, so that no record is out of reach for good.
    None,
}

/// May the caller set the audience of this record? The second factor is proved anew. (rules B2, C2, C4, D8)
pub fn set_audience(
    caller: &Caller,
    moment: Moment,
    record: Option<&ChildRecord>,
    keepers: Keepers,
    proof: Confirmed,
) -> Result<AudiencePermit, Refusal> {
    let by = admit(caller, Operation::SetAudience, moment)?;
    confirmed(caller, proof)?;
    of_own_authority(by, record)?;
    match keepers {
        Keepers::Some => known_to(by, record)?,
        Keepers::None => {}
    }
    Ok(AudiencePermit { by })
}

/// May the caller settle this quarantined record, as one of `child` or as a child of its own? (rules B2, C4, E4)
pub fn settle(
    caller: &Caller,
    moment: Moment,
    quarantined: Option<&ChildRecord>,
    child: Option<&ChildRecord>,
) -> Result<SettlePermit, Refusal> {
    let by = admit(caller, Operation::SettleRecord, moment)?;
    let quarantined = quarantined.filter(|record| record.quarantined.is_some());
    of_own_authority(by, quarantined)?;
    known_to(by, quarantined)?;
    // a child of another authority is joined by that authority's officer, to whom the record is passed on
    if let Some(child) = child {
        of_own_authority(by, Some(child).filter(|child| child.quarantined.is_none()))?;
        known_to(by, Some(child))?;
    }
    Ok(SettlePermit { by })
}

/// May the caller have new records of their area held back, or no longer? (rules B2, C4, E4)
pub fn hold_new(caller: &Caller, moment: Moment, hold: bool) -> Result<HoldNewPermit, Refusal> {
    Ok(HoldNewPermit { by: admit(caller, Operation::HoldNew, moment)?, hold })
}

/// May the caller say that their organisation's work with this child ended? (rules B2, C4, D1)
pub fn end_involvement(caller: &Caller, moment: Moment, record: Option<&ChildRecord>) -> Result<EndInvolvementPermit, Refusal> {
    let by = admit(caller, Operation::EndInvolvement, moment)?;
    if !record.is_some_and(|record| record.works_with(by.organisation)) {
        return Err(Refusal::OutsideScope);
    }
    known_to(by, record)?;
    Ok(EndInvolvementPermit { by })
}

/// May the caller ask for contact with whoever works with a child? Whether there is such a child plays no part. (rules B2, C4, D2, E6)
pub fn ask_contact(caller: &Caller, moment: Moment, reason: Purpose) -> Result<AskContactPermit, Refusal> {
    let by = admit(caller, Operation::AskContact, moment)?;
    one_of(reason, LOOKING)?;
    Ok(AskContactPermit { by, reason })
}

fn confirmed(caller: &Caller, proof: Confirmed) -> Result<(), Refusal> {
    if proof.is_of(caller) {
        Ok(())
    } else {
        Err(Refusal::NotConfirmed)
    }
}

/// Another authority's record is as if it were not there.
fn of_own_authority(by: By, record: Option<&ChildRecord>) -> Result<(), Refusal> {
    if record.is_some_and(|record| record.authority == by.organisation) {
        Ok(())
    } else {
        Err(Refusal::OutsideScope)
    }
}

/// A record for named people is there for nobody else, whatever they are to decide (rule D8).
fn known_to(by: By, record: Option<&ChildRecord>) -> Result<(), Refusal> {
    match State::of(record, by.person) {
        State::ForOthers => Err(Refusal::NotOfAudience),
        State::NotOnRecord | State::Unseen | State::Quarantined | State::Shielded | State::Plain => Ok(()),
    }
}
