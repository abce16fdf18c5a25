//! The audit log: entries, the Merkle tree over their leaves, signed checkpoints, tiles, proofs, and the verifier.
//!
//! For: rules F1 (what is written of each access) and F2 (anyone with the public key can verify that nothing was altered, removed or
//! reordered, without reading a name). Formats are the public ones: RFC 6962 hashing, C2SP signed-note, tlog-checkpoint and tlog-tiles;
//! docs/log-format.md has them on one page. Leaves to others: sealing an entry into a leaf (`sealing`), keeping leaves and tiles durable
//! (`store`), the signing key (`keys`, through [`Signer`]). Does not promise: that an entry is true, nor that the newest checkpoint is
//! the newest there is - that takes a witness.
//!
//! Pure: no clock, no socket, no key. [`verify`] alone reads files, and only below the directory it is given.

mod checkpoint;
mod codes;
mod entry;
mod error;
mod note;
mod proof;
pub mod tiles;
mod tree;
pub mod verify;

pub use checkpoint::Checkpoint;
pub use codes::{Field, Operation, RefusalCode};
pub use entry::{Change, Entry, Outcome};
pub use error::{AuditError, Fault, KeyFault, KeyId, ProofFault, SignError};
pub use note::{Algorithm, Signer, VerifierKey};
pub use proof::{consistency_proof, inclusion_proof, verify_consistency, verify_inclusion};
pub use tree::{empty_root, leaf_hash, node_hash, FullTile, Hash, Tree};
