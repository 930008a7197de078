//! Where frames go: to the host, into the sessions of reliable connections, or into the backlogs of those that take
//! nothing now.

use alloc::vec::Vec;
use core::time::Duration;
use core::{iter, mem};

use bytes::BytesMut;

use super::Message;
use super::encodings::Encodings;
use crate::config::{Limits, SlowConsumer};
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::protocol::{Frame, Outgoing};
use crate::state::{
    Arena, Bound, Class, Connection, ConnectionKey, DataKind, Group, Hub, Roster, Sessions,
    Standing,
};
use crate::time::Time;

pub(super) struct Sink<'a> {
    pub connections: &'a mut Arena<Connection>,
    pub hubs: &'a [Hub],
    pub sessions: &'a mut Sessions,
    pub outbox: &'a mut Outbox,
    pub metrics: &'a mut Metrics,
    pub buffer: &'a mut BytesMut,
    /// Those for whom it was one message too many.
    pub doomed: &'a mut Vec<ConnectionKey>,
    pub sorting: &'a mut Sorting,
    pub now: Time,
}

/// Where connections are sorted by class; it keeps its memory from one message to the next.
#[derive(Debug, Default)]
pub(in crate::engine) struct Sorting {
    places: Vec<(Class, usize)>,
    keys: Vec<ConnectionKey>,
}

/// A message on its way, and what decides about it where it has to wait.
pub(in crate::engine) struct Sending<'a> {
    outgoing: Outgoing<'a>,
    /// 0 is never.
    ttl_seconds: u32,
    /// The number of the group that it was published to.
    group: Option<u64>,
}

impl<'a> Sending<'a> {
    pub(super) fn new(outgoing: Outgoing<'a>) -> Self {
        Self { outgoing, ttl_seconds: 0, group: None }
    }

    pub(in crate::engine) fn from_server(message: &Message<'a>) -> Self {
        let Message { data, metadata, ttl_seconds, stream: _ } = *message;
        Self { outgoing: Outgoing::Server { data, metadata }, ttl_seconds, group: None }
    }

    /// Tells whether those of a class get it with a sequence id.
    pub(in crate::engine) fn is_numbered(&self, class: Class) -> bool {
        class.protocol.is_reliable() && self.outgoing.is_sequenced()
    }

    pub(in crate::engine) fn to_group(
        group: &'a Group,
        #[allow(clippy::option_option, reason = "as `Outgoing::Group` has it")] from_user: Option<
            Option<&'a str>,
        >,
        message: &Message<'a>,
    ) -> Self {
        let Message { data, metadata, ttl_seconds, stream } = *message;
        let outgoing = Outgoing::Group { group: &group.name, from_user, data, metadata, stream };
        Self { outgoing, ttl_seconds, group: Some(group.number) }
    }

    pub(in crate::engine) fn outgoing(&self) -> &Outgoing<'a> {
        &self.outgoing
    }

    pub(in crate::engine) fn expires(&self, now: Time) -> Option<Time> {
        let seconds = Duration::from_secs(u64::from(self.ttl_seconds));
        (!seconds.is_zero()).then(|| now + seconds)
    }

    /// Says what decides about the message where it has to wait.
    pub(in crate::engine) fn kind(&self, now: Time) -> DataKind {
        DataKind { expires: self.expires(now), group: self.group }
    }

    /// Says how much more may wait for a connection, and what happens to what does not fit.
    pub(in crate::engine) fn room(
        sessions: &Sessions,
        hub: &Hub,
        key: ConnectionKey,
        connection: &Connection,
    ) -> (SlowConsumer, Bound) {
        if !connection.protocol.is_reliable() {
            let Limits { paused_messages: messages, paused_bytes: bytes, .. } = hub.limits;
            return (hub.settings.slow_consumer, Bound { messages, bytes });
        }
        let Bound { messages, bytes } = unacknowledged(&hub.limits);
        // After limits were lowered there can be more than they allow.
        let messages = messages.saturating_sub(sessions.held(key.slot()).len());
        let bytes = bytes.saturating_sub(sessions.bytes(key.slot()));
        (SlowConsumer::Disconnect, Bound { messages, bytes })
    }
}

