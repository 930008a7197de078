//! What happens at the clients.

use alloc::boxed::Box;
use core::time::Duration;

use super::transport::{Item, Transport};
use super::{Happening, Simulation};
use crate::testing::client::{ClientState, Ticket};
use crate::testing::request::Request;
use crate::testing::rules::Occurrence;
use crate::time::Time;

impl Simulation {
    /// Lets a client ask for something, as soon as it is connected. Returns the ack id by which the answer is known,
    /// where there will be one.
    pub fn ask(&mut self, client: usize, request: Request) -> Option<u64> {
        let ack = self.clients[client].client.ask(request);
        self.attend(client);
        ack
    }

    /// Lets a client close its connection with this code, for good. A code other than 1000 leaves a reliable session
    /// open until its window is over (`webpubsub.md` 1.8).
    pub fn leave(&mut self, client: usize, code: u16) {
        self.clients[client].client.leave();
        if let Some(transport) = self.clients[client].transport.take() {
            self.transports[transport].client_done = true;
            self.send_up(transport, Happening::Bye(transport, code));
        }
    }

    /// Lets a client that left connect again, with a new session.
    pub fn come_back(&mut self, client: usize) {
        let each = &mut self.clients[client].client;
        if each.state() == ClientState::Left {
            each.come_back(self.time.now());
            self.attend(client);
        }
    }

    /// Lets somebody else try to get the session of a client, who knows its id and guesses the token.
    ///
    /// # Panics
    /// When that works.
    pub fn intrude(&mut self, client: usize, token: &str) {
        let Some(ticket) = self.clients[client].client.ticket() else { return };
        let own = ticket.token.as_deref() == Some(token);
        assert!(!own, "the token of client {client} is not guessed but known");
        let ticket = Ticket { token: Some(token.into()), ..ticket.clone() };
        let number = self.transports.len();
        let transport = Transport::new(client, Some(ticket), self.time.now());
        self.transports.push(Transport { impostor: true, client_done: true, ..transport });
        self.arrive(number);
    }

    pub(super) fn wake(&mut self, client: usize) {
        if self.clients[client].wake_at == Some(self.time.now()) {
            self.clients[client].wake_at = None;
        }
        self.attend(client);
    }

    /// Lets a client do what it wants to do now, and puts what it wants to do later on the agenda.
    pub(super) fn attend(&mut self, number: usize) {
        let now = self.time.now();
        if let ClientState::Away(next) = self.clients[number].client.state()
            && next <= now
        {
            self.dial(number);
        }
        let each = &mut self.clients[number];
        let protocol = each.client.profile().protocol;
        let (said, transport) = (each.client.say(now), each.transport);
        for request in said {
            // Without a transport it speaks to nobody, and does not know it yet.
            if let Some(transport) = transport {
                let packet = request.packet(protocol);
                let said = Box::new((request, packet));
                self.send_up(transport, Happening::Up(transport, said));
            }
        }
        let each = &mut self.clients[number];
        if let Some(due) = each.client.due()
            && each.wake_at.is_none_or(|wake| wake > due)
        {
            each.wake_at = Some(due);
            self.time.at(due, Happening::Wake(number));
        }
    }

    /// Opens a transport for a client.
    fn dial(&mut self, number: usize) {
        let now = self.time.now();
        let each = &mut self.clients[number];
        let ticket = each.client.connect(now);
        let transport = self.transports.len();
        each.transport = Some(transport);
        self.transports.push(Transport::new(number, ticket, now));
        self.send_up(transport, Happening::Arrive(transport));
    }

    /// Something arrives at a client.
    pub(super) fn down(&mut self, number: usize, item: Item) {
        let transport = &self.transports[number];
        if transport.cut || transport.client_done {
            return;
        }
        let client = transport.client;
        let now = self.time.now();
        match item {
            Item::Accepted => self.clients[client].client.accepted(),
            Item::Refused => self.lose(number, None),
            Item::Close(code) => self.lose(number, Some(code)),
            Item::Message(received, _) => {
                let session = transport.session;
                let fresh = self.clients[client].client.hear((*received).clone(), now);
                if let Some(session) = session {
                    let session = &self.sessions[session].clone();
                    let received = &received;
                    self.observe(&Occurrence::Heard { session, received, fresh });
                }
            }
        }
        self.attend(client);
    }

    pub(super) fn client_notices(&mut self, number: usize) {
        self.lose(number, None);
        self.attend(self.transports[number].client);
    }

    /// A client lost a transport.
    fn lose(&mut self, number: usize, code: Option<u16>) {
        let transport = &mut self.transports[number];
        if transport.client_done {
            return;
        }
        transport.client_done = true;
        let each = &mut self.clients[transport.client];
        if each.transport == Some(number) {
            each.transport = None;
            each.client.lose(code, self.time.now());
        }
    }

    /// Returns the time of the host, which never goes back.
    pub(super) fn tell(&mut self) -> Time {
        let now = self.time.now().as_millis().saturating_add_signed(self.ahead);
        self.told = self.told.max(Time::from_millis(now));
        self.told
    }

    /// Puts the next deadline of the engine on the agenda.
    pub(super) fn plan(&mut self) {
        let Some(deadline) = self.engine.next_deadline() else { return };
        let due = deadline.as_millis().saturating_add_signed(-self.ahead);
        let due = Time::from_millis(due).max(self.time.now());
        if self.advance_at.is_none_or(|at| at > due + Duration::from_millis(self.lateness)) {
            let late = self.random.between(0..=self.lateness);
            let at = due + Duration::from_millis(late);
            self.advance_at = Some(at);
            self.time.at(at, Happening::Advance);
        }
    }

    pub(super) fn advance(&mut self) {
        self.advance_at = None;
        let now = self.tell();
        self.engine.advance(now);
        self.drain();
    }
}
