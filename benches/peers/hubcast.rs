//! hubcast itself.

use std::hint::black_box;

use hubcast::{
    Action, Audience, Closed, Command, Config, ConnectionId, ConnectionKey, Data, Engine, GroupKey,
    Incoming, Open, Protocol, SendOptions, Time,
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
    /// By the number of the group, once it was looked up.
    groups: Vec<Option<GroupKey>>,
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
    /// By commands, which publish by the keys of groups; the actions are read.
    Key,
    /// By commands; the actions are carried out, up to the queues.
    Delivery,
    /// By commands, which publish by the keys of groups; the actions are carried out, up to the queues.
    DeliveryByKey,
}

impl Hubcast {
    pub(crate) fn new(way: Way) -> Self {
        let engine = Engine::new(Config::new(7)).expect("a good configuration");
        let (keys, ids, groups) = (Vec::new(), Vec::new(), Vec::new());
        Self { way, engine, keys, ids, groups, queues: Queues::default() }
    }

    fn execute(&mut self, command: Command<'_>) {
        self.engine.execute(command, NOW).expect("a good command");
    }

    /// Returns the key of a group, which is looked up the first time.
    fn look_up(&mut self, group: &Group) -> GroupKey {
        if let Some(Some(key)) = self.groups.get(group.number) {
            return *key;
        }
        let key = self.engine.group(HUB, &group.name).expect("it has members");
        if self.groups.len() <= group.number {
            self.groups.resize(group.number + 1, None);
        }
        self.groups[group.number] = Some(key);
        key
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
            Way::Key => "hubcast, by group key",
            Way::DeliveryByKey => "hubcast, by key",
            Way::Delivery => "hubcast",
        }
    }

    fn league(&self) -> League {
        match self.way {
            Way::Command | Way::Frame | Way::Key => League::Routing,
            Way::Delivery | Way::DeliveryByKey => League::Delivery,
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
            Way::Key => {
                "As by command, but the group was looked up before by whoever publishes to it again and again."
            }
            Way::DeliveryByKey => {
                "As by key, and one clone of the frame's `Bytes` pushed into the queue of each recipient."
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
            Way::Command | Way::Key | Way::Delivery | Way::DeliveryByKey => {
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
            Way::Command | Way::Key | Way::Delivery | Way::DeliveryByKey => {
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
        let (data, options) = (Data::Text(black_box(PAYLOAD)), SendOptions::default());
        match self.way {
            Way::Command | Way::Delivery => {
                let to = Audience::Group(HUB, &group.name);
                self.execute(Command::Send { to, data, options });
            }
            Way::Key | Way::DeliveryByKey => {
                let group = self.look_up(group);
                self.execute(Command::Publish { group, data, options });
            }
            Way::Frame => self.engine.receive(self.keys[0], Incoming::Text(&group.send), NOW),
        }
        match self.way {
            Way::Command | Way::Key | Way::Frame => self.read(),
            Way::Delivery | Way::DeliveryByKey => self.deliver(),
        }
    }

    fn take(&mut self, who: usize) -> Option<usize> {
        match self.way {
            Way::Command | Way::Key | Way::Frame => None,
            Way::Delivery | Way::DeliveryByKey => Some(self.queues.take(self.keys[who].index())),
        }
    }

    fn has_members(&self) -> bool {
        // By command they are the same.
        matches!(self.way, Way::Command | Way::Frame)
    }
}
