//! What clients send.

use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::{
    ACK_CACHE, CALL, GROUPS, MESSAGE_BYTES, Model, On, QUEUED_BYTES, QUEUED_MESSAGES, Waiting,
    is_group, is_metadata, takes,
};
use crate::config::Quota;
use crate::protocol::Protocol;
use crate::state::Permission;
use crate::testing::message::Message;
use crate::testing::operation::Said;
use crate::testing::payload::{Entries, Payload};
use crate::testing::request::{Content, Packet, Request};

impl Model {
    /// Something arrives from a connection.
    pub fn receive(&mut self, number: usize, said: &Said) {
        self.receive_unsettled(number, said);
        self.settle();
    }

    fn receive_unsettled(&mut self, number: usize, said: &Said) {
        let now = self.now;
        let open = self.connections.get_mut(&number).filter(|it| it.open && it.is_attached());
        let Some(connection) = open else {
            self.counters.stale_inputs += 1;
            return;
        };
        connection.heard = now;
        let protocol = connection.protocol;
        let size = match said {
            Said::Alive => return,
            Said::TooLarge => return self.shut(number, 1009),
            Said::Malformed => return self.shut(number, 1002),
            Said::NotUtf8 => {
                return self.shut(number, if is_protobuf(protocol) { 1003 } else { 1007 });
            }
            Said::Request(_) | Said::Text(_) | Said::Binary(_) => size(said, protocol),
        };
        self.counters.messages_in += 1;
        if size > MESSAGE_BYTES {
            return self.shut(number, 1009);
        }
        let Some(waiting) = &mut self.at(number).waiting else {
            return self.process(number, said);
        };
        let bytes: usize = waiting.queue.iter().map(|said| self::size(said, protocol)).sum();
        if waiting.queue.len() == QUEUED_MESSAGES || bytes + size > QUEUED_BYTES {
            return self.shut(number, 1008);
        }
        waiting.queue.push_back(said.clone());
    }

    pub(super) fn process(&mut self, number: usize, said: &Said) {
        let protocol = self.connections[&number].protocol;
        let Some(packet) = said.packet(protocol) else { unreachable!("never waits") };
        match (protocol, said, packet) {
            (Protocol::Plain, _, Packet::Text(text)) => self.plain(number, &Payload::Text(text)),
            (Protocol::Plain, _, Packet::Binary(bytes)) => {
                self.plain(number, &Payload::Binary(bytes));
            }
            (_, Said::Request(request), _) => self.request(number, request),
            (_, _, Packet::Text(_)) if is_protobuf(protocol) => self.shut(number, 1003),
            (_, _, Packet::Binary(_)) if !is_protobuf(protocol) => self.shut(number, 1003),
            (_, _, _) => self.shut(number, 1007),
        }
    }

    /// A plain client sends events, or to its one group.
    fn plain(&mut self, number: usize, data: &Payload) {
        let connection = &self.connections[&number];
        let Some((group, no_echo)) = connection.target.clone() else {
            return self.event(number, "message", data.clone(), &Vec::new(), None);
        };
        if !connection.rights.allows(Permission::SendToGroup, &group) {
            return self.shut(number, 1008);
        }
        match self.exhausted(&connection.hub.clone()) {
            Some(Quota::Day) => self.shut(number, 1008),
            Some(Quota::Second) => {}
            None => self.publish_from(number, &group, data, &Vec::new(), no_echo, 0),
        }
    }

    fn request(&mut self, number: usize, request: &Request) {
        let connection = &self.connections[&number];
        let protobuf = is_protobuf(connection.protocol);
        if !is_valid(request, protobuf) {
            return self.shut(number, 1007);
        }
        let ack = request.ack();
        if ack.is_some_and(|ack| connection.acks.contains(&ack)) {
            return self.acknowledge(number, ack, Some("Duplicate"));
        }
        let may = |permission, group: &str| connection.rights.allows(permission, group);
        match request {
            Request::Ping => drop(self.send(number, &Message::Pong, 0)),
            Request::SequenceAck { sequence } => self.release(number, *sequence),
            Request::Join { group, .. } | Request::Leave { group, .. }
                if !may(Permission::JoinLeaveGroup, group) =>
            {
                self.acknowledge(number, ack, Some("Forbidden"));
            }
            Request::Send { group, .. } if !may(Permission::SendToGroup, group) => {
                self.acknowledge(number, ack, Some("Forbidden"));
            }
            Request::Join { group, .. } => {
                if connection.groups.len() == GROUPS && !connection.is_in(group) {
                    return self.acknowledge(number, ack, Some("BadRequest"));
                }
                self.join_group(number, group);
                self.acknowledge(number, ack, None);
            }
            Request::Leave { group, .. } => {
                if self.leave_group(number, group) {
                    self.tell_cleared(number, group);
                }
                self.acknowledge(number, ack, None);
            }
            Request::Send { group, content, no_echo, ttl, .. } => {
                let quota = self.exhausted(&connection.hub.clone());
                if quota.is_none() {
                    let (data, metadata) = (content.payload(), &content.metadata);
                    self.publish_from(number, group, &data, metadata, *no_echo, *ttl);
                }
                self.acknowledge(number, ack, quota.map(|_| "Throttled"));
                if quota == Some(Quota::Day) {
                    self.shut(number, 1008);
                }
            }
            Request::Event { name, content, .. } => {
                let Content { metadata, .. } = content;
                self.event(number, name, content.payload(), metadata, ack);
            }
            Request::Invoke { id, event, content } => self.invoke(number, id, event, content),
            Request::CancelInvocation { id } => self.cancel_invocation(number, id),
            Request::StartStream { id, group, no_echo, idle_timeout } => {
                self.start_stream(number, id, group, *no_echo, *idle_timeout);
            }
            Request::StreamData { id, sequence, payload } => {
                self.stream_data(number, id, *sequence, payload);
            }
            Request::StreamKeepAlive { id } => drop(self.hear_stream(number, id)),
            Request::EndStream { id, error } => self.end_stream(number, id, error.as_ref()),
            Request::SetState { group, state, .. } => {
                let outcome = self.set_state(number, group, state.as_ref());
                self.acknowledge(number, ack, outcome.err());
            }
            Request::Subscribe { group, .. } => {
                let outcome = self.subscribe(number, group);
                self.acknowledge(number, ack, outcome.err());
                if outcome.is_ok() {
                    self.send_states(number, group);
                }
            }
            Request::Unsubscribe { group, .. } => {
                self.at(number).subscribed.remove(group);
                self.acknowledge(number, ack, None);
            }
        }
    }

