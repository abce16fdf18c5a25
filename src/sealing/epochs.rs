//! The epochs of the two keys that are renewed: what is new is sealed under the one in use, what is old opens under its own, and what was
//! sealed under one that was destroyed is told from what is damaged (rules F2, I2).
//!
//! Leaves to others: how each seals (`entry`, `record`), and how an epoch is destroyed (`keys`).

use crate::aead::KEY;
use crate::{EntryKey, EntrySealer, Place, RecordSealer, SealError, TokenKey, WrappedKey};
use aws_lc_rs::hmac;
use contactpoint_hardening::LockedBytes;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// From an epoch's key comes the key of the tokens under which its entries are indexed, so that these mean nothing any more when it ends.
const LOOKS_LABEL: &[u8] = b"contactpoint looks key 1";

/// The sealers of the audit entries, one for each epoch that is not erased.
#[derive(Debug)]
pub struct EntrySealers {
    in_use: EntryEpoch,
    former: BTreeMap<u32, EntryEpoch>,
}

/// The sealer of one epoch's entries, and the key of the tokens that index them.
#[derive(Debug)]
pub struct EntryEpoch {
    sealer: EntrySealer,
    looks: Option<TokenKey>,
}

/// An entry that opened.
#[derive(Debug)]
pub struct OpenedEntry {
    /// The epoch that it was sealed under.
    pub epoch: u32,
    /// The entry.
    pub plain: Zeroizing<Vec<u8>>,
}

impl EntryEpoch {
    /// Of an epoch that has a key of its own in the HSM.
    #[must_use]
    pub fn new(epoch: u32, key: LockedBytes<KEY>) -> Self {
        let of_looks = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret()), LOOKS_LABEL);
        Self { looks: Some(TokenKey::of_bytes(of_looks.as_ref())), sealer: EntrySealer::new(epoch, key) }
    }

    /// Of the epoch that a store began with before 0.4: its entries are indexed under the key of all tokens.
    #[must_use]
    pub fn without_tokens_of_its_own(epoch: u32, key: LockedBytes<KEY>) -> Self {
        Self { looks: None, sealer: EntrySealer::new(epoch, key) }
    }
}

impl EntrySealers {
    /// Of the epoch in use and those before it.
    #[must_use]
    pub fn new(in_use: EntryEpoch, former: impl IntoIterator<Item = EntryEpoch>) -> Self {
        Self { in_use, former: former.into_iter().map(|epoch| (epoch.sealer.epoch(), epoch)).collect() }
    }

    /// The sealer of new entries.
    #[must_use]
    pub const fn in_use(&self) -> &EntrySealer {
        &self.in_use.sealer
    }

    /// The epochs whose entries open, the newest first.
    pub fn epochs(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::once(self.in_use.sealer.epoch()).chain(self.former.keys().rev().copied())
    }

    /// The key of the tokens of an epoch's entries; `None` where they stand under the key of all tokens.
    #[must_use]
    pub fn looks(&self, epoch: u32) -> Option<&TokenKey> {
        let of_epoch = if epoch == self.in_use.sealer.epoch() { Some(&self.in_use) } else { self.former.get(&epoch) };
        of_epoch.and_then(|epoch| epoch.looks.as_ref())
    }

    /// The entry in a leaf. [`SealError::Erased`] where it was sealed under an epoch before the one in use that is there no more;
    /// [`SealError::OtherEpoch`] where under one that is to come: the data keys are older than the store.
    pub fn open(&self, leaf: &[u8]) -> Result<OpenedEntry, SealError> {
        self.by_its_epoch(|sealer| sealer.open(leaf).map(|plain| OpenedEntry { epoch: sealer.epoch(), plain }))
    }

    /// The entry in a leaf, and the key that opens this leaf alone. Errors as those of [`Self::open`].
    pub fn disclose(&self, leaf: &[u8]) -> Result<(Zeroizing<Vec<u8>>, EntryKey), SealError> {
        self.by_its_epoch(|sealer| sealer.disclose(leaf))
    }

    fn by_its_epoch<T>(&self, open: impl Fn(&EntrySealer) -> Result<T, SealError>) -> Result<T, SealError> {
        let in_use = &self.in_use.sealer;
        let epoch = match open(in_use) {
            Err(SealError::OtherEpoch { found, .. }) => found,
            opened => return opened,
        };
        match self.former.get(&epoch) {
            Some(former) => open(&former.sealer),
            None if epoch < in_use.epoch() => Err(SealError::Erased { epoch }),
            None => Err(SealError::OtherEpoch { expected: in_use.epoch(), found: epoch }),
        }
    }

    /// The epoch that a leaf says it is of: the four bytes behind its format. Its word is as good as the tree that it is in.
    #[must_use]
    pub fn epoch_of(leaf: &[u8]) -> Option<u32> {
        leaf.get(1..)?.first_chunk::<4>().map(|epoch| u32::from_be_bytes(*epoch))
    }
}

/// The sealers of the records: of the epoch in use, and of the one before it while records are moved from there.
#[derive(Debug)]
pub struct RecordSealers {
    in_use: RecordSealer,
    former: Option<RecordSealer>,
}

impl From<RecordSealer> for RecordSealers {
    fn from(in_use: RecordSealer) -> Self {
        Self { in_use, former: None }
    }
}

impl RecordSealers {
    /// Of the epoch in use and the one that ends.
    #[must_use]
    pub const fn new(in_use: RecordSealer, former: Option<RecordSealer>) -> Self {
        Self { in_use, former }
    }

