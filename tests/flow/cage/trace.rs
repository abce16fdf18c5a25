//! What strace(1) wrote of one daemon: its calls and the paths that it opened, from the moment on in which its last lock was in force.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// A call: name and arguments, as far as these are numbers.
pub(crate) type Call = (String, Vec<u64>);

/// A file or folder that was opened, or removed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) path: PathBuf,
    /// Opened for writing, made, or removed.
    pub(crate) writes: bool,
    /// EACCES: that is how Landlock refuses.
    pub(crate) refused: bool,
}

/// One daemon, locked down.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) calls: Vec<Call>,
    pub(crate) opened: Vec<Opened>,
}

impl Trace {
    /// `None` where it never locked itself down.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().collect();
        // the last filter is the one that ends the process; the try of its effect comes next
        let locked = lines.iter().rposition(|line| call(line).is_some_and(|(name, _)| name == "seccomp"))?;
        let after = &lines[locked + 1..];
        Some(Self { calls: calls(after), opened: opened(after) })
    }
}

/// The calls that were made. Of a thread that the end of its process overtakes, strace writes a last call that there was none of: the
/// registers, with what the call before it returned where the number would be. It has no answer; so only those count that were answered,
/// and those that end a thread. What no line allows has no answer either, and is told by how the process ends then: by SIGSYS.
fn calls(lines: &[&str]) -> Vec<Call> {
    let is_killed_for_a_call = lines.iter().any(|line| line.contains("+++ killed by SIGSYS"));
    let counts_unanswered = |(name, _): &Call| is_killed_for_a_call || ["exit", "exit_group"].contains(&name.as_str());
    let (mut made, mut begun) = (Vec::new(), BTreeMap::new());
    for line in lines {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let asked = match call(line) {
            Some(asked) if line.ends_with("<unfinished ...>") => {
                begun.insert(thread, asked);
                continue;
            }
            None if rest.trim_start().starts_with("<... ") => begun.remove(thread),
            asked => asked,
        };
        let Some(asked) = asked else { continue };
        if !line.ends_with("= ?") || counts_unanswered(&asked) {
            made.push(asked);
        }
    }
    made.extend(begun.into_values().filter(counts_unanswered));
    made
}

/// `1234 read(0x7, 0x7f.., 0x80000) = 0x5`, also where another thread interrupts it; `None` for the second half of such a one, and for
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

/// `1234 openat(AT_FDCWD, "/path", O_RDONLY|O_CLOEXEC) = 5` and `1234 unlink("/path") = 0`; a thread that was interrupted says the rest in
/// a line `1234 <... openat resumed>) = 5` later.
fn opened(lines: &[&str]) -> Vec<Opened> {
    let (mut opened, mut begun) = (Vec::new(), BTreeMap::new());
    for line in lines {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let asked = match rest.trim_start() {
            resumed if resumed.starts_with("<... openat") || resumed.starts_with("<... unlink") => begun.remove(thread),
            other => asked(other),
        };
        let answer = line.rsplit_once(" = ").map(|(_, answer)| answer.trim()).filter(|_| !line.ends_with("<unfinished ...>"));
        match (asked, answer) {
            (Some(asked), None) => drop(begun.insert(thread, asked)),
            (Some((path, writes)), Some(answer)) if !answer.starts_with("-1") || answer.starts_with("-1 EACCES") => {
                opened.push(Opened { path, writes, refused: answer.starts_with("-1") });
            }
            _ => {}
        }
    }
    opened
}

/// Which path, and whether to write.
fn asked(line: &str) -> Option<(PathBuf, bool)> {
    let (name, rest) = line.split_once('(').filter(|(name, _)| ["openat", "unlink"].contains(name))?;
    let (_, quoted) = rest.split_once('"')?;
    let (path, flags) = quoted.split_once('"')?;
    let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| flags.contains(flag));
    Some((path.into(), writes || name == "unlink"))
}

#[test]
fn calls_and_paths_are_read_from_a_trace() {
    // strace(1): "<unfinished ...>" and "resumed" where another thread comes between; "= ?" where the end of the process came first
    let text = "7 execve(0x1, 0x2) = 0\n7 seccomp(0x1, 0, 0x7f) = 0\n7 read(0x3, 0x4, 0x5 <unfinished ...>\n\
                8   socket(0x2, 0x1, 0) = 0x4\n7 <... read resumed>) = 0\n";
    let trace = Trace::of(text).unwrap();
    assert_eq!(trace.calls, [("socket".to_owned(), vec![2, 1, 0]), ("read".to_owned(), vec![3, 4, 5])]);
    let overtaken = "7 seccomp(0x1, 0, 0x7f) = 0\n8 write(0x3, 0x4, 0x5 <unfinished ...>\n7 exit_group(0 <unfinished ...>\n\
                     9 syscall_0x1d8(0, 0x7f, 0x1) = ?\n8 <... write resumed>) = ?\n7 <... exit_group resumed>) = ?\n\
                     10 syscall_0x1d9(0, 0x7f <unfinished ...>\n8 +++ exited with 0 +++\n7 +++ exited with 0 +++\n";
    assert_eq!(Trace::of(overtaken).unwrap().calls, [("exit_group".to_owned(), vec![0])], "no call was made but the last");
    let refused = "7 seccomp(0x1, 0, 0x7f) = 0\n7 ptrace(0x10) = 0x65\n7 +++ killed by SIGSYS (core dumped) +++\n\
                   8 syscall_0x1d8(0x1 <unfinished ...>\n9 fork() = ?\n";
    let names: Vec<String> = Trace::of(refused).unwrap().calls.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["ptrace", "fork", "syscall_0x1d8"]);
    assert!(Trace::of("7 read(0, 0, 0) = 0\n").is_none(), "a daemon that never locked itself");
    let text = "7 seccomp(0x1, 0, 0x7f) = 0\n7 openat(AT_FDCWD, \"/a/b\", O_RDONLY <unfinished ...>\n8 unlink(\"/c\") = 0\n\
                7 <... openat resumed>) = 5\n7 openat(AT_FDCWD, \"/d\", O_RDWR|O_CREAT, 0600) = -1 EACCES (Permission denied)\n\
                7 openat(AT_FDCWD, \"/e\", O_RDONLY) = -1 ENOENT (No such file or directory)\n";
    let seen = |path: &str, writes, refused| Opened { path: path.into(), writes, refused };
    assert_eq!(Trace::of(text).unwrap().opened, [seen("/c", true, false), seen("/a/b", false, false), seen("/d", true, true)]);
}
