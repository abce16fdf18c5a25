//! The decisions about alerts (rules C3, C4, D5): who reads and judges which, and what auditors ask of them.

use crate::admission::{accredited, admit, role_for};
use crate::gate::Moment;
use crate::permit::{permit, By};
use crate::refusal::Refusal;
use contactpoint_audit::Operation;
use contactpoint_domain::{AccountState, Addressee, Alert, AlertKind, Capability, Disposition, Finding, Organisation, PersonId, Role};
use contactpoint_identity::{Caller, Qualifications};

permit!(
    /// May read the alerts that wait for them (rule D5).
    ReadAlertsPermit {}
);
permit!(
    /// May judge or settle this alert (rule D5).
    JudgePermit {
        /// So.
        disposition: Disposition,
    }
);
permit!(
    /// May draw samples of alerts, read the statistics and the flags (rules D5, D7: the auditor).
    AuditAlertsPermit {}
);
permit!(
    /// May say what they find of this judgement (rule D5).
    ReviewPermit {
        /// That.
        finding: Finding,
    }
);

/// May the caller read alerts? Which ones wait for them, and how, is [`waits_for`]'s answer. (rules C4, D5)
pub fn read_alerts(caller: &Caller, moment: Moment) -> Result<ReadAlertsPermit, Refusal> {
    Ok(ReadAlertsPermit { by: admit(caller, Operation::ReadAlerts, moment)? })
}

/// What matters of whom an alert was sent to, beside who they are.
#[derive(Debug, Clone, Copy)]
pub struct Receiver<'a> {
    /// The supervisors above them, nearest first, to whom the alert goes as well once it is overdue.
    pub above: &'a [PersonId],
    /// They can come in and judge; where they cannot, it goes to those above at once.
    pub comes_in: bool,
}

impl Receiver<'_> {
    /// An authority: nobody is above its officers but its own supervisors.
    pub const AUTHORITY: Self = Self { above: &[], comes_in: true };
}

/// Could this supervisor, whose account is in this state, come in now and judge? (rules B2, B4, C1, C3, C4)
#[must_use]
pub fn comes_in(organisation: &Organisation, person: &Qualifications, state: AccountState, moment: Moment) -> bool {
    let role = role_for(organisation, person, Operation::JudgeAlert, moment);
    state == AccountState::Active && role.is_ok_and(|role| role != Role::ShieldingOfficer)
}

/// How an alert concerns somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// They judge or settle it.
    Theirs,
    /// Their authority's officers have let it wait for too long: they are told that it waits, and not about which child (rule E5: no answer of
    /// any kind lists shielded children).
    Overdue,
}

/// How this alert concerns the caller, if it waits and does. (rule D5: overdue ones escalate)
#[must_use]
pub fn waits_for(permit: &ReadAlertsPermit, caller: &Caller, moment: Moment, alert: &Alert, receiver: Receiver<'_>) -> Option<Concern> {
    let is_open = alert.judgement.is_none() && alert.person != caller.person();
    concern(caller, permit.by(), moment, alert, receiver).filter(|_| is_open)
}

/// Is it, or was it until somebody judged it, for whoever acts so to look at?
fn concern(caller: &Caller, by: By, moment: Moment, alert: &Alert, receiver: Receiver<'_>) -> Option<Concern> {
    match alert.to? {
        Addressee::Supervisor(id) => {
            let goes_up = !receiver.comes_in || alert.is_overdue(moment.today) || alert.judgement.is_some();
            let is_theirs = id == by.person || (goes_up && receiver.above.contains(&by.person));
            (by.role != Role::ShieldingOfficer && by.role != Role::Auditor && is_theirs).then_some(Concern::Theirs)
        }
        Addressee::Authority(id) if id != by.organisation => None,
        Addressee::Authority(_) if caller.roles().contains(&Role::ShieldingOfficer) => Some(Concern::Theirs),
        Addressee::Authority(_) => (by.role == Role::Supervisor && alert.is_overdue(moment.today)).then_some(Concern::Overdue),
    }
}

/// May the caller judge alerts at all? Asked before there is found to be one. (rules B2, C4, D5)
pub fn judges(caller: &Caller, moment: Moment) -> Result<By, Refusal> {
    admit(caller, Operation::JudgeAlert, moment)
}

