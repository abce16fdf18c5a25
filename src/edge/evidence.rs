//! What the daemon says of itself for the accreditor: keys, store, log, door, settings, locks, as they stand at this moment.
//!
//! For: `GET /v1/evidence` on the control socket. Key attributes are asked of the HSM and cipher settings of the open connection each time;
//! what cannot change while the daemon runs was kept at the start. Does not hold a child, a person, an organisation or a secret: its
//! members are the closed list below, and none is read from a row of the store. Leaves to others: verdicts (`contactpointctl inspect`),
//! which also looks from outside, since a program that was taken over says what it likes.

use crate::certificate::PeerCertificate;
use crate::revocation::Revocation;
use contactpoint_audit::VerifierKey;
use contactpoint_domain::Instant;
use contactpoint_hardening::LockReport;
use contactpoint_keys::{HeadKey, HeadPublicKey, KeyError, KeyReport};
use contactpoint_settings::Settings;
use contactpoint_store::{CipherReport, Store, StoreError};
use rustls::ServerConfig;
use rustls_pki_types::CertificateDer;
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

/// All of it.
#[derive(Debug, Serialize)]
pub struct Evidence {
    version: &'static str,
    hsm: Hsm,
    store: Told<CipherReport>,
    log: Log,
    tls: Tls,
    settings: InForce,
    /// What the process did to itself; `null` where nobody told.
    locks: Option<LockReport>,
}

/// What was told, or why it could not be.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Told<T> {
    /// As the part words it.
    All(T),
    /// One sentence.
    Nothing { fault: String },
}

#[derive(Debug, Serialize)]
struct Hsm {
    module: String,
    token: String,
    /// Empty where the HSM did not answer: `fault` then says why.
    keys: Vec<KeyReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

#[derive(Debug, Serialize)]
struct Log {
    origin: String,
    /// Durable entries.
    size: u64,
    /// The newest signed head, a C2SP note.
    checkpoint: Option<String>,
    /// C2SP signed-note: name+id+key, one a line.
    verifier_key: Option<String>,
}

#[derive(Debug, Serialize)]
struct Tls {
    listening: Option<SocketAddr>,
    certificate_expires: Option<Instant>,
    revocation_list_expires: Instant,
    /// Names of TLS 1.3's key exchanges in order of preference (IANA, TLS Supported Groups).
    groups: Vec<String>,
    cipher_suites: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
struct InForce {
    /// TOML.
    effective: String,
    /// "hsm.token".
    off_default: Vec<String>,
}

/// What is known from the start, and told once later.
pub(crate) struct Standing {
    module: String,
    token: String,
    origin: String,
    verifier_key: Option<String>,
    certificate_expires: Option<Instant>,
    groups: Vec<String>,
    cipher_suites: Vec<String>,
    settings: InForce,
    listening: OnceLock<SocketAddr>,
    locks: OnceLock<LockReport>,
}

/// The log's verifier keys, one a line, the first one first.
fn verifier_keys(origin: &str, heads: &[Arc<HeadKey>]) -> Option<String> {
    let keys = heads.iter().map(|head| match head.public() {
        HeadPublicKey::Ed25519(public) => VerifierKey::ed25519(origin, public),
        HeadPublicKey::EcdsaP256(spki) => VerifierKey::ecdsa_p256(origin, spki),
    });
    let lines: Vec<String> = keys.map(|key| key.map(|key| key.to_string())).collect::<Result<_, _>>().ok()?;
    Some(lines.join("\n"))
}

impl Standing {
    pub(crate) fn of(settings: &Settings, certificate: Option<&CertificateDer<'_>>, tls: &ServerConfig, heads: &[Arc<HeadKey>]) -> Self {
        let provider = tls.crypto_provider();
        let origin = settings.log.origin.as_str().to_owned();
        Self {
            module: settings.hsm.module.as_path().display().to_string(),
            token: settings.hsm.token.as_str().to_owned(),
            verifier_key: verifier_keys(&origin, heads),
            origin,
            certificate_expires: certificate.and_then(|der| PeerCertificate::of(der).ok()).map(|certificate| certificate.not_after()),
            groups: provider.kx_groups.iter().map(|group| format!("{:?}", group.name())).collect(),
            cipher_suites: provider
                .cipher_suites
                .iter()
                .filter(|suite| suite.tls13().is_some())
                .map(|suite| format!("{:?}", suite.suite()))
                .collect(),
            settings: InForce { effective: settings.effective(), off_default: settings.off_default() },
            listening: OnceLock::new(),
            locks: OnceLock::new(),
        }
    }

    /// The first address that is told stays.
    pub(crate) fn tell_listening(&self, address: SocketAddr) {
        self.listening.get_or_init(|| address);
    }

    /// The first that is told stays.
    pub(crate) fn tell_locks(&self, locks: LockReport) {
        self.locks.get_or_init(|| locks);
    }

    pub(crate) fn evidence(
        &self,
        keys: Result<Vec<KeyReport>, KeyError>,
        cipher: Result<CipherReport, StoreError>,
        store: &Store,
        revocation: &Revocation,
    ) -> Evidence {
        let (keys, fault) = match keys {
            Ok(keys) => (keys, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        Evidence {
            version: env!("CARGO_PKG_VERSION"),
            hsm: Hsm { module: self.module.clone(), token: self.token.clone(), keys, fault },
            store: cipher.map_or_else(|error| Told::Nothing { fault: error.to_string() }, Told::All),
            log: Log {
                origin: self.origin.clone(),
                size: store.log_size(),
                checkpoint: store.log_checkpoint(),
                verifier_key: self.verifier_key.clone(),
            },
            tls: Tls {
                listening: self.listening.get().copied(),
                certificate_expires: self.certificate_expires,
                revocation_list_expires: revocation.expires(),
                groups: self.groups.clone(),
                cipher_suites: self.cipher_suites.clone(),
            },
            settings: self.settings.clone(),
            locks: self.locks.get().cloned(),
        }
    }
}
