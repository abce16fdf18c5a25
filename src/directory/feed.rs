//! Feeds (rules H1, H5): begun once, taken in record by record, resumed where they were cut off.

use crate::connect::still;
use crate::entries::{entry, with_outcome};
use crate::quarantine::{hold_back, met, Met};
use crate::refused::Refused;
use crate::{Answered, Directory};
use bytes::Bytes;
use contactpoint_audit::{Entry, Operation};
use contactpoint_domain::{ChildNumber, ChildRecord, Day, Instant, OrganisationId, Provenance, Role, Statement};
use contactpoint_identity::Caller;
use contactpoint_intake::{Columns, Intake, Layout, LineFault, Reason};
use contactpoint_matching::{verdict, Verdict};
use contactpoint_policy::{self as policy, BasisFault, FeedPermit, Moment};
use contactpoint_store::{Feed, FeedFault, FeedId, NewFeed, Registry, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use utoipa::ToSchema;

/// The most records that one request may carry.
pub const MOST_RECORDS: usize = 1000;

/// The most refused lines that a report lists.
const MOST_FAULTS: u32 = 1000;

/// Why a record is refused whose number is another child's on record, by name and by date of birth.
const CONFLICT: &str = "conflicting_identity";

/// Feeds whose columns are kept in memory; beyond, all are read again.
const MOST_OPEN: usize = 1024;

/// A file to be fed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"layout": "school-roll",
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "header": "Legal Surname,Legal Forename,DOB"}))]
pub struct BeginFeed {
    /// The name of its layout.
    pub layout: String,
    /// SHA-256 of the whole file, 64 hexadecimal digits. The same file is the same feed.
    #[serde(with = "hex32")]
    #[schema(value_type = String, min_length = 64, max_length = 64)]
    pub digest: [u8; 32],
    /// The file's first line.
    pub header: String,
}

/// Where a feed stands.
#[derive(Serialize, ToSchema)]
pub struct FeedBegun {
    /// Its number.
    feed: i64,
    /// The record to be sent next; the header is 1.
    next_line: u32,
    /// Records taken in so far.
    accepted: u32,
    /// Records refused so far.
    rejected: u32,
}

/// What became of the records of one request.
#[derive(Serialize, ToSchema)]
pub struct LinesTaken {
    /// The record to be sent next.
    next_line: u32,
    /// New children.
    created: u32,
    /// Joined to a child on record.
    joined: u32,
    /// Said already in the same words.
    unchanged: u32,
    /// Refused.
    rejected: Vec<RejectedLine>,
}

/// A refused record: where and why, never what it said.
#[derive(Serialize, ToSchema)]
pub struct RejectedLine {
    /// Record number; the header is 1.
    line: u32,
    /// The column at fault, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// A code of the closed list in docs/feeds.md.
    reason: String,
}

/// No record is left.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lines": 412}))]
pub struct FinishFeed {
    /// The records of the file, the header included: one less than the record expected next.
    pub lines: u32,
}

/// What became of a feed.
#[derive(Serialize, ToSchema)]
pub struct FeedReport {
    feed: i64,
    layout: String,
    next_line: u32,
    complete: bool,
    created: u32,
    joined: u32,
    unchanged: u32,
    rejected_count: u32,
    /// The first 1,000 of them.
    rejected: Vec<RejectedLine>,
}

/// The columns of the feeds under way, so that a request need not read its header again.
#[derive(Default)]
pub(crate) struct OpenFeeds(Mutex<HashMap<(OrganisationId, i64), Arc<Columns>>>);

impl OpenFeeds {
    fn columns(&self, organisation: OrganisationId, feed: FeedId) -> Option<Arc<Columns>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(organisation, feed.0)).cloned()
    }

    fn keep(&self, organisation: OrganisationId, feed: FeedId, columns: Arc<Columns>) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MOST_OPEN {
            open.clear();
        }
        open.insert((organisation, feed.0), columns);
    }
}

/// A chunk's records, read; each is a statement or a fault.
type Read = Vec<Result<Statement, LineFault>>;

