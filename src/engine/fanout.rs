//! One message to many: one encoding for each wire format, and one action for each class among the recipients.

mod encodings;
mod sink;

use slab::Slab;
use smallvec::SmallVec;

use self::sink::Sink;
pub(super) use self::sink::{Sending, Sorting};
use super::Engine;
use crate::config::Quota;
use crate::protocol::{Data, Outgoing, StreamPart};
use crate::state::{Class, ConnectionKey, Group, User, World};

/// What is sent, whoever gets it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub data: Data<'a>,
    pub metadata: &'a [(&'a str, &'a str)],
    /// 0 is never.
    pub ttl_seconds: u32,
    /// Its place in a stream, if it belongs to one.
    pub stream: Option<&'a StreamPart<'a>>,
}

/// Members to leave out: the list and the position of each, in that order.
type Exclusions = SmallVec<[(Class, u32); 4]>;

impl Engine {
    /// Publishes to a group in the name of a connection, which need not be a member.
    pub(super) fn publish_from(
        &mut self,
        key: ConnectionKey,
        group: &str,
        no_echo: bool,
        message: &Message<'_>,
    ) {
        let sender = self.world.at(key);
        let hub = sender.hub;
        let slot = self.world.group(hub, group);
        let except = slot.filter(|_| no_echo).and_then(|slot| self.world.position(key, slot));
        let recipients = slot.map_or(0, |slot| {
            let seat = self.world.at(key).user;
            let (world, mut sink) = self.split();
            let user = seat.map(|seat| &*world.users[seat.user() as usize].name);
            sink.group(&world.groups[slot as usize], Some(user), except.as_slice(), message)
        });
        self.charge(hub, recipients, message);
    }

    /// Publishes the last message of a stream in the name of a user, whose connection may be gone and is left out
    /// where it is given. Quotas do not keep it back.
    pub(super) fn publish_end(
        &mut self,
        hub: u32,
        group: &str,
        user: Option<&str>,
        except: Option<ConnectionKey>,
        message: &Message<'_>,
    ) {
        self.metrics.messages_out += 1;
        let Some(slot) = self.world.group(hub, group) else { return };
        let except = except.and_then(|key| self.world.position(key, slot));
        let (names, mut sink) = self.split();
        sink.group(&names.groups[slot as usize], Some(user), except.as_slice(), message);
    }

    /// Publishes to a group in the name of the server; `None` is one that does not exist.
    #[inline]
    pub(super) fn publish_to_group(
        &mut self,
        hub: u32,
        group: Option<u32>,
        except: &[&str],
        message: &Message<'_>,
    ) -> usize {
        let recipients = group.map_or(0, |slot| {
            let world = &self.world;
            let except = exclusions(world, hub, except, |key| world.position(key, slot));
            let (world, mut sink) = self.split();
            sink.group(&world.groups[slot as usize], None, &except, message)
        });
        self.charge(hub, recipients, message);
        recipients
    }

    /// Sends to all connections of a hub.
    pub(super) fn send_to_hub(
        &mut self,
        hub: u32,
        except: &[&str],
        message: &Message<'_>,
    ) -> usize {
        let world = &self.world;
        let except = exclusions(world, hub, except, |key| {
            let (connection, roster) = (world.at(key), &world.hubs[hub as usize].roster);
            let class = connection.class();
            Some((class, roster.position(class, key, connection.hub_position)))
        });
        let (_, mut sink) = self.split();
        let recipients = sink.hub(hub, &except, message);
        self.charge(hub, recipients, message);
        recipients
    }

    /// Sends to the connections of a user.
    pub(super) fn send_to_user(
        &mut self,
        hub: u32,
        user: &str,
        except: &[&str],
        message: &Message<'_>,
    ) -> usize {
        let user = self.world.user(hub, user);
        let excluded = self.excluded(hub, except);
        let (names, mut sink) = self.split();
        let keys = user.map_or(&[][..], |slot| &names.users[slot as usize].connections);
        let recipients = sink.some(keys, &excluded, &Sending::from_server(message));
        self.charge(hub, recipients, message);
        recipients
    }

