//! A directory for the client's own tests: mutual TLS, and answers out of a script. It decides nothing.

use crate::arguments::Place;
use bytes::Bytes;
use contactpoint_audit::Logged;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::Value;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What the directory does with a request.
pub(crate) enum Reaction {
    Answer(u16, Value),
    /// 200, with the headers that name its entry.
    Entered(Value, Logged),
    Bytes(Vec<u8>),
    Wait(u64),
    HangUp,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) request_id: Option<String>,
    pub(crate) body: Bytes,
}

pub(crate) struct FakeDirectory {
    folder: TempDir,
    seen: Arc<Mutex<Vec<Seen>>>,
}

type Script = Arc<Mutex<dyn FnMut(&Seen) -> Reaction + Send>>;

impl FakeDirectory {
    /// Lets in our certificate and answers by the script.
    pub(crate) async fn answering(script: impl FnMut(&Seen) -> Reaction + Send + 'static) -> Self {
        Self::trusting(script, "ours").await
    }

    /// Lets nobody in whom another authority than `authority` vouches for; our certificate is of the authority "ours".
    pub(crate) async fn trusting(script: impl FnMut(&Seen) -> Reaction + Send + 'static, authority: &str) -> Self {
        let (ours, others) = (issuer("ours"), issuer("others"));
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        write_profile(folder.path(), listener.local_addr().unwrap().port(), &ours);
        let acceptor = acceptor(&ours, if authority == "ours" { &ours } else { &others });
        let seen = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(serve(listener, acceptor, Arc::clone(&seen), Arc::new(Mutex::new(script))));
        Self { folder, seen }
    }

    /// The command line's options for it; a session is there.
    pub(crate) fn place(&self) -> Place {
        let session = self.folder.path().join("session");
        crate::session::keep(&session, "token").unwrap();
        Place { profile: Some(self.folder.path().join("profile.toml")), session_file: Some(session), json: true }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn write_profile(folder: &Path, port: u16, ours: &CertifiedIssuer<'_, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::default().signed_by(&key, ours).unwrap();
    let profile = format!("server = \"https://127.0.0.1:{port}\"\nauthority = \"ca\"\ncertificate = \"cert\"\nkey = \"key\"\n");
    for (name, text) in [("ca", ours.pem()), ("cert", certificate.pem()), ("key", key.serialize_pem()), ("profile.toml", profile)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

fn acceptor(ours: &CertifiedIssuer<'_, KeyPair>, trusted: &CertifiedIssuer<'_, KeyPair>) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, ours).unwrap();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13]).unwrap();
    TlsAcceptor::from(Arc::new(builder.with_client_cert_verifier(verifier).with_single_cert(chain, key).unwrap()))
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, seen: Arc<Mutex<Vec<Seen>>>, script: Script) {
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(stream) = acceptor.accept(stream).await else { continue };
        let (seen, script) = (Arc::clone(&seen), Arc::clone(&script));
        let answer = service_fn(move |request| react(request, Arc::clone(&seen), Arc::clone(&script)));
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

/// An error closes the connection without an answer.
async fn react(request: Request<Incoming>, seen: Arc<Mutex<Vec<Seen>>>, script: Script) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let request = request_of(&head, body);
    seen.lock().unwrap().push(request.clone());
    let mut answer = Response::builder();
    let (status, retry_after, body) = match (script.lock().unwrap())(&request) {
        Reaction::Answer(status, body) => (status, None, body.to_string().into()),
        Reaction::Entered(body, entry) => {
            answer = answer.header("log-index", entry.index).header("log-leaf", entry.leaf_text());
            (200, None, body.to_string().into())
        }
        Reaction::Bytes(body) => (200, None, body),
        Reaction::Wait(seconds) => {
            (429, Some(seconds), serde_json::json!({"title": "Later.", "code": "too_many_requests"}).to_string().into())
        }
        Reaction::HangUp => return Err(std::io::Error::other("hung up")),
    };
    answer = answer.status(status);
    if let Some(seconds) = retry_after {
        answer = answer.header("retry-after", seconds);
    }
    Ok(answer.body(Full::from(body)).unwrap())
}

fn request_of(head: &Parts, body: Bytes) -> Seen {
    let request_id = head.headers.get("x-request-id").map(|id| id.to_str().unwrap().to_owned());
    Seen { path: head.uri.to_string(), request_id, body }
}
