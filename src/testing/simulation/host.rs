//! What happens at the server: a host as the guide describes it.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Simulation;
use super::transport::Item;
use crate::action::Action;
use crate::event::CallId;
use crate::input::{Closed, Open, PlainMode, Recovery};
use crate::protocol::Frame;
use crate::state::ConnectionKey;
use crate::testing::message::Received;
use crate::testing::payload::Payload;
use crate::testing::reply::{Handling, lend};
use crate::testing::request::{Packet, Request};
use crate::testing::rules::{Occurrence, Session};
use crate::time::Time;

/// An action, kept while the engine is used again.
enum Deed {
    Accept(ConnectionKey, String),
    Refuse(ConnectionKey),
    Deliver(Vec<(ConnectionKey, Packet)>, Option<Time>),
    Close(ConnectionKey, u16),
    Called(Option<CallId>, String, Vec<(String, Payload)>, Handling),
}

impl Simulation {
    /// A handshake arrives.
    pub(super) fn arrive(&mut self, number: usize) {
        let transport = &self.transports[number];
        if transport.cut {
            return;
        }
        let profile = self.clients[transport.client].client.profile().clone();
        let ticket = transport.ticket.clone();
        let recovery = ticket.as_ref().and_then(|ticket| {
            let token = ticket.token.as_deref()?;
            Some(Recovery { connection_id: &ticket.connection_id, token })
        });
        let plain_mode = match &profile.target {
            Some(group) => PlainMode::SendToGroup { group, no_echo: false },
            None => PlainMode::SendEvent,
        };
        let now = self.tell();
        let key = self.engine.open(
            Open {
                hub: &profile.hub,
                protocol: profile.protocol,
                plain_mode,
                user: profile.user.as_deref(),
                roles: &lend(&profile.roles),
                groups: &lend(&profile.groups),
                recovery,
                entropy: self.random.entropy(),
                ..Open::default()
            },
            now,
        );
        self.transports[number].key = Some(key);
        self.attached.insert(key, number);
        self.drain();
    }

    /// A request arrives.
    pub(super) fn up(&mut self, number: usize, request: &Request, packet: &Packet) {
        let transport = &self.transports[number];
        let Some(key) = transport.key.filter(|_| !transport.cut) else { return };
        if let Some(session) = transport.session {
            let session = &self.sessions[session].clone();
            self.observe(&Occurrence::Requested { session, request });
        }
        let now = self.tell();
        self.engine.receive(key, packet.incoming(), now);
        self.drain();
    }

    /// A close frame arrives.
    pub(super) fn bye(&mut self, number: usize, code: u16) {
        self.end_transport(number, Closed::Clean { code, reason: "" });
    }

    pub(super) fn server_notices(&mut self, number: usize) {
        self.end_transport(number, Closed::Lost);
    }

    fn end_transport(&mut self, number: usize, how: Closed<'_>) {
        if self.transports[number].server_done {
            return;
        }
        let Some(key) = self.transports[number].key else { return };
        self.detach(number);
        self.transports[number].queue.clear();
        if let Some(session) = self.transports[number].session {
            let session = &self.sessions[session].clone();
            self.observe(&Occurrence::TransportGone { session, how });
        }
        let now = self.tell();
        self.engine.close(key, how, now);
        self.drain();
    }

    /// Carries out all actions.
    pub(super) fn drain(&mut self) {
        while let Some(deed) = self.poll() {
            match deed {
                Deed::Accept(key, id) => self.accept(key, &id),
                Deed::Refuse(key) => self.shut(key, Item::Refused),
                Deed::Close(key, code) => self.close(key, code),
                Deed::Deliver(to, expires) => {
                    for (key, packet) in to {
                        self.deliver(key, &packet, expires);
                    }
                }
                Deed::Called(call, hub, publish, handling) => {
                    self.publish(&hub, publish);
                    if let Some(call) = call {
                        self.answer_later(call, handling.after, handling.reply);
                    }
                }
            }
        }
        self.plan();
    }

