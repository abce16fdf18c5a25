//! The one thread that writes: takes what waits, commits it as one group, settles it, and tends the indexes and the write-ahead log.
//!
//! It stops by itself, for good, where a write, a sync or a read of its files failed, or the files are others than were opened or are not what was
//! written there, whoever met that: after a failed
//! sync the kernel forgets what it could not write, and the next sync says that all is well. Only a full disk is waited out, since then nothing
//! was written. What it stopped for is told to whoever waits for it (`Store::ended`).

use crate::error::StoreError;
use crate::group::{Done, Group, Settle, Writer};
use crate::in_place::InPlace;
use crate::index::Index;
use crate::overtaken::AsOf;
use crate::pieces::Pieces;
use contactpoint_audit::Logged;
use rusqlite::config::DbConfig;
use rusqlite::Connection;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// How long the writer waits for work before it tends the index of looks.
const IDLE: Duration = Duration::from_millis(200);
/// Bytes of the write-ahead log from which on it is copied into the database, a piece at a time.
const LONG_LOG: u64 = 8 << 20;
/// By how much it grows between two copies.
const PIECE: u64 = 1 << 20;
/// Bytes of the write-ahead log from which on it is started over.
const LONGEST_LOG: u64 = 16 << 20;
/// Looks put into the index at a time when nothing else is to do.
const IDLE_SLICE: usize = 8192;

pub(crate) type ChangeJob = Box<dyn FnOnce(&mut Group<'_>) -> Settle + Send>;

pub(crate) enum Job {
    /// The sealed entries of a look.
    Look { as_of: Option<AsOf>, pieces: Pieces, settle: oneshot::Sender<Result<Logged, StoreError>> },
    /// Anything that writes more than its entry.
    Change(ChangeJob),
    /// The last job.
    Stop,
}

/// What the writer tells everybody else.
pub(crate) struct Flags {
    pub(crate) stopped: Arc<AtomicBool>,
    pub(crate) generation: Arc<AtomicU64>,
    pub(crate) committed: Arc<AtomicU64>,
    pub(crate) hidden: Arc<AtomicU64>,
    /// Why it stopped by itself.
    pub(crate) ended: watch::Sender<Option<Arc<StoreError>>>,
    /// What somebody else met that is the end: a reader, or a transaction whose group went on.
    pub(crate) met: OnceLock<StoreError>,
}

impl Flags {
    pub(crate) fn new(size: u64) -> Self {
        Self {
            stopped: Arc::default(),
            generation: Arc::default(),
            committed: Arc::new(AtomicU64::new(size)),
            hidden: Arc::default(),
            ended: watch::Sender::new(None),
            met: OnceLock::new(),
        }
    }

    /// Tells the writer of what it has not met itself: where that is the end, it stops within [`IDLE`].
    pub(crate) fn meet(&self, fault: &StoreError) {
        if fault.is_the_end() {
            // the first is the one to tell
            let _ = self.met.set(fault.alike());
        }
    }

    fn refuse_the_end(&self) -> Result<(), StoreError> {
        self.met.get().map_or(Ok(()), |fault| Err(fault.alike()))
    }
}

/// The thread, from its first job to its end.
pub(crate) fn run(mut writer: Writer, queue: &Receiver<Job>, flags: &Flags, group_max: usize) {
    let worked = work(&mut writer, queue, flags, group_max);
    flags.stopped.store(true, Ordering::Release);
    // INVARIANT: nothing is copied into a file that is not as we left it
    let Writer { readers, connection, place, .. } = &mut writer;
    // an empty write-ahead log leaves one file behind; it is a convenience, not a need
    let ended = worked.and_then(|()| or_full(readers.start_log_over(connection, || unchanged(flags, place))));
    if let Err(error) = ended {
        ::log::error!("the store stops: {error}");
        if matches!(error, StoreError::Overwritten) {
            // the sentence is in the journal in any case
            let _ = place.mark_overwritten().inspect_err(|fault| ::log::error!("that it was overwritten is not marked beside it: {fault}"));
        }
        leave_as_it_is(writer.connection);
        flags.ended.send_replace(Some(Arc::new(error)));
    }
}

/// Nobody knows what is on the disk: nothing is copied any more, and the write-ahead log, from which the next start mends, is not removed.
fn leave_as_it_is(connection: Connection) {
    if connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).is_err() {
        std::mem::forget(connection);
    }
}

