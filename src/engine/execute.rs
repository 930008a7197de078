//! What the server asks, answered at once. Everything is checked before anything changes.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Engine;
use super::fanout::Message;
use crate::command::{
    Audience, Command, CommandError, GroupPermission, Member, Members, Reply, SendOptions,
};
use crate::config::{Limits, UnknownHubs};
use crate::metrics::CloseCause;
use crate::name;
use crate::outbox::Text;
use crate::protocol::{Data, Outgoing, json, protobuf};
use crate::state::{ConnectionId, ConnectionKey, GroupKey};

/// The longest time to live (`webpubsub.md` 10.1).
const TTL_MAX: u32 = 300;
/// The largest page of members (`webpubsub.md` 9.5).
const PAGE_MAX: usize = 200;

impl Engine {
    pub(super) fn on_execute(&mut self, command: &Command<'_>) -> Result<Reply, CommandError> {
        // What changes something for some connections tells how many. The reply is made where it goes, and last: a reply
        // that was just made and is moved waits for its own writes, a seventh of the time of a publish.
        let affected = match *command {
            Command::Send { to, data, ref options } => self.send(to, data, options)?,
            Command::Publish { group, data, ref options } => self.publish(group, data, options)?,
            Command::Join { who, groups } => self.join_all(who, groups)?,
            Command::Leave { who, groups } => self.leave_groups(who, groups)?,
            Command::LeaveAll { who } => {
                let keys = self.select(who)?;
                self.leave_everything(&keys);
                keys.len()
            }
            Command::Close { who, except, reason } => self.close_all(who, except, reason)?,
            Command::Grant(permission) => return self.grant(permission),
            Command::Revoke(permission) => {
                let revoked = self.revoke(permission);
                self.close_doomed();
                return revoked;
            }
            Command::Check(permission) => {
                let key = self.permission_target(&permission)?;
                let key = key.ok_or_else(|| missing(permission.connection_id))?;
                let permissions = &self.world.at(key).permissions;
                let allowed = permissions.allows(permission.permission, permission.group);
                return Ok(Reply::Is(allowed));
            }
            Command::Exists { who } => return Ok(Reply::Is(self.exists(who)?)),
            Command::Count { who } => self.count(who)?,
            Command::List { hub, group, after, limit } => {
                return self.list(hub, group, after, limit);
            }
        };
        self.close_doomed();
        Ok(Reply::Affected(affected))
    }

    fn send(
        &mut self,
        to: Audience<'_>,
        data: Data<'_>,
        options: &SendOptions<'_>,
    ) -> Result<usize, CommandError> {
        let SendOptions { except, filter, metadata, ttl_seconds } = *options;
        let Some(hub) = self.check_send(to, data, options)? else { return Ok(0) };
        self.use_quota(hub).map_err(CommandError::Throttled)?;
        let message = Message { data, metadata, ttl_seconds, stream: None };
        Ok(match (to, filter) {
            (Audience::Hub(_), None) => self.send_to_hub(hub, except, &message),
            (Audience::Group(_, group), None) => {
                let group = self.world.group(hub, group);
                self.publish_to_group(hub, group, except, &message)
            }
            (Audience::User(_, user), None) => self.send_to_user(hub, user, except, &message),
            (Audience::Connection(_, id), None) => {
                self.send_to_connection(hub, id, except, &message)
            }
            (Audience::Group(_, group), Some(_)) => {
                let keys = self.chosen(hub, to, filter, except);
                let group = self.world.group(hub, group);
                self.publish_to_some(hub, group, &keys, &message)
            }
            (Audience::Hub(_) | Audience::User(..) | Audience::Connection(..), Some(_))
            | (Audience::Matching(..), _) => {
                let keys = self.chosen(hub, to, filter, except);
                self.send_to_some(hub, &keys, &message)
            }
        })
    }

