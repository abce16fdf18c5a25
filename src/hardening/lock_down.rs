//! The lock-down as one step, and the proof that it was taken.
//!
//! Order: nothing is left on the standard descriptors, no capability, Landlock, a try of it, seccomp. Only then may threads be started: they
//! inherit everything, while a thread that exists already would stay outside Landlock. What was locked cannot be unlocked.

use crate::{apply_landlock, apply_seccomp, HardeningError, LandlockReport, SeccompReport, Surroundings};
use nix::errno::Errno;
use nix::fcntl::{open, OFlag};
use nix::sys::stat::Mode;
use serde::Serialize;
use std::os::fd::AsRawFd;

/// Proof that this process is locked down. Made by [`lock_down`] alone.
///
/// ```compile_fail
/// # use contactpoint_hardening::LockedDown;
/// let never_locked = LockedDown { report: todo!() };
/// ```
#[derive(Debug, Clone)]
pub struct LockedDown {
    report: LockReport,
}

impl LockedDown {
    /// What is in force, as evidence.
    #[must_use]
    pub fn report(&self) -> &LockReport {
        &self.report
    }
}

/// What the process did to itself. The kernel tells some of it too (/proc/PID/status); Landlock it tells nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockReport {
    /// Landlock.
    pub landlock: LandlockReport,
    /// What an open of "/" was answered after Landlock was in force.
    pub landlock_tried: &'static str,
    /// seccomp.
    pub seccomp: SeccompReport,
    /// Threads at that moment.
    pub threads: usize,
}

/// Locks the process down for the rest of its life. Call it with one thread, after all files of the start-up are read and before the
/// first byte from the network is.
///
/// # Errors
/// [`HardeningError`]: whatever is not fully in force is an error, and the process must end.
pub fn lock_down(surroundings: &Surroundings) -> Result<LockedDown, HardeningError> {
    let threads = refuse_threads()?;
    leave_standard_descriptors()?;
    drop_capabilities()?;
    let landlock = apply_landlock(surroundings)?;
    let landlock_tried = try_landlock()?;
    let seccomp = apply_seccomp(surroundings)?;
    Ok(LockedDown { report: LockReport { landlock, landlock_tried, seccomp, threads } })
}

/// Landlock does not reach a thread that exists (TSYNC spreads seccomp alone).
fn refuse_threads() -> Result<usize, HardeningError> {
    let threads = std::fs::read_dir("/proc/self/task")
        .map_err(|error| HardeningError::LockDown { what: "/proc/self/task", why: error.to_string() })?;
    match threads.count() {
        1 => Ok(1),
        count => Err(HardeningError::Threads { count }),
    }
}

/// Nothing is read from a standard input, and nothing is said on a standard output; the standard error stays for the journal.
fn leave_standard_descriptors() -> Result<(), HardeningError> {
    let fault = |source: Errno| HardeningError::LockDown { what: "/dev/null", why: source.to_string() };
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()).map_err(fault)?;
    for standard in [libc::STDIN_FILENO, libc::STDOUT_FILENO] {
        // SAFETY: dup2 closes the standard descriptor, which nobody in this process owns as an object, and makes it anew.
        let answer = unsafe { libc::dup2(null.as_raw_fd(), standard) };
        Errno::result(answer).map_err(fault)?;
    }
    Ok(())
}

/// The header of capset(2), version 3: both halves of the sets follow.
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: libc::c_int,
}

const CAPABILITY_VERSION_3: u32 = 0x2008_0522;

/// Gives up every capability: effective, permitted, inheritable, ambient. The unit's bounding set is empty already; as root without the unit it
/// is left as it is, and nothing can be executed to make use of it.
fn drop_capabilities() -> Result<(), HardeningError> {
    let fault = |source: Errno| HardeningError::LockDown { what: "the capabilities", why: source.to_string() };
    // SAFETY: PR_CAP_AMBIENT_CLEAR_ALL takes no pointer.
    let cleared = unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) };
    Errno::result(cleared).map_err(fault)?;
    let header = CapabilityHeader { version: CAPABILITY_VERSION_3, pid: 0 };
    // Under the unit there is none, and its filter refuses capset: what nobody needs is not let through.
    let mut held = [u32::MAX; 6];
    // SAFETY: version 3 writes two structures of three words each; header and words live until the call returns.
    let asked = unsafe { libc::syscall(libc::SYS_capget, &raw const header, held.as_mut_ptr()) };
    Errno::result(asked).map_err(fault)?;
    if held == [0; 6] {
        return Ok(());
    }
    let none = [0u32; 6];
    // SAFETY: version 3 reads a header of two words and two structures of three words each; both live until the call returns.
    let answer = unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) };
    Errno::result(answer).map(drop).map_err(fault)
}

/// The root directory is nobody's place in the list: opening it must fail, and for Landlock's reason.
fn try_landlock() -> Result<&'static str, HardeningError> {
    match open("/", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()) {
        Err(Errno::EACCES) => Ok("open(\"/\"): EACCES"),
        _ => Err(HardeningError::Landlock { why: "it has no effect".to_owned() }),
    }
}
