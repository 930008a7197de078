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

/// A list of up to so many members is looked through for one of them. Only in a longer one does each member know its
/// position, because whoever gets another one then has to be told: in a large world that is a look at a record far away,
/// which takes as long as to look through hundreds of keys.
const SEARCH_MAX: usize = 64;

/// When a list with positions has shrunk to this, it is looked through again. Far enough below `SEARCH_MAX` that nobody
/// comes and goes between the two at the price of telling all.
const SEARCH_AGAIN: usize = 32;

/// The members of one class.
#[derive(Debug)]
struct List {
    class: Class,
    /// Whether each member knows its position.
    is_told: bool,
    keys: SmallVec<[ConnectionKey; NEAR]>,
}

/// A new member's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Added {
    pub position: u32,
    /// Whether the list has just become so long that all others in it have to be told their positions.
    pub tell_others: bool,
}

/// What follows when a member is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removed {
    /// Nothing.
    Quietly,
    /// Another member has to be told that it has the position now.
    Moved(ConnectionKey),
    /// Nobody is left, of no class.
    LastOfAll,
}

impl Roster {
    /// Adds a member.
    pub(crate) fn push(&mut self, class: Class, key: ConnectionKey) -> Added {
        let list = match self.lists.iter().position(|list| list.class == class) {
            Some(place) => &mut self.lists[place],
            None => {
                self.lists.push(List { class, is_told: false, keys: SmallVec::new() });
                self.lists.last_mut().expect("just pushed")
            }
        };
        let position = u32::try_from(list.keys.len()).expect("fewer than 2^32 members");
        list.keys.push(key);
        let tell_others = list.keys.len() > SEARCH_MAX && !list.is_told;
        list.is_told |= tell_others;
        Added { position, tell_others }
    }

    /// Takes a member out, which was told its position if the members know theirs; the last of its list takes its place,
    /// unless it was the last itself.
    pub(crate) fn swap_remove(&mut self, class: Class, key: ConnectionKey, told: u32) -> Removed {
        let place = self.place(class);
        let list = &mut self.lists[place];
        let position = list.position(key, told);
        list.keys.swap_remove(position);
        if list.keys.len() > SEARCH_AGAIN {
            let moved = list.keys.get(position).filter(|_| list.is_told);
            return moved.map_or(Removed::Quietly, |&moved| Removed::Moved(moved));
        }
        list.is_told = false;
        if list.keys.is_empty() {
            self.lists.swap_remove(place);
        }
        if self.lists.is_empty() { Removed::LastOfAll } else { Removed::Quietly }
    }

    /// Returns the position of a member, which was told it if it is known to the members.
    pub(crate) fn position(&self, class: Class, key: ConnectionKey, told: u32) -> u32 {
        self.lists[self.place(class)].position(key, told) as u32
    }

    /// Gives a member a new key.
    pub(crate) fn set_key(&mut self, class: Class, key: ConnectionKey, told: u32) {
        let place = self.place(class);
        let list = &mut self.lists[place];
        let position = list.position(key, told);
        list.keys[position] = key;
    }

    /// Looks at what a member would be taken out of.
    #[inline]
    pub(crate) fn glance(&self) -> usize {
        let last = self.lists.first().and_then(|list| list.keys.last());
        last.map_or(0, |key| key.index())
    }

    /// Returns the members of a class in the order of their positions.
    pub(crate) fn list(&self, class: Class) -> &[ConnectionKey] {
        &self.lists[self.place(class)].keys
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

    /// Tells whether nobody is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    fn place(&self, class: Class) -> usize {
        let place = self.lists.iter().position(|list| list.class == class);
        place.expect("a member's list exists as long as the member is in it")
    }
}

impl List {
    /// Finds a member, whatever key it had when it was added.
    #[inline]
    fn position(&self, key: ConnectionKey, told: u32) -> usize {
        if self.is_told {
            return told as usize;
        }
        let position = self.keys.iter().position(|each| each.slot() == key.slot());
        position.expect("a member is in the list of its class")
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::super::Arena;
    use super::*;

    /// Members who remember what they were told are found, while a list grows and shrinks past both thresholds; nobody
    /// is told anything in a short list, and all are once it is long.
    #[test]
    fn positions() {
        const CLASS: Class = Class { protocol: Protocol::Json, parked: false };
        let mut arena = Arena::<()>::new();
        let mut roster = Roster::default();
        let mut told = BTreeMap::new();
        let mut random = 7_u64;
        // Up to 100, down to 20, up to 70, down to 40, up to 60, down to none.
        for (grows, until) in
            [(true, 100), (false, 20), (true, 70), (false, 40), (true, 60), (false, 0)]
        {
            while roster.len() != until {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                if grows {
                    let key = arena.insert(());
                    let added = roster.push(CLASS, key);
                    told.insert(key, added.position);
                    assert_eq!(added.tell_others, roster.len() == SEARCH_MAX + 1 && until != 60);
                    if added.tell_others {
                        told.extend(roster.list(CLASS).iter().copied().zip(0..));
                    }
                } else {
                    let (&key, &position) = told.iter().nth(random as usize % told.len()).unwrap();
                    told.remove(&key);
                    match roster.swap_remove(CLASS, key, position) {
                        Removed::Quietly => {}
                        Removed::Moved(moved) => {
                            assert!(roster.len() > SEARCH_AGAIN, "nobody has to know in here");
                            told.insert(moved, position);
                        }
                        Removed::LastOfAll => assert_eq!((roster.len(), told.len()), (0, 0)),
                    }
                }
                assert_eq!(roster.len(), told.len());
                for (&key, &position) in &told {
                    let position = roster.position(CLASS, key, position);
                    assert_eq!(roster.list(CLASS)[position as usize], key);
                }
            }
        }
        assert!(roster.is_empty());
    }
}
