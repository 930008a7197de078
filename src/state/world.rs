//! Everything in one value, and the operations that keep its parts in step.

use alloc::boxed::Box;
use alloc::vec::Vec;

use slab::Slab;
use smallvec::SmallVec;

use super::connection::{Connection, Phase, UserSeat};
use super::hub::{Group, Hub, Settings, User};
use super::membership::Membership;
use super::names::{NameHasher, Names};
use super::quota::QuotaUse;
use super::roster::{Class, Removed, Roster};
use super::timers::Timers;
use super::{Arena, ConnectionId, ConnectionKey, Sessions};
use crate::config::Limits;
use crate::name::HUB_BYTES_MAX;

/// All hubs with their connections, groups and users.
///
/// Connections have generational keys, because hosts hold on to them. Hubs, groups and users are known by
/// their slots, and only in here: whoever holds a slot is corrected when it changes.
#[derive(Debug)]
pub(crate) struct World {
    pub connections: Arena<Connection>,
    /// Hubs stay once they are there.
    pub hubs: Vec<Hub>,
    pub groups: Slab<Group>,
    pub users: Slab<User>,
    /// For each connection when it is to be looked at, by its slot.
    pub timers: Timers,
    /// Of the reliable connections.
    pub sessions: Sessions,
    /// How many groups there ever were.
    groups_ever: u64,
    pub(super) hub_names: Names,
    pub(super) hasher: NameHasher,
}

/// How many hubs are compared with a name before it is hashed.
const HUBS_COMPARED: usize = 2;

/// A connection is in as many groups as it may be in.
#[derive(Debug)]
pub(crate) struct Full;

