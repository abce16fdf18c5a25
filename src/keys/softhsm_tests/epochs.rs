//! Epochs on a real token: begun, used side by side, and destroyed for everybody who kept a copy.

use super::{destroy, objects, opened, pin, token_with_keys, with_pin_holder, PIN};
use crate::data_keys::{Keys, WrappedEpoch, WrappedKey};
use crate::kind::HsmKey;
use crate::wrapping::{fresh, wrap, Binding};
use crate::{Attachment, Custody, DataKeyName, KeyError, Renewable, WrappedDataKeys};
use cryptoki::error::{Error, RvError};
use cryptoki::object::Attribute;

fn clear(custody: &Custody, wrapped: &WrappedDataKeys) -> Vec<(u32, [u8; 32])> {
    let epochs = custody.unwrap_epochs(Renewable::Entries, wrapped).unwrap();
    epochs.iter().map(|epoch| (epoch.epoch, *epoch.key.expose_secret())).collect()
}

/// Data keys as a version before 0.4 made them: all under contactpoint-store.
fn of_an_older_version(attachment: &Attachment) -> WrappedDataKeys {
    with_pin_holder(attachment, |session| {
        destroy(session, HsmKey::Epoch(Renewable::Entries, 1));
        destroy(session, HsmKey::Epoch(Renewable::Records, 1));
        let store = objects(session, HsmKey::Store)[0];
        let token = &attachment.token;
        let wrapped = |name| -> WrappedKey { wrap(session, store, &Binding { name, epoch: 1, token }, &fresh(session).unwrap()).unwrap() };
        let under_store = |name| vec![WrappedEpoch::new(wrapped(name), false)];
        let keys = Keys {
            page: wrapped(DataKeyName::Page),
            tokens: wrapped(DataKeyName::Tokens),
            records: under_store(DataKeyName::Records),
            entries: under_store(DataKeyName::Entries),
        };
        WrappedDataKeys::new(token.clone(), keys)
    })
}

#[test]
fn a_new_epoch_is_in_use_beside_the_former_and_survives_a_restart() {
    // F2: epochs of the entry key; G2: each of their keys is in the HSM, checked and reported
    let (attachment, first) = token_with_keys("new epoch");
    let custody = Custody::open(&attachment, &pin(PIN)).unwrap();
    let both = custody.begin_epoch(Renewable::Entries, &first).unwrap();
    assert_eq!((both.epoch(DataKeyName::Entries), both.epochs(Renewable::Entries)), (2, vec![1, 2]));
    let keys = clear(&custody, &both);
    assert_eq!((keys[0], keys[0].1 == keys[1].1), (clear(&custody, &first)[0], false));
    let again = Custody::open(&attachment, &pin(PIN)).unwrap();
    assert_eq!(clear(&again, &both), keys);
    assert_eq!(*again.unwrap(DataKeyName::Entries, &both).unwrap().expose_secret(), keys[1].1);
    assert!(again.attributes().unwrap().iter().any(|report| report.label == "contactpoint-entries-2" && report.never_extractable));
}

#[test]
fn an_epoch_that_was_destroyed_opens_from_no_copy_of_the_file() {
    // F2, I2: unreadable everywhere, by whoever kept the old file and has the HSM and its PIN
    let (custody, first) = opened("destroyed epoch");
    let both = custody.begin_epoch(Renewable::Entries, &first).unwrap();
    assert_eq!(clear(&custody, &first).len(), 1, "the copy opens as long as nothing was destroyed");
    let ending = both.ending(Renewable::Entries, 1).unwrap();
    assert_eq!(clear(&custody, &ending).len(), 2, "marked is not destroyed");
    custody.destroy_epoch(Renewable::Entries, 1, &ending).unwrap();
    for copy in [&first, &both] {
        let error = custody.unwrap_epochs(Renewable::Entries, copy).err().unwrap();
        assert!(matches!(&error, KeyError::Missing { label } if label == "contactpoint-entries-1"), "{error}");
    }
    assert_eq!(clear(&custody, &ending), clear(&custody, &ending.without(Renewable::Entries, 1)), "one that was cut off here is taken up");
    assert_eq!(ending.unfinished(Renewable::Entries), [1]);
    custody.destroy_epoch(Renewable::Entries, 1, &ending).unwrap();
    assert_eq!(ending.without(Renewable::Entries, 1).epochs(Renewable::Entries), [2]);
    custody.unwrap(DataKeyName::Page, &first).unwrap();
}

