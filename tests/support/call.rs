//! Raw calls: a method, a path, headers and a body go out; status, headers and body come back. Over mutual TLS or the control socket.

use bytes::Bytes;
use contactpoint_client::{Connection, ConnectionError};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::path::Path;
use tokio::net::UnixStream;

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    fn of(response: Response<Bytes>) -> Self {
        let (head, body) = response.into_parts();
        Self { status: head.status, headers: head.headers, body }
    }

    /// The body as JSON; `Null` where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A problem's code; "" where the answer is no problem.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("").to_owned()
    }

    /// The answer itself, if its status is this one.
    ///
    /// # Panics
    /// Where it is another; says which, and the problem's code.
    #[must_use]
    pub fn expect_status(self, status: u16) -> Self {
        let found = self.status.as_u16();
        assert_eq!(found, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}

/// A request to be sent: JSON, CSV or nothing.
#[must_use]
pub fn request(method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = match body {
        Some(value) => {
            request = request.header("content-type", "application/json");
            Bytes::from(value.to_string())
        }
        None => Bytes::new(),
    };
    request.body(Full::new(body)).expect("a path without blanks")
}

/// Sends over mutual TLS.
pub async fn call(connection: &mut Connection, request: Request<Full<Bytes>>) -> Result<Answer, ConnectionError> {
    connection.send(request).await.map(Answer::of)
}

/// Sends over the control socket, on a connection of its own.
///
/// # Panics
/// Where nobody answers there.
pub async fn call_control(socket: &Path, mut request: Request<Full<Bytes>>) -> Answer {
    let stream = UnixStream::connect(socket).await.expect("the control socket");
    let (mut sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
    tokio::spawn(driver);
    request.headers_mut().insert("host", http::HeaderValue::from_static("localhost"));
    let (head, body) = sender.send_request(request).await.expect("an answer").into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    Answer::of(Response::from_parts(head, body))
}
