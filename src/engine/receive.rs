//! Something arrived from a peer.

use alloc::vec::Vec;
use core::mem;

use super::Engine;
use super::request::Failure;
use crate::input::Incoming;
use crate::metrics::CloseCause;
use crate::protocol::{Data, Protocol, Violation};
use crate::state::{Connection, ConnectionKey, Permission, Phase, Queued};

const TOO_LARGE: Violation = Violation { code: 1009, reason: "The client message is too large." };
const MALFORMED: Violation = Violation { code: 1002, reason: "The client frame is invalid." };

impl Engine {
    pub(super) fn on_receive(&mut self, key: ConnectionKey, message: Incoming<'_>) {
        let open = |connection: &&mut Connection| connection.is_open() && connection.is_attached();
        let Some(connection) = self.world.connections.get_mut(key).filter(open) else {
            self.metrics.stale_inputs += 1;
            return;
        };
        connection.heard = self.now;
        let data = match message {
            Incoming::Text(text) => Data::Text(text),
            Incoming::Binary(bytes) => Data::Binary(bytes),
            Incoming::Alive => return,
            Incoming::TooLarge => return self.violation(key, TOO_LARGE),
            Incoming::Malformed => return self.violation(key, MALFORMED),
            Incoming::NotUtf8 => {
                let violation = connection.protocol.not_utf8();
                return self.violation(key, violation);
            }
        };
        let size = data.len();
        self.metrics.messages_in += 1;
        self.metrics.bytes_in += size as u64;
        let limits = &self.world.hubs[connection.hub as usize].limits;
        if size > limits.message_bytes {
            return self.violation(key, TOO_LARGE);
        }
        if connection.phase != Phase::Waiting {
            return self.process(key, data);
        }
        let waiting = connection.waiting.as_mut().expect("its phase says so");
        let bytes = waiting.queued_bytes + size;
        if waiting.queue.len() >= limits.queued_messages || bytes > limits.queued_bytes {
            let reason = "Too many messages wait for the event handler.".into();
            return self.shut(key, 1008, reason, CloseCause::Throttled);
        }
        waiting.queued_bytes = bytes;
        waiting.queue.push_back(Queued::keep(data));
    }

    /// Carries out one message of an open connection that waits for nothing.
    pub(super) fn process(&mut self, key: ConnectionKey, message: Data<'_>) {
        let mut scratch = mem::take(&mut self.scratch);
        self.decode(key, message, &mut scratch);
        self.scratch = scratch;
    }

    fn decode(&mut self, key: ConnectionKey, message: Data<'_>, scratch: &mut Vec<u8>) {
        let protocol = self.world.at(key).protocol;
        if protocol == Protocol::Plain {
            return self.plain(key, message);
        }
        match protocol.decode(message, scratch) {
            Some(request) => self.request(key, request),
            None => self.violation(key, protocol.broken_by(message)),
        }
    }

    /// Carries out a message of a plain client (`webpubsub.md` 1.6).
    fn plain(&mut self, key: ConnectionKey, data: Data<'_>) {
        let connection = self.world.at(key);
        let Some(extra) = &connection.extra else {
            self.report_plain(key, None, data);
            return self.event(key, "message", data, &[], None);
        };
        let Some((group, no_echo)) = &extra.target else {
            self.report_plain(key, None, data);
            return self.event(key, "message", data, &[], None);
        };
        if !connection.permissions.allows(Permission::SendToGroup, group) {
            let reason = "The connection is not authorized for raw sendToGroup mode.".into();
            return self.shut(key, 1008, reason, CloseCause::Unauthorized);
        }
        let (group, no_echo) = (group.clone(), *no_echo);
        self.report_plain(key, Some(&group), data);
        if let Err(Failure::Throttled(quota)) =
            self.send_to_group(key, &group, data, &[], no_echo, 0)
        {
            self.throttle(key, quota);
        }
    }
}
