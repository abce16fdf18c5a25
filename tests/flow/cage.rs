//! The list of system calls, held against what the daemon really asks for: the whole suite runs once more, each daemon of it under strace(1),
//! with the filter in force as always.

use contactpoint_hardening::{syscalls, HsmAttachment};
use contactpoint_support::sockets::TRACES;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// A call as strace wrote it: name and arguments.
type Call = (String, Vec<u64>);

#[test]
fn every_line_of_the_system_call_list_is_needed_and_nothing_else_is_asked_for() {
    // G5: refused by seccomp; style 9: a test refuses lines that nothing needs, and tests run with the real filter on
    let traces = tempfile::tempdir().unwrap();
    let this = "cage::every_line_of_the_system_call_list_is_needed_and_nothing_else_is_asked_for";
    let mut suite = Command::new(std::env::current_exe().unwrap());
    let ended = suite.args(["--skip", this]).env(TRACES, traces.path()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "the suite fails under strace (make deps installs it): {said}");

    let lines = syscalls::effective(HsmAttachment::Files).unwrap();
    let (mut needed, mut outside) = (BTreeSet::new(), BTreeSet::new());
    let files: Vec<_> = std::fs::read_dir(traces.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 5, "{} daemons were traced", files.len());
    let locked = files.iter().filter(|file| judge(file, &lines, &mut needed, &mut outside)).count();
    assert!(locked > 5, "{locked} daemons locked themselves down");
    assert_eq!(outside, BTreeSet::new(), "asked for, and in no line");
    let always = lines.iter().filter(|line| line.section == syscalls::Section::Always);
    let idle: Vec<&str> = always.filter(|line| !needed.contains(&line.number)).map(|line| line.text.as_str()).collect();
    assert_eq!(idle, Vec::<&str>::new(), "lines that nothing needs");
}

/// Counts the calls after the lock-down of one daemon; whether there was one.
fn judge(file: &Path, lines: &[syscalls::Line], needed: &mut BTreeSet<usize>, outside: &mut BTreeSet<String>) -> bool {
    let text = std::fs::read_to_string(file).unwrap();
    let calls: Vec<Call> = text.lines().filter_map(call).collect();
    // the last filter is the one that ends the process; the try of its effect comes next
    let Some(locked) = calls.iter().rposition(|(name, _)| name == "seccomp") else { return false };
    for (name, arguments) in &calls[locked + 1..] {
        let fitting: Vec<usize> = lines.iter().filter(|line| line.fits(name, arguments)).map(|line| line.number).collect();
        if fitting.is_empty() {
            outside.insert(format!("{name} {arguments:x?}"));
        }
        needed.extend(fitting);
    }
    true
}

/// `1234 openat(0xffffff9c, 0x7f.., 0x80000) = 0x5`, also where another thread interrupts it; `None` for the second half of such a one, and for
/// what is no call.
fn call(line: &str) -> Option<Call> {
    let (_thread, rest) = line.split_once(' ')?;
    let (name, rest) = rest.trim_start().split_once('(')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let arguments = rest.split([')', '<']).next()?;
    let number = |word: &str| match word.trim().strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => word.trim().parse().ok(),
    };
    is_name.then(|| (name.to_owned(), arguments.split(',').map_while(number).collect()))
}

#[test]
fn a_call_outside_the_list_and_a_line_that_nothing_needs_are_found() {
    let lines = syscalls::parse("[always]\nread # x\nsocket arg0=AF_UNIX # y\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("a.trace");
    let text = "7 execve(0x1, 0x2) = 0\n7 seccomp(0x1, 0, 0x7f) = 0\n7 read(0x3, 0x4, 0x5 <unfinished ...>\n8 socket(0x2, 0x1, 0) = 0x4\n7 <... read resumed>) = 0\n";
    std::fs::write(&trace, text).unwrap();
    let (mut needed, mut outside) = (BTreeSet::new(), BTreeSet::new());
    assert!(judge(&trace, &lines, &mut needed, &mut outside));
    assert_eq!(outside, BTreeSet::from(["socket [2, 1, 0]".to_owned()]));
    assert_eq!(needed, BTreeSet::from([2]), "the line of socket was not needed, and nothing before the filter counts");
    std::fs::write(&trace, "7 read(0, 0, 0) = 0\n").unwrap();
    assert!(!judge(&trace, &lines, &mut needed, &mut outside), "a daemon that never locked itself");
}
