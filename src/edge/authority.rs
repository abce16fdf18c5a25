//! Test certificates: an authority, what it issues, and its lists of revoked ones. Only for this crate's tests.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope,
    DnType, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::{Path, PathBuf};

/// Lists and certificates of the tests end here, in seconds since the epoch: 2030-01-01.
pub(crate) const END: u64 = 1_893_456_000;

/// An authority with its key.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key.
pub(crate) struct Issued {
    pub(crate) der: CertificateDer<'static>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Authority {
    pub(crate) fn named(name: &str) -> Self {
        let (params, key) = (authority_params(name), KeyPair::generate().unwrap());
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// One whose certificate says that it signs certificates and nothing else; it signs lists all the same.
    pub(crate) fn for_certificates_only(name: &str) -> Self {
        let (params, key) = (authority_params(name), KeyPair::generate().unwrap());
        let mut stated = params.clone();
        stated.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = stated.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// An authority below this one, whose certificate has this serial.
    pub(crate) fn authority_below(&self, serial: u64, name: &str) -> Self {
        let (mut params, key) = (authority_params(name), KeyPair::generate().unwrap());
        params.serial_number = Some(SerialNumber::from(serial));
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn issue(&self, serial: u64, names: &[&str]) -> Issued {
        let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.serial_number = Some(SerialNumber::from(serial));
        params.distinguished_name.push(DnType::CommonName, format!("organisation {serial}"));
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let key = KeyPair::generate().unwrap();
        let der = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        Issued { der, key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())) }
    }

    /// A list of these serials with this number, good until 2030.
    pub(crate) fn list(&self, number: u64, serials: &[u64]) -> String {
        self.list_for(number, serials, None)
    }

    /// A list that holds for a part of the certificates only, and says so in a critical extension.
    pub(crate) fn partial_list(&self, number: u64) -> String {
        let distribution_point = CrlDistributionPoint { uris: vec!["http://authority.example/part.crl".to_owned()] };
        let part = CrlIssuingDistributionPoint { distribution_point, scope: Some(CrlScope::UserCertsOnly) };
        self.list_for(number, &[], Some(part))
    }

    fn list_for(&self, number: u64, serials: &[u64], part: Option<CrlIssuingDistributionPoint>) -> String {
        let revoked_certs = serials.iter().map(|serial| revoked(*serial)).collect();
        let params = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2020, 1, 1),
            next_update: rcgen::date_time_ymd(2030, 1, 1),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: part,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_after = rcgen::date_time_ymd(2040, 1, 1);
    params
}

fn revoked(serial: u64) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: rcgen::date_time_ymd(2020, 1, 1),
        reason_code: None,
        invalidity_date: None,
    }
}

pub(crate) fn put(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path
}
