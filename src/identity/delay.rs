//! The growing delay after failed log-ins (rule C6). Accounts keep theirs in the store, so that a restart does not forgive; names
//! nobody has are kept here, in memory and bounded, so that the delay does not tell which names exist.
//!
//! Does not promise: that a restart, or 65,536 newer unknown names, leave an unknown name's delay standing.

use contactpoint_domain::{Instant, OrganisationId};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Failures that cost nothing: a slip of the finger.
const FREE_FAILURES: u32 = 2;
/// The delay grows no further than this.
const LONGEST_SECONDS: u64 = 15 * 60;
/// Unknown names remembered.
const REMEMBERED: usize = 65_536;

/// Seconds to wait after so many failures in a row: 0, 0, 2, 4, 8, ... 900.
fn seconds_after(failures: u32) -> u64 {
    match failures.checked_sub(FREE_FAILURES) {
        None | Some(0) => 0,
        Some(beyond) => 1u64.checked_shl(beyond).unwrap_or(u64::MAX).min(LONGEST_SECONDS),
    }
}

/// The instant before which no log-in is tried after so many failures, the last of them now; the beginning of time where none is
/// waited for, so that a clock set back makes no delay out of nothing.
pub(crate) fn until(failures: u32, now: Instant) -> Instant {
    match seconds_after(failures) {
        0 => Instant::default(),
        seconds => now.plus_seconds(seconds),
    }
}

/// How long until `until`, in whole seconds and at least one; `None` where it is past.
pub(crate) fn remaining(until: Instant, now: Instant) -> Option<Duration> {
    let millis = until.millis().checked_sub(now.millis()).filter(|left| *left > 0)?;
    Some(Duration::from_secs(millis.div_ceil(1000)))
}

/// Failures in a row, where the store does not count them: of a name that nobody has, of the codes of one session.
#[derive(Clone, Copy, Default)]
pub(crate) struct Failures {
    count: u32,
    until: Instant,
}

impl Failures {
    /// One more; but where the delay of those before is not over, that delay, and nothing is counted.
    pub(crate) fn add(&mut self, now: Instant) -> Option<Duration> {
        let wait = remaining(self.until, now);
        if wait.is_none() {
            self.count = self.count.saturating_add(1);
            self.until = until(self.count, now);
        }
        wait
    }
}

#[derive(Default)]
struct Table {
    names: HashMap<[u8; 32], Failures>,
    /// The same names in the order they first failed.
    order: VecDeque<[u8; 32]>,
}

/// Failed log-ins under names that the organisation does not have (`None`: the control socket's). Counted by organisation, as an account is: by
/// certificate, two of them would tell which names exist.
#[derive(Default)]
pub(crate) struct UnknownNames(Mutex<Table>);

impl UnknownNames {
    /// How long the name must still wait.
    pub(crate) fn remaining(&self, at: Option<OrganisationId>, login: &str, now: Instant) -> Option<Duration> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.names.get(&key(at, login)).and_then(|failed| remaining(failed.until, now))
    }

    /// One more failure; but where another attempt's failure has set a delay meanwhile, that delay, and nothing is counted.
    pub(crate) fn failed(&self, at: Option<OrganisationId>, login: &str, now: Instant) -> Option<Duration> {
        let key = key(at, login);
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !table.names.contains_key(&key) {
            table.make_room();
            table.order.push_back(key);
        }
        table.names.entry(key).or_default().add(now)
    }
}

impl Table {
    fn make_room(&mut self) {
        if self.order.len() >= REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.names.remove(&oldest);
            }
        }
    }
}

fn key(at: Option<OrganisationId>, login: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    // organisations are numbered from 1
    hash.update(at.map_or(0, |organisation| organisation.0).to_be_bytes());
    hash.update(login);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_a_quarter_of_an_hour() {
        // C6: log-in failures lock with growing delay
        let delays: Vec<u64> = (0..14).map(seconds_after).collect();
        assert_eq!(delays, [0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(seconds_after(u32::MAX), 900);
    }

    #[test]
    fn what_remains_is_rounded_up_to_whole_seconds() {
        let at = Instant::of_millis;
        assert_eq!(remaining(at(1000), at(1000)), None);
        assert_eq!(remaining(at(1001), at(1000)), Some(Duration::from_secs(1)));
        assert_eq!(remaining(at(3000), at(1000)), Some(Duration::from_secs(2)));
        assert_eq!(remaining(at(0), at(1000)), None);
    }

    #[test]
    fn an_unknown_name_waits_like_a_known_one_and_the_table_is_bounded() {
        // C6: the answer never tells whether the account exists
        let (names, at, now) = (UnknownNames::default(), Some(OrganisationId(1)), Instant::of_millis(1000));
        for _ in 0..3 {
            assert_eq!(names.remaining(at, "nobody", now), None);
            assert_eq!(names.failed(at, "nobody", now), None);
        }
        assert_eq!(names.remaining(at, "nobody", now), Some(Duration::from_secs(2)));
        assert_eq!(names.failed(at, "nobody", now), Some(Duration::from_secs(2)));
        assert_eq!(names.remaining(Some(OrganisationId(2)), "nobody", now), None, "another organisation's name is another name");
        for n in 0..REMEMBERED {
            names.failed(at, &n.to_string(), now);
        }
        assert_eq!(names.0.lock().unwrap().names.len(), REMEMBERED);
        assert_eq!(names.remaining(at, "nobody", now), None);
    }
}
