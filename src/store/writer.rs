//! The store as others see it, and the one thread that writes.

use crate::committed::Committed;
use crate::connection::{self, Purpose};
use crate::error::{OpenError, StoreError};
use crate::group::{Group, Settle, Writer};
use crate::in_place::InPlace;
use crate::index::Index;
use crate::leaf;
use crate::log;
use crate::looked::{self, Pending};
use crate::open::{Options, StoreKeys};
use crate::overtaken::{AsOf, Hidden};
use crate::readers::Readers;
use crate::registry::Registry;
use crate::schema;
use crate::sealed::SealKeys;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;
use crate::worker::Worker;
use contactpoint_audit::{Checkpoint, Entry, Logged, Signer};
use contactpoint_hardening::LockedDown;
use rusqlite::Connection;
use std::convert::Infallible;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// The file's name below the state directory.
const FILE: &str = "store.db";
/// Transactions that may wait for the writer; beyond, callers are told to come again.
const QUEUE: usize = 8192;
/// How long the writer waits for work before it tends the index of looks.
const IDLE: Duration = Duration::from_millis(200);
/// Heads in a row that may go unsigned before nothing is answered any more: one is tried each second.
const UNSIGNED_MOST: u32 = 3;
/// Bytes of the write-ahead log from which on it is started over.
const LONGEST_LOG: u64 = 16 << 20;
/// Looks put into the index at a time when nothing else is to do.
const IDLE_SLICE: usize = 8192;

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
    stopped: Arc<AtomicBool>,
    generation: Arc<AtomicU64>,
    committed: Arc<AtomicU64>,
    hidden: Arc<AtomicU64>,
    /// Heads in a row that the HSM did not sign.
    unsigned: AtomicU32,
    checkpoint: Mutex<Option<(u64, String)>>,
    signer: Arc<dyn Signer>,
}

