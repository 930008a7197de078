//! Groups and hubs of every size: as they grow and shrink, members come, go, pause, and get other transports, and every
//! message reaches those whom a plain list of members names.

use std::collections::BTreeSet;

use hubcast::testing::Random;
use hubcast::{
    Action, Audience, Closed, Command, Config, ConnectionKey, Data, Engine, Incoming, Open,
    Protocol, Recovery, SendOptions, Time,
};

const NOW: Time = Time::from_secs(1_790_000_000);
const ROLES: &[&str] = &["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];

/// Nine in ten are of one class. From 65 of a class on members know their positions, and at 32 they no longer do: so that
/// these are far above, far below, and between the two.
const SIZES: [usize; 9] = [120, 20, 80, 50, 76, 40, 75, 1, 0];

/// A group, and who is in it.
struct Room {
    engine: Engine,
    random: Random,
    members: Vec<Member>,
}

struct Member {
    key: ConnectionKey,
    id: String,
    token: Option<String>,
    is_paused: bool,
}

impl Room {
    fn new(seed: u64) -> Self {
        let mut config = Config::new(seed);
        // Nobody acknowledges anything here, and some are paused for long.
        config.limits.unacknowledged_messages = 100_000;
        config.limits.paused_messages = 100_000;
        let engine = Engine::new(config).expect("a good configuration");
        Self { engine, random: Random::new(seed), members: Vec::new() }
    }

    fn grow(&mut self) {
        let entropy = self.random.entropy();
        let reliable = self.random.chance(100);
        let protocol = if reliable { Protocol::ReliableJson } else { Protocol::Json };
        let open = Open { hub: "h", protocol, roles: ROLES, entropy, ..Open::default() };
        let key = self.engine.open(open, NOW);
        let (mut id, mut token) = (String::new(), None);
        while let Some(action) = self.engine.poll_action() {
            match action {
                Action::Accept(accept) => id = accept.connection_id.to_string(),
                Action::Deliver(deliver) => {
                    let text = String::from_utf8(deliver.frame.bytes(0).to_vec()).unwrap();
                    let after = text.split(r#""reconnectionToken":""#).nth(1);
                    token = after.and_then(|rest| rest.split('"').next()).map(str::to_owned);
                }
                _ => {}
            }
        }
        self.receive(key, r#"{"type":"joinGroup","group":"g"}"#);
        self.members.push(Member { key, id, token, is_paused: false });
    }

    fn shrink(&mut self) {
        let place = self.random.below(self.members.len());
        let member = self.members.swap_remove(place);
        if self.random.chance(500) {
            self.receive(member.key, r#"{"type":"leaveGroup","group":"g"}"#);
        }
        self.engine.close(member.key, Closed::Clean { code: 1000, reason: "" }, NOW);
        self.drain();
    }

    /// Pauses a member, or lets it go on, or gives it another transport.
    fn disturb(&mut self) {
        let place = self.random.below(self.members.len());
        let member = &mut self.members[place];
        match &member.token {
            Some(token) if self.random.chance(500) => {
                self.engine.close(member.key, Closed::Lost, NOW);
                let open = Open {
                    hub: "h",
                    protocol: Protocol::ReliableJson,
                    recovery: Some(Recovery { connection_id: &member.id, token }),
                    ..Open::default()
                };
                member.key = self.engine.open(open, NOW);
                member.is_paused = false;
            }
            _ if member.is_paused => {
                self.engine.resume(member.key, NOW);
                member.is_paused = false;
            }
            _ if self.random.chance(125) => {
                self.engine.pause(member.key, NOW);
                member.is_paused = true;
            }
            _ => {}
        }
        self.drain();
    }

    /// Pauses all members and lets all go on.
    fn disturb_all(&mut self) {
        for pause in [true, false] {
            for member in &mut self.members {
                let change = if pause { Engine::pause } else { Engine::resume };
                change(&mut self.engine, member.key, NOW);
                member.is_paused = pause;
                self.engine.check();
            }
            self.drain();
        }
    }

    /// Sends in the name of a member without echo, and to the group and the hub without some of their connections.
    fn send(&mut self) {
        let sender = self.random.below(self.members.len());
        let excluded = self.random.below(self.members.len());
        let key = self.members[sender].key;
        self.engine.receive(
            key,
            Incoming::Text(r#"{"type":"sendToGroup","group":"g","noEcho":true,"data":1}"#),
            NOW,
        );
        self.expect(&[sender]);
        let out = [&*self.members[sender].id.clone(), &self.members[excluded].id.clone()];
        for to in [Audience::Group("h", "g"), Audience::Hub("h")] {
            let options = SendOptions { except: &out, ..SendOptions::default() };
            let send = Command::Send { to, data: Data::Text("x"), options };
            self.engine.execute(send, NOW).expect("a good command");
            self.expect(&[sender, excluded]);
        }
    }

    /// Everybody but these got something, if they take anything now.
    fn expect(&mut self, but: &[usize]) {
        let takes =
            |&(place, member): &(usize, &Member)| !but.contains(&place) && !member.is_paused;
        let members = self.members.iter().enumerate().filter(takes);
        let expected: BTreeSet<_> = members.map(|(_, member)| member.key).collect();
        let mut got = BTreeSet::new();
        while let Some(action) = self.engine.poll_action() {
            let Action::Deliver(deliver) = action else { panic!("unexpected: {action:?}") };
            for recipient in deliver.to {
                assert!(got.insert(recipient.connection), "twice to {:?}", recipient.connection);
            }
        }
        assert_eq!(got, expected, "{} members", self.members.len());
    }

    fn receive(&mut self, key: ConnectionKey, text: &str) {
        self.engine.receive(key, Incoming::Text(text), NOW);
        self.drain();
    }

    fn drain(&mut self) {
        while self.engine.poll_action().is_some() {}
    }
}

/// The sizes one after the other, and a message after each change.
#[test]
fn up_and_down() {
    for seed in 1..=8 {
        println!("seed {seed}");
        let mut room = Room::new(seed);
        for size in SIZES {
            while room.members.len() != size {
                if room.members.len() < size {
                    room.grow();
                } else {
                    room.shrink();
                }
                room.engine.check();
                if !room.members.is_empty() {
                    room.disturb();
                    room.engine.check();
                    room.send();
                }
            }
            room.disturb_all();
        }
        assert_eq!(room.engine.metrics().hubs[0].connections, 0);
    }
}
