//! `contactpoint manual` and `completions`: the client's man pages, and what the shell offers at Tab.
//!
//! Verbs and flags come from the command line itself; what it does not know is here, in tables. Writes no file.

use crate::arguments::Arguments;
use crate::error::ClientError;
use clap::CommandFactory as _;
use contactpoint_manual::{completions as script, CompletionsWanted, Manual, ManualWanted, NoSuchPage, Notes, Row};

/// The page asked for, in the language of man(7).
pub(crate) fn page(wanted: &ManualWanted) -> Result<String, ClientError> {
    pages().print(wanted).map_err(|NoSuchPage(name)| ClientError::NoSuchPage(name))
}

/// The completions of a shell.
pub(crate) fn completions(wanted: &CompletionsWanted) -> String {
    script(Arguments::command(), wanted.shell)
}

fn pages() -> Manual {
    Manual::of(Arguments::command(), "1", notes)
}

/// What each verb's page says beside its flags; "" is the program.
fn notes(verb: &str) -> Notes {
    let told = Notes { exit_status: STATUSES, files: FILES, environment: VARIABLES, see_also: SEE_ALSO, ..Notes::default() };
    let examples = match verb {
        "" => FIRST_LOOK,
        "log-in" => LOG_IN,
        "log-out" => LOG_OUT,
        "search" => SEARCH,
        "view" => VIEW,
        "ask-contact" => ASK_CONTACT,
        "reset" => RESET,
        "complete-reset" => COMPLETE_RESET,
        "who-saw" => WHO_SAW,
        "break-glass" => BREAK_GLASS,
        "leave" => LEAVE,
        "override-shield" => OVERRIDE_SHIELD,
        "alerts" => ALERTS,
        "judge" => JUDGE,
        "sample" => SAMPLE,
        "review" => REVIEW,
        "statistics" => STATISTICS,
        "flags" => FLAGS,
        "reviews" => REVIEWS,
        "review-look" => REVIEW_LOOK,
        "review-report" => REVIEW_REPORT,
        "statement" => STATEMENT,
        "evidence" | "evidence-request" | "evidence-approve" | "evidence-fetch" => EVIDENCE,
        "feed" => FEED,
        "enrol-person" => ENROL_PERSON,
        "amend-person" => AMEND_PERSON,
        "set-person-state" => SET_PERSON_STATE,
        "sign" => SIGN,
        "accept-responsibilities" => ACCEPT,
        "sponsor" => SPONSOR,
        "shield" => SHIELD,
        "unshield" => UNSHIELD,
        "audience" => AUDIENCE,
        "settle" => SETTLE,
        "hold-new" => HOLD_NEW,
        "end-involvement" => END_INVOLVEMENT,
        "receipts" => RECEIPTS,
        "log" | "log-fetch" | "log-verify" => LOG,
        "witness" | "witness-init" | "witness-run" => WITNESS,
        "manual" => MANUAL,
        "completions" => COMPLETIONS,
        _ => &[],
    };
    Notes { examples, ..told }
}

const SEE_ALSO: &[&str] = &["contactpoint(1)", "contactpointctl(8)"];

const STATUSES: &[Row] = &[
    ("0", "Done."),
    ("1", "The directory refused, or some lines of a feed were rejected: the others are kept."),
    ("2", "Wrong usage, nobody is logged in, or a file that was given cannot be used."),
    ("3", "No connection, or TLS was refused."),
    ("4", "Verification failed: the log is not what its key signed."),
    ("5", "The log contradicts what it showed before, or an answer's entry is not in it: the evidence is set aside."),
];

const FILES: &[Row] = &[
    (
        "The profile",
        "A TOML file: server (https://host:port), authority (the one whose server certificates are believed), certificate and key (your \
         organisation's), log_key, the log's verifier key or a file that holds it, to have answers checked, and log_policy, \
         a file of the witnesses (C2SP tlog-policy) whose quorum a receipt then needs. Paths are relative to its folder.",
    ),
    (
        "PROFILE.receipts/",
        "With log_key: waiting/ has the number and the hash of each answer's entry until its receipt came, checkpoint is the last signed head that \
         was seen, and refused-*/ is evidence of a log that contradicts itself. Nothing of any child.",
    ),
    (
        "FOLDER of a witness",
        "key is its private key, mode 0600: whoever has it is the witness. verifier-key.txt is the public half, checkpoint the last head that it \
         cosigned, lock keeps two processes from being one witness, and refused-*/ is evidence. Never copy it back from a backup: a witness that \
         forgot what it cosigned is none; make a new one.",
    ),
    (
        "$XDG_RUNTIME_DIR/contactpoint-*.session",
        "The session between two commands, mode 0600, one a profile; log-out removes it. No record is ever written to a file.",
    ),
];

