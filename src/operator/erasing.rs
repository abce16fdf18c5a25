//! Erasure: `contactpointctl new-entry-epoch`, `destroy-entry-epoch` and `destroy-records` (rules F2, G2, I2), while the daemon is stopped.
//!
//! For: the order in which HSM, data-keys.toml, store and log change, so that wherever it is cut off, what must open opens, the same verb takes it
//! up again, and the log never says of a key that it is gone before it is. What is ordered is in the log before anything is done, under both
//! officers' numbers. Leaves to others: what destroys a key (`keys`), a record (`store`); who the two are (`officers`). Does not promise: anything
//! about backups of the token; docs/key-ceremony.md says what their keeper does.

use crate::custody::{data_keys_file, open_locked, Appliance, ApplianceError};
use crate::error::OperatorError;
use crate::officers::{self, BothTyped, Officer, TwoOfficers};
use crate::state_lock::StateLock;
use crate::token_head::TokenHead;
use contactpoint_audit::{Change, Entry, Operation, Outcome};
use contactpoint_domain::{ChildNumber, Instant};
use contactpoint_identity::Clock;
use contactpoint_keys::{Custody, KeyError, Renewable, WrappedDataKeys};
use contactpoint_settings::{Directories, Settings};
use contactpoint_store::{KeyMove, Store, StoreError};
use std::future::Future;
use std::sync::Arc;

/// In an entry's changes: an epoch of the entry key; row: which; version 1 ordered, what the operation says; 2 gone.
const ENTRY_EPOCH: u8 = 80;
/// The same of the record key.
const RECORD_EPOCH: u8 = 81;
/// What both officers ordered, before anything of it is done.
const ORDERED: u32 = 1;
/// Said of a key when it is gone, and never before.
const GONE: u32 = 2;
/// Children in one entry, at most: a destroyed record takes some sixty bytes of its entry, which has 65,535.
const CHILDREN: usize = 500;
/// Rows whose keys are moved by one durable commit.
const SLICE: u32 = 1000;
/// What every one of the verbs asks for at its end.
const KEEP_A_COPY: &str =
    "Copy data-keys.toml to where the token's backup is kept, in the place of the former copy, and make the token's backup anew.";

/// Arguments of `new-entry-epoch`.
#[derive(Debug, clap::Args)]
pub(crate) struct NewEntryEpoch {
    #[command(flatten)]
    officers: officers::Arguments,
}

/// Arguments of `destroy-entry-epoch`.
#[derive(Debug, clap::Args)]
pub(crate) struct DestroyEntryEpoch {
    /// Which epoch; never the one in use
    epoch: u32,
    #[command(flatten)]
    officers: officers::Arguments,
}

/// Arguments of `destroy-records`.
#[derive(Debug, clap::Args)]
pub(crate) struct DestroyRecords {
    /// The children's numbers; none to finish what was cut off
    #[arg(value_parser = child_number)]
    children: Vec<ChildNumber>,
    #[command(flatten)]
    officers: officers::Arguments,
}

fn child_number(text: &str) -> Result<ChildNumber, String> {
    // the value stays out of the sentence: it would be on a screen and in a shell's log
    ChildNumber::try_from(text).map_err(|fault| fault.why.to_owned())
}

pub(crate) fn run_new_entry_epoch(arguments: NewEntryEpoch, directories: &Directories) -> Result<String, OperatorError> {
    let settings = Settings::load(&directories.configuration)?;
    let bench = Bench { directories, settings: &settings, clock: Clock::system() };
    let epoch = bench.new_entry_epoch(&arguments.officers.typed()?)?;
    Ok(format!("Epoch {epoch} of the entry key is in use from the daemon's next start on. {KEEP_A_COPY}"))
}

