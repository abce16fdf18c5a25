//! The request for contact: one answer, whatever there is.

use super::{entered, Entered, Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::{Asked, Call};
use crate::problem::ProblemDocument;
use contactpoint_audit::Operation;
use contactpoint_directory::{AskContact, ContactAsked};

/// Asks a child's authority to bring you together with whoever works with the child. The answer is the same whether or not there is such a child.
#[utoipa::path(post, path = "/v1/children/contact", tag = "children", request_body = AskContact, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The request is in the log.", body = Entered<ContactAsked>, example = json!({"entry": 48213})),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn ask(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json::<AskContact>(&desk.identity, Operation::AskContact).await?;
    let asked = desk.directory.ask_contact(&caller, &request, now.wall).await?;
    Ok(Answer::settled(Success::Ok, entered(asked)))
}
