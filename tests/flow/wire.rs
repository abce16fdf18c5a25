//! Below the client library: bytes over TLS, HTTP/2, and TLS as a client of another mind would speak it.

use contactpoint_client::ServerAddress;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::ClientConfig;
use serde_json::Value;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::TlsConnector;

/// Longer than anything that is waited for takes, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A TCP connection.
pub(crate) async fn tcp(server: &ServerAddress) -> io::Result<TcpStream> {
    TcpStream::connect((server.host.as_str(), server.port)).await
}

/// A TLS connection; under TLS 1.3 the client learns of its refusal only when it reads.
pub(crate) async fn tls(server: &ServerAddress, config: &Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(server.host.clone()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::clone(config)).connect(name, tcp(server).await?).await
}

/// The same configuration with these protocols offered.
pub(crate) fn offering(config: &Arc<ClientConfig>, protocols: &[&[u8]]) -> Arc<ClientConfig> {
    let mut config = ClientConfig::clone(config);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}

/// Everything that comes until the peer closes.
pub(crate) async fn rest_of(stream: &mut (impl AsyncReadExt + Unpin)) -> Vec<u8> {
    let mut came = Vec::new();
    let mut buffer = [0u8; 4096];
    let all = async {
        // a peer that closes without TLS's last word has closed all the same
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            came.extend_from_slice(&buffer[..length]);
        }
    };
    timeout(PATIENCE, all).await.expect("the directory closes the connection");
    came
}

/// What a raw exchange came to.
pub(crate) struct Raw {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Raw {
    fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(bytes.len().saturating_sub(4));
        let status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok()).unwrap_or(0);
        Self { status, head: text[..end].to_ascii_lowercase(), body: bytes.get(end + 4..).unwrap_or_default().to_vec() }
    }

    pub(crate) fn code(&self) -> String {
        serde_json::from_slice::<Value>(&self.body).ok().and_then(|body| body["code"].as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Whether this stands anywhere in it.
    pub(crate) fn echoes(&self, text: &str) -> bool {
        self.head.contains(&text.to_ascii_lowercase()) || String::from_utf8_lossy(&self.body).contains(text)
    }
}

/// Sends these bytes over TLS and reads to the end. Status 0 where the directory closed without a word.
pub(crate) async fn said_to(server: &ServerAddress, config: &Arc<ClientConfig>, bytes: &[u8]) -> Raw {
    let mut stream = tls(server, config).await.expect("an enrolled organisation gets in");
    // the directory may answer and close before all of it is sent
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
    Raw::of(&rest_of(&mut stream).await)
}

/// Sends the head of a POST and waits until the directory wants its body (RFC 9110, 10.1.1: `Expect`); what it says where it does not.
pub(crate) async fn promised(
    server: &ServerAddress,
    config: &Arc<ClientConfig>,
    path: &str,
    token: &str,
    length: usize,
) -> Result<TlsStream<TcpStream>, Raw> {
    let mut stream = tls(server, config).await.expect("an enrolled organisation gets in");
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: d\r\nconnection: close\r\nexpect: 100-continue\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut came = Vec::new();
    while !came.ends_with(b"\r\n\r\n") {
        came.push(timeout(PATIENCE, stream.read_u8()).await.expect("the directory says something").unwrap());
    }
    if came.starts_with(b"HTTP/1.1 100 ") {
        return Ok(stream);
    }
    came.extend(rest_of(&mut stream).await);
    Err(Raw::of(&came))
}

/// Sends what was promised; the answer.
pub(crate) async fn kept(mut stream: TlsStream<TcpStream>, body: &Value) -> Raw {
    stream.write_all(body.to_string().as_bytes()).await.unwrap();
    Raw::of(&rest_of(&mut stream).await)
}

/// Sends the start at once, then one byte after the other, as long as the directory listens; what it said, and how long it listened.
pub(crate) async fn dribbled_to(stream: &mut TlsStream<TcpStream>, start: &[u8]) -> (Raw, Duration) {
    let begun = std::time::Instant::now();
    stream.write_all(start).await.unwrap();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let dribble = async {
        // the pace of the attack, not a wait of the test
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        loop {
            pace.tick().await;
            if writer.write_all(b"x").await.is_err() || writer.flush().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let came = tokio::select! {
        came = rest_of(&mut reader) => came,
        () = dribble => unreachable!("it goes on until the connection is closed"),
    };
    (Raw::of(&came), begun.elapsed())
}

/// An HTTP/2 connection.
pub(crate) async fn http2(
    server: &ServerAddress,
    config: &Arc<ClientConfig>,
) -> hyper::client::conn::http2::SendRequest<http_body_util::Full<bytes::Bytes>> {
    let stream = tls(server, &offering(config, &[b"h2"])).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Asks until the answer is what is waited for.
pub(crate) async fn until<T, F: std::future::Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let begun = std::time::Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(found) = ask().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("in vain waited for: {what}");
}
