//! Locks the process down; the only crate that may use unsafe.
//!
//! For: memory that a secret can lie in ([`LockedBytes`]), the refusal of core files ([`forbid_core_dumps`]), the sockets that the
//! service manager opened for us ([`inherited_listeners`], sd_listen_fds(3)), memory that is given back ([`give_memory_back`]), and the
//! lock-down: capabilities, Landlock and seccomp from the lists in config/ ([`lock_down`], rule G5).
//! Leaves to others: which secret lies where (`keys`, `sealing`), who may connect (`edge`). Does not promise: that a secret was never
//! copied elsewhere before it came here, nor anything against root or a debugger that was attached first.

mod allocator;
#[cfg(test)]
mod attached_tests;
#[cfg(test)]
mod child_tests;
mod core_dumps;
mod error;
mod landlock_rules;
mod listeners;
#[cfg(test)]
mod lists_tests;
mod lock_down;
#[cfg(test)]
mod lock_down_tests;
mod locked;
#[cfg(test)]
mod locked_tests;
pub mod paths;
mod seccomp_filter;
mod surroundings;
pub mod syscalls;

pub use allocator::give_memory_back;
pub use core_dumps::forbid_core_dumps;
pub use error::HardeningError;
pub use landlock_rules::{apply_landlock, LandlockReport};
pub use listeners::{inherited_listeners, Listeners};
pub use lock_down::{lock_down, LockReport, LockedDown};
pub use locked::LockedBytes;
pub use seccomp_filter::{apply_seccomp, SeccompReport};
pub use surroundings::{HsmAttachment, Surroundings};
