//! Tasks of review and the periods that they are drawn of (rule F4): sealed rows, and beside each the few plain numbers by which its queue is
//! found.
//!
//! The plain numbers only lead to a row; what counts is what the sealed row says (rule G3). Leaves to others: which looks become tasks
//! (`review`), and whose they are (`policy`).

use crate::codec::{decode, encode, unknown, Form, Undecodable};
use crate::error::StoreError;
use crate::registry::Registry;
use crate::sealed::{self, SealedRow, REVIEW};
use crate::snapshot::{Look, Snapshot};
use crate::transaction::Transaction;
use crate::writer::Store;
use contactpoint_audit::Entry;
use contactpoint_domain::{
    Day, Instant, InvalidValue, NewReview, OrganisationId, PersonId, Review, ReviewId, ReviewOutcome, Reviewed, Role, RuleName,
};
use contactpoint_sealing::SealError;
use rusqlite::{params, OptionalExtension, Params};
use serde::{Deserialize, Serialize};
use std::ops::{Range, RangeInclusive};

/// A task as it is written: numbers, in this order.
#[derive(Serialize, Deserialize)]
struct StoredReview<'a> {
    rule: Option<&'a str>,
    entries: Vec<u64>,
    person: Option<u32>,
    organisation: Option<u32>,
    role: Option<u8>,
    reviewer: Option<u32>,
    at: u64,
    due: i32,
    /// What, by whom, when.
    reviewed: Option<(u8, u32, u64)>,
}

impl<'a> StoredReview<'a> {
    fn of(NewReview { rule, entries, person, organisation, role, reviewer, at, due }: &'a NewReview, reviewed: Option<Reviewed>) -> Self {
        Self {
            rule: rule.as_ref().map(RuleName::as_str),
            entries: entries.clone(),
            person: person.map(|id| id.0),
            organisation: organisation.map(|id| id.0),
            role: role.map(Role::number),
            reviewer: reviewer.map(|id| id.0),
            at: at.millis(),
            due: due.number(),
            reviewed: reviewed.map(|Reviewed { outcome, by, at }| (outcome.number(), by.0, at.millis())),
        }
    }

    fn open(self, id: ReviewId) -> Result<Review, InvalidValue> {
        let reviewed = |(number, by, at)| {
            let outcome = ReviewOutcome::of_number(number).ok_or(unknown("outcome"))?;
            Ok::<_, InvalidValue>(Reviewed { outcome, by: PersonId(by), at: Instant::of_millis(at) })
        };
        let task = NewReview {
            rule: self.rule.map(|rule| RuleName::try_from(rule.to_owned())).transpose()?,
            entries: self.entries,
            person: self.person.map(PersonId),
            organisation: self.organisation.map(OrganisationId),
            role: self.role.map(|number| Role::of_number(number).ok_or(unknown("role"))).transpose()?,
            reviewer: self.reviewer.map(PersonId),
            at: Instant::of_millis(self.at),
            due: Day::of_number(self.due)?,
        };
        Ok(Review { id, task, reviewed: self.reviewed.map(reviewed).transpose()? })
    }
}

/// What a task was made of: it is made once.
#[derive(Debug, Clone)]
pub enum Origin {
    /// This entry was drawn.
    Drawn(u64),
    /// A rule found something of somebody, or of a child, on a day.
    Found {
        /// The rule.
        rule: RuleName,
        /// Whom or what.
        about: String,
        /// The day, in days since 1970-01-01.
        day: i32,
        /// On so many days before it the same makes no second task, unless it has doubled; 90 at most are looked at.
        quiet_days: i32,
        /// How often it has doubled: the first of these numbers is its own, the last the highest that there is.
        doublings: RangeInclusive<u32>,
    },
}

/// A period of the plan whose end stands in the log, and how far it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedPeriod {
    /// Whether it is a week, a month or a quarter: the plan's number for it.
    pub every: u8,
    /// Its last day.
    pub last: Day,
    /// The first entry that is of it.
    pub start: u64,
    /// The entry in which its end was noted: the first that is of it no more.
    pub entry: u64,
    /// The first entry that was not drawn or passed over yet.
    pub next: u64,
    /// The first signed head that covers `entry`, once there is one: the seed.
    pub note: Option<String>,
}

impl EndedPeriod {
    fn read(row: &rusqlite::Row<'_>) -> Result<Self, StoreError> {
        let entry = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
        let last = Day::of_number(row.get(1)?)?;
        Ok(Self { every: row.get(0)?, last, start: entry(2)?, entry: entry(3)?, next: entry(4)?, note: row.get(5)? })
    }
}

/// Days that are looked at for a task of the same.
const MOST_QUIET_DAYS: i32 = 90;

