//! Machines, files and moments that the daemon does not meet in each run, made on purpose: what it asks the kernel for there is in the list of
//! system calls, or the filter would end it (and `cage` sees that it is asked).

use crate::borough::{programs, searched, settings};
use crate::office::{Office, USUAL};
use crate::wire::until;
use contactpoint_support::token::{LABEL, MODULE, PIN};
use contactpoint_support::{Enrolment, Programs, Rig};
use nix::fcntl::{fcntl, FcntlArg};
use nix::libc::{flock, SYS_clock_nanosleep, F_WRLCK, SEEK_SET};
use nix::sys::signal::Signal;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SCHOOL: Enrolment<'static> = Enrolment { name: "Hill School", kind: "school", authority: None, capabilities: &["query", "feed"] };

/// Somebody looks a child up, which is committed to the log before the answer leaves.
async fn look_up(office: &Office) {
    drop(office.practitioner().post("/v1/children/search", searched("Nobody", "2014-01-01")).await.expect_status(200));
}

/// `machines/without_vdso.c`, and a script in the daemon's place that runs it through that.
fn without_vdso(folder: &Path) -> Programs {
    let (launcher, script) = (folder.join("without-vdso"), folder.join("contactpointd"));
    let loader = match std::env::consts::ARCH {
        "aarch64" => "/lib/ld-linux-aarch64.so.1",
        _ => "/lib64/ld-linux-x86-64.so.2",
    };
    let mut command = Command::new("cc");
    command.args(["-Wall", "-Wextra", "-Werror"]).arg(format!("-DLOADER=\"{loader}\"")).arg("-o").arg(&launcher);
    let made = command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flow/machines/without_vdso.c")).output().expect("cc");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let programs = programs();
    fs::write(&script, format!("#!/bin/sh\nexec '{}' '{}'\n", launcher.display(), programs.daemon.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    Programs { daemon: script, ..programs }
}

#[tokio::test]
async fn a_machine_without_a_clock_in_user_space_serves_a_look_up() {
    // G5: nothing else is asked for. Virtual machines whose clock source has no vDSO (hpet, acpi_pm) ask the kernel for the time
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::started(without_vdso(folder.path()), None);
    let office = Office::opened(&rig, &SCHOOL, USUAL).await;
    look_up(&office).await;
}

/// What a locked process is doing, and a mount, are for root.
fn needs_root() {
    assert!(nix::unistd::geteuid().is_root(), "this test looks into a locked process, or mounts: run it as root");
}

/// The system call in which a thread of the daemon waits, by number (proc_pid_syscall(5)).
fn waits_in(rig: &Rig, call: i64) -> bool {
    let threads = fs::read_dir(format!("/proc/{}/task", rig.daemon().id())).unwrap();
    let calls = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("syscall")).ok());
    calls.into_iter().any(|told| told.split(' ').next() == Some(&call.to_string()))
}

/// All of its threads stand still, by a signal.
fn is_stopped(rig: &Rig) -> bool {
    let threads = fs::read_dir(format!("/proc/{}/task", rig.daemon().id())).unwrap();
    let mut states = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("status")).ok());
    states.all(|told| told.contains("\nState:\tT ") || told.contains("\nState:\tt "))
}

/// SQLite's lock of whoever writes (wal.c, WAL_WRITE_LOCK), taken as another process of the same machine would.
fn hold_the_store(rig: &Rig) -> File {
    let shared = File::options().read(true).write(true).open(rig.place.state().join("store.db-shm")).unwrap();
    let lock = flock { l_type: F_WRLCK as i16, l_whence: SEEK_SET as i16, l_start: 120, l_len: 1, l_pid: 0 };
    fcntl(&shared, FcntlArg::F_OFD_SETLKW(&lock)).unwrap();
    shared
}

