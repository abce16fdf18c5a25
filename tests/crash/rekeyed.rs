//! contactpointctl killed while it destroys a record: while the keys of all others are moved to a new epoch, and where data-keys.toml is exchanged.
//!
//! The kill is strace's, at a system call: so many writes of pages, or the rename of the file. After each the daemon starts, everybody who stays is
//! found and seen, and whoever was destroyed is not. Does not promise: anything about the HSM's own moment of destroying, which `operator` tests.

use crate::ledger::{search, view};
use crate::Trial;
use contactpoint_support::{request, Programs, Rig};
use http::Method;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Output;

/// The child whose record is destroyed, and how far that has come.
struct Destroyed {
    child: String,
    /// Epochs of the record key, the one in use first.
    epochs: Vec<u64>,
}

impl Destroyed {
    /// Orders it, or that it goes on, and kills what does it at this system call of one of its threads (strace(1), inject=).
    async fn killed_at(&self, rig: &mut Rig, moment: &str) {
        let script = rig.folder().join("contactpointctl-killed");
        let operator = rig.programs.operator.clone();
        let strace = format!("exec strace -f -qqq -o /dev/null -e trace=pwrite64,rename -e inject={moment}:signal=KILL");
        fs::write(&script, format!("#!/bin/sh\n{strace} '{}' \"$@\"\n", operator.display())).expect("a script");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).expect("a program");
        rig.programs = Programs { operator: script, ..rig.programs.clone() };
        let ended = self.ordered(rig).await;
        rig.programs = Programs { operator, ..rig.programs.clone() };
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.signal(), Some(9), "{moment}: {:?} {said}", ended.status);
    }

    async fn ordered(&self, rig: &Rig) -> Output {
        let again = ["destroy-records"];
        let first = ["destroy-records", self.child.as_str()];
        rig.two_officers(if self.epochs == [1] { &first } else { &again }).await
    }

    /// The daemon starts, and what it answers is right.
    async fn leaves_everybody_else(&mut self, trial: &mut Trial, moment: &str) {
        trial.world.rig.start();
        let mut sessions = trial.world.log_in().await;
        for (pupil, child) in trial.roll.pupils.iter().zip(trial.known.iter()).skip(1) {
            assert_eq!(search(&mut sessions.practitioner, pupil).await.child, *child, "{moment}");
            drop(view(&mut sessions.practitioner, child).await);
        }
        let status = trial.world.rig.control(request(Method::GET, "/v1/status", None, None)).await.expect_status(200).json();
        self.epochs = status["record_epochs"].as_array().expect("epochs").iter().filter_map(serde_json::Value::as_u64).collect();
        let asked = json!({"child_number": self.child, "reason": "coordination"});
        let answer = sessions.practitioner.post("/v1/children/view", &asked).await.expect("an answer");
        // whole or destroyed, never half; and destroyed before the next epoch begins
        assert!(answer.status == 404 || (answer.status == 200 && self.epochs == [1]), "{moment}: {} {:?}", answer.status, self.epochs);
        assert!(trial.world.rig.stop().success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_keys_are_moved_loses_nobody_who_stays_and_the_next_run_takes_it_up() {
    // I2: destroyed, by destroying its key; what stays is never lost, wherever it is cut off
    let (mut trial, mut sessions, mut feeder) = Trial::begun(3400).await;
    while feeder.next_line < 3200 {
        feeder.feed_some(&mut sessions.steward, 400).await;
    }
    drop(feeder);
    assert!(trial.world.rig.stop().success());
    let mut destroyed = Destroyed { child: trial.known[0].clone(), epochs: vec![1] };
    let mut seen = Vec::new();
    // before the next epoch is in data-keys.toml; among the pages, of which a thousand rows are some hundreds; before the former epoch is marked
    // as ending, and when its key is gone
    for moment in ["rename:when=1", "pwrite64:when=400", "rename:when=1", "rename:when=2"] {
        destroyed.killed_at(&mut trial.world.rig, moment).await;
        destroyed.leaves_everybody_else(&mut trial, moment).await;
        println!("killed at {moment}: epochs {:?}", destroyed.epochs);
        seen.push(destroyed.epochs.clone());
    }
    assert!(seen.iter().filter(|epochs| **epochs == [2, 1]).count() >= 2 && destroyed.epochs == [2], "{seen:?}");
    let whole = destroyed.ordered(&trial.world.rig).await;
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    destroyed.leaves_everybody_else(&mut trial, "the end").await;
    assert_eq!(destroyed.epochs, [2]);
}