fn work(writer: &mut Writer, queue: &Receiver<Job>, flags: &Flags, group_max: usize) -> Result<(), StoreError> {
    loop {
        flags.refuse_the_end()?;
        let first = match queue.recv_timeout(IDLE) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => {
                writer.place.check()?;
                or_full(tend(writer))?;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        let jobs = std::iter::once(first).chain(queue.try_iter()).take(group_max);
        if commit_group(writer, jobs, flags)? == Next::Stop {
            return Ok(());
        }
        or_full(copy_log(writer, flags))?;
    }
}

/// A full disk is not the end: what could not be done now is done once there is room.
fn or_full(done: Result<(), StoreError>) -> Result<(), StoreError> {
    match done {
        Err(StoreError::Full) => Ok(()),
        other => other,
    }
}

#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}

/// Errors where the store must not be written any more.
fn commit_group(writer: &mut Writer, jobs: impl Iterator<Item = Job>, flags: &Flags) -> Result<Next, StoreError> {
    let mut settles: Vec<Settle> = Vec::new();
    let mut next = Next::GoOn;
    let readers = Arc::clone(&writer.readers);
    // INVARIANT: a commit into a file that is gone is none
    let result = fill_group(writer, jobs, &mut settles, &mut next).and_then(|done| writer.place.check().map(|()| done));
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
        None | Some(StoreError::Full) => Ok(next),
        Some(error) => Err(error),
    }
}

fn fill_group(
    writer: &mut Writer,
    mut jobs: impl Iterator<Item = Job>,
    settles: &mut Vec<Settle>,
    next: &mut Next,
) -> Result<Done, StoreError> {
    let mut group = match Group::begin(writer) {
        Ok(group) => group,
        Err(error) => {
            refuse_all(jobs, settles);
            return Err(error);
        }
    };
    while let Some(job) = jobs.next() {
        match job {
            Job::Look { as_of, pieces, settle } => {
                let appended = group.append_look(as_of, pieces);
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
        // INVARIANT: nothing is written beside the group: it would be durable by itself
        if group.is_over() {
            refuse_all(jobs, settles);
            return group.commit();
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

/// Takes the jobs whose group could not begin, or was over before they came.
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

/// With nothing else to do, puts waiting looks into their index. What is not put down now waits: nothing depends on it before index_looks.
fn tend(writer: &mut Writer) -> Result<(), StoreError> {
    if writer.pending.is_empty() && !writer.index.is_draining() {
        return Ok(());
    }
    let mut group = Group::begin(writer)?;
    let tended = match group.put_down(IDLE_SLICE).and_then(|()| group.put_down_children(Index::idle_slice())) {
        Ok(()) => group.commit().map(drop),
        Err(error) => {
            group.roll_back();
            Err(error)
        }
    };
    writer.readers.something_changed();
    tended
}

/// Copies the write-ahead log into the database before it is long, and starts it over where it is. After the answers have gone.
fn copy_log(writer: &mut Writer, flags: &Flags) -> Result<(), StoreError> {
    let Writer { readers, connection, place, copied, .. } = writer;
    let long = place.log_bytes();
    *copied = (*copied).min(long);
    if long > LONGEST_LOG {
        let started_over = readers.start_log_over(connection, || unchanged(flags, place));
        // what is the end needs no place any more
        if started_over.as_ref().map_or_else(|fault| !fault.is_the_end(), |()| true) {
            place.copied()?;
        }
        started_over?;
        *copied = 0;
    } else if long > LONG_LOG && long >= *copied + PIECE {
        unchanged(flags, place)?;
        let copying = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        place.copied()?;
        copying?;
        *copied = long;
    }
    Ok(())
}

/// Asked directly before anything is copied: what is not as we left it is left as it is.
fn unchanged(flags: &Flags, place: &mut InPlace) -> Result<(), StoreError> {
    flags.refuse_the_end()?;
    place.check()
}
