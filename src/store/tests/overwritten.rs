//! A store's file overwritten in place while it is open: the same inode, other bytes. The engine has pages of its own in memory and would go on.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::Operation;
use contactpoint_store::{OpenError, OpenFault, Store, StoreError};
use rig::{child, create, entry, keys, options, raw, FileSigner, PAGE_KEY};
use std::fs::{self, File, FileTimes};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// A store with so many children that not all of its pages are in memory, opened anew; and something in its write-ahead log.
async fn of_many_children(directory: &Path) -> Store {
    let store = create(directory);
    for from in (0..3000).step_by(500) {
        let added = store.change(move |tx| {
            (from..from + 500).try_for_each(|n| tx.add_child(&child(n)))?;
            Ok(((), entry(Operation::Feed, Vec::new())))
        });
        added.await.unwrap().into_inner();
    }
    store.close().await.unwrap();
    let options = contactpoint_store::Options { page_cache_mib: 1, ..options() };
    let store = Store::open(directory, keys(PAGE_KEY), options, Arc::new(FileSigner::new())).unwrap().begin_unlocked().unwrap();
    store.change(|_| Ok(((), entry(Operation::Feed, Vec::new())))).await.unwrap().into_inner();
    store
}

/// Writes over every page behind the first, as `dd conv=notrunc` does; the file's time is as it was before, where that is asked for.
fn overwrite(file: &Path, keeps_time: bool) {
    let before = fs::metadata(file).unwrap();
    let open = File::options().write(true).open(file).unwrap();
    let bytes = vec![0xa5; usize::try_from(before.len()).unwrap() - 4096];
    open.write_all_at(&bytes, 4096).unwrap();
    if keeps_time {
        open.set_times(FileTimes::new().set_modified(before.modified().unwrap())).unwrap();
    }
}

/// Looks for all of them, until one look fails.
async fn some_look_fails(store: &Store) {
    for n in 0..3000 {
        let number = child(n).number;
        let looked = store.look(|snapshot| Ok((snapshot.child(&number)?.is_some(), entry(Operation::View, vec![number.clone()])))).await;
        if looked.is_err() {
            return;
        }
    }
    panic!("a page that was overwritten was read from somewhere");
}

#[tokio::test]
async fn a_store_that_was_overwritten_in_place_ends_within_a_second_and_is_left_as_it_is() {
    // G3: altered rows are noticed; F1: nothing is answered that is not in the log; F2: what is there is evidence
    for keeps_time in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let store = of_many_children(dir.path()).await;
        let [database, log] = ["store.db", "store.db-wal"].map(|name| dir.path().join(name));
        overwrite(&database, keeps_time);
        let overwritten = fs::read(&database).unwrap();
        if keeps_time {
            some_look_fails(&store).await;
        }
        let begun = Instant::now();
        let ended = store.ended().await;
        assert!(matches!(*ended, StoreError::Overwritten) && ended.to_string().contains("overwritten"), "{ended}");
        assert!(begun.elapsed() < SECOND);
        let kept = fs::read(&log).unwrap();
        assert!(!kept.is_empty());
        assert!(matches!(store.close().await, Err(StoreError::Overwritten)), "the stop that follows does not end well");
        drop(store);
        assert!(fs::read(&database).unwrap() == overwritten && fs::read(&log).unwrap() == kept, "both are left as they were");
    }
}

#[tokio::test]
async fn a_stop_right_after_the_overwriting_copies_nothing_into_it() {
    // F2: the write-ahead log has entries that are nowhere else
    let dir = tempfile::tempdir().unwrap();
    let store = of_many_children(dir.path()).await;
    let log = dir.path().join("store.db-wal");
    overwrite(&dir.path().join("store.db"), false);
    let overwritten = fs::read(dir.path().join("store.db")).unwrap();
    assert!(matches!(store.close().await, Err(StoreError::Overwritten)));
    assert!(fs::metadata(&log).unwrap().len() > 0);
    assert!(fs::read(dir.path().join("store.db")).unwrap() == overwritten);
}

#[tokio::test]
async fn the_next_start_leaves_what_was_overwritten_and_its_write_ahead_log_as_they_are() {
    // F2, G3: a file whose first page does not open is refused, and the last connection that closes copies nothing into it
    let dir = tempfile::tempdir().unwrap();
    let store = of_many_children(dir.path()).await;
    let [database, log] = ["store.db", "store.db-wal"].map(|name| dir.path().join(name));
    let bytes = vec![0x5a; usize::try_from(fs::metadata(&database).unwrap().len()).unwrap()];
    File::options().write(true).open(&database).unwrap().write_all_at(&bytes, 0).unwrap();
    assert!(matches!(*store.ended().await, StoreError::Overwritten));
    drop(store);
    let kept = fs::read(&log).unwrap();
    assert!(!kept.is_empty());
    let mark = dir.path().join("store-overwritten");
    for is_judged in [false, false, true, true] {
        if is_judged && mark.exists() {
            fs::remove_file(&mark).unwrap();
        }
        let refused = rig::open(dir.path()).map(drop).unwrap_err();
        assert!(
            matches!((is_judged, &refused), (false, OpenError::WasOverwritten(told)) if *told == mark)
                || matches!((is_judged, &refused), (true, OpenError::WrongKey)),
            "{refused}"
        );
        assert!(fs::read(&database).unwrap() == bytes && fs::read(&log).unwrap() == kept, "byte for byte");
    }
}

