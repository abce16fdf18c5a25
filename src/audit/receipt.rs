//! Receipts: the proof that one entry is in the log, as a text (C2SP tlog-proof, <https://c2sp.org/tlog-proof>).
//!
//! For: whoever was answered. An answer names its entry by index and leaf hash ([`Logged`]); the receipt shows that this very leaf stands
//! at that index below a signed head. A leaf is sealed, so the holder knows it by its hash alone. Leaves to others: reading the path out
//! of a log (`Proving`), comparing the head with others. Does not promise: what the leaf says - auditors open it - nor that its
//! head is the only one.

use crate::checkpoint::{decimal, Checkpoint};
use crate::error::{Fault, ProofFault};
use crate::note::VerifierKey;
use crate::proof::verify_inclusion;
use crate::tree::Hash;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;

/// The first line of every proof of this format.
const FORMAT: &str = "c2sp.org/tlog-proof@v1";

/// A path is never longer: a tree of 2^64 leaves has as many levels.
const LONGEST_PATH: usize = 64;

/// Which entry, and which leaf it is: all that an answer tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged {
    /// Its index in the log, from 0.
    pub index: u64,
    /// The hash of its leaf (RFC 6962).
    pub leaf: Hash,
}

impl Logged {
    /// The leaf hash in base64, as the header of an answer has it.
    #[must_use]
    pub fn leaf_text(&self) -> String {
        BASE64.encode(self.leaf)
    }

    /// From the two headers of an answer; `None` for what [`Self::leaf_text`] and a plain number would not have been.
    #[must_use]
    pub fn read(index: &str, leaf: &str) -> Option<Self> {
        Some(Self { index: decimal(index)?, leaf: hash(leaf)? })
    }
}

/// A receipt is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// Not the text of the standard.
    #[error("the receipt is no tlog-proof: {why}")]
    Form {
        /// What was expected.
        why: &'static str,
    },
    /// A good receipt, of another entry.
    #[error("the receipt is of entry {found}, not of {expected}")]
    OtherEntry {
        /// The entry asked for.
        expected: u64,
        /// The one it is of.
        found: u64,
    },
    /// The checkpoint in it.
    #[error(transparent)]
    Checkpoint(#[from] Fault),
    /// Another leaf stands there, or none: the entry was altered, removed, or never written.
    #[error("entry {index} is not what the answer said: {why}")]
    Proof {
        /// The entry.
        index: u64,
        /// What the mathematics says.
        why: ProofFault,
    },
}

/// The proof of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The entry's index.
    pub index: u64,
    /// Its audit path, nearest sibling first.
    pub path: Vec<Hash>,
    /// The signed note that the path leads to, as the log gives it.
    pub checkpoint: String,
}

impl std::fmt::Display for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{FORMAT}\nindex {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", BASE64.encode(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl Receipt {
    /// Reads the text. Extra data, which nothing authenticates, is passed over; the checkpoint is not looked at yet.
    pub fn parse(text: &str) -> Result<Self, ReceiptFault> {
        let form = |why| ReceiptFault::Form { why };
        let (head, checkpoint) = text.split_once("\n\n").ok_or(form("an empty line stands before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FORMAT) {
            return Err(form("the first line is c2sp.org/tlog-proof@v1"));
        }
        if let Some(extra) = lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            BASE64.decode(extra).map_err(|_| form("extra data is base64"))?;
            lines.next();
        }
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let index = index.ok_or(form("the index is decimal, without leading zeros"))?;
        let path: Option<Vec<Hash>> = lines.map(hash).collect();
        let path = path.filter(|path| path.len() <= LONGEST_PATH);
        Ok(Self { index, path: path.ok_or(form("the path is hashes of 32 bytes in base64"))?, checkpoint: checkpoint.to_owned() })
    }

    /// Verifies that this leaf stands at this index below a head that the key signed; the head. Which other heads there are is the
    /// caller's question.
    pub fn verify(&self, logged: &Logged, key: &VerifierKey) -> Result<Checkpoint, ReceiptFault> {
        if self.index != logged.index {
            return Err(ReceiptFault::OtherEntry { expected: logged.index, found: self.index });
        }
        let head = Checkpoint::open(&self.checkpoint, key)?;
        verify_inclusion(&logged.leaf, self.index, head.size, &self.path, &head.root)
            .map_err(|why| ReceiptFault::Proof { index: self.index, why })?;
        Ok(head)
    }
}

