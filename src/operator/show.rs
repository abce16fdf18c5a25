//! `contactpointctl show`: what the daemon is allowed, as it is in force, for whoever has to judge it (rules G5, J1).
//!
//! The lists of system calls and paths are those that the daemon puts into force itself, by the same settings and the same code; the units are
//! as systemd has them, drop-ins included; the controls are the rule book's. Leaves to others: whether they hold (`inspect` asks the kernel).

use crate::custody::surroundings;
use crate::error::OperatorError;
use contactpoint_assurance::catalogue;
use contactpoint_hardening::paths::{self, Use};
use contactpoint_hardening::syscalls::{self, Section};
use contactpoint_hardening::Surroundings;
use contactpoint_settings::{Directories, Settings};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// systemd's own tool; its units as it has them.
const SYSTEMCTL: &str = "/usr/bin/systemctl";
const UNITS: [&str; 2] = ["contactpointd.service", "contactpointd.socket"];

/// Arguments of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which
    what: What,
    /// The configuration directory, whose settings decide what the HSM needs (syscalls, paths)
    #[arg(long, env = "CONFIGURATION_DIRECTORY", default_value = "/etc/contactpoint")]
    directory: PathBuf,
    /// The state directory (paths)
    #[arg(long, env = "STATE_DIRECTORY", default_value = "/var/lib/contactpoint")]
    state: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Every system call that the daemon may make, with its reason; any other ends it
    Syscalls,
    /// Every path that it may reach, with its reason
    Paths,
    /// Its units as systemd has them, drop-ins included
    Unit,
    /// Every rule: what enforces it, what proves it, what shows it
    Controls,
}

pub(crate) fn run(arguments: &Arguments) -> Result<String, OperatorError> {
    match arguments.what {
        What::Syscalls => of_syscalls(&arguments.surroundings()?),
        What::Paths => of_paths(&arguments.surroundings()?),
        What::Unit => of_units(Path::new(SYSTEMCTL)),
        What::Controls => Ok(catalogue().map_err(OperatorError::ours)?.markdown().trim_end().to_owned()),
    }
}

impl Arguments {
    fn surroundings(&self) -> Result<Surroundings, OperatorError> {
        let settings = Settings::load(&self.directory)?;
        let (configuration, state) = (self.directory.clone(), self.state.clone());
        Ok(surroundings(&Directories { configuration, state, credentials: PathBuf::new() }, &settings))
    }
}

fn of_syscalls(surroundings: &Surroundings) -> Result<String, OperatorError> {
    let lines = syscalls::effective(surroundings.attachment).map_err(OperatorError::ours)?;
    let width = lines.iter().map(|line| line.text.chars().count()).max().unwrap_or(0);
    let mut text =
        format!("# System calls of contactpointd {} in force: {} lines; any other ends it.\n", env!("CARGO_PKG_VERSION"), lines.len());
    let mut under = None;
    for line in &lines {
        if under.replace(line.section) != Some(line.section) {
            let _ = writeln!(text, "\n# {}", heading(line.section));
        }
        let _ = writeln!(text, "{:width$}  # {}", line.text, line.reason);
    }
    Ok(text.trim_end().to_owned())
}

fn heading(section: Section) -> &'static str {
    match section {
        Section::Always => "always; the tests need each line",
        Section::OtherMachines => "always; needed on machines that the tests do not run on",
        Section::HsmUnixSocket => "[hsm] attachment = \"unix-socket\"",
        Section::HsmUsb => "[hsm] attachment = \"usb\"",
        Section::HsmNetwork => "[hsm] attachment = \"network\"",
    }
}

fn of_paths(surroundings: &Surroundings) -> Result<String, OperatorError> {
    let allowed = paths::effective(surroundings).map_err(OperatorError::ours)?;
    let width = allowed.iter().map(|allowed| allowed.path.display().to_string().chars().count()).max().unwrap_or(0);
    let mut text =
        format!("# Paths of contactpointd {} in force: {}; nothing else is within reach.\n\n", env!("CARGO_PKG_VERSION"), allowed.len());
    for place in &allowed {
        let access = match place.access {
            Use::Read => "read",
            Use::ReadWrite => "read write",
        };
        let path = place.path.display().to_string();
        let _ = writeln!(text, "{path:width$}  {access:10}  # {}", place.reason);
    }
    Ok(text.trim_end().to_owned())
}