const COLUMNS: &str = "SELECT row, version, key, sealed FROM review";
const PERIODS: &str = "SELECT every, last, start, entry, next,
    (SELECT note FROM checkpoint WHERE checkpoint.size > entry ORDER BY checkpoint.size LIMIT 1) FROM review_period";
/// Where a list goes on: behind the task of this number, by the day on which each is due.
const AFTER: &str = "(due, row) > (coalesce((SELECT due FROM review WHERE row = ?1), -1000000), ?1)";

impl Snapshot<'_> {
    /// A task by its number.
    pub fn review(&self, id: ReviewId) -> Result<Option<Review>, StoreError> {
        Ok(self.reviews("WHERE row = ?1", [row_of(id)])?.pop())
    }

    /// Tasks that wait for this reviewer, those due first first, behind `after`; at most `most`.
    pub fn reviews_for(&self, reviewer: PersonId, after: ReviewId, most: u32) -> Result<Vec<Review>, StoreError> {
        let condition = format!("WHERE open = 1 AND reviewer = ?2 AND {AFTER} ORDER BY due, row LIMIT ?3");
        self.reviews(&condition, (row_of(after), reviewer.0, most))
    }

    /// Tasks that wait for auditors, likewise: those that are nobody's, and on this day those that are overdue.
    pub fn reviews_for_auditors(&self, today: Day, after: ReviewId, most: u32) -> Result<Vec<Review>, StoreError> {
        let condition = format!("WHERE open = 1 AND (reviewer IS NULL OR due < ?2) AND {AFTER} ORDER BY due, row LIMIT ?3");
        self.reviews(&condition, (row_of(after), today.number(), most))
    }

    /// Tasks due from one day to another, both included, likewise, done or not.
    pub fn reviews_due(&self, from: Day, to: Day, after: ReviewId, most: u32) -> Result<Vec<Review>, StoreError> {
        let condition = format!("WHERE due >= ?2 AND due <= ?3 AND {AFTER} ORDER BY due, row LIMIT ?4");
        self.reviews(&condition, (row_of(after), from.number(), to.number(), most))
    }

    /// An entry of the log; `None` where there is none or its key is gone.
    pub fn entry_at(&self, index: u64) -> Result<Option<Entry>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT entry, leaf FROM leaf WHERE entry = ?1")?;
        let found = select.query_row([index.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match found.map(|found| self.open_look(found)) {
            None | Some(Err(StoreError::Seal(SealError::Erased { .. }))) => Ok(None),
            Some(Ok(look)) => Ok(Some(look.entry)),
            Some(Err(fault)) => Err(fault),
        }
    }

    fn reviews(&self, condition: &str, parameters: impl Params) -> Result<Vec<Review>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!("{COLUMNS} {condition}"))?;
        let rows = select.query_map(parameters, SealedRow::of)?;
        rows.map(|row| row.map_err(StoreError::from).and_then(|row| self.open_review(&row))).collect()
    }

    fn open_review(&self, row: &SealedRow) -> Result<Review, StoreError> {
        let plain = row.open(REVIEW, self.keys)?;
        let id = ReviewId(u64::try_from(row.row).map_err(|_| StoreError::Unknown("row"))?);
        read(&plain, id).map_err(|fault| fault.at(REVIEW.name, row.row))
    }
}

