//! What goes out on the wire, once for all who speak the same format.

use core::borrow::Borrow;
use core::fmt;
use core::iter::FusedIterator;
use core::ops::Deref;

use bytes::{Bytes, BytesMut};

use super::decimal::Decimal;

/// One WebSocket message, ready to send, shared by all its recipients.
///
/// On a reliable protocol every recipient has sequence ids of its own, so its message is put together from shared parts
/// and a few bytes made for it: [`payload`](Self::payload) hands them out for one vectored write, [`bytes`](Self::bytes)
/// gives them in one piece. Everybody else gets the very same bytes, see [`shared`](Self::shared).
///
/// Small frames are cut from chunks of 64 KiB, and a frame keeps its whole chunk alive. That costs nothing while frames
/// are sent and dropped; a host that keeps one for long, for a peer that does not read, should copy its bytes. (What the
/// engine keeps for reliable sessions and paused connections has its own memory.)
///
/// ```
/// # use hubcast::*;
/// # let mut engine = Engine::new(Config::new(1))?;
/// # engine.open(Open { hub: "chat", protocol: Protocol::Json, ..Open::default() }, Time::EPOCH);
/// while let Some(action) = engine.poll_action() {
///     if let Action::Deliver(Deliver { frame, to, .. }) = action {
///         // Most frames are the same bytes for everyone: clone the handle once a recipient.
///         let shared = frame.shared().cloned();
///         for recipient in to {
///             let bytes: usize = frame.payload(recipient.sequence).map(|part| part.len()).sum();
///             assert_eq!(bytes, shared.as_ref().map_or(bytes, |bytes| bytes.len()));
///             assert_eq!(frame.bytes(recipient.sequence).len(), bytes);
///         }
///     }
/// }
/// # Ok::<(), ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    bytes: Bytes,
    text: bool,
    /// Whether each recipient's sequence id goes in at the seam.
    sequenced: bool,
    seam: Seam,
}

/// Where a sequence id goes into a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seam {
    /// Nowhere: such a message is never numbered.
    None,
    /// Behind the brace that opens the object.
    Json,
    /// Into a message within a message, as its own field.
    Protobuf {
        /// The tag of the outer message's field.
        outer: u8,
        /// How many bytes the outer tag and length take when there is no sequence id.
        header: u8,
        /// The tag of the field with the sequence id.
        field: u8,
        /// Where that field goes, counted from behind the header.
        at: u32,
    },
}

impl Frame {
    pub(crate) fn text(bytes: Bytes, seam: Seam) -> Self {
        Self { bytes, text: true, sequenced: false, seam }
    }

    pub(crate) fn binary(bytes: Bytes, seam: Seam) -> Self {
        Self { bytes, text: false, sequenced: false, seam }
    }

    /// Returns the same message with a place for sequence ids. It shares the bytes.
    pub(crate) fn sequenced(&self) -> Self {
        let bytes = match self.seam {
            Seam::None => unreachable!("only messages with a seam are numbered"),
            Seam::Json => self.bytes.slice(1..),
            Seam::Protobuf { header, .. } => self.bytes.slice(usize::from(header)..),
        };
        Self { bytes, text: self.text, sequenced: true, seam: self.seam }
    }

    /// Gives the frame memory of its own, so that keeping it keeps nothing else.
    pub(crate) fn rehome(&mut self) {
        self.bytes = Bytes::copy_from_slice(&self.bytes);
    }

    /// Tells whether it is a text message (and so UTF-8) or a binary one.
    pub fn is_text(&self) -> bool {
        self.text
    }

    /// Returns the bytes that are the same for every recipient, or `None` when the frame carries a sequence
    /// id and has to be put together with [`payload`](Self::payload) or [`bytes`](Self::bytes).
    pub fn shared(&self) -> Option<&Bytes> {
        (!self.sequenced).then_some(&self.bytes)
    }

    /// Returns the parts of the message for the recipient with this sequence id, at most four, for one
    /// vectored write. The id means nothing to a frame that is [`shared`](Self::shared).
    pub fn payload(&self, sequence: u64) -> Payload<'_> {
        let none = Part(Inner::Shared(&[]));
        let shared = |bytes| Part(Inner::Shared(bytes));
        let parts = match self.seam {
            Seam::Json if self.sequenced => {
                let mut head = Stamp::default();
                head.put(br#"{"sequenceId":"#);
                head.put(Decimal::new(sequence).as_bytes());
                head.put(b",");
                [head.into(), shared(&self.bytes[..]), none, none]
            }
            Seam::Protobuf { outer, field, at, .. } if self.sequenced => {
                let mut stamp = Stamp::default();
                stamp.put(&[field]);
                stamp.put_varint(sequence);
                let mut head = Stamp::default();
                head.put(&[outer]);
                head.put_varint((self.bytes.len() + stamp.len()) as u64);
                let (before, behind) = self.bytes.split_at(at as usize);
                [head.into(), shared(before), stamp.into(), shared(behind)]
            }
            Seam::None | Seam::Json | Seam::Protobuf { .. } => {
                [shared(&self.bytes[..]), none, none, none]
            }
        };
        Payload {
            parts,
            next: 0,
            end: parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1),
        }
    }

    /// Returns the message for the recipient with this sequence id in one piece: a handle of what is shared,
    /// or a copy.
    pub fn bytes(&self, sequence: u64) -> Bytes {
        if let Some(bytes) = self.shared() {
            return bytes.clone();
        }
        let mut whole = BytesMut::with_capacity(self.bytes.len() + 2 * STAMP_MAX);
        for part in self.payload(sequence) {
            whole.extend_from_slice(&part);
        }
        whole.freeze()
    }

    /// Returns the number of bytes without the sequence id.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// The parts of a message in their order; none of them is empty, unless the whole message is.
