//! The statement of who saw a child (rule F3), sealed for the person who asked for it under the law: the auditor who makes it, and every machine on
//! its way, holds bytes that they cannot read (rule G8).

use crate::entries::{entry, with_outcome};
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation};
use contactpoint_domain::{ChildNumber, Instant, InvalidValue, Purpose, Role};
use contactpoint_identity::{Caller, Confirmed};
use contactpoint_policy::{self as policy, Moment, Refusal};
use contactpoint_sealing::Recipient;
use contactpoint_statement::{Did, Look, SubjectAccess, Unsigned};
use contactpoint_store::{ErasedEntries, Look as Found, Proved, Snapshot, StoreError};
use serde::{Deserialize, Serialize};
use std::ops::{Range, RangeInclusive};
use tokio::runtime::{Handle, RuntimeFlavor};
use utoipa::ToSchema;

/// The most looks in one statement; of more it has the newest, and says where the rest begins.
pub const MOST_STATED: u32 = 10_000;

/// Whom a document is sealed for: an X25519 public key of age.
#[derive(Deserialize, Serialize, ToSchema, Clone)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "age1j7jlf6v9cec0e0dmu6s3fd4usn0gfca46n8crv6884a53zu7qq7qmp7gfs")]
pub struct SealedFor(pub(crate) Recipient);

impl TryFrom<String> for SealedFor {
    type Error = InvalidValue;
    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse().map(Self).map_err(|_| InvalidValue { what: "recipient", why: "is no X25519 key of age" })
    }
}
impl From<SealedFor> for String {
    fn from(recipient: SealedFor) -> Self {
        recipient.0.to_string()
    }
}

/// Which child, and whom the statement is for. The reason is always subject-access.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"child_number": "4182736451",
    "recipient": "age1j7jlf6v9cec0e0dmu6s3fd4usn0gfca46n8crv6884a53zu7qq7qmp7gfs", "code": "492817"}))]
pub struct StatementRequest {
    /// The child's number.
    pub child_number: ChildNumber,
    /// The public key of whoever receives it.
    pub recipient: SealedFor,
    /// The entry before which the looks are that are wanted; absent: all. For the older part where a statement says that it is one.
    #[serde(default)]
    pub before: Option<u64>,
    /// The six digits that the authenticator shows now.
    pub code: String,
}

/// A document that only its recipient can open. It has no other form, and nothing makes one but sealing.
pub struct SealedDocument(Vec<u8>);

impl SealedDocument {
    /// Signs a document in the HSM and seals it.
    pub(crate) fn of(directory: &Directory, unsigned: Unsigned, recipient: Recipient) -> Result<Self, StoreError> {
        let note = directory.store.sign_statement(unsigned.text())?;
        let sealed = recipient.seal(unsigned.signed(&note).as_bytes());
        sealed.map(Self).map_err(|_| StoreError::Value(InvalidValue { what: "recipient", why: "cannot be sealed for" }))
    }

