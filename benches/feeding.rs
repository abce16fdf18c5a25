//! The first load: every supplier's file through the real feed protocol, a large file in several parts at once.
//!
//! Timed from the first part's beginning to the last part's report, so that what is counted is sealed, indexed, in the log and durable.

use crate::appliance::{Appliance, Supplier};
use crate::fault::{in_file, Fault};
use bytes::Bytes;
use contactpoint_client::Connection;
use contactpoint_support::{call, request};
use http::Method;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};

/// Most records and bytes of one request (docs/feeds.md).
const MOST_RECORDS: usize = 1000;
const MOST_BYTES: usize = 1024 * 1024;
/// Below so many records a file is not worth parting.
const WORTH_PARTING: usize = 10_000;

/// What became of one supplier's file.
pub struct Fed {
    /// Council, school, ...
    pub kind: String,
    /// Parts fed at once.
    pub parts: usize,
    /// From the first request to the last answer.
    pub time: Duration,
    /// Children made.
    pub created: u64,
    /// Records joined to a child.
    pub joined: u64,
    /// Records refused.
    pub rejected: u64,
}

impl Fed {
    /// Records sent.
    pub fn records(&self) -> u64 {
        self.created + self.joined + self.rejected
    }

    /// Records acknowledged in a second.
    pub fn rate(&self) -> f64 {
        self.records() as f64 / self.time.as_secs_f64()
    }
}

/// Feeds a supplier's whole file, in up to `parts` feeds at once.
pub async fn feed(appliance: &Appliance, supplier: &Supplier, parts: usize) -> Result<Fed, Fault> {
    let file = std::fs::read(&supplier.feed).map_err(in_file(&supplier.feed))?;
    let end = file.iter().position(|byte| *byte == b'\n').map_or(file.len(), |at| at + 1);
    let file = Bytes::from(file);
    let (header, records) = (file.slice(..end), file.slice(end..));
    let parts = parted(&records, parts);
    let mut sending = tokio::task::JoinSet::new();
    let token = appliance.rig.log_in_first(&mut appliance.rig.connection(&supplier.organisation.certificate), &supplier.steward).await;
    let count = parts.len();
    let begun = Instant::now();
    for part in parts {
        let connection = appliance.rig.connection(&supplier.organisation.certificate);
        let feeding = Feeding { connection, token: token.clone(), layout: supplier.layout.clone(), header: header.clone(), part };
        sending.spawn(feeding.run());
    }
    let mut fed = Fed { kind: supplier.kind.clone(), parts: count, time: Duration::ZERO, created: 0, joined: 0, rejected: 0 };
    while let Some(report) = sending.join_next().await {
        let report = report.map_err(|error| Fault::Unfit(error.to_string()))??;
        let number = |key: &str| report[key].as_u64().unwrap_or(0);
        fed.created += number("created");
        fed.joined += number("joined") + number("unchanged");
        fed.rejected += number("rejected_count");
    }
    fed.time = begun.elapsed();
    Ok(fed)
}

/// Even parts that end where a record ends; the generator puts no line end into a field.
fn parted(records: &Bytes, parts: usize) -> Vec<Bytes> {
    let lines = records.iter().filter(|byte| **byte == b'\n').count();
    let parts = if lines < WORTH_PARTING { 1 } else { parts.max(1) };
    let mut left = records.clone();
    let mut parted = Vec::new();
    for part in (1..=parts).rev() {
        let about = left.len() / part;
        let end = left.iter().skip(about).position(|byte| *byte == b'\n').map_or(left.len(), |at| about + at + 1);
        parted.push(left.split_to(end.min(left.len())));
    }
    parted.retain(|part| !part.is_empty());
    parted
}

/// One feed under way.
struct Feeding {
    connection: Connection,
    token: String,
    layout: String,
    header: Bytes,
    part: Bytes,
}

impl Feeding {
    async fn run(mut self) -> Result<Value, Fault> {
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest([&self.header[..], &self.part[..]].concat()));
        let header = String::from_utf8_lossy(&self.header).trim_end_matches(['\r', '\n']).to_owned();
        let begun = self.ask("/v1/feeds", &json!({"layout": self.layout, "digest": digest, "header": header})).await?;
        let feed = begun["feed"].as_u64().unwrap_or(0);
        let mut line = 2;
        while !self.part.is_empty() {
            let (records, chunk) = chunk(&mut self.part);
            self.send(feed, line, chunk).await?;
            line += records;
        }
        self.ask(&format!("/v1/feeds/{feed}/finish"), &json!({"lines": line - 1})).await
    }

    async fn ask(&mut self, path: &str, body: &Value) -> Result<Value, Fault> {
        let answer = call::call(&mut self.connection, request(Method::POST, path, Some(&self.token), Some(body))).await?;
        accepted(&answer)
    }

    async fn send(&mut self, feed: u64, line: usize, chunk: Bytes) -> Result<(), Fault> {
        let request = http::Request::post(format!("/v1/feeds/{feed}/lines?first_line={line}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "text/csv")
            .body(http_body_util::Full::new(chunk))
            .map_err(|error| Fault::Unfit(error.to_string()))?;
        accepted(&call::call(&mut self.connection, request).await?).map(drop)
    }
}

fn accepted(answer: &contactpoint_support::Answer) -> Result<Value, Fault> {
    if answer.status.is_success() {
        return Ok(answer.json());
    }
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    Err(Fault::Refused { server: "the daemon", status: answer.status.as_u16(), body })
}

/// Takes as many records off the front as one request may carry; how many, and their bytes.
fn chunk(part: &mut Bytes) -> (usize, Bytes) {
    let (mut records, mut end) = (0, 0);
    for (at, byte) in part.iter().enumerate() {
        if *byte == b'\n' || at + 1 == part.len() {
            if at + 1 > MOST_BYTES && records > 0 {
                break;
            }
            records += 1;
            end = at + 1;
            if records == MOST_RECORDS {
                break;
            }
        }
    }
    (records, part.split_to(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_chunks_lose_no_record() {
        let text: String = (0..25_001).map(|number| format!("{number},a\n")).collect();
        let whole = Bytes::from(text.clone());
        let mut back = Vec::new();
        let mut records = 0;
        let parts = parted(&whole, 4);
        assert_eq!(parts.len(), 4);
        for mut part in parts {
            while !part.is_empty() {
                let (count, bytes) = chunk(&mut part);
                assert!(count <= MOST_RECORDS && bytes.ends_with(b"\n"));
                records += count;
                back.extend_from_slice(&bytes);
            }
        }
        assert_eq!((records, back), (25_001, text.into_bytes()));
    }
}
