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
    pub const fn default_of(number: u64) -> Self {
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
    };
}

/// Texts that have a default; a test holds every default against the check.
macro_rules! defaulted {
    ($($name:ident),*) => {
        $(impl $name {
            pub(crate) fn default_of(text: &str) -> Self {
                Self(text.into())
            }
        })*
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
    /// A path that the HSM's module needs: absolute, no higher than the third level, and nowhere near devices, homes or mounted media.
    HsmPath(PathBuf), hsm_path
);
checked!(
    /// A path below the configuration directory: relative, and never up.
    RelativePath(PathBuf), relative_path
);
checked!(
    /// A path below the configuration directory, or none: the empty text.
    OptionalPath(PathBuf), optional_path
);

defaulted!(TokenLabel, LogOrigin, ModulePath, RelativePath, OptionalPath);

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

impl HsmPath {
    /// Whether it lies where USB devices are.
    pub(crate) fn is_of_usb(&self) -> bool {
        OF_A_USB_HSM.iter().any(|place| self.0.starts_with(place))
    }

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

impl OptionalPath {
    /// The absolute path, given the configuration directory; `None` where none is set.
    #[must_use]
    pub fn below(&self, directory: &Path) -> Option<PathBuf> {
        (!self.0.as_os_str().is_empty()).then(|| directory.join(&self.0))
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

/// Nothing of the HSM's lies here, and much that must stay out of reach (rule G5).
const NOT_FOR_AN_HSM: &[&str] = &["/boot", "/dev", "/etc/contactpoint", "/home", "/media", "/mnt", "/proc", "/root", "/run/media", "/sys"];

/// The nodes of USB devices, and where libusb finds them.
const OF_A_USB_HSM: &[&str] = &["/dev/bus/usb", "/sys/bus/usb", "/sys/devices"];

fn hsm_path(text: &str) -> Result<(), &'static str> {
    let path = Path::new(text);
    let plain = path.is_absolute() && !text.contains("..") && !text.chars().any(char::is_control);
    refuse_unless(plain, "must be an absolute path without ..")?;
    refuse_unless(path.components().count() > 2, "must be deeper than /var or /opt")?;
    let near = NOT_FOR_AN_HSM.iter().any(|place| path.starts_with(place)) && !HsmPath(path.to_owned()).is_of_usb();
    refuse_unless(
        !near,
        "must not be a device, a home, mounted media or the directory's own settings (rule G5), but for the USB bus of a USB HSM",
    )
}

fn relative_path(text: &str) -> Result<(), &'static str> {
    let down = Path::new(text).components().all(|part| matches!(part, Component::Normal(_)));
    refuse_unless(!text.is_empty() && down, "must be a path below the configuration directory, without leading / and without ..")
}

fn optional_path(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Ok(());
    }
    relative_path(text)
}

fn refuse_unless(good: bool, why: &'static str) -> Result<(), &'static str> {
    if good {
        Ok(())
    } else {
        Err(why)
    }
}
