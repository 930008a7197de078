//! The outbound queue of one socket: filled by the engine task, emptied by the socket task.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use hubcast::{Config, Limits, Time};
use tokio::sync::Notify;

/// With this many messages in it the queue is crowded: the engine is asked to pause the connection.
const CROWDED_MESSAGES: usize = 64;
/// With this many bytes in it the queue is crowded too.
const CROWDED_BYTES: usize = 256 * 1024;
/// A crowded queue has drained when it is down to this many messages and bytes.
const DRAINED_MESSAGES: usize = CROWDED_MESSAGES / 4;
const DRAINED_BYTES: usize = CROWDED_BYTES / 4;
/// How many messages may wait before those that come are copied. Frames are cut from large chunks of memory, and
/// whoever keeps a small frame keeps its chunk: a peer that hardly reads must not hold on to thousands of them.
const MOST_SHARED: usize = 16;

/// A bounded queue that never makes its filler wait.
#[derive(Debug)]
pub(crate) struct Outbound {
    room: Arc<SharedRoom>,
    state: Mutex<State>,
    filled: Notify,
    closing: Notify,
    cut: Notify,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Message>,
    bytes: usize,
    /// Whether it was crowded and has not drained since.
    is_crowded: bool,
    close: Option<Close>,
}

/// The most that ever waits for one socket. It is never reached, unless the engine hands over more to a connection
/// that is paused than its limits allow: then the peer is given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    messages: usize,
    bytes: usize,
}

/// The room of all queues, which grows when limits do. It never shrinks: what lower limits do not allow any more may
/// wait already, and nobody is to be given up for that.
#[derive(Debug, Default)]
pub(crate) struct SharedRoom {
    messages: AtomicUsize,
    bytes: AtomicUsize,
}

/// A message to send.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) bytes: Bytes,
    /// Whether the bytes belong to other recipients too.
    pub(crate) is_shared: bool,
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
    /// Tell the engine that the crowded queue has drained.
    ReportDrained,
    Close(Close),
}

/// How the queue is after a message was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// As before.
    Same,
    /// It is crowded since this message.
    Crowded,
}

/// The queue is full: the peer reads too slowly.
#[derive(Debug)]
pub(crate) struct Full;

impl Room {
    /// Returns room for all that an engine with this configuration may hand over at once: what crowds the queue, then
    /// what comes before the pause counts, then a replay and a backlog.
    pub(crate) fn for_all_of(config: &Config) -> Self {
        let of_hubs = config.hubs.iter().filter_map(|(_, hub)| hub.limits.as_ref());
        let mut room = Self { messages: 0, bytes: 0 };
        for limits in of_hubs.chain([&config.limits]) {
            let Self { messages, bytes } = Self::for_one(limits);
            room.messages = room.messages.max(messages);
            room.bytes = room.bytes.max(bytes);
        }
        room
    }

    fn for_one(limits: &Limits) -> Self {
        let sum =
            |numbers: &[usize]| numbers.iter().fold(0, |sum: usize, n| sum.saturating_add(*n));
        Self {
            messages: sum(&[
                1_000,
                limits.queued_messages,
                limits.unacknowledged_messages,
                limits.paused_messages,
            ]),
            bytes: sum(&[
                1_024 * 1_024,
                limits.message_bytes.saturating_mul(2),
                limits.queued_bytes,
                limits.unacknowledged_bytes,
                limits.paused_bytes,
            ]),
        }
    }
}

impl SharedRoom {
    pub(crate) fn new(room: Room) -> Arc<Self> {
        let shared = Self::default();
        shared.grow(room);
        Arc::new(shared)
    }

    /// Makes room for this much at least.
    pub(crate) fn grow(&self, room: Room) {
        self.messages.fetch_max(room.messages, Ordering::Relaxed);
        self.bytes.fetch_max(room.bytes, Ordering::Relaxed);
    }

    fn get(&self) -> Room {
        let messages = self.messages.load(Ordering::Relaxed);
        Room { messages, bytes: self.bytes.load(Ordering::Relaxed) }
    }
}

impl Outbound {
    pub(crate) fn new(room: Arc<SharedRoom>) -> Self {
        Self {
            room,
            state: Mutex::default(),
            filled: Notify::new(),
            closing: Notify::new(),
            cut: Notify::new(),
        }
    }