impl Directory {
    /// Begins a feed, or says where the feed of this file goes on.
    pub async fn begin_feed(&self, caller: &Caller, request: BeginFeed, now: Instant) -> Answered<FeedBegun> {
        let blank = entry(caller, Role::DataSteward, Operation::Feed, now);
        let permit = match policy::feed(caller, Moment::of(now)) {
            Ok(permit) => permit,
            Err(refusal) => return self.refuse(blank, refusal.into()).await,
        };
        let columns = match columns(&self.layouts, &request.layout, &request.header) {
            Ok(columns) => Arc::new(columns),
            Err(refused) => return self.refuse(blank, refused).await,
        };
        let organisation = permit.by().organisation;
        let by = caller.clone();
        let begun = self.store.change(move |transaction| {
            let result = match still_feeds(transaction, &by, now)? {
                Ok(permit) => begin(transaction, &permit, request)?,
                Err(refused) => Err(refused),
            };
            let entry = with_outcome(blank, &result);
            Ok((result, entry))
        });
        let begun = begun.await?;
        if let Ok(begun) = begun.get() {
            self.feeds.keep(organisation, FeedId(begun.feed), columns);
        }
        Ok(begun)
    }

    /// Takes in the records of one request: all of them, the bad ones as faults, in one transaction.
    pub async fn feed_lines(&self, caller: &Caller, feed: FeedId, first_line: u32, body: Bytes, now: Instant) -> Answered<LinesTaken> {
        let blank = entry(caller, Role::DataSteward, Operation::Feed, now);
        let permit = match policy::feed(caller, Moment::of(now)) {
            Ok(permit) => permit,
            Err(refusal) => return self.refuse(blank, refusal.into()).await,
        };
        let Some(columns) = self.columns_of(&permit, feed)? else {
            return self.refuse(blank, Refused::NoSuchFeed).await;
        };
        let by = permit.by();
        let provenance = Provenance { source: by.organisation, author: by.person, at: now };
        let Some(read) = read(columns, body, provenance).await? else {
            return self.refuse(blank, Refused::TooManyRecords).await;
        };
        let (by, due) = (caller.clone(), self.due(now));
        self.store
            .change(move |transaction| {
                let mut joined = Vec::new();
                let result = match still_feeds(transaction, &by, now)? {
                    Ok(permit) => take_lines(transaction, &permit, feed, first_line, read, due, &mut joined)?,
                    Err(refused) => Err(refused),
                };
                // a source that joins a child on record knows of it, and has it in its scope from now on: the child's log says so (rules D1, F3)
                let entry = with_outcome(Entry { children: joined, ..blank }, &result);
                Ok((result, entry))
            })
            .await
    }

    /// Notes that no record is left, and reports.
    pub async fn finish_feed(&self, caller: &Caller, feed: FeedId, lines: u32, now: Instant) -> Answered<FeedReport> {
        let blank = entry(caller, Role::DataSteward, Operation::Feed, now);
        let by = caller.clone();
        self.store
            .change(move |transaction| {
                let result = match still_feeds(transaction, &by, now)? {
                    Ok(permit) => finish(transaction, &permit, feed, lines)?,
                    Err(refused) => Err(refused),
                };
                let entry = with_outcome(blank, &result);
                Ok((result, entry))
            })
            .await
    }

    /// Reports on a feed of the caller's organisation.
    pub async fn feed_report(&self, caller: &Caller, feed: FeedId, now: Instant) -> Answered<FeedReport> {
        let blank = entry(caller, Role::DataSteward, Operation::Feed, now);
        let permit = match policy::feed(caller, Moment::of(now)) {
            Ok(permit) => permit,
            Err(refusal) => return self.refuse(blank, refusal.into()).await,
        };
        self.store
            .look(move |snapshot| {
                let result = match own_feed(snapshot.feed(feed)?, &permit) {
                    Some(feed) => Ok(report(&feed, snapshot.feed_faults(feed.id, MOST_FAULTS)?)),
                    None => Err(Refused::NoSuchFeed),
                };
                let entry = with_outcome(blank, &result);
                Ok((result, entry))
            })
            .await
    }

    /// The columns of a feed of the caller's organisation: from memory, or after a restart from the store.
    fn columns_of(&self, permit: &FeedPermit, feed: FeedId) -> Result<Option<Arc<Columns>>, StoreError> {
        let organisation = permit.by().organisation;
        if let Some(known) = self.feeds.columns(organisation, feed) {
            return Ok(Some(known));
        }
        let found = self.store.registry(|registry| Ok(own_feed(registry.feed(feed)?, permit)))?;
        let read = found.and_then(|found| columns(&self.layouts, &found.layout, &found.header).ok()).map(Arc::new);
        if let Some(columns) = &read {
            self.feeds.keep(organisation, feed, Arc::clone(columns));
        }
        Ok(read)
    }
}

fn columns(layouts: &BTreeMap<String, Layout>, layout: &str, header: &str) -> Result<Columns, Refused> {
    let layout = layouts.get(layout).ok_or(Refused::UnknownLayout)?;
    layout.header(header.as_bytes()).map_err(Refused::Header)
}