    /// Takes the next action, and makes it part of the digest. Handlers are called here.
    fn poll(&mut self) -> Option<Deed> {
        let Self { engine, handler, rules, sessions, ids, .. } = self;
        let (deed, numbers) = loop {
            match engine.poll_action()? {
                Action::Accept(it) => {
                    let key = it.connection;
                    break (Deed::Accept(key, it.connection_id.to_string()), [1, 0]);
                }
                Action::Refuse(it) => {
                    break (Deed::Refuse(it.connection), [2, u64::from(it.status)]);
                }
                Action::Close(it) => {
                    break (Deed::Close(it.connection, it.code), [3, u64::from(it.code)]);
                }
                Action::Deliver(it) => {
                    let to = it.to.iter();
                    let to = to.map(|to| (to.connection, packet(it.frame, to.sequence)));
                    break (Deed::Deliver(to.collect(), it.expires), [4, it.to.len() as u64]);
                }
                Action::Call(it) => {
                    let session = ids.get(&*it.event.connection_id).map(|place| &sessions[*place]);
                    let occurrence = Occurrence::Called { session, event: &it.event };
                    for rule in rules.iter_mut() {
                        if let Err(problem) = rule.observe(self.time.now(), &occurrence) {
                            super::fail(self.seed, self.time.now(), &problem);
                        }
                    }
                    let mut handling = handler(&it);
                    let publish = core::mem::take(&mut handling.publish);
                    let hub = it.event.hub.to_owned();
                    let number = it.event.number;
                    break (Deed::Called(it.id, hub, publish, handling), [5, number]);
                }
                Action::Cancel(_) | Action::Notify(_) | Action::Record(_) => {}
            }
        };
        self.digest_all(&numbers, &[]);
        match &deed {
            Deed::Accept(key, id) => self.digest_all(&[key.index() as u64], id.as_bytes()),
            Deed::Refuse(key) | Deed::Close(key, _) => self.digest_all(&[key.index() as u64], &[]),
            Deed::Deliver(to, _) => {
                for (key, packet) in to {
                    self.digest_all(&[key.index() as u64], packet.as_bytes());
                }
            }
            Deed::Called(..) => {}
        }
        Some(deed)
    }

    fn accept(&mut self, key: ConnectionKey, id: &str) {
        let number = self.transport_of(key);
        let transport = &self.transports[number];
        let client = transport.client;
        let wanted = transport.ticket.as_ref().filter(|ticket| ticket.token.is_some());
        match wanted.and_then(|ticket| self.ids.get(&ticket.connection_id)).copied() {
            Some(place) => {
                let session = &self.sessions[place].clone();
                if self.transports[number].impostor {
                    let refused = session.connection_id != id;
                    self.require(refused, || format!("an impostor got session {place}"));
                } else if session.connection_id == id {
                    let old = |other: &usize| self.transports[*other].session == Some(place);
                    let alone = !self.attached.values().any(old);
                    self.require(alone, || format!("session {place} has two transports"));
                    self.transports[number].session = Some(place);
                    self.observe(&Occurrence::Recovered { session });
                } else {
                    self.observe(&Occurrence::RecoveryRefused { session });
                }
            }
            None => {
                let profile = self.clients[client].client.profile();
                let session = Session {
                    number: self.sessions.len(),
                    client,
                    connection_id: id.to_owned(),
                    protocol: profile.protocol,
                    hub: profile.hub.to_ascii_lowercase(),
                };
                let fresh = self.ids.insert(id.to_owned(), session.number).is_none();
                self.require(fresh, || format!("two connections have the id {id}"));
                self.transports[number].session = Some(session.number);
                self.sessions.push(session.clone());
                self.observe(&Occurrence::Accepted { session: &session });
            }
        }
        self.enqueue(number, Item::Accepted);
    }

    /// Finds the transport that an action is about: the host knows all of them.
    fn transport_of(&self, key: ConnectionKey) -> usize {
        match self.attached.get(&key) {
            Some(number) => *number,
            None => self.fail(&format!("an action for {key:?}, whose transport is gone")),
        }
    }

    fn deliver(&mut self, key: ConnectionKey, packet: &Packet, expires: Option<Time>) {
        let number = self.transport_of(key);
        let transport = &self.transports[number];
        let protocol = self.clients[transport.client].client.profile().protocol;
        let received = match Received::read(protocol, packet) {
            Ok(received) => received,
            Err(problem) => self.fail(&problem),
        };
        if let Some(session) = transport.session {
            let session = &self.sessions[session].clone();
            self.observe(&Occurrence::Sent { session, received: &received });
        }
        self.enqueue(number, Item::Message(received.into(), expires));
    }

    fn close(&mut self, key: ConnectionKey, code: u16) {
        let number = self.transport_of(key);
        if let Some(session) = self.transports[number].session {
            let session = &self.sessions[session].clone();
            self.observe(&Occurrence::Closed { session, code });
        }
        if code == 1006 {
            // The transport is cut rather than closed.
            self.detach(number);
            self.transports[number].queue.clear();
            self.cut_transport(number);
        } else {
            self.shut(key, Item::Close(code));
        }
    }

    /// Sends the last word on a transport.
    fn shut(&mut self, key: ConnectionKey, last: Item) {
        let number = self.transport_of(key);
        self.detach(number);
        self.enqueue(number, last);
    }
}

fn packet(frame: &Frame, sequence: u64) -> Packet {
    let bytes = frame.bytes(sequence).to_vec();
    if frame.is_text() {
        Packet::Text(String::from_utf8(bytes).expect("a text frame is UTF-8"))
    } else {
        Packet::Binary(bytes)
    }
}
