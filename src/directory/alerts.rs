//! Alerts: the queue of whoever has to look at them, and their judgement (rules C3, D5).
//!
//! What waits for a supervisor is what was sent to them, and what is overdue with somebody below them, or sent to one below them who cannot come
//! in. An answer carries the event, who acted and the child's number; nothing in here reads a record, so a supervisor needs no right to any.

use crate::connect::still;
use crate::cursor::{Cursor, Question};
use crate::entries::{acting, with_outcome};
use crate::people::{chain, chain_by};
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Field, Operation, Outcome};
use contactpoint_domain::{
    AccountState, Addressee, Alert, AlertId, AlertKind, ChildNumber, Day, Disposition, Finding, Instant, Judgement, Name, OrganisationId,
    OrganisationName, PersonId, Purpose, Role,
};
use contactpoint_identity::{Caller, Qualifications};
use contactpoint_policy::{self as policy, Concern, Moment, ReadAlertsPermit, Receiver};
use contactpoint_store::{Account, Registry, Snapshot, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
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
#[schema(example = json!({"id": 6_041_283_577_190_442_u64, "kind": "break-glass", "person": {"id": 17, "name": {"given": "Robin", "family": "Okafor"}},
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
    /// Which child: its number, whether or not there is a record of it. Absent where a council's supervisor is told that something is overdue
    /// with its shielding officers.
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

impl Actor {
    pub(crate) fn of(id: PersonId, name: Name) -> Self {
        Self { id, name }
    }
}

impl ActorOrganisation {
    pub(crate) fn of(id: OrganisationId, name: OrganisationName) -> Self {
        Self { id, name }
    }
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
            let mut waiting = waiting_for(snapshot, caller, &permit, Moment::of(now), AlertId(after))?;
            let more = waiting.len() > MOST_ALERTS as usize;
            waiting.truncate(MOST_ALERTS as usize);
            let last = waiting.last().filter(|_| more).map(|alert| alert.id.0);
            let cursor = last.map(|last| self.cursors.to(caller, &question, last)).transpose()?;
            let alerts = waiting.iter().map(|alert| AlertAnswer::of(snapshot, alert, now.day())).collect::<Result<_, _>>()?;
            Ok((Ok(QueueAnswer { alerts, cursor }), naming(blank, &waiting)))
        })
        .await
    }

    /// Judges or settles an alert that waits for the caller (rule D5). One that waits for somebody else is not there; the log tells the two apart.
    pub async fn judge(&self, caller: &Caller, id: AlertId, request: JudgeRequest, now: Instant) -> Answered<AlertAnswer> {
        let by = caller.clone();
        self.alter(acting(caller, Operation::JudgeAlert, now), move |transaction, blank| {
            let by = match still(transaction, &by)? {
                Ok(by) => by,
                Err(refused) => return Ok((Err(refused.clone()), with_outcome(blank, &Err::<(), _>(refused)))),
            };
            if let Err(refusal) = policy::judges(&by, Moment::of(now)) {
                return Ok((Err(refusal.into()), Entry { outcome: Outcome::Refused(refusal.into()), ..blank }));
            }
            let Some(alert) = transaction.alert(id)? else {
                return Ok((Err(Refused::NotFoundOrNotYours), Entry { outcome: Outcome::NotFound, ..blank }));
            };
            judged(transaction, &by, alert, request.disposition, now, blank)
        })
        .await
    }
}

