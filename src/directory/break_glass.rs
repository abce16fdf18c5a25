//! Break the glass to one child, override one shield, leave again (rules D4, D5, E5).
//!
//! The alert is raised in the transaction that records the act, so that there is never one without the other; what was granted begins once
//! both are durable. The alert names the event and the child's number, never the record. Leaves to others: the second factor (`identity`),
//! who may (`policy`), showing the child (`view`).

use crate::connect::still;
use crate::entries::{acting, with_facts, with_outcome};
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Field, Operation, Outcome, RefusalCode};
use contactpoint_domain::{
    Addressee, AlertKind, Areas, ChildNumber, ChildRecord, DateOfBirth, Day, FamilyName, GivenName, Instant, Name, NewAlert, Postcode,
    Purpose,
};
use contactpoint_identity::{Caller, Confirmed};
use contactpoint_matching::{identity_key, JoinKey};
use contactpoint_policy::{self as policy, Asked, Breadth, Grant, Moment, Refusal, Relation, State};
use contactpoint_store::{Snapshot, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// One child, by its number or by its exact identity: whole names, date of birth and postcode, nothing less.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"child_number": "4182736451", "reason": "missing", "code": "492817"}))]
pub struct BreakGlassRequest {
    /// The child's number; then nothing else of the child.
    pub child_number: Option<ChildNumber>,
    /// Family name.
    pub family_name: Option<FamilyName>,
    /// Given names.
    pub given_name: Option<GivenName>,
    /// Date of birth.
    pub date_of_birth: Option<DateOfBirth>,
    /// Postcode.
    pub postcode: Option<Postcode>,
    /// Why: concern, section-47 or missing.
    pub reason: Purpose,
    /// The six digits that the authenticator shows now.
    pub code: String,
}

/// Whose shield, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"child_number": "4182736451", "reason": "section-47", "code": "492817"}))]
pub struct OverrideRequest {
    /// The child's number.
    pub child_number: ChildNumber,
    /// Why: concern, section-47 or missing.
    pub reason: Purpose,
    /// The six digits that the authenticator shows now.
    pub code: String,
}

/// The one child that may be viewed now, and until when.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"child_number": "4182736451", "until": "2026-11-22T10:30:00Z", "entry": 84213}))]
pub struct GlassAnswer {
    child_number: ChildNumber,
    /// The view ends then, or when left, or when the session ends.
    #[schema(value_type = String, format = DateTime)]
    until: Instant,
}

/// What was left.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"child_number": "4182736451", "entry": 84220}))]
pub struct LeaveAnswer {
    /// The child; absent where nothing was open.
    #[serde(skip_serializing_if = "Option::is_none")]
    child_number: Option<ChildNumber>,
}

/// How a child is named.
enum Sought {
    Number(ChildNumber),
    Identity(JoinKey),
}

impl BreakGlassRequest {
    fn sought(self) -> Result<Sought, Refusal> {
        let Self { child_number, family_name, given_name, date_of_birth, postcode, reason: _, code: _ } = self;
        match (child_number, family_name, given_name, date_of_birth, postcode) {
            (Some(number), None, None, None, None) => Ok(Sought::Number(number)),
            (None, Some(family), Some(given), Some(born), Some(postcode)) => {
                Ok(Sought::Identity(identity_key(&Name { given, family }, born, &postcode)))
            }
            (_, _, _, _, _) => Err(Refusal::SearchTooWide),
        }
    }
}

/// What policy permitted, and what follows from it.
struct Opening {
    grant: Grant,
    alert: AlertKind,
    reason: Purpose,
    until: Instant,
    alerted: Option<Addressee>,
}

/// An act of this kind, as the transaction needs it.
struct Act {
    /// As the transaction finds them.
    caller: Caller,
    now: Instant,
    /// The last day on which its alert is not overdue.
    due: Day,
    areas: Arc<Areas>,
}

impl Directory {
    /// Breaks the glass to one child (rule D4). The caller cannot tell a child who is not on record from one whom nobody may know of. `proof`: what
    /// came of their code; where it was refused, the entry says for which child and why they tried (rule F1).
    pub async fn break_glass(
        &self,
        caller: &Caller,
        request: BreakGlassRequest,
        proof: Result<Confirmed, Refusal>,
        now: Instant,
    ) -> Answered<GlassAnswer> {
        let (reason, children) = (request.reason, request.child_number.iter().cloned().collect());
        let blank = Entry { reason: Some(reason), children, ..acting(caller, Operation::BreakGlass, now) };
        let sought = request.sought();
        let permitted = move |act: &Act, open: &[_]| {
            let permit = policy::break_glass(&act.caller, Moment::of(now), reason, proof, open)?;
            let (reason, until, alerted) = (permit.reason(), permit.until(), permit.alerted());
            Ok((sought?, Opening { grant: Grant::BreakGlass, alert: AlertKind::BreakGlass, reason, until, alerted }))
        };
        self.open_to(caller, blank, now, permitted).await
    }

    /// Overrides the shield of one child (rule E5). Whether the child is shielded at all is not told.
    pub async fn override_shield(
        &self,
        caller: &Caller,
        request: OverrideRequest,
        proof: Result<Confirmed, Refusal>,
        now: Instant,
    ) -> Answered<GlassAnswer> {
        let OverrideRequest { child_number, reason, code: _ } = request;
        let children = vec![child_number.clone()];
        let blank = Entry { reason: Some(reason), children, ..acting(caller, Operation::OverrideShield, now) };
        let permitted = move |act: &Act, open: &[_]| {
            let permit = policy::override_shield(&act.caller, Moment::of(now), reason, proof, open)?;
            let (reason, until, alerted) = (permit.reason(), permit.until(), permit.alerted());
            Ok((Sought::Number(child_number), Opening { grant: Grant::Override, alert: AlertKind::ShieldOverride, reason, until, alerted }))
        };
        self.open_to(caller, blank, now, permitted).await
    }

    /// Leaves the child that the glass was broken to, or whose shield was overridden (rule D4: ends when left).
    pub async fn leave_glass(&self, caller: &Caller, now: Instant) -> Answered<LeaveAnswer> {
        let permit = policy::leave_glass(caller, Moment::of(now));
        // left first: where the entry cannot be written, nothing stays open for it
        let child_number = permit.as_ref().ok().and_then(|_| self.grants.leave(caller, now));
        let children = child_number.iter().cloned().collect();
        let result = permit.map(|_| LeaveAnswer { child_number }).map_err(Refused::from);
        let entry = with_outcome(Entry { children, ..acting(caller, Operation::LeaveGlass, now) }, &result);
        self.store.look(move |_| Ok((result, entry))).await
    }

    async fn open_to(
        &self,
        caller: &Caller,
        blank: Entry,
        now: Instant,
        permitted: impl FnOnce(&Act, &[contactpoint_domain::Alert]) -> Result<(Sought, Opening), Refusal> + Send + 'static,
    ) -> Answered<GlassAnswer> {
        let (by, due) = (caller.clone(), self.due(now));
        let (watch, areas) = (Arc::clone(&self.watch), Arc::clone(&self.areas));
        let opened = self.alter(blank, move |transaction, blank| {
            let act = match still(transaction, &by)? {
                Ok(caller) => Act { caller, now, due, areas },
                Err(refused) => return Ok((Err(refused.clone()), with_outcome(blank, &Err::<(), _>(refused)))),
            };
            let open = transaction.overdue_acts_of(act.caller.person(), now.day())?;
            match permitted(&act, &open) {
                Ok((sought, opening)) => {
                    let (result, entry) = opened(transaction, &act, &sought, &opening, blank)?;
                    // whoever guesses with the hammer in hand is told of like whoever guesses without (rule D7)
                    let is_miss = matches!(result, Err(Refused::NotFoundOrNotYours));
                    if let Some(flag) = is_miss.then(|| watch.miss(act.caller.person(), now)).flatten() {
                        flag.raise(transaction, &act.caller, opening.reason, now, act.due)?;
                    }
                    Ok((result, entry))
                }
                Err(refusal) => Ok((Err(refusal.into()), Entry { outcome: Outcome::Refused(refusal.into()), ..blank })),
            }
        });
        let opened = opened.await?;
        // INVARIANT: entry and alert are durable before anything is granted
        if let Ok((answer, grant)) = opened.get() {
            self.grants.give(caller, answer.child_number.clone(), *grant, answer.until, now);
        }
        Ok(opened.map(|result| result.map(|(answer, _)| answer)))
    }
}

type Opened = (Result<(GlassAnswer, Grant), Refused>, Entry);

/// Finds the one child and raises the alerts. A child whom only others may know of raises one too, though nothing is opened (rule D8).
fn opened(transaction: &mut Transaction<'_>, act: &Act, sought: &Sought, opening: &Opening, blank: Entry) -> Result<Opened, StoreError> {
    let (asked, found) = candidates(transaction, sought)?;
    let mut children = blank.children;
    let mut known = Vec::new();
    let mut within = Vec::new();
    let mut refusal = None;
    let mut is_told = false;
    for record in found {
        if !children.contains(&record.number) {
            children.push(record.number.clone());
        }
        let relation = Relation::between(act.caller.organisation(), Some(&record));
        match policy::reached_through_glass(State::of(Some(&record), act.caller.person()), asked, relation) {
            Ok(()) => {
                // nothing but the number is shown yet: the view that follows has the rest
                known.push((record.number.clone(), policy::facts(&act.caller, &act.areas, Some(&record), Some(Breadth::Narrow))));
                within.push(record);
            }
            Err(why) => {
                refusal = refusal.max(Some(why));
                // one, as the entry has no room for more without being longer; it names all of them
                if why == Refusal::NotOfAudience && !is_told {
                    is_told = true;
                    raise(transaction, act, AlertKind::SmallAudience, &record, opening.reason, opening.alerted)?;
                }
            }
        }
    }
    let blank = with_facts(Entry { children, ..blank }, &known);
    let [record] = within.as_slice() else {
        let outcome = refusal.map_or(Outcome::NotFound, |why| Outcome::Refused(RefusalCode::from(why)));
        return Ok((Err(Refused::NotFoundOrNotYours), Entry { outcome, ..blank }));
    };
    raise(transaction, act, opening.alert, record, opening.reason, opening.alerted)?;
    if opening.alert == AlertKind::ShieldOverride {
        let authority = Some(Addressee::Authority(record.authority));
        raise(transaction, act, AlertKind::Investigation, record, opening.reason, authority)?;
    }
    let answer = GlassAnswer { child_number: record.number.clone(), until: opening.until };
    Ok((Ok((answer, opening.grant)), Entry { shown: vec![Field::Number], ..blank }))
}

/// The records that answer exactly. Of several nobody knows which one was meant: the glass is broken to one child, or to none.
fn candidates(snapshot: &Snapshot<'_>, sought: &Sought) -> Result<(Asked, Vec<ChildRecord>), StoreError> {
    let (asked, found) = match sought {
        Sought::Number(number) => (Asked::Number, snapshot.child(number)?.into_iter().collect()),
        Sought::Identity(key) => (Asked::Identity, snapshot.children_by_key(key)?),
    };
    Ok((asked, found.into_iter().map(|held| held.record).collect()))
}

fn raise(
    transaction: &mut Transaction<'_>,
    act: &Act,
    kind: AlertKind,
    record: &ChildRecord,
    reason: Purpose,
    to: Option<Addressee>,
) -> Result<(), StoreError> {
    let (person, organisation) = (act.caller.person(), act.caller.organisation_id());
    let (child, reason) = (Some(record.number.clone()), Some(reason));
    transaction.raise_alert(&NewAlert { kind, person, organisation, child, reason, at: act.now, to, due: act.due }).map(drop)
}
