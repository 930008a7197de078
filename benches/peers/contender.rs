//! What takes part, and what is asked of it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;

/// 128 bytes, what every publish carries.
pub(crate) const PAYLOAD: &str = "The quick brown fox jumps over the lazy dog while the ferry leaves the \
    harbour, and the gulls follow it out to the open sea, too";

const _: () = assert!(PAYLOAD.len() == 128);

/// Something that keeps connections in groups and publishes to them. Connections are known by small numbers.
///
/// What is asked for is timed, apart from [`connect`](Self::connect) and [`take`](Self::take).
pub(crate) trait Contender {
    /// Returns its name in the tables.
    fn name(&self) -> &'static str;

    /// Returns what it is compared with.
    fn league(&self) -> League;

    /// Tells in a sentence or two what is in its time.
    fn includes(&self) -> &'static str;

    /// Takes up a connection.
    fn connect(&mut self, who: usize);

    /// Puts a connection into a group.
    fn join(&mut self, who: usize, group: &Group);

    /// Takes a connection out of a group.
    fn leave(&mut self, who: usize, group: &Group);

    /// Forgets a connection.
    fn disconnect(&mut self, who: usize);

    /// Publishes to a group. Returns how many got it.
    fn publish(&mut self, group: &Group) -> usize;

    /// Empties the queue of a connection. Returns how much was in it; `None` where there are no queues.
    fn take(&mut self, who: usize) -> Option<usize>;

    /// Tells whether its joins, leaves and disconnects are compared too.
    fn has_members(&self) -> bool {
        true
    }

    /// Does a task for some connections and groups, one after the other. Returns how long it took, and how many
    /// messages were delivered.
    fn time(&mut self, task: Task, steps: &[Step<'_>]) -> (Duration, usize) {
        let mut delivered = 0;
        let start = Instant::now();
        for step in steps {
            match task {
                Task::Publish => delivered += self.publish(black_box(step.group)),
                Task::Join => self.join(step.who, black_box(step.group)),
                Task::Leave => self.leave(step.who, black_box(step.group)),
                Task::Disconnect => self.disconnect(black_box(step.who)),
            }
        }
        (start.elapsed(), delivered)
    }
}

/// What a row is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum League {
    /// Up to a list of who gets it.
    Routing,
    /// Up to the queue of each recipient.
    Delivery,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Publish,
    Join,
    Leave,
    Disconnect,
}

/// Whom it is done for, and in which group; a publish is nobody's, a disconnect is from all groups.
#[derive(Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) who: usize,
    pub(crate) group: &'a Group,
}

/// A group, and the frames of a client that name it, so that nothing has to be composed while time is taken.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Its place among all groups.
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) join: String,
    pub(crate) leave: String,
    pub(crate) send: String,
}

impl Group {
    pub(crate) fn new(number: usize) -> Self {
        let name = format!("group-{number:06}");
        let frame = |verb| format!(r#"{{"type":"{verb}","group":"{name}"}}"#);
        Self {
            number,
            join: frame("joinGroup"),
            leave: frame("leaveGroup"),
            send: format!(
                r#"{{"type":"sendToGroup","group":"{name}","dataType":"text","data":"{PAYLOAD}"}}"#
            ),
            name,
        }
    }
}

/// Makes the bytes that are shared by the recipients of a publish, where nothing has to be encoded: one allocation
/// and one copy.
pub(crate) fn payload() -> Bytes {
    Bytes::copy_from_slice(black_box(PAYLOAD).as_bytes())
}

/// A queue for each connection, what a socket task would read from: the cheapest there is, without a lock or a
/// waker.
#[derive(Debug, Default)]
pub(crate) struct Queues(Vec<Vec<Bytes>>);

impl Queues {
    pub(crate) fn open(&mut self, place: usize) {
        while self.0.len() <= place {
            self.0.push(new_queue());
        }
    }

    pub(crate) fn push(&mut self, place: usize, bytes: Bytes) {
        self.0[place].push(bytes);
    }

    pub(crate) fn take(&mut self, place: usize) -> usize {
        self.0[place].drain(..).count()
    }
}

/// Makes a queue with room, so that it grows while warming up and not while time is taken.
pub(crate) fn new_queue() -> Vec<Bytes> {
    Vec::with_capacity(4)
}
