//! Connections whose transport is full, and what waits for them.

use super::Engine;
use crate::metrics::Drops;
use crate::state::{Bound, ConnectionKey, Kind, Standing};

impl Engine {
    pub(super) fn on_pause(&mut self, key: ConnectionKey) {
        match self.standing(key) {
            Some(Standing::Ready) => self.world.set_standing(key, Standing::Paused),
            Some(Standing::Paused) => {}
            Some(Standing::Detached) | None => self.metrics.stale_inputs += 1,
        }
    }

    pub(super) fn on_resume(&mut self, key: ConnectionKey) {
        match self.standing(key) {
            Some(Standing::Paused) => {
                self.world.set_standing(key, Standing::Ready);
                self.flush(key);
            }
            Some(Standing::Ready) => {}
            Some(Standing::Detached) | None => self.metrics.stale_inputs += 1,
        }
    }

    /// Hands over what has waited for a connection, but for what has expired. Sequence ids are drawn only now,
    /// so that they have no gaps.
    pub(super) fn flush(&mut self, key: ConnectionKey) {
        let connection = self.world.at_mut(key);
        let reliable = connection.protocol.is_reliable();
        let waiting = connection.extra.as_mut().and_then(|extra| extra.backlog.take());
        let Some(mut backlog) = waiting else { return };
        while let Some(waiting) = backlog.pop() {
            let frame = waiting.frame;
            let data = match waiting.kind {
                Kind::Control => None,
                Kind::Data(data) => Some(data),
            };
            if data.is_some_and(|data| data.is_expired(self.now)) {
                let expired = Drops { expired: 1, ..Drops::default() };
                self.metrics.drops += expired;
                self.world.at_mut(key).extra().drops += expired;
                continue;
            }
            self.metrics.deliveries += 1;
            self.metrics.bytes_out += frame.len() as u64;
            let Some(data) = data.filter(|_| reliable) else {
                let expires = data.and_then(|data| data.expires);
                self.outbox.deliver(frame, expires, |to| to.push(key));
                continue;
            };
            debug_assert!(!data.is_expired(self.now));
            let sessions = &mut self.world.sessions;
            let place = sessions.keep(frame.clone());
            // It had room when it began to wait, and limits that were lowered since take nothing away.
            let held = sessions.hold(key.slot(), place, frame.len(), Bound::NONE);
            let sequence = held.expect("nothing bounds it");
            sessions.settle(place, 1);
            self.outbox.deliver_numbered(frame, |to, sequences| {
                to.push(key);
                sequences.push(sequence);
            });
        }
    }

    fn standing(&self, key: ConnectionKey) -> Option<Standing> {
        let connection = self.world.connections.get(key)?;
        connection.is_open().then_some(connection.standing)
    }
}
