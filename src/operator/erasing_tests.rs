//! Erasure on SoftHSM2 and SQLCipher, and what somebody has of it who kept the whole state directory from before (rules F2, G2, I2).

use crate::custody::{data_keys_file, open_appliance, open_custody, options, unwrapped, Appliance, ApplianceError, HsmSigner};
use crate::erasing::{Bench, Rotated};
use crate::error::OperatorError;
use crate::officers::{BothTyped, Typed};
use crate::rig::{Site, MORNING};
use crate::state_lock::StateLock;
use crate::Held;
use contactpoint_audit::{Entry, Logged, Operation, Outcome, Receipt};
use contactpoint_domain::{
    ChildNumber, ChildRecord, DateOfBirth, Gender, Instant, Involvement, Name, OrganisationId, PersonId, Provenance, Statement, Texts,
};
use contactpoint_identity::Clock;
use contactpoint_keys::{KeyError, Renewable, WrappedDataKeys};
use contactpoint_settings::Directories;
use contactpoint_store::{KeyMove, OpenError, Receipts, Store, StoreError};
use std::future::Future;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

fn entry(operation: Operation, children: Vec<ChildNumber>) -> Entry {
    Entry {
        at: MORNING,
        person: Some(PersonId(1)),
        organisation: Some(OrganisationId(1)),
        role: None,
        operation,
        reason: None,
        children,
        shown: Vec::new(),
        outcome: Outcome::Answered,
        changes: Vec::new(),
        on_behalf_of: None,
        facts: Vec::new(),
    }
}

fn number(n: u32) -> ChildNumber {
    ChildNumber::with_body(100_000_000 + n)
}

fn child(n: u32) -> ChildRecord {
    let family = ["Ashgrove", "Carrow", "Eastlake"][n as usize % 3];
    let statement = Statement {
        provenance: Provenance { source: OrganisationId(1), author: PersonId(1), at: MORNING },
        name: Name { given: "Iona".try_into().unwrap(), family: family.try_into().unwrap() },
        former_names: Vec::new(),
        date_of_birth: DateOfBirth::of(2015, 2, 4).unwrap(),
        gender: Gender::Female,
        address: None,
        nhs_number: None,
        unique_pupil_number: None,
        carers: Vec::new(),
        involvement: Involvement::default(),
    };
    ChildRecord::new(number(n), OrganisationId(1), statement)
}

/// A site after its ceremony, with three children of whom the first was looked at; both officers have signed the agreement.
struct Kept {
    site: Site,
    held: Held,
    looked: Logged,
    receipt: Receipt,
}

fn with_store<T, F: Future<Output = T>>(appliance: Appliance, work: impl FnOnce(Store) -> F) -> T {
    let Appliance { store, token_head, lock: _lock, .. } = appliance;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = store.begin_unlocked().unwrap();
    runtime.block_on(async move {
        let done = work(store.clone()).await;
        store.checkpoint().await.unwrap();
        token_head.keep(&store.log_checkpoint().unwrap()).unwrap();
        store.close().await.unwrap();
        done
    })
}

fn kept(label: &str) -> Kept {
    let site = Site::new(label);
    let held = site.hold_ceremony().unwrap();
    let people = [held.officer.id, held.owner.id];
    let (looked, receipt) = with_store(open_appliance(&site.directories, &site.settings()).unwrap(), |store| async move {
        let set_up = store.change(move |tx| {
            for person in people {
                let mut account = tx.account(person)?.unwrap();
                account.checks.agreement = Some((Texts::IN_FORCE.agreement, MORNING.day()));
                tx.put_account(&account)?;
            }
            (0..3).try_for_each(|n| tx.add_child(&child(n)))?;
            Ok(((), entry(Operation::Feed, Vec::new())))
        });
        set_up.await.unwrap().into_inner();
        let looked = view(&store, 0).await.unwrap().1;
        store.checkpoint().await.unwrap();
        (looked, Receipts::of(store.clone()).receipt(looked.index).unwrap().unwrap())
    });
    Kept { site, held, looked, receipt }
}

async fn view(store: &Store, n: u32) -> Result<(bool, Logged), StoreError> {
    let viewed = store.look(|snapshot| Ok((snapshot.child(&number(n))?.is_some(), entry(Operation::View, vec![number(n)])))).await?;
    let logged = viewed.logged();
    Ok((viewed.into_inner(), logged))
}

