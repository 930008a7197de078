//! The end of connections (`webpubsub.md` 1.8).

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::mem;

use super::Engine;
use super::open::Refusal;
use crate::input::Closed;
use crate::metrics::CloseCause;
use crate::outbox::{Pending, PendingKind, PendingRecordKind, Text};
use crate::protocol::{Outgoing, StateItem, Violation};
use crate::state::{ConnectionId, ConnectionKey, Stream};

impl Engine {
    pub(super) fn on_close(&mut self, key: ConnectionKey, how: Closed<'_>) {
        let connection = self.world.connections.get(key);
        let Some(connection) = connection.filter(|connection| connection.is_attached()) else {
            self.metrics.stale_inputs += 1;
            return;
        };
        if connection.is_open() && connection.protocol.is_reliable() && is_recoverable(how) {
            return self.detach(key);
        }
        let (reason, cause) = match how {
            Closed::Clean { reason: "", .. } => {
                (Text::Borrowed("The client closed the connection."), CloseCause::Normal)
            }
            Closed::Clean { reason, .. } => (reason.to_string().into(), CloseCause::Normal),
            Closed::Lost => ("The connection ended.".into(), CloseCause::Normal),
            Closed::SlowConsumer => {
                ("The outbound message queue is full.".into(), CloseCause::SlowClient)
            }
        };
        self.end(key, reason, cause);
    }

    pub(super) fn on_stop(&mut self, reason: &str) {
        self.stopped = true;
        let keys: Vec<_> = self.world.connections.iter().map(|(key, _)| key).collect();
        let (open, rest): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|&key| self.world.at(key).is_open());
        self.tell_all(&open, &Outgoing::Disconnected { message: reason });
        for key in open {
            self.shut(key, 1001, reason.to_string().into(), CloseCause::ServiceReload);
        }
        for key in rest {
            self.turn_away(key, None, Refusal::new(503, "The server is stopping."));
        }
    }

    /// Closes a connection that broke its protocol.
    pub(super) fn violation(&mut self, key: ConnectionKey, violation: Violation) {
        self.shut(key, violation.code, violation.reason.into(), CloseCause::BadRequest);
    }

    /// Closes those for whom a message was one too many, now that everything else is done.
    pub(super) fn close_doomed(&mut self) {
        // Ending one publishes to others, for whom that can be one too many.
        let mut next = 0;
        while let Some(&key) = self.doomed.get(next) {
            next += 1;
            let Some(connection) = self.world.connections.get(key) else { continue };
            let reason = if connection.protocol.is_reliable() {
                "The reliable message buffer is full."
            } else {
                "The outbound message queue is full."
            };
            self.shut(key, 1008, reason.into(), CloseCause::SlowClient);
        }
        self.doomed.clear();
    }

    /// Tells a client with a subprotocol why it will be closed.
    pub(super) fn farewell(&mut self, key: ConnectionKey, message: &str) {
        self.tell_one(key, &Outgoing::Disconnected { message });
    }

    /// Closes an open connection from our side.
    pub(super) fn shut(&mut self, key: ConnectionKey, code: u16, reason: Text, cause: CloseCause) {
        self.shut_as(key, code, reason.clone(), reason, cause);
    }

    /// The same, where the peer and the handler are told different reasons.
    pub(super) fn shut_as(
        &mut self,
        connection: ConnectionKey,
        code: u16,
        reason: Text,
        told: Text,
        cause: CloseCause,
    ) {
        self.push_close(connection, code, reason, cause);
        self.end(connection, told, cause);
    }

    /// Has the host close the transport of a connection, if it has one.
    pub(super) fn push_close(
        &mut self,
        connection: ConnectionKey,
        code: u16,
        reason: Text,
        cause: CloseCause,
    ) {
        if !self.world.at(connection).is_attached() {
            return;
        }
        // What waits goes out before the close (`emulator.md` 4), unless that is what was too much.
        if cause != CloseCause::SlowClient {
            self.flush(connection);
        }
        self.outbox.push(Pending::Close { connection, code, reason: fit(reason) });
    }

    /// Ends a connection and tells others what it leaves behind.
    pub(super) fn end(&mut self, key: ConnectionKey, reason: Text, cause: CloseCause) {
        if let Some(legacy) = self.part(key, reason, cause) {
            self.carry_out(legacy);
        }
    }

    /// Ends a connection: it leaves everything, and its handler is told if it was ever open. This is the one
    /// place where a connection goes, so that `disconnected` comes exactly once. Returns what it leaves behind,
    /// for [`carry_out`](Self::carry_out).
    pub(super) fn part(
        &mut self,
        key: ConnectionKey,
        reason: Text,
        cause: CloseCause,
    ) -> Option<Legacy> {
        self.world.glance(key);
        let connection = self.world.at(key);
        if let Some(backlog) = connection.backlog() {
            self.metrics.drops.ended += backlog.messages() as u64;
        }
        let hub = connection.hub;
        if connection.is_open() {
            self.metrics.hubs[hub as usize].connections -= 1;
            self.metrics.closes.count(cause);
            self.report(key, || PendingRecordKind::Ended { cause, reason: reason.clone() });
            self.drop_invocations(key);
            self.notify_left_all(key);
            let kind = PendingKind::Disconnected { reason };
            self.notify(key, |events| events.disconnected, kind);
        }
        let stateful = self.world.leave_all(key);
        let connection = self.world.at_mut(key);
        let streams =
            connection.extra.as_mut().map_or(Vec::new(), |extra| mem::take(&mut extra.streams));
        // When all end, nobody is left to be told.
        let legacy = ((!streams.is_empty() || !stateful.is_empty()) && !self.stopped).then(|| {
            let updated_at = self.stamp_state(key);
            let connection = self.world.at(key);
            Legacy {
                hub,
                connection_id: connection.id(key),
                user: self.world.user_name(connection).map(Into::into),
                streams,
                stateful,
                updated_at,
            }
        });
        self.world.remove(key);
        legacy
    }

    /// Tells others what a connection that is gone left behind: its streams broke off, and its states are no more.
    pub(super) fn carry_out(&mut self, legacy: Legacy) {
        let Legacy { hub, connection_id, user, streams, stateful, updated_at } = legacy;
        for stream in &streams {
            self.cancel_stream(hub, user.as_deref(), stream);
        }
        let user = user.as_deref();
        let connection_id = &*connection_id;
        let gone = StateItem { connection_id, user, state: None, updated_at };
        for group in stateful {
            self.tell_subscribers(group, &gone);
        }
    }
}

/// What a connection that is gone leaves for others to be told.
pub(super) struct Legacy {
    hub: u32,
    connection_id: ConnectionId,
    user: Option<Box<str>>,
    streams: Vec<Stream>,
    /// The groups where it had a state, which is gone.
    stateful: Vec<u32>,
    updated_at: u64,
}

/// Tells whether a reliable connection survives this end of its transport (`webpubsub.md` 1.8).
fn is_recoverable(how: Closed<'_>) -> bool {
    match how {
        Closed::Clean { code, .. } => code != 1000,
        Closed::Lost => true,
        Closed::SlowConsumer => false,
    }
}

/// The most bytes of a reason in a close frame (RFC 6455 5.5.1).
const REASON_MAX: usize = 123;

/// Cuts a reason to what a close frame has room for, between two characters.
fn fit(mut reason: Text) -> Text {
    if reason.len() > REASON_MAX {
        let end = (0..=REASON_MAX).rfind(|&end| reason.is_char_boundary(end));
        reason.to_mut().truncate(end.expect("0 is a boundary"));
    }
    reason
}
