//! Cosignatures (C2SP tlog-cosignature, <https://c2sp.org/tlog-cosignature>): a witness says that, at a time, the largest tree that it had
//! seen of a log had this root, and that the tree had only grown until then.
//!
//! For: rule F2, "independent witnesses may cosign"; the Ed25519 form, `cosignature/v1`. Leaves to others: checking consistency before
//! cosigning, and keeping what was cosigned (the witness); how many witnesses are enough (`log_policy`); whether a time is too old or
//! in the future (whoever has a clock). ML-DSA-44, the form for new deployments, is not verified by this release: a key of it is refused.

use crate::error::{Fault, KeyFault, KeyId, SignError};
use crate::note::{self, Algorithm, SignatureLine, Signer, VerifierKey};
use crate::Checkpoint;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;
use sha2::{Digest, Sha256};

/// Signature type bytes of the standard: a witness's, and those of a log's keys.
const COSIGNATURE: u8 = 0x04;
const ECDSA: u8 = 0x02;

/// The latest time that the format allows, 2^63 - 1.
const LATEST: u64 = i64::MAX as u64;

/// A witness's public key under its name, written `name+id+base64(0x04 || key)`. Never a log's key: another id, another message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    /// Name and key, with the rules that a log's have.
    plain: VerifierKey,
    id: KeyId,
}

impl WitnessKey {
    /// An Ed25519 key, 32 bytes by RFC 8032.
    pub fn ed25519(name: &str, public: &[u8; 32]) -> Result<Self, KeyFault> {
        let plain = VerifierKey::ed25519(name, public)?;
        let digest = Sha256::new().chain_update(name).chain_update([b'\n', COSIGNATURE]).chain_update(public).finalize();
        Ok(Self { plain, id: KeyId([digest[0], digest[1], digest[2], digest[3]]) })
    }

    /// The key that a signer cosigns with. [`KeyFault::NotAWitness`] where it is not Ed25519.
    pub fn of(signer: &dyn Signer) -> Result<Self, KeyFault> {
        let key = signer.verifier_key();
        match key.algorithm() {
            Algorithm::Ed25519 => Self::ed25519(key.name(), key.public().try_into().map_err(|_| KeyFault::NotAKey)?),
            Algorithm::EcdsaP256 => Err(KeyFault::NotAWitness(ECDSA)),
        }
    }

    /// Reads `name+id+key`.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let (name, found, typed) = note::key_parts(text)?;
        let key = match typed.split_first() {
            Some((&COSIGNATURE, public)) => Self::ed25519(name, public.try_into().map_err(|_| KeyFault::NotAKey)?)?,
            Some((other, _)) => return Err(KeyFault::NotAWitness(*other)),
            None => return Err(KeyFault::Malformed),
        };
        note::refuse_other_id(key.id, found)?;
        Ok(key)
    }

    /// The witness's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.plain.name()
    }

    /// The four bytes that stand before each of its cosignatures.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The public key, 32 bytes.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        self.plain.public()
    }

    /// The time of a `timestamped_signature` over this body; `None` where it does not verify.
    fn time_of(&self, body: &str, timestamped: &[u8]) -> Option<u64> {
        let (at, signature) = timestamped.split_first_chunk::<8>()?;
        let at = u64::from_be_bytes(*at);
        (at <= LATEST && self.plain.verify(message(body, at).as_bytes(), signature)).then_some(at)
    }
}

impl std::fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let typed = [&[COSIGNATURE], self.public()].concat();
        write!(f, "{}+{}+{}", self.name(), self.id, BASE64.encode(typed))
    }
}

impl std::str::FromStr for WitnessKey {
    type Err = KeyFault;
    fn from_str(text: &str) -> Result<Self, KeyFault> {
        Self::parse(text)
    }
}

/// A checkpoint that its log signed, with the whole body that a cosignature covers. Made by [`Self::open`] alone, so that nothing is
/// cosigned, and no cosignature counted, before the log's own signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint<'a> {
    body: &'a str,
    lines: Vec<SignatureLine<'a>>,
    checkpoint: Checkpoint,
}

impl<'a> SignedCheckpoint<'a> {
    /// Opens a note as [`Checkpoint::open`] does.
    pub fn open(note: &'a str, log: &VerifierKey) -> Result<Self, Fault> {
        let (body, lines) = note::open_with_lines(note, log)?;
        Ok(Self { body, lines, checkpoint: Checkpoint::of_key(body, log)? })
    }

