//! The appliance is opened here and nowhere else: credential, keys, data keys, store. The daemon's start-up list calls
//! [`open_appliance`]; the ceremony makes what it opens.
//!
//! Leaves to others: the settings before it, Landlock, seccomp and the listeners after it (`main`). What comes back holds no data key: they
//! have gone into locked memory in the hands of what uses them (rule G3).

use crate::state_lock::StateLock;
use crate::token_head::TokenHead;
use contactpoint_audit::{KeyFault, SignError, Signer, VerifierKey};
use contactpoint_hardening::{HsmAttachment, Surroundings};
use contactpoint_keys::{
    Attachment, Custody, DataKeyName, EpochKey, HeadKey, HeadKeys, HeadPublicKey, KeyError, Pin, Renewable, WrappedDataKeys,
};
use contactpoint_sealing::{EntryEpoch, EntrySealers, RecordSealer, RecordSealers, SealError, TokenKey};
use contactpoint_settings::{Directories, HsmPath, LogSignatures, Settings};
use contactpoint_store::{OpenError, OpenFault, Options, Resting, Store, StoreKeys};
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
    /// Another process has the directory's state.
    #[error("another process has {0} open: contactpointd runs, or a verb that needs the HSM; stop it first (systemctl stop contactpointd.socket contactpointd.service)")]
    InUse(PathBuf),
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
            Self::InUse(_) => true,
            Self::Store(fault) => matches!(fault.fault(), OpenFault::Away),
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
    /// The public halves of the log's keys: one, or two.
    pub verifier_keys: Vec<VerifierKey>,
    /// The log's newest head on the HSM's token, which the store has been held against.
    pub token_head: TokenHead,
    /// Nobody else opens the store while this is held.
    pub lock: StateLock,
}

/// Signs log heads in the HSM, with one key or two.
pub struct HsmSigner {
    custody: Arc<Custody>,
    head_key: Arc<HeadKey>,
    verifier_key: VerifierKey,
    second: Option<Box<HsmSigner>>,
}

impl HsmSigner {
    /// Under the log's name, which is its origin (C2SP tlog-checkpoint).
    pub fn new(custody: Arc<Custody>, origin: &str) -> Result<Self, KeyFault> {
        let mut signer = None;
        for head_key in custody.head_keys().iter().rev() {
            let verifier_key = match head_key.public() {
                HeadPublicKey::Ed25519(public) => VerifierKey::ed25519(origin, public)?,
                HeadPublicKey::EcdsaP256(spki) => VerifierKey::ecdsa_p256(origin, spki)?,
            };
            let second = signer.take().map(Box::new);
            signer = Some(Self { custody: Arc::clone(&custody), head_key: Arc::clone(head_key), verifier_key, second });
        }
        // a custody has one such key at least
        signer.ok_or(KeyFault::NotAKey)
    }

    /// The keys that verify: those of the lines below each checkpoint.
    #[must_use]
    pub fn verifier_keys(&self) -> Vec<VerifierKey> {
        let second = self.second.as_ref().map(|second| second.verifier_key.clone());
        [Some(self.verifier_key.clone()), second].into_iter().flatten().collect()
    }
}

impl Signer for HsmSigner {
    fn verifier_key(&self) -> &VerifierKey {
        &self.verifier_key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.custody.sign_head(&self.head_key, message).map_err(|error| SignError::Refused(Box::new(error)))
    }

    fn second(&self) -> Option<&dyn Signer> {
        self.second.as_deref().map(|second| second as &dyn Signer)
    }
}

/// Opens keys and store: reads the PIN's credential, logs in to the HSM once, checks the keys (rule G2), unwraps the data keys, opens
/// the store with them, and holds it against the head that the token keeps.
pub fn open_appliance(directories: &Directories, settings: &Settings) -> Result<Appliance, ApplianceError> {
    open_locked(directories, settings, StateLock::taken(&directories.state)?)
}

/// The same for whoever holds the lock already.
pub(crate) fn open_locked(directories: &Directories, settings: &Settings, lock: StateLock) -> Result<Appliance, ApplianceError> {
    let custody = open_custody(directories, settings)?;
    with_store(directories, settings, (custody, lock), Store::open)
}

