//! Invocations that wait for their answers (`webpubsub.md` 3.7).

use alloc::boxed::Box;

use crate::time::Time;

/// An event that its client wants answered by a response. It does not hold up what comes after it.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// The client's own id, unique among those that wait.
    pub id: Box<str>,
    /// The number of the event.
    pub number: u64,
    pub deadline: Time,
}
