//! Transports: what is under way, and what becomes of it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::time::Duration;

use super::{Happening, Simulation};
use crate::state::ConnectionKey;
use crate::testing::client::Ticket;
use crate::testing::link::Link;
use crate::testing::message::Received;
use crate::time::Time;

/// One TCP connection between a client and the server.
pub(super) struct Transport {
    pub client: usize,
    /// The session that the client wants back.
    pub ticket: Option<Ticket>,
    /// Whether somebody else shows that ticket, who must not get it.
    pub impostor: bool,
    /// By what the engine knows it, while it does.
    pub key: Option<ConnectionKey>,
    pub session: Option<usize>,
    /// Whether it is broken: nothing passes, though nobody may have noticed.
    pub cut: bool,
    /// Whether each side is done with it.
    pub server_done: bool,
    pub client_done: bool,
    /// Nothing arrives before what was sent before: the time of the last arrival, up and down.
    pub up: Time,
    pub down: Time,
    /// What waits in the server's socket queue.
    pub queue: VecDeque<Item>,
    pub paused: bool,
    /// Whether the socket is busy with a message.
    pub busy: bool,
}

/// Something on its way to a client.
pub(super) enum Item {
    Accepted,
    Refused,
    /// A message, and when it is of no more use.
    Message(Box<Received>, Option<Time>),
    Close(u16),
}

impl Transport {
    /// Begins a transport of a client.
    pub(super) fn new(client: usize, ticket: Option<Ticket>, now: Time) -> Self {
        Self {
            client,
            ticket,
            impostor: false,
            key: None,
            session: None,
            cut: false,
            server_done: false,
            client_done: false,
            up: now,
            down: now,
            queue: VecDeque::new(),
            paused: false,
            busy: false,
        }
    }
}

impl Simulation {
    /// Breaks the link of a client; neither side knows it yet.
    pub fn cut(&mut self, client: usize) {
        if let Some(transport) = self.clients[client].transport {
            self.cut_transport(transport);
        }
    }

    /// Breaks all links at once.
    pub fn cut_all(&mut self) {
        for client in 0..self.clients.len() {
            self.cut(client);
        }
    }

    pub(super) fn cut_transport(&mut self, number: usize) {
        let transport = &mut self.transports[number];
        if transport.cut {
            return;
        }
        transport.cut = true;
        let link = &self.clients[transport.client].link;
        for notices in [Happening::ServerNotices(number), Happening::ClientNotices(number)] {
            let millis = self.random.between(link.notice.clone());
            self.time.after(Duration::from_millis(millis), notices);
        }
    }

    /// Returns the link of a transport as it is right now.
    fn link(&self, transport: usize) -> Link {
        let link = self.clients[self.transports[transport].client].link.clone();
        if self.calm {
            Link { stall_per_mille: 0, cut_per_mille: 0, pace: 0, ..link }
        } else {
            link
        }
    }

    /// Sends something upwards, unless it is lost.
    pub(super) fn send_up(&mut self, number: usize, happening: Happening) {
        if let Some(arrival) = self.depart(number, self.transports[number].up) {
            self.transports[number].up = arrival;
            self.time.at(arrival, happening);
        }
    }

    /// Returns when something arrives that is sent now; `None` when it never will.
    fn depart(&mut self, number: usize, before: Time) -> Option<Time> {
        let link = self.link(number);
        if self.random.chance(link.cut_per_mille) {
            self.cut_transport(number);
        }
        if self.transports[number].cut {
            return None;
        }
        let mut millis = self.random.between(link.latency);
        if self.random.chance(link.stall_per_mille) {
            millis += self.random.between(link.stall);
        }
        Some(before.max(self.time.now() + Duration::from_millis(millis)))
    }

    /// Puts something into the server's socket queue.
    pub(super) fn enqueue(&mut self, number: usize, item: Item) {
        self.transports[number].queue.push_back(item);
        self.write(number);
        let transport = &mut self.transports[number];
        let full = transport.queue.len() >= self.clients[transport.client].link.queue;
        if full && !transport.paused {
            transport.paused = true;
            if let Some(key) = transport.key {
                let now = self.tell();
                self.engine.pause(key, now);
            }
        }
    }

    /// The socket can take more.
    pub(super) fn writable(&mut self, number: usize) {
        self.transports[number].busy = false;
        self.write(number);
        let transport = &mut self.transports[number];
        let room = transport.queue.len() * 2 <= self.clients[transport.client].link.queue;
        if room && transport.paused && !transport.cut {
            transport.paused = false;
            if let Some(key) = transport.key {
                let now = self.tell();
                self.engine.resume(key, now);
                self.drain();
            }
        }
    }

    /// Writes what the socket takes.
    fn write(&mut self, number: usize) {
        loop {
            let transport = &mut self.transports[number];
            // A broken link takes nothing more, and the server sees only that its socket is full.
            if transport.busy || transport.cut {
                return;
            }
            let Some(item) = transport.queue.pop_front() else { return };
            if let Item::Message(_, Some(expires)) = &item
                && *expires < self.tell()
            {
                continue;
            }
            let pace = self.link(number).pace;
            let Some(arrival) = self.depart(number, self.transports[number].down) else { return };
            let transport = &mut self.transports[number];
            transport.down = arrival;
            self.time.at(arrival, Happening::Down(number, item));
            if pace > 0 {
                transport.busy = true;
                self.time.after(Duration::from_millis(pace), Happening::Writable(number));
            }
        }
    }

    /// The server is done with a transport; what is in its queue is still sent.
    pub(super) fn detach(&mut self, number: usize) {
        let transport = &mut self.transports[number];
        transport.server_done = true;
        if let Some(key) = transport.key.take() {
            self.attached.remove(&key);
        }
    }
}
