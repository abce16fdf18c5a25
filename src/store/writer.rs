//! The store as others see it.

use crate::committed::Committed;
use crate::connection::{self, Purpose};
use crate::erased;
use crate::error::{OpenError, StoreError};
use crate::group::{Group, Writer};
use crate::in_place::{self, InPlace};
use crate::index::Index;
use crate::log;
use crate::looked::{self, Pending};
use crate::open::{Options, StoreKeys};
use crate::overtaken::{AsOf, Hidden};
use crate::pieces::Pieces;
use crate::readers::Readers;
use crate::registry::Registry;
use crate::schema;
use crate::sealed::SealKeys;
use crate::signing::Signing;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;
use crate::worker::Worker;
use crate::writing::{self, Flags, Job};
use contactpoint_audit::{Checkpoint, Entry, Signer, Tree, VerifierKey};
use contactpoint_domain::ChildNumber;
use contactpoint_hardening::LockedDown;
use rusqlite::config::DbConfig;
use rusqlite::Connection;
use rusqlite_migration::SchemaVersion;
use std::convert::Infallible;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::TrySendError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{oneshot, watch};

/// The file's name below the state directory.
const FILE: &str = "store.db";
/// Transactions that may wait for the writer; beyond, callers are told to come again.
const QUEUE: usize = 8192;
/// Heads in a row that may go unsigned before nothing is answered any more: one is tried each second.
const UNSIGNED_MOST: u32 = 3;

/// The open store; a handle that clones cheaply.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    readers: Arc<Readers>,
    keys: Arc<SealKeys>,
    index: Arc<Index>,
    jobs: Worker<Job>,
    flags: Arc<Flags>,
    /// Why the writer stopped by itself.
    ended: watch::Receiver<Option<Arc<StoreError>>>,
    /// Heads in a row that the HSM did not sign.
    unsigned: AtomicU32,
    signing: Signing,
    checkpoint: Mutex<Option<(u64, String)>>,
    signer: Arc<dyn Signer>,
}

impl Store {
    /// Makes a new, empty store in a directory. Errors: [`OpenError::Exists`] where there is one.
    pub fn create(directory: &Path, keys: StoreKeys, options: Options, signer: Arc<dyn Signer>) -> Result<Resting, OpenError> {
        let file = directory.join(FILE);
        if file.exists() {
            return Err(OpenError::Exists(file));
        }
        // SQLite gives the WAL and its index the mode of the database
        drop(std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?);
        migrate(&mut connection::open(&file, &keys.page, Purpose::Create, options.writer_cache_kib())?)?;
        Self::open(directory, keys, options, signer)
    }

    /// Opens the store of a directory; its writer does not run yet, and nothing of it is changed. `signer` signs checkpoints.
    pub fn open(directory: &Path, keys: StoreKeys, options: Options, signer: Arc<dyn Signer>) -> Result<Resting, OpenError> {
        let file = directory.join(FILE);
        if !file.exists() {
            return Err(OpenError::Missing(file));
        }
        if let Some(mark) = in_place::overwritten_mark(&file) {
            return Err(OpenError::WasOverwritten(mark));
        }
        let connection = connection::open(&file, &keys.page, Purpose::Write, options.writer_cache_kib())?;
        refuse_unknown_schema(&connection)?;
        // INVARIANT: what is read before `Resting::begin`, which migrates, has been there since the first schema
        let tree = log::resume(&connection)?;
        let checkpoint = log::newest_checkpoint(&connection)?;
        log::verify(&connection, &tree, signer.verifier_key())?;
        let seal_keys = Arc::new(SealKeys { records: keys.records, tokens: keys.tokens, entries: keys.entries });
        erased::refuse_older_keys(&connection, &seal_keys)?;
        let pending = Pending::resume(&connection, &seal_keys)?;
        let place = InPlace::of(&file).map_err(|fault| std::io::Error::other(fault.to_string()))?;
        let readers = Arc::new(Readers::new(file, keys.page, options.reader_cache_kib(), options.readers as usize));
        let group_max = options.group_commit_max.max(1);
        Ok(Resting { connection, tree, pending, place, readers, keys: seal_keys, group_max, checkpoint, signer })
    }

