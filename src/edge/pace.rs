//! Holds back whoever fetches the log's tiles, so that look-ups keep the machine (rule F2: the log is open to whoever checks it, and a check slows no
//! answer about a child).
//!
//! A tile or a bundle costs as much processor time as several look-ups, and whoever fetches them waits for no disk: two connections without a pause take
//! half of a machine. Whoever fetches has a burst, and then so many a second; organisations that fetch at the same time share both, fifty at most, and who
//! comes too early waits for their own turn. So no organisation holds back another, whose witness the directory's answers may wait for.
//! Leaves to others: how many connections there are (`door`).

use contactpoint_domain::OrganisationId;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is fetched without waiting, where nothing was for a while.
const BURST: u32 = 500;
/// From one turn to the next of an organisation that fetches alone: 100 a second, which are 25,600 entries.
const EACH: Duration = Duration::from_millis(10);
/// As many share; of more, each has what it had among so many: two a second after ten without waiting, which is what the proof takes that a log goes
/// on. The commands of thousands of organisations ask for one, too, and must not keep it from the witness.
const SHARING: usize = 50;
/// The longest wait; beyond it the fetcher is told to come back.
const LONGEST: Duration = Duration::from_secs(5);

/// When each organisation's next turn would be without a burst: the virtual scheduling of the generic cell rate algorithm (ITU-T I.371), on the
/// process's own clock, with a step that is as long as so many organisations share. Who has no such time to come has fetched nothing for a while.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<BTreeMap<OrganisationId, Duration>>);

impl Pace {
    /// How long an organisation that comes `now` waits for its turn; `None` where that is too long, and it has none.
    pub(crate) fn turn(&self, whose: OrganisationId, now: Duration) -> Option<Duration> {
        // a poisoned map is a whole one: each time is set in one step
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        next.retain(|_, next| *next > now);
        let mine = next.get(&whose).copied();
        let sharing = next.len() + usize::from(mine.is_none());
        let due = mine.unwrap_or(now) + EACH * u32::try_from(sharing.min(SHARING)).unwrap_or(u32::MAX);
        let wait = due.saturating_sub(now + EACH * BURST);
        if wait > LONGEST {
            return None;
        }
        next.insert(whose, due);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITNESS: OrganisationId = OrganisationId(1);
    const BEGIN: Duration = Duration::from_secs(100);

    fn waits(pace: &Pace, now: Duration, count: u32) -> Vec<Duration> {
        (0..count).map_while(|_| pace.turn(WITNESS, now)).collect()
    }

    #[test]
    fn after_a_burst_tiles_are_fetched_by_turns_and_whoever_would_wait_too_long_is_told() {
        // F2: read from the store without slowing look-ups
        let pace = Pace::default();
        assert_eq!(waits(&pace, BEGIN, BURST), vec![Duration::ZERO; 500]);
        assert_eq!(waits(&pace, BEGIN, 3), [EACH, EACH * 2, EACH * 3]);
        let rest = waits(&pace, BEGIN, u32::MAX);
        assert_eq!((rest.len(), rest.last()), (500 - 3, Some(&LONGEST)), "and no further turn is taken by whoever has none");
        // five seconds later the last of them has had its turn, and the next waits for one
        assert_eq!(pace.turn(WITNESS, BEGIN + LONGEST), Some(EACH));
        // whoever fetches one after the other gets 100 a second
        let mut now = BEGIN + Duration::from_secs(60);
        let first = now;
        for _ in 0..BURST + 1000 {
            now += pace.turn(WITNESS, now).unwrap();
        }
        assert_eq!(now - first, Duration::from_secs(10));
    }

    #[test]
    fn a_pause_gives_the_burst_back_and_no_more() {
        // F2: who fetches now and then waits for nothing
        let pace = Pace::default();
        assert_eq!(waits(&pace, BEGIN, BURST).len(), 500);
        assert_eq!(waits(&pace, BEGIN + EACH * 10, 11).last(), Some(&EACH), "ten turns came back");
        assert_eq!(waits(&pace, BEGIN + Duration::from_secs(3600), BURST + 1).last(), Some(&EACH));
    }

    #[test]
    fn whoever_fetches_without_a_pause_holds_back_no_other_organisation() {
        // F2: a flood of one organisation keeps no witness from the log, which answers may wait for
        let pace = Pace::default();
        let flood = |now| (2..6).map(|other| std::iter::from_fn(|| pace.turn(OrganisationId(other), now)).count()).sum::<usize>();
        assert!(flood(BEGIN) >= 1000, "the flood has what it can have");
        assert_eq!(pace.turn(OrganisationId(2), BEGIN), None);
        // every second the flood takes what there is, and then a witness comes
        for second in 1..60 {
            let now = BEGIN + Duration::from_secs(second);
            flood(now);
            assert_eq!(waits(&pace, now, 20), [Duration::ZERO; 20], "after {second} s");
        }
    }

    #[test]
    fn however_many_organisations_fetch_at_the_same_time_a_witness_gets_what_a_proof_takes() {
        // F2: answers may wait for the witness; with a log's key in its profile, each command of the client proves that the log goes on
        let pace = Pace::default();
        for second in 0..60u32 {
            let now = BEGIN + Duration::from_secs(second.into());
            // 40 commands a second, of 2,400 organisations, six tiles each
            for whose in 0..40u32 {
                assert!((0..6).all(|_| pace.turn(OrganisationId(2 + 40 * second + whose), now).is_some()), "after {second} s");
            }
            if second % 10 == 9 {
                assert_eq!(waits(&pace, now, 8), [Duration::ZERO; 8], "after {second} s");
            }
        }
    }

    #[test]
    fn organisations_that_fetch_at_the_same_time_share_the_pace() {
        // F2: 100 a second slow no look-up, however many fetch; so do not 50 organisations
        let pace = Pace::default();
        let taken = |now| (0..50).map(|whose| std::iter::from_fn(|| pace.turn(OrganisationId(whose), now)).count()).sum::<usize>();
        // what they begin with: each its share of burst and queue as it was when it came
        let begun = taken(BEGIN);
        assert!(begun < 5_000, "{begun}");
        let minute: usize = (1..=60).map(|second| taken(BEGIN + Duration::from_secs(second))).sum();
        assert!((5_400..=6_600).contains(&minute), "{minute}");
        // who is left alone has the whole pace again
        let later = BEGIN + Duration::from_secs(120);
        assert_eq!(waits(&pace, later, BURST + 1).last(), Some(&EACH));
    }
}
