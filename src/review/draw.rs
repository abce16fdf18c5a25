//! A draw that anybody can repeat, from a seed that nobody chooses (rules D5, F4).
//!
//! Seed: SHA-256 over the text of a signed checkpoint, which has the tree's size and root in it. The rank of a number: SHA-256 over the seed and
//! the number, 8 bytes big-endian. Ranks do not depend on each other, so the order in which numbers come plays no part.

use sha2::{Digest, Sha256};

/// What a draw begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The seed of a checkpoint: its text without the signatures.
    #[must_use]
    pub fn of_checkpoint(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Where a number stands in the draw. The lowest ranks are drawn first.
    #[must_use]
    pub fn rank(&self, number: u64) -> [u8; 32] {
        Sha256::new().chain_update(self.0).chain_update(number.to_be_bytes()).finalize().into()
    }

    /// Whether a number is among so many of a thousand: the first 8 bytes of its rank, big-endian, times 1000, are below `per_mille` times 2^64.
    #[must_use]
    pub fn draws(&self, number: u64, per_mille: u64) -> bool {
        let start = self.rank(number).iter().take(8).fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        u128::from(start) * 1000 < u128::from(per_mille) << 64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranks_are_the_documented_ones() {
        // F4; anybody can draw it again: python3 -c 'import hashlib as h; s=h.sha256(b"head").digest(); print([n for n in range(1,101)
        // if int.from_bytes(h.sha256(s+n.to_bytes(8,"big")).digest()[:8],"big")*1000 < 50<<64])'
        let seed = Seed::of_checkpoint("head");
        let drawn: Vec<u64> = (1..=100).filter(|number| seed.draws(*number, 50)).collect();
        assert_eq!(drawn, [11, 29, 36, 59, 94]);
    }

    #[test]
    fn as_many_are_drawn_as_the_share_says_and_no_part_of_the_log_is_favoured() {
        // F4: a sample that could be foreseen or steered would be none. Ten stretches of 10,000 entries, 2 % each: 200, and a deviation of 14.
        let seed = Seed::of_checkpoint("contactpoint.example/log\n100000\nabc=\n");
        let drawn = |from: u64| (from..from + 10_000).filter(|number| seed.draws(*number, 20)).count();
        let by_stretch: Vec<usize> = (0..10).map(|stretch| drawn(stretch * 10_000)).collect();
        assert!(by_stretch.iter().all(|count| (144..=256).contains(count)), "{by_stretch:?}");
        // and no last digit
        let by_digit: Vec<usize> = (0..10).map(|digit| (0..10_000).filter(|tens| seed.draws(tens * 10 + digit, 20)).count()).collect();
        assert!(by_digit.iter().all(|count| (144..=256).contains(count)), "{by_digit:?}");
        assert_eq!((0..1000).filter(|number| seed.draws(*number, 1000)).count(), 1000);
        assert_eq!((0..1000).filter(|number| seed.draws(*number, 0)).count(), 0);
    }

    #[test]
    fn a_larger_share_has_all_of_a_smaller_one_and_another_seed_draws_others() {
        // F4: who asks for more afterwards does not get another sample
        let (seed, other) = (Seed::of_checkpoint("one"), Seed::of_checkpoint("another"));
        assert!((0..20_000).filter(|number| seed.draws(*number, 10)).all(|number| seed.draws(number, 30)));
        let both = (0..20_000).filter(|number| seed.draws(*number, 50) && other.draws(*number, 50)).count();
        assert!((20..=85).contains(&both), "{both} of about 50");
    }
}
