//! `contactpointctl manual` and `completions`: the operator's man pages, the daemon's and the settings', and what the shell offers at Tab.
//!
//! Verbs and flags come from the command line itself; what it does not know is here, in tables. Writes no file: the package does.

use crate::error::OperatorError;
use contactpoint_manual::{completions as script, CompletionsWanted, Manual, ManualWanted, NoSuchPage, Notes, Row};

pub(crate) fn run(wanted: &ManualWanted, command: clap::Command) -> Result<String, OperatorError> {
    let unknown = |NoSuchPage(name)| OperatorError::Argument {
        what: "manual",
        why: format!("has no page {name}: see contactpointctl manual --list"),
    };
    pages(command).print(wanted).map_err(unknown)
}

pub(crate) fn completions(wanted: &CompletionsWanted, command: clap::Command) -> String {
    script(command, wanted.shell)
}

fn pages(command: clap::Command) -> Manual {
    Manual::of(command, "8", notes).and(daemon(), "8", DAEMON).and(settings(), "5", SETTINGS)
}

/// What each verb's page says beside its flags; "" is the program.
fn notes(verb: &str) -> Notes {
    let told = Notes { exit_status: STATUSES, see_also: SEE_ALSO, ..Notes::default() };
    let at_hsm = Notes { files: HSM_FILES, environment: DIRECTORIES, ..told };
    let of_daemon = Notes { files: SOCKET_FILES, environment: SOCKET_VARIABLES, ..told };
    match verb {
        "" => Notes { files: ALL_FILES, environment: ALL_VARIABLES, examples: FIRST_HOUR, ..told },
        "ceremony" => Notes { examples: CEREMONY, ..at_hsm },
        "certificate-request" => Notes { examples: CERTIFICATE_REQUEST, ..at_hsm },
        "verifier-key" => Notes { examples: VERIFIER_KEY, ..at_hsm },
        "new-entry-epoch" => Notes { examples: NEW_ENTRY_EPOCH, ..at_hsm },
        "destroy-entry-epoch" => Notes { examples: DESTROY_ENTRY_EPOCH, ..at_hsm },
        "destroy-records" => Notes { examples: DESTROY_RECORDS, ..at_hsm },
        "check-config" => Notes { files: SETTINGS_FILES, examples: CHECK_CONFIG, ..told },
        "verify-log" => Notes { examples: VERIFY_LOG, ..told },
        "verify-evidence" => Notes { examples: VERIFY_EVIDENCE, ..told },
        "log-in" => Notes { examples: LOG_IN, ..of_daemon },
        "log-out" => Notes { examples: LOG_OUT, ..of_daemon },
        "enrol-organisation" => Notes { examples: ENROL, ..of_daemon },
        "sponsor" => Notes { examples: SPONSOR, ..of_daemon },
        "alerts" | "judge" => Notes { examples: ALERTS, ..of_daemon },
        "reviews" | "review-look" | "review-report" => Notes { examples: REVIEWS, ..of_daemon },
        "accredit" => Notes { examples: ACCREDIT, ..of_daemon },
        "suspend-organisation" | "resume-organisation" => Notes { examples: SUSPEND, ..of_daemon },
        "add-certificate" | "remove-certificate" => Notes { examples: CERTIFICATES, ..of_daemon },
        "enrol-person" => Notes { examples: ENROL_PERSON, ..of_daemon },
        "amend-person" => Notes { examples: AMEND_PERSON, ..of_daemon },
        "set-person-state" => Notes { examples: SET_PERSON_STATE, ..of_daemon },
        "reset" | "complete-reset" => Notes { examples: RESET, ..of_daemon },
        "sign" => Notes { examples: SIGN, ..of_daemon },
        "status" => Notes { examples: STATUS, ..of_daemon },
        "inspect" => Notes { exit_status: VERDICTS, examples: INSPECT, ..of_daemon },
        "show" => Notes { files: SETTINGS_FILES, examples: SHOW, ..told },
        "manual" => Notes { examples: MANUAL, ..told },
        "completions" => Notes { examples: COMPLETIONS, ..told },
        _ => told,
    }
}

