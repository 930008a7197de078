//! From the text of a frame to what the client asks for (`webpubsub.md` 3.1 to 3.3).

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::str;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::scan::{Kind, Value, visit_members};
use super::text::Text;
use crate::name;
use crate::protocol::message::{Data, Metadata, Request, Violation};

/// The one answer to a frame that breaks a rule of `webpubsub.md` 3.2.
pub(crate) const INVALID: Violation =
    Violation { code: 1007, reason: "The client message is not a valid JSON protocol message." };

/// The highest `ttlSeconds` (`webpubsub.md` 3.2).
const TTL_SECONDS_MAX: u64 = 300;

/// Decodes one text message. What has to be unescaped or decoded goes into `scratch`, whose content before is
/// thrown away; all else is borrowed from the text.
pub(crate) fn decode<'a>(
    text: &'a str,
    scratch: &'a mut Vec<u8>,
) -> Result<Request<'a>, Violation> {
    decode_request(text, scratch).ok_or(INVALID)
}

fn decode_request<'a>(text: &'a str, scratch: &'a mut Vec<u8>) -> Option<Request<'a>> {
    let mut fields = Fields::default();
    fields.read(text)?;
    // A bad id breaks every type of message, those that are never acknowledged included (`webpubsub.md` 3.2).
    let ack_id = optional_integer(fields.ack_id).ok()?;
    match RequestType::from_text(fields.request_type?.text()?)? {
        RequestType::JoinGroup => Some(Request::JoinGroup { group: fields.group()?, ack_id }),
        RequestType::LeaveGroup => Some(Request::LeaveGroup { group: fields.group()?, ack_id }),
        RequestType::SendToGroup => fields.send_to_group(ack_id, scratch),
        RequestType::Event => fields.event(ack_id, scratch),
        RequestType::SequenceAck => {
            integer(fields.sequence_id?)?;
            Some(Request::SequenceAck)
        }
        RequestType::Ping => Some(Request::Ping),
    }
}

/// The members that mean something, unchecked. Of a repeated member only the last counts, so nothing can be
/// checked before all have been read.
#[derive(Default)]
struct Fields<'a> {
    request_type: Option<Value<'a>>,
    ack_id: Option<Value<'a>>,
    group: Option<Value<'a>>,
    event: Option<Value<'a>>,
    no_echo: Option<Value<'a>>,
    ttl_seconds: Option<Value<'a>>,
    data_type: Option<Value<'a>>,
    data: Option<Value<'a>>,
    metadata: Option<Value<'a>>,
    sequence_id: Option<Value<'a>>,
    stream: Option<Value<'a>>,
}

impl<'a> Fields<'a> {
    fn read(&mut self, text: &'a str) -> Option<()> {
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
            _ => return None,
        })
    }

    fn send_to_group(&self, ack_id: Option<u64>, scratch: &'a mut Vec<u8>) -> Option<Request<'a>> {
        // Starts a stream (`webpubsub.md` 3.8), which this protocol does not have yet.
        if self.stream.is_some_and(|stream| stream.kind != Kind::Null) {
            return None;
        }
        let no_echo = match self.no_echo.map(|value| value.kind) {
            None | Some(Kind::False) => false,
            Some(Kind::True) => true,
            Some(Kind::Null | Kind::Number | Kind::Text { .. } | Kind::Array | Kind::Object) => {
                return None;
            }
        };
        let ttl_seconds = optional_integer(self.ttl_seconds).ok()?.unwrap_or(0);
        if ttl_seconds > TTL_SECONDS_MAX {
            return None;
        }
        let group = self.group()?;
        let (data, metadata) = self.data_and_metadata(scratch)?;
        let ttl_seconds = u32::try_from(ttl_seconds).ok()?;
        Some(Request::SendToGroup { group, data, metadata, no_echo, ttl_seconds, ack_id })
    }

    fn event(&self, ack_id: Option<u64>, scratch: &'a mut Vec<u8>) -> Option<Request<'a>> {
        let event = self.event?.text()?.decode().filter(|event| name::is_event(event))?;
        let (data, metadata) = self.data_and_metadata(scratch)?;
        Some(Request::Event { event, data, metadata, ack_id })
    }

    fn group(&self) -> Option<Cow<'a, str>> {
        self.group?.text()?.decode().filter(|group| name::is_group(group))
    }

    fn data_and_metadata(&self, scratch: &'a mut Vec<u8>) -> Option<(Data<'a>, Metadata<'a>)> {
        let data_type = match self.data_type {
            None => DataType::Json,
            Some(value) => DataType::from_text(value.text()?)?,
        };
        let metadata = self.metadata.filter(|value| value.kind != Kind::Null);
        let pairs = metadata.map_or_else(|| Some(Metadata::new()), read_metadata)?;
        let data = match self.data {
            Some(value) => data_type.decode(value, scratch)?,
            // Metadata may go alone, and an empty object is metadata: `webpubsub.md` 3.2 names only `null` as
            // absent. (It takes a pair where the wire cannot tell an empty map from none: 5.4, protobuf.)
            None if metadata.is_some() => Data::Text(""),
            None => return None,
        };
        Some((data, pairs))
    }
}

/// The types of messages that are understood. Those of later features are as unknown as any other.
#[derive(Clone, Copy)]
enum RequestType {
    JoinGroup,
    LeaveGroup,
    SendToGroup,
    Event,
    SequenceAck,
    Ping,
}

impl RequestType {
    fn from_text(text: Text<'_>) -> Option<Self> {
        const NAMES: [(&str, RequestType); 6] = [
            ("sendToGroup", RequestType::SendToGroup),
            ("event", RequestType::Event),
            ("joinGroup", RequestType::JoinGroup),
            ("leaveGroup", RequestType::LeaveGroup),
            ("sequenceAck", RequestType::SequenceAck),
            ("ping", RequestType::Ping),
        ];
        find(&NAMES, text)
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
fn find<T: Copy>(names: &[(&str, T)], text: Text<'_>) -> Option<T> {
    let text = text.decode()?;
    // Nearly everybody writes the documented case, and that is much cheaper to compare.
    let exact = names.iter().find(|(name, _)| *name == text);
    let found =
        exact.or_else(|| names.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text)))?;
    Some(found.1)
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

/// Reads what may be absent, for which `null` is another spelling.
fn optional_integer(value: Option<Value<'_>>) -> Result<Option<u64>, Violation> {
    let present = value.filter(|value| value.kind != Kind::Null);
    present.map(|value| integer(value).ok_or(INVALID)).transpose()
}

/// Reads plain digits: `3.0`, `1e2` and `-0` are no integers here (`webpubsub.md` 3.2).
fn integer(value: Value<'_>) -> Option<u64> {
    if value.kind != Kind::Number {
        return None;
    }
    value.raw.parse().ok()
}
