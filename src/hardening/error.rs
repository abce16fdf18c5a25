//! What can go wrong while locking down. Each message is a sentence for the operator; none holds a secret.

use crate::paths::PathListFault;
use crate::syscalls::SyscallListFault;
use nix::errno::Errno;
use std::path::PathBuf;

/// The process could not be locked down, or was not started as it must be. Fatal at start; the daemon exits with status 78.
#[derive(Debug, thiserror::Error)]
pub enum HardeningError {
    /// No memory could be mapped. The machine is out of memory: look at what else runs.
    #[error("no memory for a secret of {bytes} bytes: {source}")]
    OutOfMemory {
        /// Size asked for.
        bytes: usize,
        /// The kernel's answer to mmap(2).
        source: Errno,
    },
    /// The memory could not be locked. Raise `LimitMEMLOCK=` in the unit.
    #[error("{bytes} bytes of memory could not be locked ({source}); raise LimitMEMLOCK= in the unit")]
    NotLocked {
        /// Size asked for.
        bytes: usize,
        /// The kernel's answer to mlock(2).
        source: Errno,
    },
    /// The memory could not be kept out of core files and children. The kernel is too old (before 3.4) or a filter forbids madvise(2).
    #[error("memory of a secret could not be kept out of core files and child processes: {source}")]
    NotExcluded {
        /// The kernel's answer to madvise(2).
        source: Errno,
    },
    /// Core files could not be switched off.
    #[error("core files could not be forbidden ({call}): {source}")]
    CoreDumps {
        /// The system call that was refused.
        call: &'static str,
        /// The kernel's answer.
        source: Errno,
    },
    /// No service manager handed over a socket. Start through the socket unit, never by hand.
    #[error("no listening socket was handed over ({variable} is not set); start contactpointd through contactpointd.socket")]
    NoListeners {
        /// The variable that is missing.
        variable: &'static str,
    },
    /// A variable of the hand-over is no number, or out of range.
    #[error("{variable} does not hold a number between 1 and {most}")]
    MalformedVariable {
        /// The variable.
        variable: &'static str,
        /// The largest value that makes sense.
        most: u32,
    },
    /// The sockets are meant for another process; a wrapper script must `exec` the daemon.
    #[error("the listening sockets are meant for process {meant}, this is process {this}; a wrapper must exec contactpointd")]
    AnotherProcess {
        /// LISTEN_PID.
        meant: u32,
        /// Our own process id.
        this: u32,
    },
    /// More sockets than the two that the daemon knows.
    #[error("{count} sockets were handed over; contactpointd takes one TCP socket and at most one Unix socket")]
    TooManyListeners {
        /// LISTEN_FDS.
        count: u32,
    },
    /// A descriptor that was promised is not open.
    #[error("descriptor {descriptor} was promised by LISTEN_FDS but is not open")]
    NotOpen {
        /// The descriptor's number.
        descriptor: i32,
    },
    /// A descriptor is no listening stream socket.
    #[error("descriptor {descriptor} is not a listening stream socket; check ListenStream= in contactpointd.socket")]
    NotListening {
        /// The descriptor's number.
        descriptor: i32,
    },
    /// A socket of a family that the daemon does not serve.
    #[error("descriptor {descriptor} is neither a TCP nor a Unix socket")]
    WrongFamily {
        /// The descriptor's number.
        descriptor: i32,
    },
    /// Two sockets of one kind; which is which could not be told.
    #[error("two {family} sockets were handed over; contactpointd takes one TCP socket and at most one Unix socket")]
    Twice {
        /// "TCP" or "Unix".
        family: &'static str,
    },
    /// Only a Unix socket came: nothing to serve HTTPS on.
    #[error("no TCP socket was handed over; contactpointd.socket needs a ListenStream= with a port")]
    NoHttps,
    /// The sockets were already taken by an earlier call in this process.
    #[error("the listening sockets were already taken")]
    AlreadyTaken,
    /// A socket could not be set to non-blocking or close-on-exec.
    #[error("descriptor {descriptor} could not be prepared: {source}")]
    NotPrepared {
        /// The descriptor's number.
        descriptor: i32,
        /// The kernel's answer.
        source: Errno,
    },
    /// The list of system calls is not as it must be; a fault of ours, in this version.
    #[error(transparent)]
    SyscallList(#[from] SyscallListFault),
    /// The list of paths is not as it must be; a fault of ours, in this version.
    #[error(transparent)]
    PathList(#[from] PathListFault),
    /// Landlock is not there, or not all of it is in force. Boot a kernel of 5.19 or newer with landlock in its list of LSMs.
    #[error("Landlock does not hold this process: {why}; contactpointd needs a kernel from 5.19 with landlock among its security modules (lsm= on the kernel's command line)")]
    Landlock {
        /// What the kernel, or the try, said.
        why: String,
    },
    /// A path that must be reachable after the lock-down cannot be opened. Correct `[hsm] reads` and `writes`, or the unit.
    #[error("{path} cannot be kept within reach: {why}; look at [hsm] reads and writes in contactpointd.toml, and at the unit's BindPaths=", path = path.display())]
    Place {
        /// The path.
        path: PathBuf,
        /// What the kernel said.
        why: String,
    },
    /// The filter of system calls is not in force.
    #[error("the system calls are not filtered: {why}; contactpointd needs a kernel with seccomp")]
    Seccomp {
        /// What the kernel, or the try, said.
        why: String,
    },
    /// A thread was there before the lock-down. A fault of ours, or of the HSM's module.
    #[error("{count} threads before the lock-down, which would stay outside it; does the HSM's module start threads of its own?")]
    Threads {
        /// How many.
        count: usize,
    },
    /// A step of the lock-down was refused.
    #[error("the lock-down failed at {what}: {why}")]
    LockDown {
        /// The step.
        what: &'static str,
        /// What the kernel said.
        why: String,
    },
}
