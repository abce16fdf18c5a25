//! `receipts`, and the same after every other verb: is what we were answered in the log, and does the log go on from what we saw before?
//!
//! For: noticing from outside that an entry was altered or removed, or that the log was rolled back or forked (rule F2): each waiting entry's
//! receipt is verified (C2SP tlog-proof), and each signed head is held against the kept one by a consistency proof out of the log's own tiles.
//! What does not go together ends with an exit code of its own, and both heads are kept. Only with `log_key` in the profile: without the
//! log's key there is nothing to verify with. Leaves to others: files (`receipt_folder`), the mathematics (`contactpoint_audit`).
//! Does not promise: that others are shown the same log; witnesses compare what several see.

use crate::api::{self, Api};
use crate::arguments::Place;
use crate::error::ClientError;
use crate::profile::{ProfileError, Watch};
use crate::receipt_folder::ReceiptFolder;
use crate::terminal::{complain, say, say_json};
use contactpoint_audit::{verify_consistency, Checkpoint, Fault, Hash, Logged, Proving, Receipt};
use serde_json::json;
use std::time::Duration;

/// How often the verb asks again for what no head covers yet; a head is signed each second.
const PATIENCE: u32 = 15;

/// Receipts that are fetched beside another verb; the rest waits for the next one.
const BESIDE: usize = 16;

/// The verb: fetches the receipts of all that waits, and waits for it.
pub(crate) async fn receipts(place: &Place) -> Result<(), ClientError> {
    let profile = api::profile(place)?;
    let watch = profile.watch.as_ref().ok_or(ProfileError::NoLogKey)?;
    let mut checker = Checker::begun(Api::without_session(place)?, watch)?;
    let before = checker.kept.as_ref().map(|kept| kept.size);
    let mut size = checker.look_at_head().await?;
    let mut verified = checker.verify_covered(size, usize::MAX).await?;
    for _ in 0..PATIENCE {
        if watch.folder.waiting().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        size = checker.look_at_head().await?;
        verified += checker.verify_covered(size, usize::MAX).await?;
    }
    let waiting = watch.folder.waiting().len();
    if place.json {
        say_json(&json!({"verified": verified, "waiting": waiting, "size": size, "continues": before}));
        return Ok(());
    }
    say(&format!("{verified} receipts verified, {waiting} not covered yet. The log has {size} entries."));
    if let Some(before) = before {
        say(&format!("The log that you saw before ({before} entries) is a beginning of it."));
    }
    Ok(())
}

