//! The wire protocols: pure functions between bytes and messages. A protocol never sees the state.

mod decimal;
mod entries;
mod frame;
pub(crate) mod json;
mod message;
mod plain;
mod problem;
pub(crate) mod protobuf;
#[cfg(feature = "replay")]
pub(crate) mod redact;

use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

pub(crate) use self::frame::Seam;
pub use self::frame::{Frame, Part, Payload};
pub use self::message::AckError;
pub use self::message::Data;
pub(crate) use self::message::{
    Metadata, Outgoing, Request, StateItem, StreamEnd, StreamPart, UserError, Violation,
};

/// What a connection speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// A plain WebSocket client: bare payloads both ways (`webpubsub.md` 1.6).
    #[default]
    Plain,
    /// `json.webpubsub.azure.v1` (`webpubsub.md` 3).
    Json,
    /// `json.reliable.webpubsub.azure.v1`: the same with sequence ids and recovery (`webpubsub.md` 4).
    ReliableJson,
    /// `protobuf.webpubsub.azure.v1` (`webpubsub.md` 5).
    Protobuf,
    /// `protobuf.reliable.webpubsub.azure.v1`: the same with sequence ids and recovery.
    ReliableProtobuf,
}

/// How messages are spelled: what protocols with the same format have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Plain,
    Json,
    Protobuf,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 5] =
        [Self::Plain, Self::Json, Self::ReliableJson, Self::Protobuf, Self::ReliableProtobuf];

    /// Finds the protocol with this subprotocol name, without regard to case.
    ///
    /// ```
    /// use hubcast::Protocol;
    ///
    /// assert_eq!(Protocol::from_name("JSON.webpubsub.azure.v1"), Some(Protocol::Json));
    /// assert_eq!(Protocol::from_name("graphql-ws"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        let is = |each: &Self| each.name().is_some_and(|known| known.eq_ignore_ascii_case(name));
        Self::ALL.into_iter().find(is)
    }

    /// Returns the subprotocol name; plain clients have none.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Json => Some("json.webpubsub.azure.v1"),
            Self::ReliableJson => Some("json.reliable.webpubsub.azure.v1"),
            Self::Protobuf => Some("protobuf.webpubsub.azure.v1"),
            Self::ReliableProtobuf => Some("protobuf.reliable.webpubsub.azure.v1"),
        }
    }

    /// Tells whether its sessions survive the loss of a transport.
    pub const fn is_reliable(self) -> bool {
        match self {
            Self::ReliableJson | Self::ReliableProtobuf => true,
            Self::Plain | Self::Json | Self::Protobuf => false,
        }
    }

    pub(crate) const fn format(self) -> Format {
        match self {
            Self::Plain => Format::Plain,
            Self::Json | Self::ReliableJson => Format::Json,
            Self::Protobuf | Self::ReliableProtobuf => Format::Protobuf,
        }
    }

    /// Decodes a message of a client with a subprotocol; `None` where it breaks a rule, which
    /// [`broken_by`](Self::broken_by) names. (What plain clients send are bare payloads, and nothing to decode.)
    ///
    /// What has to be unescaped or decoded goes into `scratch`, which never shrinks.
    #[inline]
    pub(crate) fn decode<'a>(
        self,
        message: Data<'a>,
        scratch: &'a mut Vec<u8>,
    ) -> Option<Request<'a>> {
        match (self.format(), message) {
            (Format::Json, Data::Text(text) | Data::Json(text)) => json::decode(text, scratch),
            (Format::Protobuf, Data::Binary(bytes) | Data::Protobuf(bytes)) => {
                protobuf::decode(bytes)
            }
            (Format::Plain | Format::Json | Format::Protobuf, _) => None,
        }
    }

    /// Returns what a message breaks that cannot be decoded.
    pub(crate) const fn broken_by(self, message: Data<'_>) -> Violation {
        match (self.format(), message) {
            (Format::Json, Data::Binary(_) | Data::Protobuf(_)) => TEXT_REQUIRED,
            (Format::Protobuf, Data::Text(_) | Data::Json(_)) => BINARY_REQUIRED,
            (Format::Plain | Format::Json | Format::Protobuf, _) => self.invalid(),
        }
    }

    /// Returns what a text message breaks that is not UTF-8.
    pub(crate) const fn not_utf8(self) -> Violation {
        match self.format() {
            Format::Plain => Violation { code: 1007, reason: "The client message is not UTF-8." },
            Format::Json => Self::Json.invalid(),
            Format::Protobuf => BINARY_REQUIRED,
        }
    }

    /// The one answer to a frame that breaks a rule of the message (`webpubsub.md` 3.2, `emulator.md` 4).
    const fn invalid(self) -> Violation {
        let reason = match self {
            Self::Plain => "The client message is invalid.",
            Self::Json | Self::ReliableJson => {
                "The client message is not a valid JSON protocol message."
            }
            Self::Protobuf => {
                "The client message is not a valid protobuf.webpubsub.azure.v1 protocol message."
            }
            Self::ReliableProtobuf => {
                "The client message is not a valid protobuf.reliable.webpubsub.azure.v1 protocol message."
            }
        };
        Violation { code: 1007, reason }
    }
}

