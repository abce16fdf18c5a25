//! Where a list goes on, as the caller carries it: sealed, and bound to the person, the session and the question it was given for.
//!
//! Leaves to others: what the place means. A restart ends all of them, as it ends the sessions.

use crate::refused::Refused;
use contactpoint_audit::Operation;
use contactpoint_identity::Caller;
use contactpoint_sealing::{PassageSealer, SealError};
use contactpoint_store::StoreError;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where to go on: from the answer before, sent back as it came.
#[derive(Serialize, Deserialize, ToSchema, Clone)]
#[serde(transparent)]
#[schema(value_type = String, example = "pV0c8Jr1m7sXk4Yt2QbWZx5nL9aDfHgE3uRiOoTlS6Mv")]
pub struct Cursor(String);

/// Makes and reads them, under a key of this run of the process.
pub(crate) struct Cursors(Result<PassageSealer, SealError>);

/// What a cursor is good for, beside who carries it: an operation, and what was asked of it.
pub(crate) struct Question<'a> {
    pub(crate) operation: Operation,
    pub(crate) asked: &'a [u8],
}

impl Cursors {
    pub(crate) fn fresh() -> Self {
        Self(PassageSealer::fresh())
    }

    /// A cursor to this place.
    pub(crate) fn to(&self, caller: &Caller, question: &Question<'_>, place: u64) -> Result<Cursor, StoreError> {
        let sealer = self.0.as_ref().map_err(|fault| StoreError::Seal(*fault))?;
        Ok(Cursor(BASE64URL_NOPAD.encode(&sealer.seal(&bound_to(caller, question), &place.to_be_bytes())?)))
    }

    /// The place of a cursor that was given to this caller for this question. Anything else is one refusal.
    pub(crate) fn place(&self, caller: &Caller, question: &Question<'_>, cursor: &Cursor) -> Result<u64, Refused> {
        let sealed = BASE64URL_NOPAD.decode(cursor.0.as_bytes()).map_err(|_| Refused::NoSuchPlace)?;
        let sealer = self.0.as_ref().map_err(|_| Refused::NoSuchPlace)?;
        let plain = sealer.open(&bound_to(caller, question), &sealed).map_err(|_| Refused::NoSuchPlace)?;
        plain.try_into().map(u64::from_be_bytes).map_err(|_| Refused::NoSuchPlace)
    }
}

fn bound_to(caller: &Caller, Question { operation, asked }: &Question<'_>) -> Vec<u8> {
    // each part but the last has one length, so that no two questions run together
    [&caller.person().0.to_be_bytes()[..], caller.session().as_bytes(), &[operation.number()], asked].concat()
}
