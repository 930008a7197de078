//! A connection that listens: it finds the stamp in every message and notes how late it came.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;

use crate::clock::Clock;
use crate::connect::Opened;
use crate::frame::{self, Frame, Kind};
use crate::stamp;
use crate::tally::Tally;

/// After how many messages a client of a reliable protocol says what it has. The service keeps 1,000.
const ACKNOWLEDGED_AFTER: u32 = 100;

/// How much is read at a time.
const READ_BYTES: usize = 64 * 1024;

thread_local! {
    /// One for all connections of a thread: none of them keeps anything in it.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// A connection that listens.
#[derive(Debug)]
pub(crate) struct Receiver {
    stream: TcpStream,
    /// The beginning of a frame that is not all there.
    partial: Vec<u8>,
    /// Where the last stamp stood.
    place: usize,
    /// Messages since the last acknowledgement, for a reliable protocol.
    unacknowledged: Option<u32>,
    number: usize,
    tally: Arc<Tally>,
    clock: Clock,
}

/// Why a connection was closed.
type Reason = String;

impl Receiver {
    /// Makes the connection with this number listen.
    pub(crate) fn new(
        opened: Opened,
        number: usize,
        is_reliable: bool,
        tally: Arc<Tally>,
        clock: Clock,
    ) -> Self {
        Self {
            stream: opened.stream,
            partial: opened.rest,
            place: 0,
            unacknowledged: is_reliable.then_some(0),
            number,
            tally,
            clock,
        }
    }

    /// Listens until the server closes the connection, which it should not do.
    pub(crate) async fn run(mut self) {
        let reason = match self.take(&[]) {
            Ok(()) => poll_fn(|context| self.poll(context)).await,
            Err(reason) => reason,
        };
        self.tally.share(self.number).note_closed(reason);
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Reason> {
        BUFFER.with_borrow_mut(|buffer| {
            loop {
                let mut read = ReadBuf::new(buffer);
                match ready!(Pin::new(&mut self.stream).poll_read(context, &mut read)) {
                    Ok(()) if read.filled().is_empty() => {
                        return Poll::Ready("the server ended the connection".into());
                    }
                    Ok(()) => {}
                    Err(error) => return Poll::Ready(error.to_string()),
                }
                if let Err(reason) = self.take(read.filled()) {
                    return Poll::Ready(reason);
                }
            }
        })
    }

    /// Takes what came.
    fn take(&mut self, bytes: &[u8]) -> Result<(), Reason> {
        if self.partial.is_empty() {
            let taken = self.take_frames(bytes)?;
            self.partial.extend_from_slice(&bytes[taken..]);
        } else {
            let mut whole = std::mem::take(&mut self.partial);
            whole.extend_from_slice(bytes);
            let taken = self.take_frames(&whole)?;
            whole.drain(..taken);
            self.partial = whole;
        }
        Ok(())
    }

    /// Takes all whole frames and returns how long they are.
    fn take_frames(&mut self, bytes: &[u8]) -> Result<usize, Reason> {
        let now = self.clock.now();
        let tally = Arc::clone(&self.tally);
        let mut share = tally.share(self.number);
        let mut taken = 0;
        while let Some(frame) =
            frame::first(&bytes[taken..]).map_err(|_| "the server sent no WebSocket frame")?
        {
            taken += frame.length;
            match frame.kind {
                Kind::Message => {
                    let Some(due) = stamp::find(frame.payload, &mut self.place) else { continue };
                    share.all += 1;
                    if tally.counts(due) {
                        share.note(due, now);
                    }
                    self.acknowledge(&frame)?;
                }
                Kind::Ping => self.write(&frame::pong(frame.payload))?,
                Kind::Close => return Err(close_reason(frame.payload)),
                Kind::Rest | Kind::Pong => {}
            }
        }
        Ok(taken)
    }

    /// Says now and then which messages of a reliable protocol have come.
    fn acknowledge(&mut self, frame: &Frame<'_>) -> Result<(), Reason> {
        let Some(unacknowledged) = &mut self.unacknowledged else { return Ok(()) };
        *unacknowledged += 1;
        if *unacknowledged < ACKNOWLEDGED_AFTER {
            return Ok(());
        }
        *unacknowledged = 0;
        let Some(id) = sequence_id(frame.payload) else { return Ok(()) };
        let message = format!(r#"{{"type":"sequenceAck","sequenceId":{id}}}"#);
        self.write(&frame::text(&message))
    }

    /// Writes something short. A server that takes not even that is lost.
    fn write(&self, bytes: &[u8]) -> Result<(), Reason> {
        match self.stream.try_write(bytes) {
            Ok(written) if written == bytes.len() => Ok(()),
            Ok(_) => Err("the server does not read".into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err("the server does not read".into())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Says why the server closed.
pub(crate) fn close_reason(payload: &[u8]) -> Reason {
    match payload {
        [high, low, text @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            format!("the server closed with {code} {}", String::from_utf8_lossy(text))
        }
        _ => "the server closed".into(),
    }
}

/// Finds the sequence id in a JSON message.
fn sequence_id(message: &[u8]) -> Option<u64> {
    const NAME: &[u8] = br#""sequenceId":"#;
    let place = message.windows(NAME.len()).position(|window| window == NAME)?;
    let digits = message[place + NAME.len()..].iter().map_while(|byte| match byte {
        b'0'..=b'9' => Some(u64::from(byte - b'0')),
        _ => None,
    });
    Some(digits.fold(0_u64, |id, digit| id.saturating_mul(10).saturating_add(digit)))
}
