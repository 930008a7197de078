//! The fields of a message, and what they may hold.

use alloc::borrow::Cow;
use core::{mem, str};

use super::super::wire::{Reader, Value};
use super::{Upstream, is_any};
use crate::name;
use crate::protocol::entries::Entries;
use crate::protocol::json;
use crate::protocol::message::{Data, ID_BYTES_MAX, Metadata, UserError};

/// The fields of a message, as far as there are any; their values are unchecked.
#[derive(Default)]
pub(super) struct Fields<'a> {
    group: &'a str,
    event: &'a str,
    /// The id of a stream or an invocation.
    pub id: &'a str,
    pub ack_id: Option<u64>,
    pub sequence_id: Option<u64>,
    pub no_echo: bool,
    pub ttl_seconds: u32,
    /// Within, `None` where none of the kinds of data is chosen.
    pub data: Option<Option<Data<'a>>>,
    metadata: Entries<'a>,
    pub stream: Option<Start<'a>>,
    pub error: Option<UserError<'a>>,
    pub state: Option<Entries<'a>>,
}

#[derive(Default)]
pub(super) struct Start<'a> {
    pub stream_id: &'a str,
    pub idle_timeout: Option<u32>,
}

impl<'a> Fields<'a> {
    pub(super) fn read(&mut self, message: Upstream, bytes: &'a [u8]) -> Option<()> {
        let mut reader = Reader::new(bytes);
        while let Some((field, value)) = reader.field()? {
            match value {
                Value::Varint(value) => self.set_number(message, field, value),
                Value::Bytes(bytes) => self.set_bytes(message, field, bytes)?,
                Value::Other => {}
            }
        }
        Some(())
    }

    #[inline]
    fn set_number(&mut self, message: Upstream, field: u32, value: u64) {
        match (message, field) {
            (Upstream::Event, 3) => self.ack_id = Some(value),
            (message, 2) if message.is_about_group() => self.ack_id = Some(value),
            (Upstream::SequenceAck, 1) | (Upstream::StreamData, 2) => {
                self.sequence_id = Some(value);
            }
            (Upstream::SendToGroup, 4) => self.no_echo = value != 0,
            // Numbers of 32 bits lose what is above them, as everywhere in protobuf.
            (Upstream::SendToGroup, 5) => self.ttl_seconds = value as u32,
            _ => {}
        }
    }

    #[inline]
    fn set_bytes(&mut self, message: Upstream, field: u32, bytes: &'a [u8]) -> Option<()> {
        match (message, field) {
            (message, 1) if message.is_about_group() => self.group = text(bytes)?,
            (Upstream::Event | Upstream::Invoke, 1) => self.event = text(bytes)?,
            (Upstream::Invoke, 2)
            | (Upstream::CancelInvocation | Upstream::StreamData | Upstream::StreamEnd, 1) => {
                self.id = text(bytes)?;
            }
            (Upstream::Event, 2)
            | (Upstream::SendToGroup | Upstream::Invoke | Upstream::StreamData, 3) => {
                read_data(self.data.get_or_insert_default(), bytes)?;
            }
            (Upstream::SendToGroup, 6) | (Upstream::Event | Upstream::Invoke, 4) => {
                read_entry(&mut self.metadata, bytes)?;
            }
            (Upstream::SendToGroup, 7) | (Upstream::Event | Upstream::Invoke, 5) => {
                self.stream.get_or_insert_default().read(bytes)?;
            }
            (Upstream::StreamEnd, 2) => read_error(self.error.get_or_insert_default(), bytes)?,
            (Upstream::SetGroupState, 3) => {
                let state = self.state.get_or_insert_default();
                each_bytes(
                    bytes,
                    |field, bytes| {
                        if field == 1 { read_entry(state, bytes) } else { Some(()) }
                    },
                )?;
            }
            _ => {}
        }
        Some(())
    }