    /// Publishes to a group that was looked up before.
    fn publish(
        &mut self,
        group: GroupKey,
        data: Data<'_>,
        options: &SendOptions<'_>,
    ) -> Result<usize, CommandError> {
        let SendOptions { except, filter, metadata, ttl_seconds } = *options;
        let slot = self.find_group(group)?;
        let hub = self.world.groups[slot as usize].hub;
        check_message(&self.world.hubs[hub as usize].limits, data, options)?;
        self.use_quota(hub).map_err(CommandError::Throttled)?;
        let message = Message { data, metadata, ttl_seconds, stream: None };
        if filter.is_none() {
            return Ok(self.publish_to_group(hub, Some(slot), except, &message));
        }
        let to = Audience::Group(
            &self.world.hubs[hub as usize].name,
            &self.world.groups[slot as usize].name,
        );
        let keys = self.chosen(hub, to, filter, except);
        Ok(self.publish_to_some(hub, Some(slot), &keys, &message))
    }

    /// Checks a send before anything changes. `None` is a hub that nobody has used yet.
    pub(super) fn check_send(
        &self,
        to: Audience<'_>,
        data: Data<'_>,
        options: &SendOptions<'_>,
    ) -> Result<Option<u32>, CommandError> {
        let hub = self.hub_of_audience(to)?;
        let limits = hub.map_or(&self.limits, |hub| &self.world.hubs[hub as usize].limits);
        check_message(limits, data, options)?;
        Ok(hub)
    }

    /// Finds the slot of a group by its key.
    pub(crate) fn find_group(&self, key: GroupKey) -> Result<u32, CommandError> {
        let group = self.world.groups.get(key.slot as usize);
        let same = group.is_some_and(|group| group.number == key.number);
        if same { Ok(key.slot) } else { Err(CommandError::StaleGroup) }
    }

    fn close_all(
        &mut self,
        who: Audience<'_>,
        except: &[&str],
        reason: &str,
    ) -> Result<usize, CommandError> {
        let mut keys = self.select(who)?;
        let hub = self.hub_of_audience(who)?;
        let mut stay: Vec<_> = except.iter().filter_map(|id| self.world.find(hub?, id)).collect();
        stay.sort_unstable();
        keys.retain(|key| stay.binary_search(key).is_err());
        let message: Text = match reason {
            "" => "Application server closed the connection.".into(),
            _ => format!("Application server closed the connection. Reason: {reason}").into(),
        };
        self.tell_all(&keys, &Outgoing::Disconnected { message: &message });
        // Others are told when all are gone: many who are closed at once do not tell each other.
        let mut legacies = Vec::new();
        for &key in &keys {
            let cause = CloseCause::ClosedByAppServer;
            self.push_close(key, 1000, Text::Borrowed(""), cause);
            legacies.extend(self.part(key, message.clone(), cause));
        }
        for legacy in legacies {
            self.carry_out(legacy);
        }
        Ok(keys.len())
    }

    fn grant(&mut self, permission: GroupPermission<'_>) -> Result<Reply, CommandError> {
        let key = self.permission_target(&permission)?;
        let key = key.ok_or_else(|| missing(permission.connection_id))?;
        let most = self.limits_of(key).literals_per_permission;
        let permissions = &mut self.world.at_mut(key).permissions;
        let granted = permissions.grant(permission.permission, permission.group, most);
        granted.map(|()| Reply::Done).map_err(|_| CommandError::TooManyGrants(most))
    }

    fn revoke(&mut self, permission: GroupPermission<'_>) -> Result<Reply, CommandError> {
        let Some(key) = self.permission_target(&permission)? else { return Ok(Reply::Done) };
        let most = self.limits_of(key).literals_per_permission;
        let permissions = &mut self.world.at_mut(key).permissions;
        let revoked = permissions.revoke(permission.permission, permission.group, most);
        revoked.map_err(|_| CommandError::TooManyGrants(most))?;
        self.end_forbidden_streams(key);
        Ok(Reply::Done)
    }

    fn permission_target(
        &self,
        permission: &GroupPermission<'_>,
    ) -> Result<Option<ConnectionKey>, CommandError> {
        check_groups(&[permission.group])?;
        let id = permission.connection_id;
        let hub = self.hub_of_audience(Audience::Connection(permission.hub, id))?;
        Ok(hub.and_then(|hub| self.world.find(hub, id)))
    }

