//! What the unit gives, held against what the kernel shows that the process got: limits, groups, filters, the control group, hidden places.
//!
//! For: a process that was started while the unit was loosened keeps what it got then, though the unit was put right afterwards. Everything here
//! compares the kernel's word with `systemctl show`, and only where systemd's main process is the one that is looked at. Leaves to others: what
//! must be so whatever the unit says (`process`, `reach`), and when the process was started (`unit`).

use crate::process::field;
use crate::reading::{Look, Reading};
use crate::unit::{main_pid, property};
use contactpoint_assurance::Observation;

/// The unit as systemd shows it, if it is the unit of this process.
fn of_this<'s>(look: &mut Look, show: &'s Reading, pid: Option<u32>) -> Option<&'s str> {
    let text = look.read(show)?;
    if pid.is_some() && main_pid(show) == pid {
        return Some(text);
    }
    look.unseen(&show.source, "the process is not the unit's main process");
    None
}

/// A limit as both write it; without one it is more than any number.
fn number(word: &str) -> Option<u64> {
    match word {
        "unlimited" | "infinity" | "max" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// Lines of /proc/PID/limits and the directives that set them.
const LIMITS: [(&str, &str, &str); 16] = [
    ("Max cpu time", "LimitCPUSoft", "LimitCPU"),
    ("Max file size", "LimitFSIZESoft", "LimitFSIZE"),
    ("Max data size", "LimitDATASoft", "LimitDATA"),
    ("Max stack size", "LimitSTACKSoft", "LimitSTACK"),
    ("Max core file size", "LimitCORESoft", "LimitCORE"),
    ("Max resident set", "LimitRSSSoft", "LimitRSS"),
    ("Max processes", "LimitNPROCSoft", "LimitNPROC"),
    ("Max open files", "LimitNOFILESoft", "LimitNOFILE"),
    ("Max locked memory", "LimitMEMLOCKSoft", "LimitMEMLOCK"),
    ("Max address space", "LimitASSoft", "LimitAS"),
    ("Max file locks", "LimitLOCKSSoft", "LimitLOCKS"),
    ("Max pending signals", "LimitSIGPENDINGSoft", "LimitSIGPENDING"),
    ("Max msgqueue size", "LimitMSGQUEUESoft", "LimitMSGQUEUE"),
    ("Max nice priority", "LimitNICESoft", "LimitNICE"),
    ("Max realtime priority", "LimitRTPRIOSoft", "LimitRTPRIO"),
    ("Max realtime timeout", "LimitRTTIMESoft", "LimitRTTIME"),
];

/// No limit is above the unit's, soft or hard. Below it may be: a machine can have less to give, and a process can give up some.
pub fn limits(limits: &Reading, show: &Reading, pid: Option<u32>) -> Observation {
    let mut look = Look::at("process.limits", "no limit above what the unit sets, soft or hard");
    let (Some(unit), Some(text)) = (of_this(&mut look, show, pid), look.read(limits)) else { return look.done() };
    for (name, soft, hard) in LIMITS {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
        let most = [soft, hard].map(|directive| property(unit, directive).and_then(number));
        match (words.as_slice(), most) {
            ([now_soft, now_hard, ..], [Some(soft), Some(hard)]) => {
                let is_within = |word: &str, most: u64| number(word).is_some_and(|now| now <= most);
                let value = format!("{name}: {now_soft} {now_hard}");
                look.found(&limits.source, value, is_within(now_soft, soft) && is_within(now_hard, hard));
            }
            _ => look.unseen(&limits.source, format!("{name} is not shown, by the kernel or by systemd")),
        }
    }
    look.done()
}

/// How many filters systemd 252 loads for a directive on x86-64, counted by leaving out one after the other (three entries to the kernel are
/// filtered one by one, until SystemCallArchitectures= shuts two of them).
const FILTERS: [(&str, u32); 14] = [
    ("RestrictAddressFamilies", 2),
    ("MemoryDenyWriteExecute", 3),
    ("RestrictRealtime", 3),
    ("RestrictSUIDSGID", 3),
    ("RestrictNamespaces", 3),
    ("ProtectKernelTunables", 2),
    ("ProtectKernelModules", 3),
    ("ProtectKernelLogs", 3),
    ("ProtectClock", 3),
    ("ProtectHostname", 3),
    ("PrivateDevices", 3),
    ("SystemCallArchitectures", 1),
    ("LockPersonality", 1),
    ("SystemCallFilter", 1),
];
/// The daemon's own: what ends it, what is refused as not permitted, and what is refused as not there.
const OWN_FILTERS: u32 = 3;

/// Every thread is under as many filters as the unit's directives and the daemon itself make. `manager` is `systemctl show` without a unit.
pub fn filters(threads: &[Reading], show: &Reading, manager: &Reading, pid: Option<u32>) -> Observation {
    let mut look = Look::at("process.seccomp", "as many filters in every thread as the unit's directives and the daemon make");
    let (Some(unit), Some(systemd)) = (of_this(&mut look, show, pid), look.read(manager)) else { return look.done() };
    let is_counted = property(systemd, "Version").is_some_and(|version| version.starts_with("252"))
        && property(systemd, "Architecture") == Some("x86-64");
    let in_force = FILTERS.iter().filter(|(name, _)| property(unit, name).is_some_and(|value| !["", "no", "~"].contains(&value)));
    // where nobody has counted, a directive makes one filter at least
    let least: u32 = OWN_FILTERS + in_force.map(|(_, filters)| if is_counted { *filters } else { 1 }).sum::<u32>();
    for (at, thread) in threads.iter().enumerate() {
        let Some(status) = look.read(thread) else { continue };
        match field(status, "Seccomp_filters").and_then(|count| count.parse::<u32>().ok()) {
            Some(count) if at == 0 || count < least => {
                let basis =
                    if is_counted { "as counted with systemd 252 on x86-64" } else { "one a directive: not counted with this systemd" };
                look.found(&thread.source, format!("Seccomp_filters: {count}; {least} at least, {basis}"), count >= least);
            }
            Some(_) => {}
            None => look.unseen(&thread.source, "this kernel shows no Seccomp_filters"),
        }
    }
    look.done()
}

/// No group but its own and those that the unit names. `known` is /etc/group.
pub fn groups(status: &Reading, show: &Reading, known: &Reading) -> Observation {
    let mut look = Look::at("process.user", "no group beside its own but those that the unit names");
    let (Some(text), Some(known)) = (look.read(status), look.read(known)) else { return look.done() };
    let own = field(text, "Gid").and_then(|ids| ids.split_whitespace().next());
    let unit = show.text.as_deref().unwrap_or_default();
    let named: Vec<&str> = property(unit, "SupplementaryGroups").unwrap_or_default().split_whitespace().collect();
    let is_named = |id: &str| {
        known.lines().any(|line| {
            let mut words = line.split(':');
            words.next().is_some_and(|name| named.contains(&name)) && words.nth(1) == Some(id)
        })
    };
    match field(text, "Groups") {
        Some(groups) => {
            let is_good = groups.split_whitespace().all(|id| Some(id) == own || is_named(id));
            look.found(&status.source, format!("Groups: {groups}; the unit names: {}", named.join(" ")), is_good);
        }
        None => look.unseen(&status.source, "this kernel shows no Groups"),
    }
    look.done()
}

/// What the process makes, nobody else may read: its umask has every bit of the unit's.
pub fn umask(status: &Reading, show: &Reading, pid: Option<u32>) -> Observation {
    let mut look = Look::at("process.limits", "a umask that leaves out all that the unit's does");
    let (Some(unit), Some(text)) = (of_this(&mut look, show, pid), look.read(status)) else { return look.done() };
    let bits = |mask: &str| u32::from_str_radix(mask, 8).ok();
    match (field(text, "Umask"), property(unit, "UMask").and_then(bits)) {
        (Some(mask), Some(wanted)) => {
            look.found(&status.source, format!("Umask: {mask}"), bits(mask).is_some_and(|mask| mask & wanted == wanted));
        }
        _ => look.unseen(&status.source, "no umask is shown, by the kernel or by systemd"),
    }
    look.done()
}

/// The control group is bounded as the unit says. Lines "pids.max 1024" of the process's own group.
pub fn bounds(group: &Reading, show: &Reading, pid: Option<u32>) -> Observation {
    let mut look = Look::at("process.limits", "the control group's tasks and swap bounded as the unit says");
    let (Some(unit), Some(text)) = (of_this(&mut look, show, pid), look.read(group)) else { return look.done() };
    for (file, directive) in [("pids.max", "TasksMax"), ("memory.swap.max", "MemorySwapMax")] {
        let now = text.lines().find_map(|line| line.strip_prefix(file)).map(str::trim);
        match (now, property(unit, directive).and_then(number)) {
            (Some(now), Some(most)) => look.found(&group.source, format!("{file} {now}"), number(now).is_some_and(|now| now <= most)),
            _ => look.unseen(&group.source, format!("{file} is not there")),
        }
    }
    look.done()
}

/// What is mounted at a place of the process's tree: the last one counts.
struct Mount<'m> {
    root: &'m str,
    options: &'m str,
    file_system: &'m str,
    line: &'m str,
}

fn mount<'m>(mountinfo: &'m str, place: &str) -> Option<Mount<'m>> {
    let mut mounts = mountinfo.lines().filter_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut words = mount.split(' ').skip(3);
        let (root, point, options) = (words.next()?, words.next()?, words.next()?);
        (point == place).then_some(Mount { root, options, file_system, line })
    });
    mounts.next_back()
}

