//! What is printed while a load runs: a line a second on stderr.

use std::io::{self, Write};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::clock::Clock;
use crate::tally::Tally;

/// How far two lines lie apart.
const INTERVAL: Duration = Duration::from_secs(1);

/// Prints a line now and then.
#[derive(Debug)]
pub(crate) struct Progress {
    clock: Clock,
    next: Duration,
    sent: u64,
    received: u64,
}

impl Progress {
    /// Prints the first line after a second.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, next: clock.now() + INTERVAL, sent: 0, received: 0 }
    }

    /// Prints how many connections are open, if it is time.
    pub(crate) fn connecting(&mut self, open: usize, of: usize) {
        if self.is_due() {
            print(&format!("{open} of {of} connections are open"));
        }
    }

    /// Prints what the last second brought, if it is time.
    pub(crate) fn loading(&mut self, tally: &Tally, phase: &str) {
        if !self.is_due() {
            return;
        }
        let (sent, expected) = (tally.sent.load(Relaxed), tally.expected.load(Relaxed));
        let received = tally.received();
        let behind = Duration::from_nanos(tally.behind.load(Relaxed)).as_millis();
        print(&format!(
            "{phase:<8} sent {:>7}  received {:>8}  on the way {:>7}  senders behind {behind} ms",
            sent.saturating_sub(self.sent),
            received.saturating_sub(self.received),
            expected.saturating_sub(received),
        ));
        (self.sent, self.received) = (sent, received);
    }

    fn is_due(&mut self) -> bool {
        let now = self.clock.now();
        let is_due = now >= self.next;
        if is_due {
            self.next = (self.next + INTERVAL).max(now);
        }
        is_due
    }
}

fn print(line: &str) {
    // Nobody reads it, so nobody misses it.
    let _ = writeln!(io::stderr(), "load: {line}");
}
