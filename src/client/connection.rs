//! One keep-alive HTTP/1.1 connection over mutual TLS, opened when first needed and again after it was lost.
//!
//! For: sending a request and getting status, headers and body, or a [`ConnectionError`] that says what TLS said. Leaves to others: what the
//! request means (`api`), whether a lost one may be sent again (the caller, by its X-Request-ID). Answers are read to their end, 32 MiB at most.

use bytes::Bytes;
use http::{header, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::ClientConfig;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The largest answer that is read: 256 log entries of 64 KiB each, and some.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;
/// How long to wait for the connection and its handshake.
const PATIENCE_TO_CONNECT: Duration = Duration::from_secs(10);
/// How long to wait for an answer.
const PATIENCE_TO_ANSWER: Duration = Duration::from_secs(90);
/// How long to wait for the server's last word after it closed a connection on us.
const PATIENCE_FOR_LAST_WORD: Duration = Duration::from_secs(1);

/// Where the directory is: `https://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// Host name or address, as the server's certificate names it.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The address is no `https://host:port`; correct the profile.
    #[error("the server must be written https://host:port")]
    Address,
    /// Nothing answers there; look at the address, the network, and whether the directory is up.
    #[error("no connection to {server}: {cause}")]
    Unreachable {
        /// host:port
        server: String,
        /// what the system said
        cause: String,
    },
    /// The handshake failed; the sentence is TLS's own. `CertificateRevoked`, `UnknownCA`: ask the directory's security officer.
    #[error("TLS refused: {0}")]
    TlsRefused(String),
    /// The connection broke before the whole answer was there; the request may have been carried out. Send it again under the same X-Request-ID.
    #[error("the connection was lost before the answer came ({0})")]
    Lost(String),
    /// No answer within the time allowed; as for `Lost`.
    #[error("no answer in time")]
    TimedOut,
    /// The answer is larger than any the directory gives.
    #[error("the answer is too large to be the directory's")]
    AnswerTooLarge,
}

impl ConnectionError {
    /// True where another try may succeed and the request may already have been carried out.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::TimedOut | Self::Unreachable { .. })
    }
}

impl FromStr for ServerAddress {
    type Err = ConnectionError;
    fn from_str(text: &str) -> Result<Self, ConnectionError> {
        let rest = text.strip_prefix("https://").ok_or(ConnectionError::Address)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = rest.rsplit_once(':').ok_or(ConnectionError::Address)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(['/', '@', '?', '#']) {
            return Err(ConnectionError::Address);
        }
        let port = port.parse().map_err(|_| ConnectionError::Address)?;
        Ok(Self { host: host.to_owned(), port })
    }
}

impl std::fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A connection to the directory; see the module.
pub struct Connection {
    server: ServerAddress,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// To a server, with a configuration from [`crate::tls`]. Nothing is opened before the first request.
    pub fn to(server: ServerAddress, tls: Arc<ClientConfig>) -> Result<Self, ConnectionError> {
        let name = ServerName::try_from(server.host.clone()).map_err(|_| ConnectionError::Address)?;
        Ok(Self { server, name, tls, sender: None })
    }