/// What a directive makes of a mount.
enum Made<'s> {
    /// Of this folder of the machine's.
    From(&'s str),
    /// An option of the mount itself.
    Option(&'s str),
    /// An option of the file system.
    FileSystem(&'s str),
    /// Covered by a node of systemd's own, so that it is not reached.
    Covered,
}

impl Made<'_> {
    fn is_so(&self, mount: &Mount<'_>) -> bool {
        match self {
            // where /usr is a file system of its own, the kernel shows the path below it
            Self::From(folder) => mount.root != "/" && folder.ends_with(mount.root),
            Self::Option(option) => mount.options.split(',').any(|other| other == *option),
            Self::FileSystem(option) => mount.file_system.split([' ', ',']).any(|other| other == *option),
            Self::Covered => mount.root.contains("/inaccessible/"),
        }
    }
}

/// A mount that the unit makes, and what must be so of it.
struct Demand<'s> {
    place: &'s str,
    may_be_absent: bool,
    made: Made<'s>,
}

/// Everything that the unit's directives make of the process's tree.
fn demands(unit: &str) -> Vec<Demand<'_>> {
    let says = |name: &'static str, value: &str| property(unit, name) == Some(value);
    let at = |place, made| Demand { place, may_be_absent: false, made };
    let mut demands = vec![at("/", Made::From(property(unit, "RootDirectory").unwrap_or_default())), at("/", Made::Option("ro"))];
    if says("PrivateDevices", "yes") {
        demands.extend([at("/dev", Made::FileSystem("tmpfs")), at("/dev", Made::Option("ro")), at("/dev", Made::Option("noexec"))]);
    }
    if says("ProtectHome", "yes") {
        demands.extend([at("/home", Made::Covered), at("/root", Made::Covered)]);
    }
    if says("ProtectProc", "invisible") {
        demands.push(at("/proc", Made::FileSystem("hidepid=invisible")));
    }
    if says("ProcSubset", "pid") {
        demands.push(at("/proc", Made::FileSystem("subset=pid")));
    }
    demands.extend(own_paths(unit, "InaccessiblePaths", || Made::Covered));
    demands.extend(own_paths(unit, "NoExecPaths", || Made::Option("noexec")));
    demands
}

