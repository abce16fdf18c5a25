//! Which children each person was shown today (rule D6), and how often they asked for contact: in memory, made again from the log at the start.
//!
//! A day is one of UTC. Places are taken before anything is looked at: one for a child who is asked for by number, a page's for a search by
//! name, whatever there is. So the refusal at the ceiling tells nothing, and two looks at once cannot both have the last place. What a look did
//! not show is given back. A place that was used for an answer that then failed stays used until the next start.

use crate::search::MOST_HITS;
use contactpoint_audit::{Entry, Operation, Outcome};
use contactpoint_domain::{ChildNumber, Day, Instant, PersonId};
use contactpoint_policy::{self as policy, By, Ceilings, Refusal};
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
    /// Each child by the number's body.
    seen: HashMap<PersonId, HashSet<u32>>,
    /// Places that looks under way have taken.
    taken: HashMap<PersonId, usize>,
    /// Requests for contact.
    contacts: HashMap<PersonId, usize>,
}

/// What a look may show.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// This child, or nobody; free where they were shown already.
    Child(&'a ChildNumber),
    /// As many as a search lists.
    Page,
}

/// Places taken by a look under way; those that it does not use are given back when this is dropped.
#[must_use = "a place that is not held is given back"]
pub(crate) struct Places<'a> {
    budgets: &'a Budgets,
    person: PersonId,
    now: Instant,
    taken: usize,
}

impl Places<'_> {
    /// Notes whom the look shows. No more than were wanted.
    pub(crate) fn spend(mut self, children: &[ChildNumber]) {
        let mut today = self.budgets.of(self.now);
        today.seen.entry(self.person).or_default().extend(children.iter().map(ChildNumber::body));
        today.give_back(self.person, std::mem::take(&mut self.taken));
    }
}

impl Drop for Places<'_> {
    fn drop(&mut self) {
        if self.taken > 0 {
            self.budgets.of(self.now).give_back(self.person, self.taken);
        }
    }
}

impl Today {
    fn give_back(&mut self, person: PersonId, places: usize) {
        if let Some(taken) = self.taken.get_mut(&person) {
            // a new day has begun with nothing taken
            *taken = taken.saturating_sub(places);
        }
    }
}

impl Budgets {
    /// With these ceilings, nothing seen yet.
    pub(crate) fn under(ceilings: Ceilings) -> Self {
        Self { ceilings, today: Mutex::default() }
    }

    /// Takes as many places as a look may need; all of them, or none and a refusal. Called before anything is looked at.
    pub(crate) fn take(&self, by: By, wanted: Wanted<'_>, now: Instant) -> Result<Places<'_>, Refusal> {
        let mut today = self.of(now);
        let seen = today.seen.get(&by.person);
        let places = match wanted {
            Wanted::Child(child) => usize::from(seen.is_none_or(|seen| !seen.contains(&child.body()))),
            Wanted::Page => MOST_HITS,
        };
        let used = seen.map_or(0, HashSet::len) + today.taken.get(&by.person).copied().unwrap_or(0);
        self.ceilings.allow(by.role, used, places)?;
        *today.taken.entry(by.person).or_default() += places;
        Ok(Places { budgets: self, person: by.person, now, taken: places })
    }

    /// Counts one more request for contact, or refuses it. Called before anything is looked for.
    pub(crate) fn take_contact(&self, person: PersonId, now: Instant) -> Result<(), Refusal> {
        let mut today = self.of(now);
        let asked = today.contacts.entry(person).or_default();
        policy::one_more_contact(*asked)?;
        *asked += 1;
        Ok(())
    }

    /// Counts again what the log says was shown and asked today.
    pub(crate) fn count_again(&self, store: &Store, now: Instant) -> Result<(), OpenError> {
        let mut today = self.of(now);
        let day = now.day();
        store.newest_entries(MOST_ENTRIES, |entry| {
            if entry.at.plus_seconds(SLACK_SECONDS).day() < day {
                return ControlFlow::Break(());
            }
            if entry.at.day() == day {
                if let Some((person, children)) = shown(entry) {
                    today.seen.entry(person).or_default().extend(children.iter().map(ChildNumber::body));
                }
                if let Some(person) = asked_contact(entry) {
                    *today.contacts.entry(person).or_default() += 1;
                }
            }
            ControlFlow::Continue(())
        })
    }

    /// What was seen on the day of this instant; a new day begins with nothing.
    fn of(&self, now: Instant) -> MutexGuard<'_, Today> {
        // a poisoned table is whole: a place is taken in one call
        let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        if today.day.is_none_or(|day| day < now.day()) {
            *today = Today { day: Some(now.day()), ..Today::default() };
        }
        today
    }
}

/// Whom an entry says to have been shown children, and which. One who was asked for by number and not found was not shown.
fn shown(entry: &Entry) -> Option<(PersonId, &[ChildNumber])> {
    let is_look = matches!(entry.operation, Operation::Search | Operation::View) && entry.outcome == Outcome::Answered;
    entry.person.filter(|_| is_look && !entry.shown.is_empty()).map(|person| (person, entry.children.as_slice()))
}

/// Who made a request for contact, where this is the entry of one: whether or not there is such a child.
fn asked_contact(entry: &Entry) -> Option<PersonId> {
    let is_kept = matches!(entry.outcome, Outcome::Answered | Outcome::NotFound);
    entry.person.filter(|_| entry.operation == Operation::AskContact && is_kept)
}
