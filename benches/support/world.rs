//! A world of many connections, for the benches and the memory report.

use hubcast::{Config, ConnectionKey, Engine, Incoming, Open, Protocol, Time};

const ROLES: &[&str] = &["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) keys: Vec<ConnectionKey>,
}

impl World {
    /// Opens connections of as many users, each in so many random groups of about 50.
    pub(crate) fn build(connections: usize, groups_each: usize) -> Self {
        let mut engine = Engine::new(Config::new(7)).expect("a good configuration");
        let mut random = Random::new(3);
        let now = Time::from_secs(1_790_000_000);
        let mut keys = Vec::with_capacity(connections);
        for number in 0..connections {
            let key = open(&mut engine, number as u64, now);
            for _ in 0..groups_each {
                let group = random.below((connections * groups_each / 50).max(1));
                let text = format!(r#"{{"type":"joinGroup","group":"group-{group}"}}"#);
                engine.receive(key, Incoming::Text(&text), now);
            }
            keys.push(key);
            drain(&mut engine);
        }
        Self { engine, keys }
    }
}

/// Opens one connection of a user of its own.
pub(crate) fn open(engine: &mut Engine, number: u64, now: Time) -> ConnectionKey {
    let user = format!("user-{number}");
    let mut entropy = [0; 32];
    entropy[..8].copy_from_slice(&Random::new(number).next().to_le_bytes());
    let open = Open {
        hub: "bench",
        protocol: Protocol::Json,
        user: Some(&user),
        roles: ROLES,
        entropy,
        ..Open::default()
    };
    engine.open(open, now)
}

/// Polls everything.
pub(crate) fn drain(engine: &mut Engine) -> usize {
    let mut actions = 0;
    while engine.poll_action().is_some() {
        actions += 1;
    }
    actions
}

/// A small random generator, so that each run does the same.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
