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
    // Whether all are digits is asked once, in the end.
    let mut seen = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]);
        *byte = high << 4 | low;
        seen |= high | low;
    }
    (seen < 16).then_some(bytes)
}

/// By character: the value of a digit, [`NO_DIGIT`] for all else.
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
};

const NO_DIGIT: u8 = 0xFF;

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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written is read again, and a single character that is no lower-case digit spoils it.
    #[test]
    fn read_as_written() {
        let secret = [0x00, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFF, 0x0F, 0xF0];
        let id = ConnectionId::new(0xFEDC_BA98, &secret);
        assert_eq!(id.as_str(), "fedcba98000123456789abcdefff0ff0");
        assert_eq!(ConnectionId::parse(&id), Some((0xFEDC_BA98, secret)));
        assert_eq!(ConnectionId::parse(&id[..31]), None);
        for (place, other) in (0..32).flat_map(|place| (0..=0x7F).map(move |other| (place, other)))
        {
            let mut bytes = id.0;
            bytes[place] = other;
            let is_digit = matches!(other, b'0'..=b'9' | b'a'..=b'f');
            let text = core::str::from_utf8(&bytes).expect("it is ASCII");
            assert_eq!(ConnectionId::parse(text).is_some(), is_digit, "{text}");
        }
    }
}
