//! The one place where the server reads the clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use hubcast::Time;

/// The system clock, made never to go back.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    latest: AtomicU64,
}

impl Clock {
    /// Returns the time, or the latest one that was returned before if the system clock went back.
    pub(crate) fn now(&self) -> Time {
        let wall = SystemTime::UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO);
        let wall = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        Time::from_millis(self.latest.fetch_max(wall, Ordering::Relaxed).max(wall))
    }
}
