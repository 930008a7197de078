//! What all connections count.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::clock::nanoseconds;

/// The counters of a run.
#[derive(Debug)]
pub(crate) struct Tally {
    /// What was received. Connections are spread over several, so that threads seldom wait for each other.
    shares: Vec<Mutex<Received>>,
    /// Messages that are due from this time on count, in nanoseconds.
    counted_from: AtomicU64,
    /// Messages that were sent, and deliveries to expect of them.
    pub(crate) sent: AtomicU64,
    pub(crate) expected: AtomicU64,
    /// The same of the messages that count.
    pub(crate) sent_counted: AtomicU64,
    pub(crate) expected_counted: AtomicU64,
    /// How long the oldest message that is due has not been sent, in nanoseconds.
    pub(crate) behind: AtomicU64,
}

/// What some connections received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// All deliveries.
    pub(crate) all: u64,
    /// Deliveries of messages that count.
    pub(crate) counted: u64,
    /// When the last of those came.
    pub(crate) latest: Duration,
    /// Their latencies in microseconds.
    pub(crate) latencies: Histogram<u64>,
    /// How many connections were closed, and why the first was.
    pub(crate) closed: u64,
    pub(crate) reason: Option<String>,
}

impl Tally {
    /// Makes counters for so many threads.
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            shares: (0..threads.max(1)).map(|_| Mutex::new(Received::default())).collect(),
            counted_from: AtomicU64::new(u64::MAX),
            sent: AtomicU64::new(0),
            expected: AtomicU64::new(0),
            sent_counted: AtomicU64::new(0),
            expected_counted: AtomicU64::new(0),
            behind: AtomicU64::new(0),
        }
    }

    /// Has messages count that are due from a time on. Before that none do.
    pub(crate) fn count_from(&self, time: Duration) {
        self.counted_from.store(nanoseconds(time), Relaxed);
    }

    /// Tells whether a message counts that is due at this time, in nanoseconds.
    pub(crate) fn counts(&self, due: u64) -> bool {
        due >= self.counted_from.load(Relaxed)
    }

    /// Takes note of a message that was sent, and of how many connections it should come to.
    pub(crate) fn note_sent(&self, due: Duration, members: u64) {
        self.sent.fetch_add(1, Relaxed);
        self.expected.fetch_add(members, Relaxed);
        if self.counts(nanoseconds(due)) {
            self.sent_counted.fetch_add(1, Relaxed);
            self.expected_counted.fetch_add(members, Relaxed);
        }
    }

    /// Takes back that a message was sent.
    pub(crate) fn note_unsent(&self, due: Duration, members: u64) {
        self.sent.fetch_sub(1, Relaxed);
        self.expected.fetch_sub(members, Relaxed);
        if self.counts(nanoseconds(due)) {
            self.sent_counted.fetch_sub(1, Relaxed);
            self.expected_counted.fetch_sub(members, Relaxed);
        }
    }

    /// Lends the counters of a connection.
    pub(crate) fn share(&self, connection: usize) -> MutexGuard<'_, Received> {
        let share = &self.shares[connection % self.shares.len()];
        share.lock().expect("nothing panics while it holds the lock")
    }

    /// Returns how many deliveries have come.
    pub(crate) fn received(&self) -> u64 {
        (0..self.shares.len()).map(|share| self.share(share).all).sum()
    }

    /// Returns all that was received.
    pub(crate) fn total(&self) -> Received {
        let mut total = Received::default();
        for share in 0..self.shares.len() {
            let share = self.share(share);
            total.all += share.all;
            total.counted += share.counted;
            total.latest = total.latest.max(share.latest);
            total.latencies += &share.latencies;
            total.closed += share.closed;
            total.reason = total.reason.or_else(|| share.reason.clone());
        }
        total
    }
}

impl Received {
    /// Takes note of a delivery.
    pub(crate) fn note(&mut self, due: u64, now: Duration) {
        self.counted += 1;
        self.latest = now;
        let latency = now.saturating_sub(Duration::from_nanos(due));
        self.latencies.saturating_record(microseconds(latency));
    }

    /// Takes note of a connection that was closed.
    pub(crate) fn note_closed(&mut self, reason: String) {
        self.closed += 1;
        self.reason.get_or_insert(reason);
    }
}

impl Default for Received {
    fn default() -> Self {
        Self {
            all: 0,
            counted: 0,
            latest: Duration::ZERO,
            latencies: latencies(),
            closed: 0,
            reason: None,
        }
    }
}

/// Returns a histogram of microseconds, from one to an hour, with three digits.
pub(crate) fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60 * 60 * 1_000_000, 3).expect("the bounds are in order")
}

/// Returns a time in whole microseconds.
pub(crate) fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
