//! The four keys in use, through the narrow interface that the rest of the daemon knows.

use crate::inspect::{checked, public_half, CheckedKey};
use crate::kind::HsmKey;
use crate::sessions::Sessions;
use crate::wrapping::{self, Binding};
use crate::{der, Attachment, DataKeyName, KeyError, KeyReport, Pin, WrappedDataKeys};
use contactpoint_hardening::LockedBytes;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::Session;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// What `open` and `probe` sign: no checkpoint and no TLS 1.3 handshake (RFC 8446 section 4.4.3 begins with 64 blanks) reads like it.
const NOT_A_DOCUMENT: &[u8] = b"contactpoint: is this key there? This signature says nothing else.";

/// The four keys, found, checked and ready. `Send` and `Sync`: operations run side by side, each on a session of its own.
pub struct Custody {
    sessions: Sessions,
    token: String,
    store: CheckedKey,
    audit: CheckedKey,
    tls: CheckedKey,
    pepper: CheckedKey,
    head_public: [u8; 32],
    tls_spki: Vec<u8>,
}

impl Custody {
    /// Logs in, once; finds the four keys; refuses unless each is sensitive and always was, not extractable and never was, made in this
    /// HSM, of the right type and for its one task (rule G2); refuses unless the public halves belong to the private ones.
    ///
    /// A refused PIN is never tried again by itself. Where another `Custody` of this process is logged in to the token, the HSM does not
    /// look at the PIN.
    ///
    /// # Errors
    /// All of [`KeyError`] that speak of the module, the token, the PIN and single keys.
    pub fn open(attachment: &Attachment, pin: &Pin) -> Result<Self, KeyError> {
        let sessions = Sessions::open(attachment, pin)?;
        let key = |key| sessions.inspect(|session| checked(session, key));
        let (store, audit, tls, pepper) = (key(HsmKey::Store)?, key(HsmKey::Audit)?, key(HsmKey::Tls)?, key(HsmKey::Pepper)?);
        let head_public = sessions.inspect(|session| head_public(session, audit.handle()))?;
        let tls_spki = sessions.inspect(|session| tls_spki(session, tls.handle()))?;
        Ok(Self { sessions, token: attachment.token.clone(), store, audit, tls, pepper, head_public, tls_spki })
    }

    /// The data key `name`, 32 bytes, unwrapped by the HSM into locked memory.
    ///
    /// # Errors
    /// [`KeyError::WrappedKeyDamaged`] where it was changed, swapped with another, or wrapped by another token; [`KeyError::TokenLost`];
    /// [`KeyError::Memory`].
    pub fn unwrap(&self, name: DataKeyName, wrapped: &WrappedDataKeys) -> Result<LockedBytes<32>, KeyError> {
        let key = wrapped.key(name);
        let bytes = wrapping::parsed(key).ok_or(KeyError::WrappedKeyDamaged { name })?;
        let binding = Binding { name, epoch: key.epoch, token: &self.token };
        let answer = self.sessions.run("unwrapping a data key", |session| wrapping::unwrap(session, self.store.handle(), &binding, &bytes));
        match answer {
            Err(error) if wrapping::says_damaged(&error) => Err(KeyError::WrappedKeyDamaged { name }),
            clear => wrapping::into_locked(clear?),
        }
    }

    /// Ed25519 (RFC 8032) over a log head's text; 64 bytes.
    ///
    /// # Errors
    /// [`KeyError::TokenLost`], [`KeyError::Busy`], [`KeyError::Hsm`].
    pub fn sign_head(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.sessions.run("signing a log head", |session| session.sign(&ed25519(), self.audit.handle(), message))
    }

    /// The public key that verifies heads: 32 bytes (RFC 8032), all that is ever exported of the audit key.
    #[must_use]
    pub fn head_public_key(&self) -> &[u8; 32] {
        &self.head_public
    }

    /// ECDSA on P-256 with SHA-256 over a handshake's message, hashed here; DER ECDSA-Sig-Value (RFC 8446 section 4.2.3), at most 72 bytes.
    ///
    /// # Errors
    /// [`KeyError::TokenLost`], [`KeyError::Busy`], [`KeyError::Hsm`].
    pub fn sign_handshake(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let doing = "signing a handshake";
        let digest = Sha256::digest(message);
        let raw = self.sessions.run(doing, |session| session.sign(&Mechanism::Ecdsa, self.tls.handle(), &digest))?;
        der::ecdsa_signature(&raw).ok_or(KeyError::Malformed { doing })
    }