    /// Reads organisations and accounts, to find out who calls. No child is within reach, so no entry is asked for.
    pub fn registry<T>(&self, read: impl FnOnce(&Registry<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.read(|snapshot| read(snapshot))
    }

    /// Grows with each commit that changes organisations or accounts: what was read at a generation holds while it lasts.
    #[must_use]
    pub fn registry_generation(&self) -> u64 {
        self.shared.flags.generation.load(Ordering::Acquire)
    }

    /// Looks at something: reads it and says in an entry what was looked at. The value comes back once the entry is durable (rule F1).
    pub async fn look<T>(&self, look: impl FnOnce(&Snapshot<'_>) -> Result<(T, Entry), StoreError>) -> Result<Committed<T>, StoreError> {
        match self.look_unless(|snapshot| look(snapshot).map(Ok::<_, Infallible>)).await? {
            Ok(committed) => Ok(committed),
            Err(never) => match never {},
        }
    }

    /// The same, unless what is found calls for a change: then nothing is written yet, and what was found comes back uncommitted, so that it
    /// can be answered only by way of [`Self::change`].
    pub async fn look_unless<T, U>(
        &self,
        look: impl FnOnce(&Snapshot<'_>) -> Result<Result<(T, Entry), U>, StoreError>,
    ) -> Result<Result<Committed<T>, U>, StoreError> {
        self.refuse_unsigned()?;
        let as_of = self.as_of();
        let found = self.read(|snapshot| {
            let (value, entry) = match look(snapshot)? {
                Ok(looked) => looked,
                Err(calls_for_a_change) => return Ok(Err(calls_for_a_change)),
            };
            // what showed nothing is not refused: that would tell that there is something
            let as_of = Some(as_of).filter(|_| !entry.shown.is_empty());
            Ok(Ok((value, as_of, Pieces::of(&self.shared.keys, entry)?)))
        })?;
        let (value, as_of, pieces) = match found {
            Ok(looked) => looked,
            Err(calls_for_a_change) => return Ok(Err(calls_for_a_change)),
        };
        let (settle, settled) = oneshot::channel();
        self.send(Job::Look { as_of, pieces, settle })?;
        let logged = settled.await.map_err(|_| StoreError::Stopped)??;
        Ok(Ok(Committed::new(value, logged)))
    }

    /// What a look that begins now sees for certain of what was hidden: for [`Transaction::refuse_overtaken`].
    #[must_use]
    pub fn as_of(&self) -> AsOf {
        AsOf(self.shared.flags.hidden.load(Ordering::Acquire))
    }

    /// Changes something and says so in an entry; both are durable when the value comes back, or neither is in the store.
    pub async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Transaction<'_>) -> Result<(T, Entry), StoreError> + Send + 'static,
    ) -> Result<Committed<T>, StoreError> {
        self.refuse_unsigned()?;
        self.run(move |group| group.change(change)).await.map(|(value, logged)| Committed::new(value, logged))
    }

    /// Brings the index of looks up to the newest entry as far as this child is concerned, so that [`Snapshot::looks_at`] is complete. The others, of which
    /// many may wait, would keep every answer waiting.
    pub async fn index_looks_at(&self, number: &ChildNumber) -> Result<(), StoreError> {
        let mut numbers = vec![number.clone()];
        loop {
            let tokens: Vec<_> = numbers.iter().flat_map(|number| looked::all_tokens_of(&self.shared.keys, number)).collect();
            self.run(move |group| group.put_down_under(&tokens)).await?;
            // a record that was settled to be this child's brings its own looks, and others that were settled to be its
            let found = self.read(|snapshot| snapshot.numbers_of(number))?;
            if found.len() == numbers.len() {
                return Ok(());
            }
            numbers = found;
        }
    }

    /// The same of every child.
    pub async fn index_looks(&self) -> Result<(), StoreError> {
        self.run(|group| group.put_down(usize::MAX)).await
    }

    /// Signs the log's head in the HSM and keeps the checkpoint, where the log has grown since the last one. Called every second and at stop.
    /// The HSM is asked on a thread of its own, so that one that hangs holds up nobody else; it is not asked again meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Unsigned`]; [`StoreError::SignerHangs`], after [`signing::PATIENCE`]; [`StoreError::OtherHead`]; those of a commit.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let size = self.shared.flags.committed.load(Ordering::Acquire);
        if self.newest_checkpoint().as_ref().is_some_and(|(covered, _)| *covered == size) {
            return Ok(());
        }
        loop {
            let (asked, root) = self.run(|group| Ok(group.head())).await?;
            let origin = self.shared.signer.verifier_key().name().to_owned();
            let signed = self.shared.signing.signed(Checkpoint { origin, size: asked, root }, &self.shared.signer).await;
            let (size, note) = signed.inspect_err(|fault| {
                if matches!(fault, StoreError::SignerHangs { .. }) {
                    self.shared.unsigned.store(UNSIGNED_MOST, Ordering::Release);
                } else {
                    self.shared.unsigned.fetch_add(1, Ordering::AcqRel);
                }
            })?;
            let kept = self.run(move |group| group.keep_checkpoint(size, &note)).await?;
            // a head that was signed and not kept is none
            self.shared.unsigned.store(0, Ordering::Release);
            let mut newest = self.newest_checkpoint();
            *newest = newest.take().filter(|(covered, _)| *covered > size).or(Some((size, kept)));
            // an HSM that was slow may have answered for a former one
            if size == asked {
                return Ok(());
            }
        }
    }

    fn refuse_unsigned(&self) -> Result<(), StoreError> {
        if self.shared.unsigned.load(Ordering::Acquire) < UNSIGNED_MOST {
            Ok(())
        } else {
            Err(StoreError::Unsigned)
        }
    }

    /// The newest signed checkpoint: a C2SP note.
    #[must_use]
    pub fn log_checkpoint(&self) -> Option<String> {
        self.newest_checkpoint().as_ref().map(|(_, note)| note.clone())
    }

    /// The same with its size.
    #[must_use]
    pub fn newest_head(&self) -> Option<(u64, String)> {
        self.newest_checkpoint().clone()
    }

    /// The key that the log's heads are signed with.
    #[must_use]
    pub fn verifier_key(&self) -> &VerifierKey {
        self.shared.signer.verifier_key()
    }

    /// The bytes under a C2SP tlog-tiles path, such as "tile/0/000" or "tile/entries/x001/234.p/17", as far as the newest checkpoint covers.
    pub fn log_tile(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let covered = self.newest_checkpoint().as_ref().map_or(0, |(size, _)| *size);
        self.read(|snapshot| log::tile(snapshot.connection, path, covered))
    }

    /// The number of durable entries.
    #[must_use]
    pub fn log_size(&self) -> u64 {
        self.shared.flags.committed.load(Ordering::Acquire)
    }

    /// Epochs of the entry key whose entries open, the one in use first.
    #[must_use]
    pub fn entry_epochs(&self) -> Vec<u32> {
        self.shared.keys.entries.epochs().collect()
    }

    /// Epochs of the record key under which records open, the one in use first.
    #[must_use]
    pub fn record_epochs(&self) -> Vec<u32> {
        self.shared.keys.records.epochs().collect()
    }

    /// Rows of children opened since the start: what is counted where somebody outside would measure time.
    #[must_use]
    pub fn child_rows_opened(&self) -> u64 {
        self.shared.index.opened()
    }

    /// Signs the last checkpoint and stops the writer once everything before it is durable. When this returns the store's files are closed.
    pub async fn close(&self) -> Result<(), StoreError> {
        let closed = self.closed().await;
        self.fault().map_or(closed, |fault| Err(fault.alike()))
    }

    async fn closed(&self) -> Result<(), StoreError> {
        self.index_looks().await?;
        self.checkpoint().await?;
        // the last connection takes the write-ahead log with it, and a reader's may not write
        self.shared.readers.close();
        self.send(Job::Stop)?;
        let shared = Arc::clone(&self.shared);
        let closing = move || {
            shared.jobs.join();
            shared.readers.close();
        };
        tokio::task::spawn_blocking(closing).await.map_err(|_| StoreError::Stopped)
    }

    /// Waits until the writer has stopped by itself, for good: nothing is answered any more, and the process must end.
    pub async fn ended(&self) -> Arc<StoreError> {
        let mut ended = self.shared.ended.clone();
        let told = ended.wait_for(Option::is_some).await.ok().and_then(|fault| fault.clone());
        match told {
            Some(fault) => fault,
            // it stopped because it was told to
            None => std::future::pending().await,
        }
    }

    /// Why the writer has stopped by itself, where it has.
    #[must_use]
    pub fn fault(&self) -> Option<Arc<StoreError>> {
        self.shared.ended.borrow().clone()
    }

    pub(crate) fn log_signer(&self) -> &dyn Signer {
        self.shared.signer.as_ref()
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&Snapshot<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.read_log(0, read)
    }

    /// The same where entries before `to` are read: as far as they are durable they are seen, those of looks too.
    pub(crate) fn read_log<T>(&self, to: u64, read: impl FnOnce(&Snapshot<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let Shared { readers, keys, index, .. } = self.shared.as_ref();
        let read = readers.read(to.min(self.log_size()), |connection| read(&Snapshot { registry: Registry { connection, keys }, index }));
        // the writer has pages of its own in memory, and would go on over a file that no longer holds them
        read.inspect_err(|fault| {
            if matches!(fault, StoreError::Overwritten) {
                self.shared.flags.meet(fault)
            }
        })
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Group<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (settle, settled) = oneshot::channel();
        self.send(Job::Change(Box::new(move |group| {
            let result = work(group).inspect_err(|error| group.failed(error));
            Box::new(move |fate| {
                let _ = settle.send(fate.and(result));
            })
        })))?;
        settled.await.map_err(|_| StoreError::Stopped)?.inspect_err(|fault| self.shared.flags.meet(fault))
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        if self.shared.flags.stopped.load(Ordering::Acquire) {
            return Err(StoreError::Stopped);
        }
        self.shared.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Overloaded,
            TrySendError::Disconnected(_) => StoreError::Stopped,
        })
    }

