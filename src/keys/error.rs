//! What can go wrong with keys, as sentences that say what the operator does next. None holds a PIN or a key.

use crate::DataKeyName;
use contactpoint_hardening::HardeningError;
use cryptoki::error::{Error, RvError};
use std::io;
use std::path::PathBuf;

/// Why a key could not be used. Everything that [`crate::Custody::open`] and [`crate::ceremony`] answer is fatal at start: exit status 69 where
/// [`KeyError::is_away`], else 78.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The PKCS#11 module cannot be loaded or started. Check `[hsm] module` and the HSM's own settings (SoftHSM: SOFTHSM2_CONF).
    #[error("the PKCS#11 module {path} cannot be used: {source}; check [hsm] module and the HSM's own settings")]
    Module {
        /// The module.
        path: PathBuf,
        /// The loader's or C_Initialize's answer.
        source: Error,
    },
    /// No token has the label. Check `[hsm] token`, the HSM's cable, or initialise the token.
    #[error("no token with the label {token:?} is present; check [hsm] token, and that the HSM is attached and initialised")]
    TokenAbsent {
        /// The label asked for.
        token: String,
    },
    /// Several tokens have the label. Rename all but one.
    #[error("{count} tokens have the label {token:?}; give each its own label")]
    TokenTwice {
        /// The label.
        token: String,
        /// How many have it.
        count: usize,
    },
    /// The PIN's credential file is not there. Never replaced by a default.
    #[error(
        "there is no HSM PIN at {path}; store it with `mkdir -p -m 700 /etc/credstore.encrypted` and \
         `systemd-creds encrypt --name=hsm-pin - /etc/credstore.encrypted/contactpoint-hsm-pin`, and start through systemd"
    )]
    PinMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The PIN's file can be read by everybody. Make it 0400 and change the PIN.
    #[error("the HSM PIN at {path} can be read or written by everybody on this machine; make it 0400 and change the PIN")]
    PinExposed {
        /// The file.
        path: PathBuf,
    },
    /// The PIN's file exists but cannot be read, or is no plain file.
    #[error("the HSM PIN at {path} cannot be read: {source}")]
    PinUnreadable {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The PIN's file holds no PIN: empty, longer than 255 bytes, more than one line, or not UTF-8.
    #[error("the file {path} does not hold an HSM PIN: it {why}")]
    PinMalformed {
        /// The file.
        path: PathBuf,
        /// "is empty".
        why: &'static str,
    },
    /// The HSM refused the PIN. It is **never tried again by itself**: each refusal counts towards the token's lock. Mend the credential
    /// first.
    #[error(
        "the token {token:?} refused the PIN; it is not tried again, because each refusal counts towards the token's lock: \
         mend the credential hsm-pin, then start again"
    )]
    PinRefused {
        /// The token.
        token: String,
    },
    /// The token's PIN is locked. The HSM's security officer unlocks it.
    #[error("the PIN of the token {token:?} is locked; the HSM's security officer must set a new one")]
    PinLocked {
        /// The token.
        token: String,
    },
    /// One more wrong PIN would lock the token, so it was not tried at all. Log in once by hand with the right PIN to clear the flag.
    #[error(
        "the token {token:?} is one wrong PIN away from its lock, so the PIN was not tried; \
         log in once with the HSM's own tool to clear this"
    )]
    PinLastTry {
        /// The token.
        token: String,
    },
    /// The HSM did not let us log in and does not say that the PIN is wrong; it may have counted it as wrong. See to the HSM first.
    #[error(
        "the token {token:?} did not let us log in: {source}; it is not tried again, because the PIN may have counted as a wrong one: \
         see to the HSM, then start again"
    )]
    LogInFailed {
        /// The token.
        token: String,
        /// The module's answer.
        source: Error,
    },
    /// A key is not on the token. Hold the key ceremony, or restore the token.
    #[error("the key {label} is not on the token; run `contactpoint-at-hsm ceremony` on a new token, or restore this one from its backup")]
    Missing {
        /// The key's label.
        label: String,
    },
    /// Several keys have the same label; which is ours cannot be told.
    #[error("the token holds {count} keys with the label {label}; remove those that the key ceremony did not make")]
    Twice {
        /// The label.
        label: String,
        /// How many have it.
        count: usize,
    },
    /// A key has our label but another class, type, size or curve.
    #[error("the key {label} is not {wanted}; it was not made by the key ceremony")]
    WrongType {
        /// The key's label.
        label: String,
        /// "an AES key of 256 bits".
        wanted: &'static str,
    },
    /// The key's value may be, or once was, readable in the clear (rule G2). The key must be replaced, with everything under it.
    #[error("the key {label} is not sensitive, or was not always: its value may have been read; it must be replaced")]
    NotSensitive {
        /// The key's label.
        label: String,
    },
    /// The key may be, or once was, allowed out of the HSM (rule G2). The key must be replaced, with everything under it.
    #[error("the key {label} can leave the HSM, or once could: a copy may exist; it must be replaced")]
    Extractable {
        /// The key's label.
        label: String,
    },
    /// The key of an epoch can be copied inside the HSM, so that its end would not be the end of every copy (rules F2, I2). Nothing
    /// opens with such a key: it was made by other means than the ceremony, or in an HSM that does not know `CKA_COPYABLE` (PKCS#11 2.40), which is
    /// none for this appliance.
    #[error("the key {label} can be copied inside the HSM: a copy would outlive the epoch; it must be replaced")]
    Copyable {
        /// The key's label.
        label: String,
    },
    /// The key was imported, so somebody had its value (rule G2).
    #[error("the key {label} was not generated in the HSM: whoever brought it in has a copy; it must be replaced")]
    NotLocal {
        /// The key's label.
        label: String,
    },
    /// The key may do something besides its one task, such as wrap other keys.
    #[error("the key {label} is allowed to {usage}, which is not its task; it was not made by the key ceremony")]
    WrongUsage {
        /// The key's label.
        label: String,
        /// "wrap other keys".
        usage: &'static str,
    },
    /// The public key on the token does not belong to the private key.
    #[error("the public and the private key {label} on the token are not a pair; restore the token from its backup")]
    NotAPair {
        /// The pair's label.
        label: String,
    },
    /// A wrapped data key does not open: the file was changed, belongs to another token or store, or names were swapped. Restore
    /// data-keys.toml.
    #[error("the wrapped data key {name} is damaged or belongs to another token; restore data-keys.toml from its backup")]
    WrappedKeyDamaged {
        /// Which one.
        name: DataKeyName,
    },
    /// No data-keys.toml. Restore it, or hold the key ceremony on a new token.
    #[error(
        "there are no data keys at {path}; restore data-keys.toml from its backup, or run `contactpoint-at-hsm ceremony` on a new token"
    )]
    DataKeysMissing {
        /// Where they were looked for.
        path: PathBuf,
    },
    /// data-keys.toml cannot be read as what it must be.
    #[error("the data keys at {path} cannot be read: {why}; restore data-keys.toml from its backup")]
    DataKeysMalformed {
        /// The file.
        path: PathBuf,
        /// What is wrong; holds no key material.
        why: String,
    },
    /// data-keys.toml exists already and is never overwritten.
    #[error("{path} exists already and is never overwritten: a store may depend on it")]
    DataKeysExist {
        /// The file.
        path: PathBuf,
    },
    /// data-keys.toml could not be read from or written to the disk.
    #[error("{path} could not be read or written: {source}")]
    DataKeysFile {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The token holds keys of an earlier ceremony; nothing was changed.
    #[error("the token {token:?} already holds {}{}; nothing was changed. {}", present.join(", "), but_lacks(missing), next_step(missing))]
    AlreadyMade {
        /// The token.
        token: String,
        /// Labels of ours that are there.
        present: Vec<String>,
        /// Labels of ours that are not.
        missing: Vec<String>,
    },
    /// The ceremony broke off. What it made stays on the token, and no data key was wrapped, so nothing depends on it yet.
    #[error(
        "the key ceremony broke off: {source}. The token now holds {}; nothing depends on it yet: \
         mend the cause, initialise the token anew and repeat the ceremony",
        listed(made)
    )]
    CeremonyBrokeOff {
        /// Labels of the keys that were made.
        made: Vec<String>,
        /// Why it broke off.
        source: Box<KeyError>,
    },
    /// The token, the session or the keys went away while running. Until recovery is built: see to the HSM, then restart contactpointd.
    #[error("the HSM was lost while {doing}: {source}; see to the HSM, then restart contactpointd")]
    TokenLost {
        /// "signing a handshake".
        doing: &'static str,
        /// The module's answer.
        source: Error,
    },
    /// Every session with the HSM was in use for longer than a caller can wait. Answer 503.
    #[error("every session with the HSM was busy for {waited_seconds} s")]
    Busy {
        /// How long was waited.
        waited_seconds: u64,
    },
    /// The HSM answered with an error of its own.
    #[error("the HSM refused {doing}: {source}")]
    Hsm {
        /// "signing a handshake".
        doing: &'static str,
        /// The module's answer.
        source: Error,
    },
    /// The HSM answered with something that does not have the shape it must have.
    #[error("the HSM's answer to {doing} does not have the right shape")]
    Malformed {
        /// "reading a public key".
        doing: &'static str,
    },
    /// The token still has a key that was just destroyed: nothing is erased. See to the HSM.
    #[error(
        "the HSM says that it destroyed {label} and still has it: nothing is erased; destroy the key by the vendor's means, then repeat"
    )]
    NotDestroyed {
        /// The key's label.
        label: String,
    },
    /// There is no such epoch any more, or there never was.
    #[error("the {name} key has no epoch {epoch}: it was erased, or it never was")]
    NoSuchEpoch {
        /// Which key.
        name: DataKeyName,
        /// Its epoch.
        epoch: u32,
    },
    /// The newest epoch is in use.
    #[error("epoch {epoch} of the {name} key is the one in use; begin the next one first")]
    EpochInUse {
        /// Which key.
        name: DataKeyName,
        /// Its epoch.
        epoch: u32,
    },
    /// The epoch is of a store made before 0.4: what wraps it wraps the rest of the store too.
    #[error("epoch {epoch} of the {name} key is wrapped by contactpoint-store, which the whole store needs: it ends only with the store")]
    NotErasable {
        /// Which key.
        name: DataKeyName,
        /// Its epoch.
        epoch: u32,
    },
    /// No locked memory for a key.
    #[error(transparent)]
    Memory(#[from] HardeningError),
    /// The kernel has no randomness to give.
    #[error("the kernel gave no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
}

