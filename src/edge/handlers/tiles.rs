//! The log's public half: signed heads, hashes, proofs and sealed entries, for any enrolled organisation (rule F2).
//!
//! A receipt is asked for as a tile is, without a session and without an entry of its own: it is made of hashes that the tiles show to the same
//! askers, so to record or to refuse it would keep nothing back; an entry would itself want a receipt; and its holder may check tomorrow,
//! when their session has long ended. It tells nothing of a child or a person: not even whether an entry was a look.

use super::{Handled, Handlers};
use crate::answer::{Answer, Public};
use crate::call::Call;
use crate::problem::{Problem, ProblemCode, ProblemDocument};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};

/// Seconds from one signed head to the next, while entries arrive.
const HEADS_EACH: u64 = 1;

/// Seconds after which whoever would have waited too long for their turn comes back.
const PACED: u64 = 5;

/// The body of a tile as the description has it: bytes.
enum TileBytes {}

impl utoipa::PartialSchema for TileBytes {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))).into()
    }
}

impl utoipa::ToSchema for TileBytes {}

/// The newest signed head (C2SP tlog-checkpoint), with the cosignatures that it has.
#[utoipa::path(get, path = "/log/checkpoint", tag = "log", security(("certificate" = [])),
    responses((status = 200, description = "The signed note.", body = String, content_type = "text/plain"),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn checkpoint(desk: &Handlers, call: Call<'_>) -> Handled {
    call.let_in(&desk.identity)?;
    let note = desk.store.log_checkpoint().ok_or_else(|| Problem::retry_after(ProblemCode::Unavailable, 1))?;
    let note = desk.witnesses.as_deref().map_or(Ok(note.clone()), |witnesses| witnesses.with_lines(&note))?;
    Ok(Answer::public(Public::Checkpoint(note)))
}

/// A tile or an entry bundle (C2SP tlog-tiles): 100 a second after a burst; organisations that fetch at the same time share them.
#[utoipa::path(get, path = "/log/tile/{path}", tag = "log", params(("path" = String, Path, description = "The rest of the path, slashes included.")),
    security(("certificate" = [])),
    responses((status = 200, description = "The bytes of the tile or bundle.", body = inline(TileBytes), content_type = "application/octet-stream"),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn tile(desk: &Handlers, call: Call<'_>) -> Handled {
    let organisation = desk.identity.organisation(&call.channel)?;
    let turn = desk.pace.turn(organisation.id, call.now.monotonic);
    let wait = turn.ok_or_else(|| Problem::retry_after(ProblemCode::TooManyRequests, PACED))?;
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let path = format!("tile/{}", call.found.parameter);
    let tile = desk.store.log_tile(&path)?.ok_or(ProblemCode::NoSuchRoute)?;
    Ok(Answer::public(Public::Tile(tile)))
}

/// The proof that an entry is in the log (C2SP tlog-proof), once a signed head covers it.
///
/// Hold it against `Log-Index` and `Log-Leaf` of your answer, and its head against the last one that you saw.
#[utoipa::path(get, path = "/log/receipt/{id}", tag = "log", params(("id" = u64, Path, description = "`Log-Index` of an answer.")),
    security(("certificate" = [])),
    responses((status = 200, description = "Index, audit path and signed note.", body = String, content_type = "text/plain"),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn receipt(desk: &Handlers, call: Call<'_>) -> Handled {
    call.let_in(&desk.identity)?;
    // an index that no number can be is behind every head
    let index = call.found.parameter.parse().unwrap_or(u64::MAX);
    let receipt = desk.receipts.receipt(index)?.ok_or_else(|| Problem::retry_after(ProblemCode::NotYetCovered, HEADS_EACH))?;
    Ok(Answer::public(Public::Receipt(receipt.to_string())))
}
