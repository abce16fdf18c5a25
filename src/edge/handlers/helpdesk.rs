//! A factor made anew by two people (rule C5).

use super::glass::confirmed;
use super::people::person;
use super::{Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::{Asked, Call};
use crate::problem::ProblemDocument;
use contactpoint_audit::Operation;
use contactpoint_directory::{BeginReset, CompleteReset, ResetBegun, ResetDone};

/// Begins to reset a factor of a person of the helpdesk's organisation, who was verified by the scripted questions. A second person completes it
/// within a day.
#[utoipa::path(post, path = "/v1/people/{id}/reset", tag = "people", params(("id" = u64, Path)), request_body = BeginReset,
    security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The reset waits for its second person.", body = ResetBegun),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn begin_reset(desk: &Handlers, call: Call<'_>) -> Handled {
    let person = person(&call);
    let Asked { caller, request, now } = call.json::<BeginReset>(&desk.identity, Operation::BeginReset).await?;
    Ok(Answer::settled(Success::Ok, desk.directory.begin_reset(&caller, person?, request, now.wall).await?))
}

/// Completes a reset that somebody else began. The new factor is shown once; every session of the account has ended.
#[utoipa::path(post, path = "/v1/people/{id}/reset/complete", tag = "people", params(("id" = u64, Path)), request_body = CompleteReset,
    security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The new factor, which is never shown again.", body = ResetDone),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn complete_reset(desk: &Handlers, call: Call<'_>) -> Handled {
    let person = person(&call);
    let Asked { caller, request, now } = call.json::<CompleteReset>(&desk.identity, Operation::CompleteReset).await?;
    let person = person?;
    let proof = confirmed(desk, &caller, &request.code, now).await?;
    let done = desk.directory.complete_reset(&caller, person, proof, desk.custody.clone(), now.wall).await?;
    Ok(Answer::settled(Success::Ok, done))
}
