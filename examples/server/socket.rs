//! A socket task: it moves bytes between a WebSocket and the engine task, and knows nothing else.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hubcast::ConnectionKey;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{self, Instant, MissedTickBehavior};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Bytes, Error, error::ProtocolError};

use crate::clock::Clock;
use crate::outbound::{Close, Order, Outbound};
use crate::service::{Ended, Input, Received};

/// How often the peer is asked for a sign of life.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long a peer may be silent: two intervals.
const SILENCE: Duration = Duration::from_secs(2 * PING_INTERVAL.as_secs());
/// How long a close may take: what is queued, the close frame, and the peer's answer.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// How much is read at a time; every connection keeps as much memory.
const READ_BUFFER: usize = 16 * 1024;

type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// What a socket task works with.
#[derive(Clone, Debug)]
pub(crate) struct SocketTask {
    /// Names the connection to the engine.
    pub(crate) connection: ConnectionKey,
    /// The way to the engine task.
    pub(crate) inputs: mpsc::Sender<Input>,
    /// What the engine task wants to be sent.
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
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .max_message_size(Some(self.message_bytes))
            .max_frame_size(Some(self.message_bytes));
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let (mut sink, mut stream) = socket.split();
        tokio::select! {
            () = self.talk(&mut sink, &mut stream) => {}
            () = self.closed_too_slowly() => return,
            () = self.outbound.to_be_cut() => return,
        }
        if let Ok(socket) = sink.reunite(stream) {
            hang_up(socket).await;
        }
    }

    /// Reads and writes until both sides have closed or the transport is gone.
    async fn talk(
        &self,
        sink: &mut SplitSink<WebSocket, tungstenite::Message>,
        stream: &mut SplitStream<WebSocket>,
    ) {
        let mut reading = std::pin::pin!(self.read(stream));
        let mut writing = std::pin::pin!(self.write(sink));
        tokio::select! {
            end = &mut reading => match end {
                ReadEnd::Gone(how) => self.report_closed(how).await,
                ReadEnd::Closed => {}
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
    async fn read(&self, stream: &mut SplitStream<WebSocket>) -> ReadEnd {
        loop {
            let Ok(next) = time::timeout(SILENCE, stream.next()).await else {
                return ReadEnd::Gone(Ended::Lost);
            };
            let message = match next {
                Some(Ok(message)) => message,
                Some(Err(error)) => return read_end(&error),
                None => return ReadEnd::Gone(Ended::Lost),
            };
            match message {
                tungstenite::Message::Text(text) => self.report(Received::Text(text)).await,
                tungstenite::Message::Binary(bytes) => self.report(Received::Binary(bytes)).await,
                tungstenite::Message::Ping(_) | tungstenite::Message::Pong(_) => {
                    self.report(Received::Alive).await;
                }
                tungstenite::Message::Close(frame) => {
                    // Before the peer has its answer: by then it is to be true that the connection is closed.
                    self.report_closed(clean(frame)).await;
                    // The next read sends the answer, then there is nothing more to read.
                    let _ = time::timeout(CLOSE_TIMEOUT, stream.next()).await;
                    return ReadEnd::Closed;
                }
                tungstenite::Message::Frame(_) => unreachable!("frames are only for sending"),
            }
        }
    }

    /// Sends what is queued, and a ping now and then, until a close frame is sent.
    async fn write(
        &self,
        sink: &mut SplitSink<WebSocket, tungstenite::Message>,
    ) -> Result<(), Error> {
        let mut pings = time::interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let Some(order) = self.outbound.next(self.clock.now()) else {
                // Nothing more to gather: what was gathered goes out in one write.
                sink.flush().await?;
                tokio::select! {
                    () = self.outbound.filled() => {}
                    _ = pings.tick() => {
                        sink.send(tungstenite::Message::Ping(Bytes::new())).await?;
                    }
                }
                continue;
            };
            match order {
                Order::Send(message) => {
                    let kind = if message.is_text { Data::Text } else { Data::Binary };
                    // A frame, not a `Message::Text`, which would look for broken UTF-8 in what the
                    // engine has already checked, once for every recipient.
                    let frame = Frame::message(message.bytes, OpCode::Data(kind), true);
                    sink.feed(tungstenite::Message::Frame(frame)).await?;
                }
                Order::ReportDrained => {
                    let connection = self.connection;
                    let _ = self.inputs.send(Input::Drained { connection }).await;
                }
                Order::Close(Close { code, reason }) => {
                    let frame = CloseFrame { code: code.into(), reason: reason.into() };
                    return sink.send(tungstenite::Message::Close(Some(frame))).await;
                }
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
        let _ = self.inputs.send(Input::Received { from: self.connection, what }).await;
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
async fn hang_up(mut socket: WebSocket) {
    let io = socket.get_mut();
    let reading_on = async {
        if io.shutdown().await.is_err() {
            return;
        }
        let mut discarded = [0; 4096];
        while matches!(io.read(&mut discarded).await, Ok(1..)) {}
    };
    let _ = time::timeout(CLOSE_TIMEOUT, reading_on).await;
}
