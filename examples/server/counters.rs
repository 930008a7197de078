//! What is counted outside of the engine: requests of servers and handshakes of clients.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

/// The upper bounds of the buckets of response times, in seconds, as metrics spell them. There is one more above.
pub(crate) const BUCKETS: [&str; 11] =
    ["0.001", "0.005", "0.01", "0.05", "0.1", "0.25", "0.5", "1", "2", "5", "10"];
/// The same in milliseconds.
const BUCKETS_MILLIS: [u64; 11] = [1, 5, 10, 50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000];

/// Counters that the tasks of requests share.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    counts: Mutex<Counts>,
}

/// What was counted so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Response times of the REST API by operation.
    pub(crate) rest: BTreeMap<&'static str, ResponseTimes>,
    /// Answers of the REST API by operation and status.
    pub(crate) rest_statuses: BTreeMap<(&'static str, u16), u64>,
    /// Answers to handshakes by status.
    pub(crate) handshakes: BTreeMap<u16, u64>,
}

/// How long requests took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ResponseTimes {
    /// How many took no longer than the bound of a bucket, and longer than that of the one before.
    pub(crate) buckets: [u64; BUCKETS.len()],
    /// All of them, the longest included.
    pub(crate) count: u64,
    pub(crate) sum: Duration,
}

impl Counters {
    /// Counts a request of the REST API.
    pub(crate) fn count_rest(&self, category: &'static str, status: u16, took: Duration) {
        self.change(|counts| {
            counts.rest.entry(category).or_default().count(took);
            *counts.rest_statuses.entry((category, status)).or_default() += 1;
        });
    }

    /// Counts a handshake.
    pub(crate) fn count_handshake(&self, status: u16) {
        self.change(|counts| *counts.handshakes.entry(status).or_default() += 1);
    }

    /// Returns what was counted so far.
    pub(crate) fn counts(&self) -> Counts {
        self.change(|counts| counts.clone())
    }

    fn change<R>(&self, change: impl FnOnce(&mut Counts) -> R) -> R {
        change(&mut self.counts.lock().expect("nothing panics while it holds the lock"))
    }
}

impl ResponseTimes {
    fn count(&mut self, took: Duration) {
        self.count += 1;
        self.sum += took;
        let bucket = BUCKETS_MILLIS.iter().position(|&most| took <= Duration::from_millis(most));
        if let Some(bucket) = bucket {
            self.buckets[bucket] += 1;
        }
    }
}
