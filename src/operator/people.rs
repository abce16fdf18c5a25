//! `contactpointctl enrol-person`, `amend-person`, `set-person-state`: the accounts of the data centre's own people (rules C1 to C5).
//!
//! The same verbs, with the same flags, as an organisation's administrator has in `contactpoint`. Nobody does any of it to their own account:
//! the daemon refuses.

use crate::desk::Desk;
use crate::error::OperatorError;
use crate::helpdesk::Script;
use serde_json::{json, Value};

/// Whom an account is made for.
#[derive(Debug, clap::Args)]
pub(crate) struct EnrolPerson {
    /// Their log-in name: lower-case letters, digits, full stops, hyphens
    #[arg(long, value_name = "NAME")]
    login: String,
    /// Given name
    #[arg(long)]
    given_name: String,
    /// Family name
    #[arg(long)]
    family_name: String,
    /// security-officer, risk-owner, system-operator, administrator, helpdesk; may be given more than once
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<String>,
    /// The number of their supervisor
    #[arg(long, value_name = "PERSON")]
    supervisor: u32,
    #[command(flatten)]
    checks: Checks,
    #[command(flatten)]
    desk: Desk,
}

/// When the checks of a person were made.
#[derive(Debug, clap::Args)]
pub(crate) struct Checks {
    /// The enhanced vetting check, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    vetted: Option<String>,
    /// The registration with the barring scheme, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    barring: Option<String>,
    /// The training, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    trained: Option<String>,
}

/// What is to be changed of an account.
#[derive(Debug, clap::Args)]
pub(crate) struct AmendPerson {
    /// Their number
    #[arg(value_name = "PERSON")]
    person: u32,
    /// All their roles anew; may be given more than once
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// The number of their supervisor
    #[arg(long, value_name = "PERSON")]
    supervisor: Option<u32>,
    #[command(flatten)]
    checks: Checks,
    #[command(flatten)]
    desk: Desk,
}

/// The state that an account is to have.
#[derive(Debug, clap::Args)]
pub(crate) struct SetPersonState {
    /// Their number
    #[arg(value_name = "PERSON")]
    person: u32,
    /// active, locked, suspended, closed
    #[arg(value_name = "STATE")]
    state: String,
    #[command(flatten)]
    script: Script,
    #[command(flatten)]
    desk: Desk,
}

pub(crate) fn enrol(arguments: &EnrolPerson) -> Result<String, OperatorError> {
    let EnrolPerson { login, given_name, family_name, roles, supervisor, checks, desk } = arguments;
    let body = json!({
        "login": login,
        "given_name": given_name,
        "family_name": family_name,
        "roles": roles,
        "supervisor": supervisor,
        "checks": checks.named(),
    });
    desk.post("/v1/people", &body)
}

pub(crate) fn amend(arguments: &AmendPerson) -> Result<String, OperatorError> {
    let AmendPerson { person, roles, supervisor, checks, desk } = arguments;
    let mut body = json!({});
    if !roles.is_empty() {
        body["roles"] = json!(roles);
    }
    if let Some(supervisor) = supervisor {
        body["supervisor"] = json!(supervisor);
    }
    let made = checks.named();
    if made != json!({}) {
        body["checks"] = made;
    }
    desk.post(&format!("/v1/people/{person}"), &body)
}

pub(crate) fn set_state(arguments: &SetPersonState) -> Result<String, OperatorError> {
    let SetPersonState { person, state, script, desk } = arguments;
    let mut body = json!({ "state": state });
    if !script.verified.is_empty() {
        body["verified"] = json!(script.verified);
    }
    desk.post(&format!("/v1/people/{person}/state"), &body)
}

impl Checks {
    /// The dates that were given, and no others.
    fn named(&self) -> Value {
        let Self { vetted, barring, trained } = self;
        let mut made = json!({});
        for (member, day) in [("vetted", vetted), ("barring", barring), ("trained", trained)] {
            if let Some(day) = day {
                made[member] = json!(day);
            }
        }
        made
    }
}
