//! How organisations come in and go out (rules B1 to B4). The control socket's routes are the data centre's; a council's supervisor sponsors,
//! and each organisation accepts its responsibilities, over the network. No child is within reach.

use super::glass::confirmed;
use super::{Handled, Handlers};
use crate::answer::{Answer, Public, Success};
use crate::call::{Asked, Call};
use crate::certificate::PeerCertificate;
use crate::problem::{Problem, ProblemCode, ProblemDocument};
use crate::texts::TextsAnswer;
use contactpoint_audit::Operation;
use contactpoint_directory::{Accept, Accredit, CertificateGiven, EnrolOrganisation, FreshCode, OrganisationStanding};
use contactpoint_domain::OrganisationId;
use contactpoint_policy::CertificateChange;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::CertificateDer;

/// Enrols an organisation and makes its first two people, for the security officer.
pub(crate) async fn enrol(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json::<EnrolOrganisation>(&desk.identity, Operation::EnrolOrganisation).await?;
    let keys = request.certificates.iter().map(|pem| key_of(pem)).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        // an organisation is known by its keys, so it has at least one
        return Err(ProblemCode::InvalidValue.into());
    }
    let enrolled = desk.directory.enrol_organisation(&caller, request, keys, desk.custody.clone(), now.wall).await?;
    Ok(Answer::settled(Success::Created, enrolled))
}

/// Vouches for an organisation.
#[utoipa::path(post, path = "/v1/organisations/{id}/sponsor", tag = "organisations", params(("id" = u64, Path)),
    request_body = FreshCode, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "How far the organisation has come.", body = OrganisationStanding),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn sponsor(desk: &Handlers, call: Call<'_>) -> Handled {
    let id = organisation(&call);
    let Asked { caller, request: FreshCode { code }, now } = call.json(&desk.identity, Operation::Sponsor).await?;
    let (id, proof) = (id?, confirmed(desk, &caller, &code, now).await?);
    Ok(Answer::settled(Success::Ok, desk.directory.sponsor(&caller, id, proof, now.wall).await?))
}

/// Accredits an organisation for some capabilities, or takes them back.
pub(crate) async fn accredit(desk: &Handlers, call: Call<'_>) -> Handled {
    let id = organisation(&call);
    let Asked { caller, request, now } = call.json::<Accredit>(&desk.identity, Operation::Accredit).await?;
    if request.capabilities.is_empty() {
        return Err(ProblemCode::InvalidValue.into());
    }
    let (id, proof) = (id?, confirmed(desk, &caller, &request.code, now).await?);
    Ok(Answer::settled(Success::Ok, desk.directory.accredit(&caller, id, request, proof, now.wall).await?))
}

/// Suspends an organisation, at its next request.
pub(crate) async fn suspend(desk: &Handlers, call: Call<'_>) -> Handled {
    let id = organisation(&call);
    let Asked { caller, request: Nothing {}, now } = call.json(&desk.identity, Operation::SuspendOrganisation).await?;
    Ok(Answer::settled(Success::Ok, desk.directory.suspend_organisation(&caller, id?, now.wall).await?))
}

/// Lets a suspended organisation in again.
pub(crate) async fn resume(desk: &Handlers, call: Call<'_>) -> Handled {
    let id = organisation(&call);
    let Asked { caller, request: FreshCode { code }, now } = call.json(&desk.identity, Operation::ResumeOrganisation).await?;
    let (id, proof) = (id?, confirmed(desk, &caller, &code, now).await?);
    Ok(Answer::settled(Success::Ok, desk.directory.resume_organisation(&caller, id, proof, now.wall).await?))
}

/// Puts a certificate's key on record beside the others.
pub(crate) async fn add_certificate(desk: &Handlers, call: Call<'_>) -> Handled {
    change_certificate(desk, call, CertificateChange::Add).await
}

/// Takes a certificate's key off the record.
pub(crate) async fn remove_certificate(desk: &Handlers, call: Call<'_>) -> Handled {
    change_certificate(desk, call, CertificateChange::Remove).await
}

async fn change_certificate(desk: &Handlers, call: Call<'_>, change: CertificateChange) -> Handled {
    let operation = match change {
        CertificateChange::Add => Operation::EnrolCertificate,
        CertificateChange::Remove => Operation::RemoveCertificate,
    };
    let id = organisation(&call);
    let Asked { caller, request: CertificateGiven { certificate, code }, now } = call.json(&desk.identity, operation).await?;
    let (id, key) = (id?, key_of(&certificate)?);
    let proof = confirmed(desk, &caller, &code, now).await?;
    Ok(Answer::settled(Success::Ok, desk.directory.change_certificate(&caller, id, change, key, proof, now.wall).await?))
}

/// Accepts the statement of responsibilities in force for the caller's organisation.
#[utoipa::path(post, path = "/v1/organisation/responsibilities", tag = "organisations", request_body = Accept,
    security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "How far the organisation has come.", body = OrganisationStanding),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn accept(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json::<Accept>(&desk.identity, Operation::AcceptResponsibilities).await?;
    Ok(Answer::settled(Success::Ok, desk.directory.accept_responsibilities(&caller, &request, now.wall).await?))
}

/// The texts in force.
#[utoipa::path(get, path = "/v1/texts", tag = "organisations", security(("certificate" = [])),
    responses((status = 200, description = "The texts in force.", body = TextsAnswer),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn texts_in_force(desk: &Handlers, call: Call<'_>) -> Handled {
    call.let_in(&desk.identity)?;
    Ok(Answer::public(Public::Texts(TextsAnswer::in_force())))
}

/// A body with no member: `{}`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn organisation(call: &Call<'_>) -> Result<OrganisationId, Problem> {
    u32::try_from(call.id()?).map(OrganisationId).map_err(|_| ProblemCode::NotFoundOrNotYours.into())
}

fn key_of(pem: &str) -> Result<[u8; 32], Problem> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| ProblemCode::InvalidValue)?;
    PeerCertificate::of(&der).map(|certificate| certificate.key()).map_err(|_| ProblemCode::InvalidValue.into())
}
