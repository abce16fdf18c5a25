//! The decisions about tasks of review (rules C3, C4, F4): whose they are, and who counts them.
//!
//! A task waits for whoever supervised the looker when it was made. What is nobody's, and what is overdue, waits for the auditors as well.

use crate::admission::{accredited, admit};
use crate::gate::Moment;
use crate::permit::{permit, By};
use crate::refusal::Refusal;
use contactpoint_audit::Operation;
use contactpoint_domain::{Capability, PersonId, Review, ReviewOutcome, Role};
use contactpoint_identity::Caller;

permit!(
    /// May read the tasks of review that wait for them (rule F4).
    ReadReviewsPermit {}
);
permit!(
    /// May say what came of this task (rule F4).
    SettleReviewPermit {
        /// That.
        outcome: ReviewOutcome,
    }
);
permit!(
    /// May read how reviews stand (rule F4).
    ReviewReportPermit {}
);

fn admitted(caller: &Caller, operation: Operation, moment: Moment) -> Result<By, Refusal> {
    let by = admit(caller, operation, moment)?;
    if by.role == Role::Auditor {
        accredited(caller.organisation(), Some(Capability::Audit), moment)?;
    }
    Ok(by)
}

/// May the caller read tasks of review? Which ones wait for them is [`review_waits_for`]'s answer. (rules B2, C4, F4)
pub fn read_reviews(caller: &Caller, moment: Moment) -> Result<ReadReviewsPermit, Refusal> {
    Ok(ReadReviewsPermit { by: admitted(caller, Operation::ReadReviews, moment)? })
}

/// Does this task wait for whoever acts so? Their own looks never do. (rules C4, F4)
#[must_use]
pub fn review_waits_for(by: By, moment: Moment, review: &Review) -> bool {
    review.reviewed.is_none() && review.task.person != Some(by.person) && is_theirs(by, moment, review)
}

/// Is it, or was it until it was settled, for whoever acts so?
fn is_theirs(by: By, moment: Moment, review: &Review) -> bool {
    let is_for_auditors = review.task.reviewer.is_none() || moment.today > review.task.due;
    review.task.reviewer == Some(by.person) || (by.role == Role::Auditor && is_for_auditors)
}

/// May the caller settle tasks at all? Asked before there is found to be one. (rules B2, C4, F4)
pub fn settles_reviews(caller: &Caller, moment: Moment) -> Result<By, Refusal> {
    admitted(caller, Operation::SettleReview, moment)
}

/// May the caller say this of a task? Nobody reviews their own looks, nor those of anybody above them (`over`). A task that is none of theirs is
/// as if it were not there. It is said once. (rules C3, C4, F4)
pub fn settle_review(
    caller: &Caller,
    moment: Moment,
    review: &Review,
    over: &[PersonId],
    outcome: ReviewOutcome,
) -> Result<SettleReviewPermit, Refusal> {
    let by = settles_reviews(caller, moment)?;
    if !is_theirs(by, moment, review) {
        return Err(Refusal::OutsideScope);
    }
    if review.task.person.is_some_and(|person| person == by.person || over.contains(&person)) {
        return Err(Refusal::OwnAct);
    }
    if review.reviewed.is_some() {
        return Err(Refusal::AlreadyJudged);
    }
    Ok(SettleReviewPermit { by, outcome })
}

/// May the caller read how reviews stand? (rules B2, C4, F4)
pub fn review_report(caller: &Caller, moment: Moment) -> Result<ReviewReportPermit, Refusal> {
    Ok(ReviewReportPermit { by: admitted(caller, Operation::ReviewReport, moment)? })
}
