//! What a store is opened with.

use contactpoint_hardening::LockedBytes;
use contactpoint_sealing::{EntrySealers, RecordSealers, TokenKey};

/// How much memory and how many connections a store may use.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Page cache of all connections together, in MiB; the writer has half of it, the readers share the rest.
    pub page_cache_mib: u32,
    /// Reader connections, each with a cache of its own; at least 1.
    pub readers: u32,
    /// The most transactions that one durable commit carries; at least 1.
    pub group_commit_max: usize,
}

impl Options {
    /// KiB of page cache for the writer.
    pub(crate) fn writer_cache_kib(&self) -> u32 {
        (self.page_cache_mib * 1024 / 2).max(2048)
    }

    /// KiB of page cache for each reader.
    pub(crate) fn reader_cache_kib(&self) -> u32 {
        (self.page_cache_mib * 1024 / 2 / self.readers.max(1)).max(2048)
    }
}

/// The data keys as the HSM unwrapped them, each in the hands of what uses it.
pub struct StoreKeys {
    /// SQLCipher's raw page key.
    pub page: LockedBytes<32>,
    /// Seals records.
    pub records: RecordSealers,
    /// Makes search tokens.
    pub tokens: TokenKey,
    /// Seals log entries.
    pub entries: EntrySealers,
}
