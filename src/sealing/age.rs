//! Files for one recipient, in the format of age (<https://c2sp.org/age>), X25519 recipients alone: what statements and evidence leave the
//! directory in (rules F3, F5, G8), so that whoever asked for one, and every machine on its way, holds bytes that they cannot read.
//!
//! Written here and not taken from the crate `age`: one kind of recipient takes X25519, HKDF and ChaCha20-Poly1305, all of which the library that
//! is here already has, while the crate brings a hundred others along, pre-releases of cryptography among them. Held against the program `age` in
//! the tests. Does not promise: who the recipient is, nor who sealed the file; the statement inside is signed.

use crate::SealError;
use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce, UnboundKey, CHACHA20_POLY1305};
use aws_lc_rs::agreement::{agree, agree_ephemeral, EphemeralPrivateKey, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::hkdf::{KeyType, Salt, HKDF_SHA256};
use aws_lc_rs::{constant_time, hmac, rand::SystemRandom};
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use base64::Engine as _;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use zeroize::Zeroizing;

const VERSION: &str = "age-encryption.org/v1";
const STANZA: &str = "-> X25519 ";
const WRAP_LABEL: &[u8] = b"age-encryption.org/v1/X25519";
const PUBLIC: Hrp = Hrp::parse_unchecked("age");
const SECRET: Hrp = Hrp::parse_unchecked("age-secret-key-");
const KEY: usize = 32;
const FILE_KEY: usize = 16;
const TAG: usize = 16;
const CHUNK: usize = 64 * 1024;

/// What is no recipient, no identity, or no file for this identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgeFault {
    /// A recipient is `age1` and a Bech32 text of 32 bytes.
    #[error("a recipient is an X25519 key of age: age1...")]
    Recipient,
    /// An identity is `AGE-SECRET-KEY-1` and a Bech32 text of 32 bytes.
    #[error("an identity is an X25519 key of age: AGE-SECRET-KEY-1...")]
    Identity,
    /// The file is no age file for one X25519 recipient, or was cut off.
    #[error("the file is none that was sealed for an X25519 recipient of age")]
    Form,
    /// It is for somebody else, or altered.
    #[error("the file does not open with this identity: it is for somebody else, or was altered")]
    NotForThis,
    /// The library refused to work.
    #[error(transparent)]
    Library(#[from] SealError),
}

/// Whom a file is sealed for: a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient([u8; KEY]);

impl std::str::FromStr for Recipient {
    type Err = AgeFault;
    fn from_str(text: &str) -> Result<Self, AgeFault> {
        let recipient = decoded(text, PUBLIC).map(Self).filter(|_| text.starts_with("age1")).ok_or(AgeFault::Recipient)?;
        // one key has one spelling, and a key of small order, for which nothing can be sealed, is refused before anything is done for it
        if recipient.to_string() != text {
            return Err(AgeFault::Recipient);
        }
        recipient.stanza(&[0; FILE_KEY]).map(|_| recipient)
    }
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&bech32::encode::<Bech32>(PUBLIC, &self.0).map_err(|_| std::fmt::Error)?)
    }
}

/// The private half.
pub struct Identity(Zeroizing<[u8; KEY]>);

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}

impl std::str::FromStr for Identity {
    type Err = AgeFault;
    /// One line; blank lines and comments (`#`) of a key file are passed over.
    fn from_str(text: &str) -> Result<Self, AgeFault> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (Some(line), None) = (lines.next(), lines.next()) else { return Err(AgeFault::Identity) };
        let key = decoded(line, SECRET).map(Zeroizing::new).ok_or(AgeFault::Identity)?;
        // one key has one spelling, which age-keygen writes in capitals
        let spelling = bech32::encode_upper::<Bech32>(SECRET, key.as_slice()).map(Zeroizing::new).map_err(|_| AgeFault::Identity)?;
        if spelling.as_str() != line {
            return Err(AgeFault::Identity);
        }
        Ok(Self(key))
    }
}

