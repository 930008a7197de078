//! The wire format of protobuf: varints, and fields by number. Nothing in here knows a message.
//!
//! Reading follows the encoding guide of protobuf where it leaves no choice, and is strict where it does: a varint
//! has at most 64 bits, a length never goes beyond the message, groups are closed in order.

use bytes::BytesMut;

/// The deepest nesting of groups, which no message here has: they are only skipped.
const GROUP_DEPTH_MAX: u32 = 64;

/// One field as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// Numbers of a fixed size and groups: no message here has such fields.
    Other,
}

/// Reads the fields of one message.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Returns the number and the value of the next field, `Some(None)` at the end of the message, or `None`
    /// where the bytes are malformed.
    #[inline]
    pub(super) fn field(&mut self) -> Option<Option<(u32, Value<'a>)>> {
        if self.bytes.is_empty() {
            return Some(None);
        }
        let (number, kind) = self.tag()?;
        Some(Some((number, self.value(number, kind)?)))
    }

    #[inline]
    fn value(&mut self, number: u32, kind: Kind) -> Option<Value<'a>> {
        Some(match kind {
            Kind::Varint => Value::Varint(self.varint()?),
            Kind::Bytes => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            Kind::Fixed64 => {
                self.take(8)?;
                Value::Other
            }
            Kind::Fixed32 => {
                self.take(4)?;
                Value::Other
            }
            Kind::GroupStart => {
                self.skip_group(number, GROUP_DEPTH_MAX)?;
                Value::Other
            }
            // One that was never opened.
            Kind::GroupEnd => return None,
        })
    }

    fn skip_group(&mut self, number: u32, depth: u32) -> Option<()> {
        loop {
            match self.tag()? {
                (end, Kind::GroupEnd) => return (end == number).then_some(()),
                (inner, Kind::GroupStart) => self.skip_group(inner, depth.checked_sub(1)?)?,
                (inner, kind) => {
                    self.value(inner, kind)?;
                }
            }
        }
    }

    #[inline]
    fn tag(&mut self) -> Option<(u32, Kind)> {
        let tag = u32::try_from(self.varint()?).ok()?;
        let kind = match tag & 7 {
            0 => Kind::Varint,
            1 => Kind::Fixed64,
            2 => Kind::Bytes,
            3 => Kind::GroupStart,
            4 => Kind::GroupEnd,
            5 => Kind::Fixed32,
            _ => return None,
        };
        let number = tag >> 3;
        (number > 0).then_some((number, kind))
    }

    #[inline]
    fn varint(&mut self) -> Option<u64> {
        // Nearly all tags and lengths are one byte or two.
        match self.bytes {
            [byte @ 0..0x80, rest @ ..] => {
                self.bytes = rest;
                Some(u64::from(*byte))
            }
            [low, high @ 0..0x80, rest @ ..] => {
                self.bytes = rest;
                Some(u64::from(low & 0x7F) | u64::from(*high) << 7)
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for (index, &byte) in self.bytes.iter().enumerate() {
            // The tenth byte has room for one bit, and nothing goes on behind it.
            if index == 9 && byte > 1 {
                return None;
            }
            value |= u64::from(byte & 0x7F) << (7 * index);
            if byte < 0x80 {
                self.bytes = &self.bytes[index + 1..];
                return Some(value);
            }
        }
        None
    }

    #[inline]
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }
}

/// How a field is spelled on the wire.
#[derive(Clone, Copy)]
enum Kind {
    Varint,
    Fixed64,
    Bytes,
    GroupStart,
    GroupEnd,
    Fixed32,
}

/// The kinds of the fields that are written.
pub(super) const NUMBER: u8 = 0;
pub(super) const BYTES: u8 = 2;

/// Returns the one byte that a field begins with: no number that is written is above 15.
pub(super) const fn tag(field: u8, kind: u8) -> u8 {
    field << 3 | kind
}

/// What fields are written to: a buffer, or a counter of the bytes that they will take.
pub(super) trait Sink: Sized {
    fn put(&mut self, bytes: &[u8]);

    /// Writes the tag of a field and the varint behind it: its value, or its length.
    fn head(&mut self, tag: u8, value: u64);

    /// Writes a number, unless it is the 0 that stands for what is absent.
    #[inline]
    fn number(&mut self, field: u8, value: u64) {
        if value != 0 {
            self.head(tag(field, NUMBER), value);
        }
    }

    /// Writes text or bytes, empty ones too.
    #[inline]
    fn bytes(&mut self, field: u8, bytes: &[u8]) {
        self.head(tag(field, BYTES), bytes.len() as u64);
        self.put(bytes);
    }

