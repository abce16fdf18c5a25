//! Custody of the keys in the HSM; the only crate that names cryptoki.
//!
//! For: the key ceremony ([`ceremony`]), the check at every start that each key is what it must be ([`Custody::open`], rule G2), unwrapping
//! the data keys into locked memory, beginning and destroying their epochs, signing log heads and TLS handshakes, keeping the newest signed head on the token, peppering passwords,
//! liveness ([`Custody::probe`]). Leaves to others: what the data keys seal (`sealing`, `store`), what a head says (`audit`). Does not promise: that the HSM is a good one, nor
//! recovery of a lost token while running (reported as [`KeyError::TokenLost`]; restart). Standard: PKCS #11 v2.40/v3.0 (OASIS).
//!
//! The interface is narrow on purpose (unwrap, sign a head, keep a head, sign a handshake, pepper, probe), so that custody can move into a process of
//! its own.

mod attachment;
mod ceremony;
mod custody;
mod data_keys;
mod der;
mod epochs;
mod error;
mod head_keys;
mod heads;
mod inspect;
mod kind;
mod pin;
mod public_halves;
mod sessions;
#[cfg(test)]
mod softhsm_tests;
#[cfg(any(test, feature = "dangerous-test-token"))]
mod test_token;
mod wrapping;

pub use attachment::Attachment;
pub use ceremony::ceremony;
pub use custody::Custody;
pub use data_keys::{DataKeyName, Renewable, WrappedDataKeys};
pub use epochs::EpochKey;
pub use error::KeyError;
pub use head_keys::{HeadKey, HeadKeys, HeadPublicKey};
pub use inspect::KeyReport;
pub use pin::Pin;
#[cfg(any(test, feature = "dangerous-test-token"))]
pub use test_token::dangerous_make_token;

#[cfg(all(feature = "dangerous-test-token", not(debug_assertions)))]
compile_error!("the feature dangerous-test-token makes tokens with a known PIN; a release build refuses it");
