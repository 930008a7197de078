//! One message to many: one encoding and one action for each protocol among the recipients.

use alloc::vec::Vec;
use core::time::Duration;

use bytes::BytesMut;
use smallvec::SmallVec;

use super::Engine;
use crate::config::Quota;
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::protocol::{Data, Frame, Outgoing, Protocol};
use crate::state::{ConnectionKey, World};
use crate::time::Time;

/// What is sent, whoever gets it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub data: Data<'a>,
    pub metadata: &'a [(&'a str, &'a str)],
    /// 0 is never.
    pub ttl_seconds: u32,
}

/// Members to leave out: the list and the position of each, in that order.
type Exclusions = SmallVec<[(Protocol, u32); 4]>;

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
        let mut except = Exclusions::new();
        if no_echo && let Some(place) = slot.and_then(|slot| sender.memberships.find(slot)) {
            except.push((sender.protocol, sender.memberships.get(place).position));
        }
        let (world, mut sink) = self.split();
        let user = world.user_name(world.at(key));
        let recipients = match slot {
            Some(slot) => sink.group(world, slot, Some(user), &except, message),
            None => 0,
        };
        self.charge(hub, recipients, message);
    }

    /// Publishes to a group in the name of the server.
    pub(super) fn publish_to_group(
        &mut self,
        hub: u32,
        group: &str,
        except: &[&str],
        message: &Message<'_>,
    ) -> usize {
        let (world, mut sink) = self.split();
        let recipients = match world.group(hub, group) {
            Some(slot) => {
                let position = |key| {
                    let connection = world.at(key);
                    let place = connection.memberships.find(slot)?;
                    Some((connection.protocol, connection.memberships.get(place).position))
                };
                let except = exclusions(world, hub, except, position);
                sink.group(world, slot, None, &except, message)
            }
            None => 0,
        };
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
        let (world, mut sink) = self.split();
        let position = |key| {
            let connection = world.at(key);
            Some((connection.protocol, connection.hub_position))
        };
        let except = exclusions(world, hub, except, position);
        let outgoing = Outgoing::Server { data: message.data, metadata: message.metadata };
        let lists = world.hubs[hub as usize].roster.lists();
        let recipients = sink.lists(lists, &except, message.ttl_seconds, &outgoing);
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
        let (world, mut sink) = self.split();
        let recipients = match world.user(hub, user) {
            Some(slot) => {
                let keys = &world.users[slot as usize].connections;
                sink.few(world, keys, except, message)
            }
            None => 0,
        };
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
        let (world, mut sink) = self.split();
        let recipients = match world.find(hub, id) {
            Some(key) => sink.few(world, &[key], except, message),
            None => 0,
        };
        self.charge(hub, recipients, message);
        recipients
    }

    /// Sends what a handler answered. It counts, but it is never one too many.
    pub(super) fn reply(&mut self, key: ConnectionKey, message: &Message<'_>) {
        let connection = self.world.at(key);
        let (protocol, hub) = (connection.protocol, connection.hub);
        let Message { data, metadata, .. } = *message;
        self.tell_one(key, protocol, &Outgoing::Server { data, metadata });
        self.charge(hub, 1, message);
    }

    /// Sends something to one connection that is not subject to quotas.
    pub(super) fn tell_one(
        &mut self,
        key: ConnectionKey,
        protocol: Protocol,
        outgoing: &Outgoing<'_>,
    ) {
        let (_, mut sink) = self.split();
        sink.lists([(protocol, &[key][..])].into_iter(), &[], 0, outgoing);
    }

    /// Sends something to some connections of any protocol that is not subject to quotas.
    pub(super) fn tell_all(&mut self, keys: &[ConnectionKey], outgoing: &Outgoing<'_>) {
        let (world, mut sink) = self.split();
        for protocol in Protocol::ALL {
            let speak = |key: &ConnectionKey| world.at(*key).protocol == protocol;
            let chosen: Vec<_> = keys.iter().copied().filter(speak).collect();
            sink.lists([(protocol, &*chosen)].into_iter(), &[], 0, outgoing);
        }
    }

    /// Tells whether a hub may send another message.
    pub(super) fn check_quota(&mut self, hub: u32) -> Result<(), Quota> {
        let hub = &mut self.world.hubs[hub as usize];
        let checked = hub.quota.check(&hub.limits, self.now);
        self.metrics.messages_throttled += u64::from(checked.is_err());
        checked
    }

    fn charge(&mut self, hub: u32, recipients: usize, message: &Message<'_>) {
        self.metrics.messages_out += 1;
        self.world.hubs[hub as usize].quota.charge(recipients, message.data.len(), self.now);
    }

    fn split(&mut self) -> (&World, Sink<'_>) {
        let Self { world, outbox, metrics, buffer, now, .. } = self;
        (world, Sink { outbox, metrics, buffer, now: *now })
    }
}