pub(crate) fn run_destroy_entry_epoch(arguments: DestroyEntryEpoch, directories: &Directories) -> Result<String, OperatorError> {
    let settings = Settings::load(&directories.configuration)?;
    let bench = Bench { directories, settings: &settings, clock: Clock::system() };
    bench.destroy_entry_epoch(arguments.epoch, &arguments.officers.typed()?)?;
    Ok(format!(
        "Epoch {} of the entry key is destroyed: its entries open nowhere, and the log verifies as before. \
         Destroy contactpoint-entries-{} in every backup of the token too. {KEEP_A_COPY}",
        arguments.epoch, arguments.epoch
    ))
}

pub(crate) fn run_destroy_records(arguments: DestroyRecords, directories: &Directories) -> Result<String, OperatorError> {
    let settings = Settings::load(&directories.configuration)?;
    let bench = Bench { directories, settings: &settings, clock: Clock::system() };
    let Rotated { ended, own } = bench.destroy_records(&arguments.children, &arguments.officers.typed()?)?;
    Ok(if own {
        format!(
            "The records are destroyed, in every copy of the store too: contactpoint-records-{ended} is gone from the HSM. \
             Destroy it in every backup of the token as well. {KEEP_A_COPY}"
        )
    } else {
        format!(
            "The records are destroyed in this store. Copies of it and of data-keys.toml that were made before still open with the HSM, because \
             epoch {ended} was begun by a version before 0.4: destroy those copies. From now on that is not so. {KEEP_A_COPY}"
        )
    })
}

/// What the verbs work on.
pub struct Bench<'a> {
    /// The appliance's directories.
    pub directories: &'a Directories,
    /// Its settings.
    pub settings: &'a Settings,
    /// The time.
    pub clock: Clock,
}

/// The epoch of the record key that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    /// Which.
    pub ended: u32,
    /// It had a key of its own in the HSM, which is destroyed.
    pub own: bool,
}

