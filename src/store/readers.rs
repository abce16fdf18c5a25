//! The reader connections, and what they see.
//!
//! SQLite throws a connection's page cache away at the start of a transaction if anybody has committed since the last one, and every look
//! commits an entry. So a reader keeps its transaction open from look to look, and begins a new one only where something has been written
//! that a reader may ask for: then the state, a number, has grown. It grows after a commit and before its answers go, so that whoever
//! was told of a change finds it. The newest entries of looks it may not see: who reads the log itself says how much of it there is
//! ([`Readers::read`]), and only a transaction that is behind that begins anew. An open transaction keeps the write-ahead log from starting over; once it is long the writer waits for
//! the looks under way, ends every reader's transaction, and starts it over ([`Readers::start_log_over`]).

use crate::connection::{self, Purpose};
use crate::error::{OpenError, StoreError};
use contactpoint_hardening::LockedBytes;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

/// A pool of readers.
pub(crate) struct Readers {
    pub(crate) file: PathBuf,
    pub(crate) page_key: LockedBytes<32>,
    pub(crate) cache_kib: u32,
    pub(crate) most: usize,
    idle: Mutex<Vec<Reader>>,
    /// Held by each look for its time, and by the writer while no transaction may be open.
    gate: RwLock<()>,
    state: AtomicU64,
}

struct Reader {
    connection: Connection,
    /// The state that its open transaction sees, or a later one; `None` where none is open.
    sees: Option<u64>,
}

impl Readers {
    pub(crate) fn new(file: PathBuf, page_key: LockedBytes<32>, cache_kib: u32, most: usize) -> Self {
        Self { file, page_key, cache_kib, most, idle: Mutex::default(), gate: RwLock::default(), state: AtomicU64::new(0) }
    }

    /// Something has been committed that a reader may ask for. Called before anybody is told of it.
    pub(crate) fn something_changed(&self) {
        self.state.fetch_add(1, Ordering::AcqRel);
    }

    /// Runs a read on a connection that sees all that has changed so far, and the log's first `size` entries, which are durable.
    pub(crate) fn read<T>(&self, size: u64, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let mut reader = self.take()?;
        let state = self.state.load(Ordering::Acquire);
        reader.see(state)?;
        if size > 0 && reader.entries()? < size {
            reader.let_go()?;
            reader.see(state)?;
        }
        let result = read(&reader.connection)?;
        let mut idle = self.idle();
        if idle.len() < self.most {
            idle.push(reader);
        }
        Ok(result)
    }

    fn take(&self) -> Result<Reader, StoreError> {
        if let Some(reader) = self.idle().pop() {
            return Ok(reader);
        }
        let opened = connection::open(&self.file, &self.page_key, Purpose::Read, self.cache_kib);
        let connection = opened.map_err(|fault| match fault {
            // the key is the one that the writer opened it with
            OpenError::WrongKey | OpenError::Altered(_) => StoreError::Overwritten,
            OpenError::Engine(fault) => fault.into(),
            OpenError::Cipher(_)
            | OpenError::Missing(_)
            | OpenError::Exists(_)
            | OpenError::WasOverwritten(_)
            | OpenError::Newer
            | OpenError::KeysOlder => StoreError::Stopped,
            OpenError::SetBack { .. } | OpenError::OtherHistory { .. } | OpenError::HeadMissing | OpenError::HeadForged(_) => {
                StoreError::Stopped
            }
            OpenError::Log(_) | OpenError::Migration(_) | OpenError::Io(_) | OpenError::Memory(_) => StoreError::Stopped,
        })?;
        Ok(Reader { connection, sees: None })
    }

    /// Lets the write-ahead log start over at its beginning: with no look under way and no transaction open. `writer`: the connection that
    /// writes, between two groups; `may`: asked once no look is under way, which can take long: whether the files are still as we left them.
    pub(crate) fn start_log_over(&self, writer: &Connection, may: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let _gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        // a reader whose transaction does not end is closed, which ends it
        self.idle().retain_mut(|reader| reader.let_go().is_ok());
        may()?;
        Ok(writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Closes every connection that is not in use.
    pub(crate) fn close(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn see(&mut self, state: u64) -> rusqlite::Result<()> {
        if self.sees == Some(state) {
            return Ok(());
        }
        self.let_go()?;
        self.connection.execute_batch("BEGIN")?;
        self.sees = Some(state);
        Ok(())
    }

    /// How many entries of the log its transaction sees.
    fn entries(&self) -> rusqlite::Result<u64> {
        let mut select = self.connection.prepare_cached("SELECT coalesce(max(entry), -1) + 1 FROM leaf")?;
        Ok(select.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned())
    }

    fn let_go(&mut self) -> rusqlite::Result<()> {
        if self.sees.take().is_some() {
            self.connection.execute_batch("COMMIT")?;
        }
        Ok(())
    }
}
