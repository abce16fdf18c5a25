//! Inclusion and consistency proofs: made from leaf hashes (RFC 6962, 2.1.1 and 2.1.2) and verified (RFC 9162, 2.1.3.2 and 2.1.4.2).

use crate::error::ProofFault;
use crate::tree::{node_hash, root_of, Hash};

/// The audit path of a leaf in the tree over all hashes given, nearest sibling first; `None` where the index is outside.
#[must_use]
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let (mut within, mut index) = (leaves, index);
    while within.len() > 1 {
        let split = within.len().next_power_of_two() / 2;
        let (left, right) = within.split_at(split);
        if index < split {
            path.push(root_of(right));
            within = left;
        } else {
            path.push(root_of(left));
            (within, index) = (right, index - split);
        }
    }
    path.reverse();
    Some(path)
}

/// The proof that the tree over the first `old` leaves is a beginning of the tree over all; `None` where `old` is 0 or too large.
#[must_use]
pub fn consistency_proof(leaves: &[Hash], old: usize) -> Option<Vec<Hash>> {
    if old == 0 || old > leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let (mut within, mut old, mut whole) = (leaves, old, true);
    while old < within.len() {
        let split = within.len().next_power_of_two() / 2;
        let (left, right) = within.split_at(split);
        if old <= split {
            path.push(root_of(right));
            within = left;
        } else {
            path.push(root_of(left));
            (within, old, whole) = (right, old - split, false);
        }
    }
    if !whole {
        path.push(root_of(within));
    }
    path.reverse();
    Some(path)
}

/// Verifies that a leaf stands at `index` in the tree of `size` leaves with this root.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> Result<(), ProofFault> {
    if index >= size {
        return Err(ProofFault::Sizes);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return Err(ProofFault::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            (node, last) = above_left_turn(node, last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofFault::Length);
    }
    (hash == *root).then_some(()).ok_or(ProofFault::Root)
}

/// Verifies that the tree of `old_size` leaves with `old_root` is a beginning of the tree of `new_size` leaves with `new_root`.
/// Nothing can be said from an empty tree, which every tree begins with: an old size of 0 is refused.
pub fn verify_consistency(old_size: u64, old_root: &Hash, new_size: u64, new_root: &Hash, path: &[Hash]) -> Result<(), ProofFault> {
    if old_size == 0 || old_size > new_size {
        return Err(ProofFault::Sizes);
    }
    if old_size == new_size {
        let same = old_root == new_root;
        return if !path.is_empty() { Err(ProofFault::Length) } else { same.then_some(()).ok_or(ProofFault::Root) };
    }
    // a complete old tree is its own first node, which the proof leaves out
    let (first, rest) = if old_size.is_power_of_two() { (old_root, path) } else { path.split_first().ok_or(ProofFault::Length)? };
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    let (mut old, mut new) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(ProofFault::Length);
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            (node, last) = above_left_turn(node, last);
        } else {
            new = node_hash(&new, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofFault::Length);
    }
    (old == *old_root && new == *new_root).then_some(()).ok_or(ProofFault::Root)
}

/// RFC 9162: "if LSB(fn) is not set, then right-shift both fn and sn equally until either LSB(fn) is set or fn is 0".
fn above_left_turn(mut node: u64, mut last: u64) -> (u64, u64) {
    while node & 1 == 0 && node != 0 {
        (node, last) = (node >> 1, last >> 1);
    }
    (node, last)
}
