//! Physical media (rule G5): what would load a driver for them, which drivers are loaded, which devices are there and which are mounted.

use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;

/// Drivers of storage that a person can carry: USB, FireWire, memory cards, diskettes, compact discs, tapes. The package's rules bar more.
const DRIVERS: [&str; 10] =
    ["usb_storage", "uas", "rtsx_usb_sdmmc", "mmc_block", "mspro_block", "firewire_sbp2", "floppy", "sr_mod", "st", "g_mass_storage"];

fn module(name: &str) -> String {
    name.replace('-', "_")
}

/// modprobe would load none of the drivers. The text is that of `modprobe --showconfig`.
pub fn modprobe(configuration: &Reading) -> Observation {
    let mut look = Look::at("media.modules", format!("modprobe runs /bin/false in place of {}", DRIVERS.join(", ")));
    let Some(text) = look.read(configuration) else { return look.done() };
    for driver in DRIVERS {
        let install = text.lines().find(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some("install") && words.next().is_some_and(|name| module(name) == driver)
        });
        let is_refused = install
            .and_then(|line| line.split_whitespace().nth(2))
            .is_some_and(|command| ["/bin/false", "/usr/bin/false"].contains(&command));
        look.found(&configuration.source, install.map_or(format!("{driver} would be loaded"), str::to_owned), is_refused);
    }
    look.done()
}

/// None of the drivers is loaded. The text is that of /proc/modules.
pub fn modules(loaded: &Reading) -> Observation {
    let mut look = Look::at("media.modules", format!("none of {} is loaded", DRIVERS.join(", ")));
    let Some(text) = look.read(loaded) else { return look.done() };
    let names = || text.lines().filter_map(|line| line.split_whitespace().next());
    names().filter(|name| DRIVERS.contains(&module(name).as_str())).for_each(|name| look.found(&loaded.source, name, false));
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