#[test]
fn the_epoch_in_use_and_one_that_is_not_marked_are_not_destroyed() {
    // F1: if the entry cannot be written, nothing is answered; so the key that writes is never destroyed
    let (custody, first) = opened("not in use");
    let both = custody.begin_epoch(Renewable::Entries, &first).unwrap();
    assert!(matches!(both.ending(Renewable::Entries, 2), Err(KeyError::EpochInUse { epoch: 2, .. })));
    assert!(matches!(both.ending(Renewable::Entries, 3), Err(KeyError::NoSuchEpoch { epoch: 3, .. })));
    for epoch in [1, 2] {
        assert!(matches!(custody.destroy_epoch(Renewable::Entries, epoch, &both), Err(KeyError::EpochInUse { .. })));
    }
    assert_eq!(clear(&custody, &both.without(Renewable::Entries, 1)).len(), 2, "what is not marked stays");
}

#[test]
fn an_epochs_key_that_may_leave_keeps_the_directory_down_though_nothing_is_wrapped_by_it() {
    // G2: not extractable, and checked for it at every start
    let (attachment, _) = token_with_keys("loose epoch");
    with_pin_holder(&attachment, |session| {
        let mut template = HsmKey::Epoch(Renewable::Records, 7).template();
        template.retain(|attribute| *attribute != Attribute::Extractable(false));
        template.push(Attribute::Extractable(true));
        session.generate_key(&HsmKey::Store.generation(), &template).unwrap();
    });
    let error = Custody::open(&attachment, &pin(PIN)).err().unwrap();
    assert!(matches!(&error, KeyError::Extractable { label } if label == "contactpoint-records-7"), "{error}");
}

#[test]
fn an_epochs_key_cannot_be_copied_inside_the_hsm_and_one_that_can_keeps_the_directory_down() {
    // F2, I2: the end of an epoch's key is the end of every copy of it
    let (attachment, _) = token_with_keys("copied epoch");
    with_pin_holder(&attachment, |session| {
        let key = objects(session, HsmKey::Epoch(Renewable::Entries, 1))[0];
        let copied = session.copy_object(key, &[]);
        assert!(matches!(copied, Err(Error::Pkcs11(RvError::ActionProhibited, _))), "{copied:?}");
    });
    Custody::open(&attachment, &pin(PIN)).unwrap();
    with_pin_holder(&attachment, |session| {
        let mut template = HsmKey::Epoch(Renewable::Records, 7).template();
        template.retain(|attribute| *attribute != Attribute::Copyable(false));
        let key = session.generate_key(&HsmKey::Store.generation(), &template).unwrap();
        let copy = session.copy_object(key, &[]).unwrap();
        session.destroy_object(copy).unwrap();
    });
    let error = Custody::open(&attachment, &pin(PIN)).err().unwrap();
    assert!(matches!(&error, KeyError::Copyable { label } if label == "contactpoint-records-7"), "{error}");
}

#[test]
fn an_epoch_that_never_was_and_one_that_is_to_come_have_no_end() {
    // G2: nothing is destroyed by a slip of the hand
    let (custody, first) = opened("no such epoch");
    let both = custody.begin_epoch(Renewable::Entries, &first).unwrap();
    for of in [Renewable::Records, Renewable::Entries] {
        for epoch in [0, 3, u32::MAX] {
            let refused = both.ending(of, epoch);
            assert!(matches!(refused, Err(KeyError::NoSuchEpoch { epoch: told, .. }) if told == epoch), "{of} {epoch}");
            assert!(matches!(custody.destroy_epoch(of, epoch, &both), Err(KeyError::EpochInUse { .. })));
        }
    }
    assert_eq!(clear(&custody, &both).len(), 2);
}

#[test]
fn a_key_that_a_cut_off_beginning_left_is_taken() {
    // G2: nothing is destroyed in passing
    let (custody, first) = opened("cut off beginning");
    drop(custody.begin_epoch(Renewable::Entries, &first).unwrap());
    let both = custody.begin_epoch(Renewable::Entries, &first).unwrap();
    assert_eq!(clear(&custody, &both).len(), 2);
}

#[test]
fn the_first_epoch_of_an_older_store_is_told_to_end_with_the_store_alone() {
    // I2: no erasure is claimed that an old copy would undo
    let (attachment, _) = token_with_keys("older store");
    let older = of_an_older_version(&attachment);
    let custody = Custody::open(&attachment, &pin(PIN)).unwrap();
    let both = custody.begin_epoch(Renewable::Entries, &older).unwrap();
    assert_eq!(custody.unwrap_epochs(Renewable::Entries, &both).unwrap().iter().map(|key| key.own).collect::<Vec<_>>(), [false, true]);
    let error = both.ending(Renewable::Entries, 1).err().unwrap();
    assert!(matches!(error, KeyError::NotErasable { epoch: 1, .. }) && error.to_string().contains("only with the store"), "{error}");
}
