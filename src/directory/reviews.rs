//! Tasks of review: the queue of whoever has to look at them, and what came of them (rule F4).
//!
//! A reviewer is told the event, by the log's entry, and the child's number, as with alerts (rule D4); nothing in here reads a record. The
//! overriding of a shield is told as the breaking of a glass, and a look at what is none of the looker's as one that found nobody: a task tells
//! no more than the looker was told (rules D1, D8, E5).

use crate::alerts::{Actor, ActorOrganisation};
use crate::connect::still;
use crate::cursor::{Cursor, Question};
use crate::entries::{acting, with_outcome};
use crate::people::chain;
use crate::refused::Refused;
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Field, Operation, Outcome, RefusalCode};
use contactpoint_domain::{
    ChildNumber, Day, Instant, OrganisationId, PersonId, Purpose, Review, ReviewId, ReviewOutcome, Reviewed, Role, RuleName,
};
use contactpoint_identity::Caller;
use contactpoint_policy::{self as policy, Moment, ReadReviewsPermit};
use contactpoint_store::{Snapshot, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most tasks that one answer lists.
pub const MOST_REVIEWS: u32 = 20;

/// The most looks of one task that are told of; the indexes of all of them are there.
const MOST_LOOKS: usize = 10;

/// Where the queue goes on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct ReviewsRequest {
    /// From the answer before; absent for what is due first.
    pub cursor: Option<Cursor>,
}

/// The tasks that wait for the caller, those due first first, at most 20.
#[derive(Serialize, ToSchema)]
pub struct ReviewsAnswer {
    reviews: Vec<ReviewAnswer>,
    /// There where there are more: ask again with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<Cursor>,
}

/// One task.
#[derive(Serialize, ToSchema)]
pub struct ReviewAnswer {
    id: ReviewId,
    /// The rule that found it; absent where it was drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<RuleName>,
    /// Whose looks; absent where those of many, at one child.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<Actor>,
    /// For which organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<ActorOrganisation>,
    /// The last day on which it is not overdue.
    due: Day,
    overdue: bool,
    /// The indexes of the log's entries that it is about.
    entries: Vec<u64>,
    /// The first ten of them.
    looks: Vec<ReviewedLook>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reviewed: Option<ReviewedAnswer>,
}

/// A look, as the log's entry has it.
#[derive(Serialize, ToSchema)]
pub struct ReviewedLook {
    /// Its index in the log.
    entry: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<PersonId>,
    /// For which organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<OrganisationId>,
    /// In which role.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    /// What was done: search, view, break-glass (also where a shield was overridden), ask-contact.
    operation: &'static str,
    /// The stated reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Purpose>,
    /// What the looker was told: answered, not-found, too-many, or the reason of the refusal.
    outcome: &'static str,
    /// The children: their numbers, whether or not there are records of them.
    child_numbers: Vec<ChildNumber>,
}

/// What came of a task.
#[derive(Serialize, ToSchema)]
pub struct ReviewedAnswer {
    outcome: ReviewOutcome,
    by: PersonId,
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
}

/// What a reviewer says of a task.
#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "justified"}))]
pub struct SettleReviewRequest {
    /// justified, not-justified, needs-enquiry.
    pub outcome: ReviewOutcome,
}

impl ReviewedLook {
    fn of(index: u64, entry: Entry) -> Self {
        let Entry { at, person, organisation, role, operation, reason, children, outcome, .. } = entry;
        let operation = if operation == Operation::OverrideShield { Operation::BreakGlass } else { operation };
        let is_nobody = matches!(outcome, Outcome::Refused(RefusalCode::OutsideScope | RefusalCode::NotOfAudience));
        let outcome = match outcome {
            _ if is_nobody => Outcome::NotFound,
            // whoever asked for contact was told one and the same (rule E6)
            Outcome::NotFound if operation == Operation::AskContact => Outcome::Answered,
            told @ (Outcome::Answered | Outcome::NotFound | Outcome::TooMany | Outcome::Refused(_)) => told,
        };
        let outcome = outcome.code();
        Self { entry: index, at, person, organisation, role, operation: operation.code(), reason, outcome, child_numbers: children }
    }
}

impl ReviewAnswer {
    fn of(snapshot: &Snapshot<'_>, review: &Review, today: Day) -> Result<Self, StoreError> {
        let task = &review.task;
        let person = task.person.map(|id| snapshot.account(id)).transpose()?.flatten();
        let organisation = task.organisation.map(|id| snapshot.organisation(id)).transpose()?.flatten();
        let mut looks = Vec::new();
        for index in task.entries.iter().take(MOST_LOOKS) {
            looks.extend(snapshot.entry_at(*index)?.map(|entry| ReviewedLook::of(*index, entry)));
        }
        Ok(Self {
            id: review.id,
            rule: task.rule.clone(),
            person: person.map(|account| Actor::of(account.id, account.name)),
            organisation: organisation.map(|found| ActorOrganisation::of(found.id, found.name)),
            due: task.due,
            overdue: review.is_overdue(today),
            entries: task.entries.clone(),
            looks,
            reviewed: review.reviewed.map(|Reviewed { outcome, by, at }| ReviewedAnswer { outcome, by, at }),
        })
    }
}

