//! One leaf's own key: what an auditor hands out with a leaf, so that a stranger opens that leaf, knows that it can be opened in no other way, and
//! learns nothing of any other leaf (rule F5).
//!
//! Why a key for each leaf: the epoch key opens every leaf of its epoch, so nobody may ever see it. A leaf that commits to the epoch key
//! (format 1) can therefore be checked by the directory alone; and AES-GCM by itself binds a cipher text to no key. A leaf of format 2 commits to
//! its own key. HMAC-SHA-256 with keys of one length finds no second key for a commitment while SHA-256 has no collisions, and both the commitment
//! and the cipher's key come of that key. Two labels, so that the two say nothing of each other.

use crate::aead::{self, KEY, NONCE, TAG};
use crate::SealError;
use aws_lc_rs::{constant_time, hmac};
use zeroize::Zeroizing;

/// The sizes a leaf may have, in bytes: powers of two from 256, and the largest that an entry bundle's 16-bit length can tell.
pub const LEAF_SIZES: [usize; 9] = [256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_535];

/// The format of leaves that commit to their epoch's key: no longer written.
pub(crate) const BY_EPOCH_KEY: u8 = 1;
/// The format of leaves that commit to their own key.
pub(crate) const BY_OWN_KEY: u8 = 2;
pub(crate) const LENGTH: usize = 2;
pub(crate) const SALT: usize = 24;
pub(crate) const COMMITMENT: usize = 32;
pub(crate) const HEADER: usize = 1 + 4 + SALT + COMMITMENT;
/// Every key is used for one leaf only, so the GCM nonce may be a constant.
pub(crate) const ONLY_NONCE: [u8; NONCE] = [0; NONCE];
const COMMIT_LABEL: &[u8] = b"contactpoint entry commit 2";
const CIPHER_LABEL: &[u8] = b"contactpoint entry cipher 2";

/// A leaf's header, and what follows it.
pub(crate) struct Parts<'a> {
    pub(crate) header: &'a [u8; HEADER],
    pub(crate) format: u8,
    pub(crate) epoch: u32,
    pub(crate) salt: [u8; SALT],
    pub(crate) commitment: &'a [u8],
    pub(crate) text: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Of a leaf that has one of the lengths and a known format.
    pub(crate) fn of(leaf: &'a [u8]) -> Result<Self, SealError> {
        let malformed = SealError::Malformed;
        if !LEAF_SIZES.contains(&leaf.len()) || ![BY_EPOCH_KEY, BY_OWN_KEY].contains(&leaf[0]) {
            return Err(malformed);
        }
        let (header, text) = leaf.split_first_chunk::<HEADER>().ok_or(malformed)?;
        let (epoch, rest) = header[1..].split_first_chunk::<4>().ok_or(malformed)?;
        let (salt, commitment) = rest.split_first_chunk::<SALT>().ok_or(malformed)?;
        Ok(Self { header, format: leaf[0], epoch: u32::from_be_bytes(*epoch), salt: *salt, commitment, text })
    }
}

/// The key of one leaf. In a `Debug` it says nothing.
pub struct EntryKey(Zeroizing<[u8; KEY]>);

impl std::fmt::Debug for EntryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EntryKey(..)")
    }
}

/// What a leaf says under its own key.
#[derive(Debug)]
pub struct Disclosed {
    /// The entry.
    pub entry: Zeroizing<Vec<u8>>,
    /// Whether the leaf commits to this key. Where it does not (format 1) a stranger cannot tell that there is no other key under which it says
    /// something else; the directory itself can.
    pub committed: bool,
}

impl EntryKey {
    /// As it was disclosed.
    #[must_use]
    pub fn new(key: [u8; KEY]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// The bytes, for the recipient of evidence: they open this leaf for whoever has them.
    #[must_use]
    pub fn expose_to_recipient(&self) -> &[u8; KEY] {
        &self.0
    }

    /// Opens the leaf. [`SealError::Commitment`] where it commits to another key, before the AEAD is tried.
    pub fn open(&self, leaf: &[u8]) -> Result<Disclosed, SealError> {
        let parts = Parts::of(leaf)?;
        let committed = parts.format == BY_OWN_KEY;
        if committed {
            matching(self.commitment(&parts.salt).as_ref(), parts.commitment)?;
        }
        Ok(Disclosed { entry: self.open_unchecked(&parts)?, committed })
    }

    pub(crate) fn commitment(&self, salt: &[u8; SALT]) -> hmac::Tag {
        self.derived(COMMIT_LABEL, salt)
    }

    /// What the cipher says; the caller has checked the commitment.
    pub(crate) fn open_unchecked(&self, parts: &Parts<'_>) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut plain = Zeroizing::new(parts.text.to_vec());
        let length = aead::open_in_place(&self.cipher(parts.format, &parts.salt)?, ONLY_NONCE, parts.header, &mut plain)?;
        plain.truncate(length);
        unpadded(&plain).map(|entry| Zeroizing::new(entry.to_vec()))
    }

    /// The cipher's key: of format 1 the entry's key itself.
    pub(crate) fn cipher(&self, format: u8, salt: &[u8; SALT]) -> Result<aws_lc_rs::aead::LessSafeKey, SealError> {
        if format == BY_EPOCH_KEY {
            return aead::expanded(&self.0);
        }
        aead::expanded(self.derived(CIPHER_LABEL, salt).as_ref().try_into().map_err(|_| SealError::Library)?)
    }

    fn derived(&self, label: &[u8], salt: &[u8; SALT]) -> hmac::Tag {
        derived(&hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice()), label, salt)
    }
}

/// HMAC-SHA-256 over a label and a leaf's nonce.
pub(crate) fn derived(key: &hmac::Key, label: &[u8], salt: &[u8; SALT]) -> hmac::Tag {
    let mut state = hmac::Context::with_key(key);
    state.update(label);
    state.update(salt);
    state.sign()
}

/// Whether a commitment is the one found.
pub(crate) fn matching(expected: &[u8], found: &[u8]) -> Result<(), SealError> {
    constant_time::verify_slices_are_equal(expected, found).map_err(|_| SealError::Commitment)
}

/// Bytes of an entry that a leaf of this size has room for.
pub(crate) const fn room(size: usize) -> usize {
    size - HEADER - TAG - LENGTH
}

/// What stands between the length and the padding, which must be zeros.
fn unpadded(plain: &[u8]) -> Result<&[u8], SealError> {
    let (length, rest) = plain.split_first_chunk::<LENGTH>().ok_or(SealError::Malformed)?;
    let (entry, padding) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(SealError::Malformed)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(SealError::Malformed);
    }
    Ok(entry)
}