    /// What the log signed.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note with the lines that bear the log's name and no others: what is brought with a cosignature, however many others have cosigned.
    #[must_use]
    pub fn by_the_log_alone(&self) -> String {
        let own = self.lines.iter().filter(|line| line.name == self.checkpoint.origin);
        let own = own.map(|line| note::line(line.name, line.id, &line.signature));
        std::iter::once(format!("{}\n", self.body)).chain(own).collect()
    }

    /// The line, with its newline, that a witness adds below the note; `at` in seconds since 1970-01-01T00:00:00Z. A cosignature that does
    /// not verify is not handed out. The witness has checked consistency, and kept the checkpoint durably, before it asks for this.
    pub fn cosign(&self, at: u64, witness: &dyn Signer) -> Result<String, SignError> {
        let key = WitnessKey::of(witness).map_err(|_| SignError::NotAWitness { key: witness.verifier_key().to_string() })?;
        if at > LATEST {
            return Err(SignError::NoTime { at });
        }
        let timestamped = [&at.to_be_bytes()[..], &witness.sign(message(self.body, at).as_bytes())?].concat();
        match key.time_of(self.body, &timestamped) {
            Some(_) => Ok(note::line(key.name(), key.id, &timestamped)),
            None => Err(SignError::DoesNotVerify { key: key.to_string() }),
        }
    }

    /// When the witness cosigned, in seconds since 1970-01-01T00:00:00Z, the latest of several; `None` where it did not. A line under its
    /// name and id that does not verify refuses the note, as signed-note advises.
    pub fn cosigned_at(&self, witness: &WitnessKey) -> Result<Option<u64>, Fault> {
        self.cosignature_of(witness).map(|line| line.map(|(at, _)| at))
    }

    /// The same with the line itself, newline included, as it goes below a note.
    pub fn cosignature_of(&self, witness: &WitnessKey) -> Result<Option<(u64, String)>, Fault> {
        let mut latest: Option<(u64, &SignatureLine)> = None;
        for line in self.lines.iter().filter(|line| line.name == witness.name() && line.id == witness.id) {
            let at = witness.time_of(self.body, &line.signature).ok_or_else(|| Fault::WrongSignature { key: witness.to_string() })?;
            if latest.is_none_or(|(before, _)| before < at) {
                latest = Some((at, line));
            }
        }
        Ok(latest.map(|(at, line)| (at, note::line(line.name, line.id, &line.signature))))
    }
}