const SEE_ALSO: &[&str] =
    &["contactpointctl(8)", "contactpointd(8)", "contactpointd.toml(5)", "contactpoint(1)", "systemd-creds(1)", "sysexits.h(3head)"];

const STATUSES: &[Row] = &[
    ("0", "Done."),
    ("1", "verify-log: the log does not verify. verify-evidence: the document does not. inspect: a bar fails."),
    ("3", "inspect: no bar fails, and at least one could not be seen."),
    ("64", "Wrong usage, or a file that was given cannot be read."),
    ("69", "The HSM, the store, the daemon or the server of a log is away: trying again may help."),
    ("70", "A fault of the program or of the machine."),
    ("77", "The daemon refused, or nobody is logged in; the sentence says what to do."),
    ("78", "Settings, credential, keys, store or certificates are missing or wrong: trying again does not help."),
];

const VERDICTS: &[Row] = &[
    ("0", "Every bar that was looked at holds."),
    ("1", "At least one fails: the report says which, with what was seen."),
    ("3", "None fails, and at least one could not be seen."),
    ("64", "Wrong usage, or a rule that is not in the rule book."),
    ("70", "A fault of the program or of the machine."),
];

const CONFIGURATION: Row = ("/etc/contactpoint/contactpointd.toml", "The settings; see contactpointd.toml(5).");
const LAYOUTS: Row = ("/etc/contactpoint/layouts/", "How the suppliers' feed files are laid out, one file each.");
const PLAN: Row = ("/etc/contactpoint/review-plan.toml", "Which share of whose looks is reviewed, how often and by when.");
const RULES: Row = ("/etc/contactpoint/detection.toml", "The detection rules: which looks somebody should ask about.");
const TLS: Row = ("/etc/contactpoint/tls/", "The server's certificate chain, the client authorities and their revocation lists.");
const STATE: Row = ("/var/lib/contactpoint/", "The store, the wrapped data keys and the log's public key. Nothing else is written.");
const CREDENTIAL: Row = (
    "/etc/credstore.encrypted/contactpoint-hsm-pin",
    "The HSM's PIN, encrypted to this machine; systemd hands it to the daemon and to contactpoint-at-hsm, and to nobody else.",
);
const CONTROL: Row = ("/run/contactpoint/control.sock", "The daemon's control socket, for root alone.");
const SESSION: Row = ("$XDG_RUNTIME_DIR/contactpointctl.session", "The session between two commands, mode 0600; log-out removes it.");

const HSM_FILES: &[Row] = &[CONFIGURATION, STATE, CREDENTIAL];
const SETTINGS_FILES: &[Row] = &[CONFIGURATION, PLAN, RULES, LAYOUTS];
const SOCKET_FILES: &[Row] = &[CONTROL, SESSION];
const ALL_FILES: &[Row] = &[CONFIGURATION, PLAN, RULES, LAYOUTS, TLS, STATE, CREDENTIAL, CONTROL, SESSION];
const DAEMON_FILES: &[Row] = &[CONFIGURATION, PLAN, RULES, LAYOUTS, TLS, STATE, CREDENTIAL, CONTROL];

const CONFIGURATION_DIRECTORY: Row = ("CONFIGURATION_DIRECTORY", "Where contactpointd.toml is: /etc/contactpoint.");
const STATE_DIRECTORY: Row = ("STATE_DIRECTORY", "Where the store is: /var/lib/contactpoint.");
const CREDENTIALS_DIRECTORY: Row = ("CREDENTIALS_DIRECTORY", "Where systemd put the credential hsm-pin.");
const SOFTHSM: Row = ("SOFTHSM2_CONF", "SoftHSM's settings, where that is the HSM: for trials.");
const RUNTIME: Row = ("RUNTIME_DIRECTORY", "Where control.sock is, in place of /run/contactpoint.");
const XDG_RUNTIME: Row = ("XDG_RUNTIME_DIR", "Where the session is kept between two commands.");

