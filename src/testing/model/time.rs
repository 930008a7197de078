//! Deadlines.

use core::time::Duration;

use super::session::Standing;
use super::{CALL, Connection, Model, On};
use crate::time::Time;

/// What can become due; of what is due at the same time the first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Answer,
    Idle,
    Invocation,
    Stream,
    Recovery,
}

impl Model {
    /// Returns when the first deadline is.
    pub fn next_deadline(&self) -> Option<Time> {
        self.connections.values().filter_map(|it| self.due(it)).map(|(time, _)| time).min()
    }

    /// Does everything that is due, the earliest first.
    pub fn advance(&mut self) {
        loop {
            let all = self.connections.iter();
            let due = all.filter_map(|(&number, it)| {
                let (time, due) = self.due(it)?;
                Some((time, it.index, number, due))
            });
            match due.min() {
                Some((time, _, number, due)) if time <= self.now => self.act(number, due),
                _ => break,
            }
        }
        self.settle();
    }

    fn due(&self, connection: &Connection) -> Option<(Time, Due)> {
        let mut all = alloc::vec::Vec::new();
        if let Some(waiting) = &connection.waiting {
            // While it waits for a handler, neither it nor its streams can be idle.
            all.push((waiting.deadline, Due::Answer));
        } else {
            let idle =
                self.setup.idle_seconds.filter(|_| connection.open && connection.is_attached());
            all.extend(idle.map(|idle| (connection.heard + Duration::from_secs(idle), Due::Idle)));
            all.extend(connection.streams.iter().map(|it| (it.deadline(), Due::Stream)));
        }
        all.extend(connection.invocations.iter().map(|it| (it.deadline, Due::Invocation)));
        if let Standing::Detached(until) = connection.standing {
            all.push((until, Due::Recovery));
        }
        all.into_iter().min()
    }

    fn act(&mut self, number: usize, due: Due) {
        match due {
            Due::Answer => {
                let waiting = self.at(number).waiting.take().expect("it is due");
                match waiting.on {
                    On::Connect(_) => {
                        let slow = Duration::from_secs(self.setup.handshake_seconds) < CALL;
                        self.refuse(number, if slow { 503 } else { 500 });
                    }
                    On::Event(ack) => {
                        self.stop_waiting(number);
                        self.fail(number, ack);
                        self.catch_up(number, waiting);
                    }
                }
            }
            Due::Idle => {
                self.farewell(number);
                self.shut(number, 1000);
            }
            Due::Invocation => self.time_out_invocation(number),
            Due::Stream => self.time_out_stream(number),
            Due::Recovery => self.end(number),
        }
    }
}
