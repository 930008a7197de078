//! How messages reach connections: at once, later, numbered and kept, or not at all.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::open::spelling;
use super::{CONTROL, Connection, Model, PAUSED, UNACKNOWLEDGED, WINDOW};
use crate::config::SlowConsumer;
use crate::protocol::Protocol;
use crate::testing::message::Message;
use crate::testing::operation::Recovering;
use crate::testing::payload::Payload;
use crate::testing::seen::Seen;
use crate::time::Time;

/// Whether something can be handed over to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::testing) enum Standing {
    Ready,
    Paused,
    /// Until when it may be recovered.
    Detached(Time),
}

/// A message that waits.
#[derive(Clone, Debug)]
pub(in crate::testing) struct Parked {
    message: Message,
    /// Whether it is an ack or the like.
    pub control: bool,
    expires: Option<Time>,
    /// The group that it was published to, and the how manieth of that name.
    group: Option<(String, u64)>,
}

impl Connection {
    pub(in crate::testing) fn is_attached(&self) -> bool {
        !matches!(self.standing, Standing::Detached(_))
    }
}

impl Model {
    /// The host pauses a connection.
    pub fn pause(&mut self, number: usize) {
        match self.standing(number) {
            Some(Standing::Ready) => self.at(number).standing = Standing::Paused,
            Some(Standing::Paused) => {}
            Some(Standing::Detached(_)) | None => self.counters.stale_inputs += 1,
        }
    }

    /// The host resumes a connection.
    pub fn resume(&mut self, number: usize) {
        match self.standing(number) {
            Some(Standing::Paused) => {
                self.at(number).standing = Standing::Ready;
                self.flush(number);
            }
            Some(Standing::Ready) => {}
            Some(Standing::Detached(_)) | None => self.counters.stale_inputs += 1,
        }
        self.settle();
    }

    fn standing(&self, number: usize) -> Option<Standing> {
        self.connections.get(&number).filter(|it| it.open).map(|it| it.standing)
    }

    /// A peer shows an id and a token. Returns the number of the connection that it gets; without one it is told as
    /// `number` that it gets none.
    pub fn recover(
        &mut self,
        number: usize,
        id: &str,
        token: &str,
        recovering: &Recovering,
    ) -> Option<usize> {
        let hub = recovering.hub.to_lowercase();
        if self.stopped || !super::open::is_hub(&hub) {
            self.tell(number, Seen::Refuse(if self.stopped { 503 } else { 400 }));
            return None;
        }
        let of = |it: &Connection| it.id == id && it.token == token && it.protocol.is_reliable();
        let Some(old) = self.members(&hub, of).pop() else {
            // It is accepted only to be closed: the SDKs would retry after an error status.
            let subprotocol = spelling(Protocol::ReliableJson, &recovering.subprotocols);
            self.tell(number, Seen::Accept { id: String::new(), subprotocol });
            self.tell(number, Seen::Close(1008));
            self.counters.closes += 1;
            self.counters.recoveries_refused += 1;
            return None;
        };
        self.counters.recovered += 1;
        if self.connections[&old].is_attached() {
            self.tell(old, Seen::Close(1006));
            self.drop_invocations(old);
            self.at(old).backlog.retain(|parked| !parked.control);
        }
        let now = self.now;
        let connection = self.at(old);
        connection.standing = Standing::Ready;
        connection.heard = now;
        let subprotocol = spelling(connection.protocol, &recovering.subprotocols);
        let id = connection.id.clone();
        self.tell(old, Seen::Accept { id, subprotocol });
        self.welcome(old);
        for (sequence, message) in self.connections[&old].held.clone() {
            self.tell(old, Seen::Message { message, sequence: Some(sequence), expires: None });
        }
        self.flush(old);
        self.settle();
        Some(old)
    }

    /// Tells a client that it is connected.
    pub(super) fn welcome(&mut self, number: usize) {
        let connection = &self.connections[&number];
        let reliable = connection.protocol.is_reliable();
        let message = Message::Connected {
            connection_id: connection.id.clone(),
            user: connection.user.clone(),
            token: reliable.then(|| connection.token.clone()),
        };
        self.send(number, &message, 0);
    }

    /// Takes the transport of a reliable connection away.
    pub(super) fn detach(&mut self, number: usize) {
        self.counters.detached += 1;
        self.at(number).backlog.retain(|parked| !parked.control);
        self.drop_invocations(number);
        let until = self.now + WINDOW;
        self.at(number).standing = Standing::Detached(until);
    }

    /// Sends a message to one connection in the format that it speaks. Tells whether it counts as a recipient.
    pub(super) fn send(&mut self, number: usize, message: &Message, ttl: u32) -> bool {
        let connection = &self.connections[&number];
        let group = match message {
            Message::Group { group, .. } => {
                let birth = self.births.get(&(connection.hub.clone(), group.clone()));
                Some((group.clone(), birth.copied().unwrap_or(0)))
            }
            _ => None,
        };
        let Some(message) = spoken(connection.protocol, message) else { return false };
        let control = !message.is_sequenced() && !matches!(message, Message::Bare(_));
        let expires = (ttl > 0).then(|| self.now + Duration::from_secs(u64::from(ttl)));
        if connection.standing != Standing::Ready {
            return self.park(number, Parked { message, control, expires, group });
        }
        if control || !connection.protocol.is_reliable() {
            self.tell(number, Seen::Message { message, sequence: None, expires });
            return true;
        }
        if connection.held.len() >= UNACKNOWLEDGED {
            self.doomed.push(number);
            return false;
        }
        self.hand_over(number, message);
        true
    }

