//! One message in every format that somebody needs: encoded when first asked for, and once.

use bytes::BytesMut;

use crate::metrics::Metrics;
use crate::protocol::{Format, Frame, Outgoing};

/// The frames of one message.
pub(super) struct Encodings<'a> {
    outgoing: &'a Outgoing<'a>,
    frames: [Encoding; Format::COUNT],
}

enum Encoding {
    NotAsked,
    /// The format has nothing that says it.
    Nothing,
    /// Cut from the buffer that all frames share.
    Cut(Frame),
    /// In memory of its own, because it is kept.
    Owned(Frame),
}

impl<'a> Encodings<'a> {
    pub(super) fn new(outgoing: &'a Outgoing<'a>) -> Self {
        Self { outgoing, frames: [const { Encoding::NotAsked }; Format::COUNT] }
    }

    /// Returns the frame for those who get it now.
    pub(super) fn frame(
        &mut self,
        format: Format,
        buffer: &mut BytesMut,
        metrics: &mut Metrics,
    ) -> Option<Frame> {
        let encoding = &mut self.frames[format as usize];
        if matches!(encoding, Encoding::NotAsked) {
            let frame = format.encode(self.outgoing, buffer);
            metrics.encodes += u64::from(frame.is_some());
            *encoding = frame.map_or(Encoding::Nothing, Encoding::Cut);
        }
        match encoding {
            Encoding::Cut(frame) | Encoding::Owned(frame) => Some(frame.clone()),
            Encoding::Nothing | Encoding::NotAsked => None,
        }
    }

    /// Returns the frame for those who keep it: keeping it keeps nothing else.
    pub(super) fn owned(
        &mut self,
        format: Format,
        buffer: &mut BytesMut,
        metrics: &mut Metrics,
    ) -> Option<Frame> {
        if let Encoding::Owned(frame) = &self.frames[format as usize] {
            return Some(frame.clone());
        }
        let mut frame = self.frame(format, buffer, metrics)?;
        frame.rehome();
        self.frames[format as usize] = Encoding::Owned(frame.clone());
        Some(frame)
    }
}
