//! Moves between the classes of members: a connection is paused, loses its transport, or gets another one.

use super::roster::Removed;
use super::{Class, ConnectionKey, Standing, World};

impl World {
    /// Changes whether something can be handed over to a connection.
    pub(crate) fn set_standing(&mut self, key: ConnectionKey, standing: Standing) {
        let connection = self.at_mut(key);
        let before = connection.class();
        connection.standing = standing;
        self.relist(key, before);
    }

    /// Gives a connection a new key and everything that comes from now on; the old key is stale.
    pub(crate) fn renew(&mut self, key: ConnectionKey) -> ConnectionKey {
        let first = self.at(key).first_key(key);
        let key = self.connections.renew(key);
        let connection = self.at_mut(key);
        connection.extra().born = Some(first.generation());
        let before = connection.class();
        connection.standing = Standing::Ready;
        self.relist(key, before);
        key
    }

    /// Moves a connection from the lists of one class to those of the one that it is of now, under the key
    /// that it has now.
    fn relist(&mut self, key: ConnectionKey, before: Class) {
        let connection = self.at_mut(key);
        let (hub, position, seat) = (connection.hub, connection.hub_position, connection.user);
        let now = connection.class();
        let memberships = core::mem::take(&mut connection.memberships);
        if let Some(seat) = seat {
            self.users[seat.user() as usize].connections[seat.position as usize] = key;
        }
        let roster = &mut self.hubs[hub as usize].roster;
        if before == now {
            roster.set_key(now, key, position);
            for membership in memberships.iter() {
                let roster = &mut self.groups[membership.group as usize].roster;
                roster.set_key(now, key, membership.position);
            }
            self.at_mut(key).memberships = memberships;
            return;
        }
        let removed = roster.swap_remove(before, key, position);
        let added = roster.push(now, key);
        self.at_mut(key).hub_position = added.position;
        if let Removed::Moved(moved) = removed {
            self.at_mut(moved).hub_position = position;
        }
        if added.tell_others {
            self.tell_hub_positions(hub, now, key);
        }
        let mut memberships = memberships;
        for membership in memberships.iter_mut() {
            let group = membership.group;
            let roster = &mut self.groups[group as usize].roster;
            let removed = roster.swap_remove(before, key, membership.position);
            let added = roster.push(now, key);
            if let Removed::Moved(moved) = removed {
                self.at_mut(moved).memberships.set_position(*membership);
            }
            membership.position = added.position;
            if added.tell_others {
                self.tell_positions(group, now, key);
            }
        }
        self.at_mut(key).memberships = memberships;
    }
}
