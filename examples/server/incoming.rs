//! What arrives from a peer: messages, put together and checked by tungstenite.

use std::future;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::tcp::OwnedReadHalf;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

/// How much is read at a time; every connection keeps as much memory, and it is overwritten before each read.
const READ_BUFFER: usize = 2 * 1024;

/// The messages of one peer.
#[derive(Debug)]
pub(crate) struct Incoming(WebSocket<Transport>);

/// Reads from the socket, and keeps what the protocol has to say in return: writing is not done here.
#[derive(Debug)]
struct Transport {
    socket: OwnedReadHalf,
    /// Is woken when there is more to read.
    waker: Waker,
    answer: Vec<u8>,
}

impl Incoming {
    /// Reads messages of at most so many bytes. Some of the first may have been read with the handshake.
    pub(crate) fn new(socket: OwnedReadHalf, head: &Bytes, message_bytes: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .max_message_size(Some(message_bytes))
            .max_frame_size(Some(message_bytes));
        let transport = Transport { socket, waker: Waker::noop().clone(), answer: Vec::new() };
        let (head, role) = (head.to_vec(), Role::Server);
        Self(WebSocket::from_partially_read(transport, head, role, Some(config)))
    }

    /// Waits for the next message. To pings and close frames there is an [`answer`](Self::answer) then.
    pub(crate) async fn next(&mut self) -> Result<Message, Error> {
        future::poll_fn(|context| self.poll_next(context)).await
    }

    /// Returns the frame that answers the ping or close frame that came last.
    pub(crate) fn answer(&mut self) -> Bytes {
        // After a close frame this is an error by design: there is nothing more to send.
        let _ = self.0.flush();
        std::mem::take(&mut self.0.get_mut().answer).into()
    }

    /// Gives the socket back.
    pub(crate) fn into_socket(self) -> OwnedReadHalf {
        self.0.into_inner().socket
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        self.0.get_mut().waker.clone_from(context.waker());
        match self.0.read() {
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            read => Poll::Ready(read),
        }
    }
}

impl Read for Transport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        let mut context = Context::from_waker(&self.waker);
        match Pin::new(&mut self.socket).poll_read(&mut context, &mut buffer) {
            Poll::Ready(read) => read.map(|()| buffer.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.answer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
