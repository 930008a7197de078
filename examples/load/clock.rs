//! The clock of a run.

use std::time::{Duration, Instant};

/// Counts from the start of the run. It is shared by all threads, so what one writes another can compare.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// Starts to count.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the time since the start.
    pub(crate) fn now(self) -> Duration {
        self.0.elapsed()
    }

    /// Returns how long ago a time was.
    pub(crate) fn since(self, time: Duration) -> Duration {
        self.now().saturating_sub(time)
    }
}

/// Returns a time in whole nanoseconds.
pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
