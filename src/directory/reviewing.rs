//! The daemon's own part of regular review (rule F4): it notes in the log that a period of the plan has ended, and makes tasks of what the first
//! signed head over that note draws; and each night of what the detection rules find (`detecting`).
//!
//! In pieces, so that nobody who is answered waits for it: a piece looks at some thousand numbers of entries, opens at most sixteen, and makes
//! the tasks of them in one change, which also notes how far the draw has come. Whatever is cut off goes on from there, and an entry becomes a
//! task once. The note has the plan in it, before anybody knows the seed, and no other plan draws that period. Leaves to others: what is drawn
//! (`review`), and what becomes of a task (`reviews`).

use crate::detecting::Detecting;
use crate::sample::LATE_SECONDS;
use contactpoint_audit::{Change, Entry, Operation, Outcome};
use contactpoint_domain::{Day, Instant, NewReview, OrganisationKind};
use contactpoint_review::{digest_of_holidays, Drawable, Every, Plan, Rules, Seed, Task};
use contactpoint_store::{EndedPeriod, Look, Origin, Registry, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Numbers of entries that one piece of a draw asks the seed about.
const AT_ONCE: u64 = 20_000;
/// Entries that it opens, and tasks that one change makes, at most: a change has room for so many in the log without being longer.
pub(crate) const MOST_TASKS: usize = 16;

/// Stand among an entry's changes for the tables of what it was done by: the plan's file, the detection rules' file, and the holidays.
pub(crate) const PLAN: u8 = 82;
pub(crate) const RULES: u8 = 83;
pub(crate) const HOLIDAYS: u8 = 84;
/// The row of the rules in an entry that is of no run: by these the daemon began.
pub(crate) const BEGUN: i64 = 1;

/// Makes tasks of review: part of the daemon's upkeep, and no part of any request.
pub struct Reviewing {
    store: Store,
    plan: Arc<Plan>,
    holidays: Arc<[Day]>,
    done: Mutex<Done>,
    detecting: Option<Detecting>,
}

/// What need not be asked again, in memory, as it only spares the store.
#[derive(Default)]
struct Done {
    /// By which rules this life of the daemon began.
    begun: bool,
    /// Of each kind of period the last day before which nothing is left to note.
    noted: BTreeMap<Every, Day>,
    /// How far a period was passed over without a task.
    passed: BTreeMap<(u8, Day), u64>,
}

impl Reviewing {
    /// Over an open store.
    #[must_use]
    pub fn over(store: Store, plan: Plan, holidays: &[Day]) -> Self {
        Self { store, plan: Arc::new(plan), holidays: holidays.into(), done: Mutex::default(), detecting: None }
    }

    /// The same with these detection rules.
    #[must_use]
    pub fn detecting(self, rules: Option<Rules>) -> Self {
        let detecting = rules.map(|rules| Detecting::by(self.store.clone(), rules, Arc::clone(&self.holidays)));
        Self { detecting, ..self }
    }

    /// Does one piece of what is to do. True where there is more to do at once.
    ///
    /// # Errors
    /// As [`Store::change`]; it is tried again with the next call.
    pub async fn go_on(&self, now: Instant) -> Result<bool, StoreError> {
        self.note_begin(now).await?;
        self.note_ends(now).await?;
        if self.draw(now).await? {
            return Ok(true);
        }
        match &self.detecting {
            Some(detecting) => detecting.go_on(now).await,
            None => Ok(false),
        }
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        // a poisoned table is whole: every change to it is one call
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says in the log by which rules this life began, where the newest run was by others: which areas adjoin is known of a look when it is made, and a file
    /// that is another from a morning to an evening is of no night's run.
    async fn note_begin(&self, now: Instant) -> Result<(), StoreError> {
        if self.done().begun {
            return Ok(());
        }
        // no rules are known by an empty text
        let rules = self.detecting.as_ref().map_or_else(|| digest_of_holidays(&[]), Detecting::digest);
        let by = vec![Change { row: BEGUN, ..done_by(RULES, rules) }, done_by(HOLIDAYS, digest_of_holidays(&self.holidays))];
        let newest = self.store.registry(|registry| registry.newest_noted_run())?;
        let run = newest.map(|newest| self.store.entries_for_upkeep([newest])).transpose()?;
        let is_same = |run: &Look| by.iter().all(|change| digest_in(&run.entry, change.table) == Some(change.digest));
        if run.is_some_and(|run| !run.first().is_some_and(is_same)) {
            let change = self.store.change(move |transaction| {
                transaction.note_run(now.day())?;
                Ok(((), Entry { changes: by, ..of_the_daemon(Operation::DetectReviews, now) }))
            });
            change.await?.into_inner();
        }
        self.done().begun = true;
        Ok(())
    }

    /// Says in the log which periods of the plan have ended, where anything was written since the last one.
    async fn note_ends(&self, now: Instant) -> Result<(), StoreError> {
        let today = Instant::of_millis(now.millis().saturating_sub(LATE_SECONDS * 1000)).day();
        let (asked, unused): (Vec<Every>, Vec<Every>) = Every::ALL.into_iter().partition(|every| self.plan.largest_share(*every) > 0);
        let mut ended = Vec::new();
        for every in asked {
            let last = every.last_ended(today);
            if self.done().noted.get(&every) == Some(&last) {
                continue;
            }
            if self.has_ended(every, last)? {
                ended.push((every, last));
            } else {
                self.done().noted.insert(every, last);
            }
        }
        if ended.is_empty() {
            return Ok(());
        }
        let noted = ended.clone();
        let by = vec![done_by(PLAN, self.plan.digest()), done_by(HOLIDAYS, digest_of_holidays(&self.holidays))];
        let change = self.store.change(move |transaction| {
            noted.iter().try_for_each(|(every, last)| transaction.end_period(every.number(), *last))?;
            // a kind of period that the plan does not have begins, where it comes into the plan, no earlier than here
            unused.iter().try_for_each(|every| transaction.skip_period(every.number()))?;
            Ok(((), Entry { changes: by, ..of_the_daemon(Operation::EndPeriod, now) }))
        });
        change.await?.into_inner();
        self.done().noted.extend(ended);
        Ok(())
    }

    /// Is the first entry that is of no ended period one of a period that is over?
    fn has_ended(&self, every: Every, last: Day) -> Result<bool, StoreError> {
        let (mark, newest) = self.store.registry(|registry| registry.review_mark(every.number()))?;
        // a period ends once: what was written late, or by a clock that was set back, is of the next
        if mark >= self.store.log_size() || newest.is_some_and(|newest| newest >= last) {
            return Ok(false);
        }
        let first = self.store.entries_for_upkeep([mark])?;
        // an entry whose key is gone is an old one
        Ok(first.first().is_none_or(|look| look.entry.at.day() <= last))
    }

    /// One piece of the oldest draw whose seed is fixed. True where there is more.
    async fn draw(&self, now: Instant) -> Result<bool, StoreError> {
        let waiting = self.store.registry(|registry| registry.periods_to_draw())?;
        let Some((period, seed)) = self.first_to_draw(waiting)? else { return Ok(false) };
        let every = Every::of_number(period.every).ok_or(StoreError::Unknown("period"))?;
        let from = self.done().passed.get(&(period.every, period.last)).copied().unwrap_or(0).max(period.next);
        let (drawn, next) = candidates(&seed, self.plan.largest_share(every), from, period.entry);
        let looks = self.store.entries_for_upkeep(drawn)?;
        let tasks = self.store.registry(|registry| self.tasks(registry, &seed, every, &period, looks))?;
        if tasks.is_empty() && next < period.entry {
            self.done().passed.insert((period.every, period.last), next);
            return Ok(true);
        }
        let by = vec![done_by(HOLIDAYS, digest_of_holidays(&self.holidays))];
        let change = self.store.change(move |transaction| {
            for (task, look) in &tasks {
                transaction.add_review(&of_a_draw(transaction, *task, look, now)?, &Origin::Drawn(look.index))?;
            }
            transaction.drawn_to(&period, next)?;
            Ok(((), Entry { changes: by, ..of_the_daemon(Operation::DrawReviews, now) }))
        });
        change.await?.into_inner();
        Ok(true)
    }

    /// The first period whose seed is fixed, and that ended under the plan at hand: the seed would tell whoever writes another whom it draws.
    fn first_to_draw(&self, waiting: Vec<EndedPeriod>) -> Result<Option<(EndedPeriod, Seed)>, StoreError> {
        for period in waiting {
            let Some(seed) = period.note.as_deref().map(seed_of) else { continue };
            let end = self.store.entries_for_upkeep([period.entry])?;
            if end.first().and_then(|end| digest_in(&end.entry, PLAN)).is_none_or(|plan| plan == self.plan.digest()) {
                return Ok(Some((period, seed)));
            }
        }
        Ok(None)
    }

    fn tasks(
        &self,
        registry: &Registry<'_>,
        seed: &Seed,
        every: Every,
        period: &EndedPeriod,
        looks: Vec<Look>,
    ) -> Result<Vec<(Task, Look)>, StoreError> {
        let mut tasks = Vec::new();
        for look in looks.into_iter().filter(|look| look.entry.operation.is_look()) {
            let Some((organisation, role)) = look.entry.organisation.zip(look.entry.role) else { continue };
            let Some(kind) = kind_of(registry, &look)? else { continue };
            // a look is of the period in which its entry stands, also where it was decided a moment later
            let drawable = Drawable { index: look.index, day: period.last, organisation, kind, role };
            let task = self.plan.task(seed, &self.holidays, &drawable).filter(|task| task.every == every);
            tasks.extend(task.map(|task| (task, look)));
        }
        Ok(tasks)
    }
}

/// Says in an entry what it was done by.
pub(crate) const fn done_by(table: u8, digest: [u8; 16]) -> Change {
    Change { table, row: 0, version: 1, digest }
}

/// What an entry says that it was done by: the first 16 bytes of SHA-256. `None` in an entry of before 0.4.
pub(crate) fn digest_in(entry: &Entry, table: u8) -> Option<[u8; 16]> {
    entry.changes.iter().find(|change| change.table == table).map(|change| change.digest)
}

/// The kind of the organisation that a look was for.
fn kind_of(registry: &Registry<'_>, look: &Look) -> Result<Option<OrganisationKind>, StoreError> {
    let Some(id) = look.entry.organisation else { return Ok(None) };
    Ok(registry.organisation(id)?.map(|organisation| organisation.kind))
}

/// The seed that a signed head is: its text without the signatures, of which more may come.
fn seed_of(note: &str) -> Seed {
    let end = note.find("\n\n").map_or(note.len(), |at| at + 1);
    Seed::of_checkpoint(note.get(..end).unwrap_or(note))
}

/// The next numbers that the largest share draws, and the first that was not asked about.
fn candidates(seed: &Seed, per_mille: u64, from: u64, end: u64) -> (Vec<u64>, u64) {
    let stop = end.min(from.saturating_add(AT_ONCE));
    let mut drawn: Vec<u64> = (from..stop).filter(|index| seed.draws(*index, per_mille)).take(MOST_TASKS + 1).collect();
    let next = if drawn.len() > MOST_TASKS { drawn.pop().unwrap_or(stop) } else { stop };
    (drawn, next)
}

fn of_a_draw(registry: &Registry<'_>, task: Task, look: &Look, now: Instant) -> Result<NewReview, StoreError> {
    let Entry { person, organisation, role, .. } = &look.entry;
    let reviewer = person.map(|person| registry.account(person)).transpose()?.flatten().and_then(|account| account.supervisor);
    Ok(NewReview {
        rule: None,
        entries: vec![task.index],
        person: *person,
        organisation: *organisation,
        role: *role,
        reviewer,
        at: now,
        due: task.due,
    })
}

/// An entry of the daemon's own doing.
pub(crate) fn of_the_daemon(operation: Operation, at: Instant) -> Entry {
    Entry {
        at,
        person: None,
        organisation: None,
        role: None,
        operation,
        reason: None,
        children: Vec::new(),
        shown: Vec::new(),
        outcome: Outcome::Answered,
        changes: Vec::new(),
        on_behalf_of: None,
        facts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_is_the_text_without_its_signatures() {
        // F4: anybody can draw again, also with a copy that has more cosignatures
        let text = "contactpoint.example/log\n17\nabc=\n";
        let bare = Seed::of_checkpoint(text);
        assert_eq!(seed_of(&format!("{text}\n\u{2014} contactpoint.example/log AAAA\n")), bare);
        assert_eq!(seed_of(&format!("{text}\n\u{2014} contactpoint.example/log AAAA\n\u{2014} witness BBBB\n")), bare);
        assert_eq!(seed_of(text), bare);
    }

    #[test]
    fn pieces_put_together_draw_what_the_seed_draws_and_each_number_once() {
        // F4: in bounded pieces, none lost and none twice
        let seed = Seed::of_checkpoint("head");
        for (per_mille, end) in [(1000, 100), (10, 90_000), (0, 50_000)] {
            let (mut all, mut from) = (Vec::new(), 7);
            while from < end {
                let (drawn, next) = candidates(&seed, per_mille, from, end);
                assert!(drawn.len() <= MOST_TASKS && next > from && next <= end);
                all.extend(drawn);
                from = next;
            }
            assert_eq!(all, (7..end).filter(|index| seed.draws(*index, per_mille)).collect::<Vec<_>>());
        }
    }
}