impl KeyError {
    /// The HSM's answer as ours: lost, or refused.
    pub(crate) fn hsm(doing: &'static str) -> impl Fn(Error) -> Self {
        move |source| match is_loss(&source) {
            true => Self::TokenLost { doing, source },
            false => Self::Hsm { doing, source },
        }
    }

    /// The HSM is away or out of order, which trying again may mend. Everything else a person must mend; least of all is a refused PIN tried
    /// again.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::TokenAbsent { .. } | Self::TokenLost { .. } | Self::Busy { .. } | Self::Hsm { .. })
    }
}

/// Answers that mean that token, session, log-in or keys are gone and that only a new start of the module brings them back.
pub(crate) fn is_loss(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::DeviceRemoved
                | RvError::DeviceError
                | RvError::SlotIdInvalid
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid
                | RvError::SessionHandleInvalid
                | RvError::SessionClosed
                | RvError::UserNotLoggedIn
                | RvError::CryptokiNotInitialized,
            _
        )
    )
}

fn listed(labels: &[String]) -> String {
    if labels.is_empty() {
        "none of the ceremony's keys".to_owned()
    } else {
        labels.join(", ")
    }
}

fn but_lacks(missing: &[String]) -> String {
    if missing.is_empty() {
        String::new()
    } else {
        format!(" but not {}", missing.join(", "))
    }
}

fn next_step(missing: &[String]) -> &'static str {
    if missing.is_empty() {
        "A ceremony needs a token without these keys; a new store gets a new token"
    } else {
        "An earlier ceremony broke off, or keys were removed: if no store was ever made with this token, \
         initialise it anew and repeat the ceremony; else restore it from its backup"
    }
}
