//! What the engine shows of hubs, groups and users.

use crate::state::{ConnectionKey, Group, Hub, Roster, User, World};

/// What the engine knows of a hub, lent out by [`Engine::hubs`](crate::Engine::hubs).
#[derive(Clone, Copy, Debug)]
pub struct HubView<'a> {
    world: &'a World,
    slot: u32,
    hub: &'a Hub,
}

impl<'a> HubView<'a> {
    pub(super) fn all(world: &'a World) -> impl ExactSizeIterator<Item = Self> {
        world.hubs.iter().enumerate().map(move |(slot, hub)| Self { world, slot: slot as u32, hub })
    }

    pub(super) fn find(world: &'a World, name: &str) -> Option<Self> {
        let slot = world.hub(name)?;
        Some(Self { world, slot, hub: &world.hubs[slot as usize] })
    }

    /// Returns the name, in lower case.
    pub fn name(self) -> &'a str {
        &self.hub.name
    }

    /// Returns how many connections are open.
    pub fn len(self) -> usize {
        self.hub.roster.len()
    }

    /// Tells whether nobody is connected.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns how many connections it may have.
    pub fn connections_max(self) -> usize {
        self.hub.limits.connections
    }

    /// Returns how many groups there are.
    pub fn group_count(self) -> usize {
        self.hub.groups.len()
    }

    /// Returns how many users there are.
    pub fn user_count(self) -> usize {
        self.hub.users.len()
    }

    /// Goes through the open connections, in no particular order.
    pub fn connections(self) -> impl Iterator<Item = ConnectionKey> + use<'a> {
        self.hub.roster.keys()
    }

    /// Shows a group.
    pub fn group(self, name: &str) -> Option<GroupView<'a>> {
        let slot = self.world.group(self.slot, name)?;
        Some(GroupView { group: &self.world.groups[slot as usize] })
    }

    /// Shows a user.
    pub fn user(self, name: &str) -> Option<UserView<'a>> {
        let slot = self.world.user(self.slot, name)?;
        Some(UserView { user: &self.world.users[slot as usize] })
    }

    /// Goes through the groups, in no particular order. It passes over those of other hubs, too.
    pub fn groups(self) -> impl Iterator<Item = GroupView<'a>> + use<'a> {
        let slot = self.slot;
        let groups = self.world.groups.iter().map(|(_, group)| group);
        groups.filter(move |group| group.hub == slot).map(|group| GroupView { group })
    }

    /// Goes through the users, in no particular order. It passes over those of other hubs, too.
    pub fn users(self) -> impl Iterator<Item = UserView<'a>> + use<'a> {
        let slot = self.slot;
        let users = self.world.users.iter().map(|(_, user)| user);
        users.filter(move |user| user.hub == slot).map(|user| UserView { user })
    }
}

/// What the engine knows of a group, lent out by [`HubView::groups`].
#[derive(Clone, Copy, Debug)]
#[expect(clippy::len_without_is_empty, reason = "a group without members is none")]
pub struct GroupView<'a> {
    group: &'a Group,
}

impl<'a> GroupView<'a> {
    /// Returns the name.
    pub fn name(self) -> &'a str {
        &self.group.name
    }

    /// Returns how many members it has; at least 1.
    pub fn len(self) -> usize {
        self.group.roster.len()
    }

    /// Goes through the members, in no particular order.
    pub fn connections(self) -> impl Iterator<Item = ConnectionKey> + use<'a> {
        let roster: &'a Roster = &self.group.roster;
        roster.keys()
    }
}

/// What the engine knows of a user, lent out by [`HubView::users`].
#[derive(Clone, Copy, Debug)]
pub struct UserView<'a> {
    user: &'a User,
}

impl<'a> UserView<'a> {
    /// Returns the name; may be empty.
    pub fn name(self) -> &'a str {
        &self.user.name
    }

    /// Returns the connections; at least 1.
    pub fn connections(self) -> &'a [ConnectionKey] {
        &self.user.connections
    }
}
