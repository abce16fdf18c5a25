//! Alerts: the queue, the judgement, and what auditors ask of both (rules D5, D7).

use super::{entered, Entered, Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::{Asked, Call};
use crate::problem::{Problem, ProblemDocument};
use contactpoint_audit::Operation;
use contactpoint_directory::{
    AlertAnswer, FlagsRequest, JudgeRequest, QueueAnswer, QueueRequest, ReviewRequest, SampleAnswer, SampleRequest, StatisticsAnswer,
    StatisticsRequest,
};
use contactpoint_domain::AlertId;

/// Lists the alerts that wait for the caller, oldest first.
#[utoipa::path(post, path = "/v1/alerts/queue", tag = "alerts", request_body = QueueRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "What waits.", body = Entered<QueueAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn queue(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::ReadAlerts).await?;
    let waiting = desk.directory.alerts(&caller, &request, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(waiting)))
}

/// Judges or settles an alert.
#[utoipa::path(post, path = "/v1/alerts/{id}/judge", tag = "alerts", params(("id" = u64, Path)), request_body = JudgeRequest,
    security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The alert as it stands now.", body = Entered<AlertAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn judge(desk: &Handlers, call: Call<'_>) -> Handled {
    let id = alert(&call);
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::JudgeAlert).await?;
    let judged = desk.directory.judge(&caller, id?, request, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(judged)))
}

/// Draws a sample of a finished month's judgements.
#[utoipa::path(post, path = "/v1/audit/alerts/sample", tag = "audit", request_body = SampleRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The sample, and what it takes to draw it again.", body = Entered<SampleAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn sample(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::SampleAlerts).await?;
    let answered = desk.directory.sample_alerts(&caller, request, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(answered)))
}

/// Says what an auditor finds of a judgement that was drawn.
#[utoipa::path(post, path = "/v1/audit/alerts/{id}/review", tag = "audit", params(("id" = u64, Path)), request_body = ReviewRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The alert with the finding.", body = Entered<AlertAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn review(desk: &Handlers, call: Call<'_>) -> Handled {
    let id = alert(&call);
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::ReviewAlert).await?;
    let answered = desk.directory.review_alert(&caller, id?, request, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(answered)))
}

/// Counts alerts and judgements by user, by role, and by pair of user and supervisor.
#[utoipa::path(post, path = "/v1/audit/alerts/statistics", tag = "audit", request_body = StatisticsRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The counts.", body = Entered<StatisticsAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn statistics(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::AlertStatistics).await?;
    let answered = desk.directory.alert_statistics(&caller, request, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(answered)))
}

/// Lists the alerts that looks raised without their looker's doing.
#[utoipa::path(post, path = "/v1/audit/flags", tag = "audit", request_body = FlagsRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The flags, oldest first.", body = Entered<QueueAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn flags(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::ReadAlerts).await?;
    let answered = desk.directory.flags(&caller, &request, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(answered)))
}

fn alert(call: &Call<'_>) -> Result<AlertId, Problem> {
    call.id().map(AlertId)
}
