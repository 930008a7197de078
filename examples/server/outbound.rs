//! The way out of one socket. Most messages are written at once, by whoever has them: no other task has to wake up for
//! that. What the socket does not take waits in a queue, which the socket's own task empties.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use bytes::Bytes;
use hubcast::Time;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;

use crate::queue::{Full, Level, Message, Queue, WRITTEN_AT_ONCE};
use crate::room::SharedRoom;
use crate::wire;

/// Takes messages without ever making anybody wait.
#[derive(Debug)]
pub(crate) struct Outbound {
    room: Arc<SharedRoom>,
    state: Mutex<State>,
    /// Whether the peer said anything since somebody asked.
    is_heard: AtomicBool,
    filled: Notify,
    closing: Notify,
    cut: Notify,
}

#[derive(Debug, Default)]
struct State {
    queue: Queue,
    /// There is none before the handshake is over, and after the end.
    socket: Option<OwnedWriteHalf>,
    has_failed: bool,
}

/// How far the queue is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// All of it.
    All,
    /// All of it, and a close frame was the last.
    Closed,
    /// Enough that the engine may go on, if it was asked to pause.
    Drained,
    /// Not all, and there will never be more.
    Failed,
}

impl Outbound {
    pub(crate) fn new(room: Arc<SharedRoom>) -> Self {
        Self {
            room,
            state: Mutex::default(),
            is_heard: AtomicBool::new(false),
            filled: Notify::new(),
            closing: Notify::new(),
            cut: Notify::new(),
        }
    }

    /// Takes the socket. What has been queued before is for [`poll_write`](Self::poll_write).
    pub(crate) fn attach(&self, socket: OwnedWriteHalf) {
        self.state().socket = Some(socket);
    }

    /// Gives the socket back, unless it was cut.
    pub(crate) fn detach(&self) -> Option<OwnedWriteHalf> {
        self.state().socket.take()
    }

    /// Sends messages, in one write where nothing else waits. Those behind a close frame are dropped.
    pub(crate) fn send(
        &self,
        messages: impl IntoIterator<Item = Message>,
        now: Time,
    ) -> Result<Level, Full> {
        let room = self.room.get();
        self.add(|queue| {
            messages.into_iter().try_for_each(|message| queue.push(message, room, now))
        })
    }

    /// Asks the peer for a sign of life.
    pub(crate) fn ping(&self, now: Time) {
        // Where a full queue waits, there is no use for a ping.
        let _ = self.send([Message { wire: wire::PING, expires: None }], now);
    }

    /// Answers a ping, before all that waits.
    pub(crate) fn pong(&self, pong: Bytes) {
        self.change(|queue| queue.push_pong(pong));
    }

    /// Closes the socket after what is queued. The first close counts.
    pub(crate) fn close(&self, code: u16, reason: &str) {
        self.change(|queue| queue.end(wire::close(code, reason)));
        self.closing.notify_one();
    }

    /// Throws away what is queued and closes the socket.
    pub(crate) fn abandon(&self, code: u16, reason: &str) {
        self.state().queue.discard();
        self.close(code, reason);
    }

    /// Answers the close frame of the peer, who wants nothing more; does nothing where a close frame is queued already.
    pub(crate) fn answer_close(&self, answer: Bytes) {
        self.change(|queue| {
            if !queue.is_ended() {
                queue.discard();
                queue.end(answer);
            }
        });
    }

    /// Cuts the transport at once, without a goodbye.
    pub(crate) fn cut(&self) {
        drop(self.detach());
        self.cut.notify_one();
    }

