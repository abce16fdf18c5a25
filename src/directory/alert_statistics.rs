//! How alerts were judged, by user, by role and by pair of user and supervisor, so that rubber-stamping shows (rule D5). Counts; no child.

use crate::alert_audit::refuse_period;
use crate::entries::{acting, with_outcome};
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::Operation;
use contactpoint_domain::{Addressee, Alert, AlertId, Day, Disposition, Finding, Instant, OrganisationKind, PersonId, Role};
use contactpoint_identity::Caller;
use contactpoint_policy::{self as policy, AlertAudit, Moment};
use contactpoint_store::{Snapshot, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Alerts opened at a time.
const AT_ONCE: u32 = 500;

/// The most rows of each count, those of the most alerts.
const MOST_ROWS: usize = 500;

/// From which day to which the alerts were raised, both included.
#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "2026-10-01", "to": "2026-10-31"}))]
pub struct StatisticsRequest {
    /// The first day.
    pub from: Day,
    /// The last day, within a year.
    pub to: Day,
}

/// What became of some alerts.
#[derive(Serialize, ToSchema, Clone, Copy, Default, Debug, PartialEq, Eq)]
#[schema(example = json!({"alerts": 12, "justified": 9, "not_justified": 1, "open": 1, "overdue": 1, "questioned": 2}))]
pub struct AlertCounts {
    /// All of them.
    alerts: u32,
    justified: u32,
    not_justified: u32,
    /// Neither judged nor overdue.
    open: u32,
    /// Not judged in time, and not yet.
    overdue: u32,
    /// Judged, and questioned by an auditor.
    questioned: u32,
}

/// Of one person.
#[derive(Serialize, ToSchema)]
pub struct ByUser {
    person: PersonId,
    #[serde(flatten)]
    counts: AlertCounts,
}

/// Of everybody in one role, by the sector that their body is of.
#[derive(Serialize, ToSchema)]
pub struct ByRole {
    role: Role,
    kind: OrganisationKind,
    #[serde(flatten)]
    counts: AlertCounts,
}

/// Of one person under one supervisor.
#[derive(Serialize, ToSchema)]
pub struct ByPair {
    person: PersonId,
    supervisor: PersonId,
    #[serde(flatten)]
    counts: AlertCounts,
}

/// The counts, each list with the most alerts first, at most 500 rows.
#[derive(Serialize, ToSchema)]
pub struct StatisticsAnswer {
    by_user: Vec<ByUser>,
    by_role: Vec<ByRole>,
    by_pair: Vec<ByPair>,
    /// True where a list has more rows than are here: ask for fewer days.
    more: bool,
}

impl AlertCounts {
    fn add(&mut self, alert: &Alert, today: Day) {
        self.alerts += 1;
        match alert.judgement.map(|judgement| judgement.disposition) {
            Some(Disposition::Justified) => self.justified += 1,
            Some(Disposition::NotJustified) => self.not_justified += 1,
            Some(Disposition::Settled) => {}
            None if alert.is_overdue(today) => self.overdue += 1,
            None => self.open += 1,
        }
        if alert.review.is_some_and(|review| review.finding == Finding::Questioned) {
            self.questioned += 1;
        }
    }
}

#[derive(Default)]
struct Tally {
    users: BTreeMap<PersonId, AlertCounts>,
    roles: BTreeMap<(Role, OrganisationKind), AlertCounts>,
    pairs: BTreeMap<(PersonId, PersonId), AlertCounts>,
    /// What somebody acts as, asked once.
    known: BTreeMap<PersonId, Option<(Role, OrganisationKind)>>,
}

impl Directory {
    /// Counts the alerts of some days that supervisors judge.
    pub async fn alert_statistics(&self, caller: &Caller, request: StatisticsRequest, now: Instant) -> Answered<StatisticsAnswer> {
        let permit = policy::audit_alerts(caller, Moment::of(now), AlertAudit::Statistics).map_err(Refused::from);
        self.look(acting(caller, Operation::AlertStatistics, now), move |snapshot, blank| {
            let result = match permit.and_then(|_| refuse_period(request.from, request.to)) {
                Ok(()) => Ok(tallied(snapshot, request, now.day())?.answer()),
                Err(refused) => Err(refused),
            };
            let entry = with_outcome(blank, &result);
            Ok((result, entry))
        })
        .await
    }
}

fn tallied(snapshot: &Snapshot<'_>, StatisticsRequest { from, to }: StatisticsRequest, today: Day) -> Result<Tally, StoreError> {
    let (mut tally, mut after) = (Tally::default(), AlertId(0));
    loop {
        let raised = snapshot.alerts_raised(from, to, after, AT_ONCE)?;
        let Some(last) = raised.last() else { return Ok(tally) };
        after = last.id;
        for alert in raised.iter().filter(|alert| alert.kind.is_judged()) {
            tally.count(snapshot, alert, today)?;
        }
    }
}

impl Tally {
    fn count(&mut self, snapshot: &Snapshot<'_>, alert: &Alert, today: Day) -> Result<(), StoreError> {
        self.users.entry(alert.person).or_default().add(alert, today);
        let acts_as = match self.known.get(&alert.person) {
            Some(known) => *known,
            None => {
                let role = snapshot.account(alert.person)?.and_then(|account| account.roles.first().copied());
                let kind = snapshot.organisation(alert.organisation)?.map(|organisation| organisation.kind);
                *self.known.entry(alert.person).or_insert(role.zip(kind))
            }
        };
        if let Some(acts_as) = acts_as {
            self.roles.entry(acts_as).or_default().add(alert, today);
        }
        if let Some(Addressee::Supervisor(supervisor)) = alert.to {
            self.pairs.entry((alert.person, supervisor)).or_default().add(alert, today);
        }
        Ok(())
    }

    fn answer(self) -> StatisticsAnswer {
        let more = [self.users.len(), self.roles.len(), self.pairs.len()].iter().any(|rows| *rows > MOST_ROWS);
        StatisticsAnswer {
            more,
            by_user: most(self.users).map(|(person, counts)| ByUser { person, counts }).collect(),
            by_role: most(self.roles).map(|((role, kind), counts)| ByRole { role, kind, counts }).collect(),
            by_pair: most(self.pairs).map(|((person, supervisor), counts)| ByPair { person, supervisor, counts }).collect(),
        }
    }
}

fn most<K: Ord>(counted: BTreeMap<K, AlertCounts>) -> impl Iterator<Item = (K, AlertCounts)> {
    let mut rows: Vec<_> = counted.into_iter().collect();
    rows.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.alerts));
    rows.into_iter().take(MOST_ROWS)
}
