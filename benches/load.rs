//! A load: so many connections, each asking again as soon as it is answered, for a stated time; every answer's time is kept.
//!
//! For: the same load on both servers. Leaves to others: which servers, how often, and what the figures mean. Each thread has its own runtime
//! and an even share of the connections, so that no lock is between them. Any answer but 200 ends the bench.

use crate::fault::Fault;
use crate::process::{own_time, spent, thread_times, ThreadTimes};
use crate::wire::Wire;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::{Arc, Barrier, OnceLock};
use std::time::{Duration, Instant};

/// Where a load goes.
pub struct Target {
    /// What it is called.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// Our side of its TLS.
    pub tls: Arc<ClientConfig>,
    /// What is asked.
    pub asks: Asks,
    /// The server's processes.
    pub processes: Vec<u32>,
}

/// What is asked.
pub enum Asks {
    /// One request, always the same.
    Same(Vec<u8>),
    /// A request with a child number at `at`: each connection is one of these people, who asks for the children they were shown before.
    Child {
        /// They.
        people: Vec<Asker>,
        /// Where the number stands in each of their requests.
        at: usize,
    },
    /// These requests one after the other, and again from the first; two connections are half of them apart.
    Each(Vec<Vec<u8>>),
}

/// Somebody who looks children up.
pub struct Asker {
    /// Their request with any number in it.
    pub request: Vec<u8>,
    /// The numbers they ask for, all of one length.
    pub numbers: Vec<String>,
}

/// How heavy, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Connections.
    pub connections: usize,
    /// Threads that share them.
    pub threads: usize,
    /// Before anything is counted.
    pub warm_up: Duration,
    /// What is counted.
    pub window: Duration,
}

/// What a load came to.
pub struct Measured {
    /// Answers a second.
    pub rate: f64,
    /// Half of the answers were faster, in microseconds.
    pub p50: f64,
    /// 99 of 100 answers were faster, in microseconds.
    pub p99: f64,
    /// Answers in the window.
    pub answers: usize,
    /// Bytes of an answer, head and body, on average.
    pub bytes: f64,
    /// Nanoseconds of processor time that the server's threads used in the window, for loads beside this one too.
    pub server: ThreadTimes,
    /// The same of ours.
    pub client: u64,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    from: Instant,
    to: Instant,
}

#[derive(Default)]
struct Tally {
    nanoseconds: Vec<u32>,
    bytes: usize,
}

/// Opens the connections, warms up, measures.
pub fn run(target: &Arc<Target>, shape: Shape) -> Result<Measured, Fault> {
    together(&[(target, shape)])?.pop().ok_or_else(|| Fault::Unfit("no load".into()))
}

/// Loads beside each other over the same time, which is the first one's; its server's processor time is told with each.
pub fn together(loads: &[(&Arc<Target>, Shape)]) -> Result<Vec<Measured>, Fault> {
    let Some((first, Shape { warm_up, window: counted, .. })) = loads.first() else { return Ok(Vec::new()) };
    let threads_of = |shape: &Shape| shape.threads.min(shape.connections);
    let all_threads: usize = loads.iter().map(|(_, shape)| threads_of(shape)).sum();
    let (opened, begun) = (Barrier::new(all_threads + 1), Barrier::new(all_threads + 1));
    let window = OnceLock::new();
    std::thread::scope(|scope| {
        let spawned = |(target, shape): &(&'_ Arc<Target>, Shape)| {
            let threads = threads_of(shape);
            let work = |index: usize| {
                let connections = shape.connections / threads + usize::from(index < shape.connections % threads);
                let (target, nth) = (Arc::clone(target), (index, threads));
                let (opened, begun, window) = (&opened, &begun, &window);
                move || one_thread(&target, connections, nth, opened, begun, window)
            };
            (0..threads).map(|index| scope.spawn(work(index))).collect::<Vec<_>>()
        };
        let workers: Vec<Vec<_>> = loads.iter().map(spawned).collect();
        opened.wait();
        let from = Instant::now() + *warm_up;
        let Window { from, to } = *window.get_or_init(|| Window { from, to: from + *counted });
        begun.wait();
        std::thread::sleep(from.saturating_duration_since(Instant::now()));
        let before = used(first);
        std::thread::sleep(to.saturating_duration_since(Instant::now()));
        let after = used(first);
        let each = workers.into_iter().map(|workers| {
            let tallies = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(Fault::Unfit("a thread died".into()))));
            measured(tallies.collect::<Result<Vec<_>, _>>()?, *counted, &before, &after)
        });
        each.collect()
    })
}

type Used = (ThreadTimes, u64);

fn used(target: &Target) -> Used {
    (thread_times(&target.processes), own_time())
}