    /// Adds a message; where there is no room, those that are of no more use make room first. Once the queue is
    /// to be closed, the message is dropped.
    pub(crate) fn send(&self, mut message: Message, now: Time) -> Result<Level, Full> {
        let mut state = self.state();
        if state.close.is_some() {
            return Ok(Level::Same);
        }
        let room = self.room.get();
        if !state.has_room(&message, room) {
            state.drop_expired(now);
        }
        if !state.has_room(&message, room) {
            return Err(Full);
        }
        if message.is_shared && state.messages.len() >= MOST_SHARED {
            message.bytes = Bytes::copy_from_slice(&message.bytes);
        }
        state.bytes += message.bytes.len();
        state.messages.push_back(message);
        let level = state.rise();
        drop(state);
        self.filled.notify_one();
        Ok(level)
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

    /// Cuts the transport at once, without a goodbye.
    pub(crate) fn cut(&self) {
        self.cut.notify_one();
    }

    /// Takes the next order, if there is one. Messages that are of no more use are passed over.
    pub(crate) fn next(&self, now: Time) -> Option<Order> {
        let mut state = self.state();
        if state.fall() {
            return Some(Order::ReportDrained);
        }
        while let Some(message) = state.messages.pop_front() {
            state.bytes -= message.bytes.len();
            if !message.is_expired(now) {
                return Some(Order::Send(message));
            }
        }
        if state.fall() {
            return Some(Order::ReportDrained);
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

    /// Waits until the transport is to be cut. It is only for one waiter at a time.
    pub(crate) async fn to_be_cut(&self) {
        self.cut.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the lock")
    }
}

impl State {
    /// Tells whether a message fits; a lone one always does, however large it is.
    fn has_room(&self, message: &Message, room: Room) -> bool {
        let bytes = self.bytes.saturating_add(message.bytes.len());
        self.messages.is_empty() || self.messages.len() < room.messages && bytes <= room.bytes
    }

    fn drop_expired(&mut self, now: Time) {
        self.messages.retain(|message| !message.is_expired(now));
        self.bytes = self.messages.iter().map(|message| message.bytes.len()).sum();
    }

    /// Takes note of whether it is crowded now.
    fn rise(&mut self) -> Level {
        let is_high = self.messages.len() >= CROWDED_MESSAGES || self.bytes >= CROWDED_BYTES;
        if self.is_crowded || !is_high {
            return Level::Same;
        }
        self.is_crowded = true;
        Level::Crowded
    }

    /// Takes note of whether it was crowded and has drained now.
    fn fall(&mut self) -> bool {
        let is_low = self.messages.len() <= DRAINED_MESSAGES && self.bytes <= DRAINED_BYTES;
        let has_drained = self.is_crowded && is_low;
        self.is_crowded &= !has_drained;
        has_drained
    }
}

impl Message {
    fn is_expired(&self, now: Time) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

#[cfg(test)]
mod tests {
    use hubcast::HubConfig;

    use super::*;

    const NOW: Time = Time::from_secs(100);
    const ROOM: Room = Room { messages: 1_000, bytes: 16 * 1024 * 1024 };

    fn message(size: usize, expires: Option<u64>) -> Message {
        let bytes = vec![b'x'; size].into();
        Message { bytes, is_shared: true, is_text: true, expires: expires.map(Time::from_secs) }
    }

    fn sent(outbound: &Outbound, now: Time) -> Vec<usize> {
        let mut sizes = Vec::new();
        loop {
            match outbound.next(now) {
                Some(Order::Send(message)) => sizes.push(message.bytes.len()),
                Some(Order::ReportDrained) => {}
                Some(Order::Close(_)) | None => return sizes,
            }
        }
    }

    /// As many messages wait as there is room for, and one more is too many.
    #[test]
    fn messages_are_bounded() {
        let outbound = Outbound::new(SharedRoom::new(ROOM));
        for _ in 0..ROOM.messages {
            outbound.send(message(1, None), NOW).unwrap();
        }
        outbound.send(message(1, None), NOW).unwrap_err();
        assert_eq!(sent(&outbound, NOW).len(), ROOM.messages);
        outbound.send(message(1, None), NOW).unwrap();
    }

    /// Bytes are bounded too, but for a message that waits alone.
    #[test]
    fn bytes_are_bounded() {
        let outbound = Outbound::new(SharedRoom::new(ROOM));
        outbound.send(message(ROOM.bytes + 1, None), NOW).unwrap();
        outbound.send(message(1, None), NOW).unwrap_err();
        assert_eq!(sent(&outbound, NOW), [ROOM.bytes + 1]);
        outbound.send(message(ROOM.bytes - 1, None), NOW).unwrap();
        outbound.send(message(1, None), NOW).unwrap();
        outbound.send(message(1, None), NOW).unwrap_err();
    }

    /// More room serves those who wait already, and none is taken away.
    #[test]
    fn room_grows() {
        let room = SharedRoom::new(Room { messages: 1, bytes: 10 });
        let outbound = Outbound::new(Arc::clone(&room));
        outbound.send(message(1, None), NOW).unwrap();
        outbound.send(message(1, None), NOW).unwrap_err();
        room.grow(Room { messages: 2, bytes: 5 });
        outbound.send(message(9, None), NOW).unwrap();
        outbound.send(message(1, None), NOW).unwrap_err();
    }

    /// There is room for what the most generous hub may hand over.
    #[test]
    fn room_for_every_hub() {
        let mut config = Config::new(1);
        let paused_messages = 50_000;
        let limits = Some(Limits { paused_messages, ..Limits::default() });
        config.hubs.push(("large".into(), HubConfig { limits, ..HubConfig::default() }));
        assert_eq!(Room::for_all_of(&config).messages, 53_000);
        config.hubs[0].1.limits.as_mut().unwrap().paused_bytes = usize::MAX;
        assert_eq!(Room::for_all_of(&config).bytes, usize::MAX);
    }

    /// A queue says once that it is crowded and once that it has drained, far apart, then again.
    #[test]
    fn crowded_and_drained() {
        let outbound = Outbound::new(SharedRoom::new(ROOM));
        for _ in 0..2 {
            for number in 1..=CROWDED_MESSAGES + 5 {
                let crowded = outbound.send(message(1, None), NOW).unwrap() == Level::Crowded;
                assert_eq!(crowded, number == CROWDED_MESSAGES, "{number}");
            }
            let mut left = CROWDED_MESSAGES + 5;
            while left > DRAINED_MESSAGES {
                assert!(matches!(outbound.next(NOW), Some(Order::Send(_))));
                left -= 1;
            }
            assert!(matches!(outbound.next(NOW), Some(Order::ReportDrained)));
            assert_eq!(sent(&outbound, NOW).len(), DRAINED_MESSAGES);
            assert!(outbound.next(NOW).is_none());
        }
    }

    /// A few large messages crowd it too; so does one, until it is on its way.
    #[test]
    fn crowded_by_bytes() {
        let outbound = Outbound::new(SharedRoom::new(ROOM));
        let half = || message(CROWDED_BYTES / 2, None);
        assert_eq!(outbound.send(half(), NOW).unwrap(), Level::Same);
        assert_eq!(outbound.send(half(), NOW).unwrap(), Level::Crowded);
        assert!(matches!(outbound.next(NOW), Some(Order::Send(_))));
        assert!(matches!(outbound.next(NOW), Some(Order::Send(_))));
        assert!(matches!(outbound.next(NOW), Some(Order::ReportDrained)));
        assert_eq!(outbound.send(message(CROWDED_BYTES, None), NOW).unwrap(), Level::Crowded);
    }

    /// What is of no more use is not sent, from the moment on at which it expires.
    #[test]
    fn expired_messages_are_passed_over() {
        let outbound = Outbound::new(SharedRoom::new(ROOM));
        for (size, expires) in [(1, Some(101)), (2, None), (3, Some(102))] {
            outbound.send(message(size, expires), NOW).unwrap();
        }
        assert_eq!(sent(&outbound, Time::from_secs(101)), [2, 3]);
    }

    /// Also a queue that was crowded by what has expired has drained.
    #[test]
    fn expired_messages_crowd_nothing() {
        let outbound = Outbound::new(SharedRoom::new(ROOM));
        for _ in 0..CROWDED_MESSAGES {
            outbound.send(message(1, Some(101)), NOW).unwrap();
        }
        assert!(matches!(outbound.next(Time::from_secs(101)), Some(Order::ReportDrained)));
        assert!(outbound.next(Time::from_secs(101)).is_none());
    }

    /// A full queue makes room of what has expired before its peer counts as too slow.
    #[test]
    fn expired_messages_make_room() {
        let outbound = Outbound::new(SharedRoom::new(ROOM));
        for number in 0..ROOM.messages {
            let expires = (number % 2 == 0).then_some(101);
            outbound.send(message(1, expires), NOW).unwrap();
        }
        outbound.send(message(1, None), NOW).unwrap_err();
        outbound.send(message(7, None), Time::from_secs(101)).unwrap();
        let sizes = sent(&outbound, NOW);
        assert_eq!((sizes.len(), sizes.last()), (ROOM.messages / 2 + 1, Some(&7)));
    }

    /// The close comes after what is queued, unless that is thrown away; nothing is queued behind it.
    #[test]
    fn the_close_comes_last() {
        let close = |code| Close { code, reason: String::new() };
        let outbound = Outbound::new(SharedRoom::new(ROOM));
        outbound.send(message(1, None), NOW).unwrap();
        outbound.close(close(1000));
        outbound.send(message(2, None), NOW).unwrap();
        assert_eq!(sent(&outbound, NOW), [1]);
        assert!(matches!(outbound.next(NOW), Some(Order::Close(Close { code: 1000, .. }))));

        let outbound = Outbound::new(SharedRoom::new(ROOM));
        outbound.send(message(1, None), NOW).unwrap();
        outbound.abandon(close(1008));
        assert!(matches!(outbound.next(NOW), Some(Order::Close(Close { code: 1008, .. }))));
    }
}
