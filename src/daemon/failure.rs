//! Why the daemon did not start or did not stop well: one sentence for the operator and an exit status for systemd (sysexits.h).

use super::journal;
use contactpoint_edge::EdgeFault;
use contactpoint_hardening::HardeningError;
use contactpoint_keys::KeyError;
use contactpoint_operator::custody::ApplianceError;
use contactpoint_operator::layouts::LayoutsRefused;
use contactpoint_operator::review_files::ReviewRefused;
use contactpoint_operator::witnesses::PolicyRefused;
use contactpoint_settings::SettingsError;
use contactpoint_store::{OpenFault, StoreError, WitnessesRefused};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

/// EX_USAGE.
const USAGE: u8 = 64;
/// EX_DATAERR: the log in the store, or the store's file, is not whole; somebody was at the files.
const NOT_WHOLE: u8 = 65;
/// EX_NOINPUT: the store's file was taken away or exchanged while it was open.
const GONE: u8 = 66;
/// EX_UNAVAILABLE: the HSM or the store is away; systemd may try again.
const UNAVAILABLE: u8 = 69;
/// EX_OSERR.
const SYSTEM: u8 = 71;
/// EX_IOERR: the disk failed under the store; systemd starts it again, which verifies the store.
const DISK: u8 = 74;
/// EX_CONFIG: trying again is of no use (`RestartPreventExitStatus=78`).
const CONFIGURATION: u8 = 78;
/// An older store than the head on the HSM's token, or one whose end was cut off. This and the three below are no number of sysexits.h.
const SET_BACK: u8 = 80;
/// Another store than the one whose head is on the token.
const OTHER_HISTORY: u8 = 81;
/// The heads themselves: the token's are gone or forged, or the HSM has signed two of one size.
const HEADS: u8 = 82;
/// The store was overwritten in place while it was open.
const OVERWRITTEN: u8 = 83;

