//! Messages with their payloads blanked out: for journals that others may read.
//!
//! What comes out has the length and the shape of what went in: text stays text, of characters of the same width; JSON
//! stays JSON, an `Any` stays one. So an engine does the same with it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::{Format, Protocol, json, protobuf};

/// What stands for a byte.
pub(super) const BLANK: u8 = b'A';

/// Returns a text message of a client without its payloads. One that breaks the protocol is all payload, and breaks it
/// still.
pub(crate) fn text_message(protocol: Protocol, text: &str) -> String {
    match protocol.format() {
        Format::Plain | Format::Protobuf => blank_text(text),
        Format::Json => json::redact::message(text).unwrap_or_else(|| blank_text(text)),
    }
}

/// Returns a binary message of a client without its payloads.
pub(crate) fn binary_message(protocol: Protocol, bytes: &[u8]) -> Vec<u8> {
    match protocol.format() {
        Format::Plain | Format::Json => blank_bytes(bytes),
        Format::Protobuf => protobuf::redact::message(bytes).unwrap_or_else(|| blank_bytes(bytes)),
    }
}

/// Returns JSON of the same shape; what is no JSON stays that.
pub(crate) fn blank_json(text: &str) -> String {
    if !json::is_valid(text) {
        return blank_text(text);
    }
    let mut blank = text.to_owned().into_bytes();
    json::redact::blank_value(&mut blank);
    String::from_utf8(blank).expect("characters are exchanged as a whole")
}

/// Returns a text of characters of the same width, as they are and as JSON has them.
pub(crate) fn blank_text(text: &str) -> String {
    text.chars().map(blank_character).collect()
}

/// Returns as many bytes.
pub(crate) fn blank_bytes(bytes: &[u8]) -> Vec<u8> {
    vec![BLANK; bytes.len()]
}

/// Returns a `google.protobuf.Any` of the same length; what is none stays that.
pub(crate) fn blank_any(bytes: &[u8]) -> Vec<u8> {
    if !protobuf::is_any(bytes) {
        return blank_bytes(bytes);
    }
    let mut blank = Vec::with_capacity(bytes.len());
    let Some(behind_tag) = bytes.len().checked_sub(1) else { return blank };
    blank.push(ANY_VALUE);
    // The length of the value as a varint that is padded where it must be, because it counts towards the whole.
    let width = (1..=behind_tag).find(|width| (behind_tag - width) >> (7 * width) == 0);
    let width = width.expect("no Any has one byte, and ten are enough for any length");
    let mut length = behind_tag - width;
    for place in 1..=width {
        let more = if place < width { 0x80 } else { 0 };
        blank.push((length & 0x7F) as u8 | more);
        length >>= 7;
    }
    blank.resize(bytes.len(), BLANK);
    blank
}

/// The tag of the value in an `Any`: field 2, bytes.
const ANY_VALUE: u8 = 0x12;

