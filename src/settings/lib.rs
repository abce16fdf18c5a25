//! contactpointd.toml, parsed once at the door.
//!
//! For: the settings file and the directories that systemd names, as values that cannot be out of range. Leaves to others: opening what the
//! paths lead to (`edge`, `intake`, `keys`). Does not hold, and has no key for, any secret: the HSM's PIN is a systemd credential. An
//! unknown key, a wrong type or a value out of range refuses to start (exit status 78), and never is the value echoed, since a
//! secret may have been put there by mistake.

mod directories;
mod error;
mod off_default;
mod sections;
mod settings;
#[cfg(test)]
mod tests;
mod value;

pub use directories::Directories;
pub use error::SettingsError;
pub use sections::{
    AlsoShown, Appliance, Budgets, Hsm, HsmAttachment, Intake, Limits, Log, LogSignatures, Review, Session, Shielding, Store, Tls,
    Witnesses,
};
pub use settings::{Settings, FILE_NAME};
pub use value::{HsmPath, LogOrigin, ModulePath, OptionalPath, OutOfRange, RelativePath, TokenLabel, Within};
