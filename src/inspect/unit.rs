//! The unit: where systemd has it from, its drop-ins, whether the process was started by it as it is now, and its exposure.
//!
//! Its directives are looked at in `directives`, what the kernel shows of the same in `process`, `reach` and `in_force`; they agree or one
//! verdict turns.

use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;
use std::ops::Add as _;

/// What the unit may score at most by itself (systemd-analyze(1): 0.0 safe, 10.0 unsafe), in tenths.
const MOST_EXPOSURE: u32 = 2;

/// What `systemctl show` says of a property.
pub(crate) fn property<'a>(show: &'a str, name: &str) -> Option<&'a str> {
    show.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

/// The same of one that has several lines.
pub(crate) fn properties<'a>(show: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    show.lines().filter_map(move |line| line.strip_prefix(name)?.strip_prefix('='))
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

/// The file of the unit, if it has one.
pub(crate) fn fragment(show: &Reading) -> Option<String> {
    let path = property(show.text.as_deref().ok()?, "FragmentPath")?;
    (!path.is_empty()).then(|| path.to_owned())
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

/// The texts of those drop-ins in force that are the package's own attachments.
pub(crate) fn attachments_in_force<'t>(drop_ins: &'t [Reading], shipped: &[Reading]) -> Vec<&'t str> {
    let texts = drop_ins.iter().filter_map(|drop_in| drop_in.text.as_deref().ok());
    texts.filter(|text| attachment(text, shipped).is_some()).collect()
}

