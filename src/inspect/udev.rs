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

/// No other rule gives a device back what the package's take, or sets the mark by which they know a medium; and no rule of the machine's own
/// runs a program for a device of USB, Thunderbolt or a disk, or says whose its node is. The HSM's node alone may be given to the daemon, where
/// `attachment` is "usb": by maker and product.
pub fn others(files: &[Reading], attachment: Option<&str>) -> Observation {
    let mut look = Look::at(
        "media.devices",
        "no other rule assigns authorized, UDISKS_IGNORE or our mark; none in /etc, /run, /usr/local has a program or a node's mode for a medium",
    );
    for file in files.iter().filter(|file| !file.source.ends_with(&format!("/{NAME}"))) {
        let Some(text) = look.read(file) else { continue };
        let is_local = ["/etc/", "/run/", "/usr/local/"].iter().any(|folder| file.source.starts_with(folder));
        // a line that ends in \ goes on in the next one
        let text = text.replace("\\\n", " ");
        for rule in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let parts = parts(rule);
            let opens = is_local && may_mean_a_medium(&parts) && opens(&parts) && !(attachment == Some("usb") && is_of_hsm(&parts));
            if opens || gives_back(&parts) {
                look.found(&file.source, rule, false);
            }
        }
    }
    if !files.is_empty() {
        look.found("udev's folders of rules", format!("{} files", files.len()), true);
    }
    look.done()
}

/// One part of a rule: `ATTR{authorized}="1"`.
struct Part<'r> {
    key: &'r str,
    operator: &'r str,
    value: &'r str,
}

impl Part<'_> {
    fn is_assignment(&self) -> bool {
        !matches!(self.operator, "==" | "!=")
    }
}

/// The parts of a rule as udev takes them: divided by commas, by blanks, or by nothing at all, since a value ends with its quotation mark.
fn parts(rule: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = rule;
    while let Some((key, after)) = rest.split_once('=') {
        let bare = key.trim_end_matches(['=', '!', '+', '-', ':', ' ', '\t']);
        let Some((between, after)) = after.split_once('"') else { break };
        let Some(end) = end_of(after) else { break };
        let operator = match (between.starts_with('='), key.trim_end().ends_with('!')) {
            (true, _) => "==",
            (_, true) => "!=",
            _ => "=",
        };
        parts.push(Part { key: bare.trim_start_matches([',', ' ', '\t']), operator, value: &after[..end] });
        rest = &after[end + 1..];
    }
    parts
}

/// Where the value ends: at the first quotation mark that has no \ before it.
fn end_of(value: &str) -> Option<usize> {
    value.match_indices('"').map(|(at, _)| at).find(|at| !value[..*at].ends_with('\\'))
}

/// An assignment to what the package's rules set; a comparison (==, !=) is none.
fn gives_back(parts: &[Part<'_>]) -> bool {
    parts.iter().filter(|part| part.is_assignment()).any(|part| match part.key {
        "ENV{CONTACTPOINT_MEDIUM}" => true,
        "ENV{UDISKS_IGNORE}" => part.value != "1",
        key if key.starts_with("ATTR{") => key.contains("authorized"),
        key => key.starts_with("RUN") && part.value.contains("authorized"),
    })
}

/// Runs a program, which may do anything, also in a comparison; or says whose the node is, or that systemd may mount it.
fn opens(parts: &[Part<'_>]) -> bool {
    parts.iter().any(|part| match part.key {
        "PROGRAM" | "IMPORT{program}" => true,
        "MODE" | "OWNER" | "GROUP" | "ENV{SYSTEMD_READY}" => part.is_assignment(),
        key => key == "RUN" || key == "RUN{program}",
    })
}

/// Unless the rule itself says that it is of another part of the kernel, by plain names.
fn may_mean_a_medium(parts: &[Part<'_>]) -> bool {
    let is_plain = |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter));
    let is_other = |name: &str| is_plain(name) && !["usb", "block", "thunderbolt", "firewire", "mmc", "scsi"].contains(&name);
    !parts.iter().any(|part| part.key == "SUBSYSTEM" && part.operator == "==" && part.value.split('|').all(is_other))
}

/// The rule of attachments/usb.conf: one device by maker and product, its node for the daemon's group, nothing run.
fn is_of_hsm(parts: &[Part<'_>]) -> bool {
    let compares =
        |key: &str| parts.iter().any(|part| part.key == key && part.operator == "==" && !part.value.contains(['*', '?', '[', '|']));
    let gives = |part: &Part<'_>| part.key == "GROUP" && part.value == "contactpoint" || part.key == "MODE" && part.value == "0660";
    compares("ATTR{idVendor}") && compares("ATTR{idProduct}") && parts.iter().filter(|part| part.is_assignment()).all(gives)
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
