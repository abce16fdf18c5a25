//! Audit entries become leaves here: padded, so that a length says little, and committed to their key, so that no leaf can be made to
//! open as two different entries under two keys (AES-GCM alone allows that). Without a key a leaf is 256 or more bytes of noise.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format, 1 |
//! | 4 | key epoch, big-endian |
//! | 24 | nonce, random |
//! | 32 | commitment: HMAC-SHA-256(epoch key, "contactpoint entry commit 1" and nonce) |
//! | n | AES-256-GCM ciphertext under HMAC-SHA-256(epoch key, "contactpoint entry key 1" and nonce), GCM nonce zero, AAD the 61 bytes above |
//! | 16 | tag |
//!
//! The plain text is a length (2 bytes, big-endian), the entry, and zeros up to the size class.

use crate::aead::{self, KEY, NONCE, TAG};
use crate::SealError;
use aws_lc_rs::{constant_time, hmac};
use contactpoint_hardening::LockedBytes;
use zeroize::Zeroizing;

/// The sizes a leaf may have, in bytes: powers of two from 256, and the largest that an entry bundle's 16-bit length can tell.
pub const LEAF_SIZES: [usize; 9] = [256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_535];

/// Bytes of the longest entry that fits a leaf.
pub const LARGEST_ENTRY: usize = 65_535 - HEADER - TAG - LENGTH;

const FORMAT: u8 = 1;
const LENGTH: usize = 2;
const SALT: usize = 24;
const HEADER: usize = 1 + 4 + SALT + 32;
/// Every key is used for one leaf only, so the GCM nonce may be a constant.
const ONLY_NONCE: [u8; NONCE] = [0; NONCE];
const KEY_LABEL: &[u8] = b"contactpoint entry key 1";
const COMMIT_LABEL: &[u8] = b"contactpoint entry commit 1";

/// Seals and opens audit entries under one key epoch.
pub struct EntrySealer {
    epoch: u32,
    key: hmac::Key,
}

impl std::fmt::Debug for EntrySealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EntrySealer(epoch {})", self.epoch)
    }
}

impl EntrySealer {
    /// The sealer of an epoch.
    #[must_use]
    pub fn new(epoch: u32, key: LockedBytes<KEY>) -> Self {
        Self { epoch, key: hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret()) }
    }

    /// The epoch that new leaves are sealed under.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The leaf of an entry of at most [`LARGEST_ENTRY`] bytes; its length is one of [`LEAF_SIZES`].
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.seal_as_long_as(plain, plain.len())
    }

    /// The same, in a leaf that has the length of one whose entry has `length` bytes, or its own where that is more.
    pub fn seal_as_long_as(&self, plain: &[u8], length: usize) -> Result<Vec<u8>, SealError> {
        let too_long = SealError::TooLong { length: plain.len(), longest: LARGEST_ENTRY };
        let size = leaf_size(plain.len().max(length.min(LARGEST_ENTRY))).ok_or(too_long)?;
        let length = u16::try_from(plain.len()).map_err(|_| too_long)?;
        let mut salt = [0; SALT];
        aead::randomise(&mut salt)?;

        let mut leaf = Vec::with_capacity(size);
        leaf.push(FORMAT);
        leaf.extend_from_slice(&self.epoch.to_be_bytes());
        leaf.extend_from_slice(&salt);
        leaf.extend_from_slice(self.derived(COMMIT_LABEL, &salt).as_ref());
        leaf.extend_from_slice(&length.to_be_bytes());
        leaf.extend_from_slice(plain);
        leaf.resize(size - TAG, 0);
        let (header, text) = leaf.split_at_mut(HEADER);
        let tag = aead::seal_in_place(&self.entry_key(&salt)?, ONLY_NONCE, header, text)?;
        leaf.extend_from_slice(&tag);
        Ok(leaf)
    }

    /// The entry in a leaf. [`SealError::Commitment`] where the leaf was made under another key, before the AEAD is tried.
    pub fn open(&self, leaf: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if !LEAF_SIZES.contains(&leaf.len()) || leaf[0] != FORMAT {
            return Err(SealError::Malformed);
        }
        let (header, text) = leaf.split_first_chunk::<HEADER>().ok_or(SealError::Malformed)?;
        let salt = self.salt_of_our_leaf(header)?;
        let mut plain = Zeroizing::new(text.to_vec());
        let length = aead::open_in_place(&self.entry_key(&salt)?, ONLY_NONCE, header, &mut plain)?;
        plain.truncate(length);
        unpadded(&plain).map(|entry| Zeroizing::new(entry.to_vec()))
    }

    /// The nonce in a header, once epoch and commitment are found to be ours.
    fn salt_of_our_leaf(&self, header: &[u8; HEADER]) -> Result<[u8; SALT], SealError> {
        let (epoch, rest) = header[1..].split_first_chunk::<4>().ok_or(SealError::Malformed)?;
        let found = u32::from_be_bytes(*epoch);
        if found != self.epoch {
            return Err(SealError::OtherEpoch { expected: self.epoch, found });
        }
        let (salt, commitment) = rest.split_first_chunk::<SALT>().ok_or(SealError::Malformed)?;
        constant_time::verify_slices_are_equal(self.derived(COMMIT_LABEL, salt).as_ref(), commitment).map_err(|_| SealError::Commitment)?;
        Ok(*salt)
    }

    fn entry_key(&self, salt: &[u8; SALT]) -> Result<aws_lc_rs::aead::LessSafeKey, SealError> {
        aead::expanded(self.derived(KEY_LABEL, salt).as_ref().try_into().map_err(|_| SealError::Library)?)
    }

    fn derived(&self, label: &[u8], salt: &[u8; SALT]) -> hmac::Tag {
        let mut state = hmac::Context::with_key(&self.key);
        state.update(label);
        state.update(salt);
        state.sign()
    }
}

