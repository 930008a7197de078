//! Doors to the codecs for this crate's own benches and fuzz targets. Not covered by semantic versioning.

use alloc::vec::Vec;

use bytes::BytesMut;

use crate::protocol::{Data, Frame, Outgoing, Protocol, Request, json};

/// Decodes a text message of a JSON client; returns the length of its payload, or `None` where it is invalid.
pub fn decode_json(text: &str, scratch: &mut Vec<u8>) -> Option<usize> {
    match json::decode(text, scratch).ok()? {
        Request::SendToGroup { data, .. } | Request::Event { data, .. } => Some(data.len()),
        Request::JoinGroup { .. }
        | Request::LeaveGroup { .. }
        | Request::SequenceAck
        | Request::Ping => Some(0),
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
    protocol.encode(&Outgoing::Group { group, from_user, data, metadata }, buffer)
}
