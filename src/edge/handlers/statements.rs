//! Statements of who saw a child (rule F3) and evidence of what a person did (rule F5): the only answers that may be stored, for they are sealed for
//! a recipient who is not the caller (rule G8).

use super::glass::{told_of_the_code, tried};
use super::{entered, Entered, Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::{Asked, Call};
use crate::problem::{Problem, ProblemDocument};
use contactpoint_audit::Operation;
use contactpoint_directory::{EvidencePart, EvidenceRequest, EvidenceStanding, StatementRequest};
use contactpoint_domain::EvidenceId;
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};

/// The body of a document as the description has it: bytes.
enum Sealed {}

impl utoipa::PartialSchema for Sealed {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))).into()
    }
}

impl utoipa::ToSchema for Sealed {}

/// Makes a statement of who saw a child, sealed for its recipient.
#[utoipa::path(post, path = "/v1/audit/statement", tag = "audit", request_body = StatementRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The statement, sealed by age.", body = inline(Sealed), content_type = "application/vnd.contactpoint.sealed"),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn statement(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json::<StatementRequest>(&desk.identity, Operation::MakeStatement).await?;
    let (proof, told) = tried(desk, &caller, &request.code, now).await?;
    let made = desk.directory.statement(&caller, request, proof, now.wall).await?;
    told_of_the_code(&made, told)?;
    Ok(Answer::sealed(made))
}

/// Asks for evidence of what a person did; another auditor has to approve it.
#[utoipa::path(post, path = "/v1/audit/evidence", tag = "audit", request_body = EvidenceRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "How the request stands.", body = Entered<EvidenceStanding>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn request(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json::<EvidenceRequest>(&desk.identity, Operation::RequestEvidence).await?;
    let (proof, told) = tried(desk, &caller, &request.code, now).await?;
    let standing = desk.directory.request_evidence(&caller, &request, proof, now.wall).await?;
    told_of_the_code(&standing, told)?;
    Ok(Answer::settled(Success::Ok, entered(standing)))
}

/// Approves what another auditor asked for, by saying the same.
#[utoipa::path(post, path = "/v1/audit/evidence/{id}/approve", tag = "audit", params(("id" = u64, Path)), request_body = EvidenceRequest, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "How the request stands.", body = Entered<EvidenceStanding>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn approve(desk: &Handlers, call: Call<'_>) -> Handled {
    let id = evidence(&call);
    let Asked { caller, request, now } = call.json::<EvidenceRequest>(&desk.identity, Operation::ApproveEvidence).await?;
    let id = id?;
    let (proof, told) = tried(desk, &caller, &request.code, now).await?;
    let standing = desk.directory.approve_evidence(&caller, id, &request, proof, now.wall).await?;
    told_of_the_code(&standing, told)?;
    Ok(Answer::settled(Success::Ok, entered(standing)))
}

/// Fetches evidence that the caller asked for and another auditor approved, sealed for its recipient: a part of it, where it is long.
#[utoipa::path(post, path = "/v1/audit/evidence/{id}/fetch", tag = "audit", params(("id" = u64, Path)), request_body = EvidencePart, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The evidence, sealed by age.", body = inline(Sealed), content_type = "application/vnd.contactpoint.sealed",
            headers(("Evidence-Next" = u64, description = "Where there is more: the entry from which on the next part is fetched."))),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn fetch(desk: &Handlers, call: Call<'_>) -> Handled {
    let id = evidence(&call);
    let Asked { caller, request, now } = call.json::<EvidencePart>(&desk.identity, Operation::FetchEvidence).await?;
    Ok(Answer::part(desk.directory.fetch_evidence(&caller, id?, request, now.wall).await?))
}

fn evidence(call: &Call<'_>) -> Result<EvidenceId, Problem> {
    call.id().map(EvidenceId)
}
