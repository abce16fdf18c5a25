//! The server's TLS key where it lives, in the HSM: rustls asks here for a signature and gets one, never the key (rule G2).
//!
//! For: rustls' `SigningKey` over `keys::Custody`, ECDSA P-256 with SHA-256 only. A signature blocks the thread for as long as the HSM
//! takes (67 us in software, milliseconds over a network); `serve` runs handshakes on threads of their own for that reason.
//! Leaves to others: sessions, recovery and everything else about the HSM (`keys`).

use contactpoint_keys::Custody;
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use std::sync::Arc;

/// The key in custody, as rustls wants it.
pub struct CustodyKey(Arc<Custody>);

impl CustodyKey {
    /// The custody's TLS key.
    #[must_use]
    pub fn of(custody: Arc<Custody>) -> Arc<dyn SigningKey> {
        Arc::new(Self(custody))
    }
}

impl SigningKey for CustodyKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SignatureScheme::ECDSA_NISTP256_SHA256).then(|| Box::new(CustodySigner(Arc::clone(&self.0))) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(self.0.tls_public_key_spki()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

struct CustodySigner(Arc<Custody>);

impl Signer for CustodySigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        self.0.sign_handshake(message).map_err(|fault| {
            log::warn!(target: "contactpoint::tls", fault:% = fault; "the HSM did not sign a handshake");
            rustls::Error::General("the key is not available".to_owned())
        })
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP256_SHA256
    }
}

impl std::fmt::Debug for CustodyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CustodyKey")
    }
}

impl std::fmt::Debug for CustodySigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CustodySigner")
    }
}
