//! The ids that a connection's acks have answered (`webpubsub.md` 3.5).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::mem;

/// The newest ids of the operations of one connection that succeeded, first in, first out.
///
/// Clients count 1, 2, 3, ..., so the ids are kept as runs: mostly there is one, and an insert moves both
/// its ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct AckCache {
    /// `None` as long as there is no id.
    runs: Option<Box<Runs>>,
}

/// At least one id. Runs do not overlap.
#[derive(Clone, Debug)]
struct Runs {
    newest: Run,
    /// The oldest first.
    older: VecDeque<Run>,
    /// How many ids there are in all runs.
    len: usize,
}

/// Ids that came one after the other; both ends are included, so that the last of all ids fits.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: u64,
    last: u64,
}

impl AckCache {
    /// Tells whether an id is among those remembered.
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.runs.as_ref().is_some_and(|runs| runs.contains(id))
    }

    /// Remembers an id and forgets the oldest beyond `capacity`; an id that is there changes nothing.
    pub(crate) fn insert(&mut self, id: u64, capacity: usize) {
        if self.contains(id) {
            return;
        }
        match &mut self.runs {
            _ if capacity == 0 => self.runs = None,
            Some(runs) => {
                runs.push(id);
                runs.shrink_to(capacity);
            }
            None => self.runs = Some(Box::new(Runs::new(id))),
        }
    }
}

impl Runs {
    fn new(id: u64) -> Self {
        Self { newest: Run::new(id), older: VecDeque::new(), len: 1 }
    }

    fn contains(&self, id: u64) -> bool {
        // A client that does not count makes a run of every id. So as not to let that cost much, the test
        // of a run does not branch, and whether to go on is asked once for several.
        let (older, newer) = self.older.as_slices();
        let among = |runs: &[Run]| runs.iter().fold(false, |found, run| found | run.contains(id));
        self.newest.contains(id) || newer.chunks(16).chain(older.chunks(16)).any(among)
    }

    fn push(&mut self, id: u64) {
        self.len += 1;
        if self.newest.last.checked_add(1) == Some(id) {
            self.newest.last = id;
        } else {
            self.older.push_back(mem::replace(&mut self.newest, Run::new(id)));
        }
    }

    /// Forgets the oldest, so that there are at most `len`, which is at least 1.
    fn shrink_to(&mut self, len: usize) {
        while self.len > len {
            let excess = (self.len - len) as u64;
            let run = self.older.front_mut().unwrap_or(&mut self.newest);
            // Fewer ids than a run has are always less than the distance of its ends, plus one.
            if excess <= run.last - run.first {
                run.first += excess;
                self.len = len;
            } else {
                self.len -= run.len();
                self.older.pop_front();
            }
        }
    }

    #[cfg(test)]
    fn iter(&self) -> impl Iterator<Item = Run> {
        self.older.iter().copied().chain([self.newest])
    }
}

impl Run {
    const fn new(id: u64) -> Self {
        Self { first: id, last: id }
    }

    const fn contains(self, id: u64) -> bool {
        id.wrapping_sub(self.first) <= self.last - self.first
    }

    fn len(self) -> usize {
        usize::try_from(self.last - self.first).expect("ids were inserted one by one") + 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl AckCache {
        fn ids(&self) -> impl Iterator<Item = u64> {
            self.runs.iter().flat_map(|runs| runs.iter()).flat_map(|run| run.first..=run.last)
        }
    }

    /// A client that counts costs one run, which moves along and needs no other memory.
    #[test]
    fn counting_takes_one_run() {
        let mut cache = AckCache::default();
        assert_eq!(size_of::<AckCache>(), size_of::<usize>());
        for id in 1..=5000 {
            cache.insert(id, 1000);
        }
        let runs = cache.runs.as_ref().expect("there are some");
        assert_eq!((runs.older.capacity(), runs.len), (0, 1000));
        assert!(!cache.contains(4000) && cache.contains(4001) && cache.contains(5000));
        assert!(!cache.contains(5001));
    }

    /// The largest id neither wraps into 0 nor is taken for the one before it.
    #[test]
    fn the_last_id_does_not_overflow() {
        let mut cache = AckCache::default();
        for id in [u64::MAX - 1, u64::MAX, 0, 1] {
            cache.insert(id, 3);
        }
        assert!(cache.ids().eq([u64::MAX, 0, 1]));
        assert!(!cache.contains(u64::MAX - 1) && cache.contains(u64::MAX) && cache.contains(0));
    }

    /// Without capacity nothing is remembered, and what was is forgotten.
    #[test]
    fn no_capacity_remembers_nothing() {
        let mut cache = AckCache::default();
        cache.insert(7, 2);
        cache.insert(8, 0);
        assert!(!cache.contains(7) && !cache.contains(8) && cache.runs.is_none());
    }

    proptest! {
        /// The naive twin: a queue of ids. Steps are mostly 1, as clients count; capacities change.
        #[test]
        fn remembers_like_the_naive_twin(
            steps in proptest::collection::vec((prop_oneof![4 => Just(1), 1 => -6i64..6], 0usize..9), 0..80),
            start in prop_oneof![Just(0), Just(u64::MAX - 20)],
        ) {
            let (mut real, mut naive) = (AckCache::default(), VecDeque::new());
            let mut id = start;
            for (step, capacity) in steps {
                id = id.wrapping_add_signed(step);
                real.insert(id, capacity);
                if !naive.contains(&id) {
                    naive.push_back(id);
                    naive.drain(..naive.len().saturating_sub(capacity));
                }
                prop_assert_eq!(real.runs.as_ref().map_or(0, |runs| runs.len), naive.len());
                prop_assert!(real.ids().eq(naive.iter().copied()));
                for near in (0..20).map(|by| id.wrapping_add(by).wrapping_sub(10)) {
                    prop_assert_eq!(real.contains(near), naive.contains(&near));
                }
            }
        }
    }
}
