//! Alerts: the queue, the judgement, and what auditors ask of both (rules D5, D7).

use super::{entered, Entered, Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::Call;
use crate::problem::{Problem, ProblemDocument};
use contactpoint_audit::Operation;
use contactpoint_directory::{AlertAnswer, JudgeRequest, QueueAnswer, QueueRequest};
use contactpoint_domain::AlertId;

/// Lists the alerts that wait for the caller, oldest first.
#[utoipa::path(post, path = "/v1/alerts/queue", tag = "alerts", request_body = QueueRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "What waits.", body = Entered<QueueAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn queue(desk: &Handlers, call: Call<'_>) -> Handled {
    let (caller, now) = (call.caller(&desk.identity, Operation::ReadAlerts).await?, call.now.wall);
    let request = call.json(&desk.identity, &caller).await?;
    let waiting = desk.directory.alerts(&caller, &request, now).await?;
    Ok(Answer::settled(Success::Ok, entered(waiting)))
}

/// Judges or settles an alert.
#[utoipa::path(post, path = "/v1/alerts/{id}/judge", tag = "alerts", params(("id" = u64, Path)), request_body = JudgeRequest,
    security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The alert as it stands now.", body = Entered<AlertAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn judge(desk: &Handlers, call: Call<'_>) -> Handled {
    let (caller, now) = (call.caller(&desk.identity, Operation::JudgeAlert).await?, call.now.wall);
    let id = alert(&call)?;
    let request = call.json(&desk.identity, &caller).await?;
    let judged = desk.directory.judge(&caller, id, request, now).await?;
    Ok(Answer::settled(Success::Ok, entered(judged)))
}

fn alert(call: &Call<'_>) -> Result<AlertId, Problem> {
    call.id().map(AlertId)
}
