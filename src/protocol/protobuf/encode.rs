//! From messages to their bytes, fields in the order of their numbers (`webpubsub.md` 5.2, 5.3).

use alloc::boxed::Box;

use bytes::BytesMut;

use super::wire::{BYTES, Body, NUMBER, Sink, length, tag, varint_length};
use crate::protocol::Seam;
use crate::protocol::message::{Data, Outgoing, StateItem, StreamEnd, StreamPart};

/// A message whose size is known.
pub(crate) struct Measured<'a> {
    message: &'a Outgoing<'a>,
    /// How many bytes its fields take, up to the place of the sequence id and behind that.
    before: usize,
    behind: usize,
}

impl<'a> Measured<'a> {
    pub(crate) fn new(message: &'a Outgoing<'a>) -> Self {
        Self { message, before: length(&Head(message)), behind: length(&Tail(message)) }
    }

    /// Returns how many bytes the message takes.
    pub(crate) fn len(&self) -> usize {
        self.header() + self.before + self.behind
    }

    /// Returns how many of them stand before the fields.
    fn header(&self) -> usize {
        1 + varint_length((self.before + self.behind) as u64)
    }

    /// Appends the message and tells where a sequence id goes.
    pub(crate) fn encode(&self, buffer: &mut BytesMut) -> Seam {
        let (outer, sequence_id) = numbers(self.message);
        buffer.head(tag(outer, BYTES), (self.before + self.behind) as u64);
        Head(self.message).write(buffer);
        Tail(self.message).write(buffer);
        let Some(field) = sequence_id else { return Seam::None };
        Seam::Protobuf {
            outer: tag(outer, BYTES),
            // A tag, and a length of ten bytes at most.
            header: self.header() as u8,
            field: tag(field, NUMBER),
            at: self.before as u32,
        }
    }
}

/// Returns the number of the message, and of its field with the sequence id if it has one.
const fn numbers(message: &Outgoing<'_>) -> (u8, Option<u8>) {
    match message {
        Outgoing::Ack { .. } => (1, None),
        Outgoing::Group { .. } | Outgoing::Server { .. } => (2, Some(4)),
        Outgoing::Connected { .. } | Outgoing::Disconnected { .. } => (3, None),
        Outgoing::Pong => (4, None),
        Outgoing::InvokeResponse { .. } => (5, None),
        Outgoing::StreamAck { .. } => (6, None),
        Outgoing::StreamNack { .. } => (7, None),
        Outgoing::StreamClosed { .. } => (8, None),
        Outgoing::GroupState { snapshot: false, .. } => (9, Some(3)),
        Outgoing::GroupState { snapshot: true, .. } => (10, Some(3)),
    }
}

/// The fields up to the place of the sequence id: all of them where there is no such place.
struct Head<'a>(&'a Outgoing<'a>);

impl Body for Head<'_> {
    #[inline]
    fn write(&self, sink: &mut impl Sink) {
        match self.0 {
            Outgoing::Ack { ack_id, error } => {
                sink.number(1, *ack_id);
                sink.number(2, u64::from(error.is_none()));
                if let Some((error, text)) = error {
                    sink.message(3, &Part::Error(error.name(), text));
                }
            }
            Outgoing::Group { group, data, .. } => {
                sink.text(1, "group");
                sink.bytes(2, group.as_bytes());
                sink.message(3, &Part::Data(data));
            }
            Outgoing::Server { data, .. } => {
                sink.text(1, "server");
                sink.message(3, &Part::Data(data));
            }
            Outgoing::Connected { connection_id, user, reconnection_token } => {
                let user = user.unwrap_or_default();
                let token = *reconnection_token;
                sink.message(1, &Part::Connected { connection_id, user, token });
            }
            Outgoing::Disconnected { message } => sink.message(2, &Part::Disconnected(message)),
            Outgoing::Pong => {}
            Outgoing::InvokeResponse { invocation_id, outcome, metadata } => {
                sink.text(1, invocation_id);
                sink.number(2, u64::from(outcome.is_ok()));
                match outcome {
                    Ok(None) => {}
                    Ok(Some(data)) => sink.message(3, &Part::Data(data)),
                    Err((name, message)) => sink.message(4, &Part::Error(name, message)),
                }
                write_metadata(sink, metadata);
            }
            Outgoing::StreamAck { stream_id, expected } => {
                sink.text(1, stream_id);
                sink.number(2, *expected);
            }
            Outgoing::StreamNack { stream_id, expected, name, message } => {
                sink.text(1, stream_id);
                sink.text(2, name);
                sink.text(3, message);
                sink.number(4, *expected);
            }
            Outgoing::StreamClosed { stream_id, error } => {
                sink.text(1, stream_id);
                if let Some((name, message)) = error {
                    sink.message(2, &Part::Error(name, message));
                }
            }
            Outgoing::GroupState { group, items, .. } => {
                sink.text(1, group);
                for item in *items {
                    sink.message(2, &Part::Item(item));
                }
            }
        }
    }
}

