//! Accounts of an organisation's people, made by its administrator (rule C4).

use super::{Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::Call;
use crate::problem::ProblemDocument;
use contactpoint_audit::Operation;
use contactpoint_directory::{EnrolPerson, EnrolledPerson};

/// Makes an account in the caller's own organisation; its secrets are shown once.
#[utoipa::path(post, path = "/v1/people", tag = "people", request_body = EnrolPerson, security(("certificate" = [], "session" = [])),
    responses((status = 201, description = "The account, with the secrets that are never shown again.", body = EnrolledPerson),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn enrol(desk: &Handlers, call: Call<'_>) -> Handled {
    let (caller, now) = (call.caller(&desk.identity, Operation::EnrolPerson).await?, call.now.wall);
    let request = call.json(&desk.identity, &caller).await?;
    let enrolled = desk.directory.enrol_person(&caller, request, desk.custody.clone(), now).await?;
    Ok(Answer::settled(Success::Created, enrolled))
}
