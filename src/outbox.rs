//! The queue of actions and the memory that they share.

mod record;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

pub(crate) use self::record::{PendingRecord, PendingRecordKind};
use crate::action::{Accept, Action, Call, Close, Deliver, Notify, Recipients, Refuse};
use crate::config::{EventHandler, EventListener};
use crate::event::{CallId, Connect, Event, EventKind, Pairs};
use crate::protocol::{Data, Frame};
use crate::state::{ConnectionId, ConnectionKey, Hub};
use crate::time::Time;

/// Actions that wait to be polled. Recipients of all deliveries lie one after the other in one list, which
/// starts over when the queue is empty.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Pending>,
    recipients: Vec<ConnectionKey>,
    /// The sequence ids of those that have one, one after the other too.
    sequences: Vec<u64>,
    /// Whether the first of the queue is lent out.
    is_lent: bool,
}

/// An action as it waits: nothing in it is borrowed.
#[derive(Debug)]
pub(crate) enum Pending {
    Accept {
        connection: ConnectionKey,
        id: ConnectionId,
        subprotocol: Option<Text>,
    },
    Refuse {
        connection: ConnectionKey,
        status: u16,
        reason: Text,
    },
    Deliver {
        frame: Frame,
        start: usize,
        end: usize,
        expires: Option<Time>,
    },
    /// Its recipients have sequence ids, which start at `sequences`.
    DeliverNumbered {
        frame: Frame,
        start: usize,
        end: usize,
        sequences: usize,
    },
    Close {
        connection: ConnectionKey,
        code: u16,
        reason: Text,
    },
    Notify {
        listener: Arc<EventListener>,
        event: Arc<PendingEvent>,
    },
    Call {
        waiting: Option<(CallId, Time)>,
        handler: Arc<EventHandler>,
        event: Arc<PendingEvent>,
    },
    Cancel(CallId),
    Record(Box<PendingRecord>),
}

/// A text that is our own or was copied.
pub(crate) type Text = Cow<'static, str>;

/// Names and values, copied.
pub(crate) type OwnedPairs = Vec<(Box<str>, Box<str>)>;

/// An event, shared by those who are told of it.
#[derive(Debug)]
pub(crate) struct PendingEvent {
    pub connection: ConnectionKey,
    pub connection_id: ConnectionId,
    pub hub: u32,
    pub user: Option<Box<str>>,
    pub subprotocol: Option<Box<str>>,
    pub state: Option<Box<str>>,
    pub number: u64,
    pub kind: PendingKind,
}

#[derive(Debug)]
pub(crate) enum PendingKind {
    Connect(PendingConnect),
    Connected,
    Disconnected { reason: Text },
    User { name: Box<str>, data: PendingData, metadata: OwnedPairs },
    Joined { group: Box<str> },
    Left { group: Box<str> },
}

#[derive(Debug, Default)]
pub(crate) struct PendingConnect {
    pub claims: OwnedPairs,
    pub query: OwnedPairs,
    pub headers: OwnedPairs,
    pub subprotocols: Vec<Box<str>>,
    pub certificates: OwnedPairs,
}

#[derive(Debug)]
pub(crate) enum PendingData {
    Text(Box<str>),
    Json(Box<str>),
    Binary(Bytes),
    Protobuf(Bytes),
}

impl Outbox {
    pub(crate) fn push(&mut self, pending: Pending) {
        self.queue.push_back(pending);
    }

    /// Queues a frame for the recipients that `fill` appends, at least one, and returns how many.
    #[inline]
    pub(crate) fn deliver(
        &mut self,
        frame: Frame,
        expires: Option<Time>,
        fill: impl FnOnce(&mut Vec<ConnectionKey>),
    ) -> usize {
        let start = self.recipients.len();
        fill(&mut self.recipients);
        let end = self.recipients.len();
        self.queue.push_back(Pending::Deliver { frame, start, end, expires });
        end - start
    }

    /// Queues a frame for the recipients that `fill` appends, each with a sequence id, and returns how many.
    /// Nothing is queued where there are none.
    pub(crate) fn deliver_numbered(
        &mut self,
        frame: Frame,
        fill: impl FnOnce(&mut Vec<ConnectionKey>, &mut Vec<u64>),
    ) -> usize {
        let (start, sequences) = (self.recipients.len(), self.sequences.len());
        fill(&mut self.recipients, &mut self.sequences);
        let end = self.recipients.len();
        if end > start {
            self.queue.push_back(Pending::DeliverNumbered { frame, start, end, sequences });
        }
        end - start
    }

