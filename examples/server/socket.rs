//! A socket task: it passes on what arrives, writes what could not be written at once, and ends the transport. It
//! knows nothing of what the bytes mean.

use std::future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hubcast::ConnectionKey;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message, error::ProtocolError};

use crate::clock::Clock;
use crate::incoming::Incoming;
use crate::input::{Ended, Input, Inputs, Received};
use crate::outbound::{Outbound, Written};

/// How long a close may take: what is queued, the close frame, and the peer's answer.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// What a socket task works with.
#[derive(Clone, Debug)]
pub(crate) struct SocketTask {
    /// Names the connection to the engine.
    pub(crate) connection: ConnectionKey,
    /// The way to the engine task.
    pub(crate) inputs: Inputs,
    /// What is sent goes through it.
    pub(crate) outbound: Arc<Outbound>,
    /// Says which messages are too old to be sent.
    pub(crate) clock: Arc<Clock>,
    /// The most bytes of one message from the peer.
    pub(crate) message_bytes: usize,
}

/// How reading ended.
enum ReadEnd {
    /// The transport is gone.
    Gone(Ended),
    /// The peer closed, and the engine knows.
    Closed,
    /// The peer broke the rules of the transport: the engine says with which code to close.
    Broken(Received),
}

impl SocketTask {
    /// Moves bytes until the connection is over on both sides.
    pub(crate) async fn run(self, upgraded: Upgraded) {
        let parts = upgrade::downcast::<TokioIo<TcpStream>>(upgraded);
        // What axum wraps around the socket would cost two locks for every message.
        let parts = parts.expect("the listener accepts TCP connections");
        let (reading, writing) = parts.io.into_inner().into_split();
        self.outbound.attach(writing);
        let mut incoming = Incoming::new(reading, &parts.read_buf, self.message_bytes);
        drop(parts.read_buf);
        let has_said_goodbye = tokio::select! {
            () = self.talk(&mut incoming) => true,
            () = self.closed_too_slowly() => false,
            () = self.outbound.to_be_cut() => false,
        };
        let writing = self.outbound.detach();
        match writing {
            Some(writing) if has_said_goodbye => hang_up(incoming.into_socket(), writing).await,
            Some(_) | None => {
                drop((incoming, writing));
                // For the engine the connection is over already, unless it was cut because of its silence.
                self.report_closed(Ended::Lost).await;
            }
        }
    }

    /// Reads and writes until both sides have closed or the transport is gone.
    async fn talk(&self, incoming: &mut Incoming) {
        let mut reading = std::pin::pin!(self.read(incoming));
        let mut writing = std::pin::pin!(self.write());
        tokio::select! {
            end = &mut reading => match end {
                ReadEnd::Gone(how) => self.report_closed(how).await,
                ReadEnd::Closed => {
                    let _ = time::timeout(CLOSE_TIMEOUT, writing).await;
                }
                ReadEnd::Broken(what) => {
                    self.report(what).await;
                    // Lasts until the engine's close frame is sent.
                    let _ = writing.await;
                }
            },
            written = &mut writing => {
                // After the close frame the peer's answer is awaited: what it says until then is for a
                // connection that is gone, which the engine ignores. When writing failed, reading soon
                // tells why.
                let end = time::timeout(CLOSE_TIMEOUT, reading).await;
                if written.is_err() {
                    match end {
                        Ok(ReadEnd::Gone(how)) => self.report_closed(how).await,
                        Ok(ReadEnd::Closed) => {}
                        Ok(ReadEnd::Broken(_)) | Err(_) => self.report_closed(Ended::Lost).await,
                    }
                }
            }
        }
    }

    /// Passes on what arrives, until nothing more can arrive.
    async fn read(&self, incoming: &mut Incoming) -> ReadEnd {
        loop {
            let message = match incoming.next().await {
                Ok(message) => message,
                Err(error) => return read_end(&error),
            };
            self.outbound.hear();
            match message {
                Message::Text(text) => self.report(Received::Text(text)).await,
                Message::Binary(bytes) => self.report(Received::Binary(bytes)).await,
                Message::Ping(_) => {
                    self.outbound.pong(incoming.answer());
                    self.report(Received::Alive).await;
                }
                Message::Pong(_) => self.report(Received::Alive).await,
                Message::Close(frame) => {
                    // Before the peer has its answer: by then it is to be true that the connection is closed.
                    self.report_closed(clean(frame)).await;
                    self.outbound.answer_close(incoming.answer());
                    return ReadEnd::Closed;
                }
                Message::Frame(_) => unreachable!("frames are only for sending"),
            }
        }
    }

    /// Writes what could not be written at once, until a close frame is written.
    ///
    /// # Errors
    ///
    /// If the transport takes nothing more.
    async fn write(&self) -> io::Result<()> {
        loop {
            let writing =
                future::poll_fn(|context| self.outbound.poll_write(context, self.clock.now()));
            match writing.await {
                Written::All => self.outbound.filled().await,
                Written::Closed => return Ok(()),
                Written::Drained => {
                    let connection = self.connection;
                    let _ = self.inputs.send(Input::Drained { connection }).await;
                }
                Written::Failed => return Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
    }

    /// Ends when the engine closed the connection a while ago and the peer did not play along.
    async fn closed_too_slowly(&self) {
        self.outbound.closing().await;
        time::sleep(CLOSE_TIMEOUT).await;
    }

    /// Tells the engine what arrived; waits while it has too much to do.
    async fn report(&self, what: Received) {
        // The engine task outlives all sockets, except when the process ends.
        let _ = self.inputs.receive(self.connection, what).await;
    }

    /// Tells the engine that the transport is gone.
    pub(crate) async fn report_closed(&self, how: Ended) {
        let _ = self.inputs.send(Input::Closed { connection: self.connection, how }).await;
    }
}

fn clean(frame: Option<CloseFrame>) -> Ended {
    match frame {
        Some(frame) => Ended::Clean { code: frame.code.into(), reason: frame.reason.to_string() },
        // RFC 6455, 7.1.5: 1005 stands for a close frame without a code.
        None => Ended::Clean { code: 1005, reason: String::new() },
    }
}

fn read_end(error: &Error) -> ReadEnd {
    match error {
        Error::Capacity(_) => ReadEnd::Broken(Received::TooLarge),
        Error::Utf8(_) => ReadEnd::Broken(Received::NotUtf8),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => ReadEnd::Gone(Ended::Lost),
        Error::Protocol(_) => ReadEnd::Broken(Received::Malformed),
        _ => ReadEnd::Gone(Ended::Lost),
    }
}

/// Ends the transport so that the peer still gets what was sent last: a socket that is dropped while
/// there is something unread in it is reset, and a reset destroys what the peer has not read yet.
async fn hang_up(mut reading: OwnedReadHalf, mut writing: OwnedWriteHalf) {
    let reading_on = async {
        if writing.shutdown().await.is_err() {
            return;
        }
        // Not in the task itself, which would keep room for it from the start.
        let mut discarded = vec![0; 4096];
        while matches!(reading.read(&mut discarded).await, Ok(1..)) {}
    };
    let _ = time::timeout(CLOSE_TIMEOUT, reading_on).await;
}
