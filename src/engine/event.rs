//! Events on their way to handlers (`webpubsub.md` 8.1).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::Engine;
use crate::config::{EventHandler, EventListener, Limits, SystemEvents};
use crate::event::CallId;
use crate::outbox::{
    Pending, PendingData, PendingEvent, PendingKind, PendingRecordKind, keep_pairs,
};
use crate::protocol::Data;
use crate::state::ConnectionKey;
use crate::time::Time;

impl Engine {
    /// Returns the first handler of a hub that takes an event.
    pub(super) fn handler(
        &self,
        hub: u32,
        takes: impl Fn(&EventHandler) -> bool,
    ) -> Option<Arc<EventHandler>> {
        let handlers = &self.world.hubs[hub as usize].settings.handlers;
        handlers.iter().find(|handler| takes(handler)).cloned()
    }

    /// Returns the listeners of a hub that are told of an event.
    fn listeners(&self, hub: u32, takes: impl Fn(&EventListener) -> bool) -> Listeners {
        let listeners = &self.world.hubs[hub as usize].settings.listeners;
        listeners.iter().filter(|listener| takes(listener)).cloned().collect()
    }

    /// Tells the listeners of an event of a client. Returns the handler that takes it, and the event, unless nobody
    /// is there for it.
    pub(super) fn tell_event(
        &mut self,
        key: ConnectionKey,
        name: &str,
        data: Data<'_>,
        metadata: &[(&str, &str)],
    ) -> (Option<Arc<EventHandler>>, Option<Arc<PendingEvent>>) {
        let hub = self.world.at(key).hub;
        let handler = self.handler(hub, |handler| handler.user_events.matches(name));
        let listeners = self.listeners(hub, |listener| listener.user_events.matches(name));
        if handler.is_none() && listeners.is_empty() {
            self.note_unhandled(key, name);
            return (None, None);
        }
        let kind = PendingKind::User {
            name: name.into(),
            data: PendingData::keep(data),
            metadata: keep_pairs(metadata.iter().copied()),
        };
        let number = self.next_number(key);
        let event = self.take_event(key, number, None, kind);
        self.tell_listeners(listeners, &event);
        (handler, Some(event))
    }

    /// Takes note that nobody is there for an event.
    pub(super) fn note_unhandled(&mut self, key: ConnectionKey, name: &str) {
        self.metrics.events_unhandled += 1;
        self.report_message(key, || PendingRecordKind::Unhandled { event: name.into() });
    }

    /// Tells the listeners and the handler of a system event, if there are any. Nobody waits for an answer.
    pub(super) fn notify(
        &mut self,
        key: ConnectionKey,
        which: impl Fn(&SystemEvents) -> bool,
        kind: PendingKind,
    ) {
        let hub = self.world.at(key).hub;
        let handler = self.handler(hub, |handler| which(&handler.system_events));
        let listeners = self.listeners(hub, |listener| match kind {
            PendingKind::Connected => listener.connected,
            PendingKind::Disconnected { .. } => listener.disconnected,
            PendingKind::Connect(_)
            | PendingKind::User { .. }
            | PendingKind::Joined { .. }
            | PendingKind::Left { .. } => false,
        });
        if handler.is_none() && listeners.is_empty() {
            return;
        }
        let number = self.next_number(key);
        let event = self.take_event(key, number, None, kind);
        self.tell_listeners(listeners, &event);
        if let Some(handler) = handler {
            self.call(handler, None, event);
        }
    }

    /// Tells the handler of the presence event `joined` of a group, if there is one (`webpubsub.md` 8.7).
    pub(super) fn notify_joined(&mut self, key: ConnectionKey, group: &str) {
        if self.is_told(key, |events| events.joined) {
            self.notify(key, |events| events.joined, PendingKind::Joined { group: group.into() });
        }
    }

    /// Tells the handler of the presence event `joined` of all groups that a connection is in.
    pub(super) fn notify_joined_all(&mut self, key: ConnectionKey) {
        if self.is_told(key, |events| events.joined) {
            for group in self.group_names(key) {
                self.notify(key, |events| events.joined, PendingKind::Joined { group });
            }
        }
    }

    /// Tells the handler of the presence event `left` of a group, if there is one.
    pub(super) fn notify_left(&mut self, key: ConnectionKey, group: &str) {
        if self.is_told(key, |events| events.left) {
            self.notify(key, |events| events.left, PendingKind::Left { group: group.into() });
        }
    }

    /// Tells the handler of the presence event `left` of all groups that a connection is about to leave.
    pub(super) fn notify_left_all(&mut self, key: ConnectionKey) {
        if self.is_told(key, |events| events.left) {
            for group in self.group_names(key) {
                self.notify(key, |events| events.left, PendingKind::Left { group });
            }
        }
    }

