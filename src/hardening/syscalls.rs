//! The list of system calls (config/syscalls.conf): read, shown, and made into what the kernel filters by.
//!
//! For: one list that an accreditor reads and the kernel obeys. A line is a call, conditions on its arguments, and the reason; a line
//! without a reason, an unknown word or the same line twice refuses to build a filter. Leaves to others: putting it into force
//! (`seccomp_filter`). Source: seccomp(2); numbers of calls from seccompiler's tables.

use crate::HsmAttachment;
use serde_json::{json, Value};

/// The shipped list.
pub const LIST: &str = include_str!("../../config/syscalls.conf");

/// A line that cannot be understood; the list is part of the program, so this is a fault of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config/syscalls.conf, line {line}: {why}")]
pub struct SyscallListFault {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub why: &'static str,
}

/// A part of the list, and when it is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// In force always, and each line of it needed by the tests' own suite.
    Always,
    /// In force always; what no test can make happen each time.
    OtherMachines,
    /// In force where the HSM's module talks to a daemon on this machine.
    HsmUnixSocket,
    /// In force where the HSM's module opens a device on the USB bus.
    HsmUsb,
    /// In force where the HSM's module talks TCP.
    HsmNetwork,
}

impl Section {
    fn named(heading: &str) -> Option<Self> {
        match heading {
            "[always]" => Some(Self::Always),
            "[other machines]" => Some(Self::OtherMachines),
            "[hsm unix-socket]" => Some(Self::HsmUnixSocket),
            "[hsm usb]" => Some(Self::HsmUsb),
            "[hsm network]" => Some(Self::HsmNetwork),
            _ => None,
        }
    }

    /// Whether its lines are in force with this HSM.
    #[must_use]
    pub fn is_in_force(self, attachment: HsmAttachment) -> bool {
        match self {
            Self::Always | Self::OtherMachines => true,
            Self::HsmUnixSocket => attachment == HsmAttachment::UnixSocket,
            Self::HsmUsb => attachment == HsmAttachment::Usb,
            Self::HsmNetwork => matches!(attachment, HsmAttachment::Network { .. }),
        }
    }
}

/// A condition on an argument's low 32 bits, which are all that our conditions are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// `argN=VALUE`.
    Equals {
        /// Which argument, from 0.
        argument: u8,
        /// Its value.
        value: u32,
    },
    /// `argN lacks FLAG`.
    Lacks {
        /// Which argument, from 0.
        argument: u8,
        /// The bits of which none is set.
        flag: u32,
    },
}

impl Condition {
    /// Whether a call with these arguments fits.
    #[must_use]
    pub fn fits(self, arguments: &[u64]) -> bool {
        // lossless on purpose: the low half is what the kernel takes of an int, and where our flags lie
        let low = |argument: u8| arguments.get(usize::from(argument)).map_or(0, |whole| (whole & 0xffff_ffff) as u32);
        match self {
            Self::Equals { argument, value } => low(argument) == value,
            Self::Lacks { argument, flag } => low(argument) & flag == 0,
        }
    }

    fn to_filter(self) -> Value {
        let (index, op, value) = match self {
            Self::Equals { argument, value } => (argument, json!("eq"), value),
            Self::Lacks { argument, flag } => (argument, json!({ "masked_eq": flag }), 0),
        };
        json!({"index": index, "type": "dword", "op": op, "val": value})
    }
}

/// What happens to a call that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The kernel does it.
    Allow,
    /// The caller gets this error number.
    Refuse(u16),
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// The part it stands in.
    pub section: Section,
    /// The call's name.
    pub name: String,
    /// All of these hold for a call that fits.
    pub conditions: Vec<Condition>,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// As it stands in the list, without its reason.
    pub text: String,
}

impl Line {
    /// Whether this line lets a call with these arguments happen, or refuses it without ending the process.
    #[must_use]
    pub fn fits(&self, name: &str, arguments: &[u64]) -> bool {
        self.name == name && self.conditions.iter().all(|condition| condition.fits(arguments))
    }
}

