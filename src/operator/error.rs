//! Why a verb did not do what it was asked, each as one sentence on what to do, with the exit status of sysexits(3).

use crate::custody::ApplianceError;
use crate::layouts::LayoutsRefused;
use crate::review_files::ReviewRefused;
use crate::witnesses::PolicyRefused;
use contactpoint_audit::{Fault, KeyFault};
use contactpoint_hardening::HardeningError;
use contactpoint_identity::IdentityError;
use contactpoint_keys::KeyError;
use contactpoint_settings::SettingsError;
use contactpoint_store::StoreError;
use std::io;
use std::path::PathBuf;

/// A verb failed. Nothing was changed unless the sentence says so; a log-out forgets the session all the same.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The settings or the environment.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A supplier's layout.
    #[error(transparent)]
    Layouts(#[from] LayoutsRefused),
    /// The witnesses' policy.
    #[error(transparent)]
    Policy(#[from] PolicyRefused),
    /// A file of regular review.
    #[error(transparent)]
    Review(#[from] ReviewRefused),
    /// HSM, PIN or keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The appliance does not open.
    #[error(transparent)]
    Appliance(#[from] ApplianceError),
    /// There is a store or a set of data keys already.
    #[error("{path} exists: the key ceremony was held before, and nothing was changed; a new store needs a new token and an empty state directory", path = .0.display())]
    HeldBefore(PathBuf),
    /// The ceremony stopped after the token was changed.
    #[error("the key ceremony broke off after the keys were made: {source}; mend the cause, initialise the token anew, empty {state} and repeat", state = state.display())]
    BrokeOff {
        /// The state directory.
        state: PathBuf,
        /// What broke it off.
        source: Box<OperatorError>,
    },
    /// The store did not commit.
    #[error("the store did not take it: {0}")]
    Store(#[from] StoreError),
    /// Credentials could not be made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// An argument cannot be used.
    #[error("{what} {why}")]
    Argument {
        /// Which: "--officer-login".
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A file or directory that the verb reads or writes, or the standard input.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The daemon does not answer on its control socket.
    #[error("contactpointd does not answer at {socket}: {why}; start it (systemctl start contactpointd), or name its socket with --socket", socket = socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// How it failed.
        why: String,
    },
    /// The daemon refused.
    #[error("{0}")]
    Refused(String),
    /// The daemon answers that it cannot work now (5xx).
    #[error("{0}")]
    Unwell(String),
    /// The verb needs what systemd gives the daemon: directories, the PIN's credential, its user.
    #[error("{source}; run it as contactpoint-at-hsm {verb}, which starts it as systemd starts the daemon")]
    NotAtHsm {
        /// "ceremony".
        verb: &'static str,
        /// What is missing.
        source: SettingsError,
    },
    /// A verb that takes two officers was not given two.
    #[error("this takes two officers of the data centre, a security officer and the risk owner: {0}; nothing was changed")]
    NotTwoOfficers(String),
    /// Rows are still under the epoch that was to end.
    #[error("{rows} rows of {table} were not moved to the new epoch: nothing was destroyed in the HSM; call the accreditor")]
    Left {
        /// The table.
        table: String,
        /// How many.
        rows: u64,
    },
    /// Nobody is logged in here.
    #[error("no session at {path}: log in first (contactpointctl log-in)", path = .0.display())]
    NoSession(PathBuf),
    /// The verifier key.
    #[error("--key: {0}")]
    VerifierKey(#[from] KeyFault),
    /// The log does not verify. Keep the copy, and call the accreditor.
    #[error("the log does not verify: {0}")]
    LogFault(Fault),
    /// The log was not read to its end: no verdict.
    #[error("the log was not verified: {0}. Nothing is known of it yet; run it again, with --since and the checkpoint that was kept last (--keep) to read only what is newer")]
    LogNotRead(Fault),
    /// A statement or evidence does not verify. Keep the file as it is, and call the accreditor.
    #[error("the document does not verify: {0}")]
    Evidence(String),
    /// A certificate request could not be made.
    #[error("the certificate request could not be made: {0}")]
    CertificateRequest(#[from] rcgen::Error),
    /// Core files cannot be forbidden, so no secret is touched (rule G1).
    #[error(transparent)]
    Hardening(#[from] HardeningError),
    /// A report could not be made: programs of two versions, or a fault of this one.
    #[error("the report could not be made: {0}")]
    Report(#[from] contactpoint_assurance::ReportError),
    /// systemd has no such units, or is not there.
    #[error("systemd does not show the units: {why}; install the package contactpoint, or look on the appliance itself")]
    Units {
        /// What it said.
        why: String,
    },
    /// The machine lacks something every program needs: a thread, a terminal.
    #[error("{0}")]
    Machine(#[from] io::Error),
}

impl From<Fault> for OperatorError {
    fn from(fault: Fault) -> Self {
        if matches!(fault, Fault::NotFetched { .. }) {
            Self::LogNotRead(fault)
        } else {
            Self::LogFault(fault)
        }
    }
}

impl OperatorError {
    /// The exit status: sysexits(3), and 1 for the verdict that a log does not verify.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        const FAULT: u8 = 1;
        const USAGE: u8 = 64;
        const UNAVAILABLE: u8 = 69;
        const SOFTWARE: u8 = 70;
        const NOPERM: u8 = 77;
        const CONFIG: u8 = 78;
        match self {
            Self::LogFault(_) | Self::Evidence(_) => FAULT,
            Self::Argument { .. } | Self::File { .. } | Self::VerifierKey(_) => USAGE,
            Self::Unreachable { .. } | Self::LogNotRead(_) | Self::Unwell(_) | Self::Store(_) | Self::Units { .. } => UNAVAILABLE,
            Self::Identity(_)
            | Self::CertificateRequest(_)
            | Self::Hardening(_)
            | Self::Report(_)
            | Self::Machine(_)
            | Self::Left { .. } => SOFTWARE,
            Self::Refused(_) | Self::NoSession(_) | Self::NotTwoOfficers(_) => NOPERM,
            Self::Keys(fault) if fault.is_away() => UNAVAILABLE,
            Self::Appliance(fault) if fault.is_away() => UNAVAILABLE,
            Self::Settings(_)
            | Self::NotAtHsm { .. }
            | Self::Layouts(_)
            | Self::Policy(_)
            | Self::Review(_)
            | Self::Keys(_)
            | Self::Appliance(_) => CONFIG,
            // the token was changed: the same again is refused
            Self::HeldBefore(_) | Self::BrokeOff { .. } => CONFIG,
        }
    }

    /// The lists and the catalogue are part of the program: one that does not read is a fault of ours, which a test keeps from being shipped.
    pub(crate) fn ours(fault: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Machine(io::Error::other(fault))
    }

    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hsm_that_is_away_exits_69_and_what_a_person_must_mend_78() {
        // Style: one sentence on what to do, and an exit status (sysexits(3)); the daemon's own statuses are the same
        let absent = || KeyError::TokenAbsent { token: "contactpoint".to_owned() };
        let refused = || KeyError::PinRefused { token: "contactpoint".to_owned() };
        assert_eq!(OperatorError::from(absent()).exit_status(), 69);
        assert_eq!(OperatorError::from(refused()).exit_status(), 78);
        assert_eq!(OperatorError::from(ApplianceError::Keys(absent())).exit_status(), 69);
        assert_eq!(OperatorError::from(ApplianceError::Keys(refused())).exit_status(), 78);
        let broken = |source: KeyError| OperatorError::BrokeOff { state: "/state".into(), source: Box::new(source.into()) };
        assert_eq!((broken(absent()).exit_status(), broken(refused()).exit_status()), (78, 78), "the token was changed");
    }
}
