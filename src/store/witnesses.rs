//! What the witnesses of a policy said of this log's heads: which head they are asked about, which is the newest with the quorum, and whether
//! the quorum is late (rule F2: "independent witnesses may cosign").
//!
//! Witnesses come and ask; each by itself, at its own time. So that they meet over one head, one is held out to all of them until it has the
//! quorum, and only then the newest takes its place; or, once the quorum is late, where those that have not passed it by - cosigned a newer one by
//! another way, and will never cosign this one - cannot be the quorum or do not come. It never goes back, not over a restart either: a witness that cosigned one head must not be
//! shown a smaller one. Leaves to others: the policy's mathematics (`audit`), who may come in (`edge`), the witness's own part (`client`).
//! Does not promise: that a witness is independent, nor that its clock is right.

use crate::cosignatures::{self, Held, Last};
use crate::error::StoreError;
use crate::log;
use crate::writer::Store;
use contactpoint_audit::{Checkpoint, Fault, LogPolicy, WitnessKey};
use contactpoint_domain::Instant;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How far a witness's clock may be ahead of ours, in seconds.
const AHEAD: u64 = 300;

/// The policy does not speak of this log. Correct it: nothing that its witnesses say would count.
#[derive(Debug, thiserror::Error)]
pub enum WitnessesRefused {
    /// Another log, or this one under another key.
    #[error("the witnesses' policy does not list this log under its own key; add the line `log {key}` to it")]
    OtherLog {
        /// This log's verifier key.
        key: String,
    },
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a cosignature is not taken.
#[derive(Debug, thiserror::Error)]
pub enum CosignatureRefused {
    /// What was brought is no signed note.
    #[error(transparent)]
    Form(Fault),
    /// This log signed no such head, or not under this name.
    #[error("this log signed no such head")]
    NotOurs,
    /// No line is of a witness that the policy knows.
    #[error("no line is of a witness of the policy")]
    NoWitness,
    /// A line of a known witness does not verify, or is of a time to come.
    #[error("a witness's line does not hold")]
    Wrong,
    /// The store did not keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Fault> for CosignatureRefused {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotSigned { .. } | Fault::OtherOrigin { .. } => Self::NotOurs,
            Fault::WrongSignature { .. } => Self::Wrong,
            Fault::Note { .. } | Fault::Checkpoint { .. } => Self::Form(fault),
            // faults of a whole log, or of two heads, do not come up with one note
            Fault::QuorumNotMet { .. }
            | Fault::NotFetched { .. }
            | Fault::Missing { .. }
            | Fault::Unreadable { .. }
            | Fault::Truncated { .. }
            | Fault::Trailing { .. }
            | Fault::TileLength { .. }
            | Fault::Leaf { .. }
            | Fault::Node { .. }
            | Fault::Root { .. }
            | Fault::Shorter { .. }
            | Fault::Forked { .. }
            | Fault::NotABeginning { .. } => Self::Form(fault),
        }
    }
}

/// How the witnesses stand, for status and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Entries of the newest signed head.
    pub signed: u64,
    /// Entries of the newest head that has the quorum; 0 where none has.
    pub cosigned: u64,
    /// Entries of the head that the witnesses are asked about.
    pub asked: u64,
    /// Since when the quorum is late, where it is.
    pub late_since: Option<Instant>,
    /// The policy's names, each with the size of the head that it cosigned last, and when, in seconds since 1970-01-01T00:00:00Z.
    pub witnesses: Vec<(String, Option<(u64, u64)>)>,
}

/// See the module.
pub struct Witnesses {
    store: Store,
    policy: LogPolicy,
    late_after: Duration,
    /// When the daemon started.
    begun: Instant,
    /// How long nobody could come before that, in milliseconds: since the newest entry of then, and no longer than a quorum may take.
    away: u64,
    state: Mutex<State>,
    /// What is news is decided, kept and judged for one caller at a time.
    bringing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    asked: Option<Asked>,
    /// The newest head that has the quorum, with its lines.
    cosigned: Option<(u64, String)>,
    /// The first entry that no such head covers, and when it was written, in milliseconds: read once.
    waiting: Option<(u64, u64)>,
}

impl State {
    /// Lets the newest head take the place of the one that is held out, where that has the quorum or is passed by.
    ///
    /// INVARIANT: what takes its place is smaller neither than it nor than the one with the quorum, whatever is handed in as the newest: a witness
    /// that is shown a head smaller than what it cosigned takes the log for shortened.
    fn hold_out(&mut self, newest: Option<(u64, String)>, passed_by: Option<u64>, now: Instant) {
        let covered = self.cosigned.as_ref().map_or(0, |(size, _)| *size);
        let before = self.asked.as_ref().map(|asked| asked.size);
        let is_done = before.is_none_or(|size| size <= covered || passed_by == Some(size));
        if let Some((size, note)) = newest.filter(|(size, _)| is_done && covered.max(before.unwrap_or(0)) <= *size) {
            self.asked = Some(Asked { size, note, since: now });
        }
    }
}

/// The head that is held out.
struct Asked {
    size: u64,
    note: String,
    since: Instant,
}

