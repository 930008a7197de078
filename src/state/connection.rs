//! One logical connection.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use super::ack_cache::AckCache;
use super::backlog::Backlog;
use super::connection_id::Secret;
use super::membership::Memberships;
use super::permission::Permissions;
use super::roster::Class;
use super::{ConnectionId, ConnectionKey, Invocation, Stream, Token};
use crate::metrics::Drops;
use crate::protocol::{Data, Protocol};
use crate::time::Time;

/// What the engine knows of a connection. A million idle ones fit in memory: what is rare is boxed.
///
/// The order of its fields is their order in memory: first what its groups need when it or others come and go, then what
/// messages need. Where there are many connections, each line of the cache that is looked at counts.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Connection {
    /// The slot of its hub.
    pub hub: u32,
    pub protocol: Protocol,
    pub phase: Phase,
    pub standing: Standing,
    pub memberships: Memberships,
    pub permissions: Permissions,
    /// When something was last heard of it.
    pub heard: Time,
    // Here the second cache line begins.
    /// The call that it waits for.
    pub waiting: Option<Box<Waiting>>,
    pub acks: AckCache,
    pub extra: Option<Box<Extra>>,
    /// The number that its next event gets.
    pub next_event: u64,
    /// Its place among the connections of its user.
    pub user: Option<UserSeat>,
    /// What it was told of its position in the hub's roster, once it is open.
    pub hub_position: u32,
    pub secret: Secret,
}

/// Where a connection is in its life: `Handshaking`, then `Open` and `Waiting` in turns, then gone; a connection that is
/// gone has no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its `connect` handler has not answered. It is in no roster and cannot be found.
    Handshaking,
    /// It was accepted.
    Open,
    /// The same, but a handler has to answer before its next message is looked at. That there is a `waiting` says as
    /// much, but in the second cache line, which most messages do without.
    Waiting,
}

/// Whether something can be handed over to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It takes what comes.
    Ready,
    /// Its transport is full.
    Paused,
    /// It has no transport, and ends when it is not recovered in time.
    Detached,
}

/// A connection's place with its user. To have none takes no room of its own, so that there are 8 bytes in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UserSeat {
    /// The slot of the user, plus 1.
    next_user: NonZeroU32,
    pub position: u32,
}

impl UserSeat {
    pub(crate) fn new(user: u32, position: u32) -> Self {
        let next_user = user.checked_add(1).and_then(NonZeroU32::new);
        Self { next_user: next_user.expect("fewer than 2^32 users"), position }
    }

    /// Returns the slot of the user.
    pub(crate) const fn user(self) -> u32 {
        self.next_user.get() - 1
    }
}

/// What few connections have.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    /// The generation of its first key, if it has another one now.
    pub born: Option<NonZeroU32>,
    /// What its event handler wants remembered.
    pub state: Option<Box<str>>,
    /// The subprotocol as it was agreed, where that is not the protocol's own spelling.
    pub subprotocol: Option<Box<str>>,
    /// What waits to be handed over, while it is parked.
    pub backlog: Option<Box<Backlog>>,
    /// Its messages that were dropped.
    pub drops: Drops,
    /// When it lost its transport for the last time, by when it had to be recovered.
    pub recoverable_until: Time,
    /// The group that a plain client in the mode `sendToGroup` sends to, and whether without echo.
    pub target: Option<(Box<str>, bool)>,
    /// The invocations that wait for their answers.
    pub invocations: Vec<Invocation>,
    /// The streams that it has open.
    pub streams: Vec<Stream>,
    /// When its newest state in any group was set or cleared; grows with every change.
    pub stated_at: u64,
}

/// A blocking call, and what waits behind it.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// The number of the event.
    pub number: u64,
    pub deadline: Time,
    pub on: On,
    pub queue: VecDeque<Queued>,
    pub queued_bytes: usize,
}

/// What is waited for.
#[derive(Debug)]
pub(crate) enum On {
    Connect(Box<Handshake>),
    Event { ack_id: Option<u64> },
}

/// A message that waits behind a call.
#[derive(Debug)]
pub(crate) enum Queued {
    Text(Box<str>),
    Binary(Box<[u8]>),
}

impl Queued {
    pub(crate) fn keep(data: Data<'_>) -> Self {
        match data {
            Data::Text(text) | Data::Json(text) => Self::Text(text.into()),
            Data::Binary(bytes) | Data::Protobuf(bytes) => Self::Binary(bytes.into()),
        }
    }

