//! The encrypted store: schema, transactions, group commit.
//!
//! For: every durable thing. Reads of children and every change go through [`Store::look`] and [`Store::change`], which hand out their
//! result only as [`Committed`], after the audit entry that tells of it is on the disk (rule F1). Rows are sealed for their own place
//! (rule G3) and found by tokens; the file is SQLCipher under a page key that only the HSM unwraps. Leaves to others: who may look
//! (`policy`), what a look shows (`directory`). Does not promise: that an entry is true, only that no answer exists without one.
//! Only this crate names rusqlite.

mod alerts;
mod children;
mod cipher;
mod codec;
mod committed;
mod connection;
mod cosignatures;
mod destroying;
mod erased;
mod error;
mod evidence;
mod feeds;
mod group;
mod in_place;
mod index;
mod kept_head;
mod leaf;
mod log;
mod looked;
mod open;
mod overtaken;
mod pieces;
mod probe;
mod readers;
mod receipts;
mod recent;
mod registry;
mod reviews;
mod schema;
mod sealed;
mod signing;
mod snapshot;
mod statements;
mod stored_registry;
mod transaction;
mod veil;
mod witnesses;
mod worker;
mod writer;
mod writing;

pub use alerts::Sample;
pub use children::Held;
pub use cipher::CipherReport;
pub use committed::Committed;
pub use destroying::{KeyMove, Unmoved};
pub use erased::ErasedEntries;
pub use error::{OpenError, OpenFault, StoreError};
pub use feeds::{Feed, FeedCounts, FeedFault, FeedId, NewFeed};
pub use open::{Options, StoreKeys};
pub use overtaken::AsOf;
pub use receipts::Receipts;
pub use registry::{Account, NewAccount, NewOrganisation, Registry};
pub use reviews::{EndedPeriod, Origin};
pub use snapshot::{Look, Snapshot};
pub use statements::{Prepared, Proved};
pub use transaction::Transaction;
pub use witnesses::{CosignatureRefused, Standing, Witnesses, WitnessesRefused};
pub use writer::{Resting, Store};
