//! A disk that is full: the state directory on a small tmpfs of its own, and a file beside the store that takes all the room.

use crate::world::{Session, World};
use crate::Trial;
use contactpoint_support::{request, Rig};
use http::Method;
use nix::sys::signal::Signal;
use serde_json::json;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long an answer may take that says that nothing is answered now.
const SECOND: Duration = Duration::from_secs(1);

/// A tmpfs over the state directory, with what was there. Unmounted on drop.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn under(rig: &Rig) -> Self {
        let state = rig.place.state();
        let beside = rig.folder().join("state-before");
        ran("cp", &["-a", text(&state), text(&beside)]);
        ran("mount", &["-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs", text(&state)]);
        let disk = Self(state);
        ran("cp", &["-a", &format!("{}/.", text(&beside)), text(&disk.0)]);
        disk
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("a file on the small disk");
        for piece in [vec![0; 1 << 16], vec![0; 1 << 8], vec![0; 1]] {
            let full = (0..).find_map(|_| ballast.write_all(&piece).err()).expect("a small disk");
            assert_eq!(full.kind(), ErrorKind::StorageFull);
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.ballast()).expect("our own file");
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // whoever still has files open there keeps them until they are gone
        ran("umount", &["--lazy", text(&self.0)]);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a folder's name")
}

fn ran(program: &str, arguments: &[&str]) {
    let ended = Command::new(program).args(arguments).output().expect("a program of the machine");
    assert!(ended.status.success(), "{program} (as root): {}", String::from_utf8_lossy(&ended.stderr));
}

/// Everybody asks at the same moment, and is told within a second that nothing is answered now.
async fn nobody_is_answered(world: &World, session: &Session, child: &str) {
    let mut asked = JoinSet::new();
    for _ in 0..16 {
        let (mut session, child) = (world.beside(session, &world.school), child.to_owned());
        asked.spawn(async move {
            let asked = json!({"child_number": child, "reason": "coordination"});
            // the connection is opened with the first
            drop(session.post("/v1/children/view", &asked).await.expect("an answer").expect_status(503));
            let begun = Instant::now();
            (session.post("/v1/children/view", &asked).await.expect("an answer"), begun.elapsed())
        });
    }
    for (answer, took) in asked.join_all().await {
        assert!(answer.status == 503 && answer.code() == "unavailable", "{}", answer.status);
        assert!(took < SECOND, "{took:?}");
    }
}

/// What the watchdog and `contactpointctl status` are told.
async fn store_works(world: &World) -> bool {
    let status = world.rig.control(request(Method::GET, "/v1/status", None, None)).await.expect_status(200).json();
    status["store"].as_bool().expect("whether the store works")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_answers_nobody_loses_nothing_and_is_mended_by_making_room() {
    // F1: if the entry cannot be written, nothing is answered; here it is said at once, nothing hangs, and nothing answered is missing
    let (mut trial, _, mut feeder) = Trial::begun(6000).await;
    assert!(trial.world.rig.stop().success());
    let disk = SmallDisk::under(&trial.world.rig);
    trial.world.rig.start();
    let mut sessions = trial.world.log_in().await;
    feeder.resume(&mut sessions.steward).await;
    for ends_by_a_kill in [false, true] {
        feeder = trial.interrupted(&sessions, feeder, Signal::SIGCONT, |_| disk.fill()).await;
        nobody_is_answered(&trial.world, &sessions.practitioner, &trial.known[0]).await;
        assert!(!store_works(&trial.world).await, "a commit that writes nothing would pass, and say that the disk is mended");
        if ends_by_a_kill {
            trial.world.rig.kill();
            disk.make_room();
            trial.world.rig.start();
            sessions = trial.world.log_in().await;
        } else {
            disk.make_room();
        }
        assert!(store_works(&trial.world).await);
        trial.judged(&mut sessions, &mut feeder).await;
    }
    assert!(trial.world.rig.log().contains("the disk is full"), "and the operator is told why");
    assert!(trial.world.rig.stop().success());
}
