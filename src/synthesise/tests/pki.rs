//! The test authority: who is certified, who is revoked, who may read the keys.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use contactpoint_synthesise::{write_borough, write_pki, PkiRequest, Request};
use jiff::civil::{date, Date};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use x509_parser::prelude::*;

const TODAY: Date = date(2026, 11, 21);

fn authority(expired_list: bool, revoke: &[&str]) -> tempfile::TempDir {
    let out = tempfile::tempdir().unwrap();
    write_borough(&Request { seed: 1, children: 1000, today: TODAY, out: out.path().to_owned() }).unwrap();
    let csr = rcgen::CertificateParams::default().serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap().pem().unwrap();
    std::fs::write(out.path().join("server.csr"), csr).unwrap();
    let request = PkiRequest {
        organisations: Some(out.path().join("organisations.json")),
        out: out.path().join("pki"),
        revoke: revoke.iter().map(|key| (*key).to_owned()).collect(),
        server_csr: Some(out.path().join("server.csr")),
        today: TODAY,
        expired_list,
    };
    write_pki(&request).unwrap();
    out
}

fn der(path: &Path) -> Vec<u8> {
    parse_x509_pem(&std::fs::read(path).unwrap()).unwrap().1.contents
}

#[test]
fn every_certificate_is_a_clients_and_has_a_serial_of_its_own() {
    // B1: the client certificate names one organisation
    let out = authority(false, &[]);
    let authority_der = der(&out.path().join("pki/ca.pem"));
    let (_, ca) = X509Certificate::from_der(&authority_der).unwrap();
    let mut serials = BTreeSet::new();
    for key in ["council", "school-1", "school-6", "surgery-4", "police", "youth-offending", "auditor", "unenrolled", "revoked"] {
        let bytes = der(&out.path().join(format!("pki/{key}.pem")));
        let (_, certificate) = X509Certificate::from_der(&bytes).unwrap();
        certificate.verify_signature(Some(ca.public_key())).unwrap();
        assert_eq!(certificate.subject().iter_common_name().next().unwrap().as_str().unwrap(), key);
        assert!(certificate.extended_key_usage().unwrap().unwrap().value.client_auth);
        assert!(serials.insert(certificate.raw_serial().to_vec()));
    }
    let stranger = der(&out.path().join("pki/stranger.pem"));
    assert!(X509Certificate::from_der(&stranger).unwrap().1.verify_signature(Some(ca.public_key())).is_err());
}

#[test]
fn revoked_certificates_are_on_the_list_and_the_list_can_have_run_out() {
    // B1: no request is read from a revoked one
    for (expired, next_update) in [(false, date(2026, 11, 28)), (true, date(2026, 11, 20))] {
        let out = authority(expired, &["school-2"]);
        let bytes = der(&out.path().join("pki/clients.crl.pem"));
        let (_, list) = CertificateRevocationList::from_der(&bytes).unwrap();
        let serials: BTreeSet<&[u8]> = list.iter_revoked_certificates().map(|one| one.raw_serial()).collect();
        for key in ["revoked", "school-2"] {
            let certificate = der(&out.path().join(format!("pki/{key}.pem")));
            assert!(serials.contains(X509Certificate::from_der(&certificate).unwrap().1.raw_serial()));
        }
        assert_eq!(serials.len(), 2);
        let seconds = list.next_update().unwrap().timestamp();
        assert_eq!(jiff::Timestamp::from_second(seconds).unwrap().to_zoned(jiff::tz::TimeZone::UTC).date(), next_update);
    }
}

#[test]
fn private_keys_can_be_read_by_their_owner_alone() {
    let out = authority(false, &[]);
    for entry in std::fs::read_dir(out.path().join("pki")).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.extension().is_some_and(|extension| extension == "key") {
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
    assert!(!out.path().join("pki/server.key").exists());
    assert!(out.path().join("pki/server.pem").exists());
}

#[test]
fn a_second_run_renews_the_list_and_keeps_the_certificates() {
    let out = authority(false, &[]);
    let before = der(&out.path().join("pki/school-1.pem"));
    let list_before = der(&out.path().join("pki/clients.crl.pem"));
    let request = PkiRequest {
        organisations: None,
        out: out.path().join("pki"),
        revoke: vec!["school-1".to_owned()],
        server_csr: None,
        today: TODAY,
        expired_list: false,
    };
    write_pki(&request).unwrap();
    assert!(before == der(&out.path().join("pki/school-1.pem")));
    assert!(list_before != der(&out.path().join("pki/clients.crl.pem")));
}
