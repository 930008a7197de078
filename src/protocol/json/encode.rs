//! From messages to the text of a frame, byte for byte as `webpubsub.md` 3.5 and 3.6 show it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;

use super::scan::skip_plain;
use crate::protocol::message::{Data, Outgoing};

/// The one message that is always the same.
pub(crate) const PONG: &[u8] = br#"{"type":"pong"}"#;

/// More than the names and the punctuation of any message take.
const ENVELOPE: usize = 128;

/// What a pair of metadata takes besides its bytes: four quotes, a colon, a comma.
const PAIR: usize = 6;

/// Returns how many bytes the message takes at most, as long as nothing in it has to be escaped.
pub(crate) fn size_hint(message: &Outgoing<'_>) -> usize {
    let variable = match message {
        Outgoing::Connected { connection_id, user } => {
            connection_id.len() + user.map_or(0, str::len)
        }
        Outgoing::Disconnected { message } => message.len(),
        Outgoing::Ack { error, .. } => error.map_or(0, |(_, text)| text.len()),
        Outgoing::Pong => 0,
        Outgoing::Group { group, from_user, data, metadata } => {
            let user = from_user.flatten().map_or(0, str::len);
            group.len() + user + data_size(data) + metadata_size(metadata)
        }
        Outgoing::Server { data, metadata } => data_size(data) + metadata_size(metadata),
    };
    ENVELOPE + variable
}

