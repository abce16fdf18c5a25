//! One durable commit for many transactions (group commit): begin, run each in its savepoint, commit, and only then settle.

use crate::cosignatures;
use crate::error::StoreError;
use crate::in_place::InPlace;
use crate::index::{Index, Pair as IndexPair, Progress, Turned};
use crate::log;
use crate::looked::{Pair, Pending};
use crate::overtaken::{AsOf, Hidden};
use crate::pieces::{Piece, Pieces};
use crate::readers::Readers;
use crate::registry::Registry;
use crate::sealed::SealKeys;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;
use contactpoint_audit::{Cosignature, Entry, Logged, Tree};
use rusqlite::Connection;

/// What happens to a transaction once its group's fate is known.
pub(crate) type Settle = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// What the writer thread owns.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) keys: std::sync::Arc<SealKeys>,
    pub(crate) tree: Tree,
    pub(crate) pending: Pending,
    pub(crate) index: std::sync::Arc<Index>,
    pub(crate) place: InPlace,
    pub(crate) readers: std::sync::Arc<Readers>,
    pub(crate) hidden: Hidden,
    /// Length of the write-ahead log when it was last copied into the database.
    pub(crate) copied: u64,
    /// The tree is not known to be the store's: nothing may be appended any more.
    pub(crate) is_lost: bool,
}

/// The group under way.
pub(crate) struct Group<'w> {
    writer: &'w mut Writer,
    looked: Vec<Pair>,
    put_down: Vec<Pair>,
    registry_changed: bool,
    readers_may_ask: bool,
    indexed: Vec<IndexPair>,
    turned: Turned,
    progress: Progress,
    /// Set once the log could not be written: the group must not be committed.
    broken: Option<StoreError>,
    /// What the last job that failed met.
    failed: Option<StoreError>,
}

/// What a committed group did beyond its own rows.
pub(crate) struct Done {
    /// The log's size.
    pub(crate) size: u64,
    /// Organisations or accounts are not what they were.
    pub(crate) registry_changed: bool,
    /// There is more that a reader may ask for than entries of looks.
    pub(crate) readers_may_ask: bool,
    /// Changes that hid a child, so far.
    pub(crate) hidden: u64,
}

