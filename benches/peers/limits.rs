//! What nobody can do without: the ids of a group have to be read, and each recipient has to get something.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};

use crate::contender::{Contender, Group, League, PAYLOAD, Queues};

/// How many bytes are allocated at once for many messages.
const CHUNK: usize = 16_384;

/// Member lists that are found by number, without a name, and that only grow.
pub(crate) struct Limit {
    way: Way,
    groups: Vec<Vec<u64>>,
    copy: Vec<u64>,
    queues: Queues,
    /// Messages are cut from here.
    buffer: BytesMut,
}

/// What is done with the members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Their ids are copied.
    Copy,
    /// Their ids are read.
    Read,
    /// Each gets a clone into its queue.
    Queue,
}

impl Limit {
    pub(crate) fn new(way: Way) -> Self {
        let (groups, copy) = (Vec::new(), Vec::new());
        Self { way, groups, copy, queues: Queues::default(), buffer: BytesMut::new() }
    }

    fn payload(&mut self) -> Bytes {
        if self.buffer.capacity() < PAYLOAD.len() {
            self.buffer.reserve(CHUNK);
        }
        self.buffer.extend_from_slice(black_box(PAYLOAD).as_bytes());
        self.buffer.split().freeze()
    }
}

impl Contender for Limit {
    fn name(&self) -> &'static str {
        match self.way {
            Way::Copy => "limit: copy the ids",
            Way::Read => "limit: read the ids",
            Way::Queue => "limit: clone and queue",
        }
    }

    fn league(&self) -> League {
        match self.way {
            Way::Copy | Way::Read => League::Routing,
            Way::Queue => League::Delivery,
        }
    }

    fn includes(&self) -> &'static str {
        match self.way {
            Way::Copy => {
                "The 8-byte ids of the group's member list copied to a list of their own; the list is found by number."
            }
            Way::Read => "The same ids read one after the other.",
            Way::Queue => {
                "The same ids read, and one clone of one `Bytes` pushed into the queue of each: the cheapest host. The `Bytes` is \
                 cut from a buffer that is there already."
            }
        }
    }

    fn connect(&mut self, who: usize) {
        self.queues.open(who);
    }

    fn join(&mut self, who: usize, group: &Group) {
        self.groups.resize_with(self.groups.len().max(group.number + 1), Vec::new);
        self.groups[group.number].push(who as u64);
    }

    fn leave(&mut self, who: usize, group: &Group) {
        self.groups[group.number].retain(|&member| member != who as u64);
    }

    fn disconnect(&mut self, who: usize) {
        for group in &mut self.groups {
            group.retain(|&member| member != who as u64);
        }
    }

    fn publish(&mut self, group: &Group) -> usize {
        let members = &self.groups[group.number];
        let delivered = members.len();
        match self.way {
            Way::Copy => {
                self.copy.clear();
                self.copy.extend_from_slice(members);
                black_box(&self.copy);
            }
            Way::Read => {
                black_box(members.iter().fold(0, |sum, id| sum ^ id));
            }
            Way::Queue => {
                let bytes = self.payload();
                for &member in &self.groups[group.number] {
                    self.queues.push(member as usize, bytes.clone());
                }
            }
        }
        delivered
    }

    fn take(&mut self, who: usize) -> Option<usize> {
        match self.way {
            Way::Copy | Way::Read => None,
            Way::Queue => Some(self.queues.take(who)),
        }
    }

    fn has_members(&self) -> bool {
        false
    }
}
