//! The members of a message, and what they may hold (`webpubsub.md` 3.2).

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::str;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::scan::{Kind, Value, visit_members};
use super::super::text::Text;
use crate::name;
use crate::protocol::message::{Data, ID_BYTES_MAX, Metadata, TTL_SECONDS_MAX};

/// The members that mean something, unchecked. Of a repeated member only the last counts, so nothing can be
/// checked before all have been read.
#[derive(Default)]
pub(super) struct Fields<'a> {
    pub request_type: Option<Value<'a>>,
    pub ack_id: Option<Value<'a>>,
    pub group: Option<Value<'a>>,
    pub event: Option<Value<'a>>,
    pub no_echo: Option<Value<'a>>,
    pub ttl_seconds: Option<Value<'a>>,
    pub data_type: Option<Value<'a>>,
    pub data: Option<Value<'a>>,
    pub metadata: Option<Value<'a>>,
    pub sequence_id: Option<Value<'a>>,
    pub stream: Option<Value<'a>>,
    pub stream_id: Option<Value<'a>>,
    pub stream_sequence_id: Option<Value<'a>>,
    pub error: Option<Value<'a>>,
    pub state: Option<Value<'a>>,
    pub invocation_id: Option<Value<'a>>,
    pub target: Option<Value<'a>>,
}

impl<'a> Fields<'a> {
    #[inline]
    pub(super) fn read(&mut self, text: &'a str) -> Option<()> {
        visit_members(text, |name, value| {
            if let Some(field) = self.field(name) {
                *field = Some(value);
            }
            Some(())
        })
    }

    #[inline]
    fn field(&mut self, name: Text<'a>) -> Option<&mut Option<Value<'a>>> {
        let Some(name) = name.plain() else {
            return self.field_named(name.decode()?.as_bytes());
        };
        self.field_named(name.as_bytes())
    }

    #[inline]
    fn field_named(&mut self, name: &[u8]) -> Option<&mut Option<Value<'a>>> {
        Some(match name {
            b"type" => &mut self.request_type,
            b"ackId" => &mut self.ack_id,
            b"group" => &mut self.group,
            b"event" => &mut self.event,
            b"noEcho" => &mut self.no_echo,
            b"ttlSeconds" => &mut self.ttl_seconds,
            b"dataType" => &mut self.data_type,
            b"data" => &mut self.data,
            b"metadata" => &mut self.metadata,
            b"sequenceId" => &mut self.sequence_id,
            b"stream" => &mut self.stream,
            b"streamId" => &mut self.stream_id,
            b"streamSequenceId" => &mut self.stream_sequence_id,
            b"error" => &mut self.error,
            b"state" => &mut self.state,
            b"invocationId" => &mut self.invocation_id,
            b"target" => &mut self.target,
            _ => return None,
        })
    }