/// "-+/dev/shm" is /dev/shm of the unit's root, and may be absent. A path without + is one of the machine's tree, which the process does not see.
fn own_paths<'s>(unit: &'s str, name: &'static str, made: impl Fn() -> Made<'s>) -> Vec<Demand<'s>> {
    let words = property(unit, name).unwrap_or_default().split_whitespace();
    let own = words.filter_map(|word| Some((word.trim_start_matches('-').strip_prefix('+')?, word.starts_with('-'))));
    own.map(|(place, may_be_absent)| Demand { place, may_be_absent, made: made() }).collect()
}

/// In the process's own tree is hidden, and kept from being executed, what the unit hides and keeps.
pub fn hidden(mountinfo: &Reading, show: &Reading, pid: Option<u32>) -> Observation {
    let mut look =
        Look::at("process.mounts", "the unit's own root, read-only; covered what it hides, noexec what it keeps from being executed");
    let (Some(unit), Some(text)) = (of_this(&mut look, show, pid), look.read(mountinfo)) else { return look.done() };
    for demand in demands(unit) {
        match mount(text, demand.place) {
            Some(mount) => look.found(&mountinfo.source, mount.line, demand.made.is_so(&mount)),
            None => look.found(&mountinfo.source, format!("nothing of its own is mounted at {}", demand.place), demand.may_be_absent),
        }
    }
    look.done()
}
