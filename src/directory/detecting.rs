//! The nightly run of the detection rules (rule F4): once a day of the wall's calendar is over, over the looks of the last days, found again from
//! the log each night, so that what is found follows from the log and the rules alone.
//!
//! In slices, so that nobody who is answered waits for it: each is read by itself, and nothing of it is kept but what the rules keep. Of several lives of the daemon
//! by their days: a clock that was ahead in one mixes up none of the next. What is found becomes tasks,
//! sixteen at most in one change, and the last change notes the day. Whatever is cut off begins anew, and a finding becomes a task once; what was
//! told before is not kept here but known by its task. Leaves to
//! others: what is found (`review`), and what becomes of a task (`reviews`). Does not promise that what rules kept from more than [`WINDOW`] days
//! ago plays a part.

use crate::reviewing::{done_by, of_the_daemon, HOLIDAYS, MOST_TASKS, RULES};
use crate::sample::LATE_SECONDS;
use contactpoint_audit::{Entry, Operation};
use contactpoint_domain::{Day, Facts, Instant, NewReview, OrganisationId, OrganisationKind, PersonId};
use contactpoint_review::{digest_of_holidays, About, Child, Ending, Finding, Peers, Rules, Seen, Watch, MOST_DOUBLINGS};
use contactpoint_store::{Look, Origin, Store, StoreError};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Days whose looks are gone through.
const WINDOW: i32 = 60;
/// Days whose findings are looked for again, where the clock had been ahead and nobody knows which were run.
const AGAIN: i32 = 7;
/// Entries that are read at a time.
const SLICE: u64 = 500;

const DAY_MILLIS: i64 = 86_400_000;

/// Runs the rules.
pub(crate) struct Detecting {
    store: Store,
    rules: Arc<Rules>,
    holidays: Arc<[Day]>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The day that is known to be done: it only spares the store.
    done: Option<i32>,
    run: Option<Run>,
}

/// One night's run.
struct Run {
    /// What is found on the days behind the first up to the last becomes tasks.
    days: (i32, i32),
    /// Up to which day an earlier run went, and an entry before which everything older was run over; `None` where that says nothing.
    before: Option<(i32, u64)>,
    /// The entries that are left, of each life of the daemon that has some.
    left: Vec<Life>,
    /// The rules, until all is read.
    watch: Option<Watch>,
    found: Vec<Finding>,
    kinds: BTreeMap<OrganisationId, Option<OrganisationKind>>,
}

/// What is left of one life of the daemon. Within it entries are in the order of time; a clock that was ahead is set back between two of them.
struct Life {
    entries: Range<u64>,
    /// None of them is of a day before this one, but for moments.
    day: i32,
}

impl Detecting {
    pub(crate) fn by(store: Store, rules: Rules, holidays: Arc<[Day]>) -> Self {
        Self { store, rules: Arc::new(rules), holidays, state: Mutex::default() }
    }

    pub(crate) fn digest(&self) -> [u8; 16] {
        self.rules.digest()
    }

