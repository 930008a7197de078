//! The outbound queue of one socket: filled by the engine task, emptied by the socket task.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use hubcast::Time;
use tokio::sync::Notify;

/// The most messages that wait for one socket.
const MOST_MESSAGES: usize = 1_000;
/// How many messages may wait before those that come are copied. Frames are cut from large chunks of memory, and
/// whoever keeps a small frame keeps its chunk: a peer that hardly reads must not hold on to thousands of them.
const MOST_SHARED: usize = 16;
/// The most bytes that wait for one socket.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A bounded queue that never makes its filler wait.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    state: Mutex<State>,
    filled: Notify,
    closing: Notify,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Message>,
    bytes: usize,
    close: Option<Close>,
}

/// A message to send.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) bytes: Bytes,
    pub(crate) is_text: bool,
    /// When it is of no more use.
    pub(crate) expires: Option<Time>,
}

/// A close frame to send, after everything else.
#[derive(Clone, Debug)]
pub(crate) struct Close {
    pub(crate) code: u16,
    pub(crate) reason: String,
}

/// What the socket task does next.
#[derive(Debug)]
pub(crate) enum Order {
    Send(Message),
    Close(Close),
}

/// The queue is full: the peer reads too slowly.
#[derive(Debug)]
pub(crate) struct Full;

impl Outbound {
    /// Adds a message; where there is no room, those that are of no more use make room first. Once the queue is
    /// to be closed, the message is dropped.
    pub(crate) fn send(&self, mut message: Message, now: Time) -> Result<(), Full> {
        let mut state = self.state();
        if state.close.is_some() {
            return Ok(());
        }
        if !state.has_room(&message) {
            state.drop_expired(now);
        }
        if !state.has_room(&message) {
            return Err(Full);
        }
        if state.messages.len() >= MOST_SHARED {
            message.bytes = Bytes::copy_from_slice(&message.bytes);
        }
        state.bytes += message.bytes.len();
        state.messages.push_back(message);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Closes the socket after what is queued. The first close counts.
    pub(crate) fn close(&self, close: Close) {
        self.state().close.get_or_insert(close);
        self.filled.notify_one();
        self.closing.notify_one();
    }

    /// Throws away what is queued and closes the socket.
    pub(crate) fn abandon(&self, close: Close) {
        let mut state = self.state();
        state.messages.clear();
        state.bytes = 0;
        drop(state);
        self.close(close);
    }

    /// Takes the next order, if there is one. Messages that are of no more use are passed over.
    pub(crate) fn next(&self, now: Time) -> Option<Order> {
        let mut state = self.state();
        while let Some(message) = state.messages.pop_front() {
            state.bytes -= message.bytes.len();
            if !message.is_expired(now) {
                return Some(Order::Send(message));
            }
        }
        state.close.clone().map(Order::Close)
    }

    /// Waits until there may be another order. It is only for one waiter at a time.
    pub(crate) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Waits until the socket is to be closed. It is only for one waiter at a time.
    pub(crate) async fn closing(&self) {
        self.closing.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the lock")
    }
}

impl State {
    /// Tells whether a message fits; a lone one always does, however large it is.
    fn has_room(&self, message: &Message) -> bool {
        let bytes = self.bytes + message.bytes.len();
        self.messages.is_empty() || self.messages.len() < MOST_MESSAGES && bytes <= MOST_BYTES
    }

    fn drop_expired(&mut self, now: Time) {
        self.messages.retain(|message| !message.is_expired(now));
        self.bytes = self.messages.iter().map(|message| message.bytes.len()).sum();
    }
}

impl Message {
    fn is_expired(&self, now: Time) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_secs(100);

    fn message(size: usize, expires: Option<u64>) -> Message {
        let bytes = vec![b'x'; size].into();
        Message { bytes, is_text: true, expires: expires.map(Time::from_secs) }
    }

    fn sent(outbound: &Outbound, now: Time) -> Vec<usize> {
        let mut sizes = Vec::new();
        while let Some(Order::Send(message)) = outbound.next(now) {
            sizes.push(message.bytes.len());
        }
        sizes
    }

    /// A thousand messages wait, and one more is too many.
    #[test]
    fn messages_are_bounded() {
        let outbound = Outbound::default();
        for _ in 0..MOST_MESSAGES {
            outbound.send(message(1, None), NOW).unwrap();
        }
        outbound.send(message(1, None), NOW).unwrap_err();
        assert_eq!(sent(&outbound, NOW).len(), MOST_MESSAGES);
        outbound.send(message(1, None), NOW).unwrap();
    }

    /// Bytes are bounded too, but for a message that waits alone.
    #[test]
    fn bytes_are_bounded() {
        let outbound = Outbound::default();
        outbound.send(message(MOST_BYTES + 1, None), NOW).unwrap();
        outbound.send(message(1, None), NOW).unwrap_err();
        assert_eq!(sent(&outbound, NOW), [MOST_BYTES + 1]);
        outbound.send(message(MOST_BYTES - 1, None), NOW).unwrap();
        outbound.send(message(1, None), NOW).unwrap();
        outbound.send(message(1, None), NOW).unwrap_err();
    }

    /// What is of no more use is not sent, from the moment on at which it expires.
    #[test]
    fn expired_messages_are_passed_over() {
        let outbound = Outbound::default();
        for (size, expires) in [(1, Some(101)), (2, None), (3, Some(102))] {
            outbound.send(message(size, expires), NOW).unwrap();
        }
        assert_eq!(sent(&outbound, Time::from_secs(101)), [2, 3]);
    }

    /// A full queue makes room of what has expired before its peer counts as too slow.
    #[test]
    fn expired_messages_make_room() {
        let outbound = Outbound::default();
        for number in 0..MOST_MESSAGES {
            let expires = (number % 2 == 0).then_some(101);
            outbound.send(message(1, expires), NOW).unwrap();
        }
        outbound.send(message(1, None), NOW).unwrap_err();
        outbound.send(message(7, None), Time::from_secs(101)).unwrap();
        let sizes = sent(&outbound, NOW);
        assert_eq!((sizes.len(), sizes.last()), (MOST_MESSAGES / 2 + 1, Some(&7)));
    }

    /// The close comes after what is queued, unless that is thrown away; nothing is queued behind it.
    #[test]
    fn the_close_comes_last() {
        let close = |code| Close { code, reason: String::new() };
        let outbound = Outbound::default();
        outbound.send(message(1, None), NOW).unwrap();
        outbound.close(close(1000));
        outbound.send(message(2, None), NOW).unwrap();
        assert_eq!(sent(&outbound, NOW), [1]);
        assert!(matches!(outbound.next(NOW), Some(Order::Close(Close { code: 1000, .. }))));

        let outbound = Outbound::default();
        outbound.send(message(1, None), NOW).unwrap();
        outbound.abandon(close(1008));
        assert!(matches!(outbound.next(NOW), Some(Order::Close(Close { code: 1008, .. }))));
    }
}