const DIRECTORIES: &[Row] = &[CONFIGURATION_DIRECTORY, STATE_DIRECTORY, CREDENTIALS_DIRECTORY, SOFTHSM];
const SOCKET_VARIABLES: &[Row] = &[RUNTIME, XDG_RUNTIME];
const ALL_VARIABLES: &[Row] = &[CONFIGURATION_DIRECTORY, STATE_DIRECTORY, CREDENTIALS_DIRECTORY, SOFTHSM, RUNTIME, XDG_RUNTIME];
const DAEMON_VARIABLES: &[Row] = &[
    CONFIGURATION_DIRECTORY,
    STATE_DIRECTORY,
    CREDENTIALS_DIRECTORY,
    ("LISTEN_FDS, LISTEN_PID", "The two sockets that systemd bound: TCP for organisations, Unix for the officers (sd_listen_fds(3))."),
    (
        "NOTIFY_SOCKET, WATCHDOG_USEC",
        "Where the daemon says that it is ready, and that a commit and a signature still work (sd_notify(3)).",
    ),
    (
        "DEBUG_INVOCATION",
        "Set by systemd 257 and newer where it starts the unit in debug mode: more lines in the journal, still no name in any.",
    ),
    SOFTHSM,
];

const FIRST_HOUR: &[Row] = &[
    ("contactpointctl check-config", "Read the settings as the daemon would:"),
    (
        "contactpoint-at-hsm ceremony",
        "Make the keys, the store, the security officer and the risk owner (user, directories and PIN as the unit has them):",
    ),
    ("contactpointctl status", "Ask the running daemon how it is:"),
    (
        "contactpointctl log-in\ncontactpointctl sign --accept 1\ncontactpointctl enrol-organisation school.json\ncontactpointctl log-out",
        "Let an organisation in. The security officer signs the agreement, once a year, and enrols it:",
    ),
    (
        "contactpointctl log-in --login risk-owner\ncontactpointctl sign --accept 1\ncontactpointctl sponsor 2\ncontactpointctl log-out",
        "The risk owner vouches for it:",
    ),
    (
        "contactpointctl log-in\ncontactpointctl accredit 2 --capability query --expires 2027-08-31\ncontactpointctl log-out",
        "And the security officer accredits it. Its own administrator accepts the responsibilities, and it is in:",
    ),
];
const CEREMONY: &[Row] = &[(
    "contactpoint-at-hsm ceremony --officer-login r.okafor --officer-given Ruth --officer-family Okafor \\\n    --owner-login m.lindqvist --owner-given Mats --owner-family Lindqvist",
    "Hold the ceremony, in the presence of both. The passwords and the code secrets are printed once:",
)];
const CERTIFICATE_REQUEST: &[Row] = &[(
    "contactpoint-at-hsm certificate-request --name directory.example --name 192.0.2.10 > server.csr",
    "Ask for a certificate for a name and an address:",
)];
const VERIFIER_KEY: &[Row] = &[("contactpoint-at-hsm verifier-key", "Print the key to publish, as the HSM holds it:")];
const NEW_ENTRY_EPOCH: &[Row] = &[(
    "systemctl stop contactpointd.socket contactpointd.service\ncontactpoint-at-hsm new-entry-epoch",
    "Seal later entries under a new key; both officers are asked for their factors:",
)];
const DESTROY_ENTRY_EPOCH: &[Row] =
    &[("contactpoint-at-hsm destroy-entry-epoch 1", "Destroy the key of the first epoch, and with it its entries, in every copy:")];
