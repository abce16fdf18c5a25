//! No core file, and no reading of our memory by an equal (rule G1: "no dump, no core file").

use crate::HardeningError;
use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{setrlimit, Resource};

/// Sets RLIMIT_CORE to 0 (soft and hard) and clears PR_SET_DUMPABLE, which also keeps other processes of the same user from ptrace(2) and
/// from /proc/PID/mem. Holds for the rest of the process's life; execve(2) sets the second one again.
///
/// # Errors
/// [`HardeningError::CoreDumps`] where the kernel refuses either.
pub fn forbid_core_dumps() -> Result<(), HardeningError> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(|source| HardeningError::CoreDumps { call: "setrlimit", source })?;
    set_dumpable(false).map_err(|source| HardeningError::CoreDumps { call: "prctl", source })
}
