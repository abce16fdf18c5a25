//! Each directive of the package's unit and what `systemctl show` must say of it, or why nothing is asked of it.
//!
//! For: whatever loosened the unit and by which way, a directive that is not as this program was built with it turns the verdict. An attachment
//! of the package counts where its drop-in is in force. Leaves to others: what the process really got (`in_force`), where the unit came from (`unit`).

use crate::reading::{Look, Reading};
use crate::unit::{attachments_in_force, directives, properties, property};
use contactpoint_assurance::Observation;
use std::collections::{BTreeMap, BTreeSet};

/// The unit as this program was built with it.
const UNIT: &str = include_str!("../../packaging/systemd/contactpointd.service");

/// What must be shown of a directive.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// This, or what an attachment in force sets.
    Is(&'static str),
    /// The words of the unit's lines and of the attachment's, in any order, and no other.
    Words,
    /// These words among others, which systemd adds.
    Among,
    /// A line that begins so, and no other line.
    Begins(&'static str),
    /// No line but these and the attachment's.
    Lines(&'static [&'static str]),
    /// No system call beyond those that the unit's lines come to.
    Calls,
}
use Expected::{Among, Begins, Calls, Is, Lines, Words};

/// Directive, the property by which systemd shows it (systemd 252), and what that must say.
#[rustfmt::skip]
pub(crate) const JUDGED: &[(&str, &str, Expected)] = &[
    ("Requires", "Requires", Among), ("After", "After", Among), ("Wants", "Wants", Among),
    ("OnFailure", "OnFailure", Words),
    ("StartLimitIntervalSec", "StartLimitIntervalUSec", Is("10min")), ("StartLimitBurst", "StartLimitBurst", Is("20")),
    ("Type", "Type", Is("notify")), ("NotifyAccess", "NotifyAccess", Is("main")),
    ("ExecStart", "ExecStartEx", Begins("{ path=/usr/sbin/contactpointd ; argv[]=/usr/sbin/contactpointd ; flags= ;")),
    ("TimeoutStartSec", "TimeoutStartUSec", Is("5min")), ("TimeoutStopSec", "TimeoutStopUSec", Is("1min")),
    ("WatchdogSec", "WatchdogUSec", Is("1min")), ("Restart", "Restart", Is("on-failure")), ("RestartSec", "RestartUSec", Is("10s")),
    ("RestartPreventExitStatus", "RestartPreventExitStatus", Words),
    ("User", "User", Is("contactpoint")), ("Group", "Group", Is("contactpoint")), ("SupplementaryGroups", "SupplementaryGroups", Words),
    ("UMask", "UMask", Is("0077")), ("PrivateUsers", "PrivateUsers", Is("yes")), ("KeyringMode", "KeyringMode", Is("private")),
    ("CapabilityBoundingSet", "CapabilityBoundingSet", Is("")), ("AmbientCapabilities", "AmbientCapabilities", Is("")),
    ("NoNewPrivileges", "NoNewPrivileges", Is("yes")), ("RestrictSUIDSGID", "RestrictSUIDSGID", Is("yes")),
    ("Environment", "Environment", Words), ("UnsetEnvironment", "UnsetEnvironment", Words),
    ("StateDirectory", "StateDirectory", Is("contactpoint")), ("StateDirectoryMode", "StateDirectoryMode", Is("0700")),
    ("StandardInput", "StandardInput", Is("null")), ("StandardOutput", "StandardOutput", Is("journal")),
    ("StandardError", "StandardError", Is("journal")), ("SyslogIdentifier", "SyslogIdentifier", Is("contactpointd")),
    ("RootDirectory", "RootDirectory", Is("/usr/lib/contactpoint/root")), ("MountAPIVFS", "MountAPIVFS", Is("yes")),
    ("PrivateMounts", "PrivateMounts", Is("yes")), ("MountFlags", "MountFlags", Is("private")),
    ("BindPaths", "BindPaths", Words), ("BindReadOnlyPaths", "BindReadOnlyPaths", Words),
    ("InaccessiblePaths", "InaccessiblePaths", Words), ("NoExecPaths", "NoExecPaths", Words), ("ExecPaths", "ExecPaths", Words),
    ("ReadWritePaths", "ReadWritePaths", Words), ("ReadOnlyPaths", "ReadOnlyPaths", Words),
    ("TemporaryFileSystem", "TemporaryFileSystem", Words),
    ("ProtectSystem", "ProtectSystem", Is("strict")), ("ProtectHome", "ProtectHome", Is("yes")), ("PrivateTmp", "PrivateTmp", Is("yes")),
    ("RemoveIPC", "RemoveIPC", Is("yes")), ("PrivateIPC", "PrivateIPC", Is("yes")), ("PrivateDevices", "PrivateDevices", Is("yes")),
    ("DevicePolicy", "DevicePolicy", Is("closed")),
    // systemd adds these two: for the credential's sealing (TPM) and for ProtectClock=
    ("DeviceAllow", "DeviceAllow", Lines(&["/dev/tpmrm0 rw", "char-rtc r"])),
    ("ProtectKernelTunables", "ProtectKernelTunables", Is("yes")), ("ProtectKernelModules", "ProtectKernelModules", Is("yes")),
    ("ProtectKernelLogs", "ProtectKernelLogs", Is("yes")), ("ProtectControlGroups", "ProtectControlGroups", Is("yes")),
    ("ProtectClock", "ProtectClock", Is("yes")), ("ProtectHostname", "ProtectHostname", Is("yes")),
    ("ProtectProc", "ProtectProc", Is("invisible")), ("ProcSubset", "ProcSubset", Is("pid")),
    ("PrivateNetwork", "PrivateNetwork", Is("yes")), ("RestrictAddressFamilies", "RestrictAddressFamilies", Words),
    ("IPAddressDeny", "IPAddressDeny", Words), ("IPAddressAllow", "IPAddressAllow", Words),
    ("SystemCallArchitectures", "SystemCallArchitectures", Is("native")), ("SystemCallFilter", "SystemCallFilter", Calls),
    ("MemoryDenyWriteExecute", "MemoryDenyWriteExecute", Is("yes")), ("LockPersonality", "LockPersonality", Is("yes")),
    ("RestrictNamespaces", "RestrictNamespaces", Is("yes")), ("RestrictRealtime", "RestrictRealtime", Is("yes")),
    ("LimitCORE", "LimitCORE", Is("0")), ("LimitMEMLOCK", "LimitMEMLOCK", Is("8388608")), ("LimitNOFILE", "LimitNOFILE", Is("131072")),
    ("TasksMax", "TasksMax", Is("1024")), ("MemorySwapMax", "MemorySwapMax", Is("0")),
];

