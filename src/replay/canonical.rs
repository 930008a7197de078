//! Actions and outcomes as bytes: what a [`Digest`](super::Digest) is taken of, and what tests compare.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::input::Outcome;
use crate::action::{Accept, Action, Call, Close, Deliver, Notify, Recipients, Refuse};
use crate::command::{Member, Members, Reply};
use crate::config::{EventHandler, EventListener, SystemEvents};
use crate::event::{CallId, Connect, Event, EventKind, Pairs};
use crate::protocol::Data;
use crate::record::{Record, RecordKind};
use crate::state::ConnectionKey;
use crate::time::Time;

/// Appends the canonical form of an action: all that is in it, the same on every platform, and no two actions that
/// differ have the same. It is part of the format version of the journal.
pub fn write_action(action: &Action<'_>, output: &mut Vec<u8>) {
    let mut canon = Canon(output);
    match action {
        Action::Accept(Accept { connection, connection_id, subprotocol }) => {
            canon.tag(0);
            canon.key(*connection);
            canon.text(connection_id);
            canon.option(*subprotocol, Canon::text);
        }
        Action::Refuse(Refuse { connection, status, reason }) => {
            canon.tag(1);
            canon.key(*connection);
            canon.number(u64::from(*status));
            canon.text(reason);
        }
        Action::Deliver(Deliver { frame, to, expires }) => {
            canon.tag(2);
            canon.flag(frame.is_text());
            canon.flag(frame.shared().is_some());
            canon.bytes(&frame.bytes(0));
            canon.recipients(*to);
            canon.option(*expires, Canon::time);
        }
        Action::Close(Close { connection, code, reason }) => {
            canon.tag(3);
            canon.key(*connection);
            canon.number(u64::from(*code));
            canon.text(reason);
        }
        Action::Notify(Notify { connection, listener, event }) => {
            canon.tag(4);
            canon.key(*connection);
            canon.listener(listener);
            canon.event(event);
        }
        Action::Call(Call { id, connection, handler, deadline, event }) => {
            canon.tag(5);
            canon.option(*id, Canon::call);
            canon.key(*connection);
            canon.handler(handler);
            canon.option(*deadline, Canon::time);
            canon.event(event);
        }
        Action::Cancel(call) => {
            canon.tag(6);
            canon.call(*call);
        }
        Action::Record(record) => {
            canon.tag(7);
            canon.record(record);
        }
    }
}

/// Appends the canonical form of an outcome, as [`write_action`] does for an action. Errors are their texts.
pub fn write_outcome(outcome: &Outcome, output: &mut Vec<u8>) {
    let mut canon = Canon(output);
    match outcome {
        Outcome::Done => canon.tag(0),
        Outcome::Opened(key) => {
            canon.tag(1);
            canon.key(*key);
        }
        Outcome::Executed(Ok(reply)) => {
            canon.tag(2);
            canon.reply(reply);
        }
        Outcome::Executed(Err(error)) => {
            canon.tag(3);
            canon.text(&error.to_string());
        }
        Outcome::Reconfigured(Ok(())) => canon.tag(4),
        Outcome::Reconfigured(Err(error)) => {
            canon.tag(5);
            canon.text(&error.to_string());
        }
    }
}

/// Writes values one behind the other: numbers as eight bytes in little-endian order, texts and lists with their lengths
/// before them, what may be absent with a byte before it that says so.
struct Canon<'a>(&'a mut Vec<u8>);