impl Witnesses {
    /// Over an open store. Refused where the policy does not list its log. `begun` is now: what was written before is waited for
    /// longer by the time that the daemon was away, once, and twice as long at most. So a daemon that is started again and again is late all the same.
    pub fn over(store: Store, policy: LogPolicy, late_after: Duration, begun: Instant) -> Result<Self, WitnessesRefused> {
        let key = store.verifier_key();
        if !policy.logs().contains(key) {
            return Err(WitnessesRefused::OtherLog { key: key.to_string() });
        }
        let newest = store.log_size().checked_sub(1);
        let newest = newest.map(|newest| store.read_log(newest + 1, |snapshot| snapshot.entry_written_at(newest))).transpose()?.flatten();
        let away = newest.map_or(0, |newest| begun.millis().saturating_sub(newest.millis())).min(millis(late_after));
        let witnesses = Self { store, policy, late_after, begun, away, state: Mutex::default(), bringing: tokio::sync::Mutex::default() };
        for size in witnesses.store.read(|snapshot| cosignatures::heads(snapshot.connection))? {
            if witnesses.judge(size)? {
                break;
            }
        }
        Ok(witnesses)
    }

    /// The head that every witness is asked to cosign now, with the lines that it has already; `None` before the first is signed.
    pub fn asked(&self, now: Instant) -> Result<Option<String>, StoreError> {
        match self.asked_head(now)? {
            Some((_, note)) => self.with_lines(&note).map(Some),
            None => Ok(None),
        }
    }

    /// The newest head that has the quorum, with its lines: entries and note.
    #[must_use]
    pub fn cosigned(&self) -> Option<(u64, String)> {
        self.state().cosigned.clone()
    }

    /// A head of this log with the cosignatures that are kept of it below.
    pub fn with_lines(&self, note: &str) -> Result<String, StoreError> {
        let head = read(note)?;
        let mut lines = self.store.read(|snapshot| cosignatures::of_head(snapshot.connection, head.size))?;
        let of_policy = self.policy.witnesses().filter_map(|(_, key)| lines.remove(&key.to_string()));
        Ok(std::iter::once(note.to_owned()).chain(of_policy).collect())
    }

    /// Takes the lines of the policy's witnesses below one of this log's own heads, one of each witness, each verified, and keeps durably those
    /// that are news; the head with all that is kept of it. Brought again it is the same, and nothing is written. `now` is to refuse a time to come.
    pub async fn bring(&self, note: &str, now: Instant) -> Result<String, CosignatureRefused> {
        let (head, lines) = self.policy.cosignatures(note, None)?;
        let held = self.store.read(|snapshot| Ok(log::checkpoint_at(snapshot.connection, head.size)?))?;
        let held = held.ok_or(CosignatureRefused::NotOurs)?;
        // another log of the policy may have signed what was brought
        if read(&held)? != head {
            return Err(CosignatureRefused::NotOurs);
        }
        if lines.is_empty() {
            return Err(CosignatureRefused::NoWitness);
        }
        if lines.iter().any(|line| line.at > now.millis() / 1000 + AHEAD) {
            return Err(CosignatureRefused::Wrong);
        }
        let one_at_a_time = self.bringing.lock().await;
        let stays = self.held();
        let new = self.store.read(|snapshot| cosignatures::news(snapshot.connection, head.size, stays, lines))?;
        let is_news = !new.is_empty();
        if is_news {
            self.store.run(move |group| group.keep_cosignatures(head.size, stays, &new)).await?;
        }
        // also where nothing is news: whoever brought it first may have gone before it was judged
        if stays.quorum.is_none_or(|quorum| quorum < head.size || (is_news && quorum == head.size)) {
            self.judge(head.size)?;
        }
        drop(one_at_a_time);
        Ok(self.with_lines(&held)?)
    }

    /// Since when the quorum is late: an entry has waited too long for a head that has it. Where it waited already when the daemon started, the
    /// time that the daemon was away is added, see [`Self::over`].
    pub fn late_since(&self, now: Instant) -> Result<Option<Instant>, StoreError> {
        let covered = self.covered();
        if self.store.log_size() <= covered {
            return Ok(None);
        }
        let written = Instant::of_millis(self.written_at(covered)?);
        let away = if written < self.begun { self.away } else { 0 };
        let due = self.patience_from(Instant::of_millis(written.millis().saturating_add(away)));
        Ok((due <= now).then_some(due))
    }

    /// How they stand.
    pub fn standing(&self, now: Instant) -> Result<Standing, StoreError> {
        let last = |key: &str| self.store.read(|snapshot| cosignatures::last_of(snapshot.connection, key));
        let told = |last: Last| (last.size, last.at);
        let witnesses = self.policy.witnesses().map(|(name, key)| Ok((name.to_owned(), last(&key.to_string())?.map(told))));
        Ok(Standing {
            signed: self.store.newest_head().map_or(0, |(size, _)| size),
            cosigned: self.cosigned().map_or(0, |(size, _)| size),
            asked: self.asked_head(now)?.map_or(0, |(size, _)| size),
            late_since: self.late_since(now)?,
            witnesses: witnesses.collect::<Result<_, StoreError>>()?,
        })
    }