fn measured(tallies: Vec<Tally>, window: Duration, before: &Used, after: &Used) -> Result<Measured, Fault> {
    let bytes: usize = tallies.iter().map(|tally| tally.bytes).sum();
    let mut times: Vec<u32> = tallies.into_iter().flat_map(|tally| tally.nanoseconds).collect();
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1))).map(|time| f64::from(*time) / 1000.0);
    let (Some(p50), Some(p99)) = (at(50), at(99)) else { return Err(Fault::Unfit("no answer at all".into())) };
    Ok(Measured {
        rate: times.len() as f64 / window.as_secs_f64(),
        p50,
        p99,
        answers: times.len(),
        bytes: bytes as f64 / times.len() as f64,
        server: spent(&before.0, &after.0),
        client: after.1.saturating_sub(before.1),
    })
}

fn one_thread(
    target: &Arc<Target>,
    connections: usize,
    nth: (usize, usize),
    opened: &Barrier,
    begun: &Barrier,
    window: &OnceLock<Window>,
) -> Result<Tally, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let wires = runtime.as_ref().map_err(|error| Fault::Unfit(error.to_string())).and_then(|runtime| {
        runtime.block_on(async {
            let mut wires = Vec::new();
            for _ in 0..connections {
                wires.push(Wire::open(target.address, &target.tls).await?);
            }
            Ok(wires)
        })
    });
    // both barriers are passed in any case: the others wait there
    opened.wait();
    begun.wait();
    let (runtime, wires) = (runtime?, wires?);
    let Some(window) = window.get() else { return Err(Fault::Unfit("no window".into())) };
    runtime.block_on(all(target, wires, nth, *window))
}

/// Drives all connections of a thread at once. The thread is the `first` of `threads`, and takes every so manyth of the people.
async fn all(target: &Arc<Target>, wires: Vec<Wire>, (first, threads): (usize, usize), window: Window) -> Result<Tally, Fault> {
    let mut asking = tokio::task::JoinSet::new();
    for (wire, who) in wires.into_iter().zip((first..).step_by(threads.max(1))) {
        asking.spawn(one_connection(Arc::clone(target), wire, who, window));
    }
    let mut sum = Tally::default();
    while let Some(tally) = asking.join_next().await {
        let tally = tally.map_err(|error| Fault::Unfit(error.to_string()))??;
        sum.nanoseconds.extend(tally.nanoseconds);
        sum.bytes += tally.bytes;
    }
    Ok(sum)
}

async fn one_connection(target: Arc<Target>, mut wire: Wire, who: usize, window: Window) -> Result<Tally, Fault> {
    let mut random = SmallRng::seed_from_u64(who as u64);
    let mut request = target.asks.first(who);
    let mut tally = Tally::default();
    for asked in 0.. {
        target.asks.next((who, asked), &mut random, &mut request);
        let began = Instant::now();
        if began >= window.to {
            return Ok(tally);
        }
        let head = wire.exchange(&request).await?;
        let ended = Instant::now();
        if head.status != 200 {
            let body = String::from_utf8_lossy(wire.body()).into_owned();
            return Err(Fault::Refused { server: target.name, status: head.status, body });
        }
        if began >= window.from && ended <= window.to {
            tally.nanoseconds.push(u32::try_from((ended - began).as_nanos()).unwrap_or(u32::MAX));
            tally.bytes += head.bytes;
        }
    }
    Ok(tally)
}

impl Asks {
    /// The first request of this connection.
    pub fn first(&self, who: usize) -> Vec<u8> {
        match self {
            Self::Same(request) => request.clone(),
            Self::Child { people, .. } => asker(people, who).map_or_else(Vec::new, |asker| asker.request.clone()),
            Self::Each(requests) => requests.first().cloned().unwrap_or_default(),
        }
    }

    /// Makes the request of this connection that comes after so many.
    fn next(&self, (who, asked): (usize, usize), random: &mut SmallRng, request: &mut Vec<u8>) {
        if let Self::Each(requests) = self {
            let next = requests.get((asked + who * requests.len() / 2) % requests.len().max(1));
            return request.clone_from(next.unwrap_or(&Vec::new()));
        }
        let Self::Child { at, people } = self else { return };
        let Some(Asker { numbers, .. }) = asker(people, who) else { return };
        let number = numbers.get(random.random_range(0..numbers.len().max(1))).map_or(&b""[..], |number| number.as_bytes());
        if let Some(place) = request.get_mut(*at..at + number.len()) {
            place.copy_from_slice(number);
        }
    }
}

/// Of more connections than people, some are the same person.
fn asker(people: &[Asker], who: usize) -> Option<&Asker> {
    people.get(who % people.len().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_connections_ask_each_half_of_the_requests_before_they_ask_one_again() {
        let asks = Asks::Each((0..7).map(|nth| vec![nth]).collect());
        let (mut random, mut request) = (SmallRng::seed_from_u64(0), asks.first(0));
        let mut asked = |who| {
            let mut one = |nth| {
                asks.next((who, nth), &mut random, &mut request);
                request.clone()
            };
            (0..8).flat_map(&mut one).collect::<Vec<u8>>()
        };
        assert_eq!(asked(0), [0, 1, 2, 3, 4, 5, 6, 0]);
        assert_eq!(asked(1), [3, 4, 5, 6, 0, 1, 2, 3]);
    }
}
