//! Physical media (rule G5): what would load a driver for them, which drivers are loaded, which devices are there and which are mounted.

use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;

/// The package's rules as this program was built with them: every driver that they bar.
const RULES: &str = include_str!("../../packaging/modprobe.d/contactpoint.conf");

/// The drivers that the package bars, by the kernel's names.
fn drivers() -> Vec<String> {
    let names = RULES.lines().filter_map(|line| line.strip_prefix("install ")?.split_whitespace().next());
    names.map(module).collect()
}

fn module(name: &str) -> String {
    name.replace('-', "_")
}

/// modprobe would load none of the drivers. The text is that of `modprobe --showconfig`, which is in the order in which modprobe reads: of the
/// lines that mean a module, also by a pattern, the first one counts (libkmod), whoever's file it stands in.
pub fn modprobe(configuration: &Reading) -> Observation {
    let drivers = drivers();
    let mut look = Look::at("media.modules", format!("modprobe runs /bin/false in place of each of {} drivers of media", drivers.len()));
    let Some(text) = look.read(configuration) else { return look.done() };
    let mut refused = Vec::new();
    for driver in &drivers {
        let install = text.lines().find(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some("install") && words.next().is_some_and(|pattern| matches(&module(pattern), driver))
        });
        let command: Vec<&str> = install.unwrap_or_default().split_whitespace().skip(2).collect();
        if matches!(command[..], ["/bin/false" | "/usr/bin/false"]) {
            refused.push(driver.as_str());
        } else {
            look.found(&configuration.source, format!("{driver}: {}", install.unwrap_or("would be loaded")), false);
        }
    }
    look.found(&configuration.source, format!("refused: {}", refused.join(" ")), !refused.is_empty());
    look.done()
}

/// The kernel asks modprobe for a driver, and no other program in its place. Nothing there: it asks nobody.
pub fn loader(path: &Reading) -> Observation {
    let mut look = Look::at("media.modules", "the kernel's loader of modules is /sbin/modprobe");
    if let Some(text) = look.read(path) {
        look.found(&path.source, text.trim(), ["/sbin/modprobe", "/usr/sbin/modprobe", ""].contains(&text.trim()));
    }
    look.done()
}

/// Whether a pattern of modprobe.d(5) (fnmatch: *, ?, [...]) may mean `name`. What stands in brackets is not weighed: any letter fits there.
fn matches(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => (0..=name.len()).any(|skipped| name.get(skipped..).is_some_and(|name| matches(rest, name))),
        '?' => name.get(1..).is_some_and(|name| matches(rest, name)),
        '[' => match (rest.split_once(']'), name.get(1..)) {
            (Some((_, rest)), Some(name)) => matches(rest, name),
            _ => false,
        },
        letter => name.strip_prefix(letter).is_some_and(|name| matches(rest, name)),
    }
}

/// None of the drivers is loaded. The text is that of /proc/modules.
pub fn modules(loaded: &Reading) -> Observation {
    let drivers = drivers();
    let mut look = Look::at("media.modules", format!("none of the {} drivers of media is loaded", drivers.len()));
    let Some(text) = look.read(loaded) else { return look.done() };
    let names = || text.lines().filter_map(|line| line.split_whitespace().next());
    names().filter(|name| drivers.contains(&module(name))).for_each(|name| look.found(&loaded.source, name, false));
    look.found(&loaded.source, format!("{} modules", names().count()), true);
    look.done()
}

/// A line of the block devices: "8:1 sda1 removable=1 /sys/devices/pci0000:00/.../usb1/...".
struct Device<'a> {
    number: &'a str,
    is_carried: bool,
    line: &'a str,
}

fn block_devices(listing: &str) -> impl Iterator<Item = Device<'_>> {
    listing.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (number, _, removable, path) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let is_carried = removable == "removable=1" || path.contains("/usb") || path.contains("/mmc_host/");
        Some(Device { number, is_carried, line })
    })
}

/// No block device is there that can be taken out.
pub fn devices(listing: &Reading) -> Observation {
    let mut look = Look::at("media.devices", "no removable block device, and none on USB or in a card slot");
    let Some(text) = look.read(listing) else { return look.done() };
    block_devices(text).filter(|device| device.is_carried).for_each(|device| look.found(&listing.source, device.line, false));
    look.found(&listing.source, format!("{} block devices", block_devices(text).count()), true);
    look.done()
}

/// None of them is mounted, in the machine's tree or in the process's.
pub fn mounts(listing: &Reading, mountinfo: &[&Reading]) -> Observation {
    let mut look = Look::at("media.devices", "no such device is mounted, on the machine or in the process's own tree");
    let Some(devices) = look.read(listing) else { return look.done() };
    for table in mountinfo {
        let Some(text) = look.read(table) else { continue };
        let carried = |line: &&str| {
            let number = line.split(' ').nth(2).unwrap_or_default();
            block_devices(devices).any(|device| device.is_carried && device.number == number)
        };
        text.lines().filter(carried).for_each(|line| look.found(&table.source, line, false));
        look.found(&table.source, format!("{} mounts", text.lines().count()), true);
    }
    look.done()
}
