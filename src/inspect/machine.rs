//! Reads the machine: files below /proc and /sys, listings, and the answers of systemd, dpkg and modprobe. Judges nothing.
//!
//! Commands are run by absolute path with an empty environment, so that nobody's PATH decides what is believed. What cannot be read is told
//! with the reason. Does not write anything, and looks into no file of the state directory but the public verifier key.

use crate::reading::Reading;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file's text.
pub(crate) fn file(path: impl AsRef<Path>) -> Reading {
    let source = path.as_ref().display().to_string();
    match fs::read(path) {
        Ok(bytes) => Reading::seen(source, String::from_utf8_lossy(&bytes)),
        Err(error) => Reading::unseen(source, error.to_string()),
    }
}

/// What SELinux decides of a domain and itself (class 1), and whether the domain is permissive: the kernel's own answer
/// (/sys/fs/selinux/access takes a question and is then read).
pub(crate) fn selinux_decision(context: &Reading) -> Reading {
    let source = "/sys/fs/selinux/access";
    let Ok(context) = &context.text else { return Reading::unseen(source, "the process's context is not known") };
    let context = context.trim_end_matches(['\0', '\n']);
    match decision(source, context) {
        Ok(answer) => Reading::seen(source, answer),
        Err(error) => Reading::unseen(source, error.to_string()),
    }
}

fn decision(path: &str, context: &str) -> io::Result<String> {
    let mut file = fs::File::options().read(true).write(true).open(path)?;
    // one question is one write(2)
    file.write_all(format!("{context} {context} 1").as_bytes())?;
    let mut answer = String::new();
    file.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Where a link leads.
pub(crate) fn link(path: impl AsRef<Path>) -> Reading {
    let source = path.as_ref().display().to_string();
    match fs::read_link(path) {
        Ok(target) => Reading::seen(source, target.display().to_string()),
        Err(error) => Reading::unseen(source, error.to_string()),
    }
}

/// The first sixteen bytes of a file, in hexadecimal.
pub(crate) fn beginning(path: &Path) -> Reading {
    let mut bytes = [0u8; 16];
    // a pipe would keep us waiting, and a link lead elsewhere
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    let opened = if is_file { fs::File::open(path) } else { Err(io::Error::other("is no plain file")) };
    let read = opened.and_then(|mut file| file.read_exact(&mut bytes));
    let source = format!("{}, its first bytes", path.display());
    match read {
        Ok(()) => Reading::seen(source, data_encoding::HEXLOWER.encode(&bytes)),
        Err(error) => Reading::unseen(source, error.to_string()),
    }
}

/// The user to whom a file belongs.
pub(crate) fn owner(path: &str) -> Reading {
    match fs::metadata(path) {
        Ok(metadata) => Reading::seen(format!("stat {path}"), metadata.uid().to_string()),
        Err(error) => Reading::unseen(format!("stat {path}"), error.to_string()),
    }
}

/// What a command prints: the standard output. A failure without output is told by the standard error.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Reading {
    let source = format!("{program} {}", arguments.join(" "));
    let found = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].iter().map(|folder| Path::new(folder).join(program)).find(|path| path.is_file());
    let Some(path) = found else { return Reading::unseen(source, format!("{program} is not installed")) };
    let output =
        Command::new(path).args(arguments).env_clear().env("LC_ALL", "C.UTF-8").env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").output();
    match output {
        Ok(output) if output.status.success() || !output.stdout.is_empty() => {
            Reading::seen(source, String::from_utf8_lossy(&output.stdout))
        }
        Ok(output) => Reading::unseen(source, String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Reading::unseen(source, error.to_string()),
    }
}

/// Lines "0700 990:990 /path" of `top` and everything below it; links are listed and not followed.
pub(crate) fn listing(top: &Path) -> Reading {
    let source = format!("stat {} and below", top.display());
    let mut text = String::new();
    match list(top, &mut text) {
        Ok(()) => Reading::seen(source, text),
        Err(error) => Reading::unseen(source, error.to_string()),
    }
}

fn list(path: &Path, text: &mut String) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_symlink() {
        let _ = writeln!(text, "{:04o} {}:{} {}", metadata.mode() & 0o7777, metadata.uid(), metadata.gid(), path.display());
    }
    if metadata.is_dir() {
        for below in sorted(path)? {
            match list(&below, text) {
                // SQLite's journals come and go
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
    }
    Ok(())
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Lines "SHA-256 path" of the program that runs and of the file from which it should have been started.
pub(crate) fn program_bytes(pid: u32) -> Reading {
    let paths = [format!("/proc/{pid}/exe"), "/usr/sbin/contactpointd".to_owned()];
    let source = format!("sha256sum {}", paths.join(" "));
    let line = |path: &String| fs::read(path).map(|bytes| format!("{} {path}\n", data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))));
    match paths.iter().map(line).collect::<io::Result<String>>() {
        Ok(text) => Reading::seen(source, text),
        Err(error) => Reading::unseen(source, error.to_string()),
    }
}

