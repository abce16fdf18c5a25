//! Signed notes (C2SP signed-note, <https://c2sp.org/signed-note>): verifier keys, key ids, signature lines. The signature covers the
//! text with its last newline, without the blank line that follows.

use crate::error::{Fault, KeyFault, KeyId, SignError};
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Signature type bytes of the standard.
const ED25519: u8 = 0x01;
const ECDSA: u8 = 0x02;

/// DER SubjectPublicKeyInfo of an uncompressed P-256 point up to the point (RFC 5480): id-ecPublicKey, prime256v1, BIT STRING.
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];

/// A note longer than this is refused unread: sixteen post-quantum signatures would fit.
const LONGEST_NOTE: usize = 128 * 1024;

/// Whoever holds the log's private key, an HSM as a rule.
pub trait Signer: Send + Sync {
    /// The public half, under the log's name.
    fn verifier_key(&self) -> &VerifierKey;
    /// Signs: Ed25519 gives 64 bytes, ECDSA a DER Ecdsa-Sig-Value over SHA-256 of the message.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
    /// A second key of the same log, whose line stands below the first one's: for verifiers that do not know the first one's algorithm.
    fn second(&self) -> Option<&dyn Signer> {
        None
    }
}

/// What a log's key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032), note type 0x01.
    Ed25519,
    /// ECDSA on P-256 with SHA-256, note type 0x02, for an HSM without EdDSA.
    EcdsaP256,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PublicKey {
    Ed25519(ed25519_dalek::VerifyingKey),
    EcdsaP256(p256::ecdsa::VerifyingKey),
}

/// The public key of a log under its name, written `name+id+base64(type || key)`: all that verifying takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: KeyId,
    public: PublicKey,
    encoded: Vec<u8>,
}

impl VerifierKey {
    /// An Ed25519 key, 32 bytes by RFC 8032.
    pub fn ed25519(name: &str, public: &[u8; 32]) -> Result<Self, KeyFault> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(|_| KeyFault::NotAKey)?;
        if key.is_weak() {
            return Err(KeyFault::NotAKey);
        }
        Self::of(name, PublicKey::Ed25519(key), public.to_vec())
    }

    /// A P-256 key as DER SubjectPublicKeyInfo with an uncompressed point, 91 bytes.
    pub fn ecdsa_p256(name: &str, spki: &[u8]) -> Result<Self, KeyFault> {
        let point = spki.strip_prefix(&P256_SPKI).filter(|point| point.len() == 65).ok_or(KeyFault::NotAKey)?;
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| KeyFault::NotAKey)?;
        Self::of(name, PublicKey::EcdsaP256(key), spki.to_vec())
    }

    fn of(name: &str, public: PublicKey, encoded: Vec<u8>) -> Result<Self, KeyFault> {
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(KeyFault::Name);
        }
        // the id of an ECDSA key leaves name and type out; that is how the standard has it
        let digest = match public {
            PublicKey::Ed25519(_) => Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(&encoded).finalize(),
            PublicKey::EcdsaP256(_) => Sha256::digest(&encoded),
        };
        let id = KeyId([digest[0], digest[1], digest[2], digest[3]]);
        Ok(Self { name: name.to_owned(), id, public, encoded })
    }

    /// Reads `name+id+key`.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let (name, found, typed) = key_parts(text)?;
        let key = match typed.split_first() {
            Some((&ED25519, public)) => Self::ed25519(name, public.try_into().map_err(|_| KeyFault::NotAKey)?),
            Some((&ECDSA, spki)) => Self::ecdsa_p256(name, spki),
            Some((other, _)) => Err(KeyFault::UnknownType(*other)),
            None => Err(KeyFault::Malformed),
        }?;
        refuse_other_id(key.id, found)?;
        Ok(key)
    }

    /// Reads one key a line, one at least: a log's that signs with two keys has two.
    pub fn parse_each(text: &str) -> Result<Vec<Self>, KeyFault> {
        let keys: Vec<Self> =
            text.lines().filter(|line| !line.trim().is_empty()).map(|line| Self::parse(line.trim())).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(KeyFault::Malformed);
        }
        Ok(keys)
    }

    /// The log's name, which is also the origin of its checkpoints.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The four bytes that stand before each of its signatures.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// What it verifies.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.public {
            PublicKey::Ed25519(_) => Algorithm::Ed25519,
            PublicKey::EcdsaP256(_) => Algorithm::EcdsaP256,
        }
    }

    /// The public key: 32 bytes for Ed25519, DER SubjectPublicKeyInfo for ECDSA.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        &self.encoded
    }

    /// True where the signature is this key's over the text. Ed25519 by the strict rules (no small-order points, canonical
    /// scalars); ECDSA in DER.
    #[must_use]
    pub fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            PublicKey::Ed25519(key) => {
                ed25519_dalek::Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(text, &signature).is_ok())
            }
            PublicKey::EcdsaP256(key) => {
                use p256::ecdsa::signature::Verifier as _;
                p256::ecdsa::Signature::from_der(signature).is_ok_and(|signature| key.verify(text, &signature).is_ok())
            }
        }
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.public {
            PublicKey::Ed25519(_) => ED25519,
            PublicKey::EcdsaP256(_) => ECDSA,
        };
        let typed = [&[kind], self.encoded.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, self.id, BASE64.encode(typed))
    }
}

