//! What the witnesses of a policy said of this log's heads: which head they are asked about, which is the newest with the quorum, and whether
//! the quorum is late (rule F2: "independent witnesses may cosign").
//!
//! Witnesses come and ask; each by itself, at its own time. So that they meet over one head, one is held out to all of them until it has the
//! quorum, and only then the newest takes its place. It never goes back, not over a restart either: a witness that cosigned one head must not be
//! shown a smaller one. Leaves to others: the policy's mathematics (`audit`), who may come in (`edge`), the witness's own part (`client`).
//! Does not promise: that a witness is independent, nor that its clock is right.

use crate::cosignatures::{self, Last};
use crate::error::StoreError;
use crate::log;
use crate::writer::Store;
use contactpoint_audit::{Checkpoint, Cosignature, Fault, LogPolicy};
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
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: Option<(u64, String)>,
    /// The newest head that has the quorum, with its lines.
    cosigned: Option<(u64, String)>,
    /// The first entry that no such head covers, and when it was written, in milliseconds: read once.
    waiting: Option<(u64, u64)>,
}

impl Witnesses {
    /// Over an open store. Refused where the policy does not list its log.
    pub fn over(store: Store, policy: LogPolicy, late_after: Duration) -> Result<Self, WitnessesRefused> {
        let key = store.verifier_key();
        if !policy.logs().contains(key) {
            return Err(WitnessesRefused::OtherLog { key: key.to_string() });
        }
        let witnesses = Self { store, policy, late_after, state: Mutex::default() };
        for size in witnesses.store.read(|snapshot| cosignatures::heads(snapshot.connection))? {
            if witnesses.judge(size)? {
                break;
            }
        }
        Ok(witnesses)
    }

    /// The head that every witness is asked to cosign now, with the lines that it has already; `None` before the first is signed.
    pub fn asked(&self) -> Result<Option<String>, StoreError> {
        match self.asked_head() {
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

    /// Takes the lines of the policy's witnesses below one of this log's own heads, each verified, and keeps them durably; the head with all
    /// that is kept of it. Brought again it is the same. `now` is to refuse a time to come.
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
        let known = self.with_lines(&held)?;
        let new: Vec<Cosignature> = lines.into_iter().filter(|line| !known.contains(&line.line)).collect();
        if new.is_empty() {
            return Ok(known);
        }
        let quorum = self.state().cosigned.as_ref().map(|(size, _)| *size);
        self.store.run(move |group| group.keep_cosignatures(head.size, quorum, &new)).await?;
        self.judge(head.size)?;
        Ok(self.with_lines(&held)?)
    }

    /// Since when the quorum is late: an entry has waited too long for a head that has it.
    pub fn late_since(&self, now: Instant) -> Result<Option<Instant>, StoreError> {
        let covered = self.state().cosigned.as_ref().map_or(0, |(size, _)| *size);
        if self.store.log_size() <= covered {
            return Ok(None);
        }
        let late_after = u64::try_from(self.late_after.as_millis()).unwrap_or(u64::MAX);
        let due = Instant::of_millis(self.written_at(covered)?.saturating_add(late_after));
        Ok((due.millis() <= now.millis()).then_some(due))
    }

    /// How they stand.
    pub fn standing(&self, now: Instant) -> Result<Standing, StoreError> {
        let last = |key: &str| self.store.read(|snapshot| cosignatures::last_of(snapshot.connection, key));
        let told = |last: Last| (last.size, last.at);
        let witnesses = self.policy.witnesses().map(|(name, key)| Ok((name.to_owned(), last(&key.to_string())?.map(told))));
        Ok(Standing {
            signed: self.store.newest_head().map_or(0, |(size, _)| size),
            cosigned: self.cosigned().map_or(0, |(size, _)| size),
            asked: self.asked_head().map_or(0, |(size, _)| size),
            late_since: self.late_since(now)?,
            witnesses: witnesses.collect::<Result<_, StoreError>>()?,
        })
    }

    /// INVARIANT: never a smaller head than before: what replaces one is the newest that is signed, and heads only grow.
    fn asked_head(&self) -> Option<(u64, String)> {
        let newest = self.store.newest_head();
        let mut state = self.state();
        let covered = state.cosigned.as_ref().map_or(0, |(size, _)| *size);
        if state.asked.as_ref().is_none_or(|(size, _)| *size <= covered) {
            state.asked = newest;
        }
        state.asked.clone()
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
        let at = self.store.read(|snapshot| snapshot.entry_written_at(index))?.map_or(0, Instant::millis);
        self.state().waiting = Some((index, at));
        Ok(at)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A head of our own table.
fn read(note: &str) -> Result<Checkpoint, StoreError> {
    Checkpoint::read_unverified(note).map_err(|_| StoreError::Damaged { table: "checkpoint", row: 0 })
}
