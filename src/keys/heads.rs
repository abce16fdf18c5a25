//! The newest signed head of the log, kept on the token: what tells a store that was set back to an older one (rules F2, G3).
//!
//! A data object (CKO_DATA: on the token, private), whose label is bound to the log by the id of its key. A head is written as a new object, and
//! those before it are destroyed afterwards: so one is always whole, wherever a write is cut off. (To change the value in place is also what
//! SoftHSM refuses: CKR_ATTRIBUTE_READ_ONLY.) Leaves to others: what a head says, whether it is signed, and which of two is newer (`audit`,
//! `store`). Does not promise: anything against whoever has the PIN and can write to the token.

use crate::error::is_loss;
use crate::KeyError;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

/// What is kept of the log with this key id; an object that does not tell its value, as a half-made one may not, counts as an empty one.
pub(crate) fn read(session: &Session, log: &str) -> Result<Vec<Vec<u8>>, KeyError> {
    found(session, log)?.into_iter().map(|object| value(session, object)).collect()
}

/// Writes a head and reads it back; those before it go.
pub(crate) fn write(session: &Session, log: &str, head: &[u8]) -> Result<(), KeyError> {
    let doing = "keeping the log's head";
    let before = found(session, log)?;
    let object = session.create_object(&template(log, head)).map_err(KeyError::hsm(doing))?;
    // a token that says yes and keeps nothing would be noticed by nobody before the day on which it matters
    if value(session, object)? != head {
        return Err(KeyError::Malformed { doing });
    }
    before.into_iter().try_for_each(|object| session.destroy_object(object)).map_err(KeyError::hsm(doing))
}

/// CKA_LABEL: at most 32 bytes.
fn label(log: &str) -> Attribute {
    Attribute::Label(format!("contactpoint-head-{log}").into())
}

fn template(log: &str, head: &[u8]) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::DATA),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Modifiable(false),
        Attribute::Application(b"contactpoint".to_vec()),
        label(log),
        Attribute::Value(head.to_vec()),
    ]
}

fn found(session: &Session, log: &str) -> Result<Vec<ObjectHandle>, KeyError> {
    session.find_objects(&[Attribute::Class(ObjectClass::DATA), label(log)]).map_err(KeyError::hsm("looking for the log's head"))
}

fn value(session: &Session, object: ObjectHandle) -> Result<Vec<u8>, KeyError> {
    match session.get_attributes(object, &[AttributeType::Value]) {
        Ok(read) => Ok(read.into_iter().find_map(bytes).unwrap_or_default()),
        Err(error) if is_loss(&error) => Err(KeyError::hsm("reading the log's head")(error)),
        Err(_) => Ok(Vec::new()),
    }
}

fn bytes(attribute: Attribute) -> Option<Vec<u8>> {
    if let Attribute::Value(bytes) = attribute {
        Some(bytes)
    } else {
        None
    }
}