    fn list(
        &self,
        hub: &str,
        group: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Reply, CommandError> {
        if !(1..=PAGE_MAX).contains(&limit) {
            return Err(CommandError::PageSize(limit));
        }
        let hub = self.hub_of_audience(Audience::Group(hub, group))?;
        let slot = hub.and_then(|hub| self.world.group(hub, group));
        let Some(slot) = slot else { return Ok(Reply::Members(Members::default())) };
        let id = |key: ConnectionKey| self.world.at(key).id(key);
        // The order of ids is the order of slots, which the keys carry: no connection is looked at but
        // those of the page, and at most one more that shares the cursor's slot.
        let cursor = after.map(Cursor::new);
        let keys = self.world.groups[slot as usize].roster.keys();
        let mut keys: Vec<_> = keys
            .filter(|&key| cursor.as_ref().is_none_or(|cursor| cursor.is_before(key, id)))
            .collect();
        let more = keys.len() > limit;
        if more {
            keys.select_nth_unstable_by_key(limit - 1, |key| key.slot());
            keys.truncate(limit);
        }
        keys.sort_unstable_by_key(|key| key.slot());
        let members = keys.iter().map(|&key| Member {
            connection_id: id(key),
            user: self.world.user_name(self.world.at(key)).map(String::from),
        });
        Ok(Reply::Members(Members { members: members.collect(), more }))
    }

    /// Finds the hub of an audience, and checks the names in it. `None` is a hub that nobody has used yet.
    pub(super) fn hub_of_audience(&self, who: Audience<'_>) -> Result<Option<u32>, CommandError> {
        let name = who.hub();
        let hub = self.world.hub(name);
        // The name of a hub that is there was checked when it came to be.
        if hub.is_none() && !name::is_hub(name) {
            return Err(CommandError::HubName(name.to_string()));
        }
        if let Audience::Group(_, group) = who {
            check_groups(&[group])?;
        }
        if hub.is_none() && self.unknown_hubs == UnknownHubs::Refuse {
            return Err(CommandError::UnknownHub(name.to_string()));
        }
        Ok(hub)
    }
}

/// Where the page before ended.
struct Cursor<'a> {
    id: &'a str,
    /// The slot, when the cursor has the shape of an id.
    slot: Option<u32>,
}

impl<'a> Cursor<'a> {
    fn new(id: &'a str) -> Self {
        Self { id, slot: ConnectionId::parse(id).map(|(slot, _)| slot) }
    }

    fn is_before(&self, key: ConnectionKey, id: impl Fn(ConnectionKey) -> ConnectionId) -> bool {
        match self.slot {
            Some(slot) if slot != key.slot() => slot < key.slot(),
            Some(_) | None => self.id < id(key).as_str(),
        }
    }
}

/// Checks what is sent, and what goes with it.
fn check_message(
    limits: &Limits,
    data: Data<'_>,
    options: &SendOptions<'_>,
) -> Result<(), CommandError> {
    let (size, most) = (data.len(), limits.message_bytes);
    if size > most {
        return Err(CommandError::TooLarge { size, most });
    }
    if let Data::Json(text) = data
        && !json::is_valid(text)
    {
        return Err(CommandError::Json);
    }
    if let Data::Protobuf(bytes) = data
        && !protobuf::is_any(bytes)
    {
        return Err(CommandError::Protobuf);
    }
    if !name::is_metadata(options.metadata.iter().copied()) {
        return Err(CommandError::Metadata);
    }
    if options.ttl_seconds > TTL_MAX {
        return Err(CommandError::Ttl(options.ttl_seconds));
    }
    Ok(())
}

pub(super) fn check_groups(groups: &[&str]) -> Result<(), CommandError> {
    if groups.iter().all(|group| name::is_group(group)) {
        Ok(())
    } else {
        Err(CommandError::GroupName)
    }
}

pub(super) fn missing(id: &str) -> CommandError {
    CommandError::NoConnection(id.to_string())
}
