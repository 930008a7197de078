//! Time as the host tells it.

pub(crate) mod calendar;

use core::fmt;
use core::ops::Add;
use core::time::Duration;

/// A moment: milliseconds since the Unix epoch.
///
/// It is shown in UTC as RFC 3339 has it. One clock serves timers and token expiry. The engine reads no clock: the host passes `now` to every
/// verb. A `now` that lies before an earlier one counts as the earlier one, so time never goes back.
///
/// ```
/// use core::time::Duration;
/// use hubcast::Time;
///
/// let start = Time::from_millis(1_790_000_000_000);
/// assert_eq!((start + Duration::from_secs(2)).as_millis(), 1_790_000_002_000);
/// assert_eq!(start.as_secs(), 1_790_000_000);
/// assert_eq!(start.to_string(), "2026-09-21T14:13:20Z");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);

    /// Makes a time from milliseconds since the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Makes a time from whole seconds since the Unix epoch; saturates.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Returns the milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the whole seconds since the Unix epoch, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// Returns the beginning of the second that it is in.
    #[must_use]
    pub const fn in_whole_seconds(self) -> Self {
        Self(self.0 - self.0 % 1000)
    }

    /// Returns how long ago `earlier` was, or zero when it lies ahead.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    /// Adds a duration, rounded down to milliseconds; saturates at the end of time.
    fn add(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        calendar::write(f, *self)
    }
}
