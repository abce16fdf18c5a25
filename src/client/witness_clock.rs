//! A witness's clock: when it cosigned, which is part of what it says (C2SP tlog-cosignature). Nothing else of the client asks for the time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since 1970-01-01T00:00:00Z.
#[expect(clippy::disallowed_methods, reason = "a witness says when it cosigned, and nobody hands it the time")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
