//! What the engine says about its own work, for resource logs (`webpubsub.md` 10.5).

use crate::metrics::CloseCause;
use crate::protocol::AckError;
use crate::state::{ConnectionId, ConnectionKey};

/// One thing that happened, as a log has it. It comes as [`Action::Record`](crate::Action::Record) where
/// [`Config::records`](crate::Config::records) asks for it.
///
/// It never has a token or the content of a message in it.
///
/// ```
/// use hubcast::{Action, Config, Engine, Open, RecordKind, Records, Time};
///
/// let mut engine = Engine::new(Config { records: Records::Connections, ..Config::new(1) })?;
/// engine.open(Open { hub: "chat", user: Some("alice"), ..Open::default() }, Time::EPOCH);
/// let mut lines = Vec::new();
/// while let Some(action) = engine.poll_action() {
///     if let Action::Record(record) = action {
///         lines.push(format!("{} {} {:?}", record.kind.name(), record.hub, record.user));
///     }
/// }
/// assert_eq!(lines, [r#"ConnectionStarted chat Some("alice")"#]);
/// # Ok::<(), hubcast::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The hub, in lower case where it exists.
    pub hub: &'a str,
    /// The connection, also one that was not let in; `None` where the server did something.
    pub connection: Option<ConnectionKey>,
    /// Its public id; `None` where it has none yet.
    pub connection_id: Option<ConnectionId>,
    /// The user of the connection.
    pub user: Option<&'a str>,
    /// What happened.
    pub kind: RecordKind<'a>,
}

/// What happened, in the terms of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordKind<'a> {
    /// A connection is open.
    Started {
        /// The subprotocol that was agreed.
        subprotocol: Option<&'a str>,
    },
    /// A peer was not let in.
    Refused {
        /// The HTTP status: 401 unauthorized, 404 the hub is not configured, 429 a limit is reached, and so on.
        status: u16,
        /// The text that the peer got.
        reason: &'a str,
    },
    /// A reliable connection lost its transport and waits to be recovered.
    Detached,
    /// A reliable connection was taken up again.
    Recovered,
    /// An attempt to take up a connection was refused.
    RecoveryRefused,
    /// A connection is over.
    Ended {
        /// Why, as a category.
        cause: CloseCause,
        /// Why, as text.
        reason: &'a str,
    },
    /// A client asked for something.
    Requested {
        /// What, as the JSON protocol calls it: `joinGroup`, `sendToGroup`, `event` and so on.
        operation: &'static str,
        /// The group, event or stream; may be empty.
        target: &'a str,
        /// The bytes of its data.
        bytes: usize,
    },
    /// What a client asked for was not done.
    Failed {
        /// Why, as the name of an ack error.
        error: AckError,
        /// Why, as text.
        reason: &'a str,
    },
    /// No handler takes an event of a client.
    Unhandled {
        /// The event.
        event: &'a str,
    },
    /// A message went out.
    Sent {
        /// How many connections get it, now or when they are back.
        recipients: usize,
        /// The bytes of its data.
        bytes: usize,
    },
}

impl RecordKind<'_> {
    /// Returns the name of the operation as logs of the service have it, such as `ConnectionStarted`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "ConnectionStarted",
            Self::Refused { .. } => "ConnectionRefused",
            Self::Detached => "ConnectionDetached",
            Self::Recovered => "ConnectionRecovered",
            Self::RecoveryRefused => "ConnectionRecoveryRefused",
            Self::Ended { cause: CloseCause::Normal | CloseCause::ClosedByAppServer, .. } => {
                "ConnectionEnded"
            }
            Self::Ended { .. } => "ConnectionAborted",
            Self::Requested { .. } => "MessageReceived",
            Self::Failed { .. } => "MessageFailed",
            Self::Unhandled { .. } => "EventUnhandled",
            Self::Sent { .. } => "MessageSent",
        }
    }

    /// Tells whether it is about a message, otherwise it is about a connection.
    pub const fn is_about_message(&self) -> bool {
        match self {
            Self::Started { .. }
            | Self::Refused { .. }
            | Self::Detached
            | Self::Recovered
            | Self::RecoveryRefused
            | Self::Ended { .. } => false,
            Self::Requested { .. }
            | Self::Failed { .. }
            | Self::Unhandled { .. }
            | Self::Sent { .. } => true,
        }
    }
}
