//! Who saw this child? (rule F3): viewed, listed, refused, and who brought it into their scope by a feed; one query for the auditor.
//!
//! What the authority's officers decided about a child shows nobody anything of it: that stays in the log, and out of this answer, which would
//! tell who is shielded (rule E5). An override is told as what it is for this question, a broken glass.

use crate::cursor::{Cursor, Question};
use crate::entries::{entry, with_outcome};
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation};
use contactpoint_domain::{ChildNumber, Instant, Name, OrganisationId, OrganisationName, PersonId, Purpose, Role};
use contactpoint_identity::Caller;
use contactpoint_policy::{self as policy, Moment, WhoSawPermit};
use contactpoint_store::{ErasedEntries, Look, Registry, Snapshot, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::btree_map::{BTreeMap, Entry as MapEntry};
use utoipa::ToSchema;

/// The most looks that one answer lists, the newest.
pub const MOST_LOOKS: u32 = 1000;

/// Acts that show nothing of a child, and would tell that it is shielded, for named people, or held back (rules D8, E4, E5).
const DECISIONS: &[Operation] = &[Operation::Shield, Operation::Unshield, Operation::SetAudience, Operation::SettleRecord];

/// Which child, and why one asks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"child_number": "4182736451", "reason": "subject-access"}))]
pub struct WhoSawRequest {
    /// The child's number.
    pub child_number: ChildNumber,
    /// Why: audit or subject-access.
    pub reason: Purpose,
    /// For the older looks: from the answer before, with the same child and reason.
    pub cursor: Option<Cursor>,
}

/// The looks at the child, newest first, at most 1,000.
#[derive(Serialize, ToSchema)]
pub struct WhoSawAnswer {
    looks: Vec<LookAnswer>,
    /// There where there are older looks: ask again with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<Cursor>,
    /// Entries of the log that were erased: looks among them are told to nobody any more. Absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    erased: Vec<ErasedAnswer>,
}

/// Entries of the log that stand together and were erased.
#[derive(Serialize, ToSchema)]
pub struct ErasedAnswer {
    /// The first of them.
    first: u64,
    /// The last of them.
    last: u64,
}

/// One look.
#[derive(Serialize, ToSchema)]
pub struct LookAnswer {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// Its index in the log.
    entry: u64,
    /// Who looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<Looker>,
    /// For which organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<LookerOrganisation>,
    /// In which role.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    /// What was done: search, view, who-saw, ask-contact, break-glass (also where a shield was overridden), end-involvement; feed where a source
    /// joined a child that was on record; destroy-records and destroy-record where officers ended the record.
    operation: &'static str,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Purpose>,
    /// The fields shown.
    shown: Vec<&'static str>,
    /// What came of it: answered, not-found, too-many, or the reason of the refusal.
    outcome: &'static str,
    /// For whom without an account it was done (mediated access).
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<Name>,
}

/// A person who looked.
#[derive(Serialize, ToSchema)]
pub struct Looker {
    id: PersonId,
    name: Name,
}

/// The organisation they looked for.
#[derive(Serialize, ToSchema)]
pub struct LookerOrganisation {
    id: OrganisationId,
    name: OrganisationName,
}

impl Directory {
    /// Lists every look at a child, complete to the newest entry.
    pub async fn who_saw(&self, caller: &Caller, request: &WhoSawRequest, now: Instant) -> Answered<WhoSawAnswer> {
        let asked = [request.child_number.as_str().as_bytes(), &[request.reason.number()]].concat();
        let question = Question { operation: Operation::WhoSaw, asked: &asked };
        let before = request.cursor.as_ref().map(|cursor| self.cursors.place(caller, &question, cursor)).transpose();
        let permit = policy::who_saw(caller, Moment::of(now), request.reason).map_err(Refused::from);
        if permit.is_ok() {
            self.store.index_looks_at(&request.child_number).await?;
        }
        let blank = Entry {
            reason: Some(request.reason),
            children: vec![request.child_number.clone()],
            ..entry(caller, Role::Auditor, Operation::WhoSaw, now)
        };
        self.look(blank, move |snapshot, blank| {
            let result = match permit.and_then(|permit| Ok((permit, before?))) {
                Ok((permit, before)) => {
                    let (looks, more) = looks(&permit, snapshot, request, before)?;
                    let cursor = more.map(|last| self.cursors.to(caller, &question, last)).transpose()?;
                    let erased = snapshot.erased()?.into_iter().map(|ErasedEntries { first, last }| ErasedAnswer { first, last }).collect();
                    Ok(WhoSawAnswer { looks, cursor, erased })
                }
                Err(refused) => Err(refused),
            };
            let entry = with_outcome(blank, &result);
            Ok((result, entry))
        })
        .await
    }
}

/// Reads the looks, and the last entry of them where there are older ones; the permit is the proof that the caller may have them.
fn looks(
    _: &WhoSawPermit,
    snapshot: &Snapshot<'_>,
    request: &WhoSawRequest,
    before: Option<u64>,
) -> Result<(Vec<LookAnswer>, Option<u64>), StoreError> {
    let mut looks = snapshot.looks_at(&request.child_number, before, MOST_LOOKS + 1)?;
    let more = looks.len() > MOST_LOOKS as usize;
    looks.truncate(MOST_LOOKS as usize);
    let last = looks.last().filter(|_| more).map(|look| look.index);
    let looks = looks.into_iter().filter(|look| !DECISIONS.contains(&look.entry.operation));
    let mut names = Names { registry: snapshot, people: BTreeMap::new(), organisations: BTreeMap::new() };
    let looks = looks.map(|look| told(&mut names, look)).collect::<Result<_, _>>()?;
    Ok((looks, last))
}

/// The names in one answer: whoever looked often is opened once.
struct Names<'a> {
    registry: &'a Registry<'a>,
    people: BTreeMap<PersonId, Option<Name>>,
    organisations: BTreeMap<OrganisationId, Option<OrganisationName>>,
}

impl Names<'_> {
    fn looker(&mut self, id: PersonId) -> Result<Option<Looker>, StoreError> {
        let name = match self.people.entry(id) {
            MapEntry::Occupied(known) => known.into_mut(),
            MapEntry::Vacant(unknown) => unknown.insert(self.registry.account(id)?.map(|account| account.name)),
        };
        Ok(name.clone().map(|name| Looker { id, name }))
    }

    fn organisation(&mut self, id: OrganisationId) -> Result<Option<LookerOrganisation>, StoreError> {
        let name = match self.organisations.entry(id) {
            MapEntry::Occupied(known) => known.into_mut(),
            MapEntry::Vacant(unknown) => unknown.insert(self.registry.organisation(id)?.map(|found| found.name)),
        };
        Ok(name.clone().map(|name| LookerOrganisation { id, name }))
    }
}

fn told(names: &mut Names<'_>, Look { index, entry }: Look) -> Result<LookAnswer, StoreError> {
    let Entry { at, person, organisation, role, operation, reason, children: _, shown, outcome, changes: _, on_behalf_of, facts: _ } =
        entry;
    let operation = if operation == Operation::OverrideShield { Operation::BreakGlass } else { operation };
    Ok(LookAnswer {
        at,
        entry: index,
        person: person.map(|id| names.looker(id)).transpose()?.flatten(),
        organisation: organisation.map(|id| names.organisation(id)).transpose()?.flatten(),
        role,
        operation: operation.code(),
        reason,
        shown: shown.into_iter().map(|field| field.code()).collect(),
        outcome: outcome.code(),
        on_behalf_of,
    })
}
