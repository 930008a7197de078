//! From messages to the text of a frame, byte for byte as `webpubsub.md` 3.5 to 3.9 show it.

mod put;
#[cfg(test)]
mod tests;

use bytes::BytesMut;

pub(crate) use self::put::put_string;
use self::put::{
    data_size, pairs_size, put, put_characters, put_data, put_integer, put_metadata, put_pairs,
    put_rest_of_string, put_user,
};
use crate::protocol::message::{Data, Outgoing, StateItem, StreamEnd, StreamPart};

/// The one message that is always the same.
pub(crate) const PONG: &[u8] = br#"{"type":"pong"}"#;

/// More than the names and the punctuation of any message take.
const ENVELOPE: usize = 128;

/// More than the names and the punctuation of a place in a stream take, and of an item of a group's states.
const STREAM: usize = 160;
const ITEM: usize = 96;

/// Returns how many bytes the message takes at most, as long as nothing in it has to be escaped.
#[inline]
pub(crate) fn size_hint(message: &Outgoing<'_>) -> usize {
    let variable = match message {
        Outgoing::Connected { connection_id, user, reconnection_token } => {
            connection_id.len() + user.map_or(0, str::len) + reconnection_token.map_or(0, str::len)
        }
        Outgoing::Disconnected { message } => message.len(),
        Outgoing::Ack { error, .. } => error.map_or(0, |(_, text)| text.len()),
        Outgoing::Pong => 0,
        Outgoing::Group { group, from_user, data, metadata, stream } => {
            let user = from_user.flatten().map_or(0, str::len);
            let stream = stream.map_or(0, stream_size);
            group.len() + user + data_size(data) + metadata_size(metadata) + stream
        }
        Outgoing::Server { data, metadata } => data_size(data) + metadata_size(metadata),
        Outgoing::InvokeResponse { invocation_id, outcome, metadata } => {
            let outcome = match outcome {
                Ok(data) => data.as_ref().map_or(0, data_size),
                Err((name, message)) => name.len() + message.len(),
            };
            invocation_id.len() + outcome + metadata_size(metadata)
        }
        Outgoing::StreamAck { stream_id, .. } => stream_id.len(),
        Outgoing::StreamNack { stream_id, name, message, .. } => {
            stream_id.len() + name.len() + message.len()
        }
        Outgoing::StreamClosed { stream_id, error } => {
            stream_id.len() + error.map_or(0, |(name, message)| name.len() + message.len())
        }
        Outgoing::GroupState { group, items, .. } => {
            group.len() + items.iter().map(item_size).sum::<usize>()
        }
    };
    ENVELOPE + variable
}

