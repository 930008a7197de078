//! The wire protocols: pure functions between bytes and messages. A protocol never sees the state.

mod frame;
pub(crate) mod json;
mod message;
mod plain;

use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

pub use self::frame::{Frame, Payload};
pub use self::message::Data;
pub(crate) use self::message::{AckError, Metadata, Outgoing, Request, Violation};

/// What a connection speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// A plain WebSocket client: bare payloads both ways (`webpubsub.md` 1.6).
    #[default]
    Plain,
    /// `json.webpubsub.azure.v1` (`webpubsub.md` 3).
    Json,
}

impl Protocol {
    /// Every protocol.
    pub(crate) const ALL: [Self; 2] = [Self::Plain, Self::Json];

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
        }
    }

    /// Decodes a text message; `None` for plain clients, whose messages are bare payloads.
    ///
    /// What has to be unescaped or decoded goes into `scratch`, which never shrinks.
    pub(crate) fn decode_text<'a>(
        self,
        text: &'a str,
        scratch: &'a mut Vec<u8>,
    ) -> Option<Result<Request<'a>, Violation>> {
        match self {
            Self::Plain => None,
            Self::Json => Some(json::decode(text, scratch)),
        }
    }

    /// Decodes a binary message; `None` for plain clients, whose messages are bare payloads.
    pub(crate) fn decode_binary(self, _bytes: &[u8]) -> Option<Result<Request<'_>, Violation>> {
        match self {
            Self::Plain => None,
            Self::Json => Some(Err(TEXT_REQUIRED)),
        }
    }

    /// Returns what a text message breaks that is not UTF-8.
    pub(crate) const fn not_utf8(self) -> Violation {
        match self {
            Self::Plain => Violation { code: 1007, reason: "The client message is not UTF-8." },
            Self::Json => json::INVALID,
        }
    }

    /// Encodes a message into a frame that shares the memory of `buffer`; `None` where the protocol has
    /// nothing that says it.
    ///
    /// `buffer` is empty before and after. It is a chunk that many frames are cut from, and it is used again
    /// once all of them are gone.
    pub(crate) fn encode(self, message: &Outgoing<'_>, buffer: &mut BytesMut) -> Option<Frame> {
        match self {
            Self::Plain => {
                let (payload, text) = match plain::payload(message)? {
                    Data::Text(text) | Data::Json(text) => (text.as_bytes(), true),
                    Data::Binary(bytes) => (bytes, false),
                };
                reserve(buffer, payload.len());
                buffer.extend_from_slice(payload);
                let bytes = buffer.split().freeze();
                Some(if text { Frame::text(bytes) } else { Frame::binary(bytes) })
            }
            Self::Json if matches!(message, Outgoing::Pong) => {
                Some(Frame::text(Bytes::from_static(json::PONG)))
            }
            Self::Json => {
                reserve(buffer, json::size_hint(message));
                json::encode(message, buffer);
                Some(Frame::text(buffer.split().freeze()))
            }
        }
    }
}

/// A binary message from a client whose protocol is text (`webpubsub.md` 1.8).
const TEXT_REQUIRED: Violation =
    Violation { code: 1003, reason: "The JSON subprotocol requires text messages." };

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
