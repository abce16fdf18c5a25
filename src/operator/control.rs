//! The daemon's control socket: HTTP/1.1 over a Unix socket, JSON both ways, problems as RFC 9457.
//!
//! The daemon sees who is at the other end (unix(7), SO_PEERCRED) and asks for the officer's session besides.

use crate::error::OperatorError;
use bytes::Bytes;
use http::{header, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;

/// Where the socket is when neither `--socket` nor `RUNTIME_DIRECTORY` says.
const DEFAULT: &str = "/run/contactpoint/control.sock";
/// The daemon answers within this, or is not well.
const DEADLINE: Duration = Duration::from_secs(30);
/// No answer is longer, in bytes.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// Which socket.
#[derive(Debug, clap::Args)]
pub(crate) struct Socket {
    /// The daemon's control socket [default: $RUNTIME_DIRECTORY/control.sock, else /run/contactpoint/control.sock]
    #[arg(long)]
    socket: Option<PathBuf>,
}

impl Socket {
    pub(crate) fn path(&self) -> PathBuf {
        let runtime = || std::env::var_os("RUNTIME_DIRECTORY").map(|directory| Path::new(&directory).join("control.sock"));
        self.socket.clone().or_else(runtime).unwrap_or_else(|| PathBuf::from(DEFAULT))
    }

    /// Sends one request and waits for its answer; an empty answer is `Value::Null`.
    pub(crate) fn ask(&self, method: Method, path: &str, token: Option<&str>, body: Option<Vec<u8>>) -> Result<Value, OperatorError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (status, answer) = runtime.block_on(async {
            let exchange = self.exchange(request(method, path, token, body)?);
            tokio::time::timeout(DEADLINE, exchange).await.map_err(|_| self.unreachable("no answer within 30 seconds"))?
        })?;
        match status {
            good if good.is_success() => Ok(answer),
            away if away.is_server_error() => Err(OperatorError::Unwell(refusal(status, &answer))),
            _ => Err(OperatorError::Refused(refusal(status, &answer))),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Value), OperatorError> {
        let stream = UnixStream::connect(self.path()).await.map_err(|error| self.unreachable(error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.unreachable(error))?;
        let driver = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(|error| self.unreachable(error));
        let read = match answer {
            Ok(answer) => self.read(answer).await,
            Err(error) => Err(error),
        };
        driver.abort();
        read
    }

    async fn read(&self, answer: Response<Incoming>) -> Result<(StatusCode, Value), OperatorError> {
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(|error| self.unreachable(error))?.to_bytes();
        let value = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
        Ok((head.status, value.map_err(|_| self.unreachable("its answer is not JSON"))?))
    }

    fn unreachable(&self, why: impl std::fmt::Display) -> OperatorError {
        OperatorError::Unreachable { socket: self.path(), why: why.to_string() }
    }
}

fn request(method: Method, path: &str, token: Option<&str>, body: Option<Vec<u8>>) -> Result<Request<Full<Bytes>>, OperatorError> {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "contactpointd");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = Full::new(Bytes::from(body.unwrap_or_default()));
    request.body(body).map_err(|_| OperatorError::Refused("the session file does not hold a token: log in again".to_owned()))
}

/// A problem as one sentence on what to do.
fn refusal(status: StatusCode, problem: &Value) -> String {
    let text = |member: &str| problem.get(member).and_then(Value::as_str);
    let code = text("code").unwrap_or("");
    let next = match code {
        "not_authenticated" | "session_ended" => "log in again (contactpointctl log-in)",
        "log_in_failed" => "check log-in name, password and code; a code works once",
        "forbidden" => "docs/access.md says whose act it is",
        "not_confirmed" => "a code works once: wait for the next, and give it with --code or when asked",
        "agreement_pending" | "other_text" => "read and sign it (contactpointctl sign)",
        "not_sponsored" => "the risk owner vouches for it first (contactpointctl sponsor)",
        "malformed_request" | "unknown_member" | "invalid_value" => "mend the input (its members are in docs/operations.md)",
        "body_too_large" => "shorten the input",
        "request_timeout" | "too_many_requests" => "try again",
        "unavailable" | "internal" => "see journalctl -u contactpointd",
        // a text from another program, perhaps a later release's: whatever else it says, the page of all codes explains
        _ => "docs/problems.md says what it means",
    };
    let wait = problem.get("retry_after").and_then(Value::as_u64).map(|seconds| format!(", in {seconds} s at the earliest"));
    let title = text("title").or(status.canonical_reason()).unwrap_or("refused").trim_end_matches('.');
    let detail = text("detail").map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!(
        "contactpointd refused ({}{}{code}): {title}{detail}; {next}{}",
        status.as_u16(),
        if code.is_empty() { "" } else { " " },
        wait.unwrap_or_default()
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixListener;
    use std::thread::JoinHandle;
    use tempfile::TempDir;

    pub(crate) fn socket(directory: &TempDir) -> Socket {
        Socket { socket: Some(directory.path().join("control.sock")) }
    }

    /// Somebody at the other end who answers once; hands back what was heard.
    pub(crate) fn answering(directory: &TempDir, status: &'static str, body: &'static str) -> JoinHandle<String> {
        let path = directory.path().join("control.sock");
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(path).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = vec![0; 65_536];
            let length = stream.read(&mut heard).unwrap();
            let length_line = if status.starts_with("204") { String::new() } else { format!("content-length: {}\r\n", body.len()) };
            write!(stream, "HTTP/1.1 {status}\r\n{length_line}\r\n{body}").unwrap();
            String::from_utf8(heard[..length].to_vec()).unwrap()
        })
    }

    #[test]
    fn a_daemon_that_is_not_there_is_said_so_with_exit_69() {
        // Style: each failure is one sentence on what to do
        let directory = TempDir::new().unwrap();
        let error = socket(&directory).ask(Method::GET, "/v1/status", None, None).unwrap_err();
        assert_eq!(error.exit_status(), 69);
        assert!(error.to_string().contains("systemctl start contactpointd"), "{error}");
    }

    #[test]
    fn a_problem_becomes_a_sentence_on_what_to_do() {
        // Style: each failure is one sentence on what to do
        let directory = TempDir::new().unwrap();
        let body = "{\"type\":\"about:blank\",\"title\":\"Log-in failed\",\"status\":401,\"code\":\"log_in_failed\",\"retry_after\":4}";
        let heard = answering(&directory, "401 Unauthorized", body);
        let error = socket(&directory).ask(Method::POST, "/v1/session", None, Some(b"{}".to_vec())).unwrap_err();
        heard.join().unwrap();
        assert_eq!(error.exit_status(), 77);
        let sentence = error.to_string();
        assert!(sentence.contains("Log-in failed") && sentence.contains("a code works once") && sentence.contains("in 4 s"), "{sentence}");
    }

    #[test]
    fn a_daemon_that_cannot_work_now_exits_69() {
        // sysexits(3): EX_UNAVAILABLE, trying again may help
        let directory = TempDir::new().unwrap();
        let heard = answering(&directory, "503 Service Unavailable", "{\"title\":\"Not now.\",\"status\":503,\"code\":\"unavailable\"}");
        let error = socket(&directory).ask(Method::GET, "/v1/status", None, None).unwrap_err();
        heard.join().unwrap();
        assert_eq!(error.exit_status(), 69);
        assert!(error.to_string().contains("journalctl -u contactpointd"), "{error}");
    }

    #[test]
    fn the_page_that_a_refusal_names_exists_and_the_sentence_reads_as_one() {
        // Style: each failure is one sentence on what to do
        let answer = |code| serde_json::json!({"title": "A value is not of its documented form.", "code": code});
        for code in ["invalid_value", "forbidden", "no_such_route", "of_a_later_release"] {
            let said = refusal(StatusCode::UNPROCESSABLE_ENTITY, &answer(code));
            let page = said.split([' ', '(', ')']).find(|word| word.starts_with("docs/")).unwrap();
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            assert!(root.join(page).is_file() && !said.contains(".;"), "{said}");
        }
    }

    #[test]
    fn an_answer_that_is_no_json_or_too_long_is_not_taken() {
        // Bad input, from the daemon's side: a typed error, no panic
        let directory = TempDir::new().unwrap();
        let heard = answering(&directory, "200 OK", "<html>");
        let error = socket(&directory).ask(Method::GET, "/v1/status", None, None).unwrap_err();
        heard.join().unwrap();
        assert_eq!(error.exit_status(), 69);
        assert!(error.to_string().contains("not JSON"), "{error}");
    }
}
