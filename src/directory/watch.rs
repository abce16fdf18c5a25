//! What is raised about looks without the looker's noticing (rules D6 to D8): flags, near misses, the ceiling reached.
//!
//! A look and what it raises are one transaction with one entry, so that neither the answer nor the log's size tells whether an alert was
//! raised. A look that finds nothing to show is always written that way, whether there is such a child or not.

use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Outcome, RefusalCode};
use contactpoint_domain::{AlertKind, ChildNumber, Day, Instant, NewAlert, PersonId, Purpose, JUDGED_WITHIN_DAYS};
use contactpoint_identity::Caller;
use contactpoint_policy::{self as policy, About, Moment, Refusal, MISSES_MINUTES};
use contactpoint_store::{AsOf, Snapshot, StoreError, Transaction};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most that one look raises: as many as its entry has room for in the log without being longer. Of a search that meets more records for
/// named people the others are raised by the next one.
const MOST_FLAGS: usize = 2;

/// What is raised, about which child, and for the how manieth time on its day.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Flag {
    kind: AlertKind,
    child: Option<ChildNumber>,
    time: usize,
}

impl Flag {
    /// Raised once on a day.
    pub(crate) fn once(kind: AlertKind, child: Option<ChildNumber>) -> Self {
        Self { kind, child, time: 1 }
    }
}

/// What a look came to, before anything of it is written.
pub(crate) struct Looked<T> {
    pub(crate) result: Result<T, Refused>,
    pub(crate) entry: Entry,
    /// What it raises, and about which child.
    pub(crate) flags: Vec<Flag>,
    /// It is written as a change whatever it raises.
    pub(crate) is_quiet: bool,
}

impl<T> Looked<T> {
    /// Answered or refused, with nothing to raise.
    pub(crate) fn plainly((result, entry): (Result<T, Refused>, Entry)) -> Self {
        Self { result, entry, flags: Vec::new(), is_quiet: false }
    }

    /// Refused because of a ceiling of the day (rules D6, E6). One such alert a day is about no child in particular.
    pub(crate) fn over_budget(refusal: Refusal, blank: Entry) -> Self {
        let entry = Entry { outcome: Outcome::Refused(RefusalCode::from(refusal)), ..blank };
        Self { result: Err(refusal.into()), entry, flags: vec![Flag::once(AlertKind::OverBudget, None)], is_quiet: false }
    }
}

/// What was raised, about whom, on which day.
type Raised = HashSet<(Day, PersonId, Flag)>;

/// The looks without a hit of the last minutes, and what was raised today: in memory, as it only spares the store.
#[derive(Default)]
pub(crate) struct Watch {
    misses: Mutex<HashMap<PersonId, Misses>>,
    raised: Mutex<Raised>,
}

/// One person's looks without a hit.
#[derive(Default)]
struct Misses {
    /// Those of the last minutes.
    recent: Vec<Instant>,
    /// The day on which they were told of, how often, and how many came after the last time.
    told: Option<(Day, usize, usize)>,
}

impl Misses {
    /// Counts one more. The how manieth time it is told of on its day, where it is.
    fn one_more(&mut self, now: Instant) -> Option<usize> {
        self.recent.retain(|at| now < at.plus_seconds(MISSES_MINUTES * 60));
        self.recent.push(now);
        let (times, since) = match self.told.filter(|(day, ..)| *day == now.day()) {
            Some((_, times, since)) => (times, since + 1),
            None => (0, self.recent.len()),
        };
        let is_due = since >= policy::misses_to_tell(times);
        if is_due {
            self.recent.clear();
            self.told = Some((now.day(), times + 1, 0));
        } else if times > 0 {
            self.told = Some((now.day(), times, since));
        }
        is_due.then_some(times + 1)
    }

    fn counts(&self, now: Instant) -> bool {
        let is_recent = |at: &Instant| now < at.plus_seconds(MISSES_MINUTES * 60);
        self.recent.last().is_some_and(is_recent) || self.told.is_some_and(|(day, ..)| day == now.day())
    }
}

impl Watch {
    /// Counts a look without a hit. What it raises, where it is one too many (rule D7).
    pub(crate) fn miss(&self, person: PersonId, now: Instant) -> Option<Flag> {
        // a poisoned table is whole: what is lost of it is a count of minutes
        let mut all = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(&person) {
            all.retain(|_, misses| misses.counts(now));
        }
        let time = all.entry(person).or_default().one_more(now)?;
        Some(Flag { kind: AlertKind::NearMisses, child: None, time })
    }