/// The entry's word on tasks that were shown: every child whose number was in one (rule F1).
fn naming<'a>(entry: Entry, answers: impl IntoIterator<Item = &'a ReviewAnswer>) -> Entry {
    let mut children = entry.children;
    for number in answers.into_iter().flat_map(|answer| &answer.looks).flat_map(|look| &look.child_numbers) {
        if !children.contains(number) {
            children.push(number.clone());
        }
    }
    let shown = if children.is_empty() { Vec::new() } else { vec![Field::Number] };
    Entry { children, shown, ..entry }
}

impl Directory {
    /// The tasks that wait for the caller (rule F4).
    pub async fn reviews(&self, caller: &Caller, request: &ReviewsRequest, now: Instant) -> Answered<ReviewsAnswer> {
        let question = Question { operation: Operation::ReadReviews, asked: b"queue" };
        let after = request.cursor.as_ref().map_or(Ok(0), |cursor| self.cursors.place(caller, &question, cursor));
        let permit = policy::read_reviews(caller, Moment::of(now)).map_err(Refused::from);
        self.look(acting(caller, Operation::ReadReviews, now), move |snapshot, blank| {
            let (permit, after) = match permit.and_then(|permit| Ok((permit, after?))) {
                Ok(asked) => asked,
                Err(refused) => return Ok((Err(refused.clone()), with_outcome(blank, &Err::<(), _>(refused)))),
            };
            let (waiting, last) = waiting_for(snapshot, &permit, Moment::of(now), ReviewId(after))?;
            let cursor = last.map(|last| self.cursors.to(caller, &question, last.0)).transpose()?;
            let reviews: Vec<_> = waiting.iter().map(|review| ReviewAnswer::of(snapshot, review, now.day())).collect::<Result<_, _>>()?;
            let entry = naming(blank, &reviews);
            Ok((Ok(ReviewsAnswer { reviews, cursor }), entry))
        })
        .await
    }

    /// Says what came of a task that waits for the caller (rule F4). One that waits for somebody else is not there.
    pub async fn settle_review(&self, caller: &Caller, id: ReviewId, request: SettleReviewRequest, now: Instant) -> Answered<ReviewAnswer> {
        let by = caller.clone();
        self.alter(acting(caller, Operation::SettleReview, now), move |transaction, blank| {
            let by = match still(transaction, &by)? {
                Ok(by) => by,
                Err(refused) => return Ok((Err(refused.clone()), with_outcome(blank, &Err::<(), _>(refused)))),
            };
            if let Err(refusal) = policy::settles_reviews(&by, Moment::of(now)) {
                return Ok((Err(refusal.into()), Entry { outcome: Outcome::Refused(refusal.into()), ..blank }));
            }
            let Some(review) = transaction.review(id)? else {
                return Ok((Err(Refused::NotFoundOrNotYours), Entry { outcome: Outcome::NotFound, ..blank }));
            };
            let over = chain(transaction, by.qualifications().supervisor)?;
            Ok(match policy::settle_review(&by, Moment::of(now), &review, &over, request.outcome) {
                Ok(permit) => {
                    let reviewed = Reviewed { outcome: permit.outcome(), by: permit.by().person, at: now };
                    transaction.settle_review(&review, reviewed)?;
                    let answer = ReviewAnswer::of(transaction, &Review { reviewed: Some(reviewed), ..review }, now.day())?;
                    let entry = Entry { role: Some(permit.by().role), ..naming(blank, [&answer]) };
                    (Ok(answer), entry)
                }
                Err(refusal) => (Err(refusal.into()), Entry { outcome: Outcome::Refused(refusal.into()), ..blank }),
            })
        })
        .await
    }
}

/// A page of the tasks behind `after` that wait for the caller, and where it ends if there may be more.
fn waiting_for(
    snapshot: &Snapshot<'_>,
    permit: &ReadReviewsPermit,
    moment: Moment,
    after: ReviewId,
) -> Result<(Vec<Review>, Option<ReviewId>), StoreError> {
    let by = permit.by();
    let read = if by.role == Role::Auditor {
        snapshot.reviews_for_auditors(moment.today, after, MOST_REVIEWS + 1)?
    } else {
        snapshot.reviews_for(by.person, after, MOST_REVIEWS + 1)?
    };
    let last = read.get(MOST_REVIEWS as usize - 1).filter(|_| read.len() > MOST_REVIEWS as usize).map(|review| review.id);
    let page = read.into_iter().take(MOST_REVIEWS as usize);
    Ok((page.filter(|review| policy::review_waits_for(by, moment, review)).collect(), last))
}
