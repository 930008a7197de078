//! Deadlines: at most one for each slot.

use alloc::vec::Vec;

use crate::time::Time;

/// The deadlines of numbered slots, the earliest at hand; of equal ones the lowest slot comes first.
///
/// A heap whose nodes have four children, and the place of every slot in it. Setting and clearing take
/// O(log n), looking at the first O(1). The table of places grows to the highest slot ever set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    heap: Vec<Entry>,
    /// By slot: where its entry stands in the heap, or [`NONE`].
    places: Vec<u32>,
}

/// Ordered by deadline, then by slot, so that there is only one order in which timers fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    deadline: Time,
    slot: u32,
}

/// The place of a slot that has no deadline.
const NONE: u32 = u32::MAX;
/// The children of a node. Four share a cache line, and the heap is half as deep as with two.
const CHILDREN: usize = 4;

impl Timers {
    /// Returns how many slots have a deadline.
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Returns the deadline of a slot.
    pub(crate) fn get(&self, slot: u32) -> Option<Time> {
        Some(self.heap[self.place(slot)?].deadline)
    }

    /// Returns the earliest deadline and its slot.
    pub(crate) fn first(&self) -> Option<(Time, u32)> {
        self.heap.first().map(|entry| (entry.deadline, entry.slot))
    }

    /// Gives a slot its deadline, instead of the one it may have.
    pub(crate) fn set(&mut self, slot: u32, deadline: Time) {
        let entry = Entry { deadline, slot };
        if let Some(place) = self.place(slot) {
            self.settle(place, entry);
            return;
        }
        if self.places.len() <= slot as usize {
            self.places.resize(slot as usize + 1, NONE);
        }
        self.heap.push(entry);
        self.rise(self.heap.len() - 1, entry);
    }

    /// Takes the deadline of a slot away.
    pub(crate) fn clear(&mut self, slot: u32) {
        let Some(place) = self.place(slot) else {
            return;
        };
        self.places[slot as usize] = NONE;
        let last = self.heap.pop().expect("a slot with a place has an entry");
        if place < self.heap.len() {
            self.settle(place, last);
        }
    }

    /// Takes away the earliest deadline that `now` has reached, and returns its slot.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<u32> {
        let (deadline, slot) = self.first()?;
        if deadline > now {
            return None;
        }
        self.clear(slot);
        Some(slot)
    }

    /// Checks that parents come before their children, and that entries and places point at each other.
    ///
    /// # Panics
    ///
    /// When that is not so.
    pub(crate) fn check(&self) {
        for (place, entry) in self.heap.iter().enumerate() {
            assert_eq!(self.place(entry.slot), Some(place), "timers: the place of {entry:?}");
            if place > 0 {
                let parent = self.heap[parent(place)];
                assert!(parent < *entry, "timers: {parent:?} is above {entry:?} at {place}");
            }
        }
        let placed = self.places.iter().filter(|&&place| place != NONE).count();
        assert_eq!(placed, self.heap.len(), "timers: places and entries differ in number");
    }

    fn place(&self, slot: u32) -> Option<usize> {
        let place = *self.places.get(slot as usize)?;
        (place != NONE).then_some(place as usize)
    }

    /// Puts an entry at a place, then where it belongs; what was there is dropped.
    fn settle(&mut self, place: usize, entry: Entry) {
        if place > 0 && entry < self.heap[parent(place)] {
            self.rise(place, entry);
        } else {
            self.sink(place, entry);
        }
    }

    /// Moves parents down until the entry may stand where the last of them stood.
    fn rise(&mut self, mut place: usize, entry: Entry) {
        while place > 0 {
            let above = parent(place);
            if self.heap[above] < entry {
                break;
            }
            self.put(place, self.heap[above]);
            place = above;
        }
        self.put(place, entry);
    }

    /// Moves children up until the entry may stand where the last of them stood.
    fn sink(&mut self, mut place: usize, entry: Entry) {
        while let Some(below) = self.first_child(place) {
            if entry < self.heap[below] {
                break;
            }
            self.put(place, self.heap[below]);
            place = below;
        }
        self.put(place, entry);
    }

    /// Returns where the earliest of the children of a node stands.
    fn first_child(&self, place: usize) -> Option<usize> {
        let start = place * CHILDREN + 1;
        let end = self.heap.len().min(start + CHILDREN);
        (start..end).min_by_key(|&child| self.heap[child])
    }

    fn put(&mut self, place: usize, entry: Entry) {
        self.heap[place] = entry;
        // Every entry has a slot of its own, so there are at most 2^32 and only the last could be `NONE`.
        self.places[entry.slot as usize] = u32::try_from(place).expect("a place for each slot");
    }
}

