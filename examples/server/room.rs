//! How much may wait: for the engine, and for a socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hubcast::{Config, Limits};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most inputs that wait for the engine; whoever has one more waits until there is room. As many are carried out
/// together: the more wait, the more of what they cause goes to each socket in one write.
pub(crate) const INPUTS: usize = 4 * 1024;

/// The most bytes of inputs that are carried out together, but for the last one: nobody is paused before that, so what
/// comes meanwhile for a connection that should be is to be little.
pub(crate) const BATCH_BYTES: usize = 1024 * 1024;

/// The most bytes from peers that wait for the engine, but for a message that waits alone.
const INTAKE_BYTES: usize = 64 * 1024 * 1024;

/// Room for what peers sent, until the engine takes it.
#[derive(Clone, Debug)]
pub(crate) struct Intake(Arc<Semaphore>);

impl Intake {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(INTAKE_BYTES)))
    }

    /// Waits until there is room for so many bytes. It is taken until the permit is dropped.
    pub(crate) async fn admit(&self, bytes: usize) -> OwnedSemaphorePermit {
        let permits = bytes.min(INTAKE_BYTES) as u32;
        Arc::clone(&self.0).acquire_many_owned(permits).await.expect("nobody closes it")
    }
}

/// The most that ever waits for one socket. It is never reached, unless the engine hands over more to a connection
/// that is paused than its limits allow: then the peer is given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// The room of all queues, which grows when limits do. It never shrinks: what lower limits do not allow any more may
/// wait already, and nobody is to be given up for that.
#[derive(Debug, Default)]
pub(crate) struct SharedRoom {
    messages: AtomicUsize,
    bytes: AtomicUsize,
}

impl Room {
    /// Returns room for all that an engine with this configuration may hand over at once: what crowds the queue, then
    /// what comes before the pause counts, a frame for each input and some more, then a replay and a backlog.
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
                INPUTS + 1_000,
                limits.queued_messages,
                limits.unacknowledged_messages,
                limits.paused_messages,
            ]),
            bytes: sum(&[
                // JSON puts a third on top of bytes, and an envelope around them.
                2 * BATCH_BYTES + INPUTS * 1_024,
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

    pub(crate) fn get(&self) -> Room {
        let messages = self.messages.load(Ordering::Relaxed);
        Room { messages, bytes: self.bytes.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use std::future;
    use std::pin::pin;

    use hubcast::HubConfig;

    use super::*;

    /// Peers wait for each other when they have sent too much; a message that is larger than all the room waits until it
    /// is alone, and no longer.
    #[tokio::test]
    async fn intake_is_bounded() {
        let intake = Intake::new();
        let half = intake.admit(INTAKE_BYTES / 2).await;
        let mut larger = pin!(intake.admit(usize::MAX));
        tokio::select! {
            biased;
            _ = &mut larger => panic!("there is no room for it"),
            () = future::ready(()) => {}
        }
        drop(half);
        let larger = larger.await;
        let mut next = pin!(intake.admit(1));
        tokio::select! {
            biased;
            _ = &mut next => panic!("there is no room for it"),
            () = future::ready(()) => {}
        }
        drop(larger);
        drop(next.await);
    }

    /// Room grows when there is more, and none is taken away.
    #[test]
    fn room_grows() {
        let room = SharedRoom::new(Room { messages: 1, bytes: 10 });
        room.grow(Room { messages: 2, bytes: 5 });
        assert_eq!((room.get().messages, room.get().bytes), (2, 10));
    }

    /// There is room for what the most generous hub may hand over.
    #[test]
    fn room_for_every_hub() {
        let mut config = Config::new(1);
        let paused_messages = 50_000;
        let limits = Some(Limits { paused_messages, ..Limits::default() });
        config.hubs.push(("large".into(), HubConfig { limits, ..HubConfig::default() }));
        assert_eq!(Room::for_all_of(&config).messages, INPUTS + 53_000);
        config.hubs[0].1.limits.as_mut().unwrap().paused_bytes = usize::MAX;
        assert_eq!(Room::for_all_of(&config).bytes, usize::MAX);
    }
}