#[derive(Clone, Debug)]
pub struct Payload<'a> {
    parts: [Part<'a>; 4],
    next: usize,
    end: usize,
}

impl<'a> Iterator for Payload<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        while self.next < self.end {
            let part = self.parts[self.next];
            self.next += 1;
            if !part.is_empty() {
                return Some(part);
            }
        }
        None
    }
}

impl FusedIterator for Payload<'_> {}

/// Some bytes of a message: shared by all its recipients, or made for one of them.
#[derive(Clone, Copy)]
pub struct Part<'a>(Inner<'a>);

#[derive(Clone, Copy)]
enum Inner<'a> {
    Shared(&'a [u8]),
    Stamp(Stamp),
}

/// More than any stamp takes: the opening of a JSON object with a sequence id of 20 digits.
const STAMP_MAX: usize = 40;

#[derive(Clone, Copy)]
struct Stamp {
    bytes: [u8; STAMP_MAX],
    length: u8,
}

impl Default for Stamp {
    fn default() -> Self {
        Self { bytes: [0; STAMP_MAX], length: 0 }
    }
}

impl Stamp {
    fn len(&self) -> usize {
        usize::from(self.length)
    }

    fn put(&mut self, bytes: &[u8]) {
        let start = self.len();
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len() as u8;
    }

    fn put_varint(&mut self, mut integer: u64) {
        while integer >= 0x80 {
            self.put(&[integer as u8 | 0x80]);
            integer >>= 7;
        }
        self.put(&[integer as u8]);
    }
}

impl From<Stamp> for Part<'_> {
    fn from(stamp: Stamp) -> Self {
        Self(Inner::Stamp(stamp))
    }
}

impl Deref for Part<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Inner::Shared(bytes) => bytes,
            Inner::Stamp(stamp) => &stamp.bytes[..stamp.len()],
        }
    }
}

impl AsRef<[u8]> for Part<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Part<'_> {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(frame: &Frame, sequence: u64) -> alloc::vec::Vec<u8> {
        let parts: alloc::vec::Vec<_> = frame.payload(sequence).collect();
        assert!(parts.iter().all(|part| !part.is_empty()));
        assert_eq!(frame.bytes(sequence), parts.concat());
        parts.concat()
    }

    /// A frame without ids is the same for everybody; an empty one has no parts.
    #[test]
    fn shared_frames() {
        let frame = Frame::text(Bytes::from_static(b"hi"), Seam::None);
        assert_eq!(frame.shared().unwrap(), "hi");
        assert_eq!((whole(&frame, 0), whole(&frame, 7)), (b"hi".to_vec(), b"hi".to_vec()));
        let empty = Frame::binary(Bytes::new(), Seam::None);
        assert_eq!(empty.payload(0).count(), 0);
    }

    /// The sequence id stands first in an object, over its whole range.
    #[test]
    fn json_sequence() {
        let frame = Frame::text(Bytes::from_static(br#"{"a":1}"#), Seam::Json);
        let frame = frame.sequenced();
        assert_eq!(frame.shared(), None);
        assert_eq!(whole(&frame, 0), br#"{"sequenceId":0,"a":1}"#);
        assert_eq!(whole(&frame, u64::MAX), br#"{"sequenceId":18446744073709551615,"a":1}"#);
    }

    /// The sequence id goes to its own place in the inner message, and the length of that grows with it.
    #[test]
    fn protobuf_sequence() {
        let bytes = Bytes::from_static(&[0x12, 4, 1, 2, 3, 4]);
        let seam = Seam::Protobuf { outer: 0x12, header: 2, field: 0x20, at: 3 };
        let frame = Frame::binary(bytes, seam);
        assert_eq!(whole(&frame, 9), [0x12, 4, 1, 2, 3, 4]);
        let frame = frame.sequenced();
        assert_eq!(whole(&frame, 1), [0x12, 6, 1, 2, 3, 0x20, 1, 4]);
        assert_eq!(whole(&frame, 300), [0x12, 7, 1, 2, 3, 0x20, 0xAC, 2, 4]);
    }
}
