//! Why not: a closed list. The log gets the reason; the caller gets what `edge` makes of it.

use contactpoint_audit::RefusalCode;

/// A refusal and its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[must_use]
pub enum Refusal {
    /// The child is outside the caller's scope (rule D1). To the caller this is "no such child".
    #[error("the child is outside the caller's scope")]
    OutsideScope,
    /// None of the caller's roles may do this (rule C4).
    #[error("the caller's role may not do this")]
    RoleForbids,
    /// The organisation is not accredited for this (rule B2).
    #[error("the organisation is not accredited for this")]
    CapabilityMissing,
    /// The stated reason is none for this (rule D2).
    #[error("the stated reason is none for this")]
    ReasonForbids,
    /// The search asks for too much of the register (rule D3).
    #[error("a search needs a family name or a child number, with a date of birth or a postcode")]
    SearchTooWide,
}

impl From<Refusal> for RefusalCode {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::OutsideScope => Self::OutsideScope,
            Refusal::RoleForbids => Self::RoleForbids,
            Refusal::CapabilityMissing => Self::CapabilityMissing,
            Refusal::ReasonForbids => Self::ReasonForbids,
            Refusal::SearchTooWide => Self::SearchTooWide,
        }
    }
}
