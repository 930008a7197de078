//! Messages as they stand on the wire: WebSocket frames of a server, which are not masked (RFC 6455, 5.2).

use bytes::{BufMut, Bytes, BytesMut};
use hubcast::Frame;

/// A ping without content.
pub(crate) const PING: Bytes = Bytes::from_static(&[FINAL | 0x9, 0]);

/// Stands before the operation code of a message that comes in one frame.
const FINAL: u8 = 0x80;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PONG: u8 = 0xa;

/// The most bytes of a header.
const HEADER: usize = 10;

/// Makes the frame of a message for the recipient with this sequence id. Messages without one are the same for all
/// recipients, so one frame serves all of them.
pub(crate) fn message(frame: &Frame, sequence: u64) -> Bytes {
    let length = frame.payload(sequence).map(|part| part.len()).sum();
    let mut wire = BytesMut::with_capacity(HEADER + length);
    put_header(&mut wire, if frame.is_text() { TEXT } else { BINARY }, length);
    for part in frame.payload(sequence) {
        wire.put_slice(&part);
    }
    wire.freeze()
}

/// Makes a close frame. The reason has at most 123 bytes.
pub(crate) fn close(code: u16, reason: &str) -> Bytes {
    let length = 2 + reason.len();
    let mut wire = BytesMut::with_capacity(HEADER + length);
    put_header(&mut wire, CLOSE, length);
    wire.put_u16(code);
    wire.put_slice(reason.as_bytes());
    wire.freeze()
}

/// Tells whether a frame is a pong.
pub(crate) fn is_pong(wire: &[u8]) -> bool {
    wire.first() == Some(&(FINAL | PONG))
}

fn put_header(wire: &mut BytesMut, operation: u8, length: usize) {
    wire.put_u8(FINAL | operation);
    match length {
        0..126 => wire.put_u8(length as u8),
        126..=0xffff => {
            wire.put_u8(126);
            wire.put_u16(length as u16);
        }
        _ => {
            wire.put_u8(127);
            wire.put_u64(length as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use hubcast::{Action, Audience, Command, Config, Data, Engine, Open, SendOptions, Time};
    use tokio_tungstenite::tungstenite::protocol::frame::FrameSocket;

    use super::*;

    /// Hands a frame of the engine with this data to a function.
    fn with_frame<T>(data: Data<'_>, read: impl Fn(&Frame) -> T) -> T {
        let mut engine = Engine::new(Config::new(1)).expect("a good configuration");
        engine.open(Open { hub: "chat", ..Open::default() }, Time::EPOCH);
        let command =
            Command::Send { to: Audience::Hub("chat"), data, options: SendOptions::default() };
        engine.execute(command, Time::EPOCH).expect("a good command");
        loop {
            if let Action::Deliver(it) = engine.poll_action().expect("a delivery") {
                return read(it.frame);
            }
        }
    }

    /// What another implementation reads of a frame: its first byte's operation, and its payload.
    fn read(wire: &Bytes) -> (u8, Vec<u8>) {
        let mut socket = FrameSocket::new(Cursor::new(wire.to_vec()));
        let frame = socket.read(None).expect("a good frame").expect("a whole frame");
        assert!(frame.header().is_final && frame.header().mask.is_none());
        assert!(socket.read(None).expect("nothing bad behind it").is_none());
        (frame.header().opcode.into(), frame.into_payload().to_vec())
    }

    /// Another implementation reads messages of every length as they were meant; headers are as short as can be.
    #[test]
    fn messages() {
        for (length, header) in
            [(0, 2), (1, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10), (1_000_000, 10)]
        {
            let text = "x".repeat(length);
            let wire = with_frame(Data::Text(&text), |frame| message(frame, 0));
            assert_eq!(wire.len(), header + length);
            assert_eq!(read(&wire), (TEXT, text.clone().into_bytes()));
            let wire = with_frame(Data::Binary(text.as_bytes()), |frame| message(frame, 7));
            assert_eq!(read(&wire), (BINARY, text.into_bytes()));
        }
    }

    /// Another implementation reads the frames of the protocol itself, too.
    #[test]
    fn control_frames() {
        assert_eq!(read(&PING), (9, Vec::new()));
        let longest = "y".repeat(123);
        for reason in ["", "bye", &longest] {
            let payload = [&1008_u16.to_be_bytes()[..], reason.as_bytes()].concat();
            assert_eq!(read(&close(1008, reason)), (CLOSE, payload));
        }
        assert!(is_pong(&[0x8a, 0]) && !is_pong(&PING) && !is_pong(&[]));
    }
}
