//! A witness's folder: its key, the last head that it cosigned, a lock, and what it refused.
//!
//! For: that a witness never forgets what it cosigned, and that two processes are never one witness: a head is durable here - file, name and
//! folder synced - before [`WitnessFolder::keep`] returns, and nothing is signed before that. The key's file is private, and a folder that
//! others may write is refused. Leaves to others: what is checked and signed (`witness`). Does not promise: to withstand whoever has the file
//! of the key, or puts an old copy of the folder in its place; a key in an HSM, with the last head beside it, would be better, and is not built.

use crate::error::ClientError;
use crate::log_folder::write_whole;
use crate::receipt_folder::ReceiptFolder;
use contactpoint_audit::{Checkpoint, SignError, Signer, VerifierKey, WitnessKey};
use data_encoding::BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use rustix::fs::{flock, FlockOperation};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const KEY: &str = "key";
const NOTHING_YET: &str = "none\n";
const PUBLIC: &str = "verifier-key.txt";
const LOCK: &str = "lock";
/// Type byte of an Ed25519 cosigner's key (C2SP tlog-cosignature).
const COSIGNATURE: u8 = 0x04;
/// How a private key begins where it is written as golang.org/x/mod/sumdb/note writes one.
const PRIVATE: &str = "PRIVATE+KEY+";

/// A witness's key in the memory of this process.
pub(crate) struct CosigningKey {
    secret: SigningKey,
    /// Under the witness's name, as the signer's interface has it; what is shown is [`Self::public`].
    plain: VerifierKey,
    public: WitnessKey,
}

impl CosigningKey {
    /// A new one.
    fn made(name: &str) -> Result<Self, String> {
        let mut seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(seed.as_mut()).map_err(|_| "the kernel gives no randomness".to_owned())?;
        Self::of(name, &seed)
    }

    fn of(name: &str, seed: &[u8; 32]) -> Result<Self, String> {
        let secret = SigningKey::from_bytes(seed);
        let public = secret.verifying_key();
        let wrong = |fault: contactpoint_audit::KeyFault| format!("the name {name}: {fault}");
        Ok(Self {
            plain: VerifierKey::ed25519(name, public.as_bytes()).map_err(wrong)?,
            public: WitnessKey::ed25519(name, public.as_bytes()).map_err(wrong)?,
            secret,
        })
    }

    /// `PRIVATE+KEY+name+id+base64(0x04, seed)`.
    fn written(&self) -> Zeroizing<String> {
        let typed = Zeroizing::new([&[COSIGNATURE][..], self.secret.as_bytes()].concat());
        Zeroizing::new(format!("{PRIVATE}{}+{}+{}\n", self.public.name(), self.public.id(), BASE64.encode(&typed)))
    }

    fn read(text: &str) -> Result<Self, String> {
        let wrong = || "the key's file is not one that `witness init` wrote".to_owned();
        let mut parts = text.trim_end().strip_prefix(PRIVATE).ok_or_else(wrong)?.splitn(3, '+');
        let (Some(name), Some(id), Some(typed)) = (parts.next(), parts.next(), parts.next()) else { return Err(wrong()) };
        let typed = Zeroizing::new(BASE64.decode(typed.as_bytes()).map_err(|_| wrong())?);
        let Some((&COSIGNATURE, seed)) = typed.split_first() else { return Err(wrong()) };
        let key = Self::of(name, seed.try_into().map_err(|_| wrong())?)?;
        if key.public.id().to_string() == id {
            Ok(key)
        } else {
            Err(wrong())
        }
    }

    /// The public half, as a policy has it.
    pub(crate) fn public(&self) -> &WitnessKey {
        &self.public
    }
}

impl Signer for CosigningKey {
    fn verifier_key(&self) -> &VerifierKey {
        &self.plain
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.secret.sign(message).to_bytes().to_vec())
    }
}

/// See the module. While it is open no other process opens it.
pub(crate) struct WitnessFolder {
    path: PathBuf,
    kept: ReceiptFolder,
    key: CosigningKey,
    _lock: File,
}

