//! The command line of `contactpoint`, as clap reads it. Leaves to others: doing it.

pub use crate::person_arguments::{AmendPerson, Checks, CompleteReset, EnrolPerson, Home, Reset, Script, SetPersonState};
use crate::shielding::{AudienceWanted, EndInvolvement, HoldNew, Settle, Shield, Unshield};
use crate::statements::{EvidenceVerb, StatementWanted};
pub use crate::witness_arguments::{RunWitness, WitnessVerb};
use clap::{Args, Parser, Subcommand};
use contactpoint_manual::{CompletionsWanted, ManualWanted};
use std::path::PathBuf;

/// Ask the directory who works with a child, and feed it your organisation's records.
///
/// Exit codes: 0 done; 1 refused by the directory, or a feed in which some lines were rejected; 2 wrong usage; 3 no connection, or TLS refused;
/// 4 verification failed; 5 the log contradicts what it showed before, or an answer is not in it.
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
    View(View),
    /// Ask a child's authority to bring you together with whoever works with the child
    ///
    /// The answer is the same whether or not there is such a child. If there is, its authority gets in touch.
    AskContact(Look),
    /// See who saw one child (auditors)
    ///
    /// Those who only had the child in a list, and refused looks, included.
    WhoSaw(WhoSaw),
    /// See one child outside your scope, for thirty minutes; your supervisor is told
    ///
    /// For what cannot wait: concern, section-47 or missing. Asks for a fresh one-time code. By number, or by family name, given names, date of
    /// birth and postcode together. One child at a time: the next one takes its place. Then see `view`.
    BreakGlass(BreakGlass),
    /// Leave the child that you broke the glass to
    ///
    /// It ends by itself after thirty minutes, and at log-out.
    Leave,
    /// See one shielded child, for thirty minutes; your supervisor and the child's authority are told
    ///
    /// Only where your organisation is accredited for it. Starts an investigation by the authority. Asks for a fresh one-time code.
    OverrideShield(OverrideShield),
    /// See the alerts that wait for you (supervisors and shielding officers)
    ///
    /// Who acted, when and why, and the child's number; never the record. What is overdue with a supervisor below you is among them.
    Alerts(Alerts),
    /// Judge an alert: justified or not-justified; the authority says settled
    ///
    /// Within five working days. Nobody judges their own act, nor that of anybody above them. It is said once, and stays.
    Judge(Judge),
    /// Draw a sample of a finished month's judgements (auditors)
    ///
    /// From a signed checkpoint that nobody chose; asked again, it is the same one. Prints what it takes to draw it again.
    Sample(Sample),
    /// Say what you find of a judgement in the sample: upheld or questioned (auditors)
    ///
    /// It is said once, and stays.
    Review(Review),
    /// Count alerts and judgements by person, by role, and by person and supervisor (auditors)
    ///
    /// So that it shows who judges everything alike.
    Statistics(Period),
    /// See the looks that were flagged without their looker's doing (auditors)
    ///
    /// The day's ceiling reached, one's own family, near-misses, records that only named people may know of.
    Flags(Flags),
    /// See the looks that you are to review (supervisors and auditors)
    ///
    /// Drawn by the plan, or found by a rule; who looked, when and why, and the child's number, never the record. What is due first comes first.
    /// Auditors see what is overdue with somebody else as well.
    Reviews(Alerts),
    /// Say what came of a review: justified, not-justified or needs-enquiry
    ///
    /// Nobody reviews their own looks, nor those of anybody above them. It is said once, and stays.
    ReviewLook(ReviewLook),
    /// Count reviews by organisation and role: done, late, overdue, and what came of them (auditors)
    ///
    /// Prints what it takes to draw them again.
    ReviewReport(Period),
    /// Have a statement made of who saw one child, sealed for whoever asked for it under the law (auditors)
    ///
    /// Asks for a fresh one-time code. What is written is sealed for the recipient's key of age: nobody else can read it, you included.
    Statement(StatementWanted),
    /// Evidence of what a person did: asked for by one auditor, approved by another, fetched by the first
    ///
    /// Sealed for the recipient's key of age: nobody else can read it, you included. `contactpointctl verify-evidence` verifies it.
    Evidence {
        /// Which step.
        #[command(subcommand)]
        verb: EvidenceVerb,
    },
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
    /// The helpdesk locks, and after the scripted questions unlocks and suspends; the administrator suspends, resumes and closes. Nobody does
    /// it to themselves. A closed account stays closed.
    SetPersonState(SetPersonState),
    /// Begin to reset somebody's lost factor (helpdesk)
    ///
    /// After the scripted questions. A second person completes it within a day.
    Reset(Reset),
    /// Complete a reset that somebody else began (helpdesk and administrators)
    ///
    /// Prints the new factor, once: hand it over in person. Every session of the account has ended.
    CompleteReset(CompleteReset),
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
    /// Shield a child of your authority (shielding officers)
    ///
    /// Everybody but you sees its name, date of birth and number from then on, and that it is shielded. Again, to set another reason or day.
    Shield(Shield),
    /// Lift a child's shield (shielding officers)
    ///
    /// Asks for a fresh one-time code.
    Unshield(Unshield),
    /// Name the only people who may know of a child's record (shielding officers)
    ///
    /// For everybody else, you included, it is as if there were no such child; you can undo it all the same. Asks for a fresh one-time code.
    Audience(AudienceWanted),
    /// Say which child a record is of that waits for you (shielding officers)
    ///
    /// A record that may be of a shielded child is seen by its own source alone until then.
    Settle(Settle),
    /// Have new records of your area wait for you, or no longer (shielding officers)
    ///
    /// Until you settle one, only its own source sees it.
    HoldNew(HoldNew),
    /// Say that your organisation works with a child no more (data stewards)
    ///
    /// The child is out of your organisation's scope at once. A feed that says otherwise brings it back.
    EndInvolvement(EndInvolvement),
    /// Check that what you were answered is in the log, and that the log goes on from what you saw before
    ///
    /// With log_key in the profile. Every other command does the same for what earlier ones were answered, after its own answer; this one waits
    /// until all of it is covered by a signed head. A log that was rolled back or forked ends with exit code 5.
    Receipts,
    /// The public log: fetch it, verify it offline
    ///
    /// What is fetched is sealed: hashes and entries that tell nothing of a child.
    Log {
        /// Which.
        #[command(subcommand)]
        verb: LogVerb,
    },
    /// Be a witness of the log: cosign its signed heads with a key of your own
    ///
    /// A witness cosigns a head only after it has checked that the log has only grown since the last head that it cosigned. Two logs that were signed
    /// by one key cannot both be cosigned by an honest witness.
    Witness {
        /// Which.
        #[command(subcommand)]
        verb: WitnessVerb,
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
    /// Why you look: coordination, concern, assessment, section-47, missing, transfer
    #[arg(long)]
    pub reason: String,
}

