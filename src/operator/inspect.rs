//! `contactpointctl inspect`: looks at the running system and says of each rule whether it holds, with the raw evidence (rule J1).
//!
//! For: who runs it as root on the appliance. The looking is `inspect`'s, the judging and the words are `assurance`'s. Exit status 0 where
//! everything holds, 1 where something fails, 3 where nothing fails and something could not be seen. Of a rule that was asked for by its number
//! the standing counts: 0 says that the rule holds, and no rule that is open or only tested is said to. Changes nothing.

use crate::command::{tell, Said};
use crate::control::Socket;
use crate::error::OperatorError;
use contactpoint_assurance::{catalogue, Catalogue, Facts, Observation, Report, Standing, Verdict};
use contactpoint_identity::Clock;
use contactpoint_inspect::{Evidence, System, Target};
use contactpoint_settings::Settings;
use http::Method;
use std::io::IsTerminal as _;
use std::path::PathBuf;

/// Something fails.
const FAILS: u8 = 1;
/// Something could not be seen.
const UNSEEN: u8 = 3;

/// Arguments of the look.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// For people, for programs, or OSCAL 1.2 assessment-results for an accreditor's tools
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Only this rule (G5), as often as there are rules to look at [default: all]
    #[arg(long, value_name = "RULE")]
    rule: Vec<String>,
    /// The daemon's process [default: the unit's main process]
    #[arg(long)]
    pid: Option<u32>,
    /// The state directory
    #[arg(long, default_value = "/var/lib/contactpoint")]
    state: PathBuf,
    /// The configuration directory
    #[arg(long, default_value = "/etc/contactpoint")]
    configuration: PathBuf,
    #[command(flatten)]
    socket: Socket,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Oscal,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Said, OperatorError> {
    let catalogue = catalogue_of(&arguments.rule)?;
    let is_root = is_root();
    if !is_root {
        tell(&"not run as root: what only root can read is unseen");
    }
    let now = Clock::system().now().wall.seconds();
    let observations = look(arguments, &catalogue, now);
    let report = Report::new(catalogue, facts(now)?, observations)?;
    let text = match arguments.format {
        Format::Text => report.text(std::io::stdout().is_terminal()),
        Format::Json => report.json()?,
        Format::Oscal => report.oscal()?,
    };
    Ok(Said { text: text.trim_end().to_owned(), status: status(&report, !arguments.rule.is_empty()) })
}

fn catalogue_of(rules: &[String]) -> Result<Catalogue, OperatorError> {
    let whole = catalogue().map_err(OperatorError::ours)?;
    if rules.is_empty() {
        return Ok(whole);
    }
    whole.only(rules).map_err(|unknown| OperatorError::Argument { what: "--rule", why: format!("{unknown} is not in the rule book") })
}

fn look(arguments: &Arguments, catalogue: &Catalogue, now: u64) -> Vec<Observation> {
    let told = arguments.socket.ask(Method::GET, "/v1/evidence", None, None).map_err(|fault| fault.to_string());
    let target = Target {
        pid: arguments.pid,
        state: arguments.state.clone(),
        configuration: arguments.configuration.clone(),
        control_socket: arguments.socket.path(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        defaults: Settings::default().effective(),
        now,
    };
    let mut observations = System::read(target, Evidence::of(told)).observations();
    observations.retain(|observation| catalogue.check(&observation.check).is_some());
    observations
}

/// Of the rules that were named, the worst standing; of a look at everything, where open rules are always among them, the worst check, what
/// nobody looked at included.
fn status(report: &Report, rules_are_named: bool) -> u8 {
    let has = |standings: [Standing; 2]| standings.iter().any(|standing| report.count(*standing) > 0);
    match report.worst() {
        Some(Verdict::Fails) => FAILS,
        _ if rules_are_named && has([Standing::Fails, Standing::Open]) => FAILS,
        _ if rules_are_named && has([Standing::Unseen, Standing::TestedOnly]) => UNSEEN,
        Some(Verdict::Holds) => 0,
        Some(Verdict::Unseen) | None => UNSEEN,
    }
}

fn facts(now: u64) -> Result<Facts, OperatorError> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
    let at = i64::try_from(now).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let at = at.ok_or_else(|| std::io::Error::other("the clock is not in this era: set it"))?;
    Ok(Facts { at, host, version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// The effective user, as the kernel has it.
fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("Uid:")).and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The report over these rules, each of their checks seen as `verdict`.
    fn report(rules: &[&str], verdict: Verdict) -> Report {
        let rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
        let catalogue = catalogue_of(&rules).unwrap();
        let seen = |check: &contactpoint_assurance::Check| {
            let evidence = vec![contactpoint_assurance::Evidence::new("here", "this")];
            Observation::new(check.id.as_str(), verdict, "that", evidence)
        };
        let observations = catalogue.checks().iter().map(seen).collect();
        Report::new(catalogue, facts(1_795_219_200).unwrap(), observations).unwrap()
    }

    #[test]
    fn the_exit_status_is_the_worst_of_all_and_unseen_is_never_0() {
        // J1: the running system's evidence for each rule
        let of_all = |verdict| status(&report(&[], verdict), false);
        assert_eq!((of_all(Verdict::Holds), of_all(Verdict::Unseen), of_all(Verdict::Fails)), (0, UNSEEN, FAILS));
    }

    #[test]
    fn a_rule_asked_for_by_its_number_is_0_only_where_it_holds() {
        // J1: F4 is not built, F1 is open in part, G5 is claimed as a whole, A4 has its tests alone
        let of = |rules: &[&str], verdict| status(&report(rules, verdict), true);
        assert_eq!((of(&["G5"], Verdict::Holds), of(&["G5"], Verdict::Unseen), of(&["G5"], Verdict::Fails)), (0, UNSEEN, FAILS));
        for open in ["F4", "F1"] {
            assert_eq!((of(&[open], Verdict::Holds), of(&["G5", open], Verdict::Unseen)), (FAILS, FAILS), "{open}");
        }
        assert_eq!(
            (of(&["A4"], Verdict::Holds), of(&["A4", "G5"], Verdict::Holds), of(&["A4", "F4"], Verdict::Holds)),
            (UNSEEN, UNSEEN, FAILS)
        );
    }

    #[test]
    fn a_rule_that_is_not_in_the_book_is_a_usage_error() {
        // sysexits(3): EX_USAGE
        let error = catalogue_of(&["Z9".to_owned()]).unwrap_err();
        assert_eq!(error.exit_status(), 64);
        assert!(error.to_string().contains("Z9 is not in the rule book"), "{error}");
        assert_eq!(catalogue_of(&["G5".to_owned()]).unwrap().rules().len(), 1);
    }
}