/// The shipped list, read.
///
/// # Errors
/// [`SyscallListFault`], which a test keeps from being shipped.
pub fn shipped() -> Result<Vec<Line>, SyscallListFault> {
    parse(LIST)
}

/// The lines in force with this HSM.
///
/// # Errors
/// As [`shipped`].
pub fn effective(attachment: HsmAttachment) -> Result<Vec<Line>, SyscallListFault> {
    Ok(shipped()?.into_iter().filter(|line| line.section.is_in_force(attachment)).collect())
}

/// Reads a list.
///
/// # Errors
/// [`SyscallListFault`] for the first line that is not as it must be.
pub fn parse(text: &str) -> Result<Vec<Line>, SyscallListFault> {
    let mut section = None;
    let mut lines: Vec<Line> = Vec::new();
    for (at, text) in text.lines().enumerate() {
        let fault = |why| SyscallListFault { line: at + 1, why };
        match text.trim() {
            "" => {}
            comment if comment.starts_with('#') => {}
            heading if heading.starts_with('[') => section = Some(Section::named(heading).ok_or(fault("unknown heading"))?),
            line => {
                let section = section.ok_or(fault("a line before the first heading"))?;
                let line = read(line, at + 1, section).map_err(fault)?;
                let again = |earlier: &Line| earlier.section == section && earlier.text == line.text;
                if lines.iter().any(again) {
                    return Err(fault("the same line again"));
                }
                lines.push(line);
            }
        }
    }
    Ok(lines)
}

fn read(line: &str, number: usize, section: Section) -> Result<Line, &'static str> {
    let (text, reason) = line.split_once('#').ok_or("no reason")?;
    let (text, reason) = (text.trim(), reason.trim());
    if reason.is_empty() {
        return Err("no reason");
    }
    let mut words = text.split_whitespace().peekable();
    let name = words.next().ok_or("no call")?.to_owned();
    let (mut conditions, mut verdict) = (Vec::new(), Verdict::Allow);
    while let Some(word) = words.next() {
        if word == "->" {
            verdict = Verdict::Refuse(error_number(words.next().ok_or("no error number")?)?);
        } else if let Some((argument, value)) = word.split_once('=') {
            conditions.push(Condition::Equals { argument: argument_number(argument)?, value: constants(value)? });
        } else {
            let argument = argument_number(word)?;
            let relation = words.next().ok_or("no condition")?;
            let flag = constants(words.next().ok_or("no flag")?)?;
            if relation != "lacks" {
                return Err("a condition is argN=VALUE or argN lacks FLAG");
            }
            conditions.push(Condition::Lacks { argument, flag });
        }
    }
    Ok(Line { number, section, name, conditions, verdict, reason: reason.to_owned(), text: text.to_owned() })
}

fn argument_number(word: &str) -> Result<u8, &'static str> {
    let number = word.strip_prefix("arg").and_then(|number| number.parse().ok());
    number.filter(|number| *number < 6).ok_or("arguments are arg0 to arg5")
}

fn error_number(name: &str) -> Result<u16, &'static str> {
    match name {
        "ENOSYS" => Ok(38),
        "EPERM" => Ok(1),
        _ => Err("unknown error number"),
    }
}

/// Values of the C headers, joined by `|`. None of them is negative.
fn constants(names: &str) -> Result<u32, &'static str> {
    names.split('|').try_fold(0, |sum, name| constant(name).map(|value| sum | value))
}

