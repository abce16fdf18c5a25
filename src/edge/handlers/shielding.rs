//! What an authority's shielding officer decides of a child, and the end of an organisation's work with one (rules D1, D8, E1, E4).

use super::glass::{told_of_the_code, tried};
use super::{entered, Entered, Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::{Asked, Call};
use crate::problem::ProblemDocument;
use contactpoint_audit::Operation;
use contactpoint_directory::{
    EndInvolvement, HoldNew, InvolvementEnded, OrganisationStanding, SetAudience, SettleRecord, ShieldChild, ShieldStanding, UnshieldChild,
};

/// Shields a child of the caller's authority, or sets another reason and day of review.
#[utoipa::path(post, path = "/v1/children/shield", tag = "shielding", security(("certificate" = [], "session" = [])),
    request_body(content = ShieldChild,
        example = json!({"child_number": "4182736451", "reason": "domestic-violence", "review": "2027-03-31"})),
    responses((status = 200, description = "What is set of the record now.", body = Entered<ShieldStanding>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn shield(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::Shield).await?;
    Ok(Answer::settled(Success::Ok, entered(desk.directory.shield(&caller, request, now.wall).await?)))
}

/// Lifts the shield of a child of the caller's authority.
#[utoipa::path(post, path = "/v1/children/unshield", tag = "shielding", security(("certificate" = [], "session" = [])),
    request_body(content = UnshieldChild, example = json!({"child_number": "4182736451", "code": "492817"})),
    responses((status = 200, description = "What is set of the record now.", body = Entered<ShieldStanding>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn unshield(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request: UnshieldChild { child_number, code }, now } = call.json(&desk.identity, Operation::Unshield).await?;
    let (proof, told) = tried(desk, &caller, &code, now).await?;
    let lifted = desk.directory.unshield(&caller, child_number, proof, now.wall).await?;
    told_of_the_code(&lifted, told)?;
    Ok(Answer::settled(Success::Ok, entered(lifted)))
}

/// Names the only people who may know of a record, or lets everybody know again who may otherwise.
#[utoipa::path(post, path = "/v1/children/audience", tag = "shielding", security(("certificate" = [], "session" = [])),
    request_body(content = SetAudience, example = json!({"child_number": "4182736451", "audience": {"people": [14, 31]}, "code": "492817"})),
    responses((status = 200, description = "What is set of the record now.", body = Entered<ShieldStanding>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn audience(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request: SetAudience { child_number, audience, code }, now } =
        call.json(&desk.identity, Operation::SetAudience).await?;
    let (proof, told) = tried(desk, &caller, &code, now).await?;
    let named = desk.directory.set_audience(&caller, child_number, audience, proof, now.wall).await?;
    told_of_the_code(&named, told)?;
    Ok(Answer::settled(Success::Ok, entered(named)))
}

/// Says which child a record in quarantine is of: another that is on record, or one of its own.
#[utoipa::path(post, path = "/v1/children/settle", tag = "shielding", security(("certificate" = [], "session" = [])),
    request_body(content = SettleRecord, example = json!({"child_number": "7305518265", "child": "4182736451"})),
    responses((status = 200, description = "What is set of the record that the statements are in now.", body = Entered<ShieldStanding>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn settle(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::SettleRecord).await?;
    Ok(Answer::settled(Success::Ok, entered(desk.directory.settle(&caller, request, now.wall).await?)))
}

/// Says that the caller's organisation works with a child no more; the child is out of its scope from the next request on.
#[utoipa::path(post, path = "/v1/involvements/end", tag = "children", security(("certificate" = [], "session" = [])),
    request_body(content = EndInvolvement, example = json!({"child_number": "4182736451"})),
    responses((status = 200, description = "The work ended.", body = Entered<InvolvementEnded>),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn end_involvement(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::EndInvolvement).await?;
    Ok(Answer::settled(Success::Ok, entered(desk.directory.end_involvement(&caller, request, now.wall).await?)))
}

/// Has new records of the caller's area wait for its shielding officer, or no longer.
#[utoipa::path(post, path = "/v1/organisation/hold-new", tag = "shielding", security(("certificate" = [], "session" = [])),
    request_body(content = HoldNew, example = json!({"hold": true})),
    responses((status = 200, description = "How the organisation stands.", body = OrganisationStanding),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn hold_new(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::HoldNew).await?;
    Ok(Answer::settled(Success::Ok, desk.directory.hold_new(&caller, &request, now.wall).await?))
}