const fn parent(place: usize) -> usize {
    (place - 1) / CHILDREN
}

#[cfg(test)]
mod tests {
    use alloc::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    const fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    /// Equal deadlines come out by slot, whatever the order they were set in.
    #[test]
    fn equal_deadlines_come_in_slot_order() {
        let mut timers = Timers::default();
        for slot in [3, 1, 4, 0, 2] {
            timers.set(slot, at(10));
        }
        assert_eq!((timers.pop_due(at(9)), timers.first()), (None, Some((at(10), 0))));
        for slot in 0..5 {
            assert_eq!(timers.pop_due(at(10)), Some(slot));
        }
        assert_eq!((timers.pop_due(at(10)), timers.first()), (None, None));
    }

    /// A slot has one deadline: the last one set.
    #[test]
    fn setting_again_replaces() {
        let mut timers = Timers::default();
        timers.set(7, at(5));
        timers.set(2, at(6));
        timers.set(7, at(9));
        assert_eq!(
            (timers.len(), timers.get(7), timers.first()),
            (2, Some(at(9)), Some((at(6), 2)))
        );
        timers.clear(2);
        timers.clear(2);
        timers.clear(1000);
        assert_eq!((timers.len(), timers.get(2), timers.get(1000)), (1, None, None));
        assert_eq!(timers.places.len(), 8);
    }

    /// A check that never fails checks nothing.
    #[test]
    #[should_panic(expected = "timers: ")]
    fn check_sees_a_broken_heap() {
        let mut timers = Timers::default();
        timers.set(0, at(1));
        timers.set(1, at(2));
        timers.heap[1].deadline = at(0);
        timers.check();
    }

    #[derive(Clone, Debug)]
    enum Step {
        Set(u32, u64),
        Clear(u32),
        Due(u64),
    }

    proptest! {
        /// The naive twin: a map from slots to deadlines, and its entries sorted.
        #[test]
        fn fires_like_the_naive_twin(steps in proptest::collection::vec(prop_oneof![
            6 => (0u32..60, 0u64..30).prop_map(|(slot, deadline)| Step::Set(slot, deadline)),
            2 => (0u32..64).prop_map(Step::Clear),
            1 => (0u64..30).prop_map(Step::Due),
        ], 0..250)) {
            let (mut real, mut naive) = (Timers::default(), BTreeMap::new());
            for step in steps {
                match step {
                    Step::Set(slot, millis) => {
                        real.set(slot, at(millis));
                        naive.insert(slot, at(millis));
                    }
                    Step::Clear(slot) => {
                        real.clear(slot);
                        naive.remove(&slot);
                    }
                    Step::Due(now) => {
                        let sorted: BTreeSet<_> = naive.iter().map(|(&slot, &time)| (time, slot)).collect();
                        let due = sorted.first().filter(|first| first.0 <= at(now)).map(|first| first.1);
                        prop_assert_eq!(real.pop_due(at(now)), due);
                        due.and_then(|slot| naive.remove(&slot));
                    }
                }
                real.check();
                prop_assert_eq!(real.len(), naive.len());
                let first = naive.iter().map(|(&slot, &time)| (time, slot)).min();
                prop_assert_eq!(real.first(), first);
                for slot in 0..64 {
                    prop_assert_eq!(real.get(slot), naive.get(&slot).copied());
                }
            }
        }
    }
}
