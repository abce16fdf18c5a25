//! The door under test: a real listener on loopback, real TLS, real HTTP; behind it a stand-in that answers by route.

mod crowds;
mod limits;
mod lines;
mod tls;
mod while_open;

use crate::answer::{Answer, Public};
use crate::authority::{put, Authority, Issued};
use crate::call::Call;
use crate::certificate::PeerCertificate;
use crate::exchange::Desk;
use crate::limits::Limits;
use crate::problem::ProblemCode;
use crate::revocation::{Authorities, Revocation};
use crate::route::Route;
use crate::serve::{Network, Serving};
use crate::tls::{server_config, Door};
use bytes::Bytes;
use contactpoint_domain::{Instant, OrganisationId};
use contactpoint_identity::{Channel, Clock, Now};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::sign::SigningKey;
use rustls_pki_types::ServerName;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener};
use tokio_rustls::client::TlsStream;
use tokio_rustls::TlsConnector;

/// Keys of other organisations than number 1.
type Others = Arc<Mutex<HashMap<[u8; 32], OrganisationId>>>;

/// Every organisation is number 1 unless it is among the others; a tile takes as long to read as its path says, in milliseconds.
pub(super) struct StandIn(Clock, Others);

impl Desk for StandIn {
    fn now(&self) -> Now {
        self.0.now()
    }
    fn organisation(&self, channel: &Channel) -> Option<OrganisationId> {
        match channel {
            Channel::Certificate { key } => Some(self.1.lock().unwrap().get(key).copied().unwrap_or(OrganisationId(1))),
            Channel::Local { .. } => None,
        }
    }
    #[expect(clippy::wildcard_enum_match_arm, reason = "the stand-in answers three routes")]
    async fn answer(&self, call: Call<'_>) -> Answer {
        match call.found.route {
            Route::LogIn => match call.json_of_nobody::<[u8; 3]>().await {
                Ok(_) => Answer::public(Public::Checkpoint("read".to_owned())),
                Err(problem) => Answer::problem(problem),
            },
            Route::Tile => {
                tokio::time::sleep(Duration::from_millis(call.found.parameter.parse().unwrap())).await;
                Answer::public(Public::Tile(vec![1, 2, 3]))
            }
            Route::Checkpoint => Answer::public(Public::Checkpoint("head".to_owned())),
            _ => Answer::problem(ProblemCode::Unavailable),
        }
    }
}

/// A door that is open, and everything needed to knock.
pub(super) struct Rig {
    pub(super) clients: Authority,
    pub(super) revocation: Arc<Revocation>,
    pub(super) clock: Clock,
    address: SocketAddr,
    servers: Authority,
    directory: tempfile::TempDir,
    /// Keys that no organisation has; every other one is enrolled.
    pub(super) strangers: Arc<Mutex<HashSet<[u8; 32]>>>,
    others: Others,
    serving: Option<Serving>,
}

pub(super) fn limits() -> Limits {
    Limits { handshake: Duration::from_secs(5), ..Limits::default() }
}

/// What a key of a file makes of itself; tests alone hold one.
pub(super) fn file_key(issued: &Issued) -> Arc<dyn SigningKey> {
    rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(&issued.key).unwrap()
}

impl Rig {
    pub(super) async fn open(limits: Limits) -> Self {
        Self::with(limits, file_key, None).await
    }

