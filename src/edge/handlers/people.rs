//! Accounts of an organisation's people: made and amended by its administrator, locked by its helpdesk, signed for by each (rules C1 to C5).

use super::glass::confirmed;
use super::{Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::{Asked, Call};
use crate::problem::{Problem, ProblemCode, ProblemDocument};
use contactpoint_audit::Operation;
use contactpoint_directory::{Accept, AmendPerson, EnrolPerson, EnrolledPerson, PersonStanding, SetState};
use contactpoint_domain::PersonId;
use contactpoint_identity::{Caller, Confirmed, Now};

/// Makes an account in the caller's own organisation; its secrets are shown once.
#[utoipa::path(post, path = "/v1/people", tag = "people", request_body = EnrolPerson, security(("certificate" = [], "session" = [])),
    responses((status = 201, description = "The account, with the secrets that are never shown again.", body = EnrolledPerson),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn enrol(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json::<EnrolPerson>(&desk.identity, Operation::EnrolPerson).await?;
    let proof = confirmed_if_given(desk, &caller, request.code.as_deref(), now).await?;
    let enrolled = desk.directory.enrol_person(&caller, request, proof, desk.custody.clone(), now.wall).await?;
    Ok(Answer::settled(Success::Created, enrolled))
}

/// Changes what is on record of a person of the caller's organisation; what is absent stays.
#[utoipa::path(post, path = "/v1/people/{id}", tag = "people", params(("id" = u64, Path)), request_body = AmendPerson,
    security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The account as it is now.", body = PersonStanding),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn amend(desk: &Handlers, call: Call<'_>) -> Handled {
    let person = person(&call);
    let Asked { caller, request, now } = call.json::<AmendPerson>(&desk.identity, Operation::AmendPerson).await?;
    let (person, proof) = (person?, confirmed_if_given(desk, &caller, request.code.as_deref(), now).await?);
    Ok(Answer::settled(Success::Ok, desk.directory.amend_person(&caller, person, request, proof, now.wall).await?))
}

/// Locks, unlocks, suspends, resumes or closes an account of the caller's organisation.
#[utoipa::path(post, path = "/v1/people/{id}/state", tag = "people", params(("id" = u64, Path)), request_body = SetState,
    security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The account as it is now.", body = PersonStanding),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn set_state(desk: &Handlers, call: Call<'_>) -> Handled {
    // which of these it is, is in the body, which is read only from somebody known
    let person = person(&call);
    let Asked { caller, request, now } = call.json::<SetState>(&desk.identity, Operation::AmendPerson).await?;
    Ok(Answer::settled(Success::Ok, desk.directory.set_account_state(&caller, person?, request, now.wall).await?))
}

/// Signs the user agreement in force.
#[utoipa::path(post, path = "/v1/session/agreement", tag = "people", request_body = Accept, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The account as it is now.", body = PersonStanding),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn sign(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json::<Accept>(&desk.identity, Operation::AcceptAgreement).await?;
    Ok(Answer::settled(Success::Ok, desk.directory.accept_agreement(&caller, &request, now.wall).await?))
}

/// The second factor anew, where there is a code: whether there has to be one is the policy's question.
async fn confirmed_if_given(desk: &Handlers, caller: &Caller, code: Option<&str>, now: Now) -> Result<Option<Confirmed>, Problem> {
    match code {
        Some(code) => Ok(Some(confirmed(desk, caller, code, now).await?)),
        None => Ok(None),
    }
}

pub(super) fn person(call: &Call<'_>) -> Result<PersonId, Problem> {
    u32::try_from(call.id()?).map(PersonId).map_err(|_| ProblemCode::NotFoundOrNotYours.into())
}