/// May the caller judge this alert so? `over`: whoever supervises the caller, and these, and so on. Nobody judges their own act, nor the act of
/// anybody above them. An alert that is nobody's business of theirs is as if it were not there, also one about themselves that was raised
/// without their doing. (rules C3, C4, D5, D7)
pub fn judge(
    caller: &Caller,
    moment: Moment,
    alert: &Alert,
    receiver: Receiver<'_>,
    over: &[PersonId],
    disposition: Disposition,
) -> Result<JudgePermit, Refusal> {
    let by = judges(caller, moment)?;
    // a person may be supervisor and shielding officer: the alert says as which of the two it is asked
    let by = By { role: acting_on(caller, by, alert), ..by };
    let is_own = alert.person == by.person;
    let concern = concern(caller, by, moment, alert, receiver);
    // of an alert about themselves only whoever raised it knowingly may know, wherever it was sent
    let may_know = if is_own { alert.kind.stops_the_glass() } else { concern.is_some() };
    if !may_know {
        return Err(Refusal::OutsideScope);
    }
    if is_own || over.contains(&alert.person) {
        return Err(Refusal::OwnAct);
    }
    let fits = match alert.kind {
        // settled by saying which child the record is of, and by nothing else
        AlertKind::Quarantine => false,
        AlertKind::BreakGlass
        | AlertKind::ShieldOverride
        | AlertKind::OverBudget
        | AlertKind::OwnFamily
        | AlertKind::NearMisses
        | AlertKind::SmallAudience
        | AlertKind::Investigation
        | AlertKind::Contact => (disposition != Disposition::Settled) == alert.kind.is_judged(),
    };
    if alert.judgement.is_some() || !fits || concern != Some(Concern::Theirs) {
        return Err(Refusal::AlreadyJudged);
    }
    Ok(JudgePermit { by, disposition })
}

/// The role in which the caller looks at this alert.
fn acting_on(caller: &Caller, by: By, alert: &Alert) -> Role {
    let is_for_officer = matches!(alert.to, Some(Addressee::Authority(_)));
    if is_for_officer && caller.roles().contains(&Role::ShieldingOfficer) {
        Role::ShieldingOfficer
    } else {
        by.role
    }
}

/// May the caller draw samples or read statistics? (rules B2, C4, D5)
pub fn audit_alerts(caller: &Caller, moment: Moment, what: AlertAudit) -> Result<AuditAlertsPermit, Refusal> {
    let operation = match what {
        AlertAudit::Sample => Operation::SampleAlerts,
        AlertAudit::Statistics => Operation::AlertStatistics,
    };
    Ok(AuditAlertsPermit { by: admit(caller, operation, moment)? })
}

/// May the caller read the alerts that nobody's own doing raised? Supervisors read theirs in their queue. (rules B2, C4, D7)
pub fn read_flags(caller: &Caller, moment: Moment) -> Result<AuditAlertsPermit, Refusal> {
    let by = admit(caller, Operation::ReadAlerts, moment)?;
    if by.role != Role::Auditor {
        return Err(Refusal::RoleForbids);
    }
    accredited(caller.organisation(), Some(Capability::Audit), moment)?;
    Ok(AuditAlertsPermit { by })
}

/// May the caller review judgements at all? Asked before there is found to be one. (rules B2, C4, D5)
pub fn reviews(caller: &Caller, moment: Moment) -> Result<By, Refusal> {
    admit(caller, Operation::ReviewAlert, moment)
}

/// May the caller say this of the judgement of an alert? Only of one that was drawn, and once. (rules B2, C4, D5)
pub fn review_alert(caller: &Caller, moment: Moment, alert: &Alert, is_sampled: bool, finding: Finding) -> Result<ReviewPermit, Refusal> {
    let by = reviews(caller, moment)?;
    if !is_sampled || alert.judgement.is_none() {
        return Err(Refusal::OutsideScope);
    }
    if alert.review.is_some() {
        return Err(Refusal::AlreadyJudged);
    }
    Ok(ReviewPermit { by, finding })
}

/// What an auditor does with all alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertAudit {
    /// Draw a sample.
    Sample,
    /// Read the statistics.
    Statistics,
}
