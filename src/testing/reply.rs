//! What event handlers say, kept.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::payload::{Entries, Payload};
use crate::event::{Admission, Answer, Response};

/// The answer of an event handler, kept: [`Answer`] that borrows from nothing.
///
/// ```
/// use hubcast::Answer;
/// use hubcast::testing::{Payload, Reply};
///
/// let reply = Reply::from(Payload::text("done"));
/// assert!(reply.lend(|answer| matches!(answer, Answer::Reply(_))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `Admission` and `Response`")]
pub enum Reply {
    /// [`Answer::Accept`].
    Accept {
        user: Option<String>,
        roles: Option<Vec<String>>,
        groups: Option<Vec<String>>,
        subprotocol: Option<String>,
        state: Option<String>,
    },
    /// [`Answer::Refuse`], with this status.
    Refuse(u16),
    /// [`Answer::Reply`].
    Respond { data: Option<Payload>, metadata: Entries, state: Option<String> },
    /// [`Answer::Fail`].
    Fail,
}

impl Reply {
    /// An event was handled, and there is nothing to say about it.
    pub const DONE: Self = Self::Respond { data: None, metadata: Vec::new(), state: None };
    /// A connection is let in as it is.
    pub const WELCOME: Self =
        Self::Accept { user: None, roles: None, groups: None, subprotocol: None, state: None };

    /// Lends it to an engine.
    pub fn lend<R>(&self, take: impl FnOnce(Answer<'_>) -> R) -> R {
        match self {
            Self::Accept { user, roles, groups, subprotocol, state } => {
                let roles: Option<Vec<_>> = roles.as_deref().map(lend);
                let groups: Option<Vec<_>> = groups.as_deref().map(lend);
                take(Answer::Accept(Admission {
                    user: user.as_deref(),
                    roles: roles.as_deref(),
                    groups: groups.as_deref(),
                    subprotocol: subprotocol.as_deref(),
                    state: state.as_deref(),
                }))
            }
            Self::Refuse(status) => take(Answer::Refuse { status: *status, reason: "" }),
            Self::Respond { data, metadata, state } => {
                let metadata: Vec<_> =
                    metadata.iter().map(|(name, value)| (&**name, &**value)).collect();
                let data = data.as_ref().map(Payload::lend);
                take(Answer::Reply(Response { data, metadata: &metadata, state: state.as_deref() }))
            }
            Self::Fail => take(Answer::Fail),
        }
    }
}

impl From<Payload> for Reply {
    fn from(payload: Payload) -> Self {
        Self::Respond { data: Some(payload), metadata: Vec::new(), state: None }
    }
}

/// Lends texts.
pub(super) fn lend(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// What an event handler in a [`Simulation`](super::Simulation) does about a call.
///
/// ```
/// use core::time::Duration;
/// use hubcast::testing::{Handling, Payload, Reply};
///
/// let handling = Handling::from(Reply::DONE).after(Duration::from_millis(20)).publish("room", "hi");
/// assert_eq!(handling.publish, [("room".to_owned(), Payload::text("hi"))]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handling {
    /// How long the answer takes.
    pub after: Duration,
    /// The answer; nobody waits for one to an event that needs none.
    pub reply: Reply,
    /// What the server publishes to groups of the hub, at once.
    pub publish: Vec<(String, Payload)>,
}

impl Handling {
    /// Takes this long to answer.
    #[must_use]
    pub fn after(mut self, after: Duration) -> Self {
        self.after = after;
        self
    }

    /// Publishes a text to a group.
    #[must_use]
    pub fn publish(mut self, group: impl Into<String>, text: impl Into<String>) -> Self {
        self.publish.push((group.into(), Payload::text(text)));
        self
    }
}

impl From<Reply> for Handling {
    fn from(reply: Reply) -> Self {
        Self { after: Duration::ZERO, reply, publish: Vec::new() }
    }
}
