//! The decisions about breaking the glass and overriding a shield (rules D4, D5, E5): one record, a typed reason, the second factor anew.

use crate::admission::admit;
use crate::gate::Moment;
use crate::look::State;
use crate::permit::{one_of, permit, By};
use crate::refusal::Refusal;
use crate::relation::Relation;
use contactpoint_audit::Operation;
use contactpoint_domain::{Addressee, Alert, Instant, Purpose};
use contactpoint_identity::{Caller, Confirmed};

/// Minutes for which the glass stays broken and a shield overridden, unless left before (rule D4).
pub const GLASS_MINUTES: u64 = 30;

/// Reasons for breaking the glass (rule D4): what cannot wait for the child to come into one's scope.
pub const BREAKING: &[Purpose] = &[Purpose::Concern, Purpose::Section47, Purpose::Missing];

/// How somebody names the child that the glass is broken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// By its number.
    Number,
    /// By exact names, date of birth and postcode.
    Identity,
}

permit!(
    /// May break the glass to one child (rule D4).
    BreakGlassPermit {
        /// The stated reason.
        reason: Purpose,
        /// From then on it is whole again.
        until: Instant,
        /// Who is alerted; `None` where nobody supervises the caller.
        alerted: Option<Addressee>,
    }
);
permit!(
    /// May override the shield of one child (rule E5).
    OverridePermit {
        /// The stated reason.
        reason: Purpose,
        /// From then on it holds again.
        until: Instant,
        /// Who is alerted, beside the authority that looks into it.
        alerted: Option<Addressee>,
    }
);
permit!(
    /// May leave the child that the glass was broken to.
    LeavePermit {}
);

/// May the caller break the glass? `proof`: what came of their code; `open`: the alerts about the caller that nobody has judged, the
/// overdue ones at least. (rules B2, C2, C4, D4, D5)
pub fn break_glass(
    caller: &Caller,
    moment: Moment,
    reason: Purpose,
    proof: Result<Confirmed, Refusal>,
    open: &[Alert],
) -> Result<BreakGlassPermit, Refusal> {
    let by = admit(caller, Operation::BreakGlass, moment)?;
    let until = granted(caller, moment, reason, proof, open)?;
    Ok(BreakGlassPermit { by, reason, until, alerted: supervisor(caller) })
}

/// May the caller override a shield? It is a right of its own. (rules B2, C2, C4, D5, E5)
pub fn override_shield(
    caller: &Caller,
    moment: Moment,
    reason: Purpose,
    proof: Result<Confirmed, Refusal>,
    open: &[Alert],
) -> Result<OverridePermit, Refusal> {
    let by = admit(caller, Operation::OverrideShield, moment)?;
    let until = granted(caller, moment, reason, proof, open)?;
    Ok(OverridePermit { by, reason, until, alerted: supervisor(caller) })
}

/// Is a record in this state within reach of somebody who may break the glass or override a shield? What of it is then shown is the view's
/// question. (rules D4, D8, E3, E4)
pub fn reached_through_glass(state: State, asked: Asked, relation: Relation) -> Result<(), Refusal> {
    match (state, asked) {
        (State::Plain, Asked::Number | Asked::Identity) | (State::Shielded, Asked::Number) => Ok(()),
        // to its own source it is a record like any other
        (State::Quarantined, Asked::Number | Asked::Identity) if relation != Relation::None => Ok(()),
        (State::ForOthers, Asked::Number | Asked::Identity) => Err(Refusal::NotOfAudience),
        // a postcode is hidden of a shielded record, so it is not found by one
        (State::Shielded, Asked::Identity) | (State::NotOnRecord | State::Unseen | State::Quarantined, Asked::Number | Asked::Identity) => {
            Err(Refusal::OutsideScope)
        }
    }
}

/// May the caller leave the child that they broke the glass to? (rule D4)
pub fn leave_glass(caller: &Caller, moment: Moment) -> Result<LeavePermit, Refusal> {
    Ok(LeavePermit { by: admit(caller, Operation::LeaveGlass, moment)? })
}

fn granted(
    caller: &Caller,
    moment: Moment,
    reason: Purpose,
    proof: Result<Confirmed, Refusal>,
    open: &[Alert],
) -> Result<Instant, Refusal> {
    one_of(reason, BREAKING)?;
    if !proof?.is_of(caller) {
        return Err(Refusal::NotConfirmed);
    }
    if open.iter().any(|alert| alert.kind.stops_the_glass() && alert.person == caller.person() && alert.is_overdue(moment.today)) {
        return Err(Refusal::AlertsOverdue);
    }
    Ok(moment.now.plus_seconds(GLASS_MINUTES * 60))
}

fn supervisor(caller: &Caller) -> Option<Addressee> {
    caller.qualifications().supervisor.map(Addressee::Supervisor)
}
