//! How reviews stand, by organisation and role, and what it takes to draw them again (rule F4: overdue reviews are reported). Counts; no child.

use crate::alert_audit::refuse_period;
use crate::alert_statistics::StatisticsRequest;
use crate::entries::{acting, with_outcome};
use crate::refused::Refused;
use crate::reviewing::{digest_in, BEGUN, HOLIDAYS, PLAN, RULES};
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation};
use contactpoint_domain::{Day, Instant, OrganisationId, Review, ReviewId, ReviewOutcome, Role, RuleName};
use contactpoint_identity::Caller;
use contactpoint_policy::{self as policy, Moment};
use contactpoint_review::Every;
use contactpoint_store::{EndedPeriod, Snapshot, StoreError};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Tasks opened at a time.
const AT_ONCE: u32 = 500;

/// What became of some tasks.
#[derive(Serialize, ToSchema, Clone, Copy, Default, Debug, PartialEq, Eq)]
#[schema(example = json!({"tasks": 12, "drawn": 10, "in_time": 8, "late": 1, "open": 2, "overdue": 1, "justified": 7, "not_justified": 1, "needs_enquiry": 1}))]
pub struct ReviewCounts {
    /// All of them.
    tasks: u32,
    /// Drawn by the plan; the others were found by rules.
    drawn: u32,
    /// Done by the day on which they were due.
    in_time: u32,
    /// Done after it.
    late: u32,
    /// Neither done nor overdue.
    open: u32,
    /// Not done in time, and not yet.
    overdue: u32,
    justified: u32,
    not_justified: u32,
    needs_enquiry: u32,
}

/// Of everybody who looked in one role for one organisation.
#[derive(Serialize, ToSchema)]
pub struct ByBody {
    /// Absent where the looks of many, at one child.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<OrganisationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(flatten)]
    counts: ReviewCounts,
}

/// What a detection rule found: how often it was right is what its findings came to.
#[derive(Serialize, ToSchema)]
pub struct ByRule {
    rule: RuleName,
    #[serde(flatten)]
    counts: ReviewCounts,
}

/// A period of the plan that ended on one of the days, and what it takes to draw it again: docs/review.md says how.
#[derive(Serialize, ToSchema)]
pub struct EndedPeriodShown {
    /// week, month or quarter.
    every: &'static str,
    /// Its last day.
    last: Day,
    /// The first entry that is of it.
    from: u64,
    /// The entry in which the daemon noted that it had ended: the first that is of it no more.
    ended: u64,
    /// The plan under which it ended: the first 32 digits of SHA-256 of its file. No other plan draws it.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    /// The holidays then, likewise: of a text with each of them on a line, the earliest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    holidays: Option<String>,
    /// Every entry of it was drawn or passed over. `false` for long: the plan was changed before the draw was over.
    is_drawn: bool,
    /// The signed checkpoint that is the seed: the first that covers `ended`.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<String>,
}

/// Runs of the detection rules, one behind the other, by one file and one list of holidays: as their entries in the log say.
#[derive(Serialize, ToSchema)]
pub struct DetectionShown {
    /// The last day that the first of them went up to.
    from: Day,
    /// The last day that any of them went up to.
    to: Day,
    /// How many nights they were of: fewer than days, where a night was missed, whose day a later one went over, or the rules were not there. None where
    /// the daemon only began by them, and looks were made on that day with the areas that adjoin in them.
    nights: u32,
    /// The entry of the first of them.
    first: u64,
    /// The entry of the last of them.
    last: u64,
    /// The rules, and which areas adjoin: the first 32 digits of SHA-256 of the file. Absent where the entry was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<String>,
    /// The holidays, likewise: of a text with each of them on a line, the earliest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    holidays: Option<String>,
}

/// How reviews stand that are due on these days.
#[derive(Serialize, ToSchema)]
pub struct ReviewReport {
    by_organisation: Vec<ByBody>,
    by_rule: Vec<ByRule>,
    periods: Vec<EndedPeriodShown>,
    detection: Vec<DetectionShown>,
    /// Every task that is overdue today, whenever it was due.
    overdue_today: u64,
}

impl ReviewCounts {
    fn add(&mut self, review: &Review, today: Day) {
        self.tasks += 1;
        self.drawn += u32::from(review.task.rule.is_none());
        match review.reviewed {
            None if review.is_overdue(today) => self.overdue += 1,
            None => self.open += 1,
            Some(reviewed) => {
                let is_in_time = reviewed.at.day() <= review.task.due;
                *(if is_in_time { &mut self.in_time } else { &mut self.late }) += 1;
                *match reviewed.outcome {
                    ReviewOutcome::Justified => &mut self.justified,
                    ReviewOutcome::NotJustified => &mut self.not_justified,
                    ReviewOutcome::NeedsEnquiry => &mut self.needs_enquiry,
                } += 1;
            }
        }
    }
}

