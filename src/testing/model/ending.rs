//! The end of connections.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Connection, Model};
use crate::testing::message::Message;
use crate::testing::operation::Ending;
use crate::testing::seen::Seen;

impl Model {
    /// The transport of a connection ended.
    pub fn close(&mut self, number: usize, how: &Ending) {
        let Some(connection) = self.connections.get(&number).filter(|it| it.is_attached()) else {
            self.counters.stale_inputs += 1;
            return;
        };
        let lost = match how {
            Ending::Lost => true,
            Ending::Clean(code, _) => *code != 1000,
            Ending::SlowConsumer => false,
        };
        if connection.open && connection.protocol.is_reliable() && lost {
            self.detach(number);
        } else {
            self.end(number);
        }
        self.settle();
    }

    /// The server stops.
    pub fn stop(&mut self) {
        self.stopped = true;
        for number in self.connections.keys().copied().collect::<Vec<_>>() {
            if self.connections[&number].open {
                self.farewell(number);
                self.shut(number, 1001);
            } else {
                self.refuse(number, 503);
            }
        }
        self.settle();
    }

    /// Tells a client that it will be closed.
    pub(super) fn farewell(&mut self, number: usize) {
        self.send(number, &Message::Disconnected { message: String::new() }, 0);
    }

    pub(super) fn refuse(&mut self, number: usize, status: u16) {
        self.connections.remove(&number);
        self.tell(number, Seen::Refuse(status));
    }

    /// Closes a connection from our side. What waits for it goes first.
    pub(super) fn shut(&mut self, number: usize, code: u16) {
        if self.connections[&number].is_attached() {
            self.flush(number);
            self.tell(number, Seen::Close(code));
        }
        self.end(number);
    }

    /// Forgets a connection and tells its handler, if it was open, and then others.
    pub(super) fn end(&mut self, number: usize) {
        if let Some(gone) = self.part(number) {
            self.mourn(&gone);
        }
    }

    /// Forgets a connection and tells its handler, if it was open. Returns it, if others have to be told.
    pub(super) fn part(&mut self, number: usize) -> Option<Connection> {
        let connection = &self.connections[&number];
        let waiting = connection.backlog.iter().filter(|parked| !parked.control).count();
        self.counters.drops.ended += waiting as u64;
        if connection.open {
            self.counters.closes += 1;
            self.drop_invocations(number);
            for group in self.connections[&number].groups.clone() {
                self.notify(number, "left", Some(group), |handler| handler.left);
            }
            self.notify(number, "disconnected", None, |handler| handler.disconnected);
        }
        let connection = self.connections.remove(&number);
        connection.filter(|it| it.leaves_something() && !self.stopped)
    }

    /// Tells others what a connection that is gone left behind.
    pub(super) fn mourn(&mut self, gone: &Connection) {
        for stream in &gone.streams {
            self.cancel_stream(gone, stream);
        }
        let updated_at = gone.next_stamp(self.now);
        for group in gone.groups.iter().filter(|group| gone.states.contains_key(*group)) {
            self.tell_state(gone, group, None, updated_at);
        }
    }

    /// Ends those for whom it was one message too many, now that everything else is done.
    pub(super) fn settle(&mut self) {
        let mut next = 0;
        while let Some(&number) = self.doomed.get(next) {
            next += 1;
            if !self.connections.contains_key(&number) {
                continue;
            }
            let rest: BTreeSet<_> =
                self.doomed[next..].iter().filter(|it| **it != number).collect();
            let heirs = rest.iter().filter_map(|it| self.connections.get(it));
            let heirs = heirs.filter(|it| it.leaves_something()).count();
            let legacy = self.connections[&number].leaves_something();
            if !rest.is_empty() && (legacy || heirs > 0) {
                self.ambiguous = true;
            }
            if self.connections[&number].is_attached() {
                self.tell(number, Seen::Close(1008));
            }
            self.end(number);
        }
        self.doomed.clear();
    }
}

impl Connection {
    /// Tells whether others see its end: its streams break off, and its states are no more.
    pub(super) fn leaves_something(&self) -> bool {
        !self.streams.is_empty() || !self.states.is_empty()
    }
}
