//! What a client asks for, in the order of `webpubsub.md` 3.4: duplicates, permission, the deed, the ack.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use core::time::Duration;

use smallvec::SmallVec;

use super::Engine;
use super::fanout::Message;
use crate::config::{FailedEvent, Quota, Records};
use crate::metrics::CloseCause;
use crate::outbox::keep_pairs;
use crate::protocol::{AckError, Data, Metadata, Outgoing, Protocol, Request};
use crate::state::{ConnectionKey, On, Permission, Phase, Stream, Waiting};

/// Why a request is not done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure<'a> {
    /// The verb that is not allowed, and the group.
    Forbidden(&'static str, &'a str),
    Duplicate,
    TooManyGroups,
    Throttled(Quota),
    Event,
    /// The client may not set its state in the group.
    StateForbidden,
    /// The client may not know the states of this group.
    StatesForbidden(&'a str),
    NotMember,
    StateTooLarge,
}

impl Engine {
    pub(super) fn request(&mut self, key: ConnectionKey, request: Request<'_>) {
        self.report_request(key, &request);
        match request {
            Request::Ping => self.tell_one(key, &Outgoing::Pong),
            Request::SequenceAck { sequence_id } => self.release(key, sequence_id),
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
            Request::Invoke { invocation_id, event, data, metadata } => {
                self.invoke(key, &invocation_id, &event, data, &lend(&metadata));
            }
            Request::BadInvoke { invocation_id, problem } => {
                self.refuse_invocation(key, &invocation_id, "BadRequest", problem);
            }
            Request::CancelInvocation { invocation_id } => {
                self.cancel_invocation(key, &invocation_id);
            }
            Request::StartStream {
                stream_id,
                group,
                metadata,
                no_echo,
                ttl_seconds,
                idle_timeout,
            } => self.start_stream(
                key,
                Stream {
                    id: stream_id.into(),
                    group: group.into(),
                    metadata: keep_pairs(lend(&metadata).into_iter()).into_boxed_slice(),
                    no_echo,
                    ttl_seconds,
                    expected: 1,
                    heard: self.now,
                    idle_timeout: Duration::from_millis(u64::from(idle_timeout)),
                },
            ),
            Request::StreamData { stream_id, sequence_id, data } => {
                self.stream_data(key, &stream_id, sequence_id, data);
            }
            Request::StreamKeepAlive { stream_id } => self.keep_stream_alive(key, &stream_id),
            Request::EndStream { stream_id, error } => {
                self.end_stream(key, &stream_id, error.as_ref());
            }
            Request::BadStart { stream_id, problem } => {
                self.close_stream(key, &stream_id, Some(("BadRequest", problem)));
            }
            Request::BadStream { stream_id, problem } => {
                self.break_stream(key, &stream_id, problem);
            }
            Request::SetGroupState { group, state, ack_id } => {
                let state = state.as_ref().map(lend);
                let outcome = self.attempt(key, ack_id, |engine| {
                    engine.set_group_state(key, &group, state.as_deref())
                });
                self.acknowledge(key, ack_id, outcome);
            }
            Request::SubscribeGroupState { group, ack_id } => {
                let outcome =
                    self.attempt(key, ack_id, |engine| engine.subscribe_group_state(key, &group));
                self.acknowledge(key, ack_id, outcome);
                if outcome.is_ok() {
                    self.send_group_states(key, &group);
                }
            }
            Request::UnsubscribeGroupState { group, ack_id } => {
                let outcome = self.attempt(key, ack_id, |engine| {
                    engine.unsubscribe_group_state(key, &group);
                    Ok(())
                });
                self.acknowledge(key, ack_id, outcome);
            }
        }
    }

    /// Does something unless its ack id was used before.
    pub(super) fn attempt<'a>(
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