/// The same, with a store that is made new.
pub(crate) fn create_appliance(directories: &Directories, settings: &Settings) -> Result<Appliance, ApplianceError> {
    let custody = open_custody(directories, settings)?;
    let lock = StateLock::taken(&directories.state)?;
    with_store(directories, settings, (custody, lock), Store::create)
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
    Attachment { module: settings.hsm.module.as_path().to_owned(), token: settings.hsm.token.as_str().to_owned(), heads: heads(settings) }
}

/// Verifier keys, one a line.
pub(crate) fn lines(keys: &[VerifierKey]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const fn heads(settings: &Settings) -> HeadKeys {
    match settings.log.signatures {
        LogSignatures::Ed25519 => HeadKeys::Ed25519,
        LogSignatures::Ecdsa => HeadKeys::EcdsaP256,
        LogSignatures::Both => HeadKeys::Both,
    }
}

pub(crate) fn data_keys_file(directories: &Directories) -> PathBuf {
    directories.state.join(DATA_KEYS)
}

type OpenStore = fn(&Path, StoreKeys, Options, Arc<dyn Signer>) -> Result<Resting, OpenError>;

fn with_store(
    directories: &Directories,
    settings: &Settings,
    (custody, lock): (Arc<Custody>, StateLock),
    open: OpenStore,
) -> Result<Appliance, ApplianceError> {
    let signer = HsmSigner::new(Arc::clone(&custody), settings.log.origin.as_str())?;
    let verifier_keys = signer.verifier_keys();
    // by its first key, whatever others there are
    let verifier_key = signer.verifier_key().clone();
    let keys = unwrapped(&custody, &WrappedDataKeys::load(&data_keys_file(directories))?)?;
    let store = open(&directories.state, keys, options(settings), Arc::new(signer))?;
    let token_head = TokenHead::of(Arc::clone(&custody), &verifier_key);
    store.hold_against(&token_head.kept()?)?;
    Ok(Appliance { custody, store, verifier_keys, token_head, lock })
}

pub(crate) fn unwrapped(custody: &Custody, wrapped: &WrappedDataKeys) -> Result<StoreKeys, ApplianceError> {
    let key = |name| custody.unwrap(name, wrapped);
    Ok(StoreKeys {
        page: key(DataKeyName::Page)?,
        records: record_sealers(custody.unwrap_epochs(Renewable::Records, wrapped)?)?,
        tokens: TokenKey::new(key(DataKeyName::Tokens)?),
        entries: entry_sealers(custody.unwrap_epochs(Renewable::Entries, wrapped)?)?,
    })
}

fn record_sealers(mut epochs: Vec<EpochKey>) -> Result<RecordSealers, ApplianceError> {
    let sealer = |EpochKey { epoch, key, .. }| RecordSealer::new(epoch, key);
    let in_use = sealer(epochs.pop().ok_or(NO_EPOCH)?)?;
    Ok(RecordSealers::new(in_use, epochs.pop().map(sealer).transpose()?))
}

fn entry_sealers(epochs: Vec<EpochKey>) -> Result<EntrySealers, ApplianceError> {
    let sealer = |EpochKey { epoch, key, own }: EpochKey| match own {
        true => EntryEpoch::new(epoch, key),
        false => EntryEpoch::without_tokens_of_its_own(epoch, key),
    };
    let mut epochs: Vec<_> = epochs.into_iter().map(sealer).collect();
    Ok(EntrySealers::new(epochs.pop().ok_or(NO_EPOCH)?, epochs))
}

/// A file without an epoch in use is not read at all.
const NO_EPOCH: SealError = SealError::Malformed;

pub(crate) fn options(settings: &Settings) -> Options {
    Options {
        // lossless: the settings' ranges are far below 2^32
        page_cache_mib: settings.store.page_cache_mib.get() as u32,
        readers: settings.store.readers.get() as u32,
        group_commit_max: settings.store.group_commit_max.count(),
    }
}
