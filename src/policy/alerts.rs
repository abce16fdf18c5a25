//! The decisions about alerts (rules C3, C4, D5): who reads and judges which, and what auditors ask of them.

use crate::admission::{accredited, admit};
use crate::gate::Moment;
use crate::permit::{permit, By};
use crate::refusal::Refusal;
use contactpoint_audit::Operation;
use contactpoint_domain::{Addressee, Alert, AlertKind, Capability, Disposition, Finding, PersonId, Role};
use contactpoint_identity::Caller;

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

/// May the caller read alerts? Which ones wait for them is [`waits_for`]'s answer. (rules C4, D5)
pub fn read_alerts(caller: &Caller, moment: Moment) -> Result<ReadAlertsPermit, Refusal> {
    Ok(ReadAlertsPermit { by: admit(caller, Operation::ReadAlerts, moment)? })
}

/// Does this alert wait for whoever acts so? `above`: the supervisors above the one it was sent to, nearest first, to whom it goes once it is
/// overdue. (rule D5: overdue ones escalate)
#[must_use]
pub fn waits_for(by: By, moment: Moment, alert: &Alert, above: &[PersonId]) -> bool {
    alert.judgement.is_none() && alert.person != by.person && is_addressed(by, moment, alert, above)
}

/// Is it, or was it until somebody judged it, for whoever acts so to look at?
fn is_addressed(by: By, moment: Moment, alert: &Alert, above: &[PersonId]) -> bool {
    match alert.to {
        Some(Addressee::Supervisor(id)) => {
            let is_late = alert.is_overdue(moment.today) || alert.judgement.is_some();
            by.role != Role::ShieldingOfficer && (id == by.person || (is_late && above.contains(&by.person)))
        }
        Some(Addressee::Authority(id)) => by.role == Role::ShieldingOfficer && id == by.organisation,
        None => false,
    }
}

/// Is this alert one that the caller's queue shows? (rule D5)
#[must_use]
pub fn shows(permit: &ReadAlertsPermit, caller: &Caller, moment: Moment, alert: &Alert, above: &[PersonId]) -> bool {
    let by = By { role: role_for(caller, permit.by(), alert), ..permit.by() };
    waits_for(by, moment, alert, above)
}

/// May the caller judge this alert so? `above` as in [`waits_for`]; `over`: whoever supervises the caller, and these, and so on. Nobody
/// judges their own act, nor the act of anybody above them. An alert that is nobody's business of theirs is as if it were not there, also one
/// about themselves that was raised without their doing. (rules C3, C4, D5, D7)
pub fn judge(
    caller: &Caller,
    moment: Moment,
    alert: &Alert,
    above: &[PersonId],
    over: &[PersonId],
    disposition: Disposition,
) -> Result<JudgePermit, Refusal> {
    let by = admit(caller, Operation::JudgeAlert, moment)?;
    // a person may be supervisor and shielding officer: the alert says as which of the two it is asked
    let by = By { role: role_for(caller, by, alert), ..by };
    let is_own = alert.person == by.person;
    let is_addressed = is_addressed(by, moment, alert, above);
    if !(is_addressed || is_own && alert.kind.stops_the_glass()) {
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
    if alert.judgement.is_some() || !fits {
        return Err(Refusal::AlreadyJudged);
    }
    Ok(JudgePermit { by, disposition })
}

/// The role in which the caller looks at this alert.
fn role_for(caller: &Caller, by: By, alert: &Alert) -> Role {
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
    accredited(caller, Some(Capability::Audit), moment)?;
    Ok(AuditAlertsPermit { by })
}

/// May the caller say this of the judgement of an alert? Only of one that was drawn, and once. (rules B2, C4, D5)
pub fn review_alert(caller: &Caller, moment: Moment, alert: &Alert, is_sampled: bool, finding: Finding) -> Result<ReviewPermit, Refusal> {
    let by = admit(caller, Operation::ReviewAlert, moment)?;
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