/// A feed of the organisation that the permit is for; another's is not there.
fn own_feed(feed: Option<Feed>, permit: &FeedPermit) -> Option<Feed> {
    feed.filter(|feed| feed.organisation == permit.by().organisation)
}

fn begin(transaction: &mut Transaction<'_>, permit: &FeedPermit, request: BeginFeed) -> Result<Result<FeedBegun, Refused>, StoreError> {
    let BeginFeed { layout, digest, header } = request;
    let new = NewFeed { organisation: permit.by().organisation, layout, digest, header };
    if let Some(Feed { id, next_line, counts, header, .. }) = transaction.feed_of(new.organisation, &new.layout, &new.digest)? {
        if header != new.header {
            return Ok(Err(Refused::OtherHeader));
        }
        let accepted = counts.created + counts.joined + counts.unchanged;
        return Ok(Ok(FeedBegun { feed: id.0, next_line, accepted, rejected: counts.rejected }));
    }
    let id = transaction.begin_feed(&new)?;
    Ok(Ok(FeedBegun { feed: id.0, next_line: 2, accepted: 0, rejected: 0 }))
}

/// May the caller feed, as this transaction finds them and their organisation (rules B2, B4)?
fn still_feeds(registry: &Registry<'_>, caller: &Caller, now: Instant) -> Result<Result<FeedPermit, Refused>, StoreError> {
    Ok(still(registry, caller)?.and_then(|by| Ok(policy::feed(&by, Moment::of(now))?)))
}

/// Reads a chunk away from the threads that answer and from the one that writes. `None` where it has too many records.
async fn read(columns: Arc<Columns>, body: Bytes, provenance: Provenance) -> Result<Option<Read>, StoreError> {
    let parse = move || {
        let statement = |intake: Intake| intake.into_statement(provenance);
        let records = columns.records(&body, provenance.at).take(MOST_RECORDS + 1);
        let read: Read = records.map(|(_, record)| record.map(statement)).collect();
        (read.len() <= MOST_RECORDS).then_some(read)
    };
    tokio::task::spawn_blocking(parse).await.map_err(|_| StoreError::Stopped)
}

/// The statement, if it says on what basis a sensitive service is recorded, and only then (rule E8).
fn on_its_basis(permit: &FeedPermit, statement: Statement) -> Result<Statement, LineFault> {
    let reason = match policy::basis(permit, statement.involvement.basis) {
        Ok(()) => return Ok(statement),
        Err(BasisFault::Missing) => Reason::BasisMissing,
        Err(BasisFault::NotExpected) => Reason::BasisNotExpected,
    };
    Err(LineFault { field: None, reason })
}

fn take_lines(
    transaction: &mut Transaction<'_>,
    permit: &FeedPermit,
    feed: FeedId,
    first_line: u32,
    read: Read,
    due: Day,
    joined: &mut Vec<ChildNumber>,
) -> Result<Result<LinesTaken, Refused>, StoreError> {
    let Some(Feed { next_line, mut counts, complete, .. }) = own_feed(transaction.feed(feed)?, permit) else {
        return Ok(Err(Refused::NoSuchFeed));
    };
    if complete || first_line != next_line {
        return Ok(Err(Refused::FeedOutOfStep { next_line }));
    }
    let holds_new = transaction.organisation(permit.authority())?.is_some_and(|authority| authority.holds_new);
    let permitted = FeedPermitted { permit, holds_new, due };
    let before = counts;
    let mut faults = Vec::new();
    let mut line = first_line;
    for record in read {
        match record.and_then(|statement| on_its_basis(permit, statement)) {
            Ok(statement) => match take_in(transaction, &permitted, statement, joined)? {
                TakenIn::Created => counts.created += 1,
                TakenIn::Joined => counts.joined += 1,
                TakenIn::Unchanged => counts.unchanged += 1,
                TakenIn::Conflict => {
                    counts.rejected += 1;
                    faults.push(FeedFault { line, field: None, reason: CONFLICT.to_owned() });
                }
            },
            Err(LineFault { field, reason }) => {
                counts.rejected += 1;
                faults.push(FeedFault { line, field, reason: reason.code().to_owned() });
            }
        }
        line += 1;
    }
    transaction.advance_feed(feed, line, &counts, &faults)?;
    Ok(Ok(LinesTaken {
        next_line: line,
        created: counts.created - before.created,
        joined: counts.joined - before.joined,
        unchanged: counts.unchanged - before.unchanged,
        rejected: faults.into_iter().map(rejected).collect(),
    }))
}