    /// Sends to one connection.
    pub(super) fn send_to_connection(
        &mut self,
        hub: u32,
        id: &str,
        except: &[&str],
        message: &Message<'_>,
    ) -> usize {
        let key = self.world.find(hub, id).filter(|_| !except.contains(&id));
        self.send_to_some(hub, key.as_slice(), message)
    }

    /// Sends what a handler answered. It counts, but it is never one too many.
    pub(super) fn reply(&mut self, key: ConnectionKey, message: &Message<'_>) {
        let hub = self.world.at(key).hub;
        self.send_to_some(hub, &[key], message);
    }

    /// Sends something to one connection that is not subject to quotas.
    pub(super) fn tell_one(&mut self, key: ConnectionKey, outgoing: &Outgoing<'_>) {
        self.tell_all(&[key], outgoing);
    }

    /// Sends something to some connections of one hub that is not subject to quotas.
    pub(super) fn tell_all(&mut self, keys: &[ConnectionKey], outgoing: &Outgoing<'_>) {
        let (_, mut sink) = self.split();
        sink.some(keys, &[], &Sending::new(*outgoing));
    }

    /// Tells whether a hub may send another message.
    pub(super) fn use_quota(&mut self, hub: u32) -> Result<(), Quota> {
        let hub = &mut self.world.hubs[hub as usize];
        let checked = hub.quota.check(&hub.limits, self.now);
        self.metrics.messages_throttled += u64::from(checked.is_err());
        checked
    }

    /// Publishes to some members of a group in the name of the server.
    pub(super) fn publish_to_some(
        &mut self,
        hub: u32,
        group: Option<u32>,
        keys: &[ConnectionKey],
        message: &Message<'_>,
    ) -> usize {
        let recipients = group.map_or(0, |slot| {
            let (names, mut sink) = self.split();
            sink.some(keys, &[], &Sending::to_group(&names.groups[slot as usize], None, message))
        });
        self.charge(hub, recipients, message);
        recipients
    }

    /// Sends to some connections of a hub.
    pub(super) fn send_to_some(
        &mut self,
        hub: u32,
        keys: &[ConnectionKey],
        message: &Message<'_>,
    ) -> usize {
        let (_, mut sink) = self.split();
        let recipients = sink.some(keys, &[], &Sending::from_server(message));
        self.charge(hub, recipients, message);
        recipients
    }

    fn excluded(&self, hub: u32, ids: &[&str]) -> SmallVec<[ConnectionKey; 4]> {
        ids.iter().filter_map(|id| self.world.find(hub, id)).collect()
    }

    /// Counts a message that was published or sent.
    #[inline]
    pub(super) fn charge(&mut self, hub: u32, recipients: usize, message: &Message<'_>) {
        self.metrics.messages_out += 1;
        let bytes = message.data.len();
        self.world.hubs[hub as usize].quota.charge(recipients, bytes, self.now);
        self.report_sent(hub, recipients, bytes);
    }

    /// Separates who gets something from where it goes.
    fn split(&mut self) -> (Names<'_>, Sink<'_>) {
        let Self { world, outbox, metrics, buffer, now, doomed, sorting, .. } = self;
        let World { connections, hubs, groups, users, sessions, .. } = world;
        let now = *now;
        let sink =
            Sink { connections, hubs, sessions, outbox, metrics, buffer, doomed, sorting, now };
        (Names { groups, users }, sink)
    }
}

/// What a fan-out reads and never changes.
struct Names<'a> {
    groups: &'a Slab<Group>,
    users: &'a Slab<User>,
}

/// Finds the positions of connections that are left out, given by their ids.
#[inline]
fn exclusions(
    world: &World,
    hub: u32,
    ids: &[&str],
    position: impl Fn(ConnectionKey) -> Option<(Class, u32)>,
) -> Exclusions {
    if ids.is_empty() {
        return Exclusions::new();
    }
    let found = ids.iter().filter_map(|id| position(world.find(hub, id)?));
    let mut exclusions: Exclusions = found.collect();
    exclusions.sort_unstable();
    exclusions.dedup();
    exclusions
}
