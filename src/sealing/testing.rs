//! Keys for the tests of this crate.

use contactpoint_hardening::{HardeningError, LockedBytes};

/// A key of 32 equal bytes.
pub(crate) fn key_of(byte: u8) -> LockedBytes<32> {
    LockedBytes::filled_by::<HardeningError>(|bytes| {
        bytes.fill(byte);
        Ok(())
    })
    .unwrap()
}
