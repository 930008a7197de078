//! Messages as every protocol means them.

use alloc::borrow::Cow;
use alloc::boxed::Box;

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
    /// A serialized `google.protobuf.Any`. JSON clients get it in base64, plain clients as bytes
    /// (`webpubsub.md` 5.4).
    Protobuf(&'a [u8]),
}

impl Data<'_> {
    /// Returns the number of bytes of the payload.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) | Self::Json(text) => text.len(),
            Self::Binary(bytes) | Self::Protobuf(bytes) => bytes.len(),
        }
    }

    /// Tells whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Names and values that a client sent: metadata, or the entries of a state.
pub(crate) type Metadata<'a> = SmallVec<[(Cow<'a, str>, Cow<'a, str>); 0]>;

/// The most bytes of the id of a stream or an invocation.
pub(crate) const ID_BYTES_MAX: usize = 1024;

/// How long a stream may be idle that does not say so, in milliseconds (`webpubsub.md` 3.8).
pub(crate) const IDLE_TIMEOUT: u32 = 300_000;

/// The highest time to live of a message, in seconds (`webpubsub.md` 3.2).
pub(crate) const TTL_SECONDS_MAX: u32 = 300;

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
    /// Everything up to this sequence id has arrived. The non-reliable protocols do nothing about it.
    SequenceAck {
        sequence_id: u64,
    },
    Ping,
    /// An event whose answer comes back as a response (`webpubsub.md` 3.7).
    Invoke {
        invocation_id: Cow<'a, str>,
        event: Cow<'a, str>,
        /// An empty text where the client sent none.
        data: Data<'a>,
        metadata: Metadata<'a>,
    },
    /// An invocation that cannot be made, and what is wrong with it. It is answered with an error.
    BadInvoke {
        invocation_id: Cow<'a, str>,
        problem: &'static str,
    },
    CancelInvocation {
        invocation_id: Cow<'a, str>,
    },
    /// Opens a stream to a group (`webpubsub.md` 3.8).
    StartStream {
        stream_id: Cow<'a, str>,
        group: Cow<'a, str>,
        metadata: Metadata<'a>,
        no_echo: bool,
        /// 0 to 300; 0 is never.
        ttl_seconds: u32,
        /// In milliseconds, at least 1.
        idle_timeout: u32,
    },
    StreamData {
        stream_id: Cow<'a, str>,
        sequence_id: u64,
        data: Data<'a>,
    },
    StreamKeepAlive {
        stream_id: Cow<'a, str>,
    },
    EndStream {
        stream_id: Cow<'a, str>,
        error: Option<UserError<'a>>,
    },
    /// A start that cannot be made, and what is wrong with it. It is answered with `streamClosed`; a stream
    /// with this id that is open stays so.
    BadStart {
        stream_id: Cow<'a, str>,
        problem: &'static str,
    },
    /// Data or an end that makes no sense, and what is wrong with it: the stream cannot go on.
    BadStream {
        stream_id: Cow<'a, str>,
        problem: &'static str,
    },
    /// Sets what the group knows of the client (`webpubsub.md` 3.9); `None` clears it.
    SetGroupState {
        group: Cow<'a, str>,
        /// Each key once.
        state: Option<Metadata<'a>>,
        ack_id: Option<u64>,
    },
    SubscribeGroupState {
        group: Cow<'a, str>,
        ack_id: Option<u64>,
    },
    UnsubscribeGroupState {
        group: Cow<'a, str>,
        ack_id: Option<u64>,
    },
}

/// How the publisher of a stream says that it failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UserError<'a> {
    pub message: Option<Cow<'a, str>>,
    pub code: Option<Cow<'a, str>>,
}

/// A frame that breaks the protocol: the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub code: u16,
    pub reason: &'static str,
}

/// What is sent to a client, before it is bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outgoing<'a> {
    Connected {
        connection_id: &'a str,
        user: Option<&'a str>,
        /// Only on a reliable protocol.
        reconnection_token: Option<&'a str>,
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
        /// Its place in a stream, if it belongs to one.
        stream: Option<&'a StreamPart<'a>>,
    },
    /// A message from the server.
    Server {
        data: Data<'a>,
        metadata: &'a [(&'a str, &'a str)],
    },
    /// The answer to an invocation.
    InvokeResponse {
        invocation_id: &'a str,
        /// The name of an error and a text for people.
        outcome: Result<Option<Data<'a>>, (&'static str, &'a str)>,
        metadata: &'a [(&'a str, &'a str)],
    },
    StreamAck {
        stream_id: &'a str,
        expected: u64,
    },
    StreamNack {
        stream_id: &'a str,
        expected: u64,
        name: &'static str,
        message: &'a str,
    },
    StreamClosed {
        stream_id: &'a str,
        error: Option<(&'static str, &'a str)>,
    },
    /// The states of members of a group.
    GroupState {
        group: &'a str,
        items: &'a [StateItem<'a>],
        /// Whether these are all there are, or what has changed.
        snapshot: bool,
    },
}

impl Outgoing<'_> {
    /// Tells whether it has a sequence id on a reliable protocol (`webpubsub.md` 4.1).
    pub(crate) const fn is_sequenced(&self) -> bool {
        match self {
            Self::Group { .. } | Self::Server { .. } | Self::GroupState { .. } => true,
            Self::Connected { .. }
            | Self::Disconnected { .. }
            | Self::Ack { .. }
            | Self::Pong
            | Self::InvokeResponse { .. }
            | Self::StreamAck { .. }
            | Self::StreamNack { .. }
            | Self::StreamClosed { .. } => false,
        }
    }
}

/// The place of a message in a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamPart<'a> {
    pub stream_id: &'a str,
    pub sequence_id: u64,
    /// Set on the last message.
    pub end: Option<StreamEnd<'a>>,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StreamEnd<'a> {
    /// All is said.
    Done,
    /// It broke off.
    Failed {
        name: &'static str,
        message: Option<&'a str>,
        /// The publisher's own code.
        code: Option<&'a str>,
    },
}

/// The state of one member of a group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StateItem<'a> {
    pub connection_id: &'a str,
    pub user: Option<&'a str>,
    /// `None` when it was cleared.
    pub state: Option<&'a [(Box<str>, Box<str>)]>,
    /// In milliseconds since the Unix epoch.
    pub updated_at: u64,
}

/// Why a request of a client was not done, as an ack says it (`webpubsub.md` 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AckError {
    /// The client may not do it.
    Forbidden,
    /// The ack id was used before.
    Duplicate,
    /// The event failed, or nobody took it.
    InternalServerError,
    /// A limit was reached.
    BadRequest,
    /// Too many messages.
    Throttled,
}

impl AckError {
    /// Returns the name that the ack has.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forbidden => "Forbidden",
            Self::Duplicate => "Duplicate",
            Self::InternalServerError => "InternalServerError",
            Self::BadRequest => "BadRequest",
            Self::Throttled => "Throttled",
        }
    }
}
