//! Alerts: the queue of whoever has to look at them, and their judgement (rules C3, D5).
//!
//! What waits for a supervisor is what was sent to them, and what is overdue with somebody below them. An answer carries the event, who acted
//! and the child's number; nothing in here reads a record, so a supervisor needs no right to any.

use crate::connect::still;
use crate::cursor::{Cursor, Question};
use crate::entries::{acting, with_outcome};
use crate::people::chain;
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Field, Operation, Outcome};
use contactpoint_domain::{
    Addressee, Alert, AlertId, AlertKind, ChildNumber, Day, Disposition, Finding, Instant, Judgement, Name, OrganisationId,
    OrganisationName, PersonId, Purpose, Role,
};
use contactpoint_identity::Caller;
use contactpoint_policy::{self as policy, Moment, ReadAlertsPermit};
use contactpoint_store::{Registry, Snapshot, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most alerts that one answer lists.
pub const MOST_ALERTS: u32 = 50;

/// Where the queue goes on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct QueueRequest {
    /// From the answer before; absent for the oldest.
    pub cursor: Option<Cursor>,
}

/// The alerts that wait for the caller, oldest first, at most 50.
#[derive(Serialize, ToSchema)]
pub struct QueueAnswer {
    alerts: Vec<AlertAnswer>,
    /// There where there are more: ask again with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<Cursor>,
}

/// One alert: the event and the child's number, never the record.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"id": 41, "kind": "break-glass", "person": {"id": 17, "name": {"given": "Robin", "family": "Okafor"}},
    "organisation": {"id": 4, "name": "Elm School"}, "child_number": "4182736451", "reason": "missing", "at": "2026-11-20T09:41:00Z",
    "due": "2026-11-27", "overdue": false}))]
pub struct AlertAnswer {
    id: AlertId,
    kind: AlertKind,
    /// Who acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<Actor>,
    /// For which organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<ActorOrganisation>,
    /// Which child: its number, whether or not there is a record of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    child_number: Option<ChildNumber>,
    /// The stated reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Purpose>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// The last day on which it is not overdue.
    due: Day,
    overdue: bool,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    judged: Option<JudgedAnswer>,
}

/// What came of an alert.
#[derive(Serialize, ToSchema)]
pub struct JudgedAnswer {
    disposition: Disposition,
    by: PersonId,
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// What an auditor found of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<Finding>,
}

/// Who acted.
#[derive(Serialize, ToSchema)]
pub struct Actor {
    id: PersonId,
    name: Name,
}

/// For which organisation.
#[derive(Serialize, ToSchema)]
pub struct ActorOrganisation {
    id: OrganisationId,
    name: OrganisationName,
}

/// What a supervisor or shielding officer says of an alert.
#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"disposition": "justified"}))]
pub struct JudgeRequest {
    /// justified or not-justified of an act; settled of what the authority had to do.
    pub disposition: Disposition,
}

impl QueueAnswer {
    pub(crate) fn of(alerts: Vec<AlertAnswer>, cursor: Option<Cursor>) -> Self {
        Self { alerts, cursor }
    }
}

impl AlertAnswer {
    pub(crate) fn of(registry: &Registry<'_>, alert: &Alert, today: Day) -> Result<Self, StoreError> {
        let person = registry.account(alert.person)?.map(|account| Actor { id: account.id, name: account.name });
        let organisation = registry.organisation(alert.organisation)?.map(|found| ActorOrganisation { id: found.id, name: found.name });
        let finding = alert.review.map(|review| review.finding);
        Ok(Self {
            id: alert.id,
            kind: alert.kind,
            person,
            organisation,
            child_number: alert.child.clone(),
            reason: alert.reason,
            at: alert.at,
            due: alert.due,
            overdue: alert.is_overdue(today),
            judged: alert.judgement.map(|Judgement { disposition, by, at }| JudgedAnswer { disposition, by, at, finding }),
        })
    }
}

/// The entry's word on alerts that were shown: every child whose number was in one (rule F1).
pub(crate) fn naming<'a>(entry: Entry, alerts: impl IntoIterator<Item = &'a Alert>) -> Entry {
    let mut children = entry.children;
    for number in alerts.into_iter().filter_map(|alert| alert.child.as_ref()) {
        if !children.contains(number) {
            children.push(number.clone());
        }
    }
    let shown = if children.is_empty() { Vec::new() } else { vec![Field::Number] };
    Entry { children, shown, ..entry }
}

