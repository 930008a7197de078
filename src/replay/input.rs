//! Every verb of the engine with its arguments, as data.

mod codec;
mod opening;
mod order;
mod settings;
mod transport;
mod verdict;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use self::opening::{Certificate, Opening, Plain, Recovery};
pub use self::order::{Content, Order, Right, Sending, Whom};
pub use self::settings::Settings;
pub use self::transport::{Ending, Message};
pub use self::verdict::{Admission, Response, Verdict};
use super::key::{CallKey, Key};
use crate::command::{Command, CommandError, Reply};
use crate::config::{Config, ConfigError};
use crate::engine::Engine;
use crate::event::{Answer, CallId};
use crate::input::{Closed, Incoming, Open};
use crate::state::ConnectionKey;
use crate::time::Time;

/// Some names or texts.
pub(super) type Texts<'a> = Vec<Cow<'a, str>>;
/// Names and values.
pub(super) type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// One verb of the engine with its arguments, as data that can be kept, written down and read again.
///
/// It borrows where the host has the arguments, and owns them where it was read: that is `Input<'static>`. Its form for
/// `serde` is that of the format version of the journal, and changes only with it.
///
/// ```
/// use hubcast::replay::Input;
/// use hubcast::{Config, Engine, Open, Time};
///
/// let input = Input::open(&Open { hub: "chat", user: Some("alice"), ..Open::default() });
/// let mut engine = Engine::new(Config::new(1))?;
/// input.apply(&mut engine, Time::EPOCH);
/// assert_eq!(engine.metrics().hubs[0].connections, 1);
/// # Ok::<(), hubcast::ConfigError>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Input<'a> {
    /// [`Engine::open`].
    Open(Box<Opening<'a>>),
    /// [`Engine::receive`].
    Receive {
        /// The connection.
        from: Key,
        /// What arrived.
        message: Message<'a>,
    },
    /// [`Engine::close`].
    Close {
        /// The connection.
        connection: Key,
        /// How its transport ended.
        how: Ending<'a>,
    },
    /// [`Engine::answer`].
    Answer {
        /// The call.
        call: CallKey,
        /// What its handler said.
        verdict: Verdict<'a>,
    },
    /// [`Engine::pause`].
    Pause {
        /// The connection.
        connection: Key,
    },
    /// [`Engine::resume`].
    Resume {
        /// The connection.
        connection: Key,
    },
    /// [`Engine::advance`].
    Advance,
    /// [`Engine::execute`].
    Execute(Order<'a>),
    /// [`Engine::stop`].
    Stop {
        /// The reason that clients are told.
        reason: Cow<'a, str>,
    },
    /// [`Engine::reconfigure`].
    Reconfigure(Box<Settings>),
}

impl<'a> Input<'a> {
    /// Takes down an [`Engine::open`].
    pub fn open(request: &Open<'a>) -> Self {
        Self::Open(Box::new(Opening::from(request)))
    }

    /// Takes down an [`Engine::receive`].
    pub fn receive(from: ConnectionKey, message: Incoming<'a>) -> Self {
        Self::Receive { from: from.into(), message: message.into() }
    }

    /// Takes down an [`Engine::close`].
    pub fn close(connection: ConnectionKey, how: Closed<'a>) -> Self {
        Self::Close { connection: connection.into(), how: how.into() }
    }

    /// Takes down an [`Engine::answer`].
    pub fn answer(call: CallId, answer: &Answer<'a>) -> Self {
        Self::Answer { call: call.into(), verdict: answer.into() }
    }

    /// Takes down an [`Engine::pause`].
    pub fn pause(connection: ConnectionKey) -> Self {
        Self::Pause { connection: connection.into() }
    }

    /// Takes down an [`Engine::resume`].
    pub fn resume(connection: ConnectionKey) -> Self {
        Self::Resume { connection: connection.into() }
    }

    /// Takes down an [`Engine::execute`].
    pub fn execute(command: &Command<'a>) -> Self {
        Self::Execute(command.into())
    }

    /// Takes down an [`Engine::stop`].
    pub fn stop(reason: &'a str) -> Self {
        Self::Stop { reason: reason.into() }
    }

    /// Takes down an [`Engine::reconfigure`].
    pub fn reconfigure(config: &Config) -> Self {
        Self::Reconfigure(Box::new(config.into()))
    }

    /// Returns the same input, which borrows from nothing: to be kept.
    ///
    /// ```
    /// use hubcast::replay::Input;
    ///
    /// let kept: Input<'static> = {
    ///     let reason = String::from("maintenance");
    ///     Input::stop(&reason).into_owned()
    /// };
    /// assert_eq!(kept.name(), "stop");
    /// ```
    pub fn into_owned(self) -> Input<'static> {
        // Rarely asked for, so it goes the way that is there: what was read owns all.
        let written = postcard::to_allocvec(&self).expect("memory takes everything");
        postcard::from_bytes(&written).expect("what was written can be read")
    }

    /// Returns the name of the verb, such as `open`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Receive { .. } => "receive",
            Self::Close { .. } => "close",
            Self::Answer { .. } => "answer",
            Self::Pause { .. } => "pause",
            Self::Resume { .. } => "resume",
            Self::Advance => "advance",
            Self::Execute(_) => "execute",
            Self::Stop { .. } => "stop",
            Self::Reconfigure(_) => "reconfigure",
        }
    }

    /// Returns the connection that it names by its key, if it does.
    pub fn connection(&self) -> Option<Key> {
        match self {
            Self::Receive { from: connection, .. }
            | Self::Close { connection, .. }
            | Self::Pause { connection }
            | Self::Resume { connection } => Some(*connection),
            Self::Answer { call, .. } => Some(call.connection()),
            Self::Open(_)
            | Self::Advance
            | Self::Execute(_)
            | Self::Stop { .. }
            | Self::Reconfigure(_) => None,
        }
    }

    /// Feeds it to an engine and returns what the verb returned.
    pub fn apply(&self, engine: &mut Engine, now: Time) -> Outcome {
        match self {
            Self::Open(opening) => {
                return Outcome::Opened(opening.lend(|request| engine.open(request, now)));
            }
            Self::Receive { from, message } => engine.receive(from.revive(), message.lend(), now),
            Self::Close { connection, how } => engine.close(connection.revive(), how.lend(), now),
            Self::Answer { call, verdict } => {
                verdict.lend(|answer| engine.answer(call.revive(), answer, now));
            }
            Self::Pause { connection } => engine.pause(connection.revive(), now),
            Self::Resume { connection } => engine.resume(connection.revive(), now),
            Self::Advance => engine.advance(now),
            Self::Execute(order) => {
                let reply = order.lend(|command| engine.execute(command, now));
                return Outcome::Executed(reply);
            }
            Self::Stop { reason } => engine.stop(reason, now),
            Self::Reconfigure(settings) => {
                return Outcome::Reconfigured(engine.reconfigure(settings.to_config(), now));
            }
        }
        Outcome::Done
    }
}

/// What a verb returned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing, as most verbs do.
    Done,
    /// The key of the new connection, from [`Engine::open`].
    Opened(ConnectionKey),
    /// The answer of [`Engine::execute`].
    Executed(Result<Reply, CommandError>),
    /// The answer of [`Engine::reconfigure`].
    Reconfigured(Result<(), ConfigError>),
}

/// Borrows texts, to be kept.
fn keep_texts<'a>(texts: &[&'a str]) -> Texts<'a> {
    texts.iter().map(|text| Cow::Borrowed(*text)).collect()
}

/// Lends texts.
fn lend_texts<'a>(texts: &'a [Cow<'_, str>]) -> Vec<&'a str> {
    texts.iter().map(|text| &**text).collect()
}

/// Borrows names and values, to be kept.
fn keep_pairs<'a>(pairs: &[(&'a str, &'a str)]) -> Pairs<'a> {
    pairs.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(*value))).collect()
}

/// Lends names and values.
fn lend_pairs<'a>(pairs: &'a [(Cow<'_, str>, Cow<'_, str>)]) -> Vec<(&'a str, &'a str)> {
    pairs.iter().map(|(name, value)| (&**name, &**value)).collect()
}