    pub(super) fn group(&self) -> Option<Cow<'a, str>> {
        name::is_group(self.group).then_some(Cow::Borrowed(self.group))
    }

    pub(super) fn event(&self) -> Option<Cow<'a, str>> {
        name::is_event(self.event).then_some(Cow::Borrowed(self.event))
    }

    pub(super) fn id(&self) -> Option<Cow<'a, str>> {
        id(self.id)
    }

    pub(super) fn invocation_id(&self) -> Option<Cow<'a, str>> {
        self.id().filter(|id| !id.is_empty())
    }

    pub(super) fn metadata(&mut self) -> Option<Metadata<'a>> {
        let pairs = mem::take(&mut self.metadata).into_pairs();
        name::is_metadata(pairs.iter().map(|(key, value)| (&**key, &**value))).then_some(pairs)
    }

    /// Returns the data; it may be absent where there is metadata, which takes a pair here (`webpubsub.md` 5.4).
    pub(super) fn data_beside(&self, metadata: &Metadata<'a>) -> Option<Data<'a>> {
        match self.data {
            Some(data) => checked(data),
            None => (!metadata.is_empty()).then_some(Data::Text("")),
        }
    }
}

impl<'a> Start<'a> {
    fn read(&mut self, bytes: &'a [u8]) -> Option<()> {
        let mut reader = Reader::new(bytes);
        while let Some(field) = reader.field()? {
            match field {
                (1, Value::Bytes(bytes)) => self.stream_id = text(bytes)?,
                (2, Value::Varint(timeout)) => self.idle_timeout = Some(timeout as u32),
                _ => {}
            }
        }
        Some(())
    }
}

fn read_data<'a>(data: &mut Option<Data<'a>>, bytes: &'a [u8]) -> Option<()> {
    each_bytes(bytes, |field, bytes| {
        *data = Some(match field {
            1 => Data::Text(text(bytes)?),
            2 => Data::Binary(bytes),
            3 => is_any(bytes).then_some(Data::Protobuf(bytes))?,
            4 => Data::Json(text(bytes)?),
            _ => return Some(()),
        });
        Some(())
    })
}

/// Reads an entry of a map. A key or a value that is absent is the empty text.
fn read_entry<'a>(entries: &mut Entries<'a>, bytes: &'a [u8]) -> Option<()> {
    let (mut key, mut value) = ("", "");
    each_bytes(bytes, |field, bytes| {
        match field {
            1 => key = text(bytes)?,
            2 => value = text(bytes)?,
            _ => {}
        }
        Some(())
    })?;
    entries.insert(key.into(), value.into())
}

fn read_error<'a>(error: &mut UserError<'a>, bytes: &'a [u8]) -> Option<()> {
    each_bytes(bytes, |field, bytes| {
        match field {
            1 => error.message = Some(text(bytes)?.into()),
            2 => error.code = Some(text(bytes)?.into()),
            _ => {}
        }
        Some(())
    })
}

/// Hands out the fields that are bytes; no other field means anything to the caller.
#[inline]
pub(super) fn each_bytes<'a>(
    bytes: &'a [u8],
    mut visit: impl FnMut(u32, &'a [u8]) -> Option<()>,
) -> Option<()> {
    let mut reader = Reader::new(bytes);
    while let Some((field, value)) = reader.field()? {
        if let Value::Bytes(bytes) = value {
            visit(field, bytes)?;
        }
    }
    Some(())
}

/// Returns the data that is acceptable: of a chosen kind, and JSON only if it is that and not `null`.
pub(super) fn checked(data: Option<Data<'_>>) -> Option<Data<'_>> {
    data.filter(|data| match data {
        Data::Json(text) => json::is_valid(text) && text.trim_ascii() != "null",
        Data::Text(_) | Data::Binary(_) | Data::Protobuf(_) => true,
    })
}

pub(super) fn id(id: &str) -> Option<Cow<'_, str>> {
    (id.len() <= ID_BYTES_MAX).then_some(Cow::Borrowed(id))
}

#[inline]
pub(super) fn text(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok()
}
