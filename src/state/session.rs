//! What reliable connections were sent and have not acknowledged (`webpubsub.md` 4.1 to 4.3).

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use slab::Slab;

use super::connection_id::{from_hex, to_hex};
use crate::protocol::Frame;

/// The sessions of all reliable connections, by the slots of their connections, and the frames that they keep.
///
/// They lie in a list of their own, so that a publish numbers its recipients without a look at the connections. A frame is
/// kept once, however many sessions hold it, and a session holds it by four bytes: the sequence ids in a session have no
/// gaps, so only the newest is written down.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    list: Vec<Session>,
    frames: Slab<Kept>,
}

/// The session of one connection; an empty one for a slot without a reliable connection.
#[derive(Debug, Default)]
struct Session {
    /// The sequence id of the newest frame; 0 before the first.
    newest: u64,
    /// The places of the frames that are not acknowledged, the oldest first.
    held: VecDeque<u32>,
    /// The bytes of those frames.
    bytes: usize,
    token: Token,
}

/// A frame and how many sessions hold it.
#[derive(Debug)]
struct Kept {
    frame: Frame,
    holders: u32,
}

/// A place among the kept frames.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(u32);

/// The most that a session may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub messages: usize,
    pub bytes: usize,
}

impl Bound {
    /// As much as there is.
    pub(crate) const NONE: Self = Self { messages: usize::MAX, bytes: usize::MAX };
}

/// There is no room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// What a client shows to take its session up again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Token([u8; 16]);

impl Sessions {
    /// Begins the session of a connection.
    pub(crate) fn begin(&mut self, slot: u32, token: Token) {
        if self.list.len() <= slot as usize {
            self.list.resize_with(slot as usize + 1, Session::default);
        }
        self.list[slot as usize] = Session { token, ..Session::default() };
    }

    /// Ends the session of a connection and lets go of all that it holds.
    pub(crate) fn end(&mut self, slot: u32) {
        let session = core::mem::take(&mut self.list[slot as usize]);
        for place in session.held {
            release(&mut self.frames, place);
        }
    }

    pub(crate) fn token(&self, slot: u32) -> Token {
        self.list[slot as usize].token
    }

    /// Takes in a frame that sessions are about to hold. It must be [settled](Self::settle) afterwards.
    pub(crate) fn keep(&mut self, frame: Frame) -> Place {
        Place(self.frames.insert(Kept { frame, holders: 0 }) as u32)
    }

    /// Lets a session hold a frame, and returns the sequence id that it has there.
    #[inline]
    pub(crate) fn hold(
        &mut self,
        slot: u32,
        place: Place,
        bytes: usize,
        bound: Bound,
    ) -> Result<u64, Full> {
        let session = &mut self.list[slot as usize];
        let held = session.bytes + bytes;
        if session.held.len() >= bound.messages || held > bound.bytes {
            return Err(Full);
        }
        session.held.push_back(place.0);
        session.bytes = held;
        session.newest += 1;
        Ok(session.newest)
    }

    /// Says how many sessions hold a frame; without any it goes.
    pub(crate) fn settle(&mut self, place: Place, holders: usize) {
        if holders == 0 {
            self.frames.remove(place.0 as usize);
        } else {
            self.frames[place.0 as usize].holders = holders as u32;
        }
    }

    /// Lets go of everything up to a sequence id. Ids that were never drawn and those of long ago change nothing
    /// (`webpubsub.md` 4.2).
    pub(crate) fn acknowledge(&mut self, slot: u32, sequence: u64) {
        let Self { list, frames } = self;
        let session = &mut list[slot as usize];
        let oldest = session.newest - session.held.len() as u64 + 1;
        if !(oldest..=session.newest).contains(&sequence) {
            return;
        }
        let count = (sequence - oldest + 1) as usize;
        for place in session.held.drain(..count) {
            session.bytes -= release(frames, place);
        }
        // A client that was away leaves a long list behind: it is not to stay that long for ever.
        if session.held.is_empty() && session.held.capacity() > ROOM {
            session.held = VecDeque::new();
        }
    }

    /// Goes through what is not acknowledged, the oldest first, with the sequence ids.
    pub(crate) fn held(&self, slot: u32) -> impl ExactSizeIterator<Item = (u64, &Frame)> {
        let session = &self.list[slot as usize];
        let oldest = session.newest - session.held.len() as u64 + 1;
        let place = move |(number, place): (usize, &u32)| {
            (oldest + number as u64, &self.frames[*place as usize].frame)
        };
        session.held.iter().enumerate().map(place)
    }

    /// Returns how many bytes are not acknowledged.
    pub(crate) fn bytes(&self, slot: u32) -> usize {
        self.list[slot as usize].bytes
    }

    /// Panics when the counts do not say what the lists do. `slots` are those of the reliable connections.
    pub(super) fn check(&self, slots: impl Iterator<Item = u32>) {
        let mut holders = alloc::vec![0; self.frames.capacity()];
        let mut held = 0;
        for slot in slots {
            let session = &self.list[slot as usize];
            held += session.held.len();
            let mut bytes = 0;
            for &place in &session.held {
                holders[place as usize] += 1;
                bytes += self.frames[place as usize].frame.len();
            }
            assert_eq!(bytes, session.bytes, "bytes of the session in slot {slot}");
            assert!(
                session.newest >= session.held.len() as u64,
                "ids of the session in slot {slot}"
            );
        }
        for (place, kept) in &self.frames {
            assert_eq!(kept.holders, holders[place], "holders of the frame at {place}");
            assert!(kept.holders > 0, "nobody holds the frame at {place}");
        }
        let all: usize = self.list.iter().map(|session| session.held.len()).sum();
        assert_eq!(all, held, "a session of nobody holds frames");
    }
}