/// Where frames are cut and queued.
struct Sink<'a> {
    outbox: &'a mut Outbox,
    metrics: &'a mut Metrics,
    buffer: &'a mut BytesMut,
    now: Time,
}

impl Sink<'_> {
    fn group(
        &mut self,
        world: &World,
        slot: u32,
        from_user: Option<Option<&str>>,
        except: &[(Protocol, u32)],
        message: &Message<'_>,
    ) -> usize {
        let group = &world.groups[slot as usize];
        let outgoing = Outgoing::Group {
            group: &group.name,
            from_user,
            data: message.data,
            metadata: message.metadata,
        };
        self.lists(group.roster.lists(), except, message.ttl_seconds, &outgoing)
    }

    /// Sends to a few connections that lie in no list by protocol.
    fn few(
        &mut self,
        world: &World,
        keys: &[ConnectionKey],
        except: &[&str],
        message: &Message<'_>,
    ) -> usize {
        let outgoing = Outgoing::Server { data: message.data, metadata: message.metadata };
        let mut recipients = 0;
        for protocol in Protocol::ALL {
            let chosen = || {
                keys.iter().copied().filter(|&key| {
                    let connection = world.at(key);
                    connection.protocol == protocol && !except.contains(&&*connection.id(key))
                })
            };
            if chosen().next().is_none() {
                continue;
            }
            let Some(frame) = protocol.encode(&outgoing, self.buffer) else { continue };
            recipients += self.queue(frame, message.ttl_seconds, |to| to.extend(chosen()));
        }
        recipients
    }

    /// Sends to all in some lists, but for those left out.
    fn lists<'a>(
        &mut self,
        lists: impl Iterator<Item = (Protocol, &'a [ConnectionKey])>,
        except: &[(Protocol, u32)],
        ttl_seconds: u32,
        outgoing: &Outgoing<'_>,
    ) -> usize {
        let mut recipients = 0;
        for (protocol, keys) in lists {
            let out = except.iter().filter(|(of, _)| *of == protocol).map(|(_, place)| *place);
            let gone = out.clone().count();
            if gone >= keys.len() {
                continue;
            }
            let Some(frame) = protocol.encode(outgoing, self.buffer) else { continue };
            recipients += self.queue(frame, ttl_seconds, |to| {
                let mut next = 0;
                for place in out {
                    to.extend_from_slice(&keys[next..place as usize]);
                    next = place as usize + 1;
                }
                to.extend_from_slice(&keys[next..]);
            });
        }
        recipients
    }

    /// Queues a frame for those that `fill` appends, at least one, and returns how many.
    fn queue(
        &mut self,
        frame: Frame,
        ttl_seconds: u32,
        fill: impl FnOnce(&mut Vec<ConnectionKey>),
    ) -> usize {
        let expires =
            (ttl_seconds > 0).then(|| self.now + Duration::from_secs(u64::from(ttl_seconds)));
        let bytes = frame.len();
        let recipients = self.outbox.deliver(frame, expires, fill);
        self.metrics.deliveries += recipients as u64;
        self.metrics.bytes_out += recipients as u64 * bytes as u64;
        recipients
    }
}

/// Finds the positions of connections that are left out, given by their ids.
fn exclusions(
    world: &World,
    hub: u32,
    ids: &[&str],
    position: impl Fn(ConnectionKey) -> Option<(Protocol, u32)>,
) -> Exclusions {
    let found = ids.iter().filter_map(|id| position(world.find(hub, id)?));
    let mut exclusions: Exclusions = found.collect();
    exclusions.sort_unstable();
    exclusions.dedup();
    exclusions
}
