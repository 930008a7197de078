//! What goes out on the wire, once for all who speak the same format.

use core::slice;

use bytes::Bytes;

/// One WebSocket message, ready to send, shared by all its recipients.
///
/// Small frames are cut from chunks of 64 KiB, and a frame keeps its whole chunk alive. That costs nothing while frames
/// are sent and dropped; a host that keeps one for long, for a peer that does not read, should copy its bytes.
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
///             let bytes: usize = frame.payload(recipient.sequence).map(<[u8]>::len).sum();
///             assert_eq!(bytes, shared.as_ref().map_or(bytes, |bytes| bytes.len()));
///         }
///     }
/// }
/// # Ok::<(), ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    bytes: Bytes,
    text: bool,
}

impl Frame {
    pub(crate) fn text(bytes: Bytes) -> Self {
        Self { bytes, text: true }
    }

    pub(crate) fn binary(bytes: Bytes) -> Self {
        Self { bytes, text: false }
    }

    /// Tells whether it is a text message (and so UTF-8) or a binary one.
    pub fn is_text(&self) -> bool {
        self.text
    }

    /// Returns the bytes that are the same for every recipient, or `None` when the frame carries a sequence
    /// id and has to be put together with [`payload`](Self::payload).
    pub fn shared(&self) -> Option<&Bytes> {
        Some(&self.bytes)
    }

    /// Returns the parts of the message for the recipient with this sequence id, for one vectored write.
    pub fn payload(&self, _sequence: u64) -> Payload<'_> {
        Payload(slice::from_ref(&self.bytes).iter())
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// The parts of a message in their order.
#[derive(Clone, Debug)]
pub struct Payload<'a>(slice::Iter<'a, Bytes>);

impl<'a> Iterator for Payload<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.0.next().map(|bytes| &**bytes)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Payload<'_> {}
