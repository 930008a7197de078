//! What messages are made of: strings, integers, payloads, and how many bytes they take.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;

use super::super::scan::{is_plain, skip_plain};
use crate::protocol::decimal::Decimal;
use crate::protocol::message::Data;

/// What a pair takes besides its bytes: four quotes, a colon, a comma.
const PAIR: usize = 6;

pub(super) fn data_size(data: &Data<'_>) -> usize {
    match data {
        Data::Text(text) | Data::Json(text) => text.len(),
        Data::Binary(bytes) | Data::Protobuf(bytes) => base64_length(bytes),
    }
}

pub(super) fn pairs_size<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> usize {
    pairs.map(|(key, value)| PAIR + key.len() + value.len()).sum()
}

#[inline]
pub(super) fn put_data(buffer: &mut BytesMut, data: &Data<'_>) {
    match data {
        Data::Text(text) => {
            put(buffer, br#","dataType":"text","data":""#);
            put_rest_of_string(buffer, text);
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
        Data::Protobuf(bytes) => {
            put(buffer, br#","dataType":"protobuf","data":""#);
            put_base64(buffer, bytes);
            put(buffer, b"\"");
        }
    }
}

pub(super) fn put_metadata(buffer: &mut BytesMut, metadata: &[(&str, &str)]) {
    if metadata.is_empty() {
        return;
    }
    put(buffer, br#","metadata":"#);
    put_pairs(buffer, metadata.iter().copied());
}

/// Appends an object of strings.
pub(super) fn put_pairs<'a>(
    buffer: &mut BytesMut,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) {
    put(buffer, b"{");
    for (index, (key, value)) in pairs.enumerate() {
        put(buffer, if index == 0 { b"" } else { b"," });
        put_string(buffer, key);
        put(buffer, b":");
        put_string(buffer, value);
    }
    put(buffer, b"}");
}

pub(super) fn put_user(buffer: &mut BytesMut, user: Option<&str>) {
    match user {
        Some(user) => put_string(buffer, user),
        None => put(buffer, b"null"),
    }
}

/// Appends a string with its quotes; escapes only what RFC 8259 wants escaped.
pub(crate) fn put_string(buffer: &mut BytesMut, text: &str) {
    put(buffer, b"\"");
    put_rest_of_string(buffer, text);
}

/// Appends a string whose first quote is there already.
#[inline]
pub(super) fn put_rest_of_string(buffer: &mut BytesMut, text: &str) {
    put_characters(buffer, text);
    put(buffer, b"\"");
}

/// Appends what is in a string, without its quotes.
#[inline]
pub(super) fn put_characters(buffer: &mut BytesMut, text: &str) {
    let bytes = text.as_bytes();
    if is_plain(bytes) { put(buffer, bytes) } else { put_escaped(buffer, bytes) }
}

#[cold]
fn put_escaped(buffer: &mut BytesMut, bytes: &[u8]) {
    let mut start = 0;
    loop {
        let end = skip_plain(bytes, start);
        put(buffer, &bytes[start..end]);
        let Some(&special) = bytes.get(end) else { break };
        put_escape(buffer, special);
        start = end + 1;
    }
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

pub(super) fn put_integer(buffer: &mut BytesMut, integer: u64) {
    put(buffer, Decimal::new(integer).as_bytes());
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
pub(super) fn put(buffer: &mut BytesMut, bytes: &[u8]) {
    buffer.extend_from_slice(bytes);
}
