//! Audit entries become leaves here: padded, so that a length says little, and committed to their key, so that no leaf can be made to
//! open as two different entries under two keys (AES-GCM alone allows that). Without a key a leaf is 256 or more bytes of noise.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format, 2 |
//! | 4 | key epoch, big-endian |
//! | 24 | nonce, random |
//! | 32 | commitment: HMAC-SHA-256(entry key, "contactpoint entry commit 2" and nonce) |
//! | n | AES-256-GCM ciphertext under HMAC-SHA-256(entry key, "contactpoint entry cipher 2" and nonce), GCM nonce zero, AAD the 61 bytes above |
//! | 16 | tag |
//!
//! The entry key is HMAC-SHA-256(epoch key, "contactpoint entry key 2" and nonce): it can be handed out with its leaf, and opens no other
//! (`entry_key`). Leaves of format 1, which 0.2 and 0.3 wrote, are of the same form and committed to the epoch key; they still open. The plain
//! text is a length (2 bytes, big-endian), the entry, and zeros up to the size class.

use crate::aead::{self, KEY, TAG};
use crate::entry_key::{derived, matching, room, EntryKey, Parts, BY_EPOCH_KEY, BY_OWN_KEY, HEADER, LEAF_SIZES, ONLY_NONCE, SALT};
use crate::SealError;
use aws_lc_rs::hmac;
use contactpoint_hardening::LockedBytes;
use zeroize::Zeroizing;

/// Bytes of the longest entry that fits a leaf.
pub const LARGEST_ENTRY: usize = room(65_535);

const KEY_LABEL: &[u8] = b"contactpoint entry key 2";
const FORMER_KEY_LABEL: &[u8] = b"contactpoint entry key 1";
const FORMER_COMMIT_LABEL: &[u8] = b"contactpoint entry commit 1";

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
        let key = self.entry_key(BY_OWN_KEY, &salt)?;

        let mut leaf = Vec::with_capacity(size);
        leaf.push(BY_OWN_KEY);
        leaf.extend_from_slice(&self.epoch.to_be_bytes());
        leaf.extend_from_slice(&salt);
        leaf.extend_from_slice(key.commitment(&salt).as_ref());
        leaf.extend_from_slice(&length.to_be_bytes());
        leaf.extend_from_slice(plain);
        leaf.resize(size - TAG, 0);
        let (header, text) = leaf.split_at_mut(HEADER);
        let tag = aead::seal_in_place(&key.cipher(BY_OWN_KEY, &salt)?, ONLY_NONCE, header, text)?;
        leaf.extend_from_slice(&tag);
        Ok(leaf)
    }

    /// The entry in a leaf. [`SealError::Commitment`] where the leaf was made under another key, before the AEAD is tried.
    pub fn open(&self, leaf: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let parts = Parts::of(leaf)?;
        self.key_of_our_leaf(&parts)?.open_unchecked(&parts)
    }

    /// The entry, and the key that opens this leaf for whoever is handed both.
    pub fn disclose(&self, leaf: &[u8]) -> Result<(Zeroizing<Vec<u8>>, EntryKey), SealError> {
        let parts = Parts::of(leaf)?;
        let key = self.key_of_our_leaf(&parts)?;
        Ok((key.open_unchecked(&parts)?, key))
    }

    /// The leaf's key, once epoch and commitment are found to be ours.
    fn key_of_our_leaf(&self, parts: &Parts<'_>) -> Result<EntryKey, SealError> {
        if parts.epoch != self.epoch {
            return Err(SealError::OtherEpoch { expected: self.epoch, found: parts.epoch });
        }
        let key = self.entry_key(parts.format, &parts.salt)?;
        let commitment = match parts.format {
            BY_EPOCH_KEY => derived(&self.key, FORMER_COMMIT_LABEL, &parts.salt),
            _ => key.commitment(&parts.salt),
        };
        matching(commitment.as_ref(), parts.commitment)?;
        Ok(key)
    }

    fn entry_key(&self, format: u8, salt: &[u8; SALT]) -> Result<EntryKey, SealError> {
        let label = if format == BY_EPOCH_KEY { FORMER_KEY_LABEL } else { KEY_LABEL };
        let key: [u8; KEY] = derived(&self.key, label, salt).as_ref().try_into().map_err(|_| SealError::Library)?;
        Ok(EntryKey::new(key))
    }
}

