//! Checkpoints (C2SP tlog-checkpoint, <https://c2sp.org/tlog-checkpoint>): origin, size and root in a signed note.

use crate::error::{Fault, SignError};
use crate::note::{self, Signer, VerifierKey};
use crate::tree::{Hash, Tree};
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;

/// More entries than any log has: it keeps what is done with sizes within 64 bits.
const LARGEST: u64 = i64::MAX as u64;

/// What a log promises: that its first `size` leaves have this root. Signed before it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name; also the name of its key.
    pub origin: String,
    /// Leaves in the tree.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The whole signed note. Refused where the origin is not the key's name, or where the signature made does not verify.
    pub fn signed(&self, signer: &dyn Signer) -> Result<String, SignError> {
        for key in [Some(signer), signer.second()].into_iter().flatten().map(Signer::verifier_key) {
            if self.origin != key.name() {
                return Err(SignError::OtherOrigin { origin: self.origin.clone(), key: key.to_string() });
            }
        }
        note::sign(&format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root)), signer)
    }

    /// The checkpoint in a note that the key signed and whose origin is the key's name. Extension lines are allowed, covered by the
    /// signature, and not looked at; signatures of other keys (witnesses) are passed over.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, Fault> {
        Self::of_key(note::open(note, key)?, key)
    }

    /// The same where a log has several keys: one of them must have signed, and none wrongly. Returns the first that did.
    pub fn open_by_one<'a>(note: &str, keys: &'a [VerifierKey]) -> Result<(Self, &'a VerifierKey), Fault> {
        let mut opened = None;
        for key in keys {
            match Self::open(note, key) {
                Ok(checkpoint) => opened = opened.or(Some((checkpoint, key))),
                Err(Fault::NotSigned { .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        let named = || keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        opened.ok_or_else(|| Fault::NotSigned { key: named() })
    }

    /// The checkpoint in a text that the key signed.
    pub(crate) fn of_key(text: &str, key: &VerifierKey) -> Result<Self, Fault> {
        let checkpoint = Self::parse(text)?;
        if checkpoint.origin == key.name() {
            Ok(checkpoint)
        } else {
            Err(Fault::OtherOrigin { expected: key.name().to_owned(), found: checkpoint.origin })
        }
    }

    /// The checkpoint in a note whose signatures are not looked at: for holding two of them against each other, never for believing one.
    pub fn read_unverified(note: &str) -> Result<Self, Fault> {
        Self::parse(note::text_of(note)?)
    }

    /// Refused where this checkpoint cannot come after one that was shown `before`: another log, a shorter one, or as many entries under
    /// another root. Where it is larger, [`crate::verify::extension`] has the rest to say.
    pub fn may_follow(&self, before: &Self) -> Result<(), Fault> {
        if self.origin != before.origin {
            return Err(Fault::OtherOrigin { expected: before.origin.clone(), found: self.origin.clone() });
        }
        if self.size < before.size {
            return Err(Fault::Shorter { before: before.size, now: self.size });
        }
        if self.size == before.size && self.root != before.root {
            return Err(Fault::Forked { size: self.size, before: before.root, now: self.root });
        }
        Ok(())
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        let wrong = |why| Fault::Checkpoint { why };
        let lines: Vec<&str> = text.trim_end_matches('\n').split('\n').collect();
        let [origin, size, root, ..] = lines.as_slice() else {
            return Err(wrong("it has three lines at least: origin, size, root"));
        };
        if lines.iter().any(|line| line.is_empty()) {
            return Err(wrong("no line is empty"));
        }
        let root = BASE64.decode(root).ok().and_then(|bytes| bytes.try_into().ok());
        let size = decimal(size).ok_or(wrong("the second line is the size in decimal, without leading zeros"))?;
        let root = root.ok_or(wrong("the third line is a root of 32 bytes in base64"))?;
        if size > LARGEST {
            return Err(wrong("the size is one that a log can have, below 2^63"));
        }
        if size == 0 && root != Tree::new().root() {
            return Err(wrong("the root of no entries is the hash of nothing (RFC 6962, 2.1)"));
        }
        Ok(Self { origin: (*origin).to_owned(), size, root })
    }
}

/// A number as the standard writes it: ASCII digits, no sign, no leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{signer, InMemory};

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "directory.example/log".to_owned(), size: 20_852_163, root: [7; 32] }
    }

    #[test]
    fn a_checkpoint_opens_as_it_was_signed() {
        // F2: heads are signed
        let note = checkpoint().signed(&signer()).unwrap();
        assert!(note.starts_with(
            "directory.example/log\n20852163\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n\u{2014} directory.example/log "
        ));
        assert_eq!(Checkpoint::open(&note, signer().verifier_key()), Ok(checkpoint()));
    }

    /// A log with two keys.
    struct Two(InMemory, InMemory);

    impl Signer for Two {
        fn verifier_key(&self) -> &VerifierKey {
            self.0.verifier_key()
        }
        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
            self.0.sign(message)
        }
        fn second(&self) -> Option<&dyn Signer> {
            Some(&self.1)
        }
    }

    #[test]
    fn a_checkpoint_of_two_keys_opens_with_either_and_a_wrong_line_of_one_refuses_it() {
        // F2: heads are signed in the HSM; a setting may ask for two lines
        let two = Two(signer(), InMemory::new("directory.example/log", 2));
        let note = checkpoint().signed(&two).unwrap();
        let keys = [two.verifier_key().clone(), two.1.verifier_key().clone()];
        let stranger = InMemory::new("directory.example/log", 3).verifier_key().clone();
        for key in &keys {
            assert_eq!(Checkpoint::open(&note, key), Ok(checkpoint()));
            let either = [stranger.clone(), key.clone()];
            assert_eq!(Checkpoint::open_by_one(&note, &either), Ok((checkpoint(), key)));
        }
        assert!(matches!(Checkpoint::open_by_one(&note, std::slice::from_ref(&stranger)), Err(Fault::NotSigned { .. })));
        assert!(matches!(Checkpoint::open_by_one(&note, &[]), Err(Fault::NotSigned { .. })));
        // one of the two lines is of another text
        let other = Checkpoint { size: 1, ..checkpoint() }.signed(&two).unwrap();
        let (text, lines) = note.split_once("\n\n").unwrap();
        let first = lines.lines().next().unwrap();
        let mixed = format!("{text}\n\n{first}\n{}\n", other.lines().last().unwrap());
        assert_eq!(Checkpoint::open(&mixed, &keys[0]), Ok(checkpoint()), "whoever knows one key alone cannot see it");
        assert!(matches!(Checkpoint::open_by_one(&mixed, &keys), Err(Fault::WrongSignature { .. })));

        let elsewhere = Two(signer(), InMemory::new("other.example/log", 2));
        assert!(matches!(checkpoint().signed(&elsewhere), Err(SignError::OtherOrigin { .. })));
    }

    #[test]
    fn keys_are_read_one_a_line() {
        // F2: anyone with the public key can verify; a log with two keys publishes two
        let keys = [1, 2].map(|seed| InMemory::new("directory.example/log", seed).verifier_key().clone());
        assert_eq!(VerifierKey::parse_each(&format!("{}\n{}\n", keys[0], keys[1])), Ok(keys.to_vec()));
        assert!(VerifierKey::parse_each("\n \n").is_err() && VerifierKey::parse_each(&format!("{}\nx\n", keys[0])).is_err());
    }

    #[test]
    fn a_checkpoint_does_not_follow_a_longer_one_nor_another_of_its_size_nor_another_logs() {
        // F2: nothing was removed or exchanged since we last looked
        let with = |size, root| Checkpoint { size, root: [root; 32], ..checkpoint() };
        let before = with(5, 1);
        assert_eq!(with(4, 2).may_follow(&before), Err(Fault::Shorter { before: 5, now: 4 }));
        assert_eq!(with(5, 2).may_follow(&before), Err(Fault::Forked { size: 5, before: [1; 32], now: [2; 32] }));
        let elsewhere = Checkpoint { origin: "other.example/log".to_owned(), ..with(6, 1) };
        assert!(matches!(elsewhere.may_follow(&before), Err(Fault::OtherOrigin { .. })));
        assert_eq!((with(5, 1).may_follow(&before), with(6, 2).may_follow(&before)), (Ok(()), Ok(())));
    }

    #[test]
    fn a_checkpoint_of_another_log_is_refused_though_our_key_signed_it() {
        // F2: nothing was exchanged
        let note = note::sign("other.example/log\n1\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n", &signer()).unwrap();
        let fault = Fault::OtherOrigin { expected: "directory.example/log".to_owned(), found: "other.example/log".to_owned() };
        assert_eq!(Checkpoint::open(&note, signer().verifier_key()), Err(fault));
    }

    #[test]
    fn a_checkpoint_is_signed_only_under_its_own_name_and_only_if_the_signature_verifies() {
        // F2: heads are signed in the HSM - a token that signs wrongly publishes nothing
        let elsewhere = Checkpoint { origin: "other.example/log".to_owned(), ..checkpoint() };
        assert!(matches!(elsewhere.signed(&signer()), Err(SignError::OtherOrigin { .. })));
        struct Faulty(InMemory);
        impl Signer for Faulty {
            fn verifier_key(&self) -> &VerifierKey {
                self.0.verifier_key()
            }
            fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
                Ok(vec![0; 64])
            }
        }
        assert!(matches!(checkpoint().signed(&Faulty(signer())), Err(SignError::DoesNotVerify { .. })));
    }

    #[test]
    fn only_a_text_of_the_standards_form_is_a_checkpoint() {
        // F2: the public format; tlog-checkpoint: no leading zeros, no empty line, 32 bytes of root
        let root = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
        let origin = "directory.example/log";
        for wrong in [
            format!("{origin}\n1\n"),
            format!("{origin}\n01\n{root}\n"),
            format!("{origin}\n+1\n{root}\n"),
            format!("{origin}\n-1\n{root}\n"),
            format!("{origin}\n\n{root}\n"),
            format!("{origin}\n18446744073709551616\n{root}\n"),
            format!("{origin}\n1\n{}\n", &root[4..]),
            format!("{origin}\n9223372036854775808\n{root}\n"),
            format!("{origin}\n0\n{root}\n"),
            format!("\n1\n{root}\n"),
            format!("{origin}\n1\n{root}\n\nextension\n"),
        ] {
            let note = note::sign(&wrong, &signer()).unwrap();
            assert!(matches!(Checkpoint::open(&note, signer().verifier_key()), Err(Fault::Checkpoint { .. })), "{wrong}");
        }
        let none = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let extended = note::sign(&format!("{origin}\n0\n{none}\nextension\n"), &signer()).unwrap();
        assert_eq!(Checkpoint::open(&extended, signer().verifier_key()).map(|c| c.size), Ok(0));
    }
}