impl Canon<'_> {
    fn tag(&mut self, tag: u8) {
        self.0.push(tag);
    }

    fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn time(&mut self, time: Time) {
        self.number(time.as_millis());
    }

    fn key(&mut self, key: ConnectionKey) {
        self.0.extend_from_slice(&key_bytes(key));
    }

    /// There can be very many, so each is written in one go.
    fn recipients(&mut self, recipients: Recipients<'_>) {
        self.number(recipients.len() as u64);
        self.0.reserve(16 * recipients.len());
        for recipient in recipients {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&key_bytes(recipient.connection));
            bytes[8..].copy_from_slice(&recipient.sequence.to_le_bytes());
            self.0.extend_from_slice(&bytes);
        }
    }

    fn call(&mut self, call: CallId) {
        self.key(call.connection);
        self.number(call.number);
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn pairs(&mut self, pairs: Pairs<'_>) {
        self.number(pairs.len() as u64);
        for (name, value) in pairs.iter() {
            self.text(name);
            self.text(value);
        }
    }

    fn data(&mut self, data: Data<'_>) {
        let (tag, bytes) = match data {
            Data::Text(text) => (0, text.as_bytes()),
            Data::Json(text) => (1, text.as_bytes()),
            Data::Binary(bytes) => (2, bytes),
            Data::Protobuf(bytes) => (3, bytes),
        };
        self.tag(tag);
        self.bytes(bytes);
    }

    fn handler(&mut self, handler: &EventHandler) {
        let EventHandler { url, user_events, system_events } = handler;
        let SystemEvents { connect, connected, disconnected, joined, left } = *system_events;
        self.text(url);
        self.text(&user_events.to_string());
        for flag in [connect, connected, disconnected, joined, left] {
            self.flag(flag);
        }
    }

    fn listener(&mut self, listener: &EventListener) {
        let EventListener { target, user_events, connected, disconnected } = listener;
        self.text(target);
        self.text(&user_events.to_string());
        self.flag(*connected);
        self.flag(*disconnected);
    }

    fn event(&mut self, event: &Event<'_>) {
        let Event { hub, connection_id, user, subprotocol, state, number, kind } = event;
        self.text(hub);
        self.text(connection_id);
        self.option(*user, Self::text);
        self.option(*subprotocol, Self::text);
        self.option(*state, Self::text);
        self.number(*number);
        self.event_kind(kind);
    }

    fn event_kind(&mut self, kind: &EventKind<'_>) {
        match kind {
            EventKind::Connect(connect) => {
                self.tag(0);
                self.connect(connect);
            }
            EventKind::Connected => self.tag(1),
            EventKind::Disconnected { reason } => {
                self.tag(2);
                self.text(reason);
            }
            EventKind::User { name, data, metadata } => {
                self.tag(3);
                self.text(name);
                self.data(*data);
                self.pairs(*metadata);
            }
            EventKind::Joined { group } => {
                self.tag(4);
                self.text(group);
            }
            EventKind::Left { group } => {
                self.tag(5);
                self.text(group);
            }
        }
    }

    fn connect(&mut self, connect: &Connect<'_>) {
        let Connect { claims, query, headers, subprotocols, certificates } = connect;
        for pairs in [claims, query, headers, certificates] {
            self.pairs(*pairs);
        }
        self.number(subprotocols.len() as u64);
        for subprotocol in *subprotocols {
            self.text(subprotocol);
        }
    }

    fn record(&mut self, record: &Record<'_>) {
        let Record { hub, connection, connection_id, user, kind } = record;
        self.text(hub);
        self.option(*connection, Self::key);
        self.option(connection_id.as_deref(), Self::text);
        self.option(*user, Self::text);
        match kind {
            RecordKind::Started { subprotocol } => {
                self.tag(0);
                self.option(*subprotocol, Self::text);
            }
            RecordKind::Refused { status, reason } => {
                self.tag(1);
                self.number(u64::from(*status));
                self.text(reason);
            }
            RecordKind::Detached => self.tag(2),
            RecordKind::Recovered => self.tag(3),
            RecordKind::RecoveryRefused => self.tag(4),
            RecordKind::Ended { cause, reason } => {
                self.tag(5);
                self.text(cause.name());
                self.text(reason);
            }
            RecordKind::Requested { operation, target, bytes } => {
                self.tag(6);
                self.text(operation);
                self.text(target);
                self.number(*bytes as u64);
            }
            RecordKind::Failed { error, reason } => {
                self.tag(7);
                self.text(error.name());
                self.text(reason);
            }
            RecordKind::Unhandled { event } => {
                self.tag(8);
                self.text(event);
            }
            RecordKind::Sent { recipients, bytes } => {
                self.tag(9);
                self.number(*recipients as u64);
                self.number(*bytes as u64);
            }
        }
    }

    fn reply(&mut self, reply: &Reply) {
        match reply {
            Reply::Done => self.tag(0),
            Reply::Affected(count) => {
                self.tag(1);
                self.number(*count as u64);
            }
            Reply::Is(is) => {
                self.tag(2);
                self.flag(*is);
            }
            Reply::Members(Members { members, more }) => {
                self.tag(3);
                self.number(members.len() as u64);
                for Member { connection_id, user } in members {
                    self.text(connection_id);
                    self.option(user.as_deref(), Self::text);
                }
                self.flag(*more);
            }
        }
    }
}

fn key_bytes(key: ConnectionKey) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&key.slot().to_le_bytes());
    bytes[4..].copy_from_slice(&key.generation().get().to_le_bytes());
    bytes
}
