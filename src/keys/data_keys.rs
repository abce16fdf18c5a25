//! The data keys as they lie on the disk, wrapped: data-keys.toml in the state directory. Useless without the HSM, and the store without
//! it.

use crate::KeyError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The only format there is.
const FORMAT: u32 = 1;
const HEADING: &str = "# The data keys of contactpointd, wrapped by the key contactpoint-store in the HSM (docs/key-ceremony.md).\n\
                       # Not a secret; but the store cannot be opened without it. Keep a copy with the backups of the token.\n";

/// Which data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataKeyName {
    /// The page key of the store's file (SQLCipher).
    Page,
    /// The key under which each record's own key is wrapped.
    Records,
    /// The key of the search tokens.
    Tokens,
    /// The key under which audit entries are sealed.
    Entries,
}

impl DataKeyName {
    /// Every member, in order.
    pub const ALL: &'static [Self] = &[Self::Page, Self::Records, Self::Tokens, Self::Entries];

    /// The name as written in data-keys.toml.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Records => "records",
            Self::Tokens => "tokens",
            Self::Entries => "entries",
        }
    }
}

impl fmt::Display for DataKeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One wrapped data key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrappedKey {
    /// Counts the renewals of the key, from 1.
    pub(crate) epoch: u32,
    /// Nonce (12 bytes), ciphertext (32), tag (16), in lower-case hexadecimal.
    pub(crate) wrapped: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FourKeys {
    pub(crate) page: WrappedKey,
    pub(crate) records: WrappedKey,
    pub(crate) tokens: WrappedKey,
    pub(crate) entries: WrappedKey,
}

/// The four data keys, each sealed with AES-256-GCM by the HSM's `contactpoint-store` for its own name, epoch and token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedDataKeys {
    format: u32,
    token: String,
    keys: FourKeys,
}

impl WrappedDataKeys {
    pub(crate) fn new(token: String, keys: FourKeys) -> Self {
        Self { format: FORMAT, token, keys }
    }

    /// Reads data-keys.toml.
    ///
    /// # Errors
    /// [`KeyError::DataKeysMissing`], [`KeyError::DataKeysMalformed`], [`KeyError::DataKeysFile`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeyError::DataKeysMissing { path: path.to_owned() }),
            read => read.map_err(|source| KeyError::DataKeysFile { path: path.to_owned(), source })?,
        };
        let malformed = |why| KeyError::DataKeysMalformed { path: path.to_owned(), why };
        let keys: Self = toml::from_str(&text).map_err(|error| malformed(error.message().to_owned()))?;
        if keys.format == FORMAT {
            Ok(keys)
        } else {
            Err(malformed(format!("format {} is not known", keys.format)))
        }
    }

    /// Writes data-keys.toml (mode 0600), durably: file and directory are synced. Never overwrites; a half-written file is removed.
    ///
    /// # Errors
    /// [`KeyError::DataKeysExist`], [`KeyError::DataKeysFile`].
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(KeyError::DataKeysExist { path: path.to_owned() }),
            opened => opened.map_err(|source| KeyError::DataKeysFile { path: path.to_owned(), source })?,
        };
        self.write(&mut file, path).map_err(|source| {
            // what is half-written would only mislead; the first error is the one to tell
            drop(fs::remove_file(path));
            KeyError::DataKeysFile { path: path.to_owned(), source }
        })
    }

    /// The epoch of a data key, from 1.
    #[must_use]
    pub fn epoch(&self, name: DataKeyName) -> u32 {
        self.key(name).epoch
    }

    /// The label of the token that wrapped the keys.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn key(&self, name: DataKeyName) -> &WrappedKey {
        match name {
            DataKeyName::Page => &self.keys.page,
            DataKeyName::Records => &self.keys.records,
            DataKeyName::Tokens => &self.keys.tokens,
            DataKeyName::Entries => &self.keys.entries,
        }
    }

    fn write(&self, file: &mut File, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        file.write_all(HEADING.as_bytes())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn some_keys() -> WrappedDataKeys {
        let key = |epoch| WrappedKey { epoch, wrapped: "00".repeat(60) };
        WrappedDataKeys::new("a token".into(), FourKeys { page: key(1), records: key(2), tokens: key(3), entries: key(4) })
    }

    #[test]
    fn saved_keys_are_loaded_again_and_only_the_daemon_reads_them() {
        // G3: the store opens only with the HSM
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data-keys.toml");
        some_keys().save(&path).unwrap();
        assert_eq!(WrappedDataKeys::load(&path).unwrap(), some_keys());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(DataKeyName::ALL.iter().map(|name| some_keys().epoch(*name)).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    fn data_keys_are_never_overwritten() {
        // G3: the store opens only with the HSM, and never again without this file
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data-keys.toml");
        fs::write(&path, "older").unwrap();
        assert!(matches!(some_keys().save(&path), Err(KeyError::DataKeysExist { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "older");
    }

    #[test]
    fn missing_and_malformed_files_are_told_apart() {
        // G3: the store opens only with the HSM; each refusal says what to do
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data-keys.toml");
        assert!(matches!(WrappedDataKeys::load(&path), Err(KeyError::DataKeysMissing { .. })));
        let good = toml::to_string(&some_keys()).unwrap();
        let unknown = format!("extra = 1\n{good}");
        let future = good.replace("format = 1", "format = 2");
        for text in ["", "format = 1\n", "\0", &unknown, &future] {
            fs::write(&path, text).unwrap();
            assert!(matches!(WrappedDataKeys::load(&path), Err(KeyError::DataKeysMalformed { .. })), "{text}");
        }
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_said_so() {
        // G3: the store opens only with the HSM; each refusal says what to do
        assert!(matches!(some_keys().save(Path::new("/nonexistent/data-keys.toml")), Err(KeyError::DataKeysFile { .. })));
    }
}