impl Bench<'_> {
    /// Begins the next epoch of the entry key; returns which.
    pub fn new_entry_epoch(&self, typed: &BothTyped) -> Result<u32, OperatorError> {
        let of = Renewable::Entries;
        let (wrapped, open) = self.opened(StateLock::taken(&self.directories.state)?)?;
        let epoch = wrapped.epoch(of.name()) + 1;
        let lock = finished(open, |store, custody| async move {
            let two = officers::proved(&store, custody, &self.clock, typed).await?;
            self.ordered(&store, two, Operation::NewEntryEpoch, &[], &[change(ENTRY_EPOCH, epoch, ORDERED)]).await
        })?;
        let (_, Open { custody, .. }) = self.opened(lock)?;
        self.put(&custody, &custody.begin_epoch(of, &wrapped)?)?;
        Ok(epoch)
    }

    /// Destroys an epoch of the entry key that is not in use.
    pub fn destroy_entry_epoch(&self, epoch: u32, typed: &BothTyped) -> Result<(), OperatorError> {
        let of = Renewable::Entries;
        let (wrapped, open) = self.opened(StateLock::taken(&self.directories.state)?)?;
        let ending = wrapped.ending(of, epoch)?;
        let lock = finished(open, |store, custody| async move {
            let two = officers::proved(&store, custody, &self.clock, typed).await?;
            self.ordered(&store, two, Operation::DestroyEntryEpoch, &[], &[change(ENTRY_EPOCH, epoch, ORDERED)]).await
        })?;
        self.end(lock, of, epoch, ending)
    }

    /// Destroys children's records, and then the epoch of the record key that they were under. Without children it moves on what was cut off, or
    /// all records to a new epoch.
    pub fn destroy_records(&self, children: &[ChildNumber], typed: &BothTyped) -> Result<Rotated, OperatorError> {
        let of = Renewable::Records;
        let (wrapped, open) = self.opened(StateLock::taken(&self.directories.state)?)?;
        let epochs = wrapped.epochs(of);
        let is_under_way = epochs.len() > 1;
        if is_under_way && !children.is_empty() {
            let why = "a destruction was cut off and is under way: run destroy-records without numbers first".to_owned();
            return Err(OperatorError::Argument { what: "the numbers", why });
        }
        let ended = epochs.first().copied().unwrap_or_default();
        let children = &each_once(children);
        let lock = finished(open, |store, custody| async move {
            let two = officers::proved(&store, custody, &self.clock, typed).await?;
            // INVARIANT: what was settled to be a child's goes with it, and the order names it
            let children = &store.with_settled(children).await?;
            self.ordered(&store, two, Operation::DestroyRecords, children, &[change(RECORD_EPOCH, ended, ORDERED)]).await?;
            self.marked(&store, two, children).await
        })?;
        let lock = if is_under_way { lock } else { self.begun(lock, &wrapped)? };
        let (wrapped, open) = self.opened(lock)?;
        let lock = finished(open, |store, _| async move { moved(&store).await })?;
        match wrapped.ending(of, ended) {
            Ok(ending) => self.end(lock, of, ended, ending).map(|()| Rotated { ended, own: true }),
            Err(KeyError::NotErasable { .. }) => {
                wrapped.left(of, ended).replace(&data_keys_file(self.directories))?;
                drop(self.opened(lock)?);
                Ok(Rotated { ended, own: false })
            }
            Err(fault) => Err(fault.into()),
        }
    }

    fn begun(&self, lock: StateLock, wrapped: &WrappedDataKeys) -> Result<StateLock, OperatorError> {
        let (_, Open { custody, lock, .. }) = self.opened(lock)?;
        self.put(&custody, &custody.begin_epoch(Renewable::Records, wrapped)?)?;
        Ok(lock)
    }

    /// The end of an epoch that nothing needs: marked in the file, destroyed in the HSM, told in the log, and then taken out of the file.
    fn end(&self, lock: StateLock, of: Renewable, epoch: u32, ending: WrappedDataKeys) -> Result<(), OperatorError> {
        let file = data_keys_file(self.directories);
        ending.replace(&file)?;
        let (_, Open { custody, lock, .. }) = self.opened(lock)?;
        custody.destroy_epoch(of, epoch, &ending)?;
        drop(custody);
        // INVARIANT: everything that must open opens without the key before the log says that it is gone
        let (_, open) = self.opened(lock)?;
        let (operation, table) = match of {
            Renewable::Entries => (Operation::EntryEpochGone, ENTRY_EPOCH),
            Renewable::Records => (Operation::RecordEpochGone, RECORD_EPOCH),
        };
        let entry = Entry { changes: vec![change(table, epoch, GONE)], ..blank(self.clock.now().wall, operation) };
        let lock = finished(open, |store, _| async move {
            store.change(move |_| Ok(((), entry))).await?.into_inner();
            Ok(())
        })?;
        ending.without(of, epoch).replace(&file)?;
        drop(lock);
        Ok(())
    }

    /// Puts the keys in their place, once all of them open.
    fn put(&self, custody: &Custody, keys: &WrappedDataKeys) -> Result<(), OperatorError> {
        for of in [Renewable::Records, Renewable::Entries] {
            drop(custody.unwrap_epochs(of, keys)?);
        }
        Ok(keys.replace(&data_keys_file(self.directories))?)
    }

    /// Both officers' order, in the log before anything is done (rule F1): of many children, in as many entries as it takes.
    async fn ordered(
        &self,
        store: &Store,
        two: TwoOfficers,
        operation: Operation,
        children: &[ChildNumber],
        changes: &[Change],
    ) -> Result<(), OperatorError> {
        for officer in two.both() {
            for children in pieces(children) {
                let entry = Entry { children, changes: changes.to_vec(), ..self.by(officer, operation) };
                store.change(move |_| Ok(((), entry))).await?.into_inner();
            }
        }
        Ok(())
    }

    /// Destroys each record in the store that is in use, so many in one change; where there is one that never was a child's, none of them. Those that
    /// a run which was cut off has destroyed are passed over.
    async fn marked(&self, store: &Store, two: TwoOfficers, children: &[ChildNumber]) -> Result<(), OperatorError> {
        let [officer, _] = two.both();
        let mut not_yet_known = children.to_vec();
        for piece in pieces(children).filter(|piece| !piece.is_empty()) {
            // nobody else writes meanwhile: what the first change finds is there for all
            let known = std::mem::take(&mut not_yet_known);
            let mut entry = self.by(officer, Operation::DestroyRecord);
            let destroyed = store.change(move |tx| {
                for number in known {
                    if tx.child(&number)?.is_none() && !tx.is_destroyed(&number)? {
                        return Err(StoreError::Unknown("child"));
                    }
                }
                for number in piece {
                    if !tx.is_destroyed(&number)? {
                        tx.destroy_child(&number)?;
                        entry.children.push(number);
                    }
                }
                Ok(((), entry))
            });
            destroyed.await?.into_inner();
        }
        // also what an earlier run that was cut off left behind
        Ok(store.forget_destroyed().await?)
    }

    fn by(&self, officer: Officer, operation: Operation) -> Entry {
        Entry {
            person: Some(officer.person),
            organisation: Some(officer.organisation),
            role: Some(officer.role),
            ..blank(self.clock.now().wall, operation)
        }
    }

    fn opened(&self, lock: StateLock) -> Result<(WrappedDataKeys, Open), OperatorError> {
        let wrapped = WrappedDataKeys::load(&data_keys_file(self.directories))?;
        let Appliance { custody, store, token_head, lock, .. } = open_locked(self.directories, self.settings, lock)?;
        Ok((wrapped, Open { custody, store, token_head, lock }))
    }
}

