//! The groups that a connection is in, with what it was told of its position in each.

use smallvec::SmallVec;

/// A list of up to so many groups is in no order and is looked through; a longer one is sorted by group.
const SCAN_MAX: usize = 32;

/// A group and the position in its roster, as the connection was told it: that is right where the members know theirs
/// (see [`Roster`](super::Roster)), and otherwise means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    pub group: u32,
    pub position: u32,
}

/// The memberships of one connection.
#[derive(Debug, Default)]
pub(crate) struct Memberships {
    list: SmallVec<[Membership; 2]>,
}

impl Memberships {
    /// Returns the place of a group in the list.
    pub(crate) fn find(&self, group: u32) -> Option<u32> {
        let place = if self.list.len() <= SCAN_MAX {
            self.list.iter().position(|each| each.group == group)
        } else {
            self.list.binary_search_by_key(&group, |each| each.group).ok()
        };
        place.map(|place| place as u32)
    }

    pub(crate) fn get(&self, place: u32) -> Membership {
        self.list[place as usize]
    }

    /// Adds a membership of a group that is not in the list.
    pub(crate) fn push(&mut self, membership: Membership) {
        if self.list.len() < SCAN_MAX {
            return self.list.push(membership);
        }
        if self.list.len() == SCAN_MAX {
            self.list.sort_unstable_by_key(|each| each.group);
        }
        let place = self.list.partition_point(|each| each.group < membership.group);
        self.list.insert(place, membership);
    }

    /// Takes a membership out and returns it.
    pub(crate) fn remove(&mut self, place: u32) -> Membership {
        if self.list.len() <= SCAN_MAX {
            self.list.swap_remove(place as usize)
        } else {
            self.list.remove(place as usize)
        }
    }

    /// Notes what the connection is told of its position in a group.
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

    /// Panics when a group cannot be found or is there twice.
    pub(super) fn check(&self) {
        for (place, membership) in self.list.iter().enumerate() {
            assert_eq!(self.find(membership.group), Some(place as u32), "a membership is found");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Different numbers below 101 in another order.
    fn scattered(group: u32) -> u32 {
        group * 37 % 101
    }

    /// Each group is found while groups come and go around the threshold.
    #[test]
    fn around_the_threshold() {
        let mut memberships = Memberships::default();
        for round in 0..4 {
            for group in 0..100 {
                memberships.push(Membership { group: scattered(group), position: round });
                memberships.check();
            }
            for group in (0..100).filter(|group| group % 3 != round % 3) {
                let place = memberships.find(scattered(group)).expect("joined above");
                assert_eq!(memberships.remove(place).group, scattered(group));
                memberships.check();
            }
            while memberships.len() > 0 {
                memberships.remove(0);
                memberships.check();
            }
            assert_eq!(memberships.find(scattered(7)), None);
        }
    }
}