#[tokio::test]
async fn a_store_that_was_overwritten_where_nobody_reads_stays_closed_until_somebody_has_judged_it() {
    // G3: the next start may read none of the pages that are not what was written there
    let dir = tempfile::tempdir().unwrap();
    let store = of_many_children(dir.path()).await;
    let database = dir.path().join("store.db");
    // the same bytes: a store that opens, and whose last change was not ours
    let bytes = fs::read(&database).unwrap();
    std::thread::sleep(SECOND / 20);
    File::options().write(true).open(&database).unwrap().write_all_at(&bytes, 0).unwrap();
    assert!(matches!(*store.ended().await, StoreError::Overwritten));
    drop(store);
    let mark = dir.path().join("store-overwritten");
    for _ in 0..2 {
        assert!(matches!(rig::open(dir.path()), Err(OpenError::WasOverwritten(told)) if told == mark));
    }
    fs::remove_file(&mark).unwrap();
    let store = rig::open(dir.path()).unwrap();
    store.close().await.unwrap();
    assert!(!mark.exists(), "nor is there one where nothing was found");
}

#[tokio::test]
async fn a_store_that_is_overwritten_while_the_writer_waits_to_copy_gets_nothing_copied_into_it() {
    // F2, G3: a look under way holds the copying up for as long as it takes
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let [database, log] = ["store.db", "store.db-wal"].map(|name| dir.path().join(name));
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (tell, begun) = std::sync::mpsc::channel::<()>();
    let (looking, runtime) = (store.clone(), tokio::runtime::Handle::current());
    let look = std::thread::spawn(move || {
        let look = looking.look(|snapshot| {
            let found = snapshot.child(&child(1).number)?.is_some();
            tell.send(()).unwrap();
            let _ = held.recv();
            Ok((found, entry(Operation::View, Vec::new())))
        });
        drop(runtime.block_on(look));
    });
    begun.recv().unwrap();
    let mut from = 0;
    while fs::metadata(&log).map_or(0, |log| log.len()) <= 16 << 20 {
        let added = store.change(move |tx| {
            (from..from + 500).try_for_each(|n| tx.add_child(&child(n)))?;
            Ok(((), entry(Operation::Feed, Vec::new())))
        });
        added.await.unwrap().into_inner();
        from += 500;
    }
    tokio::time::sleep(SECOND / 2).await;
    overwrite(&database, false);
    let [overwritten, kept] = [&database, &log].map(|file| fs::read(file).unwrap());
    drop(release);
    assert!(matches!(*store.ended().await, StoreError::Overwritten));
    assert!(fs::read(&database).unwrap() == overwritten && fs::read(&log).unwrap() == kept, "both are left as they were");
    tokio::task::spawn_blocking(|| look.join()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_store_that_was_overwritten_or_cut_off_while_it_was_closed_is_told_as_altered_and_not_as_a_disk_that_is_away() {
    // G3: an altered store is noticed; F2: somebody was at the files, and trying again is of no use
    let dir = tempfile::tempdir().unwrap();
    of_many_children(dir.path()).await.close().await.unwrap();
    let database = dir.path().join("store.db");
    let whole = fs::read(&database).unwrap();
    overwrite(&database, true);
    let overwritten = rig::open(dir.path()).map(drop).unwrap_err();
    fs::write(&database, &whole[..whole.len() / 2]).unwrap();
    let cut = rig::open(dir.path()).map(drop).unwrap_err();
    for refused in [overwritten, cut] {
        assert!(matches!((&refused, refused.fault()), (OpenError::Altered(_), OpenFault::NotWhole)), "{refused:?}");
    }
    fs::write(&database, &whole).unwrap();
    rig::open(dir.path()).unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_store_that_nobody_overwrites_does_not_end() {
    // F1: answers go on while the write-ahead log is copied; what the test above ends is not what the engine does by itself
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    for from in (0..12_000).step_by(500) {
        let added = store.change(move |tx| {
            (from..from + 500).try_for_each(|n| tx.add_child(&child(n)))?;
            Ok(((), entry(Operation::Feed, Vec::new())))
        });
        added.await.unwrap().into_inner();
        store.probe().await.unwrap();
    }
    tokio::time::sleep(SECOND / 2).await;
    assert!(store.fault().is_none());
    store.close().await.unwrap();
    // and neither does one that was written to by another connection, as a page of ours: the row is told to be damaged, not the file
    let store = rig::open(dir.path()).unwrap();
    raw(dir.path()).execute_batch("UPDATE child SET sealed = (SELECT sealed FROM child WHERE row = 2) WHERE row = 1").unwrap();
    store.probe().await.unwrap();
    let mut file = File::create(dir.path().join("beside")).unwrap();
    file.write_all(b"another file in the folder").unwrap();
    store.probe().await.unwrap();
    store.close().await.unwrap();
}
