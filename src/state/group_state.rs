//! What the members of a group let each other know (`webpubsub.md` 3.9).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};

use super::ConnectionKey;
use super::World;

/// The states of the members of one group, and who is told of them.
///
/// Members are known by the slots of their connections, which stay over a recovery. The order of slots is the order
/// of connection ids, so a snapshot needs no sorting.
#[derive(Debug, Default)]
pub(crate) struct GroupStates {
    pub(super) states: BTreeMap<u32, State>,
    pub(super) subscribers: BTreeSet<u32>,
}

/// What one member lets the others know.
#[derive(Debug)]
pub(crate) struct State {
    /// Each key once.
    pub entries: Box<[(Box<str>, Box<str>)]>,
    /// In milliseconds since the Unix epoch.
    pub updated_at: u64,
}

impl GroupStates {
    /// Goes through the states by connection id.
    pub(crate) fn states(&self) -> impl Iterator<Item = (u32, &State)> {
        self.states.iter().map(|(&slot, state)| (slot, state))
    }

    fn is_empty(&self) -> bool {
        self.states.is_empty() && self.subscribers.is_empty()
    }
}

impl World {
    /// Returns who is told of the states of a group, by connection id.
    pub(crate) fn state_subscribers(&self, group: u32) -> impl Iterator<Item = ConnectionKey> {
        // A group may have gone with its last member.
        let states = self.groups.get(group as usize).and_then(|group| group.states.as_deref());
        let slots = states.into_iter().flat_map(|states| states.subscribers.iter());
        slots.map(|&slot| self.connections.key_at(slot).expect("who leaves is told no more"))
    }

    /// Tells whether a member of a group has a state in it.
    pub(crate) fn has_state(&self, key: ConnectionKey, group: u32) -> bool {
        let states = self.groups[group as usize].states.as_ref();
        states.is_some_and(|states| states.states.contains_key(&key.slot()))
    }

    /// Gives a member of a group its state.
    pub(crate) fn set_state(&mut self, key: ConnectionKey, group: u32, state: State) {
        let states = self.groups[group as usize].states.get_or_insert_default();
        states.states.insert(key.slot(), state);
    }

    /// Takes the state of a member of a group away.
    pub(crate) fn clear_state(&mut self, key: ConnectionKey, group: u32) {
        self.change_states(group, |states| {
            states.states.remove(&key.slot());
        });
    }

    /// Has a member of a group told of the states of all its members.
    pub(crate) fn subscribe_states(&mut self, key: ConnectionKey, group: u32) {
        let states = self.groups[group as usize].states.get_or_insert_default();
        states.subscribers.insert(key.slot());
    }

    /// Tells a connection no more of the states in a group.
    pub(crate) fn unsubscribe_states(&mut self, key: ConnectionKey, group: u32) {
        self.change_states(group, |states| {
            states.subscribers.remove(&key.slot());
        });
    }

    /// Forgets what a group knows of a connection that is about to leave it. Returns whether it had a state, which is
    /// gone now.
    pub(super) fn forget_states(&mut self, key: ConnectionKey, group: u32) -> bool {
        let mut stateful = false;
        self.change_states(group, |states| {
            states.subscribers.remove(&key.slot());
            stateful = states.states.remove(&key.slot()).is_some();
        });
        stateful
    }

    /// Does something to the states of a group, if it has any, and drops them when nothing is left.
    fn change_states(&mut self, group: u32, change: impl FnOnce(&mut GroupStates)) {
        let group = &mut self.groups[group as usize];
        let Some(states) = &mut group.states else { return };
        change(states);
        if states.is_empty() {
            group.states = None;
        }
    }
}
