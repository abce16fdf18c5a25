//! Tokens for tests only: `dangerous_`, because the PIN is the test's. Behind a feature that a release build refuses.

use crate::attachment::{loaded, slots};
use crate::{Attachment, HeadKeys, KeyError};
use cryptoki::error::Result as Answer;
use cryptoki::session::UserType;
use secrecy::SecretString;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Initialises a free slot as a token with this label and user PIN (4 to 255 characters), in the process that will use it: SoftHSM does not
/// see tokens that another process makes after C_Initialize. SOFTHSM2_CONF must be set before the first call.
///
/// # Errors
/// [`KeyError::Module`], [`KeyError::Hsm`], [`KeyError::TokenAbsent`] where no slot is free.
pub fn dangerous_make_token(module: &Path, label: &str, pin: &str) -> Result<Attachment, KeyError> {
    // two threads would initialise the same free slot
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let started = loaded(module)?;
    initialise(&started, label, pin).map_err(KeyError::hsm("making a test token"))?;
    Ok(Attachment { module: module.to_owned(), token: label.to_owned(), heads: HeadKeys::Ed25519 })
}

fn initialise(module: &cryptoki::context::Pkcs11, label: &str, pin: &str) -> Answer<()> {
    let officer = SecretString::from("test-officer".to_owned());
    let free = slots(module)?.into_iter().find(|slot| module.get_token_info(*slot).is_ok_and(|token| !token.token_initialized()));
    let slot = free.ok_or(cryptoki::error::Error::NotSupported)?;
    module.init_token(slot, &officer, label)?;
    let session = module.open_rw_session(slot)?;
    session.login(UserType::So, Some(&officer))?;
    session.init_pin(&SecretString::from(pin.to_owned()))?;
    session.logout()
}
