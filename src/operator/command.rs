//! The command line: which verb, and what its result becomes for the shell.

use crate::error::OperatorError;
use crate::verify_log::OpenServed;
use crate::{
    alerts, ceremony, certificate_request, check_config, enrol_organisation, erasing, helpdesk, inspect, let_in, manual, people, show,
    signing_in, status, verifier_key, verify_evidence, verify_log,
};
use clap::{CommandFactory as _, Parser, Subcommand};
use contactpoint_hardening::forbid_core_dumps;
use contactpoint_manual::{CompletionsWanted, ManualWanted};
use contactpoint_settings::Directories;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

/// Exit status of a command line that cannot be used (sysexits(3), EX_USAGE).
const USAGE: u8 = 64;
/// Exit status of a fault of the program or the machine (EX_SOFTWARE).
const SOFTWARE: u8 = 70;

/// Runs the appliance: key ceremony, certificates, enrolment, checks. There is no verb that shows a child.
#[derive(Debug, Parser)]
#[command(name = "contactpointctl", version)]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make the HSM keys, the data keys, an empty store, the data centre, its security officer and its risk owner
    ///
    /// Once in the life of a store: it refuses, and changes nothing, where there are keys or a store already. Prints the log's public key, and
    /// both people's passwords and code secrets, which are shown once and kept nowhere. Run it as contactpoint-at-hsm ceremony.
    Ceremony(ceremony::Arguments),
    /// Make a PKCS #10 request for the daemon's TLS certificate, signed by the key in the HSM
    ///
    /// Have the request signed by your authority, and put the chain where the setting tls.certificate says. The private key never leaves the
    /// HSM; a renewed certificate needs a new request and no new key. Run it as contactpoint-at-hsm certificate-request.
    CertificateRequest(certificate_request::Arguments),
    /// Print the log's public key
    ///
    /// It is read from the HSM, and written as C2SP signed-note writes it (name+id+key). Publish it: with it alone anyone can verify the log.
    /// Run it as contactpoint-at-hsm verifier-key.
    VerifierKey,
    /// Begin the next epoch of the key that log entries are sealed under
    ///
    /// Takes two officers, with their passwords and codes, while the daemon is stopped. Later entries are sealed under the new epoch, older
    /// ones open as before, until their epoch is destroyed. Run it as contactpoint-at-hsm new-entry-epoch.
    NewEntryEpoch(erasing::NewEntryEpoch),
    /// Destroy an epoch of that key: its entries are unreadable from then on, in every copy
    ///
    /// Takes two officers, while the daemon is stopped. The key in the HSM is destroyed, and nobody brings it back. The log verifies as before,
    /// and so does every receipt. Run it as contactpoint-at-hsm destroy-entry-epoch.
    DestroyEntryEpoch(erasing::DestroyEntryEpoch),
    /// Destroy children's records, in every copy
    ///
    /// Takes two officers, while the daemon is stopped. The keys of all other records are moved to a new key in the HSM, and the former one is
    /// destroyed; where that is cut off, run it again without numbers. Run it as contactpoint-at-hsm destroy-records.
    DestroyRecords(erasing::DestroyRecords),
    /// Read settings and layouts as the daemon would, and print what is in force
    ///
    /// Looks at nothing else: not at the HSM, the certificates or the store. A fault is told with file, line and key, without the value.
    CheckConfig(check_config::Arguments),
    /// Verify the log with the public key alone: a fetched copy, offline, or as it is served
    ///
    /// Says whether any entry was altered, removed or reordered up to the signed checkpoint. Reads no name: the entries are sealed. With
    /// https://host:port the tiles are read over mutual TLS and not kept; the checkpoint fetched first is the one that is verified.
    VerifyLog(verify_log::Arguments),
    /// Verify a statement or evidence, offline, with the public key alone
    ///
    /// On any machine, without the HSM or the store. Opens the file with the recipient's identity of age where it is still sealed. Checks the
    /// signature, each entry's words, leaf, key and proof, and the checkpoint; names the first fault. Exit status: 0 good, 1 not.
    VerifyEvidence(verify_evidence::Arguments),
    /// Log in to the running daemon as one of the data centre's people
    ///
    /// With password and one-time code. The session ends after 15 idle minutes, and at log-out.
    LogIn(signing_in::LogIn),
    /// End that session
    ///
    /// In the daemon, and the file that held it is removed.
    LogOut(signing_in::LogOut),
    /// Enrol an organisation with its certificates and first two people
    ///
    /// For the security officer, logged in. The organisation is known by its certificate's key: a renewed certificate over the same key needs
    /// nothing, and one over a new key must be enrolled. Prints the one-time secrets of its administrator and its
    /// supervisor, once.
    EnrolOrganisation(enrol_organisation::Arguments),
    /// Vouch for an organisation
    ///
    /// For the risk owner, logged in. From then on you supervise its first two people. Whoever vouches for it cannot accredit it.
    Sponsor(let_in::LetIn),
    /// Accredit an organisation, for one thing or several, to a day
    ///
    /// For the security officer, logged in; not for the one who vouched. Each capability by itself; it ends by itself.
    Accredit(let_in::Accredit),
    /// Suspend an organisation
    ///
    /// For the security officer, logged in. It bites at the organisation's next request, also on connections that are open.
    SuspendOrganisation(let_in::Which),
    /// Let a suspended organisation in again
    ///
    /// For the security officer, logged in.
    ResumeOrganisation(let_in::LetIn),
    /// Put another certificate of an organisation on record
    ///
    /// For the security officer, logged in. The ones on record stay: keys change without a gap.
    AddCertificate(let_in::Certificate),
    /// Take a certificate of an organisation off the record
    ///
    /// For the security officer, logged in. Its key opens nothing from the next request on.
    RemoveCertificate(let_in::Certificate),
    /// Make an account for one of the data centre's own people
    ///
    /// For an administrator of the data centre, logged in; the risk owner of the ceremony is one. Prints their first password and code secret,
    /// once: hand them over in person.
    EnrolPerson(people::EnrolPerson),
    /// Change what is on record of one of the data centre's own people
    ///
    /// For an administrator of the data centre, logged in; not for themselves, so have two. What is not named stays. The dates of the checks are
    /// given together: a check that is left out then is as if it had never been made.
    AmendPerson(people::AmendPerson),
    /// Lock, unlock, suspend, resume or close an account of the data centre's own people
    ///
    /// The helpdesk locks, and after the scripted questions unlocks and suspends; the administrator suspends, resumes and closes. Nobody does
    /// it to themselves. A closed account stays closed.
    SetPersonState(people::SetPersonState),
    /// Begin to reset a lost factor of one of the data centre's own people
    ///
    /// For the data centre's helpdesk, after the scripted questions. A second person completes it within a day.
    Reset(helpdesk::Reset),
    /// Complete a reset that somebody else began
    ///
    /// For the data centre's helpdesk and administrators. Prints the new factor, once: hand it over in person. Every session of the account
    /// has ended.
    CompleteReset(helpdesk::CompleteReset),
    /// Read the user agreement, and sign it
    ///
    /// Without --accept the text is printed, and nothing is signed. For everybody at the data centre, after the first log-in and once a year.
    Sign(let_in::Sign),
    /// See the alerts that wait for you
    ///
    /// For the security officer and the risk owner, logged in: what those did whom you supervise, and what their supervisors left overdue. The
    /// event and the child's number; no record is within reach here.
    Alerts(alerts::Queue),
    /// Judge an alert: justified or not-justified
    ///
    /// For the security officer and the risk owner, logged in. Nobody judges their own act. It is said once, and stays.
    Judge(alerts::Judge),
    /// See the looks that you are to review
    ///
    /// For the security officer and the risk owner, logged in: looks of those whom you supervise, drawn by the plan or found by a rule. The event
    /// and the child's number; no record is within reach here.
    Reviews(alerts::Queue),
    /// Say what came of a review: justified, not-justified or needs-enquiry
    ///
    /// For the security officer and the risk owner, logged in. Nobody reviews their own looks. It is said once, and stays.
    ReviewLook(alerts::ReviewLook),
    /// Count reviews by organisation and role: done, late, overdue, and what came of them
    ///
    /// For the risk owner, logged in.
    ReviewReport(alerts::ReviewReport),
    /// Ask the running daemon how it is
    ///
    /// It makes a commit and a signature, and says whether both worked, how many entries the log has, how many certificates are revoked and how
    /// many reviews are overdue.
    /// Exit status: 0 both work, 69 one does not, or the daemon does not answer.
    Status(status::Arguments),
    /// Look at the running system, and say of each rule whether it holds
    ///
    /// For root. Asks the kernel, systemd, the package manager and the daemon's own door and control socket, and takes no file's word for what is
    /// in force. Each verdict comes with the raw evidence. Exit status: 0 everything holds, 1 something fails, 3 something could not be seen.
    Inspect(inspect::Arguments),
    /// Show what the daemon is allowed, as it is in force: system calls, paths, units; and the controls catalogue
    ///
    /// Each line of the lists has its reason. The same code and settings put them into force in the daemon.
    Show(show::Arguments),
    /// Print a man page
    ///
    /// In the language of man(7), on the standard output: of this program, of a verb, of contactpointd(8) or of contactpointd.toml(5).
    Manual(ManualWanted),
    /// Print completions for a shell
    ///
    /// On the standard output.
    Completions(CompletionsWanted),
}

