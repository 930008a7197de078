//! What waits for one socket: WebSocket frames in their order, the first of them perhaps written in part.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::Bytes;
use hubcast::Time;

use crate::room::Room;
use crate::wire;

/// With this many messages in it the queue is crowded: the engine is asked to pause the connection.
const CROWDED_MESSAGES: usize = 64;
/// With this many bytes in it the queue is crowded too.
const CROWDED_BYTES: usize = 256 * 1024;
/// A crowded queue has drained when it is down to this many messages and bytes.
const DRAINED_MESSAGES: usize = CROWDED_MESSAGES / 4;
const DRAINED_BYTES: usize = CROWDED_BYTES / 4;

/// The most messages that go out in one write.
pub(crate) const WRITTEN_AT_ONCE: usize = 64;

/// A bounded queue of frames.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    messages: VecDeque<Message>,
    /// The bytes of all of them, with those of the first that are written.
    bytes: usize,
    /// How many bytes of the first one are written.
    written: usize,
    /// Whether it was crowded and has not drained since.
    is_crowded: bool,
    /// Whether the last one is a close frame, behind which nothing comes.
    is_ended: bool,
}

/// A frame to send.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Header and content. They have memory of their own, which recipients of the same message share: a peer that
    /// hardly reads keeps no more alive than what waits for it.
    pub(crate) wire: Bytes,
    /// When it is of no more use.
    pub(crate) expires: Option<Time>,
}

/// How the queue is after messages were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// As before.
    Same,
    /// It is crowded since these messages.
    Crowded,
}

/// The queue is full: the peer reads too slowly.
#[derive(Debug)]
pub(crate) struct Full;

impl Queue {
    /// Adds a message; where there is no room, those that are of no more use make room first. Behind a close frame the
    /// message is dropped.
    pub(crate) fn push(&mut self, message: Message, room: Room, now: Time) -> Result<(), Full> {
        if self.is_ended {
            return Ok(());
        }
        if !self.has_room(&message, room) {
            self.drop_expired(now);
        }
        if !self.has_room(&message, room) {
            return Err(Full);
        }
        self.bytes += message.wire.len();
        self.messages.push_back(message);
        Ok(())
    }

    /// Puts a pong before all that is not on its way yet. Of several that wait the latest is enough (RFC 6455, 5.5.3).
    pub(crate) fn push_pong(&mut self, pong: Bytes) {
        if self.is_ended {
            return;
        }
        self.bytes += pong.len();
        let pong = Message { wire: pong, expires: None };
        let first = usize::from(self.written > 0);
        match self.messages.get_mut(first) {
            Some(older) if wire::is_pong(&older.wire) => {
                self.bytes -= older.wire.len();
                *older = pong;
            }
            Some(_) | None => self.messages.insert(first, pong),
        }
    }

    /// Adds a close frame, after which nothing is added. The first one counts.
    pub(crate) fn end(&mut self, close: Bytes) {
        if !self.is_ended {
            self.is_ended = true;
            self.bytes += close.len();
            self.messages.push_back(Message { wire: close, expires: None });
        }
    }

    /// Throws away what waits, but for the rest of a message that is on its way.
    pub(crate) fn discard(&mut self) {
        let is_close_on_its_way = self.written > 0 && self.messages.len() == 1 && self.is_ended;
        self.messages.truncate(usize::from(self.written > 0));
        self.is_ended = is_close_on_its_way;
        self.count_bytes();
    }

    /// Throws away what is of no more use, but for the rest of a message that is on its way.
    pub(crate) fn drop_expired(&mut self, now: Time) {
        let mut is_begun = self.written > 0;
        let is_of_use = |message: &Message| message.expires.is_none_or(|expires| expires > now);
        self.messages.retain(|message| std::mem::take(&mut is_begun) || is_of_use(message));
        self.count_bytes();
    }

    /// Puts what comes next into a list for one write, and returns how much of the list that takes.
    pub(crate) fn slices<'a>(&'a self, list: &mut [IoSlice<'a>; WRITTEN_AT_ONCE]) -> usize {
        let mut written = self.written;
        let places = list.iter_mut().zip(&self.messages);
        places
            .map(|(place, it)| *place = IoSlice::new(&it.wire[std::mem::take(&mut written)..]))
            .count()
    }

