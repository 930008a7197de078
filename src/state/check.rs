//! Every invariant of the world, checked from scratch.

use alloc::vec;
use alloc::vec::Vec;

use super::World;
use super::connection::{Connection, Phase, Queued};
use super::hub::Group;
use super::{ConnectionKey, Standing, Stream, roster::Roster};
use crate::config::Limits;

impl World {
    /// Panics with a message when an invariant does not hold. Looks at everything: for tests.
    pub(crate) fn check(&self) {
        let mut memberships = 0;
        let mut seats = 0;
        for (key, connection) in self.connections.iter() {
            self.check_connection(key, connection);
            memberships += connection.memberships.len();
            seats += usize::from(connection.user.is_some());
        }
        let members: usize = self.groups.iter().map(|(_, group)| group.roster.len()).sum();
        assert_eq!(members, memberships, "a membership has a mirror on each side");
        let seated: usize = self.users.iter().map(|(_, user)| user.connections.len()).sum();
        assert_eq!(seated, seats, "a seat with a user has a mirror on each side");
        self.check_groups();
        self.check_users();
        self.check_hubs();
        self.timers.check();
        let reliable =
            |connection: &Connection| connection.is_open() && connection.protocol.is_reliable();
        let sessions = self.connections.iter().filter(|(_, connection)| reliable(connection));
        self.sessions.check(sessions.map(|(key, _)| key.slot()));
    }

    fn check_connection(&self, key: ConnectionKey, connection: &Connection) {
        connection.memberships.check();
        let hub = &self.hubs[connection.hub as usize];
        match connection.phase {
            Phase::Handshaking => {
                assert_eq!(connection.memberships.len(), 0, "{key:?} is in a group too early");
                assert!(connection.user.is_none(), "{key:?} has a user too early");
                assert!(connection.waiting.is_some(), "{key:?} shakes hands with nobody");
            }
            Phase::Open | Phase::Waiting => {
                let waits = connection.phase == Phase::Waiting;
                assert_eq!(connection.waiting.is_some(), waits, "whether {key:?} waits");
                check_position(&hub.roster, connection, key, connection.hub_position, &hub.name);
            }
        }
        for membership in connection.memberships.iter() {
            let group = &self.groups[membership.group as usize];
            assert_eq!(group.hub, connection.hub, "{key:?} is in a group of another hub");
            check_position(&group.roster, connection, key, membership.position, &group.name);
        }
        if let Some(seat) = connection.user {
            let user = &self.users[seat.user() as usize];
            assert_eq!(user.connections[seat.position as usize], key, "{:?}", user.name);
            assert_eq!(user.hub, connection.hub, "{key:?} has a user of another hub");
        }
        check_backlog(key, connection);
        if !hub.is_set_up_anew {
            self.check_limits(key, connection, &hub.limits);
        }
        if let Some(waiting) = &connection.waiting {
            let bytes: usize = waiting.queue.iter().map(Queued::len).sum();
            assert_eq!(bytes, waiting.queued_bytes, "queued bytes of {key:?}");
        }
        self.check_timer(key, connection);
        check_streams(key, connection);
        check_invocations(key, connection);
    }

    /// Nobody has more of anything than is allowed.
    fn check_limits(&self, key: ConnectionKey, connection: &Connection, limits: &Limits) {
        assert!(connection.memberships.len() <= limits.groups_per_connection, "groups of {key:?}");
        if let Some(waiting) = &connection.waiting {
            assert!(waiting.queue.len() <= limits.queued_messages, "queue of {key:?}");
        }
        let streams = connection.streams();
        assert!(streams.len() <= limits.streams_per_connection, "streams of {key:?}");
        let invocations = connection.invocations();
        assert!(invocations.len() <= limits.invocations_per_connection, "invocations of {key:?}");
        let Some(backlog) = connection.backlog() else { return };
        if connection.protocol.is_reliable() {
            let held = self.sessions.held(key.slot()).len() + backlog.messages();
            assert!(held <= limits.unacknowledged_messages, "messages of {key:?}");
            let bytes = self.sessions.bytes(key.slot()) + backlog.bytes();
            assert!(bytes <= limits.unacknowledged_bytes, "bytes of {key:?}");
        } else {
            assert!(backlog.messages() <= limits.paused_messages, "messages of {key:?}");
            assert!(backlog.bytes() <= limits.paused_bytes, "bytes of {key:?}");
        }
    }

    /// The timer fires no later than anything becomes due: traffic does not move it.
    fn check_timer(&self, key: ConnectionKey, connection: &Connection) {
        let idle = self.hub_of(connection).limits.idle_timeout;
        let idle = idle.filter(|_| connection.is_attached());
        let mut due: Vec<_> = match &connection.waiting {
            Some(waiting) => vec![waiting.deadline],
            None => {
                let streams = connection.streams().iter().map(Stream::deadline);
                streams.chain(idle.map(|idle| connection.heard + idle)).collect()
            }
        };
        due.extend(connection.recoverable_until());
        due.extend(connection.invocations().iter().map(|each| each.deadline));
        let (armed, due) = (self.timers.get(key.slot()), due.into_iter().min());
        assert_eq!(armed.is_some(), due.is_some(), "{key:?} has a timer while it needs one");
        assert!(armed <= due, "the timer of {key:?} is late");
    }

