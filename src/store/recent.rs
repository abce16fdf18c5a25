//! The log's newest entries, read backwards: what is counted in memory by the day is counted again after a start (rule D6).
//!
//! For the daemon's own start alone: what is read here leaves in no answer.

use crate::error::{OpenError, StoreError};
use crate::writer::Store;
use contactpoint_audit::Entry;
use contactpoint_sealing::SealError;
use std::ops::ControlFlow;

impl Store {
    /// Hands on the newest entries, the newest first, until `each` has enough; at most `most`.
    pub fn newest_entries(&self, most: u32, mut each: impl FnMut(&Entry) -> ControlFlow<()>) -> Result<(), OpenError> {
        let read = self.read(|snapshot| {
            let mut select = snapshot.connection.prepare_cached("SELECT entry, leaf FROM leaf ORDER BY entry DESC LIMIT ?1")?;
            let mut rows = select.query([most])?;
            while let Some(row) = rows.next()? {
                let look = match snapshot.open_look((row.get(0)?, row.get(1)?)) {
                    // and so is everything before it
                    Err(StoreError::Seal(SealError::Erased { .. })) => break,
                    opened => opened?,
                };
                if each(&look.entry).is_break() {
                    break;
                }
            }
            Ok(())
        });
        read.map_err(|fault: StoreError| OpenError::Log(format!("its newest entries cannot be read: {fault}")))
    }
}