    /// Moves on to the next action and tells whether there is one.
    pub(crate) fn advance(&mut self) -> bool {
        if self.is_lent {
            self.queue.pop_front();
        }
        self.is_lent = !self.queue.is_empty();
        if !self.is_lent {
            self.recipients.clear();
            self.sequences.clear();
        }
        self.is_lent
    }

    /// Lends out the current action. Nearly all of them are deliveries without sequence ids, so these come first.
    #[inline]
    pub(crate) fn current<'a>(&'a self, hubs: &'a [Hub]) -> Option<Action<'a>> {
        let current = self.queue.front().filter(|_| self.is_lent)?;
        let Pending::Deliver { frame, start, end, expires } = current else {
            return Some(self.lend(current, hubs));
        };
        let connections = &self.recipients[*start..*end];
        let to = Recipients { connections, sequences: &[] };
        Some(Action::Deliver(Deliver { frame, to, expires: *expires }))
    }

    fn lend<'a>(&'a self, pending: &'a Pending, hubs: &'a [Hub]) -> Action<'a> {
        match pending {
            Pending::Accept { connection, id, subprotocol } => Action::Accept(Accept {
                connection: *connection,
                connection_id: *id,
                subprotocol: subprotocol.as_deref(),
            }),
            Pending::Refuse { connection, status, reason } => {
                Action::Refuse(Refuse { connection: *connection, status: *status, reason })
            }
            Pending::Deliver { frame, start, end, expires } => Action::Deliver(Deliver {
                frame,
                to: Recipients { connections: &self.recipients[*start..*end], sequences: &[] },
                expires: *expires,
            }),
            Pending::DeliverNumbered { frame, start, end, sequences } => Action::Deliver(Deliver {
                frame,
                to: Recipients {
                    connections: &self.recipients[*start..*end],
                    sequences: &self.sequences[*sequences..*sequences + (*end - *start)],
                },
                expires: None,
            }),
            Pending::Close { connection, code, reason } => {
                Action::Close(Close { connection: *connection, code: *code, reason })
            }
            Pending::Notify { listener, event } => Action::Notify(Notify {
                connection: event.connection,
                listener,
                event: event.lend(hubs),
            }),
            Pending::Call { waiting, handler, event } => Action::Call(Call {
                id: waiting.map(|(id, _)| id),
                connection: event.connection,
                handler,
                deadline: waiting.map(|(_, deadline)| deadline),
                event: event.lend(hubs),
            }),
            Pending::Cancel(call) => Action::Cancel(*call),
            Pending::Record(record) => Action::Record(record.lend()),
        }
    }
}

impl PendingEvent {
    fn lend<'a>(&'a self, hubs: &'a [Hub]) -> Event<'a> {
        Event {
            hub: &hubs[self.hub as usize].name,
            connection_id: self.connection_id,
            user: self.user.as_deref(),
            subprotocol: self.subprotocol.as_deref(),
            state: self.state.as_deref(),
            number: self.number,
            kind: self.kind.lend(),
        }
    }
}

impl PendingKind {
    fn lend(&self) -> EventKind<'_> {
        match self {
            Self::Connect(connect) => EventKind::Connect(Connect {
                claims: Pairs(&connect.claims),
                query: Pairs(&connect.query),
                headers: Pairs(&connect.headers),
                subprotocols: &connect.subprotocols,
                certificates: Pairs(&connect.certificates),
            }),
            Self::Connected => EventKind::Connected,
            Self::Disconnected { reason } => EventKind::Disconnected { reason },
            Self::User { name, data, metadata } => {
                EventKind::User { name, data: data.lend(), metadata: Pairs(metadata) }
            }
            Self::Joined { group } => EventKind::Joined { group },
            Self::Left { group } => EventKind::Left { group },
        }
    }
}

impl PendingData {
    pub(crate) fn keep(data: Data<'_>) -> Self {
        match data {
            Data::Text(text) => Self::Text(text.into()),
            Data::Json(text) => Self::Json(text.into()),
            Data::Binary(bytes) => Self::Binary(Bytes::copy_from_slice(bytes)),
            Data::Protobuf(bytes) => Self::Protobuf(Bytes::copy_from_slice(bytes)),
        }
    }

    fn lend(&self) -> Data<'_> {
        match self {
            Self::Text(text) => Data::Text(text),
            Self::Json(text) => Data::Json(text),
            Self::Binary(bytes) => Data::Binary(bytes),
            Self::Protobuf(bytes) => Data::Protobuf(bytes),
        }
    }
}

/// Copies names and values so that they can be kept.
pub(crate) fn keep_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> OwnedPairs {
    pairs.map(|(name, value)| (name.into(), value.into())).collect()
}
