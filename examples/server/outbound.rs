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
    /// Adds a message. Once the queue is to be closed, the message is dropped.
    pub(crate) fn send(&self, mut message: Message) -> Result<(), Full> {
        let mut state = self.state();
        if state.close.is_some() {
            return Ok(());
        }
        let bytes = state.bytes + message.bytes.len();
        // A lone message always fits, however large it is.
        let full = state.messages.len() >= MOST_MESSAGES || bytes > MOST_BYTES;
        if full && !state.messages.is_empty() {
            return Err(Full);
        }
        if state.messages.len() >= MOST_SHARED {
            message.bytes = Bytes::copy_from_slice(&message.bytes);
        }
        state.bytes = bytes;
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

    /// Takes the next order, if there is one.
    pub(crate) fn try_next(&self) -> Option<Order> {
        let mut state = self.state();
        if let Some(message) = state.messages.pop_front() {
            state.bytes -= message.bytes.len();
            return Some(Order::Send(message));
        }
        state.close.clone().map(Order::Close)
    }

    /// Waits for the next order. It is only for one waiter at a time.
    pub(crate) async fn next(&self) -> Order {
        loop {
            if let Some(order) = self.try_next() {
                return order;
            }
            self.filled.notified().await;
        }
    }

    /// Waits until the socket is to be closed. It is only for one waiter at a time.
    pub(crate) async fn closing(&self) {
        self.closing.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the lock")
    }
}