/// What an Ed25519 cosignature signs.
fn message(body: &str, at: u64) -> String {
    format!("cosignature/v1\ntime {at}\n{body}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{signer, InMemory};
    use proptest::prelude::*;

    const AT: u64 = 1_679_315_147;

    fn note() -> String {
        Checkpoint { origin: "directory.example/log".to_owned(), size: 600, root: [7; 32] }.signed(&signer()).unwrap()
    }

    fn witness() -> InMemory {
        InMemory::new("witness.example/w1", 9)
    }

    fn cosigned(at: u64) -> String {
        let note = note();
        let line = SignedCheckpoint::open(&note, signer().verifier_key()).unwrap().cosign(at, &witness()).unwrap();
        format!("{note}{line}")
    }

    fn cosigned_at(note: &str, witness: &InMemory) -> Result<Option<u64>, Fault> {
        SignedCheckpoint::open(note, signer().verifier_key())?.cosigned_at(&WitnessKey::of(witness).unwrap())
    }

    /// The note with another timestamped signature under the witness's own name and id.
    fn with_signature(change: impl FnOnce(&mut Vec<u8>)) -> String {
        let whole = cosigned(AT);
        let (before, encoded) = whole.trim_end().rsplit_once(' ').unwrap();
        let mut bytes = BASE64.decode(encoded).unwrap();
        change(&mut bytes);
        format!("{before} {}\n", BASE64.encode(bytes))
    }

    #[test]
    fn a_key_has_another_id_as_a_witness_than_as_a_log() {
        // F2: the public format; the id is the first four bytes of SHA-256(name, 0x0A, 0x04, key)
        let key = WitnessKey::of(&witness()).unwrap();
        let text = [b"witness.example/w1\n\x04", key.public()].concat();
        assert_eq!(key.id().0, Sha256::digest(text)[..4]);
        assert_ne!(key.id(), witness().verifier_key().id(), "the same key and name sign a log's note under another id");
        assert_eq!(WitnessKey::parse(&key.to_string()), Ok(key));
    }

    #[test]
    fn a_cosignature_is_the_standards_message_signed_after_its_time() {
        // F2: the public format, byte for byte: header line, time line, the whole body
        let note = cosigned(AT);
        let encoded = note.trim_end().rsplit_once(' ').unwrap().1;
        let bytes = BASE64.decode(encoded).unwrap();
        assert_eq!((bytes.len(), &bytes[4..12]), (4 + 8 + 64, &AT.to_be_bytes()[..]));
        let body = note.split_once("\n\n").unwrap().0;
        let message = format!("cosignature/v1\ntime 1679315147\n{body}\n");
        assert!(witness().verifier_key().verify(message.as_bytes(), &bytes[12..]));
        assert_eq!(cosigned_at(&note, &witness()), Ok(Some(AT)));
        assert_eq!(Checkpoint::open(&note, signer().verifier_key()).unwrap().size, 600, "for the log's readers it is the same checkpoint");
    }

    #[test]
    fn extension_lines_are_cosigned_too() {
        // tlog-cosignature: extension lines MUST be included in the cosigned message
        let note = note::sign(&format!("directory.example/log\n1\n{}\nextension\n", BASE64.encode([7; 32])), &signer()).unwrap();
        let line = SignedCheckpoint::open(&note, signer().verifier_key()).unwrap().cosign(AT, &witness()).unwrap();
        assert_eq!(cosigned_at(&format!("{note}{line}"), &witness()), Ok(Some(AT)));
        let other = note::sign(&format!("directory.example/log\n1\n{}\n", BASE64.encode([7; 32])), &signer()).unwrap();
        assert!(matches!(cosigned_at(&format!("{other}{line}"), &witness()), Err(Fault::WrongSignature { .. })));
    }

    #[test]
    fn a_tampered_signature_or_time_refuses_the_note() {
        // F2: a cosignature says when, and nobody but the witness says so
        let wrong = Err(Fault::WrongSignature { key: WitnessKey::of(&witness()).unwrap().to_string() });
        assert_eq!(cosigned_at(&with_signature(|_| {}), &witness()), Ok(Some(AT)));
        for at in [4, 11, 12, 75] {
            assert_eq!(cosigned_at(&with_signature(|bytes| bytes[at] ^= 1), &witness()), wrong, "byte {at}");
        }
        assert_eq!(cosigned_at(&with_signature(|bytes| bytes.truncate(75)), &witness()), wrong);
        assert_eq!(cosigned_at(&with_signature(|bytes| bytes.truncate(9)), &witness()), wrong);
        assert_eq!(cosigned_at(&with_signature(|bytes| bytes.push(0)), &witness()), wrong);
    }

    #[test]
    fn a_log_signature_is_no_cosignature_and_the_other_way_round() {
        // F2: domain separation: the log's own kind of signature by the witness's key counts for nothing
        let note = note();
        let plain = note::sign(note.split_once("\n\n").map(|(body, _)| format!("{body}\n")).unwrap().as_str(), &witness()).unwrap();
        let line = plain.split_once("\n\n").unwrap().1;
        assert_eq!(cosigned_at(&format!("{note}{line}"), &witness()), Ok(None));
        assert!(matches!(Checkpoint::open(&cosigned(AT), witness().verifier_key()), Err(Fault::NotSigned { .. })));
    }

    #[test]
    fn another_witness_or_another_name_did_not_cosign() {
        // tlog-cosignature: lines that do not match name and key id are ignored
        for other in [InMemory::new("witness.example/w2", 9), InMemory::new("witness.example/w1", 8)] {
            assert_eq!(cosigned_at(&cosigned(AT), &other), Ok(None));
        }
        let renamed = cosigned(AT).replace("witness.example/w1", "witness.example/w2");
        assert_eq!(cosigned_at(&renamed, &witness()), Ok(None));
    }

    #[test]
    fn several_lines_of_one_witness_tell_the_latest_time_and_a_wrong_one_among_them_refuses_all() {
        // F2: a witness cosigns the same head again and again
        let line = |note: &str| note.rsplit_once("\n\u{2014} ").map(|(_, line)| format!("\u{2014} {line}")).unwrap();
        let twice = format!("{}{}", cosigned(AT), line(&cosigned(AT + 60)));
        assert_eq!(cosigned_at(&twice, &witness()), Ok(Some(AT + 60)));
        let spoilt = format!("{}{}", cosigned(AT), line(&with_signature(|bytes| bytes[20] ^= 1)));
        assert!(matches!(cosigned_at(&spoilt, &witness()), Err(Fault::WrongSignature { .. })));
    }

    #[test]
    fn the_line_of_a_witness_is_handed_out_as_it_stood_and_the_latest_of_several() {
        // F2: a log that keeps cosignatures keeps them byte for byte
        let line = |at| cosigned(at).rsplit_once("\n\u{2014} ").map(|(_, line)| format!("\u{2014} {line}")).unwrap();
        let both = format!("{}{}", cosigned(AT + 60), line(AT));
        let opened = SignedCheckpoint::open(&both, signer().verifier_key()).unwrap();
        let own = WitnessKey::of(&witness()).unwrap();
        assert_eq!(opened.cosignature_of(&own), Ok(Some((AT + 60, line(AT + 60)))));
    }

    #[test]
    fn the_logs_own_lines_are_what_is_left_of_a_note_that_many_cosigned() {
        // F2: what a witness brings does not grow with the others
        let many: String =
            (1..200).map(|at| cosigned(at).rsplit_once("\n\u{2014} ").map(|(_, line)| format!("\u{2014} {line}")).unwrap()).collect();
        let whole = format!("{}{many}", note());
        assert_eq!(SignedCheckpoint::open(&whole, signer().verifier_key()).unwrap().by_the_log_alone(), note());
        // of two keys, both
        let (text, own) =
            (note().split_once("\n\n").map(|(text, _)| format!("{text}\n")).unwrap(), InMemory::new("directory.example/log", 2));
        let second = note::sign(&text, &own).unwrap().split_once("\n\n").map(|(_, line)| line.to_owned()).unwrap();
        let both = format!("{}{second}", note());
        let opened = format!("{both}{many}");
        assert_eq!(SignedCheckpoint::open(&opened, own.verifier_key()).unwrap().by_the_log_alone(), both);
    }

    #[test]
    fn what_the_log_did_not_sign_is_not_cosigned() {
        // F2: a witness speaks of a log's checkpoints alone
        let forged = note().replace("\n600\n", "\n601\n");
        assert!(matches!(SignedCheckpoint::open(&forged, signer().verifier_key()), Err(Fault::WrongSignature { .. })));
    }

    #[test]
    fn no_cosignature_is_made_with_a_time_that_the_format_lacks_nor_one_that_does_not_verify() {
        // tlog-cosignature: the timestamp MUST NOT exceed 2^63 - 1
        struct Faulty(InMemory);
        impl Signer for Faulty {
            fn verifier_key(&self) -> &VerifierKey {
                self.0.verifier_key()
            }
            fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
                Ok(vec![0; 64])
            }
        }
        let note = note();
        let opened = SignedCheckpoint::open(&note, signer().verifier_key()).unwrap();
        assert!(matches!(opened.cosign(LATEST + 1, &witness()), Err(SignError::NoTime { at }) if at == LATEST + 1));
        assert!(matches!(opened.cosign(AT, &Faulty(witness())), Err(SignError::DoesNotVerify { .. })));
        // signed all the same by somebody who does not care
        let late = LATEST + 1;
        use ed25519_dalek::Signer as _;
        let signature = ed25519_dalek::SigningKey::from_bytes(&[9; 32]).sign(message(opened.body, late).as_bytes()).to_bytes();
        let line =
            note::line("witness.example/w1", WitnessKey::of(&witness()).unwrap().id, &[&late.to_be_bytes()[..], &signature].concat());
        assert!(matches!(cosigned_at(&format!("{note}{line}"), &witness()), Err(Fault::WrongSignature { .. })));
    }

    #[test]
    fn a_key_that_is_no_witnesss_is_refused() {
        // tlog-cosignature: type 0x04; a log's key (0x01, 0x02) and ML-DSA-44 (0x06) are others
        assert_eq!(WitnessKey::parse(&signer().verifier_key().to_string()), Err(KeyFault::NotAWitness(1)));
        let key = WitnessKey::of(&witness()).unwrap();
        assert_eq!(VerifierKey::parse(&key.to_string()), Err(KeyFault::UnknownType(4)));
        let typed = |bytes: &[u8]| format!("witness.example/w1+{}+{}", key.id(), BASE64.encode(bytes));
        assert_eq!(WitnessKey::parse(&typed(&[6; 1313])), Err(KeyFault::NotAWitness(6)));
        assert_eq!(WitnessKey::parse(&typed(&[4; 32])), Err(KeyFault::NotAKey));
        assert_eq!(WitnessKey::parse(&typed(&[])), Err(KeyFault::Malformed));
        let moved = key.to_string().replace("/w1", "/w2");
        assert!(matches!(WitnessKey::parse(&moved), Err(KeyFault::OtherId { .. })));
    }

    proptest! {
        #[test]
        fn every_time_is_read_as_it_was_signed_and_every_other_byte_refuses(at in 0..=LATEST, place in 4usize..76, bit in 0u8..8) {
            // F2: nothing was altered, whatever the time
            let whole = cosigned(at);
            prop_assert_eq!(cosigned_at(&whole, &witness()), Ok(Some(at)));
            let changed = with_signature(|bytes| bytes[place] ^= 1 << bit);
            prop_assert!(cosigned_at(&changed, &witness()).is_err());
        }
    }
}
