//! Files as they lie on the machine: whose they are, who may read and write them, and whether they are as the package shipped them.
//!
//! A listing has a line for each file: "0700 990:990 /var/lib/contactpoint". Does not look into any of them.

use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;

/// So many offenders are evidence enough; the count of all entries stands beside them.
const MOST_OFFENDERS: usize = 20;

struct Entry<'a> {
    mode: u32,
    owner: &'a str,
    line: &'a str,
}

fn entries(listing: &str) -> impl Iterator<Item = Entry<'_>> {
    listing.lines().filter_map(|line| {
        let (mode, rest) = line.split_once(' ')?;
        let (owner, _) = rest.split_once(':')?;
        Some(Entry { mode: u32::from_str_radix(mode, 8).ok()?, owner, line })
    })
}

/// Of each entry: its owner, and no permission of these bits. Evidence is every offender, and how many were looked at.
fn private(mut look: Look, listing: &Reading, owner: &str, forbidden: u32) -> Observation {
    let Some(text) = look.read(listing) else { return look.done() };
    let is_good = |entry: &Entry<'_>| entry.owner == owner && entry.mode & forbidden == 0;
    entries(text).filter(|entry| !is_good(entry)).take(MOST_OFFENDERS).for_each(|entry| look.found(&listing.source, entry.line, false));
    match entries(text).next() {
        Some(first) => {
            let count = entries(text).count();
            look.found(&listing.source, format!("{}; {count} in all", first.line), is_good(&first));
        }
        None => look.unseen(&listing.source, "nothing is there"),
    }
    look.done()
}

/// The state directory and all in it belong to the daemon's user, and nobody else may do anything.
pub fn state(listing: &Reading, user: Option<&str>) -> Observation {
    let mut look = Look::at("files.state", "all of it the daemon's own, with no right for group or others");
    match user {
        Some(user) => private(look, listing, user, 0o077),
        None => {
            look.unseen(&listing.source, "the daemon's user is not known, as it does not run");
            look.done()
        }
    }
}

/// Settings, layouts and certificates belong to root; the group reads, others do nothing.
pub fn configuration(listing: &Reading) -> Observation {
    private(Look::at("files.configuration", "all of it root's; not to be written by the group, nothing for others"), listing, "0", 0o027)
}

/// The control socket is root's alone.
pub fn control(listing: &Reading) -> Observation {
    private(Look::at("files.configuration", "root's, with no right for group or others"), listing, "0", 0o177)
}

/// The PIN lies encrypted, where only root writes, and nowhere in clear. `clear` is a listing of places where it would be.
pub fn credential(encrypted: &Reading, clear: &Reading) -> Observation {
    let mut look =
        Look::at("files.configuration", "the PIN as an encrypted credential that only root can write, and no clear one beside it");
    if let Some(text) = look.read(clear) {
        entries(text).for_each(|entry| look.found(&clear.source, entry.line, false));
    }
    if let Some(text) = look.read(encrypted) {
        match entries(text).next() {
            Some(entry) => look.found(&encrypted.source, entry.line, entry.owner == "0" && entry.mode & 0o022 == 0),
            None => look.unseen(&encrypted.source, "there is none"),
        }
    }
    look.done()
}

/// What the package shipped is as it was shipped; settings may be changed. The text is that of `dpkg --verify`.
pub fn packaged(verify: &Reading) -> Observation {
    let mut look = Look::at("files.package", "no shipped file changed or missing, settings aside");
    let Some(text) = look.read(verify) else { return look.done() };
    // "??5?????? c /etc/contactpoint/contactpointd.toml": c is a configuration file
    let is_setting = |line: &str| line.split_whitespace().nth(1) == Some("c") && !line.starts_with("missing");
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        look.found(&verify.source, line, is_setting(line));
    }
    look.found(&verify.source, format!("{} lines", text.lines().count()), true);
    look.done()
}
