//! What the host tells the engine about connections.

use crate::protocol::Protocol;

/// A peer that wants to connect.
///
/// Only `hub` and `entropy` have no usable default; a WebSocket host with the feature `rest` gets the whole
/// value from `rest::handshake`.
///
/// ```
/// use hubcast::{Open, Protocol};
///
/// let player = Open {
///     hub: "match-7",
///     protocol: Protocol::Json,
///     user: Some("alice"),
///     roles: &["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"],
///     groups: &["everyone"],
///     entropy: [7; 32], // 32 fresh random bytes in a real host
///     ..Open::default()
/// };
/// # let _ = player;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Open<'a> {
    /// The hub, without regard to case.
    pub hub: &'a str,
    /// What the connection speaks unless the `connect` handler chooses something else.
    pub protocol: Protocol,
    /// What the messages of a plain client mean; nothing to other protocols.
    pub plain_mode: PlainMode<'a>,
    /// Whether the peer proved nothing about itself. It is refused with status 401 unless the hub allows
    /// anonymous connections. A host that checks its peers in its own way leaves this `false`.
    pub anonymous: bool,
    /// The user that the connection belongs to.
    pub user: Option<&'a str>,
    /// The roles that permissions are made from, such as `webpubsub.sendToGroup.news`. Unknown ones are
    /// ignored.
    pub roles: &'a [&'a str],
    /// The groups that the connection is in from the start; needs no permission. A name that is not valid
    /// refuses the connection with status 400.
    pub groups: &'a [&'a str],
    /// The subprotocols that the peer offered, in its order and spelling.
    pub subprotocols: &'a [&'a str],
    /// All claims of the peer's token, for the `connect` handler: a name once for each of its values.
    pub claims: &'a [(&'a str, &'a str)],
    /// The query parameters, for the `connect` handler.
    pub query: &'a [(&'a str, &'a str)],
    /// The request headers, for the `connect` handler.
    pub headers: &'a [(&'a str, &'a str)],
    /// The client certificates, for the `connect` handler.
    pub certificates: &'a [Certificate<'a>],
    /// The session that the peer wants to take up again instead of starting a new one. Apart from `hub` and
    /// `subprotocols` nothing else in here counts then: user, groups and permissions are those that it had.
    pub recovery: Option<Recovery<'a>>,
    /// Fresh random bytes: the unguessable part of the connection id comes from them, and the token by which a
    /// reliable connection is recovered.
    pub entropy: [u8; 32],
}

/// What the messages of a plain WebSocket client mean (`webpubsub.md` 1.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainMode<'a> {
    /// Each message is the user event `message`.
    #[default]
    SendEvent,
    /// Each message is published to one group.
    SendToGroup {
        /// The group.
        group: &'a str,
        /// Whether the sender is left out.
        no_echo: bool,
    },
    /// The peer asked for something that makes no sense: it is refused with status 400 and this text, once it
    /// is known that it may connect at all.
    Invalid {
        /// What is wrong.
        reason: &'a str,
    },
}

/// A client certificate as the `connect` handler is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// SHA-1 of the certificate in hexadecimal.
    pub thumbprint: &'a str,
    /// The certificate as PEM text.
    pub content: &'a str,
}

/// A session to take up again (`webpubsub.md` 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery<'a> {
    /// The id of the connection.
    pub connection_id: &'a str,
    /// The token that came with its `connected` frame.
    pub token: &'a str,
}

/// Something that arrived from a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Incoming<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A sign of life of the transport, such as a WebSocket pong; only resets the idle time.
    Alive,
    /// A message over [`Limits::message_bytes`](crate::Limits::message_bytes) that the host did not keep:
    /// closes with 1009. (A message that the host does hand over is measured by the engine itself.)
    TooLarge,
    /// Bytes that break the transport's protocol: closes with 1002.
    Malformed,
    /// A text message that is not UTF-8: closes with 1007.
    NotUtf8,
}

/// How a transport ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Closed<'a> {
    /// The peer closed it.
    Clean {
        /// The code of its close frame; 1005 for a close frame without one.
        code: u16,
        /// The reason of its close frame, or an empty text.
        reason: &'a str,
    },
    /// It broke without a goodbye, or the host stopped hearing from the peer.
    Lost,
    /// The host closed it with 1008, because the peer did not read and the outbound queue was full.
    SlowConsumer,
}
