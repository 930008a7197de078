//! WebSocket frames (RFC 6455, 5.2), no more of them than a load needs.

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text or binary message, or the first part of one.
    Message,
    /// A later part of a message.
    Rest,
    Close,
    Ping,
    Pong,
}

/// A frame from the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: Kind,
    pub(crate) payload: &'a [u8],
    /// How long it is with its header.
    pub(crate) length: usize,
}

/// The peer does not speak WebSocket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broken;

/// The longest frame that is read: some times what the protocols allow.
const PAYLOAD_MAX: usize = 16 * 1024 * 1024;

/// Reads the frame at the start of `bytes`. Returns `None` if it is not all there.
pub(crate) fn first(bytes: &[u8]) -> Result<Option<Frame<'_>>, Broken> {
    let [head, short, ..] = *bytes else { return Ok(None) };
    let kind = match head & 0x0f {
        0x0 => Kind::Rest,
        0x1 | 0x2 => Kind::Message,
        0x8 => Kind::Close,
        0x9 => Kind::Ping,
        0xa => Kind::Pong,
        _ => return Err(Broken),
    };
    let (start, size) = match short {
        0..=125 => (2, u64::from(short)),
        126 => match bytes.get(2..4) {
            Some(size) => (4, u64::from(u16::from_be_bytes([size[0], size[1]]))),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10).map(TryInto::try_into) {
            Some(Ok(size)) => (10, u64::from_be_bytes(size)),
            Some(Err(_)) | None => return Ok(None),
        },
        // Servers do not mask.
        _ => return Err(Broken),
    };
    let size = usize::try_from(size).ok().filter(|size| *size <= PAYLOAD_MAX).ok_or(Broken)?;
    let length = start + size;
    Ok(bytes.get(start..length).map(|payload| Frame { kind, payload, length }))
}

/// Returns a text message as a client sends it.
pub(crate) fn text(payload: &str) -> Vec<u8> {
    masked(0x1, payload.as_bytes())
}

/// Returns the answer to a ping.
pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
    masked(0xa, payload)
}

/// Returns a frame whose mask is zero. The server has as much work with it as with any other, and its payload can be
/// made once and patched later; nothing here comes from people whom a random mask would guard against.
fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    const FINAL: u8 = 0x80;
    const MASKED: u8 = 0x80;
    let mut frame = vec![FINAL | opcode];
    match payload.len() {
        size @ 0..=125 => frame.push(MASKED | size as u8),
        size @ 126..=0xffff => {
            frame.push(MASKED | 0x7e);
            frame.extend((size as u16).to_be_bytes());
        }
        size => {
            frame.push(MASKED | 0x7f);
            frame.extend((size as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a frame as servers send it: that of a client without its mask.
    fn unmasked(mut frame: Vec<u8>) -> Vec<u8> {
        let header = match frame[1] & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        frame.drain(header..header + 4);
        frame[1] &= 0x7f;
        frame
    }

    /// A frame of any size is read when all of it is there, and not before.
    #[test]
    fn sizes() {
        for size in [0, 1, 125, 126, 0xffff, 0x1_0000] {
            let payload = "x".repeat(size);
            let mut bytes = unmasked(text(&payload));
            let length = bytes.len();
            for cut in [0, 1, 2, 3, 9, length - 1] {
                assert!(first(&bytes[..cut.min(length - 1)]).unwrap().is_none(), "{size} {cut}");
            }
            bytes.extend(b"more");
            let frame = first(&bytes).unwrap().expect("it is all there");
            assert_eq!((frame.kind, frame.payload.len()), (Kind::Message, size));
            assert_eq!(frame.length, length);
        }
    }

    /// Pings are told from pongs, later parts and the close, and what no server may send from all of them.
    #[test]
    fn kinds() {
        let kind = |bytes: &[u8]| first(bytes).map(|frame| frame.expect("it is all there").kind);
        assert_eq!(kind(&[0x89, 0]).unwrap(), Kind::Ping);
        assert_eq!(kind(&unmasked(pong(b"1"))).unwrap(), Kind::Pong);
        assert_eq!(kind(&[0x80, 0]).unwrap(), Kind::Rest);
        assert_eq!(kind(&[0x88, 0]).unwrap(), Kind::Close);
        assert!(kind(&[0x83, 0]).is_err());
        assert!(kind(&text("masked")).is_err());
        assert!(kind(&[0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0]).is_err());
    }
}
