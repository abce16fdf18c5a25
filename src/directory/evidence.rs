//! Evidence of what a person did (rule F5), sealed for its recipient: one auditor asks, another approves the same, and the first one fetches it. Each
//! step is an entry, and the request is a row that changes with it.
//!
//! What a person looked at is told as the log has it: the children, the fields, the outcome. That is what evidence of misuse is, and the reason for
//! two auditors and a recipient. What the authority's officers decide about a child is no look and is left out (rule E5).

use crate::alert_audit::refuse_period;
use crate::connect::still;
use crate::entries::{acting, with_outcome};
use crate::refused::Refused;
use crate::statements::{beside, erased_below, SealedDocument, SealedFor};
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation};
use contactpoint_domain::{ChildNumber, Day, EvidenceAsked, EvidenceCase, EvidenceId, Instant, OrganisationId, PersonId, Purpose};
use contactpoint_identity::{Caller, Confirmed};
use contactpoint_policy::{self as policy, Moment, Refusal};
use contactpoint_sealing::Recipient;
use contactpoint_statement::{Evidence, Names, Opened};
use contactpoint_store::{Prepared, Proved, Registry, Snapshot, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The most entries in one document; of more it has the oldest, and says from where on the next part is fetched.
const MOST_PROVED: usize = 5000;

/// The most children in one document: whoever opens it reads of them, and the entries of fetching it name each.
const MOST_CHILDREN: usize = 2000;

/// Which part of what was asked for.
#[derive(Deserialize, ToSchema, Default, Clone, Copy)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from_entry": 84213}))]
pub struct EvidencePart {
    /// The entry from which on; absent: the first part. A part that is not the last says where the next begins.
    #[serde(default)]
    pub from_entry: u64,
}

/// A document that was fetched.
pub struct FetchedEvidence {
    /// For its recipient.
    pub document: SealedDocument,
    /// Where the next part begins, where this is not the last.
    pub next: Option<u64>,
}

/// A document, and the children in it.
type Made = (FetchedEvidence, Vec<ChildNumber>);

/// What counts as looking.
const LOOKING: &[Operation] = &[
    Operation::Search,
    Operation::View,
    Operation::BreakGlass,
    Operation::OverrideShield,
    Operation::AskContact,
    Operation::WhoSaw,
    Operation::MakeStatement,
    Operation::FetchEvidence,
];

/// What is asked for; whoever approves says the same again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"person": 17, "from": "2026-10-01", "to": "2026-10-31", "reason": "audit",
    "recipient": "age1j7jlf6v9cec0e0dmu6s3fd4usn0gfca46n8crv6884a53zu7qq7qmp7gfs", "code": "492817"}))]
pub struct EvidenceRequest {
    /// Whose looks.
    pub person: PersonId,
    /// The first day.
    pub from: Day,
    /// The last day, within a year.
    pub to: Day,
    /// Why: audit.
    pub reason: Purpose,
    /// The public key of whoever receives it.
    pub recipient: SealedFor,
    /// The six digits that the authenticator shows now.
    pub code: String,
}

/// How a request stands.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"id": 418273645, "approved": true, "until": "2026-11-29T10:30:00Z", "entry": 84213}))]
pub struct EvidenceStanding {
    /// Its number.
    id: EvidenceId,
    /// A second auditor has approved it.
    approved: bool,
    /// The next step, to approve or to fetch, is to be taken by then.
    #[schema(value_type = String, format = DateTime)]
    until: Instant,
}

impl EvidenceStanding {
    fn of(case: &EvidenceCase) -> Self {
        Self { id: case.id, approved: case.approved.is_some(), until: case.until() }
    }
}

impl EvidenceRequest {
    fn asked(&self) -> EvidenceAsked {
        let Self { person, from, to, reason, recipient: SealedFor(recipient), code: _ } = self;
        EvidenceAsked { person: *person, from: *from, to: *to, reason: *reason, recipient: recipient.bytes() }
    }
}