impl std::str::FromStr for VerifierKey {
    type Err = KeyFault;
    fn from_str(text: &str) -> Result<Self, KeyFault> {
        Self::parse(text)
    }
}

/// Signs a text that ends in a newline, with each key that the signer has; hands back the whole note. A signature that does not verify is
/// not handed out, nor a note without one of them.
pub(crate) fn sign(text: &str, signer: &dyn Signer) -> Result<String, SignError> {
    let first = signed_line(text, signer)?;
    let second = signer.second().map_or_else(|| Ok(String::new()), |second| signed_line(text, second))?;
    Ok(format!("{text}\n{first}{second}"))
}

fn signed_line(text: &str, signer: &dyn Signer) -> Result<String, SignError> {
    let key = signer.verifier_key();
    let signature = signer.sign(text.as_bytes())?;
    if !key.verify(text.as_bytes(), &signature) {
        return Err(SignError::DoesNotVerify { key: key.to_string() });
    }
    Ok(line(&key.name, key.id, &signature))
}

/// A key's text must bear the id that its key has.
pub(crate) fn refuse_other_id(expected: KeyId, found: KeyId) -> Result<(), KeyFault> {
    if expected == found {
        Ok(())
    } else {
        Err(KeyFault::OtherId { expected, found })
    }
}

/// Name, id, and type with key, of a key written `name+id+base64(type || key)`; whether they fit each other is not looked at.
pub(crate) fn key_parts(text: &str) -> Result<(&str, KeyId, Vec<u8>), KeyFault> {
    let mut parts = text.trim_end_matches('\n').splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyFault::Malformed);
    };
    let well_formed = id.len() == 8 && id.bytes().all(|b| b.is_ascii_hexdigit());
    let id = u32::from_str_radix(id, 16).ok().filter(|_| well_formed).ok_or(KeyFault::Malformed)?;
    let typed = BASE64.decode(key).map_err(|_| KeyFault::Malformed)?;
    Ok((name, KeyId(id.to_be_bytes()), typed))
}

/// A line below a note's text, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignatureLine<'a> {
    pub(crate) name: &'a str,
    pub(crate) id: KeyId,
    pub(crate) signature: Vec<u8>,
}

/// The line, with its newline, that goes below a note.
pub(crate) fn line(name: &str, id: KeyId, signature: &[u8]) -> String {
    format!("\u{2014} {name} {}\n", BASE64.encode([&id.0, signature].concat()))
}

/// The text of a note that the key signed. Lines of other keys are passed over; a wrong signature under the key's own name and id
/// refuses the note.
pub(crate) fn open<'a>(note: &'a str, key: &VerifierKey) -> Result<&'a str, Fault> {
    open_with_lines(note, key).map(|(text, _)| text)
}

/// As [`open`], with all signature lines: those of other keys, witnesses among them, are for others to verify.
pub(crate) fn open_with_lines<'a>(note: &'a str, key: &VerifierKey) -> Result<(&'a str, Vec<SignatureLine<'a>>), Fault> {
    let (text, lines) = split(note)?;
    let malformed = Fault::Note { why: "a signature line is an em dash, a blank, a name, a blank, base64" };
    // a line that is there twice is verified once: whoever repeats the log's own would have a long note cost a thousand verifications
    let mut known = BTreeSet::new();
    let lines = lines.split('\n').filter(|line| known.insert(*line));
    let lines: Vec<SignatureLine> = lines.map(signature_line).collect::<Option<_>>().ok_or(malformed)?;
    let mut signed = false;
    for line in lines.iter().filter(|line| line.name == key.name && line.id == key.id) {
        if !key.verify(text.as_bytes(), &line.signature) {
            return Err(Fault::WrongSignature { key: key.to_string() });
        }
        signed = true;
    }
    if signed {
        Ok((text, lines))
    } else {
        Err(Fault::NotSigned { key: key.to_string() })
    }
}

/// The text of a note, whoever signed it.
pub(crate) fn text_of(note: &str) -> Result<&str, Fault> {
    split(note).map(|(text, _)| text)
}

