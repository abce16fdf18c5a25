//! Tasks of review: the queue, the outcome, the report (rule F4).

use super::{entered, Entered, Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::{Asked, Call};
use crate::problem::ProblemDocument;
use contactpoint_audit::Operation;
use contactpoint_directory::{ReviewAnswer, ReviewReport, ReviewsAnswer, ReviewsRequest, SettleReviewRequest, StatisticsRequest};
use contactpoint_domain::ReviewId;

/// Lists the tasks of review that wait for the caller, those due first first.
#[utoipa::path(post, path = "/v1/reviews/queue", operation_id = "review_queue", tag = "reviews", request_body = ReviewsRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "What waits.", body = Entered<ReviewsAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn queue(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::ReadReviews).await?;
    let waiting = desk.directory.reviews(&caller, &request, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(waiting)))
}

/// Says what came of a task of review.
#[utoipa::path(post, path = "/v1/reviews/{id}/settle", operation_id = "settle_review", tag = "reviews", params(("id" = u64, Path)), request_body = SettleReviewRequest,
    security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The task as it stands now.", body = Entered<ReviewAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn settle(desk: &Handlers, call: Call<'_>) -> Handled {
    let id = call.id().map(ReviewId);
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::SettleReview).await?;
    let settled = desk.directory.settle_review(&caller, id?, request, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(settled)))
}

/// Counts the tasks of review that are due on some days, by organisation and role.
#[utoipa::path(post, path = "/v1/reviews/report", operation_id = "review_report", tag = "reviews", request_body = StatisticsRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The counts, and what it takes to draw again.", body = Entered<ReviewReport>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn report(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::ReviewReport).await?;
    let answered = desk.directory.review_report(&caller, request, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(answered)))
}
