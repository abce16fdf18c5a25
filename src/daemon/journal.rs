//! Logs: to journald with fields where stderr is the journal, else as plain lines on stderr.
//!
//! Only our own targets are written, so that no library's debugging can put a value into a log (rule G1); refusals and faults, and with
//! DEBUG_INVOCATION (systemd.service(5), RestartMode=debug) every request. Never a name: those who log have none in hand that prints,
//! and a panic's message, which could hold one, is not written; its place is.

use log::{Level, LevelFilter, Log, Metadata, Record};
use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::panic::Location;
use systemd_journal_logger::{connected_to_journal, JournalLog};

enum Journal {
    Journald(JournalLog),
    Stderr,
}

/// Begins to log; from here on a failure can be told.
pub(crate) fn begin() {
    let journald = connected_to_journal().then(|| JournalLog::new().ok()).flatten();
    let journal = journald.map_or(Journal::Stderr, Journal::Journald);
    let level = if std::env::var_os("DEBUG_INVOCATION").is_some() { LevelFilter::Debug } else { LevelFilter::Info };
    // a second logger cannot be set, and this is the first
    if log::set_boxed_logger(Box::new(journal)).is_ok() {
        log::set_max_level(level);
    }
}

/// From here on a panic, a fault of ours, is told by its place in the source and the thread's name; never by its message (rule G1).
pub(crate) fn tell_panics_place_only() {
    std::panic::set_hook(Box::new(|panic| {
        last_words(&place(panic.location(), std::thread::current().name()));
    }));
}

/// What is told before the process ends. By stderr: journald cannot tell any more which unit a line with fields came from, where its process
/// has ended meanwhile. Where nobody listens there, the exit status must still be told, so that this never panics.
pub(crate) fn last_words(what: &dyn Display) {
    drop(writeln!(std::io::stderr(), "<3>contactpoint::daemon: {what}"));
}

/// What is said of a panic.
fn place(location: Option<&Location<'_>>, thread: Option<&str>) -> String {
    let thread = thread.unwrap_or("without a name");
    match location {
        Some(at) => format!("a panic at {}:{} in thread {thread}", at.file(), at.line()),
        None => format!("a panic somewhere in thread {thread}"),
    }
}

impl Log for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("contactpoint")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        match self {
            Self::Journald(journald) => journald.log(record),
            // a full or closed stderr must not stop the daemon
            Self::Stderr => drop(std::io::stderr().write_all(line(record).as_bytes())),
        }
    }

    fn flush(&self) {}
}

/// `<3>contactpoint::edge: what happened key=value`; the number is the priority (sd-daemon(3)).
fn line(record: &Record<'_>) -> String {
    let priority = match record.level() {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    };
    let mut line = format!("<{priority}>{}: {}", record.target(), record.args());
    drop(record.key_values().visit(&mut Fields(&mut line)));
    line.push('\n');
    line
}

struct Fields<'a>(&'a mut String);

impl<'kvs> log::kv::VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: log::kv::Key<'kvs>, value: log::kv::Value<'kvs>) -> Result<(), log::kv::Error> {
        write!(self.0, " {key}={value}").map_err(log::kv::Error::boxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_by_its_place_and_thread() {
        // G1: no log line with a name
        let here = Location::caller();
        let told = place(Some(here), Some("answer"));
        assert_eq!(told, format!("a panic at src/daemon/journal.rs:{} in thread answer", here.line()));
        assert_eq!(place(None, None), "a panic somewhere in thread without a name");
    }

    #[test]
    fn a_panics_message_is_written_nowhere() {
        // G1: no log line with a name. The panic of a child process, so that its stderr can be read.
        if std::env::var_os("PANICS").is_some() {
            begin();
            tell_panics_place_only();
            panic!("SMITH");
        }
        let this = "daemon::journal::tests::a_panics_message_is_written_nowhere";
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let output = child.args([this, "--exact", "--nocapture"]).env("PANICS", "1").output().unwrap();
        let written = String::from_utf8_lossy(&output.stderr);
        assert!(written.contains("a panic at src/daemon/journal.rs:"), "{written}");
        assert!(!written.contains("SMITH"), "{written}");
    }
}