/// Appends the message.
#[inline]
pub(crate) fn encode(message: &Outgoing<'_>, buffer: &mut BytesMut) {
    match message {
        Outgoing::Connected { connection_id, user, reconnection_token } => {
            put(buffer, br#"{"type":"system","event":"connected","userId":"#);
            put_user(buffer, *user);
            put(buffer, br#","connectionId":"#);
            put_string(buffer, connection_id);
            if let Some(token) = reconnection_token {
                put(buffer, br#","reconnectionToken":"#);
                put_string(buffer, token);
            }
        }
        Outgoing::Disconnected { message } => {
            put(buffer, br#"{"type":"system","event":"disconnected","message":"#);
            put_string(buffer, message);
        }
        Outgoing::Ack { ack_id, error: None } => {
            put(buffer, br#"{"type":"ack","ackId":"#);
            put_integer(buffer, *ack_id);
            put(buffer, br#","success":true"#);
        }
        Outgoing::Ack { ack_id, error: Some((error, text)) } => {
            put(buffer, br#"{"type":"ack","ackId":"#);
            put_integer(buffer, *ack_id);
            put(buffer, br#","success":false"#);
            put_error(buffer, error.name(), text);
        }
        Outgoing::Pong => return put(buffer, PONG),
        Outgoing::Group { group, from_user, data, metadata, stream } => {
            put(buffer, br#"{"type":"message","from":"group","group":""#);
            put_characters(buffer, group);
            // As few and as long pieces as can be: this is what is sent most.
            match from_user {
                None => put(buffer, b"\""),
                Some(None) => put(buffer, br#"","fromUserId":null"#),
                Some(Some(user)) => {
                    put(buffer, br#"","fromUserId":""#);
                    put_rest_of_string(buffer, user);
                }
            }
            put_data(buffer, data);
            put_metadata(buffer, metadata);
            if let Some(stream) = stream {
                put_stream(buffer, stream);
            }
        }
        Outgoing::Server { data, metadata } => {
            put(buffer, br#"{"type":"message","from":"server""#);
            put_data(buffer, data);
            put_metadata(buffer, metadata);
        }
        Outgoing::InvokeResponse { invocation_id, outcome, metadata } => {
            put(buffer, br#"{"type":"invokeResponse","invocationId":"#);
            put_string(buffer, invocation_id);
            put_outcome(buffer, outcome);
            put_metadata(buffer, metadata);
        }
        Outgoing::StreamAck { stream_id, expected } => {
            put(buffer, br#"{"type":"streamAck","streamId":"#);
            put_string(buffer, stream_id);
            put(buffer, br#","expectedSequenceId":"#);
            put_integer(buffer, *expected);
        }
        Outgoing::StreamNack { stream_id, expected, name, message } => {
            put(buffer, br#"{"type":"streamNack","streamId":"#);
            put_string(buffer, stream_id);
            put(buffer, br#","expectedSequenceId":"#);
            put_integer(buffer, *expected);
            put(buffer, br#","name":"#);
            put_string(buffer, name);
            put(buffer, br#","message":"#);
            put_string(buffer, message);
        }
        Outgoing::StreamClosed { stream_id, error } => {
            put(buffer, br#"{"type":"streamClosed","streamId":"#);
            put_string(buffer, stream_id);
            if let Some((name, message)) = error {
                put_error(buffer, name, message);
            }
        }
        Outgoing::GroupState { group, items, snapshot } => {
            let start: &[u8] = if *snapshot {
                br#"{"type":"groupStateSnapshot","group":"#
            } else {
                br#"{"type":"groupStateUpdate","group":"#
            };
            put(buffer, start);
            put_string(buffer, group);
            put(buffer, br#","items":["#);
            for (index, item) in items.iter().enumerate() {
                put(buffer, if index == 0 { b"" } else { b"," });
                put_item(buffer, item);
            }
            put(buffer, b"]");
        }
    }
    put(buffer, b"}");
}

fn put_outcome(buffer: &mut BytesMut, outcome: &Result<Option<Data<'_>>, (&'static str, &str)>) {
    match outcome {
        Ok(data) => {
            put(buffer, br#","success":true"#);
            if let Some(data) = data {
                put_data(buffer, data);
            }
        }
        Err((name, message)) => {
            put(buffer, br#","success":false"#);
            put_error(buffer, name, message);
        }
    }
}

fn put_error(buffer: &mut BytesMut, name: &str, message: &str) {
    put(buffer, br#","error":{"name":"#);
    put_string(buffer, name);
    put(buffer, br#","message":"#);
    put_string(buffer, message);
    put(buffer, b"}");
}

fn put_stream(buffer: &mut BytesMut, stream: &StreamPart<'_>) {
    put(buffer, br#","stream":{"streamId":"#);
    put_string(buffer, stream.stream_id);
    put(buffer, br#","streamSequenceId":"#);
    put_integer(buffer, stream.sequence_id);
    if stream.end.is_some() {
        put(buffer, br#","endOfStream":true"#);
    }
    if let Some(StreamEnd::Failed { name, message, code }) = stream.end {
        put(buffer, br#","error":{"name":"#);
        put_string(buffer, name);
        if let Some(message) = message {
            put(buffer, br#","message":"#);
            put_string(buffer, message);
        }
        if let Some(code) = code {
            put(buffer, br#","userErrorCode":"#);
            put_string(buffer, code);
        }
        put(buffer, b"}");
    }
    put(buffer, b"}");
}

/// Appends an item. A user or a state that there is not has no member.
fn put_item(buffer: &mut BytesMut, item: &StateItem<'_>) {
    put(buffer, br#"{"connectionId":"#);
    put_string(buffer, item.connection_id);
    if let Some(user) = item.user {
        put(buffer, br#","userId":"#);
        put_string(buffer, user);
    }
    if let Some(state) = item.state {
        put(buffer, br#","state":"#);
        put_pairs(buffer, state.iter().map(|(key, value)| (&**key, &**value)));
    }
    put(buffer, br#","updatedAt":"#);
    put_integer(buffer, item.updated_at);
    put(buffer, b"}");
}

fn stream_size(stream: &StreamPart<'_>) -> usize {
    let error = match stream.end {
        None | Some(StreamEnd::Done) => 0,
        Some(StreamEnd::Failed { name, message, code }) => {
            name.len() + message.map_or(0, str::len) + code.map_or(0, str::len)
        }
    };
    STREAM + stream.stream_id.len() + error
}

fn item_size(item: &StateItem<'_>) -> usize {
    let state = item
        .state
        .map_or(0, |state| pairs_size(state.iter().map(|(key, value)| (&**key, &**value))));
    ITEM + item.connection_id.len() + item.user.map_or(0, str::len) + state
}

fn metadata_size(metadata: &[(&str, &str)]) -> usize {
    pairs_size(metadata.iter().copied())
}
