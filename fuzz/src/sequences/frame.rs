//! What clients send, as JSON or as protobuf.

use arbitrary::Arbitrary;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use serde_json::{Value, json};

use super::super::protobuf_decode::schema as proto;

/// What a client sends. The upper bits of the number of a group or a stream say how.
#[derive(Arbitrary, Debug)]
pub(crate) enum Frame<'a> {
    Raw(&'a str),
    RawBinary(&'a [u8]),
    SequenceAck(u8),
    Join(u8, Option<u8>),
    Leave(u8, Option<u8>),
    Send(u8, &'a str, u16),
    Event(&'a str, Option<u8>),
    Invoke(u8),
    Cancel(u8),
    Start(u8, u8, Option<u16>),
    Data(u8, u8, &'a str),
    KeepAlive(u8),
    End(u8, bool),
    State(u8, Option<&'a str>),
    Subscribe(u8),
    Unsubscribe(u8),
    Ping,
}

impl Frame<'_> {
    pub(crate) fn json(&self) -> String {
        let frame = match *self {
            Self::Raw(text) => return text.into(),
            Self::RawBinary(_) => Value::Null,
            Self::SequenceAck(sequence) => json!({ "type": "sequenceAck", "sequenceId": sequence }),
            Self::Join(of, ack) => {
                json!({ "type": "joinGroup", "group": group(of), "ackId": ack })
            }
            Self::Leave(of, ack) => {
                json!({ "type": "leaveGroup", "group": group(of), "ackId": ack })
            }
            Self::Send(of, text, seconds) => {
                let (kind, data) = json_data(of >> 2, text);
                json!({
                    "type": "sendToGroup", "group": group(of), "dataType": kind, "data": data,
                    "ttlSeconds": ttl(seconds), "noEcho": is_silent(of), "metadata": { "k": "v" },
                })
            }
            Self::Event(text, ack) => {
                let (kind, data) = json_data(text.len() as u8, text);
                json!({ "type": "event", "event": "e", "dataType": kind, "data": data, "ackId": ack })
            }
            Self::Invoke(number) => {
                let (kind, data) = json_data(number >> 2, "d");
                json!({
                    "type": "invoke", "invocationId": stream(number), "target": "event",
                    "event": "e", "dataType": kind, "data": data,
                })
            }
            Self::Cancel(number) => {
                json!({ "type": "cancelInvocation", "invocationId": stream(number) })
            }
            Self::Start(number, of, idle) => json!({
                "type": "sendToGroup", "group": group(of), "noEcho": is_silent(of),
                "stream": { "streamId": stream(number), "idleTimeoutMs": idle },
                "metadata": if is_rich(of) { json!({ "k": "v" }) } else { Value::Null },
            }),
            Self::Data(number, sequence, text) => {
                let (kind, data) = json_data(number >> 2, text);
                json!({
                    "type": "streamData", "streamId": stream(number), "streamSequenceId": sequence,
                    "dataType": kind, "data": data,
                })
            }
            Self::KeepAlive(number) => json!({ "type": "streamData", "streamId": stream(number) }),
            Self::End(number, fails) => {
                let error = fails.then(|| json!({ "message": "m", "userErrorCode": "c" }));
                json!({ "type": "streamEnd", "streamId": stream(number), "error": error })
            }
            Self::State(of, state) => {
                let state = state.map(|text| json!({ "k": text }));
                json!({ "type": "setGroupState", "group": group(of), "state": state, "ackId": 1 })
            }
            Self::Subscribe(of) => json!({ "type": "subscribeGroupState", "group": group(of) }),
            Self::Unsubscribe(of) => json!({ "type": "unsubscribeGroupState", "group": group(of) }),
            Self::Ping => json!({ "type": "ping" }),
        };
        frame.to_string()
    }

    pub(crate) fn protobuf(&self) -> Vec<u8> {
        let of_group = |of, ack_id: Option<u8>| proto::OfGroup {
            group: group(of).into(),
            ack_id: ack_id.map(u64::from),
        };
        let message = match *self {
            Self::Raw(text) => return text.into(),
            Self::RawBinary(bytes) => return bytes.into(),
            Self::SequenceAck(sequence) => {
                proto::Upstream::SequenceAck(proto::SequenceAck { sequence_id: sequence.into() })
            }
            Self::Join(of, ack) => proto::Upstream::JoinGroup(of_group(of, ack)),
            Self::Leave(of, ack) => proto::Upstream::LeaveGroup(of_group(of, ack)),
            Self::Send(of, text, seconds) => proto::Upstream::SendToGroup(proto::SendToGroup {
                group: group(of).into(),
                data: Some(data(of >> 2, text)),
                no_echo: Some(is_silent(of)),
                ttl_seconds: Some(ttl(seconds)),
                metadata: metadata(),
                ..proto::SendToGroup::default()
            }),
            Self::Event(text, ack) => proto::Upstream::Event(proto::UserEvent {
                event: "e".into(),
                data: Some(data(text.len() as u8, text)),
                ack_id: ack.map(u64::from),
                ..proto::UserEvent::default()
            }),
            Self::Invoke(number) => proto::Upstream::Invoke(proto::Invoke {
                event: "e".into(),
                invocation_id: stream(number).into(),
                data: Some(data(number >> 2, "d")),
                ..proto::Invoke::default()
            }),
            Self::Cancel(number) => proto::Upstream::CancelInvocation(proto::CancelInvocation {
                invocation_id: stream(number).into(),
            }),
            Self::Start(number, of, idle) => proto::Upstream::SendToGroup(proto::SendToGroup {
                group: group(of).into(),
                no_echo: Some(is_silent(of)),
                metadata: if is_rich(of) { metadata() } else { proto::Map::new() },
                stream: Some(proto::StreamStart {
                    stream_id: stream(number).into(),
                    idle_timeout_ms: idle.map(u32::from),
                }),
                ..proto::SendToGroup::default()
            }),
            Self::Data(number, sequence, text) => proto::Upstream::StreamData(proto::StreamData {
                stream_id: stream(number).into(),
                stream_sequence_id: Some(sequence.into()),
                data: Some(data(number >> 2, text)),
            }),
            Self::KeepAlive(number) => proto::Upstream::StreamData(proto::StreamData {
                stream_id: stream(number).into(),
                ..proto::StreamData::default()
            }),
            Self::End(number, fails) => proto::Upstream::StreamEnd(proto::StreamEnd {
                stream_id: stream(number).into(),
                error: fails.then(|| proto::UserError {
                    message: Some("m".into()),
                    user_error_code: Some("c".into()),
                }),
            }),
            Self::State(of, state) => proto::Upstream::SetGroupState(proto::SetGroupState {
                group: group(of).into(),
                ack_id: Some(1),
                state: state.map(|text| proto::State {
                    entries: proto::Map::from([("k".into(), text.into())]),
                }),
            }),
            Self::Subscribe(of) => proto::Upstream::SubscribeGroupState(of_group(of, None)),
            Self::Unsubscribe(of) => proto::Upstream::UnsubscribeGroupState(of_group(of, None)),
            Self::Ping => proto::Upstream::Ping(proto::Empty {}),
        };
        proto::UpstreamMessage { message: Some(message) }.encode_to_vec()
    }
}

pub(crate) fn group(number: u8) -> &'static str {
    ["g", "h", "i", "j"][usize::from(number % 4)]
}

fn stream(number: u8) -> &'static str {
    ["s", "t", "u", "s"][usize::from(number % 4)]
}

/// Tells whether whoever sends to a group does not want to hear it.
fn is_silent(of: u8) -> bool {
    of & 16 != 0
}

/// Tells whether a stream has metadata.
fn is_rich(of: u8) -> bool {
    of & 32 != 0
}

fn ttl(seconds: u16) -> u32 {
    u32::from(seconds) % 301
}

fn metadata() -> proto::Map {
    proto::Map::from([("k".into(), "v".into())])
}

/// Returns a type of data, and a text as data of this type.
fn json_data(kind: u8, text: &str) -> (&'static str, Value) {
    match kind % 4 {
        0 => ("text", text.into()),
        1 => ("json", json!({ "k": text })),
        2 => ("binary", STANDARD.encode(text).into()),
        // Which only protobuf clients may send.
        _ => ("protobuf", STANDARD.encode(text).into()),
    }
}

fn data(kind: u8, text: &str) -> proto::MessageData {
    let data = match kind % 4 {
        0 => proto::Data::Text(text.into()),
        1 => proto::Data::Json(json!({ "k": text }).to_string()),
        2 => proto::Data::Binary(text.into()),
        _ => proto::Data::Protobuf(proto::Any { type_url: "t".into(), value: text.into() }),
    };
    proto::MessageData { data: Some(data) }
}
