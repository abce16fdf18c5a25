//! Record sealing, search tokens and audit-entry sealing; the only crate that names the AEAD.
//!
//! For: making what the store keeps unreadable without the HSM and noticing a row that was moved, swapped or altered (rule G3).
//! AES-256-GCM (NIST SP 800-38D) and HMAC-SHA-256 (RFC 2104) from aws-lc-rs. Leaves to others: where keys come from (`keys`), what a
//! plain text means (`store`, `audit`), which rows there are. Does not promise: to notice a row set back to an older state together
//! with its version - `store` holds the rows against the log for that - nor to hide how long a record is; audit entries are padded.
//!
//! A key arrives in locked memory and is dropped as soon as it is expanded; the expanded form lives on aws-lc's heap, which aws-lc
//! cleanses when the sealer is dropped.

mod aead;
mod age;
mod entry;
mod entry_key;
mod epochs;
mod error;
mod passage;
mod record;
#[cfg(test)]
mod testing;
mod token;

pub use age::{AgeFault, Identity, Recipient};
pub use entry::{EntrySealer, LARGEST_ENTRY};
pub use entry_key::{Disclosed, EntryKey, LEAF_SIZES};
pub use epochs::{EntryEpoch, EntrySealers, OpenedEntry, RecordSealers};
pub use error::SealError;
pub use passage::PassageSealer;
pub use record::{Place, RecordSealer, WrappedKey};
pub use token::TokenKey;
