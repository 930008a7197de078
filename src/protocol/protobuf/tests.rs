//! The codec against the verified bytes of the vectors, and rule by rule.

mod decode;
mod encode;
mod rules;
#[path = "../../../tests/protobuf/schema.rs"]
#[allow(unreachable_pub, reason = "others have it as a module of their own")]
mod schema;
mod strategies;
mod vectors;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::decode as decode_request;
use crate::protocol::Request;

/// As text, because a request is invariant over its lifetime.
fn decoded(bytes: &[u8]) -> String {
    format!("{:?}", decode_request(bytes))
}

#[track_caller]
fn check(bytes: &[u8], expected: &Request<'_>) {
    assert_eq!(decoded(bytes), format!("{:?}", Some(expected)), "{bytes:02x?}");
}

/// Spells a field that is bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = alloc::vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(content);
    bytes
}
