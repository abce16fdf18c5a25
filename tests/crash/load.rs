//! Sixty-four people who look up children, and one who feeds, until the daemon is gone.
//!
//! Moments are told in progress, not in seconds: so many pieces of the feed acknowledged, then so many looks. Whoever is told the last of
//! them signals the daemon there and then, before anything else is done: an answer that left before its entry was durable has then hardly a
//! millisecond in which to be made true. Leaves to others: what must be true afterwards.

use crate::feeder::Feeder;
use crate::ledger::{look, Look};
use crate::world::{Session, Sessions, World};
use contactpoint_client::ConnectionError;
use contactpoint_support::Answer;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{watch, Notify};
use tokio::task::JoinSet;

/// Look-ups at the same time.
pub(crate) const LOOKERS: usize = 64;

/// How long after the daemon's end an answer that is already in the machine may still be read. Whoever is opening a connection by then waits for
/// the next daemon, since the socket is systemd's, and gives up.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Something was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acknowledged {
    Look,
    Piece,
}

/// When to end the daemon: after so many pieces of the feed, and so many looks after them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pieces: u32,
    looks: u32,
}

impl Moment {
    pub(crate) fn at_random(random: &mut StdRng) -> Self {
        Self { pieces: random.random_range(0..4), looks: random.random_range(1..150) }
    }

    /// True where this is the moment.
    fn comes_with(&mut self, what: Acknowledged) -> bool {
        match what {
            Acknowledged::Piece => self.pieces = self.pieces.saturating_sub(1),
            Acknowledged::Look if self.pieces == 0 && self.looks > 0 => {
                self.looks -= 1;
                return self.looks == 0;
            }
            Acknowledged::Look => {}
        }
        false
    }
}

/// Counts what is acknowledged, and signals the daemon when the moment has come.
pub(crate) struct Countdown {
    left: Mutex<Moment>,
    daemon: Pid,
    signal: Signal,
    come: Notify,
}

impl Countdown {
    /// To this signal for the world's daemon.
    pub(crate) fn to(moment: Moment, world: &World, signal: Signal) -> Arc<Self> {
        let daemon = Pid::from_raw(i32::try_from(world.rig.daemon().id()).expect("a process number"));
        Arc::new(Self { left: Mutex::new(moment), daemon, signal, come: Notify::new() })
    }

    /// True for an answer after which nobody asks on: SIGCONT changes nothing, so that it is the disk that fails then, and the daemon says so.
    pub(crate) fn ends_with(&self, answer: &Answer) -> bool {
        let ends = self.signal == Signal::SIGCONT && answer.status == 503;
        assert!(!ends || answer.code() == "unavailable", "a typed problem: {}", answer.code());
        ends
    }

    /// To be told at once.
    pub(crate) fn hears(&self, what: Acknowledged) {
        if self.left.lock().expect("nobody died counting").comes_with(what) {
            kill(self.daemon, self.signal).expect("the daemon is ours and runs");
            self.come.notify_one();
        }
    }
}

/// Everybody at work.
pub(crate) struct Load {
    lookers: JoinSet<Vec<Look>>,
    feeder: tokio::task::JoinHandle<Feeder>,
    countdown: Arc<Countdown>,
    end: watch::Sender<bool>,
}

impl Load {
    /// Puts everybody to work: looks at these children, and the feed from where it stands.
    pub(crate) fn begun(
        world: &World,
        sessions: &Sessions,
        known: &Arc<Vec<String>>,
        feeder: Feeder,
        countdown: Arc<Countdown>,
        random: &mut StdRng,
    ) -> Self {
        let (end, ended) = watch::channel(false);
        let mut lookers = JoinSet::new();
        for _ in 0..LOOKERS {
            let session = world.beside(&sessions.practitioner, &world.school);
            let random = StdRng::seed_from_u64(random.random());
            lookers.spawn(look_on(session, Arc::clone(known), random, Arc::clone(&countdown), ended.clone()));
        }
        let (session, random) = (world.beside(&sessions.steward, &world.school), StdRng::seed_from_u64(random.random()));
        let feeder = tokio::spawn(feeder.feed_on(session, random, Arc::clone(&countdown), ended));
        Self { lookers, feeder, countdown, end }
    }

    /// Waits until the daemon has been signalled.
    pub(crate) async fn is_interrupted(&self) {
        self.countdown.come.notified().await;
    }

    /// Everybody stops: the daemon is gone. What they were told, and where the feed stands.
    pub(crate) async fn ended(self) -> (Vec<Look>, Feeder) {
        self.end.send_replace(true);
        let looks = self.lookers.join_all().await.concat();
        (looks, self.feeder.await.expect("the feeder ends well"))
    }
}

async fn look_on(
    mut session: Session,
    known: Arc<Vec<String>>,
    mut random: StdRng,
    countdown: Arc<Countdown>,
    mut ended: watch::Receiver<bool>,
) -> Vec<Look> {
    let mut looks = Vec::new();
    loop {
        let child = &known[random.random_range(0..known.len())];
        let asked = json!({"child_number": child, "reason": "coordination"});
        let person = session.person;
        let Some(answer) = answered(session.post("/v1/children/view", &asked), &mut ended).await else { return looks };
        if countdown.ends_with(&answer) {
            return looks;
        }
        countdown.hears(Acknowledged::Look);
        looks.push(look(&answer, child, "view", person));
    }
}

/// The answer; none where the daemon went away first.
pub(crate) async fn answered(
    asked: impl Future<Output = Result<Answer, ConnectionError>>,
    ended: &mut watch::Receiver<bool>,
) -> Option<Answer> {
    tokio::select! {
        biased;
        answer = asked => answer.ok(),
        () = after(ended) => None,
    }
}

async fn after(ended: &mut watch::Receiver<bool>) {
    let _ = ended.wait_for(|ended| *ended).await;
    tokio::time::sleep(LAST_WORDS).await;
}
