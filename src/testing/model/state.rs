//! What the members of a group let each other know.

use alloc::borrow::ToOwned;
use alloc::vec;
use alloc::vec::Vec;

use super::{Connection, Model, STATE_BYTES};
use crate::state::Permission;
use crate::testing::message::{Message, StateItem};
use crate::testing::payload::Entries;
use crate::time::Time;

/// What one member lets the others know.
#[derive(Clone, Debug)]
pub(super) struct State {
    entries: Entries,
    updated_at: u64,
}

impl Connection {
    /// Returns the time of its next change of a state: it grows with each.
    pub(super) fn next_stamp(&self, now: Time) -> u64 {
        now.as_millis().max(self.stated_at + 1)
    }

    fn item(&self, state: Option<&State>, updated_at: u64) -> StateItem {
        StateItem {
            connection_id: self.id.clone(),
            user: self.user.clone().filter(|user| !user.is_empty()),
            state: state.map(|state| {
                let mut entries = state.entries.clone();
                entries.sort();
                entries
            }),
            updated_at,
        }
    }
}

impl Model {
    pub(super) fn set_state(
        &mut self,
        number: usize,
        group: &str,
        entries: Option<&Entries>,
    ) -> Result<(), &'static str> {
        self.check_member(number, Permission::SetGroupState, group)?;
        let Some(entries) = entries else {
            if self.at(number).states.remove(group).is_some() {
                self.tell_cleared(number, group);
            }
            return Ok(());
        };
        if entries.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() > STATE_BYTES {
            return Err("BadRequest");
        }
        let updated_at = self.stamp(number);
        let state = State { entries: entries.clone(), updated_at };
        self.at(number).states.insert(group.to_owned(), state.clone());
        let owner = self.connections[&number].clone();
        self.tell_state(&owner, group, Some(&state), updated_at);
        Ok(())
    }

    pub(super) fn subscribe(&mut self, number: usize, group: &str) -> Result<(), &'static str> {
        self.check_member(number, Permission::GetGroupState, group)?;
        self.at(number).subscribed.insert(group.to_owned());
        Ok(())
    }

    /// Tells a subscriber all that is known.
    pub(super) fn send_states(&mut self, number: usize, group: &str) {
        let hub = self.connections[&number].hub.clone();
        let mut items: Vec<_> = self
            .members(&hub, |it| it.states.contains_key(group))
            .into_iter()
            .map(|member| &self.connections[&member])
            .map(|it| it.item(Some(&it.states[group]), it.states[group].updated_at))
            .collect();
        items.sort_by(|one, other| one.connection_id.cmp(&other.connection_id));
        let group = group.to_owned();
        self.send(number, &Message::State { group, snapshot: true, items }, 0);
    }

    /// Takes a connection out of a group. Tells whether it had a state there.
    pub(super) fn leave_group(&mut self, number: usize, group: &str) -> bool {
        let connection = self.at(number);
        let Some(place) = connection.groups.iter().position(|each| each == group) else {
            return false;
        };
        connection.groups.swap_remove(place);
        connection.subscribed.remove(group);
        let stateful = connection.states.remove(group).is_some();
        self.notify(number, "left", Some(group.to_owned()), |handler| handler.left);
        stateful
    }

    /// Makes a connection a member of a group. Tells whether it was none.
    pub(super) fn enter(&mut self, number: usize, group: &str) -> bool {
        let hub = self.connections[&number].hub.clone();
        if self.connections[&number].is_in(group) {
            return false;
        }
        if self.members(&hub, |it| it.is_in(group)).is_empty() {
            *self.births.entry((hub, group.to_owned())).or_default() += 1;
        }
        self.at(number).groups.push(group.to_owned());
        true
    }

    /// Puts a connection into a group.
    pub(super) fn join_group(&mut self, number: usize, group: &str) {
        if self.enter(number, group) {
            self.notify(number, "joined", Some(group.to_owned()), |handler| handler.joined);
        }
    }

    /// Tells a group that the state of a member is gone.
    pub(super) fn tell_cleared(&mut self, number: usize, group: &str) {
        let updated_at = self.stamp(number);
        let owner = self.connections[&number].clone();
        self.tell_state(&owner, group, None, updated_at);
    }

    /// Tells all who want to know what has changed.
    pub(super) fn tell_state(
        &mut self,
        owner: &Connection,
        group: &str,
        state: Option<&State>,
        updated_at: u64,
    ) {
        let items = vec![owner.item(state, updated_at)];
        let message = Message::State { group: group.to_owned(), snapshot: false, items };
        for member in self.members(&owner.hub, |it| it.subscribed.contains(group)) {
            self.send(member, &message, 0);
        }
    }

    fn stamp(&mut self, number: usize) -> u64 {
        let now = self.now;
        let connection = self.at(number);
        connection.stated_at = connection.next_stamp(now);
        connection.stated_at
    }

    fn check_member(
        &self,
        number: usize,
        permission: Permission,
        group: &str,
    ) -> Result<(), &'static str> {
        let connection = &self.connections[&number];
        let good = connection.rights.allows(permission, group) && connection.is_in(group);
        if good { Ok(()) } else { Err("Forbidden") }
    }

    /// Tells how many of some connections have states or streams that others see the end of.
    pub(super) fn with_legacy(&self, numbers: &[usize]) -> usize {
        numbers.iter().filter(|number| self.connections[number].leaves_something()).count()
    }
}