    pub(crate) fn lend(&self) -> Data<'_> {
        match self {
            Self::Text(text) => Data::Text(text),
            Self::Binary(bytes) => Data::Binary(bytes),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lend().len()
    }
}

/// What a peer that wants to connect brought along.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub user: Option<Box<str>>,
    pub roles: Vec<Box<str>>,
    pub groups: Vec<Box<str>>,
    pub subprotocols: Vec<Box<str>>,
    /// For the session, if the protocol turns out to be a reliable one.
    pub token: Token,
}

impl Default for Connection {
    /// What a slot without a connection has.
    fn default() -> Self {
        Self::new(0, Protocol::Plain, Secret::default(), Time::EPOCH)
    }
}

impl Connection {
    pub(crate) fn new(hub: u32, protocol: Protocol, secret: Secret, now: Time) -> Self {
        Self {
            hub,
            hub_position: 0,
            user: None,
            secret,
            protocol,
            phase: Phase::Handshaking,
            standing: Standing::Ready,
            permissions: Permissions::default(),
            memberships: Memberships::default(),
            acks: AckCache::default(),
            // 0 is the `connect` event, whether somebody handles it or not.
            next_event: 1,
            heard: now,
            waiting: None,
            extra: None,
        }
    }

    pub(crate) fn id(&self, key: ConnectionKey) -> ConnectionId {
        ConnectionId::new(key.slot(), &self.secret)
    }

    /// Returns the first key that it had, which names it for ever: recoveries give it new ones.
    pub(crate) fn first_key(&self, key: ConnectionKey) -> ConnectionKey {
        let born = self.extra.as_ref().and_then(|extra| extra.born);
        born.map_or(key, |generation| key.of_generation(generation))
    }

    pub(crate) fn is_open(&self) -> bool {
        self.phase != Phase::Handshaking
    }

    /// Tells whether it has a transport.
    pub(crate) fn is_attached(&self) -> bool {
        self.standing != Standing::Detached
    }

    /// Returns the lists of members that it is in.
    pub(crate) fn class(&self) -> Class {
        Class { protocol: self.protocol, parked: self.standing != Standing::Ready }
    }

    pub(crate) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Returns the invocations that wait for their answers.
    pub(crate) fn invocations(&self) -> &[Invocation] {
        self.extra.as_ref().map_or(&[], |extra| &extra.invocations)
    }

    /// Returns the streams that it has open.
    pub(crate) fn streams(&self) -> &[Stream] {
        self.extra.as_ref().map_or(&[], |extra| &extra.streams)
    }

    /// Returns what waits to be handed over.
    pub(crate) fn backlog(&self) -> Option<&Backlog> {
        self.extra.as_ref()?.backlog.as_deref()
    }

    /// Returns by when it has to be recovered, if it has no transport.
    pub(crate) fn recoverable_until(&self) -> Option<Time> {
        let extra = self.extra.as_ref().filter(|_| !self.is_attached())?;
        Some(extra.recoverable_until)
    }

    pub(crate) fn state(&self) -> Option<&str> {
        self.extra.as_ref()?.state.as_deref()
    }

    /// Returns the subprotocol as it was agreed.
    pub(crate) fn subprotocol(&self) -> Option<&str> {
        let agreed = self.extra.as_ref().and_then(|extra| extra.subprotocol.as_deref());
        agreed.or(self.protocol.name())
    }
}

#[cfg(test)]
mod tests {
    use core::mem::offset_of;

    use super::*;

    /// What is looked at when connections come and go lies in the first cache line of a slot, behind what tells whether
    /// a key is good; all the rest in the second.
    #[test]
    fn cache_lines() {
        const HEAD: usize = 8;
        const LINE: usize = 64;
        if size_of::<usize>() == 8 {
            assert_eq!(offset_of!(Connection, waiting) + HEAD, LINE);
            assert!(size_of::<Connection>() + HEAD <= 2 * LINE);
        }
    }

    /// The first user has slot 0, and no user is no slot.
    #[test]
    fn seats() {
        for user in [0, 1, u32::MAX - 1] {
            let seat = UserSeat::new(user, 7);
            assert_eq!((seat.user(), seat.position), (user, 7));
        }
        assert_eq!(size_of::<Option<UserSeat>>(), 8);
    }
}
