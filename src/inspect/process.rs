//! The process as the kernel sees it: seccomp, privileges, who it is, limits, namespaces (proc_pid_status(5), namespaces(7)).
//!
//! Every thread is looked at, since seccomp and capabilities are a thread's own. Landlock the kernel shows nowhere: see `daemon`.

use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;

/// The value of a line "Name:\tvalue" of /proc/PID/status.
pub(crate) fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Each named field of each thread; the first thread is the process itself. Evidence is the first thread's, and any other's that differs.
fn in_every_thread(mut look: Look, threads: &[Reading], names: &[&str], is_good: impl Fn(&str, &str) -> bool) -> Observation {
    for (at, thread) in threads.iter().enumerate() {
        let Some(status) = look.read(thread) else { continue };
        for name in names {
            match field(status, name) {
                None => look.unseen(&thread.source, format!("this kernel shows no {name}")),
                Some(value) if at == 0 || !is_good(name, value) => {
                    look.found(&thread.source, format!("{name}: {value}"), is_good(name, value));
                }
                Some(_) => {}
            }
        }
    }
    look.done()
}

/// Seccomp filters in force.
pub fn seccomp(threads: &[Reading]) -> Observation {
    let look = Look::at("process.seccomp", "Seccomp: 2 (filter) and at least one filter in every thread");
    let is_good = |name: &str, value: &str| match name {
        "Seccomp" => value == "2",
        _ => value.parse::<u32>().is_ok_and(|filters| filters > 0),
    };
    in_every_thread(look, threads, &["Seccomp", "Seccomp_filters"], is_good)
}

/// No program can give it privileges again.
pub fn no_new_privs(threads: &[Reading]) -> Observation {
    let look = Look::at("process.no_new_privs", "NoNewPrivs: 1 in every thread");
    in_every_thread(look, threads, &["NoNewPrivs"], |_, value| value == "1")
}

/// No capability in any set.
pub fn capabilities(threads: &[Reading]) -> Observation {
    let look = Look::at("process.capabilities", "every capability set empty in every thread");
    let sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
    in_every_thread(look, threads, &sets, |_, value| value.bytes().all(|digit| digit == b'0'))
}

/// A user and a group of its own, never root.
pub fn identity(threads: &[Reading]) -> Observation {
    let look = Look::at("process.user", "one user and one group, not root, in every thread; real, effective, saved and file system alike");
    let is_good = |_: &str, value: &str| {
        let ids: Vec<&str> = value.split_whitespace().collect();
        ids.len() == 4 && ids.iter().all(|id| *id == ids[0]) && ids[0] != "0"
    };
    in_every_thread(look, threads, &["Uid", "Gid"], is_good)
}

/// It is contactpoint, by the machine's own table of users, and not just anybody but root.
pub fn is_contactpoint(threads: &[Reading], passwd: &Reading) -> Observation {
    let mut look = Look::at("process.user", "the user contactpoint and its group, as /etc/passwd has them, in every thread");
    let Some(users) = look.read(passwd) else { return look.done() };
    let own = users.lines().find_map(|line| line.strip_prefix("contactpoint:")).unwrap_or_default();
    let ids: Vec<&str> = own.split(':').skip(1).take(2).collect();
    let [user, group] = ids[..] else {
        look.found(&passwd.source, "there is no user contactpoint", false);
        return look.done();
    };
    let is_good = |name: &str, value: &str| value.split_whitespace().next() == Some(if name == "Uid" { user } else { group });
    in_every_thread(look, threads, &["Uid", "Gid"], is_good)
}

/// What the unit and systemd set (systemd.exec(5), sd_notify(3), sd_listen_fds(3)), SoftHSM's settings, and the machine's language.
const ENVIRONMENT: [&str; 24] = [
    "CONFIGURATION_DIRECTORY",
    "STATE_DIRECTORY",
    "RUNTIME_DIRECTORY",
    "CREDENTIALS_DIRECTORY",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "SYSTEMD_EXEC_PID",
    "MEMORY_PRESSURE_WATCH",
    "MEMORY_PRESSURE_WRITE",
    "LANG",
    "LANGUAGE",
    "PATH",
    "HOME",
    "LOGNAME",
    "USER",
    "SHELL",
    "SOFTHSM2_CONF",
];

/// It was started with no other variable: many steer what the loader and the libraries load (LD_*, OPENSSL_*, GCONV_PATH, LOCPATH). Names alone
/// are shown; what the process set in its own copy since is not seen.
pub fn environment(environ: &Reading) -> Observation {
    let mut look = Look::at("process.environment", "no variable but those that the unit and systemd set");
    if let Some(text) = look.read(environ) {
        let names = text.split('\0').filter(|variable| !variable.is_empty());
        let names = names.map(|variable| variable.split_once('=').map_or(variable, |(name, _)| name));
        let is_known = |name: &&str| ENVIRONMENT.contains(name) || name.starts_with("LC_");
        let (known, others): (Vec<&str>, Vec<&str>) = names.partition(is_known);
        others.iter().for_each(|name| look.found(&environ.source, *name, false));
        if known.is_empty() {
            look.unseen(&environ.source, "none of them is shown");
        } else {
            look.found(&environ.source, known.join(" "), true);
        }
    }
    look.done()
}

/// Nobody traces it.
pub fn not_traced(threads: &[Reading]) -> Observation {
    let look = Look::at("process.memory", "TracerPid: 0 in every thread");
    in_every_thread(look, threads, &["TracerPid"], |_, value| value == "0")
}

