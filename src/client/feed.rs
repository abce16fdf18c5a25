//! `feed`: an organisation's records go to the directory in chunks, over connections that may break (rule H5).
//!
//! For: cutting, sending, waiting where the directory asks for it, sending again under the same X-Request-ID what got no answer, going on
//! where the directory says it is. Leaves to others: what becomes of a record (the directory decides and counts), printing (`feed_report`).

use crate::api::{new_request_id, read, Api};
use crate::arguments::{Feed, Place};
use crate::error::ClientError;
use crate::feed_records::{Chunk, Records, Survey};
use crate::feed_report;
use bytes::Bytes;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::{json, Value};
use std::path::Path;
use std::time::Duration;

/// How often one chunk is sent where no answer comes; with the pauses, about half a minute.
const MOST_TRIES: u32 = 12;
/// How often one chunk waits because the directory asked for it.
const MOST_WAITS: u32 = 60;
/// How often the directory may name another record than the next in one run.
const MOST_REALIGNMENTS: u32 = 100;

#[derive(Deserialize)]
struct Opened {
    feed: u64,
    next_line: u64,
}

#[derive(Deserialize)]
struct Taken {
    next_line: u64,
}

/// Sends a file, or the rest of it, and prints the directory's report.
pub(crate) async fn feed(place: &Place, wanted: &Feed) -> Result<(), ClientError> {
    let survey = Survey::of(&wanted.file)?;
    let mut api = Api::in_session(place)?;
    let body = json!({"layout": wanted.layout, "digest": survey.digest, "header": survey.header});
    let opened: Opened = read(&api.post("/v1/feeds", &body).await?)?;
    let bar = progress(&survey, opened.next_line);
    let mut run = Run { api, feed: opened.feed, file: &wanted.file, bar };
    run.send_from(opened.next_line, &survey).await?;
    let report = run.finish(survey.records).await?;
    run.bar.finish_and_clear();
    feed_report::say_report(&report, survey.records - 1, place.json)
}

fn progress(survey: &Survey, next_line: u64) -> ProgressBar {
    let bar = ProgressBar::new(survey.records); // draws on standard error, and only where that is a terminal
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} records  {per_sec}  {eta}  {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_position(next_line.saturating_sub(1));
    if next_line > 2 {
        bar.println(format!("Going on at record {next_line}."));
    }
    bar
}

/// One run over one file.
struct Run<'a> {
    api: Api,
    feed: u64,
    file: &'a Path,
    bar: ProgressBar,
}

/// Where a pass over the file ended.
enum Pass {
    /// At the end of the file; what was read has this digest.
    Through(String),
    /// The directory waits for another record.
    GoOnAt(u64),
}

impl Run<'_> {
    async fn send_from(&mut self, first: u64, survey: &Survey) -> Result<(), ClientError> {
        let mut next = first;
        for _ in 0..MOST_REALIGNMENTS {
            match self.pass(next).await? {
                Pass::Through(digest) if digest == survey.digest => return Ok(()),
                Pass::Through(_) => return Err(self.fault("the file changed while it was sent")),
                Pass::GoOnAt(other) => next = other,
            }
        }
        Err(self.fault("the directory and the client do not agree where the feed stands"))
    }

    async fn pass(&mut self, first: u64) -> Result<Pass, ClientError> {
        let mut records = Records::open_at(self.file, first.max(2))?;
        while let Some(chunk) = records.chunk()? {
            let expected = chunk.first + chunk.records;
            let next = self.send(chunk).await?;
            self.bar.set_position(next.saturating_sub(1));
            if next != expected {
                return Ok(Pass::GoOnAt(next));
            }
        }
        Ok(Pass::Through(records.digest()))
    }

    /// Sends a chunk until there is an answer; the record that the directory waits for next.
    async fn send(&mut self, chunk: Chunk) -> Result<u64, ClientError> {
        let path = format!("/v1/feeds/{}/lines?first_line={}", self.feed, chunk.first);
        let request_id = new_request_id()?;
        let bytes = Bytes::from(chunk.bytes);
        let mut patience = Patience::default();
        loop {
            match self.api.post_records(&path, &request_id, bytes.clone()).await {
                Ok(answer) => return Ok(read::<Taken>(&answer)?.next_line),
                Err(ClientError::Refused(problem)) if problem.code == "feed_out_of_step" && problem.next_line.is_some() => {
                    return Ok(problem.next_line.unwrap_or_default());
                }
                Err(error) => self.wait(patience.pause_after(error)?).await,
            }
        }
    }

    async fn finish(&mut self, records: u64) -> Result<Value, ClientError> {
        let path = format!("/v1/feeds/{}/finish", self.feed);
        let mut patience = Patience::default();
        loop {
            match self.api.post(&path, &json!({"lines": records})).await {
                Ok(report) => return Ok(report),
                Err(error) => self.wait(patience.pause_after(error)?).await,
            }
        }
    }

    async fn wait(&self, pause: Duration) {
        self.bar.set_message(format!("waiting {:.1} s", pause.as_secs_f32()));
        tokio::time::sleep(pause).await;
        self.bar.set_message("");
    }

    fn fault(&self, why: &'static str) -> ClientError {
        ClientError::FeedFile { path: self.file.to_owned(), why }
    }
}

/// How often one request was sent in vain.
#[derive(Default)]
struct Patience {
    tries: u32,
    waits: u32,
}

impl Patience {
    /// How long to wait before the same request is sent again; the error itself where that would not help or was tried enough.
    fn pause_after(&mut self, error: ClientError) -> Result<Duration, ClientError> {
        if may_find_an_answer(&error) && self.tries + 1 < MOST_TRIES {
            self.tries += 1;
            return Ok(Duration::from_millis(50 << self.tries.min(7)));
        }
        match asked_to_wait(&error) {
            Some(pause) if self.waits + 1 < MOST_WAITS => {
                self.waits += 1;
                Ok(pause)
            }
            _ => Err(error),
        }
    }
}

fn may_find_an_answer(error: &ClientError) -> bool {
    matches!(error, ClientError::Connection(cause) if cause.is_passing())
}

fn asked_to_wait(error: &ClientError) -> Option<Duration> {
    if let ClientError::Refused(problem) = error {
        return problem.is_passing().then(|| problem.pause());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::ConnectionError;
    use crate::problem::Problem;

    fn refused(status: u16, retry_after: Option<u64>) -> ClientError {
        ClientError::Refused(Problem { title: String::new(), code: String::new(), status, retry_after, next_line: None })
    }

    #[test]
    fn the_directorys_wish_to_wait_is_honoured() {
        let mut patience = Patience::default();
        assert_eq!(patience.pause_after(refused(429, Some(3))).unwrap(), Duration::from_secs(3));
        assert_eq!(patience.pause_after(refused(503, None)).unwrap(), Duration::from_secs(1));
        assert!(patience.pause_after(refused(403, Some(3))).is_err());
    }

    #[test]
    fn a_lost_connection_is_tried_again_but_not_for_ever() {
        // H5: a load that is cut off resumes
        let mut patience = Patience::default();
        let mut lost = || patience.pause_after(ClientError::Connection(ConnectionError::Lost(String::new())));
        let pauses = std::iter::from_fn(|| lost().ok()).count();
        assert_eq!(pauses as u32, MOST_TRIES - 1);
    }

    #[test]
    fn a_refused_certificate_is_not_tried_again() {
        let refused = ClientError::Connection(ConnectionError::TlsRefused(String::new()));
        assert!(Patience::default().pause_after(refused).is_err());
    }
}