/// Lines "own machine's /path" of each file whose code the process has mapped: device and inode of what is mapped, and of what is at that path
/// now. Where the kernel does not let map_files be followed, what the process sees at the path stands for it.
pub(crate) fn code_files(pid: u32, maps: &Reading) -> Reading {
    let source = format!("stat /proc/{pid}/map_files");
    let Ok(maps) = &maps.text else { return Reading::unseen(source, "the mappings are not known") };
    let mut lines = BTreeSet::new();
    for (range, path) in crate::memory::code(maps) {
        let range: Vec<&str> = range.split('-').map(|address| address.trim_start_matches('0')).collect();
        let path = path.trim_end_matches(" (deleted)");
        let mapped = fs::metadata(format!("/proc/{pid}/map_files/{}", range.join("-")));
        match mapped.or_else(|_| fs::metadata(format!("/proc/{pid}/root{path}"))) {
            Ok(mapped) => lines.insert(format!("{} {} {path}\n", identity(&mapped), identity_at(fs::metadata(path)))),
            Err(error) => return Reading::unseen(source, format!("{path}: {error}")),
        };
    }
    Reading::seen(source, lines.into_iter().collect::<String>())
}

/// The same of a folder and everything below it: as the process sees it, and as the machine does; links are not followed.
pub(crate) fn seen_by(pid: u32, folder: &Path) -> Reading {
    let root = format!("/proc/{pid}/root");
    let source = format!("stat {root}{} and below", folder.display());
    let listed = listing(folder);
    let Ok(listed) = &listed.text else { return Reading::unseen(source, format!("{} cannot be listed", folder.display())) };
    if let Err(error) = fs::metadata(&root) {
        return Reading::unseen(source, error.to_string());
    }
    let line = |path: &str| {
        let [own, machines] = [format!("{root}{path}"), path.to_owned()].map(|path| identity_at(fs::symlink_metadata(path)));
        format!("{own} {machines} {path}\n")
    };
    let paths = listed.lines().filter_map(|line| line.splitn(3, ' ').nth(2));
    Reading::seen(source, paths.map(line).collect::<String>())
}

fn identity(metadata: &fs::Metadata) -> String {
    format!("{}:{}", metadata.dev(), metadata.ino())
}

fn identity_at(metadata: io::Result<fs::Metadata>) -> String {
    metadata.map_or_else(|_| "-".to_owned(), |metadata| identity(&metadata))
}

/// Lines "contactpointd_pcscd 1 1" of the policy's booleans: in force, and pending.
pub(crate) fn selinux_booleans() -> Reading {
    let folder = "/sys/fs/selinux/booleans";
    let source = format!("{folder}/contactpointd_*");
    let paths = match sorted(Path::new(folder)) {
        Ok(paths) => paths,
        Err(error) => return Reading::unseen(source, error.to_string()),
    };
    let mut text = String::new();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with("contactpointd_") {
            let value = fs::read_to_string(&path).unwrap_or_else(|error| error.to_string());
            let _ = writeln!(text, "{name} {}", value.trim_end_matches(['\0', '\n']));
        }
    }
    Reading::seen(source, text)
}

/// Lines "SHA-256 path" of the lists of parts in a folder.
pub(crate) fn lists_of_parts(folder: &str) -> Reading {
    let source = format!("sha256sum {folder}/*.cdx.json*");
    let paths = sorted(Path::new(folder)).unwrap_or_default();
    let mut text = String::new();
    for path in paths.iter().filter(|path| path.to_string_lossy().contains(".cdx.json")) {
        if let Ok(bytes) = fs::read(path) {
            let _ = writeln!(text, "{} {}", data_encoding::HEXLOWER.encode(&Sha256::digest(bytes)), path.display());
        }
    }
    if text.is_empty() {
        return Reading::unseen(source, "no such file");
    }
    Reading::seen(source, text)
}

/// /proc/PID/task/*/`name` of each thread, the process itself first. A thread that ended meanwhile is left out.
pub(crate) fn of_each_thread(pid: u32, name: &str) -> Vec<Reading> {
    let itself = format!("/proc/{pid}/task/{pid}/{name}");
    let others = sorted(Path::new(&format!("/proc/{pid}/task"))).unwrap_or_default();
    let others = others.into_iter().map(|task| task.join(name)).filter(|path| path.as_os_str() != itself.as_str());
    let there = others.map(file).filter(|reading| reading.text.is_ok());
    std::iter::once(file(&itself)).chain(there).collect()
}

