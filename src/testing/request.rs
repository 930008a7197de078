//! What clients say.

mod json;
mod protobuf;

use alloc::string::String;
use alloc::vec::Vec;

use super::payload::{Entries, Payload};
use crate::input::Incoming;
use crate::protocol::Protocol;

/// Something that a client asks for, before it is bytes.
///
/// ```
/// use hubcast::Protocol;
/// use hubcast::testing::{Packet, Request};
///
/// let join = Request::Join { group: "room".into(), ack: Some(7) };
/// let text = r#"{"type":"joinGroup","group":"room","ackId":7}"#;
/// assert_eq!(join.packet(Protocol::Json), Packet::Text(text.into()));
/// let bytes = [0x32, 8, 0x0a, 4, b'r', b'o', b'o', b'm', 0x10, 7];
/// assert_eq!(join.packet(Protocol::Protobuf), Packet::Binary(bytes.into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the protocol (`webpubsub.md` 3.1)")]
pub enum Request {
    /// `joinGroup`.
    Join { group: String, ack: Option<u64> },
    /// `leaveGroup`.
    Leave { group: String, ack: Option<u64> },
    /// `sendToGroup`.
    Send { group: String, content: Content, no_echo: bool, ttl: u32, ack: Option<u64> },
    /// `event`.
    Event { name: String, content: Content, ack: Option<u64> },
    /// `sequenceAck`.
    SequenceAck { sequence: u64 },
    /// `ping`.
    Ping,
    /// `invoke`.
    Invoke { id: String, event: String, content: Content },
    /// `cancelInvocation`.
    CancelInvocation { id: String },
    /// `sendToGroup` with the start of a stream. The idle timeout is in milliseconds.
    StartStream { id: String, group: String, no_echo: bool, idle_timeout: Option<u32> },
    /// `streamData` with data.
    StreamData { id: String, sequence: u64, payload: Payload },
    /// `streamData` without.
    StreamKeepAlive { id: String },
    /// `streamEnd`; an error has a message and a code.
    EndStream { id: String, error: Option<(String, String)> },
    /// `setGroupState`.
    SetState { group: String, state: Option<Entries>, ack: Option<u64> },
    /// `subscribeGroupState`.
    Subscribe { group: String, ack: Option<u64> },
    /// `unsubscribeGroupState`.
    Unsubscribe { group: String, ack: Option<u64> },
}

impl Request {
    /// Makes a text for a group, without an ack.
    pub fn send(group: impl Into<String>, text: impl Into<String>) -> Self {
        let content = Content::from(Payload::text(text));
        Self::Send { group: group.into(), content, no_echo: false, ttl: 0, ack: None }
    }

    /// Makes an event with a text, without an ack.
    pub fn event(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Event { name: name.into(), content: Payload::text(text).into(), ack: None }
    }

    /// Returns the id by which the answer is known, if one is asked for.
    pub fn ack(&self) -> Option<u64> {
        match self {
            Self::Join { ack, .. }
            | Self::Leave { ack, .. }
            | Self::Send { ack, .. }
            | Self::Event { ack, .. }
            | Self::SetState { ack, .. }
            | Self::Subscribe { ack, .. }
            | Self::Unsubscribe { ack, .. } => *ack,
            Self::SequenceAck { .. }
            | Self::Ping
            | Self::Invoke { .. }
            | Self::CancelInvocation { .. }
            | Self::StartStream { .. }
            | Self::StreamData { .. }
            | Self::StreamKeepAlive { .. }
            | Self::EndStream { .. } => None,
        }
    }

    /// Asks for an answer by this id, where the request can have one.
    #[must_use]
    pub fn with_ack(mut self, id: u64) -> Self {
        match &mut self {
            Self::Join { ack, .. }
            | Self::Leave { ack, .. }
            | Self::Send { ack, .. }
            | Self::Event { ack, .. }
            | Self::SetState { ack, .. }
            | Self::Subscribe { ack, .. }
            | Self::Unsubscribe { ack, .. } => *ack = Some(id),
            Self::SequenceAck { .. }
            | Self::Ping
            | Self::Invoke { .. }
            | Self::CancelInvocation { .. }
            | Self::StartStream { .. }
            | Self::StreamData { .. }
            | Self::StreamKeepAlive { .. }
            | Self::EndStream { .. } => {}
        }
        self
    }

    /// Writes the request as a client of a protocol does. A plain client says the payload of a send or an event, and
    /// has no other words: for anything else it says the JSON text, which means nothing.
    pub fn packet(&self, protocol: Protocol) -> Packet {
        match protocol {
            Protocol::Plain => match self {
                Self::Send { content, .. } | Self::Event { content, .. } => match content.payload()
                {
                    Payload::Text(text) | Payload::Json(text) => Packet::Text(text),
                    Payload::Binary(bytes) | Payload::Protobuf(bytes) => Packet::Binary(bytes),
                },
                _ => Packet::Text(json::text(self)),
            },
            Protocol::Json | Protocol::ReliableJson => Packet::Text(json::text(self)),
            Protocol::Protobuf | Protocol::ReliableProtobuf => {
                Packet::Binary(protobuf::bytes(self))
            }
        }
    }
}

/// The data of a message, and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// `None` is a message of metadata alone.
    pub data: Option<Payload>,
    /// The metadata.
    pub metadata: Entries,
}

impl Content {
    /// Returns the data as it is meant: metadata alone goes with an empty text.
    pub fn payload(&self) -> Payload {
        self.data.clone().unwrap_or(Payload::Text(String::new()))
    }
}

impl From<Payload> for Content {
    fn from(payload: Payload) -> Self {
        Self { data: Some(payload), metadata: Vec::new() }
    }
}

/// A WebSocket message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
}

impl Packet {
    /// Lends it to an engine.
    pub fn incoming(&self) -> Incoming<'_> {
        match self {
            Self::Text(text) => Incoming::Text(text),
            Self::Binary(bytes) => Incoming::Binary(bytes),
        }
    }

    /// Returns its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}