/// Returns the character that stands for another one.
pub(super) const fn blank_character(character: char) -> char {
    match character {
        '"' | '\\' | '\u{8}' | '\u{c}' | '\n' | '\r' | '\t' => '\n',
        '\0'..' ' => '\u{1}',
        ' '..'\u{80}' => BLANK as char,
        '\u{80}'..'\u{800}' => 'é',
        '\u{800}'..'\u{10000}' => '€',
        _ => '😀',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Data;

    /// An `Any` of every length that there is stays an `Any` of that length, without what was in it.
    #[test]
    fn any_keeps_its_length() {
        for length in (0..300).chain([16_000, 16_386, 16_387, 16_388, 16_389, 70_000]) {
            let mut any = Vec::new();
            for _ in 0..length / 2 {
                any.extend_from_slice(&[0x12, 0]);
            }
            if length % 2 == 1 && length > 2 {
                any.truncate(any.len() - 2);
                any.extend_from_slice(&[0x12, 1, b's']);
            }
            let blank = blank_any(&any);
            assert_eq!(blank.len(), any.len());
            assert!(protobuf::is_any(&blank), "{length}");
            assert!(blank.iter().skip(4).all(|byte| *byte == BLANK));
        }
        assert_eq!(blank_any(b"x"), b"A");
    }

    /// Text keeps its width, JSON its shape, and neither its content.
    #[test]
    fn text_and_json() {
        assert_eq!(blank_text("aß☺🙂 \t\"\0"), "Aé€😀A\n\n\u{1}");
        for (json, blank) in [
            (r#" {"a":[true,false,null,-0.5e+10]} "#, r#" {"A":[1111,11111,null,-1.1e+11]} "#),
            (
                r#""\n\u00e9\u0041\u20ac\ud83d\udE00\ud801""#,
                r#""\n\u00e9\u0041\u20ac\ud83d\ude00\ud800""#,
            ),
            (r#""\"\\\/secret""#, r#""\n\n\/AAAAAA""#),
            (r#""\u0022\u0000\u002F""#, r#""\u000a\u0001\u0041""#),
            ("secret", "AAAAAA"),
            ("", ""),
        ] {
            assert_eq!(blank_json(json), blank);
            assert_eq!(json::is_valid(json), json::is_valid(blank), "{json}");
        }
    }

    /// The envelope of a JSON message stays, its payloads go.
    #[test]
    fn json_messages() {
        for (message, blank) in [
            (
                r#"{"type":"sendToGroup","group":"g","ackId":1,"dataType":"text","data":"secret é"}"#,
                r#"{"type":"sendToGroup","group":"g","ackId":1,"dataType":"text","data":"AAAAAAAé"}"#,
            ),
            (
                r#"{"data":{"k":7},"type":"event","event":"e","metadata":{"name":"value"}}"#,
                r#"{"data":{"A":1},"type":"event","event":"e","metadata":{"name":"AAAAA"}}"#,
            ),
            (
                r#"{"type":"event","event":"e","d\u0061ta":"x","dataType":"binary","data":"c2VjcmU="}"#,
                r#"{"type":"event","event":"e","d\u0061ta":"A","dataType":"binary","data":"AAAAAAA="}"#,
            ),
            (
                r#"{"type":"event","event":"e","dataType":"protobuf","data":"EgZzZWNyZXQ="}"#,
                r#"{"type":"event","event":"e","dataType":"protobuf","data":"EgZBQUFBQUE="}"#,
            ),
            (
                r#"{"type":"setGroupState","group":"g","state":{"k":"v"},"other":["x"]}"#,
                r#"{"type":"setGroupState","group":"g","state":{"k":"A"},"AAAAA":["A"]}"#,
            ),
            (r#"{"type":"event","data":null}"#, r#"{"type":"event","data":null}"#),
            (r#"{"type":"event"secret"#, "A\nAAAA\nA\nAAAAA\nAAAAAA"),
        ] {
            let result = text_message(Protocol::Json, message);
            assert_eq!(result, blank);
            assert_eq!(result.len(), message.len());
            let (mut one, mut other) = (Vec::new(), Vec::new());
            let expected = json::decode(message, &mut one);
            let actual = json::decode(blank, &mut other);
            assert_eq!(actual.is_some(), expected.is_some(), "{message}");
        }
    }

    /// The same for protobuf; what is not known there makes the whole message go.
    #[test]
    fn protobuf_messages() {
        let field =
            |number: u8, bytes: &[u8]| [&[number << 3 | 2, bytes.len() as u8], bytes].concat();
        let event = |data: &[u8]| {
            let entry = [field(1, b"name"), field(2, b"value")].concat();
            field(5, &[field(1, b"e"), field(2, data), vec![0x18, 7], field(4, &entry)].concat())
        };
        for (kind, content, blank) in [
            (1, &b"secret \xc3\xa9"[..], &b"AAAAAAA\xc3\xa9"[..]),
            (2, b"secret", b"AAAAAA"),
            (3, b"\x12\x06secret", b"\x12\x06AAAAAA"),
            (4, b"[1, \"secret\"]", b"[1, \"AAAAAA\"]"),
        ] {
            let message = event(&field(kind, content));
            let result = binary_message(Protocol::ReliableProtobuf, &message);
            assert_eq!(result.len(), message.len());
            let Some(super::super::Request::Event { event, data, metadata, ack_id }) =
                protobuf::decode(&result)
            else {
                panic!("it stays an event")
            };
            assert_eq!((&*event, ack_id), ("e", Some(7)));
            assert_eq!((&*metadata[0].0, &*metadata[0].1), ("name", "AAAAA"));
            let bytes = match data {
                Data::Text(text) | Data::Json(text) => text.as_bytes(),
                Data::Binary(bytes) | Data::Protobuf(bytes) => bytes,
            };
            assert_eq!(bytes, blank);
        }
        let unknown = [event(&field(1, b"x")), field(12, b"secret")].concat();
        let result = binary_message(Protocol::Protobuf, &unknown);
        assert_eq!(result, vec![BLANK; unknown.len()]);
        assert!(protobuf::decode(&result).is_none());
    }
}
