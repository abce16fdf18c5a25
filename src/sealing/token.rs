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