    pub(super) async fn with(limits: Limits, key: fn(&Issued) -> Arc<dyn SigningKey>, control: Option<UnixListener>) -> Self {
        let (clients, servers) = (Authority::named("clients"), Authority::named("servers"));
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::dangerous_fixed(Instant::of_millis(1_700_000_000_000));
        let authorities = Authorities::read(&put(directory.path(), "ca.pem", &clients.pem)).unwrap();
        let list = put(directory.path(), "crl.pem", &clients.list(1, &[666]));
        let revocation = Arc::new(Revocation::open(&list, authorities, clock.now().wall).unwrap());
        let server = servers.issue(1, &["localhost"]);
        let strangers = Arc::new(Mutex::new(HashSet::new()));
        let unknown = Arc::clone(&strangers);
        let is_enrolled = Arc::new(move |key: &[u8; 32]| !unknown.lock().unwrap().contains(key));
        let door = Door {
            chain: vec![server.der.clone()],
            key: key(&server),
            revocation: Arc::clone(&revocation),
            is_enrolled,
            clock: clock.clone(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let network = Network { listener, tls: server_config(door).unwrap(), revocation: Arc::clone(&revocation) };
        let others = Others::default();
        let stand_in = Arc::new(StandIn(clock.clone(), Arc::clone(&others)));
        let serving = Serving::begin(stand_in, Arc::new(limits), network, control).unwrap();
        Self { clients, revocation, clock, address, servers, directory, strangers, others, serving: Some(serving) }
    }

    pub(super) fn put_list(&self, list: &str) {
        put(self.directory.path(), "crl.pem", list);
    }

    pub(super) async fn stop(&mut self) -> bool {
        self.serving.take().unwrap().stop().await
    }

    pub(super) fn client(
        &self,
        shown: Option<&Issued>,
        alpn: &[&[u8]],
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> TlsConnector {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(rustls_pki_types::pem::PemObject::from_pem_slice(self.servers.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            rustls::ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap().with_root_certificates(roots);
        let mut config = match shown {
            Some(issued) => builder.with_client_auth_cert(vec![issued.der.clone()], issued.key.clone_key()).unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        TlsConnector::from(Arc::new(config))
    }

    pub(super) async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A handshake and the first byte after it: under TLS 1.3 a client learns of its refusal only when it reads.
    pub(super) async fn knock(&self, connector: TlsConnector) -> std::io::Result<TlsStream<TcpStream>> {
        connector.connect(ServerName::try_from("localhost").unwrap(), self.tcp().await).await
    }

    /// A connection from another address of this machine, 127.0.0.x.
    pub(super) async fn tcp_from(&self, x: u8) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, x], 0))).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// A certificate of another organisation.
    pub(super) fn certificate_of(&self, organisation: u32) -> Issued {
        let issued = self.clients.issue(8, &[]);
        self.others.lock().unwrap().insert(PeerCertificate::of(&issued.der).unwrap().key(), OrganisationId(organisation));
        issued
    }

    /// HTTP/1.1 over TLS over this stream, with this certificate.
    pub(super) async fn greeted(&self, stream: TcpStream, issued: &Issued) -> std::io::Result<TlsStream<TcpStream>> {
        let connector = self.client(Some(issued), &[b"http/1.1"], &[&rustls::version::TLS13]);
        connector.connect(ServerName::try_from("localhost").unwrap(), stream).await
    }

    pub(super) async fn tls(&self, alpn: &[u8]) -> TlsStream<TcpStream> {
        let own = self.clients.issue(7, &[]);
        self.knock(self.client(Some(&own), &[alpn], &[&rustls::version::TLS13])).await.unwrap()
    }

    pub(super) async fn http1(&self) -> http1::SendRequest<Full<Bytes>> {
        speak(self.tls(b"http/1.1").await).await
    }

    pub(super) async fn http2(&self) -> http2::SendRequest<Full<Bytes>> {
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(self.tls(b"h2").await)).await.unwrap();
        tokio::spawn(connection);
        sender
    }
}

pub(super) async fn speak<S>(stream: S) -> http1::SendRequest<Full<Bytes>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub(super) fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).header("host", "localhost").body(Full::default()).unwrap()
}

pub(super) fn post(path: &str, body: &str) -> Request<Full<Bytes>> {
    let request = Request::post(path).header("host", "localhost").header("content-type", "application/json");
    request.body(Full::from(body.to_owned())).unwrap()
}

/// The code of a problem, and that it is one.
pub(super) async fn code<B>(response: Response<B>) -> String
where
    B: hyper::body::Body<Error: std::fmt::Debug, Data: std::fmt::Debug>,
{
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    problem["code"].as_str().unwrap().to_owned()
}
