//! What can be wrong with an entry, a key, a checkpoint, a proof or a log. A [`Fault`] names the file or the leaf and what was expected
//! there, so that whoever verifies a log knows where to look; none of them shows what an entry says.

use crate::tree::Hash;
use std::fmt::Write as _;

/// An entry, an edge or a bundle is not what this release writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// Written by a newer release; read it with that one.
    #[error("an entry of format {0} is not known to this release")]
    UnknownFormat(u8),
    /// The bytes are no entry; the log verifies but what it holds was not written by us.
    #[error("an entry does not decode")]
    Malformed,
    /// A number of a closed list that this release does not know; read it with a newer one.
    #[error("{what} number {number} is not known to this release")]
    UnknownNumber {
        /// The list: "operation", "field".
        what: &'static str,
        /// The number found.
        number: u8,
    },
    /// The stored right edge is not that of a tree of this size; rebuild the tree from the leaves.
    #[error("the tree's stored edge does not fit its size of {size} leaves")]
    EdgeDoesNotFit {
        /// The size given.
        size: u64,
    },
    /// A leaf is longer than the 65,535 bytes that an entry bundle can tell.
    #[error("a leaf of {length} bytes does not fit an entry bundle")]
    LeafTooLong {
        /// Bytes given.
        length: usize,
    },
}

/// A verifier key is not one. The accreditor has to fetch it again from where it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not of the form name+hash+key.
    #[error("a verifier key has the form name+hash+key, as in example.org/log+c74f20a3+AR...")]
    Malformed,
    /// The name is empty or has a blank or a plus sign.
    #[error("a key's name is not empty and has no blank, plus sign or control character")]
    Name,
    /// A type byte other than 0x01 (Ed25519) and 0x02 (ECDSA P-256).
    #[error("signature type {0:#04x} is neither Ed25519 (0x01) nor ECDSA P-256 (0x02)")]
    UnknownType(u8),
    /// A type byte other than 0x04 where a witness's key is asked for: a log's key, or ML-DSA-44 (0x06), which this release does not verify.
    #[error("signature type {0:#04x} is not that of a witness with an Ed25519 key (0x04)")]
    NotAWitness(u8),
    /// The key's bytes are no public key of their type.
    #[error("the bytes are no public key of their type")]
    NotAKey,
    /// The hash in the text is not the one of name and key: a typing error, or two keys mixed up.
    #[error("the key's hash is {found}, but its name and key give {expected}")]
    OtherId {
        /// What name and key give.
        expected: KeyId,
        /// What the text says.
        found: KeyId,
    },
}

/// A policy is not one. Nothing of it is used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct PolicyError {
    /// From 1; the last line where the fault is that something is missing.
    pub line: usize,
    /// What is wrong there.
    pub fault: PolicyFault,
}

/// What is wrong with a line of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// The last line does not end: the file may have been cut off.
    #[error("the line does not end in a newline; was the file cut off?")]
    CutOff,
    /// A control character other than tab and newline.
    #[error("the octet {0:#04x} is not allowed")]
    Octet(u8),
    /// The first word.
    #[error("{0} is none of log, witness, group, quorum")]
    Keyword(String),
    /// Too few or too many words.
    #[error("a line of this kind reads: {0}")]
    Form(&'static str),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// Two logs, or two witnesses, with one public key.
    #[error("the same public key stands in an earlier line")]
    SameKey,
    /// Two witnesses or groups with one name, or one called none.
    #[error("the name {0} is taken")]
    NameTaken(String),
    /// A group's or the quorum's member that no earlier line defines.
    #[error("{0} is not defined above it")]
    NotDefined(String),
    /// A witness or group in two groups, or twice in one.
    #[error("{0} is a member already, and may be one once")]
    MemberTwice(String),
    /// A threshold that is no number, or cannot be reached, or is always reached.
    #[error("{found} is no threshold for {members} members: all, any, or a number from 1 to {members}")]
    Threshold {
        /// What stands there.
        found: String,
        /// Members of the group.
        members: usize,
    },
    /// There is one quorum.
    #[error("there is a quorum line already")]
    SecondQuorum,
    /// A policy without a quorum would accept everything; whoever wants that says `quorum none`.
    #[error("there is no quorum line")]
    NoQuorum,
}

/// The four bytes that name a key in a note, shown as eight hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId(pub [u8; 4]);

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// No signature was made.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The custody of the key refused or failed; its own error says what to do.
    #[error("the signing key did not sign: {0}")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What came back does not verify under the key's public half. The token is faulty or holds another key; publish nothing.
    #[error("the signature made does not verify under {key}")]
    DoesNotVerify {
        /// The verifier key.
        key: String,
    },
    /// A witness signs with Ed25519, and this key does not; give it another one.
    #[error("a witness cosigns with Ed25519, which {key} is not a key of")]
    NotAWitness {
        /// The verifier key.
        key: String,
    },
    /// A cosignature's time is none that the format has; the clock is wrong.
    #[error("{at} is no time of a cosignature: it has 63 bits")]
    NoTime {
        /// Seconds since 1970-01-01T00:00:00Z.
        at: u64,
    },
    /// The checkpoint's origin is not the key's name; a defect in the caller.
    #[error("the origin {origin} is not the name of the key {key}")]
    OtherOrigin {
        /// The checkpoint's.
        origin: String,
        /// The verifier key.
        key: String,
    },
}

/// A proof does not show what it is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// Index and sizes do not go together: an index outside the tree, an old tree larger than the new one.
    #[error("the proof's index or sizes do not fit together")]
    Sizes,
    /// Too few or too many hashes.
    #[error("the proof does not have the length that its tree asks for")]
    Length,
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the root")]
    Root,
}

