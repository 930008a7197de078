//! What a connection is told, in a form that can be compared: as the model says it, and as it was read from the actions of
//! an engine.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;

use super::message::Message;
use super::payload::{Entries, Payload};
use crate::action::Call;
use crate::event::EventKind;
use crate::time::Time;

/// One thing that a connection, or the handler for it, is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was accepted: its id (empty where the engine took it for gone at once) and the subprotocol.
    Accept {
        /// The id of the connection.
        id: String,
        /// The subprotocol as it is spelled.
        subprotocol: Option<String>,
    },
    /// It was refused with this status.
    Refuse(u16),
    /// A message. Explanations for people are empty.
    Message {
        /// What it says.
        message: Message,
        /// Its sequence id, if it has one.
        sequence: Option<u64>,
        /// When it is of no more use.
        expires: Option<Time>,
    },
    /// It is closed with this code.
    Close(u16),
    /// An event for its handler.
    Call(Box<Told>),
    /// Nobody waits for the answer to the event with this number any more.
    Cancel(u64),
}

/// An event as its handler is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `Call` and `Event`")]
pub struct Told {
    pub handler: String,
    pub number: u64,
    pub name: String,
    pub user: Option<String>,
    pub subprotocol: Option<String>,
    pub state: Option<String>,
    pub deadline: Option<Time>,
    pub data: Option<(Payload, Entries)>,
    pub group: Option<String>,
}

impl From<&Call<'_>> for Told {
    fn from(call: &Call<'_>) -> Self {
        assert_eq!(call.id.is_some(), call.deadline.is_some(), "who waits has a deadline");
        let event = &call.event;
        let (data, group) = match &event.kind {
            EventKind::User { data, metadata, .. } => {
                let pairs = metadata.iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
                (Some((Payload::from(*data), pairs.collect())), None)
            }
            EventKind::Joined { group } | EventKind::Left { group } => {
                (None, Some((*group).to_owned()))
            }
            EventKind::Connect(_) | EventKind::Connected | EventKind::Disconnected { .. } => {
                (None, None)
            }
        };
        Self {
            handler: call.handler.url.clone(),
            number: event.number,
            name: event.kind.name().to_owned(),
            user: event.user.map(str::to_owned),
            subprotocol: event.subprotocol.map(str::to_owned),
            state: event.state.map(str::to_owned),
            deadline: call.deadline,
            data,
            group,
        }
    }
}

impl Message {
    /// Takes away what is for people.
    pub(super) fn bare(mut self) -> Self {
        match &mut self {
            Self::Disconnected { message } => message.clear(),
            Self::Group { stream: Some(stream), .. } => {
                if let Some((name, message, _)) = &mut stream.error
                    && name != "UserError"
                {
                    message.clear();
                }
            }
            _ => {}
        }
        self
    }
}