    #[inline]
    pub(super) fn group(&self) -> Option<Cow<'a, str>> {
        self.group?.text()?.decode().filter(|group| name::is_group(group))
    }

    #[inline]
    pub(super) fn event(&self) -> Option<Cow<'a, str>> {
        self.event?.text()?.decode().filter(|event| name::is_event(event))
    }

    #[inline]
    pub(super) fn no_echo(&self) -> Option<bool> {
        match self.no_echo.map(|value| value.kind) {
            None | Some(Kind::False) => Some(false),
            Some(Kind::True) => Some(true),
            Some(Kind::Null | Kind::Number | Kind::Text { .. } | Kind::Array | Kind::Object) => {
                None
            }
        }
    }

    #[inline]
    pub(super) fn ttl_seconds(&self) -> Option<u32> {
        let Some(value) = present(self.ttl_seconds) else { return Some(0) };
        u32::try_from(integer(value)?).ok().filter(|&seconds| seconds <= TTL_SECONDS_MAX)
    }

    #[inline]
    pub(super) fn metadata(&self) -> Option<Metadata<'a>> {
        present(self.metadata).map_or_else(|| Some(Metadata::new()), read_metadata)
    }

    /// Reads the data; an empty text stands for what is absent, where that may be.
    #[inline]
    pub(super) fn data(&self, optional: bool, scratch: &'a mut Vec<u8>) -> Option<Data<'a>> {
        let data_type = match self.data_type {
            None => DataType::Json,
            Some(value) => DataType::from_text(value.text()?)?,
        };
        match self.data {
            Some(value) => data_type.decode(value, scratch),
            None => optional.then_some(Data::Text("")),
        }
    }

    /// Reads data and metadata. Metadata may go alone, and an empty object is metadata: `webpubsub.md` 3.2 names
    /// only `null` as absent. (It takes a pair where the wire cannot tell an empty map from none: 5.4, protobuf.)
    #[inline]
    pub(super) fn data_and_metadata(
        &self,
        scratch: &'a mut Vec<u8>,
    ) -> Option<(Data<'a>, Metadata<'a>)> {
        let metadata = self.metadata()?;
        let data = self.data(present(self.metadata).is_some(), scratch)?;
        Some((data, metadata))
    }

    /// Reads the data of a stream, whose type has to be said.
    pub(super) fn stream_data(&self, scratch: &'a mut Vec<u8>) -> Option<Data<'a>> {
        self.data_type?;
        self.data(false, scratch)
    }
}

#[derive(Clone, Copy)]
enum DataType {
    Json,
    Text,
    Binary,
}

impl DataType {
    fn from_text(text: Text<'_>) -> Option<Self> {
        const NAMES: [(&str, DataType); 3] =
            [("json", DataType::Json), ("text", DataType::Text), ("binary", DataType::Binary)];
        find(&NAMES, text)
    }

    fn decode<'a>(self, value: Value<'a>, scratch: &'a mut Vec<u8>) -> Option<Data<'a>> {
        match self {
            Self::Json => (value.kind != Kind::Null).then_some(Data::Json(value.raw)),
            Self::Text => decode_text(value.text()?, scratch).map(Data::Text),
            Self::Binary => decode_binary(value.text()?, scratch).map(Data::Binary),
        }
    }
}

/// Finds what has this name, without regard to case.
#[inline]
pub(super) fn find<T: Copy>(names: &[(&str, T)], text: Text<'_>) -> Option<T> {
    let text = text.decode()?;
    // Nearly everybody writes the documented case, and that is much cheaper to compare.
    let exact = names.iter().find(|(name, _)| *name == text);
    let found =
        exact.or_else(|| names.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text)))?;
    Some(found.1)
}

/// Reads the id of a stream or an invocation.
pub(super) fn id(value: Option<Value<'_>>) -> Option<Cow<'_, str>> {
    value?.text()?.decode().filter(|id| id.len() <= ID_BYTES_MAX)
}

/// Drops what is absent by another spelling.
#[inline]
pub(super) fn present(value: Option<Value<'_>>) -> Option<Value<'_>> {
    value.filter(|value| value.kind != Kind::Null)
}

/// Reads plain digits: `3.0`, `1e2` and `-0` are no integers here (`webpubsub.md` 3.2).
#[inline]
pub(super) fn integer(value: Value<'_>) -> Option<u64> {
    if value.kind != Kind::Number {
        return None;
    }
    value.raw.parse().ok()
}

fn decode_text<'a>(text: Text<'a>, scratch: &'a mut Vec<u8>) -> Option<&'a str> {
    if let Some(text) = text.plain() {
        return Some(text);
    }
    scratch.clear();
    text.decode_into(scratch)?;
    str::from_utf8(scratch).ok()
}

fn decode_binary<'a>(text: Text<'a>, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    scratch.clear();
    if let Some(base64) = text.plain() {
        STANDARD.decode_vec(base64, scratch).ok()?;
        return Some(scratch);
    }
    // Writers that escape `/` or `+` are common: the text without escapes goes first, the bytes behind it.
    text.decode_into(scratch)?;
    let length = scratch.len();
    scratch.resize(length + base64::decoded_len_estimate(length), 0);
    let (base64, decoded) = scratch.split_at_mut(length);
    let decoded_length = STANDARD.decode_slice(base64, decoded).ok()?;
    decoded.get(..decoded_length)
}

fn read_metadata(value: Value<'_>) -> Option<Metadata<'_>> {
    let mut pairs = Metadata::new();
    visit_members(value.raw, |key, value| {
        // Keys have at least one byte: more of them than that cannot be acceptable, so stop collecting.
        if pairs.len() == name::METADATA_TOTAL_MAX {
            return None;
        }
        pairs.push((key.decode()?, value.text()?.decode()?));
        Some(())
    })?;
    name::is_metadata(pairs.iter().map(|(key, value)| (&**key, &**value))).then_some(pairs)
}