impl Directory {
    /// Asks for evidence; it waits for another auditor.
    pub async fn request_evidence(
        &self,
        caller: &Caller,
        request: &EvidenceRequest,
        proof: Result<Confirmed, Refusal>,
        now: Instant,
    ) -> Answered<EvidenceStanding> {
        let (by, asked) = (caller.clone(), request.asked());
        let blank = Entry { reason: Some(asked.reason), ..acting(caller, Operation::RequestEvidence, now) };
        self.alter(blank, move |transaction, blank| {
            let by = still(transaction, &by)?;
            let permit = by.and_then(|by| Ok(policy::request_evidence(&by, Moment::of(now), &asked, proof)?));
            let permit = permit.and_then(|permit| refuse_period(asked.from, asked.to).map(|()| permit));
            let is_known = transaction.account(asked.person)?.is_some();
            let result = match permit {
                Ok(_) if !is_known => Err(Refused::Unknown("person")),
                Ok(permit) => Ok(EvidenceStanding::of(&transaction.add_evidence(&asked, permit.by().person, now)?)),
                Err(refused) => Err(refused),
            };
            let entry = with_outcome(blank, &result);
            Ok((result, entry))
        })
        .await
    }

    /// Approves what another auditor asked for. `request`: what the caller believes to approve; anything else is refused.
    pub async fn approve_evidence(
        &self,
        caller: &Caller,
        id: EvidenceId,
        request: &EvidenceRequest,
        proof: Result<Confirmed, Refusal>,
        now: Instant,
    ) -> Answered<EvidenceStanding> {
        let (by, says) = (caller.clone(), request.asked());
        let blank = Entry { reason: Some(says.reason), ..acting(caller, Operation::ApproveEvidence, now) };
        self.alter(blank, move |transaction, blank| {
            let by = still(transaction, &by)?;
            let case = found(transaction, id)?;
            let permit = by.and_then(|by| {
                let case = case?;
                Ok((case, policy::approve_evidence(&by, Moment::of(now), &case, &says, proof)?))
            });
            let result = match permit {
                Ok((case, permit)) => {
                    let case = EvidenceCase { approved: Some((permit.by().person, now)), ..case };
                    transaction.put_evidence(&case)?;
                    Ok(EvidenceStanding::of(&case))
                }
                Err(refused) => Err(refused),
            };
            let entry = with_outcome(blank, &result);
            Ok((result, entry))
        })
        .await
    }

    /// Fetches a part of the evidence that was approved. It is made first, on a reader, and leaves with the entries that say so.
    pub async fn fetch_evidence(&self, caller: &Caller, id: EvidenceId, part: EvidencePart, now: Instant) -> Answered<FetchedEvidence> {
        let case = self.store.registry(|registry| found(registry, id))?;
        let may = case.and_then(|case| Ok((case, policy::fetch_evidence(caller, Moment::of(now), &case)?)));
        let made = match may {
            Ok((case, _)) => match self.made(&case, part, now).await {
                Ok(made) => made,
                // F1: an attempt that ends in a fault of ours is in the log as well
                Err(fault) => return self.attempted(acting(caller, Operation::FetchEvidence, now), Err(fault)).await,
            },
            Err(refused) => Err(refused),
        };
        let by = caller.clone();
        self.alter(acting(caller, Operation::FetchEvidence, now), move |transaction, blank| {
            // what held before the document was made may hold no longer
            let by = still(transaction, &by)?;
            let case = found(transaction, id)?;
            let permit = by.and_then(|by| {
                let case = case?;
                Ok((case, policy::fetch_evidence(&by, Moment::of(now), &case)?))
            });
            let result = match permit.and_then(|(case, _)| Ok((case, transaction.release(made?)))) {
                Ok((case, made)) => {
                    transaction.put_evidence(&EvidenceCase { fetched: case.fetched.saturating_add(1), ..case })?;
                    Ok(made)
                }
                Err(refused) => Err(refused),
            };
            // whoever opens it reads of these children (rule F3)
            let (result, children) = result.map_or_else(|refused| (Err(refused), Vec::new()), |(made, children)| (Ok(made), children));
            let entry = with_outcome(Entry { children, ..blank }, &result);
            Ok((result, entry))
        })
        .await
    }