/// The appliance in the hands of a verb.
struct Open {
    custody: Arc<Custody>,
    store: contactpoint_store::Resting,
    token_head: TokenHead,
    lock: StateLock,
}

/// Does something with the store, signs the head over it, keeps that on the token, and closes the store.
fn finished<F>(open: Open, work: impl FnOnce(Store, Arc<Custody>) -> F) -> Result<StateLock, OperatorError>
where
    F: Future<Output = Result<(), OperatorError>>,
{
    let Open { custody, store, token_head, lock } = open;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // nobody is served here, and nothing comes from outside
    let store = store.begin_unlocked().map_err(ApplianceError::from)?;
    runtime.block_on(async move {
        let done = work(store.clone(), custody).await;
        // whatever came of it is in the log: an attempt too
        store.checkpoint().await?;
        token_head.keep(&store.log_checkpoint().unwrap_or_default())?;
        store.note_head_kept().await?;
        store.close().await?;
        done
    })?;
    Ok(lock)
}

/// Moves every key to the epoch in use, and looks whether none was left behind, in whatever table.
async fn moved(store: &Store) -> Result<(), OperatorError> {
    let mut at = KeyMove::default();
    while store.move_keys(&mut at, SLICE).await? > 0 {}
    match store.unmoved().await?.into_iter().next() {
        None => Ok(()),
        Some(left) => Err(OperatorError::Left { table: left.table, rows: left.rows }),
    }
}

fn each_once(children: &[ChildNumber]) -> Vec<ChildNumber> {
    let mut children = children.to_vec();
    children.sort_unstable();
    children.dedup();
    children
}

/// As many children as one entry tells of, at a time; one piece of none where there are none.
fn pieces(children: &[ChildNumber]) -> impl Iterator<Item = Vec<ChildNumber>> + '_ {
    let none = children.is_empty().then(Vec::new);
    children.chunks(CHILDREN).map(<[ChildNumber]>::to_vec).chain(none)
}

const fn change(table: u8, epoch: u32, version: u32) -> Change {
    Change { table, row: epoch as i64, version, digest: [0; 16] }
}

fn blank(at: Instant, operation: Operation) -> Entry {
    Entry {
        at,
        person: None,
        organisation: None,
        role: None,
        operation,
        reason: None,
        children: Vec::new(),
        shown: Vec::new(),
        outcome: Outcome::Answered,
        changes: Vec::new(),
        on_behalf_of: None,
        facts: Vec::new(),
    }
}
