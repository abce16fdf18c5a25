//! The clock of the tests. A one-time code belongs to its thirty seconds, so whoever types one needs the time.

use std::time::Duration;

/// Since 1970-01-01T00:00:00Z.
#[expect(clippy::disallowed_methods, reason = "one-time codes are of their second; the ban is for what is tested, not for who tests it")]
pub(crate) fn now() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}