#[tokio::test]
async fn a_store_that_somebody_else_holds_is_waited_for_and_a_stop_in_the_middle_is_no_matter() {
    // F1: a look-up is answered once it is committed. A backup, or an operator's sqlite3, can hold the lock; systemd can freeze the service
    needs_root();
    let rig = Rig::started(programs(), None);
    let office = Office::opened(&rig, &SCHOOL, USUAL).await;
    let held = hold_the_store(&rig);
    let desk = office.practitioner().clone();
    let asked = tokio::spawn(async move { desk.post("/v1/children/search", searched("Nobody", "2014-01-01")).await.status });
    until("SQLite's wait", || async {
        rig.daemon().signal(Signal::SIGSTOP);
        until("the stop", || async { is_stopped(&rig).then_some(()) }).await;
        let waits = waits_in(&rig, SYS_clock_nanosleep);
        rig.daemon().signal(Signal::SIGCONT);
        waits.then_some(())
    })
    .await;
    assert!(!asked.is_finished(), "nothing is answered while the store is held");
    drop(held);
    assert_eq!(asked.await.unwrap(), 200);
}

#[tokio::test]
async fn a_piece_of_a_feed_of_several_megabytes_is_taken_where_the_settings_allow_it() {
    // H5: pieces; the buffer that takes one grows as it comes
    let rig = Rig::started(programs(), Some(&settings(&[("feed_body_bytes", "4194304")])));
    let council = Enrolment { name: "Hill Council", kind: "council", authority: None, capabilities: &["feed"] };
    let office = Office::opened(&rig, &council, USUAL).await;
    let steward = office.steward();
    let (delimiter, columns) = crate::children::columns("council-services");
    let digest = "0".repeat(64);
    let body = serde_json::json!({"layout": "council-services", "digest": digest, "header": columns.join(&delimiter)});
    let feed = steward.post("/v1/feeds", body).await.expect_status(200).json()["feed"].as_u64().unwrap();
    let records = format!("{}\n", "x".repeat(8000)).repeat(450);
    drop(steward.send_lines(feed, 2, records).await.expect_status(200));
}

#[tokio::test]
async fn a_token_that_another_program_writes_to_while_the_daemon_runs_goes_on_signing() {
    // G2: contactpointctl and the vendor's tools use the same token
    let rig = Rig::started(programs(), None);
    let office = Office::opened(&rig, &SCHOOL, USUAL).await;
    look_up(&office).await;
    let note = rig.folder().join("note");
    fs::write(&note, "a note").unwrap();
    let mut command = Command::new("pkcs11-tool");
    command.env("SOFTHSM2_CONF", rig.token.configuration()).args(["--module", MODULE, "--token-label", LABEL, "--login", "--pin", PIN]);
    let made =
        command.args(["--type", "data", "--label", "note", "--write-object"]).arg(&note).output().expect("pkcs11-tool: run `make deps`");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let desk = crate::office::Desk::of(&rig, &office.organisation.certificate, &office.practitioner().person).await;
    drop(desk.get("/log/checkpoint").await.expect_status(200));
}

/// A script in the daemon's place that gives it this folder for /run, and the journal for its standard error (systemd.exec(5), JOURNAL_STREAM).
fn under_a_journal(folder: &Path) -> Programs {
    let script = folder.join("contactpointd");
    let inside = "mount --bind \"$0\" /run && JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec \"$1\"";
    let programs = programs();
    let text = format!("#!/bin/sh\nexec unshare --mount sh -c '{inside}' '{}' '{}'\n", folder.display(), programs.daemon.display());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    Programs { daemon: script, ..programs }
}

#[test]
fn the_journals_own_socket_takes_what_the_locked_process_says() {
    // G5: nothing else is asked for where the daemon logs to journald; the other tests' daemons write to a file
    needs_root();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("systemd/journal")).unwrap();
    let journal = UnixDatagram::bind(folder.path().join("systemd/journal/socket")).unwrap();
    journal.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let _rig = Rig::started(under_a_journal(folder.path()), None);
    let (mut entry, mut told) = ([0; 65536], String::new());
    // a field is "NAME=value", or NAME, a length and the value (systemd.io/JOURNAL_NATIVE_PROTOCOL)
    while !(told.contains("MESSAGE") && told.contains("serving")) {
        let length = journal.recv(&mut entry).expect("\"serving\", which is said once the process is locked down");
        told = String::from_utf8_lossy(&entry[..length]).into_owned();
    }
    assert!(told.contains("PRIORITY") && told.contains("SETTINGS"), "{told}");
}
