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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{hash, leaves, CT_LEAVES, CT_ROOTS};
    use crate::tree::leaf_hash;
    use proptest::prelude::*;

    fn hashes(count: u32) -> Vec<Hash> {
        leaves(count).iter().map(|leaf| leaf_hash(leaf)).collect()
    }

    fn ct_hashes() -> Vec<Hash> {
        CT_LEAVES.iter().map(|leaf| leaf_hash(leaf)).collect()
    }

    #[test]
    fn inclusion_proofs_are_those_of_the_certificate_transparency_reference_tests() {
        // F2: proofs by the public standard; verifier tests of certificate-transparency and transparency-dev/merkle
        for (index, path) in [
            (
                0,
                [
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                5,
                [
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
        ] {
            let path = path.map(hash).to_vec();
            assert_eq!(inclusion_proof(&ct_hashes(), index), Some(path.clone()));
            assert_eq!(verify_inclusion(&ct_hashes()[index], index as u64, 8, &path, &hash(CT_ROOTS[8])), Ok(()));
        }
    }

    #[test]
    fn consistency_proofs_are_those_of_the_certificate_transparency_reference_tests() {
        // F2: proofs by the public standard; PROOF(1, 8), PROOF(6, 8) and PROOF(2, 5) of the same tests
        for (old, new, path) in [
            (
                1,
                8,
                &[
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ][..],
            ),
            (
                6,
                8,
                &[
                    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (
                2,
                5,
                &[
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ],
            ),
        ] {
            let path: Vec<Hash> = path.iter().map(|h| hash(h)).collect();
            assert_eq!(consistency_proof(&ct_hashes()[..new], old), Some(path.clone()));
            let (old_root, new_root) = (hash(CT_ROOTS[old]), hash(CT_ROOTS[new]));
            assert_eq!(verify_consistency(old as u64, &old_root, new as u64, &new_root, &path), Ok(()));
        }
    }

    #[test]
    fn every_leaf_of_every_size_has_a_proof_that_verifies_for_it_alone() {
        // F2: nothing was altered, removed or reordered
        for size in 1..=70 {
            let hashes = hashes(size);
            let root = root_of(&hashes);
            for index in 0..size {
                let path = inclusion_proof(&hashes, index as usize).unwrap();
                let leaf = hashes[index as usize];
                let verdict =
                    |leaf: &Hash, index: u32, path: &[Hash]| verify_inclusion(leaf, u64::from(index), u64::from(size), path, &root);
                assert_eq!(verdict(&leaf, index, &path), Ok(()));
                assert_eq!(verdict(&[0; 32], index, &path), Err(ProofFault::Root));
                assert!(verdict(&leaf, (index + 1) % size, &path).is_err() || size == 1);
                assert_eq!(verdict(&leaf, index, &[&path[..], &[[0; 32]]].concat()), Err(ProofFault::Length));
                if let Some((_, shorter)) = path.split_last() {
                    assert!(verdict(&leaf, index, shorter).is_err());
                }
            }
            assert_eq!(inclusion_proof(&hashes, size as usize), None);
        }
    }

    #[test]
    fn every_tree_is_proved_to_begin_with_every_smaller_one_and_with_no_other() {
        // F2: nothing was altered, removed or reordered between two heads
        let hashes = hashes(70);
        for new in 1..=70usize {
            for old in 1..=new {
                let path = consistency_proof(&hashes[..new], old).unwrap();
                let (old_root, new_root) = (root_of(&hashes[..old]), root_of(&hashes[..new]));
                let verdict = |old_root, new_root, path: &[Hash]| verify_consistency(old as u64, old_root, new as u64, new_root, path);
                assert_eq!(verdict(&old_root, &new_root, &path), Ok(()));
                assert!(verdict(&[0; 32], &new_root, &path).is_err());
                assert!(verdict(&old_root, &[0; 32], &path).is_err());
                assert_eq!(verdict(&old_root, &new_root, &[&path[..], &[[0; 32]]].concat()), Err(ProofFault::Length));
            }
        }
        assert_eq!((consistency_proof(&hashes, 0), consistency_proof(&hashes, 71)), (None, None));
        assert_eq!(verify_consistency(0, &hashes[0], 1, &hashes[0], &[]), Err(ProofFault::Sizes));
        assert_eq!(verify_consistency(2, &hashes[0], 1, &hashes[0], &[]), Err(ProofFault::Sizes));
    }

    proptest! {
        #[test]
        fn no_numbers_whatever_make_a_proof_panic_or_pass(a: u64, b: u64, count in 0usize..70) {
            // F2: a forged proof is an error
            let path = vec![[1; 32]; count];
            prop_assert!(verify_inclusion(&[0; 32], a, b, &path, &[2; 32]).is_err());
            prop_assert!(verify_consistency(a, &[0; 32], b, &[2; 32], &path).is_err());
        }
    }
}
