//! Search and view: the two looks at children.

use super::{entered, Entered, Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::{Asked, Call};
use crate::problem::ProblemDocument;
use contactpoint_audit::Operation;
use contactpoint_directory::{SearchAnswer, SearchRequest, ViewAnswer, ViewRequest};

/// Finds children of the caller's own scope; at most twenty.
#[utoipa::path(post, path = "/v1/children/search", tag = "children", request_body = SearchRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The children who match; the look is in the log.", body = Entered<SearchAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn search(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::Search).await?;
    let found = desk.directory.search(&caller, &request, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(found)))
}

/// Shows who works with one child, and how to reach them.
#[utoipa::path(post, path = "/v1/children/view", tag = "children", request_body = ViewRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The record; the look is in the log.", body = Entered<ViewAnswer>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn view(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::View).await?;
    let view = desk.directory.view(&caller, &request, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(view)))
}
