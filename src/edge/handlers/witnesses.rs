//! What witnesses ask for and bring: the head that they are asked to cosign, their lines below it, and the newest head that has the quorum (rule
//! F2; C2SP tlog-cosignature, and tlog-witness turned round: the witness comes to the log, since this program opens no connection).
//!
//! Any enrolled organisation may ask and bring, by its certificate, without a session: the signature is what counts, and whoever carries it may. No
//! entry is written of either: a cosignature is public and says nothing of a child or a person, and an entry for each would make the log grow by
//! being witnessed. Leaves to others: verifying and keeping (`store`), the policy (`audit`).

use super::{Handled, Handlers};
use crate::answer::{Answer, Public};
use crate::call::Call;
use crate::problem::{Problem, ProblemCode, ProblemDocument};
use crate::route::Route;
use contactpoint_domain::Instant;
use contactpoint_store::{CosignatureRefused, Witnesses};

/// Seconds until another try, where it takes a witness to come.
const WITNESSES_COME: u64 = 10;

/// The head that every witness is asked to cosign now (C2SP tlog-checkpoint); the same for all until it has the quorum.
#[utoipa::path(get, path = "/log/checkpoint/asked", tag = "log", security(("certificate" = [])),
    responses((status = 200, description = "The signed note, with the cosignatures that it has.", body = String, content_type = "text/plain"),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn asked(desk: &Handlers, call: Call<'_>) -> Handled {
    call.let_in(&desk.identity)?;
    let note = desk.asking()?.asked(desk.identity.now().wall)?.ok_or_else(|| Problem::retry_after(ProblemCode::Unavailable, 1))?;
    Ok(Answer::public(Public::Checkpoint(note)))
}

/// The newest head that has the quorum of the witnesses' policy, with their cosignatures.
#[utoipa::path(get, path = "/log/checkpoint/cosigned", tag = "log", security(("certificate" = [])),
    responses((status = 200, description = "The signed note and its cosignatures.", body = String, content_type = "text/plain"),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn cosigned(desk: &Handlers, call: Call<'_>) -> Handled {
    call.let_in(&desk.identity)?;
    let (_, note) = desk.asking()?.cosigned().ok_or_else(|| Problem::retry_after(ProblemCode::NotCosigned, WITNESSES_COME))?;
    Ok(Answer::public(Public::Checkpoint(note)))
}

/// Brings cosignatures: a head of this log, as it was shown, with the witnesses' lines below.
#[utoipa::path(post, path = "/log/cosignatures", tag = "log", security(("certificate" = [])),
    request_body(content = String, content_type = "text/plain", description = "A signed note with cosignature lines, 16 KiB at most.",
        example = "directory.example/log\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} directory.example/log Az3grlgtzPICa5OS8np...\n\u{2014} witness.example/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiI...\n"),
    responses((status = 200, description = "The same head with all the cosignatures that it has.", body = String, content_type = "text/plain"),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn bring(desk: &Handlers, call: Call<'_>) -> Handled {
    call.let_in(&desk.identity)?;
    let witnesses = desk.asking()?;
    let body = call.note().await?;
    let note = std::str::from_utf8(&body).map_err(|_| ProblemCode::MalformedRequest)?;
    let held = witnesses.bring(note, desk.identity.now().wall).await?;
    Ok(Answer::public(Public::Checkpoint(held)))
}

impl Handlers {
    /// Where no policy asks for witnesses there is nothing to ask or to bring.
    fn asking(&self) -> Result<&Witnesses, Problem> {
        self.witnesses.as_deref().ok_or_else(|| ProblemCode::NotWitnessed.into())
    }

    /// Where answers wait for witnesses and their quorum is late.
    pub(super) fn refuse_unwitnessed(&self, route: Route, now: Instant) -> Result<(), Problem> {
        let Some(witnesses) = self.witnesses.as_deref().filter(|_| self.answers_wait && !route.is_answered_unwitnessed()) else {
            return Ok(());
        };
        match witnesses.late_since(now)? {
            None => Ok(()),
            Some(_) => Err(Problem::retry_after(ProblemCode::QuorumLate, WITNESSES_COME)),
        }
    }
}

impl From<CosignatureRefused> for Problem {
    fn from(refused: CosignatureRefused) -> Self {
        match refused {
            CosignatureRefused::Form(_) => ProblemCode::MalformedRequest.into(),
            CosignatureRefused::NotOurs => ProblemCode::NotOurHead.into(),
            CosignatureRefused::NoWitness => ProblemCode::NotAWitness.into(),
            CosignatureRefused::Wrong => ProblemCode::InvalidValue.into(),
            CosignatureRefused::Store(fault) => fault.into(),
        }
    }
}