impl Sink<'_> {
    /// Publishes to the members of a group, but for those left out, and returns how many got it.
    #[inline]
    pub(super) fn group<'a>(
        &mut self,
        group: &'a Group,
        #[allow(clippy::option_option, reason = "as `Outgoing::Group` has it")] from_user: Option<
            Option<&'a str>,
        >,
        except: &[(Class, u32)],
        message: &Message<'a>,
    ) -> usize {
        let sending = Sending::to_group(group, from_user, message);
        self.roster(group.hub, &group.roster, except, &sending)
    }

    /// Sends to all of a hub, but for those left out, and returns how many got it.
    pub(super) fn hub(
        &mut self,
        hub: u32,
        except: &[(Class, u32)],
        message: &Message<'_>,
    ) -> usize {
        let roster = &self.hubs[hub as usize].roster;
        self.roster(hub, roster, except, &Sending::from_server(message))
    }

    /// Sends to a few connections of one hub that lie in no list by class, but for those left out, and returns how
    /// many got it.
    pub(super) fn some(
        &mut self,
        keys: &[ConnectionKey],
        except: &[ConnectionKey],
        sending: &Sending<'_>,
    ) -> usize {
        let Some(&first) = keys.first() else { return 0 };
        let of = |key| self.connections.get(key).expect("it is told something");
        let hub = of(first).hub;
        if let [key] = *keys
            && except.is_empty()
        {
            return self.one_list(hub, of(key).class(), keys, &[], sending);
        }
        let mut table = mem::take(self.sorting);
        let stay = keys.iter().zip(0..).filter(|(key, _)| !except.contains(key));
        table.places.extend(stay.map(|(&key, place)| (of(key).class(), place)));
        // The places make those of one class keep their order.
        table.places.sort_unstable();
        table.keys.extend(table.places.iter().map(|&(_, place)| keys[place]));
        let mut rest = &*table.keys;
        let lists = table.places.chunk_by(|(one, _), (other, _)| one == other).map(|chunk| {
            let list;
            (list, rest) = rest.split_at(chunk.len());
            (chunk[0].0, list)
        });
        let recipients = self.lists(hub, lists, &[], sending);
        table.places.clear();
        table.keys.clear();
        *self.sorting = table;
        recipients
    }

    /// Sends to all in a roster of a hub, but for those left out, and returns how many got it.
    #[inline]
    fn roster(
        &mut self,
        hub: u32,
        roster: &Roster,
        except: &[(Class, u32)],
        sending: &Sending<'_>,
    ) -> usize {
        match roster.only() {
            Some((class, keys)) => self.one_list(hub, class, keys, except, sending),
            None => self.lists(hub, roster.lists(), except, sending),
        }
    }

    /// The same for one list, as nearly every message does: if its members get it now, no frame is shared.
    #[inline]
    fn one_list(
        &mut self,
        hub: u32,
        class: Class,
        keys: &[ConnectionKey],
        except: &[(Class, u32)],
        sending: &Sending<'_>,
    ) -> usize {
        if class.parked || sending.is_numbered(class) {
            return self.lists(hub, iter::once((class, keys)), except, sending);
        }
        if except.len() >= keys.len() {
            return 0;
        }
        let frame = class.protocol.format().encode(&sending.outgoing, self.buffer);
        let Some(frame) = frame else { return 0 };
        self.metrics.encodes += 1;
        let out = except.iter().map(|(_, place)| *place);
        self.hand_over(frame, sending.expires(self.now), keys, out)
    }

    /// The same for some lists.
    #[inline(never)]
    fn lists<'a>(
        &mut self,
        hub: u32,
        lists: impl Iterator<Item = (Class, &'a [ConnectionKey])>,
        except: &[(Class, u32)],
        sending: &Sending<'_>,
    ) -> usize {
        let mut encodings = Encodings::new(&sending.outgoing);
        lists
            .map(|(class, keys)| self.list(hub, class, keys, except, sending, &mut encodings))
            .sum()
    }

    fn list(
        &mut self,
        hub: u32,
        class: Class,
        keys: &[ConnectionKey],
        except: &[(Class, u32)],
        sending: &Sending<'_>,
        encodings: &mut Encodings<'_>,
    ) -> usize {
        let out = except.iter().filter(|(of, _)| *of == class).map(|(_, place)| *place);
        if out.clone().count() >= keys.len() {
            return 0;
        }
        let format = class.protocol.format();
        let numbered = sending.is_numbered(class);
        if !numbered && !class.parked {
            let frame = encodings.frame(format, self.buffer, self.metrics);
            let Some(frame) = frame else { return 0 };
            return self.hand_over(frame, sending.expires(self.now), keys, out);
        }
        let Some(frame) = encodings.owned(format, self.buffer, self.metrics) else { return 0 };
        let frame = if numbered { frame.sequenced() } else { frame };
        if !class.parked {
            return self.number(hub, frame, keys, out);
        }
        let keys = spans(keys, out).flatten();
        keys.filter(|key| self.park(**key, &frame, sending)).count()
    }

    /// Queues a frame that is the same for all.
    #[inline]
    fn hand_over(
        &mut self,
        frame: Frame,
        expires: Option<Time>,
        keys: &[ConnectionKey],
        out: impl Iterator<Item = u32>,
    ) -> usize {
        let bytes = frame.len();
        let recipients = self.outbox.deliver(frame, expires, |to| {
            let mut next = 0;
            for place in out {
                to.extend_from_slice(&keys[next..place as usize]);
                next = place as usize + 1;
            }
            to.extend_from_slice(&keys[next..]);
        });
        self.count(recipients, bytes);
        recipients
    }

    /// Queues a frame that has a sequence id for each recipient, and lets their sessions hold it.
    fn number(
        &mut self,
        hub: u32,
        frame: Frame,
        keys: &[ConnectionKey],
        out: impl Iterator<Item = u32>,
    ) -> usize {
        let Self { sessions, doomed, hubs, .. } = self;
        let bound = unacknowledged(&hubs[hub as usize].limits);
        let bytes = frame.len();
        let place = sessions.keep(frame.clone());
        let already_doomed = doomed.len();
        let recipients = self.outbox.deliver_numbered(frame, |to, sequences| {
            let starts = (to.len(), sequences.len());
            for span in spans(keys, out) {
                to.extend_from_slice(span);
                sequences.extend(span.iter().map(|&key| {
                    let held = sessions.hold(key.slot(), place, bytes, bound);
                    held.unwrap_or_else(|_| {
                        doomed.push(key);
                        NOT_HELD
                    })
                }));
            }
            if doomed.len() > already_doomed {
                drop_not_held(to, sequences, starts);
            }
        });
        self.sessions.settle(place, recipients);
        self.count(recipients, bytes);
        recipients
    }

    /// Lets a frame wait for a connection that takes nothing now; `false` when that was one too many.
    fn park(&mut self, key: ConnectionKey, frame: &Frame, sending: &Sending<'_>) -> bool {
        let connection = self.connections.get_mut(key).expect("it is in a list");
        let data = sending.outgoing.is_sequenced();
        // Acks and the like are for the transport on which they were asked for (`webpubsub.md` 3.5).
        if !data && connection.standing == Standing::Detached {
            return true;
        }
        let hub = &self.hubs[connection.hub as usize];
        let (policy, bound) = Sending::room(self.sessions, hub, key, connection);
        let extra = connection.extra();
        let backlog = extra.backlog.get_or_insert_default();
        if !data {
            let pushed = backlog.push_control(frame.clone());
            if pushed.is_err() {
                self.doomed.push(key);
            }
            return pushed.is_ok();
        }
        let kind = sending.kind(self.now);
        match backlog.push_data(frame.clone(), kind, policy, bound, self.now) {
            Ok(drops) => {
                if !drops.is_empty() {
                    self.metrics.drops += drops;
                    extra.drops += drops;
                }
                true
            }
            Err(_) => {
                self.doomed.push(key);
                false
            }
        }
    }

    fn count(&mut self, recipients: usize, bytes: usize) {
        self.metrics.deliveries += recipients as u64;
        self.metrics.bytes_out += recipients as u64 * bytes as u64;
    }
}

