//! Event handlers and the events that they take.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// One event handler of a hub: which events it takes and where they go.
///
/// The engine never looks at `url`; it hands the handler to the host with each
/// [`Call`](crate::Call). A host that handles events itself can put any text there.
///
/// ```
/// use hubcast::{EventHandler, EventPattern, SystemEvents};
///
/// let handler = EventHandler {
///     url: "http://localhost:3000/eventhandler/{event}".into(),
///     user_events: EventPattern::parse("chat, vote"),
///     system_events: SystemEvents { connect: true, ..SystemEvents::NONE },
/// };
/// assert!(handler.user_events.matches("VOTE"));
/// assert!(!handler.user_events.matches("buy"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventHandler {
    /// Where the events go: a URL template with `{hub}` and `{event}`, or any text the host understands.
    pub url: String,
    /// The user events that it takes.
    pub user_events: EventPattern,
    /// The system events that it takes.
    pub system_events: SystemEvents,
}

impl EventHandler {
    /// Makes a handler that takes every event.
    pub fn all(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            user_events: EventPattern::parse("*"),
            system_events: SystemEvents::ALL,
        }
    }
}

/// Which user events a handler takes: all, some by name, or none.
///
/// Names are compared without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventPattern {
    all: bool,
    names: Vec<Box<str>>,
}

impl EventPattern {
    /// Reads `*`, a name, or names with commas between them; spaces around names do not count. An empty
    /// text takes no event.
    pub fn parse(text: &str) -> Self {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let mut pattern = Self::default();
        for name in names {
            match name {
                "*" => pattern.all = true,
                _ => pattern.names.push(name.into()),
            }
        }
        pattern
    }

    /// Tells whether a user event of this name is taken.
    pub fn matches(&self, event: &str) -> bool {
        self.all || self.names.iter().any(|name| name.eq_ignore_ascii_case(event))
    }
}

/// Writes the pattern as [`EventPattern::parse`] reads it.
impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.all.then_some("*");
        for (place, name) in
            all.into_iter().chain(self.names.iter().map(|name| &**name)).enumerate()
        {
            f.write_str(if place == 0 { "" } else { "," })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// Which system events a handler takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemEvents {
    /// The blocking `connect` event, which may refuse the connection.
    pub connect: bool,
    /// The `connected` event; nobody waits for its answer.
    pub connected: bool,
    /// The `disconnected` event; nobody waits for its answer.
    pub disconnected: bool,
    /// The group presence event `joined`: a connection is in a group now, however it got there
    /// (`webpubsub.md` 8.7). Nobody waits for its answer.
    pub joined: bool,
    /// The group presence event `left`: a connection is in a group no longer, also because it is gone.
    /// Nobody waits for its answer.
    pub left: bool,
}

impl SystemEvents {
    /// Every system event.
    pub const ALL: Self =
        Self { connect: true, connected: true, disconnected: true, joined: true, left: true };
    /// No system event.
    pub const NONE: Self =
        Self { connect: false, connected: false, disconnected: false, joined: false, left: false };
}
