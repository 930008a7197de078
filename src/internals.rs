//! Doors to the codecs, the filters and the index for this crate's own benches and fuzz targets. Not covered by semantic
//! versioning.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::BytesMut;

use crate::engine::Engine;
use crate::filter::{Filter, Subject};
use crate::protocol::{Data, Frame, Outgoing, Protocol, Request, json, protobuf};
use crate::state::GroupKey;

/// Decodes a text message of a JSON client; returns the length of its payload, or `None` where it is invalid.
pub fn decode_json(text: &str, scratch: &mut Vec<u8>) -> Option<usize> {
    json::decode(text, scratch).as_ref().map(payload_length)
}

/// Decodes a binary message of a protobuf client; returns the length of its payload, or `None` where it is
/// invalid.
pub fn decode_protobuf(bytes: &[u8]) -> Option<usize> {
    protobuf::decode(bytes).as_ref().map(payload_length)
}

fn payload_length(request: &Request<'_>) -> usize {
    match request {
        Request::SendToGroup { data, .. }
        | Request::Event { data, .. }
        | Request::Invoke { data, .. }
        | Request::StreamData { data, .. } => data.len(),
        Request::JoinGroup { .. }
        | Request::LeaveGroup { .. }
        | Request::SequenceAck { .. }
        | Request::Ping
        | Request::BadInvoke { .. }
        | Request::CancelInvocation { .. }
        | Request::StartStream { .. }
        | Request::StreamKeepAlive { .. }
        | Request::EndStream { .. }
        | Request::BadStart { .. }
        | Request::BadStream { .. }
        | Request::SetGroupState { .. }
        | Request::SubscribeGroupState { .. }
        | Request::UnsubscribeGroupState { .. } => 0,
    }
}

/// Tells whether the text is one JSON value.
pub fn is_json(text: &str) -> bool {
    json::is_valid(text)
}

/// Encodes a message from the user `alice` to a group.
pub fn encode_group(
    protocol: Protocol,
    group: &str,
    data: Data<'_>,
    metadata: &[(&str, &str)],
    buffer: &mut BytesMut,
) -> Option<Frame> {
    let from_user = Some(Some("alice"));
    let message = Outgoing::Group { group, from_user, data, metadata, stream: None };
    let frame = protocol.format().encode(&message, buffer)?;
    Some(if protocol.is_reliable() { frame.sequenced() } else { frame })
}

/// Finds a group by its key, as a publish does; returns whether it is there.
pub fn find_group(engine: &Engine, key: GroupKey) -> bool {
    engine.find_group(key).is_ok()
}

/// A connection that exists for filters only.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portrait<'a> {
    /// Its user.
    pub user: Option<&'a str>,
    /// Its id.
    pub connection_id: &'a str,
    /// Its groups, each once.
    pub groups: &'a [&'a str],
    /// The name of its subprotocol.
    pub protocol: Option<&'a str>,
}

impl Portrait<'_> {
    /// Tells whether a filter lets it through.
    pub fn matches(&self, filter: &Filter, scratch: &mut String) -> bool {
        filter.matches(self, scratch)
    }
}

impl Subject for Portrait<'_> {
    fn user(&self) -> Option<&str> {
        self.user
    }

    fn connection_id(&self) -> &str {
        self.connection_id
    }

    fn protocol(&self) -> Option<&str> {
        self.protocol
    }

    fn groups(&self) -> usize {
        self.groups.len()
    }

    fn is_in(&self, group: &str) -> bool {
        self.groups.contains(&group)
    }
}
