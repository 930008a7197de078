//! Slots with generations: a key of something that is gone finds nothing.

use alloc::vec::Vec;
use core::num::NonZeroU32;
use core::{fmt, mem};

/// Names a connection to its engine: 8 bytes, cheap to copy and to compare.
///
/// A key outlives its connection without harm: whatever is said about a connection that is gone is counted
/// and ignored. Its [`index`](Self::index) is small and dense, good for a host's own table of sockets; it is
/// given to a new connection only after every action that was queued for the old one has been polled.
///
/// A reliable connection that is recovered keeps its index and gets a new key, because it has a new transport: what is
/// still said about the old transport by the old key is ignored. A table of sockets compares whole keys.
///
/// `Debug` prints index and generation, like `3v1`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionKey {
    index: u32,
    generation: NonZeroU32,
}

impl ConnectionKey {
    /// Returns the place of the connection among all of its engine.
    pub const fn index(self) -> usize {
        self.index as usize
    }

    pub(crate) const fn slot(self) -> u32 {
        self.index
    }

    pub(crate) const fn generation(self) -> NonZeroU32 {
        self.generation
    }

    /// Makes the key that a journal has written down.
    #[cfg(feature = "replay")]
    pub(crate) const fn recorded(index: u32, generation: NonZeroU32) -> Self {
        Self { index, generation }
    }

    /// Returns the key that names the same slot in another generation.
    pub(crate) const fn of_generation(self, generation: NonZeroU32) -> Self {
        Self { index: self.index, generation }
    }
}

impl fmt::Debug for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}v{}", self.index, self.generation)
    }
}

/// Values in numbered slots. A freed slot is used again only after [`reclaim`](Self::reclaim).
///
/// A slot that is free has a default value in it instead of none: so what tells whether a key is good stands in the first
/// bytes of the slot, and whoever looks a key up touches those and what it came for, and no other line of the cache.
#[derive(Debug)]
pub(crate) struct Arena<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    /// Freed since the last reclaim: not to be used again yet.
    resting: Vec<u32>,
}

/// It begins with a cache line, and with one that is fetched together with the next where lines come in pairs.
#[derive(Debug)]
#[repr(C, align(128))]
struct Slot<T> {
    generation: NonZeroU32,
    is_taken: bool,
    value: T,
}

impl<T: Default> Arena<T> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), resting: Vec::new() }
    }

    /// Returns how many values there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len() - self.resting.len()
    }

    /// Puts a value into a slot.
    pub(crate) fn insert(&mut self, value: T) -> ConnectionKey {
        let key = self.vacant();
        let slot = &mut self.slots[key.index()];
        (slot.is_taken, slot.value) = (true, value);
        key
    }

    /// Returns a key that was never good and that no other value will have.
    pub(crate) fn issue(&mut self) -> ConnectionKey {
        let key = self.vacant();
        self.retire(key.index);
        key
    }

    fn vacant(&mut self) -> ConnectionKey {
        let index = self.free.pop().unwrap_or_else(|| {
            let index = u32::try_from(self.slots.len()).expect("fewer than 2^32 slots");
            let (generation, value) = (NonZeroU32::MIN, T::default());
            self.slots.push(Slot { generation, is_taken: false, value });
            index
        });
        ConnectionKey { index, generation: self.slots[index as usize].generation }
    }

    fn retire(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        slot.is_taken = false;
        // After 2^32 generations the count starts over: a key that old could be taken for a newer one.
        slot.generation = slot.generation.checked_add(1).unwrap_or(NonZeroU32::MIN);
        self.resting.push(index);
    }

    pub(crate) fn get(&self, key: ConnectionKey) -> Option<&T> {
        let slot = self.slots.get(key.index())?;
        slot.is(key).then_some(&slot.value)
    }

    pub(crate) fn get_mut(&mut self, key: ConnectionKey) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index())?;
        slot.is(key).then_some(&mut slot.value)
    }

    /// Returns the key of whatever is in a slot now.
    pub(crate) fn key_at(&self, index: u32) -> Option<ConnectionKey> {
        let slot = self.slots.get(index as usize)?;
        slot.is_taken.then_some(ConnectionKey { index, generation: slot.generation })
    }

    /// Empties a slot. Its generation goes up, so that the key is stale from now on.
    pub(crate) fn remove(&mut self, key: ConnectionKey) -> Option<T> {
        let value = mem::take(self.get_mut(key)?);
        self.retire(key.index);
        Some(value)
    }

    /// Gives what is in a slot a new key; the old one is stale from now on.
    pub(crate) fn renew(&mut self, key: ConnectionKey) -> ConnectionKey {
        let slot = &mut self.slots[key.index()];
        slot.generation = slot.generation.checked_add(1).unwrap_or(NonZeroU32::MIN);
        key.of_generation(slot.generation)
    }

    /// Lets freed slots be used again.
    pub(crate) fn reclaim(&mut self) {
        self.free.append(&mut self.resting);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ConnectionKey, &T)> {
        self.slots.iter().zip(0..).filter(|(slot, _)| slot.is_taken).map(|(slot, index)| {
            (ConnectionKey { index, generation: slot.generation }, &slot.value)
        })
    }
}

impl<T> Slot<T> {
    /// Tells whether a key is that of the value.
    fn is(&self, key: ConnectionKey) -> bool {
        self.is_taken && self.generation == key.generation
    }
}
