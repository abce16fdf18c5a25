//! The newest signed head on a real token.

use super::{opened, pin, token_with_keys, with_pin_holder, PIN};
use crate::Custody;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

const LOG: &str = "1a2b3c4d";

fn data_objects(session: &Session) -> Vec<ObjectHandle> {
    session.find_objects(&[Attribute::Class(ObjectClass::DATA)]).unwrap()
}

#[test]
fn a_token_keeps_the_last_head_of_a_log_also_for_the_next_start() {
    // G3: the head kept on the token is what a store is held against at the start
    let (attachment, _) = token_with_keys("last head");
    let custody = Custody::open(&attachment, &pin(PIN)).unwrap();
    assert!(custody.kept_heads(LOG).unwrap().is_empty(), "never kept is told from kept");
    for head in ["one", "two, which is longer", "three"] {
        custody.keep_head(LOG, head.as_bytes()).unwrap();
    }
    drop(custody);
    let again = Custody::open(&attachment, &pin(PIN)).unwrap();
    assert_eq!(again.kept_heads(LOG).unwrap(), [b"three".to_vec()]);
    assert!(again.kept_heads("00000000").unwrap().is_empty(), "another log's are not ours");
}

#[test]
fn a_head_is_private_on_the_token() {
    // docs/key-ceremony.md: CKO_DATA, on the token, private
    let (attachment, _) = token_with_keys("attributes");
    Custody::open(&attachment, &pin(PIN)).unwrap().keep_head(LOG, b"a head").unwrap();
    with_pin_holder(&attachment, |session| {
        let [object] = data_objects(session)[..] else { panic!("one object after one head") };
        let types = [AttributeType::Token, AttributeType::Private, AttributeType::Modifiable, AttributeType::Label];
        let read = session.get_attributes(object, &types).unwrap();
        let label = Attribute::Label(b"contactpoint-head-1a2b3c4d".to_vec());
        for wanted in [Attribute::Token(true), Attribute::Private(true), Attribute::Modifiable(false), label] {
            assert!(read.contains(&wanted), "{wanted:?} is not among {read:?}");
        }
    });
}

#[test]
fn a_write_that_was_cut_off_is_told_with_the_head_before_it_and_is_cleared_by_the_next() {
    // F2: heads are signed; one of them is always whole
    let (attachment, _) = token_with_keys("cut off");
    let custody = Custody::open(&attachment, &pin(PIN)).unwrap();
    custody.keep_head(LOG, b"a whole one").unwrap();
    with_pin_holder(&attachment, |session| {
        let label = Attribute::Label(b"contactpoint-head-1a2b3c4d".to_vec());
        session.create_object(&[Attribute::Class(ObjectClass::DATA), Attribute::Token(true), Attribute::Private(true), label]).unwrap();
    });
    let mut kept = custody.kept_heads(LOG).unwrap();
    kept.sort();
    assert_eq!(kept, [Vec::new(), b"a whole one".to_vec()]);
    custody.keep_head(LOG, b"the next").unwrap();
    assert_eq!(custody.kept_heads(LOG).unwrap(), [b"the next".to_vec()]);
}

#[test]
fn heads_are_kept_while_other_threads_sign() {
    // Keys: a session serves one thread at a time; the one that writes is no other's
    let (custody, _) = opened("side by side with heads");
    std::thread::scope(|scope| {
        scope.spawn(|| (0..50).for_each(|round| custody.keep_head(LOG, format!("head {round}").as_bytes()).unwrap()));
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| drop(custody.sign_head(&custody.head_keys()[0], b"x").unwrap())));
        }
    });
    assert!(custody.kept_heads(LOG).unwrap() == [b"head 49".to_vec()]);
}
