//! The command line about people: accounts, their checks and states, lost factors. The rest is in `arguments`.

use clap::Args;

/// `enrol-person`
#[derive(Debug, Args)]
pub struct EnrolPerson {
    /// Their log-in name: lower-case letters, digits, full stops, hyphens
    #[arg(long, value_name = "NAME")]
    pub login: String,
    /// Given name
    #[arg(long)]
    pub given_name: String,
    /// Family name
    #[arg(long)]
    pub family_name: String,
    /// practitioner, supervisor, data-steward, administrator, helpdesk, shielding-officer, auditor, inspector; may be given more than once
    #[arg(long = "role", value_name = "ROLE", required = true)]
    pub roles: Vec<String>,
    /// The number of their supervisor
    #[arg(long, value_name = "PERSON")]
    pub supervisor: u32,
    /// When their checks were made.
    #[command(flatten)]
    pub checks: Checks,
    /// Where they live.
    #[command(flatten)]
    pub home: Home,
}

/// Where a person lives, by the vetting record: a look at a child of this address is flagged (rule D7).
#[derive(Debug, Args)]
pub struct Home {
    /// A line of their home address, by the vetting record; may be given up to four times
    #[arg(long = "home-line", value_name = "LINE")]
    pub home_lines: Vec<String>,
    /// The postcode of their home address
    #[arg(long, value_name = "POSTCODE", requires = "home_lines")]
    pub home_postcode: Option<String>,
}

/// When the checks of a person were made.
#[derive(Debug, Args)]
pub struct Checks {
    /// The enhanced vetting check, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    pub vetted: Option<String>,
    /// The registration with the barring scheme, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    pub barring: Option<String>,
    /// The training, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    pub trained: Option<String>,
}

/// `amend-person`
#[derive(Debug, Args)]
pub struct AmendPerson {
    /// Their number
    #[arg(value_name = "PERSON")]
    pub person: u32,
    /// All their roles anew; may be given more than once
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<String>,
    /// The number of their supervisor
    #[arg(long, value_name = "PERSON")]
    pub supervisor: Option<u32>,
    /// All their checks anew.
    #[command(flatten)]
    pub checks: Checks,
    /// Where they live now.
    #[command(flatten)]
    pub home: Home,
}

/// `set-person-state`
#[derive(Debug, Args)]
pub struct SetPersonState {
    /// Their number
    #[arg(value_name = "PERSON")]
    pub person: u32,
    /// active, locked, suspended, closed
    #[arg(value_name = "STATE")]
    pub state: String,
    /// Questions of the script that were answered.
    #[command(flatten)]
    pub script: Script,
}

/// How the helpdesk knows whom it hears.
#[derive(Debug, Args)]
pub struct Script {
    /// A question that was answered, at least three: employee-number, line-manager, office-address, last-sign-in, supervisor-name, vetting-month
    #[arg(long, value_name = "QUESTION", value_delimiter = ',')]
    pub verified: Vec<String>,
}

/// `reset`
#[derive(Debug, Args)]
pub struct Reset {
    /// Their number
    #[arg(value_name = "PERSON")]
    pub person: u32,
    /// password or code
    #[arg(value_name = "FACTOR")]
    pub factor: String,
    /// Questions of the script that were answered.
    #[command(flatten)]
    pub script: Script,
}

/// `complete-reset`
#[derive(Debug, Args)]
pub struct CompleteReset {
    /// Their number
    #[arg(value_name = "PERSON")]
    pub person: u32,
    /// The six digits that your own authenticator shows now; asked for where absent
    #[arg(long, value_name = "DIGITS")]
    pub code: Option<String>,
}
