//! The same inputs give the same actions: in a second run, and with another seed for the hash tables.

use std::time::Duration;

use hubcast::{
    Action, Admission, Answer, Audience, CallId, Closed, Command, Config, ConnectionKey, Data,
    Engine, EventHandler, GroupPermission, HubConfig, Incoming, Open, Permission, PlainMode,
    Protocol, Response, SendOptions, Time,
};

const OPERATIONS: usize = 10_000;
const ROLES: [&str; 4] = [
    "webpubsub.joinLeaveGroup",
    "webpubsub.sendToGroup",
    "webpubsub.sendToGroups.g?",
    "webpubsub.joinLeaveGroup.g1",
];

/// One digest for two runs and for any hash seed: the order in a hash table never shows.
#[test]
fn one_digest() {
    let mut random = [0; 8];
    getrandom::fill(&mut random).unwrap();
    for seed in [1, u64::from_le_bytes(random) | 1] {
        let digest = run(seed, 1);
        assert_eq!(run(seed, 1), digest, "the same again, seed {seed}");
        for hash_seed in [0, 2, u64::MAX, seed] {
            assert_eq!(run(seed, hash_seed), digest, "hash seed {hash_seed}, seed {seed}");
        }
        assert_ne!(run(seed + 2, 1), digest, "the digest depends on what happens");
    }
}

/// Random numbers that need no crate (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn group(&mut self) -> String {
        format!("g{}", self.below(40))
    }

    fn user(&mut self) -> String {
        format!("u{}", self.below(12))
    }
}

/// Everything that comes out of an engine, as one number (FNV-1a).
struct Digest(u64);

impl Digest {
    fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([b'\n']) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

struct Run {
    engine: Engine,
    random: Random,
    digest: Digest,
    now: Time,
    keys: Vec<ConnectionKey>,
    ids: Vec<String>,
    calls: Vec<CallId>,
}

/// Carries out random operations and returns the digest of all actions and replies.
fn run(seed: u64, hash_seed: u64) -> u64 {
    let mut config = Config::new(hash_seed);
    config.limits.connections = 60;
    config.limits.idle_timeout = Some(Duration::from_secs(40));
    let handlers = vec![EventHandler::all("everything")];
    config.hubs = vec![("handled".into(), HubConfig { handlers, ..HubConfig::default() })];
    let mut run = Run {
        engine: Engine::new(config).unwrap(),
        random: Random(seed),
        digest: Digest(0xcbf2_9ce4_8422_2325),
        now: Time::from_secs(1_790_000_000),
        keys: Vec::new(),
        ids: Vec::new(),
        calls: Vec::new(),
    };
    for _ in 0..OPERATIONS {
        run.step();
    }
    run.engine.stop("the end", run.now);
    run.drain();
    run.engine.check();
    run.digest.add(&format!("{:?}", run.engine.metrics()));
    run.digest.0
}

impl Run {
    fn step(&mut self) {
        self.now = self.now + Duration::from_millis(self.random.below(300) as u64);
        match self.random.below(20) {
            _ if self.ids.is_empty() => self.open(),
            0..4 => self.open(),
            4..11 => self.receive(),
            11 => {
                let key = self.key();
                self.engine.close(key, Closed::Lost, self.now);
            }
            12..15 => self.answer(),
            15..19 => self.execute(),
            _ => self.engine.advance(self.now),
        }
        if !self.random.one_in(4) {
            self.drain();
        }
        self.digest.add(&format!("{:?}", self.engine.next_deadline()));
    }

    fn key(&mut self) -> ConnectionKey {
        let recent = self.keys.len().min(80);
        self.keys[self.keys.len() - 1 - self.random.below(recent)]
    }

    fn id(&mut self) -> String {
        let recent = self.ids.len().min(80);
        self.ids[self.ids.len() - 1 - self.random.below(recent)].clone()
    }