/// `view`
#[derive(Debug, Args)]
pub struct Look {
    /// The child's number in the directory
    #[arg(value_name = "NUMBER")]
    pub child_number: String,
    /// Why you look: coordination, concern, assessment, section-47, missing, transfer
    #[arg(long)]
    pub reason: String,
}

/// `view`
#[derive(Debug, Args)]
pub struct View {
    /// Which child, and why.
    #[command(flatten)]
    pub look: Look,
    /// For a colleague without an account: "Given Family", or "Family, Given" where the family name has blanks. Both names are in the log
    #[arg(long = "for", value_name = "NAME")]
    pub on_behalf_of: Option<String>,
}

/// `who-saw`
#[derive(Debug, Args)]
pub struct WhoSaw {
    /// Which child, and why.
    #[command(flatten)]
    pub look: Look,
    /// Go on where the last answer ended
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// `break-glass`
#[derive(Debug, Args)]
pub struct BreakGlass {
    /// The child's number in the directory
    #[arg(value_name = "NUMBER", required_unless_present = "family_name")]
    pub child_number: Option<String>,
    /// Family name, whole
    #[arg(long, conflicts_with = "child_number", requires_all = ["given_name", "date_of_birth", "postcode"])]
    pub family_name: Option<String>,
    /// Given names, all of them
    #[arg(long, requires = "family_name")]
    pub given_name: Option<String>,
    /// YYYY-MM-DD
    #[arg(long, requires = "family_name")]
    pub date_of_birth: Option<String>,
    /// Postcode
    #[arg(long, requires = "family_name")]
    pub postcode: Option<String>,
    /// Why it cannot wait: concern, section-47, missing
    #[arg(long)]
    pub reason: String,
    /// The one-time code; asked for where absent
    #[arg(long, value_name = "DIGITS")]
    pub code: Option<String>,
}

/// `override-shield`
#[derive(Debug, Args)]
pub struct OverrideShield {
    /// The child's number in the directory
    #[arg(value_name = "NUMBER")]
    pub child_number: String,
    /// Why it cannot wait: concern, section-47, missing
    #[arg(long)]
    pub reason: String,
    /// The one-time code; asked for where absent
    #[arg(long, value_name = "DIGITS")]
    pub code: Option<String>,
}

/// `alerts`, `reviews`
#[derive(Debug, Args)]
pub struct Alerts {
    /// Go on where the last answer ended
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// `judge`
#[derive(Debug, Args)]
pub struct Judge {
    /// The alert's number
    #[arg(value_name = "ALERT")]
    pub alert: u64,
    /// justified, not-justified, settled
    #[arg(value_name = "DISPOSITION")]
    pub disposition: String,
}

/// `sample`
#[derive(Debug, Args)]
pub struct Sample {
    /// The month in which they were judged, YYYY-MM; it has to be over
    #[arg(value_name = "MONTH")]
    pub month: String,
    /// How many, 1 to 100
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub size: u16,
}

/// `review`
#[derive(Debug, Args)]
pub struct Review {
    /// The alert's number
    #[arg(value_name = "ALERT")]
    pub alert: u64,
    /// upheld, questioned
    #[arg(value_name = "FINDING")]
    pub finding: String,
}

/// `statistics`
#[derive(Debug, Args)]
pub struct Period {
    /// The first day, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    pub from: String,
    /// The last day, within a year
    #[arg(long, value_name = "DAY")]
    pub to: String,
}

/// `flags`
#[derive(Debug, Args)]
pub struct Flags {
    /// From when to when.
    #[command(flatten)]
    pub period: Period,
    /// Go on where the last answer ended
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// `review-look`
#[derive(Debug, Args)]
pub struct ReviewLook {
    /// The task's number
    #[arg(value_name = "TASK")]
    pub task: u64,
    /// justified, not-justified, needs-enquiry
    #[arg(long, value_name = "OUTCOME")]
    pub outcome: String,
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
    /// The six digits that your authenticator shows now; asked for where absent
    #[arg(long)]
    pub code: Option<String>,
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
