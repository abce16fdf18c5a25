//! The log's public half: signed heads, hashes and sealed entries, for any enrolled organisation (rule F2).

use super::{Handled, Handlers};
use crate::answer::{Answer, Public};
use crate::call::Call;
use crate::problem::{Problem, ProblemCode, ProblemDocument};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};

/// The body of a tile as the description has it: bytes.
enum TileBytes {}

impl utoipa::PartialSchema for TileBytes {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))).into()
    }
}

impl utoipa::ToSchema for TileBytes {}

/// The newest signed head (C2SP tlog-checkpoint).
#[utoipa::path(get, path = "/log/checkpoint", tag = "log", security(("certificate" = [])),
    responses((status = 200, description = "The signed note.", body = String, content_type = "text/plain"),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn checkpoint(desk: &Handlers, call: Call<'_>) -> Handled {
    call.let_in(&desk.identity)?;
    let note = desk.store.log_checkpoint().ok_or_else(|| Problem::retry_after(ProblemCode::Unavailable, 1))?;
    Ok(Answer::public(Public::Checkpoint(note)))
}

/// A tile or an entry bundle (C2SP tlog-tiles).
#[utoipa::path(get, path = "/log/tile/{path}", tag = "log", params(("path" = String, Path, description = "The rest of the path, slashes included.")),
    security(("certificate" = [])),
    responses((status = 200, description = "The bytes of the tile or bundle.", body = inline(TileBytes), content_type = "application/octet-stream"),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn tile(desk: &Handlers, call: Call<'_>) -> Handled {
    call.let_in(&desk.identity)?;
    let path = format!("tile/{}", call.found.parameter);
    let tile = desk.store.log_tile(&path)?.ok_or(ProblemCode::NoSuchRoute)?;
    Ok(Answer::public(Public::Tile(tile)))
}
