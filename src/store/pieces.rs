//! An answer that tells of many children has several entries, each as long as that of a look.
//!
//! The length of a leaf is public. One entry with every child of a bundle of evidence, or of a queue of reviews, would be the longest in the log, and
//! whoever reads the log would know that somebody is being looked into. So the first entry says what was done, and names the first children; those
//! after it are the same act and name the others. They are appended by one commit: a head covers all of them or none. Looks stay in one entry, which
//! budgets, facts and reviews are about; a search lists at most twenty.

use crate::error::StoreError;
use crate::leaf;
use crate::looked;
use crate::sealed::SealKeys;
use contactpoint_audit::{Entry, Operation};

/// Children that one entry of such an answer names: with what else stands in it, it is as long as a view's.
const CHILDREN: usize = 8;

/// What stays in one entry, however many children it names: looks, what is fed, orders of destruction, and decisions about records, whose entries say which is
/// settled to be which.
const WHOLE: [Operation; 12] = [
    Operation::Search,
    Operation::View,
    Operation::BreakGlass,
    Operation::OverrideShield,
    Operation::AskContact,
    Operation::Feed,
    Operation::Shield,
    Operation::Unshield,
    Operation::SetAudience,
    Operation::SettleRecord,
    Operation::DestroyRecords,
    Operation::DestroyRecord,
];

/// A leaf, and the tokens of the children that its entry names.
pub(crate) struct Piece {
    pub(crate) leaf: Vec<u8>,
    pub(crate) tokens: Vec<[u8; 16]>,
}

/// The leaves of one act: the one that is answered with, and those that follow it.
pub(crate) struct Pieces {
    pub(crate) first: Piece,
    pub(crate) rest: Vec<Piece>,
}

impl Pieces {
    /// Seals the entries of an act: the only way into the log.
    pub(crate) fn of(keys: &SealKeys, mut entry: Entry) -> Result<Self, StoreError> {
        let rest = following(&mut entry);
        let piece = |entry: &Entry| Ok(Piece { leaf: leaf::sealed(keys, entry)?, tokens: looked::tokens_of(keys, entry) });
        Ok(Self { first: piece(&entry)?, rest: rest.iter().map(piece).collect::<Result<_, StoreError>>()? })
    }

    /// The tokens of all of them.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &[[u8; 16]]> {
        std::iter::once(&self.first).chain(&self.rest).map(|piece| piece.tokens.as_slice())
    }
}

/// Leaves an entry the children that it has room for; the others are in entries of their own.
fn following(entry: &mut Entry) -> Vec<Entry> {
    if entry.children.len() <= CHILDREN || WHOLE.contains(&entry.operation) {
        return Vec::new();
    }
    let others = entry.children.split_off(CHILDREN);
    let same = Entry { children: Vec::new(), changes: Vec::new(), ..entry.clone() };
    others.chunks(CHILDREN).map(|children| Entry { children: children.to_vec(), ..same.clone() }).collect()
}
