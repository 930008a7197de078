//! What the members of a group let each other know (`webpubsub.md` 3.9).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Engine;
use super::request::Failure;
use crate::outbox::keep_pairs;
use crate::protocol::{Outgoing, StateItem};
use crate::state::{ConnectionId, ConnectionKey, Permission, State};

/// The most states of a snapshot (`webpubsub.md` 3.9).
const SNAPSHOT_MAX: usize = 200;

impl Engine {
    /// Sets what a client lets the members of a group know, or clears it.
    pub(super) fn set_group_state<'a>(
        &mut self,
        key: ConnectionKey,
        group: &'a str,
        state: Option<&[(&str, &str)]>,
    ) -> Result<(), Failure<'a>> {
        let forbidden = Failure::StateForbidden;
        let slot = self.admitted(key, Permission::SetGroupState, group, forbidden)?;
        let Some(state) = state else {
            if self.world.has_state(key, slot) {
                self.world.clear_state(key, slot);
                self.tell_cleared(key, slot);
            }
            return Ok(());
        };
        let size: usize = state.iter().map(|(key, value)| key.len() + value.len()).sum();
        if size > self.limits_of(key).group_state_bytes {
            return Err(Failure::StateTooLarge);
        }
        let entries = keep_pairs(state.iter().copied()).into_boxed_slice();
        let updated_at = self.stamp_state(key);
        self.tell_state(key, slot, Some(&entries), updated_at);
        self.world.set_state(key, slot, State { entries, updated_at });
        Ok(())
    }

    /// Has a client told of the states of the members of a group from now on.
    pub(super) fn subscribe_group_state<'a>(
        &mut self,
        key: ConnectionKey,
        group: &'a str,
    ) -> Result<(), Failure<'a>> {
        let forbidden = Failure::StatesForbidden(group);
        let slot = self.admitted(key, Permission::GetGroupState, group, forbidden)?;
        self.world.subscribe_states(key, slot);
        Ok(())
    }

    /// Tells a client no more. That needs no permission.
    pub(super) fn unsubscribe_group_state(&mut self, key: ConnectionKey, group: &str) {
        if let Some(slot) = self.world.group(self.world.at(key).hub, group) {
            self.world.unsubscribe_states(key, slot);
        }
    }

    /// Tells a subscriber what is known now.
    pub(super) fn send_group_states(&mut self, key: ConnectionKey, group: &str) {
        let hub = self.world.at(key).hub;
        let slot = self.world.group(hub, group).expect("the subscriber is a member") as usize;
        // Lent to the message for as long as it is sent.
        let states = self.world.groups[slot].states.take();
        let who = |slot| -> (ConnectionId, Option<Box<str>>) {
            let key = self.world.connections.key_at(slot).expect("who leaves has no state");
            let connection = self.world.at(key);
            (connection.id(key), self.world.user_name(connection).map(Into::into))
        };
        let states_by_id = || states.iter().flat_map(|states| states.states()).take(SNAPSHOT_MAX);
        let owners: Vec<_> = states_by_id().map(|(slot, _)| who(slot)).collect();
        let items: Vec<_> = states_by_id()
            .zip(&owners)
            .map(|((_, state), (id, user))| StateItem {
                connection_id: id,
                user: user.as_deref(),
                state: Some(&state.entries),
                updated_at: state.updated_at,
            })
            .collect();
        self.tell_one(key, &Outgoing::GroupState { group, items: &items, snapshot: true });
        drop(items);
        self.world.groups[slot].states = states;
    }

    /// Tells a group that the state of a client there is gone.
    pub(super) fn tell_cleared(&mut self, key: ConnectionKey, group: u32) {
        let updated_at = self.stamp_state(key);
        self.tell_state(key, group, None, updated_at);
    }

    /// Tells all who want to know what has changed. The group may be gone.
    pub(super) fn tell_subscribers(&mut self, group: u32, item: &StateItem<'_>) {
        let keys: Vec<_> = self.world.state_subscribers(group).collect();
        if keys.is_empty() {
            return;
        }
        let name = self.world.groups[group as usize].name.clone();
        let items = core::slice::from_ref(item);
        self.tell_all(&keys, &Outgoing::GroupState { group: &name, items, snapshot: false });
    }

    /// Returns the time of a change of a client's states, later than that of the change before.
    pub(super) fn stamp_state(&mut self, key: ConnectionKey) -> u64 {
        let now = self.now.as_millis();
        let stated_at = &mut self.world.at_mut(key).extra().stated_at;
        *stated_at = now.max(stated_at.saturating_add(1));
        *stated_at
    }

    fn tell_state(
        &mut self,
        key: ConnectionKey,
        group: u32,
        state: Option<&[(Box<str>, Box<str>)]>,
        updated_at: u64,
    ) {
        let connection = self.world.at(key);
        let connection_id = &*connection.id(key);
        let user: Option<Box<str>> = self.world.user_name(connection).map(Into::into);
        let user = user.as_deref();
        self.tell_subscribers(group, &StateItem { connection_id, user, state, updated_at });
    }

    /// Checks that a client may do something in a group and is a member, and finds the group.
    fn admitted<'a>(
        &self,
        key: ConnectionKey,
        permission: Permission,
        group: &str,
        forbidden: Failure<'a>,
    ) -> Result<u32, Failure<'a>> {
        let connection = self.world.at(key);
        if !connection.permissions.allows(permission, group) {
            return Err(forbidden);
        }
        let slot = self.world.group(connection.hub, group);
        let slot = slot.filter(|&slot| connection.memberships.find(slot).is_some());
        slot.ok_or(Failure::NotMember)
    }
}

#[cfg(test)]
mod tests;
