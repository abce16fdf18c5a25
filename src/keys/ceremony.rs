//! The key ceremony (docs/key-ceremony.md): makes the keys in the HSM, then the data keys that they wrap. Never destroys anything.

use crate::data_keys::{Keys, WrappedEpoch};
use crate::inspect::{checked, exists};
use crate::kind::{HsmKey, FIRST_EPOCH};
use crate::sessions::log_in;
use crate::wrapping::{fresh, wrap, Binding};
use crate::{Attachment, DataKeyName, KeyError, Pin, Renewable, WrappedDataKeys};
use cryptoki::session::Session;

/// Makes `contactpoint-store`, `-audit` or `-audit-p256` or both, `-tls`, `-pepper` and the keys of the first epochs on the token, checks each
/// as every start will, and wraps four fresh data keys. The caller saves what is returned ([`WrappedDataKeys::save`]); until then nothing depends
/// on the keys. The caller makes sure beforehand that there is a place to save it at, since a token takes only one ceremony.
///
/// # Errors
/// [`KeyError::AlreadyMade`] where the token has anything by one of the labels; nothing was changed then.
/// [`KeyError::CeremonyBrokeOff`] says which keys exist and what to do. Before that, all that speak of module, token and PIN.
pub fn ceremony(attachment: &Attachment, pin: &Pin) -> Result<WrappedDataKeys, KeyError> {
    let (module, slot) = attachment.attach()?;
    let session = module.open_rw_session(slot).map_err(KeyError::hsm("opening a session"))?;
    log_in(&module, slot, &session, &attachment.token, pin)?;
    let keys = attachment.heads.keys();
    refuse_earlier(&session, &attachment.token, &keys)?;
    make_all(&session, &keys, make)?;
    let wrapped = wrapped_data_keys(&session, &attachment.token, &keys);
    wrapped.map_err(|source| broke_off(&keys, source))
}

/// A key that is there refuses the ceremony, also one that it would not make.
fn refuse_earlier(session: &Session, token: &str, keys: &[HsmKey]) -> Result<(), KeyError> {
    let (mut present, mut missing) = (Vec::new(), Vec::new());
    for key in HsmKey::OF_CEREMONY {
        if exists(session, key)? {
            present.push(key.label());
        } else if keys.contains(&key) {
            missing.push(key.label());
        }
    }
    if present.is_empty() {
        Ok(())
    } else {
        Err(KeyError::AlreadyMade { token: token.to_owned(), present, missing })
    }
}

/// Makes the keys one after the other with `make`; an error names those that are there by then.
pub(crate) fn make_all(
    session: &Session,
    keys: &[HsmKey],
    make: impl Fn(&Session, HsmKey) -> Result<(), KeyError>,
) -> Result<(), KeyError> {
    for (done, key) in keys.iter().enumerate() {
        let before = keys.get(..done).unwrap_or_default();
        make(session, *key).map_err(|source| broke_off(before, source))?;
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

fn wrapped_data_keys(session: &Session, token: &str, keys: &[HsmKey]) -> Result<WrappedDataKeys, KeyError> {
    for key in keys {
        checked(session, *key)?;
    }
    let wrapped = |key, name| {
        let binding = Binding { name, epoch: FIRST_EPOCH, token };
        wrap(session, checked(session, key)?.handle(), &binding, &fresh(session)?)
    };
    let first =
        |of: Renewable| -> Result<_, KeyError> { Ok(vec![WrappedEpoch::new(wrapped(HsmKey::Epoch(of, FIRST_EPOCH), of.name())?, true)]) };
    let data_keys = Keys {
        page: wrapped(HsmKey::Store, DataKeyName::Page)?,
        tokens: wrapped(HsmKey::Store, DataKeyName::Tokens)?,
        records: first(Renewable::Records)?,
        entries: first(Renewable::Entries)?,
    };
    Ok(WrappedDataKeys::new(token.to_owned(), data_keys))
}