    /// Writes a text, unless it is the empty one that stands for what is absent.
    #[inline]
    fn text(&mut self, field: u8, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    /// Writes a message within this one, an empty one too.
    #[inline]
    fn message(&mut self, field: u8, body: &impl Body) {
        self.head(tag(field, BYTES), length(body) as u64);
        body.write(self);
    }
}

impl Sink for BytesMut {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn head(&mut self, tag: u8, value: u64) {
        // Most of them are two bytes: one write of a fixed size.
        match value {
            0..0x80 => self.put(&[tag, value as u8]),
            0x80..0x4000 => self.put(&[tag, value as u8 | 0x80, (value >> 7) as u8]),
            _ => put_long_head(self, tag, value),
        }
    }
}

fn put_long_head(buffer: &mut BytesMut, tag: u8, mut value: u64) {
    let mut bytes = [tag; 11];
    let mut length = 1;
    while value >= 0x80 {
        // The low seven bits, and that more follow.
        bytes[length] = value as u8 | 0x80;
        value >>= 7;
        length += 1;
    }
    bytes[length] = value as u8;
    buffer.put(&bytes[..=length]);
}

/// Counts what would be written.
#[derive(Default)]
struct Length(usize);

impl Sink for Length {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    #[inline]
    fn head(&mut self, _: u8, value: u64) {
        self.0 += 1 + varint_length(value);
    }
}

/// The fields of a message, in the order of their numbers.
pub(super) trait Body {
    fn write(&self, sink: &mut impl Sink);
}

/// Returns how many bytes the fields take.
#[inline]
pub(super) fn length(body: &impl Body) -> usize {
    let mut length = Length::default();
    body.write(&mut length);
    length.0
}

#[inline]
pub(super) fn varint_length(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    fn read(bytes: &[u8]) -> Option<Vec<(u32, Value<'_>)>> {
        let (mut reader, mut fields) = (Reader::new(bytes), Vec::new());
        while let Some(field) = reader.field()? {
            fields.push(field);
        }
        Some(fields)
    }

    /// Every kind of field is read or skipped, up to the last byte of the message.
    #[test]
    fn fields() {
        let bytes = [0x08, 0x96, 1, 0x12, 2, 8, 9, 0x1D, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8];
        let expected = vec![
            (1, Value::Varint(150)),
            (2, Value::Bytes(&[8, 9])),
            (3, Value::Other),
            (4, Value::Other),
        ];
        assert_eq!(read(&bytes), Some(expected));
        assert_eq!(read(&[]), Some(vec![]));
        for length in [1, 2, 4, 5, 6, 8, 11, 13, 20] {
            assert_eq!(read(&bytes[..length]), None, "{length}");
        }
    }

    /// A varint has at most ten bytes and 64 bits; spelled longer than it needs to be, it means the same.
    #[test]
    fn varints() {
        let of = |bytes: &[u8]| match read(&[&[0x08], bytes].concat())?[..] {
            [(1, Value::Varint(value))] => Some(value),
            _ => None,
        };
        assert_eq!(of(&[0x80, 0x80, 0]), Some(0));
        assert_eq!(of(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]), Some(u64::MAX));
        assert_eq!(of(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2]), None);
        assert_eq!(of(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]), None);
        assert_eq!(of(&[0x80]), None);
        for value in (0..64).flat_map(|bits| [(1_u64 << bits) - 1, 1 << bits]).chain([u64::MAX]) {
            let mut bytes = BytesMut::new();
            bytes.head(0x08, value);
            assert_eq!((of(&bytes[1..]), 1 + varint_length(value)), (Some(value), bytes.len()));
        }
    }

    /// No field has the number 0, one above 29 bits, or a kind that there is not.
    #[test]
    fn tags() {
        assert_eq!(read(&[0x00, 0]), None);
        assert_eq!(read(&[0xF8, 0xFF, 0xFF, 0xFF, 0x0F, 0]).unwrap()[0].0, (1 << 29) - 1);
        assert_eq!(read(&[0xF8, 0xFF, 0xFF, 0xFF, 0x1F, 0]), None);
        assert_eq!((read(&[0x0E, 0]), read(&[0x0F, 0])), (None, None));
    }

    /// Groups are skipped with all that is in them, if they are closed in order and not too deep.
    #[test]
    fn groups() {
        let group = [0x0B, 0x10, 1, 0x13, 0x1A, 1, 0, 0x14, 0x0C, 0x18, 7];
        assert_eq!(read(&group), Some(vec![(1, Value::Other), (3, Value::Varint(7))]));
        assert_eq!((read(&group[..8]), read(&[0x0C]), read(&[0x0B, 0x14])), (None, None, None));
        let nested = |depth: usize| [vec![0x0B; depth], vec![0x0C; depth]].concat();
        assert!(read(&nested(65)).is_some() && read(&nested(66)).is_none());
        assert_eq!(read(&vec![0x0B; 1 << 20]), None);
    }
}
