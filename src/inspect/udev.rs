//! udev's rules as they are in force: the package's file is the one that udev reads, and no other file lets in what it keeps out (rule G5).
//!
//! A file of the same name in a folder that comes before, or a link to /dev/null there, replaces the package's without a trace in it (udev(7)).
//! Leaves to others: devices that are there (`media`), and whether the file of the package is as it was packed (`files`).

use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;

/// The package's rules, and the rules as this program was built with them.
pub(crate) const NAME: &str = "60-contactpoint-media.rules";
const RULES: &str = include_str!("../../packaging/udev/60-contactpoint-media.rules");

/// udev reads the package's rules. `files` are those that it reads, by name, the first folder's of each name.
pub fn rules(files: &[Reading]) -> Observation {
    let mut look = Look::at("media.devices", format!("udev reads {NAME} as the package has it"));
    match files.iter().find(|file| file.source.ends_with(&format!("/{NAME}"))) {
        Some(file) => {
            if let Some(text) = look.read(file) {
                let told = if text.trim().is_empty() { "empty: masked" } else { "another file" };
                look.found(&file.source, if text == RULES { "as built" } else { told }, text == RULES);
            }
        }
        None => look.found("udev's folders of rules", format!("{NAME} is in none of them"), false),
    }
    look.done()
}

/// No other rule gives a device back what the package's take, or sets the mark by which they know a medium.
pub fn others(files: &[Reading]) -> Observation {
    let mut look = Look::at("media.devices", "no other rule sets ATTR{authorized}, UDISKS_IGNORE or our mark");
    for file in files.iter().filter(|file| !file.source.ends_with(&format!("/{NAME}"))) {
        let Some(text) = look.read(file) else { continue };
        // a line that ends in \ goes on in the next one
        let text = text.replace("\\\n", " ");
        let rules = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        rules.filter(|rule| gives_back(rule)).for_each(|rule| look.found(&file.source, rule, false));
    }
    if !files.is_empty() {
        look.found("udev's folders of rules", format!("{} files", files.len()), true);
    }
    look.done()
}

/// An assignment to what the package's rules set; a comparison (==, !=) is none.
fn gives_back(rule: &str) -> bool {
    rule.split(',').map(|part| part.split_whitespace().collect::<String>()).any(|part| {
        let Some((key, value)) = part.split_once('=').filter(|(key, value)| !key.ends_with('!') && !value.starts_with('=')) else {
            return false;
        };
        match key.trim_end_matches(['+', ':', '-']) {
            "ATTR{authorized}" | "ATTR{../authorized}" | "ENV{CONTACTPOINT_MEDIUM}" => true,
            "ENV{UDISKS_IGNORE}" => value != "\"1\"",
            key => key.starts_with("RUN") && value.contains("authorized"),
        }
    })
}

/// udev runs: without it no rule is anything.
pub fn runs(show: &Reading) -> Observation {
    let mut look = Look::at("media.devices", "systemd-udevd.service is active");
    if let Some(text) = look.read(show) {
        match crate::unit::property(text, "ActiveState") {
            Some(state) => look.found(&show.source, format!("ActiveState={state}"), state == "active"),
            None => look.unseen(&show.source, "ActiveState is not shown"),
        }
    }
    look.done()
}
