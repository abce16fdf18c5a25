//! The lists of system calls and of paths, held against what the daemon really asks for: the whole suite runs once more, each daemon of it
//! under strace(1), with the locks in force as always.

mod trace;

use contactpoint_hardening::{paths, syscalls, HsmAttachment};
use contactpoint_support::sockets::TRACES;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use trace::{Opened, Trace};

/// What is asked for and refused, which does not matter to who asks.
const REFUSED: [(&str, &str); 2] = [
    ("/proc/self/cgroup", "Rust's std::thread::available_parallelism, which then counts the processors"),
    ("/proc/sys/vm/overcommit_memory", "glibc's malloc, which then gives memory back by another call"),
];

/// A test that keeps the daemon from what it needs.
const DEPRIVED: &str = "keys.what_no_setting_names_is_out_of_reach";

/// What all daemons together asked for.
#[derive(Default)]
struct Asked {
    daemons: usize,
    /// Lines of the two lists that let it happen.
    calls: BTreeSet<usize>,
    /// The same, and whether it was written there.
    places: BTreeSet<(usize, bool)>,
    /// Asked for, and in no line.
    outside: BTreeSet<String>,
}

#[test]
fn every_line_of_the_lists_is_needed_and_nothing_else_is_asked_for() {
    // G5: refused by seccomp and Landlock; a test refuses lines that nothing needs, and tests run with the real locks on
    let traces = tempfile::tempdir().unwrap();
    let this = "cage::every_line_of_the_lists_is_needed_and_nothing_else_is_asked_for";
    let mut suite = Command::new(std::env::current_exe().unwrap());
    let ended = suite.args(["--skip", this]).env(TRACES, traces.path()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "the suite fails under strace (make deps installs it): {said}");

    let mut asked = Asked::default();
    for file in std::fs::read_dir(traces.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.file_name().unwrap().to_str().unwrap().starts_with(DEPRIVED) {
            continue;
        }
        if let Some(trace) = Trace::of(&std::fs::read_to_string(&file).unwrap()) {
            asked.judge(attachment(&file), &trace);
        }
    }
    assert!(asked.daemons > 5, "{} daemons locked themselves down", asked.daemons);
    assert_eq!(asked.outside, BTreeSet::new(), "asked for, and in no line");
    assert_eq!(asked.idle(), Vec::<String>::new(), "lines that nothing needs, and that name no source");
}

/// The HSM of the test that started this daemon; a trace has the test's name.
fn attachment(file: &Path) -> HsmAttachment {
    match file.file_name().unwrap().to_str().unwrap() {
        name if name.starts_with("attached.an_hsm_behind_a_unix_socket") => HsmAttachment::UnixSocket,
        name if name.starts_with("attached.an_hsm_behind_tcp") => HsmAttachment::Network { port: 1 },
        _ => HsmAttachment::Files,
    }
}

impl Asked {
    fn judge(&mut self, attachment: HsmAttachment, trace: &Trace) {
        self.daemons += 1;
        let lines = syscalls::effective(attachment).unwrap();
        for (name, arguments) in &trace.calls {
            let fitting: Vec<usize> = lines.iter().filter(|line| line.fits(name, arguments)).map(|line| line.number).collect();
            if fitting.is_empty() {
                self.outside.insert(format!("{name} {arguments:x?}"));
            }
            self.calls.extend(fitting);
        }
        for opened in &trace.opened {
            self.judge_path(attachment, opened);
        }
    }

    fn judge_path(&mut self, attachment: HsmAttachment, opened: &Opened) {
        if opened.refused && REFUSED.iter().any(|(path, _)| Path::new(path) == opened.path) {
            return;
        }
        let lines = paths::parse(paths::LIST).unwrap();
        let allows = |line: &paths::Line| line.access == paths::Use::ReadWrite || !opened.writes;
        let fits =
            |line: &paths::Line| allows(line) && places(line.place, attachment, opened).iter().any(|place| opened.path.starts_with(place));
        match lines.iter().position(fits) {
            Some(line) if !opened.refused => drop(self.places.insert((line, opened.writes))),
            _ => drop(self.outside.insert(format!("{opened:?}"))),
        }
    }

    /// Lines that nothing asked for and that name no public program that does.
    fn idle(&self) -> Vec<String> {
        let calls = syscalls::shipped().unwrap().into_iter().filter(|line| !self.calls.contains(&line.number));
        let used = |at: usize, line: &paths::Line| self.places.contains(&(at, line.access == paths::Use::ReadWrite));
        let places = paths::parse(paths::LIST).unwrap().into_iter().enumerate().filter(|(at, line)| !used(*at, line));
        let idle = calls.map(|line| (line.text, line.reason)).chain(places.map(|(_, line)| (format!("{line:?}"), line.reason)));
        idle.filter(|(_, reason)| !reason.contains("(source: ")).map(|(text, _)| text).collect()
    }
}

/// Where a line's place is for the daemon that opened this: below its rig's folder.
fn places(name: paths::PlaceName, attachment: HsmAttachment, opened: &Opened) -> Vec<PathBuf> {
    let is_rig = |folder: &&Path| folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("contactpoint-rig-"));
    let Some(rig) = opened.path.ancestors().find(is_rig) else { return Vec::new() };
    match name {
        paths::PlaceName::State => vec![rig.join("state")],
        paths::PlaceName::Configuration => vec![rig.join("configuration")],
        paths::PlaceName::HsmWrites if attachment == HsmAttachment::Files => vec![rig.join("tokens")],
        paths::PlaceName::HsmReads | paths::PlaceName::HsmWrites => Vec::new(),
    }
}

#[test]
fn what_is_in_no_line_and_what_nothing_needs_are_found() {
    let mut asked = Asked::default();
    let text = "7 seccomp(0x1, 0, 0x7f) = 0\n7 read(0x3) = 0\n7 ptrace(0x10) = 0\n7 connect(0x3) = 0\n7 poll(0, 0, 0) = 0\n\
                7 openat(AT_FDCWD, \"/tmp/contactpoint-rig-a/state/store.db\", O_RDONLY) = 5\n\
                7 openat(AT_FDCWD, \"/tmp/contactpoint-rig-a/configuration/b\", O_RDWR) = 5\n\
                7 openat(AT_FDCWD, \"/etc/shadow\", O_RDONLY) = -1 EACCES (Permission denied)\n\
                7 openat(AT_FDCWD, \"/proc/self/cgroup\", O_RDONLY) = -1 EACCES (Permission denied)\n";
    asked.judge(HsmAttachment::Files, &Trace::of(text).unwrap());
    let named = |what: &str| asked.outside.iter().filter(|told| told.contains(what)).count();
    assert_eq!((named("ptrace"), named("poll"), named("/etc/shadow"), named("configuration/b"), asked.outside.len()), (1, 1, 1, 1, 4));
    let idle = asked.idle();
    let is_idle = |text: &str| idle.iter().any(|line| line.contains(text));
    assert!(is_idle("write") && is_idle("State") && is_idle("Configuration") && is_idle("poll"), "{idle:?}");
    assert!(!idle.contains(&"read".to_owned()) && !is_idle("USBDEVFS"), "{idle:?}");
}
