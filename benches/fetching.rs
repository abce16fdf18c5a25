//! Look-ups while the log is fetched: does a witness or an inspector who reads all of it slow down whoever looks children up?
//!
//! For: the section "Look-ups while the log is fetched" of docs/performance.md. Leaves to others: the load (`load`), the page (`report`). Two
//! connections of an auditor's certificate fetch every tile and bundle below a head, one after the other, without a pause and without keeping any.

use crate::fault::Fault;
use crate::load::{run, together, Asks, Measured, Shape, Target};
use crate::process::rested;
use crate::report::each;
use crate::rounds::{median, Plan, Round};
use contactpoint_audit::tiles::{width_at, TilePath, FULL};
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::Arc;

/// Connections that fetch, on one thread of the client.
pub const FETCHING: usize = 2;

/// Look-ups alone, look-ups while the log is fetched, and fetching alone, in turns; each begins with a daemon that rests, or is told of.
pub struct WhileFetched {
    /// Look-ups: ours with fetching beside them, theirs without.
    pub look_ups: Round,
    /// What was fetched beside the look-ups.
    pub beside: Vec<Measured>,
    /// What was fetched with nobody beside.
    pub alone: Vec<Measured>,
    /// Turns that began though the daemon was still at work for those before.
    pub restless: usize,
}

/// GET of everything that a log of this size has.
pub fn tiles(address: SocketAddr, tls: Arc<ClientConfig>, size: u64, daemon: u32) -> Target {
    let request = |tile: TilePath| format!("GET /log/{tile} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").into_bytes();
    Target { name: "tiles", address, tls, asks: Asks::Each(tiles_of(size).map(request).collect()), processes: vec![daemon] }
}

/// Each bundle with the tile of its entries' hashes, as who verifies the log reads them, and then the levels above.
fn tiles_of(size: u64) -> impl Iterator<Item = TilePath> {
    let across = move |level: u8| (size >> (8 * u32::from(level))).div_ceil(u64::from(FULL));
    let hashes = move |level, index| TilePath::Hashes { level, index, width: width_at(size, level, index) };
    let entries = move |index| TilePath::Entries { index, width: width_at(size, 0, index) };
    let lowest = (0..across(0)).flat_map(move |index| [entries(index), hashes(0, index)]);
    lowest.chain((1u8..8).flat_map(move |level| (0..across(level)).map(move |index| hashes(level, index))))
}

/// Runs all turns over so many connections that look up; says each on standard error.
pub fn rounds(plan: &Plan, connections: usize, look_ups: &Arc<Target>, tiles: &Arc<Target>) -> Result<WhileFetched, Fault> {
    let (looking, fetching) = (plan.shape(connections), Shape { threads: 1, ..plan.shape(FETCHING) });
    let look_ups_of = Round { connections, ours: Vec::new(), theirs: Vec::new() };
    let mut while_fetched = WhileFetched { look_ups: look_ups_of, beside: Vec::new(), alone: Vec::new(), restless: 0 };
    let restless = || usize::from(!rested(&look_ups.processes));
    for _ in 0..plan.pairs {
        while_fetched.restless += restless();
        let quiet = run(look_ups, looking)?;
        while_fetched.restless += restless();
        let [busy, fetched] = <[Measured; 2]>::try_from(together(&[(look_ups, looking), (tiles, fetching)])?)
            .map_err(|_| Fault::Unfit("two loads have two measures".into()))?;
        while_fetched.restless += restless();
        let only = run(tiles, fetching)?;
        eprintln!(
            "  {connections:>3} connections  look-ups {:.0}/s alone, {:.0}/s beside {:.0} tiles/s; tiles alone {:.0}/s",
            quiet.rate, busy.rate, fetched.rate, only.rate
        );
        while_fetched.look_ups.theirs.push(quiet);
        while_fetched.look_ups.ours.push(busy);
        while_fetched.beside.push(fetched);
        while_fetched.alone.push(only);
    }
    Ok(while_fetched)
}

/// Nanoseconds of processor time of the server in a turn.
pub fn daemons(measured: &Measured) -> u64 {
    measured.server.values().sum()
}

impl WhileFetched {
    /// Microseconds of a look-up beside fetching: what both took without the tiles, at what a tile takes alone. `of`: whose processor time.
    pub fn look_up(&self, of: impl Fn(&Measured) -> u64) -> f64 {
        let tile = each(&self.alone, &of);
        let turn = |(look_ups, tiles): (&Measured, &Measured)| {
            (of(look_ups) as f64 / 1000.0 - tile * tiles.answers as f64) / look_ups.answers.max(1) as f64
        };
        median(self.look_ups.ours.iter().zip(&self.beside).map(turn).collect())
    }

    /// The share of the processor time of daemon and client that the tiles take beside look-ups, at what a tile takes alone.
    pub fn share(&self) -> f64 {
        let whole = |measured: &Measured| daemons(measured) + measured.client;
        let tile = each(&self.alone, whole);
        let turn = |(look_ups, tiles): (&Measured, &Measured)| tile * tiles.answers as f64 * 1000.0 / whole(look_ups).max(1) as f64;
        median(self.look_ups.ours.iter().zip(&self.beside).map(turn).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_log_is_fetched() {
        // C2SP tlog-tiles: 70,000 entries have 274 bundles and tiles of leaves, two tiles above them and one above these
        let of_70_000: Vec<String> = tiles_of(70_000).map(|tile| tile.to_string()).collect();
        assert_eq!(of_70_000.len(), 2 * 274 + 2 + 1);
        assert_eq!(of_70_000[..2], ["tile/entries/000", "tile/0/000"]);
        assert_eq!(of_70_000[547..], ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]);
    }

    #[test]
    fn what_fetching_takes_is_not_counted_as_the_look_ups() {
        let turn = |answers, server| Measured {
            rate: 1.0,
            p50: 1.0,
            p99: 1.0,
            answers,
            bytes: 1.0,
            server: [("answer".to_owned(), server)].into(),
            client: 100_000,
        };
        let look_ups = Round { connections: 1, ours: vec![turn(10, 900_000)], theirs: Vec::new() };
        let fetched = WhileFetched { look_ups, beside: vec![turn(4, 900_000)], alone: vec![turn(10, 400_000)], restless: 0 };
        assert_eq!((fetched.look_up(daemons), fetched.look_up(|turn| turn.client)), (74.0, 6.0));
        assert_eq!(fetched.share(), 0.2);
    }
}
