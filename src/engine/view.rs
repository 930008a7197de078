//! What can be seen of a connection.

use alloc::string::String;

use super::select::Candidate;
use crate::filter::Filter;
use crate::metrics::Drops;
use crate::protocol::Protocol;
use crate::state::{Backlog, Connection, ConnectionId, ConnectionKey, Standing, World};
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

    /// Tells whether a filter lets it through; one whose handshake is not done has no user and no groups.
    ///
    /// ```
    /// # #[cfg(feature = "filter")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use hubcast::{Config, Engine, Filter, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let open = Open { hub: "chat", user: Some("alice"), groups: &["room"], ..Open::default() };
    /// let alice = engine.open(open, Time::EPOCH);
    /// let alice = engine.connection(alice).expect("it is open");
    /// assert!(alice.matches(&Filter::parse("'room' in groups")?));
    /// assert!(!alice.matches(&Filter::parse("length(userId) gt 5")?));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "filter"))]
    /// # fn main() {}
    /// ```
    pub fn matches(self, filter: &Filter) -> bool {
        let candidate = Candidate::new(self.world, self.key, self.connection);
        filter.matches(&candidate, &mut String::new())
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

    /// Tells whether it is a reliable connection without a transport, which waits to be recovered.
    pub fn is_detached(self) -> bool {
        !self.connection.is_attached()
    }

    /// Tells whether it is [paused](crate::Engine::pause).
    pub fn is_paused(self) -> bool {
        self.connection.standing == Standing::Paused
    }

    /// Returns how many messages with a sequence id it has not acknowledged; 0 where the protocol has none.
    pub fn unacknowledged(self) -> usize {
        let reliable = self.is_open() && self.protocol().is_reliable();
        if reliable { self.world.sessions.held(self.key.slot()).len() } else { 0 }
    }

    /// Returns how many messages wait to be handed over, because it is paused or has no transport.
    pub fn waiting(self) -> usize {
        self.connection.backlog().map_or(0, Backlog::messages)
    }

    /// Returns how many of its messages were dropped, and why.
    pub fn drops(self) -> Drops {
        self.connection.extra.as_ref().map_or_else(Drops::default, |extra| extra.drops)
    }

    /// Returns when something was last heard of the peer.
    pub fn heard(self) -> Time {
        self.connection.heard
    }
}
