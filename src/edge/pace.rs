//! Holds back whoever fetches the log's tiles, so that look-ups keep the machine (rule F2: the log is open to whoever checks it, and a check slows no
//! answer about a child).
//!
//! A tile or a bundle costs as much processor time as several look-ups, and whoever fetches them waits for no disk: two connections without a pause take
//! half of a machine. All fetchers together have a burst, and then so many a second; who comes too early waits for their turn, in the order
//! in which they came. Leaves to others: how many connections there are (`door`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is fetched without waiting, where nothing was for a while.
const BURST: u32 = 500;
/// From one turn to the next: 100 a second, which are 25,600 entries.
const EACH: Duration = Duration::from_millis(10);
/// The longest wait; beyond it the fetcher is told to come back.
const LONGEST: Duration = Duration::from_secs(5);

/// When the next turn would be without a burst: the virtual scheduling of the generic cell rate algorithm (ITU-T I.371), on the process's own clock.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Duration>);

impl Pace {
    /// How long whoever comes `now` waits for their turn; `None` where that is too long, and they have none.
    pub(crate) fn turn(&self, now: Duration) -> Option<Duration> {
        // a poisoned turn is a whole one: it is set in one step
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = (*next).max(now) + EACH;
        let wait = due.saturating_sub(now + EACH * BURST);
        if wait > LONGEST {
            return None;
        }
        *next = due;
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(pace: &Pace, now: Duration, count: u32) -> Vec<Duration> {
        (0..count).map_while(|_| pace.turn(now)).collect()
    }

    #[test]
    fn after_a_burst_tiles_are_fetched_by_turns_and_whoever_would_wait_too_long_is_told() {
        // F2: read from the store without slowing look-ups
        let (pace, begin) = (Pace::default(), Duration::from_secs(100));
        assert_eq!(waits(&pace, begin, BURST), vec![Duration::ZERO; 500]);
        assert_eq!(waits(&pace, begin, 3), [EACH, EACH * 2, EACH * 3]);
        let rest = waits(&pace, begin, u32::MAX);
        assert_eq!((rest.len(), rest.last()), (500 - 3, Some(&LONGEST)), "and no further turn is taken by whoever has none");
        // five seconds later the last of them has had its turn, and the next waits for one
        assert_eq!(pace.turn(begin + LONGEST), Some(EACH));
        // whoever fetches one after the other gets 100 a second
        let mut now = begin + Duration::from_secs(60);
        let first = now;
        for _ in 0..BURST + 1000 {
            now += pace.turn(now).unwrap();
        }
        assert_eq!(now - first, Duration::from_secs(10));
    }

    #[test]
    fn a_pause_gives_the_burst_back_and_no_more() {
        // F2: who fetches now and then waits for nothing
        let (pace, begin) = (Pace::default(), Duration::from_secs(100));
        assert_eq!(waits(&pace, begin, BURST).len(), 500);
        assert_eq!(waits(&pace, begin + EACH * 10, 11).last(), Some(&EACH), "ten turns came back");
        assert_eq!(waits(&pace, begin + Duration::from_secs(3600), BURST + 1).last(), Some(&EACH));
    }
}