/// A connection was in a group and is so no longer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left {
    /// Whether it had a state there, which is gone now.
    pub stateful: bool,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            connections: Arena::new(),
            hubs: Vec::new(),
            groups: Slab::new(),
            users: Slab::new(),
            timers: Timers::default(),
            sessions: Sessions::default(),
            groups_ever: 0,
            hub_names: Names::default(),
            hasher: NameHasher::new(seed),
        }
    }

    /// Finds a hub, without regard to case.
    #[inline]
    pub(crate) fn hub(&self, name: &str) -> Option<u32> {
        // Most hosts have few hubs and name them as they are: to compare is less than to hash.
        let mut first = self.hubs.iter().take(HUBS_COMPARED);
        match first.position(|hub| *hub.name == *name) {
            Some(place) => Some(place as u32),
            None => self.hub_by_hash(name),
        }
    }

    fn hub_by_hash(&self, name: &str) -> Option<u32> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let mut lower = [0; HUB_BYTES_MAX];
            let lower = lower.get_mut(..name.len())?;
            lower.copy_from_slice(name.as_bytes());
            lower.make_ascii_lowercase();
            return self.hub_by_hash(core::str::from_utf8(lower).ok()?);
        }
        let is = |slot: u32| *self.hubs[slot as usize].name == *name;
        self.hub_names.find(self.hasher.hash(name), is)
    }

    /// Adds a hub that is not there yet.
    pub(crate) fn add_hub(&mut self, name: &str, settings: Settings, limits: Limits) -> u32 {
        let slot = u32::try_from(self.hubs.len()).expect("fewer than 2^32 hubs");
        let name = name.to_ascii_lowercase();
        self.hub_names.insert(self.hasher.hash(&name), slot);
        self.hubs.push(Hub {
            name: name.into(),
            settings,
            limits,
            is_set_up_anew: false,
            groups: Names::default(),
            users: Names::default(),
            roster: Roster::default(),
            handshaking: 0,
            quota: QuotaUse::default(),
        });
        slot
    }

    pub(crate) fn group(&self, hub: u32, name: &str) -> Option<u32> {
        self.find_group(hub, self.hasher.hash(name), name)
    }

    fn find_group(&self, hub: u32, hash: u32, name: &str) -> Option<u32> {
        let is = |slot: u32| *self.groups[slot as usize].name == *name;
        self.hubs[hub as usize].groups.find(hash, is)
    }

    pub(crate) fn user(&self, hub: u32, name: &str) -> Option<u32> {
        self.find_user(hub, self.hasher.hash(name), name)
    }

    fn find_user(&self, hub: u32, hash: u32, name: &str) -> Option<u32> {
        let is = |slot: u32| *self.users[slot as usize].name == *name;
        self.hubs[hub as usize].users.find(hash, is)
    }

    /// Finds an open connection by its public id.
    pub(crate) fn find(&self, hub: u32, id: &str) -> Option<ConnectionKey> {
        let (slot, secret) = ConnectionId::parse(id)?;
        let key = self.connections.key_at(slot)?;
        let connection = self.connections.get(key)?;
        let same = connection.secret == secret && connection.hub == hub && connection.is_open();
        same.then_some(key)
    }

    /// Returns a connection whose key is known to be good.
    pub(crate) fn at(&self, key: ConnectionKey) -> &Connection {
        self.connections.get(key).expect("a key held by the world leads to a connection")
    }

    /// Returns a connection whose key is known to be good.
    pub(crate) fn at_mut(&mut self, key: ConnectionKey) -> &mut Connection {
        self.connections.get_mut(key).expect("a key held by the world leads to a connection")
    }

    /// Finds the connection whose first key this was.
    pub(crate) fn born_as(&self, key: ConnectionKey) -> Option<ConnectionKey> {
        let now = self.connections.key_at(key.slot())?;
        (self.at(now).first_key(now) == key).then_some(now)
    }

    pub(crate) fn hub_of(&self, connection: &Connection) -> &Hub {
        &self.hubs[connection.hub as usize]
    }

    pub(crate) fn user_name(&self, connection: &Connection) -> Option<&str> {
        connection.user.map(|seat| &*self.users[seat.user() as usize].name)
    }

    /// Opens a connection: it is in its hub's roster and with its user from now on.
    pub(crate) fn enter(&mut self, key: ConnectionKey, user: Option<&str>) {
        let connection = self.connections.get_mut(key).expect("it is being opened");
        connection.phase = Phase::Open;
        let hub = connection.hub;
        let Hub { roster, handshaking, .. } = &mut self.hubs[hub as usize];
        *handshaking -= 1;
        let class = connection.class();
        let added = roster.push(class, key);
        connection.hub_position = added.position;
        if added.tell_others {
            self.tell_hub_positions(hub, class, key);
        }
        let Some(name) = user else { return };
        let user = self.user_or_new(hub, name);
        let connections = &mut self.users[user as usize].connections;
        let position = connections.len() as u32;
        connections.push(key);
        self.at_mut(key).user = Some(UserSeat::new(user, position));
    }

    fn user_or_new(&mut self, hub: u32, name: &str) -> u32 {
        let hash = self.hasher.hash(name);
        self.find_user(hub, hash, name).unwrap_or_else(|| {
            let user = User { hub, name: name.into(), connections: SmallVec::new() };
            let slot = self.users.insert(user) as u32;
            self.hubs[hub as usize].users.insert(hash, slot);
            slot
        })
    }

    /// Puts a connection into a group of its hub. Nothing happens when it is there already. Returns whether it was
    /// not.
    pub(crate) fn join(&mut self, key: ConnectionKey, group: &str) -> Result<bool, Full> {
        let Self { connections, hubs, groups, hasher, groups_ever, .. } = self;
        let connection = connections.get_mut(key).expect("it joins");
        let hub = &mut hubs[connection.hub as usize];
        let hash = hasher.hash(group);
        let found = hub.groups.find(hash, |slot| *groups[slot as usize].name == *group);
        if found.is_some_and(|slot| connection.memberships.find(slot).is_some()) {
            return Ok(false);
        }
        if connection.memberships.len() >= hub.limits.groups_per_connection {
            return Err(Full);
        }
        let slot = found.unwrap_or_else(|| {
            *groups_ever += 1;
            let new = Group {
                hub: connection.hub,
                name: group.into(),
                number: *groups_ever,
                roster: Roster::default(),
                states: None,
            };
            let slot = groups.insert(new) as u32;
            hub.groups.insert(hash, slot);
            slot
        });
        let class = connection.class();
        let added = groups[slot as usize].roster.push(class, key);
        connection.memberships.push(Membership { group: slot, position: added.position });
        if added.tell_others {
            self.tell_positions(slot, class, key);
        }
        Ok(true)
    }

    /// Takes a connection out of a group, and its state there away. `None` when it is not in it: then nothing
    /// happens.
    pub(crate) fn leave(&mut self, key: ConnectionKey, group: u32) -> Option<Left> {
        let place = self.at(key).memberships.find(group)?;
        let stateful = self.forget_states(key, group);
        let connection = self.at_mut(key);
        let class = connection.class();
        let gone = connection.memberships.remove(place);
        let removed = self.groups[group as usize].roster.swap_remove(class, key, gone.position);
        self.settle(removed, gone);
        Some(Left { stateful })
    }

    /// Looks at everything that a connection leaves when it goes, before anything of it is changed. All that lies far away
    /// in a large world, and to look is to have the memory fetch all of it at once.
    pub(crate) fn glance(&self, key: ConnectionKey) {
        let connection = self.at(key);
        let user = connection.user.map(|seat| &self.users[seat.user() as usize]);
        let seats = user.map_or(0, |user| user.connections.len());
        let groups = connection.memberships.iter();
        let groups = groups.map(|each| self.groups[each.group as usize].roster.glance());
        let groups = groups.sum::<usize>();
        let named = user.and_then(|user| {
            let names = &self.hubs[connection.hub as usize].users;
            names.find(self.hasher.hash(&user.name), |_| true)
        });
        core::hint::black_box((seats, groups, named));
    }

    /// Takes a connection out of all its groups, and its states there away. Returns the groups where it had one, in no
    /// particular order.
    pub(crate) fn leave_all(&mut self, key: ConnectionKey) -> Vec<u32> {
        let connection = self.at_mut(key);
        let class = connection.class();
        let memberships = core::mem::take(&mut connection.memberships);
        let mut stateful = Vec::new();
        // All leave before the first of those that got their places is told: groups and connections lie far away, and
        // so the memory fetches many of a kind at a time.
        let mut left = SmallVec::<[_; 16]>::new();
        for membership in memberships.iter() {
            let group = &mut self.groups[membership.group as usize];
            left.push((group.roster.swap_remove(class, key, membership.position), membership));
            if group.states.is_some() && self.forget_states(key, membership.group) {
                stateful.push(membership.group);
            }
        }
        for &(removed, membership) in &left {
            self.settle(removed, membership);
        }
        stateful
    }

    /// Tells a member that it has the place of one that left; the group goes with its last member.
    #[inline]
    fn settle(&mut self, removed: Removed, membership: Membership) {
        match removed {
            Removed::Quietly => {}
            Removed::Moved(moved) => self.at_mut(moved).memberships.set_position(membership),
            Removed::LastOfAll => {
                let group = self.groups.remove(membership.group as usize);
                let hash = self.hasher.hash(&group.name);
                self.hubs[group.hub as usize].groups.remove(hash, membership.group);
            }
        }
    }

    /// Returns the class and the position of a connection in a group, if it is in it.
    pub(crate) fn position(&self, key: ConnectionKey, group: u32) -> Option<(Class, u32)> {
        let connection = self.at(key);
        let membership = connection.memberships.get(connection.memberships.find(group)?);
        let class = connection.class();
        let roster = &self.groups[group as usize].roster;
        Some((class, roster.position(class, key, membership.position)))
    }

    /// Tells the members of a group that are of one class their positions, but for one that knows.
    #[cold]
    pub(super) fn tell_positions(&mut self, group: u32, class: Class, but: ConnectionKey) {
        let list = self.groups[group as usize].roster.list(class);
        for (&key, position) in list.iter().zip(0..).filter(|&(&key, _)| key != but) {
            let connection = self.connections.get_mut(key).expect("it is in a list");
            connection.memberships.set_position(Membership { group, position });
        }
    }

    /// The same for the connections of a hub.
    #[cold]
    pub(super) fn tell_hub_positions(&mut self, hub: u32, class: Class, but: ConnectionKey) {
        let list = self.hubs[hub as usize].roster.list(class);
        for (&key, position) in list.iter().zip(0..).filter(|&(&key, _)| key != but) {
            let connection = self.connections.get_mut(key).expect("it is in a list");
            connection.hub_position = position;
        }
    }

    /// Removes a connection from everything. Its key is stale from now on.
    pub(crate) fn remove(&mut self, key: ConnectionKey) {
        self.timers.clear(key.slot());
        let stateful = self.leave_all(key);
        debug_assert!(stateful.is_empty(), "who has states leaves before it is removed");
        self.leave_user(key);
        let connection = self.connections.remove(key).expect("it is being removed");
        if connection.is_open() && connection.protocol.is_reliable() {
            self.sessions.end(key.slot());
        }
        let hub = &mut self.hubs[connection.hub as usize];
        match connection.phase {
            Phase::Handshaking => hub.handshaking -= 1,
            Phase::Open | Phase::Waiting => {
                let position = connection.hub_position;
                let removed = hub.roster.swap_remove(connection.class(), key, position);
                if let Removed::Moved(moved) = removed {
                    self.at_mut(moved).hub_position = position;
                }
            }
        }
    }

    fn leave_user(&mut self, key: ConnectionKey) {
        let Some(seat) = self.at_mut(key).user.take() else { return };
        let user = &mut self.users[seat.user() as usize];
        user.connections.swap_remove(seat.position as usize);
        if let Some(&moved) = user.connections.get(seat.position as usize) {
            self.at_mut(moved).user = Some(seat);
        } else if user.connections.is_empty() {
            let user = self.users.remove(seat.user() as usize);
            let hash = self.hasher.hash(&user.name);
            self.hubs[user.hub as usize].users.remove(hash, seat.user());
        }
    }
}

/// Copies texts so that they can be kept.
pub(crate) fn keep(texts: &[&str]) -> Vec<Box<str>> {
    texts.iter().map(|&text| text.into()).collect()
}
