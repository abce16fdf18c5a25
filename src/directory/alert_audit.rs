//! What auditors ask of alerts: a sample of a finished month's judgements, what they find of each, and the flags that nobody's own doing
//! raised (rules D5, D7).

use crate::alerts::{naming, AlertAnswer, QueueAnswer, MOST_ALERTS};
use crate::connect::still;
use crate::cursor::{Cursor, Question};
use crate::entries::{acting, with_outcome};
use crate::refused::Refused;
use crate::sample::drawn;
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation, Outcome};
use contactpoint_domain::{Alert, AlertId, AlertKind, Day, Finding, Instant, InvalidValue, Month, SampleReview};
use contactpoint_identity::Caller;
use contactpoint_policy::{self as policy, AlertAudit, Moment};
use contactpoint_store::{Sample, Snapshot, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most judgements in a sample.
pub const MOST_SAMPLED: u16 = 100;

/// Rows that are opened for one page of flags at most.
const MOST_OPENED: u32 = 2000;

/// How many judgements to draw: 1 to 100.
#[derive(Deserialize, Serialize, ToSchema, Clone, Copy)]
#[serde(try_from = "u16", into = "u16")]
#[schema(value_type = u16, minimum = 1, maximum = 100, example = 20)]
pub struct SampleSize(u16);

impl TryFrom<u16> for SampleSize {
    type Error = InvalidValue;
    fn try_from(size: u16) -> Result<Self, InvalidValue> {
        let why = "is not between 1 and 100";
        (1..=MOST_SAMPLED).contains(&size).then_some(Self(size)).ok_or(InvalidValue { what: "sample", why })
    }
}
impl From<SampleSize> for u16 {
    fn from(size: SampleSize) -> Self {
        size.0
    }
}

/// Which month's judgements, and how many of them.
#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"month": "2026-10", "size": 20}))]
pub struct SampleRequest {
    /// The month in which they were judged; it has to be over.
    pub month: Month,
    /// How many.
    pub size: SampleSize,
}

/// The sample, and what it takes to draw it again.
#[derive(Serialize, ToSchema)]
pub struct SampleAnswer {
    month: Month,
    /// The signed checkpoint that is the seed: the first that covers the entry `ended`. Absent where nobody judged anything in this month.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<String>,
    /// The entry in which the daemon noted that the month had ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<u64>,
    /// The numbers of every alert that a supervisor judged in this month.
    judged: Vec<AlertId>,
    /// Those that were drawn, in the order of the drawing.
    alerts: Vec<AlertAnswer>,
}

/// What an auditor finds of a judgement.
#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"finding": "upheld"}))]
pub struct ReviewRequest {
    /// upheld or questioned.
    pub finding: Finding,
}

/// From which day to which, both included.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "2026-10-01", "to": "2026-10-31"}))]
pub struct FlagsRequest {
    /// The first day.
    pub from: Day,
    /// The last day, within a year.
    pub to: Day,
    /// From the answer before, with the same days.
    pub cursor: Option<Cursor>,
}

/// Days that do not run backwards, nor over more than a year.
pub(crate) fn refuse_period(from: Day, to: Day) -> Result<(), Refused> {
    if from <= to && to < from.plus_years(1) {
        Ok(())
    } else {
        Err(Refused::NoSuchPeriod)
    }
}

impl Directory {
    /// Draws a sample of a finished month's judgements. The seed is the month's, so that each later one is of the same drawing.
    pub async fn sample_alerts(&self, caller: &Caller, request: SampleRequest, now: Instant) -> Answered<SampleAnswer> {
        let by = caller.clone();
        self.alter(acting(caller, Operation::SampleAlerts, now), move |transaction, blank| {
            let permit = still(transaction, &by)?.and_then(|by| Ok(policy::audit_alerts(&by, Moment::of(now), AlertAudit::Sample)?));
            let is_over = if request.month.last() < now.day() { Ok(()) } else { Err(Refused::NoSuchPeriod) };
            if let Err(refused) = permit.and(is_over) {
                return Ok((Err(refused.clone()), with_outcome(blank, &Err::<(), _>(refused))));
            }
            match sampled(transaction, request, now)? {
                Some((answer, alerts)) => Ok((Ok(answer), naming(blank, &alerts))),
                None => Ok((Err(Refused::SeedNotFixed), with_outcome(blank, &Err::<(), _>(Refused::SeedNotFixed)))),
            }
        })
        .await
    }

    /// Says what an auditor finds of a judgement that was drawn.
    pub async fn review_alert(&self, caller: &Caller, id: AlertId, request: ReviewRequest, now: Instant) -> Answered<AlertAnswer> {
        let by = caller.clone();
        self.alter(acting(caller, Operation::ReviewAlert, now), move |transaction, blank| {
            let by = match still(transaction, &by)? {
                Ok(by) => by,
                Err(refused) => return Ok((Err(refused.clone()), with_outcome(blank, &Err::<(), _>(refused)))),
            };
            if let Err(refusal) = policy::reviews(&by, Moment::of(now)) {
                return Ok((Err(refusal.into()), Entry { outcome: Outcome::Refused(refusal.into()), ..blank }));
            }
            let Some(alert) = transaction.alert(id)? else {
                return Ok((Err(Refused::NotFoundOrNotYours), Entry { outcome: Outcome::NotFound, ..blank }));
            };
            let blank = Entry { children: alert.child.iter().cloned().collect(), ..blank };
            let permit = policy::review_alert(&by, Moment::of(now), &alert, is_sampled(transaction, &alert)?, request.finding);
            Ok(match permit {
                Ok(permit) => {
                    let review = SampleReview { finding: permit.finding(), by: permit.by().person, at: now };
                    let alert = Alert { review: Some(review), ..alert };
                    transaction.put_alert(&alert)?;
                    (Ok(AlertAnswer::of(transaction, &alert, now.day())?), naming(blank, [&alert]))
                }
                Err(refusal) => (Err(refusal.into()), Entry { outcome: Outcome::Refused(refusal.into()), ..blank }),
            })
        })
        .await
    }

    /// The alerts that looks raised without their looker's doing (rule D7), oldest first.
    pub async fn flags(&self, caller: &Caller, request: &FlagsRequest, now: Instant) -> Answered<QueueAnswer> {
        let FlagsRequest { from, to, cursor } = request;
        let asked = [&b"flags"[..], &from.number().to_be_bytes(), &to.number().to_be_bytes()].concat();
        let question = Question { operation: Operation::ReadAlerts, asked: &asked };
        let after = cursor.as_ref().map_or(Ok(0), |cursor| self.cursors.place(caller, &question, cursor));
        let permit = policy::read_flags(caller, Moment::of(now)).map_err(Refused::from);
        self.look(acting(caller, Operation::ReadAlerts, now), move |snapshot, blank| {
            let after = match permit.and_then(|_| refuse_period(*from, *to)).and(after) {
                Ok(after) => after,
                Err(refused) => return Ok((Err(refused.clone()), with_outcome(blank, &Err::<(), _>(refused)))),
            };
            let (flags, last) = flagged(snapshot, (*from, *to), AlertId(after))?;
            let cursor = last.map(|last| self.cursors.to(caller, &question, last.0)).transpose()?;
            let alerts = flags.iter().map(|alert| AlertAnswer::of(snapshot, alert, now.day())).collect::<Result<_, _>>()?;
            Ok((Ok(QueueAnswer::of(alerts, cursor)), naming(blank, &flags)))
        })
        .await
    }
}

/// The sample and the alerts in it; `None` where its seed is not fixed yet.
fn sampled(
    transaction: &mut Transaction<'_>,
    SampleRequest { month, size: SampleSize(size) }: SampleRequest,
    now: Instant,
) -> Result<Option<(SampleAnswer, Vec<Alert>)>, StoreError> {
    let judged = transaction.judged_by_supervisors(month.first(), month.last())?;
    if judged.is_empty() {
        return Ok(Some((SampleAnswer { month, checkpoint: None, ended: None, judged, alerts: Vec::new() }, Vec::new())));
    }
    let Some(Sample { entry, note: Some(checkpoint), size: _ }) = transaction.sample(month.first())? else { return Ok(None) };
    transaction.keep_sample_size(month.first(), size)?;
    let mut alerts = Vec::new();
    for id in drawn(&checkpoint, &judged).into_iter().take(size.into()) {
        alerts.extend(transaction.alert(id)?);
    }
    let told = alerts.iter().map(|alert| AlertAnswer::of(transaction, alert, now.day())).collect::<Result<_, _>>()?;
    Ok(Some((SampleAnswer { month, checkpoint: Some(checkpoint), ended: Some(entry), judged, alerts: told }, alerts)))
}

/// Is this alert among those that were drawn of the month in which it was judged?
fn is_sampled(snapshot: &Snapshot<'_>, alert: &Alert) -> Result<bool, StoreError> {
    let Some(judgement) = alert.judgement else { return Ok(false) };
    let month = Month::of(judgement.at.day());
    let Some(Sample { entry: _, note: Some(checkpoint), size }) = snapshot.sample(month.first())? else { return Ok(false) };
    let judged = snapshot.judged_by_supervisors(month.first(), month.last())?;
    Ok(drawn(&checkpoint, &judged).into_iter().take(size.into()).any(|id| id == alert.id))
}

/// A page of flags, and where it ends if there may be more.
fn flagged(snapshot: &Snapshot<'_>, (from, to): (Day, Day), after: AlertId) -> Result<(Vec<Alert>, Option<AlertId>), StoreError> {
    let mut flags = Vec::new();
    let raised = snapshot.alerts_raised(from, to, after, MOST_OPENED)?;
    let is_whole = raised.len() < MOST_OPENED as usize;
    let last = raised.last().map(|alert| alert.id);
    for alert in raised.into_iter().filter(|alert| is_flag(alert.kind)) {
        if flags.len() == MOST_ALERTS as usize {
            let last = flags.last().map(|alert: &Alert| alert.id);
            return Ok((flags, last));
        }
        flags.push(alert);
    }
    Ok((flags, last.filter(|_| !is_whole)))
}

fn is_flag(kind: AlertKind) -> bool {
    match kind {
        AlertKind::OverBudget | AlertKind::OwnFamily | AlertKind::NearMisses | AlertKind::SmallAudience => true,
        AlertKind::BreakGlass | AlertKind::ShieldOverride | AlertKind::Investigation | AlertKind::Contact | AlertKind::Quarantine => false,
    }
}