impl Directory {
    /// Counts the tasks that are due on some days, by organisation and role.
    pub async fn review_report(&self, caller: &Caller, request: StatisticsRequest, now: Instant) -> Answered<ReviewReport> {
        let permit = policy::review_report(caller, Moment::of(now)).map_err(Refused::from);
        self.look(acting(caller, Operation::ReviewReport, now), move |snapshot, blank| {
            let result = match permit.and_then(|_| refuse_period(request.from, request.to)) {
                Ok(()) => Ok(report(snapshot, request, now.day())?),
                Err(refused) => Err(refused),
            };
            let entry = with_outcome(blank, &result);
            Ok((result, entry))
        })
        .await
    }
}

fn report(snapshot: &Snapshot<'_>, StatisticsRequest { from, to }: StatisticsRequest, today: Day) -> Result<ReviewReport, StoreError> {
    let (mut counts, mut found, mut after) = (BTreeMap::<_, ReviewCounts>::new(), BTreeMap::<_, ReviewCounts>::new(), ReviewId(0));
    loop {
        let due = snapshot.reviews_due(from, to, after, AT_ONCE)?;
        let Some(last) = due.last() else { break };
        after = last.id;
        for review in &due {
            counts.entry((review.task.organisation, review.task.role)).or_default().add(review, today);
            if let Some(rule) = &review.task.rule {
                found.entry(rule.clone()).or_default().add(review, today);
            }
        }
    }
    let by_organisation = counts.into_iter().map(|((organisation, role), counts)| ByBody { organisation, role, counts }).collect();
    let periods = snapshot.ended_periods(from, to)?.into_iter().map(|period| shown(snapshot, period)).collect::<Result<_, _>>()?;
    let by_rule = found.into_iter().map(|(rule, counts)| ByRule { rule, counts }).collect();
    let detection = detection(snapshot, from, to)?;
    Ok(ReviewReport { by_organisation, by_rule, periods, detection, overdue_today: snapshot.overdue_reviews(today)? })
}

fn shown(snapshot: &Snapshot<'_>, period: EndedPeriod) -> Result<EndedPeriodShown, StoreError> {
    let EndedPeriod { every, last, start, entry, next, note } = period;
    let end = snapshot.entry_at(entry)?;
    let (plan, holidays) = (hex_in(end.as_ref(), PLAN), hex_in(end.as_ref(), HOLIDAYS));
    let every = Every::of_number(every).map_or("", Every::code);
    Ok(EndedPeriodShown { every, last, from: start, ended: entry, plan, holidays, is_drawn: next >= entry, checkpoint: note })
}

/// The runs up to these days. A change of the file or of the holidays shows as one more of them, also where it was taken back.
fn detection(snapshot: &Snapshot<'_>, from: Day, to: Day) -> Result<Vec<DetectionShown>, StoreError> {
    let mut all: Vec<DetectionShown> = Vec::new();
    // the last night of the stretch
    let mut night = None;
    for (entry, day) in snapshot.detection_runs(from, to)? {
        let run = snapshot.entry_at(entry)?;
        let is_begin = run.iter().flat_map(|run| &run.changes).any(|change| (change.table, change.row) == (RULES, BEGUN));
        let (rules, holidays) = (hex_in(run.as_ref(), RULES), hex_in(run.as_ref(), HOLIDAYS));
        let is_more = all.last().is_some_and(|former| former.rules == rules && former.holidays == holidays);
        if !is_more {
            all.push(DetectionShown { from: day, to: day, nights: 0, first: entry, last: entry, rules, holidays });
            night = None;
        }
        let Some(stretch) = all.last_mut() else { continue };
        stretch.last = entry;
        if !is_begin {
            // days are those of nights, where it has one
            let former = night.unwrap_or(day);
            (stretch.from, stretch.to) = if night.is_none() { (day, day) } else { (stretch.from, stretch.to.max(day)) };
            stretch.nights += u32::from(night.is_none() || day > former);
            night = Some(former.max(day));
        }
    }
    Ok(all)
}

fn hex_in(entry: Option<&Entry>, table: u8) -> Option<String> {
    let digest = entry.and_then(|entry| digest_in(entry, table))?;
    Some(digest.map(|byte| format!("{byte:02x}")).concat())
}