    /// The bytes, which are noise to everybody else.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Directory {
    /// Every look at a child, as a document for one recipient. `proof`: what came of the auditor's code.
    pub async fn statement(
        &self,
        caller: &Caller,
        request: StatementRequest,
        proof: Result<Confirmed, Refusal>,
        now: Instant,
    ) -> Answered<SealedDocument> {
        let StatementRequest { child_number, recipient: SealedFor(recipient), before, code: _ } = request;
        let permit = policy::statement(caller, Moment::of(now), proof).map_err(Refused::from);
        // signed first and indexed then: the index knows all that the head covers
        let head = self.receipts.head(before.unwrap_or_default(), now)?;
        if permit.is_ok() {
            self.store.index_looks_at(&child_number).await?;
        }
        let blank = Entry {
            reason: Some(Purpose::SubjectAccess),
            children: vec![child_number.clone()],
            ..entry(caller, Role::Auditor, Operation::MakeStatement, now)
        };
        let made = |snapshot: &Snapshot<'_>, size: u64, note: &str| {
            let (among, looks) = stated(self, snapshot, &child_number, size, before.map_or(size, |before| before.min(size)))?;
            let key = self.store.log_key();
            let (log, child) = (key.name(), &child_number);
            let erased = &erased_below(snapshot, size)?;
            let statement = SubjectAccess { log, child, made: now, size, among, looks: &looks, erased, checkpoint: note };
            SealedDocument::of(self, statement.written(), recipient).map(Ok::<_, Refused>)
        };
        self.look(blank, |snapshot, blank| {
            let result = match (permit, head) {
                (Err(refused), _) => Err(refused),
                // nothing is signed yet: a second later it is
                (Ok(_), None) => return Err(StoreError::Unsigned),
                (Ok(_), Some((size, note))) => beside(|| made(snapshot, size, &note))?,
            };
            let entry = with_outcome(blank, &result);
            Ok((result, entry))
        })
        .await
    }
}

/// Does what takes up to a second without keeping the requests waiting that share this thread.
pub(crate) fn beside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // a thread that serves nobody else
        _ => work(),
    }
}

/// What of the entries below a head was erased: a document says that it does not know of these.
pub(crate) fn erased_below(snapshot: &Snapshot<'_>, size: u64) -> Result<Vec<RangeInclusive<u64>>, StoreError> {
    let erased = snapshot.erased()?.into_iter().filter(|erased| erased.first < size);
    Ok(erased.map(|ErasedEntries { first, last }| first..=last).collect())
}

/// The looks before an entry that a head of this size covers, oldest first, and the entries that they are all the looks of.
fn stated(
    directory: &Directory,
    snapshot: &Snapshot<'_>,
    child: &ChildNumber,
    size: u64,
    before: u64,
) -> Result<(Range<u64>, Vec<Look>), StoreError> {
    let found = snapshot.looks_at(child, Some(before), MOST_STATED + 1)?;
    let (first, found) = newest(found, MOST_STATED as usize);
    let mut looks = Vec::with_capacity(found.len());
    for Found { index, entry } in found.into_iter().rev() {
        let Some(did) = Did::of(entry.operation, entry.outcome) else { continue };
        let Some(Proved { hash: leaf, path, .. }) = snapshot.proved(&directory.receipts, index, size)? else { continue };
        let organisation = entry.organisation.map(|id| snapshot.organisation(id)).transpose()?.flatten();
        let organisation = organisation.map(|found| found.name.as_str().to_owned());
        looks.push(Look { index, at: entry.at, organisation, role: entry.role, did, reason: entry.reason, leaf, path });
    }
    Ok((first..before, looks))
}

/// The first so many, which are the newest, and the first entry from which on they are all: one entry's look stands in one document.
fn newest(mut found: Vec<Found>, most: usize) -> (u64, Vec<Found>) {
    if found.len() <= most {
        return (0, found);
    }
    found.truncate(most);
    (found.last().map_or(0, |oldest| oldest.index), found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reviewing::of_the_daemon;

    #[test]
    fn of_too_many_looks_the_newest_are_stated_and_no_entry_twice() {
        // F3: nobody floods a child's statement away; two parts are the whole
        let looks = |before: u64| {
            (0..before).rev().map(|index| Found { index: 3 * index, entry: of_the_daemon(Operation::View, Instant::default()) })
        };
        let indices = |(first, found): (u64, Vec<Found>)| (first, found.iter().map(|look| look.index).collect::<Vec<_>>());
        assert_eq!(indices(newest(looks(5).collect(), 3)), (6, vec![12, 9, 6]));
        // what comes before entry 6
        assert_eq!(indices(newest(looks(2).collect(), 3)), (0, vec![3, 0]));
        assert_eq!(indices(newest(looks(3).collect(), 3)), (0, vec![6, 3, 0]));
    }
}
