//! The whole file: reading, refusing, and telling what is in force.

use crate::sections::{Appliance, Budgets, Hsm, HsmAttachment, Intake, Limits, Log, Review, Session, Shielding, Store, Tls, Witnesses};
use crate::value::{HsmPath, OptionalPath};
use crate::SettingsError;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// The file's name in the configuration directory.
pub const FILE_NAME: &str = "contactpointd.toml";

/// Everything that can be set. Each key has a default; config/contactpointd.toml shows them all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What this appliance is for.
    pub appliance: Appliance,
    /// Where the keys are.
    pub hsm: Hsm,
    /// Certificates.
    pub tls: Tls,
    /// The database.
    pub store: Store,
    /// The audit log.
    pub log: Log,
    /// Who cosigns it.
    pub witnesses: Witnesses,
    /// What one caller can take.
    pub limits: Limits,
    /// People's sessions.
    pub session: Session,
    /// How many children one person may be shown in a day.
    pub budgets: Budgets,
    /// What suppliers send.
    pub intake: Intake,
    /// The looks that supervisors judge.
    pub review: Review,
    /// What stays visible of shielded children.
    pub shielding: Shielding,
}

impl Settings {
    /// Reads `contactpointd.toml` in the configuration directory. The file must be there, if only empty.
    ///
    /// # Errors
    /// [`SettingsError::Unreadable`], [`SettingsError::Refused`], [`SettingsError::Contradiction`].
    pub fn load(directory: &Path) -> Result<Self, SettingsError> {
        let file = directory.join(FILE_NAME);
        let text = fs::read_to_string(&file).map_err(|source| SettingsError::Unreadable { file: file.clone(), source })?;
        Self::parse(&text, &file)
    }

    /// Reads the text of a settings file; `file` is for the messages.
    ///
    /// # Errors
    /// [`SettingsError::Refused`], [`SettingsError::Contradiction`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text).map_err(|error| refused(&error, text, file))?;
        settings.agreeing(file)
    }

    /// The settings in force as TOML, for the log and for `check-config`. There is no secret among them.
    #[must_use]
    pub fn effective(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| format!("# the settings cannot be shown: {error}\n"))
    }

    fn agreeing(self, file: &Path) -> Result<Self, SettingsError> {
        if self.limits.connections_per_organisation.get() > self.limits.connections_total.get() {
            let why = "[limits] connections_per_organisation is larger than connections_total";
            return Err(SettingsError::Contradiction { file: file.to_owned(), why });
        }
        if (self.hsm.attachment == HsmAttachment::Network) != (self.hsm.port.get() != 0) {
            let why = "[hsm] port is set where attachment is \"network\", and only there";
            return Err(SettingsError::Contradiction { file: file.to_owned(), why });
        }
        if self.hsm.attachment != HsmAttachment::Usb && self.hsm.reads.iter().chain(&self.hsm.writes).any(HsmPath::is_of_usb) {
            let why = "[hsm] reads or writes name the USB bus, which is for attachment = \"usb\" alone (rule G5)";
            return Err(SettingsError::Contradiction { file: file.to_owned(), why });
        }
        if self.witnesses.answers_wait && self.witnesses.policy == OptionalPath::default_of("") {
            let why = "[witnesses] answers_wait waits for a quorum, and there is no policy that says of whom";
            return Err(SettingsError::Contradiction { file: file.to_owned(), why });
        }
        Ok(self)
    }
}

/// A parser's error without the value: the value may be a secret that was put there by mistake.
fn refused(error: &toml::de::Error, text: &str, file: &Path) -> SettingsError {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    SettingsError::Refused { file: file.to_owned(), line, key: key_on(text, line), why: without_value(error.message()) }
}

/// The key on a line, or its section's heading, or "text" where it is neither.
fn key_on(text: &str, line: usize) -> String {
    let line = text.lines().nth(line - 1).unwrap_or_default().trim();
    let name = line.split_once('=').map_or(line, |(key, _value)| key.trim());
    let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let is_heading = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(is_name);
    if is_heading || (line.contains('=') && is_name(name)) {
        name.to_owned()
    } else {
        "text".to_owned()
    }
}

/// serde's "invalid type: string \"the value\", expected i64" without its middle.
fn without_value(message: &str) -> String {
    match (message.split_once(": "), message.rsplit_once(", expected ")) {
        (Some((kind @ ("invalid type" | "invalid value"), _)), Some((_, expected))) => format!("{kind}, expected {expected}"),
        _ => message.lines().next().unwrap_or_default().to_owned(),
    }
}
