//! The daemon's root on the disk: a tree of empty mount points, and nothing else in it.
//!
//! For: what somebody puts there is part of the daemon's own file system, /etc/ld.so.preload as well, and `dpkg --verify` lists no additions.
//! Leaves to others: what is mounted over it (`in_force`, `reach`).

use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;
use std::collections::BTreeSet;

/// Where it lies.
pub(crate) const TOP: &str = "/usr/lib/contactpoint/root";
/// The list of which the package makes it, as this program was built with it.
const LIST: &str = include_str!("../../packaging/systemd/root-tree");

/// What must be there: "d /etc", "f 0 /usr/sbin/contactpointd" (empty), "l /lib -> usr/lib", each below the tree's top.
fn listed() -> BTreeSet<String> {
    let mut listed = BTreeSet::from([format!("d {TOP}")]);
    for line in LIST.lines() {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match words[..] {
            ["d", path] => listed.insert(format!("d {TOP}{path}")),
            ["f", path] => listed.insert(format!("f 0 {TOP}{path}")),
            ["l", path, target] => listed.insert(format!("l {TOP}{path} -> {target}")),
            _ => false,
        };
    }
    listed
}

/// Nothing is there but what the list has, each file empty, all of it root's. What is missing `dpkg --verify` tells.
pub fn empty(tree: &Reading) -> Observation {
    let mut look = Look::at("files.package", "the daemon's root is the package's tree of empty mount points, with nothing added");
    let Some(text) = look.read(tree) else { return look.done() };
    let listed = listed();
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        let (mode, owner, what) = (words.next().unwrap_or_default(), words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let written_by_others = u32::from_str_radix(mode, 8).map_or(true, |mode| mode & 0o022 != 0) && !what.starts_with("l ");
        if !listed.contains(what) || owner != "0:0" || written_by_others {
            look.found(&tree.source, line, false);
        }
    }
    match text.lines().count() {
        0 => look.unseen(&tree.source, "nothing is there"),
        count => look.found(&tree.source, format!("{count} entries"), true),
    }
    look.done()
}
