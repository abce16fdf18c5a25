//! The decisions about statements and evidence (rules F3, F5): an auditor, the second factor anew, and for evidence a second auditor.

use crate::admission::admit;
use crate::gate::Moment;
use crate::permit::{one_of, permit, By};
use crate::refusal::Refusal;
use contactpoint_audit::Operation;
use contactpoint_domain::{EvidenceAsked, EvidenceCase, Purpose};
use contactpoint_identity::{Caller, Confirmed};

permit!(
    /// May make a subject-access statement (rule F3).
    StatementPermit {}
);
permit!(
    /// May ask for evidence of what a person did (rule F5).
    RequestEvidencePermit {}
);
permit!(
    /// May approve evidence that another auditor asked for (rule F5).
    ApproveEvidencePermit {}
);
permit!(
    /// May fetch the evidence that they asked for and another auditor approved (rule F5).
    FetchEvidencePermit {}
);

/// Reasons for evidence of what a person did.
const MISUSE: &[Purpose] = &[Purpose::Audit];

/// May the caller have a statement of who saw a child? (rules C2, C4, F3)
pub fn statement(caller: &Caller, moment: Moment, proof: Result<Confirmed, Refusal>) -> Result<StatementPermit, Refusal> {
    let by = confirmed(caller, moment, Operation::MakeStatement, proof)?;
    Ok(StatementPermit { by })
}

/// May the caller ask for evidence? Nobody does about themselves. (rules C2, C4, D2, F5)
pub fn request_evidence(
    caller: &Caller,
    moment: Moment,
    asked: &EvidenceAsked,
    proof: Result<Confirmed, Refusal>,
) -> Result<RequestEvidencePermit, Refusal> {
    let by = confirmed(caller, moment, Operation::RequestEvidence, proof)?;
    one_of(asked.reason, MISUSE)?;
    if asked.person == by.person {
        return Err(Refusal::OwnAct);
    }
    Ok(RequestEvidencePermit { by })
}

/// May the caller approve what another auditor asked for? `says`: what the caller believes to approve. Whoever asked does not approve, nor does
/// whoever it is about. (rules C2, C4, F5)
pub fn approve_evidence(
    caller: &Caller,
    moment: Moment,
    case: &EvidenceCase,
    says: &EvidenceAsked,
    proof: Result<Confirmed, Refusal>,
) -> Result<ApproveEvidencePermit, Refusal> {
    let by = confirmed(caller, moment, Operation::ApproveEvidence, proof)?;
    if [case.by, case.asked.person].contains(&by.person) {
        return Err(Refusal::OwnAct);
    }
    if case.asked != *says || case.approved.is_some() {
        return Err(Refusal::OtherRequest);
    }
    in_time(case, moment)?;
    Ok(ApproveEvidencePermit { by })
}

/// May the caller fetch this evidence? Only who asked for it. (rules C4, F5)
pub fn fetch_evidence(caller: &Caller, moment: Moment, case: &EvidenceCase) -> Result<FetchEvidencePermit, Refusal> {
    let by = admit(caller, Operation::FetchEvidence, moment)?;
    if case.by != by.person {
        return Err(Refusal::OutsideScope);
    }
    // INVARIANT: two auditors, whatever the row says
    if case.approved.is_none_or(|(other, _)| other == case.by) {
        return Err(Refusal::NotApproved);
    }
    in_time(case, moment)?;
    Ok(FetchEvidencePermit { by })
}

fn in_time(case: &EvidenceCase, moment: Moment) -> Result<(), Refusal> {
    if moment.now <= case.until() {
        Ok(())
    } else {
        Err(Refusal::EvidenceExpired)
    }
}

fn confirmed(caller: &Caller, moment: Moment, operation: Operation, proof: Result<Confirmed, Refusal>) -> Result<By, Refusal> {
    let by = admit(caller, operation, moment)?;
    if proof?.is_of(caller) {
        Ok(by)
    } else {
        Err(Refusal::NotConfirmed)
    }
}
