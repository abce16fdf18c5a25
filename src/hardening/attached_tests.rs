//! The lines of the list that depend on the HSM's attachment, each tried in a child under the real filter: with the attachment the call comes
//! to the kernel, without it the filter has it.

use crate::child_tests::{child, is_child};
use crate::syscalls::{shipped, Condition, Line, Section};
use crate::{apply_seccomp, HsmAttachment, Surroundings};
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
            Condition::Equals { argument, value } | Condition::Has { argument, flag: value } => {
                arguments[usize::from(argument)] = i64::from(value);
            }
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
    let nothing = || "/nonexistent".into();
    let attachment = attached(&std::env::var("ATTACHMENT").unwrap());
    apply_seccomp(&Surroundings { state: nothing(), configuration: nothing(), reads: vec![], writes: vec![], attachment }).unwrap();
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
