//! Power cuts, full disks, disks that fail, disks that were set back or overwritten, keys of records that are moved. The real daemon is killed in the middle of a feed and of 64 look-ups, twenty
//! times at random moments, and stopped kindly.
//!
//! For: what the directory promises by an answer (rules F1, F2, F3, H5) holds whenever the process ends. Real SoftHSM, SQLCipher, TLS and
//! systemd's way of holding the sockets. Moments are random by a seed that is printed; CONTACTPOINT_SEED runs the same again. Does not
//! promise: anything about the machine's own power, since a killed process leaves its page cache to the kernel.

#![expect(clippy::expect_used, clippy::panic, reason = "a part of the test that fails fails the test")]

mod faulty;
mod feeder;
mod full;
mod judge;
mod ledger;
mod load;
mod overwritten;
mod rekeyed;
mod roll;
mod set_back;
mod stopped;
mod world;

use contactpoint_audit::Checkpoint;
use feeder::{counts, Feeder};
use judge::{children_are_on_record, every_answer_is_listed, some_of, LogCopy};
use ledger::{search, Ledger};
use load::{Countdown, Load, Moment, LOOKERS};
use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::seq::index::sample;
use rand::{Rng, SeedableRng};
use roll::{Roll, KNOWN};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use stopped::Stopped;
use world::{Sessions, World};

const KILLS: usize = 20;
const STOPS: usize = 3;
/// More than twenty runs get through.
const LINES: usize = 12_000;
/// Children who are searched for at the end.
const SAMPLE: usize = 1_500;

