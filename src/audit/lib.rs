//! Entries, Merkle tree, checkpoints, tiles, verifier.
