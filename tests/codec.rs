//! The codecs from outside: JSON against `serde_json`, on values and on damaged text, and the vectors of protobuf.

use std::fmt::Write;

use bytes::BytesMut;
use hubcast::internals::{decode_json, encode_group, is_json};
use hubcast::{Action, Close, Config, Data, Engine, Incoming, Open, Protocol, Time};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

/// Pieces that make text which is JSON or nearly so.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\"a\"",
    "\"\\u00e9\"",
    "\"\\ud800\"",
    "\\u12",
    "null",
    "true",
    "false",
    "nul",
    "0",
    "-",
    "1",
    "12.5",
    "1e",
    "E+7",
    ".",
    "01",
    " ",
    "\n",
    "\t",
    "\r",
    "\u{b}",
    "\u{1}",
    "é",
    "\"a\":",
    "{}",
    "[]",
    "[[",
    "]]",
    "long enough to be scanned by the word and by the block, up to here.....",
];

fn serde_accepts(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,80}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            vec((any::<String>(), inner), 0..8).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Text made from pieces is valid exactly where `serde_json` says so.
    #[test]
    fn pieces(pieces in vec(prop::sample::select(PIECES), 0..12)) {
        let text = pieces.concat();
        prop_assert_eq!(is_json(&text), serde_accepts(&text), "{:?}", text);
    }

    /// A value stays valid however it is laid out, and one damaged character is judged as `serde_json` does.
    #[test]
    fn damaged(value in json(), pretty: bool, at: prop::sample::Index, with in "[\\PC\"\\\\\u{0}-\u{1f}]?") {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let mut text = text.unwrap();
        prop_assert!(is_json(&text), "{:?}", text);
        let (start, character) = text.char_indices().nth(at.index(text.chars().count())).unwrap();
        text.replace_range(start..start + character.len_utf8(), &with);
        prop_assert_eq!(is_json(&text), serde_accepts(&text), "{:?}", text);
    }

    /// What is encoded parses, and says what was meant.
    #[test]
    fn encoded(group in any::<String>(), text in any::<String>(), bytes in vec(any::<u8>(), 0..200), value in json()) {
        let mut buffer = BytesMut::new();
        let mut encode = |data| -> Value {
            let frame = encode_group(Protocol::Json, &group, data, &[("key", &text)], &mut buffer).unwrap();
            serde_json::from_slice(frame.shared().unwrap()).unwrap()
        };
        let of_text = encode(Data::Text(&text));
        prop_assert_eq!(&of_text["group"], &group);
        prop_assert_eq!(&of_text["data"], &text);
        prop_assert_eq!(&of_text["metadata"]["key"], &text);
        let json = value.to_string();
        prop_assert_eq!(&encode(Data::Json(&json))["data"], &serde_json::from_str::<Value>(&json).unwrap());
        let base64 = encode(Data::Binary(&bytes))["data"].to_string();
        let frame = format!(r#"{{"type":"event","event":"e","dataType":"binary","data":{base64}}}"#);
        prop_assert_eq!(decode_json(&frame, &mut Vec::new()), Some(bytes.len()));
    }

    /// A string comes back from any spelling of its escapes.
    #[test]
    fn escapes(text in any::<String>(), escaped in vec(any::<bool>(), 1..40)) {
        let mut spelled = String::new();
        for (character, &escape) in text.chars().zip(escaped.iter().cycle()) {
            if escape || character.is_control() || "\"\\".contains(character) {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(spelled, "\\u{unit:04X}").unwrap();
                }
            } else {
                spelled.push(character);
            }
        }
        let frame = format!(r#"{{"data":"{spelled}","type":"event","event":"e","dataType":"text"}}"#);
        let mut scratch = Vec::new();
        prop_assert_eq!(decode_json(&frame, &mut scratch), Some(text.len()));
        if spelled.contains('\\') {
            prop_assert_eq!(scratch, text.as_bytes());
        }
    }

    /// Every long string ends where its quote, its backslash or its control character is.
    #[test]
    fn long_strings(length in 0..300_usize, special in prop::sample::select(&["", "\\n", "\\", "\"", "\u{1f}", "\u{7f}é"][..])) {
        let text = format!("[\"{}{special}{}\"]", "x".repeat(length), "é".repeat(length % 40));
        prop_assert_eq!(is_json(&text), serde_accepts(&text), "{:?}", text);
    }
}

/// Nesting is bounded, however it is mixed.
#[test]
fn nesting() {
    let nested =
        |pairs: usize, middle: &str| "[{\"a\":".repeat(pairs) + middle + &"}]".repeat(pairs);
    assert!(
        is_json(&nested(63, "[1]")) && is_json(&nested(63, "[{}]")) && is_json(&nested(64, "1"))
    );
    assert!(
        !is_json(&nested(64, "[]")) && !is_json(&nested(64, "{}")) && !is_json(&nested(65, "1"))
    );
    assert!(!is_json(&"[".repeat(1 << 20)));
}

/// A protobuf client may send every valid message of the vectors, and is closed for the others.
#[test]
fn protobuf_vectors() {
    let vectors = include_str!("vectors/protobuf-vectors.json");
    let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
    let up: Vec<_> = vectors.iter().filter(|vector| vector["direction"] == "up").collect();
    assert_eq!(up.len(), 27);
    for vector in up {
        let (name, hex) = (vector["name"].as_str().unwrap(), vector["hex"].as_str().unwrap());
        let digits = (0..hex.len()).step_by(2);
        let bytes: Vec<u8> =
            digits.map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        for protocol in [Protocol::Protobuf, Protocol::ReliableProtobuf] {
            let mut engine = Engine::new(Config::new(1)).unwrap();
            let open = Open { hub: "chat", protocol, ..Open::default() };
            let key = engine.open(open, Time::EPOCH);
            engine.receive(key, Incoming::Binary(&bytes), Time::EPOCH);
            let mut closed = None;
            while let Some(action) = engine.poll_action() {
                if let Action::Close(Close { code, reason, .. }) = action {
                    closed = Some((code, reason.to_string()));
                }
            }
            let invalid = name.contains("INVALID").then(|| {
                let protocol = protocol.name().unwrap();
                (1007, format!("The client message is not a valid {protocol} protocol message."))
            });
            assert_eq!(closed, invalid, "{name}");
        }
    }
}
