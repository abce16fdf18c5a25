//! Files as they lie on the machine: whose they are, who may read and write them, and whether they are as the package shipped them.
//!
//! A listing has a line for each file: "0700 990:990 /var/lib/contactpoint", of `disk` with what it is before the path. Looks into none of them but
//! for the first bytes of the PIN's credential, which say what kind of key it is encrypted with.

use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;

/// So many offenders are evidence enough; the count of all entries stands beside them.
const MOST_OFFENDERS: usize = 20;

struct Entry<'a> {
    mode: u32,
    owner: &'a str,
    group: &'a str,
    what: &'a str,
    line: &'a str,
}

fn entries(listing: &str) -> impl Iterator<Item = Entry<'_>> {
    listing.lines().filter_map(|line| {
        let (mode, rest) = line.split_once(' ')?;
        let (owner, rest) = rest.split_once(':')?;
        let (group, what) = rest.split_once(' ')?;
        Some(Entry { mode: u32::from_str_radix(mode, 8).ok()?, owner, group, what, line })
    })
}

/// Each entry is good. Evidence is every offender, and how many were looked at.
fn all(look: &mut Look, listing: &Reading, is_good: impl Fn(&Entry<'_>) -> bool) {
    let Some(text) = look.read(listing) else { return };
    entries(text).filter(|entry| !is_good(entry)).take(MOST_OFFENDERS).for_each(|entry| look.found(&listing.source, entry.line, false));
    match entries(text).next() {
        Some(first) => {
            let count = entries(text).count();
            look.found(&listing.source, format!("{}; {count} in all", first.line), is_good(&first));
        }
        None => look.unseen(&listing.source, "nothing is there"),
    }
}

/// The state directory and all in it belong to the daemon's user, and nobody else may do anything.
pub fn state(listing: &Reading, user: Option<&str>) -> Observation {
    let mut look = Look::at("files.state", "all of it the daemon's own, with no right for group or others");
    match user {
        Some(user) => all(&mut look, listing, |entry| entry.owner == user && entry.mode & 0o077 == 0),
        None => look.unseen(&listing.source, "the daemon's user is not known, as it does not run"),
    }
    look.done()
}

/// Settings, layouts and certificates belong to root; the daemon's group reads, others do nothing. `groups` is /etc/group.
pub fn configuration(listing: &Reading, group: Option<&str>) -> Observation {
    let mut look =
        Look::at("files.configuration", "all of it root's, of the daemon's group or root's; not to be written by it, nothing for others");
    match group {
        Some(group) => {
            all(&mut look, listing, |entry| entry.owner == "0" && (entry.group == "0" || entry.group == group) && entry.mode & 0o027 == 0);
        }
        None => look.unseen(&listing.source, "the daemon's group is not known, as it does not run"),
    }
    look.done()
}

/// The control socket is root's alone, and only root puts something in its place.
pub fn control(socket: &Reading, folder: &Reading) -> Observation {
    let mut look = Look::at("files.configuration", "root's, with no right for group or others; in a folder that only root writes");
    all(&mut look, socket, |entry| entry.owner == "0" && entry.group == "0" && entry.mode & 0o177 == 0);
    all(&mut look, folder, |entry| entry.owner == "0" && entry.group == "0" && entry.mode & 0o022 == 0);
    look.done()
}

/// The kinds of key that need something of this machine: its own key, its TPM, or both (systemd's creds-util.h). There is one that needs nothing,
/// "tpm2-absent": such a credential anybody can open.
const KINDS_OF_KEY: [(&str, &str); 5] = [
    ("5a1c6a86df9d4096b1d5a65e0862f19a", "this machine's key"),
    ("0c7cc07b117645919c4b0bea08bc20fe", "the TPM"),
    ("faf7eb9341e3412ca1a436f95a29362f", "the TPM, by signed measurements"),
    ("93a894094874449090caf2fc93cab553", "this machine's key and the TPM"),
    ("af4950a849134eb1a73846304ff30c05", "this machine's key and the TPM, by signed measurements"),
];

/// How the PIN lies there.
#[derive(Debug, Clone)]
pub struct Pin {
    /// The credential and its folder.
    pub encrypted: Reading,
    /// The first bytes of it.
    pub kind_of_key: Reading,
    /// Every other place in which systemd would look for it, or in which it would be in clear.
    pub elsewhere: Reading,
}

/// The PIN lies encrypted with a key of this machine, where only root writes, and nowhere else.
pub fn credential(pin: &Pin) -> Observation {
    let mut look = Look::at(
        "files.configuration",
        "the PIN as a credential that a key of this machine encrypts and only root can write, in root's own folder, and no other one",
    );
    if let Some(text) = look.read(&pin.elsewhere) {
        entries(text).for_each(|entry| look.found(&pin.elsewhere.source, entry.line, false));
    }
    if let Some(kind) = look.read(&pin.kind_of_key) {
        let known = KINDS_OF_KEY.iter().find(|(id, _)| *id == kind).map(|(_, key)| *key);
        let told = known.map_or_else(|| format!("{kind}: no key of this machine"), |key| format!("encrypted with {key}"));
        look.found(&pin.kind_of_key.source, told, known.is_some());
    }
    all(&mut look, &pin.encrypted, |entry| {
        let forbidden = if entry.what.starts_with("d ") { 0o077 } else { 0o022 };
        entry.owner == "0" && entry.mode & forbidden == 0 && !entry.what.starts_with("l ")
    });
    look.done()
}

/// What the package's list of sums must name: without its sum `dpkg --verify` compares nothing.
const SUMMED: [&str; 8] = [
    "usr/sbin/contactpointd",
    "usr/sbin/contactpointctl",
    "usr/sbin/contactpoint-at-hsm",
    "lib/systemd/system/contactpointd.service",
    "lib/systemd/system/contactpointd.socket",
    "lib/systemd/system/contactpoint-at-hsm-.service.d/sandbox.conf",
    "lib/modprobe.d/contactpoint.conf",
    "lib/udev/rules.d/60-contactpoint-media.rules",
];

/// What dpkg knows of the packages.
#[derive(Debug, Clone)]
pub struct Packages {
    /// `dpkg --verify` of each that is installed.
    pub verify: Vec<Reading>,
    /// The sums with which it compares: "MD5  path".
    pub sums: Reading,
    /// `dpkg-divert --list`.
    pub diversions: Reading,
}

/// What the packages shipped is as it was shipped; settings may be changed. By dpkg's own sums, which are root's to change.
pub fn packaged(packages: &Packages) -> Observation {
    let mut look =
        Look::at("files.package", "no shipped file changed, missing or diverted, settings aside, and a sum of each program and unit");
    // "??5?????? c /etc/contactpoint/contactpointd.toml": c is a configuration file
    let is_setting = |line: &str| line.split_whitespace().nth(1) == Some("c") && !line.starts_with("missing");
    for verify in &packages.verify {
        let Some(text) = look.read(verify) else { continue };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            look.found(&verify.source, line, is_setting(line));
        }
        look.found(&verify.source, format!("{} lines", text.lines().count()), true);
    }
    if let Some(text) = look.read(&packages.sums) {
        let named: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
        let without =
            |name: &&&str| !named.iter().any(|other| other.strip_prefix("usr/").unwrap_or(other) == name.trim_start_matches("usr/"));
        SUMMED.iter().filter(without).for_each(|name| look.found(&packages.sums.source, format!("no sum of {name}"), false));
        look.found(&packages.sums.source, format!("{} sums", named.len()), true);
    }
    if let Some(text) = look.read(&packages.diversions) {
        let ours = text.lines().filter(|line| line.contains("contactpoint"));
        ours.for_each(|line| look.found(&packages.diversions.source, line, false));
    }
    look.done()
}

/// What the package installed, and the folders beside it in which systemd, modprobe and udev find more, belong to root, and nobody else writes there.
pub fn installed(shipped: &Reading, beside: &Reading) -> Observation {
    let mut look =
        Look::at("files.package", "programs, units, rules and the folders of their drop-ins are root's, and written by nobody else");
    let is_good = |entry: &Entry<'_>| entry.owner == "0" && (entry.mode & 0o022 == 0 || entry.what.starts_with("l "));
    all(&mut look, shipped, is_good);
    all(&mut look, beside, is_good);
    look.done()
}