/// After another verb: what waited is checked as far as it is covered. A directory that does not answer now is asked next time.
pub(crate) async fn check_beside(place: &Place) -> Result<(), ClientError> {
    let Ok(profile) = api::profile(place) else { return Ok(()) };
    let Some(watch) = profile.watch.as_ref().filter(|watch| !watch.folder.waiting().is_empty()) else { return Ok(()) };
    match beside(place, watch).await {
        Err(error @ (ClientError::Log { .. } | ClientError::Verification(_))) => Err(error),
        Err(error @ ClientError::File { .. }) => {
            complain(&format!("receipts are not checked: {error}"));
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn beside(place: &Place, watch: &Watch) -> Result<(), ClientError> {
    let mut checker = Checker::begun(Api::without_session(place)?, watch)?;
    let size = checker.look_at_head().await?;
    checker.verify_covered(size, BESIDE).await.map(drop)
}

struct Checker<'a> {
    api: Api,
    watch: &'a Watch,
    /// The newest head that was found to go on from those before it. Read before anything is asked: what another command keeps meanwhile
    /// may be newer than what we are shown.
    kept: Option<Checkpoint>,
}

impl<'a> Checker<'a> {
    fn begun(api: Api, watch: &'a Watch) -> Result<Self, ClientError> {
        let kept = watch.folder.kept()?.map(|note| Checkpoint::open(&note, &watch.key)).transpose();
        let kept = kept.map_err(|fault| ClientError::Verification(format!("the checkpoint kept beside the profile: {fault}")))?;
        Ok(Self { api, watch, kept })
    }

    /// Asks for the newest head and follows it; its size.
    async fn look_at_head(&mut self) -> Result<u64, ClientError> {
        let note = self.text("/log/checkpoint").await?;
        let head = Checkpoint::open(&note, &self.watch.key);
        let head = head.map_err(|fault| ClientError::Verification(format!("the checkpoint shown now: {fault}")))?;
        self.follow(head, &note).await
    }

    /// Verifies the receipts of waiting entries below a head's size, at most so many; how many.
    async fn verify_covered(&mut self, size: u64, most: usize) -> Result<usize, ClientError> {
        let waiting: Vec<Logged> = self.watch.folder.waiting().into_iter().filter(|entry| entry.index < size).take(most).collect();
        for entry in &waiting {
            self.verify(entry).await?;
            self.watch.folder.proved(entry)?;
        }
        Ok(waiting.len())
    }

    async fn verify(&mut self, entry: &Logged) -> Result<(), ClientError> {
        let name = ReceiptFolder::name_of_entry(entry);
        let answer = format!("{} {}\n", entry.index, entry.leaf_text());
        let text = match self.text(&format!("/log/receipt/{}", entry.index)).await {
            // a signed head covers it, or it would not have been asked for
            Err(ClientError::Refused(problem)) if problem.status == 404 => {
                let what = format!("entry {} is covered by a signed head, and its receipt is refused", entry.index);
                return Err(self.refused(&name, &[("answer", &answer)], what));
            }
            other => other?,
        };
        let verdict = Receipt::parse(&text).and_then(|receipt| Ok((receipt.verify(entry, &self.watch.key)?, receipt.checkpoint)));
        match verdict {
            Ok((head, note)) => self.follow(head, &note).await.map(drop),
            Err(fault) => Err(self.refused(&name, &[("answer", &answer), ("receipt.tlog-proof", &text)], fault.to_string())),
        }
    }

    /// Holds a signed head against the kept one, and keeps it where it goes on from that; its size.
    async fn follow(&mut self, head: Checkpoint, note: &str) -> Result<u64, ClientError> {
        if let Some(before) = self.kept.clone() {
            let (name, evidence) = (ReceiptFolder::name_of_head(&head), [("checkpoint", note)]);
            head.may_follow(&before).map_err(|fault| self.refused(&name, &evidence, fault.to_string()))?;
            if head.size > before.size {
                let goes_on = self.goes_on(&before, &head).await?;
                goes_on.map_err(|why| self.refused(&name, &evidence, why))?;
            }
        }
        let size = head.size;
        if self.kept.as_ref().is_none_or(|kept| kept.size < size) {
            // another command may have kept a newer one meanwhile
            let newer = self.watch.folder.kept()?.and_then(|note| Checkpoint::open(&note, &self.watch.key).ok());
            if newer.is_none_or(|newer| newer.size < size) {
                self.watch.folder.keep(note)?;
            }
            self.kept = Some(head);
        }
        Ok(size)
    }

    /// Whether the log of a larger head begins with that of the one before: a proof out of the tiles that it takes (C2SP tlog-tiles).
    async fn goes_on(&mut self, before: &Checkpoint, now: &Checkpoint) -> Result<Result<(), String>, ClientError> {
        // every log begins with the empty one
        let Some(proving) = Proving::consistency(before.size, now.size) else { return Ok(Ok(())) };
        let mut tiles = Vec::new();
        for tile in proving.tiles() {
            let bytes = match self.api.get_bytes(&format!("/log/{}", tile.path())).await {
                Err(ClientError::Refused(problem)) if problem.status == 404 => {
                    return Ok(Err(format!("{} of a signed head is refused", tile.path())));
                }
                other => other?.into_body(),
            };
            let hashes: Vec<Hash> = bytes.as_chunks().0.to_vec();
            tiles.push((tile, hashes));
        }
        let proof = proving.proof(&tiles).unwrap_or_default();
        let verdict = verify_consistency(before.size, &before.root, now.size, &now.root, &proof);
        let what = |fault| format!("the log shown before ({} entries) is not a beginning of this one ({}): {fault}", before.size, now.size);
        Ok(verdict.map_err(what))
    }

    async fn text(&mut self, path: &str) -> Result<String, ClientError> {
        let bytes = self.api.get_bytes(path).await?.into_body();
        let not_text = |_| ClientError::AnswerNotUnderstood(Fault::Note { why: "it is UTF-8" }.to_string());
        String::from_utf8(bytes.to_vec()).map_err(not_text)
    }

    fn refused(&self, name: &str, files: &[(&str, &str)], what: String) -> ClientError {
        match self.watch.folder.refuse(name, files) {
            Ok(evidence) => ClientError::Log { what, evidence },
            Err(failed) => failed,
        }
    }
}