/// Not dumpable: the kernel then gives the process's files below /proc to root (proc(5)), while the process is somebody else.
pub fn not_dumpable(status: &Reading, owner: &Reading) -> Observation {
    let mut look =
        Look::at("process.memory", "the process's files below /proc belong to root, the process to another user; no core is being dumped");
    let (Some(status_text), Some(owner_text)) = (look.read(status), look.read(owner)) else { return look.done() };
    match field(status_text, "CoreDumping") {
        Some(dumping) => look.found(&status.source, format!("CoreDumping: {dumping}"), dumping == "0"),
        None => look.unseen(&status.source, "this kernel shows no CoreDumping"),
    }
    let uid = field(status_text, "Uid").and_then(|ids| ids.split_whitespace().next());
    match uid {
        Some("0") => look.unseen(&owner.source, "the process runs as root, to whom its files belong either way"),
        Some(uid) => look.found(&owner.source, format!("owner {owner_text}, the process's user {uid}"), owner_text == "0"),
        None => look.unseen(&status.source, "this kernel shows no Uid"),
    }
    look.done()
}

/// RLIMIT_CORE is 0, soft and hard.
pub fn core_limit(limits: &Reading) -> Observation {
    let mut look = Look::at("process.limits", "Max core file size: 0, soft and hard");
    if let Some(text) = look.read(limits) {
        match text.lines().find(|line| line.starts_with("Max core file size")) {
            Some(line) => {
                let words: Vec<&str> = line.split_whitespace().collect();
                look.found(&limits.source, words.join(" "), words.get(4..6) == Some(&["0", "0"]));
            }
            None => look.unseen(&limits.source, "this kernel shows no core limit"),
        }
    }
    look.done()
}

/// The namespaces that must be the daemon's own: files below /proc/PID/ns.
pub const NAMESPACES: [&str; 5] = ["net", "mnt", "user", "ipc", "uts"];

/// The namespace of `kind` is another than the machine's. Both readings are lines "net net:[4026531833]".
pub fn namespace(kind: &str, own: &Reading, machine: &Reading) -> Observation {
    let mut look = Look::at("process.namespaces", format!("another {kind} namespace than the machine's"));
    let (Some(own_text), Some(machine_text)) = (look.read(own), look.read(machine)) else { return look.done() };
    let of = |text: &str| text.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(' ')).map(str::to_owned);
    match (of(own_text), of(machine_text)) {
        (Some(ours), Some(theirs)) => {
            look.found(&own.source, ours.clone(), ours != theirs);
            look.found(&machine.source, theirs, true);
        }
        _ => look.unseen(&own.source, format!("no {kind} namespace is shown")),
    }
    look.done()
}

/// Nothing but the loopback interface within reach.
pub fn interfaces(net_dev: &Reading) -> Observation {
    let mut look = Look::at("process.namespaces", "no network interface but lo");
    if let Some(text) = look.read(net_dev) {
        let names: Vec<&str> = text.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim()).collect();
        look.found(&net_dev.source, format!("interfaces: {}", names.join(" ")), names.iter().all(|name| *name == "lo"));
    }
    look.done()
}

/// It has no child: nothing was started by it.
pub fn no_children(children: &[Reading]) -> Observation {
    let mut look = Look::at("process.seccomp", "no child process of any thread");
    for (at, thread) in children.iter().enumerate() {
        let Some(text) = look.read(thread) else { continue };
        if at == 0 || !text.trim().is_empty() {
            look.found(&thread.source, format!("children: {}", text.trim()), text.trim().is_empty());
        }
    }
    look.done()
}

/// The SELinux domain; on a kernel without SELinux there is none to be seen.
pub fn selinux_domain(context: &Reading, enforce: &Reading) -> Observation {
    let mut look = Look::at("process.context", "type contactpointd_t");
    let is_there = look.read(enforce).is_some();
    if let Some(text) = is_there.then(|| look.read(context)).flatten() {
        let context_text = text.trim_end_matches(['\0', '\n']);
        look.found(&context.source, context_text, context_text.split(':').nth(2) == Some("contactpointd_t"));
    }
    look.done()
}

/// The domain itself is not permissive (`semanage permissive`): then SELinux would tell of it and refuse nothing, though it is enforcing.
/// `access` is what /sys/fs/selinux/access answers: six numbers, of which the last has 1 for a permissive domain.
pub fn selinux_domain_refuses(access: &Reading) -> Observation {
    let mut look = Look::at("process.context", "flags without 1 (the domain is not permissive)");
    if let Some(text) = look.read(access) {
        let flags = text.split_whitespace().nth(5).and_then(|flags| u32::from_str_radix(flags, 16).ok());
        look.found(&access.source, text.trim(), flags.is_some_and(|flags| flags & 1 == 0));
    }
    look.done()
}

/// No boolean of the policy is on but the one that the HSM's attachment needs. Lines "contactpointd_pcscd 1 1": in force, and pending.
pub fn selinux_booleans(booleans: &Reading, attachment: Option<&str>) -> Observation {
    let mut look = Look::at("process.context", "no boolean contactpointd_* on but the one that [hsm] attachment needs");
    let Some(text) = look.read(booleans) else { return look.done() };
    let needed = match attachment {
        Some("network") => "contactpointd_network_hsm",
        Some("unix-socket") => "contactpointd_pcscd",
        Some("usb") => "contactpointd_usb_hsm",
        _ => "",
    };
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        let is_off = words.all(|value| value == "0");
        if attachment.is_none() && !is_off {
            look.unseen(&booleans.source, format!("{line}: the daemon does not tell its [hsm] attachment"));
        } else {
            look.found(&booleans.source, line, is_off || name == needed);
        }
    }
    look.done()
}

/// SELinux refuses, and does not merely tell.
pub fn selinux_enforcing(enforce: &Reading) -> Observation {
    let mut look = Look::at("process.context", "1 (enforcing)");
    if let Some(text) = look.read(enforce) {
        look.found(&enforce.source, text.trim(), text.trim() == "1");
    }
    look.done()
}
