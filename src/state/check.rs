//! Every invariant of the world, checked from scratch.

use super::World;
use super::connection::{Connection, Phase, Queued};
use super::{ConnectionKey, roster::Roster};

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
            Phase::Open => {
                let seat = hub.roster.at(connection.protocol, connection.hub_position);
                assert_eq!(seat, Some((key, 0)), "the hub's roster has {key:?} in its position");
            }
        }
        for (membership, place) in connection.memberships.iter().zip(0..) {
            let group = &self.groups[membership.group as usize];
            assert_eq!(group.hub, connection.hub, "{key:?} is in a group of another hub");
            let seat = group.roster.at(connection.protocol, membership.position);
            assert_eq!(seat, Some((key, place)), "{:?} has {key:?} in its position", group.name);
        }
        if let Some(seat) = connection.user {
            let user = &self.users[seat.user as usize];
            assert_eq!(user.connections[seat.position as usize], key, "{:?}", user.name);
            assert_eq!(user.hub, connection.hub, "{key:?} has a user of another hub");
        }
        let limits = &hub.limits;
        assert!(connection.memberships.len() <= limits.groups_per_connection, "groups of {key:?}");
        let armed = self.timers.get(key.slot());
        if let Some(waiting) = &connection.waiting {
            assert!(armed.is_some_and(|at| at <= waiting.deadline), "{key:?} waits without timer");
            assert!(waiting.queue.len() <= limits.queued_messages, "queue of {key:?}");
            let bytes: usize = waiting.queue.iter().map(Queued::len).sum();
            assert_eq!(bytes, waiting.queued_bytes, "queued bytes of {key:?}");
        } else {
            assert_eq!(armed.is_some(), limits.idle_timeout.is_some(), "idle timer of {key:?}");
        }
    }

    fn check_groups(&self) {
        for (slot, group) in &self.groups {
            assert!(!group.roster.is_empty(), "group {:?} is empty", group.name);
            self.check_roster(&group.roster);
            assert_eq!(self.group(group.hub, &group.name), Some(slot as u32), "name of a group");
        }
        let named: usize = self.hubs.iter().map(|hub| hub.groups.len()).sum();
        assert_eq!(named, self.groups.len(), "each group has its name in one hub");
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
            assert!(all <= hub.limits.connections, "connections of {:?}", hub.name);
        }
        assert_eq!(connections, self.connections.len(), "each connection is in one hub");
        assert!(self.timers.len() <= self.connections.len(), "a timer of nobody");
    }

    fn check_roster(&self, roster: &Roster) {
        for (protocol, keys) in roster.lists() {
            assert!(!keys.is_empty(), "no list for {protocol:?} without members");
            for &key in keys {
                let connection = self.connections.get(key);
                let connection = connection.unwrap_or_else(|| panic!("{key:?} leads nowhere"));
                assert_eq!(connection.protocol, protocol, "{key:?} is in the wrong list");
            }
        }
    }
}
