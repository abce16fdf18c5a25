//! A disk that fails: the C library's fsync and write, told to fail for the store's files (`faulty/faults.c`).
//!
//! After a failed sync the kernel forgets what it could not write, and the next sync says that all is well. So the daemon must end, and must not
//! have answered anything that was lost. Does not promise: anything about a disk that fails and does not say so.

use crate::Trial;
use contactpoint_support::{Programs, Rig};
use nix::sys::signal::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// The folder in which a file by a fault's name makes it happen.
struct Faults(PathBuf);

impl Faults {
    /// Builds the library, and puts a script in the daemon's place that preloads it.
    fn under(rig: &mut Rig) -> Self {
        let (library, script, faults) =
            (rig.folder().join("faults.so"), rig.folder().join("contactpointd-faulty"), rig.folder().join("faults"));
        fs::create_dir(&faults).expect("a folder below the rig's");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/faulty/faults.c");
        let mut command = Command::new("cc");
        command.args(["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl");
        let made = command.output().expect("cc");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let (daemon, library, folder) = (rig.programs.daemon.display(), library.display(), faults.display());
        fs::write(&script, format!("#!/bin/sh\nFAULTS='{folder}' LD_PRELOAD='{library}' exec '{daemon}'\n")).expect("a script");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).expect("a program");
        rig.programs = Programs { daemon: script, ..rig.programs.clone() };
        Self(faults)
    }

    /// The daemon's end under this fault, which is over then.
    fn end(&self, fault: &str, daemon: impl FnOnce() -> ExitStatus) -> ExitStatus {
        let file = self.0.join(fault);
        fs::write(&file, "").expect("a file below the rig's");
        let ended = daemon();
        fs::remove_file(file).expect("our own file");
        ended
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_or_a_write_that_fails_ends_the_daemon_and_nothing_answered_is_missing() {
    // F1: if the entry cannot be written, nothing is answered; a failed fsync is never retried as success
    let (mut trial, _, mut feeder) = Trial::begun(6000).await;
    assert!(trial.world.rig.stop().success());
    let faults = Faults::under(&mut trial.world.rig);
    for fault in ["sync-log", "write-log", "sync-log", "sync-store"] {
        trial.world.rig.start();
        let mut sessions = trial.world.log_in().await;
        trial.judged(&mut sessions, &mut feeder).await;
        let mut ended = None;
        let end = |rig: &mut Rig| if fault == "sync-store" { rig.stop() } else { rig.ended() };
        feeder = trial
            .interrupted(&sessions, feeder, Signal::SIGCONT, |world| {
                ended = Some(faults.end(fault, || end(&mut world.rig)));
            })
            .await;
        let said = trial.world.rig.log();
        assert_eq!(ended.and_then(|status| status.code()), Some(74), "{fault}: {said}");
        assert!(said.lines().last().is_some_and(|line| line.contains("the disk failed under the store")), "{fault}: {said}");
    }
    trial.world.rig.start();
    let mut sessions = trial.world.log_in().await;
    trial.judged(&mut sessions, &mut feeder).await;
    assert!(trial.world.rig.stop().success());
}