/// Each layer's own sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("contactpointd takes no arguments: it is configured by its unit and by contactpointd.toml")]
    Arguments,
    #[error("this is a test system ([appliance] for_tests) and was handed {0}, which others can reach; let contactpointd.socket listen on 127.0.0.1 (rule G7)")]
    TestSystemInTheOpen(SocketAddr),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Layouts(#[from] LayoutsRefused),
    #[error(transparent)]
    Policy(#[from] PolicyRefused),
    #[error(transparent)]
    Witnesses(#[from] WitnessesRefused),
    #[error(transparent)]
    Review(#[from] ReviewRefused),
    #[error(transparent)]
    Hardening(#[from] HardeningError),
    #[error(transparent)]
    Appliance(#[from] ApplianceError),
    #[error(transparent)]
    Edge(#[from] EdgeFault),
    #[error("the system refused a thread, a signal or a socket: {0}")]
    System(#[from] std::io::Error),
    #[error("the HSM does not sign once the process is locked down: {0}; name what its module opens in [hsm] reads and writes (SoftHSM: its tokens' folder), and how it is attached in [hsm] attachment")]
    OutOfReach(#[source] KeyError),
    #[error("the log's head could not be signed and kept: {0}; see to the HSM and the disk, then start again")]
    FirstHead(#[source] StoreError),
    #[error("the HSM's token did not take the log's head: {0}; name what its module writes in [hsm] writes (SoftHSM: its tokens' folder), and let the PIN's user write data objects")]
    TokenHead(#[source] KeyError),
    #[error("stopped and closed, but the HSM's token did not take the last head: {0}; see to the HSM, then start again, which keeps it")]
    LastTokenHead(#[source] KeyError),
    #[error("{0}")]
    Store(Arc<StoreError>),
    #[error("the store did not close well: {0}; what was answered is in the log, the next start verifies it")]
    Close(#[source] StoreError),
}

impl Failure {
    /// Tells the operator, and systemd.
    pub(crate) fn exit(self) -> ExitCode {
        journal::last_words(&self);
        ExitCode::from(self.status())
    }

    fn status(&self) -> u8 {
        match self {
            Self::Arguments => USAGE,
            Self::Settings(_) | Self::Layouts(_) | Self::Review(_) | Self::OutOfReach(_) | Self::TokenHead(_) => CONFIGURATION,
            Self::TestSystemInTheOpen(_) | Self::Policy(_) | Self::Witnesses(WitnessesRefused::OtherLog { .. }) => CONFIGURATION,
            Self::Hardening(HardeningError::CoreDumps { .. }) | Self::System(_) => SYSTEM,
            Self::Hardening(_) => CONFIGURATION,
            Self::Appliance(fault) => of_appliance(fault),
            Self::FirstHead(fault) | Self::Close(fault) | Self::Witnesses(WitnessesRefused::Store(fault)) => of_store(fault),
            Self::Store(fault) => of_store(fault),
            Self::LastTokenHead(_) => UNAVAILABLE,
            Self::Edge(EdgeFault::Io(_)) => SYSTEM,
            Self::Edge(EdgeFault::Tls(_) | EdgeFault::Revocation(_)) => CONFIGURATION,
        }
    }
}

/// Where it did not come up.
fn of_appliance(fault: &ApplianceError) -> u8 {
    match fault {
        ApplianceError::Store(fault) => of_opening(fault.fault()),
        fault if fault.is_away() => UNAVAILABLE,
        ApplianceError::Keys(_) | ApplianceError::Origin(_) | ApplianceError::Sealing(_) | ApplianceError::InUse(_) => CONFIGURATION,
    }
}

/// Where somebody was at the files, each such thing has a status of its own.
const fn of_opening(fault: OpenFault) -> u8 {
    match fault {
        OpenFault::Away => UNAVAILABLE,
        OpenFault::Mend => CONFIGURATION,
        OpenFault::NotWhole => NOT_WHOLE,
        OpenFault::SetBack => SET_BACK,
        OpenFault::OtherHistory => OTHER_HISTORY,
        OpenFault::Heads => HEADS,
        OpenFault::Overwritten => OVERWRITTEN,
    }
}

/// Where the store did not do what it was asked.
fn of_store(fault: &StoreError) -> u8 {
    match fault {
        StoreError::Gone => GONE,
        StoreError::Overwritten => OVERWRITTEN,
        StoreError::OtherHead { .. } => HEADS,
        StoreError::Disk(_) => DISK,
        StoreError::Attempted { fault, .. } => of_store(fault),
        StoreError::Damaged { .. }
        | StoreError::Form { .. }
        | StoreError::Exists(_)
        | StoreError::Unknown(_)
        | StoreError::Full
        | StoreError::Stopped
        | StoreError::Unsigned
        | StoreError::SignerHangs { .. }
        | StoreError::Overloaded
        | StoreError::Overtaken
        | StoreError::Engine(_)
        | StoreError::Seal(_)
        | StoreError::Audit(_)
        | StoreError::Value(_) => UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contactpoint_store::OpenError;

    #[test]
    fn what_trying_again_does_not_mend_ends_with_78_what_is_away_with_69_and_each_way_of_being_at_the_files_with_its_own_status() {
        // keys: missing = exit 78 with a sentence on what to do
        let missing = KeyError::PinMissing { path: "/run/credentials/hsm-pin".into() };
        assert_eq!(Failure::from(ApplianceError::Keys(missing)).status(), 78);
        let away = KeyError::TokenAbsent { token: "contactpoint".to_owned() };
        assert_eq!(Failure::from(ApplianceError::Keys(away)).status(), 69);
        let refused = KeyError::PinRefused { token: "contactpoint".to_owned() };
        assert_eq!(Failure::from(ApplianceError::Keys(refused)).status(), 78);
        let store = |fault: OpenError| Failure::from(ApplianceError::Store(fault)).status();
        assert_eq!(store(OpenError::Log("a leaf is missing".to_owned())), 65);
        assert_eq!((store(OpenError::SetBack { kept: 2, held: 1 }), store(OpenError::OtherHistory { size: 1 })), (80, 81));
        assert_eq!((store(OpenError::HeadMissing), store(OpenError::HeadForged(String::new()))), (82, 82));
        let ended = |fault: StoreError| Failure::Store(Arc::new(fault)).status();
        assert_eq!((ended(StoreError::Gone), ended(StoreError::Disk(String::new())), ended(StoreError::Stopped)), (66, 74, 69));
        assert_eq!((ended(StoreError::Overwritten), ended(StoreError::OtherHead { size: 1 })), (83, 82));
        assert_eq!(store(OpenError::WasOverwritten("/state".into())), 83);
        assert_eq!((store(OpenError::WrongKey), store(OpenError::Newer), store(OpenError::Missing("/state".into()))), (78, 78, 78));
        assert_eq!(store(OpenError::Io(std::io::ErrorKind::StorageFull.into())), 69);
        assert_eq!(Failure::from(HardeningError::NoHttps).status(), 78);
        assert_eq!(Failure::Close(StoreError::Full).status(), 69);
        let other = WitnessesRefused::OtherLog { key: "log.example+00000000+A".to_owned() };
        assert_eq!(Failure::from(other).status(), 78);
        let contradiction = SettingsError::Contradiction { file: "contactpointd.toml".into(), why: "a and b" };
        assert_eq!(Failure::from(contradiction).status(), 78);
    }

    #[test]
    fn a_failure_is_one_sentence_on_one_line() {
        // a variant says what the operator does next
        for failure in [Failure::Arguments, Failure::Close(StoreError::Full), Failure::FirstHead(StoreError::Stopped)] {
            assert!(!failure.to_string().contains('\n'));
        }
    }
}