impl WitnessFolder {
    /// Makes the folder (0700) and its key (0600). Refused where there is a key already.
    pub(crate) fn make(folder: &Path, name: &str) -> Result<WitnessKey, ClientError> {
        let key = CosigningKey::made(name).map_err(witness(folder))?;
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(ClientError::file(folder))?;
        refuse_open_to_others(folder, folder, 0o022)?;
        let path = folder.join(KEY);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut file = made.map_err(|cause| {
            if cause.kind() == ErrorKind::AlreadyExists {
                witness(folder)("there is a witness here already; a new one takes a new folder".to_owned())
            } else {
                ClientError::file(&path)(cause)
            }
        })?;
        file.write_all(key.written().as_bytes()).and_then(|()| file.sync_all()).map_err(ClientError::file(&path))?;
        write_durably(folder, "checkpoint", NOTHING_YET)?;
        write_durably(folder, PUBLIC, &format!("{}\n", key.public))?;
        Ok(key.public)
    }

    /// Opens it for this process alone.
    pub(crate) fn open(folder: &Path) -> Result<Self, ClientError> {
        let path = folder.join(KEY);
        refuse_open_to_others(folder, folder, 0o022)?;
        refuse_open_to_others(folder, &path, 0o077)?;
        refuse_after_a_refusal(folder)?;
        let lock = folder.join(LOCK);
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&lock);
        let file = file.map_err(ClientError::file(&lock))?;
        let other = |_| witness(folder)("another process is this witness now; one key signs in one place".to_owned());
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(other)?;
        let text = Zeroizing::new(std::fs::read_to_string(&path).map_err(ClientError::file(&path))?);
        let key = CosigningKey::read(&text).map_err(witness(folder))?;
        Ok(Self { path: folder.to_owned(), kept: ReceiptFolder::at(folder), key, _lock: file })
    }

    /// Whose folder it is.
    pub(crate) fn key(&self) -> &CosigningKey {
        &self.key
    }

    /// The last head that was cosigned, or was about to be.
    pub(crate) fn kept(&self) -> Result<Option<String>, ClientError> {
        match self.kept.kept()? {
            Some(note) if note == NOTHING_YET => Ok(None),
            Some(note) => Ok(Some(note)),
            None => {
                Err(witness(&self.path)("it forgot what it cosigned: its checkpoint is gone. Make a new one, in a new folder".to_owned()))
            }
        }
    }

    /// Keeps a head that is about to be cosigned. INVARIANT: when this returns no loss of power takes it back.
    pub(crate) fn keep(&self, note: &str) -> Result<(), ClientError> {
        write_durably(&self.path, "checkpoint", note)
    }

    /// The alarm about a refused head, which is set aside as evidence, beside the kept one.
    pub(crate) fn noticed(&self, head: &Checkpoint, note: &str, what: String) -> ClientError {
        self.kept.noticed(&ReceiptFolder::name_of_head(head), &[("checkpoint", note)], what)
    }
}

/// A log that was found to be forked or shortened is cosigned no more, whatever it shows later, until the accreditor has the evidence.
fn refuse_after_a_refusal(folder: &Path) -> Result<(), ClientError> {
    match ReceiptFolder::at(folder).evidence()? {
        None => Ok(()),
        Some(evidence) => Err(ClientError::Log {
            what: "this log was refused before, and is not cosigned any more; give the accreditor the evidence".to_owned(),
            evidence,
        }),
    }
}

/// A file and its name.
fn write_durably(folder: &Path, name: &str, text: &str) -> Result<(), ClientError> {
    write_whole(&folder.join(name), text.as_bytes())?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(ClientError::file(folder))
}

/// Refuses a file or folder that others than its owner may open in one of these ways.
fn refuse_open_to_others(folder: &Path, path: &Path, ways: u32) -> Result<(), ClientError> {
    let found = std::fs::metadata(path).map_err(ClientError::file(path))?;
    if found.mode() & ways == 0 {
        Ok(())
    } else {
        let named = path.file_name().unwrap_or_default().to_string_lossy();
        Err(witness(folder)(format!("{named} is open to others: whoever has the key is the witness; make a new one elsewhere")))
    }
}

fn witness(folder: &Path) -> impl FnOnce(String) -> ClientError {
    let folder = folder.to_owned();
    move |why| ClientError::Witness { folder, why }
}
