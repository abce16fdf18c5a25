//! What a process that was taken over would try with the sockets it has anyway, tried in a child under the real filter.

use crate::child_tests::{child, is_child};
use crate::{apply_seccomp, HsmAttachment, Surroundings};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::ExitStatusExt;

fn surroundings() -> Surroundings {
    let nothing = || "/nonexistent".into();
    Surroundings { state: nothing(), configuration: nothing(), reads: vec![], writes: vec![], attachment: HsmAttachment::Files }
}

fn to(address: SocketAddr) -> libc::sockaddr_in {
    // SAFETY: all bits zero are a sockaddr_in.
    let mut raw: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    raw.sin_family = libc::AF_INET as libc::sa_family_t;
    raw.sin_port = address.port().to_be();
    raw.sin_addr.s_addr = u32::from_ne_bytes(Ipv4Addr::LOCALHOST.octets());
    raw
}

const LENGTH: libc::socklen_t = size_of::<libc::sockaddr_in>() as libc::socklen_t;

fn connect(socket: RawFd, address: &libc::sockaddr_in) -> Result<(), i32> {
    // SAFETY: the address lives until the call returns, and its length is its own.
    match unsafe { libc::connect(socket, std::ptr::from_ref(address).cast(), LENGTH) } {
        0 => Ok(()),
        _ => Err(nix::errno::Errno::last_raw()),
    }
}

fn send_at_once(socket: RawFd, address: &libc::sockaddr_in) -> isize {
    let data = b"out";
    // SAFETY: data and address live until the call returns, with their own lengths.
    unsafe { libc::sendto(socket, data.as_ptr().cast(), data.len(), libc::MSG_FASTOPEN, std::ptr::from_ref(address).cast(), LENGTH) }
}

#[test]
#[ignore = "a child of the test below"]
fn in_the_child_a_socket_calls_out() {
    if !is_child() {
        return;
    }
    let (door, elsewhere) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let _caller = TcpStream::connect(door.local_addr().unwrap()).unwrap();
    let (accepted, _) = door.accept().unwrap();
    let target = to(elsewhere.local_addr().unwrap());
    let nobody = libc::sockaddr_in { sin_family: libc::AF_UNSPEC as libc::sa_family_t, ..target };
    if std::env::var_os("LOCKED").is_some() {
        apply_seccomp(&surroundings()).unwrap();
    }
    match std::env::var("TRY").unwrap().as_str() {
        "connect" => println!("TOLD {:?} {:?}", connect(accepted.as_raw_fd(), &nobody), connect(accepted.as_raw_fd(), &target)),
        // SAFETY: the descriptor is the listener's own.
        "shutdown" => println!("TOLD {}", unsafe { libc::shutdown(door.as_raw_fd(), libc::SHUT_RDWR) }),
        _ => {
            let _ = connect(accepted.as_raw_fd(), &nobody);
            println!("TOLD {}", send_at_once(accepted.as_raw_fd(), &target));
        }
    }
}

#[test]
fn no_socket_that_the_locked_process_has_can_be_made_to_call_out() {
    // B5: the daemon opens no outbound connection. What it inherits and accepts lives in the machine's network, not in the unit's empty one.
    let tried = |what: &str, locked: &str| {
        child("locked_tests::in_the_child_a_socket_calls_out", &format!("TRY={what} {locked} export TRY LOCKED;"), vec![])
    };
    let said = |what: &str, locked: &str| String::from_utf8(tried(what, locked).stdout).unwrap();
    assert!(said("connect", "LOCKED=yes").contains("TOLD Err(1) Err(1)"), "{}", said("connect", "LOCKED=yes"));
    for what in ["shutdown", "fastopen"] {
        assert_eq!(tried(what, "LOCKED=yes").status.signal(), Some(libc::SIGSYS), "{what}");
    }
    // without the lock each of them is an attack
    assert!(said("connect", "").contains("TOLD Ok(()) Ok(())"), "{}", said("connect", ""));
    assert!(said("shutdown", "").contains("TOLD 0"));
    assert!(!said("fastopen", "").is_empty() && tried("fastopen", "").status.success());
}
