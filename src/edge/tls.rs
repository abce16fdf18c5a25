//! The TLS side of the door: version 1.3 only, mutual, X25519MLKEM768 first, nothing resumed (rule B1).
//!
//! For: one rustls `ServerConfig`, and the verifier that lets a client in when its chain leads to a client authority, its certificate is
//! not revoked, and its key belongs to an enrolled organisation - so that no request of a stranger is ever read. There are no tickets and
//! no stored sessions, because a resumed session skips the certificate, and no early data, because it can be replayed.
//! Leaves to others: what changes while a connection is open, which is asked for each request (`revocation`, identity).

use crate::certificate::PeerCertificate;
use crate::revocation::{Distrust, Revocation};
use contactpoint_identity::clock::Clock;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::crypto::CryptoProvider;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Why the daemon cannot speak TLS. It stops with exit code 78 and the sentence.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// The server's certificate chain is absent or no PEM file of certificates.
    #[error("{0} cannot be read as a PEM file of the server's certificate chain")]
    ServerCertificate(PathBuf),
    /// The certificate was made for another key than the HSM's. Have a certificate issued for the key that `contactpointctl` shows.
    #[error("the server's certificate is not for the TLS key in the HSM: have one issued for that key")]
    OtherKey,
    /// Not of the form that TLS clients accept. Have it issued as X.509 version 3 with the server's name as subjectAltName (RFC 5280).
    #[error(
        "the server's certificate cannot be used ({0:?}): have one issued as X.509 version 3 with the server's name as subjectAltName"
    )]
    Form(CertificateError),
    /// A client authority that cannot be a root of trust.
    #[error("the file of client authorities has a certificate that cannot be trusted as one")]
    Authority,
    /// rustls refused the combination; its text names no secret.
    #[error("TLS cannot be set up: {0}")]
    Rustls(#[from] rustls::Error),
}

/// Asks whether a key (SHA-256 of the DER SubjectPublicKeyInfo) belongs to an enrolled organisation. Called in each handshake.
pub type IsEnrolled = Arc<dyn Fn(&[u8; 32]) -> bool + Send + Sync>;

/// What the handshake is decided with.
pub struct Door {
    /// The server's chain, its own certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The server's key: in the HSM ([`crate::custody_key`]).
    pub key: Arc<dyn SigningKey>,
    /// Authorities and lists.
    pub revocation: Arc<Revocation>,
    /// Which keys are enrolled.
    pub is_enrolled: IsEnrolled,
    /// The time at which chains must hold.
    pub clock: Clock,
}

/// Reads the server's certificate chain (PEM, the server's own certificate first).
pub fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let fault = || TlsFault::ServerCertificate(path.to_owned());
    let chain: Vec<_> = CertificateDer::pem_file_iter(path).map_err(|_| fault())?.collect::<Result<_, _>>().map_err(|_| fault())?;
    if chain.is_empty() {
        return Err(fault());
    }
    Ok(chain)
}

/// The one configuration that every TLS connection is accepted with.
pub fn server_config(door: Door) -> Result<Arc<ServerConfig>, TlsFault> {
    let provider = Arc::new(provider());
    let verifier = ClientVerifier::new(&door, Arc::clone(&provider))?;
    let certified = CertifiedKey::new(door.chain, door.key);
    certified.keys_match().map_err(mismatch)?;
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(ClockOfTls(door.clock)))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "rustls' errors are not ours to list; its own text is passed on")]
fn mismatch(error: rustls::Error) -> TlsFault {
    match error {
        // a key that cannot say which it is proves nothing
        rustls::Error::InconsistentKeys(_) => TlsFault::OtherKey,
        rustls::Error::InvalidCertificate(why) => TlsFault::Form(why),
        other => TlsFault::Rustls(other),
    }
}

/// aws-lc-rs with the key exchanges below, in their order; post-quantum first.
fn provider() -> CryptoProvider {
    CryptoProvider { kx_groups: vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1], ..aws_lc_rs::default_provider() }
}

