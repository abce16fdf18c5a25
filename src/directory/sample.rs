//! The drawing of a month's sample (rule D5: dispositions are sampled by an auditor), from a seed that nobody chooses.
//!
//! Once a month has ended the daemon says so in the log, whoever asks or does not. The first checkpoint that is signed over that entry is the
//! month's, for good: no request makes it, and none before it knows it. Seed: SHA-256 over the text of that checkpoint. Each alert's rank: SHA-256 over the seed and the alert's number, 8 bytes big-endian. A
//! sample of n is the n alerts of the lowest ranks, so that a smaller one is the beginning of a larger one. Whoever has the checkpoint and
//! the numbers can draw it again.

use crate::reviewing::of_the_daemon;
use contactpoint_audit::Operation;
use contactpoint_domain::{AlertId, Instant, Month};
use contactpoint_review::Seed;
use contactpoint_store::{Store, StoreError};
use std::sync::{Mutex, PoisonError};

/// Seconds after midnight for which a judgement of the month before may still come in: no request takes longer.
pub(crate) const LATE_SECONDS: u64 = 15 * 60;

/// Notes the ends of months: part of the daemon's upkeep, and no part of any request.
pub struct Months {
    store: Store,
    /// Every month before this one is noted.
    noted: Mutex<Option<Month>>,
}

impl Months {
    /// Over an open store.
    #[must_use]
    pub fn over(store: Store) -> Self {
        Self { store, noted: Mutex::default() }
    }

    /// Says in the log which months have ended in which supervisors judged anything. Called at the start and whenever a head is to be signed.
    ///
    /// # Errors
    /// As [`Store::change`]; it is tried again with the next call.
    pub async fn note_ends(&self, now: Instant) -> Result<(), StoreError> {
        let month = Month::of(Instant::of_millis(now.millis().saturating_sub(LATE_SECONDS * 1000)).day());
        // a poisoned lock guards one value, which is whole
        if *self.noted.lock().unwrap_or_else(PoisonError::into_inner) == Some(month) {
            return Ok(());
        }
        let ended: Vec<Month> = self.store.registry(|registry| {
            let mut months: Vec<Month> = registry.days_of_judgement(month.first())?.into_iter().map(Month::of).collect();
            months.dedup();
            let noted = months.into_iter().map(|month| Ok((month, registry.sample(month.first())?.is_some())));
            Ok(noted.collect::<Result<Vec<_>, StoreError>>()?.into_iter().filter(|(_, noted)| !noted).map(|(month, _)| month).collect())
        })?;
        if !ended.is_empty() {
            let noted = self.store.change(move |transaction| {
                ended.iter().try_for_each(|month| transaction.end_month(month.first()))?;
                Ok(((), of_the_daemon(Operation::SampleAlerts, now)))
            });
            noted.await?.into_inner();
        }
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(month);
        Ok(())
    }
}

/// The alerts in the order in which they are drawn.
pub(crate) fn drawn(checkpoint: &str, among: &[AlertId]) -> Vec<AlertId> {
    let seed = Seed::of_checkpoint(checkpoint);
    let mut order = among.to_vec();
    order.sort_by_cached_key(|id| seed.rank(id.0));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<AlertId> {
        numbers.into_iter().map(AlertId).collect()
    }

    #[test]
    fn the_same_head_draws_the_same_alerts_in_whatever_order_they_come() {
        // D5: dispositions are sampled by an auditor
        let head = "contactpoint.example/log\n17\nabc=\n";
        let drawn_once = drawn(head, &ids(1..=50));
        assert_eq!(drawn(head, &ids((1..=50).rev())), drawn_once);
        assert_ne!(drawn("contactpoint.example/log\n18\nabc=\n", &ids(1..=50)), drawn_once);
        let mut sorted = drawn_once.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, ids(1..=50));
        assert_ne!(drawn_once, sorted);
        assert!(drawn(head, &[]).is_empty());
    }

    #[test]
    fn the_order_is_the_documented_one() {
        // D5; anybody can draw it again: python3 -c 'import hashlib as h; s=h.sha256(b"head").digest(); print(sorted(range(1,8), key=lambda n: h.sha256(s+n.to_bytes(8,"big")).digest()))'
        assert_eq!(drawn("head", &ids(1..=7)), ids([7, 3, 5, 6, 4, 1, 2]));
    }

    #[test]
    fn no_alert_is_favoured() {
        // D5: a sample that a supervisor could foresee would be none
        let mut first = [0u32; 10];
        for head in 0..2000 {
            first[drawn(&head.to_string(), &ids(0..10))[0].0 as usize] += 1;
        }
        assert!(first.iter().all(|times| (140..=260).contains(times)), "{first:?}");
    }
}
