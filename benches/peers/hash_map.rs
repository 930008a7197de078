//! What most servers write by hand: a map from the names of groups to sets of ids.

use std::collections::{HashMap, HashSet};
use std::hint::black_box;

use bytes::Bytes;

use crate::contender::{Contender, Group, League, Queues, payload};

/// The maps of the standard library, and the names of its groups with each connection.
pub(crate) struct HashMaps {
    way: Way,
    groups: HashMap<String, HashSet<usize>>,
    /// By id, so that nothing has to be looked up for a recipient.
    connections: Vec<HashSet<String>>,
    queues: Queues,
    actions: Vec<(usize, Bytes)>,
}

/// What comes of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A list of owned actions.
    Actions,
    /// Something in the queue of each recipient.
    Queues,
}

impl HashMaps {
    pub(crate) fn new(way: Way) -> Self {
        let (groups, connections) = (HashMap::new(), Vec::new());
        Self { way, groups, connections, queues: Queues::default(), actions: Vec::new() }
    }

    fn remove(&mut self, who: usize, group: &str) {
        if let Some(members) = self.groups.get_mut(group) {
            members.remove(&who);
            if members.is_empty() {
                self.groups.remove(group);
            }
        }
    }
}

impl Contender for HashMaps {
    fn name(&self) -> &'static str {
        match self.way {
            Way::Actions => "std hash map, action list",
            Way::Queues => "std hash map",
        }
    }

    fn league(&self) -> League {
        match self.way {
            Way::Actions => League::Routing,
            Way::Queues => League::Delivery,
        }
    }

    fn includes(&self) -> &'static str {
        match self.way {
            Way::Actions => {
                "`std::collections::HashMap<String, HashSet<usize>>`; an id and a clone of one `Bytes` pushed into one \
                 list for each recipient, then the list is read and dropped. Nothing is checked or encoded."
            }
            Way::Queues => {
                "`std::collections::HashMap<String, HashSet<usize>>`, and a `HashSet` of group names for each connection; one \
                 clone of one `Bytes` pushed into the queue of each recipient. Nothing is checked or encoded."
            }
        }
    }

    fn connect(&mut self, who: usize) {
        self.connections.resize_with(self.connections.len().max(who + 1), HashSet::new);
        self.queues.open(who);
    }

    fn join(&mut self, who: usize, group: &Group) {
        let joined = match self.groups.get_mut(&group.name) {
            Some(members) => members.insert(who),
            None => self.groups.entry(group.name.clone()).or_default().insert(who),
        };
        if joined {
            self.connections[who].insert(group.name.clone());
        }
    }

    fn leave(&mut self, who: usize, group: &Group) {
        self.remove(who, &group.name);
        self.connections[who].remove(&group.name);
    }

    fn disconnect(&mut self, who: usize) {
        for group in std::mem::take(&mut self.connections[who]) {
            self.remove(who, &group);
        }
    }

    fn publish(&mut self, group: &Group) -> usize {
        let Some(members) = self.groups.get(&group.name) else { return 0 };
        let bytes = payload();
        match self.way {
            Way::Actions => {
                self.actions.extend(members.iter().map(|&member| (member, bytes.clone())));
                self.actions.drain(..).fold(0, |count, action| {
                    black_box(action);
                    count + 1
                })
            }
            Way::Queues => {
                for &member in members {
                    self.queues.push(member, bytes.clone());
                }
                members.len()
            }
        }
    }

    fn take(&mut self, who: usize) -> Option<usize> {
        match self.way {
            Way::Actions => None,
            Way::Queues => Some(self.queues.take(who)),
        }
    }

    fn has_members(&self) -> bool {
        // With a list of actions they are the same.
        self.way != Way::Actions
    }
}
