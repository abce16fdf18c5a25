//! The unit as systemd has it in force: `systemctl show`, drop-ins, and the exposure that `systemd-analyze security` gives.
//!
//! What the kernel shows of the same is looked at in `process` and `reach`; the two agree or one verdict turns.

use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;

/// What the unit may score at most by itself (systemd-analyze(1): 0.0 safe, 10.0 unsafe), in tenths.
const MOST_EXPOSURE: u32 = 2;

/// Directives that must be in force, as `systemctl show` prints them.
const SETTINGS: [(&str, &str); 29] = [
    ("User", "contactpoint"),
    ("Group", "contactpoint"),
    ("UMask", "0077"),
    ("KeyringMode", "private"),
    ("NoNewPrivileges", "yes"),
    ("CapabilityBoundingSet", ""),
    ("AmbientCapabilities", ""),
    ("RootDirectory", "/usr/lib/contactpoint/root"),
    ("PrivateMounts", "yes"),
    ("PrivateNetwork", "yes"),
    ("PrivateDevices", "yes"),
    ("PrivateTmp", "yes"),
    ("PrivateUsers", "yes"),
    ("PrivateIPC", "yes"),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectHostname", "yes"),
    ("MemoryDenyWriteExecute", "yes"),
    ("LockPersonality", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("LimitCORE", "0"),
    ("MemorySwapMax", "0"),
    ("DevicePolicy", "closed"),
];

fn property<'a>(show: &'a str, name: &str) -> Option<&'a str> {
    show.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

/// The main process that systemd knows of.
pub(crate) fn main_pid(show: &Reading) -> Option<u32> {
    property(show.text.as_deref().ok()?, "MainPID")?.parse().ok().filter(|pid| *pid != 0)
}

/// The drop-ins in force, by path.
pub(crate) fn drop_in_paths(show: &Reading) -> Vec<String> {
    let paths = show.text.as_deref().ok().and_then(|text| property(text, "DropInPaths"));
    paths.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// systemd runs the unit that the package ships, as it is on disk now, and that process is the one that is looked at.
pub fn running(show: &Reading, pid: Option<u32>) -> Observation {
    let mut look = Look::at("unit.drop_ins", "active; the package's unit, as it is on disk; its main process is the one looked at");
    let Some(text) = look.read(show) else { return look.done() };
    let of_package = ["/lib/systemd/system/contactpointd.service", "/usr/lib/systemd/system/contactpointd.service"];
    let pid = pid.map(|pid| pid.to_string()).unwrap_or_default();
    let is_good = |name: &str, value: &str| match name {
        "ActiveState" => value == "active",
        "FragmentPath" => of_package.contains(&value),
        "NeedDaemonReload" => value == "no",
        _ => value == pid,
    };
    for name in ["ActiveState", "FragmentPath", "NeedDaemonReload", "MainPID"] {
        match property(text, name) {
            Some(value) => look.found(&show.source, format!("{name}={value}"), is_good(name, value)),
            None => look.unseen(&show.source, format!("{name} is not shown")),
        }
    }
    look.done()
}

/// Each directive of the cage is in force. What an attachment of the package sets is left to `drop_ins`.
pub fn settings(show: &Reading, drop_ins: &[Reading], shipped: &[Reading]) -> Observation {
    let mut look = Look::at("unit.drop_ins", "each directive of the cage as the package's unit has it");
    let Some(text) = look.read(show) else { return look.done() };
    let excused = excused(drop_ins, shipped);
    for (name, wanted) in SETTINGS.iter().filter(|(name, _)| !excused.iter().any(|excused| excused == name)) {
        match property(text, name) {
            Some(value) => look.found(&show.source, format!("{name}={value}"), value == *wanted),
            None => look.unseen(&show.source, format!("{name} is not shown")),
        }
    }
    look.done()
}

/// The directives of those drop-ins in force that are the package's own attachments.
fn excused(drop_ins: &[Reading], shipped: &[Reading]) -> Vec<String> {
    let texts = drop_ins.iter().filter_map(|drop_in| drop_in.text.as_deref().ok());
    let known = texts.filter(|text| attachment(text, shipped).is_some());
    known.flat_map(directives).map(|(name, _)| name.to_owned()).collect()
}

/// The lines that say something, as name and value.
fn directives(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    lines.map(|line| line.split_once('=').unwrap_or((line, "")))
}

/// The shipped attachment that a drop-in is. An address is the machine's own to fill in, if it is one and not all of them.
fn attachment<'a>(text: &str, shipped: &'a [Reading]) -> Option<&'a str> {
    // one machine each: a network, or two halves of all there is, are no HSM's address
    let is_machine = |address: &str| address.split_once('/').is_none_or(|(_, bits)| bits == "32" || bits == "128");
    let is_address = |value: &str| {
        value
            .split_whitespace()
            .all(|address| address.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':') && address != "any" && is_machine(address))
    };
    let is_same = |(ours, theirs): ((&str, &str), (&str, &str))| {
        ours == theirs || ours.0 == "IPAddressAllow" && theirs.0 == ours.0 && is_address(ours.1)
    };
    let is = |other: &&str| directives(text).count() == directives(other).count() && directives(text).zip(directives(other)).all(is_same);
    shipped.iter().filter_map(|other| other.text.as_deref().ok()).find(is)
}

