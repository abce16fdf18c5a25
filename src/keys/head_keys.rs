//! The keys that sign log heads: which there are to be, and those that were found and checked.
//!
//! For: rule F2 with HSMs of either kind. Ed25519 is the log's own; ECDSA on P-256 is for an HSM without EdDSA, or stands beside it for verifiers
//! that know ECDSA alone. Leaves to others: what a head says, and how a signature is written below it (`audit`).

use crate::inspect::{checked, public_half, CheckedKey};
use crate::kind::HsmKey;
use crate::public_halves::{ec_point, refuse_strangers};
use crate::{der, KeyError};
use cryptoki::error::Result as Answer;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::Mechanism;
use cryptoki::session::Session;
use sha2::{Digest, Sha256};

/// Which keys sign log heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeadKeys {
    /// Ed25519 alone.
    #[default]
    Ed25519,
    /// ECDSA on P-256 alone.
    EcdsaP256,
    /// Both; Ed25519 is the first.
    Both,
}

impl HeadKeys {
    /// Those keys, the first one first.
    const fn signing(self) -> &'static [HsmKey] {
        match self {
            Self::Ed25519 => &[HsmKey::Audit],
            Self::EcdsaP256 => &[HsmKey::AuditP256],
            Self::Both => &[HsmKey::Audit, HsmKey::AuditP256],
        }
    }

    /// All keys that a ceremony makes with them, in its order.
    pub(crate) fn keys(self) -> Vec<HsmKey> {
        let is_wanted = |key: &HsmKey| match key {
            HsmKey::Store | HsmKey::Tls | HsmKey::Pepper | HsmKey::Epoch(..) => true,
            HsmKey::Audit | HsmKey::AuditP256 => self.signing().contains(key),
        };
        HsmKey::OF_CEREMONY.into_iter().filter(is_wanted).collect()
    }

    /// Finds and checks them; one at least, two at most.
    pub(crate) fn checked(self, session: &Session) -> Result<Vec<HeadKey>, KeyError> {
        self.signing().iter().map(|key| HeadKey::checked(session, *key)).collect()
    }
}

/// The public half of a key that signs log heads: all that is ever exported of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadPublicKey {
    /// RFC 8032.
    Ed25519([u8; 32]),
    /// DER SubjectPublicKeyInfo (RFC 5480) on P-256; 91 bytes.
    EcdsaP256(Vec<u8>),
}

/// A key in the HSM that signs log heads. Made by opening a custody alone.
pub struct HeadKey {
    key: CheckedKey,
    public: HeadPublicKey,
}

impl HeadKey {
    fn checked(session: &Session, which: HsmKey) -> Result<Self, KeyError> {
        let key = checked(session, which)?;
        let halves = (key.handle(), public_half(session, which)?);
        let unread = || KeyError::Malformed { doing: "reading a public key" };
        let public = if which == HsmKey::Audit {
            refuse_strangers(session, which, &ed25519(), halves, NOT_A_HEAD)?;
            let point = ec_point(session, halves.1)?;
            HeadPublicKey::Ed25519(der::bare_point(&point, 32).and_then(|point| point.try_into().ok()).ok_or_else(unread)?)
        } else {
            refuse_strangers(session, which, &Mechanism::Ecdsa, halves, &Sha256::digest(NOT_A_HEAD))?;
            let point = ec_point(session, halves.1)?;
            HeadPublicKey::EcdsaP256(der::bare_point(&point, 65).and_then(der::p256_spki).ok_or_else(unread)?)
        };
        Ok(Self { key, public })
    }

    /// Its public half.
    #[must_use]
    pub const fn public(&self) -> &HeadPublicKey {
        &self.public
    }

    pub(crate) const fn checked_key(&self) -> &CheckedKey {
        &self.key
    }

    /// What the HSM gives: 64 bytes of RFC 8032, or of r and s over SHA-256 of the message.
    pub(crate) fn sign(&self, session: &Session, message: &[u8]) -> Answer<Vec<u8>> {
        match self.public {
            HeadPublicKey::Ed25519(_) => session.sign(&ed25519(), self.key.handle(), message),
            // hashed here: CKM_ECDSA_SHA256 is not to be had in every HSM
            HeadPublicKey::EcdsaP256(_) => session.sign(&Mechanism::Ecdsa, self.key.handle(), &Sha256::digest(message)),
        }
    }

    /// That signature as the world outside writes it.
    pub(crate) fn written(&self, raw: Vec<u8>) -> Option<Vec<u8>> {
        match self.public {
            HeadPublicKey::Ed25519(_) => Some(raw),
            HeadPublicKey::EcdsaP256(_) => der::ecdsa_signature(&raw),
        }
    }
}

/// What is signed to try a pair: it reads like no checkpoint.
const NOT_A_HEAD: &[u8] = crate::custody::NOT_A_DOCUMENT;

/// Pure Ed25519, without context.
fn ed25519() -> Mechanism<'static> {
    Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519))
}
