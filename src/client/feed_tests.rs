//! The feed and the connection against a directory that hangs up, asks to wait, loses count, or does not let us in.

use crate::arguments::Feed;
use crate::error::ClientError;
use crate::fake_directory::{FakeDirectory, Reaction, Seen};
use crate::feed::feed;
use crate::Api;
use serde_json::json;
use std::path::PathBuf;

/// A directory that counts: takes what comes in step, else says where it stands.
struct Count {
    next: u64,
    rejected: u64,
}

impl Count {
    fn react(&mut self, request: &Seen) -> Reaction {
        if request.path == "/v1/feeds" {
            return Reaction::Answer(200, json!({"feed": 7, "next_line": self.next, "accepted": 0, "rejected": 0}));
        }
        if request.path == "/v1/feeds/7/finish" {
            let report = json!({"feed": 7, "layout": "x", "complete": true, "rejected_count": self.rejected, "rejected": []});
            return Reaction::Answer(200, report);
        }
        if !request.path.ends_with(&format!("first_line={}", self.next)) {
            return Reaction::Answer(409, json!({"title": "Out of step.", "code": "feed_out_of_step", "next_line": self.next}));
        }
        self.next += contactpoint_intake::split(&request.body).count() as u64;
        Reaction::Answer(200, json!({"next_line": self.next, "created": 0, "joined": 0, "unchanged": 0, "rejected": []}))
    }
}

/// 2,500 records below a header: three chunks.
fn file(directory: &FakeDirectory) -> PathBuf {
    let path = directory.folder().join("feed.csv");
    let records: String = (0..2500).map(|number| format!("{number},x\n")).collect();
    std::fs::write(&path, format!("a,b\n{records}")).unwrap();
    path
}

async fn fed(directory: &FakeDirectory) -> Result<(), ClientError> {
    feed(&directory.place(), &Feed { file: file(directory), layout: "x".to_owned() }).await
}

fn lines(seen: &[Seen]) -> Vec<&Seen> {
    seen.iter().filter(|request| request.path.contains("/lines")).collect()
}

#[tokio::test]
async fn a_chunk_without_an_answer_is_sent_again_under_the_same_request_id() {
    // H5: a load that is cut off resumes; a record sent twice is one record
    let (mut count, mut hung_up) = (Count { next: 2, rejected: 0 }, 0);
    let directory = FakeDirectory::answering(move |request| {
        let second_chunk = request.path.ends_with("first_line=1002");
        if second_chunk && hung_up < 3 {
            hung_up += 1;
            return Reaction::HangUp;
        }
        count.react(request)
    })
    .await;
    fed(&directory).await.unwrap();
    let seen = directory.seen();
    let lines = lines(&seen);
    assert_eq!(lines.len(), 6);
    assert!(lines[1..=4].iter().all(|request| request.request_id == lines[1].request_id && request.body == lines[1].body));
    assert_ne!(lines[0].request_id, lines[1].request_id);
}

#[tokio::test]
async fn a_chunk_that_was_taken_before_the_answer_was_lost_is_not_sent_twice() {
    // H5: a record sent twice is one record
    let (mut count, mut lost) = (Count { next: 2, rejected: 0 }, false);
    let directory = FakeDirectory::answering(move |request| {
        let answer = count.react(request);
        let first_chunk = request.path.ends_with("first_line=2");
        if first_chunk && !std::mem::replace(&mut lost, true) {
            return Reaction::HangUp;
        }
        answer
    })
    .await;
    fed(&directory).await.unwrap();
    let seen = directory.seen();
    let firsts: Vec<&str> = lines(&seen).iter().map(|request| request.path.rsplit('=').next().unwrap()).collect();
    assert_eq!(firsts, ["2", "2", "1002", "2002"]);
}

#[tokio::test]
async fn a_feed_goes_on_where_the_directory_stands() {
    // H5: a load that is cut off resumes
    let mut count = Count { next: 1503, rejected: 0 };
    let directory = FakeDirectory::answering(move |request| count.react(request)).await;
    fed(&directory).await.unwrap();
    let seen = directory.seen();
    assert_eq!(lines(&seen).len(), 1);
    assert!(lines(&seen)[0].body.starts_with(b"1501,x\n"));
}

#[tokio::test]
async fn a_directory_that_asks_to_wait_is_waited_for() {
    // architecture, interfaces: 429 with Retry-After
    let (mut count, mut asked) = (Count { next: 2, rejected: 0 }, false);
    let directory = FakeDirectory::answering(move |request| {
        if request.path.contains("/lines") && !std::mem::replace(&mut asked, true) {
            return Reaction::Wait(1);
        }
        count.react(request)
    })
    .await;
    let begun = std::time::Instant::now();
    fed(&directory).await.unwrap();
    assert!(begun.elapsed().as_millis() >= 1000);
}

#[tokio::test]
async fn rejected_lines_are_told_to_the_shell() {
    // H5: a bad line is reported
    let mut count = Count { next: 2, rejected: 4 };
    let directory = FakeDirectory::answering(move |request| count.react(request)).await;
    let error = fed(&directory).await.unwrap_err();
    assert_eq!((error.exit_code(), error.to_string().as_str()), (1, "4 of 2500 records were rejected; the others are kept"));
}

#[tokio::test]
async fn a_directory_that_never_agrees_is_given_up() {
    let mut next = 2;
    let directory = FakeDirectory::answering(move |request| {
        next = if next == 2 { 3 } else { 2 };
        match request.path.as_str() {
            "/v1/feeds" => Reaction::Answer(200, json!({"feed": 7, "next_line": 2})),
            _ => Reaction::Answer(409, json!({"title": "No.", "code": "feed_out_of_step", "next_line": next})),
        }
    })
    .await;
    assert_eq!(fed(&directory).await.unwrap_err().exit_code(), 2);
}

#[tokio::test]
async fn a_certificate_that_the_server_refuses_is_said_in_tls_own_words() {
    // B1: no request is read from an unknown organisation
    let directory = FakeDirectory::trusting(|_| Reaction::Answer(200, json!({})), "others").await;
    for _ in 0..20 {
        let error = Api::without_session(&directory.place()).unwrap().get("/log/checkpoint").await.unwrap_err();
        assert!(error.to_string().starts_with("TLS refused: "), "{error}");
        assert_eq!(error.exit_code(), 3);
    }
    assert!(directory.seen().is_empty());
}
