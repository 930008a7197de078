//! A server, its clients and the links between them, in virtual time.

mod client_side;
mod handler;
mod host;
mod transport;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use self::transport::{Item, Transport};
use super::client::{Client, Profile};
use super::link::Link;
use super::random::{Random, mix};
use super::reply::{Handling, Reply};
use super::request::{Packet, Request};
use super::rules::{ConsecutiveSequences, Occurrence, OneEnd, Rule, Session};
use super::virtual_time::VirtualTime;
use crate::action::Call;
use crate::config::{Config, ConfigError};
use crate::engine::Engine;
use crate::event::CallId;
use crate::state::ConnectionKey;
use crate::time::Time;

/// When every simulation starts.
const START: Time = Time::from_secs(1_790_000_000);

/// An engine with its host, virtual clients, and links between them, all in virtual time and from one seed.
///
/// It is the host of the engine: it carries its messages over the links, pauses connections whose socket queue is full,
/// comes back at deadlines, answers calls with a handler of yours. The clients are driven with
/// [`ask`](Self::ask); between the calls of [`run_for`](Self::run_for) time stands still. After everything that
/// occurs, all rules are looked at, and the first one that is broken panics, with the seed and the time.
///
/// The same seed and the same calls do the same things: [`digest`](Self::digest) tells.
///
/// ```
/// use core::time::Duration;
/// use hubcast::testing::{Link, Profile, Request, Simulation};
/// use hubcast::{Config, Protocol};
///
/// let mut simulation = Simulation::new(Config::new(1), 7)?;
/// let alice = simulation.add_client(Profile::new("chat", Protocol::ReliableJson), Link::MOBILE);
/// let bob = simulation.add_client(Profile::new("chat", Protocol::Json), Link::PERFECT);
/// simulation.ask(alice, Request::Join { group: "room".into(), ack: None });
/// simulation.run_for(Duration::from_secs(60));
///
/// simulation.cut(alice); // and she does not know it yet
/// simulation.ask(bob, Request::send("room", "hi"));
/// simulation.settle();
/// assert!(simulation.client(alice).heard().iter().any(|it| it.message.text() == Some("hi")));
/// simulation.finish();
/// # Ok::<(), hubcast::ConfigError>(())
/// ```
pub struct Simulation {
    seed: u64,
    engine: Engine,
    time: VirtualTime<Happening>,
    /// How far the clock of the host is ahead of virtual time, in milliseconds.
    ahead: i64,
    /// The latest time that the engine was told.
    told: Time,
    /// How late the host may come back at a deadline, in milliseconds.
    lateness: u64,
    /// When it will come back next.
    advance_at: Option<Time>,
    random: Random,
    clients: Vec<Virtual>,
    transports: Vec<Transport>,
    /// The transports that the engine knows.
    attached: BTreeMap<ConnectionKey, usize>,
    sessions: Vec<Session>,
    /// The sessions by the ids of their connections.
    ids: BTreeMap<String, usize>,
    rules: Vec<Box<dyn Rule>>,
    handler: Box<dyn FnMut(&Call<'_>) -> Handling>,
    /// Set while the links are good to everybody.
    calm: bool,
    digest: u64,
    occurrences: u64,
}

/// A client, its link, and its transport.
struct Virtual {
    client: Client,
    link: Link,
    transport: Option<usize>,
    /// When it is on the agenda.
    wake_at: Option<Time>,
}

/// What is on the agenda.
enum Happening {
    /// A client wants to do something.
    Wake(usize),
    /// The handshake of a transport arrives at the server.
    Arrive(usize),
    /// A request arrives at the server.
    Up(usize, Box<(Request, Packet)>),
    /// The client's close frame arrives at the server.
    Bye(usize, u16),
    /// The server's socket can take the next message.
    Writable(usize),
    /// Something arrives at the client.
    Down(usize, Item),
    /// The server notices that a transport is broken.
    ServerNotices(usize),
    /// The client notices.
    ClientNotices(usize),
    /// An event handler answers.
    Answer(CallId, Box<Reply>),
    /// The host comes back because of a deadline.
    Advance,
}

impl Simulation {
    /// Makes a simulation without clients.
    ///
    /// # Errors
    /// When the configuration breaks a rule.
    pub fn new(config: Config, seed: u64) -> Result<Self, ConfigError> {
        Ok(Self {
            seed,
            engine: Engine::new(config)?,
            time: VirtualTime::new(START),
            ahead: 0,
            told: START,
            lateness: 0,
            advance_at: None,
            random: Random::new(seed),
            clients: Vec::new(),
            transports: Vec::new(),
            attached: BTreeMap::new(),
            sessions: Vec::new(),
            ids: BTreeMap::new(),
            rules: alloc::vec![
                Box::new(ConsecutiveSequences::default()),
                Box::new(OneEnd::default())
            ],
            handler: Box::new(|call| match call.event.kind {
                crate::event::EventKind::Connect(_) => Reply::WELCOME.into(),
                _ => Reply::DONE.into(),
            }),
            calm: false,
            digest: 0,
            occurrences: 0,
        })
    }