/// The entries of looks at the first child, the newest first.
async fn seen(store: &Store) -> Vec<u64> {
    store.index_looks().await.unwrap();
    let asked = store.look(|snapshot| {
        let looks = snapshot.looks_at(&number(0), None, 100)?;
        Ok((looks.iter().map(|look| look.index).collect(), entry(Operation::WhoSaw, Vec::new())))
    });
    asked.await.unwrap().into_inner()
}

/// The newest operations in the log, the newest first, with what they say of an epoch.
fn newest(store: &Store, most: u32) -> Vec<(Operation, Option<i64>)> {
    let mut found = Vec::new();
    let read = store.newest_entries(most, |entry| {
        found.push((entry.operation, entry.changes.iter().find(|change| change.table >= 80).map(|change| change.row)));
        ControlFlow::Continue(())
    });
    read.unwrap();
    found
}

impl Kept {
    /// The bench a so many minutes later: a code is good once.
    fn bench<'a>(&'a self, settings: &'a contactpoint_settings::Settings, minutes: u64) -> Bench<'a> {
        Bench { directories: &self.site.directories, settings, clock: Clock::dangerous_fixed(later(minutes)) }
    }

    fn typed(&self, minutes: u64) -> BothTyped {
        let one = |enrolled: &crate::Enrolled| {
            let secret = data_encoding::BASE32_NOPAD.decode(enrolled.secrets.expose_code_secret().as_bytes()).unwrap();
            let code = totp_rs::Builder::new().with_secret(secret).build().unwrap().generate(later(minutes).seconds()).to_string();
            Typed {
                login: enrolled.login.as_str().to_owned(),
                password: zeroize::Zeroizing::new(enrolled.secrets.expose_password().to_owned()),
                code,
            }
        };
        BothTyped { officer: one(&self.held.officer), owner: one(&self.held.owner) }
    }

    fn opened(&self) -> Result<Appliance, ApplianceError> {
        open_appliance(&self.site.directories, &self.site.settings())
    }

    /// The whole state directory, as somebody keeps a copy of it.
    fn copied(&self) -> TempDir {
        let copy = TempDir::new().unwrap();
        for file in std::fs::read_dir(&self.site.directories.state).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        copy
    }

    /// The appliance with a copy in the place of its state, beside the same token, as the daemon would open it.
    fn beside(&self, state: &Path) -> Result<Appliance, ApplianceError> {
        let directories = Directories { state: state.to_owned(), ..self.site.directories.clone() };
        open_appliance(&directories, &self.site.settings())
    }

    /// A copy's store under these wrapped keys, without asking the token for the log's head: by somebody with the HSM and its PIN, and this code.
    fn forced(&self, state: &Path, data_keys: &Path) -> Result<Store, ApplianceError> {
        let settings = self.site.settings();
        let custody = open_custody(&self.site.directories, &settings)?;
        let keys = unwrapped(&custody, &WrappedDataKeys::load(data_keys)?)?;
        let signer = HsmSigner::new(custody, settings.log.origin.as_str())?;
        Ok(Store::open(state, keys, options(&settings), Arc::new(signer))?.begin_unlocked()?)
    }

    fn data_keys(&self) -> PathBuf {
        data_keys_file(&self.site.directories)
    }

    fn verifies(&self) {
        self.receipt.verify(&self.looked, &self.held.verifier_keys[0]).unwrap();
    }
}

