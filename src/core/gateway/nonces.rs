//! Numbers requests, so that no two proofs of an isolate are alike.

/// Odd constant whose multiples visit all 64-bit numbers (2^64 divided by the golden ratio).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A sequence of 64-bit numbers without a repeat. Its numbers are scattered, so that two isolates
/// hardly ever use the same one. They need not be secret: the proof's MAC covers them.
#[derive(Debug)]
pub(super) struct Nonces(u64);

impl Nonces {
    /// Returns the sequence of an isolate, given a random number.
    pub(super) fn new(seed: u64) -> Self {
        Self(scatter(seed))
    }

    /// Returns the next number.
    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        scatter(self.0)
    }
}

/// Maps each number to another one, so that near numbers get far apart (the finalizer of
/// SplitMix64, a permutation).
fn scatter(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The first numbers of `SplitMix64` with the seed 0, as its reference implementation gives
    /// them.
    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let mut nonces = Nonces::new(0);
        let expected = [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f];
        assert_eq!(expected.map(|_| nonces.draw()), expected);
    }

    #[test]
    fn no_number_repeats_within_an_isolate_or_in_the_next() {
        let mut seen = BTreeSet::new();
        for seed in [0, 1, 2, u64::MAX] {
            let mut nonces = Nonces::new(seed);
            assert!((0..1000).all(|_| seen.insert(nonces.draw())), "{seed}");
        }
    }
}
