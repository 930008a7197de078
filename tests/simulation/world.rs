//! A world for a seed, and what happens in it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use hubcast::testing::{
    Content, Link, Occurrence, Payload, Profile, Random, Request, Rule, Simulation,
};
use hubcast::{
    Audience, Command, Config, EventHandler, HubConfig, Limits, Metrics, Protocol, SendOptions,
    SlowConsumer, Time,
};

use crate::deliveries::Deliveries;
use crate::mark::Mark;
use crate::server::{GROUPS, expire_in_time, handler};

const HUBS: [&str; 2] = ["alpha", "beta"];
const POLICIES: [SlowConsumer; 4] = [
    SlowConsumer::Disconnect,
    SlowConsumer::DropNewest,
    SlowConsumer::DropOldest,
    SlowConsumer::KeepLatest,
];

/// How much goes on.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    clients: u64,
    steps: u64,
}

impl Size {
    /// Most seeds are small, so that many different ones can run; a few have hundreds of clients.
    pub(crate) fn of(seed: u64) -> Self {
        match seed % 100 {
            99 => Self { clients: 300, steps: 60 },
            90..99 => Self { clients: 60, steps: 90 },
            _ => Self { clients: 5 + seed % 17, steps: 150 },
        }
    }
}

/// Runs a seed to its end. Returns what the engine did in one number, and its counters.
pub(crate) fn run(seed: u64, size: Size) -> (u64, Metrics) {
    let mut world = World::new(seed, size);
    for _ in 0..size.steps {
        world.step();
    }
    world.finish()
}

struct World {
    simulation: Simulation,
    random: Random,
    deliveries: Rc<RefCell<Deliveries>>,
    limits: Limits,
    /// How many messages each client has published.
    published: Vec<u64>,
    /// The same of the server.
    server_published: Rc<Cell<u64>>,
    /// Whether the clock of the host may jump.
    jumps: bool,
}

/// Shares a rule with the simulation.
struct Shared(Rc<RefCell<Deliveries>>);

impl Rule for Shared {
    fn observe(&mut self, at: Time, occurrence: &Occurrence<'_>) -> Result<(), String> {
        self.0.borrow_mut().observe(at, occurrence)
    }
}

impl World {
    fn new(seed: u64, size: Size) -> Self {
        let mut random = Random::new(seed ^ 0x5eed);
        let limits = Limits {
            unacknowledged_messages: *random.pick(&[12, 60, 1_000]),
            unacknowledged_bytes: *random.pick(&[3_000, 1 << 20]),
            paused_messages: *random.pick(&[3, 30]),
            recovery_window: Duration::from_secs(*random.pick(&[8, 30])),
            call_timeout: Duration::from_secs(5),
            ..Limits::default()
        };
        let mut config = Config::new(random.draw());
        config.limits = limits.clone();
        let policies = HUBS.map(|_| *random.pick(&POLICIES));
        config.hubs = HUBS
            .iter()
            .zip(policies)
            .map(|(hub, slow_consumer)| {
                let handlers = vec![EventHandler::all("handler")];
                ((*hub).to_owned(), HubConfig { handlers, slow_consumer, ..HubConfig::default() })
            })
            .collect();
        let mut simulation = Simulation::new(config, seed).expect("the configuration is good");

        let complete = HUBS.iter().zip(policies).filter(|(_, it)| *it == SlowConsumer::Disconnect);
        let complete = complete.map(|(hub, _)| (*hub).to_owned()).collect();
        let deliveries = Rc::new(RefCell::new(Deliveries::new(complete)));
        simulation.add_rule(Shared(deliveries.clone()));
        let server_published = Rc::new(Cell::new(0));
        simulation.set_handler(handler(Random::new(random.draw()), server_published.clone()));
        if random.chance(300) {
            simulation.set_lateness(Duration::from_millis(random.between(1..=500)));
        }
        let jumps = random.chance(200);
        if !jumps {
            simulation.add_rule(expire_in_time(limits.recovery_window));
        }
        let published = vec![0; size.clients as usize];
        let mut world =
            Self { simulation, random, deliveries, limits, published, server_published, jumps };
        for _ in 0..size.clients {
            world.add_client();
        }
        world
    }

