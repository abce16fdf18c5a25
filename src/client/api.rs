//! Requests as the directory understands them: JSON in and out, the session as a bearer token, problems as [`ClientError::Refused`].
//!
//! For: the verbs, and tests that want the client's own way. Leaves to others: the connection, printing.

use crate::arguments::Place;
use crate::connection::Connection;
use crate::error::ClientError;
use crate::problem::Problem;
use crate::profile::{Profile, ProfileError, Watch};
use crate::receipt_folder::ReceiptFolder;
use crate::session;
use crate::terminal::complain;
use bytes::Bytes;
use contactpoint_audit::Logged;
use http::{header, Method, Request, Response};
use http_body_util::Full;
use serde::Serialize;
use serde_json::Value;

/// A connection, and the session where there is one.
pub struct Api {
    connection: Connection,
    token: Option<String>,
    /// Where the entries of answers wait for their receipts, and the log that has them.
    watch: Option<Watch>,
}

impl Api {
    /// Over a connection, with a session's token or without.
    #[must_use]
    pub fn over(connection: Connection, token: Option<String>) -> Self {
        Self { connection, token, watch: None }
    }

    /// By a profile; where it has the log's key, the entry of each answer waits beside it for its receipt.
    pub(crate) fn by(profile: &Profile, token: Option<String>) -> Result<Self, ClientError> {
        Ok(Self { watch: profile.watch.clone(), ..Self::over(profile.connection()?, token) })
    }

    /// By the profile of the command line, without a session.
    pub(crate) fn without_session(place: &Place) -> Result<Self, ClientError> {
        Self::by(&profile(place)?, None)
    }

    /// By the profile of the command line, in the session kept from `log-in`.
    pub(crate) fn in_session(place: &Place) -> Result<Self, ClientError> {
        let profile = profile(place)?;
        let token = session::token(&session::place(place, &profile)?)?;
        Self::by(&profile, Some(token))
    }

    /// POST with a JSON body; the answer's JSON.
    pub async fn post(&mut self, path: &str, body: &impl Serialize) -> Result<Value, ClientError> {
        json(&self.post_for_bytes(path, body).await?)
    }

    /// POST with a JSON body; the answer's bytes.
    pub async fn post_for_bytes(&mut self, path: &str, body: &impl Serialize) -> Result<Response<Bytes>, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| ClientError::Request(error.to_string()))?;
        let request = self.request(Method::POST, path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Full::from(body))).await
    }

    /// GET; the answer's JSON.
    pub async fn get(&mut self, path: &str) -> Result<Value, ClientError> {
        json(&self.get_bytes(path).await?)
    }

    /// GET; the answer's bytes.
    pub async fn get_bytes(&mut self, path: &str) -> Result<Response<Bytes>, ClientError> {
        let request = self.request(Method::GET, path).body(Full::default());
        self.send(request).await
    }

    /// POST of a text; the answer's bytes.
    pub async fn post_text(&mut self, path: &str, text: String) -> Result<Response<Bytes>, ClientError> {
        let request = self.request(Method::POST, path).header(header::CONTENT_TYPE, "text/plain; charset=utf-8");
        self.send(request.body(Full::from(text))).await
    }

    /// DELETE.
    pub async fn delete(&mut self, path: &str) -> Result<(), ClientError> {
        let request = self.request(Method::DELETE, path).body(Full::default());
        self.send(request).await.map(drop)
    }

    /// POST of CSV records under a request id; sent again under the same id it is the same request.
    pub async fn post_records(&mut self, path: &str, request_id: &str, records: Bytes) -> Result<Value, ClientError> {
        let request = self.request(Method::POST, path).header(header::CONTENT_TYPE, "text/csv").header("x-request-id", request_id);
        let answer = self.send(request.body(Full::from(records))).await?;
        json(&answer)
    }

    fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let request = Request::builder().method(method).uri(path).header(header::ACCEPT, "application/json, application/problem+json, */*");
        match &self.token {
            Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    }

    async fn send(&mut self, request: http::Result<Request<Full<Bytes>>>) -> Result<Response<Bytes>, ClientError> {
        let request = request.map_err(|error| ClientError::Request(error.to_string()))?;
        // what is the same for everybody has no entry
        let has_entry = self.token.is_some() && request.uri().path() != "/v1/texts";
        // before it is asked: what another command keeps meanwhile may cover this answer's entry
        let covered = self.watch.as_ref().map_or(0, |watch| watch.folder.covered(&watch.key));
        let answer = self.connection.send(request).await?;
        self.note_entry(&answer, has_entry, covered)?;
        if answer.status().is_success() {
            Ok(answer)
        } else {
            Err(ClientError::Refused(Problem::of(&answer)))
        }
    }
}

impl Api {
    /// Has an answer's entry wait for its receipt. Refused where it is another answer's, shown again: the log had it before anything was asked, or it
    /// waits already.
    fn note_entry(&self, answer: &Response<Bytes>, has_entry: bool, covered: u64) -> Result<(), ClientError> {
        let Some(Watch { folder, .. }) = &self.watch else { return Ok(()) };
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        match header("log-index").zip(header("log-leaf")).and_then(|(index, leaf)| Logged::read(index, leaf)) {
            Some(entry) => {
                let waits = folder.waits_for(&entry);
                // also an old one: held against the log as it is shown now, which may have been set back
                folder.wait_for(&entry).unwrap_or_else(|error| complain(&format!("the entry's number is not kept: {error}")));
                let what = if entry.index < covered {
                    format!("an answer names entry {}, which was one of the {covered} seen before it was asked for", entry.index)
                } else if waits {
                    format!("an answer names entry {}, which another answer has named", entry.index)
                } else {
                    return Ok(());
                };
                let text = format!("{} {}\n", entry.index, entry.leaf_text());
                return Err(folder.noticed(&ReceiptFolder::name_of_entry(&entry), &[("answer", &text)], what));
            }
            // rule F1: every access is written before any answer leaves, and the answer says where
            None if has_entry && answer.status().is_success() => return Err(ClientError::NoEntry),
            None => {}
        }
        Ok(())
    }
}

/// The profile that the command line names.
pub(crate) fn profile(place: &Place) -> Result<Profile, ProfileError> {
    Profile::read(place.profile.as_deref().ok_or(ProfileError::None)?)
}

fn json(answer: &Response<Bytes>) -> Result<Value, ClientError> {
    serde_json::from_slice(answer.body()).map_err(|error| ClientError::AnswerNotUnderstood(error.to_string()))
}

/// An answer's JSON as the type it should be.
pub(crate) fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, ClientError> {
    T::deserialize(value).map_err(|error| ClientError::AnswerNotUnderstood(error.to_string()))
}

/// A new X-Request-ID: 128 bits of the kernel's randomness, in hexadecimal.
pub(crate) fn new_request_id() -> Result<String, ClientError> {
    let mut bits = [0u8; 16];
    getrandom::fill(&mut bits).map_err(|_| ClientError::Request("the kernel gives no randomness".to_owned()))?;
    Ok(data_encoding::HEXLOWER.encode(&bits))
}
