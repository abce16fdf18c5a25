//! The data keys, as they lie on the disk.

use crate::KeyError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// Which data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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

/// data-keys.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedDataKeys {}

impl WrappedDataKeys {
    /// Load.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Err(KeyError::DataKeysMissing { path: path.to_owned() })
    }
    /// Save.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        Err(KeyError::DataKeysExist { path: path.to_owned() })
    }
    /// The epoch of a data key; 1 until keys are renewed.
    #[must_use]
    pub fn epoch(&self, _name: DataKeyName) -> u32 {
        1
    }
}
