//! The key ceremony (docs/key-ceremony.md): makes the four keys in the HSM, then the data keys that they wrap. Never destroys anything.

use crate::data_keys::FourKeys;
use crate::inspect::{checked, exists};
use crate::kind::HsmKey;
use crate::sessions::log_in;
use crate::wrapping::{fresh, wrap, Binding};
use crate::{Attachment, DataKeyName, KeyError, Pin, WrappedDataKeys};
use cryptoki::session::Session;

/// Makes `contactpoint-store`, `-audit`, `-tls` and `-pepper` on the token, checks each as every start will, and wraps four fresh data
/// keys. The caller saves what is returned ([`WrappedDataKeys::save`]); until then nothing depends on the keys. The caller makes sure
/// beforehand that there is a place to save it at, since a token takes only one ceremony.
///
/// # Errors
/// [`KeyError::AlreadyMade`] where the token has anything by one of the four labels; nothing was changed then.
/// [`KeyError::CeremonyBrokeOff`] says which keys exist and what to do. Before that, all that speak of module, token and PIN.
pub fn ceremony(attachment: &Attachment, pin: &Pin) -> Result<WrappedDataKeys, KeyError> {
    let (module, slot) = attachment.attach()?;
    let session = module.open_rw_session(slot).map_err(KeyError::hsm("opening a session"))?;
    log_in(&module, slot, &session, &attachment.token, pin)?;
    refuse_earlier(&session, &attachment.token)?;
    make_all(&session, make)?;
    let wrapped = wrapped_data_keys(&session, &attachment.token);
    wrapped.map_err(|source| broke_off(&HsmKey::ALL, source))
}

fn refuse_earlier(session: &Session, token: &str) -> Result<(), KeyError> {
    let (mut present, mut missing) = (Vec::new(), Vec::new());
    for key in HsmKey::ALL {
        let list = if exists(session, key)? { &mut present } else { &mut missing };
        list.push(key.label());
    }
    if present.is_empty() {
        Ok(())
    } else {
        Err(KeyError::AlreadyMade { token: token.to_owned(), present, missing })
    }
}

/// Makes the keys one after the other with `make`; an error names those that are there by then.
pub(crate) fn make_all(session: &Session, make: impl Fn(&Session, HsmKey) -> Result<(), KeyError>) -> Result<(), KeyError> {
    for (done, key) in HsmKey::ALL.into_iter().enumerate() {
        let before = HsmKey::ALL.get(..done).unwrap_or_default();
        make(session, key).map_err(|source| broke_off(before, source))?;
    }
    Ok(())
}

fn broke_off(made: &[HsmKey], source: KeyError) -> KeyError {
    KeyError::CeremonyBrokeOff { made: made.iter().map(|key| key.label()).collect(), source: Box::new(source) }
}

pub(crate) fn make(session: &Session, key: HsmKey) -> Result<(), KeyError> {
    let made = match key.curve() {
        None => session.generate_key(&key.generation(), &key.template()).map(drop),
        Some(_) => session.generate_key_pair(&key.generation(), &key.public_template(), &key.template()).map(drop),
    };
    made.map_err(KeyError::hsm("making a key"))
}

fn wrapped_data_keys(session: &Session, token: &str) -> Result<WrappedDataKeys, KeyError> {
    for key in HsmKey::ALL {
        checked(session, key)?;
    }
    let store = checked(session, HsmKey::Store)?.handle();
    let wrapped = |name| wrap(session, store, &Binding { name, epoch: 1, token }, &fresh(session)?);
    let keys = FourKeys {
        page: wrapped(DataKeyName::Page)?,
        records: wrapped(DataKeyName::Records)?,
        tokens: wrapped(DataKeyName::Tokens)?,
        entries: wrapped(DataKeyName::Entries)?,
    };
    Ok(WrappedDataKeys::new(token.to_owned(), keys))
}
