//! Search tokens: what the store is searched by instead of names and numbers. HMAC-SHA-256, truncated to 16 bytes; equal inputs give
//! equal tokens, and without the key nothing can be tried out. Which combinations are tokenised is `store`'s business.

use aws_lc_rs::hmac;
use contactpoint_hardening::LockedBytes;

/// The key of all search tokens. The inner and outer hash states are computed once.
pub struct TokenKey(hmac::Key);

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

impl TokenKey {
    /// Takes the key out of locked memory into the precomputed state.
    #[must_use]
    pub fn new(key: LockedBytes<32>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret()))
    }

    /// From bytes that were worked out of another key.
    pub(crate) fn of_bytes(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The token of a combination of values. `kind` keeps tokens of different combinations apart; it and each part go in with their
    /// length in front (8 bytes, big-endian), so that no two lists of parts run together.
    #[must_use]
    pub fn token(&self, kind: &'static str, parts: &[&[u8]]) -> [u8; 16] {
        let mut state = hmac::Context::with_key(&self.0);
        for part in std::iter::once(&kind.as_bytes()).chain(parts) {
            state.update(&(part.len() as u64).to_be_bytes());
            state.update(part);
        }
        let mut token = [0; 16];
        token.copy_from_slice(&state.sign().as_ref()[..16]);
        token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key_of;
    use proptest::prelude::*;

    #[test]
    fn equal_values_give_equal_tokens_and_any_difference_another() {
        // G1: searched by tokens; D3: search by a combination
        let key = TokenKey::new(key_of(1));
        let token = key.token("family-dob", &[b"SMITH", b"2014-03-09"]);
        assert_eq!(key.token("family-dob", &[b"SMITH", b"2014-03-09"]), token);
        for other in [
            key.token("family-year", &[b"SMITH", b"2014-03-09"]),
            key.token("family-dob", &[b"SMITH2", b"014-03-09"]),
            key.token("family-dob", &[b"SMITH2014-03-09"]),
            key.token("family-dob", &[b"SMITH", b"2014-03-09", b""]),
            key.token("family-dob", &[b"2014-03-09", b"SMITH"]),
            TokenKey::new(key_of(2)).token("family-dob", &[b"SMITH", b"2014-03-09"]),
        ] {
            assert_ne!(other, token);
        }
    }

    #[test]
    fn a_token_is_the_stated_hmac() {
        // the construction in full: HMAC-SHA-256 over length-prefixed parts, the first 16 bytes
        let message = [&4u64.to_be_bytes()[..], b"kind", &2u64.to_be_bytes(), b"ab", &0u64.to_be_bytes()].concat();
        let whole = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]), &message);
        assert_eq!(TokenKey::new(key_of(1)).token("kind", &[b"ab", b""]), whole.as_ref()[..16]);
    }

    proptest! {
        #[test]
        fn no_two_lists_of_parts_run_together(a in proptest::collection::vec("[a-c]{0,3}", 0..4), b in proptest::collection::vec("[a-c]{0,3}", 0..4)) {
            // D3: a search finds what it states and nothing else
            let key = TokenKey::new(key_of(1));
            let token = |parts: &[String]| key.token("k", &parts.iter().map(String::as_bytes).collect::<Vec<_>>());
            prop_assert_eq!(token(&a) == token(&b), a == b);
        }
    }
}