fn decoded(text: &str, prefix: Hrp) -> Option<[u8; KEY]> {
    let checked = CheckedHrpstring::new::<Bech32>(text).ok().filter(|checked| checked.hrp() == prefix)?;
    checked.byte_iter().collect::<Vec<u8>>().try_into().ok()
}

impl Recipient {
    /// From the 32 bytes of the public key.
    #[must_use]
    pub const fn of_bytes(key: [u8; KEY]) -> Self {
        Self(key)
    }

    /// The public key.
    #[must_use]
    pub const fn bytes(self) -> [u8; KEY] {
        self.0
    }

    /// The whole age file.
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, AgeFault> {
        let mut file_key = Zeroizing::new([0; FILE_KEY]);
        let mut nonce = [0; FILE_KEY];
        crate::aead::randomise(file_key.as_mut_slice())?;
        crate::aead::randomise(&mut nonce)?;
        let mut sealed = header(&self.stanza(&file_key)?, &file_key)?.into_bytes();
        sealed.extend_from_slice(&nonce);
        let key = payload_key(&file_key, &nonce)?;
        let mut chunks = plain.chunks(CHUNK).enumerate().peekable();
        if chunks.peek().is_none() {
            append(&mut sealed, &key, 0, true, &[])?;
        }
        while let Some((at, chunk)) = chunks.next() {
            append(&mut sealed, &key, at as u64, chunks.peek().is_none(), chunk)?;
        }
        Ok(sealed)
    }

    fn stanza(&self, file_key: &[u8; FILE_KEY]) -> Result<String, AgeFault> {
        let ephemeral = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new()).map_err(|_| library())?;
        let share = ephemeral.compute_public_key().map_err(|_| library())?;
        let salt = [share.as_ref(), &self.0].concat();
        // a key of small order gives no secret and is refused
        let wrap = agree_ephemeral(ephemeral, UnparsedPublicKey::new(&X25519, &self.0), AgeFault::Recipient, |secret| {
            derived(secret, &salt, WRAP_LABEL)
        })?;
        let mut wrapped = file_key.to_vec();
        cipher(&wrap)?.seal_in_place_append_tag(only_nonce(), Aad::empty(), &mut wrapped).map_err(|_| library())?;
        Ok(format!("{STANZA}{}\n{}\n", BASE64.encode(share.as_ref()), BASE64.encode(wrapped)))
    }
}

impl Identity {
    /// What was sealed for this identity.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, AgeFault> {
        let end = sealed.windows(5).position(|bytes| bytes == b"\n--- ").ok_or(AgeFault::Form)?;
        let after = &sealed[end + 1..];
        let line = after.iter().position(|byte| *byte == b'\n').ok_or(AgeFault::Form)?;
        let stanza = std::str::from_utf8(&sealed[..=end]).ok().and_then(|text| text.strip_prefix(VERSION)?.strip_prefix('\n'));
        let stanza = stanza.ok_or(AgeFault::Form)?;
        let file_key = self.unwrapped(stanza)?;
        let head = header(stanza, &file_key)?;
        constant_time::verify_slices_are_equal(head.as_bytes(), &sealed[..end + 1 + line + 1]).map_err(|_| AgeFault::NotForThis)?;
        let (nonce, payload) = after[line + 1..].split_first_chunk::<FILE_KEY>().ok_or(AgeFault::Form)?;
        let key = payload_key(&file_key, nonce)?;
        let mut plain = Vec::with_capacity(payload.len());
        let mut chunks = payload.chunks(CHUNK + TAG).enumerate().peekable();
        if chunks.peek().is_none() {
            return Err(AgeFault::Form);
        }
        while let Some((at, chunk)) = chunks.next() {
            let mut chunk = chunk.to_vec();
            // only an empty file has an empty chunk (age v1)
            if at > 0 && chunk.len() == TAG {
                return Err(AgeFault::Form);
            }
            let nonce = chunk_nonce(at as u64, chunks.peek().is_none());
            plain.extend_from_slice(key.open_in_place(nonce, Aad::empty(), &mut chunk).map_err(|_| AgeFault::NotForThis)?);
        }
        Ok(plain)
    }

    fn unwrapped(&self, stanza: &str) -> Result<[u8; FILE_KEY], AgeFault> {
        let (share, wrapped) = stanza.strip_prefix(STANZA).and_then(|rest| rest.split_once('\n')).ok_or(AgeFault::Form)?;
        let share: [u8; KEY] = BASE64.decode(share).ok().and_then(|share| share.try_into().ok()).ok_or(AgeFault::Form)?;
        let wrapped = wrapped.strip_suffix('\n').and_then(|wrapped| BASE64.decode(wrapped).ok());
        let mut wrapped = wrapped.filter(|wrapped| wrapped.len() == FILE_KEY + TAG).ok_or(AgeFault::Form)?;
        let own = PrivateKey::from_private_key(&X25519, self.0.as_slice()).map_err(|_| AgeFault::Identity)?;
        let public = own.compute_public_key().map_err(|_| AgeFault::Identity)?;
        let salt = [&share, public.as_ref()].concat();
        let share = UnparsedPublicKey::new(&X25519, &share);
        let wrap = agree(&own, share, AgeFault::NotForThis, |secret| derived(secret, &salt, WRAP_LABEL))?;
        let opened = cipher(&wrap)?.open_in_place(only_nonce(), Aad::empty(), &mut wrapped).map_err(|_| AgeFault::NotForThis)?;
        (&*opened).try_into().map_err(|_| AgeFault::Form)
    }
}

