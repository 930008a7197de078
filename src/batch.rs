//! The deliveries of a tick, gathered by connection.

use alloc::vec::Vec;
use core::iter::FusedIterator;

use crate::action::Deliver;
use crate::protocol::Frame;
use crate::state::ConnectionKey;
use crate::time::Time;

/// Gathers the [`Deliver`] actions of a tick and hands them out by connection: each connection once, with all its frames
/// in the order in which they were pushed.
///
/// An engine says which frame goes to whom; a host writes to one socket after the other, and a system call costs it
/// hundreds of times what routing costs. With a batch it writes once for each connection and tick, however many frames
/// there are for it.
///
/// A recipient costs 16 bytes and a few nanoseconds, a connection 20 bytes more, and 4 bytes for every connection of the
/// engine. All of this memory is used again and again; it never shrinks. Frames are shared, not copied: while they
/// are in the batch, their bytes stay alive.
///
/// ```
/// use hubcast::{Action, Audience, Batch, Command, Config, Data, Engine, Open, SendOptions, Time};
///
/// let mut engine = Engine::new(Config::new(1))?;
/// let now = Time::EPOCH;
/// let alice = engine.open(Open { hub: "chat", groups: &["g"], ..Open::default() }, now);
/// let bob = engine.open(
///     Open { hub: "chat", user: Some("bob"), groups: &["g"], ..Open::default() },
///     now,
/// );
/// for (to, text) in [
///     (Audience::Group("chat", "g"), "hello"),
///     (Audience::User("chat", "bob"), "psst"),
///     (Audience::Group("chat", "g"), "bye"),
/// ] {
///     let (data, options) = (Data::Text(text), SendOptions::default());
///     engine.execute(Command::Send { to, data, options }, now)?;
/// }
///
/// let mut batch = Batch::default(); // kept from tick to tick
/// while let Some(action) = engine.poll_action() {
///     if let Action::Deliver(deliver) = action {
///         batch.push(&deliver);
///     }
/// }
/// let mut writes = Vec::new(); // a real host has a socket for each connection
/// batch.drain(|connection, frames| {
///     let texts: Vec<_> = frames.map(|it| it.frame.bytes(it.sequence)).collect();
///     writes.push((connection, texts.join(&b' ')));
/// });
/// assert_eq!(writes, [(alice, b"hello bye".to_vec()), (bob, b"hello psst bye".to_vec())]);
/// assert!(batch.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// How much goes together is up to the host. One that takes all inputs that wait before it drains its batch writes larger
/// pieces the busier it is; one that takes a few at a time writes to nearly every socket again and again when it is busy,
/// and cannot catch up.
///
/// What must come behind the frames, such as closing a connection after an [`Action::Close`](crate::Action::Close), has
/// to wait until the batch is drained.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// By the index of a connection: which queue with this index came last, counted from 1. 0 where there is none.
    latest: Vec<u32>,
    /// One for each connection that gets something, in the order of their first frames.
    queues: Vec<Queue>,
    /// All that is in any of the queues, in the order in which it was pushed.
    places: Vec<Place>,
    deliveries: Vec<Delivery>,
}

/// What one connection gets.
#[derive(Clone, Copy, Debug)]
struct Queue {
    connection: ConnectionKey,
    /// The queue of an earlier connection with the same index, counted from 1. 0 where there is none.
    earlier: u32,
    first: u32,
    last: u32,
}

/// A frame in the queue of a connection.
#[derive(Clone, Copy, Debug)]
struct Place {
    delivery: u32,
    /// The place behind it in the same queue, [`END`] for none.
    next: u32,
    sequence: u64,
}

/// What is the same for all recipients of an action.
#[derive(Clone, Debug)]
struct Delivery {
    frame: Frame,
    expires: Option<Time>,
}

const END: u32 = u32::MAX;

impl Batch {
    /// Adds a delivery behind those that are there.
    ///
    /// # Panics
    ///
    /// If there were 2^32 - 1 recipients or more in the batch, which take 64 GiB. A host that limits its memory drains the
    /// batch whenever its [`len`](Self::len) reaches some thousands.
    pub fn push(&mut self, deliver: &Deliver<'_>) {
        let total = self.places.len() + deliver.to.len();
        assert!(total < END as usize, "a batch is drained before it has 2^32 - 1 recipients");
        let delivery = self.deliveries.len() as u32;
        self.places.reserve(deliver.to.len());
        for to in deliver.to {
            let place = self.places.len() as u32;
            self.places.push(Place { delivery, next: END, sequence: to.sequence });
            self.append(to.connection, place);
        }
        self.deliveries.push(Delivery { frame: deliver.frame.clone(), expires: deliver.expires });
    }

    /// Returns how many frames all the connections together get, shared ones counted for each.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Tells whether nobody gets anything.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Hands out what was gathered, and is empty then: `take` gets each connection once, in the order of their first
    /// frames. Keys are compared as a whole: a connection and a later one that has its place count as two.
    pub fn drain(&mut self, mut take: impl FnMut(ConnectionKey, BatchFrames<'_>)) {
        for queue in &self.queues {
            let Self { places, deliveries, .. } = self;
            take(queue.connection, BatchFrames { places, deliveries, next: queue.first });
        }
        for queue in self.queues.drain(..) {
            self.latest[queue.connection.index()] = 0;
        }
        self.places.clear();
        self.deliveries.clear();
    }

    /// Puts a place at the end of the queue of a connection.
    fn append(&mut self, connection: ConnectionKey, place: u32) {
        let index = connection.index();
        if index >= self.latest.len() {
            self.latest.resize(index + 1, 0);
        }
        let latest = self.latest[index];
        let mut number = latest;
        while let Some(queue) = at(&mut self.queues, number) {
            if queue.connection == connection {
                self.places[queue.last as usize].next = place;
                queue.last = place;
                return;
            }
            number = queue.earlier;
        }
        self.queues.push(Queue { connection, earlier: latest, first: place, last: place });
        self.latest[index] = self.queues.len() as u32;
    }
}

/// Returns the queue with a number that counts from 1.
fn at(queues: &mut [Queue], number: u32) -> Option<&mut Queue> {
    queues.get_mut((number as usize).checked_sub(1)?)
}

/// Goes through the frames that a [`Batch`] has for one connection, in their order; there is at least one.
#[derive(Clone, Debug)]
pub struct BatchFrames<'a> {
    places: &'a [Place],
    deliveries: &'a [Delivery],
    next: u32,
}

/// A frame of a [`Batch`] for one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchFrame<'a> {
    /// What to send.
    pub frame: &'a Frame,
    /// The sequence id of the frame for this connection; 0 where the format has none.
    pub sequence: u64,
    /// When it is of no more use, as in [`Deliver::expires`].
    pub expires: Option<Time>,
    /// With which [`push`](Batch::push) since the last [`drain`](Batch::drain) it came, from 0: the place for what a host
    /// makes once for all recipients, such as the header of a WebSocket frame.
    pub delivery: usize,
}

impl<'a> Iterator for BatchFrames<'a> {
    type Item = BatchFrame<'a>;

    fn next(&mut self) -> Option<BatchFrame<'a>> {
        if self.next == END {
            return None;
        }
        let Place { delivery, next, sequence } = self.places[self.next as usize];
        self.next = next;
        let delivery = delivery as usize;
        let Delivery { frame, expires } = &self.deliveries[delivery];
        Some(BatchFrame { frame, sequence, expires: *expires, delivery })
    }
}

impl FusedIterator for BatchFrames<'_> {}

#[cfg(test)]
mod tests;