    fn asked_head(&self, now: Instant) -> Result<Option<(u64, String)>, StoreError> {
        let passed_by = self.passed_by(now)?;
        let mut state = self.state();
        // read with the state held, and after what takes its time: others may have gone on meanwhile
        state.hold_out(self.store.newest_head(), passed_by, now);
        Ok(state.asked.as_ref().map(|Asked { size, note, .. }| (*size, note.clone())))
    }

    /// The size of the head that is held out, where it is to be held out no longer though it has no quorum: it was held out for as long as the
    /// quorum may take, which is late by then, and those that have cosigned nothing newer, or it too, cannot be the quorum. For less, a witness that
    /// always runs ahead, and brings what it cosigned, would keep the others from ever meeting. Those who could and do not come are waited
    /// for as long again: else one that is gone for good and one that ran ahead once would be a quorum that is late for ever.
    fn passed_by(&self, now: Instant) -> Result<Option<u64>, StoreError> {
        let Some((size, since)) = self.state().asked.as_ref().map(|asked| (asked.size, asked.since)) else { return Ok(None) };
        let late = self.patience_from(since);
        if now < late {
            return Ok(None);
        }
        let (newest, has) = self
            .store
            .read(|snapshot| Ok((cosignatures::newest_of_each(snapshot.connection)?, cosignatures::of_head(snapshot.connection, size)?)))?;
        let has_passed = |key: &WitnessKey| {
            let key = key.to_string();
            !has.contains_key(&key) && newest.get(&key).is_some_and(|newest| size < *newest)
        };
        let is_passed = self.policy.witnesses().any(|(_, key)| has_passed(key));
        let is_given_up = self.patience_from(late) <= now || !self.policy.is_met_by(|key| !has_passed(key));
        Ok((is_passed && is_given_up).then_some(size))
    }

    fn patience_from(&self, from: Instant) -> Instant {
        Instant::of_millis(from.millis().saturating_add(millis(self.late_after)))
    }

    /// Entries of the newest head that has the quorum.
    fn covered(&self) -> u64 {
        self.state().cosigned.as_ref().map_or(0, |(size, _)| *size)
    }

    fn held(&self) -> Held {
        let state = self.state();
        Held { asked: state.asked.as_ref().map(|asked| asked.size), quorum: state.cosigned.as_ref().map(|(size, _)| *size) }
    }

    /// Whether the head of this size has the quorum; the newest that has is remembered.
    fn judge(&self, size: u64) -> Result<bool, StoreError> {
        let Some(held) = self.store.read(|snapshot| Ok(log::checkpoint_at(snapshot.connection, size)?))? else { return Ok(false) };
        let note = self.with_lines(&held)?;
        if self.policy.accept(&note, None).is_err() {
            return Ok(false);
        }
        let mut state = self.state();
        if state.cosigned.as_ref().is_none_or(|(before, _)| *before <= size) {
            state.cosigned = Some((size, note));
        }
        Ok(true)
    }

    /// When an entry was written. One that does not open any more is older than any patience.
    fn written_at(&self, index: u64) -> Result<u64, StoreError> {
        if let Some((_, at)) = self.state().waiting.filter(|(entry, _)| *entry == index) {
            return Ok(at);
        }
        let at = self.store.read_log(index + 1, |snapshot| snapshot.entry_written_at(index))?.map_or(0, Instant::millis);
        self.state().waiting = Some((index, at));
        Ok(at)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A head of our own table.
fn read(note: &str) -> Result<Checkpoint, StoreError> {
    Checkpoint::read_unverified(note).map_err(|_| StoreError::Damaged { table: "checkpoint", row: 0 })
}

#[cfg(test)]
mod tests {
    use super::{Instant, State};

    #[test]
    fn a_newest_head_that_was_read_too_early_never_takes_the_asked_one_back() {
        // F2: a witness that cosigned one head must not be shown a smaller one; between reading and deciding others go on
        let mut state = State::default();
        let head = |size: u64| Some((size, format!("head {size}")));
        let asked = |state: &mut State, newest, passed_by| {
            state.hold_out(newest, passed_by, Instant::of_millis(0));
            state.asked.as_ref().map(|asked| asked.size)
        };
        assert_eq!(asked(&mut state, None, None), None);
        assert_eq!(asked(&mut state, head(5), None), Some(5));
        assert_eq!(asked(&mut state, head(9), None), Some(5), "it has no quorum yet");
        assert_eq!(asked(&mut state, head(4), Some(5)), Some(5));
        assert_eq!(asked(&mut state, head(9), Some(4)), Some(5), "and another one was passed by");
        assert_eq!(asked(&mut state, head(9), Some(5)), Some(9));
        state.cosigned = head(9);
        assert_eq!(asked(&mut state, head(8), None), Some(9));
        assert_eq!(asked(&mut state, head(10), None), Some(10));
        // the quorum was met over one that is not told as the newest yet
        state.cosigned = head(12);
        assert_eq!(asked(&mut state, head(11), None), Some(10));
        assert_eq!(asked(&mut state, head(12), None), Some(12));
    }
}
