//! Who is in a group or a hub: contiguous lists of keys, one for each fan-out class.

use smallvec::SmallVec;

use super::ConnectionKey;
use crate::protocol::Protocol;

/// Members in one list for each class among them, so that a publish copies keys and never touches a
/// connection. Nearly every roster has members of one class only.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    lists: SmallVec<[List; 1]>,
}

/// What a publish has to know about a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Class {
    pub protocol: Protocol,
    /// Whether nothing can be handed over now: the connection is paused or has no transport.
    pub parked: bool,
}

/// How many members of one class lie in the roster itself, so that to reach them is no look at another place in memory.
/// With this many a group takes three lines of the cache.
const NEAR: usize = 14;

/// The members of one class.
#[derive(Debug)]
struct List {
    class: Class,
    keys: SmallVec<[ConnectionKey; NEAR]>,
}

impl Roster {
    /// Adds a member and returns its position.
    pub(crate) fn push(&mut self, class: Class, key: ConnectionKey) -> u32 {
        let list = match self.lists.iter().position(|list| list.class == class) {
            Some(place) => &mut self.lists[place],
            None => {
                self.lists.push(List { class, keys: SmallVec::new() });
                self.lists.last_mut().expect("just pushed")
            }
        };
        let position = u32::try_from(list.keys.len()).expect("fewer than 2^32 members");
        list.keys.push(key);
        position
    }

    /// Takes a member out; the last of its list takes its place, unless it was the last itself. Returns who has the
    /// position now.
    pub(crate) fn swap_remove(&mut self, class: Class, position: u32) -> Option<ConnectionKey> {
        let place = self.place(class);
        let list = &mut self.lists[place];
        let last = list.keys.pop().expect("no list is empty");
        if list.keys.is_empty() {
            self.lists.swap_remove(place);
            return None;
        }
        let vacated = list.keys.get_mut(position as usize)?;
        *vacated = last;
        Some(last)
    }

    /// Gives a member a new key.
    pub(crate) fn set_key(&mut self, class: Class, position: u32, key: ConnectionKey) {
        let place = self.place(class);
        self.lists[place].keys[position as usize] = key;
    }

    /// Goes through the lists: a class and who is of it.
    pub(crate) fn lists(&self) -> impl Iterator<Item = (Class, &[ConnectionKey])> {
        self.lists.iter().map(|list| (list.class, &*list.keys))
    }

    /// Returns the class of all members and who they are, if they are of one class.
    #[inline]
    pub(crate) fn only(&self) -> Option<(Class, &[ConnectionKey])> {
        match &*self.lists {
            [list] => Some((list.class, &list.keys)),
            _ => None,
        }
    }

    /// Goes through all members.
    pub(crate) fn keys(&self) -> impl Iterator<Item = ConnectionKey> {
        self.lists.iter().flat_map(|list| list.keys.iter().copied())
    }

    pub(crate) fn len(&self) -> usize {
        self.lists.iter().map(|list| list.keys.len()).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Returns a member by its position.
    pub(super) fn at(&self, class: Class, position: u32) -> Option<ConnectionKey> {
        let list = self.lists.iter().find(|list| list.class == class)?;
        list.keys.get(position as usize).copied()
    }

    fn place(&self, class: Class) -> usize {
        let place = self.lists.iter().position(|list| list.class == class);
        place.expect("a member's list exists as long as the member is in it")
    }
}
