//! Streams that clients publish to groups (`webpubsub.md` 3.8).

use alloc::boxed::Box;
use core::time::Duration;

use smallvec::SmallVec;

use crate::time::Time;

/// A stream that is open. It lives as long as its connection, over recoveries.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// The client's own id, unique among the streams that are open.
    pub id: Box<str>,
    pub group: Box<str>,
    /// What goes with each message of the stream.
    pub metadata: Box<[(Box<str>, Box<str>)]>,
    pub no_echo: bool,
    /// 0 is never.
    pub ttl_seconds: u32,
    /// The sequence id that the next message must have; the first has 1.
    pub expected: u64,
    /// When something was last heard of it.
    pub heard: Time,
    pub idle_timeout: Duration,
}

impl Stream {
    /// Returns when it has been silent for too long.
    pub(crate) fn deadline(&self) -> Time {
        self.heard + self.idle_timeout
    }

    /// Returns what goes with each message.
    pub(crate) fn metadata(&self) -> SmallVec<[(&str, &str); 8]> {
        self.metadata.iter().map(|(key, value)| (&**key, &**value)).collect()
    }
}
