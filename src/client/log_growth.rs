//! Whether one signed head goes on from another: a consistency proof (RFC 6962, 2.1.2) out of the log's own tiles (C2SP tlog-tiles), two a level
//! at most.
//!
//! For: `receipts` and `witness`. Leaves to others: what is done with the verdict.

use crate::api::Api;
use crate::error::ClientError;
use contactpoint_audit::{verify_consistency, Checkpoint, Fault, Hash, Proving};

/// Whether the log of a larger head begins with that of the one before; a sentence where it does not.
pub(crate) async fn goes_on(api: &mut Api, before: &Checkpoint, now: &Checkpoint) -> Result<Result<(), String>, ClientError> {
    // every log begins with the empty one
    let Some(proving) = Proving::consistency(before.size, now.size) else { return Ok(Ok(())) };
    let mut tiles = Vec::new();
    for tile in proving.tiles() {
        let bytes = match api.get_bytes(&format!("/log/{}", tile.path())).await {
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

/// A text of the log.
pub(crate) async fn text(api: &mut Api, path: &str) -> Result<String, ClientError> {
    utf8(&api.get_bytes(path).await?.into_body())
}

/// An answer's bytes as a text.
pub(crate) fn utf8(bytes: &[u8]) -> Result<String, ClientError> {
    let not_text = |_| ClientError::AnswerNotUnderstood(Fault::Note { why: "it is UTF-8" }.to_string());
    String::from_utf8(bytes.to_vec()).map_err(not_text)
}
