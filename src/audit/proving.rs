//! Inclusion and consistency proofs out of a log's tiles (C2SP tlog-tiles): which tiles a proof takes, and the proof once they are there.
//!
//! For: proofs of a log of any size out of a few tiles, two a level at most, wherever these come from - rows of a store, or answers over a
//! network. Leaves to others: fetching tiles, and verifying what comes out (`proof`): a tile that lies gives a proof that does not verify.

use crate::tiles::{width_at, TilePath, FULL};
use crate::tree::{node_hash, Hash};

/// A tile of hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashTile {
    /// 0 holds leaf hashes.
    pub level: u8,
    /// From 0.
    pub index: u64,
    /// Hashes in it, 1 to 256.
    pub width: u16,
}

impl HashTile {
    /// Where it stands below the log.
    #[must_use]
    pub fn path(self) -> TilePath {
        TilePath::Hashes { level: self.level, index: self.index, width: self.width }
    }
}

/// A proof to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proving {
    size: u64,
    /// The leaves below each hash of the proof: the first, and the one behind the last.
    ranges: Vec<(u64, u64)>,
}

impl Proving {
    /// That a leaf is in the tree of `size` leaves; `None` where it is not.
    #[must_use]
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        let mut ranges = Vec::new();
        let (mut from, mut to) = (0, size);
        while to - from > 1 {
            let split = from + left_of(to - from);
            if index < split {
                ranges.push((split, to));
                to = split;
            } else {
                ranges.push((from, split));
                from = split;
            }
        }
        ranges.reverse();
        (index < size).then_some(Self { size, ranges })
    }

    /// That the tree of `old` leaves is a beginning of the tree of `size`; `None` where `old` is 0 or too large.
    #[must_use]
    pub fn consistency(old: u64, size: u64) -> Option<Self> {
        if old == 0 || old > size {
            return None;
        }
        let mut ranges = Vec::new();
        let (mut from, mut to, mut whole) = (0, size, true);
        while old < to {
            let split = from + left_of(to - from);
            if old <= split {
                ranges.push((split, to));
                to = split;
            } else {
                ranges.push((from, split));
                (from, whole) = (split, false);
            }
        }
        if !whole {
            ranges.push((from, to));
        }
        ranges.reverse();
        Some(Self { size, ranges })
    }

    /// The tiles that it takes, each once.
    #[must_use]
    pub fn tiles(&self) -> Vec<HashTile> {
        let mut tiles = Vec::new();
        for (from, to) in self.ranges.iter().flat_map(|range| complete(*range)) {
            let (tile, _, _) = self.place(from, to - from);
            if !tiles.contains(&tile) {
                tiles.push(tile);
            }
        }
        tiles
    }

    /// The proof, from its tiles; `None` where one is missing or too short.
    #[must_use]
    pub fn proof(&self, tiles: &[(HashTile, Vec<Hash>)]) -> Option<Vec<Hash>> {
        self.ranges.iter().map(|range| self.root(tiles, *range)).collect()
    }

    /// The root over a range: complete trees, put together from the right.
    fn root(&self, tiles: &[(HashTile, Vec<Hash>)], range: (u64, u64)) -> Option<Hash> {
        let mut root = None;
        for (from, to) in complete(range).into_iter().rev() {
            let (wanted, first, count) = self.place(from, to - from);
            let (_, hashes) = tiles.iter().find(|(tile, _)| *tile == wanted)?;
            let left = complete_root(hashes.get(first..first + count)?)?;
            root = Some(root.map_or(left, |right| node_hash(&left, &right)));
        }
        root
    }

    /// The tile in which the root of a complete tree lies, and the hashes of it that are put together for that.
    fn place(&self, from: u64, leaves: u64) -> (HashTile, usize, usize) {
        let height = leaves.trailing_zeros();
        let (level, within) = ((height / 8) as u8, height % 8);
        let first = from >> (8 * u32::from(level));
        let index = first / u64::from(FULL);
        let tile = HashTile { level, index, width: width_at(self.size, level, index) };
        (tile, (first % u64::from(FULL)) as usize, 1 << within)
    }
}

