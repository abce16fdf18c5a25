//! Values that can refuse: numbers in a range, labels, paths.

use serde::{Deserialize, Serialize};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// A number outside its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be between {least} and {most}")]
pub struct OutOfRange {
    /// Smallest allowed value.
    pub least: u64,
    /// Largest allowed value.
    pub most: u64,
}

/// A whole number from `LEAST` to `MOST`, both allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "u64")]
pub struct Within<const LEAST: u64, const MOST: u64>(u64);

impl<const LEAST: u64, const MOST: u64> Within<LEAST, MOST> {
    /// The number, or a refusal.
    ///
    /// # Errors
    /// [`OutOfRange`].
    pub const fn new(number: u64) -> Result<Self, OutOfRange> {
        if LEAST <= number && number <= MOST {
            Ok(Self(number))
        } else {
            Err(OutOfRange { least: LEAST, most: MOST })
        }
    }

    /// A default, checked when compiled.
    pub(crate) const fn default_of(number: u64) -> Self {
        assert!(LEAST <= number && number <= MOST, "a default must be in its range");
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number as a count or a size in memory.
    #[must_use]
    pub const fn count(self) -> usize {
        // lossless on the 64-bit machines that the appliance is built for
        self.0 as usize
    }

    /// The number, taken as seconds.
    #[must_use]
    pub const fn seconds(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl<const LEAST: u64, const MOST: u64> TryFrom<i64> for Within<LEAST, MOST> {
    type Error = OutOfRange;
    fn try_from(number: i64) -> Result<Self, OutOfRange> {
        let refusal = OutOfRange { least: LEAST, most: MOST };
        u64::try_from(number).map_err(|_negative| refusal).and_then(Self::new)
    }
}

impl<const LEAST: u64, const MOST: u64> From<Within<LEAST, MOST>> for u64 {
    fn from(number: Within<LEAST, MOST>) -> Self {
        number.0
    }
}

/// Declares a text whose only way in is a function that can refuse.
macro_rules! checked {
    ($(#[$doc:meta])* $name:ident($inner:ty), $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name($inner);

        impl TryFrom<String> for $name {
            type Error = &'static str;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                $check(&text)?;
                Ok(Self(text.into()))
            }
        }
        impl $name {
            /// A default; a test holds every default against the check.
            pub(crate) fn default_of(text: &str) -> Self {
                Self(text.into())
            }
        }
    };
}

checked!(
    /// The label of a PKCS#11 token: 1 to 32 bytes, printable, without blanks at the ends (CK_TOKEN_INFO pads with blanks).
    TokenLabel(String), token_label
);
checked!(
    /// The name of the log in its checkpoints: like a URL without scheme; no white space and no plus sign (C2SP signed-note,
    /// tlog-checkpoint).
    LogOrigin(String), log_origin
);
checked!(
    /// The absolute path of a PKCS#11 module.
    ModulePath(PathBuf), module_path
);
checked!(
    /// A path below the configuration directory: relative, and never up.
    RelativePath(PathBuf), relative_path
);

impl TokenLabel {
    /// The label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LogOrigin {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ModulePath {
    /// The path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl RelativePath {
    /// The absolute path, given the configuration directory.
    #[must_use]
    pub fn below(&self, directory: &Path) -> PathBuf {
        directory.join(&self.0)
    }
}

fn token_label(text: &str) -> Result<(), &'static str> {
    let printable = !text.chars().any(char::is_control) && text.trim() == text;
    refuse_unless((1..=32).contains(&text.len()) && printable, "must be 1 to 32 printable bytes without blanks at the ends")
}

fn log_origin(text: &str) -> Result<(), &'static str> {
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+');
    refuse_unless((1..=255).contains(&text.len()) && plain, "must be 1 to 255 bytes without white space or a plus sign")
}

fn module_path(text: &str) -> Result<(), &'static str> {
    refuse_unless(Path::new(text).is_absolute(), "must be an absolute path")
}

fn relative_path(text: &str) -> Result<(), &'static str> {
    let down = Path::new(text).components().all(|part| matches!(part, Component::Normal(_)));
    refuse_unless(!text.is_empty() && down, "must be a path below the configuration directory, without leading / and without ..")
}

fn refuse_unless(good: bool, why: &'static str) -> Result<(), &'static str> {
    if good {
        Ok(())
    } else {
        Err(why)
    }
}
