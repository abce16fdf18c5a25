//! Alerts and the samples drawn of them (rule D5): sealed rows, and beside each the few plain numbers by which its queue is found.
//!
//! The plain numbers only lead to a row; what counts is what the sealed row says (rule G3).

use crate::codec::{decode, encode, unknown, Form, Undecodable};
use crate::error::StoreError;
use crate::registry::Registry;
use crate::sealed::{self, SealedRow, ALERT};
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;
use contactpoint_domain::{
    Addressee, Alert, AlertId, AlertKind, Day, Disposition, Finding, Instant, InvalidValue, Judgement, NewAlert, OrganisationId, PersonId,
    Purpose, SampleReview,
};
use rusqlite::{params, OptionalExtension, Params};
use serde::{Deserialize, Serialize};

/// An alert as it is written: numbers, in this order.
#[derive(Serialize, Deserialize)]
struct StoredAlert<'a> {
    kind: u8,
    person: u32,
    organisation: u32,
    child: Option<&'a str>,
    reason: Option<u8>,
    at: u64,
    supervisor: Option<u32>,
    authority: Option<u32>,
    due: i32,
    /// What, by whom, when.
    judgement: Option<(u8, u32, u64)>,
    review: Option<(u8, u32, u64)>,
}

impl<'a> StoredAlert<'a> {
    fn of(alert: &'a Alert) -> Self {
        let Alert { id: _, kind, person, organisation, child, reason, at, to, due, judgement, review, place: _ } = alert;
        let (supervisor, authority) = addressed(*to);
        Self {
            kind: kind.number(),
            person: person.0,
            organisation: organisation.0,
            child: child.as_ref().map(|number| number.as_str()),
            reason: reason.map(Purpose::number),
            at: at.millis(),
            supervisor,
            authority,
            due: due.number(),
            judgement: judgement.map(|Judgement { disposition, by, at }| (disposition.number(), by.0, at.millis())),
            review: review.map(|SampleReview { finding, by, at }| (finding.number(), by.0, at.millis())),
        }
    }

    fn open(self, id: AlertId, place: u64) -> Result<Alert, InvalidValue> {
        let judgement = |(number, by, at)| {
            let disposition = Disposition::of_number(number).ok_or(unknown("disposition"))?;
            Ok::<_, InvalidValue>(Judgement { disposition, by: PersonId(by), at: Instant::of_millis(at) })
        };
        let review = |(number, by, at)| {
            let finding = Finding::of_number(number).ok_or(unknown("finding"))?;
            Ok::<_, InvalidValue>(SampleReview { finding, by: PersonId(by), at: Instant::of_millis(at) })
        };
        let supervisor = self.supervisor.map(|id| Addressee::Supervisor(PersonId(id)));
        Ok(Alert {
            id,
            kind: AlertKind::of_number(self.kind).ok_or(unknown("alert"))?,
            person: PersonId(self.person),
            organisation: OrganisationId(self.organisation),
            child: self.child.map(TryInto::try_into).transpose()?,
            reason: self.reason.map(|number| Purpose::of_number(number).ok_or(unknown("reason"))).transpose()?,
            at: Instant::of_millis(self.at),
            to: supervisor.or(self.authority.map(|id| Addressee::Authority(OrganisationId(id)))),
            due: Day::of_number(self.due)?,
            judgement: self.judgement.map(judgement).transpose()?,
            review: self.review.map(review).transpose()?,
            place,
        })
    }
}

/// The numbers of supervisor and authority, one of which is there at most.
fn addressed(to: Option<Addressee>) -> (Option<u32>, Option<u32>) {
    match to {
        Some(Addressee::Supervisor(id)) => (Some(id.0), None),
        Some(Addressee::Authority(id)) => (None, Some(id.0)),
        None => (None, None),
    }
}

const COLUMNS: &str = "SELECT row, version, key, sealed, place FROM alert";

/// How a month's sample is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The entry in which the end of the month was noted.
    pub entry: u64,
    /// The first signed head that covers it, once there is one: the seed.
    pub note: Option<String>,
    /// The largest size that was asked for; 0 before the first.
    pub size: u16,
}