    /// Tells whether a system event has a handler, so that nothing is copied for nobody.
    fn is_told(&self, key: ConnectionKey, which: impl Fn(&SystemEvents) -> bool) -> bool {
        let hub = self.world.at(key).hub;
        self.handler(hub, |handler| which(&handler.system_events)).is_some()
    }

    fn group_names(&self, key: ConnectionKey) -> Vec<Box<str>> {
        let memberships = self.world.at(key).memberships.iter();
        memberships.map(|each| (&*self.world.groups[each.group as usize].name).into()).collect()
    }

    /// Returns the number of the next event of a connection.
    pub(super) fn next_number(&mut self, key: ConnectionKey) -> u64 {
        let next = &mut self.world.at_mut(key).next_event;
        let number = *next;
        *next += 1;
        number
    }

    /// Names a call so that its name stays good when the connection gets another key.
    pub(super) fn call_id(&self, key: ConnectionKey, number: u64) -> CallId {
        CallId { connection: self.world.at(key).first_key(key), number }
    }

    /// Puts an event together as it is at this moment. `user` is who the peer says it is as long as it has no user yet.
    pub(super) fn take_event(
        &self,
        key: ConnectionKey,
        number: u64,
        user: Option<&str>,
        kind: PendingKind,
    ) -> Arc<PendingEvent> {
        let connection = self.world.at(key);
        let subprotocol = connection.subprotocol().filter(|_| connection.is_open());
        Arc::new(PendingEvent {
            connection: key,
            connection_id: connection.id(key),
            hub: connection.hub,
            user: self.world.user_name(connection).or(user).map(Into::into),
            subprotocol: subprotocol.map(Into::into),
            state: connection.state().map(Into::into),
            number,
            kind,
        })
    }

    fn tell_listeners(&mut self, listeners: Listeners, event: &Arc<PendingEvent>) {
        self.metrics.notifications += listeners.len() as u64;
        for listener in listeners {
            self.outbox.push(Pending::Notify { listener, event: Arc::clone(event) });
        }
    }

    /// Hands an event to a handler.
    pub(super) fn call(
        &mut self,
        handler: Arc<EventHandler>,
        waiting: Option<(CallId, Time)>,
        event: Arc<PendingEvent>,
    ) {
        self.metrics.calls += 1;
        self.outbox.push(Pending::Call { waiting, handler, event });
    }

    pub(super) fn limits_of(&self, key: ConnectionKey) -> &Limits {
        &self.world.hub_of(self.world.at(key)).limits
    }
}

/// The listeners that are told of one event.
type Listeners = SmallVec<[Arc<EventListener>; 2]>;

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use crate::command::{Audience, Command};
    use crate::config::SystemEvents;
    use crate::input::Closed;
    use crate::protocol::Protocol;

    const JOIN: &str = r#"{"type":"joinGroup","group":"room"}"#;
    const LEAVE: &str = r#"{"type":"leaveGroup","group":"room"}"#;

    /// Every way into a group and out of it is an event, once, between `connected` and `disconnected`.
    #[test]
    fn presence() {
        let events = SystemEvents { connect: false, ..SystemEvents::ALL };
        let mut stage = Stage::new(events, |_| {});
        stage.open(None, Protocol::Json, true);
        let lines = stage.lines();
        assert_eq!(lines[2..], ["call 0 connected", "call 0 joined g"]);
        assert_eq!(stage.say(0, JOIN), ["call 0 joined room"]);
        assert!(stage.say(0, JOIN).is_empty());
        assert_eq!(stage.say(0, LEAVE), ["call 0 left room"]);
        assert!(stage.say(0, LEAVE).is_empty());
        let lines = stage.execute(0, |id| Command::Join {
            who: Audience::Connection("h", id),
            groups: &["g", "room"],
        });
        assert_eq!(lines, ["call 0 joined room"]);
        let lines = stage.execute(0, |id| Command::Leave {
            who: Audience::Connection("h", id),
            groups: &["room", "none"],
        });
        assert_eq!(lines, ["call 0 left room"]);
        stage.say(0, JOIN);
        let lines = stage.execute(0, |id| Command::LeaveAll { who: Audience::Connection("h", id) });
        assert_eq!(lines, ["call 0 left g", "call 0 left room"]);
        stage.say(0, JOIN);
        assert_eq!(stage.close(0, Closed::Lost), ["call 0 left room", "call 0 disconnected"]);
    }

    /// A handler gets what it takes and nothing else.
    #[test]
    fn presence_for_those_who_want_it() {
        let mut stage = Stage::new(SystemEvents::NONE, |_| {});
        stage.join();
        assert!(stage.say(0, JOIN).is_empty() && stage.say(0, LEAVE).is_empty());
        let mut stage = Stage::new(SystemEvents { left: true, ..SystemEvents::NONE }, |_| {});
        stage.join();
        assert!(stage.say(0, JOIN).is_empty());
        assert_eq!(stage.say(0, LEAVE), ["call 0 left room"]);
        assert_eq!(stage.engine.metrics().calls, 1);
    }
}