const VARIABLES: &[Row] = &[
    ("CONTACTPOINT_PROFILE", "The profile, where --profile is absent."),
    ("CONTACTPOINT_SESSION", "Where the session is kept, where --session-file is absent."),
    ("XDG_RUNTIME_DIR", "Where the session is kept otherwise."),
];

const FIRST_LOOK: &[Row] = &[
    ("export CONTACTPOINT_PROFILE=$HOME/school.toml\ncontactpoint log-in --login r.okafor", "Say where, as whom, and log in:"),
    ("contactpoint sign\ncontactpoint sign --accept 1", "Read the user agreement and sign it, at the first log-in and once a year:"),
    (
        "contactpoint search --family-name Amberley --date-of-birth 2016-03-09 --reason concern\ncontactpoint view 4182736451 --reason concern",
        "Find a child in your scope, and who else works with that child:",
    ),
    ("contactpoint log-out", "End the session:"),
];
const LOG_IN: &[Row] = &[("contactpoint log-in --login r.okafor", "Log in; password and one-time code are asked for:")];
const LOG_OUT: &[Row] = &[("contactpoint log-out", "End the session, here and in the directory:")];
const SEARCH: &[Row] = &[
    ("contactpoint search --family-name Amberley --date-of-birth 2016-03-09 --reason concern", "By family name and date of birth:"),
    ("contactpoint search --family-name Amberley --postcode 'ZZ9 9AA' --reason coordination", "By family name and postcode:"),
];
const VIEW: &[Row] = &[
    ("contactpoint view 4182736451 --reason coordination", "Who works with one child:"),
    (
        "contactpoint view 4182736451 --reason concern --for 'Ada Quill'",
        "The same for a colleague without an account; both names are in the log:",
    ),
];
const ASK_CONTACT: &[Row] =
    &[("contactpoint ask-contact 4182736451 --reason concern", "Ask to be brought together with whoever works with a child:")];
const RESET: &[Row] = &[(
    "contactpoint reset 17 code --verified employee-number,line-manager,vetting-month",
    "The telephone with the authenticator is lost, and three questions were answered:",
)];
const COMPLETE_RESET: &[Row] = &[("contactpoint complete-reset 17", "A second person completes it; your own code is asked for:")];
const WHO_SAW: &[Row] = &[("contactpoint who-saw 4182736451 --reason subject-access", "Who saw one child, newest first:")];
const BREAK_GLASS: &[Row] = &[
    (
        "contactpoint break-glass 4182736451 --reason missing\ncontactpoint view 4182736451 --reason missing\ncontactpoint leave",
        "See a child outside your scope; a fresh one-time code is asked for, and your supervisor is told:",
    ),
    (
        "contactpoint break-glass --family-name Amberley --given-name Zoe --date-of-birth 2016-03-09 \\\n    --postcode 'ZZ9 9AA' --reason section-47",
        "By exact identity, where the number is not known:",
    ),
];
const LEAVE: &[Row] = &[("contactpoint leave", "Before the thirty minutes are over:")];
const OVERRIDE_SHIELD: &[Row] = &[(
    "contactpoint override-shield 4182736451 --reason section-47\ncontactpoint view 4182736451 --reason section-47",
    "See a shielded child; your supervisor is told, and the child's authority investigates:",
)];
const ALERTS: &[Row] = &[("contactpoint alerts", "What waits for you, oldest first:")];
const JUDGE: &[Row] = &[
    ("contactpoint judge 6041283577190442 justified", "A supervisor, after speaking to whoever acted:"),
    ("contactpoint judge 44 settled", "A shielding officer, once the investigation is done:"),
];
const SAMPLE: &[Row] = &[("contactpoint sample 2026-10 --size 20", "Twenty of October's judgements:")];
const REVIEW: &[Row] = &[("contactpoint review 6041283577190442 questioned", "A judgement that you cannot follow:")];
const STATISTICS: &[Row] = &[("contactpoint statistics --from 2026-10-01 --to 2026-10-31", "A month's alerts and judgements:")];
const FLAGS: &[Row] = &[("contactpoint flags --from 2026-10-01 --to 2026-10-31", "A month's flags, oldest first:")];
const REVIEWS: &[Row] = &[("contactpoint reviews", "What you are to review, what is due first:")];
const REVIEW_LOOK: &[Row] = &[("contactpoint review-look 3187744560921 --outcome justified", "After speaking to whoever looked:")];
const REVIEW_REPORT: &[Row] = &[(
    "contactpoint review-report --from 2026-10-01 --to 2026-12-31",
    "The reviews that were due in a quarter, and the seeds of the draws:",
)];
const STATEMENT: &[Row] =
    &[("contactpoint statement 4182736451 --recipient age1... --to statement.age", "For a parent who asked, and sent their key of age:")];