/// The header with its MAC, which covers it up to the three hyphens.
fn header(stanza: &str, file_key: &[u8; FILE_KEY]) -> Result<String, AgeFault> {
    let covered = format!("{VERSION}\n{stanza}---");
    let key = hmac::Key::new(hmac::HMAC_SHA256, derived(file_key, &[], b"header")?.as_slice());
    Ok(format!("{covered} {}\n", BASE64.encode(hmac::sign(&key, covered.as_bytes()).as_ref())))
}

fn payload_key(file_key: &[u8; FILE_KEY], nonce: &[u8; FILE_KEY]) -> Result<LessSafeKey, AgeFault> {
    cipher(&*derived(file_key, nonce, b"payload")?)
}

fn append(sealed: &mut Vec<u8>, key: &LessSafeKey, at: u64, is_last: bool, chunk: &[u8]) -> Result<(), AgeFault> {
    let mut chunk = chunk.to_vec();
    key.seal_in_place_append_tag(chunk_nonce(at, is_last), Aad::empty(), &mut chunk).map_err(|_| library())?;
    sealed.extend_from_slice(&chunk);
    Ok(())
}

/// STREAM: eleven bytes of a counter, and whether the chunk is the last.
fn chunk_nonce(at: u64, is_last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&at.to_be_bytes());
    nonce[11] = u8::from(is_last);
    Nonce::assume_unique_for_key(nonce)
}

/// Each wrapping key serves once.
fn only_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn cipher(key: &[u8; KEY]) -> Result<LessSafeKey, AgeFault> {
    UnboundKey::new(&CHACHA20_POLY1305, key).map(LessSafeKey::new).map_err(|_| library())
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        KEY
    }
}

/// HKDF-SHA-256 (RFC 5869).
fn derived(secret: &[u8], salt: &[u8], label: &[u8]) -> Result<Zeroizing<[u8; KEY]>, AgeFault> {
    let mut key = Zeroizing::new([0; KEY]);
    let expanded = Salt::new(HKDF_SHA256, salt).extract(secret);
    expanded.expand(&[label], Length).and_then(|expanded| expanded.fill(key.as_mut_slice())).map_err(|_| library())?;
    Ok(key)
}

