//! The HSM's PIN, read from the credential that systemd puts beside the process; from nowhere else, and never with a default.

use crate::KeyError;
use secrecy::SecretString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// PKCS#11 tokens take less; a longer file is not a PIN.
const LONGEST: usize = 255;

/// A PIN. No `Debug`, no `Clone`, zeroized on drop.
///
/// ```compile_fail
/// fn leak(pin: &contactpoint_keys::Pin) -> String {
///     format!("{pin:?}")
/// }
/// ```
pub struct Pin(SecretString);

impl Pin {
    /// Reads the PIN: one line of UTF-8, at most 255 bytes; one trailing line break is dropped.
    ///
    /// # Errors
    /// [`KeyError::PinMissing`], [`KeyError::PinExposed`] (readable or writable by everybody; systemd makes credentials 0400 or 0440),
    /// [`KeyError::PinUnreadable`], [`KeyError::PinMalformed`].
    pub fn from_credential_file(path: &Path) -> Result<Self, KeyError> {
        let file = open_private(path)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 3));
        // take() stays below the capacity, so that no reallocation leaves a copy of the PIN behind
        let read = file.take(LONGEST as u64 + 3).read_to_end(&mut bytes);
        read.map_err(|source| KeyError::PinUnreadable { path: path.to_owned(), source })?;
        let text = std::str::from_utf8(&bytes).map_err(|_| "is not UTF-8");
        let pin = text.and_then(one_line).map_err(|why| KeyError::PinMalformed { path: path.to_owned(), why })?;
        Ok(Self(SecretString::from(pin)))
    }

    /// The one way out; `sessions` hands it to C_Login and to nothing else.
    pub(crate) fn expose_to_hsm(&self) -> &SecretString {
        &self.0
    }
}

/// Opens first and looks at the opened file, so that nobody can swap it in between.
fn open_private(path: &Path) -> Result<File, KeyError> {
    let unreadable = |source| KeyError::PinUnreadable { path: path.to_owned(), source };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeyError::PinMissing { path: path.to_owned() }),
        opened => opened.map_err(unreadable)?,
    };
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(io::Error::new(io::ErrorKind::InvalidInput, "not a plain file")));
    }
    if metadata.permissions().mode() & 0o006 != 0 {
        return Err(KeyError::PinExposed { path: path.to_owned() });
    }
    Ok(file)
}

fn one_line(text: &str) -> Result<&str, &'static str> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        Err("is empty")
    } else if line.len() > LONGEST {
        Err("is longer than 255 bytes")
    } else if line.contains(['\n', '\r', '\0']) {
        Err("has more than one line")
    } else {
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn pin_of(content: &[u8], mode: u32) -> Result<String, KeyError> {
        use secrecy::ExposeSecret;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hsm-pin");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Pin::from_credential_file(&path).map(|pin| pin.expose_to_hsm().expose_secret().to_owned())
    }

    #[test]
    fn one_trailing_line_break_is_dropped_and_nothing_else() {
        // keys: PIN from the systemd credential, as an editor may have left it
        for content in ["1234", "1234\n", "1234\r\n"] {
            assert_eq!(pin_of(content.as_bytes(), 0o400).unwrap(), "1234");
        }
        assert_eq!(pin_of(b" 12 34 ", 0o440).unwrap(), " 12 34 ");
    }

    #[test]
    fn a_missing_pin_is_a_sentence_that_says_what_to_do() {
        // Keys: a missing PIN is fatal, with a sentence on what to do
        let error = Pin::from_credential_file(Path::new("/nonexistent/hsm-pin")).err().unwrap();
        assert!(matches!(error, KeyError::PinMissing { .. }));
        let sentence = error.to_string();
        assert!(sentence.contains("/nonexistent/hsm-pin"));
        assert!(sentence.contains("systemd-creds encrypt"));
        assert!(sentence.contains("/etc/credstore.encrypted/contactpoint-hsm-pin"), "{sentence}");
    }

    #[test]
    fn an_empty_overlong_or_many_lined_pin_is_refused_without_being_repeated() {
        // G1: no log line with a secret
        for content in [&b""[..], b"\n", b"\r\n", b"987654\n987655", b"987654\n\n", b"9876\xff", &[b'9'; 256], &[b'9'; 5000]] {
            let error = pin_of(content, 0o400).err().unwrap();
            assert!(matches!(error, KeyError::PinMalformed { .. }));
            assert!(!format!("{error} {error:?}").contains("9876"));
        }
    }

    #[test]
    fn a_pin_that_everybody_can_read_or_write_is_refused() {
        // G2: who has the PIN can use the keys
        for mode in [0o404, 0o444, 0o644, 0o402] {
            assert!(matches!(pin_of(b"1234", mode), Err(KeyError::PinExposed { .. })));
        }
        for mode in [0o400, 0o440, 0o600] {
            assert!(pin_of(b"1234", mode).is_ok());
        }
    }

    #[test]
    fn a_directory_is_no_pin() {
        // keys: PIN from the systemd credential; missing = a sentence on what to do
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(Pin::from_credential_file(directory.path()), Err(KeyError::PinUnreadable { .. })));
    }
}