    /// Gives a message its sequence id, keeps it and sends it.
    fn hand_over(&mut self, number: usize, message: Message) {
        let connection = self.at(number);
        connection.newest += 1;
        let sequence = connection.newest;
        connection.held.push((sequence, message.clone()));
        self.tell(number, Seen::Message { message, sequence: Some(sequence), expires: None });
    }

    /// Lets a message wait for a connection that takes nothing now. Tells whether that is not one too many.
    fn park(&mut self, number: usize, parked: Parked) -> bool {
        let (now, policy) = (self.now, self.setup.slow_consumer);
        let connection = self.at(number);
        let waiting = |it: &Connection| it.backlog.iter().filter(|it| !it.control).count();
        if parked.control {
            let count = connection.backlog.iter().filter(|it| it.control).count();
            if connection.is_attached() && count >= CONTROL {
                self.doomed.push(number);
                return false;
            }
            if connection.is_attached() {
                connection.backlog.push(parked);
            }
            return true;
        }
        let (policy, most) = if connection.protocol.is_reliable() {
            (SlowConsumer::Disconnect, UNACKNOWLEDGED - connection.held.len())
        } else if Self::is_first(&connection.hub) {
            (policy, PAUSED)
        } else {
            (SlowConsumer::Disconnect, PAUSED)
        };
        let before = connection.drops;
        if policy == SlowConsumer::KeepLatest && parked.group.is_some() {
            let same = |it: &Parked| !it.control && it.group == parked.group;
            if let Some(place) = connection.backlog.iter().position(same) {
                connection.backlog.remove(place);
                connection.drops.superseded += 1;
            }
        }
        if waiting(connection) >= most {
            let count = connection.backlog.len();
            let expired = |it: &Parked| it.expires.is_some_and(|expires| expires <= now);
            connection.backlog.retain(|it| !expired(it));
            connection.drops.expired += (count - connection.backlog.len()) as u64;
        }
        if waiting(connection) < most {
            connection.backlog.push(parked);
        } else {
            match policy {
                SlowConsumer::Disconnect => {
                    self.doomed.push(number);
                    return false;
                }
                SlowConsumer::DropNewest => connection.drops.newest += 1,
                SlowConsumer::DropOldest | SlowConsumer::KeepLatest => {
                    let oldest = connection.backlog.iter().position(|it| !it.control);
                    connection.backlog.remove(oldest.expect("it is full"));
                    connection.drops.oldest += 1;
                    connection.backlog.push(parked);
                }
            }
        }
        let after = self.connections[&number].drops;
        let drops = &mut self.counters.drops;
        drops.superseded += after.superseded - before.superseded;
        drops.expired += after.expired - before.expired;
        drops.newest += after.newest - before.newest;
        drops.oldest += after.oldest - before.oldest;
        true
    }

    /// Hands over what has waited, but for what has expired.
    pub(super) fn flush(&mut self, number: usize) {
        let now = self.now;
        let reliable = self.connections[&number].protocol.is_reliable();
        let backlog: Vec<_> = core::mem::take(&mut self.at(number).backlog);
        for Parked { message, control, expires, .. } in backlog {
            if expires.is_some_and(|expires| expires <= now) {
                self.at(number).drops.expired += 1;
                self.counters.drops.expired += 1;
            } else if reliable && !control {
                self.hand_over(number, message);
            } else {
                self.tell(number, Seen::Message { message, sequence: None, expires });
            }
        }
    }

    /// A client says what has arrived.
    pub(super) fn release(&mut self, number: usize, sequence: u64) {
        let held = &mut self.at(number).held;
        // An id that was never drawn says nothing about what has arrived.
        if held.iter().any(|(each, _)| *each == sequence) {
            held.retain(|(each, _)| *each > sequence);
        }
    }
}

/// Says a message in a protocol; `None` where that has no words for it.
fn spoken(protocol: Protocol, message: &Message) -> Option<Message> {
    match protocol {
        Protocol::Plain => match message {
            Message::Group { stream: Some(stream), .. } if stream.end => None,
            Message::Group { payload, .. } | Message::Server { payload, .. } => {
                Some(Message::Bare(match payload {
                    Payload::Text(text) | Payload::Json(text) => Payload::Text(text.clone()),
                    Payload::Binary(bytes) | Payload::Protobuf(bytes) => {
                        Payload::Binary(bytes.clone())
                    }
                }))
            }
            _ => None,
        },
        Protocol::Json | Protocol::ReliableJson => Some(message.clone()),
        Protocol::Protobuf | Protocol::ReliableProtobuf => {
            let mut message = message.clone();
            match &mut message {
                Message::Group { from_user, .. } => *from_user = None,
                Message::Connected { user, .. } => {
                    *user = user.as_deref().filter(|user| !user.is_empty()).map(str::to_owned);
                }
                _ => {}
            }
            Some(message)
        }
    }
}
