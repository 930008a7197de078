//! Deadlines: of calls, of handshakes, of silent connections.

use super::Engine;
use super::open::Refusal;
use crate::metrics::Cause;
use crate::state::{ConnectionKey, On};
use crate::time::Time;

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
        // What is due later than the timer said takes its turn among the others, so that a host that comes
        // late sees the same order as one that comes in time.
        if self.deadline(key).is_some_and(|deadline| deadline > fired) {
            return self.arm(key);
        }
        if self.world.at(key).waiting.is_some() {
            return self.time_out(key);
        }
        let reason = "The connection was idle for too long.";
        self.farewell(key, reason);
        self.shut(key, 1000, reason.into(), Cause::PingTimeout);
    }

    /// Gives up on a handler that has not answered.
    fn time_out(&mut self, key: ConnectionKey) {
        self.metrics.calls_failed += 1;
        let waiting = self.world.at_mut(key).waiting.take().expect("it is waiting");
        match waiting.on {
            On::Connect(_) => {
                let limits = self.limits_of(key);
                let refusal = if limits.handshake_timeout < limits.call_timeout {
                    Refusal::new(503, "The handshake took too long.")
                } else {
                    Refusal::new(500, "The connect event handler did not answer in time.")
                };
                self.world.remove(key);
                self.refuse(key, refusal);
            }
            On::Event { ack_id } => {
                self.stop_waiting(key);
                self.fail_event(key, ack_id, Cause::SendEventFailed);
                self.catch_up(key, waiting.queue);
            }
        }
    }

    /// Lets a connection be idle again: the time in which it waited for a handler was not its own.
    pub(super) fn stop_waiting(&mut self, key: ConnectionKey) {
        self.world.at_mut(key).heard = self.now;
        self.arm(key);
    }

    /// Sets the one timer of a connection to the next thing that can become due.
    pub(super) fn arm(&mut self, key: ConnectionKey) {
        match self.deadline(key) {
            Some(deadline) => self.world.timers.set(key.slot(), deadline),
            None => self.world.timers.clear(key.slot()),
        }
    }

    fn deadline(&self, key: ConnectionKey) -> Option<Time> {
        let connection = self.world.at(key);
        match &connection.waiting {
            Some(waiting) => Some(waiting.deadline),
            None => self.limits_of(key).idle_timeout.map(|idle| connection.heard + idle),
        }
    }
}
