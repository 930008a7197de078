//! What can be seen of a connection.

use crate::protocol::Protocol;
use crate::state::{Connection, ConnectionId, ConnectionKey, World};
use crate::time::Time;

/// What the engine knows of a connection, lent out by [`Engine::connection`](crate::Engine::connection).
#[derive(Clone, Copy, Debug)]
pub struct ConnectionView<'a> {
    world: &'a World,
    key: ConnectionKey,
    connection: &'a Connection,
}

impl<'a> ConnectionView<'a> {
    pub(super) fn new(world: &'a World, key: ConnectionKey, connection: &'a Connection) -> Self {
        Self { world, key, connection }
    }

    /// Returns the public id.
    pub fn id(self) -> ConnectionId {
        self.connection.id(self.key)
    }

    /// Returns the hub, in lower case.
    pub fn hub(self) -> &'a str {
        &self.world.hub_of(self.connection).name
    }

    /// Tells whether it was accepted; otherwise its `connect` handler has not answered yet.
    pub fn is_open(self) -> bool {
        self.connection.is_open()
    }

    /// Returns the user, which may be empty; `None` until the connection is open.
    pub fn user(self) -> Option<&'a str> {
        self.world.user_name(self.connection)
    }

    /// Returns what it speaks.
    pub fn protocol(self) -> Protocol {
        self.connection.protocol
    }

    /// Returns the subprotocol as it was agreed; `None` until the connection is open, and for plain clients
    /// without one.
    pub fn subprotocol(self) -> Option<&'a str> {
        self.connection.subprotocol().filter(|_| self.is_open())
    }

    /// Goes through its groups, in no particular order.
    pub fn groups(self) -> impl Iterator<Item = &'a str> {
        let groups = &self.world.groups;
        self.connection.memberships.iter().map(|each| &*groups[each.group as usize].name)
    }

    /// Returns what its event handler wants remembered.
    pub fn state(self) -> Option<&'a str> {
        self.connection.state()
    }

    /// Returns how many of its messages wait behind an event whose handler has not answered. A host may stop
    /// reading from the peer while there are some.
    pub fn queued(self) -> usize {
        self.connection.waiting.as_ref().map_or(0, |waiting| waiting.queue.len())
    }

    /// Returns when something was last heard of the peer.
    pub fn heard(self) -> Time {
        self.connection.heard
    }
}