fn later(minutes: u64) -> Instant {
    MORNING.plus_seconds(60 * minutes)
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn is_missing(opened: Result<Store, ApplianceError>, wanted: &str) -> bool {
    matches!(opened.err().unwrap(), ApplianceError::Keys(KeyError::Missing { label }) if label == wanted)
}

#[test]
fn a_destroyed_entry_epoch_opens_from_no_copy_beside_the_same_token_and_the_log_stays_whole() {
    // F2: destroying an epoch's key makes its entries unreadable everywhere, and leaves the tree and every proof valid; G2: two officers
    let kept = kept("erase-entries");
    let settings = kept.site.settings();
    assert_eq!(kept.bench(&settings, 1).new_entry_epoch(&kept.typed(1)).unwrap(), 2);
    with_store(kept.opened().unwrap(), |store| async move {
        assert_eq!(store.entry_epochs(), [2, 1]);
        view(&store, 0).await.unwrap();
        assert_eq!(seen(&store).await.len(), 2, "both epochs open");
    });
    let copy = kept.copied();
    let copied_keys = copy.path().join("data-keys.toml");
    block_on(async {
        let store = kept.forced(copy.path(), &copied_keys).unwrap();
        assert_eq!(seen(&store).await.len(), 2, "the copy opens as long as nothing is destroyed: this test can fail");
        store.close().await.unwrap();
    });

    let in_use = kept.bench(&settings, 2).destroy_entry_epoch(2, &kept.typed(2));
    assert!(matches!(in_use, Err(OperatorError::Keys(KeyError::EpochInUse { epoch: 2, .. }))));
    kept.bench(&settings, 2).destroy_entry_epoch(1, &kept.typed(2)).unwrap();
    let again = kept.bench(&settings, 3).destroy_entry_epoch(1, &kept.typed(3));
    assert!(matches!(again, Err(OperatorError::Keys(KeyError::NoSuchEpoch { epoch: 1, .. }))));
    with_store(kept.opened().unwrap(), |store| async move {
        assert_eq!((store.entry_epochs(), seen(&store).await.len()), (vec![2], 1));
        let told = newest(&store, 8);
        assert!(told.contains(&(Operation::EntryEpochGone, Some(1))), "{told:?}");
        assert_eq!(told.iter().filter(|one| **one == (Operation::DestroyEntryEpoch, Some(1))).count(), 2, "each of the two: {told:?}");
    });

    // the copy: not with its own keys, not with the new ones, and the daemon would not start on it either
    assert!(is_missing(kept.forced(copy.path(), &copied_keys), "contactpoint-entries-1"));
    block_on(async {
        let store = kept.forced(copy.path(), &kept.data_keys()).unwrap();
        assert_eq!(seen(&store).await.len(), 1);
        store.checkpoint().await.unwrap();
        let proof = Receipts::of(store.clone()).receipt(kept.looked.index).unwrap().unwrap();
        proof.verify(&kept.looked, &kept.held.verifier_keys[0]).unwrap();
        store.close().await.unwrap();
    });
    kept.verifies();
    std::fs::copy(kept.data_keys(), &copied_keys).unwrap();
    let started = kept.beside(copy.path()).err().unwrap();
    assert!(matches!(started, ApplianceError::Store(OpenError::SetBack { .. } | OpenError::OtherHistory { .. })), "{started}");
}

#[test]
fn a_destroyed_record_opens_from_no_copy_beside_the_same_token_and_the_others_go_on() {
    // I2: destroyed, by destroying its key; proof in the log
    let kept = kept("erase-records");
    let settings = kept.site.settings();
    let copy = kept.copied();
    let copied_keys = copy.path().join("data-keys.toml");
    let unknown = kept.bench(&settings, 1).destroy_records(&[number(0), number(7)], &kept.typed(1));
    assert!(matches!(unknown, Err(OperatorError::Store(StoreError::Unknown("child")))));
    let rotated = kept.bench(&settings, 2).destroy_records(&[number(0)], &kept.typed(2)).unwrap();
    assert_eq!(rotated, Rotated { ended: 1, own: true });
    with_store(kept.opened().unwrap(), |store| async move {
        assert_eq!(store.record_epochs(), [2]);
        let found = [view(&store, 0).await.unwrap().0, view(&store, 1).await.unwrap().0, view(&store, 2).await.unwrap().0];
        assert_eq!(found, [false, true, true]);
        let told = newest(&store, 8);
        assert!(told.contains(&(Operation::RecordEpochGone, Some(1))) && told.contains(&(Operation::DestroyRecord, None)), "{told:?}");
        assert!(seen(&store).await.len() >= 2, "who saw the child is still told");
    });
    kept.verifies();

    assert!(is_missing(kept.forced(copy.path(), &copied_keys), "contactpoint-records-1"));
    block_on(async {
        let store = kept.forced(copy.path(), &kept.data_keys()).unwrap();
        assert!(matches!(view(&store, 0).await, Err(StoreError::Damaged { table: "child", .. })));
        store.checkpoint().await.unwrap();
        let proof = Receipts::of(store.clone()).receipt(kept.looked.index).unwrap().unwrap();
        proof.verify(&kept.looked, &kept.held.verifier_keys[0]).unwrap();
        store.close().await.unwrap();
    });
}

/// What the log says of epochs, the oldest first: operation and version.
fn said_of_epochs(store: &Store) -> Vec<(Operation, u32)> {
    let mut said = Vec::new();
    let read = store.newest_entries(100, |entry| {
        said.extend(entry.changes.iter().filter(|change| change.table >= 80).map(|change| (entry.operation, change.version)));
        ControlFlow::Continue(())
    });
    read.unwrap();
    said.reverse();
    said
}

#[test]
fn the_log_says_that_an_epoch_is_gone_after_it_is_and_not_when_it_is_ordered() {
    // F1: what is ordered is in the log before it is done; F2: and what it says has happened
    let kept = kept("erase-order");
    let settings = kept.site.settings();
    kept.bench(&settings, 1).new_entry_epoch(&kept.typed(1)).unwrap();
    for never in [0, 3] {
        let refused = kept.bench(&settings, 2).destroy_entry_epoch(never, &kept.typed(2));
        assert!(matches!(refused, Err(OperatorError::Keys(KeyError::NoSuchEpoch { epoch, .. })) if epoch == never));
    }
    kept.bench(&settings, 3).destroy_entry_epoch(1, &kept.typed(3)).unwrap();
    kept.bench(&settings, 4).destroy_records(&[number(0)], &kept.typed(4)).unwrap();
    with_store(kept.opened().unwrap(), |store| async move {
        let (ordered, gone) = (1, 2);
        let expected = [
            (Operation::DestroyEntryEpoch, ordered),
            (Operation::DestroyEntryEpoch, ordered),
            (Operation::EntryEpochGone, gone),
            (Operation::DestroyRecords, ordered),
            (Operation::DestroyRecords, ordered),
            (Operation::RecordEpochGone, gone),
        ];
        assert_eq!(said_of_epochs(&store), expected, "of what is not erased");
    });
}

#[test]
fn more_children_than_one_entry_has_room_for_are_destroyed_by_one_order_that_may_be_cut_off() {
    // I2: destroyed; F1: each of them is in the log, whatever one entry has room for
    let kept = kept("erase-many");
    let settings = kept.site.settings();
    with_store(kept.opened().unwrap(), |store| async move {
        for from in (3..2503).step_by(500) {
            let added = store.change(move |tx| {
                (from..from + 500).try_for_each(|n| tx.add_child(&child(n)))?;
                Ok(((), entry(Operation::Feed, Vec::new())))
            });
            added.await.unwrap().into_inner();
        }
        // a run that was cut off has destroyed some
        let some = store.change(|tx| {
            (3..503).try_for_each(|n| tx.destroy_child(&number(n)))?;
            Ok(((), entry(Operation::DestroyRecord, Vec::new())))
        });
        some.await.unwrap().into_inner();
    });
    let all: Vec<ChildNumber> = (2..2503).chain([2]).map(number).collect();
    let with_a_stranger = [all.as_slice(), &[number(9000)]].concat();
    let refused = kept.bench(&settings, 1).destroy_records(&with_a_stranger, &kept.typed(1));
    assert!(matches!(refused, Err(OperatorError::Store(StoreError::Unknown("child")))));
    with_store(kept.opened().unwrap(), |store| async move { assert!(view(&store, 600).await.unwrap().0, "then none of them") });
    assert_eq!(kept.bench(&settings, 2).destroy_records(&all, &kept.typed(2)).unwrap(), Rotated { ended: 1, own: true });
    with_store(kept.opened().unwrap(), |store| async move {
        for (n, is_there) in [(0, true), (1, true), (2, false), (3, false), (503, false), (2502, false)] {
            assert_eq!(view(&store, n).await.unwrap().0, is_there, "{n}");
        }
        let told = newest(&store, 100);
        assert_eq!(told.iter().filter(|(operation, _)| *operation == Operation::DestroyRecord).count(), 1 + 6, "{told:?}");
    });
}

#[test]
fn a_destruction_that_was_cut_off_while_keys_were_moved_serves_and_is_taken_up_again() {
    // I2: what stays is never lost; G2: nothing is destroyed before all that stays is elsewhere
    let kept = kept("erase-cut-off");
    let settings = kept.site.settings();
    let custody = open_custody(&kept.site.directories, &settings).unwrap();
    let one = WrappedDataKeys::load(&kept.data_keys()).unwrap();
    custody.begin_epoch(Renewable::Records, &one).unwrap().replace(&kept.data_keys()).unwrap();
    with_store(kept.opened().unwrap(), |store| async move {
        assert_eq!(store.record_epochs(), [2, 1]);
        assert_eq!(store.move_keys(&mut KeyMove::default(), 2).await.unwrap(), 2);
        assert!(view(&store, 0).await.unwrap().0 && view(&store, 2).await.unwrap().0, "it serves");
    });
    let more = kept.bench(&settings, 1).destroy_records(&[number(0)], &kept.typed(1));
    assert!(matches!(&more, Err(OperatorError::Argument { why, .. }) if why.contains("without numbers first")));
    assert_eq!(kept.bench(&settings, 2).destroy_records(&[], &kept.typed(2)).unwrap(), Rotated { ended: 1, own: true });
    with_store(kept.opened().unwrap(), |store| async move {
        assert_eq!(store.record_epochs(), [2]);
        for n in 0..3 {
            assert!(view(&store, n).await.unwrap().0, "{n}");
        }
    });
    drop(custody);
}

#[test]
fn an_end_that_was_cut_off_behind_the_hsm_is_no_lost_key_and_is_finished_by_the_same_verb() {
    // G2: a key that is missing keeps the directory down, unless it was being destroyed
    let kept = kept("erase-half");
    let settings = kept.site.settings();
    kept.bench(&settings, 1).new_entry_epoch(&kept.typed(1)).unwrap();
    let custody = open_custody(&kept.site.directories, &settings).unwrap();
    let ending = WrappedDataKeys::load(&kept.data_keys()).unwrap().ending(Renewable::Entries, 1).unwrap();
    ending.replace(&kept.data_keys()).unwrap();
    custody.destroy_epoch(Renewable::Entries, 1, &ending).unwrap();
    with_store(kept.opened().unwrap(), |store| async move { assert_eq!(store.entry_epochs(), [2]) });
    kept.bench(&settings, 2).destroy_entry_epoch(1, &kept.typed(2)).unwrap();
    assert_eq!(WrappedDataKeys::load(&kept.data_keys()).unwrap().epochs(Renewable::Entries), [2]);
    drop(custody);
}

#[test]
fn one_officer_alone_a_wrong_code_and_a_running_daemon_change_no_key() {
    // G2: takes two officers; F1: one writer of the log
    let kept = kept("erase-officers");
    let settings = kept.site.settings();
    let before = std::fs::read(kept.data_keys()).unwrap();
    let refused = |typed: BothTyped, minutes| kept.bench(&settings, minutes).new_entry_epoch(&typed).unwrap_err();
    let twice = BothTyped { owner: kept.typed(2).officer, officer: kept.typed(1).officer };
    let wrong = BothTyped { owner: Typed { code: "000000".to_owned(), ..kept.typed(4).owner }, ..kept.typed(4) };
    for (typed, minutes) in [(twice, 1), (wrong, 4)] {
        let refusal = refused(typed, minutes);
        assert!(matches!(refusal, OperatorError::NotTwoOfficers(_)), "{refusal}");
        assert_eq!(refusal.exit_status(), 77);
    }
    let held = StateLock::taken(&kept.site.directories.state).unwrap();
    let refusal = refused(kept.typed(9), 9);
    assert!(matches!(refusal, OperatorError::Appliance(ApplianceError::InUse(_))) && refusal.to_string().contains("systemctl stop"));
    assert_eq!((refusal.exit_status(), std::fs::read(kept.data_keys()).unwrap()), (69, before));
    drop(held);
    assert_eq!(kept.bench(&settings, 30).new_entry_epoch(&kept.typed(30)).unwrap(), 2);
}

#[test]
fn a_record_that_was_settled_to_be_a_child_s_is_destroyed_with_the_child() {
    // I2: destroyed, also what was said of the child under another number until somebody settled it; F1: and the order names both
    let kept = kept("erase-settled");
    let settings = kept.site.settings();
    with_store(kept.opened().unwrap(), |store| async move {
        let settled = store.change(|tx| {
            let held = tx.child(&number(1))?.unwrap();
            let mut emptied = held.record.clone();
            emptied.statements.clear();
            tx.put_child(&held, &emptied)?;
            Ok(((), entry(Operation::SettleRecord, vec![number(1), number(0)])))
        });
        settled.await.unwrap().into_inner();
    });
    kept.bench(&settings, 1).destroy_records(&[number(0)], &kept.typed(1)).unwrap();
    with_store(kept.opened().unwrap(), |store| async move {
        for (n, is_destroyed) in [(0, true), (1, true), (2, false)] {
            let asked = store.change(move |tx| Ok((tx.is_destroyed(&number(n))?, entry(Operation::View, Vec::new()))));
            assert_eq!(asked.await.unwrap().into_inner(), is_destroyed, "{n}");
        }
        let mut ordered = Vec::new();
        let read = store.newest_entries(100, |entry| {
            ordered.extend((entry.operation == Operation::DestroyRecords).then(|| entry.children.clone()));
            ControlFlow::Continue(())
        });
        read.unwrap();
        assert_eq!(ordered, [[number(0), number(1)], [number(0), number(1)]], "by both officers");
    });
}