    fn publish_from(
        &mut self,
        number: usize,
        group: &str,
        data: &Payload,
        metadata: &Entries,
        no_echo: bool,
        ttl: u32,
    ) {
        let connection = &self.connections[&number];
        let (hub, user) = (connection.hub.clone(), connection.user.clone());
        let message = Message::Group {
            group: group.to_owned(),
            from_user: Some(user),
            payload: data.clone(),
            metadata: metadata.clone(),
            stream: None,
        };
        let except: Vec<_> = no_echo.then_some(number).into_iter().collect();
        let recipients = self.publish(&hub, &except, &message, ttl);
        self.charge(&hub, recipients, data);
    }

    /// Sends a message to the members of its group, and returns how many get it.
    pub(super) fn publish(
        &mut self,
        hub: &str,
        except: &[usize],
        message: &Message,
        ttl: u32,
    ) -> usize {
        let Message::Group { group, .. } = message else { return 0 };
        let mut members = self.members(hub, |member| member.is_in(group));
        members.retain(|member| !except.contains(member));
        members.into_iter().filter(|&member| self.send(member, message, ttl)).count()
    }

    fn event(
        &mut self,
        number: usize,
        name: &str,
        data: Payload,
        metadata: &Entries,
        ack: Option<u64>,
    ) {
        let connection = &self.connections[&number];
        let user = connection.user.clone();
        let Some(handler) = self.handler(&connection.hub, |handler| takes(handler, name)) else {
            return self.fail(number, ack);
        };
        let event = self.next_event(number);
        let deadline = self.now + CALL;
        let (on, queue) = (On::Event(ack), VecDeque::new());
        self.at(number).waiting = Some(Waiting { number: event, deadline, on, queue });
        let data = Some((data, metadata.clone()));
        self.call(number, handler, event, name, user, Some(deadline), data, None);
    }

    /// Acknowledges where that is asked for; only what was done is remembered.
    pub(super) fn acknowledge(&mut self, number: usize, ack: Option<u64>, error: Option<&str>) {
        let Some(id) = ack else { return };
        if error.is_none() {
            let acks = &mut self.at(number).acks;
            acks.push_back(id);
            if acks.len() > ACK_CACHE {
                acks.pop_front();
            }
        }
        self.send(number, &Message::Ack { id, error: error.map(str::to_owned) }, 0);
    }
}

fn is_protobuf(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Protobuf | Protocol::ReliableProtobuf)
}

/// Tells whether a request breaks no rule for its fields.
fn is_valid(request: &Request, protobuf: bool) -> bool {
    let group = match request {
        Request::Join { group, .. }
        | Request::Leave { group, .. }
        | Request::Send { group, .. }
        | Request::StartStream { group, .. }
        | Request::SetState { group, .. }
        | Request::Subscribe { group, .. }
        | Request::Unsubscribe { group, .. } => is_group(group),
        _ => true,
    };
    let content = match request {
        Request::Send { content, .. } | Request::Event { content, .. } => {
            // In JSON an empty object is metadata, in protobuf it is nothing.
            let some = content.data.is_some() || !content.metadata.is_empty() || !protobuf;
            some && is_metadata(&content.metadata)
        }
        Request::Invoke { content, .. } => is_metadata(&content.metadata),
        _ => true,
    };
    let rest = match request {
        Request::Send { ttl, .. } => *ttl <= 300,
        Request::Event { name, .. } => !name.contains(' '),
        _ => true,
    };
    group && content && rest
}

fn size(said: &Said, protocol: Protocol) -> usize {
    said.packet(protocol).map_or(0, |packet| packet.as_bytes().len())
}