    /// Does one piece of what is to do. True where there is more.
    pub(crate) async fn go_on(&self, now: Instant) -> Result<bool, StoreError> {
        let begun = self.state().run.take();
        let Some(mut run) = begun.map_or_else(|| self.next_run(now), |run| Ok(Some(run)))? else { return Ok(false) };
        let piece = if run.watch.is_some() { self.read(&mut run) } else { self.make_tasks(&mut run, now).await };
        // what failed is tried again where it was
        let is_over = matches!(piece, Ok(false));
        let mut state = self.state();
        if is_over {
            state.done = Some(run.days.1);
        } else {
            state.run = Some(run);
        }
        piece
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // a poisoned state is whole: every change to it is one value in the place of another
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run that is due.
    fn next_run(&self, now: Instant) -> Result<Option<Run>, StoreError> {
        let last = self.rules.day_of(Instant::of_millis(now.millis().saturating_sub(LATE_SECONDS * 1000))) - 1;
        if self.state().done == Some(last) {
            return Ok(None);
        }
        let (detected, newest) =
            self.store.registry(|registry| Ok((registry.detected()?, registry.newest_run(last - WINDOW, last - 1)?)))?;
        let detected = detected.map(|(day, entry)| (day.number(), entry));
        let Some(behind) = behind(detected.map(|(day, _)| day), last) else {
            self.state().done = Some(last);
            return Ok(None);
        };
        // a day of the wall may begin half a day before or after one of UTC
        let from = u64::try_from(i64::from(last - WINDOW) * DAY_MILLIS).unwrap_or_default();
        let before = before(newest, detected, last);
        let lives = self.store.lives_since(Instant::of_millis(from), before.map_or(u64::MAX, |(_, entry)| entry))?.into_iter();
        let left = lives.map(|entries| Life { entries, day: i32::MIN }).collect();
        let watch = Some(Watch::new(&self.rules, &self.holidays));
        Ok(Some(Run { days: (behind, last), before, left, watch, found: Vec::new(), kinds: BTreeMap::new() }))
    }

    /// One slice of the log, of several lives where each has little; where nothing is left, what was found on the last day.
    fn read(&self, run: &mut Run) -> Result<bool, StoreError> {
        let mut room = SLICE;
        while room > 0 {
            let Some((at, life, until)) = run.next_life() else {
                let found = run.watch.take().map_or_else(Vec::new, Watch::finish);
                run.keep(found);
                break;
            };
            let most = room.min(life.entries.end - life.entries.start);
            let rest = self.read_of_life(run, life, until, most)?;
            run.go_on_from(at, rest);
            room -= most;
        }
        Ok(true)
    }

    /// The next entries of one life, as far as they are of no day after `until`; `most` of them, which it has. Returns what is left of it.
    fn read_of_life(&self, run: &mut Run, Life { entries, day }: Life, until: i32, most: u64) -> Result<Life, StoreError> {
        let end = entries.start + most;
        let looks = self.store.entries_between_for_upkeep(entries.start, end)?.into_iter();
        let mut looks: Vec<(i32, Look)> = looks.map(|look| (run.day_of(&look, &self.rules), look)).collect();
        // what another life wrote of a day before comes first
        let later = looks.split_off(looks.iter().position(|(day, _)| *day > until).unwrap_or(looks.len()));
        let rest = match later.first() {
            Some((day, look)) => Life { entries: look.index..entries.end, day: *day },
            None => Life { entries: end..entries.end, day: looks.last().map_or(day, |(day, _)| *day) },
        };
        // what is of a day that is not over, or of one to come by a clock that was ahead, is of another night
        looks.retain(|(day, look)| look.entry.operation.is_look() && *day <= run.days.1);
        // all of them before the rules take the first: a slice that fails is read again
        let looks: Vec<_> = looks.into_iter().map(|(day, look)| Ok((day, self.look(run, look)?))).collect::<Result<_, StoreError>>()?;
        for (day, look) in looks {
            let Some((watch, look)) = run.watch.as_mut().zip(look) else { continue };
            let mut found = watch.begin_day(day);
            found.extend(watch.take(&look));
            run.keep(found);
        }
        Ok(rest)
    }

    /// A look as the rules need it; `None` of one that nobody in particular did.
    fn look(&self, run: &mut Run, Look { index, entry }: Look) -> Result<Option<contactpoint_review::Look>, StoreError> {
        let (Some(person), Some(organisation), Some(role)) = (entry.person, entry.organisation, entry.role) else { return Ok(None) };
        let kind = match run.kinds.get(&organisation) {
            Some(kind) => *kind,
            None => {
                let found = self.store.registry(|registry| registry.organisation(organisation))?.map(|found| found.kind);
                *run.kinds.entry(organisation).or_insert(found)
            }
        };
        let ended = entry.ended();
        let facts = entry.facts.iter().map(|number| Facts::of_number(*number)).chain(std::iter::repeat(None));
        let children = entry.children.iter().map(Child::from).zip(facts).map(|(child, facts)| Seen::of(child, facts)).collect();
        Ok(kind.map(|kind| contactpoint_review::Look { index, at: entry.at, person, peers: Peers { kind, role }, ended, children }))
    }

    /// Some of the tasks, and with the last of them the note that the day was run. True where there are more.
    async fn make_tasks(&self, run: &mut Run, now: Instant) -> Result<bool, StoreError> {
        let some: Vec<Finding> = run.found.iter().take(MOST_TASKS).cloned().collect();
        let (count, is_last) = (some.len(), some.len() == run.found.len());
        let tasks = some.into_iter().map(|finding| self.task(finding, run.before, now)).collect::<Result<Vec<_>, _>>()?;
        let last = Day::of_number(run.days.1)?;
        // what was found follows from the log and from these
        let by = vec![done_by(RULES, self.rules.digest()), done_by(HOLIDAYS, digest_of_holidays(&self.holidays))];
        let change = self.store.change(move |transaction| {
            for (task, origin) in tasks {
                transaction.add_review(&task, &origin)?;
            }
            transaction.note_run(last)?;
            if is_last {
                transaction.note_detected(last)?;
            }
            Ok(((), Entry { changes: by, ..of_the_daemon(Operation::DetectReviews, now) }))
        });
        change.await?.into_inner();
        run.found.drain(..count);
        Ok(!is_last)
    }

    /// The task that a finding becomes: the supervisor's of whoever looked; the auditors', where there is none, where many looked at one child, and where
    /// it would tell a supervisor of a child what the looker was not told.
    fn task(&self, finding: Finding, before: Option<(i32, u64)>, now: Instant) -> Result<(NewReview, Origin), StoreError> {
        let doublings = finding.doublings()..=MOST_DOUBLINGS;
        let Finding { rule, about, day, score: _, evidence, matter, quiet_days } = finding;
        let last = evidence.last().copied();
        let tells = self.rules.tells_of_the_child(&rule);
        // of most rules the last look alone is wanted
        let looks = self.store.entries_for_upkeep(evidence.iter().copied().filter(|index| tells || Some(*index) == last))?;
        let is_told = !tells || looks.iter().all(|look| is_told(&look.entry));
        let (person, subject) = match (about, matter) {
            (About::Person(person), None) => (Some(person), format!("person {}", person.0)),
            (About::Person(person), Some(child)) => (Some(person), format!("person {} child {}", person.0, child.digits())),
            (About::Child(child), _) => (None, format!("child {}", child.digits())),
        };
        // whoever had a task of the day already is told of with what a clock that was set back dated into it
        let subject = match before {
            Some((run, entry)) if quiet_days == 0 && day <= run && last.is_some_and(|last| last >= entry) => {
                format!("{subject} since {entry}")
            }
            Some(_) | None => subject,
        };
        let (organisation, role) = match (person, looks.last()) {
            (Some(_), Some(look)) => (look.entry.organisation, look.entry.role),
            (_, _) => (None, None),
        };
        let reviewer = person.filter(|_| is_told).map(|person| self.supervisor(person)).transpose()?.flatten();
        let due = self.rules.due(now.day(), &self.holidays);
        let task = NewReview { rule: Some(rule.clone()), entries: evidence, person, organisation, role, reviewer, at: now, due };
        Ok((task, Origin::Found { rule, about: subject, day, quiet_days, doublings }))
    }

    fn supervisor(&self, person: PersonId) -> Result<Option<PersonId>, StoreError> {
        Ok(self.store.registry(|registry| registry.account(person))?.and_then(|account| account.supervisor))
    }
}

impl Run {
    /// The life that is at the earliest day, the oldest of several, with its place among them; and the day that the next of the others is at.
    fn next_life(&self) -> Option<(usize, Life, i32)> {
        let (at, Life { entries, day }) = self.left.iter().enumerate().min_by_key(|(_, life)| life.day)?;
        let others = self.left.iter().enumerate().filter(|(other, _)| *other != at);
        let until = others.map(|(_, life)| life.day).min().unwrap_or(i32::MAX);
        Some((at, Life { entries: entries.clone(), day: *day }, until))
    }

