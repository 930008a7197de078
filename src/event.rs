//! What an event handler is told, and what it may answer (`webpubsub.md` 8).

use alloc::boxed::Box;

use crate::protocol::Data;
use crate::state::{ConnectionId, ConnectionKey};

/// One thing that happened to a connection, as its handler is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The hub, in lower case.
    pub hub: &'a str,
    /// The id of the connection.
    pub connection_id: ConnectionId,
    /// The user of the connection; may be empty.
    pub user: Option<&'a str>,
    /// The subprotocol of the connection; `None` before it is chosen and for plain clients.
    pub subprotocol: Option<&'a str>,
    /// What the handler last said to remember for this connection; may be empty.
    pub state: Option<&'a str>,
    /// The number of the event within its connection: 0 is `connect`, the events that follow count 1, 2, 3
    /// as they are handed to handlers.
    pub number: u64,
    /// What happened.
    pub kind: EventKind<'a>,
}

/// What happened to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind<'a> {
    /// Somebody wants to connect. Answer with [`Answer::Accept`], [`Answer::Refuse`] or [`Answer::Fail`].
    Connect(Connect<'a>),
    /// The connection is open. Nobody waits for an answer.
    Connected,
    /// The connection is gone. Nobody waits for an answer.
    Disconnected {
        /// Why, as text; may be empty.
        reason: &'a str,
    },
    /// The client sent an event, or invoked one. Answer with [`Answer::Reply`] or [`Answer::Fail`].
    User {
        /// The name of the event.
        name: &'a str,
        /// Its data.
        data: Data<'a>,
        /// The metadata that came with it.
        metadata: Pairs<'a>,
    },
    /// The connection is in a group now. Nobody waits for an answer.
    Joined {
        /// The group.
        group: &'a str,
    },
    /// The connection is in a group no longer, also because it is gone. Nobody waits for an answer.
    Left {
        /// The group.
        group: &'a str,
    },
}

impl EventKind<'_> {
    /// Returns the name of the event: `connect`, `connected`, `disconnected`, `joined`, `left`, or the client's
    /// own.
    pub fn name(&self) -> &str {
        match self {
            Self::Connect(_) => "connect",
            Self::Connected => "connected",
            Self::Disconnected { .. } => "disconnected",
            Self::User { name, .. } => name,
            Self::Joined { .. } => "joined",
            Self::Left { .. } => "left",
        }
    }
}

/// All that is known of a peer that wants to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The claims of its token, a name once for each of its values.
    pub claims: Pairs<'a>,
    /// Its query parameters.
    pub query: Pairs<'a>,
    /// Its request headers.
    pub headers: Pairs<'a>,
    /// The subprotocols that it offered.
    pub subprotocols: &'a [Box<str>],
    /// Its certificates: thumbprint and PEM text.
    pub certificates: Pairs<'a>,
}

/// Names with values in their order; a name may come more than once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pairs<'a>(pub(crate) &'a [(Box<str>, Box<str>)]);

impl<'a> Pairs<'a> {
    /// Goes through the names and values.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (&'a str, &'a str)> + Clone {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Returns the last value of a name.
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.iter().filter(|(each, _)| *each == name).last().map(|(_, value)| value)
    }

    /// Returns how many there are.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// Names a call that waits for an answer. A late or repeated answer is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    pub(crate) connection: ConnectionKey,
    pub(crate) number: u64,
}

/// What an event handler answered.
///
/// An answer that does not fit its call (a reply to `connect`, say) counts as [`Answer::Fail`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// Lets a connection in, with changes or without.
    Accept(Admission<'a>),
    /// Refuses a connection.
    Refuse {
        /// The HTTP status that the peer gets: 400 to 599; anything else becomes 500.
        status: u16,
        /// The text that the peer gets.
        reason: &'a str,
    },
    /// The event was handled.
    Reply(Response<'a>),
    /// The handler failed or could not be reached: a connection is refused with status 500, an event gets
    /// an error ack.
    Fail,
}

/// What a handler changes about a connection that it lets in; `None` keeps what the token said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Admission<'a> {
    /// The user, also an empty one.
    pub user: Option<&'a str>,
    /// The roles in place of the token's; an empty list takes all away.
    pub roles: Option<&'a [&'a str]>,
    /// The groups in place of the token's; an empty list keeps the token's.
    pub groups: Option<&'a [&'a str]>,
    /// The subprotocol, one that the peer offered. A name that the engine does not know makes a plain
    /// connection with that subprotocol.
    pub subprotocol: Option<&'a str>,
    /// What to remember for the connection; comes back with each later event.
    pub state: Option<&'a str>,
}

/// What a handler says to an event of a client. Data and metadata are the handler's word: they are held to no limit
/// here, but JSON must be JSON, or the event has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Response<'a> {
    /// A message for the client. Without one but with metadata it is an empty text.
    pub data: Option<Data<'a>>,
    /// The metadata of that message. Entries with an empty key are left out.
    pub metadata: &'a [(&'a str, &'a str)],
    /// What to remember for the connection from now on; `None` keeps what is remembered.
    pub state: Option<&'a str>,
}
