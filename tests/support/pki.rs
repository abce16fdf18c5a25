//! Certificates of the test's own: an authority for organisations, one for the server, one that nobody knows, and revocation lists.
//!
//! `contactpoint-synthesise pki` makes them as files for the demo; here they are made one by one, so that a test can revoke, replace or let
//! one expire while the daemon runs.

use crate::clock;
use rcgen::{
    date_time_ymd, BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData, RevokedCertParams, SerialNumber, SignatureAlgorithm,
    PKCS_ECDSA_P256_SHA256,
};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use x509_parser::prelude::FromDer;

/// Issues certificates and revocation lists.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    next_serial: AtomicU64,
    next_list: AtomicU64,
}

/// An organisation's certificate and key, in PEM.
#[derive(Clone)]
pub struct ClientCertificate {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
    /// Its serial number.
    pub serial: u64,
    /// SHA-256 of its SubjectPublicKeyInfo, by which the directory knows an organisation.
    pub key_digest: [u8; 32],
}

/// Until when a revocation list holds.
#[derive(Debug, Clone, Copy)]
pub enum Holds {
    /// For the length of any test.
    Long,
    /// For so long from now.
    For(Duration),
    /// It ran out years ago.
    NoLonger,
}

impl Authority {
    /// A new authority with a key of its own.
    ///
    /// # Panics
    /// Where rcgen refuses.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, fresh_key()).expect("an authority");
        Self { issuer, next_serial: AtomicU64::new(1000), next_list: AtomicU64::new(1) }
    }

    /// Its certificate in PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A client certificate for an organisation.
    ///
    /// # Panics
    /// Where rcgen refuses.
    #[must_use]
    pub fn client(&self, name: &str) -> ClientCertificate {
        self.client_with(name, |_| {})
    }

    /// The same, with whatever is to be wrong about it: a past `not_after`, another extended key usage.
    ///
    /// # Panics
    /// Where rcgen refuses.
    #[must_use]
    pub fn client_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> ClientCertificate {
        let serial = self.next_serial.fetch_add(1, Ordering::Relaxed);
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(SerialNumber::from(serial));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        change(&mut params);
        let key = fresh_key();
        let certificate = params.signed_by(&key, &self.issuer).expect("a client certificate").pem();
        let key_digest = Sha256::digest(key.subject_public_key_info()).into();
        ClientCertificate { certificate, key: key.serialize_pem(), serial, key_digest }
    }

    /// A server certificate for the key of a request (PKCS #10, PEM), under `names`.
    ///
    /// # Panics
    /// Where the request is none for a P-256 key.
    #[must_use]
    pub fn server(&self, request: &str, names: &[&str]) -> String {
        let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).expect("names");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.signed_by(&RequestedKey::of(request), &self.issuer).expect("a server certificate").pem()
    }

    /// A revocation list over these serial numbers, in PEM. Each list has a higher number than the one before.
    ///
    /// # Panics
    /// Where rcgen refuses.
    #[must_use]
    pub fn revocation_list(&self, revoked: &[u64], holds: Holds) -> String {
        let epoch = date_time_ymd(1970, 1, 1);
        let (this_update, next_update) = match holds {
            Holds::Long => (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1)),
            Holds::For(time) => (date_time_ymd(2020, 1, 1), epoch + clock::now() + time),
            Holds::NoLonger => (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 1, 2)),
        };
        let revoked_certs = revoked.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update,
            next_update,
            crl_number: SerialNumber::from(self.next_list.fetch_add(1, Ordering::Relaxed)),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).and_then(|list| list.pem()).expect("a revocation list")
    }
}

fn fresh_key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a P-256 key")
}

/// The public key that a request asks a certificate for: the point of a P-256 key.
struct RequestedKey(Vec<u8>);

impl RequestedKey {
    fn of(request: &str) -> Self {
        let (_, pem) = x509_parser::pem::parse_x509_pem(request.as_bytes()).expect("a request in PEM");
        let (_, request) = x509_parser::certification_request::X509CertificationRequest::from_der(&pem.contents).expect("PKCS #10");
        Self(request.certification_request_info.subject_pki.subject_public_key.data.to_vec())
    }
}

impl PublicKeyData for RequestedKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}
