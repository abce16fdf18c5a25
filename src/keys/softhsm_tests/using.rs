//! The keys at work, judged by other libraries.

use super::{opened, pin, token_with_every_key, token_with_keys, with_pin_holder, PIN};
use crate::inspect::checked;
use crate::kind::HsmKey;
use crate::sessions::Sessions;
use crate::{Custody, DataKeyName, HeadPublicKey, KeyError, WrappedDataKeys};
use cryptoki::object::{Attribute, AttributeType};
use ed25519_dalek::Verifier as _;
use p256::pkcs8::DecodePublicKey as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

fn clear(custody: &Custody, wrapped: &WrappedDataKeys) -> Vec<[u8; 32]> {
    DataKeyName::ALL.iter().map(|name| *custody.unwrap(*name, wrapped).unwrap().expose_secret()).collect()
}

/// The file's text with something changed, read back.
fn edited(wrapped: &WrappedDataKeys, edit: impl FnOnce(String) -> String) -> Result<WrappedDataKeys, KeyError> {
    let directory = tempfile::tempdir().unwrap();
    let (good, bad) = (directory.path().join("good"), directory.path().join("bad"));
    wrapped.save(&good).unwrap();
    std::fs::write(&bad, edit(std::fs::read_to_string(good).unwrap())).unwrap();
    WrappedDataKeys::load(&bad)
}

#[test]
fn data_keys_differ_and_are_the_same_after_a_restart() {
    // G3: the store opens only with the HSM
    let (attachment, wrapped) = token_with_keys("restart");
    let first = clear(&Custody::open(&attachment, &pin(PIN)).unwrap(), &wrapped);
    let second = clear(&Custody::open(&attachment, &pin(PIN)).unwrap(), &edited(&wrapped, |text| text).unwrap());
    assert_eq!(first, second);
    for (at, key) in first.iter().enumerate() {
        assert!(!first[..at].contains(key));
        assert_ne!(*key, [0; 32]);
    }
}

#[test]
fn no_data_key_is_in_the_file() {
    // G3: nothing but ciphertext lies on the disk
    let (custody, wrapped) = opened("in the file");
    edited(&wrapped, |text| {
        for key in clear(&custody, &wrapped) {
            assert!(!text.contains(&data_encoding::HEXLOWER.encode(&key)));
        }
        text
    })
    .unwrap();
}

#[test]
fn every_changed_byte_of_a_wrapped_key_is_noticed() {
    // G3: moved, swapped or changed is noticed
    let (custody, wrapped) = opened("changed byte");
    let hex = wrapped.in_use(DataKeyName::Records).unwrap().wrapped.to_owned();
    for at in (0..hex.len()).step_by(2) {
        let mut bytes = hex.clone().into_bytes();
        bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
        let damaged = edited(&wrapped, |text| text.replace(&hex, std::str::from_utf8(&bytes).unwrap())).unwrap();
        let error = custody.unwrap(DataKeyName::Records, &damaged).err().unwrap();
        assert!(matches!(error, KeyError::WrappedKeyDamaged { name: DataKeyName::Records }), "{error}");
    }
    custody.unwrap(DataKeyName::Records, &wrapped).unwrap();
    custody.probe().unwrap();
}

#[test]
fn a_wrapped_key_that_is_no_key_at_all_is_damaged() {
    // G3: the store opens only with the HSM
    let (custody, wrapped) = opened("no key");
    let hex = wrapped.in_use(DataKeyName::Page).unwrap().wrapped.to_owned();
    for other in ["", "00", "zz", &hex[2..], &format!("{hex}00"), &hex.to_uppercase()] {
        let damaged = edited(&wrapped, |text| text.replace(&hex, other)).unwrap();
        assert!(matches!(custody.unwrap(DataKeyName::Page, &damaged), Err(KeyError::WrappedKeyDamaged { .. })));
    }
}

