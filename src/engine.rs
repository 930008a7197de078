//! The engine: its verbs, the actions that come out, and what can be seen of it.

mod advance;
mod answer;
mod close;
mod event;
mod execute;
mod fanout;
mod open;
mod receive;
mod request;
mod view;

use alloc::vec::Vec;

use bytes::BytesMut;

pub use self::view::ConnectionView;
use crate::action::Action;
use crate::command::{Command, CommandError, Reply};
use crate::config::{Config, ConfigError, HubConfig, Limits, UnknownHubs};
use crate::event::{Answer, CallId};
use crate::input::{Closed, Incoming, Open};
use crate::metrics::{HubMetrics, Metrics};
use crate::outbox::Outbox;
use crate::protocol;
use crate::state::{ConnectionKey, World};
use crate::time::Time;

/// A whole real-time messaging service except its I/O.
///
/// Its methods are of four kinds:
/// - **What happens to it** goes in with [`open`](Self::open), [`receive`](Self::receive),
///   [`close`](Self::close), [`answer`](Self::answer) and [`advance`](Self::advance). These never fail: what
///   a peer does wrong comes out as an action, what concerns a connection that is gone is counted and
///   ignored.
/// - **What the server asks** goes in with [`execute`](Self::execute) and is answered at once; and
///   [`stop`](Self::stop) ends everything in good order.
/// - **What to do next** comes out of [`poll_action`](Self::poll_action), until it returns `None`; then
///   [`next_deadline`](Self::next_deadline) tells when to call `advance`.
/// - **What is so** can be read with [`connection`](Self::connection), [`find`](Self::find) and
///   [`metrics`](Self::metrics).
///
/// Inputs may be fed one by one or many at a time before the actions are polled: actions are complete when
/// they are queued, and their order is the order in which things happened.
///
/// The engine reads no clock, draws no random number and does no I/O: the same inputs give the same actions.
///
/// # Examples
///
/// An action borrows from the engine until it is carried out, so nothing can be fed while one is held:
///
/// ```compile_fail,E0499
/// # use hubcast::{Config, Engine, Time};
/// # let mut engine = Engine::new(Config::new(1)).unwrap();
/// let action = engine.poll_action();
/// engine.advance(Time::EPOCH);
/// drop(action);
/// ```
#[derive(Debug)]
pub struct Engine {
    world: World,
    outbox: Outbox,
    metrics: Metrics,
    /// The latest time that was told.
    now: Time,
    stopped: bool,
    unknown_hubs: UnknownHubs,
    hubs_max: usize,
    limits: Limits,
    /// Frames are cut from here.
    buffer: BytesMut,
    /// Decoded texts and bytes lie here while a message is processed.
    scratch: Vec<u8>,
}

