//! `contactpointctl alerts` and `judge`: what waits for the data centre's supervisors, and what they say of it (rule D5).
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

pub(crate) fn queue(arguments: &Queue) -> Result<String, OperatorError> {
    let body = arguments.cursor.as_ref().map_or(json!({}), |cursor| json!({"cursor": cursor}));
    arguments.desk.post("/v1/alerts/queue", &body)
}

pub(crate) fn judge(Judge { alert, disposition, desk }: &Judge) -> Result<String, OperatorError> {
    desk.post(&format!("/v1/alerts/{alert}/judge"), &json!({"disposition": disposition}))
}
