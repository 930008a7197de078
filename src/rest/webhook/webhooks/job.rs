//! One event on its way.

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Uri};

use crate::event::{CallId, EventKind};
use crate::state::ConnectionId;
use crate::time::Time;

pub(super) struct Job {
    pub call: Option<CallId>,
    pub connection_id: ConnectionId,
    pub hub: Box<str>,
    pub event: Box<str>,
    pub kind: Kind,
    /// Without cookies, which may change between two attempts.
    pub request: Request<Bytes>,
    /// The validation URL of its handler.
    pub target: Arc<str>,
    /// What it counts for there.
    pub weight: usize,
    pub started: Time,
    /// When to give up. A notification that has not begun has none.
    pub deadline: Option<Time>,
    /// When the next notification of the connection begins, even if this one is not over.
    pub next_begins: Time,
    pub attempts: u8,
    pub phase: Phase,
    pub timer: Option<Time>,
}

/// What an event expects of its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whether and how a client is let in.
    Connect,
    /// A reply.
    Event,
    /// Nothing. They go out in order.
    Notification {
        /// Whether it is the last of its connection.
        last: bool,
    },
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It waits for an earlier one, or for the validation of its handler.
    Waiting,
    /// Its request is out.
    Sent,
    /// It waits to be sent again.
    Resting,
}

impl Kind {
    pub(super) fn of(kind: &EventKind<'_>) -> Self {
        match kind {
            EventKind::Connect(_) => Self::Connect,
            EventKind::User { .. } => Self::Event,
            EventKind::Disconnected { .. } => Self::Notification { last: true },
            EventKind::Connected | EventKind::Joined { .. } | EventKind::Left { .. } => {
                Self::Notification { last: false }
            }
        }
    }
}

/// What a request takes besides its texts.
const REQUEST: usize = 2048;

/// Returns how many bytes a request takes, roughly.
pub(super) fn weight(request: &Request<Bytes>) -> usize {
    let headers: usize = request.headers().values().map(HeaderValue::len).sum();
    REQUEST + headers + request.body().len()
}

/// Returns a URL without its query and the name of a user.
pub(super) fn shown(url: &Uri) -> Box<str> {
    let (scheme, host) = (url.scheme_str().unwrap_or_default(), url.host().unwrap_or_default());
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}{}", url.path()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may be a secret is left out of a URL, and nothing else.
    #[test]
    fn shown_urls() {
        for (url, expected) in [
            ("http://h/a/b?code=secret", "http://h/a/b"),
            ("https://alice:secret@h:8443/?secret", "https://h:8443/"),
            ("http://[::1]:80/%20", "http://[::1]:80/%20"),
        ] {
            assert_eq!(&*shown(&url.parse().unwrap()), expected);
        }
    }
}
