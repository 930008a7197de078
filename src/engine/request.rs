//! What a client asks for, in the order of `webpubsub.md` 3.4: duplicates, permission, the deed, the ack.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;

use smallvec::SmallVec;

use super::Engine;
use super::fanout::Message;
use crate::config::{FailedEvent, Quota};
use crate::event::CallId;
use crate::metrics::Cause;
use crate::outbox::{PendingData, PendingKind, keep_pairs};
use crate::protocol::{AckError, Data, Metadata, Outgoing, Protocol, Request};
use crate::state::{ConnectionKey, Full, On, Permission, Waiting};

/// Why a request is not done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure<'a> {
    /// The verb that is not allowed, and the group.
    Forbidden(&'static str, &'a str),
    Duplicate,
    TooManyGroups,
    Throttled(Quota),
    Event,
}

impl Engine {
    pub(super) fn request(&mut self, key: ConnectionKey, request: Request<'_>) {
        match request {
            Request::Ping => {
                let protocol = self.world.at(key).protocol;
                self.tell_one(key, protocol, &Outgoing::Pong);
            }
            // Nothing is kept for this protocol that could be released.
            Request::SequenceAck => {}
            Request::JoinGroup { group, ack_id } => {
                let outcome = self.attempt(key, ack_id, |engine| engine.join(key, &group));
                self.acknowledge(key, ack_id, outcome);
            }
            Request::LeaveGroup { group, ack_id } => {
                let outcome = self.attempt(key, ack_id, |engine| engine.leave(key, &group));
                self.acknowledge(key, ack_id, outcome);
            }
            Request::SendToGroup { group, data, metadata, no_echo, ttl_seconds, ack_id } => {
                let metadata = lend(&metadata);
                let outcome = self.attempt(key, ack_id, |engine| {
                    engine.allowed(key, Permission::SendToGroup, "send to", &group)?;
                    engine.send_to_group(key, &group, data, &metadata, no_echo, ttl_seconds)
                });
                self.acknowledge(key, ack_id, outcome);
                if let Err(Failure::Throttled(quota)) = outcome {
                    self.throttle(key, quota);
                }
            }
            Request::Event { event, data, metadata, ack_id } => {
                match self.attempt(key, ack_id, |_| Ok(())) {
                    Ok(()) => self.event(key, &event, data, &lend(&metadata), ack_id),
                    Err(failure) => self.acknowledge(key, ack_id, Err(failure)),
                }
            }
        }
    }

