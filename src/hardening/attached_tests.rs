//! The lines of the list that depend on the HSM's attachment, each tried in a child under the real filter: with the attachment the call comes
//! to the kernel, without it the filter has it. And what a network HSM's lines do not let through.

use crate::child_tests::{child, is_child};
use crate::syscalls::{shipped, Condition, Line, Section};
use crate::{apply_landlock, apply_seccomp, HsmAttachment, Surroundings};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::Output;

const ATTACHMENTS: [(&str, HsmAttachment, Section); 3] = [
    ("unix-socket", HsmAttachment::UnixSocket, Section::HsmUnixSocket),
    ("usb", HsmAttachment::Usb, Section::HsmUsb),
    ("network", HsmAttachment::Network { port: 9004 }, Section::HsmNetwork),
];

fn attached(name: &str) -> HsmAttachment {
    ATTACHMENTS.iter().find(|(known, ..)| *known == name).map_or(HsmAttachment::Files, |(_, attachment, _)| *attachment)
}

fn surroundings(attachment: HsmAttachment) -> Surroundings {
    let somewhere = std::env::temp_dir;
    Surroundings { state: somewhere(), configuration: somewhere(), reads: vec![], writes: vec![], attachment }
}

/// The number of a call; a line with another name needs a number here.
fn number(name: &str) -> Option<libc::c_long> {
    Some(match name {
        "poll" => libc::SYS_poll,
        "ioctl" => libc::SYS_ioctl,
        "timerfd_settime" => libc::SYS_timerfd_settime,
        "connect" => libc::SYS_connect,
        "socket" => libc::SYS_socket,
        "fcntl" => libc::SYS_fcntl,
        _ => return None,
    })
}

/// Arguments that fit a line: what it asks for, no descriptor and no address as the first, and nothing else.
fn arguments(line: &Line) -> [i64; 6] {
    let mut arguments = [-1, 0, 0, 0, 0, 0];
    for condition in &line.conditions {
        match *condition {
            Condition::Equals { argument, value } => arguments[usize::from(argument)] = i64::from(value),
            Condition::Lacks { .. } => {}
        }
    }
    arguments
}

#[test]
#[ignore = "a child of the test below"]
fn in_the_child_a_line_is_tried() {
    if !is_child() {
        return;
    }
    let wanted: usize = std::env::var("LINE").unwrap().parse().unwrap();
    let line = shipped().unwrap().into_iter().find(|line| line.number == wanted).unwrap();
    let (number, [a, b, c, d, e, f]) = (number(&line.name).unwrap(), arguments(&line));
    apply_seccomp(&surroundings(attached(&std::env::var("ATTACHMENT").unwrap()))).unwrap();
    // SAFETY: no argument is an address that the kernel can write to: the first is -1, the others null or plain numbers.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    println!("TOLD {}", if answer < 0 { nix::errno::Errno::last_raw() } else { 0 });
}

/// How the kernel, or the filter, answered.
fn tried(line: &Line, attachment: &str) -> Output {
    assert!(number(&line.name).is_some(), "a line that nobody tries: {}", line.text);
    let environment = format!("LINE={} ATTACHMENT={attachment}; export LINE ATTACHMENT;", line.number);
    child("attached_tests::in_the_child_a_line_is_tried", &environment, vec![])
}

fn told(output: &Output) -> Option<i32> {
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().find_map(|line| line.split_once("TOLD ")).map(|(_, number)| number.trim().parse().unwrap())
}

#[test]
fn what_an_attachment_opens_comes_to_the_kernel_with_it_and_never_without() {
    // G5, B5: no call more than the HSM in use needs
    let lines = shipped().unwrap();
    for (attachment, _, section) in ATTACHMENTS {
        let of_it: Vec<&Line> = lines.iter().filter(|line| line.section == section).collect();
        assert!(!of_it.is_empty(), "{attachment}");
        for line in of_it {
            let with = tried(line, attachment);
            assert!(matches!(told(&with), Some(0 | libc::EBADF | libc::EFAULT)), "{attachment}: {}: {with:?}", line.text);
            let without = tried(line, "files");
            let refused = without.status.signal() == Some(libc::SIGSYS) || told(&without) == Some(libc::EPERM);
            assert!(refused, "without {attachment}: {}: {without:?}", line.text);
        }
    }
}

#[test]
#[ignore = "a child of the test below"]
fn in_the_child_a_socket_is_made() {
    if !is_child() {
        return;
    }
    let wanted = std::env::var("SOCKET").unwrap();
    let numbers: Vec<i32> = wanted.split(' ').map(|number| number.parse().unwrap()).collect();
    let [family, kind, protocol] = numbers[..] else { unreachable!("three numbers") };
    apply_seccomp(&surroundings(attached("network"))).unwrap();
    // SAFETY: no argument is an address.
    let made = unsafe { libc::socket(family, kind, protocol) };
    println!("TOLD {}", if made < 0 { nix::errno::Errno::last_raw() } else { 0 });
}

#[test]
fn with_a_network_hsm_a_socket_is_tcp_and_no_other() {
    // B5: what Landlock does not hold to one port - MPTCP, UDP, raw IP - is not made
    let made = |family: i32, kind: i32, protocol: i32| {
        child("attached_tests::in_the_child_a_socket_is_made", &format!("SOCKET='{family} {kind} {protocol}'; export SOCKET;"), vec![])
    };
    let (stream, quiet) = (libc::SOCK_STREAM, libc::SOCK_STREAM | libc::SOCK_CLOEXEC);
    for family in [libc::AF_INET, libc::AF_INET6] {
        for (kind, protocol) in [(stream, 0), (stream, libc::IPPROTO_TCP), (quiet, 0)] {
            let output = made(family, kind, protocol);
            assert!(matches!(told(&output), Some(0 | libc::EAFNOSUPPORT)), "{family} {kind} {protocol}: {output:?}");
        }
        for (kind, protocol) in [
            (stream, libc::IPPROTO_MPTCP),
            (quiet, libc::IPPROTO_MPTCP),
            (stream, libc::IPPROTO_SCTP),
            (libc::SOCK_DGRAM, 0),
            (libc::SOCK_DGRAM, libc::IPPROTO_UDP),
            (libc::SOCK_RAW, libc::IPPROTO_TCP),
            (libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::IPPROTO_RAW),
            (libc::SOCK_SEQPACKET, 0),
        ] {
            let output = made(family, kind, protocol);
            assert_eq!(output.status.signal(), Some(libc::SIGSYS), "{family} {kind} {protocol}: {output:?}");
        }
    }
}

#[test]
#[ignore = "a child of the test below"]
fn in_the_child_two_ports_are_called() {
    if !is_child() {
        return;
    }
    let [hsm, other] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [hsm_at, other_at] = [&hsm, &other].map(|listener| listener.local_addr().unwrap());
    let surroundings = surroundings(HsmAttachment::Network { port: hsm_at.port() });
    let report = apply_landlock(&surroundings).unwrap();
    apply_seccomp(&surroundings).unwrap();
    let called = [hsm_at, other_at].map(|address| TcpStream::connect(address).map_or_else(|error| error.raw_os_error().unwrap(), |_| 0));
    println!("TOLD {} {called:?}", report.tcp);
}

#[test]
fn with_a_network_hsm_one_port_is_reached_where_landlock_knows_tcp() {
    // B5: the one connection out is the HSM's. Landlock knows TCP from ABI 4 (Linux 6.7) on.
    let output = child("attached_tests::in_the_child_two_ports_are_called", "", vec![]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("TOLD true [0, 13]") || said.contains("TOLD false [0, 0]"), "{output:?}");
}
