//! View one child (rules A1, D1, D2): who else works with it and how to reach them.

use crate::budgets::Wanted;
use crate::entries::{acting, with_facts, with_outcome};
use crate::refused::Refused;
use crate::sensitive::Shown;
use crate::watch::{Flag, Looked};
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation, Outcome, RefusalCode};
use contactpoint_domain::{ChildNumber, Instant, Name, Organisation, OrganisationId, Purpose};
use contactpoint_identity::Caller;
use contactpoint_policy::{self as policy, Breadth, ChildView, Moment, Refusal, Sight, ViewPermit};
use contactpoint_store::{Held, Snapshot, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// Which child, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"child_number": "4182736451", "reason": "concern"}))]
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
        let by = policy::admit(caller, Operation::View, Moment::of(now));
        self.watched(caller, blank, |snapshot, blank| {
            // INVARIANT: nothing is looked at before there is a place for whatever may be shown: the refusal tells nothing
            let wanted = Wanted::Child(&request.child_number);
            let places = match by.map(|by| self.budgets.take(by, wanted, now)) {
                Ok(Ok(places)) => Some(places),
                Ok(Err(refusal)) => return Ok(Looked::over_budget(refusal, blank)),
                // refused below, by the same decision
                Err(_) => None,
            };
            let mut held = snapshot.child(&request.child_number)?;
            let record = held.as_ref().map(|held| &held.record);
            let grant = self.grants.of(caller, &request.child_number, now);
            let sight = Sight { reason: request.reason, record, grant, is_mediated: request.on_behalf_of.is_some() };
            let verdict = policy::view(caller, Moment::of(now), &sight);
            if let (Some(held), Ok(permit)) = (&mut held, &verdict) {
                let shown = if permit.breadth() == Breadth::Full { Shown::Everything } else { Shown::TheNameAlone };
                self.mark_sensitive(snapshot, generation, &mut held.record, shown)?;
            }
            let record = held.as_ref().map(|held| &held.record);
            let raised = policy::flags(caller, record, verdict.as_ref().map(ViewPermit::breadth).map_err(|refusal| *refusal));
            let facts = policy::facts(caller, &self.areas, record, verdict.as_ref().map(ViewPermit::breadth).ok());
            let blank = with_facts(blank, &[(request.child_number.clone(), facts)]);
            let flags = raised.into_iter().map(|kind| Flag::once(kind, Some(request.child_number.clone()))).collect();
            let permit = match verdict {
                Ok(permit) => permit,
                Err(refusal) => return Ok(self.refuse_view(caller, refusal, held.is_some(), flags, blank)),
            };
            // how many work with a shielded child is not told, not even by how much is read (rule E2)
            let contacts = held.as_ref().filter(|_| permit.breadth() == Breadth::Full);
            let behind = self.behind(snapshot, generation, contacts)?;
            let view = held.and_then(|held| permit.show(&held.record, self.visible, |id| behind.get(&id).map(AsRef::as_ref)));
            let shown = view.as_ref().map_or_else(Vec::new, ChildView::fields);
            if let Some(places) = places.filter(|_| view.is_some()) {
                places.spend(std::slice::from_ref(&request.child_number));
            }
            let result = view.map(ViewAnswer).ok_or(Refused::NotFoundOrNotYours);
            let entry = with_outcome(Entry { shown, ..blank }, &result);
            Ok(Looked { result, entry, flags, is_quiet: false })
        })
        .await
    }

    /// The log tells a child outside the scope from one that is not on record; the caller is not told, not even by what is written.
    fn refuse_view(&self, caller: &Caller, refusal: Refusal, on_record: bool, mut flags: Vec<Flag>, blank: Entry) -> Looked<ViewAnswer> {
        let is_nobody = refusal == Refusal::OutsideScope && !on_record;
        let outcome = if is_nobody { Outcome::NotFound } else { Outcome::Refused(RefusalCode::from(refusal)) };
        let refused = Refused::from(refusal);
        let is_quiet = refused == Refused::NotFoundOrNotYours;
        if is_quiet {
            flags.extend(self.missed(caller, blank.at));
        }
        Looked { result: Err(refused), entry: Entry { outcome, ..blank }, flags, is_quiet }
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
