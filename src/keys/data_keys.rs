//! The data keys as they lie on the disk, wrapped: data-keys.toml in the state directory. Useless without the HSM, and the store without
//! it.

use crate::kind::HsmKey;
use crate::KeyError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The format that is written. Format 1, of the versions before 0.4, had one epoch of each key, all under `contactpoint-store`; it is read.
const FORMAT: u32 = 2;
const HEADING: &str = "# The data keys of contactpointd, wrapped by keys in the HSM (docs/key-ceremony.md).\n\
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

/// One epoch of a key that is renewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrappedEpoch {
    pub(crate) epoch: u32,
    /// As in [`WrappedKey`].
    pub(crate) wrapped: String,
    /// Wrapped by the HSM's key of this epoch, else by `contactpoint-store`.
    pub(crate) own: bool,
    /// Its key in the HSM is being destroyed: where that is gone, the epoch is erased and not lost.
    pub(crate) ending: bool,
}

impl WrappedEpoch {
    pub(crate) fn new(WrappedKey { epoch, wrapped }: WrappedKey, own: bool) -> Self {
        Self { epoch, wrapped, own, ending: false }
    }
}

/// A data key that is renewed in epochs, each under a key of its own in the HSM, and erased with that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewable {
    /// [`DataKeyName::Records`].
    Records,
    /// [`DataKeyName::Entries`].
    Entries,
}

impl Renewable {
    pub(crate) const ALL: [Self; 2] = [Self::Records, Self::Entries];

    /// The data key.
    #[must_use]
    pub const fn name(self) -> DataKeyName {
        match self {
            Self::Records => DataKeyName::Records,
            Self::Entries => DataKeyName::Entries,
        }
    }
}

impl fmt::Display for Renewable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keys {
    pub(crate) page: WrappedKey,
    pub(crate) tokens: WrappedKey,
    /// Of these two the oldest epoch first; what is not listed was erased.
    pub(crate) records: Vec<WrappedEpoch>,
    pub(crate) entries: Vec<WrappedEpoch>,
}

/// The data keys, each sealed with AES-256-GCM by a key in the HSM for its own name, epoch and token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedDataKeys {
    format: u32,
    token: String,
    keys: Keys,
}

/// Which format a file has, whatever else is in it.
#[derive(Deserialize)]
struct Formatted {
    format: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormatOne {
    #[serde(rename = "format")]
    _format: u32,
    token: String,
    keys: FourKeys,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FourKeys {
    page: WrappedKey,
    records: WrappedKey,
    tokens: WrappedKey,
    entries: WrappedKey,
}

impl From<FormatOne> for WrappedDataKeys {
    fn from(FormatOne { token, keys: FourKeys { page, records, tokens, entries }, .. }: FormatOne) -> Self {
        let only = |key| vec![WrappedEpoch::new(key, false)];
        Self::new(token, Keys { page, tokens, records: only(records), entries: only(entries) })
    }
}

impl WrappedDataKeys {
    pub(crate) fn new(token: String, keys: Keys) -> Self {
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
        let keys = Self::parse(&text).map_err(malformed)?;
        match keys.fault() {
            None => Ok(keys),
            Some(why) => Err(malformed(why.to_owned())),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let said = |error: toml::de::Error| error.message().to_owned();
        match toml::from_str::<Formatted>(text).map_err(said)?.format {
            1 => toml::from_str::<FormatOne>(text).map(Self::from).map_err(said),
            FORMAT => toml::from_str(text).map_err(said),
            other => Err(format!("format {other} is not known")),
        }
    }

    /// What no file that we wrote has.
    fn fault(&self) -> Option<&'static str> {
        let ordered = |epochs: &[WrappedEpoch]| epochs.windows(2).all(|pair| pair[0].epoch < pair[1].epoch);
        let in_use = |epochs: &[WrappedEpoch]| epochs.last().is_some_and(|newest| !newest.ending);
        let lists = [&self.keys.records, &self.keys.entries];
        if lists.iter().all(|epochs| ordered(epochs) && in_use(epochs)) {
            None
        } else {
            Some("its epochs are out of order, or none is in use")
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

    /// Puts the file in the place of the one that is there, whole or not at all, and durably. What was removed from it stays in copies of the
    /// former: what makes it worthless there is the end of the HSM's key.
    ///
    /// # Errors
    /// [`KeyError::DataKeysFile`].
    pub fn replace(&self, path: &Path) -> Result<(), KeyError> {
        let next = path.with_extension("toml.next");
        let fault = |source| KeyError::DataKeysFile { path: path.to_owned(), source };
        // of a replacement that was cut off, and never in use
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(error)),
            Ok(()) | Err(_) => {}
        }
        self.save(&next)?;
        fs::rename(&next, path).and_then(|()| sync_directory(path)).map_err(fault)
    }

    /// The epoch of a data key that is in use, from 1.
    #[must_use]
    pub fn epoch(&self, name: DataKeyName) -> u32 {
        self.in_use(name).map_or(0, |key| key.epoch)
    }

    /// The epochs of a renewed key that are in the file, the oldest first, and the one in use last.
    #[must_use]
    pub fn epochs(&self, of: Renewable) -> Vec<u32> {
        self.list(of).iter().map(|key| key.epoch).collect()
    }

    /// The label of the token that wrapped the keys.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The key in use.
    pub(crate) fn in_use(&self, name: DataKeyName) -> Option<Located<'_>> {
        let standing = |key| Some(Located::standing(name, key));
        match name {
            DataKeyName::Page => standing(&self.keys.page),
            DataKeyName::Tokens => standing(&self.keys.tokens),
            DataKeyName::Records => self.keys.records.last().map(|key| Located::renewed(Renewable::Records, key)),
            DataKeyName::Entries => self.keys.entries.last().map(|key| Located::renewed(Renewable::Entries, key)),
        }
    }

    pub(crate) fn list(&self, of: Renewable) -> &[WrappedEpoch] {
        match of {
            Renewable::Records => &self.keys.records,
            Renewable::Entries => &self.keys.entries,
        }
    }

    pub(crate) fn list_mut(&mut self, of: Renewable) -> &mut Vec<WrappedEpoch> {
        match of {
            Renewable::Records => &mut self.keys.records,
            Renewable::Entries => &mut self.keys.entries,
        }
    }

    fn write(&self, file: &mut File, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        file.write_all(HEADING.as_bytes())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        sync_directory(path)
    }
}

/// A wrapped key, and which key in the HSM opens it.
pub(crate) struct Located<'a> {
    pub(crate) name: DataKeyName,
    pub(crate) epoch: u32,
    pub(crate) wrapped: &'a str,
    pub(crate) by: HsmKey,
}