    pub(super) fn allowed<'a>(
        &self,
        key: ConnectionKey,
        permission: Permission,
        verb: &'static str,
        group: &'a str,
    ) -> Result<(), Failure<'a>> {
        let allowed = self.world.at(key).permissions.allows(permission, group);
        if allowed { Ok(()) } else { Err(Failure::Forbidden(verb, group)) }
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
        self.use_quota(hub).map_err(Failure::Throttled)?;
        let message = Message { data, metadata, ttl_seconds, stream: None };
        self.publish_from(key, group, no_echo, &message);
        Ok(())
    }

    /// Ends a connection that used up the day's messages; one second's are soon there again.
    pub(super) fn throttle(&mut self, key: ConnectionKey, quota: Quota) {
        if quota == Quota::Day {
            self.shut(key, 1008, "Message count reaches limit".into(), CloseCause::Throttled);
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
        let (handler, told) = self.tell_event(key, name, data, metadata);
        let Some(told) = told else {
            return self.fail_event(key, ack_id, CloseCause::EventHandlerNotFound);
        };
        // A listener alone is enough for an event to succeed.
        let Some(handler) = handler else { return self.acknowledge(key, ack_id, Ok(())) };
        let number = told.number;
        let deadline = self.now + self.limits_of(key).call_timeout;
        let connection = self.world.at_mut(key);
        connection.phase = Phase::Waiting;
        connection.waiting = Some(Box::new(Waiting {
            number,
            deadline,
            on: On::Event { ack_id },
            queue: VecDeque::new(),
            queued_bytes: 0,
        }));
        self.arm(key);
        let id = self.call_id(key, number);
        self.call(handler, Some((id, deadline)), told);
    }

    /// An event failed or nobody takes it (`webpubsub.md` 8.5, C4, C6).
    pub(super) fn fail_event(
        &mut self,
        key: ConnectionKey,
        ack_id: Option<u64>,
        cause: CloseCause,
    ) {
        let connection = self.world.at(key);
        let close = match connection.protocol {
            Protocol::Plain => true,
            Protocol::Json
            | Protocol::ReliableJson
            | Protocol::Protobuf
            | Protocol::ReliableProtobuf => {
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
        if let Err(failure) = outcome
            && self.records >= Records::Messages
        {
            let reason = self.text_of(key, ack_id.unwrap_or_default(), failure);
            self.report_failure(key, failure.error(), reason);
        }
        let Some(ack_id) = ack_id else { return };
        let most = self.limits_of(key).ack_cache;
        let connection = self.world.at_mut(key);
        let failure = match outcome {
            Ok(()) => {
                connection.acks.insert(ack_id, most);
                None
            }
            Err(failure) => Some((failure.error(), self.text_of(key, ack_id, failure))),
        };
        let error = failure.as_ref().map(|(error, text)| (*error, &**text));
        self.metrics.acks.count(error.map(|(error, _)| error));
        self.tell_one(key, &Outgoing::Ack { ack_id, error });
    }

    fn text_of(&self, key: ConnectionKey, ack_id: u64, failure: Failure<'_>) -> Cow<'static, str> {
        match failure {
            Failure::Forbidden(verb, group) => {
                format!("The client does not have permission to {verb} group '{group}'.").into()
            }
            Failure::Duplicate => {
                format!("Message with ack-id: {ack_id} has been processed").into()
            }
            Failure::TooManyGroups => {
                let most = self.limits_of(key).groups_per_connection;
                format!("A connection may be in {most} groups at most.").into()
            }
            Failure::Throttled(_) => "Message count reaches limit".into(),
            Failure::Event => "Internal server error".into(),
            Failure::StateForbidden => "Permission denied.".into(),
            Failure::StatesForbidden(group) => {
                format!("No permission to get states of group {group}.").into()
            }
            Failure::NotMember => "Not a member of group.".into(),
            Failure::StateTooLarge => {
                let most = self.limits_of(key).group_state_bytes;
                format!("State payload exceeds maximum size {most} bytes.").into()
            }
        }
    }
}

impl Failure<'_> {
    const fn error(self) -> AckError {
        match self {
            Self::Forbidden(..)
            | Self::StateForbidden
            | Self::StatesForbidden(_)
            | Self::NotMember => AckError::Forbidden,
            Self::Duplicate => AckError::Duplicate,
            Self::TooManyGroups | Self::StateTooLarge => AckError::BadRequest,
            Self::Throttled(_) => AckError::Throttled,
            Self::Event => AckError::InternalServerError,
        }
    }
}

#[inline]
fn lend<'a>(metadata: &'a Metadata<'_>) -> SmallVec<[(&'a str, &'a str); 8]> {
    // Most messages have none.
    let mut pairs = SmallVec::new();
    if !metadata.is_empty() {
        pairs.extend(metadata.iter().map(|(key, value)| (&**key, &**value)));
    }
    pairs
}
