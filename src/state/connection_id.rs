//! The public id of a connection.

use core::fmt;
use core::ops::Deref;

/// The bytes of the unguessable part of a connection id.
pub(crate) type Secret = [u8; 12];

/// The public id of a connection: 32 lower-case hexadecimal digits, unique and unguessable.
///
/// The first eight digits are the place of the connection in its engine, so that finding it takes no table;
/// the others come from [`Open::entropy`](crate::Open::entropy) and are compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId([u8; 32]);

impl ConnectionId {
    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).expect("hexadecimal digits are UTF-8")
    }

    pub(crate) fn new(slot: u32, secret: &Secret) -> Self {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&slot.to_be_bytes());
        bytes[4..].copy_from_slice(secret);
        Self(to_hex(&bytes))
    }

    /// Reads the slot and the secret part of a text that has the shape of an id.
    pub(crate) fn parse(text: &str) -> Option<(u32, Secret)> {
        let bytes = from_hex(text)?;
        let (slot, secret) = bytes.split_first_chunk()?;
        Some((u32::from_be_bytes(*slot), secret.try_into().ok()?))
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes bytes as lower-case hexadecimal digits.
pub(super) fn to_hex(bytes: &[u8; 16]) -> [u8; 32] {
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    digits
}

/// Reads what [`to_hex`] writes.
pub(super) fn from_hex(text: &str) -> Option<[u8; 16]> {
    let digits: &[u8; 32] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

impl Deref for ConnectionId {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
