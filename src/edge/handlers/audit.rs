//! Who saw this child? (rule F3)

use super::{entered, Entered, Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::{Asked, Call};
use crate::problem::ProblemDocument;
use contactpoint_audit::Operation;
use contactpoint_directory::{WhoSawAnswer, WhoSawRequest};

/// Lists every look at one child, for the auditor.
#[utoipa::path(post, path = "/v1/audit/who-saw", tag = "audit", request_body = WhoSawRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "Every look at the child.", body = Entered<WhoSawAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn who_saw(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::WhoSaw).await?;
    let looks = desk.directory.who_saw(&caller, &request, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(looks)))
}