    /// Takes off what was written.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.written += bytes;
        while let Some(first) = self.messages.front() {
            let length = first.wire.len();
            if self.written < length {
                return;
            }
            self.written -= length;
            self.bytes -= length;
            self.messages.pop_front();
        }
        // A burst is over: idle connections are to take little memory.
        self.messages.shrink_to(WRITTEN_AT_ONCE);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Tells whether nothing is added any more.
    pub(crate) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Takes note of whether it is crowded now.
    pub(crate) fn rise(&mut self) -> Level {
        let is_high = self.messages.len() >= CROWDED_MESSAGES || self.bytes >= CROWDED_BYTES;
        if self.is_crowded || !is_high {
            return Level::Same;
        }
        self.is_crowded = true;
        Level::Crowded
    }

    /// Takes note of whether it was crowded and has drained now.
    pub(crate) fn fall(&mut self) -> bool {
        let is_low =
            self.messages.len() <= DRAINED_MESSAGES && self.bytes - self.written <= DRAINED_BYTES;
        let has_drained = self.is_crowded && is_low;
        self.is_crowded &= !has_drained;
        has_drained
    }

    /// Tells whether a message fits; a lone one always does, however large it is.
    fn has_room(&self, message: &Message, room: Room) -> bool {
        let bytes = self.bytes.saturating_add(message.wire.len());
        self.messages.is_empty() || self.messages.len() < room.messages && bytes <= room.bytes
    }