impl Snapshot<'_> {
    /// An alert by its number.
    pub fn alert(&self, id: AlertId) -> Result<Option<Alert>, StoreError> {
        Ok(self.alerts("WHERE row = ?1", [row_of(id)])?.pop())
    }

    /// Alerts that wait for this supervisor, oldest first, those after `after`; at most `most`.
    pub fn alerts_for_supervisor(&self, supervisor: PersonId, after: AlertId, most: u32) -> Result<Vec<Alert>, StoreError> {
        let condition = format!("WHERE open = 1 AND supervisor = ?1 AND {AFTER} ORDER BY place LIMIT ?3");
        self.alerts(&condition, (supervisor.0, row_of(after), most))
    }

    /// Alerts that wait for this authority's officers, oldest first, those after `after`; at most `most`, and none about what `but` did.
    pub fn alerts_for_authority(
        &self,
        authority: OrganisationId,
        but: Option<PersonId>,
        after: AlertId,
        most: u32,
    ) -> Result<Vec<Alert>, StoreError> {
        let condition = format!("WHERE open = 1 AND authority = ?1 AND {AFTER} AND person IS NOT ?4 ORDER BY place LIMIT ?3");
        self.alerts(&condition, (authority.0, row_of(after), most, but.map(|id| id.0)))
    }

    /// Alerts that wait for this addressee and are overdue on this day, oldest first, those after `after`; at most `most`, and none about what
    /// `but` did.
    pub fn alerts_overdue(
        &self,
        to: Addressee,
        but: Option<PersonId>,
        today: Day,
        after: AlertId,
        most: u32,
    ) -> Result<Vec<Alert>, StoreError> {
        let (column, number) = match to {
            Addressee::Supervisor(id) => ("supervisor", id.0),
            Addressee::Authority(id) => ("authority", id.0),
        };
        let condition = format!("WHERE open = 1 AND {column} = ?1 AND {AFTER} AND due < ?3 AND person IS NOT ?5 ORDER BY place LIMIT ?4");
        self.alerts(&condition, (number, row_of(after), today.number(), most, but.map(|id| id.0)))
    }

    /// The supervisors for whom alerts wait, each once.
    pub fn supervisors_waited_for(&self) -> Result<Vec<PersonId>, StoreError> {
        let mut select =
            self.connection.prepare_cached("SELECT DISTINCT supervisor FROM alert WHERE open = 1 AND supervisor IS NOT NULL")?;
        let found = select.query_map([], |row| Ok(PersonId(row.get(0)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The numbers of the alerts that supervisors judged from one day to another, both included, in order. Who counts on one opens it.
    pub fn judged_by_supervisors(&self, from: Day, to: Day) -> Result<Vec<AlertId>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT row FROM alert WHERE judged >= ?1 AND judged <= ?2 AND supervisor IS NOT NULL ORDER BY row")?;
        let found = select.query_map([from.number(), to.number()], |row| Ok(AlertId(row.get::<_, i64>(0)?.unsigned_abs())))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Alerts about what this person did that a supervisor has not judged yet and that are overdue on this day. What waits for an authority is not
    /// among them, nor opened.
    pub fn overdue_acts_of(&self, person: PersonId, today: Day) -> Result<Vec<Alert>, StoreError> {
        let condition = "WHERE open = 1 AND person = ?1 AND due < ?2 AND authority IS NULL ORDER BY place";
        self.alerts(condition, (person.0, today.number()))
    }

    /// Alerts about what this person did that were raised on this day, judged or not.
    pub fn alerts_about(&self, person: PersonId, day: Day) -> Result<Vec<Alert>, StoreError> {
        self.alerts("WHERE day = ?1 AND person = ?2 ORDER BY place", (day.number(), person.0))
    }

    /// Alerts raised from one day to another, both included, oldest first, those after `after`; at most `most`.
    pub fn alerts_raised(&self, from: Day, to: Day, after: AlertId, most: u32) -> Result<Vec<Alert>, StoreError> {
        let condition = format!("WHERE day >= ?1 AND {AFTER} AND day <= ?3 ORDER BY place LIMIT ?4");
        self.alerts(&condition, (from.number(), row_of(after), to.number(), most))
    }

    fn alerts(&self, condition: &str, parameters: impl Params) -> Result<Vec<Alert>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!("{COLUMNS} {condition}"))?;
        let rows = select.query_map(parameters, |row| Ok((SealedRow::of(row)?, row.get::<_, i64>(4)?.cast_unsigned())))?;
        rows.map(|row| row.map_err(StoreError::from).and_then(|(row, place)| self.open_alert(&row, place))).collect()
    }

    fn open_alert(&self, row: &SealedRow, place: u64) -> Result<Alert, StoreError> {
        let plain = row.open(ALERT, self.keys)?;
        let id = AlertId(u64::try_from(row.row).map_err(|_| StoreError::Unknown("row"))?);
        read(&plain, id, place).map_err(|fault| fault.at(ALERT.name, row.row))
    }
}

/// Where a list goes on: behind the alert of this number, in the order in which alerts were raised.
const AFTER: &str = "place > coalesce((SELECT place FROM alert WHERE row = ?2), 0)";

/// What is asked of alerts without opening one: no child is within reach, so no entry is asked for.
impl Registry<'_> {
    /// The days before this one on which supervisors judged alerts, each once, in order.
    pub fn days_of_judgement(&self, before: Day) -> Result<Vec<Day>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT DISTINCT judged FROM alert WHERE judged < ?1 AND supervisor IS NOT NULL ORDER BY judged")?;
        let found = select.query_map([before.number()], |row| row.get(0))?;
        found.map(|number| Ok(Day::of_number(number?)?)).collect()
    }

    /// How the sample of a month is drawn, if its end was noted. The month: its first day.
    pub fn sample(&self, month: Day) -> Result<Option<Sample>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT entry, (SELECT note FROM checkpoint WHERE checkpoint.size > entry ORDER BY checkpoint.size LIMIT 1), size
             FROM alert_sample WHERE month = ?1",
        )?;
        let read =
            |row: &rusqlite::Row<'_>| Ok(Sample { entry: row.get::<_, i64>(0)?.cast_unsigned(), note: row.get(1)?, size: row.get(2)? });
        Ok(select.query_row([month.number()], read).optional()?)
    }
}

