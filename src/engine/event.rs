//! Events on their way to handlers (`webpubsub.md` 8.1).

use alloc::boxed::Box;

use super::Engine;
use crate::config::{EventHandler, Limits, SystemEvents};
use crate::event::CallId;
use crate::outbox::{Pending, PendingCall, PendingKind};
use crate::state::ConnectionKey;
use crate::time::Time;

impl Engine {
    /// Returns the place of the first handler of a hub that takes an event.
    pub(super) fn handler(&self, hub: u32, takes: impl Fn(&EventHandler) -> bool) -> Option<usize> {
        self.world.hubs[hub as usize].settings.handlers.iter().position(takes)
    }

    /// Tells the handler of a system event, if there is one. Nobody waits for its answer.
    pub(super) fn notify(
        &mut self,
        key: ConnectionKey,
        which: impl Fn(&SystemEvents) -> bool,
        kind: PendingKind,
    ) {
        let hub = self.world.at(key).hub;
        let Some(handler) = self.handler(hub, |handler| which(&handler.system_events)) else {
            return;
        };
        let number = self.next_number(key);
        self.call(key, handler, number, None, None, kind);
    }

    /// Returns the number of the next event of a connection.
    pub(super) fn next_number(&mut self, key: ConnectionKey) -> u64 {
        let next = &mut self.world.at_mut(key).next_event;
        let number = *next;
        *next += 1;
        number
    }

    /// Hands an event to a handler. `user` is who the peer says it is as long as it has no user yet.
    pub(super) fn call(
        &mut self,
        key: ConnectionKey,
        handler: usize,
        number: u64,
        waiting: Option<(CallId, Time)>,
        user: Option<&str>,
        kind: PendingKind,
    ) {
        self.metrics.calls += 1;
        let connection = self.world.at(key);
        let subprotocol = connection.subprotocol().filter(|_| connection.is_open());
        self.outbox.push(Pending::Call(Box::new(PendingCall {
            id: waiting.map(|(id, _)| id),
            connection: key,
            connection_id: connection.id(key),
            hub: connection.hub,
            handler,
            deadline: waiting.map(|(_, deadline)| deadline),
            user: self.world.user_name(connection).or(user).map(Into::into),
            subprotocol: subprotocol.map(Into::into),
            state: connection.state().map(Into::into),
            number,
            kind,
        })));
    }

    pub(super) fn limits_of(&self, key: ConnectionKey) -> &Limits {
        &self.world.hub_of(self.world.at(key)).limits
    }
}