    /// Writes what waits and returns how it went; at once if nothing does.
    pub(crate) fn poll_write(&self, context: &mut Context<'_>, now: Time) -> Poll<Written> {
        let mut state = self.state();
        state.queue.drop_expired(now);
        loop {
            let is_written = state.write();
            if state.queue.fall() {
                return Poll::Ready(Written::Drained);
            }
            if state.has_failed {
                return Poll::Ready(Written::Failed);
            }
            if is_written {
                let is_ended = state.queue.is_ended();
                return Poll::Ready(if is_ended { Written::Closed } else { Written::All });
            }
            let Some(socket) = &state.socket else { return Poll::Ready(Written::Failed) };
            match socket.as_ref().poll_write_ready(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => state.has_failed = true,
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Waits until there may be something to write. It is only for one waiter at a time.
    pub(crate) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Waits until the socket is to be closed. It is only for one waiter at a time.
    pub(crate) async fn closing(&self) {
        self.closing.notified().await;
    }

    /// Waits until the transport is cut. It is only for one waiter at a time.
    pub(crate) async fn to_be_cut(&self) {
        self.cut.notified().await;
    }

    /// Takes note of a sign of life.
    pub(crate) fn hear(&self) {
        self.is_heard.store(true, Ordering::Relaxed);
    }

    /// Tells whether there was a sign of life since this was asked before.
    pub(crate) fn has_heard(&self) -> bool {
        self.is_heard.swap(false, Ordering::Relaxed)
    }

    /// Changes the queue in a way that cannot fail.
    fn change(&self, change: impl FnOnce(&mut Queue)) {
        let Ok(_) = self.add(|queue| {
            change(queue);
            Ok::<(), std::convert::Infallible>(())
        });
    }

    /// Adds something to the queue, and writes it unless something else waits.
    fn add<E>(&self, add: impl FnOnce(&mut Queue) -> Result<(), E>) -> Result<Level, E> {
        let mut state = self.state();
        let waited = !state.queue.is_empty();
        let added = add(&mut state.queue);
        // Whoever made the others wait writes them all, in order.
        let is_written = !waited && state.write();
        let level = if is_written { Level::Same } else { state.queue.rise() };
        let wakes = !is_written || state.queue.is_ended();
        drop(state);
        if wakes {
            self.filled.notify_one();
        }
        added.map(|()| level)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the lock")
    }
}

impl State {
    /// Writes as much as the socket takes and tells whether that was all.
    fn write(&mut self) -> bool {
        while !self.queue.is_empty() {
            let Some(socket) = &self.socket else { return false };
            let mut slices = [IoSlice::new(&[]); WRITTEN_AT_ONCE];
            let count = self.queue.slices(&mut slices);
            let written = match &slices[..count] {
                // Cheaper, and the usual case.
                [one] => socket.try_write(one),
                several => socket.try_write_vectored(several),
            };
            match written {
                Ok(bytes) => self.queue.advance(bytes),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.has_failed = true;
                    return false;
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::future;
    use std::net::Ipv4Addr;

    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::room::Room;

    const NOW: Time = Time::from_secs(100);

    /// Returns a way out with its socket, and the peer of it.
    async fn connected() -> (Outbound, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let peer = TcpStream::connect(address).await.expect("it listens");
        let (socket, _) = listener.accept().await.expect("somebody connects");
        // As it is after a handshake.
        socket.writable().await.expect("it is open");
        let outbound =
            Outbound::new(SharedRoom::new(Room { messages: 10_000, bytes: 64 * 1024 * 1024 }));
        outbound.attach(socket.into_split().1);
        (outbound, peer)
    }

    fn message(letter: u8, size: usize) -> Message {
        Message { wire: vec![letter; size].into(), expires: None }
    }

    async fn write(outbound: &Outbound) -> Written {
        future::poll_fn(|context| outbound.poll_write(context, NOW)).await
    }

    /// What the socket takes is with the peer, although no task was there to write it.
    #[tokio::test]
    async fn written_at_once() {
        let (outbound, mut peer) = connected().await;
        let level = outbound.send((b'a'..=b'z').map(|letter| message(letter, 2)), NOW);
        assert_eq!(level.expect("there is room"), Level::Same);
        outbound.close(1000, "bye");
        let mut bytes = [0; 2 * 26 + 7];
        peer.read_exact(&mut bytes).await.expect("it is sent");
        assert!(bytes.starts_with(b"aabbcc") && bytes.ends_with(b"zz\x88\x05\x03\xe8bye"));
        assert_eq!(write(&outbound).await, Written::Closed);
    }

    /// What the socket does not take waits, is said to be too much, and goes out in order when the peer reads again.
    #[tokio::test]
    async fn the_rest_waits() {
        const SIZE: usize = 100_000;
        let (outbound, mut peer) = connected().await;
        let mut sent = 0;
        let mut send = || {
            sent += 1;
            outbound.send([message((sent % 100) as u8, SIZE)], NOW).expect("there is room")
        };
        while send() == Level::Same {}
        for _ in 0..10 {
            assert_eq!(send(), Level::Same);
        }
        outbound.pong(Bytes::from_static(&[0x8a, 0]));
        let mut bytes = vec![0; sent * SIZE + 2];
        let (read, drained) = tokio::join!(peer.read_exact(&mut bytes), write(&outbound));
        read.expect("everything comes");
        assert_eq!((drained, write(&outbound).await), (Written::Drained, Written::All));
        let pong = bytes.iter().position(|byte| *byte == 0x8a).expect("a pong");
        assert_eq!((pong % SIZE, bytes[pong + 1]), (0, 0));
        bytes.drain(pong..pong + 2);
        for (number, message) in bytes.chunks(SIZE).enumerate() {
            assert!(message.iter().all(|byte| *byte == ((number + 1) % 100) as u8), "{number}");
        }
    }

    /// Nothing more goes to a peer that is gone, and whoever writes is told.
    #[tokio::test]
    async fn cut() {
        let (outbound, mut peer) = connected().await;
        outbound.send([message(b'a', 3)], NOW).expect("there is room");
        outbound.cut();
        outbound.to_be_cut().await;
        outbound.send([message(b'b', 3)], NOW).expect("there is room");
        assert_eq!(write(&outbound).await, Written::Failed);
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).await.expect("an orderly end");
        assert_eq!(bytes, b"aaa");
    }
}