/// A number that makes a run what it is: from CONTACTPOINT_SEED, or new.
fn seeded() -> StdRng {
    let asked = std::env::var("CONTACTPOINT_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = asked.unwrap_or_else(|| rand::rng().random());
    println!("CONTACTPOINT_SEED={seed} makes the same moments again");
    StdRng::seed_from_u64(seed)
}

/// What goes through all runs.
struct Trial {
    world: World,
    random: StdRng,
    roll: Arc<Roll>,
    /// Children on record from the start, who are looked at while the others are fed.
    known: Arc<Vec<String>>,
    ledger: Ledger,
    log: LogCopy,
    /// Looks in the log whose answers were cut off.
    unanswered: usize,
}

impl Trial {
    /// The appliance is up, the first lines are fed, and each of their children has been found once.
    async fn begun(lines: usize) -> (Self, Sessions, Feeder) {
        let mut random = seeded();
        let mut world = World::started().await;
        let roll = Arc::new(Roll::made_up(lines, &mut random));
        let mut sessions = world.log_in().await;
        let mut feeder = Feeder::begun(Arc::clone(&roll), &mut sessions.steward).await;
        feeder.feed_some(&mut sessions.steward, KNOWN).await;
        let (mut ledger, mut known) = (Ledger::default(), Vec::new());
        for pupil in &roll.pupils[..KNOWN] {
            let found = search(&mut sessions.practitioner, pupil).await;
            known.push(found.child.clone());
            ledger.keep(found);
        }
        let log = LogCopy::in_folder(world.rig.folder());
        (Self { world, random, roll, known: Arc::new(known), ledger, log, unanswered: 0 }, sessions, feeder)
    }

    /// Everybody works until the moment, when the daemon gets the signal; `end` waits for its end.
    async fn interrupted(&mut self, sessions: &Sessions, feeder: Feeder, signal: Signal, end: impl FnOnce(&mut World)) -> Feeder {
        let moment = Moment::at_random(&mut self.random);
        let countdown = Countdown::to(moment, &self.world, signal);
        let load = Load::begun(&self.world, sessions, &self.known, feeder, countdown, &mut self.random);
        load.is_interrupted().await;
        end(&mut self.world);
        let (looks, feeder) = load.ended().await;
        assert!(!feeder.is_through(), "the feed was still under way");
        println!("{signal} after {moment:?}: {} looks answered, the feed acknowledged up to record {}", looks.len(), feeder.next_line);
        looks.into_iter().for_each(|look| self.ledger.keep(look));
        feeder
    }

    /// What must be true after every restart.
    async fn judged(&mut self, sessions: &mut Sessions, feeder: &mut Feeder) {
        let (acknowledged, newest) = (feeder.next_line - 2, self.ledger.newest());
        self.log.verifies(&self.world, &mut sessions.reviewer, newest).await;
        let mut lines: Vec<usize> = feeder.last_piece().collect();
        feeder.resume(&mut sessions.steward).await;
        lines.extend(some_of(acknowledged, &mut self.random));
        children_are_on_record(&mut sessions.practitioner, &mut self.ledger, &self.roll, &lines).await;
        self.unanswered = every_answer_is_listed(&mut sessions.reviewer, &mut self.ledger, &self.known).await;
    }

    /// The rest of the roll, by the client that organisations use; it is cut off as well, and run again.
    async fn fed_to_the_end(&mut self, sessions: &mut Sessions, feeder: &Feeder) {
        let file = self.world.rig.folder().join("roll.csv");
        std::fs::write(&file, self.roll.text()).expect("a file of our own");
        let feed = ["feed", "--layout", "school-roll", file.to_str().expect("a file's name")];
        self.world.client_logs_in().await;
        let client = self.world.client_begun(&feed);
        feeder.comes_on(&mut sessions.steward).await;
        self.world.rig.kill();
        self.world.rig.start();
        let cut_off = client.wait_with_output().expect("contactpoint ends");
        assert_eq!(cut_off.status.code(), Some(1), "its session is gone: {}", String::from_utf8_lossy(&cut_off.stderr));
        self.world.client_logs_in().await;
        self.is_the_truth(&serde_json::from_slice(&self.world.client(&feed).stdout).expect("a report in JSON"));
        *sessions = self.world.log_in().await;
    }

    /// The report of the whole roll: every line has become what it must, and each refused one is there by number and reason.
    fn is_the_truth(&self, report: &Value) {
        assert_eq!((&report["complete"], counts(report)), (&Value::Bool(true), self.roll.truth_before(self.roll.lines.len() + 2)));
        assert_eq!(counts(report).iter().sum::<u64>(), self.roll.lines.len() as u64);
        let refused = report["rejected"].as_array().expect("refused lines").iter();
        let refused: Vec<(u64, &str)> =
            refused.map(|line| (line["line"].as_u64().unwrap_or(0), line["reason"].as_str().unwrap_or(""))).collect();
        assert_eq!(refused, self.roll.refusals());
    }

    /// Each child is one record, and no record is two children: by as many of them as are searched for. That there are no others, the
    /// report has said.
    async fn every_child_is_one_record(&mut self, sessions: &mut Sessions) {
        let mut numbers = BTreeSet::new();
        for at in sample(&mut self.random, self.roll.pupils.len(), SAMPLE) {
            let found = search(&mut sessions.practitioner, &self.roll.pupils[at]).await;
            numbers.insert(found.child.clone());
            self.ledger.keep(found);
        }
        assert_eq!(numbers.len(), SAMPLE);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_answered_before_a_kill_is_there_after_it() {
    // F1: every access is written durably before any answer leaves; F2: anyone can verify that nothing was removed;
    // H5: a load that is cut off resumes; a record sent twice is one record
    let (mut trial, mut sessions, mut feeder) = Trial::begun(LINES).await;
    for kill in 1..=KILLS {
        feeder = trial.interrupted(&sessions, feeder, Signal::SIGKILL, |world| world.rig.kill()).await;
        trial.world.rig.start();
        trial.world.ended_with_the_process(&sessions).await;
        sessions = trial.world.log_in().await;
        trial.judged(&mut sessions, &mut feeder).await;
        assert!(trial.unanswered <= kill * LOOKERS, "each kill cuts off at most one answer of each");
    }
    trial.fed_to_the_end(&mut sessions, &feeder).await;
    trial.every_child_is_one_record(&mut sessions).await;
    let children = trial.ledger.children();
    let newest = trial.ledger.newest();
    trial.unanswered = every_answer_is_listed(&mut sessions.reviewer, &mut trial.ledger, &children).await;
    trial.log.verifies(&trial.world, &mut sessions.reviewer, newest).await;
    println!("{} answers, all in the log; {} more looks there, cut off unanswered", trial.ledger.answers(), trial.unanswered);
    assert!(trial.world.rig.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_orderly_stop_answers_what_it_took_and_signs_every_entry() {
    // F1: nothing is answered without its entry, and here nothing is entered without its answer; F2: the last signed head covers all
    let (mut trial, mut sessions, mut feeder) = Trial::begun(6000).await;
    for _ in 0..STOPS {
        let mut ending = None;
        feeder = trial.interrupted(&sessions, feeder, Signal::SIGTERM, |world| ending = Some(world.rig.stop())).await;
        assert!(ending.is_some_and(|status| status.success()));
        let stopped = Stopped::read(&trial.world.rig);
        let head = Checkpoint::open(&stopped.checkpoint, &trial.world.rig.verifier_key).expect("a signed checkpoint");
        assert_eq!(head.size, stopped.entries, "the last head covers every entry");
        assert!(head.size > trial.ledger.newest());
        trial.world.rig.start();
        sessions = trial.world.log_in().await;
        trial.judged(&mut sessions, &mut feeder).await;
        assert_eq!(trial.unanswered, 0, "every look that was taken was answered");
    }
}