impl Directory {
    /// The alerts that wait for the caller (rule D5).
    pub async fn alerts(&self, caller: &Caller, request: &QueueRequest, now: Instant) -> Answered<QueueAnswer> {
        let question = Question { operation: Operation::ReadAlerts, asked: b"queue" };
        let after = request.cursor.as_ref().map_or(Ok(0), |cursor| self.cursors.place(caller, &question, cursor));
        let permit = policy::read_alerts(caller, Moment::of(now)).map_err(Refused::from);
        self.look(acting(caller, Operation::ReadAlerts, now), move |snapshot, blank| {
            let (permit, after) = match permit.and_then(|permit| Ok((permit, after?))) {
                Ok(asked) => asked,
                Err(refused) => return Ok((Err(refused.clone()), with_outcome(blank, &Err::<(), _>(refused)))),
            };
            let mut waiting = waiting_for(snapshot, caller, &permit, now, AlertId(after))?;
            let more = waiting.len() > MOST_ALERTS as usize;
            waiting.truncate(MOST_ALERTS as usize);
            let last = waiting.last().filter(|_| more).map(|alert| alert.id.0);
            let cursor = last.map(|last| self.cursors.to(caller, &question, last)).transpose()?;
            let alerts = waiting.iter().map(|alert| AlertAnswer::of(snapshot, alert, now.day())).collect::<Result<_, _>>()?;
            Ok((Ok(QueueAnswer { alerts, cursor }), naming(blank, &waiting)))
        })
        .await
    }

    /// Judges or settles an alert that waits for the caller (rule D5). One that waits for somebody else is not there.
    pub async fn judge(&self, caller: &Caller, id: AlertId, request: JudgeRequest, now: Instant) -> Answered<AlertAnswer> {
        let by = caller.clone();
        self.alter(acting(caller, Operation::JudgeAlert, now), move |transaction, blank| {
            let by = match still(transaction, &by)? {
                Ok(by) => by,
                Err(refused) => return Ok((Err(refused.clone()), with_outcome(blank, &Err::<(), _>(refused)))),
            };
            let Some(alert) = transaction.alert(id)? else {
                return Ok((Err(Refused::NotFoundOrNotYours), Entry { outcome: Outcome::NotFound, ..blank }));
            };
            judged(transaction, &by, alert, request.disposition, now, blank)
        })
        .await
    }
}

/// Every alert after `after` that waits for the caller, in order; a page and one more.
fn waiting_for(
    snapshot: &Snapshot<'_>,
    caller: &Caller,
    permit: &ReadAlertsPermit,
    now: Instant,
    after: AlertId,
) -> Result<Vec<Alert>, StoreError> {
    let (moment, most) = (Moment::of(now), MOST_ALERTS + 1);
    let mut waiting = Vec::new();
    if caller.roles().contains(&Role::ShieldingOfficer) {
        let sent = snapshot.alerts_for_authority(caller.organisation_id(), after, most)?;
        waiting.extend(sent.into_iter().filter(|alert| policy::shows(permit, caller, moment, alert, &[])));
    }
    let sent = snapshot.alerts_for_supervisor(caller.person(), after, most)?;
    waiting.extend(sent.into_iter().filter(|alert| policy::shows(permit, caller, moment, alert, &[])));
    for late in snapshot.late_supervisors(moment.today)?.into_iter().filter(|late| *late != caller.person()) {
        let above = above(snapshot, late)?;
        if above.contains(&caller.person()) {
            let overdue = snapshot.alerts_overdue(late, moment.today, after, most)?;
            waiting.extend(overdue.into_iter().filter(|alert| policy::shows(permit, caller, moment, alert, &above)));
        }
    }
    waiting.sort_by_key(|alert| alert.id);
    Ok(waiting)
}

/// Whoever supervises this person, and these, and so on.
fn above(registry: &Registry<'_>, person: PersonId) -> Result<Vec<PersonId>, StoreError> {
    chain(registry, registry.account(person)?.and_then(|account| account.supervisor))
}

fn judged(
    transaction: &mut Transaction<'_>,
    caller: &Caller,
    alert: Alert,
    disposition: Disposition,
    now: Instant,
    blank: Entry,
) -> Result<(Result<AlertAnswer, Refused>, Entry), StoreError> {
    let escalates_to = match alert.to {
        Some(Addressee::Supervisor(sent_to)) => above(transaction, sent_to)?,
        Some(Addressee::Authority(_)) | None => Vec::new(),
    };
    let over = chain(transaction, caller.qualifications().supervisor)?;
    match policy::judge(caller, Moment::of(now), &alert, &escalates_to, &over, disposition) {
        Ok(permit) => {
            let judgement = Judgement { disposition: permit.disposition(), by: permit.by().person, at: now };
            let alert = Alert { judgement: Some(judgement), ..alert };
            transaction.put_alert(&alert)?;
            let answer = AlertAnswer::of(transaction, &alert, now.day())?;
            Ok((Ok(answer), Entry { role: Some(permit.by().role), ..naming(blank, [&alert]) }))
        }
        // the log tells whose alert it was; the caller learns no number of a child
        Err(refusal) => {
            let children = alert.child.into_iter().collect();
            Ok((Err(refusal.into()), Entry { children, outcome: Outcome::Refused(refusal.into()), ..blank }))
        }
    }
}
