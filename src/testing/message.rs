//! What clients are told.

mod json;
mod protobuf;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::payload::{Entries, Payload};
use super::request::Packet;
use crate::protocol::Protocol;

/// Something that a client is told, read from bytes.
///
/// ```
/// use hubcast::Protocol;
/// use hubcast::testing::{Message, Packet, Received};
///
/// let text = r#"{"sequenceId":3,"type":"message","from":"server","dataType":"text","data":"hi"}"#;
/// let received = Received::read(Protocol::ReliableJson, &Packet::Text(text.into()))?;
/// assert_eq!(received.sequence, Some(3));
/// assert_eq!(received.message.text(), Some("hi"));
/// assert!(Received::read(Protocol::Json, &Packet::Text("nonsense".into())).is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the protocol (`webpubsub.md` 3.6)")]
pub enum Message {
    /// The first message; a reliable connection has a token.
    Connected { connection_id: String, user: Option<String>, token: Option<String> },
    /// The last message before the server closes.
    Disconnected { message: String },
    /// The answer to a request, with the name of an error.
    Ack { id: u64, error: Option<String> },
    /// The answer to a ping.
    Pong,
    /// A message to a group. `from_user` is `None` where the protocol does not tell or no client sent it.
    Group {
        group: String,
        from_user: Option<Option<String>>,
        payload: Payload,
        metadata: Entries,
        stream: Option<StreamPlace>,
    },
    /// A message from the server.
    Server { payload: Payload, metadata: Entries },
    /// The answer to an invocation, with the name of an error.
    InvokeResponse {
        id: String,
        error: Option<String>,
        payload: Option<Payload>,
        metadata: Entries,
    },
    /// The next id that a stream waits for.
    StreamAck { id: String, expected: u64 },
    /// The next id that a stream waits for, because another one came.
    StreamNack { id: String, expected: u64, name: String },
    /// The end of a stream, with the name of an error.
    StreamClosed { id: String, error: Option<String> },
    /// The states of members of a group: all, or what has changed.
    State { group: String, snapshot: bool, items: Vec<StateItem> },
    /// The payload that a plain client gets: a text or bytes.
    Bare(Payload),
}

/// The place of a message in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamPlace {
    /// The id of the stream.
    pub id: String,
    /// The number of the message in it.
    pub sequence: u64,
    /// Whether it is the last one.
    pub end: bool,
    /// Why the stream broke off: name, message, and the publisher's code; empty where there is none.
    pub error: Option<(String, String, String)>,
}

/// The state of one member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateItem {
    /// The id of the connection.
    pub connection_id: String,
    /// Its user, unless that is empty.
    pub user: Option<String>,
    /// What it says, ordered by names; `None` where that was cleared.
    pub state: Option<Entries>,
    /// When, in milliseconds since the Unix epoch.
    pub updated_at: u64,
}

/// A message, and its sequence id where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The id that a reliable client acknowledges.
    pub sequence: Option<u64>,
    /// What it says.
    pub message: Message,
}

impl Received {
    /// Reads a packet as a client of a protocol does.
    ///
    /// # Errors
    /// When it is not what that protocol allows a server to send.
    pub fn read(protocol: Protocol, packet: &Packet) -> Result<Self, String> {
        let read = match (protocol, packet) {
            (Protocol::Plain, Packet::Text(text)) => Ok(Message::Bare(Payload::Text(text.clone()))),
            (Protocol::Plain, Packet::Binary(bytes)) => {
                Ok(Message::Bare(Payload::Binary(bytes.clone())))
            }
            (Protocol::Json | Protocol::ReliableJson, Packet::Text(text)) => {
                return json::read(text).map_err(|problem| format!("{problem}: {text}"));
            }
            (Protocol::Protobuf | Protocol::ReliableProtobuf, Packet::Binary(bytes)) => {
                return protobuf::read(bytes)
                    .map_err(|problem| format!("{problem}: {}", bytes.escape_ascii()));
            }
            (Protocol::Json | Protocol::ReliableJson, Packet::Binary(_)) => {
                Err("a JSON client gets text".to_owned())
            }
            (Protocol::Protobuf | Protocol::ReliableProtobuf, Packet::Text(_)) => {
                Err("a protobuf client gets bytes".to_owned())
            }
        };
        read.map(|message| Self { sequence: None, message })
    }
}

impl Message {
    /// Returns its data, if it carries some.
    pub fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Group { payload, .. } | Self::Server { payload, .. } | Self::Bare(payload) => {
                Some(payload)
            }
            Self::InvokeResponse { payload, .. } => payload.as_ref(),
            Self::Connected { .. }
            | Self::Disconnected { .. }
            | Self::Ack { .. }
            | Self::Pong
            | Self::StreamAck { .. }
            | Self::StreamNack { .. }
            | Self::StreamClosed { .. }
            | Self::State { .. } => None,
        }
    }

    /// Returns its text, if its data is one.
    pub fn text(&self) -> Option<&str> {
        self.payload()?.as_text()
    }

    /// Tells whether it has a sequence id on a reliable protocol (`webpubsub.md` 4.1).
    pub fn is_sequenced(&self) -> bool {
        matches!(self, Self::Group { .. } | Self::Server { .. } | Self::State { .. })
    }
}
