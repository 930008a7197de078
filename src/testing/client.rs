//! Virtual clients: they speak the wire protocols, and hold on to their sessions as the official SDKs do.

mod profile;

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

pub use self::profile::Profile;
use super::message::{Message, Received};
use super::request::Request;
use crate::protocol::Protocol;
use crate::time::Time;

/// What a client does about its connection right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// It has no transport and will try again at this time.
    Away(Time),
    /// It waits for the server's welcome.
    Connecting,
    /// It is connected.
    Open,
    /// It left for good.
    Left,
}

/// A session as a client remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The id of the connection.
    pub connection_id: String,
    /// The token to recover it with; only on reliable protocols.
    pub token: Option<String>,
}

/// A client without I/O: it takes what arrives and says what it wants to say.
///
/// It behaves as the official SDKs do. When its transport is lost it tries to recover the session, at once and then
/// every second for 30 seconds; if that is refused it connects anew and joins its groups again. It acknowledges what
/// arrives, and drops what it has seen before. Requests that were not answered when the transport was lost are made
/// again, with the same ack ids, on the recovered connection (the ack cache sees to it that nothing is done twice), and are
/// given up when the session is lost.
///
/// A [`Simulation`](super::Simulation) drives many of them. One alone can be driven by hand:
///
/// ```
/// use hubcast::testing::{Client, Message, Profile, Received, Request};
/// use hubcast::{Protocol, Time};
///
/// let mut client = Client::new(Profile::new("chat", Protocol::Json), Time::EPOCH);
/// let ack = client.ask(Request::Join { group: "room".into(), ack: None });
/// assert_eq!(ack, Some(1));
/// assert_eq!(client.connect(Time::EPOCH), None); // a new session, not an old one
/// assert!(client.say(Time::EPOCH).is_empty()); // not before it is welcome
///
/// let message = Message::Connected { connection_id: "c".into(), user: None, token: None };
/// client.hear(Received { sequence: None, message }, Time::EPOCH);
/// assert_eq!(client.say(Time::EPOCH), [Request::Join { group: "room".into(), ack: Some(1) }]);
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    profile: Profile,
    state: ClientState,
    ticket: Option<Ticket>,
    /// Since when it has tried to recover.
    lost: Option<Time>,
    /// The largest sequence id that it has seen, and the largest that it has acknowledged.
    sequence: u64,
    acknowledged: u64,
    /// When it will acknowledge.
    ack_due: Option<Time>,
    next_ack: u64,
    groups: BTreeSet<String>,
    /// Said, and not answered.
    pending: Vec<Request>,
    /// Not said yet.
    outgoing: Vec<Request>,
    heard: Vec<Received>,
}

impl Client {
    /// Makes a client that wants to connect at once.
    pub fn new(profile: Profile, now: Time) -> Self {
        Self {
            profile,
            state: ClientState::Away(now),
            ticket: None,
            lost: None,
            sequence: 0,
            acknowledged: 0,
            ack_due: None,
            next_ack: 1,
            groups: BTreeSet::new(),
            pending: Vec::new(),
            outgoing: Vec::new(),
            heard: Vec::new(),
        }
    }

    /// Returns what it is.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Returns what it does about its connection.
    pub fn state(&self) -> ClientState {
        self.state
    }

    /// Tells whether it is connected.
    pub fn is_open(&self) -> bool {
        self.state == ClientState::Open
    }

    /// Returns the session that it is in, or tries to get back.
    pub fn ticket(&self) -> Option<&Ticket> {
        self.ticket.as_ref()
    }

    /// Returns the requests that are not answered.
    pub fn pending(&self) -> &[Request] {
        &self.pending
    }

    /// Returns everything that it was told, each message once, over all its sessions.
    pub fn heard(&self) -> &[Received] {
        &self.heard
    }

    /// Takes what it was told since the last time.
    pub fn take_heard(&mut self) -> Vec<Received> {
        core::mem::take(&mut self.heard)
    }

    /// Asks for something as soon as there is a connection. Returns the ack id by which the answer is known, where
    /// there will be one.
    pub fn ask(&mut self, request: Request) -> Option<u64> {
        match &request {
            Request::Join { group, .. } => {
                self.groups.insert(group.clone());
            }
            Request::Leave { group, .. } => {
                self.groups.remove(group);
            }
            _ => {}
        }
        let request = if self.profile.protocol == Protocol::Plain || request.ack().is_some() {
            request
        } else {
            let request = request.with_ack(self.next_ack);
            self.next_ack += u64::from(request.ack().is_some());
            request
        };
        let ack = request.ack();
        self.outgoing.push(request);
        ack
    }