fn unacknowledged(limits: &Limits) -> Bound {
    Bound { messages: limits.unacknowledged_messages, bytes: limits.unacknowledged_bytes }
}

/// Stands for the sequence id of a frame for which a session has no room: ids begin with 1.
const NOT_HELD: u64 = 0;

/// Takes out who did not get a frame, from where its recipients and their sequence ids start.
fn drop_not_held(to: &mut Vec<ConnectionKey>, sequences: &mut Vec<u64>, starts: (usize, usize)) {
    let (keys, ids) = (&mut to[starts.0..], &mut sequences[starts.1..]);
    let mut kept = 0;
    for place in 0..ids.len() {
        if ids[place] != NOT_HELD {
            (keys[kept], ids[kept]) = (keys[place], ids[place]);
            kept += 1;
        }
    }
    to.truncate(starts.0 + kept);
    sequences.truncate(starts.1 + kept);
}

/// Cuts a list at the places that are left out, which come in their order.
fn spans(
    keys: &[ConnectionKey],
    out: impl Iterator<Item = u32>,
) -> impl Iterator<Item = &[ConnectionKey]> {
    let mut next = 0;
    out.map(|place| place as usize).chain([keys.len()]).map(move |end| {
        let span = &keys[next..end];
        next = end + 1;
        span
    })
}
