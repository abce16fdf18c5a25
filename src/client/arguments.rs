//! The command line of `contactpoint`, as clap reads it. Leaves to others: doing it.

use clap::{Args, Parser, Subcommand};
use contactpoint_manual::{CompletionsWanted, ManualWanted};
use std::path::PathBuf;

/// Ask the directory who works with a child, and feed it your organisation's records.
///
/// Exit codes: 0 done; 1 refused by the directory, or a feed in which some lines were rejected; 2 wrong usage; 3 no connection, or TLS refused;
/// 4 verification failed.
#[derive(Debug, Parser)]
#[command(name = "contactpoint", version)]
pub struct Arguments {
    /// Where, as whom, and how to print.
    #[command(flatten)]
    pub place: Place,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options of every verb.
#[derive(Debug, Args)]
pub struct Place {
    /// The profile: server, its authority, your certificate and key
    #[arg(long, global = true, env = "CONTACTPOINT_PROFILE", value_name = "FILE.toml")]
    pub profile: Option<PathBuf>,
    /// Where the session is kept between commands (default: a file of your own in $XDG_RUNTIME_DIR)
    #[arg(long, global = true, env = "CONTACTPOINT_SESSION", value_name = "FILE")]
    pub session_file: Option<PathBuf>,
    /// Print JSON for machines instead of tables for people
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Log in with password and one-time code
    ///
    /// The session is bound to your organisation's certificate, and ends after 15 idle minutes and at log-out.
    LogIn(LogIn),
    /// End the session
    ///
    /// In the directory, and the file that held it is removed.
    LogOut,
    /// Find children in your own scope
    ///
    /// Needs a family name or child number with a date of birth or postcode; there are no wildcards, and more than 20 hits give none. Every
    /// search is in the log, with every child that it listed.
    Search(Search),
    /// See who works with one child and how to reach them
    ///
    /// Only for a child in your own scope, and only with a reason; the look is in the log before you see anything.
    View(Look),
    /// See who saw one child (auditors)
    ///
    /// Those who only had the child in a list, and refused looks, included.
    WhoSaw(WhoSaw),
    /// Send your organisation's records from a CSV file; run it again to resume
    ///
    /// Rejected lines are listed with the reason; the others are kept.
    Feed(Feed),
    /// Make an account for one of your organisation's people (administrators)
    ///
    /// Prints their first password and code secret, once: hand them over in person.
    EnrolPerson(EnrolPerson),
    /// Change what is on record of one of your organisation's people (administrators)
    ///
    /// What is not named stays. The dates of the checks are given together: a check that is left out then is as if it had never been made.
    AmendPerson(AmendPerson),
    /// Lock, unlock, suspend, resume or close an account (helpdesk and administrators)
    ///
    /// The helpdesk locks and unlocks; the administrator suspends, resumes and closes. Nobody does it to themselves. A closed account stays
    /// closed.
    SetPersonState(SetPersonState),
    /// Read the user agreement, and sign it
    ///
    /// Without --accept the text is printed, and nothing is signed. After the first log-in, and once a year.
    Sign(AcceptText),
    /// Read your organisation's statement of responsibilities, and accept it (administrators and supervisors)
    ///
    /// Without --accept the text is printed, and nothing is accepted. Once, and again whenever the text changes.
    AcceptResponsibilities(AcceptText),
    /// Vouch for an organisation of your area (supervisors of a council)
    ///
    /// From then on you supervise its first two people. It is accredited by somebody else.
    Sponsor(Sponsor),
    /// The public log: fetch it, verify it offline
    ///
    /// What is fetched is sealed: hashes and entries that tell nothing of a child.
    Log {
        /// Which.
        #[command(subcommand)]
        verb: LogVerb,
    },
    /// Print a man page
    ///
    /// In the language of man(7), on the standard output: of this program or of a verb.
    Manual(ManualWanted),
    /// Print completions for a shell
    ///
    /// On the standard output.
    Completions(CompletionsWanted),
}

/// `log-in`
#[derive(Debug, Args)]
pub struct LogIn {
    /// Your log-in name
    #[arg(long, value_name = "NAME")]
    pub login: String,
    /// Read the password from the first line of standard input instead of asking for it
    #[arg(long, requires = "code")]
    pub password_stdin: bool,
    /// The one-time code; asked for where absent
    #[arg(long, value_name = "DIGITS")]
    pub code: Option<String>,
}

/// `search`
#[derive(Debug, Args)]
pub struct Search {
    /// Family name, whole
    #[arg(long)]
    pub family_name: Option<String>,
    /// Given name
    #[arg(long)]
    pub given_name: Option<String>,
    /// YYYY-MM-DD
    #[arg(long)]
    pub date_of_birth: Option<String>,
    /// Postcode
    #[arg(long)]
    pub postcode: Option<String>,
    /// The directory's own number
    #[arg(long)]
    pub child_number: Option<String>,
    /// Why you look: coordination, concern, assessment, section-47, missing, transfer, subject-access, audit
    #[arg(long)]
    pub reason: String,
}

/// `view`
#[derive(Debug, Args)]
pub struct Look {
    /// The child's number in the directory
    #[arg(value_name = "NUMBER")]
    pub child_number: String,
    /// Why you look: coordination, concern, assessment, section-47, missing, transfer, subject-access, audit
    #[arg(long)]
    pub reason: String,
}

/// `who-saw`
#[derive(Debug, Args)]
pub struct WhoSaw {
    /// Which child, and why.
    #[command(flatten)]
    pub look: Look,
    /// Only looks older than this entry of the log: the way to those that did not fit into the last answer
    #[arg(long, value_name = "ENTRY")]
    pub before: Option<u64>,
}

/// `feed`
#[derive(Debug, Args)]
pub struct Feed {
    /// The CSV file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How the file is laid out, by the name the directory knows: school-roll, ...
    #[arg(long, value_name = "NAME")]
    pub layout: String,
}

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
}

/// `sign`, `accept-responsibilities`
#[derive(Debug, Args)]
pub struct AcceptText {
    /// The version that you have read
    #[arg(long = "accept", value_name = "VERSION")]
    pub version: Option<u16>,
}

/// `sponsor`
#[derive(Debug, Args)]
pub struct Sponsor {
    /// The organisation's number
    #[arg(value_name = "ORGANISATION")]
    pub organisation: u32,
}

/// `log ...`
#[derive(Debug, Subcommand)]
pub enum LogVerb {
    /// Fetch the checkpoint and every tile below it; run again later, and a log that does not go on from what DIR holds is refused (exit 4)
    Fetch {
        /// Where to
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// The verifier key (name+hash+key), or a file that holds it: checks the signatures too, which otherwise `log verify` does
        #[arg(long, value_name = "KEY|FILE")]
        key: Option<String>,
    },
    /// Verify a fetched log offline, with the verifier key alone
    Verify {
        /// Where it lies
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// The verifier key (name+hash+key), or a file that holds it
        #[arg(long, value_name = "KEY|FILE")]
        key: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_password_is_never_an_argument() {
        // C2: two factors; what stands on a command line is seen by every process of the machine
        let tried = Arguments::try_parse_from(["contactpoint", "log-in", "--login", "a", "--password", "x"]);
        assert!(tried.is_err());
    }

    #[test]
    fn a_look_without_a_reason_is_refused_before_it_is_sent() {
        // D2: every view states a coded reason
        assert!(Arguments::try_parse_from(["contactpoint", "view", "4182736451"]).is_err());
    }
}
