//! The feed of the roll in small pieces, with what was acknowledged of it, and its resumption after each end of the daemon.

use crate::load::{answered, Acknowledged, Countdown};
use crate::roll::{Counts, Roll, HEADER};
use crate::world::Session;
use rand::rngs::StdRng;
use rand::Rng;
use serde_json::{json, Value};
use std::sync::Arc;
use tokio::sync::watch;

/// Records of one piece, at most: so few that a run has many, so many that a commit takes its time.
const LARGEST_PIECE: usize = 120;

/// Where the feed stands, as far as its client knows.
pub(crate) struct Feeder {
    roll: Arc<Roll>,
    feed: u64,
    /// The record to be sent next by the last acknowledgement; the header is 1.
    pub(crate) next_line: usize,
    /// Records that were sent and not acknowledged.
    in_flight: usize,
    /// Where the last acknowledged piece began.
    last_piece: usize,
}

impl Feeder {
    /// Begins the feed.
    pub(crate) async fn begun(roll: Arc<Roll>, session: &mut Session) -> Self {
        let mut feeder = Self { roll, feed: 0, next_line: 2, in_flight: 0, last_piece: 2 };
        feeder.feed = feeder.open(session).await["feed"].as_u64().expect("a feed's number");
        feeder
    }

    async fn open(&self, session: &mut Session) -> Value {
        let body = json!({"layout": "school-roll", "digest": self.roll.digest(), "header": HEADER});
        session.post("/v1/feeds", &body).await.expect("an answer").expect_status(200).json()
    }

    /// Sends so many records and sees them acknowledged.
    pub(crate) async fn feed_some(&mut self, session: &mut Session, records: usize) {
        let answer = session.post_records(&self.path(), self.piece(records)).await.expect("an answer").expect_status(200);
        self.acknowledge(&answer.json(), records);
    }

    /// Sends piece after piece until the daemon is gone or nothing is left.
    pub(crate) async fn feed_on(
        mut self,
        mut session: Session,
        mut random: StdRng,
        countdown: Arc<Countdown>,
        mut ended: watch::Receiver<bool>,
    ) -> Self {
        while !self.is_through() {
            let records = random.random_range(1..=LARGEST_PIECE).min(self.roll.lines.len() + 2 - self.next_line);
            self.in_flight = records;
            let (path, piece) = (self.path(), self.piece(records));
            let Some(answer) = answered(session.post_records(&path, piece), &mut ended).await else { return self };
            if countdown.ends_with(&answer) {
                return self;
            }
            countdown.hears(Acknowledged::Piece);
            self.acknowledge(&answer.expect_status(200).json(), records);
        }
        self
    }

    /// Waits until somebody else has fed more of the file than this one knows of.
    pub(crate) async fn comes_on(&self, session: &mut Session) {
        while count(&session.fetch(&format!("/v1/feeds/{}", self.feed)).await.json(), "next_line") as usize <= self.next_line {}
    }

    /// True where every line was acknowledged.
    pub(crate) fn is_through(&self) -> bool {
        self.next_line == self.roll.lines.len() + 2
    }

    /// The lines of the last acknowledged piece, by index in the roll.
    pub(crate) fn last_piece(&self) -> std::ops::Range<usize> {
        self.last_piece - 2..self.next_line - 2
    }

    fn path(&self) -> String {
        format!("/v1/feeds/{}/lines?first_line={}", self.feed, self.next_line)
    }

    fn piece(&self, records: usize) -> String {
        let from = self.next_line - 2;
        self.roll.lines[from..from + records].iter().flat_map(|line| [line.text.as_str(), "\n"]).collect()
    }

    /// Holds an acknowledgement against the truth.
    fn acknowledge(&mut self, answer: &Value, records: usize) {
        let (from, to) = (self.next_line, self.next_line + records);
        assert_eq!(answer["next_line"], to);
        let (before, after) = (self.roll.truth_before(from), self.roll.truth_before(to));
        let rejected = answer["rejected"].as_array().map_or(0, |lines| lines.len() as u64);
        let told = [count(answer, "created"), count(answer, "joined"), count(answer, "unchanged"), rejected];
        let truth: Counts = std::array::from_fn(|at| after[at] - before[at]);
        assert_eq!(told, truth, "records {from} to {to}");
        (self.last_piece, self.next_line, self.in_flight) = (from, to, 0);
    }

    /// After a restart: the same file is the same feed; it stands where it was acknowledged, or behind the piece that got no answer; and
    /// what it says of every line up to there is the truth.
    pub(crate) async fn resume(&mut self, session: &mut Session) {
        let (acknowledged, sent) = (self.next_line, self.next_line + self.in_flight);
        let opened = self.open(session).await;
        assert_eq!(opened["feed"], self.feed);
        let next_line = count(&opened, "next_line") as usize;
        assert!([acknowledged, sent].contains(&next_line), "acknowledged {acknowledged}, sent {sent}, stands at {next_line}");
        let report = session.fetch(&format!("/v1/feeds/{}", self.feed)).await.json();
        assert_eq!(counts(&report), self.roll.truth_before(next_line), "up to record {next_line}");
        if next_line != acknowledged {
            self.last_piece = acknowledged;
        }
        (self.next_line, self.in_flight) = (next_line, 0);
    }
}

/// Created, joined, unchanged and rejected, of a report.
pub(crate) fn counts(report: &Value) -> Counts {
    ["created", "joined", "unchanged", "rejected_count"].map(|key| count(report, key))
}

fn count(answer: &Value, key: &str) -> u64 {
    answer[key].as_u64().unwrap_or_else(|| panic!("a count of {key}"))
}
