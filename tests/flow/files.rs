//! The store's files taken away under the running daemon: it must not go on answering into nothing (rule F1).

use crate::borough::{programs, searched};
use crate::office::{Office, USUAL};
use contactpoint_support::{Enrolment, Rig};

#[tokio::test]
async fn a_store_whose_file_is_gone_answers_nobody_any_more() {
    // F1: if the entry cannot be written, nothing is answered; a trap: the file unlinked while the daemon serves on
    for name in ["store.db", "store.db-wal"] {
        let rig = Rig::started(programs(), None);
        let enrolment = Enrolment { name: "Last School", kind: "school", authority: None, capabilities: &["query"] };
        let office = Office::opened(&rig, &enrolment, USUAL).await;
        let desk = office.practitioner();
        let look = || desk.post("/v1/children/search", searched("Nobody", "2014-01-01"));
        drop(look().await.expect_status(200));
        std::fs::remove_file(rig.place.state().join(name)).unwrap();
        for _ in 0..3 {
            let answer = look().await;
            assert!(["internal", "unavailable"].contains(&answer.code().as_str()), "{name}: {}", answer.status);
        }
        assert!(rig.daemon().log().contains("removed or replaced while it was open"), "{name}");
    }
}
