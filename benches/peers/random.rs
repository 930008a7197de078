//! Chance that is the same in each run.

use std::collections::HashSet;

/// A small random generator, so that each run does the same.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    /// Draws numbers, of which some may be the same.
    pub(crate) fn several(&mut self, end: usize, count: usize) -> Vec<usize> {
        (0..count).map(|_| self.below(end)).collect()
    }

    /// Draws different numbers, in no order.
    pub(crate) fn distinct(&mut self, end: usize, count: usize) -> Vec<usize> {
        if count > end / 2 {
            let mut all: Vec<_> = (0..end).collect();
            for place in 0..count {
                let other = place + self.below(end - place);
                all.swap(place, other);
            }
            all.truncate(count);
            return all;
        }
        let mut drawn = Vec::with_capacity(count);
        let mut seen = HashSet::new();
        while drawn.len() < count {
            let number = self.below(end);
            if seen.insert(number) {
                drawn.push(number);
            }
        }
        drawn
    }
}
