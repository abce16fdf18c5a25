//! The list of paths (config/paths.conf): read, shown, and made into what Landlock holds the process to.
//!
//! For: one list that an accreditor reads and the kernel obeys. Leaves to others: putting it into force (`landlock_rules`).

use crate::Surroundings;
use std::path::PathBuf;

/// The shipped list.
pub const LIST: &str = include_str!("../../config/paths.conf");

/// A line that cannot be understood; the list is part of the program, so this is a fault of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config/paths.conf, line {line}: {why}")]
pub struct PathListFault {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub why: &'static str,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceName {
    /// STATE_DIRECTORY.
    State,
    /// CONFIGURATION_DIRECTORY.
    Configuration,
    /// `[hsm] reads`.
    HsmReads,
    /// `[hsm] writes`.
    HsmWrites,
}

/// What may be done below a place. Nothing may be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Files and directories are read.
    Read,
    /// The same, and files are written, made, removed and cut.
    ReadWrite,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The place.
    pub place: PlaceName,
    /// What may be done.
    pub access: Use,
    /// Why.
    pub reason: String,
}

/// A path in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The path and all below it.
    pub path: PathBuf,
    /// What may be done.
    pub access: Use,
    /// Why.
    pub reason: String,
}

/// The paths in force in these surroundings.
///
/// # Errors
/// [`PathListFault`], which a test keeps from being shipped.
pub fn effective(surroundings: &Surroundings) -> Result<Vec<Allowed>, PathListFault> {
    let mut allowed = Vec::new();
    for Line { place, access, reason } in parse(LIST)? {
        let paths: &[PathBuf] = match place {
            PlaceName::State => std::slice::from_ref(&surroundings.state),
            PlaceName::Configuration => std::slice::from_ref(&surroundings.configuration),
            PlaceName::HsmReads => &surroundings.reads,
            PlaceName::HsmWrites => &surroundings.writes,
        };
        allowed.extend(paths.iter().map(|path| Allowed { path: path.clone(), access, reason: reason.clone() }));
    }
    Ok(allowed)
}

/// Reads a list.
///
/// # Errors
/// [`PathListFault`] for the first line that is not as it must be.
pub fn parse(text: &str) -> Result<Vec<Line>, PathListFault> {
    let mut lines: Vec<Line> = Vec::new();
    for (at, text) in text.lines().enumerate() {
        let fault = |why| PathListFault { line: at + 1, why };
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let line = read(text).map_err(fault)?;
        if lines.iter().any(|earlier| earlier.place == line.place) {
            return Err(fault("the same place again"));
        }
        lines.push(line);
    }
    Ok(lines)
}

fn read(line: &str) -> Result<Line, &'static str> {
    let (text, reason) = line.split_once('#').ok_or("no reason")?;
    let reason = reason.trim();
    if reason.is_empty() {
        return Err("no reason");
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let (place, uses) = words.split_first().ok_or("no place")?;
    let place = match *place {
        "STATE" => PlaceName::State,
        "CONFIGURATION" => PlaceName::Configuration,
        "HSM-READS" => PlaceName::HsmReads,
        "HSM-WRITES" => PlaceName::HsmWrites,
        _ => return Err("unknown place"),
    };
    let access = match uses {
        ["read"] => Use::Read,
        ["read", "write"] => Use::ReadWrite,
        _ => return Err("what may be done is read, or read write"),
    };
    Ok(Line { place, access, reason: reason.to_owned() })
}
