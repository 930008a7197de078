//! The groups that a connection is in, with its position in each.

use alloc::boxed::Box;

use hashbrown::HashTable;
use smallvec::SmallVec;

/// Above this many groups a table answers "already a member?" faster than a scan.
const SCAN_MAX: usize = 32;

/// A group and the position in its roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    pub group: u32,
    pub position: u32,
}

/// The memberships of one connection.
#[derive(Debug, Default)]
pub(crate) struct Memberships {
    list: SmallVec<[Membership; 2]>,
    /// Places in the list by group, when it is long.
    index: Option<Box<HashTable<u32>>>,
}

impl Memberships {
    /// Returns the place of a group in the list.
    pub(crate) fn find(&self, group: u32) -> Option<u32> {
        match &self.index {
            None => {
                let place = self.list.iter().position(|each| each.group == group)?;
                Some(place as u32)
            }
            Some(index) => {
                let is = |place: &u32| self.list[*place as usize].group == group;
                index.find(scatter(group), is).copied()
            }
        }
    }

    pub(crate) fn get(&self, place: u32) -> Membership {
        self.list[place as usize]
    }

    /// Adds a membership at the end of the list.
    pub(crate) fn push(&mut self, membership: Membership) {
        self.list.push(membership);
        let Self { list, index } = self;
        if let Some(index) = index {
            insert(index, list, (list.len() - 1) as u32);
        } else if list.len() > SCAN_MAX {
            let mut table = HashTable::with_capacity(list.len() * 2);
            for place in 0..list.len() {
                insert(&mut table, list, place as u32);
            }
            *index = Some(Box::new(table));
        }
    }

    /// Takes a membership out and returns it; the last one takes its place.
    pub(crate) fn swap_remove(&mut self, place: u32) -> Membership {
        let Self { list, index } = self;
        let last = (list.len() - 1) as u32;
        if let Some(index) = index {
            remove(index, list, place);
            if place != last {
                remove(index, list, last);
            }
        }
        let removed = list.swap_remove(place as usize);
        if let Some(table) = index {
            if list.len() <= SCAN_MAX / 2 {
                *index = None;
            } else if place != last {
                insert(table, list, place);
            }
        }
        removed
    }

    /// Notes that the connection has another position in a group now.
    pub(crate) fn set_position(&mut self, membership: Membership) {
        let place = self.find(membership.group).expect("it is in the group");
        self.list[place as usize] = membership;
    }

    /// Goes through the memberships, whose positions may be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Membership> {
        self.list.iter_mut()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Membership> {
        self.list.iter().copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Panics when the index does not say the same as the list.
    pub(super) fn check(&self) {
        for (place, membership) in self.list.iter().enumerate() {
            assert_eq!(self.find(membership.group), Some(place as u32), "membership index");
        }
        let indexed = self.index.as_ref().map_or(self.list.len(), |index| index.len());
        assert_eq!(indexed, self.list.len(), "membership index has strangers");
    }
}

fn insert(index: &mut HashTable<u32>, list: &[Membership], place: u32) {
    let hash = |place: &u32| scatter(list[*place as usize].group);
    index.insert_unique(hash(&place), place, hash);
}

fn remove(index: &mut HashTable<u32>, list: &[Membership], place: u32) {
    let entry = index.find_entry(scatter(list[place as usize].group), |each| *each == place);
    entry.expect("a membership is in the index").remove();
}

/// Group slots are ours, not chosen by peers: a multiplication spreads them well enough.
fn scatter(group: u32) -> u64 {
    u64::from(group).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list and its index say the same while groups come and go around the threshold.
    #[test]
    fn index_follows_the_list() {
        let mut memberships = Memberships::default();
        for round in 0..4 {
            for group in 0..100 {
                memberships.push(Membership { group: group * 7, position: round });
                memberships.check();
            }
            for group in (0..100).filter(|group| group % 3 != round % 3) {
                let place = memberships.find(group * 7).expect("joined above");
                assert_eq!(memberships.swap_remove(place).group, group * 7);
                memberships.check();
            }
            while memberships.len() > 0 {
                memberships.swap_remove(0);
                memberships.check();
            }
            assert_eq!(memberships.find(7), None);
        }
    }
}
