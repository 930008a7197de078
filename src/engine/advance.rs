//! Deadlines: of calls, of handshakes, of silent connections and streams.

use super::Engine;
use super::open::Refusal;
use crate::metrics::CloseCause;
use crate::state::{ConnectionKey, On, Phase};
use crate::time::Time;

/// What can become due for a connection; of what is due at the same moment, the first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// The answer to the call that it waits for.
    Answer,
    /// A sign of life of its peer.
    Idle,
    /// The answer to an invocation.
    Invocation,
    /// A sign of life of a stream.
    Stream,
    /// Its recovery.
    Recovery,
}

impl Engine {
    pub(super) fn on_advance(&mut self) {
        while let Some((deadline, _)) = self.world.timers.first()
            && let Some(slot) = self.world.timers.pop_due(self.now)
        {
            let key = self.world.connections.key_at(slot);
            self.look_at(key.expect("a timer goes with its connection"), deadline);
        }
    }

    /// Does what is due for a connection, or lets its timer run on: traffic only notes the time, and the
    /// timer catches up when it fires.
    fn look_at(&mut self, key: ConnectionKey, fired: Time) {
        let Some((deadline, due)) = self.next_due(key) else { return };
        // What is due later than the timer said takes its turn among the others, so that a host that comes
        // late sees the same order as one that comes in time.
        if deadline > fired {
            return self.arm(key);
        }
        match due {
            Due::Answer => self.time_out(key),
            Due::Recovery => self.expire(key),
            Due::Idle => {
                let reason = "The connection was idle for too long.";
                self.farewell(key, reason);
                self.shut(key, 1000, reason.into(), CloseCause::PingTimeout);
            }
            Due::Invocation => self.time_out_invocation(key),
            Due::Stream => self.time_out_stream(key),
        }
    }

    /// Gives up on a handler that has not answered.
    fn time_out(&mut self, key: ConnectionKey) {
        self.metrics.calls_failed += 1;
        let waiting = self.world.at_mut(key).waiting.take().expect("it is waiting");
        match waiting.on {
            On::Connect(handshake) => {
                let limits = self.limits_of(key);
                let refusal = if limits.handshake_timeout < limits.call_timeout {
                    Refusal::new(503, "The handshake took too long.")
                } else {
                    Refusal::new(500, "The connect event handler did not answer in time.")
                };
                self.turn_away(key, handshake.user.as_deref(), refusal);
            }
            On::Event { ack_id } => {
                self.stop_waiting(key);
                self.fail_event(key, ack_id, CloseCause::SendEventFailed);
                self.catch_up(key, waiting.queue);
            }
        }
    }

    /// Lets a connection and its streams be idle again: the time in which it waited for a handler was not its own.
    pub(super) fn stop_waiting(&mut self, key: ConnectionKey) {
        let now = self.now;
        let connection = self.world.at_mut(key);
        (connection.phase, connection.heard) = (Phase::Open, now);
        for stream in connection.extra.iter_mut().flat_map(|extra| &mut extra.streams) {
            stream.heard = now;
        }
        self.arm(key);
    }

    /// Sets the one timer of a connection to the next thing that can become due.
    pub(super) fn arm(&mut self, key: ConnectionKey) {
        match self.next_due(key) {
            Some((deadline, _)) => self.world.timers.set(key.slot(), deadline),
            None => self.world.timers.clear(key.slot()),
        }
    }

    /// Returns what becomes due first, and when.
    fn next_due(&self, key: ConnectionKey) -> Option<(Time, Due)> {
        let connection = self.world.at(key);
        let own = match &connection.waiting {
            Some(waiting) => Some((waiting.deadline, Due::Answer)),
            None => {
                let idle = self.limits_of(key).idle_timeout.filter(|_| connection.is_attached());
                let idle = idle.map(|idle| (connection.heard + idle, Due::Idle));
                let streams = connection.streams().iter();
                idle.into_iter().chain(streams.map(|each| (each.deadline(), Due::Stream))).min()
            }
        };
        let recovery = connection.recoverable_until().map(|until| (until, Due::Recovery));
        let invocations = connection.invocations().iter();
        let invocations = invocations.map(|each| (each.deadline, Due::Invocation));
        own.into_iter().chain(recovery).chain(invocations).min()
    }
}
