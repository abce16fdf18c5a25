//! Puts the list of paths into force (landlock(7)): nothing else in the file system can be read, written, made, removed or executed, no
//! TCP port used, no other process signalled. stat(2), O_PATH and chmod(2) it does not look at.
//!
//! Every right that the kernel's Landlock knows is handled, up to ABI 7, the newest this was tried on. Debian 12's own kernel (6.1) has ABI
//! 2: files, but no TCP (from 6.7), no device ioctl (6.10) and no signals (6.12); seccomp and the unit hold those there. Less than fully
//! enforced refuses to start.

use crate::paths::{self, Use};
use crate::{HardeningError, HsmAttachment, Surroundings};
use landlock::{
    Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetStatus, Scope, ABI,
};
use serde::Serialize;
use std::path::Path;

/// The ABIs that were tried, newest first, with their numbers.
const TRIED: &[(ABI, u8)] = &[(ABI::V7, 7), (ABI::V6, 6), (ABI::V5, 5), (ABI::V4, 4), (ABI::V3, 3), (ABI::V2, 2)];

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LandlockReport {
    /// The kernel interface's version, at most 7.
    pub abi: u8,
    /// "fully enforced"; anything else does not start.
    pub status: &'static str,
    /// Paths that may be read.
    pub reads: Vec<String>,
    /// Paths that may be read and written.
    pub writes: Vec<String>,
    /// Whether TCP is in Landlock's hands (ABI 4).
    pub tcp: bool,
    /// The one TCP port that may be connected to: a network HSM's.
    pub connects_to: Option<u16>,
    /// Whether signals to other processes and abstract Unix sockets are (ABI 6).
    pub scopes: bool,
}

/// Holds this thread, and those it starts, to the list of paths for the rest of their lives. Sets PR_SET_NO_NEW_PRIVS.
///
/// # Errors
/// [`HardeningError::Landlock`] where the kernel lacks it or does not enforce all of it; [`HardeningError::Place`] where a path of the list
/// cannot be opened.
pub fn apply_landlock(surroundings: &Surroundings) -> Result<LandlockReport, HardeningError> {
    let allowed = paths::effective(surroundings)?;
    let (abi, number, mut ruleset) = newest()?;
    for place in &allowed {
        let of_its_kind = if place.path.is_dir() { AccessFs::from_all(abi) } else { AccessFs::from_file(abi) };
        let device = usb_device(surroundings.attachment, &place.path, abi);
        let rule = PathBeneath::new(opened(&place.path)?, (rights(place.access, abi) & of_its_kind) | device);
        ruleset = ruleset.add_rule(rule).map_err(refused)?;
    }
    let connects_to = match surroundings.attachment {
        HsmAttachment::Network { port } => Some(port),
        HsmAttachment::Files | HsmAttachment::UnixSocket | HsmAttachment::Usb => None,
    };
    if let (Some(port), true) = (connects_to, number >= 4) {
        ruleset = ruleset.add_rule(NetPort::new(port, AccessNet::ConnectTcp)).map_err(refused)?;
    }
    let status = ruleset.restrict_self().map_err(refused)?;
    if status.ruleset != RulesetStatus::FullyEnforced || !status.no_new_privs {
        return Err(refused("it is not fully enforced"));
    }
    let of = |access| allowed.iter().filter(|place| place.access == access).map(|place| place.path.display().to_string()).collect();
    Ok(LandlockReport {
        abi: number,
        status: "fully enforced",
        reads: of(Use::Read),
        writes: of(Use::ReadWrite),
        tcp: number >= 4,
        connects_to,
        scopes: number >= 6,
    })
}

/// A ruleset that handles all that the kernel knows, as the newest ABI that it takes.
fn newest() -> Result<(ABI, u8, RulesetCreated), HardeningError> {
    let mut last = refused("this kernel has none");
    for (abi, number) in TRIED {
        match handling(*abi) {
            Ok(ruleset) => return Ok((*abi, *number, ruleset)),
            Err(error) => last = refused(error),
        }
    }
    Err(last)
}

fn handling(abi: ABI) -> Result<RulesetCreated, landlock::RulesetError> {
    let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(AccessFs::from_all(abi))?;
    let (tcp, scopes) = (AccessNet::from_all(abi), Scope::from_all(abi));
    if !tcp.is_empty() {
        ruleset = ruleset.handle_access(tcp)?;
    }
    if !scopes.is_empty() {
        ruleset = ruleset.scope(scopes)?;
    }
    ruleset.create()
}

fn opened(path: &Path) -> Result<PathFd, HardeningError> {
    PathFd::new(path).map_err(|error| HardeningError::Place { path: path.to_owned(), why: error.to_string() })
}

/// Files only: nothing is executed, no directory, symbolic link, socket, pipe or device is made.
fn rights(access: Use, abi: ABI) -> BitFlags<AccessFs> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    match access {
        Use::Read => read,
        Use::ReadWrite => {
            (read | AccessFs::WriteFile | AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::Truncate) & AccessFs::from_all(abi)
        }
    }
}

/// ioctl(2) on the devices of the USB bus, and on no other (ABI 5).
fn usb_device(attachment: HsmAttachment, path: &Path, abi: ABI) -> BitFlags<AccessFs> {
    match attachment {
        HsmAttachment::Usb if path.starts_with("/dev/bus/usb") => BitFlags::from(AccessFs::IoctlDev) & AccessFs::from_all(abi),
        HsmAttachment::Files | HsmAttachment::UnixSocket | HsmAttachment::Usb | HsmAttachment::Network { .. } => BitFlags::empty(),
    }
}

fn refused(why: impl std::fmt::Display) -> HardeningError {
    HardeningError::Landlock { why: why.to_string() }
}