const EVIDENCE: &[Row] = &[
    ("contactpoint evidence request --person 17 --from 2026-10-01 --to 2026-10-31 --recipient age1... --reason audit", "One auditor asks:"),
    (
        "contactpoint evidence approve 4182736450113 --person 17 --from 2026-10-01 --to 2026-10-31 --recipient age1... --reason audit",
        "Another approves the same, within seven days:",
    ),
    ("contactpoint evidence fetch 4182736450113 --to evidence.age", "The first one fetches it, within seven days of that:"),
    ("contactpoint evidence fetch 4182736450113 --from-entry 84213 --to evidence-2.age", "The next part, where there is more than one:"),
];
const FEED: &[Row] = &[("contactpoint feed roll.csv --layout school-roll", "Send the school's roll; the same line resumes after a break:")];
const ENROL_PERSON: &[Row] = &[(
    "contactpoint enrol-person --login b.lindqvist --given-name Britt --family-name Lindqvist --role practitioner \\\n    --supervisor 12 --vetted 2026-09-01 --barring 2026-09-01 --trained 2026-09-14",
    "Make an account; the password and code secret are printed once:",
)];
const AMEND_PERSON: &[Row] = &[
    (
        "contactpoint amend-person 14 --vetted 2026-11-02 --barring 2023-09-01 --trained 2026-11-09",
        "Put renewed checks on record, all three dates together:",
    ),
    ("contactpoint amend-person 14 --role practitioner --role supervisor", "Give somebody these roles and no others:"),
    ("contactpoint amend-person 14 --supervisor 12", "Give somebody another supervisor:"),
];
const SET_PERSON_STATE: &[Row] = &[
    ("contactpoint set-person-state 14 locked", "The helpdesk locks an account:"),
    (
        "contactpoint set-person-state 14 active --verified employee-number,line-manager,vetting-month",
        "The helpdesk unlocks it again, after the scripted questions:",
    ),
    ("contactpoint set-person-state 14 active", "The administrator resumes a suspended one:"),
    ("contactpoint set-person-state 14 closed", "The administrator closes it, for good:"),
];
const SIGN: &[Row] = &[
    ("contactpoint sign", "Read the user agreement; its first line has the version:"),
    ("contactpoint sign --accept 1", "Sign the version that you have read:"),
];
const ACCEPT: &[Row] = &[
    ("contactpoint accept-responsibilities", "Read the statement of responsibilities; its first line has the version:"),
    ("contactpoint accept-responsibilities --accept 1", "Accept it for your organisation:"),
];
const SPONSOR: &[Row] = &[("contactpoint sponsor 7", "Vouch for the school that was enrolled as number 7 in your area:")];
const SHIELD: &[Row] =
    &[("contactpoint shield 4182736451 --reason domestic-violence --review 2027-03-31", "Shield a child until you decide anew:")];