    /// The epoch in use.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.in_use.epoch()
    }

    /// The epochs under which records open, the one in use first.
    pub fn epochs(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::once(self.in_use.epoch()).chain(self.former.iter().map(RecordSealer::epoch))
    }

    /// As [`RecordSealer::seal_new`], under the epoch in use.
    pub fn seal_new(&self, place: &Place, plain: &[u8]) -> Result<(WrappedKey, Vec<u8>), SealError> {
        self.in_use.seal_new(place, plain)
    }

    /// As [`RecordSealer::seal_again`].
    pub fn seal_again(&self, place: &Place, key: &WrappedKey, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.of(key).seal_again(place, key, plain)
    }

    /// As [`RecordSealer::open`].
    pub fn open(&self, place: &Place, key: &WrappedKey, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.of(key).open(place, key, sealed)
    }

    /// A record's key, wrapped under the epoch in use; the record itself stays as it is. [`SealError::KeyDestroyed`] stays so.
    pub fn moved(&self, place: &Place, key: &WrappedKey) -> Result<WrappedKey, SealError> {
        self.in_use.wrapped_from(self.of(key), place, key)
    }

    /// The one that wrapped a key; where neither did, the one in use says what is wrong with it.
    fn of(&self, key: &WrappedKey) -> &RecordSealer {
        self.former.as_ref().filter(|former| key.epoch() == Some(former.epoch())).unwrap_or(&self.in_use)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key_of;

    const HOME: Place = Place { table: "child", row: 7, version: 3 };

    fn epoch(number: u32) -> EntryEpoch {
        EntryEpoch::new(number, key_of(number as u8))
    }

    fn leaf(number: u32) -> Vec<u8> {
        EntrySealers::new(epoch(number), []).in_use().seal(b"an entry").unwrap()
    }

    #[test]
    fn an_old_leaf_opens_under_its_own_epoch_and_a_new_one_is_sealed_under_the_one_in_use() {
        // F2: epochs of the entry key
        let sealers = EntrySealers::new(epoch(3), [epoch(1), epoch(2)]);
        assert_eq!(sealers.epochs().collect::<Vec<_>>(), [3, 2, 1]);
        for number in 1..=3 {
            let opened = sealers.open(&leaf(number)).unwrap();
            assert_eq!((opened.epoch, opened.plain.as_slice()), (number, &b"an entry"[..]));
        }
        assert_eq!(sealers.in_use().epoch(), 3);
    }

    #[test]
    fn a_leaf_of_a_destroyed_epoch_is_erased_and_one_of_an_epoch_to_come_is_not() {
        // F2: what was erased is told from what is damaged; and from a store whose data keys are older than it
        let sealers = EntrySealers::new(epoch(3), [epoch(2)]);
        assert_eq!(sealers.open(&leaf(1)).unwrap_err(), SealError::Erased { epoch: 1 });
        assert_eq!(
            (EntrySealers::epoch_of(&leaf(1)), EntrySealers::epoch_of(&leaf(4)), EntrySealers::epoch_of(b"1234")),
            (Some(1), Some(4), None)
        );
        assert_eq!(sealers.open(&leaf(4)).unwrap_err(), SealError::OtherEpoch { expected: 3, found: 4 });
        let mut altered = leaf(2);
        altered[40] ^= 1;
        assert_eq!(sealers.open(&altered).unwrap_err(), SealError::Commitment, "damage in a former epoch is damage");
    }

    #[test]
    fn the_tokens_of_an_epoch_cannot_be_made_without_its_key() {
        // F2: nor is it told afterwards which entries spoke of a child
        let token = |number: u32| epoch(number).looks.unwrap().token("looked", &[b"4182736451"]);
        assert_eq!(token(1), token(1));
        assert_ne!(token(1), token(2));
        let sealers = EntrySealers::new(epoch(2), [EntryEpoch::without_tokens_of_its_own(1, key_of(1))]);
        assert!(sealers.looks(2).is_some() && sealers.looks(1).is_none() && sealers.looks(3).is_none());
    }

    #[test]
    fn a_record_that_was_moved_opens_without_its_former_epoch_and_one_that_was_not_does_not() {
        // I2: destroyed, by destroying its key: what was left under the former epoch
        let sealer = |number: u32| RecordSealer::new(number, key_of(number as u8)).unwrap();
        let (stays, sealed) = sealer(1).seal_new(&HOME, b"stays").unwrap();
        let (goes, gone) = sealer(1).seal_new(&Place { row: 8, ..HOME }, b"goes").unwrap();
        let both = RecordSealers::new(sealer(2), Some(sealer(1)));
        let moved = both.moved(&HOME, &stays).unwrap();
        assert_eq!((moved.epoch(), both.moved(&HOME, &moved).unwrap().epoch()), (Some(2), Some(2)), "and to move it again does no harm");
        for key in [&stays, &moved] {
            assert_eq!(both.open(&HOME, key, &sealed).unwrap().as_slice(), b"stays");
        }
        let again = both.seal_again(&Place { version: 4, ..HOME }, &stays, b"later").unwrap();
        let after = RecordSealers::from(sealer(2));
        assert_eq!(after.open(&HOME, &moved, &sealed).unwrap().as_slice(), b"stays");
        assert_eq!(after.open(&Place { version: 4, ..HOME }, &moved, &again).unwrap().as_slice(), b"later");
        let refused = after.open(&Place { row: 8, ..HOME }, &goes, &gone).unwrap_err();
        assert_eq!(refused, SealError::OtherEpoch { expected: 2, found: 1 });
        assert_eq!(both.moved(&HOME, &WrappedKey(Vec::new())).unwrap_err(), SealError::KeyDestroyed);
        assert_eq!(both.moved(&Place { row: 8, ..HOME }, &stays).unwrap_err(), SealError::Damaged, "a moved key stays in its place");
    }
}