fn of_units(systemctl: &Path) -> Result<String, OperatorError> {
    let absent = |why: String| OperatorError::Units { why };
    let asked = Command::new(systemctl).args(["cat", "--no-pager"]).args(UNITS).env_clear().output();
    let told = asked.map_err(|error| absent(format!("{} does not run ({error})", systemctl.display())))?;
    if !told.status.success() {
        return Err(absent(String::from_utf8_lossy(&told.stderr).trim().replace('\n', "; ")));
    }
    Ok(String::from_utf8_lossy(&told.stdout).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::Site;
    use std::os::unix::fs::PermissionsExt as _;

    fn shown(site: &Site, what: What) -> Result<String, OperatorError> {
        run(&Arguments { what, directory: site.directories.configuration.clone(), state: "/var/lib/contactpoint".into() })
    }

    /// A stand-in for systemctl that says what it was asked.
    fn systemctl(site: &Site, script: &str) -> PathBuf {
        site.write("systemctl", &format!("#!/bin/sh\n{script}\n"));
        let path = site.path("systemctl");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn each_system_call_in_force_is_shown_with_its_reason_and_the_others_are_not() {
        // G5: lists in config/ with a reason a line; the daemon prints the effective ones
        let site = Site::without_token();
        site.write("configuration/contactpointd.toml", "");
        let text = shown(&site, What::Syscalls).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert_eq!(lines.len(), syscalls::effective(contactpoint_hardening::HsmAttachment::Files).unwrap().len());
        assert!(
            lines.iter().all(|line| line.split_once("  # ").is_some_and(|(call, reason)| !call.is_empty() && reason.len() > 5)),
            "{text}"
        );
        assert!(!text.contains("AF_INET") && !lines.iter().any(|line| line.starts_with("execve") || line.starts_with("ptrace")), "{text}");
        site.write("configuration/contactpointd.toml", "[hsm]\nattachment = \"network\"\nport = 9000\n");
        assert!(shown(&site, What::Syscalls).unwrap().contains("AF_INET"));
    }

    #[test]
    fn the_paths_in_force_are_the_directories_and_what_the_hsm_needs() {
        // G5: writes only below the state directory
        let site = Site::without_token();
        site.write("configuration/contactpointd.toml", "");
        let text = shown(&site, What::Paths).unwrap();
        let writable: Vec<&str> = text.lines().filter(|line| line.contains("read write")).collect();
        assert!(writable.len() == 1 && writable[0].starts_with("/var/lib/contactpoint "), "{text}");
        site.write("configuration/contactpointd.toml", "[hsm]\nwrites = [\"/var/lib/contactpoint-softhsm\"]\n");
        let text = shown(&site, What::Paths).unwrap();
        assert_eq!(text.lines().filter(|line| line.contains("read write")).count(), 2, "{text}");
    }

    #[test]
    fn the_units_are_asked_of_systemd_and_where_there_are_none_it_is_said() {
        // J1: contactpointctl show unit
        let site = Site::without_token();
        let told = of_units(&systemctl(&site, "echo \"$@\"")).unwrap();
        assert_eq!(told, "cat --no-pager contactpointd.service contactpointd.socket");
        for absent in [systemctl(&site, "echo No files found >&2; exit 1"), PathBuf::from("/nonexistent/systemctl")] {
            let error = of_units(&absent).unwrap_err();
            assert_eq!(error.exit_status(), 69);
            assert!(error.to_string().contains("install the package contactpoint"), "{error}");
        }
    }

    #[test]
    fn the_controls_are_the_rule_book() {
        // J1: a controls catalogue
        let site = Site::without_token();
        let text = shown(&site, What::Controls).unwrap();
        assert!(text.contains("G5") && text.starts_with('#'), "{}", &text[..200]);
    }
}
