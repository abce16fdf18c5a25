//! The keys in use, through the narrow interface that the rest of the daemon knows.

use crate::data_keys::Located;
use crate::head_keys::HeadKey;
use crate::heads;
use crate::inspect::{checked, epochs_keys, found_report, public_half, CheckedKey};
use crate::kind::HsmKey;
use crate::public_halves::{ec_point, refuse_strangers};
use crate::sessions::Sessions;
use crate::wrapping::{self, Binding};
use crate::{der, Attachment, DataKeyName, KeyError, KeyReport, Pin, WrappedDataKeys};
use contactpoint_hardening::LockedBytes;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What `open` and `probe` sign: no checkpoint and no TLS 1.3 handshake (RFC 8446 section 4.4.3 begins with 64 blanks) reads like it.
pub(crate) const NOT_A_DOCUMENT: &[u8] = b"contactpoint: is this key there? This signature says nothing else.";

/// The keys, found, checked and ready. `Send` and `Sync`: operations run side by side, each on a session of its own.
pub struct Custody {
    pub(crate) sessions: Sessions,
    pub(crate) token: String,
    store: CheckedKey,
    heads: Vec<Arc<HeadKey>>,
    tls: CheckedKey,
    pepper: CheckedKey,
    tls_spki: Vec<u8>,
}

impl Custody {
    /// Logs in, once; finds the keys that the attachment asks for, and those of epochs that the token has; refuses unless each is sensitive and
    /// always was, not extractable and never was, made in this HSM, of the right type and for its one task (rule G2); refuses unless the public halves belong to the private ones.
    ///
    /// A refused PIN is never tried again by itself. Where another `Custody` of this process is logged in to the token, the HSM does not
    /// look at the PIN.
    ///
    /// # Errors
    /// All of [`KeyError`] that speak of the module, the token, the PIN and single keys.
    pub fn open(attachment: &Attachment, pin: &Pin) -> Result<Self, KeyError> {
        let sessions = Sessions::open(attachment, pin)?;
        let key = |key| sessions.inspect(|session| checked(session, key));
        let store = key(HsmKey::Store)?;
        let heads = sessions.inspect(|session| attachment.heads.checked(session))?.into_iter().map(Arc::new).collect();
        let (tls, pepper) = (key(HsmKey::Tls)?, key(HsmKey::Pepper)?);
        // also one that nothing is wrapped by: who made it may be about to use it
        sessions.inspect(|session| epochs_keys(session)?.into_iter().try_for_each(|key| checked(session, key).map(drop)))?;
        let tls_spki = sessions.inspect(|session| tls_spki(session, tls.handle()))?;
        Ok(Self { sessions, token: attachment.token.clone(), store, heads, tls, pepper, tls_spki })
    }

    /// The data key `name` in use, 32 bytes, unwrapped by the HSM into locked memory.
    ///
    /// # Errors
    /// [`KeyError::WrappedKeyDamaged`] where it was changed, swapped with another, or wrapped by another token; [`KeyError::TokenLost`];
    /// [`KeyError::Memory`].
    pub fn unwrap(&self, name: DataKeyName, wrapped: &WrappedDataKeys) -> Result<LockedBytes<32>, KeyError> {
        self.unwrap_located(&wrapped.in_use(name).ok_or(KeyError::WrappedKeyDamaged { name })?)
    }

    pub(crate) fn unwrap_located(&self, key: &Located<'_>) -> Result<LockedBytes<32>, KeyError> {
        let name = key.name;
        let bytes = wrapping::parsed(key.wrapped).ok_or(KeyError::WrappedKeyDamaged { name })?;
        let binding = Binding { name, epoch: key.epoch, token: &self.token };
        let by = match key.by {
            HsmKey::Store => self.store.handle(),
            HsmKey::Audit | HsmKey::AuditP256 | HsmKey::Tls | HsmKey::Pepper | HsmKey::Epoch(..) => {
                self.sessions.inspect(|session| checked(session, key.by))?.handle()
            }
        };
        let answer = self.sessions.run("unwrapping a data key", |session| wrapping::unwrap(session, by, &binding, &bytes));
        match answer {
            Err(error) if wrapping::says_damaged(&error) => Err(KeyError::WrappedKeyDamaged { name }),
            clear => wrapping::into_locked(clear?),
        }
    }

    /// A log head's text under one of [`Self::head_keys`]: 64 bytes of Ed25519 (RFC 8032), or a DER ECDSA-Sig-Value over its SHA-256.
    ///
    /// # Errors
    /// [`KeyError::TokenLost`], [`KeyError::Busy`], [`KeyError::Hsm`].
    pub fn sign_head(&self, key: &HeadKey, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let doing = "signing a log head";
        let raw = self.sessions.run(doing, |session| key.sign(session, message))?;
        key.written(raw).ok_or(KeyError::Malformed { doing })
    }

    /// The keys that sign heads, as the attachment asked for them: one, or two, of which the first is the one that the log is known by here.
    #[must_use]
    pub fn head_keys(&self) -> &[Arc<HeadKey>] {
        &self.heads
    }

    /// The heads that the token keeps of the log whose key has this id (8 hexadecimal digits), as bytes that nothing has been held against: the
    /// last one that [`Self::keep_head`] was given, and where that was cut off, the one before it or what there is of it; none where it was
    /// never called.
    ///
    /// # Errors
    /// [`KeyError::TokenLost`], [`KeyError::Busy`], [`KeyError::Hsm`].
    pub fn kept_heads(&self, log: &str) -> Result<Vec<Vec<u8>>, KeyError> {
        self.sessions.inspect(|session| heads::read(session, log))
    }

    /// Keeps a signed head on the token, in the place of the one that is there. Slow on a real HSM: for every minute, not for every head.
    ///
    /// # Errors
    /// [`KeyError::TokenLost`], [`KeyError::Hsm`]; [`KeyError::Malformed`] where the token reads back something else.
    pub fn keep_head(&self, log: &str, head: &[u8]) -> Result<(), KeyError> {
        self.sessions.write(|session| heads::write(session, log, head))
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
        let heads = self.heads.iter().map(|head| head.checked_key());
        let keys: Vec<&CheckedKey> = [&self.store].into_iter().chain(heads).chain([&self.tls, &self.pepper]).collect();
        self.sessions.inspect(|session| {
            let mut reports = keys.iter().map(|key| key.report(session)).collect::<Result<Vec<_>, _>>()?;
            for key in epochs_keys(session)? {
                reports.push(found_report(session, key)?);
            }
            Ok(reports)
        })
    }
}

fn tls_spki(session: &Session, private: ObjectHandle) -> Result<Vec<u8>, KeyError> {
    let public = public_half(session, HsmKey::Tls)?;
    refuse_strangers(session, HsmKey::Tls, &Mechanism::Ecdsa, (private, public), &Sha256::digest(NOT_A_DOCUMENT))?;
    let attribute = ec_point(session, public)?;
    der::bare_point(&attribute, 65).and_then(der::p256_spki).ok_or(KeyError::Malformed { doing: "reading a public key" })
}