impl<'a> Located<'a> {
    fn standing(name: DataKeyName, WrappedKey { epoch, wrapped }: &'a WrappedKey) -> Self {
        Self { name, epoch: *epoch, wrapped, by: HsmKey::Store }
    }

    pub(crate) fn renewed(of: Renewable, key: &'a WrappedEpoch) -> Self {
        let by = if key.own { HsmKey::Epoch(of, key.epoch) } else { HsmKey::Store };
        Self { name: of.name(), epoch: key.epoch, wrapped: &key.wrapped, by }
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn some_keys() -> WrappedDataKeys {
        let key = |epoch| WrappedKey { epoch, wrapped: "00".repeat(60) };
        let epoch = |epoch, own| WrappedEpoch::new(key(epoch), own);
        let keys = Keys { page: key(1), tokens: key(3), records: vec![epoch(2, true)], entries: vec![epoch(1, false), epoch(4, true)] };
        WrappedDataKeys::new("a token".into(), keys)
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
        let future = good.replace("format = 2", "format = 3");
        let out_of_order = good.replace("epoch = 4", "epoch = 1");
        let none_in_use = good.replace("ending = false", "ending = true");
        for text in ["", "format = 1\n", "\0", &unknown, &future, &out_of_order, &none_in_use] {
            fs::write(&path, text).unwrap();
            assert!(matches!(WrappedDataKeys::load(&path), Err(KeyError::DataKeysMalformed { .. })), "{text}");
        }
    }

    #[test]
    fn the_file_of_an_older_version_is_read_as_one_epoch_under_the_stores_key() {
        // G3: a store that is there goes on opening
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data-keys.toml");
        let key = |name: &str| format!("[keys.{name}]\nepoch = 1\nwrapped = \"{}\"\n", "00".repeat(60));
        let keys = ["page", "records", "tokens", "entries"].map(key).concat();
        fs::write(&path, format!("format = 1\ntoken = \"a token\"\n{keys}")).unwrap();
        let read = WrappedDataKeys::load(&path).unwrap();
        assert_eq!((read.epochs(Renewable::Records), read.epochs(Renewable::Entries)), (vec![1], vec![1]));
        assert!(read.list(Renewable::Entries).iter().all(|key| !key.own));
        read.replace(&path).unwrap();
        assert_eq!(WrappedDataKeys::load(&path).unwrap(), read);
    }

    #[test]
    fn a_file_is_replaced_whole_and_what_a_cut_off_replacement_left_is_in_nobodys_way() {
        // G3: the store never opens again without this file
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data-keys.toml");
        some_keys().save(&path).unwrap();
        fs::write(directory.path().join("data-keys.toml.next"), "format =").unwrap();
        let mut next = some_keys();
        next.list_mut(Renewable::Entries).remove(0);
        next.replace(&path).unwrap();
        assert_eq!(WrappedDataKeys::load(&path).unwrap(), next);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_said_so() {
        // G3: the store opens only with the HSM; each refusal says what to do
        assert!(matches!(some_keys().save(Path::new("/nonexistent/data-keys.toml")), Err(KeyError::DataKeysFile { .. })));
    }
}
