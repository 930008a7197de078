//! The end of connections (`webpubsub.md` 1.8).

use alloc::string::ToString;
use alloc::vec::Vec;

use super::Engine;
use super::open::Refusal;
use crate::input::Closed;
use crate::metrics::Cause;
use crate::outbox::{Pending, PendingKind, Text};
use crate::protocol::{Outgoing, Violation};
use crate::state::ConnectionKey;

impl Engine {
    pub(super) fn on_close(&mut self, key: ConnectionKey, how: Closed<'_>) {
        if self.world.connections.get(key).is_none() {
            self.metrics.stale_inputs += 1;
            return;
        }
        let (reason, cause) = match how {
            Closed::Clean { reason: "", .. } => {
                (Text::Borrowed("The client closed the connection."), Cause::Normal)
            }
            Closed::Clean { reason, .. } => (reason.to_string().into(), Cause::Normal),
            Closed::Lost => ("The connection ended.".into(), Cause::Normal),
            Closed::SlowConsumer => {
                ("The outbound message queue is full.".into(), Cause::SlowClient)
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
            self.shut(key, 1001, reason.to_string().into(), Cause::ServiceReload);
        }
        for key in rest {
            self.world.remove(key);
            self.refuse(key, Refusal::new(503, "The server is stopping."));
        }
    }

    /// Closes a connection that broke its protocol.
    pub(super) fn violation(&mut self, key: ConnectionKey, violation: Violation) {
        self.shut(key, violation.code, violation.reason.into(), Cause::BadRequest);
    }

    /// Tells a client with a subprotocol why it will be closed.
    pub(super) fn farewell(&mut self, key: ConnectionKey, message: &str) {
        let protocol = self.world.at(key).protocol;
        self.tell_one(key, protocol, &Outgoing::Disconnected { message });
    }

    /// Closes an open connection from our side.
    pub(super) fn shut(&mut self, key: ConnectionKey, code: u16, reason: Text, cause: Cause) {
        self.shut_as(key, code, reason.clone(), reason, cause);
    }

    /// The same, where the peer and the handler are told different reasons.
    pub(super) fn shut_as(
        &mut self,
        connection: ConnectionKey,
        code: u16,
        reason: Text,
        told: Text,
        cause: Cause,
    ) {
        self.outbox.push(Pending::Close { connection, code, reason: fit(reason) });
        self.end(connection, told, cause);
    }

    /// Ends a connection: it leaves everything, and its handler is told if it was ever open. This is the one
    /// place where a connection goes, so that `disconnected` comes exactly once.
    pub(super) fn end(&mut self, key: ConnectionKey, reason: Text, cause: Cause) {
        let connection = self.world.at(key);
        if connection.is_open() {
            self.metrics.hubs[connection.hub as usize].connections -= 1;
            self.metrics.closes.count(cause);
            let kind = PendingKind::Disconnected { reason };
            self.notify(key, |events| events.disconnected, kind);
        }
        self.world.remove(key);
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
