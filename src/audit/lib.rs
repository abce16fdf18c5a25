//! The audit log: entries, the Merkle tree over their leaves, signed checkpoints, tiles, proofs, and the verifier.
//!
//! For: rules F1 (what is written of each access) and F2 (anyone with the public key can verify that nothing was altered, removed or
//! reordered, without reading a name). Formats are the public ones: RFC 6962 hashing, C2SP signed-note, tlog-checkpoint, tlog-tiles,
//! tlog-proof, tlog-cosignature and tlog-policy;
//! docs/log-format.md has them on one page. Leaves to others: sealing an entry into a leaf (`sealing`), keeping leaves and tiles durable
//! (`store`), the signing key (`keys`, through [`Signer`]). Does not promise: that an entry is true, nor that the newest checkpoint is
//! the newest there is - that takes a witness.
//!
//! Pure: no clock, no socket, no key. [`verify`] alone reads files, and only below the directory it is given.

mod checkpoint;
mod codes;
mod cosignature;
mod entry;
mod error;
mod log_policy;
mod note;
mod proof;
mod proving;
mod receipt;
mod statement;
#[cfg(test)]
mod testing;
pub mod tiles;
mod tree;
pub mod verify;

pub use checkpoint::Checkpoint;
pub use codes::{Field, Operation, RefusalCode};
pub use cosignature::{SignedCheckpoint, WitnessKey};
pub use entry::{Change, Entry, Outcome};
pub use error::{AuditError, Fault, KeyFault, KeyId, PolicyError, PolicyFault, ProofFault, SignError};
pub use log_policy::{Accepted, Cosignature, LogPolicy};
pub use note::{Algorithm, Signer, VerifierKey};
pub use proof::{consistency_proof, inclusion_proof, verify_consistency, verify_inclusion};
pub use proving::{HashTile, Proving};
pub use receipt::{Logged, Receipt, ReceiptFault};
pub use statement::{open_statement, sign_statement, statement_key, STATEMENT};
pub use tree::{empty_root, leaf_hash, node_hash, FullTile, Hash, Tree};

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_verifier_touches_files_and_nothing_here_a_clock_or_a_socket() {
        // audit knows no socket, file or now()
        let sources = [
            include_str!("checkpoint.rs"),
            include_str!("codes.rs"),
            include_str!("cosignature.rs"),
            include_str!("entry.rs"),
            include_str!("error.rs"),
            include_str!("log_policy.rs"),
            include_str!("note.rs"),
            include_str!("proof.rs"),
            include_str!("proving.rs"),
            include_str!("receipt.rs"),
            include_str!("statement.rs"),
            include_str!("tiles.rs"),
            include_str!("tree.rs"),
        ];
        for source in sources {
            let code = source.split("#[cfg(test)]").next().unwrap();
            assert!(["std::fs", "std::net", "std::time", "std::env"].iter().all(|impure| !code.contains(impure)));
        }
    }
}
