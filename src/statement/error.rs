//! What can be wrong with a document; each names the first fault.

use contactpoint_audit::{Fault, ProofFault};
use contactpoint_sealing::SealError;

/// A document does not verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentFault {
    /// The shape is wrong.
    #[error("this is no statement of this form: {why}")]
    Form {
        /// What was expected.
        why: &'static str,
    },
    /// The note that holds it together.
    #[error("the signature over the document: {0}")]
    Signature(Fault),
    /// The words below the signature are not those that were signed.
    #[error("the document was altered: what is below the signature is not what was signed")]
    Altered,
    /// The number of entries is not the one that was signed.
    #[error("the signed text says that there are {said} entries, and {found} are here")]
    Count {
        /// Signed.
        said: u64,
        /// There.
        found: u64,
    },
    /// The checkpoint under the proofs, or its quorum.
    #[error("the checkpoint: {0}")]
    Checkpoint(Fault),
    /// One entry.
    #[error("entry {index}: {fault}")]
    Entry {
        /// Which.
        index: u64,
        /// What is wrong with it.
        fault: EntryFault,
    },
}

/// What is wrong with one entry of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// Words without a proof, a proof without words, or in another order.
    #[error("its words and its proof do not stand in the same place")]
    Unpaired,
    /// The proof does not lead from this leaf to the checkpoint.
    #[error("it is not in the log as it stands here: {0}")]
    Proof(ProofFault),
    /// The leaf does not open under the key, or commits to another.
    #[error("its leaf does not open with its key: {0}")]
    Leaf(SealError),
    /// The leaf opens to no entry that is known.
    #[error("its leaf holds no entry of a known form")]
    Unknown,
    /// The entry is not of the person whom the document is about.
    #[error("it is an entry of somebody else than the document is about")]
    OfAnother,
    /// The words are not what the leaf says.
    #[error("its words are not what its leaf says")]
    Words,
}
