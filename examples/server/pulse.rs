//! Signs of life: one task asks all peers for them, so that no socket needs timers of its own.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::time::{self, MissedTickBehavior};

use crate::clock::Clock;
use crate::outbound::Outbound;

/// How often all peers are looked at.
const BEAT: Duration = Duration::from_secs(1);
/// How often a peer is asked for a sign of life, in beats.
const PING_INTERVAL: u8 = 30;
/// How long a peer may be silent, in beats: two intervals.
const SILENCE: u8 = 2 * PING_INTERVAL;

/// The sockets that are to be looked at.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    newcomers: Mutex<Vec<Weak<Outbound>>>,
}

/// A peer, and for how many beats what has been so.
#[derive(Debug)]
struct Peer {
    outbound: Weak<Outbound>,
    age: Age,
}

#[derive(Clone, Copy, Debug, Default)]
struct Age {
    since_sign: u8,
    since_ping: u8,
}

/// What a beat leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    Ping,
    Cut,
}

impl Pulse {
    /// Starts the task, which runs as long as the process.
    pub(crate) fn start(clock: Arc<Clock>) -> Arc<Self> {
        let pulse = Arc::new(Self::default());
        tokio::spawn(Arc::clone(&pulse).run(clock));
        pulse
    }

    /// Looks at this socket too from now on, for as long as it is there.
    pub(crate) fn watch(&self, outbound: &Arc<Outbound>) {
        let mut newcomers = self.newcomers.lock().expect("nothing panics while it holds the lock");
        newcomers.push(Arc::downgrade(outbound));
    }

    async fn run(self: Arc<Self>, clock: Arc<Clock>) {
        let mut beats = time::interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut peers = Vec::new();
        loop {
            beats.tick().await;
            let newcomers = std::mem::take(
                &mut *self.newcomers.lock().expect("nothing panics while it holds the lock"),
            );
            peers.extend(newcomers.into_iter().map(Peer::new));
            let now = clock.now();
            peers.retain_mut(|peer| peer.beat(now));
        }
    }
}

impl Peer {
    fn new(outbound: Weak<Outbound>) -> Self {
        Self { outbound, age: Age::default() }
    }

    /// Does what is due, and tells whether the peer is still there.
    fn beat(&mut self, now: hubcast::Time) -> bool {
        let Some(outbound) = self.outbound.upgrade() else { return false };
        match self.age.beat(outbound.has_heard()) {
            Due::Nothing => {}
            Due::Ping => outbound.ping(now),
            Due::Cut => outbound.cut(),
        }
        true
    }
}

impl Age {
    fn beat(&mut self, is_heard: bool) -> Due {
        self.since_sign = if is_heard { 0 } else { self.since_sign + 1 };
        self.since_ping += 1;
        if self.since_sign >= SILENCE {
            *self = Self::default();
            return Due::Cut;
        }
        if self.since_ping >= PING_INTERVAL {
            self.since_ping = 0;
            return Due::Ping;
        }
        Due::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everybody gets a ping in every interval. Whoever says nothing through two of them is cut.
    #[test]
    fn pings_and_silence() {
        let mut age = Age::default();
        for beat in 1..=1_000_u32 {
            let expected = if beat % 30 == 0 { Due::Ping } else { Due::Nothing };
            assert_eq!(age.beat(beat % 40 == 0), expected, "{beat}");
        }
        let dues: Vec<Due> = (0..60).map(|_| age.beat(false)).collect();
        assert_eq!(dues.iter().filter(|due| **due == Due::Ping).count(), 2);
        assert_eq!(dues.iter().position(|due| *due == Due::Cut), Some(59));
    }
}