/// Lines "net net:[4026531833]" of a process's namespaces.
pub(crate) fn namespaces(pid: &str) -> Reading {
    let source = format!("/proc/{pid}/ns");
    let mut text = String::new();
    for kind in crate::process::NAMESPACES {
        match fs::read_link(format!("{source}/{kind}")) {
            Ok(target) => {
                let _ = writeln!(text, "{kind} {}", target.display());
            }
            Err(error) => return Reading::unseen(source, error.to_string()),
        }
    }
    Reading::seen(source, text)
}

/// The machine's namespaces: those of process 1, or this program's own where process 1 does not show them.
pub(crate) fn namespaces_of_machine() -> Reading {
    let first = namespaces("1");
    if first.text.is_ok() {
        first
    } else {
        namespaces("self")
    }
}

/// Lines "7 file rw /var/lib/contactpoint/store.db" of a process's descriptors.
pub(crate) fn descriptors(pid: u32) -> Reading {
    let folder = format!("/proc/{pid}/fd");
    let numbers = match sorted(Path::new(&folder)) {
        Ok(paths) => paths,
        Err(error) => return Reading::unseen(folder, error.to_string()),
    };
    let mut text = String::new();
    for path in numbers {
        let number = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // closed meanwhile: nothing to tell
        let (Ok(target), Ok(metadata)) = (fs::read_link(&path), fs::metadata(&path)) else { continue };
        let _ = writeln!(text, "{number} {} {} {}", kind(metadata.mode()), access(pid, &number), target.display());
    }
    Reading::seen(folder, text)
}

/// What a descriptor is of, by the kind in its mode (inode(7)).
fn kind(mode: u32) -> &'static str {
    match mode & 0o170_000 {
        0o140_000 => "socket",
        0o060_000 => "block",
        0o040_000 => "folder",
        0o020_000 => "char",
        0o010_000 => "pipe",
        _ => "file",
    }
}

/// From the `flags:` of /proc/PID/fdinfo, octal: the lowest two bits are open(2)'s access mode.
fn access(pid: u32, number: &str) -> &'static str {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    match flags.map(|flags| flags & 0o3) {
        Some(0) => "r",
        Some(1) => "w",
        // what is not known counts as both
        _ => "rw",
    }
}

/// Lines "8:1 sda1 removable=1 /sys/devices/..." of the block devices.
pub(crate) fn block_devices() -> Reading {
    let source = "/sys/class/block";
    let mut text = String::new();
    let devices = match sorted(Path::new(source)) {
        Ok(devices) => devices,
        Err(error) => return Reading::unseen(source, error.to_string()),
    };
    for device in devices {
        let place = fs::canonicalize(&device).unwrap_or_else(|_| device.clone());
        let word = |path: &Path| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
        let number = word(&place.join("dev")).unwrap_or_default();
        // a partition has no such file, the disk above it has
        let removable =
            word(&place.join("removable")).or_else(|| word(&place.parent()?.join("removable"))).unwrap_or_else(|| "?".to_owned());
        let name = device.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let _ = writeln!(text, "{number} {name} removable={removable} {}", place.display());
    }
    Reading::seen(source, text)
}

/// Lines "1795219200.123456789 /path" of those of `paths` that exist: when each last changed in any way, links not followed.
pub(crate) fn changes(paths: &[String]) -> Reading {
    let mut text = String::new();
    for path in paths {
        match fs::symlink_metadata(path) {
            Ok(metadata) => {
                let _ = writeln!(text, "{}.{:09} {path}", metadata.ctime(), metadata.ctime_nsec());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Reading::unseen(format!("stat {path}"), error.to_string()),
        }
    }
    Reading::seen("stat (ctime)", text)
}

/// Lines "pids.max 1024" of a process's control group.
pub(crate) fn bounds(pid: u32) -> Reading {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let Some(group) = groups.lines().find_map(|line| line.strip_prefix("0::")) else {
        return Reading::unseen(format!("/proc/{pid}/cgroup"), "no control group of version 2");
    };
    let folder = format!("/sys/fs/cgroup{group}");
    let line = |name: &str| fs::read_to_string(format!("{folder}/{name}")).map(|value| format!("{name} {value}")).unwrap_or_default();
    Reading::seen(&folder, ["pids.max", "memory.swap.max"].map(line).concat())
}

/// udev's files of rules as it reads them (udev(7)): of each name the one in the first of its folders, a link to /dev/null being empty.
pub(crate) fn udev_rules() -> Vec<Reading> {
    let folders = ["/etc/udev/rules.d", "/run/udev/rules.d", "/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d"];
    let mut files: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for path in folders.iter().flat_map(|folder| sorted(Path::new(folder)).unwrap_or_default()) {
        if let Some(name) = path.file_name().filter(|_| path.extension().is_some_and(|kind| kind == "rules")) {
            files.entry(name.to_owned()).or_insert_with(|| path.clone());
        }
    }
    files.values().map(file).collect()
}
