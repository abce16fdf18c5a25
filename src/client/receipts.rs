//! `receipts`, and the same after every other verb: is what we were answered in the log, and does the log go on from what we saw before?
//!
//! For: noticing from outside that an entry was altered or removed, or that the log was rolled back or forked (rule F2): each waiting entry's
//! receipt is verified (C2SP tlog-proof), and each signed head is held against the kept one by a consistency proof out of the log's own tiles.
//! What does not go together ends with an exit code of its own, and both heads are kept. Only with `log_key` in the profile: without the
//! log's key there is nothing to verify with. With `log_policy` too a receipt proves nothing before the quorum of that policy has cosigned its head:
//! until then the entry waits. Leaves to others: files (`receipt_folder`), the mathematics (`contactpoint_audit`).
//! Does not promise: that others are shown the same log; witnesses compare what several see.

use crate::api::{self, Api};
use crate::arguments::Place;
use crate::clock::now;
use crate::error::ClientError;
use crate::log_growth::{goes_on, text};
use crate::profile::{ProfileError, Watch};
use crate::receipt_folder::ReceiptFolder;
use crate::terminal::{complain, say, say_json};
use contactpoint_audit::{Checkpoint, Fault, LogPolicy, Logged, Receipt};
use serde_json::json;
use std::time::Duration;

/// How often the verb asks again for what no head covers yet; a head is signed each second.
const PATIENCE: u32 = 15;

/// Receipts that are fetched beside another verb; the rest waits for the next one, unless it has waited for too long.
const BESIDE: usize = 16;

/// How many seconds a receipt may take before the user is told of it. A head is signed each second, and a quorum of witnesses takes minutes.
const PATIENT_FOR: u64 = 3600;

/// The verb: fetches the receipts of all that waits, and waits for it.
pub(crate) async fn receipts(place: &Place) -> Result<(), ClientError> {
    let profile = api::profile(place)?;
    let watch = profile.watch.as_ref().ok_or(ProfileError::NoLogKey)?;
    let checked = receipts_of(place, watch).await;
    // also where the directory did not answer; and not of what its answer has just proved
    tell_overdue(overdue(watch));
    match checked {
        Err(noticed @ (ClientError::Log { .. } | ClientError::Verification(_))) => Err(noticed),
        // also where the directory does not answer
        other => say_again(watch).and(other),
    }
}

