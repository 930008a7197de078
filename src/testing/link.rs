//! What lies between a client and its server.

use core::ops::RangeInclusive;

/// How a link behaves. Times are in milliseconds.
///
/// It stands for a TCP connection: it loses no single message and swaps none, but it delays, stalls, and breaks with all
/// that is under way. Each side learns of a break in its own time, so that a client may be back before the server knows
/// that it was gone.
///
/// ```
/// use hubcast::testing::Link;
///
/// let train = Link { latency: 50..=800, cut_per_mille: 20, ..Link::MOBILE };
/// assert_eq!(train.queue, Link::MOBILE.queue);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// How long a message is under way.
    pub latency: RangeInclusive<u64>,
    /// How many messages in a thousand have to wait, and all behind them.
    pub stall_per_mille: u32,
    /// For how long they wait.
    pub stall: RangeInclusive<u64>,
    /// How many messages in a thousand are never to arrive, because the link breaks.
    pub cut_per_mille: u32,
    /// How long a side takes to notice that.
    pub notice: RangeInclusive<u64>,
    /// How long the client takes to read a message before the server can send the next one.
    pub pace: u64,
    /// How many messages the server keeps in its socket queue before it pauses the connection.
    pub queue: usize,
}

impl Link {
    /// Takes no time and never breaks.
    pub const PERFECT: Self = Self {
        latency: 0..=0,
        stall_per_mille: 0,
        stall: 0..=0,
        cut_per_mille: 0,
        notice: 0..=0,
        pace: 0,
        queue: 100,
    };
    /// Fast, and breaks seldom.
    pub const WIRED: Self =
        Self { latency: 1..=20, cut_per_mille: 1, notice: 0..=500, ..Self::PERFECT };
    /// Delays, stalls and breaks.
    pub const MOBILE: Self = Self {
        latency: 20..=300,
        stall_per_mille: 20,
        stall: 200..=3_000,
        cut_per_mille: 10,
        notice: 0..=6_000,
        pace: 2,
        queue: 20,
    };
    /// Read by somebody who does not keep up.
    pub const SLOW: Self = Self { pace: 150, queue: 4, ..Self::WIRED };
}
