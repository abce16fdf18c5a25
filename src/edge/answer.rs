//! What may leave: an [`Answer`] is made from a store's `Committed<T>`, whose audit entry is durable, or from the closed list [`Public`].
//!
//! For: that no handler can answer with something nobody recorded (rule F1), and that no machine on the way or at the end keeps what
//! was answered (rule G8). Leaves to others: what a `T` shows (`policy` makes it). Nothing else becomes an answer:
//!
//! ```compile_fail,E0308
//! use contactpoint_edge::{Answer, Success};
//! let child = "4182736451";
//! let _ = Answer::json(Success::Ok, child);
//! ```

use crate::evidence::Evidence;
use crate::problem::{Problem, ProblemCode};
use crate::texts::TextsAnswer;
use bytes::Bytes;
use contactpoint_audit::Logged;
use contactpoint_directory::{FetchedEvidence, SealedDocument};
use contactpoint_domain::{Day, Instant};
use contactpoint_store::{Committed, Standing};
use http::header::{
    HeaderName, HeaderValue, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode, Version};
use http_body_util::Full;
use serde::Serialize;

/// The statuses of answers that are no problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Success {
    /// 200.
    Ok,
    /// 201: something was made.
    Created,
}

/// What may be answered without an entry: it tells nothing of a child or a person.
#[derive(Debug)]
pub enum Public {
    /// The interface's own description (JSON).
    Document(Bytes),
    /// A signed head of the log (C2SP tlog-checkpoint, text), with what witnesses said of it.
    Checkpoint(String),
    /// A tile or an entry bundle of the log (C2SP tlog-tiles): hashes, or sealed entries.
    Tile(Vec<u8>),
    /// The proof that an entry is in the log (C2SP tlog-proof): hashes that the tiles show too, and a signed head.
    Receipt(String),
    /// The texts that organisations and people accept.
    Texts(TextsAnswer),
    /// Whether store and keys work, for the control socket.
    Health(Health),
    /// How keys, store, log, door, settings and locks stand, for the control socket: made of the closed list of members in `evidence`, none
    /// of which is read from a record, an account or an organisation.
    Evidence(Box<Evidence>),
}

/// Whether the parts work, as the control socket tells it.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// The store answers.
    pub store: bool,
    /// The security module signs.
    pub keys: bool,
    /// Durable entries of the log.
    pub entries: u64,
    /// Revoked certificates on the list in use.
    pub revoked: usize,
    /// Epochs of the key of log entries that are not erased; the first is in use.
    pub entry_epochs: Vec<u32>,
    /// Epochs of the key of records; the first is in use. Two: a destruction of records was cut off (`contactpointctl destroy-records`).
    pub record_epochs: Vec<u32>,
    /// How the log's witnesses stand; absent where no policy asks for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witnesses: Option<WitnessesHealth>,
    /// Tasks of review that are overdue (rule F4); absent where the store does not tell.
    pub overdue_reviews: Option<u64>,
    /// The last day whose looks the detection rules were run over (rule F4); absent where they never were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected_to: Option<Day>,
}

/// How the log's witnesses stand (rule F2), as the control socket tells it. Public data, of which the lateness is our own judgement.
#[derive(Debug, Clone, Serialize)]
pub struct WitnessesHealth {
    /// An entry has waited longer than `late_seconds` for a head with the quorum.
    pub quorum_late: bool,
    /// Since when, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_since: Option<Instant>,
    /// Entries of the newest signed head.
    pub signed: u64,
    /// Entries of the newest head that has the quorum; 0 where none has.
    pub cosigned: u64,
    /// Entries of the head that the witnesses are asked about.
    pub asked: u64,
    /// Those of the policy, by its names for them.
    pub witnesses: Vec<WitnessHealth>,
}

