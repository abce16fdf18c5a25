//! The store's files: taken away under the running daemon, which must not go on answering into nothing (rule F1); and after an orderly stop.

use crate::borough::{programs, searched};
use crate::office::{Office, USUAL};
use contactpoint_support::{Enrolment, Rig};

#[tokio::test]
async fn a_store_whose_file_is_gone_answers_nobody_any_more() {
    // F1: if the entry cannot be written, nothing is answered; a trap: the file unlinked while the daemon serves on
    for name in ["store.db", "store.db-wal"] {
        let mut rig = Rig::started(programs(), None);
        let enrolment = Enrolment { name: "Last School", kind: "school", authority: None, capabilities: &["query"] };
        let office = Office::opened(&rig, &enrolment, USUAL).await;
        let desk = office.practitioner();
        let look = || desk.post("/v1/children/search", searched("Nobody", "2014-01-01"));
        drop(look().await.expect_status(200));
        std::fs::remove_file(rig.place.state().join(name)).unwrap();
        assert_eq!(rig.ended().code(), Some(66), "{name}: an exit status of its own");
        let said = rig.log();
        assert!(said.lines().last().is_some_and(|line| line.contains("removed or replaced while it was open")), "{name}: {said}");
    }
}

#[tokio::test]
async fn an_orderly_stop_leaves_the_store_in_one_file_and_what_was_answered_in_it() {
    // F1: what was answered is in the log, also where the write-ahead log has gone with the last connection
    let mut rig = Rig::started(programs(), None);
    let enrolment = Enrolment { name: "Closing School", kind: "school", authority: None, capabilities: &["query"] };
    let office = Office::opened(&rig, &enrolment, USUAL).await;
    let desk = office.practitioner();
    let searched = desk.post("/v1/children/search", searched("Nobody", "2014-01-01")).await.expect_status(200);
    let entry: u64 = searched.headers["log-index"].to_str().unwrap().parse().unwrap();
    assert!(rig.stop().success(), "SIGTERM is no failure");
    let files = std::fs::read_dir(rig.place.state()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.filter(|name| name.starts_with("store.db")).collect::<Vec<_>>(), ["store.db"]);
    rig.start();
    let head = desk.get("/log/checkpoint").await.expect_status(200);
    let size: u64 = std::str::from_utf8(&head.body).unwrap().lines().nth(1).unwrap().parse().unwrap();
    assert!(size > entry, "{size} entries, and entry {entry} was answered");
}