impl Engine {
    /// Makes an engine without connections.
    ///
    /// # Errors
    /// When the configuration breaks a rule; the error names the field.
    ///
    /// ```
    /// use hubcast::{Config, Engine, HubConfig};
    ///
    /// let mut config = Config::new(1);
    /// config.hubs.push(("7th heaven".into(), HubConfig::default()));
    /// assert!(Engine::new(config).unwrap_err().to_string().contains("must be a letter"));
    /// ```
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let mut engine = Self {
            world: World::new(config.seed),
            outbox: Outbox::default(),
            metrics: Metrics::default(),
            now: Time::EPOCH,
            stopped: false,
            unknown_hubs: config.unknown_hubs,
            hubs_max: config.hubs_max,
            limits: config.limits,
            buffer: BytesMut::new(),
            scratch: Vec::new(),
        };
        for (name, settings) in config.hubs {
            engine.add_hub(&name, settings);
        }
        Ok(engine)
    }

    /// Takes up a peer that wants to connect, and returns the key by which it is known from now on.
    ///
    /// Whether it is let in comes out as [`Action::Accept`] or [`Action::Refuse`], at once or when the
    /// `connect` handler of the hub has answered.
    ///
    /// ```
    /// use hubcast::{Action, Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let key = engine.open(Open { hub: "chat", anonymous: true, ..Open::default() }, Time::EPOCH);
    /// let Some(Action::Refuse(refuse)) = engine.poll_action() else { panic!("no anonymous peers here") };
    /// assert_eq!((refuse.connection, refuse.status), (key, 401));
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn open(&mut self, request: Open<'_>, now: Time) -> ConnectionKey {
        self.tell(now);
        self.on_open(request)
    }

    /// Takes in what arrived from a connection.
    ///
    /// ```
    /// use hubcast::{Action, Config, Engine, Incoming, Open, Protocol, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let open = Open { hub: "chat", protocol: Protocol::Json, ..Open::default() };
    /// let key = engine.open(open, Time::EPOCH);
    /// while engine.poll_action().is_some() {} // accepted and connected
    ///
    /// engine.receive(key, Incoming::Text(r#"{"type":"ping"}"#), Time::EPOCH);
    /// let Some(Action::Deliver(deliver)) = engine.poll_action() else { panic!("a pong") };
    /// assert_eq!(deliver.frame.shared().unwrap(), r#"{"type":"pong"}"#);
    ///
    /// engine.receive(key, Incoming::Text("nonsense"), Time::EPOCH);
    /// let Some(Action::Close(close)) = engine.poll_action() else { panic!("a close") };
    /// assert_eq!(close.code, 1007);
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn receive(&mut self, from: ConnectionKey, message: Incoming<'_>, now: Time) {
        self.tell(now);
        self.on_receive(from, message);
    }

    /// Takes note that the transport of a connection is gone. Also right after an [`Action::Close`], where
    /// it does nothing.
    ///
    /// ```
    /// use hubcast::{Closed, Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let key = engine.open(Open { hub: "chat", ..Open::default() }, Time::EPOCH);
    /// engine.close(key, Closed::Clean { code: 1000, reason: "bye" }, Time::EPOCH);
    /// assert!(engine.connection(key).is_none());
    /// engine.close(key, Closed::Lost, Time::EPOCH); // counted and ignored
    /// assert_eq!(engine.metrics().stale_inputs, 1);
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn close(&mut self, connection: ConnectionKey, how: Closed<'_>, now: Time) {
        self.tell(now);
        self.on_close(connection, how);
    }

    /// Takes in what an event handler answered to a [`Call`](crate::Call). A late or repeated answer does
    /// nothing.
    ///
    /// The host may be the handler itself:
    ///
    /// ```
    /// use hubcast::{
    ///     Action, Answer, Config, Data, Engine, EventHandler, EventKind, EventPattern, HubConfig, Incoming,
    ///     Open, Response, SystemEvents, Time,
    /// };
    ///
    /// let mut config = Config::new(1);
    /// let referee = EventHandler {
    ///     url: "referee".into(),
    ///     user_events: EventPattern::parse("*"),
    ///     system_events: SystemEvents::NONE,
    /// };
    /// config.hubs.push(("game".into(), HubConfig { handlers: vec![referee], ..HubConfig::default() }));
    /// let mut engine = Engine::new(config)?;
    /// let player = engine.open(Open { hub: "game", ..Open::default() }, Time::EPOCH);
    /// engine.receive(player, Incoming::Text("roll"), Time::EPOCH); // the event `message` of a plain client
    ///
    /// let mut asked = Vec::new();
    /// while let Some(action) = engine.poll_action() {
    ///     if let Action::Call(call) = action
    ///         && let EventKind::User { data: Data::Text("roll"), .. } = call.event.kind
    ///     {
    ///         asked.extend(call.id);
    ///     }
    /// }
    /// for id in asked {
    ///     let response = Response { data: Some(Data::Text("you rolled a 4")), ..Response::default() };
    ///     engine.answer(id, Answer::Reply(response), Time::EPOCH);
    /// }
    /// let Some(Action::Deliver(deliver)) = engine.poll_action() else { panic!("a reply") };
    /// assert_eq!(deliver.frame.shared().unwrap(), "you rolled a 4");
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn answer(&mut self, call: CallId, answer: Answer<'_>, now: Time) {
        self.tell(now);
        self.on_answer(call, answer);
    }

    /// Takes note that time has passed: deadlines that are due are acted upon.
    ///
    /// ```
    /// use core::time::Duration;
    /// use hubcast::{Config, Engine, Open, Time};
    ///
    /// let mut config = Config::new(1);
    /// config.limits.idle_timeout = Some(Duration::from_secs(60));
    /// let mut engine = Engine::new(config)?;
    /// let key = engine.open(Open { hub: "chat", ..Open::default() }, Time::from_secs(100));
    /// assert_eq!(engine.next_deadline(), Some(Time::from_secs(160)));
    /// engine.advance(Time::from_secs(159)); // early is harmless
    /// assert!(engine.connection(key).is_some());
    /// engine.advance(Time::from_secs(160));
    /// assert!(engine.connection(key).is_none());
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn advance(&mut self, now: Time) {
        self.tell(now);
        self.on_advance();
    }

    /// Carries out an operation of the server side.
    ///
    /// # Errors
    /// When the command cannot be carried out; nothing has changed then.
    ///
    /// ```
    /// use hubcast::{Audience, Command, CommandError, Config, Engine, Open, Reply, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// engine.open(Open { hub: "chat", user: Some("alice"), ..Open::default() }, Time::EPOCH);
    /// let join = |user| Command::Join { who: Audience::User("chat", user), groups: &["room"] };
    /// assert_eq!(engine.execute(join("alice"), Time::EPOCH), Ok(Reply::Affected(1)));
    /// assert_eq!(engine.execute(join("bob"), Time::EPOCH), Err(CommandError::NoUser("bob".into())));
    /// let who = Audience::Group("chat", "room");
    /// assert_eq!(engine.execute(Command::Exists { who }, Time::EPOCH), Ok(Reply::Is(true)));
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn execute(&mut self, command: Command<'_>, now: Time) -> Result<Reply, CommandError> {
        self.tell(now);
        self.on_execute(command)
    }

    /// Closes every connection with 1001 and this reason, and refuses later ones with status 503.
    ///
    /// ```
    /// use hubcast::{Action, Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// engine.open(Open { hub: "chat", ..Open::default() }, Time::EPOCH);
    /// engine.stop("maintenance", Time::EPOCH);
    /// while let Some(action) = engine.poll_action() {
    ///     if let Action::Close(close) = action {
    ///         assert_eq!((close.code, close.reason), (1001, "maintenance"));
    ///     }
    /// }
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn stop(&mut self, reason: &str, now: Time) {
        self.tell(now);
        self.on_stop(reason);
    }

    /// Returns the next thing to do, or `None` when everything is done.
    ///
    /// ```
    /// use hubcast::{Action, Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let key = engine.open(Open { hub: "chat", ..Open::default() }, Time::EPOCH);
    /// let Some(Action::Accept(accept)) = engine.poll_action() else { panic!("it may come in") };
    /// assert_eq!(accept.connection, key);
    /// assert!(engine.poll_action().is_none());
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn poll_action(&mut self) -> Option<Action<'_>> {
        if !self.outbox.advance() {
            self.world.connections.reclaim();
            protocol::renew(&mut self.buffer);
            return None;
        }
        self.outbox.current(&self.world.hubs)
    }

    /// Returns when to call [`advance`](Self::advance) next. Earlier is harmless; later is late.
    pub fn next_deadline(&self) -> Option<Time> {
        self.world.timers.first().map(|(time, _)| time)
    }

    /// Shows a connection, also one whose handshake is not done.
    ///
    /// ```
    /// use hubcast::{Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let open = Open { hub: "Chat", user: Some("alice"), groups: &["room"], ..Open::default() };
    /// let key = engine.open(open, Time::EPOCH);
    /// let alice = engine.connection(key).expect("it is open");
    /// assert_eq!((alice.hub(), alice.user()), ("chat", Some("alice")));
    /// assert!(alice.groups().eq(["room"]));
    /// assert_eq!(engine.find("chat", &alice.id()), Some(key));
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn connection(&self, key: ConnectionKey) -> Option<ConnectionView<'_>> {
        let connection = self.world.connections.get(key)?;
        Some(ConnectionView::new(&self.world, key, connection))
    }

    /// Finds an open connection by its public id.
    pub fn find(&self, hub: &str, connection_id: &str) -> Option<ConnectionKey> {
        self.world.find(self.world.hub(hub)?, connection_id)
    }

    /// Returns the counters.
    ///
    /// ```
    /// use hubcast::{Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// engine.open(Open { hub: "chat", ..Open::default() }, Time::EPOCH);
    /// let hub = &engine.metrics().hubs[0];
    /// assert_eq!((hub.hub.as_str(), hub.connections), ("chat", 1));
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Panics with a message when an invariant of the state does not hold. It looks at everything, so it is
    /// slow: for tests.
    pub fn check(&self) {
        self.world.check();
        for (hub, metrics) in self.world.hubs.iter().zip(&self.metrics.hubs) {
            assert_eq!(hub.roster.len() as u64, metrics.connections, "{:?}", hub.name);
        }
        assert_eq!(self.world.hubs.len(), self.metrics.hubs.len(), "each hub is counted");
    }

    /// Moves the clock, which never goes back.
    fn tell(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    fn add_hub(&mut self, name: &str, settings: HubConfig) -> u32 {
        let limits = settings.limits.clone().unwrap_or_else(|| self.limits.clone());
        let slot = self.world.add_hub(name, settings, limits);
        let hub = name.to_ascii_lowercase();
        self.metrics.hubs.push(HubMetrics { hub, ..HubMetrics::default() });
        slot
    }
}