/// Every drop-in in force is, but for comments, one of the attachments that the package ships.
pub fn drop_ins(show: &Reading, drop_ins: &[Reading], shipped: &[Reading]) -> Observation {
    let mut look = Look::at("unit.drop_ins", "no drop-in but an attachment of the package, unchanged");
    let Some(text) = look.read(show) else { return look.done() };
    look.found(&show.source, format!("DropInPaths={}", property(text, "DropInPaths").unwrap_or_default()), true);
    for drop_in in drop_ins {
        if let Some(text) = look.read(drop_in) {
            let says: Vec<String> = directives(text).map(|(name, value)| format!("{name}={value}")).collect();
            look.found(&drop_in.source, says.join("\n"), attachment(text, shipped).is_some());
        }
    }
    look.done()
}

/// The exposure of the whole unit.
pub fn exposure(analysis: &Reading, drop_ins: &[Reading], shipped: &[Reading]) -> Observation {
    let texts = drop_ins.iter().filter_map(|drop_in| drop_in.text.as_deref().ok());
    let most = texts.filter_map(|text| stated_exposure(attachment(text, shipped)?)).fold(MOST_EXPOSURE, u32::max);
    let mut look = Look::at("unit.exposure", format!("an overall exposure level of at most {}.{}", most / 10, most % 10));
    let Some(text) = look.read(analysis) else { return look.done() };
    match text.lines().find(|line| line.contains("Overall exposure level")) {
        Some(line) => {
            let level = line.rsplit_once(": ").and_then(|(_, rest)| tenths(rest.split_whitespace().next()?));
            look.found(&analysis.source, line.trim(), level.is_some_and(|level| level <= most));
        }
        None => look.unseen(&analysis.source, "no overall exposure level is given"),
    }
    look.done()
}

/// What an attachment says of itself in its first lines: "Exposure with this drop-in: 0.9."
fn stated_exposure(attachment: &str) -> Option<u32> {
    let comment: String = attachment.lines().filter_map(|line| line.strip_prefix('#')).collect();
    let (_, said) = comment.split_once("Exposure with this drop-in: ")?;
    tenths(said.split_whitespace().next()?.trim_end_matches('.'))
}

/// "0.1" is 1.
fn tenths(level: &str) -> Option<u32> {
    let (whole, tenth) = level.split_once('.')?;
    Some(whole.parse::<u32>().ok()? * 10 + tenth.parse::<u32>().ok().filter(|tenth| *tenth < 10)?)
}
