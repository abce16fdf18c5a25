//! `witness`: a complete witness for a connecting organisation (rule F2; C2SP tlog-cosignature, and tlog-witness turned round: it comes to the log).
//!
//! For: one visit after another: what the log asks its witnesses to cosign, whether that goes on from the last head that this witness cosigned,
//! keeping it durably, and only then signing and bringing the line. What does not go on is evidence: it is kept, nothing is signed, and the
//! witness ends. Leaves to others: key, files and lock (`witness_folder`), the mathematics (`contactpoint_audit`). Does not promise: that the
//! entries are true, nor to have seen what others are shown; a policy asks several.

use crate::api::{self, Api};
use crate::arguments::{Place, RunWitness};
use crate::clock::now;
use crate::error::ClientError;
use crate::log_growth::{goes_on, text, utf8};
use crate::profile::ProfileError;
use crate::terminal::{complain, say, say_json};
use crate::witness_folder::WitnessFolder;
use contactpoint_audit::{Checkpoint, Fault, LogPolicy, SignedCheckpoint, VerifierKey};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// `witness init`
pub(crate) fn init(place: &Place, folder: &Path, name: &str) -> Result<(), ClientError> {
    let key = WitnessFolder::make(folder, name)?;
    if place.json {
        say_json(&json!({"name": key.name(), "verifier_key": key.to_string()}));
        return Ok(());
    }
    say(&key.to_string());
    Ok(())
}

/// `witness run`
pub(crate) async fn run(place: &Place, wanted: &RunWitness) -> Result<(), ClientError> {
    let profile = api::profile(place)?;
    let watch = profile.watch.as_ref().ok_or(ProfileError::NoLogKey)?;
    let (log, policy) = (&watch.key, watch.policy.as_ref());
    let folder = WitnessFolder::open(&wanted.folder)?;
    let mut api = Api::by(&profile, None)?;
    loop {
        let visited = Visit { api: &mut api, folder: &folder, log, policy }.cosign().await;
        match visited {
            Ok(head) => report(place, &head),
            Err(passing @ (ClientError::Connection(_) | ClientError::Refused(_))) if !wanted.once => {
                complain(&format!("contactpoint witness: {passing}; it is tried again"));
            }
            Err(failed) => return Err(failed),
        }
        if wanted.once {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(wanted.every)).await;
    }
}

fn report(place: &Place, head: &Checkpoint) {
    let (size, root) = (head.size, data_encoding::HEXLOWER.encode(&head.root));
    if place.json {
        say_json(&json!({"cosigned": size, "root": root}));
    } else {
        say(&format!("Cosigned: {}, {size} entries, root {root}.", head.origin));
    }
}

/// One visit to the log.
struct Visit<'a> {
    api: &'a mut Api,
    folder: &'a WitnessFolder,
    log: &'a VerifierKey,
    /// Whose quorum the log has to show before it may have no use for our line.
    policy: Option<&'a LogPolicy>,
}

impl Visit<'_> {
    /// Checks, keeps, signs, brings - in this order; the head.
    async fn cosign(&mut self) -> Result<Checkpoint, ClientError> {
        let note = text(self.api, "/log/checkpoint/asked").await?;
        let shown = self.signed_by_the_log(&note)?;
        let head = shown.checkpoint().clone();
        self.goes_on_from_the_last(&head, &note).await?;
        // INVARIANT: what is signed is kept first, so that nothing that contradicts it is ever signed, whenever this process ends. Kept anew also
        // where it is kept already: an earlier visit may have ended before the disk had it.
        self.folder.keep(&note)?;
        let line = shown.cosign(now(), self.folder.key()).map_err(|fault| ClientError::Request(fault.to_string()))?;
        // the others' lines stay there: with all of them a note may be longer than what the log takes
        let held = self.api.post_text("/log/cosignatures", shown.by_the_log_alone() + &line).await?.into_body();
        let held = utf8(&held)?;
        // a line under another head, an earlier one's that is shown again, says nothing of this one
        let ours = |held: SignedCheckpoint<'_>| match *held.checkpoint() == head {
            true => held.cosigned_at(self.folder.key().public()),
            false => Ok(None),
        };
        match SignedCheckpoint::open(&held, self.log).and_then(ours) {
            Ok(Some(_)) => Ok(head),
            Ok(None) if self.is_overtaken(&head).await? => Ok(head),
            Ok(None) | Err(_) => Err(ClientError::AnswerNotUnderstood("the log took our cosignature, and does not show it".to_owned())),
        }
    }

    /// Whether a newer head got the quorum in the meantime: then the log has no use for a line under this one. INVARIANT: the log's word is not
    /// enough, or it could drop our lines behind any newer head of its own. Without a policy that asks for a quorum nothing shows it. Nor is the
    /// quorum: a head that does not go together with ours is a fork, whoever has cosigned it.
    async fn is_overtaken(&mut self, head: &Checkpoint) -> Result<bool, ClientError> {
        let Some(policy) = self.policy.filter(|policy| !policy.asks_for_none()) else { return Ok(false) };
        let note = match text(self.api, "/log/checkpoint/cosigned").await {
            Err(ClientError::Refused(problem)) if problem.status == 404 => return Ok(false),
            other => other?,
        };
        // by the log's own key, whichever of its keys the policy names first
        let Ok(newest) = Checkpoint::open(&note, self.log) else { return Ok(false) };
        let (before, now) = if newest.size < head.size { (&newest, head) } else { (head, &newest) };
        now.may_follow(before).map_err(|fault| self.refused(&newest, &note, fault.to_string()))?;
        if now.size > before.size {
            goes_on(self.api, before, now).await?.map_err(|why| self.refused(&newest, &note, why))?;
        }
        Ok(newest.size > head.size && policy.accept(&note, Some(self.log)).is_ok())
    }

    fn signed_by_the_log<'n>(&self, note: &'n str) -> Result<SignedCheckpoint<'n>, ClientError> {
        match SignedCheckpoint::open(note, self.log) {
            // the log's own key under another log's name: it speaks for two
            Err(fault @ Fault::OtherOrigin { .. }) => Err(match Checkpoint::read_unverified(note) {
                Ok(head) => self.refused(&head, note, fault.to_string()),
                Err(fault) => ClientError::Verification(fault.to_string()),
            }),
            other => other.map_err(|fault| ClientError::Verification(format!("the checkpoint shown now: {fault}; nothing was cosigned"))),
        }
    }

    /// Refused where it does not go on from what was cosigned last.
    async fn goes_on_from_the_last(&mut self, head: &Checkpoint, note: &str) -> Result<(), ClientError> {
        let Some(kept) = self.folder.kept()? else { return Ok(()) };
        let last = Checkpoint::open(&kept, self.log);
        let last = last.map_err(|fault| ClientError::Verification(format!("the checkpoint that this witness cosigned last: {fault}")))?;
        head.may_follow(&last).map_err(|fault| self.refused(head, note, fault.to_string()))?;
        if head.size == last.size {
            return Ok(());
        }
        goes_on(self.api, &last, head).await?.map_err(|why| self.refused(head, note, why))
    }

    fn refused(&self, head: &Checkpoint, note: &str, what: String) -> ClientError {
        self.folder.noticed(head, note, what)
    }
}
