//! Break the glass, override a shield, leave again (rules D4, E5). The second factor is proved anew before anything is looked at (rule C2); where it
//! is refused, the act's own entry says so.

use super::{entered, Entered, Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::{Asked, Call};
use crate::problem::{Problem, ProblemCode, ProblemDocument};
use contactpoint_audit::Operation;
use contactpoint_directory::{BreakGlassRequest, GlassAnswer, LeaveAnswer, OverrideRequest, Refused};
use contactpoint_identity::{Caller, Confirmed, LoginRefused, Now};
use contactpoint_policy::Refusal;
use contactpoint_store::Committed;

/// Lets the caller view one child outside their scope for thirty minutes; their supervisor is alerted.
#[utoipa::path(post, path = "/v1/break-glass", tag = "break-glass", request_body = BreakGlassRequest,
    security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The child that may be viewed now, and until when.", body = Entered<GlassAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn break_glass(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json::<BreakGlassRequest>(&desk.identity, Operation::BreakGlass).await?;
    let (proof, told) = tried(desk, &caller, &request.code, now).await?;
    let opened = desk.directory.break_glass(&caller, request, proof, now.wall).await?;
    told_of_the_code(&opened, told)?;
    Ok(Answer::settled(Success::Ok, entered(opened)))
}

/// Leaves the child that the glass was broken to.
#[utoipa::path(post, path = "/v1/break-glass/leave", tag = "break-glass", request_body = Leave,
    security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "What was left.", body = Entered<LeaveAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn leave(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request: Leave {}, now } = call.json(&desk.identity, Operation::LeaveGlass).await?;
    let left = desk.directory.leave_glass(&caller, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(left)))
}

/// Lets the caller view one shielded child for thirty minutes; supervisor and authority are alerted.
#[utoipa::path(post, path = "/v1/shield-override", tag = "break-glass", request_body = OverrideRequest,
    security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The child that may be viewed now, and until when.", body = Entered<GlassAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn override_shield(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json::<OverrideRequest>(&desk.identity, Operation::OverrideShield).await?;
    let (proof, told) = tried(desk, &caller, &request.code, now).await?;
    let opened = desk.directory.override_shield(&caller, request, proof, now.wall).await?;
    told_of_the_code(&opened, told)?;
    Ok(Answer::settled(Success::Ok, entered(opened)))
}

/// Nothing to say.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub(crate) struct Leave {}

/// The second factor anew, for an act whose own entry says that it was refused (rule F1): the proof, or the refusal and what the caller is told.
pub(crate) async fn tried(
    desk: &Handlers,
    caller: &Caller,
    code: &str,
    now: Now,
) -> Result<(Result<Confirmed, Refusal>, Option<Problem>), Problem> {
    match confirmed(desk, caller, code, now).await {
        Ok(proof) => Ok((Ok(proof), None)),
        Err(problem) if problem.code == ProblemCode::NotConfirmed => Ok((Err(Refusal::NotConfirmed), Some(problem))),
        Err(problem) => Err(problem),
    }
}

/// Where the act was refused for its code: what the caller is told of that.
pub(crate) fn told_of_the_code<T>(done: &Committed<Result<T, Refused>>, told: Option<Problem>) -> Result<(), Problem> {
    let is_code = matches!(done.get(), Err(Refused::Policy(Refusal::NotConfirmed)));
    told.filter(|_| is_code).map_or(Ok(()), |problem| Err(problem.entered(done.logged())))
}

/// The second factor anew. A caller who is logged in may know that it was the code, and how long to wait.
pub(crate) async fn confirmed(desk: &Handlers, caller: &Caller, code: &str, now: Now) -> Result<Confirmed, Problem> {
    let tried = desk.identity.confirm(caller, code, now).await?;
    let entry = tried.logged();
    let told: Problem = match tried.into_inner() {
        Ok(proof) => return Ok(proof),
        Err(LoginRefused::Failed { retry_after: Some(wait) }) => Problem::retry_after(ProblemCode::NotConfirmed, wait.as_secs()),
        Err(LoginRefused::Failed { retry_after: None }) => ProblemCode::NotConfirmed.into(),
        Err(refused @ LoginRefused::Channel(_)) => refused.into(),
    };
    Err(told.entered(entry))
}