    fn check_groups(&self) {
        for (slot, group) in &self.groups {
            assert!(!group.roster.is_empty(), "group {:?} is empty", group.name);
            self.check_roster(&group.roster);
            self.check_group_states(slot as u32, group);
            assert_eq!(self.group(group.hub, &group.name), Some(slot as u32), "name of a group");
        }
        let named: usize = self.hubs.iter().map(|hub| hub.groups.len()).sum();
        assert_eq!(named, self.groups.len(), "each group has its name in one hub");
    }

    fn check_group_states(&self, slot: u32, group: &Group) {
        let Some(states) = &group.states else { return };
        let name = &group.name;
        assert!(!states.states.is_empty() || !states.subscribers.is_empty(), "no states {name:?}");
        let member = |owner: u32| {
            let key = self.connections.key_at(owner);
            let connection = key.and_then(|key| self.connections.get(key));
            let connection = connection.filter(|each| each.memberships.find(slot).is_some());
            connection.unwrap_or_else(|| panic!("{owner} with states in {name:?} is no member"))
        };
        for &subscriber in &states.subscribers {
            member(subscriber);
        }
        for (&owner, state) in &states.states {
            let owner = member(owner);
            let stated_at = owner.extra.as_ref().map(|extra| extra.stated_at);
            assert!(Some(state.updated_at) <= stated_at, "a state of {name:?} is from tomorrow");
            let bytes: usize =
                state.entries.iter().map(|(key, value)| key.len() + value.len()).sum();
            let hub = self.hub_of(owner);
            let most = hub.limits.group_state_bytes;
            assert!(hub.is_set_up_anew || bytes <= most, "a state of {name:?} has {bytes} bytes");
        }
    }

    fn check_users(&self) {
        for (slot, user) in &self.users {
            assert!(!user.connections.is_empty(), "user {:?} has no connection", user.name);
            assert_eq!(self.user(user.hub, &user.name), Some(slot as u32), "name of a user");
            for &key in &user.connections {
                assert!(self.connections.get(key).is_some(), "{key:?} of {:?}", user.name);
            }
        }
        let named: usize = self.hubs.iter().map(|hub| hub.users.len()).sum();
        assert_eq!(named, self.users.len(), "each user has its name in one hub");
    }

    fn check_hubs(&self) {
        let mut connections = 0;
        for (slot, hub) in self.hubs.iter().enumerate() {
            assert_eq!(self.hub(&hub.name), Some(slot as u32), "name of a hub");
            self.check_roster(&hub.roster);
            connections += hub.roster.len() + hub.handshaking;
            let all = hub.roster.len() + hub.handshaking;
            let most = hub.limits.connections;
            assert!(hub.is_set_up_anew || all <= most, "connections of {:?}", hub.name);
        }
        assert_eq!(connections, self.connections.len(), "each connection is in one hub");
        assert!(self.timers.len() <= self.connections.len(), "a timer of nobody");
    }

    fn check_roster(&self, roster: &Roster) {
        for (class, keys) in roster.lists() {
            assert!(!keys.is_empty(), "no list for {class:?} without members");
            for &key in keys {
                let connection = self.connections.get(key);
                let connection = connection.unwrap_or_else(|| panic!("{key:?} leads nowhere"));
                assert_eq!(connection.class(), class, "{key:?} is in the wrong list");
            }
        }
    }
}

/// A member is found where the roster and its own memory say.
fn check_position(
    roster: &Roster,
    connection: &Connection,
    key: ConnectionKey,
    told: u32,
    name: &str,
) {
    let class = connection.class();
    let position = roster.position(class, key, told);
    let found = roster.list(class).get(position as usize);
    assert_eq!(found, Some(&key), "{name:?} has {key:?} in its position");
}

fn check_backlog(key: ConnectionKey, connection: &Connection) {
    if !connection.is_attached() {
        assert!(connection.protocol.is_reliable(), "{key:?} cannot be recovered");
    }
    let Some(backlog) = connection.backlog() else { return };
    backlog.check();
    let ready = connection.standing == Standing::Ready;
    assert!(!ready, "something waits for {key:?}, which is ready");
}

fn check_streams(key: ConnectionKey, connection: &Connection) {
    let streams = connection.streams();
    for (place, stream) in streams.iter().enumerate() {
        assert!(stream.expected > 0, "a stream of {key:?} begins with 1");
        let twin = streams[..place].iter().find(|each| each.id == stream.id);
        assert!(twin.is_none(), "{key:?} has two streams {:?}", stream.id);
    }
}

fn check_invocations(key: ConnectionKey, connection: &Connection) {
    let invocations = connection.invocations();
    for (place, invocation) in invocations.iter().enumerate() {
        assert!(invocation.number < connection.next_event, "{key:?} waits for what was not asked");
        let before = &invocations[..place];
        let twin =
            before.iter().find(|each| each.id == invocation.id || each.number == invocation.number);
        assert!(twin.is_none(), "{key:?} has two invocations {:?}", invocation.id);
    }
}