/// Every alert after `after` that waits for the caller, in the order in which they were raised; at least a page and one more where there are.
fn waiting_for(
    snapshot: &Snapshot<'_>,
    caller: &Caller,
    permit: &ReadAlertsPermit,
    moment: Moment,
    after: AlertId,
) -> Result<Vec<Alert>, StoreError> {
    let most = MOST_ALERTS + 1;
    let mut waiting = Vec::new();
    let mut add = |found: Vec<Alert>, receiver: Receiver<'_>| {
        waiting.extend(found.into_iter().filter_map(|alert| {
            let concern = policy::waits_for(permit, caller, moment, &alert, receiver)?;
            Some(match concern {
                Concern::Theirs => alert,
                Concern::Overdue => Alert { child: None, ..alert },
            })
        }));
    };
    let authority = caller.organisation_id();
    // nobody's own are among theirs: left out where the page is filled, or a page of them would hide what waits behind
    let but = Some(caller.person());
    if caller.roles().contains(&Role::ShieldingOfficer) {
        add(snapshot.alerts_for_authority(authority, but, after, most)?, Receiver::AUTHORITY);
    } else {
        add(snapshot.alerts_overdue(Addressee::Authority(authority), but, moment.today, after, most)?, Receiver::AUTHORITY);
    }
    // each account is opened once, however many wait below it
    let mut supervisors = HashMap::new();
    let mut supervisor_of = |id| match supervisors.get(&id) {
        Some(known) => Ok(*known),
        None => {
            let found = snapshot.account(id)?.and_then(|account| account.supervisor);
            supervisors.insert(id, found);
            Ok(found)
        }
    };
    for supervisor in snapshot.supervisors_waited_for()? {
        if supervisor == caller.person() {
            add(snapshot.alerts_for_supervisor(supervisor, after, most)?, Receiver { above: &[], comes_in: true });
            continue;
        }
        let above = chain_by(supervisor_of(supervisor)?, &mut supervisor_of)?;
        if !above.contains(&caller.person()) {
            continue;
        }
        let comes_in = comes_in(snapshot, supervisor, moment)?;
        let found = if comes_in {
            snapshot.alerts_overdue(Addressee::Supervisor(supervisor), but, moment.today, after, most)?
        } else {
            snapshot.alerts_for_supervisor(supervisor, after, most)?
        };
        add(found, Receiver { above: &above, comes_in });
    }
    waiting.sort_by_key(|alert| alert.place);
    Ok(waiting)
}

/// Whoever supervises this person, and these, and so on.
fn above(registry: &Registry<'_>, person: PersonId) -> Result<Vec<PersonId>, StoreError> {
    chain(registry, registry.account(person)?.and_then(|account| account.supervisor))
}

/// Can this supervisor come in and judge, as the registry has them now?
fn comes_in(registry: &Registry<'_>, person: PersonId, moment: Moment) -> Result<bool, StoreError> {
    let Some(account) = registry.account(person)? else { return Ok(false) };
    let Some(organisation) = registry.organisation(account.organisation)? else { return Ok(false) };
    let (roles, checks, family) = (account.roles, account.checks, account.name.family);
    let supervisor = in_office(registry, account.supervisor)?;
    let person = Qualifications { roles, checks, supervisor, family, home: None };
    Ok(policy::comes_in(&organisation, &person, account.state, moment))
}

/// The supervisor, where `identity` would take them for one: somebody whose account was closed, or who lost the role, judges nothing (rule C3).
fn in_office(registry: &Registry<'_>, supervisor: Option<PersonId>) -> Result<Option<PersonId>, StoreError> {
    let Some(id) = supervisor else { return Ok(None) };
    let holds = |account: &Account| account.state != AccountState::Closed && account.roles.iter().any(|role| role.may_supervise());
    Ok(registry.account(id)?.filter(holds).map(|account| account.id))
}

fn judged(
    transaction: &mut Transaction<'_>,
    caller: &Caller,
    alert: Alert,
    disposition: Disposition,
    now: Instant,
    blank: Entry,
) -> Result<(Result<AlertAnswer, Refused>, Entry), StoreError> {
    let moment = Moment::of(now);
    let (above, comes_in) = match alert.to {
        Some(Addressee::Supervisor(sent_to)) => (above(transaction, sent_to)?, comes_in(transaction, sent_to, moment)?),
        Some(Addressee::Authority(_)) | None => (Vec::new(), Receiver::AUTHORITY.comes_in),
    };
    let receiver = Receiver { above: &above, comes_in };
    let over = chain(transaction, caller.qualifications().supervisor)?;
    match policy::judge(caller, moment, &alert, receiver, &over, disposition) {
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