#[derive(Debug)]
struct ClockOfTls(Clock);

impl TimeProvider for ClockOfTls {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.now().wall.seconds())))
    }
}

/// webpki for the chain, then revocation for every certificate shown, then enrolment for the client's own.
struct ClientVerifier {
    chain: Arc<dyn ClientCertVerifier>,
    revocation: Arc<Revocation>,
    is_enrolled: IsEnrolled,
}

impl ClientVerifier {
    fn new(door: &Door, provider: Arc<CryptoProvider>) -> Result<Self, TlsFault> {
        let mut roots = RootCertStore::empty();
        for authority in door.revocation.authorities().certificates() {
            roots.add(authority.clone()).map_err(|_| TlsFault::Authority)?;
        }
        let chain = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().map_err(|_| TlsFault::Authority)?;
        Ok(Self { chain, revocation: Arc::clone(&door.revocation), is_enrolled: Arc::clone(&door.is_enrolled) })
    }

    fn refuse_revoked(&self, der: &CertificateDer<'_>) -> Result<PeerCertificate, CertificateError> {
        let certificate = PeerCertificate::of(der).map_err(|_| CertificateError::BadEncoding)?;
        match self.revocation.standing_in_handshake(&certificate) {
            Ok(()) => Ok(certificate),
            Err(Distrust::Revoked) => Err(CertificateError::Revoked),
            Err(Distrust::Expired) => Err(CertificateError::Expired),
            Err(Distrust::UnknownIssuer | Distrust::ListExpired) => Err(CertificateError::UnknownRevocationStatus),
        }
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // no hints: a stranger need not learn who our authorities are (rule J3)
        &[]
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self.chain.verify_client_cert(own, others, now)?;
        for other in others {
            self.refuse_revoked(other)?;
        }
        let certificate = self.refuse_revoked(own)?;
        if (self.is_enrolled)(&certificate.key()) {
            Ok(verified)
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls12_signature(message, own, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls13_signature(message, own, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

impl std::fmt::Debug for ClientVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientVerifier")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{put, Authority};
    use crate::revocation::Authorities;
    use contactpoint_domain::Instant;

    const NOW: Instant = Instant::of_millis(1_700_000_000_000);

    /// What becomes of a client of an authority below another, whose list revokes these serials.
    fn verified_below(revoked: &[u64]) -> Result<ClientCertVerified, rustls::Error> {
        let directory = tempfile::tempdir().unwrap();
        let (root, server) = (Authority::named("root"), Authority::named("servers").issue(1, &["localhost"]));
        let below = root.authority_below(5, "below");
        let authorities = Authorities::read(&put(directory.path(), "ca.pem", &format!("{}{}", root.pem, below.pem))).unwrap();
        let lists = put(directory.path(), "crl.pem", &format!("{}{}", root.list(1, revoked), below.list(1, &[])));
        let door = Door {
            chain: Vec::new(),
            key: aws_lc_rs::sign::any_ecdsa_type(&server.key).unwrap(),
            revocation: Arc::new(Revocation::open(&lists, authorities, NOW).unwrap()),
            is_enrolled: Arc::new(|_| true),
            clock: Clock::dangerous_fixed(NOW),
        };
        let verifier = ClientVerifier::new(&door, Arc::new(provider())).unwrap();
        let intermediate = CertificateDer::from_pem_slice(below.pem.as_bytes()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW.seconds()));
        verifier.verify_client_cert(&below.issue(1, &[]).der, &[intermediate], now)
    }

    #[test]
    fn a_client_below_a_revoked_authority_is_refused_though_its_own_certificate_stands() {
        // B1: no request is read from a revoked one; revocation counts for every certificate that is shown
        assert!(verified_below(&[]).is_ok());
        assert_eq!(verified_below(&[5]).unwrap_err(), rustls::Error::InvalidCertificate(CertificateError::Revoked));
    }
}
