//! What can be done to an engine, as data that shrinks: connections and calls are small numbers, counted from the newest
//! that is still there, and names come from small pools with good and bad ones in them.

use alloc::string::String;
use alloc::vec::Vec;

use super::condition::Condition;
use super::payload::{Entries, Payload};
use super::reply::Reply;
use super::request::{Packet, Request};
use crate::config::SlowConsumer;
use crate::protocol::Protocol;
use crate::state::Permission;

/// One step: something is done, and the actions are polled unless they are held back for the next step.
#[derive(Clone, Debug)]
pub struct Step {
    /// How much time goes by before.
    pub millis: u64,
    /// Whether the host comes back at each deadline in that time; otherwise it forgets them all, and only the clock
    /// moves.
    pub punctual: bool,
    /// What is done.
    pub operation: Operation,
    /// Whether the actions are held back.
    pub hold: bool,
}

/// A verb of the engine. Connections are counted from the newest, first those that are there, then those that are gone.
#[derive(Clone, Debug)]
pub enum Operation {
    /// A peer wants to connect.
    Open(Opening),
    /// A peer wants to take up the session of a connection.
    Recover(Recovering),
    /// Something arrives from a connection.
    Receive(usize, Said),
    /// The transport of a connection ends.
    Close(usize, Ending),
    /// The host pauses a connection.
    Pause(usize),
    /// The host resumes a connection.
    Resume(usize),
    /// A handler answers a call, counted from the oldest.
    Answer(usize, Reply),
    /// The server executes a command.
    Execute(Order),
    /// The host comes back.
    Advance,
    /// The server stops.
    Stop(String),
}

/// A peer that wants to connect.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of `Open`")]
pub struct Opening {
    pub hub: String,
    pub protocol: Protocol,
    pub anonymous: bool,
    pub user: Option<String>,
    pub roles: Vec<String>,
    pub groups: Vec<String>,
    pub subprotocols: Vec<String>,
    /// The target of a plain client that sends to a group, and whether without echo.
    pub target: Option<(String, bool)>,
}

/// A peer that wants to take up a session.
#[derive(Clone, Debug)]
pub struct Recovering {
    /// The hub that it names.
    pub hub: String,
    /// The connection whose id it names.
    pub whose: usize,
    /// The connection whose token it shows; the right one is that of the same.
    pub token_of: usize,
    /// The subprotocols that it offers.
    pub subprotocols: Vec<String>,
}

/// What arrives from a client. A request is bytes on the wire; a plain client means nothing but these.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the variants are those of `Incoming`")]
pub enum Said {
    /// A request in the protocol of the client.
    Request(Request),
    Text(String),
    Binary(Vec<u8>),
    Alive,
    TooLarge,
    Malformed,
    NotUtf8,
}

impl Said {
    /// Returns the message as the client of a protocol writes it; `None` for what is no message. A plain client writes
    /// the JSON of a request.
    pub fn packet(&self, protocol: Protocol) -> Option<Packet> {
        match self {
            Self::Request(request) if protocol == Protocol::Plain => {
                Some(request.packet(Protocol::Json))
            }
            Self::Request(request) => Some(request.packet(protocol)),
            Self::Text(text) => Some(Packet::Text(text.clone())),
            Self::Binary(bytes) => Some(Packet::Binary(bytes.clone())),
            Self::Alive | Self::TooLarge | Self::Malformed | Self::NotUtf8 => None,
        }
    }
}

/// How a transport ends.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the variants are those of `Closed`")]
pub enum Ending {
    Clean(u16, String),
    Lost,
    SlowConsumer,
}

/// A command; connections are named by their numbers.
#[derive(Clone, Debug)]
pub struct Order {
    /// The hub.
    pub hub: String,
    /// The audience.
    pub whom: Whom,
    /// Who is left out.
    pub except: Vec<usize>,
    /// What is done.
    pub deed: Deed,
}

/// An audience.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the variants are those of `Audience`")]
pub enum Whom {
    Hub,
    Group(String),
    User(String),
    Connection(usize),
    Matching(Condition),
}

/// What a command does.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the variants are those of `Command`")]
pub enum Deed {
    Send { data: Payload, metadata: Entries, ttl: u32, filter: Option<Condition> },
    Join(Vec<String>),
    Leave(Vec<String>),
    LeaveAll,
    Close(String),
    Grant(usize, Permission, String),
    Revoke(usize, Permission, String),
    Check(usize, Permission, String),
    Exists,
    Count,
    List { group: String, after: Option<usize>, limit: usize },
}

/// How the engine is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// [`Limits::idle_timeout`](crate::Limits::idle_timeout).
    pub idle_seconds: Option<u64>,
    /// [`Limits::handshake_timeout`](crate::Limits::handshake_timeout).
    pub handshake_seconds: u64,
    /// [`Limits::messages_per_second`](crate::Limits::messages_per_second).
    pub per_second: Option<u64>,
    /// [`Limits::messages_per_day`](crate::Limits::messages_per_day).
    pub per_day: Option<u64>,
    /// Whether a failed event closes, in the first hub.
    pub close_on_failure: bool,
    /// Whether only the two configured hubs may be used.
    pub refuse_unknown_hubs: bool,
    /// What becomes of messages for paused connections of the first hub.
    pub slow_consumer: SlowConsumer,
    /// The handlers of the first hub.
    pub handlers: Vec<Handler>,
}

/// An event handler.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of `SystemEvents`")]
pub struct Handler {
    /// The user events that it takes.
    pub events: &'static str,
    pub connect: bool,
    pub connected: bool,
    pub disconnected: bool,
    pub joined: bool,
    pub left: bool,
}
