//! Which message is due when, to which group.

use std::time::Duration;

/// The plan of a run. Message `n` is due `n / rate` seconds after the start, whatever happened to those before it, and
/// goes to group `n % groups`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timetable {
    /// When the first message is due.
    pub(crate) start: Duration,
    /// How long messages are sent that do not count.
    pub(crate) warm_up: Duration,
    /// How long messages are sent that count.
    pub(crate) duration: Duration,
    /// Messages a second.
    pub(crate) rate: u64,
    pub(crate) groups: usize,
    pub(crate) connections: usize,
}

impl Timetable {
    /// Returns how many messages there are.
    pub(crate) fn messages(&self) -> u64 {
        self.within(self.warm_up + self.duration)
    }

    /// Returns how many messages there are that count.
    pub(crate) fn counted(&self) -> u64 {
        self.messages() - self.within(self.warm_up)
    }

    /// Tells when a message is due.
    pub(crate) fn due(&self, message: u64) -> Duration {
        let nanoseconds = u128::from(message) * 1_000_000_000 / u128::from(self.rate.max(1));
        self.start + Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// Returns the time from which on messages count.
    pub(crate) fn counted_from(&self) -> Duration {
        self.start + self.warm_up
    }

    /// Returns the time after the last message.
    pub(crate) fn end(&self) -> Duration {
        self.start + self.warm_up + self.duration
    }

    /// Returns the group that a message goes to.
    pub(crate) fn group(&self, message: u64) -> usize {
        (message % self.groups as u64) as usize
    }

    /// Returns how many connections are in a group: connection `n` is in group `n % groups`.
    pub(crate) fn members(&self, group: usize) -> u64 {
        let more = usize::from(group < self.connections % self.groups);
        (self.connections / self.groups + more) as u64
    }

    /// Returns how many messages are due in the time from the start, without its end.
    fn within(&self, time: Duration) -> u64 {
        let messages = (time.as_nanos() * u128::from(self.rate)).div_ceil(1_000_000_000);
        u64::try_from(messages).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each message is due at its time, and the number of those that count is the one that is due after the warm-up.
    #[test]
    fn due_in_time() {
        for rate in [0, 1, 3, 1_000, 999_983] {
            let timetable = Timetable {
                start: Duration::from_millis(1_500),
                warm_up: Duration::from_secs(1),
                duration: Duration::from_secs(2),
                rate,
                groups: 1,
                connections: 1,
            };
            assert_eq!(timetable.messages(), 3 * rate);
            let counted = (0..timetable.messages())
                .filter(|message| timetable.due(*message) >= timetable.counted_from())
                .count();
            assert_eq!(timetable.counted(), counted as u64, "{rate}");
            assert!((0..3 * rate).all(|message| timetable.due(message) < timetable.end()));
        }
    }

    /// Messages go to the groups in turn, and connections are spread evenly.
    #[test]
    fn groups_in_turn() {
        let timetable = Timetable {
            start: Duration::ZERO,
            warm_up: Duration::ZERO,
            duration: Duration::from_secs(1),
            rate: 5,
            groups: 3,
            connections: 8,
        };
        let groups: Vec<usize> = (0..5).map(|message| timetable.group(message)).collect();
        assert_eq!(groups, [0, 1, 2, 0, 1]);
        assert_eq!([0, 1, 2].map(|group| timetable.members(group)), [3, 3, 2]);
    }
}
