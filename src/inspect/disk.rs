//! Reads what lies on the disk, with whose it is and what it is: folders, files, links, a credential's head. Judges nothing.
//!
//! A listing has a line for each: "0755 0:0 d /usr/sbin", "0644 0:0 f 12 /etc/hosts" with its length, "0777 0:0 l /lib -> usr/lib". No link is
//! followed but those on the way. Leaves to others: the kernel's files and the answers of commands (`machine`).

use crate::reading::Reading;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// `top` and everything below it.
pub(crate) fn tree(top: &str) -> Reading {
    let source = format!("stat {top} and below");
    let mut text = String::new();
    match below(Path::new(top), &mut text) {
        Ok(()) => Reading::seen(source, text),
        Err(error) => Reading::unseen(source, error.to_string()),
    }
}

/// Those of `paths` that are there, with everything below them, or without.
pub(crate) fn existing(paths: &[PathBuf], with_below: bool) -> Reading {
    let mut text = String::new();
    for path in paths {
        let listed = if with_below { below(path, &mut text) } else { line(path, &mut text).map(|_| ()) };
        match listed {
            Err(error) if !is_absent(&error) => return Reading::unseen(format!("stat {}", path.display()), error.to_string()),
            _ => {}
        }
    }
    Reading::seen("stat", text)
}

/// What lies in `folders` under a name that begins so, with everything below it.
pub(crate) fn named(folders: &[String], beginning: &str) -> Reading {
    let mut paths = Vec::new();
    for folder in folders {
        match inside(Path::new(folder)) {
            Ok(all) => paths.extend(all.into_iter().filter(|path| name(path).starts_with(beginning))),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Reading::unseen(folder, error.to_string()),
        }
    }
    Reading { source: format!("stat {beginning}* in systemd's folders"), ..existing(&paths, true) }
}

/// The first 16 bytes of a credential as systemd keeps it (in Base64, with line ends), in hexadecimal: the kind of its key.
pub(crate) fn kind_of_key(path: &Path) -> Reading {
    let source = format!("{}, its first bytes", path.display());
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    let read = if is_file { fs::read(path) } else { Err(io::Error::other("is no plain file")) };
    match read {
        Ok(bytes) => {
            let head: Vec<u8> = bytes.into_iter().filter(|byte| !byte.is_ascii_whitespace()).take(24).collect();
            match data_encoding::BASE64.decode(&head) {
                Ok(kind) if kind.len() >= 16 => Reading::seen(source, data_encoding::HEXLOWER.encode(&kind[..16])),
                _ => Reading::seen(source, "no credential of systemd's"),
            }
        }
        Err(error) => Reading::unseen(source, error.to_string()),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn inside(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn below(path: &Path, text: &mut String) -> io::Result<()> {
    if line(path, text)? {
        for entry in inside(path)? {
            match below(&entry, text) {
                // gone meanwhile
                Err(error) if is_absent(&error) => {}
                other => other?,
            }
        }
    }
    Ok(())
}

/// Writes the line of one path, and says whether it is a folder.
fn line(path: &Path, text: &mut String) -> io::Result<bool> {
    let metadata = fs::symlink_metadata(path)?;
    // a name with a line end in it would be two lines
    let shown = path.to_string_lossy().escape_debug().to_string();
    let what = match metadata.mode() & 0o170_000 {
        0o040_000 => format!("d {shown}"),
        0o100_000 => format!("f {} {shown}", metadata.len()),
        0o120_000 => format!("l {shown} -> {}", fs::read_link(path)?.display()),
        kind => format!("other {kind:o} {shown}"),
    };
    let _ = writeln!(text, "{:04o} {}:{} {what}", metadata.mode() & 0o7777, metadata.uid(), metadata.gid());
    Ok(metadata.is_dir())
}
