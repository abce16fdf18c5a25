//! Short texts that a caller carries for us between two requests and cannot read, forge or use elsewhere. AES-256-GCM (NIST SP 800-38D) under a
//! key that is made at the start and never leaves the process, with a random nonce in front; what the text is bound to is its associated
//! data. Does not promise that one is used once, nor that it outlives a restart.

use crate::aead::{self, KEY, NONCE, TAG};
use crate::SealError;
use aws_lc_rs::aead::LessSafeKey;
use zeroize::Zeroizing;

/// Seals and opens them.
pub struct PassageSealer(LessSafeKey);

impl std::fmt::Debug for PassageSealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PassageSealer(..)")
    }
}

impl PassageSealer {
    /// Under a fresh key.
    pub fn fresh() -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0; KEY]);
        aead::randomise(key.as_mut_slice())?;
        aead::expanded(&key).map(Self)
    }

    /// Seals a text for what it is bound to.
    pub fn seal(&self, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE];
        aead::randomise(&mut nonce)?;
        let mut sealed = Vec::with_capacity(NONCE + plain.len() + TAG);
        aead::seal_onto(&mut sealed, &self.0, nonce, bound_to, plain)?;
        Ok(sealed)
    }

    /// The text, where it was sealed here for this.
    pub fn open(&self, bound_to: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(SealError::Malformed)?;
        let mut text = rest.to_vec();
        let length = aead::open_in_place(&self.0, *nonce, bound_to, &mut text)?;
        text.truncate(length);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_opens_where_it_was_bound_to_and_nowhere_else() {
        // D5: a place in a queue belongs to whoever was given it
        let sealer = PassageSealer::fresh().unwrap();
        let sealed = sealer.seal(b"mine", b"place 17").unwrap();
        assert_eq!(sealer.open(b"mine", &sealed).unwrap(), b"place 17");
        assert_ne!(sealer.seal(b"mine", b"place 17").unwrap(), sealed);
        assert!(sealer.open(b"theirs", &sealed).is_err());
        assert!(PassageSealer::fresh().unwrap().open(b"mine", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 1;
            assert!(sealer.open(b"mine", &forged).is_err(), "{at}");
            assert!(sealer.open(b"mine", &sealed[..at]).is_err(), "{at}");
        }
    }
}
