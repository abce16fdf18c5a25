//! Sixty-four people who look up children, and one who feeds, until the daemon is gone.
//!
//! Moments are told in progress, not in seconds: so many pieces of the feed acknowledged, then so many looks. Leaves to others: ending the
//! daemon, and what must be true afterwards.

use crate::feeder::Feeder;
use crate::ledger::{look, Look};
use crate::world::{Session, Sessions, World};
use contactpoint_client::ConnectionError;
use contactpoint_support::Answer;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;
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
    pub(crate) pieces: u32,
    pub(crate) looks: u32,
}

impl Moment {
    pub(crate) fn at_random(random: &mut StdRng) -> Self {
        Self { pieces: random.random_range(0..6), looks: random.random_range(1..200) }
    }
}

/// Everybody at work.
pub(crate) struct Load {
    lookers: JoinSet<Vec<Look>>,
    feeder: tokio::task::JoinHandle<Feeder>,
    told: UnboundedReceiver<Acknowledged>,
    end: watch::Sender<bool>,
}

impl Load {
    /// Puts everybody to work: looks at these children, and the feed from where it stands.
    pub(crate) fn begun(world: &World, sessions: &Sessions, known: &Arc<Vec<String>>, feeder: Feeder, random: &mut StdRng) -> Self {
        let (tell, told) = unbounded_channel();
        let (end, ended) = watch::channel(false);
        let mut lookers = JoinSet::new();
        for _ in 0..LOOKERS {
            let session = world.beside(&sessions.practitioner, &world.school);
            let random = StdRng::seed_from_u64(random.random());
            lookers.spawn(look_on(session, Arc::clone(known), random, tell.clone(), ended.clone()));
        }
        let (session, random) = (world.beside(&sessions.steward, &world.school), StdRng::seed_from_u64(random.random()));
        let feeder = tokio::spawn(feeder.feed_on(session, random, tell, ended));
        Self { lookers, feeder, told, end }
    }

    /// Waits until so much has been acknowledged.
    pub(crate) async fn reaches(&mut self, moment: Moment) {
        self.hears(Acknowledged::Piece, moment.pieces).await;
        self.hears(Acknowledged::Look, moment.looks).await;
    }

    async fn hears(&mut self, what: Acknowledged, mut times: u32) {
        while times > 0 {
            let heard = self.told.recv().await.expect("everybody works until the daemon ends");
            times -= u32::from(heard == what);
        }
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
    tell: UnboundedSender<Acknowledged>,
    mut ended: watch::Receiver<bool>,
) -> Vec<Look> {
    let mut looks = Vec::new();
    loop {
        let child = &known[random.random_range(0..known.len())];
        let asked = json!({"child_number": child, "reason": "coordination"});
        let person = session.person;
        let Some(answer) = answered(session.post("/v1/children/view", &asked), &mut ended).await else { return looks };
        looks.push(look(&answer, child, "view", person));
        let _ = tell.send(Acknowledged::Look);
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
