//! AES-256-GCM with a nonce in front and the tag behind, and the randomness for both. Random 96-bit nonces: under one epoch key at
//! most 2^32 record keys may be wrapped (NIST SP 800-38D, 8.3), four hundred times the children of the country.

use crate::SealError;
use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce, UnboundKey, AES_256_GCM};

pub(crate) const KEY: usize = 32;
pub(crate) const NONCE: usize = 12;
pub(crate) const TAG: usize = 16;

/// Expands a key.
pub(crate) fn expanded(key: &[u8; KEY]) -> Result<LessSafeKey, SealError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| SealError::Library)
}

/// Fills the buffer from the library's generator (seeded by the kernel, safe across forks).
pub(crate) fn randomise(buffer: &mut [u8]) -> Result<(), SealError> {
    aws_lc_rs::rand::fill(buffer).map_err(|_| SealError::Library)
}

/// Appends nonce, ciphertext and tag to `out`.
pub(crate) fn seal_onto(out: &mut Vec<u8>, key: &LessSafeKey, nonce: [u8; NONCE], context: &[u8], plain: &[u8]) -> Result<(), SealError> {
    out.extend_from_slice(&nonce);
    let start = out.len();
    out.extend_from_slice(plain);
    let tag = seal_in_place(key, nonce, context, &mut out[start..])?;
    out.extend_from_slice(&tag);
    Ok(())
}

/// Encrypts the buffer where it lies and hands back the tag.
pub(crate) fn seal_in_place(key: &LessSafeKey, nonce: [u8; NONCE], context: &[u8], text: &mut [u8]) -> Result<[u8; TAG], SealError> {
    let tag =
        key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), text).map_err(|_| SealError::Library)?;
    tag.as_ref().try_into().map_err(|_| SealError::Library)
}

/// Decrypts ciphertext and tag where they lie; returns the plain text's length. On failure the buffer holds nothing of use.
pub(crate) fn open_in_place(key: &LessSafeKey, nonce: [u8; NONCE], context: &[u8], text: &mut [u8]) -> Result<usize, SealError> {
    key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(context), text)
        .map(|plain| plain.len())
        .map_err(|_| SealError::Damaged)
}
