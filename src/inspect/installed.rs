//! Reads what dpkg knows of our packages, the files that they brought, and the places in which the HSM's PIN lies or could lie. Judges nothing.

use crate::files::{Packages, Pin};
use crate::reading::Reading;
use crate::{disk, machine};
use std::path::{Path, PathBuf};

/// The package that this program is of, and those beside it.
const PACKAGE: &str = "contactpoint";
const BESIDE: [&str; 2] = ["contactpoint-selinux", "contactpoint-client"];

/// The credential that the unit names.
const CREDENTIAL: &str = "/etc/credstore.encrypted/contactpoint-hsm-pin";
/// Where systemd looks for credentials that a unit loads by name, in clear and encrypted (systemd.exec(5)).
const STORES: [&str; 12] = [
    "/run/credentials/@system",
    "/run/credentials/@encrypted",
    "/etc/credstore",
    "/run/credstore",
    "/usr/local/lib/credstore",
    "/usr/lib/credstore",
    "/lib/credstore",
    "/etc/credstore.encrypted",
    "/run/credstore.encrypted",
    "/usr/local/lib/credstore.encrypted",
    "/usr/lib/credstore.encrypted",
    "/lib/credstore.encrypted",
];

/// The PIN's credential, and what lies under its names in every other place.
pub(crate) fn pin() -> Pin {
    let places = STORES.iter().flat_map(|store| ["contactpoint-hsm-pin", "hsm-pin"].map(|name| Path::new(store).join(name)));
    let elsewhere: Vec<PathBuf> = places.filter(|path| path != Path::new(CREDENTIAL)).collect();
    let credential = Path::new(CREDENTIAL);
    let folder = credential.parent().map(Path::to_path_buf);
    let encrypted: Vec<PathBuf> = folder.into_iter().chain([credential.to_path_buf()]).collect();
    Pin {
        encrypted: disk::existing(&encrypted, false),
        kind_of_key: disk::kind_of_key(credential),
        elsewhere: Reading { source: "stat credentials of these names elsewhere".to_owned(), ..disk::existing(&elsewhere, false) },
    }
}

/// `dpkg --verify` of each of our packages that is installed, the sums that it compares with, and diversions.
pub(crate) fn packages() -> Packages {
    let beside: Vec<&str> = BESIDE.into_iter().filter(|name| is_installed(name)).collect();
    Packages {
        verify: [PACKAGE].into_iter().chain(beside).map(|name| machine::command("dpkg", &["--verify", name])).collect(),
        sums: machine::file(format!("/var/lib/dpkg/info/{PACKAGE}.md5sums")),
        diversions: machine::command("dpkg-divert", &["--list"]),
    }
}

fn is_installed(name: &str) -> bool {
    let status = machine::command("dpkg-query", &["-W", "-f", "${db:Status-Status}", name]);
    status.text.is_ok_and(|status| status.trim() == "installed")
}

/// The files and folders that the package brought, as they lie there.
pub(crate) fn shipped() -> Reading {
    let list = machine::file(format!("/var/lib/dpkg/info/{PACKAGE}.list"));
    match &list.text {
        // "/." is the first line
        Ok(text) => disk::existing(&text.lines().map(PathBuf::from).collect::<Vec<_>>(), false),
        Err(_) => list,
    }
}
