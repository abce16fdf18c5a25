//! What changes a whole process is tested in a child: this test binary again, with descriptors handed over as systemd does.

use crate::{forbid_core_dumps, inherited_listeners, LockedBytes};
use command_fds::{CommandFdExt, FdMapping};
use nix::sys::resource::{getrlimit, setrlimit, Resource};
use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Output};

/// Runs one ignored test of this binary with sockets from descriptor 3 on. `environment` is shell: `$$` is the child's process id.
pub(crate) fn child(test: &str, environment: &str, sockets: Vec<OwnedFd>) -> Output {
    let script = format!("{environment} exec $PREFIX \"$0\" --exact {test} --ignored --nocapture");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(std::env::current_exe().unwrap());
    command.env_remove("LISTEN_PID").env_remove("LISTEN_FDS").env_remove("RUST_TEST_THREADS").env_remove("PREFIX");
    command.env(IS_CHILD, "yes");
    let mappings = sockets.into_iter().zip(3..).map(|(parent_fd, child_fd)| FdMapping { parent_fd, child_fd });
    command.fd_mappings(mappings.collect()).unwrap();
    command.output().unwrap()
}

/// What the child said of its listeners.
fn told(environment: &str, sockets: Vec<OwnedFd>) -> String {
    let output = child("child_tests::in_the_child_listeners_are_taken", environment, sockets);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().find_map(|line| line.split_once("TOLD ")).map(|(_, told)| told.to_owned()).unwrap()
}

fn tcp() -> OwnedFd {
    TcpListener::bind("127.0.0.1:0").unwrap().into()
}

fn unix() -> (tempfile::TempDir, OwnedFd) {
    let directory = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(directory.path().join("control")).unwrap();
    (directory, listener.into())
}

/// Set for children, so that `cargo test -- --include-ignored` does not do to itself what a child is for.
const IS_CHILD: &str = "CONTACTPOINT_TEST_CHILD";

pub(crate) fn is_child() -> bool {
    std::env::var_os(IS_CHILD).is_some()
}

const OURS: &str = "LISTEN_PID=$$";

#[test]
#[ignore = "a child of the tests below"]
fn in_the_child_listeners_are_taken() {
    match inherited_listeners() {
        Err(error) => println!("TOLD {error:?} {error}"),
        Ok(listeners) => {
            let close_on_exec = |fd: i32| std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap().contains("02004002");
            assert!(close_on_exec(listeners.https.as_raw_fd()));
            let refused_to_wait = listeners.https.accept().err().unwrap().kind() == std::io::ErrorKind::WouldBlock;
            let again = inherited_listeners().err().map(|error| error.to_string());
            println!(
                "TOLD https {} control {} nonblocking {refused_to_wait} again {again:?}",
                listeners.https.as_raw_fd(),
                listeners.control.is_some()
            );
        }
    }
}

#[test]
#[ignore = "a child of the tests below"]
fn in_the_child_core_files_are_forbidden() {
    if !is_child() {
        return;
    }
    forbid_core_dumps().unwrap();
    assert_eq!(getrlimit(Resource::RLIMIT_CORE).unwrap(), (0, 0));
    assert!(!nix::sys::prctl::get_dumpable().unwrap());
    println!("TOLD done");
}

#[test]
#[ignore = "a child of the tests below"]
fn in_the_child_memory_cannot_be_had() {
    if !is_child() {
        return;
    }
    let not_locked = LockedBytes::<32>::zeroed().err().map(|error| error.to_string());
    setrlimit(Resource::RLIMIT_AS, 64 << 20, 64 << 20).unwrap();
    let not_there = LockedBytes::<{ 128 << 20 }>::zeroed().err().map(|error| error.to_string());
    println!("TOLD {not_locked:?} {not_there:?}");
}

#[test]
fn core_files_are_forbidden_for_good() {
    // G1: no dump, no core file
    let output = child("child_tests::in_the_child_core_files_are_forbidden", "", Vec::new());
    assert!(String::from_utf8_lossy(&output.stdout).contains("TOLD done"), "{output:?}");
}

