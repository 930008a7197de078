//! How much of its message quotas a hub has used.

use crate::config::{Limits, Quota};
use crate::time::Time;

/// What counts as one message (`webpubsub.md` 10.2).
const MESSAGE_BYTES: usize = 2048;

/// Messages in the current second and the current day. A new one begins with the first message in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct QuotaUse {
    second: u64,
    in_second: u64,
    day: u64,
    in_day: u64,
}

impl QuotaUse {
    /// Tells whether another message may be sent.
    pub(crate) fn check(&mut self, limits: &Limits, now: Time) -> Result<(), Quota> {
        self.turn(now);
        if limits.messages_per_day.is_some_and(|most| self.in_day >= most) {
            return Err(Quota::Day);
        }
        if limits.messages_per_second.is_some_and(|most| self.in_second >= most) {
            return Err(Quota::Second);
        }
        Ok(())
    }

    /// Counts a message of this size that went to so many connections.
    pub(crate) fn charge(&mut self, recipients: usize, bytes: usize, now: Time) {
        self.turn(now);
        let messages = recipients as u64 * bytes.div_ceil(MESSAGE_BYTES).max(1) as u64;
        self.in_second = self.in_second.saturating_add(messages);
        self.in_day = self.in_day.saturating_add(messages);
    }

    /// Begins a new second or day where it is time. Every message comes by here.
    #[inline]
    fn turn(&mut self, now: Time) {
        let second = now.as_secs();
        if self.second != second {
            self.turn_over(second);
        }
    }

    #[cold]
    fn turn_over(&mut self, second: u64) {
        (self.second, self.in_second) = (second, 0);
        let day = second / 86_400;
        if self.day != day {
            (self.day, self.in_day) = (day, 0);
        }
    }
}