fn constant(name: &str) -> Result<u32, &'static str> {
    let value = match name {
        // linux/usbdevice_fs.h, on a machine of 64 bits; the libc crate has them not
        "USBDEVFS_GET_CAPABILITIES" => return Ok(0x8004_551a),
        "USBDEVFS_CLAIMINTERFACE" => return Ok(0x8004_550f),
        "USBDEVFS_RELEASEINTERFACE" => return Ok(0x8004_5510),
        "USBDEVFS_SUBMITURB" => return Ok(0x8038_550a),
        "USBDEVFS_REAPURBNDELAY" => return Ok(0x4008_550d),
        "USBDEVFS_DISCARDURB" => return Ok(0x550b),
        "AF_UNIX" => libc::AF_UNIX,
        "AF_INET" => libc::AF_INET,
        "AF_INET6" => libc::AF_INET6,
        "SOCK_STREAM" => libc::SOCK_STREAM,
        "SOCK_CLOEXEC" => libc::SOCK_CLOEXEC,
        "SOL_SOCKET" => libc::SOL_SOCKET,
        "SO_PEERCRED" => libc::SO_PEERCRED,
        "IPPROTO_IP" => libc::IPPROTO_IP,
        "IPPROTO_TCP" => libc::IPPROTO_TCP,
        "TCP_NODELAY" => libc::TCP_NODELAY,
        "MSG_FASTOPEN" => libc::MSG_FASTOPEN,
        "SHUT_WR" => libc::SHUT_WR,
        "PROT_EXEC" => libc::PROT_EXEC,
        "PR_SET_NAME" => libc::PR_SET_NAME,
        "F_GETFD" => libc::F_GETFD,
        "F_SETFD" => libc::F_SETFD,
        "F_GETFL" => libc::F_GETFL,
        "F_DUPFD_CLOEXEC" => libc::F_DUPFD_CLOEXEC,
        "F_SETLK" => libc::F_SETLK,
        "F_SETLKW" => libc::F_SETLKW,
        "F_GETLK" => libc::F_GETLK,
        "CLONE_VM" => libc::CLONE_VM,
        "CLONE_FS" => libc::CLONE_FS,
        "CLONE_FILES" => libc::CLONE_FILES,
        "CLONE_SIGHAND" => libc::CLONE_SIGHAND,
        "CLONE_THREAD" => libc::CLONE_THREAD,
        "CLONE_SYSVSEM" => libc::CLONE_SYSVSEM,
        "CLONE_SETTLS" => libc::CLONE_SETTLS,
        "CLONE_PARENT_SETTID" => libc::CLONE_PARENT_SETTID,
        "CLONE_CHILD_CLEARTID" => libc::CLONE_CHILD_CLEARTID,
        _ => return Err("unknown constant"),
    };
    u32::try_from(value).map_err(|_| "a negative constant")
}

/// Two filters in seccompiler's JSON: `allowed` ends the process for what is not in the list, `refused` answers what is refused in the list
/// with its error number, unless another line allows the call. The kernel takes the stricter word of the two.
pub(crate) fn filters(lines: &[Line]) -> Value {
    let mut filters = json!({
        "allowed": {"mismatch_action": "kill_process", "match_action": "allow", "filter": rules(lines.iter())},
    });
    for error in [1u16, 38] {
        let allowed = |name: &str| lines.iter().any(|line| line.name == name && line.verdict == Verdict::Allow);
        let refused = rules(lines.iter().filter(|line| line.verdict == Verdict::Refuse(error) && !allowed(&line.name)));
        if refused.as_array().is_some_and(|rules| !rules.is_empty()) {
            filters[format!("refused {error}")] = json!({"mismatch_action": "allow", "match_action": {"errno": error}, "filter": refused});
        }
    }
    filters
}

fn rules<'a>(lines: impl Iterator<Item = &'a Line> + Clone) -> Value {
    let is_open = |name: &str| lines.clone().any(|line| line.name == name && line.conditions.is_empty());
    let mut rules: Vec<Value> = Vec::new();
    for line in lines.clone() {
        let rule = if is_open(&line.name) {
            json!({ "syscall": line.name })
        } else {
            let conditions: Vec<Value> = line.conditions.iter().map(|condition| condition.to_filter()).collect();
            json!({"syscall": line.name, "args": conditions})
        };
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    Value::Array(rules)
}
