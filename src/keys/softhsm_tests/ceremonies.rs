//! Ceremonies that must not happen, and those that broke off.

use super::{empty_token, opened, pin, token_with_keys, with_pin_holder, PIN};
use crate::ceremony::{make, make_all};
use crate::kind::HsmKey;
use crate::{ceremony, Custody, DataKeyName, KeyError};

#[test]
fn a_second_ceremony_is_refused_and_changes_nothing() {
    // G2: nobody replaces a key in passing
    let (attachment, wrapped) = token_with_keys("second");
    let before = Custody::open(&attachment, &pin(PIN)).unwrap();
    let error = ceremony(&attachment, &pin(PIN)).err().unwrap();
    assert!(matches!(&error, KeyError::AlreadyMade { present, missing, .. } if present.len() == 6 && missing.is_empty()), "{error}");
    assert!(error.to_string().contains("nothing was changed"));
    let after = Custody::open(&attachment, &pin(PIN)).unwrap();
    assert_eq!(before.head_keys()[0].public(), after.head_keys()[0].public());
    assert_eq!(before.tls_public_key_spki(), after.tls_public_key_spki());
    assert_eq!(before.pepper(b"x").unwrap(), after.pepper(b"x").unwrap());
    after.unwrap(DataKeyName::Page, &wrapped).unwrap();
    let objects = with_pin_holder(&attachment, |session| session.find_objects(&[]).unwrap().len());
    assert_eq!(objects, 8, "four secret keys, two pairs");
}

#[test]
fn a_ceremony_that_breaks_off_says_what_exists_and_what_to_do() {
    // G2: key ceremony; what is half made is told and never used
    let attachment = empty_token("broken off");
    let third_fails = |session: &_, key| match key {
        HsmKey::Tls => Err(KeyError::Malformed { doing: "making a key" }),
        HsmKey::Store | HsmKey::Audit | HsmKey::AuditP256 | HsmKey::Pepper | HsmKey::Epoch(..) => make(session, key),
    };
    let error = with_pin_holder(&attachment, |session| make_all(session, &attachment.heads.keys(), third_fails)).err().unwrap();
    assert!(matches!(&error, KeyError::CeremonyBrokeOff { made, .. } if made == &["contactpoint-store", "contactpoint-audit"]), "{error}");
    let sentence = error.to_string();
    assert!(sentence.contains("now holds contactpoint-store, contactpoint-audit; nothing depends on it yet"), "{sentence}");
    assert!(sentence.contains("initialise the token anew"));
}

#[test]
fn a_ceremony_after_one_that_broke_off_is_refused_and_says_what_is_missing() {
    // G2: key ceremony; what is half made is told and never used
    let attachment = empty_token("after broken off");
    with_pin_holder(&attachment, |session| make(session, HsmKey::Audit).unwrap());
    let error = ceremony(&attachment, &pin(PIN)).err().unwrap();
    let sentence = error.to_string();
    assert!(
        sentence.contains("already holds contactpoint-audit but not contactpoint-store, contactpoint-tls, contactpoint-pepper, contactpoint-records-1, contactpoint-entries-1"),
        "{sentence}"
    );
    assert!(sentence.contains("An earlier ceremony broke off"));
    let objects = with_pin_holder(&attachment, |session| session.find_objects(&[]).unwrap().len());
    assert_eq!(objects, 2, "the pair that was there, and nothing new");
}

#[test]
fn a_key_of_another_ceremony_refuses_one_that_would_not_make_it() {
    // G2: key ceremony; a token takes one, whatever signs its log
    let attachment = empty_token("other heads");
    with_pin_holder(&attachment, |session| make(session, HsmKey::AuditP256).unwrap());
    let error = ceremony(&attachment, &pin(PIN)).err().unwrap();
    assert!(matches!(&error, KeyError::AlreadyMade { present, .. } if present == &["contactpoint-audit-p256"]), "{error}");
}

#[test]
fn a_ceremony_with_a_wrong_pin_makes_nothing() {
    // G2: key ceremony
    let attachment = empty_token("ceremony wrong pin");
    assert!(matches!(ceremony(&attachment, &pin("000000")), Err(KeyError::PinRefused { .. })));
    assert_eq!(with_pin_holder(&attachment, |session| session.find_objects(&[]).unwrap().len()), 0);
}

#[test]
fn two_ceremonies_make_different_keys() {
    // G7: test systems have their own keys
    let ((one, _), (other, _)) = (opened("different one"), opened("different other"));
    assert_ne!(one.head_keys()[0].public(), other.head_keys()[0].public());
    assert_ne!(one.tls_public_key_spki(), other.tls_public_key_spki());
}