    /// Does something unless its ack id was used before.
    fn attempt<'a>(
        &mut self,
        key: ConnectionKey,
        ack_id: Option<u64>,
        deed: impl FnOnce(&mut Self) -> Result<(), Failure<'a>>,
    ) -> Result<(), Failure<'a>> {
        if ack_id.is_some_and(|id| self.world.at(key).acks.contains(id)) {
            return Err(Failure::Duplicate);
        }
        deed(self)
    }

    fn allowed<'a>(
        &self,
        key: ConnectionKey,
        permission: Permission,
        verb: &'static str,
        group: &'a str,
    ) -> Result<(), Failure<'a>> {
        let allowed = self.world.at(key).permissions.allows(permission, group);
        if allowed { Ok(()) } else { Err(Failure::Forbidden(verb, group)) }
    }

    fn join<'a>(&mut self, key: ConnectionKey, group: &'a str) -> Result<(), Failure<'a>> {
        self.allowed(key, Permission::JoinLeaveGroup, "join", group)?;
        self.world.join(key, group).map_err(|Full| {
            self.metrics.joins_limited += 1;
            Failure::TooManyGroups
        })
    }

    fn leave<'a>(&mut self, key: ConnectionKey, group: &'a str) -> Result<(), Failure<'a>> {
        self.allowed(key, Permission::JoinLeaveGroup, "leave", group)?;
        let hub = self.world.at(key).hub;
        if let Some(group) = self.world.group(hub, group) {
            self.world.leave(key, group);
        }
        Ok(())
    }

    /// Publishes to a group in the name of a connection.
    pub(super) fn send_to_group<'a>(
        &mut self,
        key: ConnectionKey,
        group: &str,
        data: Data<'_>,
        metadata: &[(&str, &str)],
        no_echo: bool,
        ttl_seconds: u32,
    ) -> Result<(), Failure<'a>> {
        let hub = self.world.at(key).hub;
        self.check_quota(hub).map_err(Failure::Throttled)?;
        let message = Message { data, metadata, ttl_seconds };
        self.publish_from(key, group, no_echo, &message);
        Ok(())
    }

    /// Ends a connection that used up the day's messages; one second's are soon there again.
    pub(super) fn throttle(&mut self, key: ConnectionKey, quota: Quota) {
        if quota == Quota::Day {
            self.shut(key, 1008, "Message count reaches limit".into(), Cause::Throttled);
        }
    }

    /// Hands an event of a client to its handler, and waits for the answer.
    pub(super) fn event(
        &mut self,
        key: ConnectionKey,
        name: &str,
        data: Data<'_>,
        metadata: &[(&str, &str)],
        ack_id: Option<u64>,
    ) {
        let hub = self.world.at(key).hub;
        let Some(handler) = self.handler(hub, |handler| handler.user_events.matches(name)) else {
            self.metrics.events_unhandled += 1;
            return self.fail_event(key, ack_id, Cause::EventHandlerNotFound);
        };
        let number = self.next_number(key);
        let deadline = self.now + self.limits_of(key).call_timeout;
        self.world.at_mut(key).waiting = Some(Box::new(Waiting {
            number,
            deadline,
            on: On::Event { ack_id },
            queue: VecDeque::new(),
            queued_bytes: 0,
        }));
        self.arm(key);
        let kind = PendingKind::User {
            name: name.into(),
            data: PendingData::keep(data),
            metadata: keep_pairs(metadata.iter().copied()),
        };
        let id = CallId { connection: key, number };
        self.call(key, handler, number, Some((id, deadline)), None, kind);
    }

    /// An event failed or nobody takes it (`webpubsub.md` 8.5, C4, C6).
    pub(super) fn fail_event(&mut self, key: ConnectionKey, ack_id: Option<u64>, cause: Cause) {
        let connection = self.world.at(key);
        let close = match connection.protocol {
            Protocol::Plain => true,
            Protocol::Json => {
                self.world.hub_of(connection).settings.failed_event == FailedEvent::Close
            }
        };
        self.acknowledge(key, ack_id, Err(Failure::Event));
        if close {
            self.shut(key, 1011, "Internal server error".into(), cause);
        }
    }

    /// Acknowledges a request, where it asked for that, and remembers the id of one that was done.
    pub(super) fn acknowledge(
        &mut self,
        key: ConnectionKey,
        ack_id: Option<u64>,
        outcome: Result<(), Failure<'_>>,
    ) {
        let Some(ack_id) = ack_id else { return };
        let most = self.limits_of(key).ack_cache;
        let connection = self.world.at_mut(key);
        let protocol = connection.protocol;
        let failure = match outcome {
            Ok(()) => {
                connection.acks.insert(ack_id, most);
                None
            }
            Err(failure) => Some((failure.error(), self.explain(key, ack_id, failure))),
        };
        let error = failure.as_ref().map(|(error, text)| (*error, &**text));
        self.metrics.acks.count(error.map(|(error, _)| error));
        self.tell_one(key, protocol, &Outgoing::Ack { ack_id, error });
    }

    fn explain(&self, key: ConnectionKey, ack_id: u64, failure: Failure<'_>) -> Cow<'static, str> {
        match failure {
            Failure::Forbidden(verb, group) => {
                format!("The client does not have permission to {verb} group '{group}'.").into()
            }
            Failure::Duplicate => {
                format!("Message with ack-id: {ack_id} has been processed").into()
            }
            Failure::TooManyGroups => {
                let most = self.limits_of(key).groups_per_connection;
                format!("The connection is in {most} groups, the most that are allowed.").into()
            }
            Failure::Throttled(_) => "Message count reaches limit".into(),
            Failure::Event => "Internal server error".into(),
        }
    }
}

impl Failure<'_> {
    const fn error(self) -> AckError {
        match self {
            Self::Forbidden(..) => AckError::Forbidden,
            Self::Duplicate => AckError::Duplicate,
            Self::TooManyGroups => AckError::BadRequest,
            Self::Throttled(_) => AckError::Throttled,
            Self::Event => AckError::InternalServerError,
        }
    }
}

fn lend<'a>(metadata: &'a Metadata<'_>) -> SmallVec<[(&'a str, &'a str); 8]> {
    metadata.iter().map(|(key, value)| (&**key, &**value)).collect()
}