/// A checkpoint or a log does not verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The note's shape is wrong.
    #[error("the checkpoint is no signed note: {why}")]
    Note {
        /// What was expected.
        why: &'static str,
    },
    /// The text of the checkpoint is not origin, size, root.
    #[error("the checkpoint's text is wrong: {why}")]
    Checkpoint {
        /// What was expected.
        why: &'static str,
    },
    /// No signature line bears the key's name and id: signed by another key, or not at all.
    #[error("the checkpoint is not signed by {key}")]
    NotSigned {
        /// The verifier key asked for.
        key: String,
    },
    /// The line bears the key's name and id, but the signature does not verify: the checkpoint was altered.
    #[error("the checkpoint's signature by {key} does not verify")]
    WrongSignature {
        /// The verifier key asked for.
        key: String,
    },
    /// The log signed it, but too few of the witnesses that the policy asks for did.
    #[error("the quorum {quorum} is not met: the checkpoint is cosigned by {}", named(cosigned))]
    QuorumNotMet {
        /// The witness or group that the policy's quorum line names.
        quorum: String,
        /// The policy's names of the witnesses that did cosign.
        cosigned: Vec<String>,
    },
    /// Signed by our key, but for another log.
    #[error("the checkpoint is of the log {found}, not of {expected}")]
    OtherOrigin {
        /// The key's name.
        expected: String,
        /// The first line of the checkpoint.
        found: String,
    },
    /// A file that the checkpoint's size demands is not there: entries were removed, or not all was fetched.
    #[error("{file} is missing: the checkpoint covers {size} entries, and this file holds entries from {first} on")]
    Missing {
        /// Below the log's directory.
        file: String,
        /// The checkpoint's size.
        size: u64,
        /// The index of the first entry in the file.
        first: u64,
    },
    /// A file is there but cannot be read.
    #[error("{file} cannot be read: {kind}")]
    Unreadable {
        /// Below the log's directory.
        file: String,
        /// What the system said.
        kind: std::io::ErrorKind,
    },
    /// A file was not got from whoever serves the log. That is no verdict: try again.
    #[error("{file} was not fetched, when {reached} entries were read: {why}")]
    NotFetched {
        /// Below the log's address.
        file: String,
        /// Entries read until then: those of the tiles before it.
        reached: u64,
        /// What the connection or the server said.
        why: String,
    },
    /// A bundle ends before its last entry does.
    #[error("{file} ends in the middle: entry {index} was expected there (the file should hold {width} entries)")]
    Truncated {
        /// Below the log's directory.
        file: String,
        /// The index of the entry that is cut off or absent.
        index: u64,
        /// Entries that the file should hold.
        width: u16,
    },
    /// A bundle goes on after its last entry.
    #[error("{file} has {extra} bytes after its {width} entries, the last of which is entry {last}")]
    Trailing {
        /// Below the log's directory.
        file: String,
        /// Entries that the file should hold.
        width: u16,
        /// The index of the last of them.
        last: u64,
        /// Bytes too many.
        extra: usize,
    },
    /// A tile of hashes has a wrong length.
    #[error("{file} has {found} bytes, not {expected}")]
    TileLength {
        /// Below the log's directory.
        file: String,
        /// 32 for each hash.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// An entry and the leaf hash kept beside it disagree: one of the two was altered.
    #[error(
        "entry {index} in {bundle} was altered, or its hash in {tile} was: {tile} expects {}, the entry has {}",
        hex(expected),
        hex(found)
    )]
    Leaf {
        /// The entry's index.
        index: u64,
        /// The file it stands in.
        bundle: String,
        /// The file its hash stands in.
        tile: String,
        /// The hash in the tile.
        expected: Hash,
        /// The hash of the entry.
        found: Hash,
    },
    /// A hash of a higher tile disagrees with the entries below it.
    #[error("entries {first} to {last} were altered, or {tile} was: {tile} expects {}, they have {}", hex(expected), hex(found))]
    Node {
        /// The index of the first entry below the hash.
        first: u64,
        /// The index of the last one.
        last: u64,
        /// The file that the hash stands in.
        tile: String,
        /// The hash in the tile.
        expected: Hash,
        /// The hash of the entries.
        found: Hash,
    },
    /// All files agree with each other but not with the signed root: an entry of the first `size` was altered, or the order was.
    #[error("the {size} entries do not give the signed root: {} was signed, they have {}", hex(expected), hex(found))]
    Root {
        /// The checkpoint's size.
        size: u64,
        /// The signed root.
        expected: Hash,
        /// The root of the entries.
        found: Hash,
    },
    /// Fewer entries than a checkpoint shown before had: the log was rolled back, or somebody else's is shown.
    #[error("the log has become shorter: {before} entries were shown before, {now} are shown now")]
    Shorter {
        /// Entries of the checkpoint shown before.
        before: u64,
        /// Entries of the one shown now.
        now: u64,
    },
    /// Two checkpoints of one size with different roots: the log has forked.
    #[error("the log has forked: of {size} entries the root {} was shown before, and now {}", hex(before), hex(now))]
    Forked {
        /// Entries of both.
        size: u64,
        /// The root shown before.
        before: Hash,
        /// The root shown now.
        now: Hash,
    },
    /// A longer log, but its first entries are not those shown before.
    #[error("its first {size} entries do not give the root that was shown before: {} was shown, they have {}", hex(expected), hex(found))]
    NotABeginning {
        /// Entries of the checkpoint shown before.
        size: u64,
        /// Its root.
        expected: Hash,
        /// The root of as many entries of the log shown now.
        found: Hash,
    },
}

fn named(witnesses: &[String]) -> String {
    match witnesses {
        [] => "none of the policy's witnesses".to_owned(),
        some => format!("{} alone", some.join(", ")),
    }
}

fn hex(hash: &Hash) -> String {
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        // writing into a String cannot fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}