/// The smallest class that holds an entry of so many bytes.
fn leaf_size(entry: usize) -> Option<usize> {
    LEAF_SIZES.into_iter().find(|size| size - HEADER - TAG - LENGTH >= entry)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key_of;
    use proptest::prelude::*;

    fn sealer() -> EntrySealer {
        EntrySealer::new(1, key_of(1))
    }

    #[test]
    fn the_lengths_of_leaves_fall_only_in_the_size_classes() {
        // F2: verifies without reading a name, nor guessing one from a length
        let sealer = sealer();
        for (entry, leaf) in [(0, 256), (50, 256), (177, 256), (178, 512), (433, 512), (434, 1024), (32_689, 32_768), (32_690, 65_535)] {
            assert_eq!(sealer.seal(&vec![7; entry]).unwrap().len(), leaf);
        }
        assert_eq!(sealer.seal(&vec![7; LARGEST_ENTRY]).unwrap().len(), 65_535);
    }

    #[test]
    fn an_entry_too_long_for_a_leaf_is_refused() {
        // F1: if the entry cannot be written, nothing is answered
        let refused = sealer().seal(&vec![7; LARGEST_ENTRY + 1]).unwrap_err();
        assert_eq!(refused, SealError::TooLong { length: LARGEST_ENTRY + 1, longest: LARGEST_ENTRY });
    }

    #[test]
    fn a_leaf_does_not_open_under_another_key_of_the_same_epoch() {
        // F2: nothing was altered - not even by two keys that both open one leaf
        let leaf = sealer().seal(b"an entry").unwrap();
        assert_eq!(EntrySealer::new(1, key_of(2)).open(&leaf).unwrap_err(), SealError::Commitment);
    }

    #[test]
    fn a_leaf_that_the_aead_alone_would_open_is_refused_by_its_commitment() {
        // F2: AES-GCM does not commit to its key. A leaf forged under our entry key but with a foreign commitment has a good tag.
        let sealer = sealer();
        let mut forged = sealer.seal(b"an entry").unwrap();
        forged[29..61].fill(9);
        let salt = forged[5..29].try_into().unwrap();
        let body = forged.len() - TAG;
        let (header, text) = forged.split_at_mut(HEADER);
        text[..2].copy_from_slice(&8u16.to_be_bytes());
        let tag = aead::seal_in_place(&sealer.entry_key(&salt).unwrap(), ONLY_NONCE, header, &mut text[..body - HEADER]).unwrap();
        forged[body..].copy_from_slice(&tag);
        assert_eq!(sealer.open(&forged).unwrap_err(), SealError::Commitment);
    }

    #[test]
    fn a_leaf_of_another_epoch_says_so() {
        // F2: the right epoch's key is asked for
        let leaf = sealer().seal(b"an entry").unwrap();
        assert_eq!(EntrySealer::new(2, key_of(1)).open(&leaf).unwrap_err(), SealError::OtherEpoch { expected: 2, found: 1 });
    }

    #[test]
    fn one_flipped_bit_anywhere_does_not_open() {
        // F2: nothing was altered
        let sealer = sealer();
        let leaf = sealer.seal(b"an entry").unwrap();
        for bit in 0..leaf.len() * 8 {
            let mut altered = leaf.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let expected = match bit / 8 {
                0 => SealError::Malformed,
                1..=4 => SealError::OtherEpoch { expected: 1, found: u32::from_be_bytes(altered[1..5].try_into().unwrap()) },
                5..=60 => SealError::Commitment,
                _ => SealError::Damaged,
            };
            assert_eq!(sealer.open(&altered).unwrap_err(), expected);
        }
    }

    #[test]
    fn equal_entries_do_not_look_equal() {
        // F2: without reading a name; who looks twice is not seen to
        let sealer = sealer();
        assert_ne!(sealer.seal(b"an entry").unwrap(), sealer.seal(b"an entry").unwrap());
    }

    proptest! {
        #[test]
        fn every_entry_opens_as_it_was(plain in proptest::collection::vec(any::<u8>(), 0..3000)) {
            // F3: the auditor reads what was written
            let leaf = sealer().seal(&plain).unwrap();
            prop_assert!(LEAF_SIZES.contains(&leaf.len()));
            let opened = sealer().open(&leaf).unwrap();
            prop_assert_eq!(opened.as_slice(), &plain[..]);
        }

        #[test]
        fn no_bytes_whatever_make_the_sealer_panic(leaf in proptest::collection::vec(any::<u8>(), 0..600), size in 0usize..3) {
            // F2: altered leaves are noticed, by an error
            let mut leaf = leaf;
            prop_assert!(sealer().open(&leaf).is_err());
            leaf.resize(LEAF_SIZES[size], 0);
            prop_assert!(sealer().open(&leaf).is_err());
        }
    }
}