/// Directives of which nothing is asked here, and why.
pub(crate) const NOT_JUDGED: &[(&str, &str)] = &[
    ("Description", "a text for people"),
    ("Documentation", "a text for people"),
    (
        "LoadCredentialEncrypted",
        "systemd 252 cannot print it; files.configuration looks at the credential, and without it the daemon does not start",
    ),
    ("WantedBy", "read when the unit is enabled, and not when it is started"),
    ("Also", "read when the unit is enabled, and not when it is started"),
];

/// Properties of which the unit has no line, and which would open it: empty, or not shown at all.
pub(crate) const EMPTY: [&str; 33] = [
    "EnvironmentFiles",
    "PassEnvironment",
    "ExecCondition",
    "ExecStartPre",
    "ExecStartPost",
    "ExecReload",
    "ExecStop",
    "ExecStopPost",
    "RootImage",
    "MountImages",
    "ExtensionImages",
    "ExtensionDirectories",
    "NetworkNamespacePath",
    "IPCNamespacePath",
    "JoinsNamespaceOf",
    "RuntimeDirectory",
    "CacheDirectory",
    "LogsDirectory",
    "ConfigurationDirectory",
    "SELinuxContext",
    "OnSuccess",
    "BindsTo",
    "PartOf",
    "DelegateControllers",
    "IPIngressFilterPath",
    "IPEgressFilterPath",
    "BPFProgram",
    "LogNamespace",
    "PAMName",
    "ExecSearchPath",
    "RootHash",
    "AppArmorProfile",
    "Personality",
];

/// Properties of which the unit has no line either: what systemd 252 shows of each where nobody says anything.
pub(crate) const UNSAID: [(&str, &str); 7] = [
    ("Slice", "system.slice"),
    ("Delegate", "no"),
    ("DynamicUser", "no"),
    ("SecureBits", "0"),
    ("FileDescriptorStoreMax", "0"),
    ("CoredumpFilter", "0x33"),
    // a call that is refused kills (SECCOMP_ERROR_NUMBER_KILL)
    ("SystemCallErrorNumber", "2147483646"),
];

/// Each directive of the cage is in force. `calls` is `systemd-analyze syscall-filter`: what the groups of calls are on this machine.
pub fn settings(show: &Reading, calls: &Reading, drop_ins: &[Reading], shipped: &[Reading]) -> Observation {
    let mut look = Look::at("unit.drop_ins", "each directive of the cage as the package's unit has it, or the attachment in force");
    let Some(text) = look.read(show) else { return look.done() };
    let attached = attachments_in_force(drop_ins, shipped);
    for (name, shown, expected) in JUDGED {
        match expected {
            Calls => system_calls(&mut look, show, calls),
            Lines(known) => lines(&mut look, show, shown, &[known.to_vec(), values(name, &attached)].concat()),
            Is(_) | Words | Among | Begins(_) => match property(text, shown) {
                Some(value) => {
                    look.found(&show.source, format!("{shown}={value}"), is_as_expected(text, name, shown, *expected, &attached))
                }
                None => look.unseen(&show.source, format!("{shown} is not shown")),
            },
        }
    }
    for name in EMPTY {
        lines(&mut look, show, name, &[]);
    }
    for (name, value) in UNSAID {
        match property(text, name) {
            Some(shown) => look.found(&show.source, format!("{name}={shown}"), shown == value),
            None => look.unseen(&show.source, format!("{name} is not shown")),
        }
    }
    not_judged(&mut look, NOT_JUDGED);
    look.done()
}