    fn open(&mut self) {
        let groups: Vec<_> = (0..self.random.below(5)).map(|_| self.random.group()).collect();
        let groups: Vec<_> = groups.iter().map(String::as_str).collect();
        let (user, target) = (self.random.user(), self.random.group());
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&self.random.0.to_be_bytes());
        let request = Open {
            hub: ["plain", "handled", "Other"][self.random.below(3)],
            protocol: if self.random.one_in(3) { Protocol::Plain } else { Protocol::Json },
            plain_mode: PlainMode::SendToGroup { group: &target, no_echo: false },
            user: (!self.random.one_in(4)).then_some(&user),
            roles: &ROLES[self.random.below(ROLES.len())..],
            groups: &groups,
            entropy,
            ..Open::default()
        };
        let key = self.engine.open(request, self.now);
        self.digest.add(&format!("{key:?}"));
        self.keys.push(key);
        self.ids.extend(self.engine.connection(key).map(|view| view.id().to_string()));
    }

    fn receive(&mut self) {
        let (key, group) = (self.key(), self.random.group());
        let ack = self.random.below(50);
        let frame = match self.random.below(8) {
            0..2 => format!(r#"{{"type":"joinGroup","group":"{group}","ackId":{ack}}}"#),
            2 => format!(r#"{{"type":"leaveGroup","group":"{group}","ackId":{ack}}}"#),
            3..6 => format!(
                r#"{{"type":"sendToGroup","group":"{group}","data":{ack},"noEcho":{},"ackId":{ack}}}"#,
                ack.is_multiple_of(2)
            ),
            6 => format!(r#"{{"type":"event","event":"e","data":{ack},"ackId":{ack}}}"#),
            _ => r#"{"type":"ping"}"#.to_owned(),
        };
        self.engine.receive(key, Incoming::Text(&frame), self.now);
    }

    fn answer(&mut self) {
        let Some(call) = self.calls.pop() else { return };
        let reply = Response { data: Some(Data::Text("answer")), ..Response::default() };
        for answer in [Answer::Accept(Admission::default()), Answer::Reply(reply)] {
            // Only one of them fits; the other comes too late or fails the call.
            if self.random.one_in(2) {
                self.engine.answer(call, answer, self.now);
            }
        }
    }

    fn execute(&mut self) {
        let (group, user, id, other) =
            (self.random.group(), self.random.user(), self.id(), self.id());
        let hub = ["plain", "handled", "other", "nowhere"][self.random.below(4)];
        let audiences = [
            Audience::Hub(hub),
            Audience::Group(hub, &group),
            Audience::User(hub, &user),
            Audience::Connection(hub, &id),
        ];
        let who = audiences[self.random.below(4)];
        let permission = GroupPermission {
            hub,
            connection_id: &id,
            permission: Permission::SendToGroup,
            group: &group,
        };
        let except = &[&*other];
        let options = SendOptions { except, ..SendOptions::default() };
        let command = match self.random.below(20) {
            0..8 => Command::Send { to: who, data: Data::Json("[1]"), options },
            8..11 => Command::Join { who, groups: &[&group] },
            11 => Command::Leave { who, groups: &[&group] },
            12 => Command::LeaveAll { who: audiences[2] },
            13 => Command::Close { who: audiences[3], except, reason: "why not" },
            14 => Command::Grant(permission),
            15 => Command::Revoke(permission),
            16 => Command::Check(permission),
            17 => Command::Count { who },
            18 => Command::Close { who: audiences[1], except, reason: "" },
            _ => Command::List { hub, group: &group, after: None, limit: 3 },
        };
        let reply = self.engine.execute(command, self.now);
        self.digest.add(&format!("{reply:?}"));
    }

    fn drain(&mut self) {
        while let Some(action) = self.engine.poll_action() {
            self.digest.add(&format!("{action:?}"));
            if let Action::Call(call) = action {
                self.calls.extend(call.id);
            }
        }
    }
}
