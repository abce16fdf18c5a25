//! The token goes away under a running daemon. Recovery is not built yet; the probe must tell.

use super::{opened, pin, token_with_keys, with_pin_holder, PIN};
use crate::attachment::slots;
use crate::kind::HsmKey;
use crate::{Custody, DataKeyName, KeyError};

#[test]
fn a_probe_succeeds_while_the_keys_are_there() {
    // architecture, keys: liveness is a real key operation
    opened("there").0.probe().unwrap();
}

#[test]
fn a_probe_notices_that_the_keys_are_gone() {
    // Keys: liveness is a real signature, since slots and sessions outlive the keys
    let (attachment, wrapped) = token_with_keys("gone");
    let custody = Custody::open(&attachment, &pin(PIN)).unwrap();
    with_pin_holder(&attachment, |session| HsmKey::OF_CEREMONY.iter().for_each(|key| super::destroy(session, *key)));
    // evidence is what the HSM says now, not what it said at the start
    assert!(matches!(custody.attributes(), Err(KeyError::TokenLost { .. })));
    let error = custody.probe().err().unwrap();
    assert!(matches!(error, KeyError::TokenLost { .. }), "{error}");
    assert!(error.to_string().contains("restart contactpointd"));
    assert!(matches!(custody.sign_head(&custody.head_keys()[0], b"x"), Err(KeyError::TokenLost { .. })));
    assert!(matches!(custody.sign_handshake(b"x"), Err(KeyError::TokenLost { .. })));
    assert!(matches!(custody.pepper(b"x"), Err(KeyError::TokenLost { .. })));
    assert!(matches!(custody.unwrap(DataKeyName::Page, &wrapped), Err(KeyError::TokenLost { .. })));
}

#[test]
fn a_probe_notices_that_somebody_logged_out() {
    // Keys: a log-out kills every private handle for good
    let (attachment, _) = token_with_keys("logged out");
    let custody = Custody::open(&attachment, &pin(PIN)).unwrap();
    with_pin_holder(&attachment, |session| session.logout().unwrap());
    assert!(matches!(custody.probe(), Err(KeyError::TokenLost { .. })));
}

#[test]
fn a_token_that_is_gone_is_noticed_and_does_not_hide_the_others() {
    // Keys: losing the token; slots still list and sessions are still open
    let ((attachment, _), (other, _)) = (token_with_keys("pulled out"), token_with_keys("still there"));
    let custody = Custody::open(&attachment, &pin(PIN)).unwrap();
    custody.probe().unwrap();
    let (module, slot) = attachment.attach().unwrap();
    let serial = module.get_token_info(slot).unwrap().serial_number().to_owned();
    let tokens = std::fs::read_dir(super::token_directory().join("tokens")).unwrap().flatten();
    let is_ours = |name: &str| name.replace('-', "").ends_with(&serial);
    let ours = tokens.map(|token| token.path()).find(|path| is_ours(&path.to_string_lossy())).unwrap();
    std::fs::rename(&ours, ours.parent().unwrap().with_file_name("pulled out")).unwrap();
    assert!(slots(&module).unwrap().contains(&slot));
    assert!(matches!(custody.probe(), Err(KeyError::TokenLost { .. })));
    assert!(matches!(Custody::open(&attachment, &pin(PIN)), Err(KeyError::TokenAbsent { .. })));
    Custody::open(&other, &pin(PIN)).unwrap().probe().unwrap();
}
