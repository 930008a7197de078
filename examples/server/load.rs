//! How busy the engine task is.

use std::time::{Duration, Instant};

/// How long one part of the window is.
const PART: Duration = Duration::from_secs(1);
/// How many parts the window has, without the one that is under way.
const PARTS: usize = 5;

/// Measures which share of the last few seconds the engine task worked.
#[derive(Debug)]
pub(crate) struct Load {
    /// Busy times of the parts, in a ring.
    parts: [Duration; PARTS],
    /// How many parts are over.
    over: usize,
    began: Instant,
    busy: Duration,
}

impl Load {
    /// Starts to measure.
    pub(crate) fn new(now: Instant) -> Self {
        Self { parts: [Duration::ZERO; PARTS], over: 0, began: now, busy: Duration::ZERO }
    }

    /// Takes note of work that is over.
    pub(crate) fn worked(&mut self, from: Instant, until: Instant) {
        self.turn(until);
        self.busy += until.saturating_duration_since(from);
    }

    /// Returns the share in percent, 0 to 100.
    pub(crate) fn percent(&mut self, now: Instant) -> f64 {
        self.turn(now);
        let known = self.over.min(PARTS);
        let busy = self.parts.iter().sum::<Duration>() + self.busy;
        let window = PART * known as u32 + now.saturating_duration_since(self.began);
        if window.is_zero() {
            return 0.0;
        }
        (busy.as_secs_f64() / window.as_secs_f64() * 100.0).min(100.0)
    }

    /// Ends the part that is under way when its time is over, and those that nothing was done in.
    fn turn(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.began);
        let ended = (passed.as_millis() / PART.as_millis()) as usize;
        // After a long sleep the whole ring is empty; more turns would change nothing.
        for _ in 0..ended.min(PARTS + 1) {
            self.parts[self.over % PARTS] = self.busy;
            self.busy = Duration::ZERO;
            self.over += 1;
        }
        self.began += PART * ended as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share is that of the window: all of it, half of it, and nothing once the work lies behind.
    #[test]
    fn share_of_the_window() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut load = Load::new(start);
        assert!(load.percent(start) < 0.1);
        load.worked(start, at(500));
        assert!((load.percent(at(500)) - 100.0).abs() < 0.1);
        assert!((load.percent(at(1_000)) - 50.0).abs() < 0.1);
        assert!((load.percent(at(5_000)) - 10.0).abs() < 0.1);
        assert!(load.percent(at(8_000)) < 0.1);
        load.worked(at(3_600_000), at(3_600_100));
        assert!((load.percent(at(3_600_100)) - 100.0 / 51.0).abs() < 0.1);
    }
}
