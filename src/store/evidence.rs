//! Evidence that was asked for (rule F5), as sealed rows. What it will be made of is in the log alone.

use crate::codec::{decode, encode, unknown, Form, Undecodable};
use crate::error::StoreError;
use crate::registry::Registry;
use crate::sealed::{self, SealedRow, EVIDENCE};
use crate::transaction::Transaction;
use contactpoint_domain::{Day, EvidenceAsked, EvidenceCase, EvidenceId, Instant, InvalidValue, PersonId, Purpose};
use rusqlite::{params, OptionalExtension};
use serde::{Deserialize, Serialize};

/// A request as it is written: numbers, in this order.
#[derive(Serialize, Deserialize)]
struct StoredEvidence {
    person: u32,
    from: i32,
    to: i32,
    reason: u8,
    recipient: [u8; 32],
    by: u32,
    at: u64,
    /// By whom, when.
    approved: Option<(u32, u64)>,
    fetched: u32,
}

impl StoredEvidence {
    fn of(case: &EvidenceCase) -> Self {
        let EvidenceCase { id: _, asked: EvidenceAsked { person, from, to, reason, recipient }, by, at, approved, fetched } = *case;
        Self {
            person: person.0,
            from: from.number(),
            to: to.number(),
            reason: reason.number(),
            recipient,
            by: by.0,
            at: at.millis(),
            approved: approved.map(|(by, at)| (by.0, at.millis())),
            fetched,
        }
    }

    fn open(self, id: EvidenceId) -> Result<EvidenceCase, InvalidValue> {
        let asked = EvidenceAsked {
            person: PersonId(self.person),
            from: Day::of_number(self.from)?,
            to: Day::of_number(self.to)?,
            reason: Purpose::of_number(self.reason).ok_or(unknown("reason"))?,
            recipient: self.recipient,
        };
        let approved = self.approved.map(|(by, at)| (PersonId(by), Instant::of_millis(at)));
        Ok(EvidenceCase { id, asked, by: PersonId(self.by), at: Instant::of_millis(self.at), approved, fetched: self.fetched })
    }
}

/// No child is within reach of a request, so no entry is asked for.
impl Registry<'_> {
    /// A request by its number.
    pub fn evidence(&self, id: EvidenceId) -> Result<Option<EvidenceCase>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT row, version, key, sealed FROM evidence WHERE row = ?1")?;
        let Some(row) = select.query_row([row_of(id)], SealedRow::of).optional()? else { return Ok(None) };
        let plain = row.open(EVIDENCE, self.keys)?;
        read(&plain, id).map(Some).map_err(|fault| fault.at(EVIDENCE.name, row.row))
    }
}

impl Transaction<'_> {
    /// Keeps a request, under a number that none has.
    pub fn add_evidence(&mut self, asked: &EvidenceAsked, by: PersonId, at: Instant) -> Result<EvidenceCase, StoreError> {
        let id = loop {
            let id = EvidenceId::at_random().map_err(|_| StoreError::Stopped)?;
            if self.evidence(id)?.is_none() {
                break id;
            }
        };
        let case = EvidenceCase { id, asked: *asked, by, at, approved: None, fetched: 0 };
        let sealed = sealed::seal_new(self.keys, EVIDENCE, row_of(id), &encode(&StoredEvidence::of(&case))?)?;
        let mut insert = self.connection.prepare_cached("INSERT INTO evidence (row, version, key, sealed) VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![sealed.row, sealed.version, sealed.key.0, sealed.sealed])?;
        drop(insert);
        self.note(EVIDENCE, &sealed);
        Ok(case)
    }

    /// Puts a request's new state in the place of its old one.
    pub fn put_evidence(&mut self, case: &EvidenceCase) -> Result<(), StoreError> {
        let former = self.sealed_row(EVIDENCE, row_of(case.id))?.ok_or(StoreError::Unknown("evidence"))?;
        self.replace(EVIDENCE, &former, &encode(&StoredEvidence::of(case))?)
    }
}

fn read(plain: &[u8], id: EvidenceId) -> Result<EvidenceCase, Undecodable> {
    match Form::of(plain)? {
        Form::First(_) => Err(Undecodable::Form),
        Form::Second(bytes) => Ok(decode::<StoredEvidence>(bytes)?.open(id)?),
    }
}

fn row_of(EvidenceId(id): EvidenceId) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}