/// The fields behind the place of the sequence id.
struct Tail<'a>(&'a Outgoing<'a>);

impl Body for Tail<'_> {
    #[inline]
    fn write(&self, sink: &mut impl Sink) {
        match self.0 {
            Outgoing::Group { metadata, stream, .. } => {
                write_metadata(sink, metadata);
                if let Some(stream) = stream {
                    sink.message(6, &Part::Stream(stream));
                }
            }
            Outgoing::Server { metadata, .. } => write_metadata(sink, metadata),
            Outgoing::Connected { .. }
            | Outgoing::Disconnected { .. }
            | Outgoing::Ack { .. }
            | Outgoing::Pong
            | Outgoing::InvokeResponse { .. }
            | Outgoing::StreamAck { .. }
            | Outgoing::StreamNack { .. }
            | Outgoing::StreamClosed { .. }
            | Outgoing::GroupState { .. } => {}
        }
    }
}

/// Metadata has the same number wherever it is.
#[inline]
fn write_metadata(sink: &mut impl Sink, metadata: &[(&str, &str)]) {
    for (key, value) in metadata {
        sink.message(5, &Part::Entry(key, value));
    }
}

/// A message within a message.
enum Part<'a> {
    Data(&'a Data<'a>),
    /// A name and a text for people.
    Error(&'a str, &'a str),
    /// A key and a value of a map.
    Entry(&'a str, &'a str),
    Connected {
        connection_id: &'a str,
        user: &'a str,
        token: Option<&'a str>,
    },
    Disconnected(&'a str),
    Stream(&'a StreamPart<'a>),
    StreamError {
        name: &'a str,
        message: Option<&'a str>,
        code: Option<&'a str>,
    },
    Item(&'a StateItem<'a>),
    State(&'a [(Box<str>, Box<str>)]),
}

impl Body for Part<'_> {
    #[inline]
    fn write(&self, sink: &mut impl Sink) {
        match *self {
            // One kind is chosen, and that shows even where there is nothing in it.
            Part::Data(Data::Text(text)) => sink.bytes(1, text.as_bytes()),
            Part::Data(Data::Binary(bytes)) => sink.bytes(2, bytes),
            Part::Data(Data::Protobuf(any)) => sink.bytes(3, any),
            Part::Data(Data::Json(text)) => sink.bytes(4, text.as_bytes()),
            Part::Error(name, message) => {
                sink.text(1, name);
                sink.text(2, message);
            }
            // Keys and values are always written, as the official implementations do.
            Part::Entry(key, value) => {
                sink.bytes(1, key.as_bytes());
                sink.bytes(2, value.as_bytes());
            }
            Part::Connected { connection_id, user, token } => {
                sink.text(1, connection_id);
                sink.text(2, user);
                if let Some(token) = token {
                    sink.bytes(3, token.as_bytes());
                }
            }
            Part::Disconnected(message) => sink.text(2, message),
            Part::Stream(stream) => {
                sink.text(1, stream.stream_id);
                sink.number(2, stream.sequence_id);
                sink.number(3, u64::from(stream.end.is_some()));
                if let Some(StreamEnd::Failed { name, message, code }) = stream.end {
                    sink.message(4, &Part::StreamError { name, message, code });
                }
            }
            Part::StreamError { name, message, code } => {
                sink.text(1, name);
                sink.text(2, message.unwrap_or_default());
                sink.text(3, code.unwrap_or_default());
            }
            Part::Item(item) => {
                sink.text(1, item.connection_id);
                if let Some(user) = item.user {
                    sink.bytes(2, user.as_bytes());
                }
                if let Some(state) = item.state {
                    sink.message(3, &Part::State(state));
                }
                sink.number(4, item.updated_at);
            }
            Part::State(entries) => {
                for (key, value) in entries {
                    sink.message(1, &Part::Entry(key, value));
                }
            }
        }
    }
}
