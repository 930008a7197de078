//! The notifications of a connection: they begin in order, and none waits for long.

use alloc::collections::BTreeSet;

use super::Webhooks;
use super::job::Phase;
use crate::state::ConnectionId;

/// The notifications of a connection that are not over.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// In the order in which they begin.
    jobs: BTreeSet<u64>,
    /// The one that began last; the later ones have not begun.
    head: u64,
    /// Whether the connection is gone, so that its cookies are of no use after the last of these.
    is_last: bool,
}

impl Lane {
    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Returns the one that begins next.
    fn next(&self) -> Option<u64> {
        self.jobs.range(self.head + 1..).next().copied()
    }
}

impl Webhooks {
    /// Puts a notification behind those of its connection that are not over.
    pub(super) fn line_up(&mut self, connection: ConnectionId, serial: u64, last: bool) {
        let lane = self.lanes.entry(connection).or_default();
        lane.jobs.insert(serial);
        lane.is_last |= last;
        self.proceed(connection);
    }

    /// Takes out a notification that is over.
    pub(super) fn step_out(&mut self, connection: ConnectionId, serial: u64) {
        let Some(lane) = self.lanes.get_mut(&connection) else { return };
        lane.jobs.remove(&serial);
        if !lane.jobs.is_empty() {
            return self.proceed(connection);
        }
        let is_last = lane.is_last;
        self.lanes.remove(&connection);
        if is_last {
            self.jars.forget(connection);
        }
    }

    /// Lets the next notification of a connection begin, or sets when to ask again.
    pub(super) fn proceed(&mut self, connection: ConnectionId) {
        let Some(lane) = self.lanes.get_mut(&connection) else { return };
        let Some(serial) = lane.next() else { return };
        let head = self.jobs.get(&lane.head);
        let Some(next) = self.jobs.get(&serial) else { return };
        if let Some(head) = head {
            // They wait for the same handler to be validated, and would go out all at once after that. It will be
            // their turn when the earlier one is sent, or over.
            if head.phase == Phase::Waiting && head.target == next.target {
                return;
            }
            let begins = head.next_begins;
            if self.now < begins {
                return self.set_timer(serial, begins);
            }
        }
        lane.head = serial;
        if let Some(next) = self.jobs.get_mut(&serial) {
            next.next_begins = self.now + self.limits.notification_wait;
        }
        self.ready.push_back(serial);
    }

    /// Forgets the cookies of a connection as soon as none of its notifications is under way any more.
    pub(super) fn forget_cookies(&mut self, connection: ConnectionId) {
        match self.lanes.get_mut(&connection) {
            Some(lane) => lane.is_last = true,
            None => self.jars.forget(connection),
        }
    }
}
