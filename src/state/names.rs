//! From names to slots, with a seeded hash: group and user names are chosen by peers.

use core::hash::Hasher as _;

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;
use hashbrown::HashTable;

/// Hashes names with a secret seed, so that nobody can choose names that collide.
#[derive(Debug)]
pub(crate) struct NameHasher {
    seed: u64,
    shared: SharedSeed,
}

impl NameHasher {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, shared: SharedSeed::from_u64(seed.rotate_left(32)) }
    }

    /// Returns 32 bits, which is what the tables keep beside each slot.
    pub(crate) fn hash(&self, name: &str) -> u32 {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.shared);
        hasher.write(name.as_bytes());
        let hash = hasher.finish();
        (hash ^ (hash >> 32)) as u32
    }
}

/// A table from names to slots. The names live where the slots lead; the table keeps their hashes, so that
/// it grows without looking at them.
#[derive(Debug, Default)]
pub(crate) struct Names {
    table: HashTable<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    slot: u32,
}

impl Names {
    /// Finds the slot with this hash for which `is` holds.
    pub(crate) fn find(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        let found = self.table.find(spread(hash), |entry| entry.hash == hash && is(entry.slot));
        found.map(|entry| entry.slot)
    }

    /// Adds a slot that is not there yet.
    pub(crate) fn insert(&mut self, hash: u32, slot: u32) {
        self.table.insert_unique(spread(hash), Entry { hash, slot }, |entry| spread(entry.hash));
    }

    /// Takes a slot out.
    pub(crate) fn remove(&mut self, hash: u32, slot: u32) {
        let entry = self.table.find_entry(spread(hash), |entry| entry.slot == slot);
        entry.expect("a named thing is in the table of names").remove();
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}

/// The table takes its buckets from the low bits and its tags from the high ones.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}
