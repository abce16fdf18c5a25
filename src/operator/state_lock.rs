//! One process at a time has the directory's state open: the daemon, or a verb that changes keys and store while it is stopped.
//!
//! The lock is the kernel's, on the state directory itself (flock(2)): it leaves no file behind, and ends with the process however that ends.
//! Does not promise: anything against somebody who opens the store without asking for it; the engine's own locks keep single writes apart.

use crate::custody::ApplianceError;
use std::fs::{File, TryLockError};
use std::path::Path;

/// Held by whoever has the state open.
#[derive(Debug)]
#[must_use = "what is dropped is unlocked"]
pub struct StateLock {
    _directory: File,
}

impl StateLock {
    /// Takes the lock, or says that another process has it.
    pub(crate) fn taken(state: &Path) -> Result<Self, ApplianceError> {
        let opened = File::open(state).map_err(contactpoint_store::OpenError::Io)?;
        match opened.try_lock() {
            Ok(()) => Ok(Self { _directory: opened }),
            Err(TryLockError::WouldBlock) => Err(ApplianceError::InUse(state.to_owned())),
            Err(TryLockError::Error(fault)) => Err(contactpoint_store::OpenError::Io(fault).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_one_process_at_a_time() {
        // F1: one writer of the log
        let state = tempfile::tempdir().unwrap();
        let held = StateLock::taken(state.path()).unwrap();
        let refused = StateLock::taken(state.path()).unwrap_err();
        assert!(matches!(refused, ApplianceError::InUse(_)) && refused.is_away(), "{refused}");
        drop(held);
        drop(StateLock::taken(state.path()).unwrap());
    }
}
