//! Who gets past TLS: nobody but an enrolled organisation, and in no version, group or resumed session but the intended ones (rule B1).

use crate::borough::borough;
use crate::office::identity;
use crate::wire::{offering, rest_of, said_to, tcp, tls};
use contactpoint_client::{Connection, ConnectionError};
use contactpoint_support::{call, request, ClientCertificate, Enrolment, Rig};
use http::Method;
use rustls::{ClientConfig, HandshakeKind, NamedGroup};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;

const CHECKPOINT: &[u8] = b"GET /log/checkpoint HTTP/1.1\r\nhost: directory\r\nconnection: close\r\n\r\n";

/// What a request that needs no session comes to.
async fn knock(mut connection: Connection) -> Result<u16, ConnectionError> {
    let answer = call(&mut connection, request(Method::GET, "/log/checkpoint", None, None)).await?;
    Ok(answer.status.as_u16())
}

/// Refused by TLS itself: no request was read.
fn assert_kept_out(outcome: &Result<u16, ConnectionError>, who: &str) {
    assert!(matches!(outcome, Err(ConnectionError::TlsRefused(_))), "{who}: {outcome:?}");
}

#[tokio::test]
async fn nobody_but_an_enrolled_organisation_gets_past_the_handshake() {
    // B1: no request is read from an unknown, revoked, expired or suspended one
    let rig = &borough().await.rig;
    assert_kept_out(&knock(rig.connection_without_certificate()).await, "no certificate");
    assert_kept_out(&knock(rig.connection(&rig.strangers.client("Oak Lane School"))).await, "an authority that nobody knows");
    let self_made = contactpoint_support::Authority::named("Organisations").client("Oak Lane School");
    assert_kept_out(&knock(rig.connection(&self_made)).await, "an authority of the same name");
    assert_kept_out(&knock(rig.connection(&rig.clients.client("Never Enrolled School"))).await, "a certificate that nobody enrolled");
    let servers = rig.clients.client_with("Oak Lane School", |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert_kept_out(&knock(rig.connection(&servers)).await, "a certificate for servers");
}

#[tokio::test]
async fn an_enrolled_certificate_that_has_expired_is_refused() {
    // B1: no request is read from an expired one
    let rig = &borough().await.rig;
    let expired = rig.clients.client_with("Lapsed School", |params| params.not_after = rcgen::date_time_ymd(2021, 1, 1));
    enrol_with(rig, "Lapsed School", &[&expired]).await.expect("the officer enrols keys, not dates");
    assert_kept_out(&knock(rig.connection(&expired)).await, "expired");
}

/// Enrols a school with these certificates; the problem's code where that is refused.
async fn enrol_with(rig: &Rig, name: &str, certificates: &[&ClientCertificate]) -> Result<(), String> {
    let enrolment = Enrolment { name, kind: "school", authority: None, capabilities: &["query"] };
    let mut body = enrolment.body(&rig.clients.client(name), &format!("{}-admin", name.to_ascii_lowercase().replace(' ', "-")));
    body["certificates"] = certificates.iter().map(|certificate| certificate.certificate.as_str()).collect();
    let answer = rig.as_officer(Method::POST, "/v1/organisations", Some(&body)).await;
    match answer.status.as_u16() {
        201 => Ok(()),
        _ => Err(answer.code()),
    }
}

#[tokio::test]
async fn an_organisation_is_known_by_its_keys_on_record_and_not_by_its_name() {
    // identity: certificate -> organisation (by the key's SHA-256 on record, not by name)
    let rig = &borough().await.rig;
    let name = "Renewing School";
    let (old, renewed, never) = (rig.clients.client(name), rig.clients.client(name), rig.clients.client(name));
    enrol_with(rig, name, &[&old, &renewed]).await.unwrap();
    assert_eq!(knock(rig.connection(&old)).await.unwrap(), 200);
    assert_eq!(knock(rig.connection(&renewed)).await.unwrap(), 200);
    assert_kept_out(&knock(rig.connection(&never)).await, "the same name and authority over another key");
}

#[tokio::test]
async fn one_key_belongs_to_one_organisation() {
    // B1: the client certificate names one organisation
    let rig = &borough().await.rig;
    let shared = rig.clients.client("Shared Key School");
    enrol_with(rig, "First Of Two Schools", &[&shared]).await.unwrap();
    assert_eq!(enrol_with(rig, "Second Of Two Schools", &[&shared]).await, Err("invalid_value".to_owned()));
    let twice = rig.clients.client("Twice");
    assert_eq!(enrol_with(rig, "One Key Twice School", &[&twice, &twice]).await, Err("invalid_value".to_owned()));
    assert_eq!(enrol_with(rig, "No Certificate School", &[]).await, Err("invalid_value".to_owned()));
}

#[tokio::test]
async fn a_certificate_without_its_key_is_worth_nothing() {
    // B1: every connection is mutual TLS; the certificate alone is public
    let borough = borough().await;
    let stolen = ClientCertificate { key: borough.rig.clients.client("thief").key, ..borough.oak.organisation.certificate.clone() };
    let builder = ClientConfig::builder_with_protocol_versions(&[&rustls::version::TLS13]).with_root_certificates(roots(&borough.rig));
    let resolver = Arc::new(Mismatched(certified(&stolen)));
    let mut config = builder.with_client_cert_resolver(resolver);
    config.alpn_protocols.clear();
    let raw = try_said(&borough.rig, &Arc::new(config)).await;
    assert!(!raw.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&raw));
}

