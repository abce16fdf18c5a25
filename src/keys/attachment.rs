//! Where the HSM is: loading the module once a process, and finding the token by its label.

use crate::{HeadKeys, KeyError};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::Slot;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The PKCS#11 module and the token in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Absolute path of the vendor's module (a shared library).
    pub module: PathBuf,
    /// The token's label; at most 32 bytes (PKCS#11 CK_TOKEN_INFO). Slots change their numbers, labels do not.
    pub token: String,
    /// What signs log heads: the keys that the ceremony makes for it, and that must be there at every start.
    pub heads: HeadKeys,
}

impl Attachment {
    /// The started module and the slot that holds the token.
    pub(crate) fn attach(&self) -> Result<(Pkcs11, Slot), KeyError> {
        let module = loaded(&self.module)?;
        let slot = self.slot(&module)?;
        Ok((module, slot))
    }

    fn slot(&self, module: &Pkcs11) -> Result<Slot, KeyError> {
        let slots = slots(module).map_err(KeyError::hsm("listing the tokens"))?;
        // a token that cannot tell its label is another one, or ours and as good as absent: it must not hide the others
        let has_label =
            |slot: &Slot| module.get_token_info(*slot).is_ok_and(|token| token.token_initialized() && token.label() == self.token);
        match slots.into_iter().filter(has_label).collect::<Vec<_>>().as_slice() {
            [] => Err(KeyError::TokenAbsent { token: self.token.clone() }),
            [slot] => Ok(*slot),
            several => Err(KeyError::TokenTwice { token: self.token.clone(), count: several.len() }),
        }
    }
}

/// The slots that hold a token, one caller at a time: SoftHSM 2.6 adds its next free slot while it lists, and aborts the process where two
/// threads do so together (SlotManager::insertToken).
pub(crate) fn slots(module: &Pkcs11) -> Result<Vec<Slot>, Error> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    module.get_slots_with_token()
}

/// Loads and starts a module, or hands out the one that was: C_Initialize works once a process.
///
/// INVARIANT: nothing forks after this. A forked child could sign (PKCS#11 v2.40 section 5.4 leaves that to the module).
pub(crate) fn loaded(path: &Path) -> Result<Pkcs11, KeyError> {
    static LOADED: Mutex<Vec<(PathBuf, Pkcs11)>> = Mutex::new(Vec::new());
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, module)) = loaded.iter().find(|(known, _)| known == path) {
        return Ok(module.clone());
    }
    let module = start(path).map_err(|source| KeyError::Module { path: path.to_owned(), source })?;
    loaded.push((path.to_owned(), module.clone()));
    Ok(module)
}

fn start(path: &Path) -> Result<Pkcs11, Error> {
    let module = Pkcs11::new(path)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // the same module under another path
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(module),
        Err(error) => Err(error),
    }
}
