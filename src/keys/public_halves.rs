//! The public halves of pairs: that they belong to the private ones, and what they are.

use crate::kind::HsmKey;
use crate::KeyError;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::Session;

/// What the private half signs, the public half must verify: a public key is an object that anybody with the PIN can replace.
pub(crate) fn refuse_strangers(
    session: &Session,
    key: HsmKey,
    mechanism: &Mechanism<'_>,
    (private, public): (ObjectHandle, ObjectHandle),
    message: &[u8],
) -> Result<(), KeyError> {
    let signature = session.sign(mechanism, private, message).map_err(KeyError::hsm("trying a key pair"))?;
    session.verify(mechanism, public, message, &signature).map_err(|_| KeyError::NotAPair { label: key.label() })
}

pub(crate) fn ec_point(session: &Session, public: ObjectHandle) -> Result<Vec<u8>, KeyError> {
    let doing = "reading a public key";
    match session.get_attributes(public, &[AttributeType::EcPoint]).map_err(KeyError::hsm(doing))?.pop() {
        Some(Attribute::EcPoint(point)) => Ok(point),
        Some(_) | None => Err(KeyError::Malformed { doing }),
    }
}
