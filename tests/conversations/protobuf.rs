//! Protobuf messages as text and back, by a table of the fields (`webpubsub.md` 5.1 to 5.3).
//!
//! The text is that of the protobuf tools: `join_group_message { group: "room" ack_id: 7 }`, bytes as `0x00ff`. Fields
//! are written in the order of the text, and read in the order of the bytes; nothing is added, left out or sorted. So a
//! text can say what no encoder would, and shows what ours does.

use std::fmt::Write as _;

use super::line::bytes;

/// Every message: its name, then number, name and type of its fields.
const MESSAGES: &[(&str, &str)] = &[
    (
        "Upstream",
        "1 send_to_group_message SendToGroup, 5 event_message Event, 6 join_group_message Group, \
         7 leave_group_message Group, 8 sequence_ack_message SequenceAck, 9 ping_message Empty, \
         10 invoke_event_message Invoke, 11 cancel_invocation_message Cancel, 13 stream_data_message StreamData, \
         14 stream_end_message StreamEnd, 15 set_group_state_message SetGroupState, \
         16 subscribe_group_state_message Group, 17 unsubscribe_group_state_message Group, 99 unknown_message Empty",
    ),
    (
        "SendToGroup",
        "1 group string, 2 ack_id integer, 3 data Data, 4 no_echo bool, 5 ttl_seconds integer, 6 metadata Pair, \
         7 stream StreamStart, 99 unknown string",
    ),
    (
        "Event",
        "1 event string, 2 data Data, 3 ack_id integer, 4 metadata Pair, 5 stream StreamStart",
    ),
    ("Group", "1 group string, 2 ack_id integer, 99 unknown string"),
    ("SequenceAck", "1 sequence_id integer"),
    (
        "Invoke",
        "1 event string, 2 invocation_id string, 3 data Data, 4 metadata Pair, 5 stream StreamStart",
    ),
    ("Cancel", "1 invocation_id string"),
    ("StreamStart", "1 stream_id string, 2 idle_timeout_ms integer"),
    ("StreamData", "1 stream_id string, 2 stream_sequence_id integer, 3 data Data"),
    ("StreamEnd", "1 stream_id string, 2 error EndError"),
    ("EndError", "1 message string, 2 user_error_code string"),
    ("SetGroupState", "1 group string, 2 ack_id integer, 3 state GroupState"),
    ("GroupState", "1 entries Pair"),
    ("Data", "1 text_data string, 2 binary_data bytes, 3 protobuf_data Any, 4 json_data string"),
    ("Any", "1 type_url string, 2 value bytes"),
    ("Pair", "1 key string, 2 value string"),
    ("Empty", ""),
    (
        "Downstream",
        "1 ack_message Ack, 2 data_message DataMessage, 3 system_message System, 4 pong_message Empty, \
         5 invoke_response_message InvokeResponse, 6 stream_ack_message StreamAck, \
         7 stream_nack_message StreamNack, 8 stream_closed_message StreamClosed, \
         9 group_state_update_message GroupStates, 10 group_state_snapshot_message GroupStates",
    ),
    ("Ack", "1 ack_id integer, 2 success bool, 3 error Error"),
    ("Error", "1 name string, 2 message string"),
    (
        "DataMessage",
        "1 from string, 2 group string, 3 data Data, 4 sequence_id integer, 5 metadata Pair, 6 stream Stream",
    ),
    ("System", "1 connected_message Connected, 2 disconnected_message Disconnected"),
    ("Connected", "1 connection_id string, 2 user_id string, 3 reconnection_token string"),
    ("Disconnected", "2 reason string"),
    (
        "InvokeResponse",
        "1 invocation_id string, 2 success bool, 3 data Data, 4 error Error, 5 metadata Pair",
    ),
    ("StreamAck", "1 stream_id string, 2 expected_sequence_id integer"),
    (
        "StreamNack",
        "1 stream_id string, 2 name string, 3 message string, 4 expected_sequence_id integer",
    ),
    ("StreamClosed", "1 stream_id string, 2 error Error"),
    (
        "Stream",
        "1 stream_id string, 2 stream_sequence_id integer, 3 end_of_stream bool, 4 error StreamError",
    ),
    ("StreamError", "1 name string, 2 message string, 3 user_error_code string"),
    ("GroupStates", "1 group string, 2 items GroupStateItem, 3 sequence_id integer"),
    (
        "GroupStateItem",
        "1 connection_id string, 2 user_id string, 3 state GroupState, 4 updated_at integer",
    ),
];

struct Field {
    number: u64,
    name: &'static str,
    kind: &'static str,
}

/// Makes the bytes that a text tells.
pub(crate) fn write(message: &str, text: &str) -> Result<Vec<u8>, String> {
    let mut rest = text.trim_start();
    let written = write_fields(message, &mut rest)?;
    if rest.is_empty() { Ok(written) } else { Err(format!("{rest:?} is too much")) }
}

/// Tells what bytes say, or that they say nothing.
pub(crate) fn read(message: &str, bytes: &[u8]) -> String {
    read_fields(message, bytes).unwrap_or_else(|| "garbage".into())
}