#[test]
fn memory_that_cannot_be_had_or_locked_is_a_sentence_and_no_panic() {
    // the limit binds root only without CAP_IPC_LOCK
    let no_locking = "ulimit -l 0; [ $(id -u) != 0 ] || PREFIX='setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock';";
    let output = child("child_tests::in_the_child_memory_cannot_be_had", no_locking, Vec::new());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("32 bytes of memory could not be locked") && said.contains("raise LimitMEMLOCK="), "{output:?}");
    assert!(said.contains("no memory for a secret of 134217728 bytes"), "{output:?}");
}

#[test]
fn one_tcp_socket_is_the_https_listener() {
    // Process: the daemon inherits its listener and never binds
    let said = told(&format!("{OURS} LISTEN_FDS=1"), vec![tcp()]);
    assert_eq!(said, "https 3 control false nonblocking true again Some(\"the listening sockets were already taken\")");
}

#[test]
fn tcp_and_unix_are_told_apart_in_either_order() {
    let (_directory, first) = unix();
    let (_directory, second) = unix();
    assert!(told(&format!("{OURS} LISTEN_FDS=2"), vec![tcp(), first]).starts_with("https 3 control true"));
    assert!(told(&format!("{OURS} LISTEN_FDS=2"), vec![second, tcp()]).starts_with("https 4 control true"));
}

#[test]
fn without_sockets_the_operator_is_told_to_use_the_socket_unit() {
    let said = told("", Vec::new());
    assert!(said.starts_with("NoListeners") && said.contains("contactpointd.socket"), "{said}");
    assert!(told(OURS, Vec::new()).starts_with("NoListeners { variable: \"LISTEN_FDS\" }"));
}

#[test]
fn sockets_for_another_process_are_refused() {
    // sd_listen_fds(3): LISTEN_PID must be ours
    let said = told("LISTEN_PID=1 LISTEN_FDS=1", vec![tcp()]);
    assert!(said.starts_with("AnotherProcess { meant: 1") && said.contains("must exec contactpointd"), "{said}");
}

#[test]
fn variables_that_are_no_numbers_are_refused() {
    for environment in ["LISTEN_PID=me LISTEN_FDS=1", "LISTEN_PID= LISTEN_FDS=1", "LISTEN_PID=0 LISTEN_FDS=1"] {
        assert!(told(environment, vec![tcp()]).starts_with("MalformedVariable { variable: \"LISTEN_PID\""));
    }
    for count in ["0", "-1", "x", "99999999999"] {
        assert!(told(&format!("{OURS} LISTEN_FDS={count}"), vec![tcp()]).starts_with("MalformedVariable { variable: \"LISTEN_FDS\""));
    }
}

#[test]
fn two_tcp_sockets_two_unix_sockets_and_three_of_any_are_refused() {
    let said = told(&format!("{OURS} LISTEN_FDS=2"), vec![tcp(), tcp()]);
    assert!(said.starts_with("Twice { family: \"TCP\" }"), "{said}");
    let ((_one, first), (_two, second)) = (unix(), unix());
    assert!(told(&format!("{OURS} LISTEN_FDS=2"), vec![first, second]).starts_with("Twice { family: \"Unix\" }"));
    assert!(told(&format!("{OURS} LISTEN_FDS=3"), vec![tcp(), tcp(), tcp()]).starts_with("TooManyListeners { count: 3 }"));
}

#[test]
fn a_unix_socket_alone_serves_nobody() {
    let (_directory, socket) = unix();
    assert!(told(&format!("{OURS} LISTEN_FDS=1"), vec![socket]).starts_with("NoHttps"));
}

#[test]
fn what_does_not_listen_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (one_end, _other_end) = UnixStream::pair().unwrap();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"no socket").unwrap();
    for descriptor in [connected.into(), UdpSocket::bind("127.0.0.1:0").unwrap().into(), one_end.into(), file.into()] {
        let said = told(&format!("{OURS} LISTEN_FDS=1"), vec![descriptor]);
        assert!(said.starts_with("NotListening { descriptor: 3 }") && said.contains("ListenStream="), "{said}");
    }
}

#[test]
fn a_promised_descriptor_that_is_not_open_is_refused() {
    // Only the first of two is there; the shell closes the second, whatever the tests' own runner left open
    let said = told(&format!("exec 4<&-; {OURS} LISTEN_FDS=2"), vec![tcp()]);
    assert!(said.starts_with("NotOpen { descriptor: 4 }"), "{said}");
}
