//! Messages as every protocol means them.

use alloc::borrow::Cow;

use smallvec::SmallVec;

/// The data of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Data<'a> {
    /// Text.
    Text(&'a str),
    /// A JSON value. It is passed on byte by byte, white space and spelling of numbers included.
    Json(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

impl Data<'_> {
    /// Returns the number of bytes of the payload.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) | Self::Json(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Tells whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Metadata that a client sent.
pub(crate) type Metadata<'a> = SmallVec<[(Cow<'a, str>, Cow<'a, str>); 0]>;

/// What a client asks for. Every field has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request<'a> {
    JoinGroup {
        group: Cow<'a, str>,
        ack_id: Option<u64>,
    },
    LeaveGroup {
        group: Cow<'a, str>,
        ack_id: Option<u64>,
    },
    SendToGroup {
        group: Cow<'a, str>,
        data: Data<'a>,
        metadata: Metadata<'a>,
        no_echo: bool,
        /// 0 to 300; 0 is never.
        ttl_seconds: u32,
        ack_id: Option<u64>,
    },
    Event {
        event: Cow<'a, str>,
        data: Data<'a>,
        metadata: Metadata<'a>,
        ack_id: Option<u64>,
    },
    /// The non-reliable protocol accepts it and does nothing.
    SequenceAck,
    Ping,
}

/// A frame that breaks the protocol: the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub code: u16,
    pub reason: &'static str,
}

/// What is sent to a client, before it is bytes.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing<'a> {
    Connected {
        connection_id: &'a str,
        user: Option<&'a str>,
    },
    Disconnected {
        message: &'a str,
    },
    Ack {
        ack_id: u64,
        error: Option<(AckError, &'a str)>,
    },
    Pong,
    /// A message that was published to a group. `from_user` is `None` where no client sent it, `Some(None)`
    /// where the client has no user.
    Group {
        group: &'a str,
        #[allow(clippy::option_option, reason = "nobody sent it, or somebody without a name did")]
        from_user: Option<Option<&'a str>>,
        data: Data<'a>,
        metadata: &'a [(&'a str, &'a str)],
    },
    /// A message from the server.
    Server {
        data: Data<'a>,
        metadata: &'a [(&'a str, &'a str)],
    },
}

/// Why a request was not done (`webpubsub.md` 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AckError {
    Forbidden,
    Duplicate,
    InternalServerError,
    BadRequest,
    Throttled,
}

impl AckError {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Forbidden => "Forbidden",
            Self::Duplicate => "Duplicate",
            Self::InternalServerError => "InternalServerError",
            Self::BadRequest => "BadRequest",
            Self::Throttled => "Throttled",
        }
    }
}
