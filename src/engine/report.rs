//! What the engine reports of its work to those who asked for it. What is not asked for is not even put together.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use super::Engine;
use super::open::Refusal;
use crate::config::Records;
use crate::input::Open;
use crate::outbox::{Pending, PendingRecord, PendingRecordKind};
use crate::protocol::{AckError, Data, Request};
use crate::state::ConnectionKey;

impl Engine {
    /// Reports something about a connection that the engine has.
    pub(super) fn report(&mut self, key: ConnectionKey, kind: impl FnOnce() -> PendingRecordKind) {
        if self.records >= Records::Connections {
            let user = self.world.user_name(self.world.at(key)).map(Into::into);
            self.push_record(key, user, kind());
        }
    }

    /// Reports something about a message of a connection.
    pub(super) fn report_message(
        &mut self,
        key: ConnectionKey,
        kind: impl FnOnce() -> PendingRecordKind,
    ) {
        if self.records >= Records::Messages {
            self.report(key, kind);
        }
    }

    /// Reports what a client asks for.
    pub(super) fn report_request(&mut self, key: ConnectionKey, request: &Request<'_>) {
        if self.records >= Records::Messages
            && let Some((operation, target, bytes)) = describe(request)
        {
            let target = target.into();
            self.report(key, || PendingRecordKind::Requested { operation, target, bytes });
        }
    }

    /// Reports what a plain client sent.
    pub(super) fn report_plain(&mut self, key: ConnectionKey, group: Option<&str>, data: Data<'_>) {
        self.report_message(key, || PendingRecordKind::Requested {
            operation: if group.is_some() { "sendToGroup" } else { "event" },
            target: group.unwrap_or("message").into(),
            bytes: data.len(),
        });
    }

    /// Reports that something was not done.
    pub(super) fn report_failure(
        &mut self,
        key: ConnectionKey,
        error: AckError,
        reason: Cow<'static, str>,
    ) {
        self.report_message(key, || PendingRecordKind::Failed { error, reason });
    }

    /// Reports that a message went out.
    pub(super) fn report_sent(&mut self, hub: u32, recipients: usize, bytes: usize) {
        if self.records >= Records::Messages {
            self.outbox.push(Pending::Record(Box::new(PendingRecord {
                hub: self.world.hubs[hub as usize].name.clone(),
                connection: None,
                connection_id: None,
                user: None,
                kind: PendingRecordKind::Sent { recipients, bytes },
            })));
        }
    }

    /// Reports that a peer is not let in, of whom nothing is kept.
    pub(super) fn report_refused(
        &mut self,
        key: ConnectionKey,
        request: &Open<'_>,
        refusal: &Refusal,
    ) {
        let reason = || refusal.reason.clone();
        self.report_unopened(key, request, || PendingRecordKind::Refused {
            status: refusal.status,
            reason: reason(),
        });
    }

    /// Reports something about a peer that has no connection.
    pub(super) fn report_unopened(
        &mut self,
        key: ConnectionKey,
        request: &Open<'_>,
        kind: impl FnOnce() -> PendingRecordKind,
    ) {
        if self.records >= Records::Connections {
            self.outbox.push(Pending::Record(Box::new(PendingRecord {
                hub: request.hub.to_ascii_lowercase().into(),
                connection: Some(key),
                connection_id: None,
                user: request.user.map(Into::into),
                kind: kind(),
            })));
        }
    }

    /// Turns a peer away whose handshake was under way.
    pub(super) fn turn_away(&mut self, key: ConnectionKey, user: Option<&str>, refusal: Refusal) {
        if self.records >= Records::Connections {
            let Refusal { status, reason } = &refusal;
            let kind = PendingRecordKind::Refused { status: *status, reason: reason.clone() };
            self.push_record(key, user.map(Into::into), kind);
        }
        self.world.remove(key);
        self.refuse(key, refusal);
    }

    fn push_record(&mut self, key: ConnectionKey, user: Option<Box<str>>, kind: PendingRecordKind) {
        let connection = self.world.at(key);
        self.outbox.push(Pending::Record(Box::new(PendingRecord {
            hub: self.world.hub_of(connection).name.clone(),
            connection: Some(key),
            connection_id: Some(connection.id(key)),
            user,
            kind,
        })));
    }
}

/// Says what a request is about: its type in JSON, what it names, and the bytes of its data. Signs of life are not
/// worth a record.
fn describe<'a>(request: &'a Request<'_>) -> Option<(&'static str, &'a str, usize)> {
    Some(match request {
        Request::JoinGroup { group, .. } => ("joinGroup", group, 0),
        Request::LeaveGroup { group, .. } => ("leaveGroup", group, 0),
        Request::SendToGroup { group, data, .. } => ("sendToGroup", group, data.len()),
        Request::Event { event, data, .. } => ("event", event, data.len()),
        Request::Invoke { event, data, .. } => ("invoke", event, data.len()),
        Request::BadInvoke { invocation_id, .. } => ("invoke", invocation_id, 0),
        Request::CancelInvocation { invocation_id } => ("cancelInvocation", invocation_id, 0),
        Request::StartStream { group, .. } => ("streamStart", group, 0),
        Request::BadStart { stream_id, .. } => ("streamStart", stream_id, 0),
        Request::StreamData { stream_id, data, .. } => ("streamData", stream_id, data.len()),
        Request::BadStream { stream_id, .. } => ("streamData", stream_id, 0),
        Request::EndStream { stream_id, .. } => ("streamEnd", stream_id, 0),
        Request::SetGroupState { group, .. } => ("setGroupState", group, 0),
        Request::SubscribeGroupState { group, .. } => ("subscribeGroupState", group, 0),
        Request::UnsubscribeGroupState { group, .. } => ("unsubscribeGroupState", group, 0),
        Request::Ping | Request::SequenceAck { .. } | Request::StreamKeepAlive { .. } => {
            return None;
        }
    })
}