    fn raised(&self) -> MutexGuard<'_, Raised> {
        // a poisoned table is whole: every change to it is one call
        self.raised.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory {
    /// A look that somebody else may be told of. Its attempt is in the log also where it fails for a fault of ours.
    pub(crate) async fn watched<T: Send + 'static>(
        &self,
        caller: &Caller,
        blank: Entry,
        look: impl FnOnce(&Snapshot<'_>, Entry) -> Result<Looked<T>, StoreError>,
    ) -> Answered<T> {
        let (attempt, now, as_of) = (blank.clone(), blank.at, self.store.as_of());
        let looked = self.store.look_unless(|snapshot| {
            let mut looked = look(snapshot, blank)?;
            self.leave_out_what_was_raised(caller, now, &mut looked.flags);
            if looked.flags.is_empty() && !looked.is_quiet {
                Ok(Ok((looked.result, looked.entry)))
            } else {
                Ok(Err(looked))
            }
        });
        match looked.await {
            Ok(Ok(committed)) => Ok(committed),
            Ok(Err(looked)) => {
                let raised = self.raise(caller, now, as_of, looked).await;
                self.attempted(attempt, raised).await
            }
            Err(fault) => self.attempted(attempt, Err(fault)).await,
        }
    }

    /// Notes that a look found nothing to show, and says so where it was one of too many (rule D7).
    pub(crate) fn missed(&self, caller: &Caller, now: Instant) -> Option<Flag> {
        self.watch.miss(caller.person(), now)
    }

    /// The last day on which an alert raised now is not overdue (rule D5).
    pub(crate) fn due(&self, now: Instant) -> Day {
        now.day().plus_working_days(JUDGED_WITHIN_DAYS, &self.holidays)
    }

    fn leave_out_what_was_raised(&self, caller: &Caller, now: Instant, flags: &mut Vec<Flag>) {
        if !flags.is_empty() {
            let raised = self.watch.raised();
            flags.retain(|flag| !raised.contains(&(now.day(), caller.person(), flag.clone())));
            // what is about no child in particular first
            flags.sort_by_key(|flag| flag.child.is_some());
            flags.truncate(MOST_FLAGS);
        }
    }

    async fn raise<T: Send + 'static>(&self, caller: &Caller, now: Instant, as_of: AsOf, looked: Looked<T>) -> Answered<T> {
        let Looked { result, entry, flags, is_quiet: _ } = looked;
        let (reason, due) = (entry.reason, self.due(now));
        let alerts: Vec<_> = flags.iter().map(|flag| (flag.alert(caller, reason, now, due), flag.time)).collect();
        let answered = self.store.change(move |transaction| {
            // what showed nothing is not refused: that would tell that there is something
            if !entry.shown.is_empty() {
                transaction.refuse_overtaken(as_of, &entry.children)?;
            }
            alerts.iter().try_for_each(|(alert, time)| raise_again(transaction, alert, *time))?;
            Ok((result, entry))
        });
        let answered = answered.await?;
        let mut raised = self.watch.raised();
        raised.retain(|(day, ..)| *day >= now.day());
        raised.extend(flags.into_iter().map(|flag| (now.day(), caller.person(), flag)));
        Ok(answered)
    }
}

impl Flag {
    /// The alert to the caller's supervisor.
    fn alert(&self, caller: &Caller, reason: Option<Purpose>, now: Instant, due: Day) -> NewAlert {
        let about = About { kind: self.kind, child: self.child.clone(), reason };
        policy::alert(caller, Moment::of(now), about, due)
    }

    /// Raises it in the transaction of the act that it is about.
    pub(crate) fn raise(
        &self,
        transaction: &mut Transaction<'_>,
        caller: &Caller,
        reason: Purpose,
        now: Instant,
        due: Day,
    ) -> Result<(), StoreError> {
        raise_again(transaction, &self.alert(caller, Some(reason), now, due), self.time)
    }
}

/// Raises an alert unless there is one of the same person, kind, child and day.
pub(crate) fn raise_once(transaction: &mut Transaction<'_>, new: &NewAlert) -> Result<(), StoreError> {
    raise_again(transaction, new, 1)
}

/// The same for what is told for the how manieth time on its day: unless there are as many already.
fn raise_again(transaction: &mut Transaction<'_>, new: &NewAlert, time: usize) -> Result<(), StoreError> {
    let known = transaction.alerts_about(new.person, new.at.day())?;
    if known.iter().filter(|alert| alert.kind == new.kind && alert.child == new.child).count() < time {
        transaction.raise_alert(new)?;
    }
    Ok(())
}