/// One witness.
#[derive(Debug, Clone, Serialize)]
pub struct WitnessHealth {
    /// The policy's name.
    pub name: String,
    /// When it last cosigned, by its own clock; absent where it never did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Instant>,
    /// Entries of the head that it cosigned then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

impl From<Standing> for WitnessesHealth {
    fn from(standing: Standing) -> Self {
        let Standing { signed, cosigned, asked, late_since, witnesses } = standing;
        let told = |(name, last): (String, Option<(u64, u64)>)| {
            let (size, last) = last.map(|(size, at)| (size, Instant::of_millis(at.saturating_mul(1000)))).unzip();
            WitnessHealth { name, last, size }
        };
        let witnesses = witnesses.into_iter().map(told).collect();
        Self { quorum_late: late_since.is_some(), late_since, signed, cosigned, asked, witnesses }
    }
}

/// An answer that may leave.
#[derive(Debug)]
#[must_use = "an answer that is not sent was looked at for nothing"]
pub struct Answer {
    status: StatusCode,
    media: &'static str,
    body: Bytes,
    problem: Option<Problem>,
    entry: Option<Logged>,
    allow: &'static str,
    close: bool,
    /// Where the next part begins.
    next: Option<u64>,
    /// What caches may do.
    caches: &'static str,
}

/// Almost always (rule G8).
const NOTHING: &str = "no-store";
/// A tile under its path is the same for ever, sealed, and shown to whoever asks on an enrolled certificate (C2SP tlog-tiles).
const FOR_GOOD: &str = "private, max-age=31536000, immutable";

/// The index of an answer's entry in the log, and the hash of its leaf in base64: what its receipt is asked by, and held against.
pub(crate) const LOG_INDEX: HeaderName = HeaderName::from_static("log-index");
pub(crate) const LOG_LEAF: HeaderName = HeaderName::from_static("log-leaf");
/// The entry from which on the next part of evidence is fetched.
const EVIDENCE_NEXT: HeaderName = HeaderName::from_static("evidence-next");

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
/// A statement or evidence, sealed by age for its recipient: the one kind of answer that may be stored (rule G8).
const SEALED: &str = "application/vnd.contactpoint.sealed";

impl Answer {
    /// What was looked at or changed, as JSON.
    pub fn json<T: Serialize>(success: Success, committed: Committed<T>) -> Self {
        let entry = committed.logged();
        Self::written(success, &committed.into_inner()).entered(entry)
    }

    /// What was looked at, or why not; in either case the attempt is in the log.
    pub fn settled<T: Serialize, E: Into<Problem>>(success: Success, committed: Committed<Result<T, E>>) -> Self {
        let entry = committed.logged();
        match committed.into_inner() {
            Ok(value) => Self::written(success, &value),
            Err(refused) => Self::problem(refused),
        }
        .entered(entry)
    }

    /// A document that only its recipient can open, or why there is none; in either case the attempt is in the log.
    pub fn sealed<E: Into<Problem>>(committed: Committed<Result<SealedDocument, E>>) -> Self {
        let entry = committed.logged();
        match committed.into_inner() {
            Ok(document) => Self::new(StatusCode::OK, SEALED, document.into_bytes().into()),
            Err(refused) => Self::problem(refused),
        }
        .entered(entry)
    }

    /// The same of a part of evidence, which says where the next begins.
    pub fn part<E: Into<Problem>>(committed: Committed<Result<FetchedEvidence, E>>) -> Self {
        let mut next = None;
        let document = committed.map(|fetched| {
            fetched.map(|fetched| {
                next = fetched.next;
                fetched.document
            })
        });
        Self { next, ..Self::sealed(document) }
    }

    /// Done, and nothing to say (204).
    pub fn done(committed: Committed<()>) -> Self {
        let entry = committed.logged();
        committed.into_inner();
        Self::new(StatusCode::NO_CONTENT, "", Bytes::new()).entered(entry)
    }

    /// Something of the closed list.
    pub fn public(public: Public) -> Self {
        match public {
            Public::Document(body) => Self::new(StatusCode::OK, JSON, body),
            Public::Checkpoint(text) | Public::Receipt(text) => Self::new(StatusCode::OK, "text/plain; charset=utf-8", text.into()),
            Public::Tile(tile) => Self { caches: FOR_GOOD, ..Self::new(StatusCode::OK, "application/octet-stream", tile.into()) },
            Public::Texts(texts) => Self::written(Success::Ok, &texts),
            Public::Health(health) => Self::written(Success::Ok, &health),
            Public::Evidence(evidence) => Self::written(Success::Ok, &evidence),
        }
    }

