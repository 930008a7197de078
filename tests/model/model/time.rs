//! Deadlines.

use std::time::Duration;

use hubcast::Time;

use super::{CALL, Connection, Model, On};

impl Model {
    /// Returns when the first deadline is.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.connections.values().filter_map(|connection| self.due(connection)).min()
    }

    /// Does everything that is due, the earliest first.
    pub(crate) fn advance(&mut self) {
        loop {
            let all = self.connections.iter();
            let due = all.filter_map(|(&number, it)| Some((self.due(it)?, it.index, number))).min();
            match due {
                Some((time, _, number)) if time <= self.now => self.act(number),
                _ => return,
            }
        }
    }

    fn due(&self, connection: &Connection) -> Option<Time> {
        let call = connection.waiting.as_ref().map(|waiting| waiting.deadline);
        call.or_else(|| self.idle(connection))
    }

    fn idle(&self, connection: &Connection) -> Option<Time> {
        let idle = Duration::from_secs(self.setup.idle_seconds.filter(|_| connection.open)?);
        Some(connection.heard + idle)
    }

    /// A call that was not answered goes first.
    fn act(&mut self, number: usize) {
        let now = self.now;
        let waiting = &mut self.at(number).waiting;
        let Some(waiting) = waiting.take_if(|waiting| waiting.deadline <= now) else {
            self.farewell(number);
            return self.close(number, 1000);
        };
        match waiting.on {
            On::Connect(_) => {
                let slow = Duration::from_secs(self.setup.handshake_seconds) < CALL;
                self.refuse(number, if slow { 503 } else { 500 });
            }
            On::Event(ack) => {
                self.at(number).heard = now;
                self.fail(number, ack);
                self.catch_up(number, waiting);
            }
        }
    }
}