async fn receipts_of(place: &Place, watch: &Watch) -> Result<(), ClientError> {
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
    let (waiting, overdue) = (watch.folder.waiting().len(), overdue(watch));
    if place.json {
        say_json(&json!({"verified": verified, "waiting": waiting, "overdue": overdue, "size": size, "continues": before}));
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
    let Some(watch) = profile.watch.as_ref() else { return Ok(()) };
    let checked = if watch.folder.waiting().is_empty() { Ok(()) } else { beside(place, watch).await };
    // also where it does not answer, or answers with an old head each time: that is how an entry would be kept from being missed
    tell_overdue(overdue(watch));
    told_of_files(checked)?;
    told_of_files(say_again(watch))
}

/// What was noticed; a folder that cannot be used is told, and whatever else went wrong is tried again next time.
fn told_of_files(checked: Result<(), ClientError>) -> Result<(), ClientError> {
    match checked {
        Err(error @ (ClientError::Log { .. } | ClientError::Verification(_))) => Err(error),
        Err(error @ ClientError::File { .. }) => {
            complain(&format!("receipts are not checked: {error}"));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What was refused once is said as long as the evidence lies there, whatever the log shows by now: a log that was forked for an hour was forked.
fn say_again(watch: &Watch) -> Result<(), ClientError> {
    let what = || "it was refused before, and the evidence lies there still".to_owned();
    watch.folder.evidence()?.map_or(Ok(()), |evidence| Err(ClientError::Log { what: what(), evidence }))
}

fn overdue(watch: &Watch) -> usize {
    watch.folder.waiting_since(now().saturating_sub(PATIENT_FOR))
}

fn tell_overdue(entries: usize) {
    if entries > 0 {
        complain(&format!(
            "{entries} answers have waited for their receipts for more than an hour. Nobody has shown that they are in the log: tell the accreditor."
        ));
    }
}

async fn beside(place: &Place, watch: &Watch) -> Result<(), ClientError> {
    let mut checker = Checker::begun(Api::without_session(place)?, watch)?;
    let size = checker.look_at_head().await?;
    checker.verify_covered(size, BESIDE.max(overdue(watch))).await.map(drop)
}

struct Checker<'a> {
    api: Api,
    watch: &'a Watch,
    /// The newest head that was found to go on from those before it, as it was kept when we last read it. Read before anything is asked: what
    /// another command keeps meanwhile may be newer than what we are shown.
    kept: Option<Checkpoint>,
}

fn kept(watch: &Watch) -> Result<Option<Checkpoint>, ClientError> {
    let kept = watch.folder.kept()?.map(|note| Checkpoint::open(&note, &watch.key)).transpose();
    kept.map_err(|fault| ClientError::Verification(format!("the checkpoint kept beside the profile: {fault}")))
}

impl<'a> Checker<'a> {
    fn begun(api: Api, watch: &'a Watch) -> Result<Self, ClientError> {
        Ok(Self { api, watch, kept: kept(watch)? })
    }

    /// Asks for the newest head and follows it; its size.
    async fn look_at_head(&mut self) -> Result<u64, ClientError> {
        let note = text(&mut self.api, "/log/checkpoint").await?;
        let head = Checkpoint::open(&note, &self.watch.key);
        let head = head.map_err(|fault| ClientError::Verification(format!("the checkpoint shown now: {fault}")))?;
        self.follow(head, &note).await
    }

    /// Verifies the receipts of waiting entries below a head's size, at most so many; how many are proved. With a policy only those that are
    /// below a head with the quorum are asked for, and the others wait.
    async fn verify_covered(&mut self, size: u64, most: usize) -> Result<usize, ClientError> {
        let size = match &self.watch.policy {
            Some(policy) => self.look_at_cosigned(policy).await?.min(size),
            None => size,
        };
        let waiting: Vec<Logged> = self.watch.folder.waiting().into_iter().filter(|entry| entry.index < size).take(most).collect();
        let mut proved = 0;
        for entry in &waiting {
            if self.verify(entry).await? {
                self.watch.folder.proved(entry)?;
                proved += 1;
            }
        }
        Ok(proved)
    }

    /// Asks for the newest head that has the quorum, and holds it against what was seen; its size, 0 where there is none that our policy accepts.
    async fn look_at_cosigned(&mut self, policy: &LogPolicy) -> Result<u64, ClientError> {
        let note = match text(&mut self.api, "/log/checkpoint/cosigned").await {
            // none yet, or a directory that asks no witnesses
            Err(ClientError::Refused(problem)) if problem.status == 404 => return Ok(0),
            other => other?,
        };
        match policy.accept(&note, Some(&self.watch.key)) {
            Ok(accepted) => self.stands_with(accepted.checkpoint, &note).await,
            // it has the quorum of the directory's policy, and ours asks for more
            Err(Fault::QuorumNotMet { .. }) => Ok(0),
            Err(fault) => Err(ClientError::Verification(format!("the cosigned checkpoint shown now: {fault}"))),
        }
    }

    /// Whether the entry's receipt proves it; one that waits for witnesses does not yet.
    async fn verify(&mut self, entry: &Logged) -> Result<bool, ClientError> {
        let name = ReceiptFolder::name_of_entry(entry);
        let answer = format!("{} {}\n", entry.index, entry.leaf_text());
        let shown = match text(&mut self.api, &format!("/log/receipt/{}", entry.index)).await {
            // a signed head covers it, or it would not have been asked for
            Err(ClientError::Refused(problem)) if problem.status == 404 => {
                let what = format!("entry {} is covered by a signed head, and its receipt is refused", entry.index);
                return Err(self.refused(&name, &[("answer", &answer)], what));
            }
            other => other?,
        };
        let verdict = Receipt::parse(&shown).and_then(|receipt| Ok((receipt.verify(entry, &self.watch.key)?, receipt.checkpoint)));
        let wrong = |what| self.refused(&name, &[("answer", &answer), ("receipt.tlog-proof", &shown)], what);
        let (head, note) = verdict.map_err(|fault| wrong(fault.to_string()))?;
        match self.watch.policy.as_ref().map(|policy| policy.accept(&note, Some(&self.watch.key))) {
            None | Some(Ok(_)) => self.stands_with(head, &note).await.map(|_| true),
            Some(Err(Fault::QuorumNotMet { .. })) => Ok(false),
            Some(Err(fault)) => Err(wrong(fault.to_string())),
        }
    }

    /// Holds the newest signed head against the kept one, which was shown before it was asked for: it is not smaller. Its size.
    async fn follow(&mut self, head: Checkpoint, note: &str) -> Result<u64, ClientError> {
        let may_follow = self.kept.as_ref().map_or(Ok(()), |before| head.may_follow(before));
        may_follow.map_err(|fault| self.refused(&ReceiptFolder::name_of_head(&head), &[("checkpoint", note)], fault.to_string()))?;
        self.stands_with(head, note).await
    }

    /// Holds a head against the kept one, from whichever side: one that witnesses have seen may be older than the newest, and is then a beginning
    /// of it. A newer one is kept. INVARIANT: it takes the place of no head but the one that it was held against: another command may have kept
    /// another meanwhile, and been shown another log. Its size.
    async fn stands_with(&mut self, head: Checkpoint, note: &str) -> Result<u64, ClientError> {
        loop {
            if let Some(kept) = self.kept.clone() {
                let checked = self.agree(&kept, &head).await?;
                checked.map_err(|why| self.refused(&ReceiptFolder::name_of_head(&head), &[("checkpoint", note)], why))?;
            }
            if self.kept.as_ref().is_some_and(|kept| kept.size >= head.size) || self.keep(&head, note)? {
                return Ok(head.size);
            }
        }
    }

    /// Whether the log of one of the two begins with that of the other; a sentence where it does not.
    async fn agree(&mut self, kept: &Checkpoint, head: &Checkpoint) -> Result<Result<(), String>, ClientError> {
        let is_older = head.origin == kept.origin && head.size < kept.size;
        let (before, now) = if is_older { (head, kept) } else { (kept, head) };
        match now.may_follow(before) {
            Err(fault) => Ok(Err(fault.to_string())),
            Ok(()) if now.size == before.size => Ok(Ok(())),
            Ok(()) => goes_on(&mut self.api, before, now).await,
        }
    }

    /// Keeps a head in the place of the one that it was held against. False where another is kept by now: that is then the one to hold it against,
    /// once the folder is let go of.
    fn keep(&mut self, head: &Checkpoint, note: &str) -> Result<bool, ClientError> {
        let _held = self.watch.folder.locked()?;
        let found = kept(self.watch)?;
        let is_checked = found == self.kept;
        if is_checked {
            self.watch.folder.keep(note)?;
        }
        self.kept = if is_checked { Some(head.clone()) } else { found };
        Ok(is_checked)
    }

    fn refused(&self, name: &str, files: &[(&str, &str)], what: String) -> ClientError {
        self.watch.folder.noticed(name, files, what)
    }
}
