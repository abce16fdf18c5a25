//! Records: each sealed under a key of its own, which is wrapped under the epoch; destroying the wrapped key destroys the record in
//! every copy (rule I2). Associated data names the place, so that what was moved or swapped does not open (rule G3).
//!
//! | bytes | wrapped key | | bytes | sealed body |
//! |---|---|---|---|---|
//! | 4 | epoch, big-endian | | 12 | nonce |
//! | 12 | nonce | | n | ciphertext |
//! | 32 | ciphertext of the record key | | 16 | tag |
//! | 16 | tag | | | |

use crate::aead::{self, KEY, NONCE, TAG};
use crate::SealError;
use aws_lc_rs::aead::LessSafeKey;
use contactpoint_hardening::LockedBytes;
use zeroize::Zeroizing;

const EPOCH: usize = 4;
const WRAPPED: usize = EPOCH + NONCE + KEY + TAG;
const KEY_CONTEXT: &[u8] = b"contactpoint record key 1";
const BODY_CONTEXT: &[u8] = b"contactpoint record body 1";

/// Where a sealed record stands. The body is bound to all three, the record's key to table and row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The table's name.
    pub table: &'static str,
    /// The row's number in it.
    pub row: i64,
    /// The version of the record, counted by the store.
    pub version: u32,
}

/// A record's key as it is stored: epoch, nonce, ciphertext, tag; 64 bytes. Empty once it has been destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey(pub Vec<u8>);

/// Seals and opens records under one key epoch. Cheap to share between threads; one expansion of the key a process.
pub struct RecordSealer {
    epoch: u32,
    key: LessSafeKey,
}

impl std::fmt::Debug for RecordSealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecordSealer(epoch {})", self.epoch)
    }
}

impl RecordSealer {
    /// The sealer of an epoch. Fails only where the library cannot expand a key ([`SealError::Library`]).
    pub fn new(epoch: u32, key: LockedBytes<KEY>) -> Result<Self, SealError> {
        Ok(Self { epoch, key: aead::expanded(key.expose_secret())? })
    }

    /// The epoch that new records are sealed under.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Seals a record that has no key yet: makes one, wraps it under the epoch for `place`'s table and row, seals the body with it.
    /// The body is 28 bytes longer than the plain text.
    pub fn seal_new(&self, place: &Place, plain: &[u8]) -> Result<(WrappedKey, Vec<u8>), SealError> {
        let mut fresh = Zeroizing::new([0; KEY + NONCE + NONCE]);
        aead::randomise(fresh.as_mut_slice())?;
        let (record_key, nonces) = fresh.split_first_chunk::<KEY>().ok_or(SealError::Library)?;
        let (wrap_nonce, body_nonce) = nonces.split_first_chunk::<NONCE>().ok_or(SealError::Library)?;
        let body_nonce = body_nonce.try_into().map_err(|_| SealError::Library)?;

        let mut wrapped = Vec::with_capacity(WRAPPED);
        wrapped.extend_from_slice(&self.epoch.to_be_bytes());
        aead::seal_onto(&mut wrapped, &self.key, *wrap_nonce, &key_context(place, self.epoch), record_key)?;
        Ok((WrappedKey(wrapped), sealed_body(place, &aead::expanded(record_key)?, body_nonce, plain)?))
    }

    /// Seals a later version of a record under the key that it has. Fails as [`Self::open`] does where the key is not this place's.
    pub fn seal_again(&self, place: &Place, key: &WrappedKey, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE];
        aead::randomise(&mut nonce)?;
        sealed_body(place, &self.unwrap(place, key)?, nonce, plain)
    }

    /// Opens a record in its place. [`SealError::Damaged`] where the key or the body was altered or belongs elsewhere.
    pub fn open(&self, place: &Place, key: &WrappedKey, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE>().ok_or(SealError::Malformed)?;
        if text.len() < TAG {
            return Err(SealError::Malformed);
        }
        let record_key = self.unwrap(place, key)?;
        let mut plain = Zeroizing::new(text.to_vec());
        let length = aead::open_in_place(&record_key, *nonce, &body_context(place), &mut plain)?;
        plain.truncate(length);
        Ok(plain)
    }

    fn unwrap(&self, place: &Place, wrapped: &WrappedKey) -> Result<LessSafeKey, SealError> {
        if wrapped.0.is_empty() {
            return Err(SealError::KeyDestroyed);
        }
        let wrapped: &[u8; WRAPPED] = wrapped.0.as_slice().try_into().map_err(|_| SealError::Malformed)?;
        let (epoch, rest) = wrapped.split_first_chunk::<EPOCH>().ok_or(SealError::Malformed)?;
        let found = u32::from_be_bytes(*epoch);
        if found != self.epoch {
            return Err(SealError::OtherEpoch { expected: self.epoch, found });
        }
        let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Malformed)?;
        let mut record_key = Zeroizing::new([0; KEY + TAG]);
        record_key.copy_from_slice(text);
        aead::open_in_place(&self.key, *nonce, &key_context(place, found), record_key.as_mut_slice())?;
        aead::expanded(record_key.first_chunk().ok_or(SealError::Malformed)?)
    }
}

fn sealed_body(place: &Place, key: &LessSafeKey, nonce: [u8; NONCE], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut body = Vec::with_capacity(NONCE + plain.len() + TAG);
    aead::seal_onto(&mut body, key, nonce, &body_context(place), plain)?;
    Ok(body)
}

fn key_context(place: &Place, epoch: u32) -> Vec<u8> {
    context(KEY_CONTEXT, place, epoch)
}

fn body_context(place: &Place) -> Vec<u8> {
    context(BODY_CONTEXT, place, place.version)
}

/// Label, row, the last number and the table's name: everything before the name has a fixed length, so no two places share a context.
fn context(label: &[u8], place: &Place, last: u32) -> Vec<u8> {
    let mut context = Vec::with_capacity(label.len() + 12 + place.table.len());
    context.extend_from_slice(label);
    context.extend_from_slice(&place.row.to_be_bytes());
    context.extend_from_slice(&last.to_be_bytes());
    context.extend_from_slice(place.table.as_bytes());
    context
}
