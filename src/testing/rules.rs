//! What must hold whatever happens.

mod session;

use alloc::string::String;

pub use self::session::{ConsecutiveSequences, OneEnd};
use super::message::Received;
use super::request::Request;
use crate::command::Command;
use crate::event::Event;
use crate::input::Closed;
use crate::protocol::Protocol;
use crate::time::Time;

/// Something that must hold in a [`Simulation`](super::Simulation), looked at after everything that occurs.
///
/// A closure is a rule. A rule with more to it implements the trait.
///
/// ```
/// use hubcast::testing::{Message, Occurrence, Rule};
/// use hubcast::Time;
///
/// /// No message is longer than the screens of the watches that we sell.
/// fn short_texts() -> impl Rule {
///     |_: Time, occurrence: &Occurrence<'_>| match occurrence {
///         Occurrence::Heard { received, .. } if received.message.text().is_some_and(|it| it.len() > 40) => {
///             Err(format!("{received:?} is too long"))
///         }
///         _ => Ok(()),
///     }
/// }
/// # short_texts();
/// ```
pub trait Rule {
    /// Looks at something that occurred.
    ///
    /// # Errors
    /// When the rule is broken; the text says how.
    fn observe(&mut self, at: Time, occurrence: &Occurrence<'_>) -> Result<(), String>;

    /// Looks back when everything is over.
    ///
    /// # Errors
    /// When the rule is broken; the text says how.
    fn conclude(&mut self) -> Result<(), String> {
        Ok(())
    }
}

impl<F: FnMut(Time, &Occurrence<'_>) -> Result<(), String>> Rule for F {
    fn observe(&mut self, at: Time, occurrence: &Occurrence<'_>) -> Result<(), String> {
        self(at, occurrence)
    }
}

/// Something that occurred in a simulation. They come in the order in which the server did them; only
/// [`Heard`](Self::Heard) is about the other end of a link.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Occurrence<'a> {
    /// The engine let a client in.
    Accepted {
        /// The new session.
        session: &'a Session,
    },
    /// A client has its session back.
    Recovered {
        /// The session.
        session: &'a Session,
    },
    /// A client wanted its session back and did not get it.
    RecoveryRefused {
        /// The session.
        session: &'a Session,
    },
    /// The server learned that the transport of a session is gone.
    TransportGone {
        /// The session.
        session: &'a Session,
        /// How it ended.
        how: Closed<'a>,
    },
    /// The engine closed a transport.
    Closed {
        /// The session.
        session: &'a Session,
        /// The close code.
        code: u16,
    },
    /// A request arrived at the engine.
    Requested {
        /// Whose.
        session: &'a Session,
        /// What it asks for.
        request: &'a Request,
    },
    /// The engine sent a message.
    Sent {
        /// To whom.
        session: &'a Session,
        /// What it says.
        received: &'a Received,
    },
    /// A message arrived at a client.
    Heard {
        /// Whose.
        session: &'a Session,
        /// What it says.
        received: &'a Received,
        /// Whether the client had not seen it before; it drops what it has.
        fresh: bool,
    },
    /// An event handler was called.
    Called {
        /// Whose event it is; `None` where nobody was let in yet.
        session: Option<&'a Session>,
        /// The event.
        event: &'a Event<'a>,
    },
    /// The server executed a command.
    Executed {
        /// The command.
        command: &'a Command<'a>,
        /// Whether it worked.
        done: bool,
    },
}

/// A logical connection in a simulation: one session of a client, over all its transports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Counts the sessions of the simulation.
    pub number: usize,
    /// Whose it is.
    pub client: usize,
    /// The id of the connection.
    pub connection_id: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// The hub that it is in.
    pub hub: String,
}
