//! The control socket's own routes: enrolling organisations (rules B2, C4) and the state of the parts. No child is within reach.

use super::{Handled, Handlers};
use crate::answer::{Answer, Health, Public, Success};
use crate::call::Call;
use crate::certificate::PeerCertificate;
use crate::problem::{Problem, ProblemCode};
use contactpoint_audit::Operation;
use contactpoint_directory::EnrolOrganisation;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::CertificateDer;
use std::sync::Arc;

/// Enrols an organisation and makes its first administrator, for the security officer.
pub(crate) async fn enrol_organisation(desk: &Handlers, call: Call<'_>) -> Handled {
    let (caller, now) = (call.caller(&desk.identity, Operation::EnrolOrganisation).await?, call.now.wall);
    let request: EnrolOrganisation = call.json(&desk.identity, &caller).await?;
    let keys = keys_of(&request.certificates)?;
    let enrolled = desk.directory.enrol_organisation(&caller, request, keys, desk.custody.clone(), now).await?;
    Ok(Answer::settled(Success::Created, enrolled))
}

/// An organisation is known by its keys, so it has at least one.
fn keys_of(certificates: &[String]) -> Result<Vec<[u8; 32]>, Problem> {
    let key = |pem: &String| {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| ProblemCode::InvalidValue)?;
        PeerCertificate::of(&der).map(|certificate| certificate.key()).map_err(|_| ProblemCode::InvalidValue)
    };
    let keys = certificates.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(ProblemCode::InvalidValue.into());
    }
    Ok(keys)
}

/// Whether store and keys work. Who may open the control socket may know.
pub(crate) async fn status(desk: &Handlers, _: Call<'_>) -> Handled {
    Ok(Answer::public(Public::Health(desk.health().await)))
}

/// How keys, store, log, door, settings and locks stand, for the accreditor. Who may open the control socket may know.
pub(crate) async fn evidence(desk: &Handlers, _: Call<'_>) -> Handled {
    let keys = Arc::clone(&desk.custody);
    let keys = tokio::task::spawn_blocking(move || keys.attributes()).await.map_err(|_| ProblemCode::Internal)?;
    let evidence = desk.standing.evidence(keys, desk.store.cipher().await, &desk.store, &desk.revocation);
    Ok(Answer::public(Public::Evidence(Box::new(evidence))))
}

impl Handlers {
    /// A real commit and a real signature.
    pub(crate) async fn health(&self) -> Health {
        let custody = Arc::clone(&self.custody);
        let keys = tokio::task::spawn_blocking(move || custody.probe().is_ok()).await.unwrap_or(false);
        Health { store: self.store.probe().await.is_ok(), keys, entries: self.store.log_size(), revoked: self.revocation.revoked() }
    }
}