impl Format {
    pub(crate) const COUNT: usize = 3;

    /// Encodes a message into a frame that shares the memory of `buffer`; `None` where the format has
    /// nothing that says it.
    ///
    /// `buffer` is empty before and after. It is a chunk that many frames are cut from, and it is used again
    /// once all of them are gone.
    pub(crate) fn encode(self, message: &Outgoing<'_>, buffer: &mut BytesMut) -> Option<Frame> {
        match self {
            Self::Plain => {
                let (payload, text) = match plain::payload(message)? {
                    Data::Text(text) | Data::Json(text) => (text.as_bytes(), true),
                    Data::Binary(bytes) | Data::Protobuf(bytes) => (bytes, false),
                };
                reserve(buffer, payload.len());
                buffer.extend_from_slice(payload);
                let bytes = buffer.split().freeze();
                let cut = if text { Frame::text } else { Frame::binary };
                Some(cut(bytes, Seam::None))
            }
            Self::Json if matches!(message, Outgoing::Pong) => {
                Some(Frame::text(Bytes::from_static(json::PONG), Seam::None))
            }
            Self::Json => {
                reserve(buffer, json::size_hint(message));
                json::encode(message, buffer);
                let seam = if message.is_sequenced() { Seam::Json } else { Seam::None };
                Some(Frame::text(buffer.split().freeze(), seam))
            }
            Self::Protobuf => {
                let message = protobuf::Measured::new(message);
                reserve(buffer, message.len());
                let seam = message.encode(buffer);
                Some(Frame::binary(buffer.split().freeze(), seam))
            }
        }
    }
}

/// A binary message from a client whose protocol is text (`webpubsub.md` 1.8).
const TEXT_REQUIRED: Violation =
    Violation { code: 1003, reason: "The JSON subprotocol requires text messages." };

/// A text message from a client whose protocol is binary. Both variants name the same one (`webpubsub.md` 5.4).
const BINARY_REQUIRED: Violation = Violation {
    code: 1003,
    reason: "The protobuf.webpubsub.azure.v1 subprotocol requires binary messages.",
};

/// The least that a chunk of frames holds.
const CHUNK: usize = 64 * 1024;

/// Makes room for a frame. What is left of a chunk is given up rather than grown, because only a request for
/// a whole chunk makes the buffer take its old one again.
fn reserve(buffer: &mut BytesMut, needed: usize) {
    if buffer.capacity() - buffer.len() < needed {
        buffer.reserve(needed.max(CHUNK));
    }
}

/// Takes a chunk that is half used up again from its start, if no frame of it is left: the best time for
/// that is when all actions have been carried out.
pub(crate) fn renew(buffer: &mut BytesMut) {
    if buffer.capacity() < CHUNK / 2 {
        // Where a host still holds frames, the next frame that does not fit gets a new chunk.
        let _reclaimed: bool = buffer.try_reclaim(CHUNK);
    }
}
