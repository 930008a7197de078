//! Reliable sessions: what was sent is kept until it is acknowledged, and the loss of a transport is not the end
//! (`webpubsub.md` 4).

use alloc::string::String;
use core::str;

use super::Engine;
use super::open::spelling;
use crate::input::Open;
use crate::metrics::CloseCause;
use crate::outbox::{Pending, PendingRecordKind};
use crate::protocol::Outgoing;
use crate::state::{ConnectionKey, Standing};

impl Engine {
    /// Lets go of what a client says has arrived.
    pub(super) fn release(&mut self, key: ConnectionKey, sequence_id: u64) {
        // The other protocols accept it and keep nothing that could be let go of.
        if self.world.at(key).protocol.is_reliable() {
            self.world.sessions.acknowledge(key.slot(), sequence_id);
        }
    }

    /// Takes the transport of a reliable connection away. It stays where it is for a while.
    pub(super) fn detach(&mut self, key: ConnectionKey) {
        self.metrics.detached += 1;
        self.report(key, || PendingRecordKind::Detached);
        let until = self.now + self.limits_of(key).recovery_window;
        let extra = self.world.at_mut(key).extra();
        extra.recoverable_until = until;
        if let Some(backlog) = &mut extra.backlog {
            backlog.drop_control();
        }
        self.drop_invocations(key);
        self.world.set_standing(key, Standing::Detached);
        self.arm(key);
    }

    /// Ends a connection that nobody has taken up again.
    pub(super) fn expire(&mut self, key: ConnectionKey) {
        self.end(key, "The connection recovery timeout expired.".into(), CloseCause::Normal);
    }

    /// Takes up the session that a peer names, or refuses to (`webpubsub.md` 4.4). Nobody else notices a
    /// refusal.
    pub(super) fn recover(&mut self, request: &Open<'_>) -> ConnectionKey {
        let Some(old) = self.recoverable(request) else { return self.refuse_recovery(request) };
        self.metrics.recovered += 1;
        if self.world.at(old).is_attached() {
            let reason = "Another transport took the connection over.".into();
            self.outbox.push(Pending::Close { connection: old, code: CUT, reason });
            self.drop_invocations(old);
            if let Some(backlog) = &mut self.world.at_mut(old).extra().backlog {
                backlog.drop_control();
            }
        }
        let key = self.world.renew(old);
        let connection = self.world.at_mut(key);
        connection.heard = self.now;
        let id = connection.id(key);
        // The protocol stays whatever is offered now; what the peer compares is its own spelling.
        let subprotocol = spelling(connection.protocol, request.subprotocols.iter().copied());
        self.arm(key);
        self.report(key, || PendingRecordKind::Recovered);
        self.outbox.push(Pending::Accept { connection: key, id, subprotocol });
        self.welcome(key);
        self.replay(key);
        self.flush(key);
        key
    }

    /// Tells a client that it is connected.
    pub(super) fn welcome(&mut self, key: ConnectionKey) {
        let connection = self.world.at(key);
        let id = connection.id(key);
        let reliable = connection.protocol.is_reliable();
        let token = reliable.then(|| self.world.sessions.token(key.slot()).text());
        let token = token.as_ref().map(|text| str::from_utf8(text).expect("digits are UTF-8"));
        let user = self.world.user_name(connection).map(String::from);
        let user = user.as_deref();
        let connected = Outgoing::Connected { connection_id: &id, user, reconnection_token: token };
        self.tell_one(key, &connected);
    }

    fn recoverable(&self, request: &Open<'_>) -> Option<ConnectionKey> {
        let recovery = request.recovery?;
        let key = self.world.find(self.world.hub(request.hub)?, recovery.connection_id)?;
        let reliable = self.world.at(key).protocol.is_reliable();
        let known = reliable && self.world.sessions.token(key.slot()).is(recovery.token);
        known.then_some(key)
    }

    /// Sends again what was not acknowledged, with the ids that it had.
    fn replay(&mut self, key: ConnectionKey) {
        for (sequence, frame) in self.world.sessions.held(key.slot()) {
            self.metrics.deliveries += 1;
            self.metrics.bytes_out += frame.len() as u64;
            self.outbox.deliver_numbered(frame.clone(), |to, sequences| {
                to.push(key);
                sequences.push(sequence);
            });
        }
    }
}

/// Stands for no close frame at all (RFC 6455 7.1.5).
const CUT: u16 = 1006;
