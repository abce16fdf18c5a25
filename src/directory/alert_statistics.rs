//! How alerts were judged, by user, by role, by pair of user and judge, and by two who judged each other, so that rubber-stamping shows; and what
//! authorities leave waiting (rule D5). Counts; no child.

use crate::alert_audit::refuse_period;
use crate::entries::{acting, with_outcome};
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::Operation;
use contactpoint_domain::{
    Addressee, Alert, AlertId, Day, Disposition, Finding, Instant, OrganisationId, OrganisationKind, PersonId, Role,
};
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

/// Of one person and one supervisor.
#[derive(Serialize, ToSchema)]
pub struct ByPair {
    person: PersonId,
    /// Who judged; while nobody has, whom they were sent to.
    supervisor: PersonId,
    #[serde(flatten)]
    counts: AlertCounts,
}

/// Of two people each of whom judged the other.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"one": 17, "other": 23, "of_one": {"alerts": 3, "justified": 3, "not_justified": 0, "open": 0, "overdue": 0, "questioned": 0},
    "of_other": {"alerts": 2, "justified": 2, "not_justified": 0, "open": 0, "overdue": 0, "questioned": 0}}))]
pub struct ByTurns {
    one: PersonId,
    other: PersonId,
    /// What the one did and the other judged.
    of_one: AlertCounts,
    /// What the other did and the one judged.
    of_other: AlertCounts,
}

/// Of one authority: what its shielding officers settle.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"authority": 3, "alerts": 8, "settled": 6, "open": 1, "overdue": 1}))]
pub struct ByAuthority {
    authority: OrganisationId,
    #[serde(flatten)]
    counts: SettledCounts,
}

/// What became of alerts to an authority.
#[derive(Serialize, ToSchema, Clone, Copy, Default)]
pub struct SettledCounts {
    /// All of them.
    alerts: u32,
    settled: u32,
    /// Neither settled nor overdue.
    open: u32,
    /// Not settled in time, and not yet.
    overdue: u32,
}

/// The counts, each list with the most alerts first, at most 500 rows.
#[derive(Serialize, ToSchema)]
pub struct StatisticsAnswer {
    by_user: Vec<ByUser>,
    by_role: Vec<ByRole>,
    by_pair: Vec<ByPair>,
    by_turns: Vec<ByTurns>,
    by_authority: Vec<ByAuthority>,
    /// True where a list has more rows than are here: ask for fewer days.
    more: bool,
}

impl SettledCounts {
    fn add(&mut self, alert: &Alert, today: Day) {
        self.alerts += 1;
        match alert.judgement {
            Some(_) => self.settled += 1,
            None if alert.is_overdue(today) => self.overdue += 1,
            None => self.open += 1,
        }
    }
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
    /// Who acted, and who judged or has to.
    pairs: BTreeMap<(PersonId, PersonId), AlertCounts>,
    /// Who acted, and who judged: the same without what nobody has judged.
    judged: BTreeMap<(PersonId, PersonId), AlertCounts>,
    authorities: BTreeMap<OrganisationId, SettledCounts>,
    /// What somebody acts as, asked once.
    known: BTreeMap<PersonId, Option<(Role, OrganisationKind)>>,
}

impl Directory {
    /// Counts the alerts of some days, those that supervisors judge and those that authorities settle.
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
        for alert in &raised {
            match alert.to {
                Some(Addressee::Authority(authority)) => tally.authorities.entry(authority).or_default().add(alert, today),
                Some(Addressee::Supervisor(_)) | None => tally.count(snapshot, alert, today)?,
            }
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
        let judge = alert.judgement.map(|judgement| judgement.by);
        if let Some(judge) = judge {
            self.judged.entry((alert.person, judge)).or_default().add(alert, today);
        }
        let sent_to = if let Some(Addressee::Supervisor(supervisor)) = alert.to { Some(supervisor) } else { None };
        if let Some(supervisor) = judge.or(sent_to) {
            self.pairs.entry((alert.person, supervisor)).or_default().add(alert, today);
        }
        Ok(())
    }

    /// The pairs each of whom judged the other, the lower number first (rule D5: also where they supervised each other in turns).
    fn turns(&self) -> Vec<ByTurns> {
        let of_one = self.judged.iter().filter(|((person, judge), _)| person < judge);
        let both = of_one.filter_map(|((one, other), counts)| Some((*one, *other, *counts, *self.judged.get(&(*other, *one))?)));
        let mut turns: Vec<_> = both.map(|(one, other, of_one, of_other)| ByTurns { one, other, of_one, of_other }).collect();
        turns.sort_by_key(|turn| std::cmp::Reverse(turn.of_one.alerts + turn.of_other.alerts));
        turns.truncate(MOST_ROWS);
        turns
    }

    fn answer(self) -> StatisticsAnswer {
        let more = [self.users.len(), self.roles.len(), self.pairs.len(), self.authorities.len()].iter().any(|rows| *rows > MOST_ROWS);
        StatisticsAnswer {
            more,
            by_turns: self.turns(),
            by_user: most(self.users, |counts| counts.alerts).map(|(person, counts)| ByUser { person, counts }).collect(),
            by_role: most(self.roles, |counts| counts.alerts).map(|((role, kind), counts)| ByRole { role, kind, counts }).collect(),
            by_pair: most(self.pairs, |counts| counts.alerts)
                .map(|((person, supervisor), counts)| ByPair { person, supervisor, counts })
                .collect(),
            by_authority: most(self.authorities, |counts| counts.alerts)
                .map(|(authority, counts)| ByAuthority { authority, counts })
                .collect(),
        }
    }
}

fn most<K: Ord, C>(counted: BTreeMap<K, C>, alerts: impl Fn(&C) -> u32) -> impl Iterator<Item = (K, C)> {
    let mut rows: Vec<_> = counted.into_iter().collect();
    rows.sort_by_key(|(_, counts)| std::cmp::Reverse(alerts(counts)));
    rows.into_iter().take(MOST_ROWS)
}
