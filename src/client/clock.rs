//! The client's clock: when a witness cosigned, which is part of what it says (C2SP tlog-cosignature), and how long receipts have been waited for. Nothing else of the
//! client asks for the time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since 1970-01-01T00:00:00Z.
#[expect(clippy::disallowed_methods, reason = "nobody hands the client the time")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

/// The moment so many seconds after 1970-01-01T00:00:00Z, as the times of files are.
pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}
