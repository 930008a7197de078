//! Requests as protobuf messages (`webpubsub.md` 5.1).

use alloc::string::String;
use alloc::vec::Vec;

use super::{Content, Request};
use crate::testing::payload::Payload;

/// Writes a request.
pub(super) fn bytes(request: &Request) -> Vec<u8> {
    let mut inner = Fields::default();
    let number = match request {
        Request::Send { group, content, no_echo, ttl, ack } => {
            inner.text(1, group).optional(2, *ack).data(3, content.data.as_ref());
            inner.optional(4, no_echo.then_some(1));
            inner.optional(5, (*ttl > 0).then_some(u64::from(*ttl))).entries(6, &content.metadata);
            1
        }
        Request::StartStream { id, group, no_echo, idle_timeout } => {
            let mut stream = Fields::default();
            stream.text(1, id).optional(2, idle_timeout.map(u64::from));
            inner.text(1, group).optional(4, no_echo.then_some(1)).bytes(7, &stream.0);
            1
        }
        Request::Event { name, content, ack } => {
            inner.text(1, name).content(2, content, 4).optional(3, *ack);
            5
        }
        Request::Join { group, ack } => {
            inner.text(1, group).optional(2, *ack);
            6
        }
        Request::Leave { group, ack } => {
            inner.text(1, group).optional(2, *ack);
            7
        }
        Request::SequenceAck { sequence } => {
            inner.optional(1, Some(*sequence));
            8
        }
        Request::Ping => 9,
        Request::Invoke { id, event, content } => {
            inner.text(1, event).text(2, id).content(3, content, 4);
            10
        }
        Request::CancelInvocation { id } => {
            inner.text(1, id);
            11
        }
        Request::StreamData { id, sequence, payload } => {
            inner.text(1, id).optional(2, Some(*sequence)).data(3, Some(payload));
            13
        }
        Request::StreamKeepAlive { id } => {
            inner.text(1, id);
            13
        }
        Request::EndStream { id, error } => {
            inner.text(1, id);
            if let Some((message, code)) = error {
                let mut error = Fields::default();
                error.text(1, message).text(2, code);
                inner.bytes(2, &error.0);
            }
            14
        }
        Request::SetState { group, state, ack } => {
            inner.text(1, group).optional(2, *ack);
            if let Some(state) = state {
                let mut entries = Fields::default();
                entries.entries(1, state);
                inner.bytes(3, &entries.0);
            }
            15
        }
        Request::Subscribe { group, ack } => {
            inner.text(1, group).optional(2, *ack);
            16
        }
        Request::Unsubscribe { group, ack } => {
            inner.text(1, group).optional(2, *ack);
            17
        }
    };
    let mut whole = Fields::default();
    whole.bytes(number, &inner.0);
    whole.0
}

/// The fields of a message, one after the other.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn optional(&mut self, number: u64, value: Option<u64>) -> &mut Self {
        if let Some(value) = value {
            self.varint(number << 3);
            self.varint(value);
        }
        self
    }

    fn bytes(&mut self, number: u64, bytes: &[u8]) -> &mut Self {
        self.varint(number << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(&mut self, number: u64, text: &str) -> &mut Self {
        self.bytes(number, text.as_bytes())
    }

    fn content(&mut self, data: u64, content: &Content, metadata: u64) -> &mut Self {
        self.data(data, content.data.as_ref()).entries(metadata, &content.metadata)
    }

    fn data(&mut self, number: u64, payload: Option<&Payload>) -> &mut Self {
        let mut inner = Self::default();
        match payload {
            None => return self,
            Some(Payload::Text(text)) => inner.text(1, text),
            Some(Payload::Binary(bytes)) => inner.bytes(2, bytes),
            Some(Payload::Protobuf(bytes)) => inner.bytes(3, bytes),
            Some(Payload::Json(text)) => inner.text(4, text),
        };
        self.bytes(number, &inner.0)
    }

    fn entries(&mut self, number: u64, entries: &[(String, String)]) -> &mut Self {
        for (name, value) in entries {
            let mut entry = Self::default();
            entry.text(1, name).text(2, value);
            self.bytes(number, &entry.0);
        }
        self
    }
}
