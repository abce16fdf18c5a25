//! What can go wrong between a plain text and its sealed form. Nothing here names the content.

/// Sealing or opening failed. Each variant says what the operator does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Something else than what was sealed for this place: altered, moved from another row, table or version, or sealed under a key
    /// that is not this one. Run `contactpointctl verify-store`; the row cannot be trusted.
    #[error("a sealed value does not open in its place: it was altered or moved here")]
    Damaged,
    /// The shape of the bytes is wrong before any key is used: cut off, or of a format that this release does not know.
    #[error("a sealed value is not in a known format")]
    Malformed,
    /// Sealed under another key epoch; the caller has to ask that epoch's sealer.
    #[error("sealed under key epoch {found}, not {expected}")]
    OtherEpoch {
        /// The epoch of the sealer that was asked.
        expected: u32,
        /// The epoch written in the sealed value.
        found: u32,
    },
    /// The leaf does not commit to this epoch's key: it was sealed under a different key that bears the same epoch number, or its
    /// nonce or commitment was altered. Look for a restored or foreign `data-keys.toml`.
    #[error("an audit leaf is committed to another key")]
    Commitment,
    /// A leaf of an epoch whose key was destroyed: nobody reads it, and the tree over it verifies all the same (rule F2).
    #[error("sealed under key epoch {epoch}, which was erased")]
    Erased {
        /// The epoch.
        epoch: u32,
    },
    /// The record's own key was destroyed; the record cannot be read by anyone (rule I2).
    #[error("the record's key was destroyed")]
    KeyDestroyed,
    /// The plain text is longer than the largest leaf can hold. A defect in the caller: an entry names at most a few hundred changes.
    #[error("an entry of {length} bytes is longer than {longest}")]
    TooLong {
        /// Bytes given.
        length: usize,
        /// Bytes that fit.
        longest: usize,
    },
    /// The cryptographic library refused to work (no randomness, no memory). Stop; look at the kernel's log.
    #[error("the cryptographic library failed")]
    Library,
}
