//! What is refused at start (rule G2).

use super::{destroy, empty_token, objects, pin, token_with_every_key, token_with_keys, with_pin_holder, MODULE, PIN};
use crate::kind::{HsmKey, ED25519_PARAMETERS};
use crate::{ceremony, Attachment, Custody, HeadKeys, HeadPublicKey, KeyError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};
use cryptoki::session::Session;

/// The template of the ceremony with some attributes replaced.
fn template_with(key: HsmKey, other: &[Attribute]) -> Vec<Attribute> {
    let is_replaced = |attribute: &Attribute| other.iter().any(|new| new.attribute_type() == attribute.attribute_type());
    let kept = key.template().into_iter().filter(|attribute| !is_replaced(attribute));
    kept.chain(other.iter().cloned()).collect()
}

fn make_with(session: &Session, key: HsmKey, other: &[Attribute]) {
    let template = template_with(key, other);
    if key.curve().is_some() {
        session.generate_key_pair(&key.generation(), &key.public_template(), &template).unwrap();
    } else {
        session.generate_key(&key.generation(), &template).unwrap();
    }
}

/// A token after its ceremony on which somebody with the PIN did something to one key; then it is opened.
fn refusal(test: &str, key: HsmKey, act: impl FnOnce(&Session)) -> KeyError {
    let (attachment, _) = token_with_every_key(&format!("{test} {}", &key.label()["contactpoint-".len()..]));
    with_pin_holder(&attachment, act);
    let error = Custody::open(&attachment, &pin(PIN)).err().unwrap();
    assert!(error.to_string().contains(&key.label()), "{error}");
    error
}

fn refusal_of_replacement(test: &str, key: HsmKey, other: &[Attribute]) -> KeyError {
    refusal(test, key, |session| {
        destroy(session, key);
        make_with(session, key, other);
    })
}

#[test]
fn the_keys_of_a_ceremony_are_accepted_and_reported() {
    // G2: master keys live in the HSM, are not extractable, and are checked for it at every start
    let (attachment, _) = token_with_every_key("accepted");
    let reports = Custody::open(&attachment, &pin(PIN)).unwrap().attributes().unwrap();
    assert_eq!(
        reports.iter().map(|report| report.label.as_str()).collect::<Vec<_>>(),
        [
            "contactpoint-store",
            "contactpoint-audit",
            "contactpoint-audit-p256",
            "contactpoint-tls",
            "contactpoint-pepper",
            "contactpoint-entries-1",
            "contactpoint-records-1"
        ]
    );
    let (secret, private) = ("secret-key", "private-key");
    let classes = [secret, private, private, private, secret, secret, secret];
    assert_eq!(reports.iter().map(|report| report.class).collect::<Vec<_>>(), classes);
    for report in reports {
        assert!(report.sensitive && report.always_sensitive && report.never_extractable && report.local && !report.extractable, "{report}");
    }
}

#[test]
fn a_key_that_may_leave_is_refused() {
    // G2: not extractable, and checked for it at every start
    for key in HsmKey::OF_CEREMONY {
        let error = refusal_of_replacement("may leave", key, &[Attribute::Extractable(true)]);
        assert!(matches!(&error, KeyError::Extractable { label } if *label == key.label()), "{error}");
    }
}

#[test]
fn a_key_that_is_readable_is_refused() {
    // G2: master keys live in the HSM; a value that can be read lives elsewhere as well
    for key in HsmKey::OF_CEREMONY {
        let error = refusal_of_replacement("readable", key, &[Attribute::Sensitive(false)]);
        assert!(matches!(&error, KeyError::NotSensitive { label } if *label == key.label()), "{error}");
    }
}

#[test]
fn a_key_that_once_could_leave_is_refused_though_it_no_longer_can() {
    // G2: never extractable, not only now
    let key = HsmKey::Store;
    let error = refusal("once could leave", key, |session| {
        destroy(session, key);
        make_with(session, key, &[Attribute::Extractable(true), Attribute::Modifiable(true)]);
        session.update_attributes(objects(session, key)[0], &[Attribute::Extractable(false)]).unwrap();
    });
    assert!(matches!(error, KeyError::Extractable { .. }), "{error}");
}

#[test]
fn a_key_that_once_was_readable_is_refused_though_it_no_longer_is() {
    // G2: always sensitive, not only now
    let key = HsmKey::Pepper;
    let error = refusal("once readable", key, |session| {
        destroy(session, key);
        make_with(session, key, &[Attribute::Sensitive(false), Attribute::Modifiable(true)]);
        session.update_attributes(objects(session, key)[0], &[Attribute::Sensitive(true)]).unwrap();
    });
    assert!(matches!(error, KeyError::NotSensitive { .. }), "{error}");
}