type ChangeJob = Box<dyn FnOnce(&mut Group<'_>) -> Settle + Send>;

enum Job {
    /// A sealed entry of a look, and the tokens of its children.
    Look { as_of: Option<AsOf>, leaf: Vec<u8>, tokens: Vec<[u8; 16]>, settle: oneshot::Sender<Result<Logged, StoreError>> },
    /// Anything that writes more than its entry.
    Change(ChangeJob),
    /// The last job.
    Stop,
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
        drop(connection::open(&file, &keys.page, Purpose::Create, options.writer_cache_kib())?);
        Self::open(directory, keys, options, signer)
    }

    /// Opens the store of a directory; its writer does not run yet. `signer` signs checkpoints.
    pub fn open(directory: &Path, keys: StoreKeys, options: Options, signer: Arc<dyn Signer>) -> Result<Resting, OpenError> {
        let file = directory.join(FILE);
        if !file.exists() {
            return Err(OpenError::Missing(file));
        }
        let mut connection = connection::open(&file, &keys.page, Purpose::Write, options.writer_cache_kib())?;
        migrate(&mut connection)?;
        let tree = log::resume(&connection)?;
        let checkpoint = log::newest_checkpoint(&connection)?;
        log::verify(&connection, &tree, signer.verifier_key())?;
        let size = tree.size();
        let seal_keys = Arc::new(SealKeys { records: keys.records, tokens: keys.tokens, entries: keys.entries });
        let pending = Pending::resume(&connection, &seal_keys)?;
        let index = Arc::new(Index::resume(&connection)?);
        let place = InPlace::of(&file);
        let readers = Arc::new(Readers::new(file, keys.page, options.reader_cache_kib(), options.readers as usize));
        let writer = Writer {
            connection,
            keys: Arc::clone(&seal_keys),
            tree,
            pending,
            index: Arc::clone(&index),
            place,
            readers: Arc::clone(&readers),
            hidden: Hidden::default(),
            is_lost: false,
        };
        Ok(Resting { writer, readers, keys: seal_keys, index, size, group_max: options.group_commit_max.max(1), checkpoint, signer })
    }

    /// Reads organisations and accounts, to find out who calls. No child is within reach, so no entry is asked for.
    pub fn registry<T>(&self, read: impl FnOnce(&Registry<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.read(|snapshot| read(snapshot))
    }

    /// Grows with each commit that changes organisations or accounts: what was read at a generation holds while it lasts.
    #[must_use]
    pub fn registry_generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
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
            let leaf = leaf::sealed(&self.shared.keys, &entry)?;
            // what showed nothing is not refused: that would tell that there is something
            let as_of = Some(as_of).filter(|_| !entry.shown.is_empty());
            Ok(Ok((value, as_of, leaf, looked::tokens_of(&self.shared.keys, &entry))))
        })?;
        let (value, as_of, leaf, tokens) = match found {
            Ok(looked) => looked,
            Err(calls_for_a_change) => return Ok(Err(calls_for_a_change)),
        };
        let (settle, settled) = oneshot::channel();
        self.send(Job::Look { as_of, leaf, tokens, settle })?;
        let logged = settled.await.map_err(|_| StoreError::Stopped)??;
        Ok(Ok(Committed::new(value, logged)))
    }

    /// What a look that begins now sees for certain of what was hidden: for [`Transaction::refuse_overtaken`].
    #[must_use]
    pub fn as_of(&self) -> AsOf {
        AsOf(self.shared.hidden.load(Ordering::Acquire))
    }

    /// Changes something and says so in an entry; both are durable when the value comes back, or neither is in the store.
    pub async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Transaction<'_>) -> Result<(T, Entry), StoreError> + Send + 'static,
    ) -> Result<Committed<T>, StoreError> {
        self.refuse_unsigned()?;
        self.run(move |group| group.change(change)).await.map(|(value, logged)| Committed::new(value, logged))
    }

    /// Brings the index of looks up to the newest entry, so that [`Snapshot::looks_at`] is complete.
    pub async fn index_looks(&self) -> Result<(), StoreError> {
        self.run(|group| group.put_down(usize::MAX)).await
    }

    /// Signs the log's head in the HSM and keeps the checkpoint, where the log has grown since the last one. Called every second and at stop.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let size = self.shared.committed.load(Ordering::Acquire);
        if self.newest_checkpoint().as_ref().is_some_and(|(covered, _)| *covered == size) {
            return Ok(());
        }
        let (size, root) = self.run(|group| Ok(group.head())).await?;
        let origin = self.shared.signer.verifier_key().name().to_owned();
        let signed = Checkpoint { origin, size, root }.signed(self.shared.signer.as_ref());
        let Ok(note) = signed else {
            self.shared.unsigned.fetch_add(1, Ordering::AcqRel);
            return Err(StoreError::Unsigned);
        };
        self.shared.unsigned.store(0, Ordering::Release);
        let kept = note.clone();
        self.run(move |group| group.keep_checkpoint(size, &kept)).await?;
        *self.newest_checkpoint() = Some((size, note));
        Ok(())
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

    /// The bytes under a C2SP tlog-tiles path, such as "tile/0/000" or "tile/entries/x001/234.p/17", as far as the newest checkpoint covers.
    pub fn log_tile(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let covered = self.newest_checkpoint().as_ref().map_or(0, |(size, _)| *size);
        self.read(|snapshot| log::tile(snapshot.connection, path, covered))
    }

    /// The number of durable entries.
    #[must_use]
    pub fn log_size(&self) -> u64 {
        self.shared.committed.load(Ordering::Acquire)
    }

    /// Rows of children opened since the start: what is counted where somebody outside would measure time.
    #[must_use]
    pub fn child_rows_opened(&self) -> u64 {
        self.shared.index.opened()
    }

    /// Signs the last checkpoint and stops the writer once everything before it is durable. When this returns the store's files are closed.
    pub async fn close(&self) -> Result<(), StoreError> {
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

    pub(crate) fn read<T>(&self, read: impl FnOnce(&Snapshot<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let Shared { readers, keys, index, .. } = self.shared.as_ref();
        readers.read(|connection| read(&Snapshot { registry: Registry { connection, keys }, index }))
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Group<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (settle, settled) = oneshot::channel();
        self.send(Job::Change(Box::new(move |group| {
            let result = work(group);
            Box::new(move |fate| {
                let _ = settle.send(fate.and(result));
            })
        })))?;
        settled.await.map_err(|_| StoreError::Stopped)?
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        if self.shared.stopped.load(Ordering::Acquire) {
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
    writer: Writer,
    readers: Arc<Readers>,
    keys: Arc<SealKeys>,
    index: Arc<Index>,
    size: u64,
    group_max: usize,
    checkpoint: Option<(u64, String)>,
    signer: Arc<dyn Signer>,
}

impl Resting {
    /// Starts the writer in a process that is locked down (rule G5), which the thread inherits.
    ///
    /// # Errors
    /// [`OpenError`] where the system gives no thread.
    pub fn begin(self, _proof: &LockedDown) -> Result<Store, OpenError> {
        self.begin_unlocked()
    }

    /// The same in a process that serves nobody: the key ceremony, and tests.
    ///
    /// # Errors
    /// As [`Resting::begin`].
    pub fn begin_unlocked(self) -> Result<Store, OpenError> {
        let Self { writer, readers, keys, index, size, group_max, checkpoint, signer } = self;
        let state = Arc::new(Flags::new(size));
        let told = Arc::clone(&state);
        let jobs = Worker::begun("store-writer", QUEUE, move |queue| run(writer, queue, &told, group_max))?;
        let shared = Shared {
            readers,
            keys,
            index,
            jobs,
            stopped: Arc::clone(&state.stopped),
            generation: Arc::clone(&state.generation),
            committed: Arc::clone(&state.committed),
            hidden: Arc::clone(&state.hidden),
            unsigned: AtomicU32::new(0),
            checkpoint: Mutex::new(checkpoint),
            signer,
        };
        Ok(Store { shared: Arc::new(shared) })
    }
}

fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    match schema::migrations().to_latest(connection) {
        Err(rusqlite_migration::Error::MigrationDefinition(rusqlite_migration::MigrationDefinitionError::DatabaseTooFarAhead)) => {
            Err(OpenError::Newer)
        }
        other => Ok(other?),
    }
}

/// A lock whose holder cannot have left its content half changed: a poisoned one is as good.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the writer tells everybody else.
struct Flags {
    stopped: Arc<AtomicBool>,
    generation: Arc<AtomicU64>,
    committed: Arc<AtomicU64>,
    hidden: Arc<AtomicU64>,
}

impl Flags {
    fn new(size: u64) -> Self {
        Self { stopped: Arc::default(), generation: Arc::default(), committed: Arc::new(AtomicU64::new(size)), hidden: Arc::default() }
    }
}

/// The writer thread: takes what waits, commits it as one group, settles it, and tends the index when idle.
fn run(mut writer: Writer, queue: &Receiver<Job>, flags: &Flags, group_max: usize) {
    loop {
        let first = match queue.recv_timeout(IDLE) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => {
                tend(&mut writer);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let jobs = std::iter::once(first).chain(queue.try_iter()).take(group_max);
        if commit_group(&mut writer, jobs, flags) == Next::Stop {
            break;
        }
        if writer.place.log_bytes() > LONGEST_LOG {
            // what cannot be done now is tried again after the next group
            let _ = writer.readers.start_log_over(&writer.connection);
        }
    }
    flags.stopped.store(true, Ordering::Release);
    // an empty write-ahead log leaves one file behind; it is a convenience, not a need
    let _ = writer.readers.start_log_over(&writer.connection);
}

#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}

fn commit_group(writer: &mut Writer, jobs: impl Iterator<Item = Job>, flags: &Flags) -> Next {
    let mut settles: Vec<Settle> = Vec::new();
    let mut next = Next::GoOn;
    let readers = Arc::clone(&writer.readers);
    // INVARIANT: a commit into a file that is gone is none
    let result = fill_group(writer, jobs, &mut settles, &mut next).and_then(|done| Ok(writer.place.check().map(|()| done)?));
    let fate = match result {
        Ok(done) => {
            flags.committed.store(done.size, Ordering::Release);
            if done.readers_may_ask {
                readers.something_changed();
            }
            flags.hidden.store(done.hidden, Ordering::Release);
            if done.registry_changed {
                flags.generation.fetch_add(1, Ordering::AcqRel);
            }
            None
        }
        Err(error) => Some(error),
    };
    // INVARIANT: nothing settles before the commit has returned (rule F1)
    for settle in settles {
        settle(fate.as_ref().map_or(Ok(()), |error| Err(error.alike())));
    }
    match fate {
        // a full disk can be mended while running; after any other failure of a commit nobody knows what the file holds
        None | Some(StoreError::Full) => next,
        Some(error) => {
            ::log::error!("the store stops: {error}");
            Next::Stop
        }
    }
}

fn fill_group(
    writer: &mut Writer,
    jobs: impl Iterator<Item = Job>,
    settles: &mut Vec<Settle>,
    next: &mut Next,
) -> Result<crate::group::Done, StoreError> {
    let mut group = match Group::begin(writer) {
        Ok(group) => group,
        Err(error) => {
            refuse_all(jobs, settles);
            return Err(error);
        }
    };
    for job in jobs {
        match job {
            Job::Look { as_of, leaf, tokens, settle } => {
                let appended = group.append_look(as_of, &leaf, tokens);
                settles.push(Box::new(move |fate: Result<(), StoreError>| {
                    let _ = settle.send(fate.and(appended));
                }));
            }
            Job::Change(change) => {
                group.readers_may_ask();
                settles.push(change(&mut group));
            }
            Job::Stop => *next = Next::Stop,
        }
    }
    match group.put_down_beside() {
        Ok(()) => group.commit(),
        Err(error) => {
            group.roll_back();
            Err(error)
        }
    }
}

/// Takes the jobs whose group could not begin.
fn refuse_all(jobs: impl Iterator<Item = Job>, settles: &mut Vec<Settle>) {
    for job in jobs {
        if let Job::Look { settle, .. } = job {
            settles.push(Box::new(move |_| {
                let _ = settle.send(Err(StoreError::Stopped));
            }));
        }
        // a change that is dropped closes its channel, which its caller reads as Stopped
    }
}

/// With nothing else to do, puts waiting looks into their index.
fn tend(writer: &mut Writer) {
    if writer.pending.is_empty() && !writer.index.is_draining() {
        return;
    }
    let Ok(mut group) = Group::begin(writer) else { return };
    // what is not put down now waits: nothing depends on it before index_looks
    match group.put_down(IDLE_SLICE).and_then(|()| group.put_down_children(Index::idle_slice())) {
        Ok(()) => drop(group.commit()),
        Err(_) => group.roll_back(),
    }
    writer.readers.something_changed();
}
