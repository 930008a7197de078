//! Decoding, against the wire vectors and the field rules.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

use super::decode;
use super::decode::INVALID;
use crate::protocol::{Data, Protocol, Request};

fn is_ok(frame: &str) -> bool {
    decode(frame, &mut Vec::new()).is_ok()
}

/// The frames of the vectors are accepted, or refused with the one violation there is.
#[test]
fn vectors() {
    let vectors = include_str!("../../../tests/vectors/json-subprotocol-vectors.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    for vector in vectors["valid"].as_array().unwrap() {
        let frame = vector["frame"].as_str().unwrap();
        assert!(is_ok(frame), "{frame}");
    }
    for frame in vectors["invalid_close_1007"].as_array().unwrap() {
        assert_eq!(decode(frame.as_str().unwrap(), &mut Vec::new()), Err(INVALID), "{frame}");
    }
}

/// Every field rule holds, whichever member comes first.
#[test]
fn field_rules() {
    let mut header = "";
    for line in include_str!("../../../tests/vectors/json-field-rules.txt").lines().skip(1) {
        if let Some(inner) = line.strip_prefix('[') {
            header = inner.strip_suffix(']').unwrap();
            continue;
        }
        let (sign, rule) = line.split_at(2);
        assert_eq!(is_ok(&format!("{{{header},{rule}}}")), sign == "+ ", "{header} {line}");
        assert_eq!(is_ok(&format!(" {{ {rule} , {header} }} ")), sign == "+ ", "{line} {header}");
    }
}

/// Lengths count in UTF-16 units for groups and in bytes for the rest.
#[test]
fn lengths() {
    let group = |name: &str| is_ok(&format!(r#"{{"type":"joinGroup","group":"{name}"}}"#));
    assert!(group(&"é".repeat(1024)) && group(&"😀".repeat(512)));
    assert!(!group(&"a".repeat(1025)) && !group(&"😀".repeat(513)));

    let event = |name: &str| is_ok(&format!(r#"{{"type":"event","event":"{name}","data":1}}"#));
    assert!(event(&"a".repeat(128)) && !event(&"a".repeat(129)));

    let metadata =
        |pairs: &str| is_ok(&format!(r#"{{"type":"event","event":"e","metadata":{{{pairs}}}}}"#));
    let pair = |key: usize, value: usize, name: char| {
        format!(r#""{}":"{}""#, format!("{name}").repeat(key), "v".repeat(value))
    };
    assert!(metadata(&pair(256, 1024, 'k')));
    assert!(!metadata(&pair(257, 0, 'k')) && !metadata(&pair(1, 1025, 'k')));
    let mut pairs: Vec<_> = ('a'..='h').map(|name| pair(1, 1023, name)).collect();
    assert!(metadata(&pairs.join(",")));
    pairs.push(pair(1, 0, 'i'));
    assert!(!metadata(&pairs.join(",")));
    assert!(!metadata(&alloc::vec!["\"\":\"\""; 9000].join(",")));
}

/// Nothing is lost or changed on the way into a request.
#[test]
fn requests() {
    let mut scratch = b"left from before".to_vec();
    let frame = r#"{"data": {"a" : 1.0e+2} ,"ackId":7,"metadata":{"k":"\u0076"},"ttlSeconds":300,
        "noEcho":true,"group":"\"\ud83d\uDe00","type":"sendToGroup"}"#;
    let request = Request::SendToGroup {
        group: Cow::Borrowed("\"😀"),
        data: Data::Json(r#"{"a" : 1.0e+2}"#),
        metadata: [("k".into(), "v".into())].into_iter().collect(),
        no_echo: true,
        ttl_seconds: 300,
        ack_id: Some(7),
    };
    assert_eq!(decode(frame, &mut scratch), Ok(request));

    let mut data = |data: &str| {
        let frame = format!(r#"{{"type":"event","event":"e",{data}}}"#);
        match Protocol::Json.decode_text(&frame, &mut scratch) {
            Some(Ok(Request::Event { data, .. })) => format!("{data:?}"),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(data(r#""dataType":"text","data":"\b\f\n\r\t\/\\é\u00e9""#), {
        format!("{:?}", Data::Text("\u{8}\u{c}\n\r\t/\\éé"))
    });
    assert_eq!(data(r#""dataType":"binary","data":"AAH\/""#), "Binary([0, 1, 255])");
    assert_eq!(data(r#""dataType":"binary","data":"AAH/""#), "Binary([0, 1, 255])");
    assert_eq!(data(r#""dataType":"binary","metadata":{}"#), r#"Text("")"#);
}

/// A binary message is the wrong type of frame for JSON, and nothing wrong for a plain client.
#[test]
fn binary_messages() {
    let violation = Protocol::Json.decode_binary(b"{}").unwrap().unwrap_err();
    assert_eq!(
        (violation.code, violation.reason),
        (1003, "The JSON subprotocol requires text messages.")
    );
    assert_eq!(Protocol::Plain.decode_binary(b"{}"), None);
    assert_eq!(Protocol::Plain.decode_text("{}", &mut Vec::new()), None);
}
