//! Verifies a document with the log's public key alone; with a policy, its quorum too. Names the first fault.

use crate::error::{DocumentFault, EntryFault};
use crate::evidence::paragraph;
use crate::form::{Kind, Leaf, Parts, Proof};
use contactpoint_audit::{leaf_hash, verify_inclusion, Accepted, Checkpoint, Entry, Hash, LogPolicy, VerifierKey};
use contactpoint_sealing::EntryKey;

/// What a good document is.
#[derive(Debug)]
pub struct Verified {
    /// Which kind.
    pub kind: Kind,
    /// "child 4182736451" or "person 17".
    pub about: String,
    /// When it was made, as it says.
    pub made: String,
    /// It says that it is a part: its own words tell among which entries of the log it has them all.
    pub is_part: bool,
    /// Entries in it.
    pub entries: u64,
    /// Of these, how many have leaves that do not commit to their key (format 1).
    pub uncommitted: u64,
    /// The head below which they are.
    pub checkpoint: Checkpoint,
    /// Who cosigned it, where a policy asked.
    pub accepted: Option<Accepted>,
}

/// Verifies a document in clear.
pub fn verify(document: &str, key: &VerifierKey, policy: Option<&LogPolicy>) -> Result<Verified, DocumentFault> {
    let Parts { kind, about, made, is_part, size, entries, looks, proofs, checkpoint: note } = Parts::open(document, key)?;
    let checkpoint = Checkpoint::open(note, key).map_err(DocumentFault::Checkpoint)?;
    let accepted = policy.map(|policy| policy.accept(note, Some(key))).transpose().map_err(DocumentFault::Checkpoint)?;
    if checkpoint.size != size {
        return Err(DocumentFault::Form { why: "the signed size is that of the checkpoint" });
    }
    let found = proofs.len().max(looks.len()) as u64;
    if found != entries || proofs.len() != looks.len() {
        return Err(DocumentFault::Count { said: entries, found });
    }
    let mut uncommitted = 0;
    let mut last = None;
    for (words, proof) in looks.iter().zip(&proofs) {
        let index = proof.index;
        let committed = one((kind, about), words, proof, &checkpoint, last).map_err(|fault| DocumentFault::Entry { index, fault })?;
        uncommitted += u64::from(!committed);
        last = Some(index);
    }
    Ok(Verified { kind, about: about.to_owned(), made: made.to_owned(), is_part, entries, uncommitted, checkpoint, accepted })
}

/// Verifies one entry; whether its leaf commits to its key.
fn one((kind, about): (Kind, &str), words: &str, proof: &Proof, checkpoint: &Checkpoint, last: Option<u64>) -> Result<bool, EntryFault> {
    let Proof { index, leaf, path } = proof;
    let is_named = words.lines().next() == Some(format!("Entry {index}").as_str());
    if !is_named || last.is_some_and(|last| last >= *index) {
        return Err(EntryFault::Unpaired);
    }
    let included = |hash: &Hash| verify_inclusion(hash, *index, checkpoint.size, path, &checkpoint.root).map_err(EntryFault::Proof);
    match (kind, leaf) {
        (Kind::SubjectAccess, Leaf::Hash(hash)) => included(hash).map(|()| true),
        (Kind::Evidence, Leaf::Whole { leaf, key }) => {
            let disclosed = EntryKey::new(*key).open(leaf).map_err(EntryFault::Leaf)?;
            let entry = Entry::decode(&disclosed.entry).map_err(|_| EntryFault::Unknown)?;
            if entry.person.is_none_or(|person| format!("person {}", person.0) != about) {
                return Err(EntryFault::OfAnother);
            }
            if paragraph(*index, &entry).trim_end() != words.trim_end() {
                return Err(EntryFault::Words);
            }
            included(&leaf_hash(leaf)).map(|()| disclosed.committed)
        }
        (Kind::SubjectAccess, Leaf::Whole { .. }) | (Kind::Evidence, Leaf::Hash(_)) => Err(EntryFault::Unpaired),
    }
}
