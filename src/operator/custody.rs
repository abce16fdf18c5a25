//! The appliance is opened here and nowhere else: credential, keys, data keys, store. The daemon's start-up list calls
//! [`open_appliance`]; the ceremony makes what it opens.
//!
//! Leaves to others: the settings before it, Landlock, seccomp and the listeners after it (`main`). What comes back holds no data key: they
//! have gone into locked memory in the hands of what uses them (rule G3).

use contactpoint_audit::{KeyFault, SignError, Signer, VerifierKey};
use contactpoint_hardening::{HsmAttachment, Surroundings};
use contactpoint_keys::{Attachment, Custody, DataKeyName, KeyError, Pin, WrappedDataKeys};
use contactpoint_sealing::{EntrySealer, RecordSealer, SealError, TokenKey};
use contactpoint_settings::{Directories, HsmPath, Settings};
use contactpoint_store::{OpenError, Options, Resting, Store, StoreKeys};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The credential that holds the HSM's PIN (systemd.exec(5), LoadCredentialEncrypted=).
pub const PIN_CREDENTIAL: &str = "hsm-pin";
/// The wrapped data keys' file in the state directory.
pub const DATA_KEYS: &str = "data-keys.toml";

/// Why the appliance did not open. Nothing was served.
#[derive(Debug, thiserror::Error)]
pub enum ApplianceError {
    /// HSM, PIN, keys or data keys; its own sentence says what to do.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The store; its own sentence says what to do.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// `[log] origin` is no name for a key.
    #[error("[log] origin does not name a log: {0}")]
    Origin(#[from] KeyFault),
    /// A data key was not accepted by the sealer; data-keys.toml is of another version.
    #[error("a data key cannot be used: {0}; restore data-keys.toml from its backup")]
    Sealing(#[from] SealError),
}

impl ApplianceError {
    /// HSM, disk or memory is away, which trying again may mend (exit status 69); everything else a person must mend first (78). A store that
    /// does not belong here, or whose log is not whole, is left alone and not opened again and again.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        match self {
            Self::Keys(fault) => fault.is_away(),
            Self::Store(OpenError::Engine(_) | OpenError::Migration(_) | OpenError::Io(_) | OpenError::Memory(_)) => true,
            Self::Store(
                OpenError::Missing(_)
                | OpenError::Exists(_)
                | OpenError::WrongKey
                | OpenError::Newer
                | OpenError::Cipher(_)
                | OpenError::Log(_),
            ) => false,
            Self::Origin(_) | Self::Sealing(_) => false,
        }
    }
}

/// What the process works with from here on.
pub struct Appliance {
    /// The HSM's keys.
    pub custody: Arc<Custody>,
    /// The open store, which begins to work once the process is locked down.
    pub store: Resting,
    /// The public half of the log's key.
    pub verifier_key: VerifierKey,
}

/// Signs log heads in the HSM.
pub struct HsmSigner {
    custody: Arc<Custody>,
    verifier_key: VerifierKey,
}

impl HsmSigner {
    /// Under the log's name, which is its origin (C2SP tlog-checkpoint).
    pub fn new(custody: Arc<Custody>, origin: &str) -> Result<Self, KeyFault> {
        let verifier_key = VerifierKey::ed25519(origin, custody.head_public_key())?;
        Ok(Self { custody, verifier_key })
    }
}

impl Signer for HsmSigner {
    fn verifier_key(&self) -> &VerifierKey {
        &self.verifier_key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.custody.sign_head(message).map_err(|error| SignError::Refused(Box::new(error)))
    }
}

/// Opens keys and store: reads the PIN's credential, logs in to the HSM once, checks the four keys (rule G2), unwraps the data keys, opens
/// the store with them.
pub fn open_appliance(directories: &Directories, settings: &Settings) -> Result<Appliance, ApplianceError> {
    let custody = open_custody(directories, settings)?;
    with_store(directories, settings, custody, Store::open)
}

/// The same, with a store that is made new.
pub(crate) fn create_appliance(directories: &Directories, settings: &Settings) -> Result<Appliance, ApplianceError> {
    let custody = open_custody(directories, settings)?;
    with_store(directories, settings, custody, Store::create)
}

/// What stays within reach of the daemon once it is locked down.
#[must_use]
pub fn surroundings(directories: &Directories, settings: &Settings) -> Surroundings {
    let paths = |paths: &[HsmPath]| paths.iter().map(|path| path.as_path().to_owned()).collect();
    Surroundings {
        state: directories.state.clone(),
        configuration: directories.configuration.clone(),
        reads: paths(&settings.hsm.reads),
        writes: paths(&settings.hsm.writes),
        attachment: match settings.hsm.attachment {
            contactpoint_settings::HsmAttachment::Files => HsmAttachment::Files,
            contactpoint_settings::HsmAttachment::UnixSocket => HsmAttachment::UnixSocket,
            contactpoint_settings::HsmAttachment::Usb => HsmAttachment::Usb,
            // lossless: the setting's range ends at 65535
            contactpoint_settings::HsmAttachment::Network => HsmAttachment::Network { port: settings.hsm.port.get() as u16 },
        },
    }
}

/// Keys alone, without the store.
pub(crate) fn open_custody(directories: &Directories, settings: &Settings) -> Result<Arc<Custody>, KeyError> {
    Ok(Arc::new(Custody::open(&attachment(settings), &pin(directories)?)?))
}

pub(crate) fn pin(directories: &Directories) -> Result<Pin, KeyError> {
    Pin::from_credential_file(&directories.credentials.join(PIN_CREDENTIAL))
}

pub(crate) fn attachment(settings: &Settings) -> Attachment {
    Attachment { module: settings.hsm.module.as_path().to_owned(), token: settings.hsm.token.as_str().to_owned() }
}

pub(crate) fn data_keys_file(directories: &Directories) -> PathBuf {
    directories.state.join(DATA_KEYS)
}

type OpenStore = fn(&Path, StoreKeys, Options, Arc<dyn Signer>) -> Result<Resting, OpenError>;

fn with_store(directories: &Directories, settings: &Settings, custody: Arc<Custody>, open: OpenStore) -> Result<Appliance, ApplianceError> {
    let signer = HsmSigner::new(Arc::clone(&custody), settings.log.origin.as_str())?;
    let verifier_key = signer.verifier_key().clone();
    let keys = unwrapped(&custody, &WrappedDataKeys::load(&data_keys_file(directories))?)?;
    let store = open(&directories.state, keys, options(settings), Arc::new(signer))?;
    Ok(Appliance { custody, store, verifier_key })
}

fn unwrapped(custody: &Custody, wrapped: &WrappedDataKeys) -> Result<StoreKeys, ApplianceError> {
    let key = |name| custody.unwrap(name, wrapped);
    Ok(StoreKeys {
        page: key(DataKeyName::Page)?,
        records: RecordSealer::new(wrapped.epoch(DataKeyName::Records), key(DataKeyName::Records)?)?,
        tokens: TokenKey::new(key(DataKeyName::Tokens)?),
        entries: EntrySealer::new(wrapped.epoch(DataKeyName::Entries), key(DataKeyName::Entries)?),
    })
}

fn options(settings: &Settings) -> Options {
    Options {
        // lossless: the settings' ranges are far below 2^32
        page_cache_mib: settings.store.page_cache_mib.get() as u32,
        readers: settings.store.readers.get() as u32,
        group_commit_max: settings.store.group_commit_max.count(),
    }
}