/// A list of this many frames may stay when it is empty.
const ROOM: usize = 64;

/// Takes away one holder of a frame, and returns the bytes of that.
fn release(frames: &mut Slab<Kept>, place: u32) -> usize {
    let kept = &mut frames[place as usize];
    let bytes = kept.frame.len();
    kept.holders -= 1;
    if kept.holders == 0 {
        frames.remove(place as usize);
    }
    bytes
}

impl Token {
    pub(crate) const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads what has the shape of a token.
    #[cfg(feature = "replay")]
    pub(crate) fn parse(text: &str) -> Option<[u8; 16]> {
        from_hex(text)
    }

    /// Returns the token as clients see it.
    pub(crate) fn text(self) -> [u8; 32] {
        to_hex(&self.0)
    }

    /// Tells whether this is the token, in a time that does not depend on how much of it is right.
    pub(crate) fn is(self, text: &str) -> bool {
        let Some(bytes) = from_hex(text) else { return false };
        self.0.iter().zip(bytes).fold(0, |wrong, (own, other)| wrong | (own ^ other)) == 0
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::protocol::Seam;

    const BOUND: Bound = Bound { messages: 3, bytes: 100 };

    fn frame(bytes: usize) -> Frame {
        Frame::text(Bytes::from(alloc::vec![b' '; bytes]), Seam::Json)
    }

    fn send(sessions: &mut Sessions, slots: &[u32], bytes: usize) -> Vec<Result<u64, Full>> {
        let place = sessions.keep(frame(bytes));
        let drawn: Vec<_> =
            slots.iter().map(|&slot| sessions.hold(slot, place, bytes, BOUND)).collect();
        sessions.settle(place, drawn.iter().filter(|each| each.is_ok()).count());
        drawn
    }

    fn ids(sessions: &Sessions, slot: u32) -> Vec<u64> {
        sessions.held(slot).map(|(sequence, _)| sequence).collect()
    }

    /// Every session counts for itself, and a frame goes with its last holder.
    #[test]
    fn frames_are_shared_and_numbered() {
        let mut sessions = Sessions::default();
        for slot in [0, 5] {
            sessions.begin(slot, Token::default());
        }
        assert_eq!(send(&mut sessions, &[5], 1), [Ok(1)]);
        assert_eq!(send(&mut sessions, &[0, 5], 2), [Ok(1), Ok(2)]);
        sessions.check([0, 5].into_iter());
        assert_eq!((sessions.frames.len(), sessions.bytes(5)), (2, 3));
        sessions.acknowledge(5, 2);
        assert_eq!((sessions.frames.len(), ids(&sessions, 0)), (1, alloc::vec![1]));
        sessions.end(0);
        assert_eq!(sessions.frames.len(), 0);
        assert_eq!(send(&mut sessions, &[5], 1), [Ok(3)]);
        sessions.check([5].into_iter());
    }

    /// Acks are cumulative; those beyond the newest and those below the oldest change nothing.
    #[test]
    fn acks_are_cumulative() {
        let mut sessions = Sessions::default();
        sessions.begin(0, Token::default());
        for _ in 0..3 {
            send(&mut sessions, &[0], 1)[0].unwrap();
        }
        for (ack, left) in
            [(0, 3), (4, 3), (1, 2), (1, 2), (0, 2), (u64::MAX, 2), (3, 0), (2, 0), (4, 0)]
        {
            sessions.acknowledge(0, ack);
            assert_eq!(ids(&sessions, 0).len(), left, "after {ack}");
            sessions.check([0].into_iter());
        }
        assert_eq!(send(&mut sessions, &[0], 1), [Ok(4)]);
    }

    /// One message or byte too many is refused and changes nothing.
    #[test]
    fn what_is_held_is_bounded() {
        let mut sessions = Sessions::default();
        sessions.begin(0, Token::default());
        assert_eq!(send(&mut sessions, &[0], 101), [Err(Full)]);
        assert_eq!(send(&mut sessions, &[0], 99), [Ok(1)]);
        assert_eq!(send(&mut sessions, &[0], 2), [Err(Full)]);
        assert_eq!(send(&mut sessions, &[0], 1), [Ok(2)]);
        assert_eq!(send(&mut sessions, &[0], 0), [Ok(3)]);
        assert_eq!(send(&mut sessions, &[0], 0), [Err(Full)]);
        sessions.check([0].into_iter());
        assert_eq!(sessions.frames.len(), 3);
    }

    /// Only the whole token is the token, in the spelling that the client was given.
    #[test]
    fn tokens() {
        let token = Token::new([0xAB; 16]);
        assert!(token.is("abababababababababababababababab"));
        for wrong in ["", "abababababababababababababababa", "abababababababababababababababac"] {
            assert!(!token.is(wrong));
        }
        assert!(!token.is("ABABABABABABABABABABABABABABABAB"));
    }
}