#[test]
fn an_imported_key_is_refused() {
    // G2: whoever brought a key in has a copy of it
    let key = HsmKey::Store;
    let error = refusal("imported", key, |session| {
        destroy(session, key);
        let is_size = |attribute: &Attribute| attribute.attribute_type() == AttributeType::ValueLen;
        let mut template: Vec<_> = key.template().into_iter().filter(|attribute| !is_size(attribute)).collect();
        template.extend([Attribute::Class(ObjectClass::SECRET_KEY), Attribute::KeyType(KeyType::AES), Attribute::Value(vec![7; 32])]);
        session.create_object(&template).unwrap();
    });
    assert!(matches!(error, KeyError::NotLocal { .. }), "{error}");
}

#[test]
fn a_missing_key_is_named() {
    // G2: the keys, each
    for key in HsmKey::OF_CEREMONY.into_iter().take(5) {
        let error = refusal("missing", key, |session| destroy(session, key));
        assert!(matches!(&error, KeyError::Missing { label } if *label == key.label()), "{error}");
    }
}

#[test]
fn a_key_that_signs_heads_is_asked_for_or_not_and_one_that_is_asked_for_must_be_there() {
    // F2: heads are signed in the HSM, by the keys that the settings ask for; G2: checked at every start
    let (ed25519, _) = token_with_keys("heads of one");
    for heads in [HeadKeys::EcdsaP256, HeadKeys::Both] {
        let error = Custody::open(&Attachment { heads, ..ed25519.clone() }, &pin(PIN)).err().unwrap();
        assert!(matches!(&error, KeyError::Missing { label } if label == "contactpoint-audit-p256"), "{error}");
    }
    let without_eddsa = Attachment { heads: HeadKeys::EcdsaP256, ..empty_token("heads of p256") };
    ceremony(&without_eddsa, &pin(PIN)).unwrap();
    let custody = Custody::open(&without_eddsa, &pin(PIN)).unwrap();
    assert!(matches!(custody.head_keys(), [key] if matches!(key.public(), HeadPublicKey::EcdsaP256(_))));
    let error = Custody::open(&Attachment { heads: HeadKeys::Both, ..without_eddsa.clone() }, &pin(PIN)).err().unwrap();
    assert!(matches!(&error, KeyError::Missing { label } if label == "contactpoint-audit"), "{error}");
    let (both, _) = token_with_every_key("heads of both");
    let custody = Custody::open(&both, &pin(PIN)).unwrap();
    assert!(matches!(custody.head_keys(), [first, second]
        if matches!((first.public(), second.public()), (HeadPublicKey::Ed25519(_), HeadPublicKey::EcdsaP256(_)))));
}

#[test]
fn a_missing_public_half_is_named() {
    // G2: master keys are checked at every start
    for key in [HsmKey::Audit, HsmKey::AuditP256, HsmKey::Tls] {
        let error = refusal("no public", key, |session| {
            let template = [Attribute::Label(key.label().into()), Attribute::Class(ObjectClass::PUBLIC_KEY)];
            session.destroy_object(session.find_objects(&template).unwrap()[0]).unwrap();
        });
        assert!(matches!(&error, KeyError::Missing { label } if *label == key.label()), "{error}");
    }
}

#[test]
fn an_empty_token_says_that_the_ceremony_is_missing() {
    // G2: master keys are checked at every start
    let error = Custody::open(&empty_token("empty"), &pin(PIN)).err().unwrap();
    assert!(matches!(error, KeyError::Missing { .. }));
    assert!(error.to_string().contains("contactpoint-at-hsm ceremony"));
}

#[test]
fn a_key_of_another_size_curve_or_class_is_refused() {
    // G2: each key is what the ceremony makes
    let short = refusal_of_replacement("short", HsmKey::Store, &[Attribute::ValueLen(16.into())]);
    let curve = refusal("curve", HsmKey::Tls, |session| {
        destroy(session, HsmKey::Tls);
        let mut public = HsmKey::Tls.public_template();
        public.retain(|attribute| attribute.attribute_type() != AttributeType::EcParams);
        public.push(Attribute::EcParams(vec![0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22])); // secp384r1
        session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &HsmKey::Tls.template()).unwrap();
    });
    let class = refusal("class", HsmKey::Audit, |session| {
        destroy(session, HsmKey::Audit);
        let label = Attribute::Label(HsmKey::Audit.label().into());
        session.generate_key(&Mechanism::AesKeyGen, &template_with(HsmKey::Store, &[label])).unwrap();
    });
    let kind = refusal("kind", HsmKey::Pepper, |session| {
        destroy(session, HsmKey::Pepper);
        let label = Attribute::Label(HsmKey::Pepper.label().into());
        session.generate_key(&Mechanism::AesKeyGen, &template_with(HsmKey::Store, &[label])).unwrap();
    });
    for error in [short, curve, class, kind] {
        assert!(matches!(error, KeyError::WrongType { .. }), "{error}");
    }
}