    fn add_client(&mut self) {
        let hub = HUBS[usize::from(self.random.chance(300))];
        let reliable = [Protocol::ReliableJson, Protocol::ReliableProtobuf];
        let protocol = if self.random.chance(400) {
            *self.random.pick(&reliable)
        } else {
            *self.random.pick(&Protocol::ALL)
        };
        let link = self.draw_link();
        let mut profile = Profile::new(hub, protocol);
        profile.user = self.random.chance(700).then(|| format!("user-{}", self.random.below(9)));
        profile.ack_delay = Duration::from_millis(self.random.between(0..=1_500));
        profile.ack_gap = self.random.between(3..=40);
        if protocol == Protocol::Plain {
            profile.groups = vec![(*self.random.pick(&GROUPS)).into()];
            profile.target =
                self.random.chance(800).then(|| (*self.random.pick(&GROUPS)).to_owned());
        } else if self.random.chance(300) {
            profile.groups = vec![(*self.random.pick(&GROUPS)).into()];
        }
        let plain = protocol == Protocol::Plain;
        let number = self.simulation.clients();
        self.deliveries.borrow_mut().given.insert(number, profile.groups.clone());
        let client = self.simulation.add_client(profile, link);
        for _ in 0..self.random.between(1..=2) {
            if !plain {
                let group = (*self.random.pick(&GROUPS)).to_owned();
                self.simulation.ask(client, Request::Join { group, ack: None });
            }
        }
    }

    fn draw_link(&mut self) -> Link {
        match self.random.below(10) {
            0 => Link::PERFECT,
            1..4 => Link::WIRED,
            4..7 => Link::MOBILE,
            // A tunnel: nothing gets through.
            7 => Link { cut_per_mille: 1_000, ..Link::MOBILE },
            _ => Link::SLOW,
        }
    }

    fn step(&mut self) {
        let pause = self.random.between(0..=700);
        self.simulation.run_for(Duration::from_millis(pause));
        let client = self.random.below(self.simulation.clients());
        match self.random.below(1_000) {
            0..450 => self.burst(client),
            450..500 => self.event(client),
            500..550 => self.join_or_leave(client),
            550..650 => self.server_publishes(),
            650..690 => self.server_moves(client),
            690..770 => self.simulation.cut(client),
            770..785 => self.simulation.cut_all(),
            785..800 => self.simulation.leave(client, *self.random.pick(&[1000, 1001, 1005, 4000])),
            800..830 => self.simulation.come_back(client),
            830..880 => {
                let link = self.draw_link();
                self.simulation.set_link(client, link);
            }
            880..890 => self.server_closes(client),
            890..910 if self.jumps => {
                let (forth, back) =
                    (self.random.between(0..=40_000), self.random.between(0..=20_000));
                self.simulation.jump(forth.cast_signed() - back.cast_signed());
            }
            910..920 => self.check_memory(),
            920..930 => self.simulation.intrude(client, &"0a".repeat(16)),
            930..980 => {
                // Everybody shouts.
                for client in 0..self.simulation.clients().min(30) {
                    self.burst(client);
                }
            }
            _ if self.simulation.client(client).profile().protocol != Protocol::Plain => {
                self.simulation.ask(client, Request::Ping);
            }
            _ => {}
        }
    }

    /// Some messages of a client in a row.
    fn burst(&mut self, client: usize) {
        let target = self.simulation.client(client).profile().target.clone();
        for _ in 0..self.random.between(1..=4) {
            let group = target.clone().unwrap_or_else(|| (*self.random.pick(&GROUPS)).to_owned());
            let ttl = if self.random.chance(100) { self.random.between(1..=3) as u32 } else { 0 };
            let mark = Mark::client(client, self.published[client]);
            self.published[client] += 1;
            let protocol = self.simulation.client(client).profile().protocol;
            let content = Content::from(self.payload(&mark, protocol));
            let no_echo = self.random.chance(200);
            self.simulation.ask(client, Request::Send { group, content, no_echo, ttl, ack: None });
        }
    }

    fn payload(&mut self, mark: &Mark, protocol: Protocol) -> Payload {
        let text = mark.to_string();
        let protobuf = matches!(protocol, Protocol::Protobuf | Protocol::ReliableProtobuf);
        match self.random.below(5) {
            0 => Payload::Json(format!("{{ \"mark\":\"{text}\" }}")),
            1 => Payload::Binary(text.into_bytes()),
            // A `google.protobuf.Any` with a type and a value.
            2 if protobuf => {
                let mut any = vec![0x0a, 3, b't', b'/', b't', 0x12, text.len() as u8];
                any.extend_from_slice(text.as_bytes());
                Payload::Protobuf(any)
            }
            _ => Payload::Text(text),
        }
    }

