//! `contactpointctl alerts` and `judge`, `reviews` and `review-look`: what waits for the data centre's supervisors, and what they say of it
//! (rules D5, F4); `review-report`: how reviews stand, for the risk owner.
//!
//! The alert carries the event and a child's number, never a record: there is none within reach of the control socket.

use crate::desk::Desk;
use crate::error::OperatorError;
use serde_json::json;

/// Where the queue goes on.
#[derive(Debug, clap::Args)]
pub(crate) struct Queue {
    /// Go on where the last answer ended
    #[arg(long)]
    cursor: Option<String>,
    #[command(flatten)]
    desk: Desk,
}

/// A judgement.
#[derive(Debug, clap::Args)]
pub(crate) struct Judge {
    /// The alert's number
    alert: u64,
    /// justified or not-justified
    disposition: String,
    #[command(flatten)]
    desk: Desk,
}

/// An outcome of a review.
#[derive(Debug, clap::Args)]
pub(crate) struct ReviewLook {
    /// The task's number
    task: u64,
    /// justified, not-justified or needs-enquiry
    #[arg(long)]
    outcome: String,
    #[command(flatten)]
    desk: Desk,
}

/// Days of which reviews are counted.
#[derive(Debug, clap::Args)]
pub(crate) struct ReviewReport {
    /// The first day, YYYY-MM-DD
    #[arg(long)]
    from: String,
    /// The last day, within a year
    #[arg(long)]
    to: String,
    #[command(flatten)]
    desk: Desk,
}

pub(crate) fn reviews(arguments: &Queue) -> Result<String, OperatorError> {
    let body = arguments.cursor.as_ref().map_or(json!({}), |cursor| json!({"cursor": cursor}));
    arguments.desk.post("/v1/reviews/queue", &body)
}

pub(crate) fn review_look(ReviewLook { task, outcome, desk }: &ReviewLook) -> Result<String, OperatorError> {
    desk.post(&format!("/v1/reviews/{task}/settle"), &json!({"outcome": outcome}))
}

pub(crate) fn review_report(ReviewReport { from, to, desk }: &ReviewReport) -> Result<String, OperatorError> {
    desk.post("/v1/reviews/report", &json!({"from": from, "to": to}))
}

pub(crate) fn queue(arguments: &Queue) -> Result<String, OperatorError> {
    let body = arguments.cursor.as_ref().map_or(json!({}), |cursor| json!({"cursor": cursor}));
    arguments.desk.post("/v1/alerts/queue", &body)
}

pub(crate) fn judge(Judge { alert, disposition, desk }: &Judge) -> Result<String, OperatorError> {
    desk.post(&format!("/v1/alerts/{alert}/judge"), &json!({"disposition": disposition}))
}
