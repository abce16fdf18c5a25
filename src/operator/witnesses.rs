//! The witnesses' policy (C2SP tlog-policy), read once and the same for the daemon's start and for `check-config`.
//!
//! Leaves to others: what the policy means (`audit`), and judging by it (`store`).

use contactpoint_audit::{LogPolicy, PolicyError};
use contactpoint_domain::Instant;
use contactpoint_settings::Settings;
use contactpoint_store::{Store, Witnesses, WitnessesRefused};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A policy is a few lines; a file that is longer is another one.
const LONGEST: usize = 256 * 1024;

/// Why the policy cannot be used. Exit status 78.
#[derive(Debug, thiserror::Error)]
pub enum PolicyRefused {
    /// It cannot be read.
    #[error("the witnesses' policy {path} cannot be read: {source}; correct [witnesses] policy, or leave it empty", path = path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The kernel's answer.
        source: std::io::Error,
    },
    /// It is no policy.
    #[error("the witnesses' policy {path}, {fault}", path = path.display())]
    Fault {
        /// Which file.
        path: PathBuf,
        /// The line, and what is wrong there.
        fault: PolicyError,
    },
    /// It is too long.
    #[error("the witnesses' policy {path} is longer than a policy is", path = .0.display())]
    TooLong(PathBuf),
    /// It asks for no witness.
    #[error("the quorum of the witnesses' policy {path} is none; where no witness is asked, leave [witnesses] policy empty", path = .0.display())]
    NoQuorum(PathBuf),
    /// It speaks of other logs.
    #[error("the witnesses' policy {path} does not list the log {origin} ([log] origin); add its line: log, a blank, the verifier key", path = path.display())]
    OtherLog {
        /// Which file.
        path: PathBuf,
        /// Our log's name.
        origin: String,
    },
}

/// The policy that the settings name, if they name one. It lists a log of our name; that it lists our key is for whoever has the key to say.
///
/// # Errors
/// [`PolicyRefused`].
pub fn policy(configuration: &Path, settings: &Settings) -> Result<Option<LogPolicy>, PolicyRefused> {
    let Some(path) = settings.witnesses.policy.below(configuration) else { return Ok(None) };
    let file = std::fs::read(&path).map_err(|source| PolicyRefused::Unreadable { path: path.clone(), source })?;
    if file.len() > LONGEST {
        return Err(PolicyRefused::TooLong(path));
    }
    let policy = LogPolicy::parse(&file).map_err(|fault| PolicyRefused::Fault { path: path.clone(), fault })?;
    if policy.asks_for_none() {
        return Err(PolicyRefused::NoQuorum(path));
    }
    let origin = settings.log.origin.as_str();
    if policy.logs().iter().any(|log| log.name() == origin) {
        Ok(Some(policy))
    } else {
        Err(PolicyRefused::OtherLog { path, origin: origin.to_owned() })
    }
}

/// Who cosigns the log of this store, where a policy says so, from the daemon's start on. Refused where it does not list the log under its own key.
///
/// # Errors
/// [`WitnessesRefused`].
pub fn over(
    store: &Store,
    policy: Option<LogPolicy>,
    settings: &Settings,
    begun: Instant,
) -> Result<Option<Arc<Witnesses>>, WitnessesRefused> {
    let late_after = settings.witnesses.late_seconds.seconds();
    let witnesses = policy.map(|policy| Witnesses::over(store.clone(), policy, late_after, begun)).transpose()?;
    Ok(witnesses.map(Arc::new))
}
