//! Puts the list of system calls into force (seccomp(2)): what is not in it ends the process.

use crate::syscalls::{self, Line};
use crate::{HardeningError, Surroundings};
use data_encoding::HEXLOWER;
use seccompiler::{apply_filter, compile_from_json, TargetArch};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeccompReport {
    /// Lines of the list in force.
    pub lines: usize,
    /// SHA-256 of config/syscalls.conf as it was compiled in, hexadecimal.
    pub list_sha256: String,
    /// What happens to a call that is not in the list.
    pub otherwise: &'static str,
    /// Names of the calls in force, in the order of the list.
    pub calls: Vec<String>,
}

/// Filters the system calls of this thread, and of the threads it starts, for the rest of their lives. Sets PR_SET_NO_NEW_PRIVS.
///
/// # Errors
/// [`HardeningError::SyscallList`] where the list is not as it must be, [`HardeningError::Seccomp`] where the kernel does not take it.
pub fn apply_seccomp(surroundings: &Surroundings) -> Result<SeccompReport, HardeningError> {
    let lines = syscalls::effective(surroundings.attachment)?;
    let filters = compiled(&lines)?;
    // the one that ends the process comes last: what puts the others into force is not in the list
    for (_, program) in filters.iter().filter(|(name, _)| *name != "allowed") {
        apply_filter(program).map_err(refused)?;
    }
    apply_filter(filters.get("allowed").ok_or_else(|| refused("no filter was made"))?).map_err(refused)?;
    refuse_without_effect()?;
    Ok(report(&lines))
}

/// What [`apply_seccomp`] would put into force.
pub(crate) fn report(lines: &[Line]) -> SeccompReport {
    SeccompReport {
        lines: lines.len(),
        list_sha256: HEXLOWER.encode(&Sha256::digest(syscalls::LIST)),
        otherwise: "kill_process",
        calls: lines.iter().map(|line| line.text.clone()).collect(),
    }
}

pub(crate) fn compiled(lines: &[Line]) -> Result<seccompiler::BpfMap, HardeningError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(refused)?;
    compile_from_json(syscalls::filters(lines).to_string().as_bytes(), arch).map_err(refused)
}

/// A filter that is in force answers clone3(2) without looking at its arguments; the kernel would call these invalid.
fn refuse_without_effect() -> Result<(), HardeningError> {
    // SAFETY: no memory is handed over; with a size of 0 clone3 makes nothing, filter or not.
    let answer = unsafe { libc::syscall(libc::SYS_clone3, std::ptr::null::<libc::c_void>(), 0usize) };
    match (answer, nix::errno::Errno::last()) {
        (-1, nix::errno::Errno::ENOSYS) => Ok(()),
        _ => Err(refused("the filter has no effect")),
    }
}

fn refused(why: impl std::fmt::Display) -> HardeningError {
    HardeningError::Seccomp { why: why.to_string() }
}
