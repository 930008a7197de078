//! hubcast itself.

use std::hint::black_box;

use hubcast::{
    Action, Audience, Closed, Command, Config, ConnectionId, ConnectionKey, Data, Engine, Incoming,
    Open, Protocol, SendOptions, Time,
};

use crate::contender::{Contender, Group, League, PAYLOAD, Queues};

const HUB: &str = "bench";
const NOW: Time = Time::from_secs(1_790_000_000);
const ROLES: &[&str] = &["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];

/// An engine with JSON clients.
pub(crate) struct Hubcast {
    way: Way,
    engine: Engine,
    keys: Vec<ConnectionKey>,
    ids: Vec<ConnectionId>,
    /// By the index of the key.
    queues: Queues,
}

/// How it is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By commands of the server that name groups and connections; the actions are read.
    Command,
    /// By frames of clients; the actions are read.
    Frame,
    /// By commands; the actions are carried out, up to the queues.
    Delivery,
}

impl Hubcast {
    pub(crate) fn new(way: Way) -> Self {
        let engine = Engine::new(Config::new(7)).expect("a good configuration");
        Self { way, engine, keys: Vec::new(), ids: Vec::new(), queues: Queues::default() }
    }

    fn execute(&mut self, command: Command<'_>) {
        self.engine.execute(command, NOW).expect("a good command");
    }

    /// Polls all actions, and reads who is to get something.
    fn read(&mut self) -> usize {
        let mut delivered = 0;
        while let Some(action) = self.engine.poll_action() {
            if let Action::Deliver(deliver) = action {
                let connections = deliver.to.connections();
                black_box(connections.iter().fold(0, |sum, key| sum ^ key.index()));
                delivered += connections.len();
            }
        }
        delivered
    }

    /// Polls all actions, and queues what is to be delivered.
    fn deliver(&mut self) -> usize {
        let mut delivered = 0;
        while let Some(action) = self.engine.poll_action() {
            if let Action::Deliver(deliver) = action {
                let bytes = deliver.frame.shared().expect("JSON clients have no sequence ids");
                for key in deliver.to.connections() {
                    self.queues.push(key.index(), bytes.clone());
                }
                delivered += deliver.to.len();
            }
        }
        delivered
    }
}

impl Contender for Hubcast {
    fn name(&self) -> &'static str {
        match self.way {
            Way::Command => "hubcast, by command",
            Way::Frame => "hubcast, by frame",
            Way::Delivery => "hubcast",
        }
    }

    fn league(&self) -> League {
        match self.way {
            Way::Command | Way::Frame => League::Routing,
            Way::Delivery => League::Delivery,
        }
    }

    fn includes(&self) -> &'static str {
        match self.way {
            Way::Command => {
                "`Engine::execute` by the names of group and connection: checks, quotas and counters; a publish encodes \
                 the JSON frame. All actions are polled, and the key of each recipient is read."
            }
            Way::Frame => {
                "`Engine::receive` of a client's JSON frame: decoding, permission, and then as by command."
            }
            Way::Delivery => {
                "As by command, and one clone of the frame's `Bytes` pushed into the queue of each recipient."
            }
        }
    }

    fn connect(&mut self, who: usize) {
        let mut entropy = [0; 32];
        entropy[..8]
            .copy_from_slice(&(who as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        let user = format!("user-{who}");
        let open = Open {
            hub: HUB,
            protocol: Protocol::Json,
            user: Some(&user),
            roles: ROLES,
            entropy,
            ..Open::default()
        };
        let key = self.engine.open(open, NOW);
        self.read();
        let id = self.engine.connection(key).expect("it is open").id();
        if who < self.keys.len() {
            (self.keys[who], self.ids[who]) = (key, id);
        } else {
            assert_eq!(who, self.keys.len(), "connections come in order");
            self.keys.push(key);
            self.ids.push(id);
        }
        self.queues.open(key.index());
    }

    fn join(&mut self, who: usize, group: &Group) {
        match self.way {
            Way::Command | Way::Delivery => {
                let id = self.ids[who];
                let who = Audience::Connection(HUB, &id);
                self.execute(Command::Join { who, groups: &[&group.name] });
            }
            Way::Frame => self.engine.receive(self.keys[who], Incoming::Text(&group.join), NOW),
        }
        self.read();
    }

    fn leave(&mut self, who: usize, group: &Group) {
        match self.way {
            Way::Command | Way::Delivery => {
                let id = self.ids[who];
                let who = Audience::Connection(HUB, &id);
                self.execute(Command::Leave { who, groups: &[&group.name] });
            }
            Way::Frame => self.engine.receive(self.keys[who], Incoming::Text(&group.leave), NOW),
        }
        self.read();
    }

    fn disconnect(&mut self, who: usize) {
        self.engine.close(self.keys[who], Closed::Lost, NOW);
        self.read();
    }

    fn publish(&mut self, group: &Group) -> usize {
        match self.way {
            Way::Command | Way::Delivery => {
                let to = Audience::Group(HUB, &group.name);
                let (data, options) = (Data::Text(black_box(PAYLOAD)), SendOptions::default());
                self.execute(Command::Send { to, data, options });
            }
            Way::Frame => self.engine.receive(self.keys[0], Incoming::Text(&group.send), NOW),
        }
        match self.way {
            Way::Command | Way::Frame => self.read(),
            Way::Delivery => self.deliver(),
        }
    }

    fn take(&mut self, who: usize) -> Option<usize> {
        match self.way {
            Way::Command | Way::Frame => None,
            Way::Delivery => Some(self.queues.take(self.keys[who].index())),
        }
    }

    fn has_members(&self) -> bool {
        // By command they are the same.
        self.way != Way::Delivery
    }
}
