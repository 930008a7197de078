//! Pairs of which each key counts once, as in a map.

use alloc::borrow::Cow;

use smallvec::SmallVec;

use crate::protocol::Metadata;

/// The most keys that are collected. Nothing acceptable has more of them: metadata has at most 8 KiB, and keys of
/// its own bytes; a state that is anywhere near is far beyond any sensible limit.
const KEYS_MAX: usize = 8192;

/// Collects pairs in the order in which their keys come first; of a repeated key the last value wins.
///
/// A hostile message repeats keys or has many of them, in the worst order. So the keys are looked up in a
/// sorted list, and what is moved to keep that sorted is two bytes a key.
#[derive(Default)]
pub(crate) struct Entries<'a> {
    pairs: Metadata<'a>,
    by_key: SmallVec<[u16; 8]>,
}

impl<'a> Entries<'a> {
    /// Puts a pair in, or returns `None` where there are too many keys.
    pub(crate) fn insert(&mut self, key: Cow<'a, str>, value: Cow<'a, str>) -> Option<()> {
        let pairs = &self.pairs;
        match self.by_key.binary_search_by(|&at| pairs[usize::from(at)].0.cmp(&key)) {
            Ok(found) => self.pairs[usize::from(self.by_key[found])].1 = value,
            Err(_) if pairs.len() == KEYS_MAX => return None,
            Err(place) => {
                // Below `KEYS_MAX`, so it fits.
                self.by_key.insert(place, pairs.len() as u16);
                self.pairs.push((key, value));
            }
        }
        Some(())
    }

    pub(crate) fn into_pairs(self) -> Metadata<'a> {
        self.pairs
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use super::*;

    /// Keys keep the place of their first, and the value of their last.
    #[test]
    fn last_value_wins() {
        let mut entries = Entries::default();
        for (key, value) in [("b", "1"), ("a", "2"), ("", "3"), ("b", "4"), ("a", "5")] {
            entries.insert(key.into(), value.into()).unwrap();
        }
        let expected = [("b", "4"), ("a", "5"), ("", "3")];
        assert!(entries.into_pairs().iter().map(|(key, value)| (&**key, &**value)).eq(expected));
    }

    /// The number of keys is bounded, the number of pairs is not.
    #[test]
    fn bounded() {
        let mut entries = Entries::default();
        for index in (0..KEYS_MAX).rev() {
            entries.insert(format!("{index}").into(), "".into()).unwrap();
        }
        assert_eq!(entries.insert("7".into(), "x".into()), Some(()));
        assert_eq!(entries.insert("one more".into(), "".into()), None);
        let pairs: Vec<_> = entries.into_pairs().into_vec();
        assert_eq!((pairs.len(), &*pairs[KEYS_MAX - 1 - 7].1), (KEYS_MAX, "x"));
    }
}