    /// Answers the calls of the engine with this closure. Without one everybody is let in, and every event is
    /// handled without a word.
    pub fn set_handler(&mut self, handler: impl FnMut(&Call<'_>) -> Handling + 'static) {
        self.handler = Box::new(handler);
    }

    /// Adds a rule; see [`Rule`].
    pub fn add_rule(&mut self, rule: impl Rule + 'static) {
        self.rules.push(Box::new(rule));
    }

    /// Adds a client that connects at once, and returns its number.
    pub fn add_client(&mut self, profile: Profile, link: Link) -> usize {
        let client = Client::new(profile, self.time.now());
        self.clients.push(Virtual { client, link, transport: None, wake_at: None });
        let number = self.clients.len() - 1;
        self.attend(number);
        number
    }

    /// Returns a client.
    ///
    /// # Panics
    /// When there is none with this number, as all methods that take one do.
    pub fn client(&self, client: usize) -> &Client {
        &self.clients[client].client
    }

    /// Returns how many clients there are.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// Takes what a client was told since the last time.
    pub fn take_heard(&mut self, client: usize) -> Vec<super::message::Received> {
        self.clients[client].client.take_heard()
    }

    /// Makes a link better or worse from now on.
    pub fn set_link(&mut self, client: usize, link: Link) {
        self.clients[client].link = link;
    }

    /// Returns the engine, to look at.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the sessions that there ever were.
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// Returns the virtual time.
    pub fn now(&self) -> Time {
        self.time.now()
    }

    /// Lets time pass, and happen what happens.
    pub fn run_for(&mut self, duration: Duration) {
        let until = self.time.now() + duration;
        while let Some(happening) = self.time.step(until) {
            self.happen(happening);
        }
    }

    /// Lets the links be good to everybody, and time pass until all has been said and heard: a minute of calm.
    pub fn settle(&mut self) {
        self.calm = true;
        self.run_for(Duration::from_secs(60));
        self.calm = false;
    }

    /// Moves the clock of the host by so many milliseconds, forth or back, as a correction of its clock does, or the
    /// sleep of a laptop. The clients' own clocks go on as before.
    pub fn jump(&mut self, millis: i64) {
        self.ahead += millis;
        self.advance_at = None;
        self.plan();
    }

    /// Lets the host come back at deadlines up to so much too late.
    pub fn set_lateness(&mut self, lateness: Duration) {
        self.lateness = lateness.as_millis() as u64;
    }

    /// Returns a number that depends on all actions that the engine gave out so far, in their order.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Stops the server, closes everything, and looks back at all rules. Returns the digest.
    ///
    /// # Panics
    /// When a rule is broken or something is left over.
    pub fn finish(mut self) -> u64 {
        for each in &mut self.clients {
            each.client.leave();
        }
        let now = self.tell();
        self.engine.stop("the simulation is over", now);
        self.drain();
        self.engine.check();
        self.require(self.engine.next_deadline().is_none(), || "a deadline is left".into());
        let open: u64 = self.engine.metrics().hubs.iter().map(|hub| hub.connections).sum();
        self.require(open == 0, || format!("{open} connections are left"));
        for mut rule in core::mem::take(&mut self.rules) {
            if let Err(problem) = rule.conclude() {
                self.fail(&problem);
            }
        }
        self.digest
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake(client) => self.wake(client),
            Happening::Arrive(transport) => self.arrive(transport),
            Happening::Up(transport, said) => self.up(transport, &said.0, &said.1),
            Happening::Bye(transport, code) => self.bye(transport, code),
            Happening::Writable(transport) => self.writable(transport),
            Happening::Down(transport, item) => self.down(transport, item),
            Happening::ServerNotices(transport) => self.server_notices(transport),
            Happening::ClientNotices(transport) => self.client_notices(transport),
            Happening::Answer(call, reply) => self.answer(call, &reply),
            Happening::Advance => self.advance(),
        }
    }

    /// Shows something to all rules.
    fn observe(&mut self, occurrence: &Occurrence<'_>) {
        self.occurrences += 1;
        let at = self.time.now();
        for rule in &mut self.rules {
            if let Err(problem) = rule.observe(at, occurrence) {
                fail(self.seed, at, &problem);
            }
        }
    }

    fn require(&self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.fail(&problem());
        }
    }

    fn fail(&self, problem: &str) -> ! {
        fail(self.seed, self.time.now(), problem)
    }

    fn digest_all(&mut self, numbers: &[u64], bytes: &[u8]) {
        for number in numbers {
            self.digest = mix(self.digest ^ mix(*number));
        }
        for chunk in bytes.chunks(8) {
            let mut eight = [0; 8];
            eight[..chunk.len()].copy_from_slice(chunk);
            self.digest = mix(self.digest ^ mix(u64::from_be_bytes(eight) ^ chunk.len() as u64));
        }
    }
}

fn fail(seed: u64, at: Time, problem: &str) -> ! {
    let millis = at.since(START).as_millis();
    panic!("seed {seed}, after {millis} ms: {problem}");
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("seed", &self.seed)
            .field("now", &self.time.now())
            .field("clients", &self.clients.len())
            .field("sessions", &self.sessions.len())
            .finish_non_exhaustive()
    }
}
