//! Chance that can be repeated.

use core::ops::RangeInclusive;

/// Random numbers from a seed: the same seed, the same numbers, on every machine.
///
/// It is `SplitMix64`: a counter with a step of 2^64 divided by the golden ratio, whose bits are mixed. Good enough to
/// choose what happens next, and no good for secrets.
///
/// ```
/// use hubcast::testing::Random;
///
/// let (mut one, mut two) = (Random::new(7), Random::new(7));
/// assert_eq!(one.draw(), two.draw());
/// assert!(one.between(10..=20) <= 20);
/// assert!(["a", "b"].contains(one.pick(&["a", "b"])));
/// ```
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Makes a generator.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Draws any number.
    pub const fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// Draws a number from a range.
    pub fn between(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (start, end) = range.into_inner();
        let Some(count) = end.saturating_sub(start).checked_add(1) else { return self.draw() };
        // The high half of the product is evenly spread, up to one part in 2^64 / count.
        start + ((u128::from(self.draw()) * u128::from(count)) >> 64) as u64
    }

    /// Draws a number below `end`, for the places of a list.
    pub fn below(&mut self, end: usize) -> usize {
        assert!(end > 0, "there is something to choose from");
        self.between(0..=end as u64 - 1) as usize
    }

    /// Tells whether something happens that happens so many times in a thousand.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.between(0..=999) < u64::from(per_mille)
    }

    /// Chooses one of some things.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Draws the bytes for [`Open::entropy`](crate::Open::entropy).
    pub fn entropy(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for eight in bytes.chunks_exact_mut(8) {
            eight.copy_from_slice(&self.draw().to_be_bytes());
        }
        bytes
    }
}

/// Spreads every bit of a number over all bits.
pub(super) const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