#[test]
fn swapped_names_and_another_epoch_are_noticed() {
    // G3: sealed for its own place
    let (custody, wrapped) = opened("swapped");
    let swapped = edited(&wrapped, |text| {
        text.replace("[keys.page]", "[keys.x]").replace("[keys.tokens]", "[keys.page]").replace("[keys.x]", "[keys.tokens]")
    });
    let renewed = edited(&wrapped, |text| text.replace("epoch = 1", "epoch = 2"));
    for name in [DataKeyName::Page, DataKeyName::Tokens] {
        for wrapped in [swapped.as_ref().unwrap(), renewed.as_ref().unwrap()] {
            assert!(matches!(custody.unwrap(name, wrapped), Err(KeyError::WrappedKeyDamaged { .. })));
        }
    }
}

#[test]
fn the_keys_of_another_token_do_not_open() {
    // G3: the store opens only with its HSM
    let (custody, _) = opened("one of two");
    let (_, of_other) = token_with_keys("other of two");
    assert_eq!(of_other.token(), "other of two");
    assert!(matches!(custody.unwrap(DataKeyName::Page, &of_other), Err(KeyError::WrappedKeyDamaged { .. })));
}

/// True where the public half alone verifies the signature, judged by libraries that are not the HSM's.
fn verifies(public: &HeadPublicKey, message: &[u8], signature: &[u8]) -> bool {
    match public {
        HeadPublicKey::Ed25519(public) => {
            let public = ed25519_dalek::VerifyingKey::from_bytes(public).unwrap();
            public.verify(message, &ed25519_dalek::Signature::from_slice(signature).unwrap()).is_ok()
        }
        HeadPublicKey::EcdsaP256(spki) => {
            let public = p256::ecdsa::VerifyingKey::from_public_key_der(spki).unwrap();
            let signature = p256::ecdsa::Signature::from_der(signature).unwrap();
            p256::ecdsa::signature::Verifier::verify(&public, message, &signature).is_ok()
        }
    }
}

#[test]
fn a_log_head_verifies_with_the_exported_key_alone_under_each_key() {
    // F2: anyone with the public key can verify
    let (attachment, _) = token_with_every_key("log head");
    let custody = Custody::open(&attachment, &pin(PIN)).unwrap();
    assert_eq!(custody.head_keys().len(), 2);
    for key in custody.head_keys() {
        for message in [&b""[..], b"contactpoint.example/log\n1\nAAAA\n", &[7; 5000]] {
            // a number with leading zeros comes once in a while, and DER drops them
            for _ in 0..40 {
                let signature = custody.sign_head(key, message).unwrap();
                assert!(verifies(key.public(), message, &signature) && !verifies(key.public(), b"another", &signature));
            }
        }
    }
}

#[test]
fn a_handshake_verifies_with_the_public_key_of_the_certificate() {
    // B1: the server's key is in the HSM; the peer sees plain ECDSA with SHA-256
    let (custody, _) = opened("handshake");
    let public = p256::ecdsa::VerifyingKey::from_public_key_der(custody.tls_public_key_spki()).unwrap();
    for round in 0..200_u32 {
        let signature = custody.sign_handshake(&round.to_be_bytes()).unwrap();
        assert!(signature.len() <= 72);
        let signature = p256::ecdsa::Signature::from_der(&signature).unwrap();
        p256::ecdsa::signature::Verifier::verify(&public, &round.to_be_bytes(), &signature).unwrap();
    }
}

#[test]
fn a_pepper_is_the_same_for_the_same_input_and_token_only() {
    // C2: peppered with an HSM key, so that a stolen store is useless
    let ((one, _), (other, _)) = (opened("pepper one"), opened("pepper other"));
    let of_one = one.pepper(b"password").unwrap();
    assert_eq!(*of_one, *one.pepper(b"password").unwrap());
    assert_ne!(*of_one, *one.pepper(b"passwore").unwrap());
    assert_ne!(*of_one, *other.pepper(b"password").unwrap());
    assert_ne!(*of_one, *one.pepper(b"").unwrap());
}