fn read(plain: &[u8], id: AlertId, place: u64) -> Result<Alert, Undecodable> {
    match Form::of(plain)? {
        Form::First(_) => Err(Undecodable::Form),
        Form::Second(bytes) => Ok(decode::<StoredAlert<'_>>(bytes)?.open(id, place)?),
    }
}

fn row_of(AlertId(id): AlertId) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

impl Transaction<'_> {
    /// Raises an alert.
    pub fn raise_alert(&mut self, new: &NewAlert) -> Result<Alert, StoreError> {
        let NewAlert { kind, person, organisation, child, reason, at, to, due } = new.clone();
        let id = self.free_alert_id()?;
        let row = row_of(id);
        let last: i64 = self.connection.prepare_cached("SELECT coalesce(max(place), 0) FROM alert")?.query_row([], |row| row.get(0))?;
        let place = last + 1;
        let alert = Alert {
            id,
            kind,
            person,
            organisation,
            child,
            reason,
            at,
            to,
            due,
            judgement: None,
            review: None,
            place: place.cast_unsigned(),
        };
        let sealed = sealed::seal_new(self.keys, ALERT, row, &encode(&StoredAlert::of(&alert))?)?;
        let (supervisor, authority) = addressed(to);
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO alert (row, version, key, sealed, place, person, supervisor, authority, day, due, open)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1)",
        )?;
        let day = at.day().number();
        insert.execute(params![
            row,
            sealed.version,
            sealed.key.0,
            sealed.sealed,
            place,
            person.0,
            supervisor,
            authority,
            day,
            due.number()
        ])?;
        drop(insert);
        if kind == AlertKind::Contact {
            // one to nobody waits for nobody; the other is written over with what it has, so that both take the same statements (rule E6)
            let mut update = self.connection.prepare_cached("UPDATE alert SET open = ?2 WHERE row = ?1")?;
            update.execute(params![row, to.is_some()])?;
        }
        self.note(ALERT, &sealed);
        Ok(alert)
    }

    /// A number at random that no alert has (rules D5, D7: nobody counts alerts by their numbers).
    fn free_alert_id(&self) -> Result<AlertId, StoreError> {
        let mut taken = self.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM alert WHERE row = ?1)")?;
        loop {
            let id = AlertId::at_random().map_err(|_| StoreError::Stopped)?;
            if !taken.query_row([row_of(id)], |row| row.get::<_, bool>(0))? {
                return Ok(id);
            }
        }
    }

    /// Puts an alert's judgement and review in the place of what it had; whom it is about and whom it waits for stay as they are.
    pub fn put_alert(&mut self, alert: &Alert) -> Result<(), StoreError> {
        let row = row_of(alert.id);
        let former = self.sealed_row(ALERT, row)?.ok_or(StoreError::Unknown("alert"))?;
        self.replace(ALERT, &former, &encode(&StoredAlert::of(alert))?)?;
        let mut update = self.connection.prepare_cached("UPDATE alert SET open = ?2, judged = ?3 WHERE row = ?1")?;
        update.execute(params![row, alert.judgement.is_none(), alert.judgement.map(|judgement| judgement.at.day().number())])?;
        Ok(())
    }

    /// Notes in this change's entry that a month has ended: the first head that is signed over it is the seed of the month's sample. For good:
    /// a month ends once.
    pub fn end_month(&mut self, month: Day) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached("INSERT OR IGNORE INTO alert_sample (month, entry, size) VALUES (?1, ?2, 0)")?;
        insert.execute(params![month.number(), self.entry.cast_signed()])?;
        Ok(())
    }

    /// Of the sizes asked for of a month's sample the largest is kept.
    pub fn keep_sample_size(&mut self, month: Day, size: u16) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached("UPDATE alert_sample SET size = max(size, ?2) WHERE month = ?1")?;
        update.execute(params![month.number(), size])?;
        Ok(())
    }
}