/// The smallest class that holds an entry of so many bytes.
fn leaf_size(entry: usize) -> Option<usize> {
    LEAF_SIZES.into_iter().find(|size| room(*size) >= entry)
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
        let key = sealer.entry_key(BY_OWN_KEY, &salt).unwrap().cipher(BY_OWN_KEY, &salt).unwrap();
        let tag = aead::seal_in_place(&key, ONLY_NONCE, header, &mut text[..body - HEADER]).unwrap();
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

    /// A leaf as 0.2 and 0.3 wrote it.
    fn former(sealer: &EntrySealer, entry: &[u8]) -> Vec<u8> {
        let salt = [7; SALT];
        let mut leaf = [&[BY_EPOCH_KEY][..], &sealer.epoch.to_be_bytes(), &salt].concat();
        leaf.extend_from_slice(derived(&sealer.key, FORMER_COMMIT_LABEL, &salt).as_ref());
        leaf.extend_from_slice(&u16::try_from(entry.len()).unwrap().to_be_bytes());
        leaf.extend_from_slice(entry);
        leaf.resize(256 - TAG, 0);
        let (header, text) = leaf.split_at_mut(HEADER);
        let key = aead::expanded(derived(&sealer.key, FORMER_KEY_LABEL, &salt).as_ref().try_into().unwrap()).unwrap();
        let tag = aead::seal_in_place(&key, ONLY_NONCE, header, text).unwrap();
        leaf.extend_from_slice(&tag);
        leaf
    }

    #[test]
    fn a_leaf_of_the_former_format_still_opens_and_is_told_from_one_that_commits_to_its_own_key() {
        // F2, F3: a store goes on with the entries that it has
        let sealer = sealer();
        let leaf = former(&sealer, b"an old entry");
        assert_eq!(sealer.open(&leaf).unwrap().as_slice(), b"an old entry");
        assert_eq!(EntrySealer::new(1, key_of(2)).open(&leaf).unwrap_err(), SealError::Commitment);
        let disclosed = sealer.disclose(&leaf).unwrap().1.open(&leaf).unwrap();
        assert_eq!((disclosed.entry.as_slice(), disclosed.committed), (&b"an old entry"[..], false));
        let mut as_new = leaf;
        as_new[0] = BY_OWN_KEY;
        assert_eq!(sealer.open(&as_new).unwrap_err(), SealError::Commitment);
    }

    #[test]
    fn whoever_is_handed_one_leafs_key_opens_that_leaf_and_no_other() {
        // F5: evidence verifies by itself - and tells of nothing else
        let sealer = sealer();
        let (one, other) = (sealer.seal(b"an entry").unwrap(), sealer.seal(b"another").unwrap());
        let (entry, key) = sealer.disclose(&one).unwrap();
        let key = EntryKey::new(*key.expose_to_recipient());
        let disclosed = key.open(&one).unwrap();
        assert_eq!((entry.as_slice(), disclosed.entry.as_slice(), disclosed.committed), (&b"an entry"[..], &b"an entry"[..], true));
        assert_eq!(key.open(&other).unwrap_err(), SealError::Commitment);
        assert_eq!(format!("{key:?}"), "EntryKey(..)");
        for bit in 0..one.len() * 8 {
            let mut altered = one.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open(&altered).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_stranger_refuses_a_leaf_that_opens_under_a_key_to_which_it_does_not_commit() {
        // F5: nobody can be shown a second story in the same leaf, though its cipher and its tag are good
        let sealer = sealer();
        let mut forged = sealer.seal(b"an entry").unwrap();
        let salt: [u8; SALT] = forged[5..29].try_into().unwrap();
        let second = EntryKey::new([9; KEY]);
        let body = forged.len() - TAG;
        let (header, text) = forged.split_at_mut(HEADER);
        text[..body - HEADER].fill(0);
        text[..9].copy_from_slice(b"\x00\x07a story");
        let tag = aead::seal_in_place(&second.cipher(BY_OWN_KEY, &salt).unwrap(), ONLY_NONCE, header, &mut text[..body - HEADER]).unwrap();
        forged[body..].copy_from_slice(&tag);
        assert_eq!(second.open_unchecked(&Parts::of(&forged).unwrap()).unwrap().as_slice(), b"a story");
        assert_eq!(second.open(&forged).unwrap_err(), SealError::Commitment);
    }

    #[test]
    fn the_commitment_is_the_one_that_the_page_of_formats_gives() {
        // F5: docs/log-format.md; worked out with Python's hmac
        let (salt, key) = ([0x55; SALT], EntryKey::new([0x11; KEY]));
        let commitment = data(key.commitment(&salt).as_ref());
        assert_eq!(commitment, "5b9a2be32b36ec096d246f7a57fd8b1ae52c38e9b73b37ec3578968b1280628e");
    }

    fn data(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