    fn count_bytes(&mut self) {
        self.bytes = self.messages.iter().map(|message| message.wire.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Time = Time::from_secs(100);
    const LATER: Time = Time::from_secs(101);
    const ROOM: Room = Room { messages: 1_000, bytes: 16 * 1024 * 1024 };

    /// A message of one letter, so often.
    fn message(letter: u8, size: usize, expires: Option<Time>) -> Message {
        Message { wire: vec![letter; size].into(), expires }
    }

    fn push(queue: &mut Queue, size: usize, expires: Option<Time>) -> Result<Level, Full> {
        queue.push(message(b'x', size, expires), ROOM, NOW)?;
        Ok(queue.rise())
    }

    /// Writes as many bytes as a socket takes, and returns them.
    fn write(queue: &mut Queue, mut takes: usize) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); WRITTEN_AT_ONCE];
        let count = queue.slices(&mut slices);
        let mut bytes: Vec<u8> =
            slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
        takes = takes.min(bytes.len());
        bytes.truncate(takes);
        queue.advance(takes);
        bytes
    }

    fn write_all(queue: &mut Queue) -> Vec<u8> {
        let mut bytes = Vec::new();
        while !queue.is_empty() {
            bytes.extend(write(queue, usize::MAX));
        }
        assert_eq!((queue.bytes, queue.written), (0, 0));
        bytes
    }

    /// As many messages wait as there is room for, and one more is too many.
    #[test]
    fn messages_are_bounded() {
        let mut queue = Queue::default();
        for _ in 0..ROOM.messages {
            push(&mut queue, 1, None).unwrap();
        }
        push(&mut queue, 1, None).unwrap_err();
        assert_eq!(write_all(&mut queue).len(), ROOM.messages);
        push(&mut queue, 1, None).unwrap();
    }

    /// Bytes are bounded too, but for a message that waits alone.
    #[test]
    fn bytes_are_bounded() {
        let mut queue = Queue::default();
        push(&mut queue, ROOM.bytes + 1, None).unwrap();
        push(&mut queue, 1, None).unwrap_err();
        assert_eq!(write_all(&mut queue).len(), ROOM.bytes + 1);
        push(&mut queue, ROOM.bytes - 1, None).unwrap();
        push(&mut queue, 1, None).unwrap();
        push(&mut queue, 1, None).unwrap_err();
    }

    /// A queue says once that it is crowded and once that it has drained, far apart, then again.
    #[test]
    fn crowded_and_drained() {
        let mut queue = Queue::default();
        for _ in 0..2 {
            for number in 1..=CROWDED_MESSAGES + 5 {
                let level = push(&mut queue, 1, None).unwrap();
                assert_eq!(level == Level::Crowded, number == CROWDED_MESSAGES);
            }
            for left in (0..CROWDED_MESSAGES + 5).rev() {
                write(&mut queue, 1);
                assert_eq!(queue.fall(), left == DRAINED_MESSAGES, "{left}");
            }
        }
    }

    /// A few large messages crowd it too; so does one, until most of it is written.
    #[test]
    fn crowded_by_bytes() {
        let mut queue = Queue::default();
        let half = CROWDED_BYTES / 2;
        assert_eq!(push(&mut queue, half, None).unwrap(), Level::Same);
        assert_eq!(push(&mut queue, half, None).unwrap(), Level::Crowded);
        write(&mut queue, half);
        assert!(!queue.fall());
        write(&mut queue, half - DRAINED_BYTES - 1);
        assert!(!queue.fall());
        write(&mut queue, 1);
        assert!(queue.fall() && !queue.fall());
    }

    /// What is of no more use is not sent, from the moment on at which it expires, unless a part of it is.
    #[test]
    fn expired_messages_are_dropped() {
        let mut queue = Queue::default();
        for (letter, expires) in [(b'a', Some(LATER)), (b'b', Some(LATER)), (b'c', None)] {
            queue.push(message(letter, 3, expires), ROOM, NOW).unwrap();
        }
        assert_eq!(write(&mut queue, 1), b"a");
        queue.drop_expired(NOW);
        assert_eq!(queue.bytes, 9);
        queue.drop_expired(LATER);
        assert_eq!(write_all(&mut queue), b"aaccc");
    }

    /// A full queue makes room of what has expired before its peer counts as too slow.
    #[test]
    fn expired_messages_make_room() {
        let mut queue = Queue::default();
        for number in 0..ROOM.messages {
            push(&mut queue, 1, (number % 2 == 0).then_some(LATER)).unwrap();
        }
        push(&mut queue, 1, None).unwrap_err();
        queue.push(message(b'y', 7, None), ROOM, LATER).unwrap();
        let bytes = write_all(&mut queue);
        assert_eq!((bytes.len(), bytes.ends_with(b"xyyyyyyy")), (ROOM.messages / 2 + 7, true));
    }

    /// The close comes after what is queued, or in place of it, and never within a message. Nothing comes behind it.
    #[test]
    fn the_close_comes_last() {
        let filled = |written| {
            let mut queue = Queue::default();
            queue.push(message(b'a', 2, None), ROOM, NOW).unwrap();
            queue.push(message(b'b', 2, None), ROOM, NOW).unwrap();
            write(&mut queue, written);
            queue
        };
        for (written, discards, expected) in [
            (0, false, "aabbC"),
            (1, false, "abbC"),
            (0, true, "C"),
            (1, true, "aC"),
            (3, true, "bC"),
        ] {
            let mut queue = filled(written);
            if discards {
                queue.discard();
            }
            queue.end(Bytes::from_static(b"C"));
            assert!(queue.is_ended());
            queue.end(Bytes::from_static(b"D"));
            queue.push(message(b'e', 1, None), ROOM, NOW).unwrap();
            queue.push_pong(Bytes::from_static(b"\x8a"));
            assert_eq!(write_all(&mut queue), expected.as_bytes());
        }
    }

    /// A close frame that is on its way is neither thrown away nor sent twice.
    #[test]
    fn the_close_is_finished() {
        let mut queue = Queue::default();
        queue.end(Bytes::from_static(b"close"));
        assert_eq!(write(&mut queue, 2), b"cl");
        queue.discard();
        queue.end(Bytes::from_static(b"other"));
        assert_eq!(write_all(&mut queue), b"ose");
    }

    /// However many pings come while nothing can be written, two pongs wait at most: one on its way, and the latest.
    #[test]
    fn pongs_replace_each_other() {
        let pong = |letter| Bytes::copy_from_slice(&[0x8a, 1, letter]);
        let mut queue = Queue::default();
        push(&mut queue, 2, None).unwrap();
        queue.push_pong(pong(b'1'));
        assert_eq!(write(&mut queue, 1), [0x8a]);
        for letter in b'2'..=b'9' {
            queue.push_pong(pong(letter));
        }
        assert_eq!(queue.messages.len(), 3);
        assert_eq!(write_all(&mut queue), [&[1, b'1'][..], &[0x8a, 1, b'9'], b"xx"].concat());
    }

    proptest! {
        /// Nothing is lost, doubled or torn, however little the socket takes at a time.
        #[test]
        fn partial_writes(
            sizes in prop::collection::vec(1_usize..300, 1..200),
            takes in prop::collection::vec(0_usize..5_000, 1..50),
        ) {
            let (mut queue, mut expected, mut seen) = (Queue::default(), Vec::new(), Vec::new());
            let mut takes = takes.iter().cycle();
            for (number, size) in sizes.into_iter().enumerate() {
                let message = message(number as u8, size, None);
                expected.extend_from_slice(&message.wire);
                queue.push(message, ROOM, NOW).unwrap();
                if number % 7 == 0 {
                    seen.extend(write(&mut queue, *takes.next().unwrap()));
                }
                prop_assert_eq!(seen.len() + queue.bytes - queue.written, expected.len());
            }
            seen.extend(write_all(&mut queue));
            prop_assert_eq!(seen, expected);
        }
    }
}
