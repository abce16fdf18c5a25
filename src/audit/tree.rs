//! The Merkle tree of RFC 6962, 2.1, kept incrementally and cut into tiles of 256 hashes (C2SP tlog-tiles). Only the right edge is
//! kept: for each level the hashes of the tile that is not full yet. Whoever appends stores the leaves and the tiles.

use crate::AuditError;
use sha2::{Digest, Sha256};

/// SHA-256 of a leaf, a node or a tree.
pub type Hash = [u8; 32];

/// Hashes in a full tile.
pub(crate) const TILE: usize = 256;

/// MTH({d}) = SHA-256(0x00 || d).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// The hash of a node over two subtrees: SHA-256(0x01 || left || right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut text = [1; 65];
    text[1..33].copy_from_slice(left);
    text[33..].copy_from_slice(right);
    Sha256::digest(text).into()
}

/// The root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// A tile that has just become full: 256 hashes, 8,192 bytes. At level 0 they are leaf hashes; at level n each is the root of
/// 256^n leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullTile {
    /// 0 to 7.
    pub level: u8,
    /// Its place in the level, from 0.
    pub index: u64,
    /// The hashes one after another.
    pub hashes: Vec<u8>,
}

/// An append-only tree. Costs at most 7 x 255 hashes of memory, whatever its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    edge: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, edge: Vec::new() }
    }

    /// The tree of `size` leaves whose incomplete tiles are given, level 0 first, as [`Self::edge`] had them. Level n must have
    /// floor(size / 256^n) mod 256 hashes; absent levels count as empty.
    pub fn resume(size: u64, mut edge: Vec<Vec<Hash>>) -> Result<Self, AuditError> {
        while edge.last().is_some_and(Vec::is_empty) {
            edge.pop();
        }
        let mut rest = size;
        for level in &edge {
            if level.len() as u64 != rest % TILE as u64 {
                return Err(AuditError::EdgeDoesNotFit { size });
            }
            rest /= TILE as u64;
        }
        if rest != 0 {
            return Err(AuditError::EdgeDoesNotFit { size });
        }
        Ok(Self { size, edge })
    }

    /// As [`Self::resume`], for a caller that holds the root against one it trusts: an edge that does not fit gives another root.
    pub(crate) const fn with_edge(size: u64, edge: Vec<Vec<Hash>>) -> Self {
        Self { size, edge }
    }

    /// Appends a leaf. Hands back the tiles that became full by it, lowest level first; mostly none.
    #[must_use = "full tiles are not kept here"]
    pub fn append(&mut self, leaf: &[u8]) -> Vec<FullTile> {
        self.append_hash(leaf_hash(leaf))
    }

    /// Appends a leaf by its hash.
    #[must_use = "full tiles are not kept here"]
    pub fn append_hash(&mut self, leaf: Hash) -> Vec<FullTile> {
        self.size += 1;
        let mut full = Vec::new();
        let mut carried = leaf;
        for level in 0.. {
            if self.edge.len() == level {
                self.edge.push(Vec::with_capacity(TILE));
            }
            let tile = &mut self.edge[level];
            tile.push(carried);
            if tile.len() < TILE {
                break;
            }
            carried = root_of(tile);
            let index = (self.size >> (8 * (level + 1))) - 1;
            full.push(FullTile { level: level as u8, index, hashes: tile.concat() });
            tile.clear();
        }
        full
    }

    /// Leaves appended.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root, MTH of all leaves. Costs at most 255 hashes a level: for checkpoints, not for every append.
    #[must_use]
    pub fn root(&self) -> Hash {
        // A level's hashes are perfect subtrees, larger than all that lies right of them, so RFC 6962 splits between them just as it
        // would between leaves, with the levels below as the last one.
        let mut right: Option<Hash> = None;
        for level in &self.edge {
            right = match right {
                None if level.is_empty() => None,
                Some(below) if level.is_empty() => Some(below),
                None => Some(root_of(level)),
                Some(below) => Some(root_of(&[level.as_slice(), &[below]].concat())),
            };
        }
        right.unwrap_or_else(empty_root)
    }

    /// The incomplete tile of each level, level 0 first: what [`Self::resume`] takes, and what partial tiles hold.
    #[must_use]
    pub fn edge(&self) -> &[Vec<Hash>] {
        &self.edge
    }
}