/// What is asked of reviews without opening one: no child is within reach, so no entry is asked for.
impl Registry<'_> {
    /// The first entry that is of no ended week, month or quarter, and the last day of the newest one that ended.
    pub fn review_mark(&self, every: u8) -> Result<(u64, Option<Day>), StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT entry, (SELECT max(last) FROM review_period p WHERE p.every = m.every) FROM review_mark m WHERE every = ?1",
        )?;
        let mark: Option<(i64, Option<i32>)> = select.query_row([every], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (mark, newest) = mark.ok_or(StoreError::Unknown("period"))?;
        Ok((mark.cast_unsigned(), newest.map(Day::of_number).transpose()?))
    }

    /// The ended periods that are not drawn to their end, oldest first.
    pub fn periods_to_draw(&self) -> Result<Vec<EndedPeriod>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!("{PERIODS} WHERE next < entry ORDER BY entry, every"))?;
        let mut rows = select.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(EndedPeriod::read(row)?);
        }
        Ok(found)
    }

    /// The ended periods whose last day is one of these, oldest first.
    pub fn ended_periods(&self, from: Day, to: Day) -> Result<Vec<EndedPeriod>, StoreError> {
        let mut select =
            self.connection.prepare_cached(&format!("{PERIODS} WHERE last >= ?1 AND last <= ?2 ORDER BY last, every LIMIT 500"))?;
        let mut rows = select.query([from.number(), to.number()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(EndedPeriod::read(row)?);
        }
        Ok(found)
    }

    /// The last day over which the detection rules were run.
    pub fn detected_to(&self) -> Result<Option<Day>, StoreError> {
        Ok(self.detected()?.map(|(day, _)| day))
    }

    /// The entries of the runs of the detection rules over the days up to one of these, oldest first, each with that day.
    pub fn detection_runs(&self, from: Day, to: Day) -> Result<Vec<(u64, Day)>, StoreError> {
        let mut select =
            self.connection.prepare_cached("SELECT entry, day FROM review_run WHERE day >= ?1 AND day <= ?2 ORDER BY entry")?;
        let mut rows = select.query([from.number(), to.number()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push((row.get::<_, i64>(0)?.cast_unsigned(), Day::of_number(row.get(1)?)?));
        }
        Ok(found)
    }

    /// The newest entry that has a run, or a start by other rules than the run before it.
    pub fn newest_noted_run(&self) -> Result<Option<u64>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT max(entry) FROM review_run")?;
        Ok(select.query_row([], |row| row.get::<_, Option<i64>>(0))?.map(i64::cast_unsigned))
    }

    /// The last of these days up to which a run went, and the newest entry of such a run.
    pub fn newest_run(&self, from: i32, to: i32) -> Result<Option<(i32, u64)>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT day, entry FROM review_run WHERE day >= ?1 AND day <= ?2 ORDER BY day DESC, entry DESC LIMIT 1")?;
        Ok(select.query_row([from, to], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))).optional()?)
    }

    /// The same day, and the entry that noted it.
    pub fn detected(&self) -> Result<Option<(Day, u64)>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT day, coalesce(entry, (SELECT coalesce(max(entry), -1) + 1 FROM leaf)) FROM review_detected")?;
        let noted: Option<(i32, i64)> = select.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok(noted.map(|(day, entry)| Day::of_number(day).map(|day| (day, entry.cast_unsigned()))).transpose()?)
    }

    /// How many tasks are overdue on a day.
    pub fn overdue_reviews(&self, today: Day) -> Result<u64, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT count(*) FROM review WHERE open = 1 AND due < ?1")?;
        Ok(select.query_row([today.number()], |row| row.get::<_, i64>(0))?.cast_unsigned())
    }
}

impl Store {
    /// Opens entries for the daemon's own upkeep: those of `indexes`, which rise. What is made of them is a change with an entry of its own;
    /// nothing of them is answered.
    pub fn entries_for_upkeep(&self, indexes: impl IntoIterator<Item = u64>) -> Result<Vec<Look>, StoreError> {
        let indexes: Vec<u64> = indexes.into_iter().collect();
        self.read_log(indexes.last().map_or(0, |last| last + 1), |snapshot| {
            let entry_at = |index| Ok(snapshot.entry_at(index)?.map(|entry| Look { index, entry }));
            indexes.into_iter().filter_map(|index| entry_at(index).transpose()).collect()
        })
    }

    /// The same of all entries from one index up to, and without, another. Those that were erased are passed over.
    pub fn entries_between_for_upkeep(&self, from: u64, to: u64) -> Result<Vec<Look>, StoreError> {
        self.looks_between(from, to)
    }

    /// The entries of each life of the daemon from the first on that is not dated before an instant, or that is not before an entry, the oldest life
    /// first; lives without one are left out. Within a life they are in the order of time, but for moments; a life that came later may be dated earlier.
    pub fn lives_since(&self, instant: Instant, entry: u64) -> Result<Vec<Range<u64>>, StoreError> {
        let erased = self.read(|snapshot| snapshot.erased())?;
        let since = |life: Range<u64>| Ok(self.first_of_life(instant, &life, &erased)?.min(entry.max(life.start))..life.end);
        let lives = self.lives(self.log_size())?.into_iter().map(since);
        lives.filter(|life| life.as_ref().map_or(true, |life| !life.is_empty())).collect()
    }
}

