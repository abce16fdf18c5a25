//! View one child (rules A1, D1, D2): who else works with it and how to reach them.

use crate::entries::{entry, with_outcome};
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation, Outcome, RefusalCode};
use contactpoint_domain::{ChildNumber, Instant, Organisation, OrganisationId, Purpose, Role};
use contactpoint_identity::Caller;
use contactpoint_policy::{self as policy, ChildView, Moment, Refusal, Relation};
use contactpoint_store::{Held, Snapshot, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// Which child, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewRequest {
    /// The child's number.
    pub child_number: ChildNumber,
    /// Why (rule D2).
    pub reason: Purpose,
}

/// The child.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
pub struct ViewAnswer(ChildView);

impl Directory {
    /// Shows one child of the caller's scope. A child outside and a child that is not on record get one and the same refusal.
    pub async fn view(&self, caller: &Caller, request: &ViewRequest, now: Instant) -> Answered<ViewAnswer> {
        let generation = self.store.registry_generation();
        let blank = Entry {
            reason: Some(request.reason),
            children: vec![request.child_number.clone()],
            ..entry(caller, Role::Practitioner, Operation::View, now)
        };
        self.look(blank, move |snapshot, blank| {
            let held = snapshot.child(&request.child_number)?;
            let relation = Relation::between(caller.organisation(), held.as_ref().map(|held| &held.record));
            let permit = match policy::view(caller, Moment::of(now), request.reason, relation) {
                Ok(permit) => permit,
                Err(refusal) => return Ok(refuse(refusal, held.is_some(), blank)),
            };
            let behind = self.behind(snapshot, generation, held.as_ref())?;
            let view = held.and_then(|held| permit.show(&held.record, |id| behind.get(&id).map(|found| Organisation::clone(found))));
            let shown = view.as_ref().map_or_else(Vec::new, ChildView::fields);
            let result = view.map(ViewAnswer).ok_or(Refused::NotFoundOrNotYours);
            let entry = with_outcome(Entry { shown, ..blank }, &result);
            Ok((result, entry))
        })
        .await
    }

    /// The organisations behind a record's statements.
    fn behind(
        &self,
        snapshot: &Snapshot<'_>,
        generation: u64,
        held: Option<&Held>,
    ) -> Result<HashMap<OrganisationId, Arc<Organisation>>, StoreError> {
        let mut behind = HashMap::new();
        for statement in held.iter().flat_map(|held| &held.record.statements) {
            let id = statement.provenance.source;
            if let Some(organisation) = self.organisations.of(snapshot, generation, id)? {
                behind.insert(id, organisation);
            }
        }
        Ok(behind)
    }
}

/// The log tells a child outside the scope from one that is not on record; the caller is not told.
fn refuse(refusal: Refusal, on_record: bool, blank: Entry) -> (Result<ViewAnswer, Refused>, Entry) {
    let outcome =
        if refusal == Refusal::OutsideScope && !on_record { Outcome::NotFound } else { Outcome::Refused(RefusalCode::from(refusal)) };
    (Err(refusal.into()), Entry { outcome, ..blank })
}
