//! What every answer must be, whatever was asked: never cached but for the log's tiles, and where it is a refusal, a problem of the closed list and nothing more.

use contactpoint_support::Answer;
use serde_json::Value;
use std::collections::BTreeMap;

/// The codes of docs/problems.md with their statuses.
fn closed_list() -> BTreeMap<String, u16> {
    let rows = include_str!("../../docs/problems.md").lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| {
        let (code, rest) = row.split_once("` | ")?;
        Some((code.to_owned(), rest.split_once(" |")?.0.parse().ok()?))
    })
    .collect()
}

/// The answer itself, once it was found to be one that may leave the directory (rules G8, J3).
pub(crate) fn examined(answer: Answer) -> Answer {
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    // a tile is the same for ever, and sealed (C2SP tlog-tiles): nothing else is sent as bare bytes
    let is_tile = answer.status == 200 && header("content-type") == "application/octet-stream";
    let caching = if is_tile { "private, max-age=31536000, immutable" } else { "no-store" };
    assert_eq!(header("cache-control"), caching, "G8: answers forbid caching and storing");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(answer.headers.get("server").is_none() && answer.headers.get("set-cookie").is_none(), "{:?}", answer.headers);
    if answer.status.as_u16() >= 400 {
        assert_eq!(header("content-type"), "application/problem+json");
        assert_is_problem(&answer.body, answer.status.as_u16());
        let retry_after = answer.json()["retry_after"].as_u64().map_or(String::new(), |seconds| seconds.to_string());
        assert_eq!(header("retry-after"), retry_after, "the header and the member say the same");
        let must_say_when = [429, 503].contains(&answer.status.as_u16());
        assert!(!must_say_when || !retry_after.is_empty(), "docs/organisation.md: 429 and 503 come with Retry-After");
    }
    answer
}

/// A problem document of this status: a code of the closed list, its own title, and no member besides the documented ones.
pub(crate) fn assert_is_problem(body: &[u8], status: u16) {
    let text = String::from_utf8_lossy(body);
    let problem: Value = serde_json::from_slice(body).unwrap_or_else(|_| panic!("no problem document: {text}"));
    let code = problem["code"].as_str().unwrap_or("");
    assert_eq!(closed_list().get(code), Some(&status), "{text}");
    assert_eq!(problem["status"], status, "{text}");
    assert_eq!(problem["type"], format!("urn:contactpoint:problem:{code}"), "{text}");
    for (member, value) in problem.as_object().unwrap() {
        let known = ["type", "title", "status", "code", "retry_after", "next_line"].contains(&member.as_str());
        assert!(known && !value.is_null(), "{text}");
    }
}

/// Two answers that nobody could tell apart: status, body and headers, but for the date and for which entry is whose.
pub(crate) fn assert_cannot_be_told_apart(one: &Answer, other: &Answer) {
    let headers = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.remove("date");
        // each answer has its own entry; that it has one must not tell them apart
        for name in ["log-index", "log-leaf"] {
            if let Some(value) = headers.get_mut(name) {
                *value = http::HeaderValue::from_static("its own");
            }
        }
        headers
    };
    assert_eq!(one.status, other.status);
    assert_eq!(one.body, other.body);
    assert_eq!(headers(one), headers(other));
}
