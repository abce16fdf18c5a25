//! The package: that the running program is the installed one, of its version, and its list of parts.

use crate::daemon::Evidence;
use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;

/// One version: of the package, of the running daemon, of this program. `installed` is what dpkg-query gives.
pub fn version(evidence: &Evidence, installed: &Reading, own: &str) -> Observation {
    let mut look = Look::at("version.sbom", format!("package and running daemon of version {own}, as this program is"));
    evidence.judge(&mut look, "/version", |version| version.as_str() == Some(own));
    if let Some(text) = look.read(installed) {
        // a Debian revision may follow
        let version = text.trim();
        look.found(
            &installed.source,
            version,
            version == own || version.strip_prefix(own).is_some_and(|rest| rest.starts_with(['-', '+', '~'])),
        );
    }
    look.done()
}

/// The running program is the installed file, and not one that was replaced while it runs.
pub fn program(program: &Reading) -> Observation {
    let mut look = Look::at("version.sbom", "/usr/sbin/contactpointd runs, as it is on disk");
    if let Some(path) = look.read(program) {
        look.found(&program.source, path, path == "/usr/sbin/contactpointd");
    }
    look.done()
}

/// The bytes that run are the bytes on disk, whatever the path says: a program may have been mounted over ours for the moment of a start.
/// Lines "SHA-256 path", of /proc/PID/exe and of the file.
pub fn program_bytes(digests: &Reading) -> Observation {
    let mut look =
        Look::at("version.sbom", "the program that runs is the file on disk, byte for byte (dpkg --verify holds that against the package)");
    if let Some(text) = look.read(digests) {
        let of: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        look.found(&digests.source, text.trim(), matches!(of[..], [running, on_disk] if running == on_disk));
    }
    look.done()
}

/// The attachments as this program was built with them: a file that somebody put beside the package's own is none.
pub(crate) fn attachments() -> Vec<Reading> {
    [
        ("softhsm", include_str!("../../packaging/systemd/attachments/softhsm.conf")),
        ("pcscd", include_str!("../../packaging/systemd/attachments/pcscd.conf")),
        ("hardserver", include_str!("../../packaging/systemd/attachments/hardserver.conf")),
        ("usb", include_str!("../../packaging/systemd/attachments/usb.conf")),
        ("network-hsm", include_str!("../../packaging/systemd/attachments/network-hsm.conf")),
    ]
    .map(|(name, text)| Reading::seen(format!("{name}.conf, as built"), text))
    .into()
}

/// The list of parts is there; its digest is for whoever holds the one of the release. Lines "SHA-256 path".
pub fn sbom(parts: &Reading) -> Observation {
    let mut look = Look::at("version.sbom", "a CycloneDX list of parts beside the package's documents");
    if let Some(text) = look.read(parts) {
        text.lines().for_each(|line| look.found(&parts.source, line, true));
    }
    look.done()
}