#[derive(Debug)]
struct Mismatched(Arc<rustls::sign::CertifiedKey>);

impl rustls::client::ResolvesClientCert for Mismatched {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
    fn has_certs(&self) -> bool {
        true
    }
}

fn certified(certificate: &ClientCertificate) -> Arc<rustls::sign::CertifiedKey> {
    use rustls::pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer};
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap();
    let key = rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(&key).unwrap();
    Arc::new(rustls::sign::CertifiedKey::new(vec![CertificateDer::from_pem_slice(certificate.certificate.as_bytes()).unwrap()], key))
}

fn roots(rig: &Rig) -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::pem::PemObject::from_pem_slice(rig.servers.pem().as_bytes()).unwrap()).unwrap();
    roots
}

/// What the directory says to a client that may not get in: nothing, one hopes.
async fn try_said(rig: &Rig, config: &Arc<ClientConfig>) -> Vec<u8> {
    let Ok(mut stream) = tls(&rig.server(), config).await else { return Vec::new() };
    let _ = stream.write_all(CHECKPOINT).await;
    rest_of(&mut stream).await
}

#[tokio::test]
async fn tls_1_2_is_refused() {
    // architecture, interfaces: TLS 1.3, mutual
    let borough = borough().await;
    let certified = certified(&borough.oak.organisation.certificate);
    let builder = ClientConfig::builder_with_protocol_versions(&[&rustls::version::TLS12]).with_root_certificates(roots(&borough.rig));
    let config = Arc::new(builder.with_client_cert_resolver(Arc::new(Mismatched(certified))));
    let refused = tls(&borough.rig.server(), &config).await.err().map(|error| error.to_string()).unwrap();
    assert!(refused.contains("ProtocolVersion"), "{refused}");
}

#[tokio::test]
async fn key_exchange_is_post_quantum_and_no_session_is_resumed() {
    // architecture, interfaces: X25519MLKEM768 preferred, no resumption; a trap: a revoked client could resume
    let borough = borough().await;
    let mut config = ClientConfig::clone(&identity(&borough.rig, &borough.oak.organisation.certificate));
    config.resumption = rustls::client::Resumption::in_memory_sessions(16);
    config.enable_early_data = true;
    let config = Arc::new(config);
    for _ in 0..3 {
        let mut stream = tls(&borough.rig.server(), &config).await.unwrap();
        stream.write_all(CHECKPOINT).await.unwrap();
        assert!(rest_of(&mut stream).await.starts_with(b"HTTP/1.1 200"));
        let connection = stream.get_ref().1;
        assert_eq!(connection.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519MLKEM768);
        assert_eq!(connection.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!((connection.tls13_tickets_received(), connection.is_early_data_accepted()), (0, false));
    }
}

#[tokio::test]
async fn a_client_that_offers_a_classical_group_alone_is_served_with_it() {
    // architecture, interfaces: X25519MLKEM768 preferred - and not the only one, so that older clients are not locked out
    let borough = borough().await;
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.kx_groups = vec![rustls::crypto::aws_lc_rs::kx_group::X25519];
    let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&[&rustls::version::TLS13]).unwrap();
    let resolver = Arc::new(Mismatched(certified(&borough.oak.organisation.certificate)));
    let config = Arc::new(builder.with_root_certificates(roots(&borough.rig)).with_client_cert_resolver(resolver));
    assert!(try_said(&borough.rig, &config).await.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn malformed_tls_ends_its_own_connection_and_nothing_else() {
    // bad input: malformed TLS
    let borough = borough().await;
    let server = borough.rig.server();
    let half_a_hello = [0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3];
    for bytes in
        [CHECKPOINT, &[0x16, 3, 1, 0xff, 0xff], &[0; 5000], &[0x16, 3, 3, 0, 5, 1, 0, 0, 1, 0], &half_a_hello, b"\x80\x2e\x01\x03\x01"]
    {
        let mut stream = tcp(&server).await.unwrap();
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let came = rest_of(&mut stream).await;
        // an alert at most (RFC 8446, section 6), never a word of HTTP
        assert!(came.is_empty() || came[0] == 21, "{came:?}");
    }
    let config = identity(&borough.rig, &borough.oak.organisation.certificate);
    assert_eq!(said_to(&server, &config, CHECKPOINT).await.status, 200);
    let mut half = tcp(&server).await.unwrap();
    half.write_all(&half_a_hello).await.unwrap();
    assert_eq!(said_to(&server, &config, CHECKPOINT).await.status, 200, "others do not wait for a slow handshake");
    drop(half);
    let unknown = tls(&server, &offering(&config, &[b"spdy/3"])).await;
    assert!(unknown.is_err(), "no protocol in common (RFC 7301, section 3.2)");
}
