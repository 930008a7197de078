//! `tokio::sync::broadcast`, a channel for each group.

use std::collections::HashMap;
use std::hint::black_box;

use bytes::Bytes;
use slab::Slab;
use tokio::sync::broadcast::{Receiver, Sender, channel};

use crate::contender::{Contender, Group, League, payload};

/// How many messages a channel keeps; here each is received before the next is sent.
const CAPACITY: usize = 16;

/// Channels, and the receivers that the tasks of the connections would hold.
#[derive(Default)]
pub(crate) struct Broadcast {
    channels: HashMap<String, Channel>,
    /// The groups of each connection, and the place of its receiver there.
    connections: Vec<Vec<(String, usize)>>,
}

struct Channel {
    sender: Sender<Bytes>,
    receivers: Slab<Receiver<Bytes>>,
}

impl Broadcast {
    fn remove(&mut self, group: &str, place: usize) {
        if let Some(channel) = self.channels.get_mut(group) {
            channel.receivers.remove(place);
            if channel.receivers.is_empty() {
                self.channels.remove(group);
            }
        }
    }
}

impl Contender for Broadcast {
    fn name(&self) -> &'static str {
        "tokio broadcast"
    }

    fn league(&self) -> League {
        League::Delivery
    }

    fn includes(&self) -> &'static str {
        "`std::collections::HashMap<String, Sender<Bytes>>`; a send, and a `try_recv` by each receiver, which hands it its \
         clone. The channel is the queue, so this takes out what the others only put in; but the tasks that would have to \
         be woken are left out, and the receivers of a group lie side by side. Nothing is checked or encoded."
    }

    fn connect(&mut self, who: usize) {
        self.connections.resize_with(self.connections.len().max(who + 1), Vec::new);
    }

    fn join(&mut self, who: usize, group: &Group) {
        if !self.channels.contains_key(&group.name) {
            let (sender, receivers) = (channel(CAPACITY).0, Slab::new());
            self.channels.insert(group.name.clone(), Channel { sender, receivers });
        }
        let channel = self.channels.get_mut(&group.name).expect("it is there now");
        let place = channel.receivers.insert(channel.sender.subscribe());
        self.connections[who].push((group.name.clone(), place));
    }

    fn leave(&mut self, who: usize, group: &Group) {
        let groups = &mut self.connections[who];
        let found = groups.iter().position(|(name, _)| *name == group.name);
        let (name, place) = groups.swap_remove(found.expect("it is a member"));
        self.remove(&name, place);
    }

    fn disconnect(&mut self, who: usize) {
        for (group, place) in std::mem::take(&mut self.connections[who]) {
            self.remove(&group, place);
        }
    }

    fn publish(&mut self, group: &Group) -> usize {
        let Some(channel) = self.channels.get_mut(&group.name) else { return 0 };
        channel.sender.send(payload()).expect("there are receivers");
        let mut received = 0;
        for (_, receiver) in &mut channel.receivers {
            received += usize::from(black_box(receiver.try_recv()).is_ok());
        }
        received
    }

    fn take(&mut self, _: usize) -> Option<usize> {
        None
    }
}