#[test]
fn two_keys_with_one_label_are_refused() {
    // G2: which of the two was checked must not be a matter of luck
    for key in HsmKey::OF_CEREMONY {
        let error = refusal("twice", key, |session| make_with(session, key, &[]));
        assert!(matches!(error, KeyError::Twice { count: 2, .. }), "{error}");
    }
}

#[test]
fn a_key_that_may_do_more_than_its_task_is_refused() {
    // G2: a store key that wraps would carry other keys out; the table of tasks is docs/key-ceremony.md's
    let wraps = refusal_of_replacement("wraps", HsmKey::Store, &[Attribute::Wrap(true)]);
    let unwraps = refusal_of_replacement("unwraps", HsmKey::Store, &[Attribute::Unwrap(true)]);
    let derives = refusal_of_replacement("derives", HsmKey::Tls, &[Attribute::Derive(true)]);
    let decrypts = refusal_of_replacement("decrypts", HsmKey::Audit, &[Attribute::Decrypt(true)]);
    let derives_heads = refusal_of_replacement("derives", HsmKey::AuditP256, &[Attribute::Derive(true)]);
    for error in [wraps, unwraps, derives, derives_heads, decrypts] {
        assert!(matches!(error, KeyError::WrongUsage { .. }), "{error}");
    }
}

#[test]
fn a_public_key_of_another_pair_is_refused() {
    // F2: anyone with the public key can verify, so it must be the right one
    for key in [HsmKey::Audit, HsmKey::AuditP256, HsmKey::Tls] {
        let error = refusal("not a pair", key, |session| {
            let public = [Attribute::Label(key.label().into()), Attribute::Class(ObjectClass::PUBLIC_KEY)];
            session.destroy_object(session.find_objects(&public).unwrap()[0]).unwrap();
            let stranger = template_with(key, &[Attribute::Label(b"a stranger".to_vec())]);
            session.generate_key_pair(&key.generation(), &key.public_template(), &stranger).unwrap();
        });
        assert!(matches!(error, KeyError::NotAPair { .. }), "{error}");
    }
    assert_eq!(HsmKey::Audit.curve(), Some(ED25519_PARAMETERS));
}

#[test]
fn a_wrong_pin_is_refused_once_and_the_right_one_still_works() {
    // Keys: a refused PIN is never tried again by itself; each refusal counts towards the token's lock
    let (attachment, _) = token_with_keys("wrong pin");
    let error = Custody::open(&attachment, &pin("135792")).err().unwrap();
    assert!(matches!(error, KeyError::PinRefused { .. }), "{error}");
    assert!(error.to_string().contains("not tried again"));
    assert!(!format!("{error} {error:?}").contains("135792"));
    let (module, slot) = attachment.attach().unwrap();
    assert!(module.get_token_info(slot).unwrap().user_pin_count_low());
    Custody::open(&attachment, &pin(PIN)).unwrap();
}

#[test]
fn an_absent_token_and_an_absent_module_are_told_apart() {
    // Style: each failure is one sentence on what to do
    super::token_directory();
    let no_token = Attachment { module: MODULE.into(), token: "nobody made this".into(), heads: HeadKeys::Ed25519 };
    assert!(matches!(Custody::open(&no_token, &pin(PIN)), Err(KeyError::TokenAbsent { .. })));
    let no_module = Attachment { module: "/nonexistent/module.so".into(), token: "any".into(), heads: HeadKeys::Ed25519 };
    let error = Custody::open(&no_module, &pin(PIN)).err().unwrap();
    assert!(matches!(error, KeyError::Module { .. }));
    assert!(error.to_string().contains("[hsm] module"));
}

#[test]
fn two_tokens_with_one_label_are_refused() {
    // G2: master keys are checked at every start: which are ours must be certain
    let attachment = empty_token("two of me");
    empty_token("two of me");
    assert!(matches!(Custody::open(&attachment, &pin(PIN)), Err(KeyError::TokenTwice { count: 2, .. })));
}
