//! Which children each person was shown today (rule D6): in memory, made again from the log at the start.
//!
//! A day is one of UTC. Places are taken before the answer is written, all of a look's or none, so that two looks at once cannot both have the
//! last one. A place that was taken for an answer that then failed stays taken until the next start.

use contactpoint_audit::{Entry, Operation, Outcome};
use contactpoint_domain::{ChildNumber, Day, Instant, PersonId};
use contactpoint_policy::{By, Ceilings, Refusal};
use contactpoint_store::{OpenError, Store};
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most entries that are read at the start: those of a day on which everybody is busy.
const MOST_ENTRIES: u32 = 1 << 22;

/// No request takes so long: an entry may stand in the log before another that was decided earlier, but not by more.
const SLACK_SECONDS: u64 = 15 * 60;

/// What everybody was shown today.
#[derive(Default)]
pub(crate) struct Budgets {
    ceilings: Ceilings,
    today: Mutex<Today>,
}

#[derive(Default)]
struct Today {
    day: Option<Day>,
    seen: HashMap<PersonId, HashSet<ChildNumber>>,
}

impl Budgets {
    /// With these ceilings, nothing seen yet.
    pub(crate) fn under(ceilings: Ceilings) -> Self {
        Self { ceilings, today: Mutex::default() }
    }

    /// Takes a place for each of these children that the person was not shown today; all of them, or none and a refusal.
    pub(crate) fn take(&self, by: By, children: &[ChildNumber], now: Instant) -> Result<(), Refusal> {
        let mut today = self.of(now);
        let seen = today.seen.entry(by.person).or_default();
        let fresh: HashSet<&ChildNumber> = children.iter().filter(|child| !seen.contains(*child)).collect();
        self.ceilings.allow(by.role, seen.len(), fresh.len())?;
        seen.extend(children.iter().cloned());
        Ok(())
    }

    /// Counts again what the log says was shown today.
    pub(crate) fn count_again(&self, store: &Store, now: Instant) -> Result<(), OpenError> {
        let mut today = self.of(now);
        let day = now.day();
        store.newest_entries(MOST_ENTRIES, |entry| {
            if entry.at.plus_seconds(SLACK_SECONDS).day() < day {
                return ControlFlow::Break(());
            }
            if let Some((person, children)) = shown(entry).filter(|_| entry.at.day() == day) {
                today.seen.entry(person).or_default().extend(children.iter().cloned());
            }
            ControlFlow::Continue(())
        })
    }

    /// What was seen on the day of this instant; a new day begins with nothing.
    fn of(&self, now: Instant) -> MutexGuard<'_, Today> {
        // a poisoned table is whole: a place is taken in one call
        let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        if today.day.is_none_or(|day| day < now.day()) {
            *today = Today { day: Some(now.day()), seen: HashMap::new() };
        }
        today
    }
}

/// Whom an entry says to have been shown children, and which. One who was asked for by number and not found was not shown.
fn shown(entry: &Entry) -> Option<(PersonId, &[ChildNumber])> {
    let is_look = matches!(entry.operation, Operation::Search | Operation::View) && entry.outcome == Outcome::Answered;
    entry.person.filter(|_| is_look && !entry.shown.is_empty()).map(|person| (person, entry.children.as_slice()))
}