const DESTROY_RECORDS: &[Row] = &[
    ("contactpoint-at-hsm destroy-records 4182736451", "Destroy a child's record, in every copy:"),
    ("contactpoint-at-hsm destroy-records", "Finish a destruction that was cut off:"),
];
const CHECK_CONFIG: &[Row] = &[
    ("contactpointctl check-config", "Check what is installed:"),
    ("contactpointctl check-config --directory ./new", "Check new settings before they are installed:"),
];
const VERIFY_LOG: &[Row] = &[
    ("contactpointctl verify-log ./log --key ./log-verifier-key.txt", "Verify a copy that contactpoint log fetch made, on any machine:"),
    (
        "contactpointctl verify-log ./log --key ./log-verifier-key.txt --since ./checkpoint-of-last-month",
        "Only what is newer than a checkpoint that you trust:",
    ),
    ("contactpointctl verify-log ./log --policy ./policy", "With the cosignatures of a quorum of witnesses:"),
    (
        "contactpointctl verify-log https://directory.example:8443 --certificate inspector.pem --client-key inspector.key --ca server-ca.pem --key ./log-verifier-key.txt --keep ./checkpoint",
        "As the directory serves it, without a copy; the checkpoint is kept for --since:",
    ),
];
const VERIFY_EVIDENCE: &[Row] = &[
    (
        "contactpointctl verify-evidence evidence.age --identity key.txt --key ./log-verifier-key.txt",
        "What was sealed for your key of age:",
    ),
    (
        "contactpointctl verify-evidence evidence.txt --key ./log-verifier-key.txt --policy ./policy",
        "Opened before, and with a quorum of witnesses:",
    ),
];
const LOG_IN: &[Row] = &[
    ("contactpointctl log-in", "Log in; password and code are asked for:"),
    ("contactpointctl log-in --login r.okafor --password-stdin --code 123456 < /run/user/0/password", "From a script, for a drill:"),
];
const LOG_OUT: &[Row] = &[("contactpointctl log-out", "End the session, here and in the daemon:")];
const ENROL: &[Row] = &[(
    "contactpointctl enrol-organisation school.json\ncontactpointctl enrol-organisation - < school.json",
    "Enrol an organisation; the passwords and code secrets of its administrator and its supervisor are printed once:",
)];
const ALERTS: &[Row] = &[(
    "contactpointctl log-in --login risk-owner\ncontactpointctl alerts\ncontactpointctl judge 6041283577190442 justified",
    "What waits for you, and what you say of it:",
)];
const REVIEWS: &[Row] = &[(
    "contactpointctl log-in --login risk-owner\ncontactpointctl reviews\ncontactpointctl review-report --from 2026-10-01 --to 2026-12-31",
    "What you are to review, and how all reviews of a quarter stand:",
)];
const SPONSOR: &[Row] = &[(
    "contactpointctl log-in --login risk-owner\ncontactpointctl sponsor 2",
    "Vouch for the organisation that was enrolled as number 2; a fresh code is asked for:",
)];
const ACCREDIT: &[Row] = &[
    (
        "contactpointctl accredit 2 --capability query --capability feed --expires 2027-08-31",
        "Accredit an organisation to look children up and to feed, to that day; a fresh code is asked for:",
    ),
    ("contactpointctl accredit 2 --capability feed --take-back", "Take an accreditation back; it bites at the next request:"),
];
const SUSPEND: &[Row] = &[
    ("contactpointctl suspend-organisation 2", "Suspend an organisation:"),
    ("contactpointctl resume-organisation 2", "Let it in again, when what was wrong is mended:"),
];
const CERTIFICATES: &[Row] = &[
    ("contactpointctl add-certificate 2 school-2027.pem", "Before a key changes, put the new one beside the old:"),
    ("contactpointctl remove-certificate 2 school-2026.pem", "When the organisation uses the new one, take the old one off:"),
];
const ENROL_PERSON: &[Row] = &[(
    "contactpointctl enrol-person --login i.sato --given-name Ines --family-name Sato --role administrator --supervisor 1 \\\n    --vetted 2026-09-14 --barring 2026-09-14 --trained 2026-10-02",
    "The risk owner, person 1, makes a second administrator, who can amend the risk owner's own account:",
)];
const AMEND_PERSON: &[Row] = &[
    (
        "contactpointctl amend-person 1 --vetted 2029-09-03 --barring 2026-09-14 --trained 2026-10-02",
        "Renew a vetting check, before it is three years old; the other dates as they were:",
    ),
    ("contactpointctl amend-person 4 --supervisor 1", "Give somebody another supervisor:"),
];
const SET_PERSON_STATE: &[Row] = &[
    ("contactpointctl set-person-state 4 suspended", "Suspend an account:"),
    (
        "contactpointctl set-person-state 4 active --verified employee-number,line-manager,vetting-month",
        "The helpdesk unlocks an account whose holder it has verified:",
    ),
    ("contactpointctl set-person-state 4 closed", "Close the account of somebody who leaves, for good:"),
];
const RESET: &[Row] = &[(
    "contactpointctl reset 1 code --verified employee-number,line-manager,vetting-month\ncontactpointctl complete-reset 1",
    "The helpdesk begins, and somebody else completes within a day, with their own code; the new secret is printed once:",
)];
const SIGN: &[Row] = &[
    ("contactpointctl sign", "Read the agreement; its first line has the version:"),
    ("contactpointctl sign --accept 1", "Sign the version that you have read:"),
];
const STATUS: &[Row] = &[("contactpointctl status", "Does the store commit, does the HSM sign, how long is the log?")];
const INSPECT: &[Row] = &[("contactpointctl inspect", "Look at the running system, one verdict for each rule:")];
const SHOW: &[Row] = &[
    ("contactpointctl show syscalls", "Every system call that the daemon may make, with its reason:"),
    ("contactpointctl show unit", "The units as they are in force, drop-ins included:"),
    ("contactpointctl show controls", "Every rule, with what enforces, proves and shows it:"),
];
const MANUAL: &[Row] = &[
    ("contactpointctl manual ceremony | man -l -", "Read a page that is not installed:"),
    ("for page in $(contactpointctl manual --list); do contactpointctl manual $page > $page; done", "Write them all, for a package:"),
];
const COMPLETIONS: &[Row] = &[("source <(contactpointctl completions bash)", "Try them in this shell:")];