/// The largest power of two below a number of leaves, which is 2 or more: so many are on the left (RFC 6962, 2.1).
fn left_of(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The complete trees that a range is made of, from the left; the largest first.
fn complete((mut from, to): (u64, u64)) -> Vec<(u64, u64)> {
    let mut trees = Vec::new();
    while from < to {
        let leaves = 1 << (to - from).ilog2();
        trees.push((from, from + leaves));
        from += leaves;
    }
    trees
}

/// The root over hashes, a power of two of them.
fn complete_root(hashes: &[Hash]) -> Option<Hash> {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::leaves;
    use crate::tree::{leaf_hash, root_of};
    use crate::{consistency_proof, inclusion_proof, verify_consistency, verify_inclusion, Tree};
    use proptest::prelude::*;

    /// Every tile of a log, as it would be served.
    struct Log {
        hashes: Vec<Hash>,
        tree: Tree,
        full: Vec<crate::FullTile>,
    }

    impl Log {
        fn of(size: u32) -> Self {
            let hashes: Vec<Hash> = leaves(size).iter().map(|leaf| leaf_hash(leaf)).collect();
            let mut tree = Tree::new();
            let full = hashes.iter().flat_map(|hash| tree.append_hash(*hash)).collect();
            Self { hashes, tree, full }
        }

        fn tile(&self, wanted: HashTile) -> (HashTile, Vec<Hash>) {
            let HashTile { level, index, width } = wanted;
            let full = self.full.iter().find(|tile| (tile.level, tile.index) == (level, index));
            let all = full.map_or_else(|| self.tree.edge()[usize::from(level)].clone(), |tile| tile.hashes.as_chunks().0.to_vec());
            (wanted, all[..usize::from(width)].to_vec())
        }

        fn proof(&self, proving: &Proving) -> Vec<Hash> {
            let tiles: Vec<_> = proving.tiles().into_iter().map(|tile| self.tile(tile)).collect();
            proving.proof(&tiles).unwrap()
        }
    }

    #[test]
    fn proofs_out_of_tiles_are_those_out_of_all_leaves() {
        // F2: proofs by the public standard (RFC 6962, 2.1.1 and 2.1.2)
        for size in [1, 2, 3, 7, 8, 255, 256, 257, 511, 513, 700] {
            let log = Log::of(size);
            for at in 0..u64::from(size) {
                let inclusion = log.proof(&Proving::inclusion(at, size.into()).unwrap());
                assert_eq!(inclusion, inclusion_proof(&log.hashes, at as usize).unwrap(), "{at} of {size}");
                let consistency = log.proof(&Proving::consistency(at + 1, size.into()).unwrap());
                assert_eq!(consistency, consistency_proof(&log.hashes, at as usize + 1).unwrap(), "{} of {size}", at + 1);
            }
        }
    }

    #[test]
    fn a_large_log_takes_few_tiles() {
        // the proof is read without slowing look-ups: two tiles a level at most
        let size = 66_000;
        let log = Log::of(size);
        let root = root_of(&log.hashes);
        for at in (0..u64::from(size)).step_by(997).chain([0, 65_535, 65_536, 65_999]) {
            let proving = Proving::inclusion(at, size.into()).unwrap();
            assert!(proving.tiles().len() <= 6, "{:?}", proving.tiles());
            assert_eq!(verify_inclusion(&log.hashes[at as usize], at, size.into(), &log.proof(&proving), &root), Ok(()));
            let old = at + 1;
            let proving = Proving::consistency(old, size.into()).unwrap();
            assert!(proving.tiles().len() <= 6, "{:?}", proving.tiles());
            let before = root_of(&log.hashes[..old as usize]);
            assert_eq!(verify_consistency(old, &before, size.into(), &root, &log.proof(&proving)), Ok(()));
        }
    }

    #[test]
    fn what_is_outside_has_no_proof_and_a_missing_tile_gives_none() {
        // bad input gets none, and no panic
        assert_eq!((Proving::inclusion(5, 5), Proving::inclusion(0, 0)), (None, None));
        assert_eq!((Proving::consistency(0, 5), Proving::consistency(6, 5)), (None, None));
        let log = Log::of(300);
        let proving = Proving::inclusion(7, 300).unwrap();
        let mut tiles: Vec<_> = proving.tiles().into_iter().map(|tile| log.tile(tile)).collect();
        tiles[0].1.pop();
        let short = proving.proof(&tiles[..1]);
        assert_eq!((short, proving.proof(&[])), (None, None));
    }

    proptest! {
        #[test]
        fn no_numbers_whatever_panic_or_ask_for_much(a: u64, b: u64) {
            // the size is the word of whoever is asked
            for proving in [Proving::inclusion(a, b), Proving::consistency(a, b)].into_iter().flatten() {
                prop_assert!(proving.tiles().len() <= 16);
                prop_assert!(proving.tiles().iter().all(|tile| (1..=256).contains(&tile.width) && tile.level <= 7));
                prop_assert_eq!(proving.proof(&[]).is_some(), proving.tiles().is_empty());
            }
        }
    }
}