    /// Returns when it wants to do something on its own.
    pub fn due(&self) -> Option<Time> {
        match self.state {
            ClientState::Away(next) => Some(next),
            ClientState::Open => self.ack_due,
            ClientState::Connecting | ClientState::Left => None,
        }
    }

    /// Starts an attempt to connect. Returns the session to recover; without one it starts anew.
    pub fn connect(&mut self, now: Time) -> Option<Ticket> {
        self.state = ClientState::Connecting;
        let over = self.lost.is_some_and(|lost| now.since(lost) > self.profile.recover_for);
        if over || self.ticket.as_ref().is_some_and(|ticket| ticket.token.is_none()) {
            self.ticket = None;
        }
        self.ticket.clone()
    }

    /// The server accepted the transport: that is all the welcome that a plain client gets.
    pub fn accepted(&mut self) {
        if self.profile.protocol == Protocol::Plain && self.state == ClientState::Connecting {
            self.state = ClientState::Open;
        }
    }

    /// Takes in what arrived. Tells whether it is new: a reliable client drops what it has seen before.
    pub fn hear(&mut self, received: Received, now: Time) -> bool {
        if let Some(sequence) = received.sequence {
            if sequence <= self.sequence {
                // It may have been repeated because the ack was lost.
                self.ack_due.get_or_insert(now + self.profile.ack_delay);
                return false;
            }
            self.sequence = sequence;
            let far = self.sequence - self.acknowledged > self.profile.ack_gap;
            let due = if far { now } else { now + self.profile.ack_delay };
            self.ack_due = Some(self.ack_due.map_or(due, |before| before.min(due)));
        }
        match &received.message {
            Message::Connected { connection_id, token, .. } => {
                self.welcome(connection_id, token.as_deref());
            }
            Message::Ack { id, .. } => self.pending.retain(|request| request.ack() != Some(*id)),
            _ => {}
        }
        self.heard.push(received);
        true
    }

    fn welcome(&mut self, connection_id: &str, token: Option<&str>) {
        let before = self.ticket.take();
        let same = before.as_ref().is_some_and(|before| before.connection_id == connection_id);
        self.ticket = Some(Ticket {
            connection_id: connection_id.to_owned(),
            token: token.map(str::to_owned),
        });
        self.state = ClientState::Open;
        self.lost = None;
        let mut again = if same {
            core::mem::take(&mut self.pending)
        } else {
            self.pending.clear();
            self.sequence = 0;
            self.acknowledged = 0;
            self.ack_due = None;
            self.rejoin()
        };
        again.append(&mut self.outgoing);
        self.outgoing = again;
    }

    /// Asks for the groups that it was in, unless it was about to do that anyway.
    fn rejoin(&mut self) -> Vec<Request> {
        let mut again = vec![];
        for group in &self.groups {
            let asked =
                |each: &Request| matches!(each, Request::Join { group: it, .. } if it == group);
            if !self.outgoing.iter().any(asked) {
                again.push(Request::Join { group: group.clone(), ack: Some(self.next_ack) });
                self.next_ack += 1;
            }
        }
        again
    }

    /// Takes note that the transport is gone, with this close code if there was one.
    pub fn lose(&mut self, code: Option<u16>, now: Time) {
        if self.state == ClientState::Left {
            return;
        }
        let was_open = self.state == ClientState::Open;
        if code == Some(1008) || self.profile.protocol == Protocol::Plain {
            self.ticket = None;
        }
        self.ack_due = None;
        self.lost.get_or_insert(now);
        // Whoever was connected tries again at once, unless there is nothing to recover.
        let at_once = was_open && self.ticket.is_some();
        self.state = ClientState::Away(if at_once { now } else { now + self.profile.retry_delay });
    }

    /// Leaves for good.
    pub fn leave(&mut self) {
        self.state = ClientState::Left;
        self.ack_due = None;
    }

    /// Comes back after it left, with a new session.
    pub fn come_back(&mut self, now: Time) {
        self.ticket = None;
        self.lost = None;
        self.state = ClientState::Away(now);
    }

    /// Returns what it says now, in order.
    pub fn say(&mut self, now: Time) -> Vec<Request> {
        if self.state != ClientState::Open {
            return Vec::new();
        }
        let mut said = core::mem::take(&mut self.outgoing);
        self.pending.extend(said.iter().filter(|request| request.ack().is_some()).cloned());
        if self.ack_due.is_some_and(|due| due <= now) {
            self.ack_due = None;
            self.acknowledged = self.sequence;
            said.push(Request::SequenceAck { sequence: self.sequence });
        }
        said
    }
}
