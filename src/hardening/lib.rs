//! Locks the process down; the only crate that may use unsafe.
//!
//! For: memory that a secret can lie in ([`LockedBytes`]), the refusal of core files ([`forbid_core_dumps`]), the sockets that the
//! service manager opened for us ([`inherited_listeners`], sd_listen_fds(3)) and memory that is given back ([`give_memory_back`]).
//! Leaves to others: which secret lies where (`keys`, `sealing`), who may connect (`edge`). Does not promise: that a secret was never
//! copied elsewhere before it came here, nor anything against root or a debugger that was attached first.

mod allocator;
#[cfg(test)]
mod child_tests;
mod core_dumps;
mod error;
mod listeners;
mod locked;

pub use allocator::give_memory_back;
pub use core_dumps::forbid_core_dumps;
pub use error::HardeningError;
pub use listeners::{inherited_listeners, Listeners};
pub use locked::LockedBytes;
