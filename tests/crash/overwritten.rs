//! The store's file overwritten in place while the daemon runs, as `dd conv=notrunc` or `cp` over it do: the inode stays, the bytes are others.
//!
//! Somebody was at the files, so the daemon ends as it does for a file that was taken away, and leaves everything as it is: the write-ahead log has
//! entries that are nowhere else. Does not promise: to notice before a page is read or a moment has passed.

use contactpoint_support::{request, Programs, Rig};
use http::Method;
use serde_json::json;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_store_that_is_overwritten_while_the_daemon_runs_ends_it_with_83_and_its_write_ahead_log_stays() {
    // G3: what was altered is noticed; F1: nothing is answered that is not in the log; F2: what is there is evidence
    let mut rig = Rig::started(Programs::beside(env!("CARGO_BIN_EXE_contactpointd")), None);
    let attempt = |at: usize| {
        request(Method::POST, "/v1/session", None, Some(&json!({"login": format!("nobody.{at}"), "password": "x", "code": "000000"})))
    };
    drop(rig.control(attempt(0)).await.expect_status(401));
    let [database, log] = ["store.db", "store.db-wal"].map(|name| rig.place.state().join(name));
    let inode = |path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
    let before = inode(&database);
    let bytes = vec![0x5a; usize::try_from(fs::metadata(&database).unwrap().len()).unwrap()];
    File::options().write(true).open(&database).unwrap().write_all_at(&bytes, 0).unwrap();
    assert_eq!(inode(&database), before, "in place");

    let begun = Instant::now();
    let ended = rig.ended();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let said = rig.log();
    assert_eq!(ended.code(), Some(83), "{said}");
    let last = said.lines().last().unwrap_or("");
    assert!(last.contains("overwritten in place") && last.contains("call the accreditor"), "{said}");
    assert!(fs::metadata(&log).unwrap().len() > 0, "what was answered is in the write-ahead log");
    assert!(fs::read(&database).unwrap() == bytes, "and nothing was copied into what is there");

    // nor does the next start, by the mark, nor the one after it, which the first page refuses: whoever closes the file last would copy what is there and remove it
    let (kept, mark) = (fs::read(&log).unwrap(), rig.place.state().join("store-overwritten"));
    for is_judged in [false, true] {
        if is_judged {
            fs::remove_file(&mark).unwrap();
        }
        assert!(rig.try_start().is_err());
        let last = rig.log().lines().last().unwrap_or("").to_owned();
        assert_eq!(last.contains(&*mark.to_string_lossy()), !is_judged, "{last}");
        assert!(fs::read(&database).unwrap() == bytes && fs::read(&log).unwrap() == kept, "byte for byte");
    }
}