/// Appends the message.
pub(crate) fn encode(message: &Outgoing<'_>, buffer: &mut BytesMut) {
    match message {
        Outgoing::Connected { connection_id, user } => {
            put(buffer, br#"{"type":"system","event":"connected","userId":"#);
            put_user(buffer, *user);
            put(buffer, br#","connectionId":"#);
            put_string(buffer, connection_id);
        }
        Outgoing::Disconnected { message } => {
            put(buffer, br#"{"type":"system","event":"disconnected","message":"#);
            put_string(buffer, message);
        }
        Outgoing::Ack { ack_id, error: None } => {
            put(buffer, br#"{"type":"ack","ackId":"#);
            put_integer(buffer, *ack_id);
            put(buffer, br#","success":true"#);
        }
        Outgoing::Ack { ack_id, error: Some((error, text)) } => {
            put(buffer, br#"{"type":"ack","ackId":"#);
            put_integer(buffer, *ack_id);
            put(buffer, br#","success":false,"error":{"name":"#);
            put_string(buffer, error.name());
            put(buffer, br#","message":"#);
            put_string(buffer, text);
            put(buffer, b"}");
        }
        Outgoing::Pong => return put(buffer, PONG),
        Outgoing::Group { group, from_user, data, metadata } => {
            put(buffer, br#"{"type":"message","from":"group","group":"#);
            put_string(buffer, group);
            if let Some(user) = from_user {
                put(buffer, br#","fromUserId":"#);
                put_user(buffer, *user);
            }
            put_data(buffer, data);
            put_metadata(buffer, metadata);
        }
        Outgoing::Server { data, metadata } => {
            put(buffer, br#"{"type":"message","from":"server""#);
            put_data(buffer, data);
            put_metadata(buffer, metadata);
        }
    }
    put(buffer, b"}");
}

fn data_size(data: &Data<'_>) -> usize {
    match data {
        Data::Text(text) | Data::Json(text) => text.len(),
        Data::Binary(bytes) => base64_length(bytes),
    }
}

fn metadata_size(metadata: &[(&str, &str)]) -> usize {
    metadata.iter().map(|(key, value)| PAIR + key.len() + value.len()).sum()
}

fn put_data(buffer: &mut BytesMut, data: &Data<'_>) {
    match data {
        Data::Text(text) => {
            put(buffer, br#","dataType":"text","data":"#);
            put_string(buffer, text);
        }
        Data::Json(json) => {
            put(buffer, br#","dataType":"json","data":"#);
            put(buffer, json.as_bytes());
        }
        Data::Binary(bytes) => {
            put(buffer, br#","dataType":"binary","data":""#);
            put_base64(buffer, bytes);
            put(buffer, b"\"");
        }
    }
}

fn put_metadata(buffer: &mut BytesMut, metadata: &[(&str, &str)]) {
    if metadata.is_empty() {
        return;
    }
    let mut before: &[u8] = br#","metadata":{"#;
    for (key, value) in metadata {
        put(buffer, before);
        put_string(buffer, key);
        put(buffer, b":");
        put_string(buffer, value);
        before = b",";
    }
    put(buffer, b"}");
}

fn put_user(buffer: &mut BytesMut, user: Option<&str>) {
    match user {
        Some(user) => put_string(buffer, user),
        None => put(buffer, b"null"),
    }
}

/// Appends a string with its quotes; escapes only what RFC 8259 wants escaped.
fn put_string(buffer: &mut BytesMut, text: &str) {
    let bytes = text.as_bytes();
    put(buffer, b"\"");
    let mut start = 0;
    loop {
        let end = skip_plain(bytes, start);
        put(buffer, &bytes[start..end]);
        let Some(&special) = bytes.get(end) else { break };
        put_escape(buffer, special);
        start = end + 1;
    }
    put(buffer, b"\"");
}

fn put_escape(buffer: &mut BytesMut, special: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    match special {
        b'"' => put(buffer, b"\\\""),
        b'\\' => put(buffer, b"\\\\"),
        0x08 => put(buffer, b"\\b"),
        0x0C => put(buffer, b"\\f"),
        b'\n' => put(buffer, b"\\n"),
        b'\r' => put(buffer, b"\\r"),
        b'\t' => put(buffer, b"\\t"),
        control => {
            let (high, low) = (usize::from(control >> 4), usize::from(control & 15));
            put(buffer, &[b'\\', b'u', b'0', b'0', DIGITS[high], DIGITS[low]]);
        }
    }
}

fn put_integer(buffer: &mut BytesMut, mut integer: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        // The remainder is one digit.
        digits[start] = b'0' + (integer % 10) as u8;
        integer /= 10;
        if integer == 0 {
            break;
        }
    }
    put(buffer, &digits[start..]);
}

fn put_base64(buffer: &mut BytesMut, bytes: &[u8]) {
    let start = buffer.len();
    buffer.resize(start + base64_length(bytes), 0);
    STANDARD
        .encode_slice(bytes, &mut buffer[start..])
        .expect("base64_length is what the padded alphabet takes");
}

fn base64_length(bytes: &[u8]) -> usize {
    bytes.len().div_ceil(3) * 4
}

#[inline]
fn put(buffer: &mut BytesMut, bytes: &[u8]) {
    buffer.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{AckError, Protocol};

    #[track_caller]
    fn check(message: &Outgoing<'_>, expected: &str) {
        let frame = Protocol::Json.encode(message, &mut BytesMut::new()).unwrap();
        assert!(frame.is_text());
        assert_eq!(&frame.shared().unwrap()[..], expected.as_bytes(), "{expected}");
        assert!(frame.len() <= size_hint(message));
    }

    /// Messages about the connection have exactly the documented bytes.
    #[test]
    fn system_messages() {
        let connected = |user| Outgoing::Connected { connection_id: "0f1e", user };
        let alice =
            r#"{"type":"system","event":"connected","userId":"alice","connectionId":"0f1e"}"#;
        let nobody = r#"{"type":"system","event":"connected","userId":null,"connectionId":"0f1e"}"#;
        check(&connected(Some("alice")), alice);
        check(&connected(None), nobody);
        check(
            &Outgoing::Disconnected { message: "Service reload" },
            r#"{"type":"system","event":"disconnected","message":"Service reload"}"#,
        );
        check(&Outgoing::Pong, r#"{"type":"pong"}"#);
    }

    /// Acknowledgements have exactly the documented bytes over the whole range of ids.
    #[test]
    fn acks() {
        let ack = |ack_id, error| Outgoing::Ack { ack_id, error };
        check(&ack(0, None), r#"{"type":"ack","ackId":0,"success":true}"#);
        check(
            &ack(u64::MAX, None),
            r#"{"type":"ack","ackId":18446744073709551615,"success":true}"#,
        );
        check(
            &ack(70, Some((AckError::InternalServerError, "Internal server error"))),
            concat!(
                r#"{"type":"ack","ackId":70,"success":false,"error":"#,
                r#"{"name":"InternalServerError","message":"Internal server error"}}"#
            ),
        );
    }

    /// Data messages have exactly the documented bytes; escapes are the fewest that there can be.
    #[test]
    fn data_messages() {
        let group =
            |from_user, data| Outgoing::Group { group: "g", from_user, data, metadata: &[] };
        check(
            &group(Some(Some("alice")), Data::Text("hi")),
            r#"{"type":"message","from":"group","group":"g","fromUserId":"alice","dataType":"text","data":"hi"}"#,
        );
        check(
            &group(Some(None), Data::Json("{ \"a\":1.0}")),
            r#"{"type":"message","from":"group","group":"g","fromUserId":null,"dataType":"json","data":{ "a":1.0}}"#,
        );
        check(
            &group(None, Data::Text("")),
            r#"{"type":"message","from":"group","group":"g","dataType":"text","data":""}"#,
        );
        let metadata = &[("k", "v"), ("l", "w")];
        check(
            &Outgoing::Server { data: Data::Binary(&[0, 1, 255]), metadata },
            r#"{"type":"message","from":"server","dataType":"binary","data":"AAH/","metadata":{"k":"v","l":"w"}}"#,
        );
        let message =
            Outgoing::Disconnected { message: "\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}é\u{2028}" };
        let mut buffer = BytesMut::new();
        encode(&message, &mut buffer);
        let expected = "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}é\u{2028}\"}";
        assert!(buffer.ends_with(expected.as_bytes()), "{buffer:?}");
    }
}