fn write_fields(message: &str, rest: &mut &str) -> Result<Vec<u8>, String> {
    let mut written = Vec::new();
    while !rest.is_empty() && !rest.starts_with('}') {
        let end = rest.find([':', ' ']).ok_or_else(|| format!("{rest:?} is no field"))?;
        let (name, after) = rest.split_at(end);
        let field = fields(message).find(|field| field.name == name);
        let field = field.ok_or_else(|| format!("{message} has no field {name:?}"))?;
        *rest = after.trim_start_matches([':', ' ']);
        let value = match field.kind {
            "integer" | "bool" => {
                let word = word(rest);
                let value = match word {
                    "true" => 1,
                    "false" => 0,
                    _ => word.parse().map_err(|_| format!("{word:?} is no integer"))?,
                };
                put_varint(&mut written, field.number << 3);
                put_varint(&mut written, value);
                continue;
            }
            "string" => {
                let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                let value = values.next().ok_or("a text is missing")?;
                let value = value.map_err(|error| format!("{rest}: {error}"))?;
                *rest = rest[values.byte_offset()..].trim_start();
                value.into_bytes()
            }
            "bytes" => {
                let word = word(rest);
                bytes(word.strip_prefix("0x").ok_or_else(|| format!("{word:?} are no bytes"))?)?
            }
            inner => {
                let open =
                    rest.strip_prefix('{').ok_or_else(|| format!("{name} opens no brace"))?;
                *rest = open.trim_start();
                let value = write_fields(inner, rest)?;
                let close = rest.strip_prefix('}').ok_or_else(|| format!("{name} has no end"))?;
                *rest = close.trim_start();
                value
            }
        };
        put_varint(&mut written, field.number << 3 | 2);
        put_varint(&mut written, value.len() as u64);
        written.extend(value);
    }
    Ok(written)
}

fn read_fields(message: &str, mut bytes: &[u8]) -> Option<String> {
    let mut shown = String::new();
    while !bytes.is_empty() {
        let tag = take_varint(&mut bytes)?;
        let field = fields(message).find(|field| field.number == tag >> 3)?;
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(field.name);
        let varint = take_varint(&mut bytes)?;
        let told = match (field.kind, tag & 7) {
            ("integer", 0) => write!(shown, ": {varint}"),
            ("bool", 0) => write!(shown, ": {}", varint != 0),
            ("integer" | "bool", _) | (_, 0 | 1 | 3..) => return None,
            (kind, _) => {
                let (value, rest) = bytes.split_at_checked(usize::try_from(varint).ok()?)?;
                bytes = rest;
                match kind {
                    "string" => {
                        write!(shown, ": {}", serde_json::Value::from(str::from_utf8(value).ok()?))
                    }
                    "bytes" => write!(shown, ": 0x{}", super::show::hexadecimal(value)),
                    inner => match &*read_fields(inner, value)? {
                        "" => write!(shown, " {{}}"),
                        fields => write!(shown, " {{ {fields} }}"),
                    },
                }
            }
        };
        told.expect("a text takes everything");
    }
    Some(shown)
}

fn fields(message: &str) -> impl Iterator<Item = Field> {
    let found = MESSAGES.iter().find(|(name, _)| *name == message);
    let (_, fields) = found.unwrap_or_else(|| panic!("the table has no {message}"));
    fields.split(", ").filter(|field| !field.is_empty()).map(|field| {
        let mut words = field.trim().split(' ');
        let mut next = || words.next().expect("number, name, type");
        Field { number: next().parse().expect("a number"), name: next(), kind: next() }
    })
}

/// Takes what goes to the next space.
fn word<'a>(rest: &mut &'a str) -> &'a str {
    let (word, after) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
    *rest = after.trim_start();
    word
}

fn put_varint(bytes: &mut Vec<u8>, mut integer: u64) {
    while integer >= 0x80 {
        bytes.push(integer as u8 | 0x80);
        integer >>= 7;
    }
    bytes.push(integer as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut integer = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        integer |= u64::from(byte & 0x7F) << shift;
        if *byte < 0x80 {
            return Some(integer);
        }
    }
    None
}

/// Text and bytes say the same, also about what no encoder writes, and garbage is told apart.
#[test]
fn text_and_bytes() {
    for (text, hexadecimal) in [
        (r#"join_group_message { group: "room" ack_id: 0 }"#, "32080a04726f6f6d1000"),
        (
            r#"send_to_group_message { group: "room" data { text_data: "" } }"#,
            "0a0a0a04726f6f6d1a020a00",
        ),
        ("ping_message {} sequence_ack_message { sequence_id: 300 }", "4a00420308ac02"),
        ("event_message { data { binary_data: 0x00ff } }", "2a0612041202 00ff"),
    ] {
        let expected = bytes(&hexadecimal.replace(' ', "")).unwrap();
        assert_eq!(write("Upstream", text).unwrap(), expected, "{text}");
        assert_eq!(read("Upstream", &expected), text);
    }
    for garbage in ["ff", "32080a04", "3001", "1200"] {
        assert_eq!(read("Upstream", &bytes(garbage).unwrap()), "garbage");
    }
    for wrong in ["ping_message", "pang_message {}", "ping_message {", "ping_message {} }"] {
        assert!(write("Upstream", wrong).is_err(), "{wrong}");
    }
}
