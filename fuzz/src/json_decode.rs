//! Text from JSON clients: decoding never panics, and what is passed on to others is valid JSON.

use core::fmt::Write as _;

use arbitrary::{Arbitrary, Unstructured};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hubcast::internals::{decode_json, is_json};
use serde_json::json;
use serde_json::value::RawValue;

/// What members begin with that are to be written as an object; no text does.
const MEMBERS: u8 = 255;

/// Decodes the bytes as one text message, or the members that are read from them; bytes that are not UTF-8 never get
/// that far.
pub fn run(data: &[u8]) {
    if let Some(members) = data.strip_prefix(&[MEMBERS]) {
        let members = Vec::<Member<'_>>::arbitrary_take_rest(Unstructured::new(members));
        return decode(&write(&members.unwrap_or_default()));
    }
    if let Ok(text) = core::str::from_utf8(data) {
        decode(text);
    }
}

fn decode(text: &str) {
    let oracle = serde_json::from_str::<&RawValue>(text).is_ok() && depth(text) <= DEPTH_MAX;
    assert_eq!(is_json(text), oracle, "whether it is JSON: {text:?}");

    let mut scratch = Vec::new();
    let decoded = decode_json(text, &mut scratch);
    assert!(decoded.is_none() || oracle, "decoded, but no JSON: {text:?}");
    assert!(decoded.is_none_or(|length| length <= text.len()), "the payload grew: {text:?}");

    let again = decode_json(text, &mut scratch);
    assert_eq!(decoded, again, "what lies in the scratch space makes no difference: {text:?}");
}

/// The deepest nesting that is taken; `serde_json` has no bound where it only looks for the end of a value.
const DEPTH_MAX: usize = 128;

/// Returns how deep the arrays and objects of a JSON text are nested.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_text) = (0_usize, 0, false);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_text = !in_text,
            b'\\' if in_text => {
                bytes.next();
            }
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth -= 1,
            _ => {}
        }
    }
    deepest
}

/// A member of an object, and whether its name is written with escapes.
#[derive(Arbitrary, Debug)]
struct Member<'a> {
    name: Name<'a>,
    escaped: bool,
    value: Value<'a>,
}

#[derive(Arbitrary, Debug)]
enum Name<'a> {
    Known(u8),
    Other(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Value<'a> {
    Type(u8),
    Known(u8),
    Number(u64),
    Text(&'a str),
    Binary(&'a [u8]),
    Object(Vec<Member<'a>>),
    List(Vec<Value<'a>>),
    /// Whatever it is.
    Raw(&'a str),
}

const NAMES: [&str; 20] = [
    "type",
    "ackId",
    "group",
    "event",
    "noEcho",
    "ttlSeconds",
    "dataType",
    "data",
    "metadata",
    "sequenceId",
    "stream",
    "streamId",
    "streamSequenceId",
    "error",
    "state",
    "invocationId",
    "target",
    "idleTimeoutMs",
    "message",
    "userErrorCode",
];

const TYPES: [&str; 14] = [
    "joinGroup",
    "leaveGroup",
    "sendToGroup",
    "event",
    "sequenceAck",
    "ping",
    "invoke",
    "cancelInvocation",
    "streamData",
    "streamEnd",
    "setGroupState",
    "subscribeGroupState",
    "unsubscribeGroupState",
    "JOINGROUP",
];

const VALUES: [&str; 16] = [
    "null",
    "true",
    "false",
    r#""""#,
    r#""json""#,
    r#""text""#,
    r#""binary""#,
    r#""BINARY""#,
    r#""event""#,
    r#""room""#,
    r#"" ""#,
    "0",
    "-0",
    "1.5e3",
    "18446744073709551616",
    "{}",
];

fn write(members: &[Member<'_>]) -> String {
    let members = members.iter().map(|Member { name, escaped, value }| {
        let name = match name {
            Name::Known(place) => choose(&NAMES, *place),
            Name::Other(name) => name,
        };
        let name = if *escaped { escape(name) } else { json!(name).to_string() };
        format!("{name}:{}", value.text())
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

impl Value<'_> {
    fn text(&self) -> String {
        match self {
            Self::Type(place) => json!(choose(&TYPES, *place)).to_string(),
            Self::Known(place) => choose(&VALUES, *place).into(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => json!(text).to_string(),
            Self::Binary(bytes) => format!("\"{}\"", STANDARD.encode(bytes)),
            Self::Object(members) => write(members),
            Self::List(values) => {
                let values: Vec<_> = values.iter().map(Value::text).collect();
                format!("[{}]", values.join(" , "))
            }
            Self::Raw(text) => (*text).into(),
        }
    }
}

/// Writes a text in quotes, every unit of it as an escape.
fn escape(text: &str) -> String {
    let mut escaped = String::from("\"");
    for unit in text.encode_utf16() {
        write!(escaped, "\\u{unit:04x}").expect("a String takes any text");
    }
    escaped.push('"');
    escaped
}

fn choose(texts: &[&'static str], place: u8) -> &'static str {
    texts[usize::from(place) % texts.len()]
}
