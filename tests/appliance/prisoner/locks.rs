//! The daemon's own locks, put on one at a time, so that each is seen to hold alone. They are the daemon's code: contactpoint-hardening.

use crate::prison::STATE;
use contactpoint_hardening::{apply_landlock, apply_seccomp, HardeningError, HsmAttachment, Surroundings};
use std::path::PathBuf;

/// A lock of the daemon's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Lock {
    /// Landlock: which files and sockets.
    Landlock,
    /// seccomp: which system calls.
    Seccomp,
}

/// What the daemon of a SoftHSM trial would have around it.
fn surroundings() -> Surroundings {
    Surroundings {
        state: PathBuf::from(STATE.to_string_lossy().into_owned()),
        configuration: PathBuf::from("/etc/contactpoint"),
        reads: Vec::new(),
        writes: Vec::new(),
        attachment: HsmAttachment::Files,
    }
}

/// Puts these locks on this process, in the daemon's order: seccomp last, since it would refuse what Landlock needs.
///
/// # Errors
/// A lock that is not fully enforced.
pub(crate) fn put_on(locks: &[Lock]) -> Result<(), HardeningError> {
    if locks.contains(&Lock::Landlock) {
        let _ = apply_landlock(&surroundings())?;
    }
    if locks.contains(&Lock::Seccomp) {
        let _ = apply_seccomp(&surroundings())?;
    }
    Ok(())
}