    /// Where it goes.
    #[must_use]
    pub fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// Sends one request (its URI is a path, such as `/v1/session`) and reads the whole answer. Opens the connection where there is none,
    /// and once more where the server had closed it before any of the request was sent.
    pub async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Result<Response<Bytes>, ConnectionError> {
        let host = HeaderValue::from_str(&self.server.to_string()).map_err(|_| ConnectionError::Address)?;
        request.headers_mut().insert(header::HOST, host);
        loop {
            let opened_now = self.open_where_closed().await?;
            let failed = match timeout(PATIENCE_TO_ANSWER, self.exchange(request)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(failed)) => failed,
                Err(_) => ConnectionError::TimedOut.into(),
            };
            self.sender = None;
            match failed {
                Failed { unsent: Some(unsent), .. } if !opened_now => request = *unsent,
                Failed { error: ConnectionError::Lost(cause), .. } if opened_now => {
                    return Err(self.last_word().await.unwrap_or(ConnectionError::Lost(cause)));
                }
                Failed { error, .. } => return Err(error),
            }
        }
    }

    /// Closes the connection; the next request opens another.
    pub fn close(&mut self) {
        self.sender = None;
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, Failed> {
        let sender = self.sender.as_mut().ok_or_else(|| ConnectionError::Lost("not open".to_owned()))?;
        match sender.try_send_request(request).await {
            Ok(answer) => Ok(whole(answer).await?),
            Err(mut failed) => Err(Failed { unsent: failed.take_message().map(Box::new), error: said(failed.error()) }),
        }
    }

    /// True where a connection was opened just now.
    async fn open_where_closed(&mut self) -> Result<bool, ConnectionError> {
        if let Some(sender) = &mut self.sender {
            if !sender.is_closed() && sender.ready().await.is_ok() {
                return Ok(false);
            }
        }
        let stream = self.handshake().await?;
        let (sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| said(&error))?;
        tokio::spawn(driver);
        self.sender = Some(sender);
        Ok(true)
    }

    async fn handshake(&self) -> Result<tokio_rustls::client::TlsStream<TcpStream>, ConnectionError> {
        let unreachable = |cause: String| ConnectionError::Unreachable { server: self.server.to_string(), cause };
        let reach = TcpStream::connect((self.server.host.as_str(), self.server.port));
        let stream = timeout(PATIENCE_TO_CONNECT, reach).await.map_err(|_| unreachable("no answer".to_owned()))?;
        let stream = stream.map_err(|error| unreachable(error.to_string()))?;
        let _ = stream.set_nodelay(true);
        let shake = TlsConnector::from(self.tls.clone()).connect(self.name.clone(), stream);
        match timeout(PATIENCE_TO_CONNECT, shake).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(tls_word(&error).unwrap_or_else(|| ConnectionError::Lost(error.to_string()))),
            Err(_) => Err(unreachable("no TLS handshake within ten seconds".to_owned())),
        }
    }

    /// In TLS 1.3 a server refuses our certificate after we think that the handshake is done, and its alert can be lost where our request
    /// crosses it. Shakes hands again and only listens, to learn the reason.
    async fn last_word(&self) -> Option<ConnectionError> {
        let mut stream = match self.handshake().await {
            Ok(stream) => stream,
            Err(error @ ConnectionError::TlsRefused(_)) => return Some(error),
            Err(_) => return None,
        };
        let mut byte = [0u8; 1];
        let read = tokio::io::AsyncReadExt::read(&mut stream, &mut byte);
        match timeout(PATIENCE_FOR_LAST_WORD, read).await {
            Ok(Err(error)) => tls_word(&error),
            _ => None,
        }
    }
}

/// No answer, and the request where none of it was sent.
struct Failed {
    unsent: Option<Box<Request<Full<Bytes>>>>,
    error: ConnectionError,
}

impl From<ConnectionError> for Failed {
    fn from(error: ConnectionError) -> Self {
        Self { unsent: None, error }
    }
}

async fn whole(answer: Response<hyper::body::Incoming>) -> Result<Response<Bytes>, ConnectionError> {
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, LARGEST_ANSWER).collect().await.map_err(|error| match error.downcast_ref::<hyper::Error>() {
        Some(error) => said(error),
        None => ConnectionError::AnswerTooLarge,
    })?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

/// What a failed exchange was: TLS's word where it had one.
fn said(error: &hyper::Error) -> ConnectionError {
    let cause = std::error::Error::source(error);
    let io = cause.and_then(|cause| cause.downcast_ref::<std::io::Error>());
    io.and_then(tls_word).unwrap_or_else(|| ConnectionError::Lost(error.to_string()))
}

fn tls_word(error: &std::io::Error) -> Option<ConnectionError> {
    let tls = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(ConnectionError::TlsRefused(tls.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_host_and_port() {
        let address: ServerAddress = "https://127.0.0.1:8443".parse().unwrap();
        assert_eq!((address.host.as_str(), address.port), ("127.0.0.1", 8443));
        assert_eq!("https://[::1]:8443/".parse::<ServerAddress>().unwrap().to_string(), "[::1]:8443");
        for wrong in ["http://a:1", "https://a", "https://:1", "https://a:99999", "https://u@a:1", "https://a/b:1", "a:1"] {
            assert!(wrong.parse::<ServerAddress>().is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn nobody_there_is_said_with_the_address() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = ServerAddress { host: "127.0.0.1".to_owned(), port: free };
        let mut connection = Connection::to(server, crate::tls::tests::trusting_nobody()).unwrap();
        let request = Request::get("/openapi.json").body(Full::default()).unwrap();
        let error = connection.send(request).await.unwrap_err();
        assert!(error.is_passing() && error.to_string().contains(&free.to_string()));
    }
}