/// The text with its last newline, and the signature lines without theirs.
fn split(note: &str) -> Result<(&str, &str), Fault> {
    let malformed = |why| Fault::Note { why };
    if note.len() > LONGEST_NOTE {
        return Err(malformed("it is longer than 128 KiB"));
    }
    if note.chars().any(|c| c < ' ' && c != '\n') {
        return Err(malformed("it has a control character"));
    }
    let split = note.rfind("\n\n").ok_or(malformed("a blank line stands between text and signatures"))?;
    let lines = note[split + 2..].strip_suffix('\n').ok_or(malformed("the last signature line ends in a newline"))?;
    Ok((&note[..=split], lines))
}

fn signature_line(line: &str) -> Option<SignatureLine<'_>> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = BASE64.decode(encoded).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    let named = !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c == '+');
    (named && !signature.is_empty()).then(|| SignatureLine { name, id: KeyId(*id), signature: signature.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{signer, InMemory};

    /// The example of golang.org/x/mod/sumdb/note.
    const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    /// Sigstore's public log: the key as in transparency-dev/formats' note tests, a checkpoint as its clients keep it in bundles.
    const REKOR_KEY: &str = "rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBcK5AW5i0hrZLOC96l+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc=";
    const REKOR_NOTE: &str = "rekor.sigstore.dev - 2605736670972794746\n75408393\nFnnj13Uu1jdksPc4HZLapKX329dVlD5+MGNsiqBq1XM=\n\n\
        — rekor.sigstore.dev wNI9ajBFAiBTyiBM9WtyOTgohje6QZ5rFGJUdMq7Wk3A6oThE98SUgIhAMvxDwa7FyqRqg+YV3rdPPrfS23w19iK+piMSGVOmP5w\n";

    #[test]
    fn notes_that_others_signed_open_and_their_keys_are_written_as_they_were_read() {
        // F2: anyone with the public key can verify, with foreign tools, and we theirs
        for (key, note, algorithm) in [(GO_KEY, GO_NOTE, Algorithm::Ed25519), (REKOR_KEY, REKOR_NOTE, Algorithm::EcdsaP256)] {
            let parsed = VerifierKey::parse(key).unwrap();
            assert_eq!((parsed.algorithm(), parsed.to_string().as_str()), (algorithm, key));
            assert_eq!(open(note, &parsed).unwrap(), &note[..=note.rfind("\n\n").unwrap()]);
        }
    }

    #[test]
    fn our_signature_is_byte_for_byte_that_of_the_reference() {
        // F2: the public format. The private key is the one that the example prints.
        let seed = BASE64.decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz").unwrap();
        let key = ed25519_dalek::SigningKey::from_bytes(seed[1..].try_into().unwrap());
        assert_eq!(VerifierKey::ed25519("PeterNeumann", key.verifying_key().as_bytes()).unwrap().to_string(), GO_KEY);
        struct Go(ed25519_dalek::SigningKey, VerifierKey);
        impl Signer for Go {
            fn verifier_key(&self) -> &VerifierKey {
                &self.1
            }
            fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
                use ed25519_dalek::Signer as _;
                Ok(self.0.sign(message).to_bytes().to_vec())
            }
        }
        let text = &GO_NOTE[..=GO_NOTE.rfind("\n\n").unwrap()];
        assert_eq!(sign(text, &Go(key, VerifierKey::parse(GO_KEY).unwrap())).unwrap(), GO_NOTE);
    }

    #[test]
    fn a_checkpoint_signed_by_a_token_without_eddsa_opens() {
        // F2: heads are signed in the HSM, whichever of the two algorithms it has
        struct Token(p256::ecdsa::SigningKey, VerifierKey);
        impl Signer for Token {
            fn verifier_key(&self) -> &VerifierKey {
                &self.1
            }
            fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
                use p256::ecdsa::signature::Signer as _;
                let signature: p256::ecdsa::Signature = self.0.sign(message);
                Ok(signature.to_der().as_bytes().to_vec())
            }
        }
        let key = p256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap();
        let spki = [&P256_SPKI[..], key.verifying_key().to_sec1_point(false).as_bytes()].concat();
        let token = Token(key, VerifierKey::ecdsa_p256("directory.example/log", &spki).unwrap());
        let note = sign("a text\n", &token).unwrap();
        assert_eq!(open(&note, &VerifierKey::parse(&token.1.to_string()).unwrap()), Ok("a text\n"));
    }

    #[test]
    fn an_altered_text_or_signature_is_refused() {
        // F2: nothing was altered
        for (key, note) in [(GO_KEY, GO_NOTE), (REKOR_KEY, REKOR_NOTE)] {
            let key = VerifierKey::parse(key).unwrap();
            let altered = note.replacen('e', "f", 1);
            assert_eq!(open(&altered, &key), Err(Fault::WrongSignature { key: key.to_string() }));
        }
        let key = VerifierKey::parse(GO_KEY).unwrap();
        let altered = GO_NOTE.replace("x08go/Z", "x08go/a");
        assert_eq!(open(&altered, &key), Err(Fault::WrongSignature { key: key.to_string() }));
    }

    #[test]
    fn signatures_of_unknown_keys_are_passed_over_and_never_enough() {
        // F2: independent witnesses may cosign
        let (ours, witness) = (signer(), InMemory::new("witness.example/w", 2));
        let note = sign("a text\n", &ours).unwrap();
        let cosigned = format!("{note}{}", sign("a text\n", &witness).unwrap().split_once("\n\n").unwrap().1);
        for key in [ours.verifier_key(), witness.verifier_key()] {
            assert_eq!(open(&cosigned, key), Ok("a text\n"));
        }
        assert_eq!(open(&note, witness.verifier_key()), Err(Fault::NotSigned { key: witness.verifier_key().to_string() }));
        // the same name with another key, and another name with the same key
        for other in [InMemory::new("directory.example/log", 2), InMemory::new("directory.example/other", 1)] {
            assert!(matches!(open(&note, other.verifier_key()), Err(Fault::NotSigned { .. })));
        }
    }

    #[test]
    fn a_line_that_is_repeated_is_verified_once() {
        // F2: whoever is enrolled may bring a note, and none costs look-ups more than its signatures do
        let key = VerifierKey::parse(GO_KEY).unwrap();
        let (text, line) = GO_NOTE.split_once("\n\n").unwrap();
        let repeated = format!("{text}\n\n{}", line.repeat(1000));
        let (opened, lines) = open_with_lines(&repeated, &key).unwrap();
        assert_eq!((opened.len(), lines.len()), (text.len() + 1, 1));
        // one that differs is verified, and refuses the note
        let wrong = line.replace("x08go/Z", "x08go/a");
        assert!(matches!(open(&format!("{GO_NOTE}{line}{wrong}"), &key), Err(Fault::WrongSignature { .. })));
    }

    #[test]
    fn a_note_of_the_wrong_shape_is_refused() {
        // F2: the public format, and nothing that merely looks like it
        let key = VerifierKey::parse(GO_KEY).unwrap();
        let line = &GO_NOTE[GO_NOTE.rfind('—').unwrap()..];
        for wrong in [
            "",
            "\n",
            "text without signatures\n",
            "text\n\n",
            &GO_NOTE.replace("\n\n", "\n"),
            GO_NOTE.trim_end(),
            &GO_NOTE.replace('—', "-"),
            &GO_NOTE.replace("— PeterNeumann", "—PeterNeumann"),
            &GO_NOTE.replace("AM=", "AM"),
            &GO_NOTE.replace("you ", "you\r"),
            &format!("{GO_NOTE}\n{line}x"),
            &format!("{GO_NOTE}— a+b AAAAAAA=\n"),
            &format!("{}{}", "long\n".repeat(30_000), GO_NOTE),
        ] {
            assert!(matches!(open(wrong, &key), Err(Fault::Note { .. })), "{wrong:.60}");
        }
    }

    #[test]
    fn a_key_of_the_wrong_shape_is_refused() {
        // F2: anyone with the public key - the right one
        for wrong in [
            "",
            "a",
            "a+b",
            "+c74f20a3+AR",
            "PeterNeumann+c74f20a+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "n+00000000+AAAA",
            "n+00000000+AQ==",
        ] {
            assert!(VerifierKey::parse(wrong).is_err());
        }
        let moved = GO_KEY.replace("Peter", "Paul");
        assert!(matches!(VerifierKey::parse(&moved), Err(KeyFault::OtherId { .. })));
        assert!(matches!(VerifierKey::parse(&REKOR_KEY.replace("AjBZ", "A0BZ")), Err(KeyFault::UnknownType(3))));
        assert!(matches!(VerifierKey::ecdsa_p256("n", &[0; 91]), Err(KeyFault::NotAKey)));
        for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb"] {
            assert!(matches!(VerifierKey::ed25519(name, signer().verifier_key().public().try_into().unwrap()), Err(KeyFault::Name)));
        }
    }

    #[test]
    fn a_key_of_small_order_is_no_key() {
        // F2: a key under which every text verifies would prove nothing
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(VerifierKey::ed25519("n", &identity), Err(KeyFault::NotAKey));
    }
}