fn daemon() -> clap::Command {
    clap::Command::new("contactpointd")
        .about("the directory of who works with a child, served over mutual TLS")
        .long_about(
            "Answers organisations that are enrolled, over TLS 1.3 with a client certificate, and the data centre's officers over a control \
             socket. Every access and every attempt is in a signed log before any answer leaves.\n\n\
             It is started by systemd and by nothing else: sockets, directories and the HSM's PIN come from the unit. It takes no arguments. \
             Before it reads a byte from the network it locks itself in with Landlock and seccomp; contactpointctl show prints what it \
             leaves itself.\n\n\
             SIGHUP reads the revocation lists again. SIGTERM lets open requests finish, signs the last checkpoint and ends.",
        )
        .disable_help_flag(true)
}

const DAEMON: Notes = Notes {
    exit_status: &[
        ("0", "Stopped well."),
        ("64", "It was given arguments."),
        ("65", "The log in the store is not whole: an entry, a tile or its newest head was altered or cut off. Keep the files as they are."),
        ("66", "The store's file was removed or replaced while it was open. Keep what is there as it is."),
        ("69", "The HSM or the store is away: trying again may help."),
        ("71", "The system refused something that is needed: a thread, a signal, a socket, the ban on core files."),
        ("74", "The disk failed under the store: a write, a read or a sync. systemd starts it again, which verifies the store."),
        ("78", "Settings, credential, keys, store or certificates are missing or wrong, or the kernel does not lock the process in: trying again does not help."),
        ("80", "The store was set back: an older copy was put in its place, or its end was cut off. Keep the files as they are."),
        ("81", "The store is another than the one whose head the HSM's token keeps. Keep the files as they are."),
        ("82", "The HSM's token lost its head of the log, or keeps one that the log's key did not sign, or the HSM has signed two of one size. Keep the files as they are."),
        ("83", "The store was overwritten in place while it was open, now or before a start that nobody has judged yet. Keep what is there as it is."),
    ],
    files: DAEMON_FILES,
    environment: DAEMON_VARIABLES,
    examples: &[
        ("systemctl start contactpointd.socket contactpointd.service", "Start it:"),
        ("journalctl -u contactpointd", "Read why it refused; each refusal says what to do next:"),
        ("systemctl reload contactpointd", "Take up a new revocation list at once:"),
    ],
    see_also: &["contactpointctl(8)", "contactpointd.toml(5)", "contactpoint(1)", "systemd.exec(5)"],
    shown: None,
};

