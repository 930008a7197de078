//! One number for all that came out.

use alloc::vec::Vec;
use core::fmt;

use super::canonical;
use super::input::Outcome;
use crate::action::Action;

/// What came out of an engine, as one number: two runs that differ in any byte have different ones (but for chance:
/// it is no cryptographic hash).
///
/// The canonical form of each action and each outcome is taken as words of eight bytes in little-endian order, the last
/// one filled up with zeros, then its length as one more word. Each word `w` turns the state `h`, which starts as
/// `0xcbf29ce484222325`, into `h = (h ^ w) * 0x9e3779b97f4a7c15 (mod 2^64); h = h ^ (h >> 32)`. Actions and outcomes have
/// states of their own, because a host may poll actions long after it got the outcome; the digest is the state of a third
/// one that has taken these two as words, the actions' first. It is the same on every platform, and part of the format
/// version of the journal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    actions: u64,
    outcomes: u64,
}

impl Digest {
    /// Returns the digest of what nothing came out of.
    pub const fn new() -> Self {
        Self { actions: START, outcomes: START }
    }

    /// Returns the number.
    pub const fn value(self) -> u64 {
        mix(mix(START, self.actions), self.outcomes)
    }

    /// Takes in the next action. `scratch` is memory to work in.
    pub fn take_action(&mut self, action: &Action<'_>, scratch: &mut Vec<u8>) {
        scratch.clear();
        canonical::write_action(action, scratch);
        self.actions = absorb(self.actions, scratch);
    }

    /// Takes in what the next verb returned. `scratch` is memory to work in.
    pub fn take_outcome(&mut self, outcome: &Outcome, scratch: &mut Vec<u8>) {
        scratch.clear();
        canonical::write_outcome(outcome, scratch);
        self.outcomes = absorb(self.outcomes, scratch);
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows the number as 16 hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.value())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const START: u64 = 0xcbf2_9ce4_8422_2325;

const fn mix(state: u64, word: u64) -> u64 {
    let state = (state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state ^ (state >> 32)
}

fn absorb(state: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let state = words.iter().fold(state, |state, word| mix(state, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(mix(state, u64::from_le_bytes(last)), bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is the same but for zeros at its end, or cut into other pieces, is not the same.
    #[test]
    fn bytes_and_pieces_count() {
        let all = |pieces: &[&[u8]]| pieces.iter().fold(START, |state, it| absorb(state, it));
        let same = [
            all(&[]),
            all(&[b""]),
            all(&[b"", b""]),
            all(&[b"\0"]),
            all(&[b"\0\0"]),
            all(&[b"abcdefgh"]),
            all(&[b"abcdefgh\0"]),
            all(&[b"abcd", b"efgh"]),
            all(&[b"efgh", b"abcd"]),
        ];
        for (place, digest) in same.iter().enumerate() {
            assert!(!same[..place].contains(digest), "{place}");
        }
    }

    /// The numbers are those of the description: whoever writes this in another language gets them too.
    #[test]
    fn known_numbers() {
        assert_eq!(absorb(START, b""), mix(mix(START, 0), 0));
        let words = [0x6867_6665_6463_6261, 0x69, 9];
        assert_eq!(absorb(START, b"abcdefghi"), words.into_iter().fold(START, mix));
        assert_eq!(mix(0, 1), 0x9e37_79b9_e17d_05ac);
    }
}
