//! The texts that organisations and people accept (rules B3, C1, J5), as they are answered: public, and the same for everybody.

use contactpoint_domain::{texts, Texts};
use serde::Serialize;
use utoipa::ToSchema;

/// The texts that organisations and people accept, with their versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct TextsAnswer {
    responsibilities: VersionedText,
    agreement: VersionedText,
}

/// A text.
#[derive(Debug, Serialize, ToSchema)]
struct VersionedText {
    version: u16,
    text: &'static str,
}

impl TextsAnswer {
    pub(crate) fn in_force() -> Self {
        let Texts { responsibilities, agreement } = Texts::IN_FORCE;
        Self {
            responsibilities: VersionedText { version: responsibilities, text: texts::RESPONSIBILITIES },
            agreement: VersionedText { version: agreement, text: texts::AGREEMENT },
        }
    }
}
