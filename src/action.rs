//! What the engine tells its host to do.

use core::slice;

use crate::config::{EventHandler, EventListener};
use crate::event::{CallId, Event};
use crate::protocol::Frame;
use crate::record::Record;
use crate::state::{ConnectionId, ConnectionKey};
use crate::time::Time;

/// One thing for the host to do, handed out by [`Engine::poll_action`](crate::Engine::poll_action).
///
/// It borrows from the engine until it is carried out. Actions come in the order in which things happened;
/// nothing has to be carried out before the next input.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Action<'a> {
    /// Finish the handshake of a connection.
    Accept(Accept<'a>),
    /// Refuse a connection; its key is of no more use.
    Refuse(Refuse<'a>),
    /// Send a frame to some connections.
    Deliver(Deliver<'a>),
    /// Close the transport of a connection, after what was sent before; its key is of no more use.
    Close(Close<'a>),
    /// Tell a listener of an event. It comes before the call to the handler that takes the same event.
    Notify(Notify<'a>),
    /// Hand an event to its handler.
    Call(Call<'a>),
    /// Nobody waits for the answer to this call any more: the host may break it off. An answer that comes
    /// all the same does nothing.
    Cancel(CallId),
    /// Write this into a log, where [`Config::records`](crate::Config::records) asks for it.
    Record(Record<'a>),
}

/// Finish a handshake.
#[derive(Clone, Debug)]
pub struct Accept<'a> {
    /// The connection.
    pub connection: ConnectionKey,
    /// Its public id.
    pub connection_id: ConnectionId,
    /// The subprotocol to name in the answer, spelled as the peer offered it.
    pub subprotocol: Option<&'a str>,
}

/// Refuse a handshake.
#[derive(Clone, Debug)]
pub struct Refuse<'a> {
    /// The connection.
    pub connection: ConnectionKey,
    /// The HTTP status.
    pub status: u16,
    /// The text of the answer, for people; may be empty.
    pub reason: &'a str,
}

/// Send one frame to some connections.
#[derive(Clone, Debug)]
pub struct Deliver<'a> {
    /// What to send.
    pub frame: &'a Frame,
    /// Who gets it, each once.
    pub to: Recipients<'a>,
    /// When the message is of no more use: a host that has not sent it by then may drop it. `None` for
    /// messages without a time to live and for frames that must not be lost, which those with a sequence id
    /// are.
    pub expires: Option<Time>,
}

/// Close a transport.
#[derive(Clone, Debug)]
pub struct Close<'a> {
    /// The connection.
    pub connection: ConnectionKey,
    /// The WebSocket close code. 1006 stands for cutting the transport without a close frame, which is what
    /// happens to one whose connection was taken over by another (`webpubsub.md` 4.4).
    pub code: u16,
    /// The reason, at most 123 bytes; may be empty.
    pub reason: &'a str,
}

/// Tell a listener of an event. Nobody waits for an answer.
#[derive(Clone, Debug)]
pub struct Notify<'a> {
    /// The connection that it happened to.
    pub connection: ConnectionKey,
    /// The listener that is told.
    pub listener: &'a EventListener,
    /// What happened: `connected`, `disconnected` or an event of the client. Its number is the same for all
    /// listeners and the handler.
    pub event: Event<'a>,
}

/// Hand an event to its handler.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// What to answer to, with [`Engine::answer`](crate::Engine::answer); `None` where nobody waits.
    pub id: Option<CallId>,
    /// The connection that it happened to.
    pub connection: ConnectionKey,
    /// The handler that takes it.
    pub handler: &'a EventHandler,
    /// When the engine stops waiting for the answer.
    pub deadline: Option<Time>,
    /// What happened.
    pub event: Event<'a>,
}

/// The connections that a frame goes to.
#[derive(Clone, Copy, Debug)]
pub struct Recipients<'a> {
    pub(crate) connections: &'a [ConnectionKey],
    /// One for each connection, or none at all.
    pub(crate) sequences: &'a [u64],
}

impl<'a> Recipients<'a> {
    /// Returns how many there are; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a frame always goes to somebody")]
    pub fn len(self) -> usize {
        self.connections.len()
    }

    /// Goes through the recipients.
    pub fn iter(self) -> RecipientsIter<'a> {
        RecipientsIter { connections: self.connections.iter(), sequences: self.sequences.iter() }
    }

    /// Returns the connections alone.
    pub fn connections(self) -> &'a [ConnectionKey] {
        self.connections
    }
}

impl<'a> IntoIterator for Recipients<'a> {
    type Item = Recipient;
    type IntoIter = RecipientsIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Goes through the recipients of a frame.
#[derive(Clone, Debug)]
pub struct RecipientsIter<'a> {
    connections: slice::Iter<'a, ConnectionKey>,
    sequences: slice::Iter<'a, u64>,
}

impl Iterator for RecipientsIter<'_> {
    type Item = Recipient;

    fn next(&mut self) -> Option<Recipient> {
        let connection = *self.connections.next()?;
        let sequence = self.sequences.next().copied().unwrap_or(0);
        Some(Recipient { connection, sequence })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.connections.size_hint()
    }
}

impl ExactSizeIterator for RecipientsIter<'_> {}

/// One recipient of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The connection.
    pub connection: ConnectionKey,
    /// The sequence id of the frame for this connection; 0 where the format has none.
    pub sequence: u64,
}