#[test]
fn no_key_tells_its_value() {
    // G2: not extractable. Reading a sensitive value gives nothing, not an error, so that nothing must be asserted
    let (attachment, _) = token_with_every_key("no value");
    with_pin_holder(&attachment, |session| {
        for key in HsmKey::OF_CEREMONY {
            let handle = checked(session, key).unwrap().handle();
            let read = session.get_attributes(handle, &[AttributeType::Value]).unwrap_or_default();
            assert!(read.iter().all(|attribute| *attribute == Attribute::Value(Vec::new())));
            let wrapping = checked(session, HsmKey::Store).unwrap().handle();
            assert!(session.wrap_key(&cryptoki::mechanism::Mechanism::AesKeyWrapPad, wrapping, handle).is_err());
        }
    });
}

#[test]
fn no_pin_holder_can_make_a_key_leave_later() {
    // G2: not extractable, for good
    let (attachment, _) = token_with_every_key("later");
    with_pin_holder(&attachment, |session| {
        for key in HsmKey::OF_CEREMONY {
            let handle = checked(session, key).unwrap().handle();
            for attribute in [Attribute::Extractable(true), Attribute::Sensitive(false), Attribute::Label(b"mine".to_vec())] {
                assert!(session.update_attributes(handle, &[attribute]).is_err());
            }
        }
    });
}

#[test]
fn many_threads_share_a_custody_and_each_gets_its_own_answer() {
    // Keys: a session serves one thread at a time; the pool hands them out
    let (custody, wrapped) = opened("many threads");
    let pepper = custody.pepper(b"x").unwrap();
    let head = &custody.head_keys()[0];
    let page = *custody.unwrap(DataKeyName::Page, &wrapped).unwrap().expose_secret();
    std::thread::scope(|scope| {
        for thread in 0..24_u32 {
            let (custody, wrapped, pepper) = (&custody, &wrapped, &pepper);
            scope.spawn(move || {
                for round in 0..20 {
                    let message = (thread * 1000 + round).to_be_bytes();
                    assert!(verifies(head.public(), &message, &custody.sign_head(head, &message).unwrap()));
                    assert_eq!(custody.pepper(b"x").unwrap(), *pepper);
                    assert_eq!(*custody.unwrap(DataKeyName::Page, wrapped).unwrap().expose_secret(), page);
                    custody.probe().unwrap();
                }
            });
        }
    });
}

#[test]
fn several_custodies_of_one_token_live_side_by_side() {
    // PKCS#11: C_Initialize works once a process
    let (attachment, wrapped) = token_with_keys("side by side");
    let first = Custody::open(&attachment, &pin(PIN)).unwrap();
    let second = Custody::open(&attachment, &pin(PIN)).unwrap();
    drop(first);
    second.probe().unwrap();
    second.unwrap(DataKeyName::Page, &wrapped).unwrap();
}

#[test]
fn the_pool_has_a_limit_and_says_when_it_is_busy() {
    // Keys: session limits; a caller is told in bounded time
    let (attachment, _) = token_with_keys("busy");
    let mut sessions = Sessions::open(&attachment, &pin(PIN)).unwrap();
    sessions.set_patience(Duration::from_millis(50));
    let (all_in, all_done, at_once) = (Arc::new(Barrier::new(9)), Arc::new(Barrier::new(9)), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                sessions.run("waiting", |_session| {
                    at_once.fetch_add(1, Ordering::SeqCst);
                    all_in.wait();
                    all_done.wait();
                    Ok(())
                })
            });
        }
        all_in.wait();
        assert!(matches!(sessions.run("a ninth", |_session| Ok(())), Err(KeyError::Busy { .. })));
        all_done.wait();
    });
    assert_eq!(at_once.load(Ordering::SeqCst), 8);
    sessions.run("after", |_session| Ok(())).unwrap();
}