fn hash(text: &str) -> Option<Hash> {
    BASE64.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inclusion_proof;
    use crate::note::Signer as _;
    use crate::testing::{leaves, signer, InMemory};
    use crate::tree::{leaf_hash, root_of};
    use proptest::prelude::*;

    fn receipt(index: usize, size: u32, signer: &InMemory) -> (Receipt, Logged) {
        let hashes: Vec<Hash> = leaves(size).iter().map(|leaf| leaf_hash(leaf)).collect();
        let head = Checkpoint { origin: signer.verifier_key().name().to_owned(), size: size.into(), root: root_of(&hashes) };
        let path = inclusion_proof(&hashes, index).unwrap();
        let checkpoint = head.signed(signer).unwrap();
        (Receipt { index: index as u64, path, checkpoint }, Logged { index: index as u64, leaf: hashes[index] })
    }

    #[test]
    fn a_receipt_is_the_text_of_the_standard() {
        // F2: the public format; C2SP tlog-proof
        let (receipt, _) = receipt(5, 7, &signer());
        let text = receipt.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..2], ["c2sp.org/tlog-proof@v1", "index 5"]);
        assert_eq!((receipt.path.len(), lines[5], lines[6], lines[7]), (3, "", "directory.example/log", "7"));
        assert!(text.ends_with(&receipt.checkpoint) && text.ends_with('\n'));
        assert_eq!(Receipt::parse(&text), Ok(receipt));
    }

    #[test]
    fn extra_data_is_passed_over() {
        // C2SP tlog-proof: the second line may be extra data, which nobody may trust
        let (receipt, logged) = receipt(2, 3, &signer());
        let text = receipt.to_string().replace("\nindex", "\nextra aGVsbG8=\nindex");
        assert_eq!(Receipt::parse(&text).unwrap().verify(&logged, signer().verifier_key()).unwrap().size, 3);
    }

    #[test]
    fn a_log_of_one_entry_has_an_empty_path() {
        // RFC 6962, 2.1.1
        let (receipt, logged) = receipt(0, 1, &signer());
        let text = receipt.to_string();
        assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 0\n\ndirectory.example/log\n1\n"), "{text}");
        assert!(Receipt::parse(&text).unwrap().verify(&logged, signer().verifier_key()).is_ok());
    }

    #[test]
    fn a_receipt_proves_its_leaf_and_no_other_and_under_its_key_alone() {
        // F2: nothing was altered, removed or reordered
        let (receipt, logged) = receipt(5, 7, &signer());
        let key = signer().verifier_key().clone();
        assert_eq!(receipt.verify(&logged, &key).unwrap().size, 7);
        let altered = Logged { leaf: [7; 32], ..logged };
        assert_eq!(receipt.verify(&altered, &key), Err(ReceiptFault::Proof { index: 5, why: ProofFault::Root }));
        let elsewhere = Logged { index: 4, ..logged };
        assert_eq!(receipt.verify(&elsewhere, &key), Err(ReceiptFault::OtherEntry { expected: 4, found: 5 }));
        let moved = Receipt { index: 4, ..receipt.clone() };
        assert!(matches!(moved.verify(&elsewhere, &key), Err(ReceiptFault::Proof { .. })));
        let stranger = InMemory::new("directory.example/log", 2);
        assert!(matches!(receipt.verify(&logged, stranger.verifier_key()), Err(ReceiptFault::Checkpoint(Fault::NotSigned { .. }))));
    }

    #[test]
    fn a_receipt_that_is_altered_anywhere_does_not_verify() {
        // F2: each part counts: index, path, origin, size, root, signature
        let (receipt, logged) = receipt(5, 7, &signer());
        let text = receipt.to_string();
        let accepted = |text: &str| Receipt::parse(text).and_then(|read| read.verify(&logged, signer().verifier_key())).is_ok();
        assert!(accepted(&text));
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(altered) = String::from_utf8(bytes) else { continue };
            assert!(!accepted(&altered), "byte {at}: {altered}");
        }
        for cut in 1..text.len() {
            assert!(!accepted(text.get(..cut).unwrap_or_default()), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_not_of_the_form_is_refused() {
        // bad input gets a typed error
        let good = receipt(5, 7, &signer()).0.to_string();
        for (what, wrong) in [
            ("another format", good.replace("@v1", "@v2")),
            ("a leading zero", good.replace("index 5", "index 05")),
            ("no index", good.replace("index 5\n", "")),
            ("a word", good.replace("index 5", "index five")),
            ("a number too large", good.replace("index 5", "index 18446744073709551616")),
            ("a short hash", good.replacen("=\n", "\n", 1)),
            ("no empty line", good.replacen("\n\n", "\n", 2)),
            ("extra that is not base64", good.replace("\nindex", "\nextra !\nindex")),
            ("65 hashes", good.replace("index 5\n", &format!("index 5\n{}", format!("{}\n", BASE64.encode([0; 32])).repeat(65)))),
            ("nothing", String::new()),
        ] {
            assert!(matches!(Receipt::parse(&wrong), Err(ReceiptFault::Form { .. })), "{what}");
        }
    }

    #[test]
    fn the_headers_of_an_answer_are_read_as_they_were_written() {
        // F1: the answer names its entry
        let logged = Logged { index: 73_894, leaf: [9; 32] };
        assert_eq!(Logged::read("73894", &logged.leaf_text()), Some(logged));
        for (index, leaf) in [("073894", logged.leaf_text()), ("", logged.leaf_text()), ("1", "AA==".to_owned()), ("1", String::new())] {
            assert_eq!(Logged::read(index, &leaf), None);
        }
    }

    proptest! {
        #[test]
        fn no_text_whatever_makes_a_receipt_panic(text in "(c2sp.org/tlog-proof@v1\n)?(index [0-9]{1,21}\n)?[ -~\n]{0,200}") {
            // bad input gets a typed error
            if let Ok(receipt) = Receipt::parse(&text) {
                let logged = Logged { index: receipt.index, leaf: [0; 32] };
                prop_assert!(receipt.verify(&logged, signer().verifier_key()).is_err());
            }
        }
    }
}