    async fn made(&self, case: &EvidenceCase, part: EvidencePart, now: Instant) -> Result<Result<Prepared<Made>, Refused>, StoreError> {
        let (size, note) = self.receipts.head(part.from_entry.saturating_add(1), now)?.ok_or(StoreError::Unsigned)?;
        let Some((approver, _)) = case.approved else { return Ok(Err(Refused::Policy(Refusal::NotApproved))) };
        let EvidenceAsked { person, from, to, reason: _, recipient } = case.asked;
        let (from, to) = (from.begins(), to.ends());
        let wanted = |entry: &Entry| entry.person == Some(person) && LOOKING.contains(&entry.operation);
        let first = part.from_entry.min(size);
        let found = self.store.entries_between((from, to), first..size, MOST_PROVED + 1, wanted).await?;
        let (indices, more) = found.split_at(found.len().min(MOST_PROVED));
        let key = self.store.log_key();
        let build = |snapshot: &Snapshot<'_>| {
            let mut entries = self.opened(snapshot, indices, size)?;
            let (fitting, children) = fitting(&entries);
            let next = entries.get(fitting).map(|opened| opened.index).or(more.first().copied());
            entries.truncate(fitting);
            let among = first..next.unwrap_or(size);
            let names = names(snapshot, person, &entries)?;
            let auditors = (case.by, approver);
            let checkpoint = &note;
            let (entries, names, erased) = (&entries, &names, &erased_below(snapshot, size)?);
            let evidence = Evidence { key: &key, person, from, to, auditors, made: now, size, among, entries, erased, names, checkpoint };
            let document = SealedDocument::of(self, evidence.written(), Recipient::of_bytes(recipient))?;
            Ok((FetchedEvidence { document, next }, children))
        };
        beside(|| self.store.prepare(build)).map(Ok)
    }

    fn opened(&self, snapshot: &Snapshot<'_>, indices: &[u64], size: u64) -> Result<Vec<Opened>, StoreError> {
        let mut opened = Vec::with_capacity(indices.len());
        for index in indices {
            if let Some(Proved { index, entry, leaf, key, hash: _, path }) = snapshot.proved(&self.receipts, *index, size)? {
                opened.push(Opened { index, entry, leaf, key, path });
            }
        }
        Ok(opened)
    }
}

fn found(registry: &Registry<'_>, id: EvidenceId) -> Result<Result<EvidenceCase, Refused>, StoreError> {
    Ok(registry.evidence(id)?.ok_or(Refused::NotFoundOrNotYours))
}

/// How many of the entries, from the first on, one document has room for by the children in them, and these children. It has room for the first.
fn fitting(entries: &[Opened]) -> (usize, Vec<ChildNumber>) {
    let mut children = BTreeSet::new();
    for (count, opened) in entries.iter().enumerate() {
        let others = opened.entry.children.iter().filter(|child| !children.contains(*child)).count();
        if count > 0 && children.len() + others > MOST_CHILDREN {
            return (count, children.into_iter().cloned().collect());
        }
        children.extend(&opened.entry.children);
    }
    (entries.len(), children.into_iter().cloned().collect())
}

/// The names that go with the numbers in the entries.
fn names(registry: &Registry<'_>, person: PersonId, entries: &[Opened]) -> Result<Names, StoreError> {
    let mut lines = Vec::new();
    if let Some(account) = registry.account(person)? {
        lines.push(format!("person {}: {} {}", person.0, account.name.given.as_str(), account.name.family.as_str()));
    }
    let organisations: BTreeSet<OrganisationId> = entries.iter().filter_map(|opened| opened.entry.organisation).collect();
    for id in organisations {
        if let Some(organisation) = registry.organisation(id)? {
            lines.push(format!("organisation {}: {}", id.0, organisation.name.as_str()));
        }
    }
    Ok(Names { lines })
}
