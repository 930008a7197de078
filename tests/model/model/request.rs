//! What clients send.

use hubcast::Quota;

use super::{ACK_CACHE, CALL, GROUPS, MESSAGE_BYTES, Model, On, QUEUED_BYTES, QUEUED_MESSAGES};
use super::{Waiting, is_group, is_metadata};
use crate::operation::{Content, Frame, Message, Payload, Right};
use crate::wire::{self, Seen};

impl Model {
    pub(crate) fn receive(&mut self, number: usize, message: &Message) {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(&number).filter(|it| it.open) else {
            self.counters.stale_inputs += 1;
            return;
        };
        connection.heard = now;
        let size = match message {
            Message::Alive => return,
            Message::TooLarge => return self.close(number, 1009),
            Message::Malformed => return self.close(number, 1002),
            Message::NotUtf8 => return self.close(number, 1007),
            Message::Frame(_) | Message::Text(_) | Message::Binary(_) => message.size(),
        };
        self.counters.messages_in += 1;
        if size > MESSAGE_BYTES {
            return self.close(number, 1009);
        }
        let Some(waiting) = &mut self.at(number).waiting else {
            return self.process(number, message);
        };
        let bytes: usize = waiting.queue.iter().map(Message::size).sum();
        if waiting.queue.len() == QUEUED_MESSAGES || bytes + size > QUEUED_BYTES {
            return self.close(number, 1008);
        }
        waiting.queue.push_back(message.clone());
    }

    pub(super) fn process(&mut self, number: usize, message: &Message) {
        let json = self.connections[&number].json;
        match message {
            Message::Frame(frame) if json => self.frame(number, frame),
            Message::Text(_) if json => self.close(number, 1007),
            Message::Binary(_) if json => self.close(number, 1003),
            Message::Frame(frame) => self.plain(number, &Payload::Text(frame.text())),
            Message::Text(text) => self.plain(number, &Payload::Text(text.clone())),
            Message::Binary(bytes) => self.plain(number, &Payload::Binary(bytes.clone())),
            Message::Alive | Message::TooLarge | Message::Malformed | Message::NotUtf8 => {
                unreachable!("never waits")
            }
        }
    }

    /// A plain client sends events, or to its one group.
    fn plain(&mut self, number: usize, data: &Payload) {
        let connection = &self.connections[&number];
        let Some((group, no_echo)) = connection.target.clone() else {
            return self.event(number, "message", data.clone(), &[], None);
        };
        if !connection.rights.allows(Right::Send, &group) {
            return self.close(number, 1008);
        }
        match self.exhausted(&connection.hub.clone()) {
            Some(Quota::Day) => self.close(number, 1008),
            Some(Quota::Second) => {}
            None => self.publish(number, &group, data, &[], no_echo, 0),
        }
    }

    fn frame(&mut self, number: usize, frame: &Frame) {
        let connection = &self.connections[&number];
        let seen = |ack: &Option<u64>| ack.is_some_and(|ack| connection.acks.contains(&ack));
        let may = |right, group: &String| connection.rights.allows(right, group);
        match frame {
            Frame::Ping => self.tell(number, Seen::Text(r#"{"type":"pong"}"#.into(), None)),
            Frame::SequenceAck => {}
            Frame::Join { group, .. } | Frame::Leave { group, .. } | Frame::Send { group, .. }
                if !is_group(group) =>
            {
                self.close(number, 1007);
            }
            Frame::Send { ttl: 301.., .. } => self.close(number, 1007),
            Frame::Event { name, .. } if name.contains(' ') => self.close(number, 1007),
            Frame::Send { content, .. } | Frame::Event { content, .. }
                if !is_metadata(&content.metadata) =>
            {
                self.close(number, 1007);
            }
            Frame::Join { ack, .. }
            | Frame::Leave { ack, .. }
            | Frame::Send { ack, .. }
            | Frame::Event { ack, .. }
                if seen(ack) =>
            {
                self.acknowledge(number, *ack, Some("Duplicate"));
            }
            Frame::Join { group, ack } | Frame::Leave { group, ack }
                if !may(Right::Join, group) =>
            {
                self.acknowledge(number, *ack, Some("Forbidden"));
            }
            Frame::Send { group, ack, .. } if !may(Right::Send, group) => {
                self.acknowledge(number, *ack, Some("Forbidden"));
            }
            Frame::Join { group, ack } => {
                let groups = &mut self.at(number).groups;
                if groups.len() == GROUPS && !groups.contains(group) {
                    return self.acknowledge(number, *ack, Some("BadRequest"));
                }
                groups.insert(group.clone());
                self.acknowledge(number, *ack, None);
            }
            Frame::Leave { group, ack } => {
                self.at(number).groups.remove(group);
                self.acknowledge(number, *ack, None);
            }
            Frame::Send { group, content, no_echo, ttl, ack } => {
                let quota = self.exhausted(&connection.hub.clone());
                if quota.is_none() {
                    let (data, metadata) = (content.payload(), &content.metadata);
                    self.publish(number, group, &data, metadata, *no_echo, *ttl);
                }
                self.acknowledge(number, *ack, quota.map(|_| "Throttled"));
                if quota == Some(Quota::Day) {
                    self.close(number, 1008);
                }
            }
            Frame::Event { name, content, ack } => {
                let Content { metadata, .. } = content;
                self.event(number, name, content.payload(), metadata, *ack);
            }
        }
    }

    fn publish(
        &mut self,
        number: usize,
        group: &str,
        data: &Payload,
        metadata: &[(String, String)],
        no_echo: bool,
        ttl: u32,
    ) {
        let connection = &self.connections[&number];
        let (hub, user) = (connection.hub.clone(), connection.user.clone());
        let json = wire::group_message(group, Some(user.as_deref()), data, metadata);
        let mut members = self.members(&hub, |member| member.groups.contains(group));
        members.retain(|member| !(no_echo && *member == number));
        for &member in &members {
            self.send(member, &json, data, self.expiry(ttl));
        }
        self.charge(&hub, members.len(), data);
    }

    fn event(
        &mut self,
        number: usize,
        name: &str,
        data: Payload,
        metadata: &[(String, String)],
        ack: Option<u64>,
    ) {
        let connection = &self.connections[&number];
        let user = connection.user.clone();
        let same = |each: &str| each.trim() == "*" || each.trim().eq_ignore_ascii_case(name);
        let takes = |handler: &crate::operation::Handler| handler.events.split(',').any(same);
        let Some(handler) = self.handler(&connection.hub, takes) else {
            return self.fail(number, ack);
        };
        let event = self.next_event(number);
        let deadline = self.now + CALL;
        let (on, queue) = (On::Event(ack), std::collections::VecDeque::new());
        self.at(number).waiting = Some(Waiting { number: event, deadline, on, queue });
        let data = Some((data, metadata.to_vec()));
        self.call(number, handler, event, name, user, Some(deadline), data);
    }

    /// Acknowledges where that is asked for; only what was done is remembered.
    pub(super) fn acknowledge(&mut self, number: usize, ack: Option<u64>, error: Option<&str>) {
        let Some(ack) = ack else { return };
        if error.is_none() {
            let acks = &mut self.at(number).acks;
            acks.push_back(ack);
            if acks.len() > ACK_CACHE {
                acks.pop_front();
            }
        }
        self.tell(number, Seen::Ack(ack, error.map(str::to_owned)));
    }
}

impl Message {
    fn size(&self) -> usize {
        match self {
            Self::Frame(frame) => frame.text().len(),
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::Alive | Self::TooLarge | Self::Malformed | Self::NotUtf8 => 0,
        }
    }
}
