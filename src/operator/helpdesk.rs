//! `contactpointctl reset` and `complete-reset`: a lost factor of the data centre's people made anew by two of them (rule C5).
//!
//! As in `contactpoint`: the helpdesk begins, after the scripted questions, and somebody else completes.

use crate::desk::Desk;
use crate::error::OperatorError;
use serde_json::json;

/// The scripted questions.
#[derive(Debug, clap::Args)]
pub(crate) struct Script {
    /// A question that was answered, at least three: employee-number, line-manager, office-address, last-sign-in, supervisor-name, vetting-month
    #[arg(long, value_name = "QUESTION", value_delimiter = ',')]
    pub(crate) verified: Vec<String>,
}

/// A reset that begins.
#[derive(Debug, clap::Args)]
pub(crate) struct Reset {
    /// Their number
    #[arg(value_name = "PERSON")]
    person: u32,
    /// password or code
    #[arg(value_name = "FACTOR")]
    factor: String,
    #[command(flatten)]
    script: Script,
    #[command(flatten)]
    desk: Desk,
}

/// A reset that somebody else began.
#[derive(Debug, clap::Args)]
pub(crate) struct CompleteReset {
    /// Their number
    #[arg(value_name = "PERSON")]
    person: u32,
    /// The six digits that your own device shows now; asked for where absent
    #[arg(long)]
    code: Option<String>,
    #[command(flatten)]
    desk: Desk,
}

pub(crate) fn begin(Reset { person, factor, script, desk }: &Reset) -> Result<String, OperatorError> {
    desk.post(&format!("/v1/people/{person}/reset"), &json!({"factor": factor, "verified": script.verified}))
}

pub(crate) fn complete(CompleteReset { person, code, desk }: &CompleteReset) -> Result<String, OperatorError> {
    let code = match code {
        Some(code) => code.clone(),
        None => rpassword::prompt_password("Your own code: ")?,
    };
    desk.post(&format!("/v1/people/{person}/reset/complete"), &json!({"code": code.trim()}))
}