/// Tells whoever reads the evidence what was not asked, and why.
pub(crate) fn not_judged(look: &mut Look, names: &[(&str, &str)]) {
    let told: Vec<String> = names.iter().map(|(name, why)| format!("{name}: {why}")).collect();
    look.found("not asked", told.join("; "), true);
}

fn is_as_expected(show: &str, name: &str, shown: &str, expected: Expected, attached: &[&str]) -> bool {
    let value = property(show, shown).unwrap_or_default();
    let has: BTreeSet<String> = value.split_whitespace().flat_map(normal).collect();
    match expected {
        Is(wanted) => value == values(name, attached).last().copied().unwrap_or(wanted),
        Words => has == words(name, attached),
        Among => words(name, attached).is_subset(&has),
        Begins(wanted) => value.starts_with(wanted) && properties(show, shown).count() == 1,
        Lines(_) | Calls => false,
    }
}

/// Nothing is shown but what is known.
fn lines(look: &mut Look, show: &Reading, name: &str, known: &[&str]) {
    let text = show.text.as_deref().unwrap_or_default();
    for value in properties(text, name).filter(|value| !value.is_empty()) {
        look.found(&show.source, format!("{name}={value}"), known.contains(&value));
    }
}

/// What the texts say of a directive, one after the other.
fn values<'t>(name: &str, texts: &[&'t str]) -> Vec<&'t str> {
    texts.iter().flat_map(|text| directives(text)).filter(|(other, _)| *other == name).map(|(_, value)| value).collect()
}

/// The words of the unit's lines and of the attachments'; an empty line drops those before it (systemd.exec(5)).
fn words(name: &str, attached: &[&str]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for value in values(name, &[&[UNIT], attached].concat()) {
        if value.is_empty() {
            words.clear();
        }
        words.extend(value.split_whitespace().flat_map(normal));
    }
    words
}

/// A word as it is written and as systemd shows it, made one: "any" is two networks, "/a:/a:rbind" is "/a", "192.0.2.10/32" one machine.
fn normal(word: &str) -> Vec<String> {
    if word == "any" {
        return ["0.0.0.0/0", "::/0"].map(str::to_owned).to_vec();
    }
    let parts: Vec<&str> = word.split(':').collect();
    let word = match parts[..] {
        [from, to, "rbind"] if from.trim_start_matches('-') == to => from,
        _ => word.strip_suffix("/32").or_else(|| word.strip_suffix("/128")).unwrap_or(word),
    };
    vec![word.to_owned()]
}

/// The calls that the unit lets through are no more than its lines come to with the groups of this machine's systemd.
fn system_calls(look: &mut Look, show: &Reading, calls: &Reading) {
    let (Some(show_text), Some(groups)) = (look.read(show), look.read(calls)) else { return };
    let Some(shown) = property(show_text, "SystemCallFilter") else {
        return look.unseen(&show.source, "SystemCallFilter is not shown");
    };
    let allowed = allowed(&groups_of(groups));
    // a list that begins with ~ is one of what is refused
    let others: Vec<&str> = shown.split_whitespace().filter(|call| !allowed.contains(*call)).collect();
    let count = shown.split_whitespace().count();
    match others[..] {
        [] if count == 0 => look.found(&show.source, "SystemCallFilter=", false),
        [] => look.found(&show.source, format!("SystemCallFilter={count} calls, each of the unit's lines"), true),
        _ => look.found(&show.source, format!("SystemCallFilter lets through what the unit does not: {}", others.join(" ")), false),
    }
}

/// The groups by name, as `systemd-analyze syscall-filter` prints them: "@clock", and below it indented what is in it.
fn groups_of(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut group = "";
    for line in text.lines() {
        match line.strip_prefix(' ').map(str::trim) {
            Some(call) if !call.starts_with('#') => groups.entry(group).or_default().push(call),
            Some(_) => {}
            None => group = line,
        }
    }
    groups
}

fn allowed<'g>(groups: &BTreeMap<&'g str, Vec<&'g str>>) -> BTreeSet<&'g str> {
    // systemd lets @default through with every list
    let mut allowed = members("@default", groups);
    for value in values("SystemCallFilter", &[UNIT]) {
        let (refuses, names) = value.strip_prefix('~').map_or((false, value), |names| (true, names));
        for call in names.split_whitespace().flat_map(|name| members(name, groups)) {
            if refuses {
                allowed.remove(call);
            } else {
                allowed.insert(call);
            }
        }
    }
    allowed
}

fn members<'g>(name: &'g str, groups: &BTreeMap<&'g str, Vec<&'g str>>) -> BTreeSet<&'g str> {
    match groups.get(name) {
        Some(inside) => inside.iter().flat_map(|inner| members(inner, groups)).collect(),
        None if name.starts_with('@') => BTreeSet::new(),
        None => BTreeSet::from([name]),
    }
}
