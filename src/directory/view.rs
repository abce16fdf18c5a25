//! View one child (rules A1, D1, D2): who else works with it and how to reach them.

use crate::entries::{acting, with_outcome};
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation, Outcome, RefusalCode};
use contactpoint_domain::{ChildNumber, Instant, Name, Organisation, OrganisationId, Purpose};
use contactpoint_identity::Caller;
use contactpoint_policy::{self as policy, ChildView, Moment, Refusal, Sight};
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
    /// For whom, where it is for a colleague without an account: both names are in the log.
    pub on_behalf_of: Option<Name>,
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
            on_behalf_of: request.on_behalf_of.clone(),
            ..acting(caller, Operation::View, now)
        };
        self.look(blank, move |snapshot, blank| {
            let held = snapshot.child(&request.child_number)?;
            let record = held.as_ref().map(|held| &held.record);
            let grant = self.grants.of(caller, &request.child_number, now);
            let sight = Sight { reason: request.reason, record, grant, is_mediated: request.on_behalf_of.is_some() };
            let permit = match policy::view(caller, Moment::of(now), &sight) {
                Ok(permit) => permit,
                Err(refusal) => return Ok(refuse(refusal, held.is_some(), blank)),
            };
            let behind = self.behind(snapshot, generation, held.as_ref())?;
            let view =
                held.and_then(|held| permit.show(&held.record, self.visible, |id| behind.get(&id).map(|found| Organisation::clone(found))));
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
