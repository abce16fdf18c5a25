//! Records: each sealed under a key of its own, which is wrapped under the epoch; when the epoch ends, the records whose key was
//! not wrapped under the next end in every copy (rule I2). Associated data names the place, so that what was moved or swapped does not open (rule G3).
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
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey(pub Vec<u8>);

impl WrappedKey {
    /// The epoch that it says it is wrapped under; `None` where it was destroyed.
    #[must_use]
    pub fn epoch(&self) -> Option<u32> {
        self.0.first_chunk::<EPOCH>().map(|epoch| u32::from_be_bytes(*epoch))
    }
}

/// Shows nothing: a copy of a wrapped key in a log line would outlive its destruction (rule I2).
impl std::fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WrappedKey(..)")
    }
}

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

        let wrapped = self.wrap(place, *wrap_nonce, record_key)?;
        Ok((wrapped, sealed_body(place, &aead::expanded(record_key)?, body_nonce, plain)?))
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

    /// A record's key that `former` wrapped, wrapped under this epoch.
    pub(crate) fn wrapped_from(&self, former: &Self, place: &Place, wrapped: &WrappedKey) -> Result<WrappedKey, SealError> {
        let mut nonce = [0; NONCE];
        aead::randomise(&mut nonce)?;
        self.wrap(place, nonce, former.bare(place, wrapped)?.first_chunk().ok_or(SealError::Malformed)?)
    }

    fn wrap(&self, place: &Place, nonce: [u8; NONCE], record_key: &[u8; KEY]) -> Result<WrappedKey, SealError> {
        let mut wrapped = Vec::with_capacity(WRAPPED);
        wrapped.extend_from_slice(&self.epoch.to_be_bytes());
        aead::seal_onto(&mut wrapped, &self.key, nonce, &key_context(place, self.epoch), record_key)?;
        Ok(WrappedKey(wrapped))
    }

    fn unwrap(&self, place: &Place, wrapped: &WrappedKey) -> Result<LessSafeKey, SealError> {
        aead::expanded(self.bare(place, wrapped)?.first_chunk().ok_or(SealError::Malformed)?)
    }

    /// The record's key, and behind it what is left of the tag.
    fn bare(&self, place: &Place, wrapped: &WrappedKey) -> Result<Zeroizing<[u8; KEY + TAG]>, SealError> {
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
        Ok(record_key)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key_of;
    use proptest::prelude::*;

    const HOME: Place = Place { table: "child", row: 7, version: 3 };

    fn sealer() -> RecordSealer {
        RecordSealer::new(1, key_of(1)).unwrap()
    }

    #[test]
    fn a_record_opens_in_its_place_in_each_of_its_versions() {
        // G3: every record is sealed for its own row
        let sealer = sealer();
        let (key, sealed) = sealer.seal_new(&HOME, b"first").unwrap();
        assert_eq!((key.0.len(), sealed.len()), (64, 5 + 28));
        assert_eq!(sealer.open(&HOME, &key, &sealed).unwrap().as_slice(), b"first");
        let later = Place { version: 4, ..HOME };
        let again = sealer.seal_again(&later, &key, b"second").unwrap();
        assert_eq!(sealer.open(&later, &key, &again).unwrap().as_slice(), b"second");
    }

    #[test]
    fn a_body_moved_to_another_row_table_or_version_does_not_open() {
        // G3: moved, swapped or rolled-back rows are noticed
        let sealer = sealer();
        let (key, sealed) = sealer.seal_new(&HOME, b"a record").unwrap();
        for elsewhere in
            [Place { row: 8, ..HOME }, Place { row: -7, ..HOME }, Place { table: "statement", ..HOME }, Place { version: 2, ..HOME }]
        {
            assert_eq!(sealer.open(&elsewhere, &key, &sealed).unwrap_err(), SealError::Damaged);
        }
    }

    #[test]
    fn a_body_moved_alone_under_the_other_rows_own_key_does_not_open() {
        // G3: swapped rows are noticed, though both keys are good
        let sealer = sealer();
        let neighbour = Place { row: 8, ..HOME };
        let (_, sealed) = sealer.seal_new(&HOME, b"mine").unwrap();
        let (other_key, _) = sealer.seal_new(&neighbour, b"theirs").unwrap();
        assert_eq!(sealer.open(&neighbour, &other_key, &sealed).unwrap_err(), SealError::Damaged);
    }

    #[test]
    fn a_wrapped_key_moved_to_another_row_or_table_does_not_open() {
        // G3: every record is sealed for its own row, its key as well
        let sealer = sealer();
        let (key, _) = sealer.seal_new(&HOME, b"a record").unwrap();
        for elsewhere in [Place { row: 8, ..HOME }, Place { table: "statement", ..HOME }] {
            assert_eq!(sealer.seal_again(&elsewhere, &key, b"planted").unwrap_err(), SealError::Damaged);
        }
    }

    #[test]
    fn one_flipped_bit_anywhere_does_not_open() {
        // G3: altered rows are noticed
        let sealer = sealer();
        let (key, sealed) = sealer.seal_new(&HOME, b"a record").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sealer.open(&HOME, &key, &altered).unwrap_err(), SealError::Damaged);
        }
        for bit in 0..key.0.len() * 8 {
            let mut altered = key.clone();
            altered.0[bit / 8] ^= 1 << (bit % 8);
            let refused = sealer.open(&HOME, &altered, &sealed).unwrap_err();
            assert!(matches!(refused, SealError::Damaged | SealError::OtherEpoch { expected: 1, .. }));
        }
    }

    #[test]
    fn a_destroyed_key_makes_the_record_unreadable() {
        // I2: destroyed, by destroying its key
        let sealer = sealer();
        let (key, sealed) = sealer.seal_new(&HOME, b"a record").unwrap();
        assert_eq!(sealer.open(&HOME, &WrappedKey(Vec::new()), &sealed).unwrap_err(), SealError::KeyDestroyed);
        let overwritten = WrappedKey([&key.0[..4], &[0; 60]].concat());
        assert_eq!(sealer.open(&HOME, &overwritten, &sealed).unwrap_err(), SealError::Damaged);
        let (another, _) = sealer.seal_new(&HOME, b"").unwrap();
        assert_eq!(sealer.open(&HOME, &another, &sealed).unwrap_err(), SealError::Damaged);
    }

    #[test]
    fn another_store_key_or_epoch_does_not_open() {
        // G3: the store opens only with the HSM, which alone unwraps this key
        let (key, sealed) = sealer().seal_new(&HOME, b"a record").unwrap();
        let thief = RecordSealer::new(1, key_of(2)).unwrap();
        assert_eq!(thief.open(&HOME, &key, &sealed).unwrap_err(), SealError::Damaged);
        let next = RecordSealer::new(2, key_of(1)).unwrap();
        assert_eq!(next.open(&HOME, &key, &sealed).unwrap_err(), SealError::OtherEpoch { expected: 2, found: 1 });
    }

    #[test]
    fn equal_records_do_not_look_equal() {
        // G1: nobody reads child data from the store, not even which rows agree
        let sealer = sealer();
        let (first, second) = (sealer.seal_new(&HOME, b"same").unwrap(), sealer.seal_new(&HOME, b"same").unwrap());
        assert_ne!(first.1, second.1);
        assert_ne!(first.0, second.0);
        assert_ne!(sealer.seal_again(&HOME, &first.0, b"same").unwrap(), first.1);
    }

    #[test]
    fn a_sealer_prints_no_key() {
        // G1: no log line with a secret
        assert_eq!(format!("{:?}", sealer()), "RecordSealer(epoch 1)");
        assert_eq!(format!("{:?}", WrappedKey(vec![1, 2, 3])), "WrappedKey(..)");
    }

    proptest! {
        #[test]
        fn whatever_was_sealed_opens_as_it_was(plain in proptest::collection::vec(any::<u8>(), 0..2000), row: i64, version: u32) {
            // G3
            let sealer = sealer();
            let place = Place { row, version, ..HOME };
            let (key, sealed) = sealer.seal_new(&place, &plain).unwrap();
            let opened = sealer.open(&place, &key, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), &plain[..]);
        }

        #[test]
        fn no_bytes_whatever_make_the_sealer_panic(key in proptest::collection::vec(any::<u8>(), 0..80), sealed in proptest::collection::vec(any::<u8>(), 0..80)) {
            // G3: altered rows are noticed, by an error
            prop_assert!(sealer().open(&HOME, &WrappedKey(key), &sealed).is_err());
        }
    }
}
