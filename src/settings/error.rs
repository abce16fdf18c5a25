//! Why the settings were refused, as sentences that name file, line and key, and never the value.

use std::io;
use std::path::PathBuf;

/// The daemon cannot start with these settings (exit status 78).
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A variable that systemd sets is not there, or is no absolute path. Start through the unit.
    #[error("the environment variable {variable} {why}; contactpointd is started by systemd, which sets it ({directive} in the unit)")]
    Environment {
        /// "STATE_DIRECTORY".
        variable: &'static str,
        /// "is not set".
        why: &'static str,
        /// The unit's line that makes systemd set it.
        directive: &'static str,
    },
    /// The file cannot be read.
    #[error("{file} cannot be read: {source}; it must be there and readable, if only empty")]
    Unreadable {
        /// The settings file.
        file: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A key is unknown, of a wrong type or out of range; or the file is not TOML.
    #[error("{file}, line {line}, {key}: {why}")]
    Refused {
        /// The settings file.
        file: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// The key on that line, or its heading, or "text" where there is neither.
        key: String,
        /// What is wrong; the value is not repeated.
        why: String,
    },
    /// Two keys contradict each other.
    #[error("{file}: {why}")]
    Contradiction {
        /// The settings file.
        file: PathBuf,
        /// Which keys, and how.
        why: &'static str,
    },
}
