//! Seeded randomness: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014). Written out because
//! the same seed must give the same bytes for ever, which generators of libraries do not promise across versions. Not for secrets.

/// A stream of numbers for one household, child or supplier; streams of different places are independent.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The stream that belongs to a place: seed, kind of thing, number of the thing.
    pub(crate) fn at(place: &[u64]) -> Self {
        Self(place.iter().fold(0x5EED, |state, part| mixed(state ^ mixed(*part))))
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }

    /// Even over 0 to `limit - 1`; 0 where `limit` is 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.number()) * u128::from(limit)) >> 64) as u64
    }

    /// True so many times in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// Any of a list that is not empty.
    pub(crate) fn any<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }

    /// One of a list that is not empty, the front ones more often: the density falls off as 1/sqrt(place).
    pub(crate) fn front<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let limit = list.len() as u64;
        let even = self.below(limit);
        &list[(even * (self.below(limit) + 1) / limit) as usize]
    }
}

fn mixed(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}