/// The lines that say something, as name and value.
pub(crate) fn directives(text: &str) -> impl Iterator<Item = (&str, &str)> {
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

/// For systemd a line ends at a carriage return or a zero byte as well (systemd.syntax(7) does not say so, its reader does): what looks like a
/// comment would be a directive. No file of a unit has such a character. What cannot be read as UTF-8 is one.
pub fn plain(files: &[Reading]) -> Observation {
    let mut look = Look::at("unit.drop_ins", "no control character in the files of the units and their drop-ins");
    let is_plain = |c: char| c == '\n' || c == '\t' || !(c.is_control() || c == char::REPLACEMENT_CHARACTER);
    for file in files {
        let Some(text) = look.read(file) else { continue };
        match text.lines().find(|line| !line.chars().all(is_plain)) {
            Some(line) => look.found(&file.source, line.escape_debug().to_string(), false),
            None => look.found(&file.source, format!("{} lines", text.lines().count()), true),
        }
    }
    look.done()
}

/// The target that closes the sockets where the daemon refused to start: the package's, and nothing beside it.
pub fn refused(show: &Reading) -> Observation {
    let mut look = Look::at("unit.drop_ins", "the package's contactpointd-refused.target, loaded, without a drop-in");
    let Some(text) = look.read(show) else { return look.done() };
    let of_package = ["/lib/systemd/system/contactpointd-refused.target", "/usr/lib/systemd/system/contactpointd-refused.target"];
    let conflicts = property(text, "Conflicts").unwrap_or_default();
    for (name, is_good) in [
        ("LoadState", property(text, "LoadState") == Some("loaded")),
        ("FragmentPath", property(text, "FragmentPath").is_some_and(|path| of_package.contains(&path))),
        ("DropInPaths", property(text, "DropInPaths") == Some("")),
        ("NeedDaemonReload", property(text, "NeedDaemonReload") == Some("no")),
        ("Conflicts", conflicts.split_whitespace().any(|unit| unit == "contactpointd.socket")),
    ] {
        match property(text, name) {
            Some(value) => look.found(&show.source, format!("{name}={value}"), is_good),
            None => look.unseen(&show.source, format!("{name} is not shown")),
        }
    }
    look.done()
}

/// The units of contactpoint-at-hsm, which have the PIN as well, are the package's sandbox and the HSM attachment in force, and nothing beside
/// them. `listing` is what lies under "contactpoint-" in the folders of systemd.
pub fn at_hsm(listing: &Reading) -> Observation {
    let mut look = Look::at("unit.drop_ins", "contactpoint-at-hsm has the package's sandbox and the HSM attachment, and no other drop-in");
    let Some(text) = look.read(listing) else { return look.done() };
    let is_good = |what: &str| {
        let ours = what.contains("/lib/systemd/system/contactpoint-at-hsm-.service.d");
        let folder = what.starts_with("d ") && what.ends_with("/contactpoint-at-hsm-.service.d");
        let sandbox = what.starts_with("f ") && what.ends_with("/contactpoint-at-hsm-.service.d/sandbox.conf");
        let attachment = what.ends_with("/contactpoint-at-hsm-.service.d/hsm.conf -> /etc/systemd/system/contactpointd.service.d/hsm.conf");
        // while a verb runs
        let running = what.starts_with("f ") && what.contains(" /run/systemd/transient/contactpoint-at-hsm-") && what.ends_with(".service");
        ours && (folder || sandbox || attachment) || running
    };
    for line in text.lines() {
        look.found(&listing.source, line, line.splitn(3, ' ').nth(2).is_some_and(is_good));
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

/// The folders in which systemd looks for units and their drop-ins, as it says itself: `systemctl show` of the manager.
pub(crate) fn folders(manager: &Reading) -> Vec<String> {
    let path = manager.text.as_deref().ok().and_then(|text| property(text, "UnitPath"));
    path.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Programs that make units whenever systemd reads them (systemd.generator(7)), and folders in which a folder of units may have come and gone.
const ABOVE: [&str; 7] = [
    "/run/systemd/system-generators",
    "/etc/systemd/system-generators",
    "/usr/local/lib/systemd/system-generators",
    "/lib/systemd/system-generators",
    "/usr/local/lib/systemd",
    "/usr/local/lib",
    "/etc/systemd",
];

/// Folders that systemd itself changes, whenever it reads its units, somebody logs in or contactpoint-at-hsm is used.
fn is_systemds_own(folder: &str) -> bool {
    folder == "/run/systemd/transient" || folder.starts_with("/run/systemd/generator")
}

/// Where something that came and went may have been a drop-in of ours.
fn above(manager: &Reading) -> Vec<String> {
    let units = folders(manager).into_iter().filter(|folder| !is_systemds_own(folder));
    units.chain(ABOVE.map(str::to_owned)).collect()
}

/// What no trace on the disk tells.
const UNTOLD: &str =
    "a drop-in in /run/systemd/transient or /run/systemd/generator*, or in another folder below /run/systemd that came with it, \
    if it is gone again: systemd changes these itself; and a change that was made while the clock was set back";

/// Whatever the unit as it is now was read from, or could have been: its file, its drop-ins, their folders, the folders above.
pub(crate) fn sources(show: &Reading, manager: &Reading) -> Vec<String> {
    let folders = folders(manager);
    let below = folders.iter().flat_map(|folder| ["contactpointd.service.d", "service.d"].map(|name| format!("{folder}/{name}")));
    fragment(show).into_iter().chain(drop_in_paths(show)).chain(below).chain(above(manager)).collect()
}

/// When the process was started, as systemd and the kernel have it.
#[derive(Debug, Clone)]
pub struct Start {
    /// `systemctl show` of the manager: when it last read its units.
    pub manager: Reading,
    /// /proc/PID/stat: the start in hundredths of a second since the machine's.
    pub stat: Reading,
    /// /proc/stat: the machine's start (`btime`), in seconds since 1970 by the clock as it is now.
    pub machine: Reading,
    /// Lines "1795219200.123456789 /path": when each of [`sources`] last changed in any way (ctime: `touch` does not set it).
    pub changes: Reading,
}

/// The unit that systemd shows is the one by which the process was started. Where systemd read its units later, every file that they could
/// have come from must be older than the process: by both clocks, that of the start and that of now, whichever way somebody set it.
pub fn started(show: &Reading, start: &Start) -> Observation {
    let mut look = Look::at("unit.drop_ins", "the process was started by the unit as it is now");
    let (Some(unit), Some(manager)) = (look.read(show), look.read(&start.manager)) else { return look.done() };
    let monotonic = |text: &str, name: &str| property(text, name).and_then(|time| time.parse::<u64>().ok()).filter(|time| *time > 0);
    let (began, read) = (monotonic(unit, "ExecMainStartTimestampMonotonic"), monotonic(manager, "UnitsLoadTimestampMonotonic"));
    let (Some(began), Some(read)) = (began, read) else {
        look.unseen(&show.source, "systemd does not show when the process was started, or when it read its units");
        return look.done();
    };
    if folders(&start.manager).is_empty() {
        look.unseen(&start.manager.source, "systemd does not show where it looks for units");
    }
    let told = format!("started {began} µs after the machine, units read {read} µs after it");
    look.found(&show.source, told, true);
    if read > began {
        older_than_the_process(&mut look, unit, show, start);
    }
    look.done()
}

fn older_than_the_process(look: &mut Look, unit: &str, show: &Reading, start: &Start) {
    let texts = (look.read(&start.stat), look.read(&start.machine), look.read(&start.changes));
    let (Some(stat), Some(machine), Some(changes)) = texts else { return };
    let by_systemd = property(unit, "ExecMainStartTimestamp").and_then(seconds);
    let by_kernel = started_by_kernel(stat, machine);
    let (Some(by_systemd), Some(by_kernel)) = (by_systemd, by_kernel) else {
        return look.unseen(&show.source, "the time of the start is not understood");
    };
    let (began, above) = (by_systemd.min(by_kernel), above(&start.manager));
    look.found("not seen", UNTOLD, true);
    for line in changes.lines() {
        let Some((changed, path)) = line.split_once(' ') else { continue };
        match changed.parse::<f64>() {
            Ok(changed) if changed < began => look.found(&start.changes.source, line, true),
            Ok(_) if above.iter().any(|folder| folder == path) => {
                look.unseen(
                    &start.changes.source,
                    format!("{line}: something came or went after the process was started; restart it to be sure"),
                );
            }
            _ => look.found(&start.changes.source, format!("{line}: after the process was started, at {began}"), false),
        }
    }
}

/// "Sun 2026-11-22 02:54:21.912087 UTC", as `systemctl --timestamp=us+utc` prints it, in seconds since 1970.
fn seconds(time: &str) -> Option<f64> {
    let (_, date) = time.split_once(' ')?;
    let time: jiff::Timestamp = date.strip_suffix(" UTC")?.replacen(' ', "T", 1).add("Z").parse().ok()?;
    Some(time.as_duration().as_secs_f64())
}

/// From the 22nd word of /proc/PID/stat and the machine's start, which the kernel gives in whole seconds: two more are its error.
fn started_by_kernel(stat: &str, machine: &str) -> Option<f64> {
    let after_name = stat.rsplit_once(')')?.1;
    let hundredths: f64 = after_name.split_whitespace().nth(19)?.parse().ok()?;
    let machine: f64 = machine.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(machine + hundredths / 100.0 + 2.0)
}