    fn newest_checkpoint(&self) -> MutexGuard<'_, Option<(u64, String)>> {
        guard(&self.shared.checkpoint)
    }
}

/// A store that is open and does nothing yet: it has no thread, so that the process can be locked down first.
///
/// ```compile_fail
/// # use contactpoint_store::Resting;
/// # fn f(resting: Resting) { resting.look(|_| unreachable!()); }
/// ```
pub struct Resting {
    pub(crate) connection: Connection,
    pub(crate) tree: Tree,
    pending: Pending,
    place: InPlace,
    readers: Arc<Readers>,
    keys: Arc<SealKeys>,
    group_max: usize,
    checkpoint: Option<(u64, String)>,
    pub(crate) signer: Arc<dyn Signer>,
}

impl Resting {
    /// Brings the schema up to date and starts the writer, in a process that is locked down (rule G5), which the thread inherits.
    ///
    /// # Errors
    /// [`OpenError`] where the schema could not be brought up to date, or the system gives no thread.
    pub fn begin(self, _proof: &LockedDown) -> Result<Store, OpenError> {
        self.begin_unlocked()
    }

    /// The same in a process that serves nobody: the key ceremony, and tests.
    ///
    /// # Errors
    /// As [`Resting::begin`].
    pub fn begin_unlocked(self) -> Result<Store, OpenError> {
        let Self { mut connection, tree, pending, mut place, readers, keys, group_max, checkpoint, signer } = self;
        migrate(&mut connection)?;
        connection.execute("INSERT OR IGNORE INTO life (entry) VALUES (?1)", [tree.size().cast_signed()])?;
        let index = Arc::new(Index::resume(&connection)?);
        // INVARIANT: what a sync that failed may have left in memory alone is written anew, out of the write-ahead log, before anything is added
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        place.copied().map_err(|fault| std::io::Error::other(fault.to_string()))?;
        let flags = Arc::new(Flags::new(tree.size()));
        let writer = Writer {
            connection,
            keys: Arc::clone(&keys),
            tree,
            pending,
            index: Arc::clone(&index),
            place,
            readers: Arc::clone(&readers),
            hidden: Hidden::default(),
            copied: 0,
            is_lost: false,
        };
        let ended = flags.ended.subscribe();
        let told = Arc::clone(&flags);
        let jobs = Worker::begun("store-writer", QUEUE, move |queue| writing::run(writer, queue, &told, group_max))?;
        let signing = Signing::default();
        let checkpoint = Mutex::new(checkpoint);
        let shared = Shared { readers, keys, index, jobs, flags, ended, unsigned: AtomicU32::new(0), signing, checkpoint, signer };
        Ok(Store { shared: Arc::new(shared) })
    }
}

fn refuse_unknown_schema(connection: &Connection) -> Result<(), OpenError> {
    match schema::migrations().current_version(connection)? {
        SchemaVersion::Inside(_) => Ok(()),
        SchemaVersion::Outside(_) => Err(OpenError::Newer),
        SchemaVersion::NoneSet => Err(OpenError::Log("its making was cut off".to_owned())),
    }
}

fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    Ok(schema::migrations().to_latest(connection)?)
}

/// A lock whose holder cannot have left its content half changed: a poisoned one is as good.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
