//! Which children there are to look up: their numbers, found as a practitioner would, by family name and postcode, spread over the whole store.

use crate::fault::Fault;
use crate::wire::Wire;
use rustls::ClientConfig;
use serde_json::{json, Value};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// Where and as whom to search.
pub struct Searcher {
    /// The daemon.
    pub address: SocketAddr,
    /// The council's side of TLS.
    pub tls: Arc<ClientConfig>,
    /// Its practitioners' sessions: each searches beside the others.
    pub tokens: Vec<String>,
}

/// What the searches came to.
pub struct Found {
    /// The child numbers that each of the practitioners was shown, in the order of their sessions; each number once.
    pub numbers: Vec<Vec<String>>,
    /// Searches made.
    pub searches: usize,
    /// Of them, answered with "too many".
    pub too_many: usize,
}

impl Searcher {
    /// The numbers of the children of about `most` homes, evenly spread over a surgery's list.
    pub async fn find(self, list: &Path, most: usize) -> Result<Found, Fault> {
        let sought = Arc::new(sought(list, most)?);
        let (searches, next) = (sought.len(), Arc::new(AtomicUsize::new(0)));
        let mut searching = Vec::new();
        for token in self.tokens {
            searching.push(tokio::spawn(search(self.address, Arc::clone(&self.tls), token, Arc::clone(&sought), Arc::clone(&next))));
        }
        let (mut all, mut numbers, mut too_many) = (BTreeSet::new(), Vec::new(), 0);
        for found in searching {
            let (some, crowded) = found.await.map_err(|error| Fault::Unfit(error.to_string()))??;
            numbers.push(some.into_iter().filter(|number| all.insert(number.clone())).collect::<Vec<_>>());
            too_many += crowded;
        }
        if numbers.iter().any(Vec::is_empty) {
            return Err(Fault::Unfit("a practitioner found nobody: more children, or fewer CONNECTIONS".into()));
        }
        Ok(Found { numbers, searches, too_many })
    }
}

/// Takes one search after the other, as one practitioner.
async fn search(
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    token: String,
    sought: Arc<Vec<Value>>,
    next: Arc<AtomicUsize>,
) -> Result<(Vec<String>, usize), Fault> {
    let mut wire = Wire::open(address, &tls).await?;
    let (mut numbers, mut crowded) = (Vec::new(), 0);
    while let Some(body) = sought.get(next.fetch_add(1, Ordering::Relaxed)) {
        let head = wire.exchange(&post("/v1/children/search", &token, body)).await?;
        match head.status {
            200 => numbers.extend(numbers_in(wire.body())?),
            422 => crowded += 1,
            status => {
                let body = String::from_utf8_lossy(wire.body()).into_owned();
                return Err(Fault::Refused { server: "the daemon", status, body });
            }
        }
    }
    Ok((numbers, crowded))
}

/// A POST with a JSON body in a session.
pub fn post(path: &str, token: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn numbers_in(answer: &[u8]) -> Result<Vec<String>, Fault> {
    let answer: Value = serde_json::from_slice(answer)?;
    let hits = answer["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(hits.iter().filter_map(|hit| hit["child_number"].as_str().map(str::to_owned)).collect())
}

/// The bodies of up to `most` searches, from rows at even distances.
fn sought(list: &Path, most: usize) -> Result<Vec<Value>, Fault> {
    let rows = csv::Reader::from_path(list)?.into_byte_records().count();
    let every = (rows / most.max(1)).max(1);
    let mut reader = csv::Reader::from_path(list)?;
    let header = reader.headers()?.clone();
    let at = |name: &str| header.iter().position(|column| column == name).ok_or_else(|| Fault::Unfit(format!("no column {name}")));
    let (family, postcode) = (at("FAMILY_NAME")?, at("POSTCODE")?);
    let mut sought = Vec::new();
    for row in reader.records().step_by(every) {
        let row = row?;
        if let (Some(family), Some(postcode)) = (row.get(family), row.get(postcode).filter(|postcode| !postcode.is_empty())) {
            sought.push(json!({"family_name": family, "postcode": postcode, "reason": "coordination"}));
        }
    }
    Ok(sought)
}