    fn event(&mut self, client: usize) {
        let target = &self.simulation.client(client).profile().target;
        if target.is_none() {
            self.simulation.ask(client, Request::event("talk", "hello"));
        }
    }

    fn join_or_leave(&mut self, client: usize) {
        if self.simulation.client(client).profile().protocol == Protocol::Plain {
            return;
        }
        let group = (*self.random.pick(&GROUPS)).to_owned();
        let request = if self.random.chance(500) {
            Request::Join { group, ack: None }
        } else {
            Request::Leave { group, ack: None }
        };
        self.simulation.ask(client, request);
    }

    fn server_publishes(&mut self) {
        let (hub, group) = (*self.random.pick(&HUBS), *self.random.pick(&GROUPS));
        let mark = Mark::server(self.server_published.get());
        self.server_published.set(self.server_published.get() + 1);
        let payload = self.payload(&mark, Protocol::Json);
        let ttl_seconds = if self.random.chance(100) { 2 } else { 0 };
        let options = SendOptions { ttl_seconds, ..SendOptions::default() };
        let to = Audience::Group(hub, group);
        let send = Command::Send { to, data: payload.lend(), options };
        self.simulation.execute(send).expect("it may be sent");
    }

    /// The server puts a session into a group or out of one, whether it has a transport or not.
    fn server_moves(&mut self, client: usize) {
        let Some(session) = self.simulation.sessions().iter().rfind(|it| it.client == client)
        else {
            return;
        };
        let session = session.clone();
        let who = Audience::Connection(&session.hub, &session.connection_id);
        let group = [*self.random.pick(&GROUPS)];
        let command = if self.random.chance(600) {
            Command::Join { who, groups: &group }
        } else {
            Command::Leave { who, groups: &group }
        };
        // The session may be over.
        let _ = self.simulation.execute(command);
    }

    fn server_closes(&mut self, client: usize) {
        let Some(session) = self.simulation.sessions().iter().rfind(|it| it.client == client)
        else {
            return;
        };
        let session = session.clone();
        let who = Audience::Connection(&session.hub, &session.connection_id);
        let close = Command::Close { who, except: &[], reason: "enough" };
        self.simulation.execute(close).expect("nobody there is no error");
    }

    fn check_memory(&self) {
        let engine = self.simulation.engine();
        engine.check();
        for session in self.simulation.sessions() {
            let key = engine.find(&session.hub, &session.connection_id);
            let Some(view) = key.and_then(|key| engine.connection(key)) else { continue };
            assert!(view.unacknowledged() <= self.limits.unacknowledged_messages, "{session:?}");
            let most = if session.protocol.is_reliable() {
                self.limits.unacknowledged_messages.max(self.limits.paused_messages)
            } else {
                self.limits.paused_messages
            };
            // Acks and the like wait too, and have a limit of their own.
            assert!(view.waiting() <= most + 32, "{} wait for {session:?}", view.waiting());
        }
    }

    /// After a minute of calm nobody waits to be recovered any more, and nothing is kept for somebody who has
    /// acknowledged it.
    fn check_calm(&self) {
        let engine = self.simulation.engine();
        for session in self.simulation.sessions().iter().filter(|_| !self.jumps) {
            let key = engine.find(&session.hub, &session.connection_id);
            let Some(view) = key.and_then(|key| engine.connection(key)) else { continue };
            assert!(!view.is_detached(), "{session:?} has not expired");
            assert_eq!(view.unacknowledged(), 0, "{session:?}");
            assert_eq!(view.waiting(), 0, "{session:?}");
        }
    }

    fn finish(mut self) -> (u64, Metrics) {
        for client in 0..self.simulation.clients() {
            self.simulation.set_link(client, Link::WIRED);
        }
        self.simulation.settle();
        self.check_memory();
        self.check_calm();
        self.deliveries.borrow().check(&self.simulation);
        let metrics = self.simulation.engine().metrics().clone();
        (self.simulation.finish(), metrics)
    }
}