/// What became of a good record.
enum TakenIn {
    Created,
    Joined,
    Unchanged,
    Conflict,
}

/// Who feeds, and whether new records of that area wait for its authority.
pub(crate) struct FeedPermitted<'a> {
    pub(crate) permit: &'a FeedPermit,
    pub(crate) holds_new: bool,
    /// The last day on which the alert about a record that is held back is not overdue.
    pub(crate) due: Day,
}

/// Joins a statement to the child it speaks of, or makes a new record (rules A4, A7, H2 in its exact form); what may be of a guarded child is
/// held back (rule E4). `joined` gets the number of a child that was on record, where this source speaks of it for the first time or it comes into its scope.
fn take_in(
    transaction: &mut Transaction<'_>,
    permitted: &FeedPermitted<'_>,
    mut statement: Statement,
    joined: &mut Vec<ChildNumber>,
) -> Result<TakenIn, StoreError> {
    let (same, guarded_by) = match met(transaction, &statement)? {
        Met::Again(held) => (Some(held), None),
        Met::Conflict => return Ok(TakenIn::Conflict),
        Met::Others { open, .. } if open.iter().any(|held| verdict(&held.record, &statement) == Verdict::Conflict) => {
            return Ok(TakenIn::Conflict);
        }
        Met::Others { open, guarded_by } => (open.into_iter().find(|held| verdict(&held.record, &statement) == Verdict::Same), guarded_by),
    };
    if let Some(authority) = guarded_by {
        hold_back(transaction, permitted, authority, statement)?;
        return Ok(if same.is_some() { TakenIn::Joined } else { TakenIn::Created });
    }
    let Some(held) = same else {
        let authority = permitted.permit.authority();
        if permitted.holds_new {
            hold_back(transaction, permitted, authority, statement)?;
        } else {
            let number = transaction.free_child_number()?;
            transaction.add_child(&ChildRecord::new(number, authority, statement))?;
        }
        return Ok(TakenIn::Created);
    };
    let said = held.record.said_by(statement.provenance.source);
    // work that ended then did not end again now
    if let (Some(now), Some(then)) = (&mut statement.involvement.ended, said.and_then(|said| said.involvement.ended)) {
        *now = then;
    }
    if said.is_some_and(|said| said.says_the_same_as(&statement)) {
        return Ok(TakenIn::Unchanged);
    }
    // whoever speaks of it for the first time learns by the report that it is on record, also by saying that the work ended
    if said.is_none() || (!held.record.works_with(statement.provenance.source) && statement.involvement.ended.is_none()) {
        joined.push(held.record.number.clone());
    }
    let mut record = held.record.clone();
    // the former statement is in the history with the row that held it (rule A6)
    drop(record.accept(statement));
    transaction.put_child(&held, &record)?;
    Ok(TakenIn::Joined)
}

fn finish(
    transaction: &mut Transaction<'_>,
    permit: &FeedPermit,
    feed: FeedId,
    lines: u32,
) -> Result<Result<FeedReport, Refused>, StoreError> {
    let Some(mut found) = own_feed(transaction.feed(feed)?, permit) else {
        return Ok(Err(Refused::NoSuchFeed));
    };
    if lines.checked_add(1) != Some(found.next_line) {
        return Ok(Err(Refused::FeedOutOfStep { next_line: found.next_line }));
    }
    transaction.finish_feed(feed)?;
    found.complete = true;
    let faults = transaction.feed_faults(feed, MOST_FAULTS)?;
    Ok(Ok(report(&found, faults)))
}

fn report(feed: &Feed, faults: Vec<FeedFault>) -> FeedReport {
    FeedReport {
        feed: feed.id.0,
        layout: feed.layout.clone(),
        next_line: feed.next_line,
        complete: feed.complete,
        created: feed.counts.created,
        joined: feed.counts.joined,
        unchanged: feed.counts.unchanged,
        rejected_count: feed.counts.rejected,
        rejected: faults.into_iter().map(rejected).collect(),
    }
}

fn rejected(FeedFault { line, field, reason }: FeedFault) -> RejectedLine {
    RejectedLine { line, field, reason }
}

/// 32 bytes as 64 hexadecimal digits.
mod hex32 {
    use serde::{de::Error, Deserialize, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        let refused = || D::Error::custom("is not 64 hexadecimal digits");
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(refused());
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| refused())?;
        }
        Ok(bytes)
    }
}
