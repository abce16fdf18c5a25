//! Alerts and the samples drawn of them (rule D5): sealed rows, and beside each the few plain numbers by which its queue is found.
//!
//! The plain numbers only lead to a row; what counts is what the sealed row says (rule G3).

use crate::codec::{decode, encode, unknown, Form, Undecodable};
use crate::error::StoreError;
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
        let Alert { id: _, kind, person, organisation, child, reason, at, to, due, judgement, review } = alert;
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

    fn open(self, id: AlertId) -> Result<Alert, InvalidValue> {
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

const COLUMNS: &str = "SELECT row, version, key, sealed FROM alert";

impl Snapshot<'_> {
    /// An alert by its number.
    pub fn alert(&self, id: AlertId) -> Result<Option<Alert>, StoreError> {
        Ok(self.alerts("WHERE row = ?1", [row_of(id)])?.pop())
    }

    /// Alerts that wait for this supervisor, oldest first, those after `after`; at most `most`.
    pub fn alerts_for_supervisor(&self, supervisor: PersonId, after: AlertId, most: u32) -> Result<Vec<Alert>, StoreError> {
        self.alerts("WHERE open = 1 AND supervisor = ?1 AND row > ?2 ORDER BY row LIMIT ?3", (supervisor.0, row_of(after), most))
    }

    /// Alerts that wait for this authority's officers, oldest first, those after `after`; at most `most`.
    pub fn alerts_for_authority(&self, authority: OrganisationId, after: AlertId, most: u32) -> Result<Vec<Alert>, StoreError> {
        self.alerts("WHERE open = 1 AND authority = ?1 AND row > ?2 ORDER BY row LIMIT ?3", (authority.0, row_of(after), most))
    }

    /// Alerts that wait for this supervisor and are overdue on this day, oldest first, those after `after`; at most `most`.
    pub fn alerts_overdue(&self, supervisor: PersonId, today: Day, after: AlertId, most: u32) -> Result<Vec<Alert>, StoreError> {
        let condition = "WHERE open = 1 AND supervisor = ?1 AND due < ?2 AND row > ?3 ORDER BY row LIMIT ?4";
        self.alerts(condition, (supervisor.0, today.number(), row_of(after), most))
    }

    /// The supervisors for whom alerts wait that are overdue on this day, each once.
    pub fn late_supervisors(&self, today: Day) -> Result<Vec<PersonId>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT DISTINCT supervisor FROM alert WHERE open = 1 AND due < ?1 AND supervisor IS NOT NULL")?;
        let found = select.query_map([today.number()], |row| Ok(PersonId(row.get(0)?)))?;
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

    /// Alerts about what this person did that nobody has judged yet.
    pub fn open_alerts_about(&self, person: PersonId) -> Result<Vec<Alert>, StoreError> {
        self.alerts("WHERE open = 1 AND person = ?1 ORDER BY row", [person.0])
    }

    /// Alerts about what this person did that were raised on this day, judged or not.
    pub fn alerts_about(&self, person: PersonId, day: Day) -> Result<Vec<Alert>, StoreError> {
        self.alerts("WHERE day = ?1 AND person = ?2 ORDER BY row", (day.number(), person.0))
    }

    /// Alerts raised from one day to another, both included, oldest first, those after `after`; at most `most`.
    pub fn alerts_raised(&self, from: Day, to: Day, after: AlertId, most: u32) -> Result<Vec<Alert>, StoreError> {
        self.alerts("WHERE day >= ?1 AND day <= ?2 AND row > ?3 ORDER BY row LIMIT ?4", (from.number(), to.number(), row_of(after), most))
    }

    /// The signed head from which the sample of a month is drawn, and the largest size that was asked for, if one was. The month: its first
    /// day.
    pub fn sample(&self, month: Day) -> Result<Option<(String, u16)>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT note, size FROM alert_sample WHERE month = ?1")?;
        Ok(select.query_row([month.number()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    fn alerts(&self, condition: &str, parameters: impl Params) -> Result<Vec<Alert>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!("{COLUMNS} {condition}"))?;
        let rows = select.query_map(parameters, SealedRow::of)?;
        rows.map(|row| self.open_alert(&row?)).collect()
    }

    fn open_alert(&self, row: &SealedRow) -> Result<Alert, StoreError> {
        let plain = row.open(ALERT, self.keys)?;
        let id = AlertId(u64::try_from(row.row).map_err(|_| StoreError::Unknown("row"))?);
        read(&plain, id).map_err(|fault| fault.at(ALERT.name, row.row))
    }
}

fn read(plain: &[u8], id: AlertId) -> Result<Alert, Undecodable> {
    match Form::of(plain)? {
        Form::First(_) => Err(Undecodable::Form),
        Form::Second(bytes) => Ok(decode::<StoredAlert<'_>>(bytes)?.open(id)?),
    }
}

fn row_of(AlertId(id): AlertId) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

impl Transaction<'_> {
    /// Raises an alert.
    pub fn raise_alert(&mut self, new: &NewAlert) -> Result<Alert, StoreError> {
        let NewAlert { kind, person, organisation, child, reason, at, to, due } = new.clone();
        let row = sealed::next_row(self.connection, ALERT)?;
        let id = AlertId(row.unsigned_abs());
        let alert = Alert { id, kind, person, organisation, child, reason, at, to, due, judgement: None, review: None };
        let sealed = sealed::seal_new(self.keys, ALERT, row, &encode(&StoredAlert::of(&alert))?)?;
        let (supervisor, authority) = addressed(to);
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO alert (row, version, key, sealed, person, supervisor, authority, day, due, open) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1)",
        )?;
        let day = at.day().number();
        insert.execute(params![row, sealed.version, sealed.key.0, sealed.sealed, person.0, supervisor, authority, day, due.number()])?;
        drop(insert);
        self.note(ALERT, &sealed);
        Ok(alert)
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

    /// Keeps the signed head from which a month's sample is drawn, for good: a month has one. Of the sizes asked for the largest is kept.
    pub fn keep_sample(&mut self, month: Day, note: &str, size: u16) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO alert_sample (month, note, size) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET size = max(size, excluded.size)",
        )?;
        insert.execute(params![month.number(), note, size])?;
        Ok(())
    }
}