impl<'w> Group<'w> {
    /// Begins the commit.
    pub(crate) fn begin(writer: &'w mut Writer) -> Result<Self, StoreError> {
        if writer.is_lost {
            return Err(StoreError::Stopped);
        }
        writer.connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Self {
            writer,
            looked: Vec::new(),
            put_down: Vec::new(),
            registry_changed: false,
            readers_may_ask: false,
            indexed: Vec::new(),
            turned: Turned::default(),
            progress: Progress::default(),
            broken: None,
            failed: None,
        })
    }

    /// Adds the entry of a look, unless one of its children was hidden after it began: then nothing of it is answered (rule E2).
    pub(crate) fn append_look(&mut self, as_of: Option<AsOf>, pieces: Pieces) -> Result<Logged, StoreError> {
        if as_of.is_some_and(|as_of| pieces.tokens().any(|tokens| self.writer.hidden.overtook(as_of, tokens))) {
            return Err(StoreError::Overtaken);
        }
        self.append(pieces)
    }

    /// Adds entries that were sealed elsewhere. Returns where the first stands.
    pub(crate) fn append(&mut self, Pieces { first, rest }: Pieces) -> Result<Logged, StoreError> {
        let logged = self.append_piece(first)?;
        rest.into_iter().try_for_each(|piece| self.append_piece(piece).map(drop))?;
        Ok(logged)
    }

    fn append_piece(&mut self, Piece { leaf, tokens }: Piece) -> Result<Logged, StoreError> {
        let logged =
            log::append(&self.writer.connection, &mut self.writer.tree, &leaf).inspect_err(|error| self.broken = Some(error.alike()))?;
        self.looked.extend(tokens.into_iter().map(|token| (token, logged.index)));
        Ok(logged)
    }

    /// Runs a change in a savepoint of its own and adds its entry; a change that fails leaves nothing behind.
    pub(crate) fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Transaction<'_>) -> Result<(T, Entry), StoreError>,
    ) -> Result<(T, Logged), StoreError> {
        self.writer.connection.execute_batch("SAVEPOINT change")?;
        match self.write(change) {
            Ok((value, pieces)) => {
                // INVARIANT: a change without its entry is never committed: a failed append breaks the whole group
                let logged = self.append(pieces)?;
                self.writer.connection.execute_batch("RELEASE change")?;
                Ok((value, logged))
            }
            Err(error) => {
                let undone = self.writer.connection.execute_batch("ROLLBACK TO change; RELEASE change").map_err(StoreError::from);
                // a full disk can make the engine roll the whole group back by itself: then nothing of it may be committed
                undone.inspect_err(|error| self.broken = Some(error.alike()))?;
                if matches!(error, StoreError::Disk(_) | StoreError::Overwritten) {
                    self.broken = Some(error.alike());
                }
                Err(error)
            }
        }
    }

    fn write<T>(&mut self, change: impl FnOnce(&mut Transaction<'_>) -> Result<(T, Entry), StoreError>) -> Result<(T, Pieces), StoreError> {
        let registry = Registry { connection: &self.writer.connection, keys: &self.writer.keys };
        let snapshot = Snapshot { registry, index: &self.writer.index };
        let mut transaction = Transaction {
            snapshot,
            entry: self.writer.tree.size(),
            changes: Vec::new(),
            registry_changed: false,
            pairs: Vec::new(),
            turned: Turned::default(),
            hidden_before: &self.writer.hidden,
            hidden: Vec::new(),
        };
        let written = change(&mut transaction);
        let queued = written.and_then(|written| Index::enqueue(&self.writer.connection, &transaction.pairs).map(|()| written));
        // INVARIANT: what may fail, fails before anything of the change is taken over: else it would stay in memory when its rows are undone
        let sealed = queued.and_then(|(value, mut entry)| {
            entry.changes.append(&mut transaction.changes);
            Ok((value, Pieces::of(&self.writer.keys, entry)?))
        });
        let sealed = sealed.inspect_err(|_| {
            self.writer.index.forget(&transaction.pairs);
            transaction.turned.take_back(&self.writer.index);
        })?;
        self.indexed.append(&mut transaction.pairs);
        self.turned.append(&mut transaction.turned);
        self.registry_changed |= transaction.registry_changed;
        let hidden = std::mem::take(&mut transaction.hidden);
        self.writer.hidden.note(hidden);
        Ok(sealed)
    }

    /// Puts waiting looks into their index beside the group's own work.
    pub(crate) fn put_down(&mut self, most: usize) -> Result<(), StoreError> {
        let size = self.mark_at_most();
        self.put_down.extend(self.writer.pending.put_down(&self.writer.connection, most, size)?);
        Ok(())
    }

    /// The same of the looks that wait under these tokens alone.
    pub(crate) fn put_down_under(&mut self, tokens: &[[u8; 16]]) -> Result<(), StoreError> {
        let size = self.mark_at_most();
        self.put_down.extend(self.writer.pending.put_down_under(&self.writer.connection, tokens, size)?);
        Ok(())
    }

    /// INVARIANT: the mark stays before the group's own looks, which wait from its commit on and would be lost with the power.
    fn mark_at_most(&self) -> u64 {
        self.looked.first().map_or_else(|| self.writer.tree.size(), |(_, entry)| *entry)
    }

    /// Puts down as many as keep the waiting ones bounded while the store is busy.
    pub(crate) fn put_down_beside(&mut self) -> Result<(), StoreError> {
        self.put_down_children(self.writer.index.slice_beside(self.indexed.len()))?;
        let most = self.writer.pending.slice_beside(self.looked.len());
        if most == 0 {
            return Ok(());
        }
        self.put_down(most)
    }

    /// Readers must see what this group writes.
    pub(crate) fn readers_may_ask(&mut self) {
        self.readers_may_ask = true;
    }

    /// Puts the next so many pairs of the children's index down. At most once a group.
    pub(crate) fn put_down_children(&mut self, most: usize) -> Result<(), StoreError> {
        self.readers_may_ask |= most > 0;
        self.progress = self.writer.index.put_down(&self.writer.connection, most)?;
        Ok(())
    }

    /// Keeps a signed checkpoint; returns the one that is kept.
    pub(crate) fn keep_checkpoint(&mut self, size: u64, note: &str) -> Result<String, StoreError> {
        log::keep_checkpoint(&self.writer.connection, size, note)
    }

    /// Keeps cosignatures that were verified and are news.
    pub(crate) fn keep_cosignatures(&mut self, size: u64, held: cosignatures::Held, lines: &[Cosignature]) -> Result<(), StoreError> {
        cosignatures::keep(&self.writer.connection, size, held, lines)
    }

    /// Notes that a head was kept on the token.
    pub(crate) fn note_head_kept(&mut self) -> Result<(), StoreError> {
        self.writer.connection.execute("INSERT OR IGNORE INTO head_kept (id) VALUES (1)", [])?;
        Ok(())
    }

    /// Notes what a job met, for whatever becomes of the group.
    pub(crate) fn failed(&mut self, error: &StoreError) {
        self.failed = Some(error.alike());
    }

    /// True where the engine has rolled everything back by itself, as it does after some failures: the group is broken then, and a job that came after
    /// would be committed by itself, in the place of entries that are gone.
    pub(crate) fn is_over(&mut self) -> bool {
        let is_over = self.writer.connection.is_autocommit();
        if is_over {
            let failed = self.failed.take();
            self.broken.get_or_insert_with(|| failed.unwrap_or(StoreError::Stopped));
        }
        is_over
    }

    /// The log's head as it stands in this group.
    pub(crate) fn head(&self) -> (u64, [u8; 32]) {
        (self.writer.tree.size(), self.writer.tree.root())
    }

    /// The connection that writes, for what the engine says of itself.
    pub(crate) fn connection(&self) -> &Connection {
        &self.writer.connection
    }

    /// The keys that rows are sealed with.
    pub(crate) fn keys(&self) -> &SealKeys {
        &self.writer.keys
    }

    /// Makes everything durable. After an error nothing of the group is in the store.
    pub(crate) fn commit(mut self) -> Result<Done, StoreError> {
        if let Some(error) = self.broken.take() {
            self.roll_back();
            return Err(error);
        }
        if let Err(error) = self.writer.connection.execute_batch("COMMIT") {
            self.roll_back();
            return Err(error.into());
        }
        self.writer.pending.add(self.looked);
        self.writer.index.settle(self.progress);
        // what cannot be turned now is turned after the next group
        let _ = self.writer.index.turn(&self.writer.connection);
        Ok(Done {
            size: self.writer.tree.size(),
            registry_changed: self.registry_changed,
            readers_may_ask: self.readers_may_ask,
            hidden: self.writer.hidden.count(),
        })
    }

    /// Undoes everything and makes the tree what the store says it is.
    pub(crate) fn roll_back(self) {
        // the engine may have rolled back by itself: then there is nothing to roll back
        let _ = self.writer.connection.execute_batch("ROLLBACK");
        self.writer.pending.add(self.put_down);
        self.writer.index.forget(&self.indexed);
        self.turned.take_back(&self.writer.index);
        match log::resume(&self.writer.connection) {
            Ok(tree) => self.writer.tree = tree,
            Err(_) => self.writer.is_lost = true,
        }
    }
}
