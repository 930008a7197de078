//! A concurrent map of sets, from the crate `dashmap`.

use std::collections::HashSet;

use bytes::Bytes;
use dashmap::DashMap;

use crate::contender::{Contender, Group, League, new_queue, payload};

/// Maps that many threads may use at once; here it is one.
#[derive(Default)]
pub(crate) struct DashMaps {
    groups: DashMap<String, HashSet<usize>>,
    connections: DashMap<usize, Connection>,
}

struct Connection {
    groups: HashSet<String>,
    queue: Vec<Bytes>,
}

impl DashMaps {
    fn remove(&self, who: usize, group: &str) {
        let left = self.groups.get_mut(group).is_some_and(|mut members| {
            members.remove(&who);
            members.is_empty()
        });
        if left {
            self.groups.remove_if(group, |_, members| members.is_empty());
        }
    }
}

impl Contender for DashMaps {
    fn name(&self) -> &'static str {
        "dashmap"
    }

    fn league(&self) -> League {
        League::Delivery
    }

    fn includes(&self) -> &'static str {
        "`DashMap<String, HashSet<usize>>` for groups and another for connections, where each recipient is looked up; one \
         clone of one `Bytes` pushed into its queue. One thread: it pays for locks that nobody waits for. Nothing is \
         checked or encoded."
    }

    fn connect(&mut self, who: usize) {
        self.connections.insert(who, Connection { groups: HashSet::new(), queue: new_queue() });
    }

    fn join(&mut self, who: usize, group: &Group) {
        let joined = match self.groups.get_mut(&group.name) {
            Some(mut members) => members.insert(who),
            None => self.groups.entry(group.name.clone()).or_default().insert(who),
        };
        if joined && let Some(mut connection) = self.connections.get_mut(&who) {
            connection.groups.insert(group.name.clone());
        }
    }

    fn leave(&mut self, who: usize, group: &Group) {
        self.remove(who, &group.name);
        if let Some(mut connection) = self.connections.get_mut(&who) {
            connection.groups.remove(&group.name);
        }
    }

    fn disconnect(&mut self, who: usize) {
        let Some((_, connection)) = self.connections.remove(&who) else { return };
        for group in &connection.groups {
            self.remove(who, group);
        }
    }

    fn publish(&mut self, group: &Group) -> usize {
        let Some(members) = self.groups.get(&group.name) else { return 0 };
        let bytes = payload();
        for member in members.iter() {
            if let Some(mut connection) = self.connections.get_mut(member) {
                connection.queue.push(bytes.clone());
            }
        }
        members.len()
    }

    fn take(&mut self, who: usize) -> Option<usize> {
        let mut connection = self.connections.get_mut(&who)?;
        Some(connection.queue.drain(..).count())
    }
}
