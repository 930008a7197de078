//! Protobuf messages without what they say.

use alloc::vec::Vec;
use core::str;

use super::decode::Upstream;
use super::wire::{Reader, Value};
use crate::protocol::redact::{blank_any, blank_bytes, blank_json, blank_text};

/// Returns a message of a client without its payloads; `None` where there is anything in it that is not known.
pub(crate) fn message(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Copy { original: bytes, blank: Vec::from(bytes) };
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        let Value::Bytes(inner) = value else { return None };
        copy.message(Upstream::from_number(number)?, inner)?;
    }
    Some(copy.blank)
}

/// A message, and what it becomes.
struct Copy<'a> {
    original: &'a [u8],
    blank: Vec<u8>,
}

impl Copy<'_> {
    fn message(&mut self, message: Upstream, bytes: &[u8]) -> Option<()> {
        let mut reader = Reader::new(bytes);
        while let Some((field, value)) = reader.field()? {
            match value {
                Value::Varint(_) if message.has_number(field) => {}
                Value::Bytes(bytes) => self.field(message, field, bytes)?,
                Value::Varint(_) | Value::Other => return None,
            }
        }
        Some(())
    }

    /// The numbers are those of the decoder.
    fn field(&mut self, message: Upstream, field: u32, bytes: &[u8]) -> Option<()> {
        match (message, field) {
            (message, 1) if message.is_about_group() => {}
            (
                Upstream::Event
                | Upstream::Invoke
                | Upstream::CancelInvocation
                | Upstream::StreamData
                | Upstream::StreamEnd,
                1,
            )
            | (Upstream::Invoke, 2)
            | (Upstream::SendToGroup, 7)
            | (Upstream::Event | Upstream::Invoke, 5) => {}
            (Upstream::Event, 2)
            | (Upstream::SendToGroup | Upstream::Invoke | Upstream::StreamData, 3) => {
                self.each(bytes, Self::data)?;
            }
            (Upstream::SendToGroup, 6) | (Upstream::Event | Upstream::Invoke, 4) => {
                self.each(bytes, Self::entry)?;
            }
            (Upstream::StreamEnd, 2) => self.each(bytes, |copy, _, text| copy.text(text))?,
            (Upstream::SetGroupState, 3) => {
                self.each(bytes, |copy, _, entry| copy.each(entry, Self::entry))?;
            }
            _ => return None,
        }
        Some(())
    }

    fn data(&mut self, field: u32, bytes: &[u8]) -> Option<()> {
        match field {
            1 => return self.text(bytes),
            2 => self.replace(bytes, &blank_bytes(bytes)),
            3 => self.replace(bytes, &blank_any(bytes)),
            4 => self.replace(bytes, blank_json(str::from_utf8(bytes).ok()?).as_bytes()),
            _ => return None,
        }
        Some(())
    }

    /// The key of an entry stays.
    fn entry(&mut self, field: u32, bytes: &[u8]) -> Option<()> {
        match field {
            1 => Some(()),
            2 => self.text(bytes),
            _ => None,
        }
    }

    fn text(&mut self, bytes: &[u8]) -> Option<()> {
        self.replace(bytes, blank_text(str::from_utf8(bytes).ok()?).as_bytes());
        Some(())
    }

    fn each(
        &mut self,
        bytes: &[u8],
        mut visit: impl FnMut(&mut Self, u32, &[u8]) -> Option<()>,
    ) -> Option<()> {
        let mut reader = Reader::new(bytes);
        while let Some((field, value)) = reader.field()? {
            let Value::Bytes(bytes) = value else { return None };
            visit(self, field, bytes)?;
        }
        Some(())
    }

    fn replace(&mut self, part: &[u8], by: &[u8]) {
        let start = part.as_ptr().addr() - self.original.as_ptr().addr();
        self.blank[start..start + part.len()].copy_from_slice(by);
    }
}

impl Upstream {
    /// Tells whether it has a number in this field.
    const fn has_number(self, field: u32) -> bool {
        match self {
            Self::SendToGroup => matches!(field, 2 | 4 | 5),
            Self::JoinGroup
            | Self::LeaveGroup
            | Self::SetGroupState
            | Self::SubscribeGroupState
            | Self::UnsubscribeGroupState
            | Self::StreamData => field == 2,
            Self::Event => field == 3,
            Self::SequenceAck => field == 1,
            Self::Ping | Self::Invoke | Self::CancelInvocation | Self::StreamEnd => false,
        }
    }
}
