//! The directory's errors as RFC 9457 problem documents: one sentence and a code from a closed list.
//!
//! Leaves to others: what to do about one. Does not trust what it reads: text is made harmless before it reaches a terminal.

use http::{header, Response, StatusCode};
use serde::Deserialize;
use std::time::Duration;

/// An answer that is no answer: what the directory said and the code to act on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// One sentence.
    #[serde(default)]
    pub title: String,
    /// A code from the closed list, such as `forbidden`; `unknown` where the answer named none.
    #[serde(default = "unknown")]
    pub code: String,
    /// HTTP status.
    #[serde(skip)]
    pub status: u16,
    /// Seconds to wait before another try, by the Retry-After header.
    #[serde(skip)]
    pub retry_after: Option<u64>,
    /// With `feed_out_of_step`: the record that the directory waits for.
    #[serde(default)]
    pub next_line: Option<u64>,
}

fn unknown() -> String {
    "unknown".to_owned()
}

impl Problem {
    /// Reads one from an answer whose status is no success. An answer that is not JSON gives the status alone.
    #[must_use]
    pub fn of<B: AsRef<[u8]>>(answer: &Response<B>) -> Self {
        let read = serde_json::from_slice::<Self>(answer.body().as_ref()).ok();
        let mut problem = read.unwrap_or(Self { title: String::new(), code: unknown(), status: 0, retry_after: None, next_line: None });
        problem.status = answer.status().as_u16();
        let wait = answer.headers().get(header::RETRY_AFTER);
        problem.retry_after = wait.and_then(|value| value.to_str().ok()).and_then(|value| value.trim().parse().ok());
        if problem.title.is_empty() {
            problem.title = answer.status().canonical_reason().unwrap_or("the request was refused").to_owned();
        }
        problem
    }

    /// True where the directory asks to come again later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS.as_u16() || self.status == StatusCode::SERVICE_UNAVAILABLE.as_u16()
    }

    /// How long to wait before the next try: what the directory said, else a second; never more than two minutes.
    #[must_use]
    pub fn pause(&self) -> Duration {
        Duration::from_secs(self.retry_after.unwrap_or(1).min(120))
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {})", self.title.trim_end_matches('.'), self.code, self.status)?;
        match self.retry_after {
            Some(seconds) => write!(f, "; try again in {seconds} s"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_one_sentence_and_a_code() {
        let body = r#"{"type":"about:blank","title":"Your role does not allow this.","status":403,"code":"forbidden"}"#;
        let answer = Response::builder().status(403).body(body.as_bytes()).unwrap();
        assert_eq!(Problem::of(&answer).to_string(), "Your role does not allow this (forbidden, 403)");
    }

    #[test]
    fn an_answer_that_is_no_problem_document_still_has_its_status() {
        let answer = Response::builder().status(503).header("retry-after", "7").body(&b"<html>"[..]).unwrap();
        let problem = Problem::of(&answer);
        assert!(problem.is_passing());
        assert_eq!(problem.pause(), Duration::from_secs(7));
        assert_eq!(problem.to_string(), "Service Unavailable (unknown, 503); try again in 7 s");
    }
}