    /// A refusal: its code and nothing else.
    pub fn problem(problem: impl Into<Problem>) -> Self {
        let problem = problem.into();
        let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&problem.document()).unwrap_or_default();
        Self { problem: Some(problem), entry: problem.entry, ..Self::new(status, PROBLEM, body.into()) }
    }

    /// The same answer, naming its entry.
    fn entered(self, entry: Logged) -> Self {
        Self { entry: Some(entry), ..self }
    }

    /// The same answer, after which the connection closes.
    pub(crate) fn closing(self) -> Self {
        Self { close: true, ..self }
    }

    /// The same answer, naming the methods that the address has (RFC 9110, 10.2.1).
    pub(crate) fn allowing(self, methods: &'static str) -> Self {
        Self { allow: methods, ..self }
    }

    pub(crate) fn closes(&self) -> bool {
        self.close
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn code(&self) -> Option<ProblemCode> {
        self.problem.map(|problem| problem.code)
    }

    fn written<T: Serialize>(success: Success, value: &T) -> Self {
        let status = match success {
            Success::Ok => StatusCode::OK,
            Success::Created => StatusCode::CREATED,
        };
        let mut body = Vec::with_capacity(1024);
        match serde_json::to_writer(&mut body, value) {
            Ok(()) => Self::new(status, JSON, body.into()),
            Err(_) => Self::problem(ProblemCode::Internal),
        }
    }

    fn new(status: StatusCode, media: &'static str, body: Bytes) -> Self {
        Self { status, media, body, problem: None, entry: None, allow: "", close: false, next: None, caches: NOTHING }
    }

    /// The bytes to send. Caches keep nothing but tiles, and browsers guess nothing (rule G8).
    pub(crate) fn into_response(self, version: Version) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(self.caches));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if !self.media.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media));
        }
        if !self.allow.is_empty() {
            headers.insert(ALLOW, HeaderValue::from_static(self.allow));
        }
        if let Some(seconds) = self.problem.and_then(|problem| problem.retry_after) {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(entry) = self.entry {
            headers.insert(LOG_INDEX, entry.index.into());
            // base64 is always a header's value
            if let Ok(leaf) = HeaderValue::try_from(entry.leaf_text()) {
                headers.insert(LOG_LEAF, leaf);
            }
        }
        if let Some(next) = self.next {
            headers.insert(EVIDENCE_NEXT, next.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // HTTP/2 has no such header: there the connection is told to end (RFC 9113, 8.2.2)
        if self.close && version <= Version::HTTP_11 {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        Self::problem(problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_but_a_tile_forbids_caching_and_all_forbid_guessing() {
        // G8: answers forbid caching and storing; F2: a tile is the same for ever, sealed, and shown to the same askers
        let tile = Answer::public(Public::Tile(Vec::new())).into_response(Version::HTTP_11);
        assert_eq!(tile.headers()[CACHE_CONTROL], "private, max-age=31536000, immutable");
        assert_eq!(tile.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        let answers = [
            Answer::public(Public::Checkpoint(String::new())),
            Answer::public(Public::Receipt(String::new())),
            Answer::public(Public::Document(Bytes::new())),
            Answer::problem(ProblemCode::NoSuchRoute),
        ];
        for answer in answers {
            let response = answer.into_response(Version::HTTP_11);
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
            assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert!(!response.headers().contains_key(CONNECTION));
        }
    }

    #[test]
    fn a_problem_says_when_to_come_back_and_closes_where_told() {
        // the edge: 429 with Retry-After
        let answer = || Answer::problem(Problem::retry_after(ProblemCode::TooManyRequests, 5)).closing();
        let response = answer().into_response(Version::HTTP_11);
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()[RETRY_AFTER], "5");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[CONNECTION], "close");
        assert!(!answer().into_response(Version::HTTP_2).headers().contains_key(CONNECTION));
    }
}
