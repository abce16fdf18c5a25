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

/// Searches that are under way at once.
const AT_ONCE: usize = 32;

/// Where and as whom to search.
pub struct Searcher {
    /// The daemon.
    pub address: SocketAddr,
    /// The council's side of TLS.
    pub tls: Arc<ClientConfig>,
    /// Its practitioner's session.
    pub token: String,
}

/// What the searches came to.
pub struct Found {
    /// Every child number once, in order.
    pub numbers: Vec<String>,
    /// Searches made.
    pub searches: usize,
    /// Of them, answered with "too many".
    pub too_many: usize,
}

impl Searcher {
    /// The numbers of the children of about `most` homes, evenly spread over a surgery's list.
    pub async fn find(self, list: &Path, most: usize) -> Result<Found, Fault> {
        let sought = Arc::new(sought(list, most)?);
        let (searches, next, searcher) = (sought.len(), Arc::new(AtomicUsize::new(0)), Arc::new(self));
        let mut searching = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            searching.spawn(Arc::clone(&searcher).search(Arc::clone(&sought), Arc::clone(&next)));
        }
        let (mut numbers, mut too_many) = (BTreeSet::new(), 0);
        while let Some(found) = searching.join_next().await {
            let (some, crowded) = found.map_err(|error| Fault::Unfit(error.to_string()))??;
            numbers.extend(some);
            too_many += crowded;
        }
        if numbers.is_empty() {
            return Err(Fault::Unfit("no search found anybody".into()));
        }
        Ok(Found { numbers: numbers.into_iter().collect(), searches, too_many })
    }

    async fn search(self: Arc<Self>, sought: Arc<Vec<Value>>, next: Arc<AtomicUsize>) -> Result<(Vec<String>, usize), Fault> {
        let mut wire = Wire::open(self.address, &self.tls).await?;
        let (mut numbers, mut crowded) = (Vec::new(), 0);
        while let Some(body) = sought.get(next.fetch_add(1, Ordering::Relaxed)) {
            let head = wire.exchange(&post("/v1/children/search", &self.token, body)).await?;
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