/// The command line, for its pages and completions.
pub(crate) fn definition() -> clap::Command {
    Command::command()
}

/// Does what the command line asks: the result on the standard output, a failure as one sentence on the standard error.
/// A log that is served is opened by what is handed in.
pub fn run(arguments: impl IntoIterator<Item = OsString>, open_served: OpenServed) -> ExitCode {
    let command = match Command::try_parse_from(arguments) {
        Ok(command) => command,
        Err(asked) => {
            // nothing to be done where even this cannot be printed
            drop(asked.print());
            return if asked.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match command.verb.run(open_served) {
        Ok(said) => print(&said),
        Err(error) => {
            tell(&error);
            ExitCode::from(error.exit_status())
        }
    }
}

/// What a verb has to say, and the exit status that goes with it.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) status: u8,
}

impl Verb {
    fn run(self, open_served: OpenServed) -> Result<Said, OperatorError> {
        // PINs, passwords and one-time secrets pass through here: none of them into a core file (rule G1)
        forbid_core_dumps()?;
        let text = match self {
            Self::Ceremony(arguments) => ceremony::run(arguments, &directories("ceremony")?),
            Self::CertificateRequest(arguments) => certificate_request::run(arguments, &directories("certificate-request")?),
            Self::VerifierKey => verifier_key::run(&directories("verifier-key")?),
            Self::NewEntryEpoch(arguments) => erasing::run_new_entry_epoch(arguments, &directories("new-entry-epoch")?),
            Self::DestroyEntryEpoch(arguments) => erasing::run_destroy_entry_epoch(arguments, &directories("destroy-entry-epoch")?),
            Self::DestroyRecords(arguments) => erasing::run_destroy_records(arguments, &directories("destroy-records")?),
            Self::CheckConfig(arguments) => check_config::run(&arguments),
            Self::VerifyLog(arguments) => verify_log::run(&arguments, open_served),
            Self::VerifyEvidence(arguments) => verify_evidence::run(&arguments),
            Self::LogIn(arguments) => signing_in::log_in(&arguments),
            Self::LogOut(arguments) => signing_in::log_out(&arguments),
            Self::EnrolOrganisation(arguments) => enrol_organisation::run(&arguments),
            Self::Sponsor(which) => let_in::sponsor(&which),
            Self::Accredit(arguments) => let_in::accredit(&arguments),
            Self::SuspendOrganisation(which) => let_in::suspend(&which),
            Self::ResumeOrganisation(which) => let_in::resume(&which),
            Self::AddCertificate(certificate) => let_in::add_certificate(&certificate),
            Self::RemoveCertificate(certificate) => let_in::remove_certificate(&certificate),
            Self::EnrolPerson(arguments) => people::enrol(&arguments),
            Self::AmendPerson(arguments) => people::amend(&arguments),
            Self::SetPersonState(arguments) => people::set_state(&arguments),
            Self::Reset(arguments) => helpdesk::begin(&arguments),
            Self::CompleteReset(arguments) => helpdesk::complete(&arguments),
            Self::Sign(arguments) => let_in::sign(&arguments),
            Self::Alerts(arguments) => alerts::queue(&arguments),
            Self::Judge(arguments) => alerts::judge(&arguments),
            Self::Reviews(arguments) => alerts::reviews(&arguments),
            Self::ReviewLook(arguments) => alerts::review_look(&arguments),
            Self::ReviewReport(arguments) => alerts::review_report(&arguments),
            Self::Status(arguments) => return status::run(&arguments),
            Self::Inspect(arguments) => return inspect::run(&arguments),
            Self::Show(arguments) => show::run(&arguments),
            Self::Manual(wanted) => manual::run(&wanted, definition()),
            Self::Completions(wanted) => Ok(manual::completions(&wanted, definition())),
        }?;
        Ok(Said { text, status: 0 })
    }
}

fn directories(verb: &'static str) -> Result<Directories, OperatorError> {
    Directories::from_environment(|name| std::env::var_os(name)).map_err(|source| OperatorError::NotAtHsm { verb, source })
}

/// Says something beside the result. Where nobody listens on the standard error, the exit status must still be told: no panic.
pub(crate) fn tell(what: &dyn Display) {
    drop(writeln!(std::io::stderr(), "contactpointctl: {what}"));
}

fn print(said: &Said) -> ExitCode {
    // a reader that went away (a closed pipe) is no success
    match writeln!(std::io::stdout(), "{}", said.text) {
        Ok(()) => ExitCode::from(said.status),
        Err(_) => ExitCode::from(SOFTWARE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(line: &[&str]) -> ExitCode {
        run(line.iter().map(OsString::from), |_| Err("nothing is served here".to_owned()))
    }

    #[test]
    fn a_line_that_cannot_be_used_exits_64_and_help_exits_0() {
        // sysexits(3): EX_USAGE
        assert_eq!(status_of(&["contactpointctl"]), ExitCode::from(USAGE));
        assert_eq!(status_of(&["contactpointctl", "dump"]), ExitCode::from(USAGE));
        assert_eq!(status_of(&["contactpointctl", "log-in", "--password", "x"]), ExitCode::from(USAGE));
        assert_eq!(status_of(&["contactpointctl", "--help"]), ExitCode::SUCCESS);
    }

    #[test]
    fn a_verb_that_needs_the_hsm_says_how_it_is_run() {
        // Style: each failure is one sentence on what to do
        let nothing_set = Directories::from_environment(|_| None).unwrap_err();
        let error = OperatorError::NotAtHsm { verb: "ceremony", source: nothing_set };
        assert_eq!(error.exit_status(), 78);
        assert!(error.to_string().contains("run it as contactpoint-at-hsm ceremony"), "{error}");
    }

    #[test]
    fn broken_settings_exit_78() {
        // Style: unknown key = refuse to start (exit 78)
        assert_eq!(status_of(&["contactpointctl", "check-config", "--directory", "/nonexistent"]), ExitCode::from(78));
    }

    #[test]
    fn no_verb_leads_to_child_data_and_none_takes_a_secret_as_an_argument() {
        // B5: no bulk export; G1: no SQL console, no dump; G5: no export verb
        Command::command().debug_assert();
        let command = Command::command();
        let verbs: Vec<&str> = command.get_subcommands().map(|verb| verb.get_name()).collect();
        let known = [
            "ceremony",
            "certificate-request",
            "verifier-key",
            "new-entry-epoch",
            "destroy-entry-epoch",
            "destroy-records",
            "check-config",
            "verify-log",
            "verify-evidence",
            "log-in",
            "log-out",
            "enrol-organisation",
            "sponsor",
            "accredit",
            "suspend-organisation",
            "resume-organisation",
            "add-certificate",
            "remove-certificate",
            "enrol-person",
            "amend-person",
            "set-person-state",
            "reset",
            "complete-reset",
            "sign",
            "alerts",
            "judge",
            "reviews",
            "review-look",
            "review-report",
            "status",
            "inspect",
            "show",
            "manual",
            "completions",
        ];
        assert_eq!(verbs, known, "a new verb is added here with a thought to rules B5, G1 and G5");
        let options: Vec<&str> = command.get_subcommands().flat_map(|verb| verb.get_arguments().filter_map(|a| a.get_long())).collect();
        assert!(!options.iter().any(|option| ["pin", "password", "code-secret"].contains(option)), "{options:?}");
    }
}
