//! The directories that systemd makes for the unit and names in the environment (systemd.exec(5)).

use crate::SettingsError;
use std::ffi::OsString;
use std::path::PathBuf;

/// Where things are. All absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directories {
    /// CONFIGURATION_DIRECTORY: contactpointd.toml and what it names; read only.
    pub configuration: PathBuf,
    /// STATE_DIRECTORY: store.db, data-keys.toml; the only place that is written.
    pub state: PathBuf,
    /// CREDENTIALS_DIRECTORY: the HSM's PIN.
    pub credentials: PathBuf,
}

impl Directories {
    /// Takes the three variables from `variable`, which is `|name| std::env::var_os(name)` but in tests.
    ///
    /// # Errors
    /// [`SettingsError::Environment`] where one is missing, is a list, or is not absolute.
    pub fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, SettingsError> {
        let directory = |name, directive| absolute(name, directive, variable(name));
        Ok(Self {
            configuration: directory("CONFIGURATION_DIRECTORY", "ConfigurationDirectory=")?,
            state: directory("STATE_DIRECTORY", "StateDirectory=")?,
            credentials: directory("CREDENTIALS_DIRECTORY", "LoadCredentialEncrypted=")?,
        })
    }
}

fn absolute(variable: &'static str, directive: &'static str, value: Option<OsString>) -> Result<PathBuf, SettingsError> {
    let refusal = |why| SettingsError::Environment { variable, why, directive };
    let value = value.filter(|value| !value.is_empty()).ok_or_else(|| refusal("is not set"))?;
    // systemd separates several directories by colons
    if value.as_encoded_bytes().contains(&b':') {
        return Err(refusal("names several directories"));
    }
    let path = PathBuf::from(value);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(refusal("is not an absolute path"))
    }
}
