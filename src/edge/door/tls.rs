use super::*;
use crate::certificate::PeerCertificate;
use crate::tls::TlsFault;
use rustls::sign::Signer;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const HTTP1: &[u8] = b"http/1.1";

/// Whether a client that shows this gets as far as an answer.
async fn gets_in(rig: &Rig, shown: Option<&Issued>) -> bool {
    let Ok(mut stream) = rig.knock(rig.client(shown, &[HTTP1], &[&TLS13])).await else { return false };
    let mut answer = Vec::new();
    let asked = stream.write_all(b"GET /log/checkpoint HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    asked.is_ok() && stream.read_to_end(&mut answer).await.is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn an_enrolled_organisation_is_answered_in_both_versions_of_http() {
    // B1: every connection is mutual TLS
    let rig = Rig::open(limits()).await;
    assert!(gets_in(&rig, Some(&rig.clients.issue(1, &[]))).await);
    let response = rig.http1().await.send_request(get("/log/checkpoint")).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, http::Version::HTTP_11));
    let response = rig.http2().await.send_request(get("https://localhost/log/checkpoint")).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, http::Version::HTTP_2));
}

#[tokio::test]
async fn nobody_else_gets_past_the_handshake() {
    // B1: no request is read from an unknown, revoked, expired or suspended one
    let rig = Rig::open(limits()).await;
    assert!(!gets_in(&rig, None).await, "no certificate");
    assert!(!gets_in(&rig, Some(&Authority::named("clients").issue(1, &[]))).await, "another authority of the same name");
    assert!(!gets_in(&rig, Some(&rig.clients.issue(666, &[]))).await, "revoked");
    let stranger = rig.clients.issue(2, &[]);
    rig.strangers.lock().unwrap().insert(PeerCertificate::of(&stranger.der).unwrap().key());
    assert!(!gets_in(&rig, Some(&stranger)).await, "not enrolled");
    let old = rig.clients.issue(3, &[]);
    rig.clock.dangerous_advance(Duration::from_secs(8 * 365 * 86_400));
    assert!(!gets_in(&rig, Some(&old)).await, "expired");
}

#[tokio::test]
async fn only_tls_1_3_with_post_quantum_key_exchange_first_and_nothing_resumed() {
    // architecture, interfaces: TLS 1.3, mutual, X25519MLKEM768 preferred, no resumption
    let rig = Rig::open(limits()).await;
    let own = rig.clients.issue(1, &[]);
    assert!(rig.knock(rig.client(Some(&own), &[HTTP1], &[&TLS12])).await.is_err());
    let connector = rig.client(Some(&own), &[HTTP1], &[&TLS13]);
    for _ in 0..2 {
        let mut stream = rig.knock(connector.clone()).await.unwrap();
        stream.write_all(b"GET /log/checkpoint HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        let connection = stream.get_ref().1;
        assert_eq!(connection.negotiated_key_exchange_group().unwrap().name(), rustls::NamedGroup::X25519MLKEM768);
        assert_eq!(connection.handshake_kind(), Some(rustls::HandshakeKind::Full));
        assert_eq!(connection.tls13_tickets_received(), 0);
    }
}

#[tokio::test]
async fn bytes_that_are_no_tls_end_the_connection_and_nothing_else() {
    // bad input: malformed TLS
    let rig = Rig::open(limits()).await;
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 3, 1, 0xff, 0xff], &[0; 4096], &[0x16, 3, 3, 0, 5, 1, 0, 0, 1, 0]] {
        let mut stream = rig.tcp().await;
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        drop(stream.read_to_end(&mut Vec::new()).await);
    }
    assert!(gets_in(&rig, Some(&rig.clients.issue(1, &[]))).await);
}

#[tokio::test]
async fn a_certificate_for_another_key_than_the_hsms_refuses_to_start() {
    // G2: the key is in the HSM; a certificate for any other is a mistake or worse
    let rig = Rig::open(limits()).await;
    let (one, other) = (rig.servers.issue(1, &["localhost"]), rig.servers.issue(2, &["localhost"]));
    let door = Door {
        chain: vec![one.der],
        key: file_key(&other),
        revocation: Arc::clone(&rig.revocation),
        is_enrolled: Arc::new(|_| true),
        clock: rig.clock.clone(),
    };
    assert!(matches!(server_config(door), Err(TlsFault::OtherKey)));
}

#[derive(Debug)]
struct Slow(Arc<dyn SigningKey>);

#[derive(Debug)]
struct SlowSigner(Box<dyn Signer>);

impl SigningKey for Slow {
    fn choose_scheme(&self, offered: &[rustls::SignatureScheme]) -> Option<Box<dyn Signer>> {
        self.0.choose_scheme(offered).map(|signer| Box::new(SlowSigner(signer)) as Box<dyn Signer>)
    }
    fn public_key(&self) -> Option<rustls_pki_types::SubjectPublicKeyInfoDer<'_>> {
        self.0.public_key()
    }
    fn algorithm(&self) -> rustls::SignatureAlgorithm {
        self.0.algorithm()
    }
}

impl Signer for SlowSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        std::thread::sleep(Duration::from_millis(500));
        self.0.sign(message)
    }
    fn scheme(&self) -> rustls::SignatureScheme {
        self.0.scheme()
    }
}

#[tokio::test]
async fn a_slow_signature_stalls_no_answer() {
    // architecture, keys: handshakes run where a slow signature stalls no answer; here all answers come from one thread
    let rig = Rig::with(limits(), |issued| Arc::new(Slow(file_key(issued))), None).await;
    let mut open = rig.http1().await;
    let slow = rig.http1();
    let answers = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let began = std::time::Instant::now();
        for _ in 0..10 {
            assert_eq!(open.send_request(get("/log/checkpoint")).await.unwrap().status(), 200);
        }
        began.elapsed()
    };
    let (_, took) = tokio::join!(slow, answers);
    assert!(took < Duration::from_millis(250), "{took:?}");
}
