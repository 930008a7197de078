//! What waits for a connection that takes nothing now, because it is paused or has no transport.

use alloc::collections::VecDeque;

use super::session::{Bound, Full};
use crate::config::SlowConsumer;
use crate::metrics::Drops;
use crate::protocol::Frame;
use crate::time::Time;

/// Frames that wait, in the order in which they came. Data has a bound and a policy; for acks and the like there is a
/// little room beside it, as the service has it (`emulator.md` 1).
#[derive(Clone, Debug, Default)]
pub(crate) struct Backlog {
    queue: VecDeque<Parked>,
    data: Use,
    control: Use,
}

/// A frame that waits. Data has no sequence id yet: it is drawn when the frame is handed over, so that what expires
/// here leaves no gap.
#[derive(Clone, Debug)]
pub(crate) struct Parked {
    pub frame: Frame,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An ack, a pong and the like: never dropped.
    Control,
    Data(DataKind),
}

/// What decides about a message that waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DataKind {
    pub expires: Option<Time>,
    /// The number of the group that it was published to.
    pub group: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Use {
    messages: usize,
    bytes: usize,
}

/// The room for acks and the like.
const CONTROL: Bound = Bound { messages: 32, bytes: 64 * 1024 };

impl Backlog {
    /// Adds an ack or the like.
    pub(crate) fn push_control(&mut self, frame: Frame) -> Result<(), Full> {
        if !self.control.has_room(frame.len(), CONTROL) {
            return Err(Full);
        }
        self.control.add(frame.len());
        self.queue.push_back(Parked { frame, kind: Kind::Control });
        Ok(())
    }

    /// Adds a message, and counts what is dropped for it or in its place. What has expired makes room first.
    pub(crate) fn push_data(
        &mut self,
        frame: Frame,
        kind: DataKind,
        policy: SlowConsumer,
        bound: Bound,
        now: Time,
    ) -> Result<Drops, Full> {
        let mut drops = Drops::default();
        if frame.len() > bound.bytes && policy != SlowConsumer::Disconnect {
            // All the room there is would not be enough: nothing makes room for it.
            drops.newest += 1;
            return Ok(drops);
        }
        if policy == SlowConsumer::KeepLatest && kind.group.is_some() {
            drops.superseded += self.drop_first(|data| data.group == kind.group);
        }
        if !self.has_room(&frame, bound) {
            drops.expired += self.drop_all(|data| data.is_expired(now));
        }
        while !self.has_room(&frame, bound) {
            match policy {
                SlowConsumer::Disconnect => return Err(Full),
                SlowConsumer::DropNewest => {
                    drops.newest += 1;
                    return Ok(drops);
                }
                SlowConsumer::DropOldest | SlowConsumer::KeepLatest => {
                    drops.oldest += self.drop_first(|_| true);
                }
            }
        }
        self.data.add(frame.len());
        self.queue.push_back(Parked { frame, kind: Kind::Data(kind) });
        Ok(drops)
    }

    /// Takes the frame that has waited longest.
    pub(crate) fn pop(&mut self) -> Option<Parked> {
        let parked = self.queue.pop_front()?;
        self.use_of(parked.kind).take(parked.frame.len());
        Some(parked)
    }

    /// Forgets acks and the like: they are for a transport that is gone.
    pub(crate) fn drop_control(&mut self) {
        self.queue.retain(|parked| parked.kind != Kind::Control);
        self.control = Use::default();
    }

    /// Returns how many messages wait, acks and the like not counted.
    pub(crate) fn messages(&self) -> usize {
        self.data.messages
    }

    /// Returns how many bytes these messages have.
    pub(crate) fn bytes(&self) -> usize {
        self.data.bytes
    }

    fn has_room(&self, frame: &Frame, bound: Bound) -> bool {
        self.data.has_room(frame.len(), bound)
    }

    fn drop_first(&mut self, is: impl Fn(&DataKind) -> bool) -> u64 {
        let found = self.queue.iter().position(|parked| parked.data().is_some_and(&is));
        let Some(place) = found else { return 0 };
        let parked = self.queue.remove(place).expect("it was found there");
        self.data.take(parked.frame.len());
        1
    }

    fn drop_all(&mut self, is: impl Fn(&DataKind) -> bool) -> u64 {
        let before = self.data.messages;
        let data = &mut self.data;
        self.queue.retain(|parked| {
            let goes = parked.data().is_some_and(&is);
            if goes {
                data.take(parked.frame.len());
            }
            !goes
        });
        (before - data.messages) as u64
    }

    fn use_of(&mut self, kind: Kind) -> &mut Use {
        match kind {
            Kind::Control => &mut self.control,
            Kind::Data(_) => &mut self.data,
        }
    }

    /// Panics when the counts do not say what the queue does.
    pub(super) fn check(&self) {
        let (mut data, mut control) = (Use::default(), Use::default());
        for parked in &self.queue {
            let counted = if parked.kind == Kind::Control { &mut control } else { &mut data };
            counted.add(parked.frame.len());
        }
        assert_eq!((data, control), (self.data, self.control), "what waits");
        assert!(
            control.messages <= CONTROL.messages && control.bytes <= CONTROL.bytes,
            "acks wait"
        );
    }
}

impl Parked {
    fn data(&self) -> Option<&DataKind> {
        match &self.kind {
            Kind::Control => None,
            Kind::Data(data) => Some(data),
        }
    }
}

impl DataKind {
    pub(crate) fn is_expired(&self, now: Time) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

impl Use {
    fn has_room(self, bytes: usize, bound: Bound) -> bool {
        self.messages < bound.messages && self.bytes + bytes <= bound.bytes
    }

    fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes;
    }

    fn take(&mut self, bytes: usize) {
        self.messages -= 1;
        self.bytes -= bytes;
    }
}
