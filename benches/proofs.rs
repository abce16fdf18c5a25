//! The log under load: how many entries it took while it was signed and receipts were named, how many proofs the daemon hands out, and how many
//! one core makes out of tiles in memory, without a daemon.
//!
//! For: the section "The log" of docs/performance.md. Leaves to others: the turns (`rounds`), the page (`report`).

use crate::fault::Fault;
use crate::load::{Asker, Asks, Target};
use contactpoint_audit::{leaf_hash, Checkpoint, Hash, HashTile, Proving, Tree};
use contactpoint_client::Connection;
use http_body_util::Full;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rustls::ClientConfig;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Entries that receipts are asked of, at most: spread evenly over the log.
const ASKED: u64 = 10_000;
/// How long pure proofs are made.
const PURE: Duration = Duration::from_secs(2);

/// What a run found out of the log.
pub struct LogFigures {
    /// Entries under the newest head when the look-ups began, and when they had ended.
    pub entries: [u64; 2],
    /// Seconds between two heads, by the settings.
    pub head_each: u64,
    /// Proofs that one core makes a second, and of how many entries.
    pub pure: (f64, u64),
}

/// Entries under the newest head. Waits for one: they are signed each second while entries arrive.
pub async fn covered(connection: &mut Connection) -> Result<u64, Fault> {
    let request = http::Request::get("/log/checkpoint").body(Full::default()).map_err(|error| Fault::Unfit(error.to_string()))?;
    let answer = connection.send(request).await.map_err(|error| Fault::Unfit(error.to_string()))?;
    let note = String::from_utf8_lossy(answer.body()).into_owned();
    Ok(Checkpoint::read_unverified(&note).map_err(|fault| Fault::Unfit(fault.to_string()))?.size)
}

/// GET of the receipts of entries all over the log. Their numbers have as many digits each, so nine in ten entries or more are in reach.
pub fn receipts(address: SocketAddr, tls: Arc<ClientConfig>, covered: u64, daemon: u32) -> Result<Target, Fault> {
    let last = covered.checked_sub(1).ok_or_else(|| Fault::Unfit("a log without entries".into()))?;
    let first = 10u64.pow(last.checked_ilog10().unwrap_or(0)).min(last);
    let step = ((last - first) / ASKED).max(1);
    let numbers: Vec<String> = (first..=last).step_by(usize::try_from(step).unwrap_or(1)).map(|index| index.to_string()).collect();
    let path = "GET /log/receipt/";
    let request = format!("{path}{first} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").into_bytes();
    let asks = Asks::Child { people: vec![Asker { request, numbers }], at: path.len() };
    Ok(Target { name: "receipts", address, tls, asks, processes: vec![daemon] })
}

/// Inclusion proofs a second that one core makes out of a log's tiles, which lie in memory.
pub fn pure(entries: u64) -> f64 {
    let tiles = Tiles::of(entries);
    let mut random = SmallRng::seed_from_u64(1);
    let (begun, mut made) = (Instant::now(), 0u64);
    while begun.elapsed() < PURE {
        for _ in 0..1000 {
            made += u64::from(tiles.prove(random.random_range(0..entries.max(1))));
        }
    }
    made as f64 / begun.elapsed().as_secs_f64()
}

struct Tiles {
    size: u64,
    held: HashMap<(u8, u64), Vec<Hash>>,
}

impl Tiles {
    fn of(size: u64) -> Self {
        let (mut tree, mut held) = (Tree::new(), HashMap::new());
        for entry in 0..size {
            for full in tree.append_hash(leaf_hash(&entry.to_be_bytes())) {
                held.insert((full.level, full.index), full.hashes.as_chunks::<32>().0.to_vec());
            }
        }
        for (level, hashes) in (0u8..).zip(tree.edge()).filter(|(_, hashes)| !hashes.is_empty()) {
            held.insert((level, (size >> (8 * u32::from(level))) / 256), hashes.clone());
        }
        Self { size, held }
    }

    /// True where the proof came out; otherwise it does not count.
    fn prove(&self, index: u64) -> bool {
        let Some(proving) = Proving::inclusion(index, self.size) else { return false };
        let tile = |wanted: HashTile| Some((wanted, self.held.get(&(wanted.level, wanted.index))?.clone()));
        let tiles: Option<Vec<_>> = proving.tiles().into_iter().map(tile).collect();
        tiles.and_then(|tiles| proving.proof(&tiles)).is_some_and(|proof| std::hint::black_box(proof).len() < 65)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proof_out_of_the_tiles_comes_out() {
        let tiles = Tiles::of(1000);
        assert!((0..1000).all(|index| tiles.prove(index)) && !tiles.prove(1000));
    }
}