const fn library() -> AgeFault {
    AgeFault::Library(SealError::Library)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A pair that age-keygen made, and what age sealed for it: "evidence", in base64.
    const RECIPIENT: &str = "age1j7jlf6v9cec0e0dmu6s3fd4usn0gfca46n8crv6884a53zu7qq7qmp7gfs";
    const IDENTITY: &str = "AGE-SECRET-KEY-17049JAFN7AWJXD6QLS334385AA5F25W6C8YZ44PPPHLR04R8F5NQLVSTDR";
    const BY_AGE: &str = "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBFZm1PbG9UeDZDYlc4bFNzZE5FeFQrOWQyS0c1Wk42TFBIRVBGd2N6aFNZCjV0VGN0RDVFbGJLczNtY2huTXlHbC94OFQ0bm9sT29OQ1M5MjhZZE9DdGcKLS0tIExHRTl1TFk2blVuSHZBdFVXMUJSU0VYZ1pyR0lKRUJuaWJCSHVQNHhXNzAKx1W5VgfZLYcTxtW1SNpefGCxzdv0eEy4HXXNbKX+p7PP/t+uKdGYQA==";

    fn pair() -> (Recipient, Identity) {
        (RECIPIENT.parse().unwrap(), IDENTITY.parse().unwrap())
    }

    #[test]
    fn what_age_itself_sealed_opens_here() {
        // F5: formats are public ones, and strangers' tools read them
        let sealed = base64::engine::general_purpose::STANDARD.decode(BY_AGE).unwrap();
        assert_eq!(pair().1.open(&sealed).unwrap(), b"evidence");
        assert_eq!(pair().0.to_string(), RECIPIENT);
    }

    #[test]
    fn a_key_file_may_have_comments_and_one_key() {
        // F5: a command verifies it offline, with the file that age-keygen wrote
        assert!(format!("# created: 2026\n# public key: {RECIPIENT}\n{IDENTITY}\n").parse::<Identity>().is_ok());
        let lower = IDENTITY.to_lowercase();
        for wrong in [String::new(), RECIPIENT.to_owned(), format!("{IDENTITY}\n{IDENTITY}"), IDENTITY.replace('Q', "P"), lower] {
            assert_eq!(wrong.parse::<Identity>().unwrap_err(), AgeFault::Identity);
        }
    }

    #[test]
    fn what_is_no_recipient_is_refused() {
        // bad input gets a typed error; a private key given by mistake is no recipient
        for wrong in ["", "age1", IDENTITY, &RECIPIENT.to_uppercase(), &RECIPIENT[..60], &RECIPIENT.replacen("age1", "agf1", 1)] {
            assert_eq!(wrong.parse::<Recipient>().unwrap_err(), AgeFault::Recipient, "{wrong}");
        }
        let small_order = Recipient([0; 32]);
        assert_eq!(small_order.to_string().parse::<Recipient>().unwrap_err(), AgeFault::Recipient, "before anything is done for it");
        assert_eq!(small_order.seal(b"x").unwrap_err(), AgeFault::Recipient);
    }

    #[test]
    fn every_length_around_a_chunk_opens_as_it_was_and_no_other_identity_opens_it() {
        // G8: nothing stays on the caller's machine that the caller could read
        let (recipient, identity) = pair();
        let other: Identity = bech32::encode_upper::<Bech32>(SECRET, &[9; 32]).unwrap().parse().unwrap();
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK] {
            let plain = vec![7; length];
            let sealed = recipient.seal(&plain).unwrap();
            assert_eq!(identity.open(&sealed).unwrap(), plain, "{length}");
            assert_eq!(other.open(&sealed).unwrap_err(), AgeFault::NotForThis);
            assert!(identity.open(&sealed[..sealed.len() - 1]).is_err());
        }
        let sealed = recipient.seal(&vec![7; 2 * CHUNK]).unwrap();
        assert!(identity.open(&sealed[..sealed.len() - CHUNK - TAG]).is_err(), "a chunk was cut off");
    }

    #[test]
    fn one_flipped_bit_anywhere_does_not_open() {
        // F5: nothing was altered on the way
        let (recipient, identity) = pair();
        let sealed = recipient.seal(b"evidence").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(identity.open(&altered).is_err(), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_whatever_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), head in "(age-encryption.org/v1\n-> X25519 [A-Za-z0-9/+]{43}\n[A-Za-z0-9/+]{43}\n--- )?[A-Za-z0-9]{0,50}\n?") {
            // bad input gets a typed error
            prop_assert!(pair().1.open(&[head.as_bytes(), &bytes].concat()).is_err());
        }
    }
}
