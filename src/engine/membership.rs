//! The ways into groups and out of them, for clients and for the server.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::Engine;
use super::execute::{check_groups, missing};
use super::request::Failure;
use crate::command::{Audience, CommandError};
use crate::state::{ConnectionKey, Full, Permission};

impl Engine {
    /// Puts a client into a group that it wants to be in.
    pub(super) fn join<'a>(
        &mut self,
        key: ConnectionKey,
        group: &'a str,
    ) -> Result<(), Failure<'a>> {
        self.allowed(key, Permission::JoinLeaveGroup, "join", group)?;
        let joined = self.world.join(key, group).map_err(|Full| {
            self.metrics.joins_limited += 1;
            Failure::TooManyGroups
        })?;
        if joined {
            self.notify_joined(key, group);
        }
        Ok(())
    }

    /// Takes a client out of a group that it wants to leave.
    pub(super) fn leave<'a>(
        &mut self,
        key: ConnectionKey,
        group: &'a str,
    ) -> Result<(), Failure<'a>> {
        self.allowed(key, Permission::JoinLeaveGroup, "leave", group)?;
        let hub = self.world.at(key).hub;
        if let Some(slot) = self.world.group(hub, group)
            && let Some(left) = self.world.leave(key, slot)
        {
            self.notify_left(key, group);
            if left.stateful {
                self.tell_cleared(key, slot);
            }
        }
        Ok(())
    }

    /// Puts connections into groups for the server.
    pub(super) fn join_all(
        &mut self,
        who: Audience<'_>,
        groups: &[&str],
    ) -> Result<usize, CommandError> {
        check_groups(groups)?;
        let keys = self.select(who)?;
        match who {
            Audience::Connection(_, id) if keys.is_empty() => return Err(missing(id)),
            Audience::User(_, user) if keys.is_empty() => {
                return Err(CommandError::NoUser(user.to_string()));
            }
            Audience::Hub(_)
            | Audience::Group(..)
            | Audience::User(..)
            | Audience::Connection(..)
            | Audience::Matching(..) => {}
        }
        for &key in &keys {
            let connection = self.world.at(key);
            let most = self.limits_of(key).groups_per_connection;
            let distinct = groups.iter().enumerate().filter(|&(place, group)| {
                let slot = self.world.group(connection.hub, group);
                let member = slot.is_some_and(|slot| connection.memberships.find(slot).is_some());
                !member && !groups[..place].contains(group)
            });
            let room = most.saturating_sub(connection.memberships.len());
            // Counting is only worth it where the limit is near, and only until it is passed.
            if groups.len() > room && distinct.take(room.saturating_add(1)).count() > room {
                self.metrics.joins_limited += 1;
                return Err(CommandError::TooManyGroups(most));
            }
        }
        for &key in &keys {
            for group in groups {
                if self.world.join(key, group).expect("there is room: checked above") {
                    self.notify_joined(key, group);
                }
            }
        }
        Ok(keys.len())
    }

    /// Takes connections out of groups for the server.
    pub(super) fn leave_groups(
        &mut self,
        who: Audience<'_>,
        groups: &[&str],
    ) -> Result<usize, CommandError> {
        check_groups(groups)?;
        let keys = self.select(who)?;
        for group in groups {
            let mut stateful = Vec::new();
            for &key in &keys {
                // Looked up anew each time: the group goes with its last member.
                let Some(slot) = self.world.group(self.world.at(key).hub, group) else { break };
                let Some(left) = self.world.leave(key, slot) else { continue };
                self.notify_left(key, group);
                if left.stateful {
                    stateful.push((key, slot));
                }
            }
            self.tell_all_cleared(&stateful);
        }
        Ok(keys.len())
    }

    /// Takes connections out of all their groups.
    pub(super) fn leave_everything(&mut self, keys: &[ConnectionKey]) {
        let mut stateful = Vec::new();
        for &key in keys {
            self.notify_left_all(key);
            stateful.extend(self.world.leave_all(key).into_iter().map(|group| (key, group)));
        }
        self.tell_all_cleared(&stateful);
    }

    /// Tells groups of states that are gone, once all have left: many who leave at once do not tell each other.
    fn tell_all_cleared(&mut self, stateful: &[(ConnectionKey, u32)]) {
        for &(key, group) in stateful {
            self.tell_cleared(key, group);
        }
    }
}
