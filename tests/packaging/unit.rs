//! Reading unit files: directives with their sections and reasons, and what `systemd-analyze` says of a unit.
//!
//! Leaves to others: what a directive must be. Knows of systemd.syntax(7) what our files use: no continuation lines, `#` comments.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// One line `Name=value` of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    /// "[Service]".
    pub(crate) section: String,
    /// "UMask".
    pub(crate) name: String,
    /// "0077".
    pub(crate) value: String,
    /// The comment right above it, without its hashes; empty where there is none.
    pub(crate) reason: String,
}

/// All directives in order.
pub(crate) fn directives(text: &str) -> Vec<Directive> {
    let (mut found, mut section, mut reason) = (Vec::new(), String::new(), String::new());
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix('#') {
            reason = format!("{reason} {}", comment.trim()).trim().to_owned();
            continue;
        }
        if line.starts_with('[') {
            section = line.to_owned();
        } else if let Some((name, value)) = line.split_once('=') {
            found.push(Directive { section: section.clone(), name: name.to_owned(), value: value.to_owned(), reason: reason.clone() });
        }
        reason.clear();
    }
    found
}

/// The values of a directive in order; an empty one has taken back those before it.
pub(crate) fn values(unit: &[Directive], name: &str) -> Vec<String> {
    let mut values = Vec::new();
    for directive in unit.iter().filter(|directive| directive.name == name) {
        if directive.value.is_empty() {
            values.clear();
        } else {
            values.push(directive.value.clone());
        }
    }
    values
}

/// The one value of a directive, the last where it stands several times.
pub(crate) fn value(unit: &[Directive], name: &str) -> Option<String> {
    values(unit, name).pop()
}

/// Directives without a reason: fewer than two words above them.
pub(crate) fn without_reason(text: &str) -> Vec<String> {
    let unit = directives(text);
    let bare = unit.iter().filter(|directive| directive.reason.split_whitespace().count() < 2);
    bare.map(|directive| format!("{}={}", directive.name, directive.value)).collect()
}

/// The exposure in tenths, as systemd-analyze works it out from the file alone; and what it did not understand of it.
pub(crate) fn exposure(text: &str) -> (u32, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("contactpointd.service");
    std::fs::write(&file, text).unwrap();
    let output = Command::new("systemd-analyze").args(["security", "--offline=true", "--no-pager"]).arg(&file).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let level = told.lines().find_map(|line| line.split_once("Overall exposure level for contactpointd.service: "));
    let level = level.and_then(|(_, level)| level.split_whitespace().next()).unwrap_or_else(|| panic!("{told}")).replace('.', "");
    (level.parse().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// The system calls that a unit lets through: SystemCallFilter= as systemd.exec(5) reads it, groups spelt out by systemd itself.
pub(crate) fn allowed_calls(unit: &[Directive]) -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    for line in values(unit, "SystemCallFilter") {
        let (taken_away, names) = line.strip_prefix('~').map_or((false, line.as_str()), |names| (true, names));
        for call in names.split_whitespace().flat_map(spelt_out) {
            if taken_away {
                allowed.remove(&call);
            } else {
                allowed.insert(call);
            }
        }
    }
    allowed
}

fn spelt_out(name: &str) -> Vec<String> {
    if !name.starts_with('@') {
        return vec![name.to_owned()];
    }
    let output = Command::new("systemd-analyze").args(["syscall-filter", "--no-pager", name]).output().unwrap();
    assert!(output.status.success(), "{name}: {output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    let lines = told.lines().skip(1).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.flat_map(spelt_out).collect()
}

/// Absolute paths that a unit binds or names, which its root must have: not those below /run and /dev, which are made at the start.
pub(crate) fn mount_points(unit: &[Directive]) -> BTreeSet<String> {
    let mut paths: BTreeSet<String> = ["BindPaths", "BindReadOnlyPaths", "ReadWritePaths", "ReadOnlyPaths"]
        .iter()
        .flat_map(|name| values(unit, name))
        .flat_map(|line| line.split_whitespace().map(|path| path.trim_start_matches('-').to_owned()).collect::<Vec<_>>())
        .collect();
    paths.extend(values(unit, "StateDirectory").iter().map(|name| format!("/var/lib/{name}")));
    paths.extend(values(unit, "ConfigurationDirectory").iter().map(|name| format!("/etc/{name}")));
    paths.retain(|path| !path.starts_with("/run/") && !path.starts_with("/dev/"));
    paths.iter().map(|path| as_on_debian(path)).collect()
}

/// /lib and /lib64 are links.
fn as_on_debian(path: &str) -> String {
    match path.starts_with("/lib/") || path.starts_with("/lib64/") {
        true => format!("/usr{path}"),
        false => path.to_owned(),
    }
}

/// The folder that a packaged file of ours lies in.
pub(crate) fn packaging(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
