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

/// The list of parts is there; its digest is for whoever holds the one of the release. Lines "SHA-256 path".
pub fn sbom(parts: &Reading) -> Observation {
    let mut look = Look::at("version.sbom", "a CycloneDX list of parts beside the package's documents");
    if let Some(text) = look.read(parts) {
        text.lines().for_each(|line| look.found(&parts.source, line, true));
    }
    look.done()
}
