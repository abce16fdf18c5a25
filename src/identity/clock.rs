//! The one place that reads the system clock. Everybody else is handed a `Now` or its `wall`.
//!
//! The wall time never runs backwards within a process: it is the latest ever seen, so that a clock set back neither revives a used
//! code, nor shortens a delay, nor reorders the log. Idle times are measured on the monotonic clock, which nobody can set.
//! Does not promise: that the clock is right; a clock set forward stays forward until the process ends.

use contactpoint_domain::Instant;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// One reading of both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Civil time, never earlier than any reading before it in this process.
    pub wall: Instant,
    /// Time since the clock was made; for idle times and caps.
    pub monotonic: Duration,
}

/// Where the time comes from. Cheap to clone; clones share what they have seen.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    /// The latest wall time handed out, in milliseconds.
    latest: AtomicU64,
}

#[derive(Debug)]
enum Source {
    System { start: std::time::Instant },
    Fixed(Mutex<Now>),
}

impl Clock {
    /// The machine's clocks.
    #[must_use]
    pub fn system() -> Self {
        Self::over(Source::System { start: std::time::Instant::now() })
    }

    /// A clock that stands still until a test moves it.
    #[must_use]
    pub fn dangerous_fixed(wall: Instant) -> Self {
        Self::over(Source::Fixed(Mutex::new(Now { wall, monotonic: Duration::ZERO })))
    }

    /// Reads both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        let read = match &self.0.source {
            Source::System { start } => Now { wall: system_wall(), monotonic: start.elapsed() },
            Source::Fixed(set) => *set.lock().unwrap_or_else(PoisonError::into_inner),
        };
        let before = self.0.latest.fetch_max(read.wall.millis(), Ordering::AcqRel);
        Now { wall: Instant::of_millis(before.max(read.wall.millis())), monotonic: read.monotonic }
    }

    /// Sets a fixed clock's wall time, also backwards, as somebody at the machine might. Without effect on the system's clock.
    pub fn dangerous_set_wall(&self, wall: Instant) {
        if let Source::Fixed(set) = &self.0.source {
            set.lock().unwrap_or_else(PoisonError::into_inner).wall = wall;
        }
    }

    /// Moves both of a fixed clock's times on. Without effect on the system's clock.
    pub fn dangerous_advance(&self, by: Duration) {
        if let Source::Fixed(set) = &self.0.source {
            let mut now = set.lock().unwrap_or_else(PoisonError::into_inner);
            now.monotonic += by;
            now.wall = Instant::of_millis(now.wall.millis().saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)));
        }
    }

    fn over(source: Source) -> Self {
        Self(Arc::new(Inner { source, latest: AtomicU64::new(0) }))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one file that reads the clock")]
fn system_wall() -> Instant {
    // a clock before 1970 counts as 1970
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Instant::of_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_does_not_run_backwards() {
        // bad input: "clock set back"
        let clock = Clock::dangerous_fixed(Instant::of_millis(10_000));
        assert_eq!(clock.now().wall.millis(), 10_000);
        clock.dangerous_set_wall(Instant::of_millis(4_000));
        assert_eq!(clock.now().wall.millis(), 10_000);
        clock.dangerous_set_wall(Instant::of_millis(11_000));
        assert_eq!(clock.now().wall.millis(), 11_000);
    }

    #[test]
    fn the_system_clock_moves_on() {
        let clock = Clock::system();
        let first = clock.now();
        let second = clock.now();
        assert!(second.wall >= first.wall && second.monotonic >= first.monotonic);
        assert!(first.wall.millis() > 1_700_000_000_000);
    }
}