    /// The day that a look counts for: its own, unless a clock that was set back dated it before days that had been run already. Else nobody would judge it.
    fn day_of(&self, look: &Look, rules: &Rules) -> i32 {
        let day = rules.day_of(look.entry.at);
        match self.before {
            Some((run, entry)) if look.index >= entry && day < run => run + 1,
            Some(_) | None => day,
        }
    }

    fn go_on_from(&mut self, at: usize, rest: Life) {
        if let Some(life) = self.left.get_mut(at) {
            *life = rest;
        }
        self.left.retain(|life| !life.entries.is_empty());
    }

    fn keep(&mut self, found: Vec<Finding>) {
        let (behind, last) = self.days;
        self.found.extend(found.into_iter().filter(|finding| finding.day > behind && finding.day <= last));
    }
}

/// The day behind which findings become tasks; `None` where the last one is done. `detected`: up to where the rules were run.
fn behind(detected: Option<i32>, last: i32) -> Option<i32> {
    match detected {
        // what was before the rules is nobody's task
        None => Some(last - 1),
        // the last day once more: a clock that was ahead for some hours ended it early
        Some(day) if day < last => Some((day - 1).max(last - WINDOW)),
        // the clock was set back over a midnight
        Some(day) if day <= last + 1 => None,
        // the clock had been ahead: a finding that was made a task is none again
        Some(_) => Some(last - AGAIN),
    }
}

/// Up to which day the rules were run, and since which entry a look of before it may be one that nobody judged. A life whose clock was behind
/// has a run of its own, of an older day, and goes on after it: so the newest day counts, and the older entry.
fn before(newest: Option<(i32, u64)>, detected: Option<(i32, u64)>, last: i32) -> Option<(i32, u64)> {
    match newest {
        Some((day, entry)) => Some((day, detected.map_or(entry, |(_, noted)| noted.min(entry)))),
        // a store in which runs are not kept yet
        None => detected.filter(|(day, _)| (last - WINDOW..=last).contains(day)),
    }
}

/// Whether the looker was shown what a rule makes of the look. Whoever broke the glass was shown a number; what followed are looks of their own.
fn is_told(entry: &Entry) -> bool {
    !matches!(entry.operation, Operation::BreakGlass | Operation::OverrideShield) && entry.ended() == Ending::Shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_is_run_once_missed_ones_are_caught_up_and_a_wrong_clock_stops_nothing_for_good() {
        // F4: a day is never run twice, and none is left out
        assert_eq!(behind(None, 100), Some(99), "what was before there were rules is nobody's task");
        assert_eq!(
            (behind(Some(100), 100), behind(Some(99), 100), behind(Some(95), 100)),
            (None, Some(98), Some(94)),
            "and what was run last, once more"
        );
        assert_eq!(behind(Some(3), 100), Some(40), "as far as the looks go that are gone through");
        assert_eq!(behind(Some(101), 100), None, "set back over midnight");
        assert_eq!(behind(Some(4000), 100), Some(93), "the clock had been years ahead");
    }
}
