//! What a client certificate says that the edge acts on: its key, its number, its end.
//!
//! For: reading those three once a connection, after the handshake has verified the chain. The organisation is known by the key, never
//! by a name in the certificate (rule B1). Leaves to others: the chain and its signatures (rustls), revocation (`revocation`).

use contactpoint_domain::Instant;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate that is no X.509 version 3 certificate. The connection ends; nothing for the operator to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the certificate cannot be read")]
pub struct UnreadableCertificate;

/// The name of one certificate among all of them: SHA-256 over its issuer's DER name and its serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SerialOfIssuer([u8; 32]);

impl SerialOfIssuer {
    /// `issuer`: the DER Name; `serial`: the INTEGER's content, whose leading zero octets do not count.
    pub(crate) fn of(issuer: &[u8], serial: &[u8]) -> Self {
        let significant = &serial[serial.iter().take_while(|byte| **byte == 0).count()..];
        let mut digest = Sha256::new();
        digest.update((issuer.len() as u64).to_be_bytes());
        digest.update(issuer);
        digest.update(significant);
        Self(digest.finalize().into())
    }
}

/// What the edge keeps of a client certificate while its connection is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerCertificate {
    key: [u8; 32],
    serial: SerialOfIssuer,
    issuer: [u8; 32],
    not_after: Instant,
}

impl PeerCertificate {
    /// Reads a DER certificate (RFC 5280).
    pub fn of(der: &[u8]) -> Result<Self, UnreadableCertificate> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| UnreadableCertificate)?;
        if !rest.is_empty() {
            return Err(UnreadableCertificate);
        }
        let issuer = certificate.issuer().as_raw();
        let not_after = u64::try_from(certificate.validity().not_after.timestamp()).map_err(|_| UnreadableCertificate)?;
        Ok(Self {
            key: Sha256::digest(certificate.public_key().raw).into(),
            serial: SerialOfIssuer::of(issuer, certificate.raw_serial()),
            issuer: Sha256::digest(issuer).into(),
            not_after: Instant::of_millis(0).plus_seconds(not_after),
        })
    }

    /// SHA-256 of the DER SubjectPublicKeyInfo: what organisations are enrolled by.
    #[must_use]
    pub fn key(&self) -> [u8; 32] {
        self.key
    }

    pub(crate) fn serial(&self) -> &SerialOfIssuer {
        &self.serial
    }

    /// SHA-256 of the issuer's DER name.
    pub(crate) fn issuer(&self) -> &[u8; 32] {
        &self.issuer
    }

    /// The last second of its validity.
    pub(crate) fn not_after(&self) -> Instant {
        self.not_after
    }

    /// True after the last second of its validity (RFC 5280, 4.1.2.5: that second included).
    pub(crate) fn has_expired(&self, now: Instant) -> bool {
        now.seconds() > self.not_after.seconds()
    }
}