/// MTH over subtrees already hashed, by the split of RFC 6962: k is the largest power of two below n.
pub(crate) fn root_of(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => empty_root(),
        [only] => *only,
        several => {
            let (left, right) = several.split_at(several.len().next_power_of_two() / 2);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{hash, leaves, CT_LEAVES, CT_ROOTS};

    /// MTH word for word from RFC 6962, 2.1, over leaf hashes.
    fn mth(hashes: &[Hash]) -> Hash {
        if hashes.is_empty() {
            return Sha256::digest([]).into();
        }
        if hashes.len() == 1 {
            return hashes[0];
        }
        let mut k = 1;
        while k * 2 < hashes.len() {
            k *= 2;
        }
        let (left, right) = (mth(&hashes[..k]), mth(&hashes[k..]));
        Sha256::digest([&[1][..], &left, &right].concat()).into()
    }

    #[test]
    fn the_roots_are_those_of_the_certificate_transparency_reference_tests() {
        // F2: a Merkle tree by the public standard (RFC 6962)
        let mut tree = Tree::new();
        assert_eq!(tree.root(), hash(CT_ROOTS[0]));
        for (leaf, root) in CT_LEAVES.iter().zip(&CT_ROOTS[1..]) {
            assert!(tree.append(leaf).is_empty());
            assert_eq!(tree.root(), hash(root));
        }
    }

    #[test]
    fn the_root_of_every_size_up_to_1100_is_that_of_the_definition() {
        // F2: a Merkle tree by the public standard (RFC 6962)
        let hashes: Vec<Hash> = leaves(1100).iter().map(|leaf| leaf_hash(leaf)).collect();
        let mut tree = Tree::new();
        for size in 0..=1100 {
            assert_eq!((tree.size(), tree.root()), (size as u64, mth(&hashes[..size])));
            if let Some(next) = hashes.get(size) {
                let full = tree.append_hash(*next);
                assert_eq!(full.len(), usize::from((size + 1) % 256 == 0));
            }
        }
    }

    #[test]
    fn tiles_become_full_in_the_order_and_number_of_the_standards_example() {
        // tlog-tiles: 70,000 leaves are 273 full and one partial (112) tile of level 0, one full and one partial (17) of level 1, 1 of level 2
        let hashes: Vec<Hash> = leaves(70_000).iter().map(|leaf| leaf_hash(leaf)).collect();
        let mut tree = Tree::new();
        let full: Vec<FullTile> = hashes.iter().flat_map(|leaf| tree.append_hash(*leaf)).collect();
        let (low, high): (Vec<_>, Vec<_>) = full.iter().partition(|tile| tile.level == 0);
        assert!(low
            .iter()
            .enumerate()
            .all(|(at, tile)| tile.index == at as u64 && tile.hashes == hashes[256 * at..256 * (at + 1)].concat()));
        assert_eq!((low.len(), high.len(), high[0].level, high[0].index), (273, 1, 1, 0));
        assert_eq!(high[0].hashes[32..64], mth(&hashes[256..512]));
        assert_eq!(tree.edge().iter().map(Vec::len).collect::<Vec<_>>(), [112, 17, 1]);
        assert_eq!(tree.root(), mth(&hashes));
    }

    #[test]
    fn a_tree_resumes_from_its_edge_as_if_it_had_never_stopped() {
        // F2: nothing was removed, by a restart neither
        let hashes: Vec<Hash> = leaves(1000).iter().map(|leaf| leaf_hash(leaf)).collect();
        for stop in [0, 1, 255, 256, 257, 512, 600] {
            let mut tree = Tree::new();
            hashes[..stop].iter().for_each(|leaf| drop(tree.append_hash(*leaf)));
            let mut resumed = Tree::resume(tree.size(), tree.edge().to_vec()).unwrap();
            assert_eq!(resumed.root(), tree.root());
            hashes[stop..].iter().for_each(|leaf| drop(resumed.append_hash(*leaf)));
            assert_eq!((resumed.size(), resumed.root()), (1000, mth(&hashes)));
        }
    }

    #[test]
    fn an_edge_that_does_not_fit_its_size_is_refused() {
        // F2: a store whose tree was altered does not go on
        for (size, edge) in [
            (1, vec![]),
            (2, vec![vec![[0; 32]]]),
            (0, vec![vec![[0; 32]]]),
            (256, vec![vec![[0; 32]; 256]]),
            (257, vec![vec![[0; 32]]]),
            (257, vec![vec![[0; 32]], vec![[0; 32]; 2]]),
        ] {
            assert_eq!(Tree::resume(size, edge), Err(AuditError::EdgeDoesNotFit { size }));
        }
        assert!(Tree::resume(257, vec![vec![[0; 32]], vec![[0; 32]], vec![]]).is_ok());
    }
}
