//! Time that passes when it is told to.

use alloc::collections::BTreeMap;
use core::time::Duration;

use crate::time::Time;

/// A clock that stands still until the next thing happens, and the agenda of what is to happen.
///
/// Things that are due at the same time happen in the order in which they were put there.
///
/// ```
/// use core::time::Duration;
/// use hubcast::Time;
/// use hubcast::testing::VirtualTime;
///
/// let mut time = VirtualTime::new(Time::from_secs(100));
/// time.after(Duration::from_secs(2), "late");
/// time.after(Duration::from_secs(1), "early");
/// assert_eq!(time.step(Time::from_secs(200)), Some("early"));
/// assert_eq!(time.now(), Time::from_secs(101));
/// assert_eq!(time.step(Time::from_secs(101)), None); // nothing more until then
/// assert_eq!(time.step(Time::from_secs(200)), Some("late"));
/// ```
#[derive(Clone, Debug)]
pub struct VirtualTime<T> {
    now: Time,
    /// How many things were ever put on the agenda.
    count: u64,
    agenda: BTreeMap<(Time, u64), T>,
}

impl<T> VirtualTime<T> {
    /// Makes a clock with an empty agenda.
    pub const fn new(now: Time) -> Self {
        Self { now, count: 0, agenda: BTreeMap::new() }
    }

    /// Returns the time.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Puts something on the agenda; what lies in the past is due now.
    pub fn at(&mut self, time: Time, thing: T) {
        self.agenda.insert((time.max(self.now), self.count), thing);
        self.count += 1;
    }

    /// Puts something on the agenda for some time from now.
    pub fn after(&mut self, duration: Duration, thing: T) {
        self.at(self.now + duration, thing);
    }

    /// Returns when the next thing is due.
    pub fn next(&self) -> Option<Time> {
        self.agenda.first_key_value().map(|((time, _), _)| *time)
    }

    /// Takes the next thing that is due until then, and moves the clock there; or moves the clock to `until`.
    pub fn step(&mut self, until: Time) -> Option<T> {
        if self.next().is_none_or(|next| next > until) {
            self.now = self.now.max(until);
            return None;
        }
        let ((time, _), thing) = self.agenda.pop_first()?;
        self.now = time;
        Some(thing)
    }
}