    /// DER SubjectPublicKeyInfo (RFC 5480) of the TLS key; 91 bytes.
    #[must_use]
    pub fn tls_public_key_spki(&self) -> &[u8] {
        &self.tls_spki
    }

    /// HMAC-SHA-256 (RFC 2104) of `input` under the pepper, worked out inside the HSM; 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::TokenLost`], [`KeyError::Busy`], [`KeyError::Hsm`].
    pub fn pepper(&self, input: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let doing = "peppering a password";
        let code =
            self.sessions.run(doing, |session| session.sign(&Mechanism::Sha256Hmac, self.pepper.handle(), input).map(Zeroizing::new))?;
        <[u8; 32]>::try_from(code.as_slice()).map(Zeroizing::new).map_err(|_| KeyError::Malformed { doing })
    }

    /// Is the HSM alive? Answered by a real signature, since slots and sessions outlive the keys.
    ///
    /// # Errors
    /// [`KeyError::TokenLost`]: answer 503 and restart when the HSM is back. [`KeyError::Busy`], [`KeyError::Hsm`].
    pub fn probe(&self) -> Result<(), KeyError> {
        let digest = Sha256::digest(NOT_A_DOCUMENT);
        self.sessions.run("probing the HSM", |session| session.sign(&Mechanism::Ecdsa, self.tls.handle(), &digest)).map(drop)
    }

    /// What the HSM says of each key in use, asked now: the evidence for rule G2.
    ///
    /// # Errors
    /// [`KeyError::TokenLost`], [`KeyError::Busy`], [`KeyError::Hsm`].
    pub fn attributes(&self) -> Result<Vec<KeyReport>, KeyError> {
        self.sessions.inspect(|session| [&self.store, &self.audit, &self.tls, &self.pepper].iter().map(|key| key.report(session)).collect())
    }
}

/// Pure Ed25519, without context.
fn ed25519() -> Mechanism<'static> {
    Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519))
}

fn head_public(session: &Session, private: ObjectHandle) -> Result<[u8; 32], KeyError> {
    let public = public_half(session, HsmKey::Audit)?;
    refuse_strangers(session, HsmKey::Audit, &ed25519(), (private, public), NOT_A_DOCUMENT)?;
    let attribute = ec_point(session, public)?;
    der::bare_point(&attribute, 32).and_then(|point| point.try_into().ok()).ok_or(KeyError::Malformed { doing: "reading a public key" })
}

fn tls_spki(session: &Session, private: ObjectHandle) -> Result<Vec<u8>, KeyError> {
    let public = public_half(session, HsmKey::Tls)?;
    refuse_strangers(session, HsmKey::Tls, &Mechanism::Ecdsa, (private, public), &Sha256::digest(NOT_A_DOCUMENT))?;
    let attribute = ec_point(session, public)?;
    der::bare_point(&attribute, 65).and_then(der::p256_spki).ok_or(KeyError::Malformed { doing: "reading a public key" })
}

/// What the private half signs, the public half must verify: a public key is an object that anybody with the PIN can replace.
fn refuse_strangers(
    session: &Session,
    key: HsmKey,
    mechanism: &Mechanism<'_>,
    (private, public): (ObjectHandle, ObjectHandle),
    message: &[u8],
) -> Result<(), KeyError> {
    let signature = session.sign(mechanism, private, message).map_err(KeyError::hsm("trying a key pair"))?;
    session.verify(mechanism, public, message, &signature).map_err(|_| KeyError::NotAPair { label: key.label() })
}

fn ec_point(session: &Session, public: ObjectHandle) -> Result<Vec<u8>, KeyError> {
    let doing = "reading a public key";
    match session.get_attributes(public, &[AttributeType::EcPoint]).map_err(KeyError::hsm(doing))?.pop() {
        Some(Attribute::EcPoint(point)) => Ok(point),
        Some(_) | None => Err(KeyError::Malformed { doing }),
    }
}