const UNSHIELD: &[Row] = &[("contactpoint unshield 4182736451", "Lift the shield; a fresh one-time code is asked for:")];
const AUDIENCE: &[Row] = &[
    ("contactpoint audience 4182736451 --person 14 --person 31", "Two people, and nobody else, may know of the record:"),
    ("contactpoint audience 4182736451 --everybody", "Everybody may who may otherwise:"),
];
const SETTLE: &[Row] = &[
    ("contactpoint settle 7305518265 --as 4182736451", "The record that waits is of this child, who may be shielded:"),
    ("contactpoint settle 7305518265", "It is of a child of its own:"),
    (
        "contactpoint settle 7305518265 --shield-reason court-order --shield-review 2027-03-31",
        "It is of a child of its own, who is shielded before anybody else sees it:",
    ),
];
const HOLD_NEW: &[Row] = &[("contactpoint hold-new true", "Settle each new record before others see it:")];
const END_INVOLVEMENT: &[Row] = &[("contactpoint end-involvement 4182736451", "A pupil left the school:")];
const RECEIPTS: &[Row] = &[("contactpoint receipts", "Wait until all that you were answered is covered by a signed head, and check it:")];
const LOG: &[Row] = &[
    ("contactpoint log fetch ./log", "Fetch the log, sealed as it is; again later, to see that it goes on from what you have:"),
    ("contactpoint log verify ./log --key ./log-verifier-key.txt", "Verify it, offline:"),
];
const WITNESS: &[Row] = &[
    (
        "contactpoint witness init ~/witness --name witness.school.example/w1",
        "Make a witness; what is printed goes into the log's policy, by way of the accreditor:",
    ),
    ("contactpoint witness run ~/witness --every 60", "Be one, for as long as it runs:"),
    ("contactpoint witness run ~/witness --once", "The same from a timer:"),
];
const MANUAL: &[Row] = &[
    ("contactpoint manual feed | man -l -", "Read a page that is not installed:"),
    ("for page in $(contactpoint manual --list); do contactpoint manual $page > $page; done", "Write them all, for a package:"),
];
const COMPLETIONS: &[Row] = &[("source <(contactpoint completions bash)", "Try them in this shell:")];

#[cfg(test)]
mod tests {
    use super::*;
    use contactpoint_manual::Shell;
    use std::process::Command;

    fn helpless(command: &clap::Command) -> Vec<String> {
        let flags = command.get_arguments().filter(|flag| flag.get_help().is_none()).map(|flag| format!("{command} {flag}"));
        let verbs = command.get_subcommands().filter(|verb| verb.get_about().is_none()).map(ToString::to_string);
        flags.chain(verbs).chain(command.get_subcommands().flat_map(helpless)).collect()
    }

    #[test]
    fn every_page_has_statuses_and_examples_and_help_for_each_flag() {
        // J1: man pages are in the package; every verb and flag has help fit for one
        let manual = pages();
        assert!(manual.names().contains(&"contactpoint-log-fetch.1".to_owned()));
        for name in manual.names() {
            let page = manual.page(&name).unwrap();
            assert!(page.contains(".SH \"EXIT STATUS\"") && page.contains(".SH EXAMPLES"), "{name}");
        }
        assert!(helpless(&Arguments::command()).is_empty(), "{:?}", helpless(&Arguments::command()));
    }

    #[test]
    fn a_page_that_there_is_not_is_wrong_usage() {
        // Style: each failure is one sentence on what to do, with its exit code
        let refused = page(&ManualWanted { page: Some("export".to_owned()), list: false }).unwrap_err();
        assert_eq!(refused.exit_code(), 2);
    }

    #[test]
    fn bash_completes_a_verb_and_every_shell_knows_them_all() {
        // packages: man pages, completions
        let script = completions(&CompletionsWanted { shell: Shell::Bash });
        let asked = "COMP_WORDS=(contactpoint wh); COMP_CWORD=1; _contactpoint contactpoint wh contactpoint; echo \"${COMPREPLY[@]}\"";
        let told = Command::new("bash").args(["-c", &format!("{script}\n{asked}")]).output().unwrap();
        assert_eq!(String::from_utf8(told.stdout).unwrap().trim(), "who-saw");
        for shell in [Shell::Zsh, Shell::Fish] {
            let script = completions(&CompletionsWanted { shell });
            assert!(Arguments::command().get_subcommands().all(|verb| script.contains(verb.get_name())), "{shell:?}");
        }
    }
}