fn read(plain: &[u8], id: ReviewId) -> Result<Review, Undecodable> {
    match Form::of(plain)? {
        Form::First(_) => Err(Undecodable::Form),
        Form::Second(bytes) => Ok(decode::<StoredReview<'_>>(bytes)?.open(id)?),
    }
}

fn row_of(ReviewId(id): ReviewId) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

impl Transaction<'_> {
    /// Notes in this change's entry that a period has ended: the first head that is signed over it is the seed of the draw. For good: it ends
    /// once, and what comes after the entry is of the next.
    pub fn end_period(&mut self, every: u8, last: Day) -> Result<(), StoreError> {
        let (start, _) = self.review_mark(every)?;
        let mut insert =
            self.connection.prepare_cached("INSERT INTO review_period (every, last, start, entry, next) VALUES (?1, ?2, ?3, ?4, ?3)")?;
        insert.execute(params![every, last.number(), start.cast_signed(), self.entry.cast_signed()])?;
        let mut update = self.connection.prepare_cached("UPDATE review_mark SET entry = ?2 WHERE every = ?1")?;
        update.execute(params![every, self.entry.cast_signed() + 1])?;
        Ok(())
    }

    /// A kind of period that is not drawn: what came before this change's entry will be of none.
    pub fn skip_period(&mut self, every: u8) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached("UPDATE review_mark SET entry = ?2 WHERE every = ?1")?;
        update.execute(params![every, self.entry.cast_signed()])?;
        Ok(())
    }

    /// Notes that a period is drawn up to an entry.
    pub fn drawn_to(&mut self, period: &EndedPeriod, next: u64) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached("UPDATE review_period SET next = ?3 WHERE every = ?1 AND last = ?2")?;
        update.execute(params![period.every, period.last.number(), next.cast_signed()])?;
        Ok(())
    }

    /// Notes that this change's entry is of a run of the detection rules over the days up to this one.
    pub fn note_run(&mut self, day: Day) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached("INSERT INTO review_run (entry, day) VALUES (?1, ?2)")?;
        insert.execute(params![self.entry.cast_signed(), day.number()])?;
        Ok(())
    }

    /// Notes that the detection rules were run over every day up to this one.
    pub fn note_detected(&mut self, day: Day) -> Result<(), StoreError> {
        let mut replace = self.connection.prepare_cached("INSERT OR REPLACE INTO review_detected (id, day, entry) VALUES (1, ?1, ?2)")?;
        replace.execute(params![day.number(), self.entry.cast_signed()])?;
        Ok(())
    }

    /// Makes a task, unless there is one of this origin, or one of the same, or of more of it, on one of the quiet days.
    pub fn add_review(&mut self, task: &NewReview, origin: &Origin) -> Result<Option<Review>, StoreError> {
        let origin = match origin {
            Origin::Drawn(entry) => {
                let token = self.keys.tokens.token("review", &[b"drawn", &entry.to_be_bytes()]);
                if self.is_made(token.as_slice())? {
                    return Ok(None);
                }
                token
            }
            Origin::Found { rule, about, day, quiet_days, doublings } => {
                let token = |day: i32, doublings: u32| {
                    let (day, doublings) = (day.to_be_bytes(), doublings.to_be_bytes());
                    self.keys.tokens.token("review", &[b"found", rule.as_str().as_bytes(), about.as_bytes(), &day, &doublings])
                };
                let quiet = day.saturating_sub(*quiet_days.min(&MOST_QUIET_DAYS))..=*day;
                for (day, doublings) in quiet.flat_map(|day| doublings.clone().map(move |doublings| (day, doublings))) {
                    if self.is_made(token(day, doublings).as_slice())? {
                        return Ok(None);
                    }
                }
                token(*day, *doublings.start())
            }
        };
        let id = self.free_review_id()?;
        let row = row_of(id);
        let sealed = sealed::seal_new(self.keys, REVIEW, row, &encode(&StoredReview::of(task, None))?)?;
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO review (row, version, key, sealed, origin, reviewer, due, open) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)",
        )?;
        let (reviewer, due) = (task.reviewer.map(|id| id.0), task.due.number());
        insert.execute(params![row, sealed.version, sealed.key.0, sealed.sealed, origin.as_slice(), reviewer, due])?;
        drop(insert);
        self.note(REVIEW, &sealed);
        Ok(Some(Review { id, task: task.clone(), reviewed: None }))
    }

    fn is_made(&self, origin: &[u8]) -> Result<bool, StoreError> {
        let mut made = self.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM review WHERE origin = ?1)")?;
        Ok(made.query_row([origin], |row| row.get(0))?)
    }

    /// A number at random that no task has.
    fn free_review_id(&self) -> Result<ReviewId, StoreError> {
        let mut taken = self.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM review WHERE row = ?1)")?;
        loop {
            let id = ReviewId::at_random().map_err(|_| StoreError::Stopped)?;
            if !taken.query_row([row_of(id)], |row| row.get::<_, bool>(0))? {
                return Ok(id);
            }
        }
    }

    /// Keeps what came of a task; all else stays as it was made.
    pub fn settle_review(&mut self, review: &Review, reviewed: Reviewed) -> Result<(), StoreError> {
        let row = row_of(review.id);
        let former = self.sealed_row(REVIEW, row)?.ok_or(StoreError::Unknown("review"))?;
        self.replace(REVIEW, &former, &encode(&StoredReview::of(&review.task, Some(reviewed)))?)?;
        self.connection.prepare_cached("UPDATE review SET open = 0 WHERE row = ?1")?.execute([row])?;
        Ok(())
    }
}