fn settings() -> clap::Command {
    clap::Command::new("contactpointd.toml").about("settings of contactpointd").long_about(
        "A TOML file. A key that is not known, or a value that is out of its range, is refused at the start (exit status 78). Every key may be \
         left out; the file as shipped shows each with its default and its reason. contactpointctl check-config reads it with the daemon's \
         own parser and prints what is in force; after a change, restart contactpointd.",
    )
}

const SETTINGS: Notes = Notes {
    exit_status: &[],
    files: SETTINGS_FILES,
    environment: &[],
    examples: &[("contactpointctl check-config --directory ./new", "Check new settings before they are installed:")],
    see_also: &["contactpointd(8)", "contactpointctl-check-config(8)"],
    shown: Some(("THE FILE AS SHIPPED", include_str!("../../config/contactpointd.toml"))),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command;
    use contactpoint_manual::Shell;
    use std::process::Command;

    #[test]
    fn every_verb_has_a_page_with_statuses_examples_and_help_for_each_flag() {
        // J1: every verb and flag has help fit for a man page
        let manual = pages(command::definition());
        for name in manual.names().iter().filter(|name| name.starts_with("contactpointctl")) {
            let page = manual.page(name).unwrap();
            assert!(page.contains(".SH \"EXIT STATUS\"") && page.contains(".SH EXAMPLES"), "{name}");
        }
        for verb in command::definition().get_subcommands() {
            assert!(verb.get_about().is_some(), "{verb}");
            for flag in verb.get_arguments() {
                assert!(flag.get_help().is_some(), "{verb} {flag}");
            }
        }
    }

    #[test]
    fn the_daemon_and_its_settings_have_pages_and_what_there_is_not_is_refused() {
        // packages: man pages
        let page = |name: &str| run(&ManualWanted { page: Some(name.to_owned()), list: false }, command::definition());
        assert!(page("contactpointd").unwrap().contains("SIGHUP"));
        assert!(page("contactpointd.toml.5").unwrap().contains("page_cache_mib"));
        assert_eq!(page("ceremony").unwrap(), page("contactpointctl-ceremony.8").unwrap());
        assert_eq!(page("dump").unwrap_err().exit_status(), 64);
    }

    #[test]
    fn bash_completes_a_verb() {
        // packages: completions
        let script = completions(&CompletionsWanted { shell: Shell::Bash }, command::definition());
        let asked = "COMP_WORDS=(contactpointctl cer); COMP_CWORD=1; _contactpointctl contactpointctl cer contactpointctl; echo \"${COMPREPLY[@]}\"";
        let told = Command::new("bash").args(["-c", &format!("{script}\n{asked}")]).output().unwrap();
        assert_eq!(String::from_utf8(told.stdout).unwrap().trim(), "ceremony certificate-request");
        for shell in [Shell::Zsh, Shell::Fish] {
            let script = completions(&CompletionsWanted { shell }, command::definition());
            assert!(command::definition().get_subcommands().all(|verb| script.contains(verb.get_name())), "{shell:?}");
        }
    }
}
